/* SPDX-License-Identifier: BSD-3-Clause */
/* All that can be done, one table: keys, hints, help, completion and the manual are made from it. */
#ifndef TUI_CONSOLE_APP_COMMAND_H
#define TUI_CONSOLE_APP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "console/dialogs/plan.h"

struct app;

/* Where a command works. */
enum where {
    IN_NODES = 1,
    IN_NODE = 2,
    IN_ROUTES = 4,
    IN_PREFIXES = 8,
    IN_EVENTS = 16,
    IN_PENDING = 32,
    IN_USERS = 64,
    IN_KEYS = 128,
    IN_LISTS = IN_NODES | IN_ROUTES | IN_PREFIXES | IN_EVENTS | IN_PENDING | IN_USERS | IN_KEYS,
    IN_POLICY = 256,
    IN_REVIEW = 512, /* what a policy would change */
    IN_EDIT = 1024,  /* the policy's editor, where letters are typed */
    IN_ANY = 1023,
};

enum need {
    NEED_ROW = 1,   /* something under the cursor or marked */
    NEED_WRITE = 2, /* a connection that is live and may change things */
    FOR_MARKED = 4, /* it is done to all marked rows */
};

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
};

size_t commands_count(void);
const struct console_command *commands_at(size_t i);
const struct console_command *commands_for_key(unsigned where, int key);   /* NULL: the key does nothing there */
const struct console_command *commands_find(const char *name, size_t len); /* a unique beginning is enough; NULL */
unsigned commands_where(const struct app *app);

/* Why the command cannot be run now, NULL: it can. */
const char *command_refusal(struct app *app, const struct console_command *c);
/* Runs it, or says why not. */
void command_run(struct app *app, const struct console_command *c, const char *arg);

/* The keys as they are shown: "a", "j Down". */
void command_keys(const struct console_command *c, bool first_only, struct buf *out);

/* The tables of keys and commands as mdoc. */
void commands_manual(struct buf *out);

#endif
