/* SPDX-License-Identifier: BSD-3-Clause */
/* Completion for three shells from the tables of commands and flags. Each script finds the command that was typed so
 * far, aliases included, and offers what may follow it. */
#include "base/array.h"
#include "cli/cli.h"
#include "cli/command.h"

static bool is_file_flag(const struct flag *flag)
{
    return str_eq(flag->value ? flag->value : "", "FILE") || str_eq(flag->value ? flag->value : "", "PATH");
}

/* In single quotes of a POSIX shell; fish wants \' instead of '\''. */
static void quoted(struct buf *out, const char *text, bool fish)
{
    buf_addc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            buf_adds(out, fish ? "\\'" : "'\\''");
        else
            buf_addc(out, *text);
    buf_addc(out, '\'');
}

/* The name of what stands above a command; "" at the top. */
static void parent_name(const struct command *c, char *out, size_t size)
{
    size_t len = (size_t)(command_word(c) - c->name);

    str_copy(out, size, c->name);
    if (len < size)
        out[len ? len - 1 : 0] = '\0';
}

/* "nodes list"|"nodes ls") found="nodes list" ;; */
static void command_arms(struct buf *out, const char *indent)
{
    char parent[64];

    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        parent_name(c, parent, sizeof(parent));
        const char *blank = *parent ? " " : "";
        buf_addf(out, "%s\"%s\"", indent, c->name);
        for (const char *at = c->aliases; at && *at; at += strcspn(at, "|"), at += *at == '|')
            buf_addf(out, "|\"%s%s%.*s\"", parent, blank, (int)strcspn(at, "|"), at);
        buf_addf(out, ") found=\"%s\" ;;\n", c->name);
    }
}

static void flag_words(const struct flag *flags, struct buf *out)
{
    for (const struct flag *flag = flags; flag && flag->kind != FLAG_NONE; flag++)
        if (!(flag->bits & FLAG_HIDDEN))
            buf_addf(out, " --%s", flag->name);
}

/* Names of the flags of one kind, as a pattern: --config|-c|--file. */
static bool value_pattern(const struct flag *flag, const char *indent, struct buf *out)
{
    if ((flag->bits & FLAG_HIDDEN) || flag->kind == FLAG_SWITCH || !(flag->words || is_file_flag(flag)))
        return false;
    buf_addf(out, "%s--%s", indent, flag->name);
    if (flag->letter)
        buf_addf(out, "|-%c", flag->letter);
    buf_adds(out, ") ");
    return true;
}

static void words_of(const struct flag *flag, struct buf *out)
{
    bool first = true;

    for (const char *at = flag->words; *at; at += strcspn(at, "|"), at += *at == '|') {
        size_t n = strcspn(at, "|");
        if (n)
            buf_addf(out, "%s%.*s", first ? "" : " ", (int)n, at);
        first = first && n == 0;
    }
}

/* Flags whose values are known, each once: they mean the same everywhere. */
static void value_arms(struct buf *out, const char *indent, const char *files, const char *before, const char *after)
{
    struct strs seen = {0};

    for (const struct command *c = NULL;;) {
        const struct flag *flags = c ? c->flags : global_flags;
        for (const struct flag *flag = flags; flag && flag->kind != FLAG_NONE; flag++) {
            if (strs_has(&seen, flag->name) || !value_pattern(flag, indent, out))
                continue;
            strs_push(&seen, flag->name);
            if (flag->words) {
                buf_adds(out, before);
                words_of(flag, out);
                buf_addf(out, "%s ;;\n", after);
            } else {
                buf_addf(out, "%s ;;\n", files);
            }
        }
        c = command_next(c);
        if (!c)
            break;
    }
    strs_release(&seen);
}

static void bash(struct buf *out)
{
    buf_adds(out, "# bash completion for headway; load it with: source <(headway completion bash)\n"
                  "_headway() {\n"
                  "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} found='' words='' i\n"
                  "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "    case \"${found:+$found }${COMP_WORDS[i]}\" in\n");
    command_arms(out, "    ");
    buf_adds(out, "    esac\n"
                  "  done\n"
                  "  case $prev in\n");
    value_arms(out, "  ", "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return", "words=\"", "\"");
    buf_adds(out, "  esac\n"
                  "  if [ -z \"$words\" ]; then\n"
                  "    case $found in\n");
    for (const struct command *c = NULL;;) {
        if (!c || !(c->bits & CMD_HIDDEN)) {
            buf_addf(out, "    \"%s\") words=\"", c ? c->name : "");
            struct buf list = BUF_INIT(0);
            for (const struct command *sub = command_next(NULL); sub; sub = command_next(sub))
                if (command_is_below(sub, c) && !(sub->bits & CMD_HIDDEN))
                    buf_addf(&list, " %s", command_word(sub));
            flag_words(c ? c->flags : console_flags, &list);
            buf_addf(out, "%s\" ;;\n", list.len ? buf_text(&list) + 1 : "");
            buf_release(&list);
        }
        c = command_next(c);
        if (!c)
            break;
    }
    struct buf global = BUF_INIT(0);
    flag_words(global_flags, &global);
    buf_addf(out,
             "    esac\n"
             "    words=\"$words%s\"\n"
             "  fi\n"
             "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
             "}\n"
             "complete -F _headway headway\n",
             buf_text(&global));
    buf_release(&global);
}

