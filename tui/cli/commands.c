/* SPDX-License-Identifier: BSD-3-Clause */
/* The command families in the order of help, and looking commands up. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"

static const struct command *const families[] = {
    node_commands,       route_commands, exit_commands,   app_connector_commands, user_commands,
    preauthkey_commands, auth_commands,  apikey_commands, oauth_commands,         webhook_commands,
    policy_commands,     event_commands, past_commands,   server_commands};

#define FAMILIES (ARRAY_LEN(families))

/* clang-format off */
const struct flag global_flags[] = {
    {"config", 'c', FLAG_TEXT, .value = "FILE", .help = "configuration file"},
    {"output", 'o', FLAG_TEXT, .value = "FORM", .words = "|json|json-line|yaml", .help = "output format: json, json-line or yaml; the default is for people"},
    {"force", 0, FLAG_SWITCH, .help = "do not ask for confirmation"},
    {"socket", 0, FLAG_TEXT, .value = "PATH", .help = "Unix socket of the daemon"},
    {"address", 0, FLAG_TEXT, .value = "URL", .help = "address of a remote daemon, such as https://headway.example.com"},
    {"api-key", 0, FLAG_TEXT, .value = "KEY", .help = "API key for the remote daemon; visible in process lists, unlike the variable HEADWAY_CLI_API_KEY"},
    {"insecure", 0, FLAG_SWITCH, .help = "do not verify the certificate of the remote daemon"},
    {"help", 'h', FLAG_SWITCH, .help = "print help"},
    FLAGS_END};

const struct flag console_flags[] = {
    {"theme", 0, FLAG_TEXT, .value = "NAME", .words = "default|dark|light|high-contrast|deuteranopia|tritanopia|mono", .open = true, .help = "theme of the console: default, light, high-contrast, deuteranopia, tritanopia, mono, or one of your own"},
    {"color", 0, FLAG_TEXT, .value = "WHEN", .words = "auto|never|16|256|true", .help = "number of colours: auto, never, 16, 256 or true"},
    {"server", 0, FLAG_TEXT, .value = "NAME", .help = "server to start with, by its name in the list of servers (see headway-console(1))"},
    {"ascii", 0, FLAG_SWITCH, .help = "draw the console with ASCII characters"},
    {"plain", 0, FLAG_SWITCH, .help = "draw the console without frames, for screen readers"},
    {"no-mouse", 0, FLAG_SWITCH, .help = "do not use the mouse"},
    {"snapshot", 0, FLAG_TEXT, .value = "VIEW", .help = "print the screen of a view, such as 'routes ha', without a terminal, and exit"},
    {"size", 0, FLAG_TEXT, .value = "COLSxROWS", .help = "size of the screen of --snapshot and --run; the default is 80x24"},
    {"run", 0, FLAG_TEXT, .value = "FILE", .help = "run a script of commands and keys without a terminal (see headway-console(1))"},
    {"replay", 0, FLAG_TEXT, .value = "FILE", .help = "use a recording instead of a daemon, for --snapshot and --run"},
    FLAGS_END};
/* clang-format on */

const struct command *command_next(const struct command *c)
{
    size_t family = 0;

    if (!c)
        return families[0];
    if (c[1].name)
        return c + 1;
    for (const struct command *start = c;; start--) {
        for (family = 0; family < FAMILIES; family++)
            if (families[family] == start)
                return family + 1 < FAMILIES ? families[family + 1] : NULL;
    }
}

const char *command_word(const struct command *c)
{
    const char *blank = strrchr(c->name, ' ');

    return blank ? blank + 1 : c->name;
}

bool command_is_below(const struct command *c, const struct command *parent)
{
    size_t len = (size_t)(command_word(c) - c->name);

    if (!parent)
        return len == 0;
    return len == strlen(parent->name) + 1 && strncmp(c->name, parent->name, len - 1) == 0;
}

static bool is_named(const struct command *c, const char *word)
{
    size_t len = strlen(word);

    if (str_eq(command_word(c), word))
        return true;
    for (const char *at = c->aliases; at && *at;) {
        size_t n = strcspn(at, "|");
        if (n == len && strncmp(at, word, n) == 0)
            return true;
        at += n + (at[n] == '|');
    }
    return false;
}

const struct command *command_find(const struct command *parent, const char *word)
{
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (command_is_below(c, parent) && is_named(c, word))
            return c;
    return NULL;
}

const char *command_nearest(const struct command *parent, const char *word)
{
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 2;

    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        size_t d = command_is_below(c, parent) && !(c->bits & CMD_HIDDEN) ? str_distance(word, command_word(c)) : least;
        if (d < least) {
            least = d;
            best = command_word(c);
        }
    }
    return best;
}

size_t command_min_args(const struct command *c)
{
    size_t count = 0;

    for (const char *at = c->args; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        count += *at != '[';
    return count;
}

bool flag_is_file(const struct flag *flag)
{
    return flag->value && (str_eq(flag->value, "FILE") || str_eq(flag->value, "PATH"));
}

static void list_below(const struct command *parent, struct buf *out)
{
    size_t widest = 0;

    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (command_is_below(c, parent) && strlen(command_word(c)) > widest)
            widest = strlen(command_word(c));
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (command_is_below(c, parent) && (!(c->bits & CMD_HIDDEN) || (parent && parent->bits & CMD_HIDDEN)))
            buf_addf(out, "  %-*s   %s\n", (int)widest, command_word(c), c->brief);
}

void command_help(const struct command *c, struct buf *out)
{
    bool group = !c || (c->bits & CMD_GROUP);

    if (c)
        buf_addf(out, "%s.\n\n", c->text ? c->text : c->brief);
    else
        buf_addf(out,
                 "%s administers a control plane for Tailscale clients. Without a command it opens the console.\n\n",
                 program_name());
    buf_adds(out, "Usage:\n");
    if (!c)
        buf_addf(out, "  %s [flags]\n", program_name());
    if (group)
        buf_addf(out, "  %s%s%s COMMAND [flags]\n", program_name(), c ? " " : "", c ? c->name : "");
    else
        buf_addf(out, "  %s %s%s%s [flags]\n", program_name(), c->name, c->args ? " " : "", c->args ? c->args : "");
    if (c && c->aliases) {
        buf_addf(out, "\nAliases:\n  %s", command_word(c));
        for (const char *at = c->aliases; *at; at += strcspn(at, "|"), at += *at == '|')
            buf_addf(out, ", %.*s", (int)strcspn(at, "|"), at);
        buf_addc(out, '\n');
    }
    if (group) {
        buf_adds(out, "\nCommands:\n");
        list_below(c, out);
    }
    if (c && flags_any_shown(c->flags)) {
        buf_adds(out, "\nFlags:\n");
        flags_help(c->flags, out);
    }
    if (!c) {
        buf_adds(out, "\nConsole flags:\n");
        flags_help(console_flags, out);
    }
    buf_adds(out, "\nGlobal flags:\n");
    flags_help(global_flags, out);
    if (group)
        buf_addf(out, "\nUse '%s%s%s COMMAND --help' for more about a command.\n", program_name(), c ? " " : "",
                 c ? c->name : "");
}
