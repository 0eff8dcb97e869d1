/* SPDX-License-Identifier: BSD-3-Clause */
/* Who can reach what under the policy in force, as computed by the server: the path between two ends with the rule,
 * route and router, or the rule that came closest; the matrix of all sources and destinations; what one source reaches
 * and who reaches one destination; the neighbours of one end, both ways; and since when a pair has access or has lost
 * it. */
#ifndef TUI_CONSOLE_REACH_REACH_H
#define TUI_CONSOLE_REACH_REACH_H

#include "console/app/view.h"
#include "model/api_past.h"

struct app;
struct reply;

extern const struct console_view reach_view;

enum reach_part {
    REACH_PATH,
    REACH_MATRIX,
    REACH_FROM,
    REACH_TO,
    REACH_NEIGHBOURS,
    REACH_TABLES, /* the parts before it, except the path */
    REACH_HISTORY = REACH_TABLES,
    REACH_PARTS
};

/* What a source reaches of a destination. */
struct reach_answer {
    bool some, all; /* all: each node of the one reaches each of the other, by one rule */
    unsigned line;  /* of the policy; 0: none */
    char *what;     /* "22 tcp 443"; NULL: nothing */
    char *from;     /* a node it holds for; NULL */
    char *to;       /* a node that is reached, or the router of a network; NULL */
};

/* A row of the view's own lists, which is in no table of the model and of none of its kinds. */
struct reach_row {
    struct row row; /* key: its number */
    bool ok;
    unsigned line; /* of the policy; 0: none */
    char *text;    /* of a step; the name of an end; of a change what happened */
    char *kind;    /* of an end; the actor of a change */
    uint64_t nodes, online;
    struct reach_answer *answers; /* by column; one for a list; two for a neighbour: how it is reached, and reaches */
    size_t answer_count;
    /* For a change: */
    int64_t time_ns;
    char *event; /* its id; NULL: the state before all changes */
    char *fact;  /* the fact that has decided since then */
};

/* The rows of one part; its list refers to them by its scope. */
struct reach_rows {
    struct row row; /* first */
    VEC(struct reach_row *) items;
};

struct reach_path {
    char *src, *dst; /* never NULL; "": not chosen yet */
    uint16_t port;   /* 0: any */
    uint64_t call;   /* id of the request in flight; 0: none */
    int64_t at_ns;   /* time of the answer; 0: none yet */
    bool allowed;
    char *target, *route; /* the node or router at the end, and the route; "" */
    uint64_t pairs_allowed, pairs_denied;
    struct reach_rows steps;
    char *trouble; /* why there is no answer; NULL */
    /* The other direction: the last fact and its line. */
    uint64_t back_call;
    bool back_allowed;
    char *back; /* NULL: not known yet */
    unsigned back_line;
};

struct reach_column {
    char *kind, *name;
};

/* A choice of ends: kinds or one name, and a condition on them ("": none). */
struct reach_choice {
    char *from, *to, *from_in, *to_in;
};

/* A matrix, or a list of what one source reaches or who reaches one destination. */
struct reach_table {
    enum reach_part part;
    struct reach_choice asked;       /* what is shown or requested; texts NULL: nothing was requested yet */
    VEC(struct reach_choice) before; /* the levels above a matrix that was opened repeatedly */
    uint64_t call;
    int64_t at_ns;
    bool incomplete;
    uint64_t rows_total, columns_total;
    struct reach_rows rows;
    VEC(struct reach_column) columns; /* of a matrix */
    size_t column, left;              /* under the cursor; the first one shown */
    size_t grouping;                  /* of a matrix */
    char *trouble;
};

/* The history of the path's pair. */
struct reach_history {
    char *asked; /* the request's path; NULL: nothing was requested yet */
    uint64_t call;
    int64_t at_ns;
    bool complete; /* it goes back as far as the journal */
    struct reach_rows rows;
    char *trouble;
};

struct reach_page {
    struct reach_path path;
    struct reach_table tables[REACH_TABLES]; /* not for the path */
    struct reach_history history;
};

struct reach_page *reach_of(const struct app *app);

/* reach_commands.c: ":reach SRC DST[:PORT]"; false: the words are a filter. */
bool reach_words(struct app *app, bool named, const char *text);

/* reach_rows.c */
void reach_rows_clear(struct reach_rows *rows);
struct reach_row *reach_rows_add(struct reach_rows *rows);

/* reach_path.c */
extern const struct list_def reach_steps_def;
void reach_path_init(struct reach_path *p);
void reach_path_release(struct reach_path *p);
/* "SRC DST[:PORT]"; false if it is not. */
bool reach_path_read(struct reach_path *p, const char *text);
void reach_path_ask(struct app *app);
void reach_path_back_reply(struct app *app, const struct reply *reply);
void reach_path_reply(struct app *app, const struct reply *reply);
void reach_path_draw(struct app *app, struct canvas *c, struct rect at);

/* reach_table.c */
void reach_table_init(struct reach_table *t, enum reach_part part);
void reach_table_release(struct reach_table *t);
struct reach_table *reach_table_shown(const struct app *app); /* NULL: the path or the history is current */
/* Requests what the part shows now, unless it was requested before and again is false. */
void reach_table_ask(struct app *app, enum reach_part part, bool again);
void reach_table_reply(struct app *app, struct reach_table *t, const struct reply *reply);
/* Switches the matrix to other kinds of ends; opens the members of the cell under the cursor (false: they are nodes
 * already); returns to the matrix it was opened from. */
void reach_table_group(struct app *app);
bool reach_table_members(struct app *app);
bool reach_table_back(struct app *app);
void reach_table_column(struct reach_table *t, long columns);
/* The ends of the cell under the cursor, and its answer (NULL: nothing is reached); false: there is no cell. */
bool reach_table_cell(const struct app *app, const char **from, const char **to, const struct reach_answer **answer);
bool reach_table_leads_out(
    const struct app *app); /* its destination is an exit node: the internet through it, not the node itself */

/* reach_lists.c */
extern const struct list_def reach_matrix_def, reach_from_def, reach_to_def;

/* reach_neighbours.c */
extern const struct list_def reach_neighbours_def;
void reach_neighbours_take(struct reach_table *t, const struct api_neighbours *n);

/* reach_history.c */
extern const struct list_def reach_history_def;
void reach_history_release(struct reach_history *h);
/* Requests the history of the path's pair, unless it was requested before and again is false. */
void reach_history_ask(struct app *app, bool again);
void reach_history_reply(struct app *app, const struct reply *reply);
void reach_history_draw(struct app *app, struct canvas *c, struct rect at, bool focused);

/* reach_matrix.c */
void reach_table_draw(struct app *app, struct canvas *c, struct rect at, bool focused);

/* reach_commands.c */
extern const struct command_table reach_commands;

#endif
