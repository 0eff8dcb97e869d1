/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: everything the user can do. Each file declares its commands in a table; keys, hints, help, completion and
 * the manual are generated from these tables. */
#ifndef TUI_CONSOLE_APP_COMMAND_H
#define TUI_CONSOLE_APP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct console_view;

/* Where a command works. */
enum command_place {
    IN_NODES = 1,
    IN_NODE = 2,
    IN_ROUTES = 4,
    IN_PREFIXES = 8,
    IN_EVENTS = 16,
    IN_PENDING = 32,
    IN_USERS = 64,
    IN_KEYS = 128,
    IN_OTHER_LISTS = 256, /* lists of views without a place of their own here */
    IN_MACHINES = 4096,   /* nodes that wait for approval */
    IN_CLIENTS = 131072,  /* OAuth clients */
    IN_WEBHOOKS = 262144,
    IN_DNS = 524288,
    IN_LOGINS = 1048576, /* whom OpenID providers know */
    IN_LISTS = IN_MACHINES | IN_NODES | IN_ROUTES | IN_PREFIXES | IN_EVENTS | IN_PENDING | IN_USERS | IN_KEYS |
               IN_OTHER_LISTS | IN_CLIENTS | IN_WEBHOOKS | IN_DNS | IN_LOGINS,
    IN_POLICY = 512,
    IN_REVIEW = 1024,         /* the effects of a policy before saving */
    IN_EDIT = 2048,           /* the policy's editor, where letters are typed */
    IN_REACH = 8192,          /* the path between two ends */
    IN_REACH_TABLE = 16384,   /* the matrix, and lists of one against all */
    IN_MERGE = 32768,         /* the user's policy text merged with somebody else's */
    IN_REACH_HISTORY = 65536, /* when access between two ends changed */
    IN_ANY = IN_LISTS | IN_NODE | IN_POLICY | IN_REVIEW | IN_MERGE | IN_REACH | IN_REACH_TABLE | IN_REACH_HISTORY,
};

enum command_need {
    NEED_ROW = 1,    /* something under the cursor or marked */
    NEED_WRITE = 2,  /* a live connection and a key with write access */
    FOR_MARKED = 4,  /* applies to all marked rows */
    NO_REPEAT = 8,   /* '.' does not repeat it */
    NEED_SHOWN = 16, /* the row under the cursor must be on the screen */
};

enum risk {
    RISK_NONE, /* can be undone: runs at once for one object */
    RISK_ASK,  /* shows the complete list, then asks for y */
    RISK_TYPE, /* asks for a word to be typed */
};

/* Common combinations. */
#define ROUTES_OF_ANY (IN_NODES | IN_NODE | IN_ROUTES | IN_PREFIXES)
#define CHANGE        (NEED_ROW | NEED_WRITE)
#define CHANGES       (CHANGE | FOR_MARKED)

struct console_command {
    const char *name; /* for the : prompt */
    const char *keys; /* names of keys, separated by blanks; "" for none */
    const char *hint; /* for the line of hints; NULL: not shown there */
    const char *help; /* one line */
    const char *args; /* arguments at the prompt; NULL: none */
    unsigned where, needs;
    enum risk risk;
    int rank; /* hints are ordered by rank, lowest first */
    void (*run)(struct app *app, const char *arg);
    const char *(*refuse)(struct app *app); /* why it is unavailable now; NULL: available */
    bool (*takes)(const struct app *app,
                  const char *words); /* accepts these arguments; NULL: they begin with a row's name */
    const char *(*complete)(struct app *app, size_t index); /* completions of the argument; NULL after the last */
    const struct console_view *opens;                       /* instead of run: the view it opens */
    const struct console_view *only;                        /* restricts it to this view; NULL: see where */
};

/* The commands of one file. */
struct command_table {
    const struct console_command *items;
    size_t len;
};
#define COMMAND_TABLE(list) (&(const struct command_table){.items = (list), .len = sizeof(list) / sizeof(*(list))})

/* The commands of several tables. */
struct command_list {
    const struct console_command **items;
    size_t len, cap;
};

#endif
