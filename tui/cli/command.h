/* SPDX-License-Identifier: BSD-3-Clause */
/* Definitions shared by the command families. Private to this room. */
#ifndef TUI_CLI_COMMAND_H
#define TUI_CLI_COMMAND_H

#include "cli/output.h"
#include "client/client.h"
#include "usage/flags.h"

struct config;
struct console_options;

enum command_bits {
    CMD_GROUP = 1,   /* has subcommands, does nothing itself */
    CMD_HIDDEN = 2,  /* omitted from help and completion */
    CMD_OFFLINE = 4, /* needs no daemon */
    CMD_BARE = 8,    /* nor a configuration */
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
    const char *name;         /* "nodes list": includes the name of its group */
    const char *aliases;      /* of the last word: "ls|show" */
    const char *args;         /* "NEW_NAME", "[FILE]", "NODE PREFIX...": those in brackets are optional */
    const struct flag *flags; /* NULL: none */
    const char *brief;        /* one line, for lists of commands */
    const char *text;         /* more, for help and manual; NULL: nothing to add */
    const char *deprecated;   /* the replacement, without the program's name, printed on stderr */
    const char *words;        /* "bash|zsh|fish": values of its argument, for completion; NULL: any */
    unsigned bits;
    int (*run)(struct cli *c); /* the exit status */
};

/* The command families, each terminated by a command without a name; commands.c lists them. */
extern const struct command user_commands[], node_commands[], preauthkey_commands[], apikey_commands[],
    oauth_commands[], webhook_commands[], auth_commands[], policy_commands[], route_commands[], exit_commands[],
    app_connector_commands[], event_commands[], past_commands[], server_commands[];

extern const struct flag global_flags[], console_flags[];

/* Iterates over all commands in the order of help: pass NULL to start, then the last one; NULL at the end. */
const struct command *command_next(const struct command *c);
/* The subcommand of parent (NULL: top level) with this name or alias; NULL if unknown. */
const struct command *command_find(const struct command *parent, const char *word);
const char *command_word(const struct command *c);                            /* its last word */
bool command_is_below(const struct command *c, const struct command *parent); /* directly */
const char *command_nearest(const struct command *parent, const char *word);  /* NULL: none is similar */
void command_help(const struct command *c, struct buf *out);                  /* NULL: of the program */
size_t command_min_args(const struct command *c);

int cli_help(struct cli *c);                /* the command help */
bool flag_is_file(const struct flag *flag); /* its value names a file */

/* ---- for the families ---- */

/* Prints "what: text" on stderr, made safe for a terminal. */
void cli_note(const struct cli *c, const char *what, const char *text);
/* Prints "Error: ..." in the format of --output and returns 1. */
int cli_fail(struct cli *c, const struct err *e);
int cli_failf(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* Calls the API; prints an error and returns NULL on failure. The caller owns the answer. body may be NULL; its
 * reference is consumed. */
json_t *cli_call(struct cli *c, const char *method, json_t *body, const char *path_format, ...) PRINTF_LIKE(4, 5);

/* "question [y/n] " on stderr; yes with --force, or for y, yes and sure. */
bool cli_confirm(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints the answer to a call: the line for people, the member (NULL: the whole answer) for machines. Consumes the
 * answer. Returns the exit status: 1 if answer is NULL. */
int cli_done(struct cli *c, json_t *answer, const char *line, const char *member, const struct api_shape *shape);

/* How a list of objects is shown as a table. */
struct listing {
    const char *member; /* the member of the answer with the list */
    const struct api_shape *shape;
    size_t size; /* of an object */
    const char *const *heads;
    size_t columns;
    void (*row)(struct text_table *t, const void *object);
};
/* Prints the list in an answer, like cli_done. */
int cli_show_list(struct cli *c, json_t *answer, const struct listing *listing);
/* Decodes the list in an answer, made safe to print unless exact. Prints an error and returns false on failure. */
bool cli_read_list(struct cli *c, const json_t *answer, const struct listing *listing, bool exact,
                   struct api_list *out);

/* Finds the user or node that text names. Prints an error and returns false or 0 on failure. Users: by name, else id,
 * else email address; the caller releases *out. Nodes: by id, else given name, hostname or address. */
bool cli_find_user(struct cli *c, const char *text, struct api_user *out) WARN_UNUSED;
uint64_t cli_find_node(struct cli *c, const char *text) WARN_UNUSED;
/* Sets the priority of a router or exit node: NODE PRIORITY. */
int cli_set_priority(struct cli *c);
/* Before an exit node is removed: prints on stderr who uses it now, if anyone does. */
void cli_note_exit_users(struct cli *c, uint64_t node);
/* Shows which nodes served PREFIX. */
int cli_route_history(struct cli *c);
/* Of the policy family: who can reach what; previous versions. */
int cli_policy_reach(struct cli *c), cli_policy_log(struct cli *c), cli_policy_diff(struct cli *c);
int cli_policy_restore(struct cli *c);
/* What clients report to have applied: commands of the families of routes (for a prefix) and nodes. */
extern const struct flag route_status_flags[];
int routes_status(struct cli *c, const struct prefix *p), nodes_diff(struct cli *c);
extern const struct listing user_listing, node_listing;
/* Prints "Node NAME registered" for an answer with a node. Consumes the answer. */
int cli_node_registered(struct cli *c, json_t *answer);

/* The time of a flag's duration from now ("90d") in RFC 3339, or "never". The caller frees it. NULL, with an error
 * printed, on failure. */
char *cli_expiry(struct cli *c, const char *flag);

/* Prints the result of a change: line, or that nothing changed, or that it was a dry run (flag --dry-run). Consumes the
 * answer. */
int cli_changed(struct cli *c, json_t *answer, const char *line);
/* The same; a dry run for people also prints the effect on routes of change, as for `routes simulate`. NULL: none.
 * Consumes both. */
int cli_changed_or_simulated(struct cli *c, json_t *answer, const char *line, json_t *change);
enum text_color cli_state_color(int state); /* state: enum route_state */

/* Escapes a text as one segment of a URL path. The caller frees it. */
char *cli_segment(const char *text);

/* Reads a file of at most 4 MiB, "-" for standard input. The caller frees it. NULL, with an error printed, on failure.
 */
char *cli_read_file(struct cli *c, const char *path, const char *what);

json_t *cli_json_list(const struct strs *texts); /* NULL: an empty list */

#endif
