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
    const char *deprecated;   /* what to use instead, without the program's name; said on stderr */
    const char *words;        /* "bash|zsh|fish": what its argument may be, for completion; NULL: anything */
    unsigned bits;
    int (*run)(struct cli *c); /* the exit status */
};

/* Families, each ended by a command without a name; commands.c lists them. */
extern const struct command user_commands[], node_commands[], preauthkey_commands[], apikey_commands[],
    oauth_commands[], webhook_commands[], auth_commands[], policy_commands[], route_commands[], exit_commands[],
    app_connector_commands[], event_commands[], past_commands[], server_commands[];

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

int cli_help(struct cli *c);                /* the command help */
bool flag_is_file(const struct flag *flag); /* its value names a file */

/* ---- for the families ---- */

/* Prints "what: text" on stderr, made safe for a terminal. */
void cli_note(const struct cli *c, const char *what, const char *text);
/* Prints "Error: ..." in the form that --output asks for, returns 1. */
int cli_fail(struct cli *c, const struct err *e);
int cli_failf(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* A call of the API; an error is printed and gives NULL. The caller owns the answer. A NULL body is none; body is
 * released. */
json_t *cli_call(struct cli *c, const char *method, json_t *body, const char *path_format, ...) PRINTF_LIKE(4, 5);

/* "question [y/n] " on stderr; yes with --force, or for y, yes and sure. */
bool cli_confirm(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints what a call was answered: the line for people, the member (NULL: the whole answer) for machines. Releases the
 * answer. The exit status; 1 for NULL. */
int cli_done(struct cli *c, json_t *answer, const char *line, const char *member, const struct api_shape *shape);

/* How people see a list of objects: a row for each. */
struct listing {
    const char *member; /* of the answer that has the list */
    const struct api_shape *shape;
    size_t size; /* of an object */
    const char *const *heads;
    size_t columns;
    void (*row)(struct text_table *t, const void *object);
};
/* Prints the list that an answer has, as cli_done does. */
int cli_show_list(struct cli *c, json_t *answer, const struct listing *listing);
/* Reads the list of an answer, for a table or (exact) to work with; false with the error printed. */
bool cli_read_list(struct cli *c, const json_t *answer, const struct listing *listing, bool exact,
                   struct api_list *out);

/* The user or node that a person means; an error is printed and gives false, or 0. Users: name, else id, else mail
 * address; the caller releases it. Nodes: id, else given name, host name or address. */
bool cli_find_user(struct cli *c, const char *text, struct api_user *out) WARN_UNUSED;
uint64_t cli_find_node(struct cli *c, const char *text) WARN_UNUSED;
/* The priority of a router or exit node: NODE PRIORITY. */
int cli_set_priority(struct cli *c);
/* Before somebody takes an exit node away: says on stderr who uses it now, if anybody does. */
void cli_note_exit_users(struct cli *c, uint64_t node);
/* Who served PREFIX. */
int cli_route_history(struct cli *c);
/* Of the family of policy: who reaches what; the texts that were the policy. */
int cli_policy_reach(struct cli *c), cli_policy_log(struct cli *c), cli_policy_diff(struct cli *c);
int cli_policy_restore(struct cli *c);
/* What clients hold: commands of the families of routes (of a prefix) and nodes. */
extern const struct flag route_status_flags[];
int routes_status(struct cli *c, const struct prefix *p), nodes_diff(struct cli *c);
extern const struct listing user_listing, node_listing;
/* "Node NAME registered", of an answer with a node; releases it. */
int cli_node_registered(struct cli *c, json_t *answer);

/* A duration from now ("90d") as RFC 3339, or "never"; NULL with the error printed. The caller owns it. */
char *cli_expiry(struct cli *c, const char *flag);

/* What a change answered, as a sentence, or that there was nothing to change, or that it was a dry run (flag
 * --dry-run); releases it. */
int cli_changed(struct cli *c, json_t *answer, const char *line);
/* The same; a dry run for people also says what the change, one of `routes simulate`, would do to routes. NULL:
 * nothing. Releases it. */
int cli_changed_or_simulated(struct cli *c, json_t *answer, const char *line, json_t *change);
enum text_color cli_state_color(int state); /* of an enum route_state */

/* A text as one segment of a path. The caller owns it. */
char *cli_segment(const char *text);

/* A file of at most 4 MiB, "-" for standard input; NULL with the error printed. The caller owns it. */
char *cli_read_file(struct cli *c, const char *path, const char *what);

json_t *cli_json_list(const struct strs *texts); /* NULL: an empty list */

#endif
