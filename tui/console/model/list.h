/* SPDX-License-Identifier: BSD-3-Clause */
/* A list of rows in some order, under some filter. The cursor is on a row, not on a line: nothing that arrives moves it
 * to another one. While the user moves, and two seconds longer, rows keep their places and new ones wait. */
#ifndef TUI_CONSOLE_MODEL_LIST_H
#define TUI_CONSOLE_MODEL_LIST_H

#include "console/model/filter.h"
#include "console/model/model.h"
#include "console/screen/canvas.h"

#define HOLD_MS          2000
#define LIST_COLUMNS_MAX 16
#define LIST_NAME_MOST   40

struct clock_reading {
    int64_t now_ns; /* the wall clock, as the server sees it where that is known */
    int64_t now_ms; /* monotonic */
};

struct list_field {
    char text[200];
    enum role role;
    int glyph; /* enum glyph in front of the text; -1: none */
    /* Round trips: the last one as a bar behind the text, or all instead of it. NULL: there are none. */
    const struct row_facts *trips;
    bool all_trips;
};

struct list_column {
    const char *title, *key; /* key: its name for :sort */
    int least, wish;         /* columns of the screen; wish is what it gets where there is room */
    int share;               /* of what is left over */
    int rank;                /* who goes first where it is narrow: the highest; 0 never goes */
    bool right;
    bool name;        /* what rows are known by: other columns give way to it, and its middle is cut, not its end */
    unsigned changed; /* FIELD_...: marked for a while after a change of these */
    void (*fill)(const struct row *row, const struct clock_reading *at, struct list_field *out);
    int (*compare)(const struct row *a, const struct row *b); /* NULL: cannot be sorted by */
};

struct list;

struct list_def {
    const char *noun, *one; /* "nodes", "node" */
    const char *empty;      /* what an empty list says */
    const struct list_column *columns;
    int column_count;
    struct filter_fields fields;
    int sort; /* the column at first, -1: as collected */
    bool reverse;
    bool always_whole;  /* a change of a row may bring it in or take it out: collected anew each time */
    bool tree;          /* collect gives the order, sorted and filtered already */
    bool folds;         /* it has groups that can be folded */
    bool fixed_columns; /* what the user chooses is not kept for the next start */
    unsigned kinds;     /* bits of the row kinds that it depends on */
    unsigned counted;   /* of those that are counted: 0: all rows are */
    size_t (*total)(const struct model *m); /* what there is without the filter; NULL: as many as were collected */
    void (*collect)(const struct model *m, struct list *list); /* calls list_add for each row */
    int (*indent)(const struct row *row);                      /* of the text in the column indented; NULL: none */
    int indented;
};

struct list {
    const struct list_def *def;
    VEC(struct row *) order;
    struct row *cursor, *anchor; /* anchor: where a range began; NULL */
    struct row *scope;           /* the row whose parts are listed; NULL where it is a whole table */
    size_t index;                /* where the cursor was in order, a hint */
    size_t top, height;
    int sort;
    unsigned char chosen[LIST_COLUMNS_MAX]; /* the columns that the user wants, in this order; */
    size_t chosen_len;                      /* 0: as the list sees fit */
    unsigned shown;                         /* bits of the columns that were drawn last */
    bool cursor_hidden;                     /* the screen had no room for the row under the cursor */
    bool reverse, dirty, forced;
    struct filter filter;
    const struct saved_filters *saved; /* that filters may name; NULL: none */
    char *filter_text;
    size_t name_widths[LIST_NAME_MOST + 1]; /* how many names are how wide, the last one: or wider */
    size_t total, waiting;                  /* rows before the filter; rows that came while places were held */
    int64_t hold_until_ms;
    VEC(struct row *) touched;
    const struct clock_reading *at; /* of the refresh that is going on */
};

void list_init(struct list *l, const struct list_def *def);
void list_release(struct list *l);
/* Its rows were replaced by others: the cursor goes to this one (NULL: it stays on its line). */
void list_start_again(struct list *l, struct row *cursor);
/* Until the user moves, the cursor stays on the first row, whichever that is. */
void list_stay_at_top(struct list *l);
void list_empty(struct list *l); /* of rows and filter; what the user chose of its look stays */

/* For collect: a row, and whether the filter lets it through (trees ask before they add). */
void list_add(struct list *l, struct row *row);
void list_add_all(struct list *l, const struct model *m, enum row_kind kind);
bool list_matches(const struct list *l, const struct row *row);

/* What the model says about a row. */
void list_note(struct list *l, struct row *row, enum note what);

/* Brings the order up to date, unless places are held. */
void list_refresh(struct list *l, const struct model *m, const struct clock_reading *at);
bool list_held(const struct list *l, int64_t now_ms);

/* What the user does. Moving holds the places. */
void list_move(struct list *l, long rows, int64_t now_ms);
void list_to(struct list *l, size_t index, int64_t now_ms);
bool list_focus(struct list *l, const struct row *row); /* false where the row is not in it */
void list_sort(struct list *l, int column, bool reverse);
int list_filter(struct list *l, const char *text, size_t *at, struct err *e) WARN_UNUSED;
void list_mark_range(struct list *l);
size_t list_position(const struct list *l); /* of the cursor; 0 in an empty list */

/* Keeps the cursor on the screen for a body of this height. */
void list_scroll(struct list *l, size_t height);

/* The columns that are wanted, by their keys, separated by blanks; "" for what the list sees fit. ERR_INVALID names the
 * one that there is not. */
int list_choose(struct list *l, const char *keys, struct err *e) WARN_UNUSED;
bool list_shows(const struct list *l, int column);       /* it had room when the list was drawn last */
void list_chosen(const struct list *l, struct buf *out); /* the same, written */

struct list_look {
    bool focused;              /* shows the cursor */
    int hit_rows, hit_headers; /* kinds of hits to register; 0: none */
    const char *empty;         /* what it says where there is nothing; NULL: what it says by itself */
};
void list_draw(struct list *l, struct canvas *c, struct rect header, struct rect body, const struct clock_reading *at,
               const struct list_look *look);

#endif
