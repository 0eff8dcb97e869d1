/* SPDX-License-Identifier: BSD-3-Clause */
/* What the families of commands share. Private to this room. */
#ifndef TUI_CLI_COMMAND_H
#define TUI_CLI_COMMAND_H

#include "cli/output.h"
#include "client/client.h"
#include "usage/flags.h"

struct config;
struct console_options;

enum command_bits {
    CMD_GROUP = 1,   /* has commands below it, does nothing itself */
    CMD_HIDDEN = 2,  /* works, but help and completion are silent about it */
    CMD_OFFLINE = 4, /* speaks to no daemon */
    CMD_BARE = 8,    /* reads no configuration either */
};

struct cli {
    const struct command *command;
    struct flags flags;
    const struct strs *args; /* of flags */
    const struct config *config;
    struct client *client;
    struct output out;
    int (*console)(const struct console_options *options);
};

struct command {
    const char *name;         /* "nodes list"; below a group its name comes first */
    const char *aliases;      /* of the last word: "ls|show" */
    const char *args;         /* "NEW_NAME", "[FILE]", "NODE PREFIX...": at least as many as words without brackets */
    const struct flag *flags; /* NULL: none */
    const char *brief;        /* one line, for lists of commands */
    const char *text;         /* more, for help and manual; NULL: brief says it all */
    const char *deprecated;   /* what to use instead; said on stderr */
    unsigned bits;
    int (*run)(struct cli *c); /* the exit status */
};

/* Families, each ended by a command without a name; commands.c lists them. */
extern const struct command user_commands[], node_commands[], preauthkey_commands[], apikey_commands[], auth_commands[],
    policy_commands[], route_commands[], event_commands[], server_commands[];

extern const struct flag global_flags[], console_flags[];

/* Walks all commands in the order of help: first NULL, then the last one; NULL at the end. */
const struct command *command_next(const struct command *c);
/* The command below parent (NULL: the top) that word names, by name or alias. */
const struct command *command_find(const struct command *parent, const char *word);
const char *command_word(const struct command *c);                            /* its last word */
bool command_is_below(const struct command *c, const struct command *parent); /* directly */
const char *command_nearest(const struct command *parent, const char *word);  /* NULL: none is near */
void command_help(const struct command *c, struct buf *out);                  /* NULL: of the program */
size_t command_min_args(const struct command *c);

/* ---- for the families ---- */

/* Prints "Error: ..." in the form that --output asks for, returns 1. */
int cli_fail(struct cli *c, const struct err *e);
int cli_failf(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* A call of the API; an error is printed and gives NULL. The caller owns the answer. A NULL body is none; body is
 * released. */
json_t *cli_call(struct cli *c, const char *method, json_t *body, const char *path_format, ...) PRINTF_LIKE(4, 5);

/* "question [y/n] " on stderr; yes with --force, or for y, yes and sure. */
bool cli_confirm(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* The user or node that a person means; an error is printed and gives NULL. The caller owns it. Users: name, else id,
 * else mail address. Nodes: id, else given name, host name or address. */
json_t *cli_find_user(struct cli *c, const char *text);
json_t *cli_find_node(struct cli *c, const char *text);

/* A duration from now ("90d") as RFC 3339; NULL with the error printed. The caller owns it. */
char *cli_expiry(struct cli *c, const char *flag);

/* A text as one segment of a path. The caller owns it. */
char *cli_segment(const char *text);

/* A file of at most 4 MiB, "-" for standard input; NULL with the error printed. The caller owns it. */
char *cli_read_file(struct cli *c, const char *path, const char *what);

json_t *json_list(const struct strs *texts); /* NULL: an empty list */

#endif
