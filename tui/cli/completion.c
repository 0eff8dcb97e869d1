/* SPDX-License-Identifier: BSD-3-Clause */
/* Shell completion, generated from the tables of commands and flags. Each script finds the command typed so far, by any
 * alias, and offers what may follow. */
#include "base/array.h"
#include "cli/cli.h"
#include "cli/command.h"

/* Quotes for a POSIX shell; fish needs \' instead of '\''. */
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

/* The name of a command's parent; "" at the top level. */
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

    buf_addf(out, "%s\"help\") ;;\n", indent); /* commands after "help" are completed as without it */
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        parent_name(c, parent, sizeof(parent));
        const char *blank = *parent ? " " : "";
        if (str_eq(c->name, "help"))
            continue;
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

static void words_of(const char *words, struct buf *out)
{
    bool first = true;

    for (const char *at = words; at && *at; at += strcspn(at, "|"), at += *at == '|') {
        size_t n = strcspn(at, "|");
        if (n)
            buf_addf(out, "%s%.*s", first ? "" : " ", (int)n, at);
        first = first && n == 0;
    }
}

static bool takes_file(const struct command *c)
{
    return c && c->args && strstr(c->args, "FILE");
}

/* How a shell completes the value of a flag. */
struct value_arms {
    struct buf *out;
    const char *files, *before, *after; /* for files; around a list of words */
    const char *others;                 /* for any other value */
};

/* "policy set --file"|"policy set -f") ...: a letter can mean different flags in different commands. found is "*" for
 * flags of all commands. */
static void value_arm(const struct value_arms *a, const char *found, const struct flag *flag)
{
    const char *quote = str_eq(found, "*") ? "" : "\"";

    if (flag->kind == FLAG_SWITCH)
        return;
    buf_addf(a->out, "  %s%s%s\" --%s\"", quote, found, quote, flag->name);
    if (flag->letter)
        buf_addf(a->out, "|%s%s%s\" -%c\"", quote, found, quote, flag->letter);
    buf_adds(a->out, ") ");
    if (flag->words && a->before) {
        buf_adds(a->out, a->before);
        words_of(flag->words, a->out);
        buf_adds(a->out, a->after);
    } else {
        buf_adds(a->out, flag_is_file(flag) ? a->files : a->others);
    }
    buf_adds(a->out, " ;;\n");
}

static void value_arms(const struct value_arms *a)
{
    const struct flag *everywhere[] = {global_flags, console_flags};

    for (size_t i = 0; i < ARRAY_LEN(everywhere); i++)
        for (const struct flag *flag = everywhere[i]; flag->kind != FLAG_NONE; flag++)
            value_arm(a, "*", flag);
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        for (const struct flag *flag = c->flags; flag && flag->kind != FLAG_NONE; flag++)
            value_arm(a, c->name, flag);
}

/* The subcommands of a command, or the values of its argument. */
static void next_words(const struct command *c, struct buf *out)
{
    for (const struct command *sub = command_next(NULL); sub; sub = command_next(sub))
        if (command_is_below(sub, c) && !(sub->bits & CMD_HIDDEN))
            buf_addf(out, " %s", command_word(sub));
    if (c && c->words) {
        buf_addc(out, ' ');
        words_of(c->words, out);
    }
}

static void bash_command(struct buf *out, const struct command *c)
{
    struct buf list = BUF_INIT(0);

    next_words(c, &list);
    flag_words(c ? c->flags : console_flags, &list);
    buf_addf(out, "    \"%s\") words=\"%s\"%s ;;\n", c ? c->name : "", list.len ? buf_text(&list) + 1 : "",
             takes_file(c) ? " files=1" : "");
    buf_release(&list);
}

