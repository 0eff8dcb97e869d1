/* SPDX-License-Identifier: BSD-3-Clause */
/* From words to a command: finds it, parses its flags, loads the configuration, connects to the daemon, and runs it. */
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "config/config.h"
#include "console/console.h"

/* ---- errors ---- */

int cli_fail(struct cli *c, const struct err *e)
{
    output_error(&c->out, e->message);
    return 1;
}

int cli_failf(struct cli *c, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    output_error(&c->out, text);
    return 1;
}

void cli_note(const struct cli *c, const char *what, const char *text)
{
    file_say(c->out.err, what, text);
}

/* ---- which command ---- */

/* Whether the next word is this flag's value: a global flag, or a flag of a command below group, because people write
 * `headway preauthkeys --user 1 list`. */
static bool takes_next(const struct command *group, const char *word)
{
    struct flags known = {0};

    flags_add_table(&known, global_flags);
    if (!group)
        flags_add_table(&known, console_flags);
    bool takes = flags_takes_next(&known, word), found = flags_find(&known, word) != NULL;
    for (const struct command *c = command_next(NULL); c && !found && group; c = command_next(c)) {
        if (!command_is_below(c, group) || !c->flags)
            continue;
        known.tables[0] = c->flags;
        found = flags_find(&known, word) != NULL;
        takes = flags_takes_next(&known, word);
    }
    return takes;
}

/* Finds the command that the words name. Other words go to rest in their order; *bad is a word that should have been a
 * command. */
static const struct command *find_command(int argc, char **argv, char **rest, int *rest_count, const char **bad)
{
    const struct command *found = NULL;
    bool searching = true;

    *bad = NULL;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        rest[(*rest_count)++] = argv[i];
        if (!searching || str_eq(word, "--")) {
            searching = false;
        } else if (word[0] == '-') {
            if (takes_next(found, word) && i + 1 < argc)
                rest[(*rest_count)++] = argv[++i];
        } else {
            const struct command *next = command_find(found, word);
            if (next) {
                found = next;
                (*rest_count)--;
                searching = (found->bits & CMD_GROUP) != 0;
            } else {
                *bad = word;
                searching = false;
            }
        }
    }
    return found;
}

static int show_help(const struct command *command, FILE *to)
{
    struct buf text = BUF_INIT(0);

    command_help(command, &text);
    fputs(buf_text(&text), to);
    buf_release(&text);
    return 0;
}

static int unknown_command(struct cli *c, const struct command *group, const char *word)
{
    const char *near = command_nearest(group, word);

    if (group) {
        cli_failf(c, "unknown command \"%s\" for \"%s %s\"", word, program_name(), group->name);
        if (c->out.form == OUTPUT_HUMAN)
            show_help(group, stderr);
        return 1;
    }
    if (near)
        return cli_failf(c, "unknown command \"%s\" for \"%s\", did you mean this? %s %s", word, program_name(),
                         program_name(), near);
    return cli_failf(c, "unknown command \"%s\" for \"%s\": see '%s --help'", word, program_name(), program_name());
}

/* ---- where the daemon is ---- */

static bool answers(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes;

    if (fd < 0)
        return false;
    yes = str_copy(to.sun_path, sizeof(to.sun_path), path) && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    close(fd);
    return yes;
}

/* The first socket where a daemon answers, else the first one that could have one; the caller frees it. headscale's
 * scripts bring their own configuration with its socket: if nobody answers there, headway's own sockets are tried. */
static char *find_socket(const struct config *config)
{
    const char *home = getenv("HOME");
    char *places[] = {mem_strdup(config->unix_socket),
                      mem_format("%s/.local/state/headway/headway.sock", home ? home : ""),
                      mem_strdup("/run/headway/headway.sock")};
    size_t best = 0, count = ARRAY_LEN(places);

    if (!strs_has(&config->given, "unix_socket") || program_is_headscale()) {
        while (best < count && !answers(places[best]))
            best++;
        if (best == count)
            for (best = 0; best < count && access(places[best], F_OK) < 0;)
                best++;
        if (best == count)
            best = 0;
    }
    char *chosen = mem_strdup(places[best]);
    for (size_t i = 0; i < count; i++)
        free(places[i]);
    return chosen;
}

