/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reaches what under the policy in force, as the server works it out: the path from one to another with the rule,
 * the route and the router; or the rule that came closest. */
#ifndef TUI_CONSOLE_REACH_REACH_H
#define TUI_CONSOLE_REACH_REACH_H

#include "console/app/view.h"

struct app;
struct reply;

extern const struct console_view reach_view;

/* The view's lists show rows of their own, which no table of the model has: of a kind that is none of the model's. */
struct reach_row {
    struct row row; /* key: its number */
    bool ok;
    unsigned line; /* of the policy; 0: it is about no line */
    char *text;
};

/* The rows of one part; its list finds them by its scope. */
struct reach_rows {
    struct row row; /* first */
    VEC(struct reach_row *) items;
};

struct reach_path {
    char *src, *dst; /* never NULL; "": not chosen yet */
    uint16_t port;   /* 0: any */
    uint64_t call;   /* the id of the request that is under way; 0: none */
    int64_t at_ns;   /* when it was answered; 0: not yet */
    bool allowed;
    char *target, *route; /* the node or router at the end, and the route; "" */
    uint64_t pairs_allowed, pairs_denied;
    struct reach_rows steps;
    char *trouble; /* why there is no answer; NULL */
};

struct reach_page {
    struct reach_path path;
};

struct reach_page *reach_of(const struct app *app);

void reach_rows_clear(struct reach_rows *rows);
struct reach_row *reach_rows_add(struct reach_rows *rows);

/* reach_path.c */
extern const struct list_def reach_steps_def;
void reach_path_init(struct reach_path *p);
void reach_path_release(struct reach_path *p);
/* "SRC DST[:PORT]"; false: it is not that. */
bool reach_path_read(struct reach_path *p, const char *text);
void reach_path_ask(struct app *app);
void reach_path_reply(struct app *app, const struct reply *reply);
void reach_path_draw(struct app *app, struct canvas *c, struct rect at);

/* reach_commands.c */
extern const struct command_table reach_commands;

#endif