static void bash(struct buf *out)
{
    struct value_arms skip = {.out = out, .files = "((i++))", .others = "((i++))"};
    struct value_arms known = {.out = out, .files = "files=1", .before = "words=\"", .after = "\"", .others = "return"};
    struct buf global = BUF_INIT(0);

    buf_adds(out, "# bash completion for headway; load it with: source <(headway completion bash)\n"
                  "_headway() {\n"
                  "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word\n"
                  "  local found='' words='' files='' before='' i\n"
                  "  # readline takes \"--flag=value\" for three words, unless COMP_WORDBREAKS has no \"=\"\n"
                  "  if [ \"$cur\" = = ]; then\n"
                  "    cur=''\n"
                  "  elif [ \"$prev\" = = ]; then\n"
                  "    prev=${COMP_WORDS[COMP_CWORD-2]}\n"
                  "  elif [[ $cur == --*=* ]]; then\n"
                  "    before=${cur%%=*}= prev=${cur%%=*} cur=${cur#*=}\n"
                  "  fi\n"
                  "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "    word=${COMP_WORDS[i]}\n"
                  "    [ \"${COMP_WORDS[i+1]}\" != = ] || ((i++))\n"
                  "    case \"$found $word\" in\n");
    value_arms(&skip);
    buf_adds(out, "    esac\n"
                  "    case \"${found:+$found }$word\" in\n");
    command_arms(out, "    ");
    buf_adds(out, "    esac\n"
                  "  done\n"
                  "  case \"$found $prev\" in\n");
    value_arms(&known);
    buf_adds(out, "  esac\n"
                  "  if [ -z \"$words$files\" ]; then\n"
                  "    case $found in\n");
    bash_command(out, NULL);
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (!(c->bits & CMD_HIDDEN))
            bash_command(out, c);
    flag_words(global_flags, &global);
    buf_addf(out,
             "    esac\n"
             "    words=\"$words%s\"\n"
             "  fi\n"
             "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
             "  if [ \"$files\" ] && [[ $cur != -* ]]; then\n"
             "    compopt -o filenames 2>/dev/null\n"
             "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
             "  fi\n"
             "  COMPREPLY=(\"${COMPREPLY[@]/#/$before}\")\n"
             "}\n"
             "complete -F _headway %s\n",
             buf_text(&global), program_name());
    buf_release(&global);
}

/* 'word:description' for _describe. */
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

static void zsh_command(struct buf *out, const struct command *c)
{
    buf_addf(out, "  \"%s\") items=(", c ? c->name : "");
    for (const struct command *sub = command_next(NULL); sub; sub = command_next(sub))
        if (command_is_below(sub, c) && !(sub->bits & CMD_HIDDEN))
            zsh_item(out, "", command_word(sub), sub->brief);
    zsh_flags(out, c ? c->flags : console_flags);
    buf_adds(out, ")");
    if (c && c->words) {
        buf_adds(out, "; compadd -- ");
        words_of(c->words, out);
    }
    buf_addf(out, "%s ;;\n", takes_file(c) ? "; _files" : "");
}

