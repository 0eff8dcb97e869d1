/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: everything the user can do. Each file that has some declares a table of them; keys, hints, help, completion
 * and the manual are made from these tables. */
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
    IN_OTHER_LISTS = 256, /* lists of views that need no place of their own here */
    IN_MACHINES = 4096,   /* nodes that wait for approval */
    IN_LISTS =
        IN_MACHINES | IN_NODES | IN_ROUTES | IN_PREFIXES | IN_EVENTS | IN_PENDING | IN_USERS | IN_KEYS | IN_OTHER_LISTS,
    IN_POLICY = 512,
    IN_REVIEW = 1024,         /* what a policy would change */
    IN_EDIT = 2048,           /* the policy's editor, where letters are typed */
    IN_REACH = 8192,          /* the path from one to another */
    IN_REACH_TABLE = 16384,   /* all against all, and lists of one against all */
    IN_MERGE = 32768,         /* the policy's text and somebody else's, brought together */
    IN_REACH_HISTORY = 65536, /* since when one reaches another */
    IN_ANY = IN_LISTS | IN_NODE | IN_POLICY | IN_REVIEW | IN_MERGE | IN_REACH | IN_REACH_TABLE | IN_REACH_HISTORY,
};

enum command_need {
    NEED_ROW = 1,    /* something under the cursor or marked */
    NEED_WRITE = 2,  /* a live connection, and a key that may change things */
    FOR_MARKED = 4,  /* it is done to all marked rows */
    NO_REPEAT = 8,   /* '.' does not repeat it */
    NEED_SHOWN = 16, /* the row under the cursor must be on the screen */
};

enum risk {
    RISK_NONE, /* can be undone: done at once for one object */
    RISK_ASK,  /* the complete list, then y */
    RISK_TYPE, /* a word has to be typed */
};

/* What commands have in common. */
#define ROUTES_OF_ANY (IN_NODES | IN_NODE | IN_ROUTES | IN_PREFIXES)
#define CHANGE        (NEED_ROW | NEED_WRITE)
#define CHANGES       (CHANGE | FOR_MARKED)

struct console_command {
    const char *name; /* for the : prompt */
    const char *keys; /* names of keys, separated by blanks; "" for none */
    const char *hint; /* for the line of hints; NULL: not there */
    const char *help; /* one line */
    const char *args; /* what may follow the name at the prompt; NULL: nothing */
    unsigned where, needs;
    enum risk risk;
    int rank; /* hints with the lowest come first */
    void (*run)(struct app *app, const char *arg);
    const char *(*refuse)(struct app *app); /* why it cannot be done now; NULL: it can */
    bool (*takes)(const struct app *app,
                  const char *words);                       /* its arguments: else they begin with a row's name; NULL */
    const char *(*complete)(struct app *app, size_t index); /* words that may follow the name; NULL after the last */
    const struct console_view *opens;                       /* instead of run: the view that it brings to the front */
    const struct console_view *only;                        /* it works in this view only; NULL: wherever where says */
};

/* What a file with commands offers. */
struct command_table {
    const struct console_command *items;
    size_t len;
};
#define COMMAND_TABLE(list) (&(const struct command_table){.items = (list), .len = sizeof(list) / sizeof(*(list))})

/* Those of several tables. */
struct command_list {
    const struct console_command **items;
    size_t len, cap;
};

#endif
