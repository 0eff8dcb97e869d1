# SPDX-License-Identifier: BSD-3-Clause
"""Reads C by its layout, which clang-format holds: what begins in column 0 is a declaration, "}" in column 0 ends a body.

That is enough to find functions, tags and who names whom over the whole tree in a second or two, without a build.
"""
import re
from collections import defaultdict
from pathlib import Path

IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
TAG = re.compile(r"^\s*(?:typedef\s+)?(struct|enum|union)\s+(\w+)(?:\s+__attribute__\(\([^{]*\)\))?\s*\{?$")
SIGNATURE = re.compile(r"(\w+)\s*\(")


def strip_comments(text):
    """Comments and string contents blanked, lines kept."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group(0)) if m.group(0).startswith("/") else '""'
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


class Function:
    def __init__(self, path, line, name, static):
        self.path, self.line, self.name, self.static = path, line, name, static
        self.body_line = 0  # of the opening brace
        self.end_line = 0
        self.uses = set()  # identifiers in the body


class Source:
    """One file: its functions, the tags it defines, what it includes, and the identifiers outside of functions."""

    def __init__(self, path, text=None):
        self.path = path
        self.text = Path(path).read_text(encoding="utf-8") if text is None else text
        self.functions = []
        self.tags = []  # (line, kind, name)
        self.includes = []  # (line, "room/file.h")
        self.uses = set()  # named by initialisers and macros
        self.names = set()  # every identifier of the file
        for number, line in enumerate(self.text.split("\n"), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if m:
                self.includes.append((number, m.group(1)))
        self.read(strip_comments(self.text).split("\n"))

    def read(self, lines):
        head, head_line = [], 0  # the declaration that is being collected, in column 0
        number = 0
        while number < len(lines):
            line = lines[number]
            number += 1
            self.names.update(IDENTIFIER.findall(line))
            if line.startswith("#"):
                uses = [line]
                while line.endswith("\\") and number < len(lines):
                    line = lines[number]
                    number += 1
                    uses.append(line)
                    self.names.update(IDENTIFIER.findall(line))
                if "define" in uses[0]:
                    self.uses.update(IDENTIFIER.findall(" ".join(uses))[2:])
                continue
            if not line.strip():
                continue
            if not head:
                head_line = number
            head.append(line)
            m = TAG.match(line) if line.endswith("{") else None
            if m:
                self.tags.append((number, m.group(1), m.group(2)))
            if line == "{":  # a function's body
                number = self.function(lines, head, head_line, number)
                head = []
            elif line.endswith("{") and not line.startswith("extern"):
                number = self.braces(lines, number)
                head = []
            elif line.endswith(";") or line.endswith("}"):
                self.initialiser(" ".join(head))
                head = []

    def initialiser(self, text):
        if "=" in text:
            self.uses.update(IDENTIFIER.findall(text.partition("=")[2]))

    def function(self, lines, head, head_line, number):
        text = " ".join(head)
        text = re.sub(r"__attribute__\s*\(\(.*?\)\)\)?", " ", text)
        m = SIGNATURE.search(text)
        f = Function(self.path, head_line, m.group(1) if m else "?", bool(re.match(r"\s*static\b", text)))
        f.body_line = number
        while number < len(lines) and lines[number] != "}":
            f.uses.update(IDENTIFIER.findall(lines[number]))
            number += 1
        f.end_line = number + 1
        self.names |= f.uses
        self.functions.append(f)
        return number + 1

    def braces(self, lines, number):
        """A struct, an enum or a table: up to its closing brace in column 0."""
        while number < len(lines):
            line = lines[number]
            number += 1
            names = IDENTIFIER.findall(line)
            self.uses.update(names)
            self.names.update(names)
            m = TAG.match(line) if line.endswith("{") else None
            if m:
                self.tags.append((number, m.group(1), m.group(2)))
            if line.startswith("}") and not line.endswith("{"):  # else: a type and the table of it in one
                break
        return number


def circles(arrows):
    """Strongly connected sets of more than one member of {name: set of names} (Tarjan's algorithm, without recursion)."""
    index, low, on, stack, found = {}, {}, set(), [], []
    for start in sorted(arrows):
        if start in index:
            continue
        work = [(start, iter(sorted(arrows[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in arrows:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on.add(target)
                    work.append((target, iter(sorted(arrows[target]))))
                    break
                if target in on:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    circle = []
                    while True:
                        member = stack.pop()
                        on.discard(member)
                        circle.append(member)
                        if member == node:
                            break
                    if len(circle) > 1:
                        found.append(sorted(circle))
    return found


def unit(path):
    """A .c file and its header are one."""
    return re.sub(r"\.[ch]$", "", path)


def include_arrows(sources, find):
    """{file: the files of the same room that it includes}, a .c file and its header taken as one."""
    arrows = defaultdict(set)
    for source in sources:
        me = unit(source.path)
        arrows[me]
        for _, header in source.includes:
            target = find(header, source.path)
            if target and Path(target).parent == Path(source.path).parent and unit(target) != me:
                arrows[me].add(unit(target))
    return arrows


def call_arrows(sources):
    """{file: the files of the same folder whose functions it names}."""
    home = {f.name: s.path for s in sources for f in s.functions if not f.static and s.path.endswith(".c")}
    arrows = defaultdict(set)
    for source in sources:
        me = unit(source.path)
        arrows[me]
        own = {f.name for f in source.functions}
        for f in source.functions:
            for name in f.uses - own:
                target = home.get(name)
                if target and Path(target).parent == Path(source.path).parent and unit(target) != me:
                    arrows[me].add(unit(target))
    return arrows


def part_of(path):
    return path.split("/")[0]


def uncalled(sources):
    """Functions with external linkage that are not reached from a main() or a table: only tests call them, or nobody."""
    shared, static = {}, {}  # by part and name; by file and name
    for source in sources:
        part = part_of(source.path)
        for f in source.functions:
            if f.static and source.path.endswith(".h"):
                shared.setdefault((part, f.name), f)
            elif f.static or f.name == "main":
                static[(source.path, f.name)] = f
            else:
                shared[(part, f.name)] = f
    reached, work = set(), []

    def reach(path, names):
        for name in names:
            f = static.get((path, name))
            for part in (part_of(path), "common", "server", "tui"):
                f = f or shared.get((part, name))
            if f is not None and f not in reached:
                reached.add(f)
                work.append(f)

    for source in sources:
        reach(source.path, source.uses | {"main"})
    while work:
        f = work.pop()
        reach(f.path, f.uses)
    # What a macro defines has the macro's name here, in capitals.
    return [f for f in shared.values() if f not in reached and f.path.endswith(".c") and not f.name.isupper()]