/* Fills options; the caller frees *socket. A flag overrides the environment, which overrides the file. */
static void target(struct cli *c, struct client_options *options, char **socket)
{
    const char *address = flags_text(&c->flags, "address"), *key = flags_text(&c->flags, "api-key");
    const struct config *config = c->config;

    *options = (struct client_options){
        .address = *address ? address : config->cli.address,
        .api_key = *key ? key : config->cli.api_key,
        .insecure = flags_switch(&c->flags, "insecure") || config->cli.insecure,
        .timeout_ms = config->cli.timeout / 1000000,
    };
    if (flags_given(&c->flags, "socket")) {
        *socket = mem_strdup(flags_text(&c->flags, "socket"));
        options->address = NULL;
    } else {
        *socket = find_socket(config);
    }
    options->socket = *socket;
    if (*key)
        fputs("Note: --api-key is visible in process lists; HEADWAY_CLI_API_KEY in the environment is not\n", stderr);
}

/* Little of the configuration concerns reaching the daemon: errors in the rest are noted, and the rest is used. A named
 * file that is missing is an error, unless flags say where the daemon is: falling back to another daemon would be
 * wrong. */
static int load_config(struct cli *c)
{
    const char *path = flags_text(&c->flags, "config");
    bool placed = flags_given(&c->flags, "socket") || flags_given(&c->flags, "address");
    struct config *config = NULL;
    struct buf note = BUF_INIT(0);
    struct err e = {0};
    int r = config_load_for_client(*path ? path : NULL, &config, &e);

    c->config = config;
    if (r == 0)
        return 0;
    if (e.code == ERR_MISSING && !placed) {
        err_prefix(&e, "error loading the configuration");
        return cli_fail(c, &e);
    }
    buf_addf(&note, "%s; the rest of the configuration is used", e.message);
    cli_note(c, "Note", buf_text(&note));
    buf_release(&note);
    return 0;
}

/* The path of one of the user's files for the console; the caller frees it. NULL if there is no place for one. */
static char *user_file(const char *name)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config && *config == '/')
        return mem_format("%s/headway/%s", config, name);
    return home && *home ? mem_format("%s/.config/headway/%s", home, name) : NULL;
}

/* The console's history and drafts belong to the user, never to the daemon. */
static char *console_state_dir(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state && *state == '/')
        return mem_format("%s/headway", state);
    return home && *home ? mem_format("%s/.local/state/headway", home) : NULL;
}

static const char *given_text(const struct cli *c, const char *flag)
{
    return flags_given(&c->flags, flag) ? flags_text(&c->flags, flag) : NULL;
}