static void zsh(struct buf *out)
{
    struct value_arms skip = {.out = out, .files = "((i++))", .others = "((i++))"};
    struct value_arms known = {
        .out = out, .files = "_files; return", .before = "compadd -- ", .after = "; return", .others = "return"};

    buf_addf(out, "#compdef %s\n", program_name());
    buf_adds(out, "# zsh completion for headway; save it as _headway in a directory of $fpath\n"
                  "_headway() {\n"
                  "  local found='' word prev=$words[CURRENT-1] i\n"
                  "  local -a items\n"
                  "  if [[ $words[CURRENT] == --*=* ]]; then\n"
                  "    prev=${words[CURRENT]%%=*}\n"
                  "    compset -P '*='\n"
                  "  fi\n"
                  "  for ((i = 2; i < CURRENT; i++)); do\n"
                  "    word=$words[i]\n"
                  "    case \"$found $word\" in\n");
    value_arms(&skip);
    buf_adds(out, "    esac\n"
                  "    case \"${found:+$found }$word\" in\n");
    command_arms(out, "    ");
    buf_adds(out, "    esac\n"
                  "  done\n"
                  "  case \"$found $prev\" in\n");
    value_arms(&known);
    buf_adds(out, "  esac\n"
                  "  case $found in\n");
    zsh_command(out, NULL);
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (!(c->bits & CMD_HIDDEN))
            zsh_command(out, c);
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
        buf_addf(out, "complete -c %s", program_name());
        if (name)
            buf_addf(out, " -n '__headway_at \"%s\"'", name);
        buf_addf(out, " -l %s", flag->name);
        if (flag->letter)
            buf_addf(out, " -s %c", flag->letter);
        if (flag->kind != FLAG_SWITCH)
            buf_adds(out, flag_is_file(flag) ? " -r -F" : " -x");
        if (flag->words) {
            buf_adds(out, " -a '");
            words_of(flag->words, out);
            buf_addc(out, '\'');
        }
        buf_adds(out, " -d ");
        quoted(out, flag->help, true);
        buf_addc(out, '\n');
    }
}

/* Patterns of flags that take the next word as value: 'policy set --file' 'policy set -f'. */
static void fish_values(struct buf *out, const char *found, const struct flag *flags)
{
    for (const struct flag *flag = flags; flag && flag->kind != FLAG_NONE; flag++) {
        if (flag->kind == FLAG_SWITCH)
            continue;
        buf_addf(out, " '%s --%s'", found, flag->name);
        if (flag->letter)
            buf_addf(out, " '%s -%c'", found, flag->letter);
    }
}

static void fish(struct buf *out)
{
    char parent[64];

    buf_adds(out, "# fish completion for headway; save it as ~/.config/fish/completions/headway.fish\n"
                  "function __headway_at\n"
                  "  set -l found\n"
                  "  set -l value\n"
                  "  for word in (commandline -opc)[2..-1]\n"
                  "    if test -n \"$value\"\n"
                  "      set value\n"
                  "      continue\n"
                  "    end\n"
                  "    switch \"$found $word\"\n"
                  "      case");
    fish_values(out, "*", global_flags);
    fish_values(out, "*", console_flags);
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        fish_values(out, c->name, c->flags);
    buf_adds(out, "\n"
                  "        set value 1\n"
                  "    end\n"
                  "    switch (string join ' ' $found $word)\n"
                  "      case \"help\"\n");
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        parent_name(c, parent, sizeof(parent));
        if (str_eq(c->name, "help"))
            continue;
        buf_addf(out, "      case \"%s\"", c->name);
        for (const char *at = c->aliases; at && *at; at += strcspn(at, "|"), at += *at == '|')
            buf_addf(out, " \"%s%s%.*s\"", parent, *parent ? " " : "", (int)strcspn(at, "|"), at);
        buf_addf(out, "\n        set found \"%s\"\n", c->name);
    }
    buf_adds(out, "    end\n"
                  "  end\n"
                  "  test \"$found\" = \"$argv[1]\"\n"
                  "end\n"
                  "complete -c ");
    buf_addf(out, "%s -f\n", program_name());
    fish_flags(out, NULL, global_flags);
    fish_flags(out, "", console_flags);
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        if (c->bits & CMD_HIDDEN)
            continue;
        parent_name(c, parent, sizeof(parent));
        buf_addf(out, "complete -c %s -n '__headway_at \"%s\"' -a %s -d ", program_name(), parent, command_word(c));
        quoted(out, c->brief, true);
        buf_addc(out, '\n');
        fish_flags(out, c->name, c->flags);
        if (c->words || takes_file(c))
            buf_addf(out, "complete -c %s -n '__headway_at \"%s\"'%s", program_name(), c->name,
                     c->words ? " -a '" : " -F\n");
        if (c->words) {
            words_of(c->words, out);
            buf_adds(out, "'\n");
        }
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