/* 'word:what it does' for _describe. */
static void zsh_item(struct buf *out, const char *dashes, const char *word, const char *help)
{
    struct buf item = BUF_INIT(0);

    buf_addf(&item, "%s%s:", dashes, word);
    for (; *help; help++) {
        if (*help == ':')
            buf_addc(&item, '\\');
        buf_addc(&item, *help);
    }
    buf_addc(out, ' ');
    quoted(out, buf_text(&item), false);
    buf_release(&item);
}

static void zsh_flags(struct buf *out, const struct flag *flags)
{
    for (const struct flag *flag = flags; flag && flag->kind != FLAG_NONE; flag++)
        if (!(flag->bits & FLAG_HIDDEN))
            zsh_item(out, "--", flag->name, flag->help);
}

static void zsh(struct buf *out)
{
    buf_adds(out, "#compdef headway\n"
                  "# zsh completion for headway; save it as _headway in a directory of $fpath\n"
                  "_headway() {\n"
                  "  local found='' word prev=$words[CURRENT-1]\n"
                  "  local -a items\n"
                  "  for word in ${words[2,CURRENT-1]}; do\n"
                  "    case \"${found:+$found }$word\" in\n");
    command_arms(out, "    ");
    buf_adds(out, "    esac\n"
                  "  done\n"
                  "  case $prev in\n");
    value_arms(out, "  ", "_files; return", "compadd -- ", "; return");
    buf_adds(out, "  esac\n"
                  "  case $found in\n");
    for (const struct command *c = NULL;;) {
        if (!c || !(c->bits & CMD_HIDDEN)) {
            buf_addf(out, "  \"%s\") items=(", c ? c->name : "");
            for (const struct command *sub = command_next(NULL); sub; sub = command_next(sub))
                if (command_is_below(sub, c) && !(sub->bits & CMD_HIDDEN))
                    zsh_item(out, "", command_word(sub), sub->brief);
            zsh_flags(out, c ? c->flags : console_flags);
            buf_adds(out, ") ;;\n");
        }
        c = command_next(c);
        if (!c)
            break;
    }
    buf_adds(out, "  esac\n  items+=(");
    zsh_flags(out, global_flags);
    buf_adds(out, ")\n"
                  "  _describe 'headway' items\n"
                  "}\n"
                  "_headway \"$@\"\n");
}

static void fish_flags(struct buf *out, const char *name, const struct flag *flags)
{
    for (const struct flag *flag = flags; flag && flag->kind != FLAG_NONE; flag++) {
        if (flag->bits & FLAG_HIDDEN)
            continue;
        buf_adds(out, "complete -c headway");
        if (name)
            buf_addf(out, " -n '__headway_at \"%s\"'", name);
        buf_addf(out, " -l %s", flag->name);
        if (flag->letter)
            buf_addf(out, " -s %c", flag->letter);
        if (flag->kind != FLAG_SWITCH)
            buf_adds(out, is_file_flag(flag) ? " -r -F" : " -x");
        if (flag->words) {
            buf_adds(out, " -a '");
            words_of(flag, out);
            buf_addc(out, '\'');
        }
        buf_adds(out, " -d ");
        quoted(out, flag->help, true);
        buf_addc(out, '\n');
    }
}

static void fish(struct buf *out)
{
    char parent[64];

    buf_adds(out, "# fish completion for headway; save it as ~/.config/fish/completions/headway.fish\n"
                  "function __headway_at\n"
                  "  set -l found\n"
                  "  for word in (commandline -opc)[2..-1]\n"
                  "    switch (string join ' ' $found $word)\n");
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        parent_name(c, parent, sizeof(parent));
        buf_addf(out, "      case \"%s\"", c->name);
        for (const char *at = c->aliases; at && *at; at += strcspn(at, "|"), at += *at == '|')
            buf_addf(out, " \"%s%s%.*s\"", parent, *parent ? " " : "", (int)strcspn(at, "|"), at);
        buf_addf(out, "\n        set found \"%s\"\n", c->name);
    }
    buf_adds(out, "    end\n"
                  "  end\n"
                  "  test \"$found\" = \"$argv[1]\"\n"
                  "end\n"
                  "complete -c headway -f\n");
    fish_flags(out, NULL, global_flags);
    fish_flags(out, "", console_flags);
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        if (c->bits & CMD_HIDDEN)
            continue;
        parent_name(c, parent, sizeof(parent));
        buf_addf(out, "complete -c headway -n '__headway_at \"%s\"' -a %s -d ", parent, command_word(c));
        quoted(out, c->brief, true);
        buf_addc(out, '\n');
        fish_flags(out, c->name, c->flags);
    }
}

bool cli_write_completion(const char *shell, struct buf *out)
{
    static const struct {
        const char *name;
        void (*write)(struct buf *out);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (str_eq(shells[i].name, shell)) {
            shells[i].write(out);
            return true;
        }
    return false;
}