/* On a terminal, or requested by a flag of the console; then missing requirements are reported. */
static bool wants_console(const struct cli *c)
{
    if (c->command || !c->console)
        return false;
    for (const struct flag *f = console_flags; f->name; f++)
        if (flags_given(&c->flags, f->name))
            return true;
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int start_console(struct cli *c)
{
    struct client_options client;
    char *socket = NULL, *state = console_state_dir(), *servers = user_file("servers"),
         *settings = user_file("console.yaml");

    if (load_config(c) != 0) {
        free(state);
        free(servers);
        free(settings);
        return 1;
    }
    target(c, &client, &socket);
    struct console_options options = {
        .client = &client,
        .theme = given_text(c, "theme"),
        .color = given_text(c, "color"),
        .state_dir = state,
        .servers = servers,
        .settings = settings,
        .server = given_text(c, "server"),
        .snapshot = given_text(c, "snapshot"),
        .run = given_text(c, "run"),
        .replay = given_text(c, "replay"),
        .size = given_text(c, "size"),
        .ascii = flags_switch(&c->flags, "ascii"),
        .plain = flags_switch(&c->flags, "plain"),
        .no_mouse = flags_switch(&c->flags, "no-mouse"),
    };
    int status = c->console(&options);
    free(socket);
    free(state);
    free(servers);
    free(settings);
    return status;
}

/* ---- running ---- */

static int check_args(struct cli *c)
{
    const char *args = c->command->args ? c->command->args : "";
    size_t least = command_min_args(c->command), most = 0;
    bool endless = strstr(args, "...") != NULL;

    for (const char *at = args; *at; at += strcspn(at, " "), at += strspn(at, " "))
        most++;
    if (c->args->len < least)
        return cli_failf(c, "missing parameters: %s %s %s", program_name(), c->command->name, args);
    if (c->args->len > most && !endless) {
        const char *extra = c->args->items[most];
        if (flags_given(&c->flags, "help"))
            return 0;
        return cli_failf(c, "unexpected argument \"%s\": usage: %s %s%s%s [flags]", extra, program_name(),
                         c->command->name, *args ? " " : "", args);
    }
    return 0;
}

/* JSON cannot carry invalid UTF-8. */
static int check_texts(struct cli *c)
{
    for (size_t i = 0; i < c->args->len; i++)
        if (!str_utf8(c->args->items[i], strlen(c->args->items[i])))
            return cli_failf(c, "argument %zu is not valid UTF-8", i + 1);
    for (size_t i = 0; i < c->flags.value_count; i++)
        for (size_t k = 0; k < c->flags.values[i].texts.len; k++) {
            const char *text = c->flags.values[i].texts.items[k];
            if (!str_utf8(text, strlen(text)) && !flag_is_file(c->flags.values[i].flag))
                return cli_failf(c, "--%s is not valid UTF-8", c->flags.values[i].flag->name);
        }
    return 0;
}

static int run_command(struct cli *c)
{
    struct client_options options;
    struct err e = {0};
    char *socket = NULL;
    int status = check_args(c);

    if (status == 0 && !(c->command->bits & CMD_BARE))
        status = check_texts(c);

    if (status == 0 && flags_check_required(&c->flags, &e) < 0)
        status = cli_fail(c, &e);
    if (status == 0 && c->command->deprecated)
        fprintf(stderr, "Command \"%s\" is deprecated, use '%s %s' instead\n", command_word(c->command), program_name(),
                c->command->deprecated);
    if (status == 0 && !(c->command->bits & CMD_BARE))
        status = load_config(c);
    if (status == 0 && !(c->command->bits & (CMD_OFFLINE | CMD_BARE))) {
        target(c, &options, &socket);
        if (client_new(&options, &c->client, &e) < 0)
            status = cli_fail(c, &e);
    }
    if (status == 0)
        status = c->command->run(c);
    free(socket);
    return status;
}

static int run_words(struct cli *c, int argc, char **argv)
{
    char **rest = mem_alloc((size_t)(argc + 1) * sizeof(*rest));
    const char *bad = NULL;
    int count = 0, status;
    struct err e = {0};

    c->command = find_command(argc, argv, rest, &count, &bad);
    flags_add_table(&c->flags, global_flags);
    if (!c->command)
        flags_add_table(&c->flags, console_flags);
    else if (c->command->flags)
        flags_add_table(&c->flags, c->command->flags);
    bool group = !c->command || (c->command->bits & CMD_GROUP);
    if (bad && group) {
        status = unknown_command(c, c->command, bad);
    } else if (flags_parse(&c->flags, count, rest, &e) < 0) {
        status = cli_fail(c, &e);
        if (c->out.form == OUTPUT_HUMAN)
            fprintf(stderr, "Use '%s%s%s --help' for the flags\n", program_name(), c->command ? " " : "",
                    c->command ? c->command->name : "");
    } else {
        output_init(&c->out, flags_text(&c->flags, "output"), stdout, stderr);
        c->out.force = flags_switch(&c->flags, "force");
        c->args = &c->flags.args;
        if (flags_switch(&c->flags, "help") && !(c->command && c->command->run == cli_help))
            status = show_help(c->command, stdout);
        else if (wants_console(c))
            status = start_console(c);
        else if (!c->command || group)
            status = show_help(c->command, stdout);
        else
            status = run_command(c);
    }
    free(rest);
    return status;
}

int cli_help(struct cli *c)
{
    const struct command *found = NULL;

    for (size_t i = 0; i < c->args->len; i++) {
        const struct command *next = command_find(found, c->args->items[i]);
        if (!next)
            return unknown_command(c, found, c->args->items[i]);
        found = next;
    }
    return show_help(found, c->out.out);
}

int cli_main(int argc, char **argv, int (*console)(const struct console_options *options))
{
    struct cli c = {.console = console};
    const char *form = "";
    struct err e = {0};
    int status;

    setlocale(LC_ALL, "");
    /* an error before the flags are parsed has been printed in the requested format */
    for (int i = 1; i < argc; i++)
        if (str_eq(argv[i], "json") || str_eq(argv[i], "json-line") || str_eq(argv[i], "yaml"))
            form = argv[i];
    output_init(&c.out, form, stdout, stderr);
    status = run_words(&c, argc - 1, argv + 1);
    if (file_end_output(stdout, &e) < 0)
        status = cli_fail(&c, &e);
    client_free(c.client);
    config_unref(c.config);
    flags_release(&c.flags);
    return status;
}
