/* SPDX-License-Identifier: BSD-3-Clause */
/* A sorted and filtered list of rows. The cursor belongs to a row, not to a line: no update moves it to another row.
 * While the user moves the cursor, and for two seconds after, rows keep their places and new ones wait. */
#ifndef TUI_CONSOLE_MODEL_LIST_H
#define TUI_CONSOLE_MODEL_LIST_H

#include "console/model/filter.h"
#include "console/model/model.h"
#include "console/screen/canvas.h"

#define HOLD_MS          2000
#define LIST_COLUMNS_MAX 16
#define LIST_NAME_MOST   40

struct clock_reading {
    int64_t now_ns; /* wall clock, the server's if known */
    int64_t now_ms; /* monotonic */
};

struct list_field {
    char text[200];
    enum role role;
    int glyph; /* enum glyph in front of the text; -1: none */
    /* Round trips: the last as a bar after the text, or all of them in its place. NULL: none. */
    const struct row_facts *trips;
    bool all_trips;
};

struct list_column {
    const char *title, *key; /* key: its name for :sort */
    int least, wish;         /* widths; wish is used if there is room */
    int share;               /* of the remaining width */
    int rank;                /* on narrow screens the highest is dropped first; 0: never */
    bool right;
    bool name;        /* the row's name: other columns give way to it, and it is cut in the middle */
    unsigned changed; /* FIELD_...: marked for a while when one of these changes */
    void (*fill)(const struct row *row, const struct clock_reading *at, struct list_field *out);
    int (*compare)(const struct row *a, const struct row *b); /* NULL: not sortable */
};

struct list;

struct list_def {
    const char *noun, *one; /* "nodes", "node" */
    const char *empty;      /* shown in an empty list */
    const struct list_column *columns;
    int column_count;
    struct filter_fields fields;
    int sort; /* initial column; -1: order of collect */
    bool reverse;
    bool always_whole;                      /* any change may add or remove rows: collect again each time */
    bool tree;                              /* collect sorts and filters */
    bool folds;                             /* has groups that fold */
    bool shows_cursor;                      /* collect lists the cursor's row even where it is folded away */
    bool fixed_columns;                     /* the user's choice of columns is not saved */
    unsigned kinds;                         /* bits of the row kinds it depends on */
    unsigned counted;                       /* bits of the kinds that are counted; 0: all */
    size_t (*total)(const struct model *m); /* size without the filter; NULL: rows collected */
    void (*collect)(const struct model *m, struct list *list); /* calls list_add for each row */
    int (*indent)(const struct row *row);                      /* indentation of the column indented; NULL: none */
    int indented;
};

struct list {
    const struct list_def *def;
    VEC(struct row *) order;
    struct row *cursor, *anchor; /* anchor: start of a range; NULL */
    struct row *scope;           /* the row whose parts are listed; NULL: a whole table */
    size_t index;                /* the cursor's last position in order, a hint */
    size_t top, height;
    int sort;
    unsigned char chosen[LIST_COLUMNS_MAX]; /* columns chosen by the user, in order; */
    size_t chosen_len;                      /* 0: the defaults */
    unsigned shown;                         /* bits of the columns last drawn */
    bool cursor_hidden;                     /* the cursor's row did not fit on the screen */
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
/* Keeps the cursor on the first row, whichever that is, until the user moves it. */
void list_stay_at_top(struct list *l);
void list_empty(struct list *l); /* drops rows and filter; keeps the user's columns and sort order */

/* For collect: add a row; whether a row passes the filter (trees ask before adding). */
void list_add(struct list *l, struct row *row);
void list_add_all(struct list *l, const struct model *m, enum row_kind kind);
bool list_matches(const struct list *l, const struct row *row);

/* Passes on a note of the model. */
void list_note(struct list *l, struct row *row, enum note what);

/* Brings the order up to date, unless places are held. */
void list_refresh(struct list *l, const struct model *m, const struct clock_reading *at);
bool list_held(const struct list *l, int64_t now_ms);

/* User actions. Moving holds the rows in place. */
void list_move(struct list *l, long rows, int64_t now_ms);
void list_to(struct list *l, size_t index, int64_t now_ms);
/* Whether list_focus reaches rows of its kinds that are folded away. */
bool list_opens_for_cursor(const struct list *l);
bool list_focus(struct list *l, struct row *row); /* false if the row is not in the list */
void list_sort(struct list *l, int column, bool reverse);
int list_filter(struct list *l, const char *text, size_t *at, struct err *e) WARN_UNUSED;
void list_mark_range(struct list *l);
size_t list_position(const struct list *l); /* of the cursor; 0 in an empty list */

/* Scrolls so that the cursor is visible in a body of this height. */
void list_scroll(struct list *l, size_t height);

/* Chooses columns by their keys, separated by blanks; "" for the defaults. ERR_INVALID names an unknown column. */
int list_choose(struct list *l, const char *keys, struct err *e) WARN_UNUSED;
bool list_shows(const struct list *l, int column);       /* it was shown when the list was last drawn */
void list_chosen(const struct list *l, struct buf *out); /* the chosen columns, as for list_choose */

struct list_look {
    bool focused;              /* shows the cursor */
    int hit_rows, hit_headers; /* kinds of hits to register; 0: none */
    const char *empty;         /* shown in an empty list; NULL: the list's own text */
};
void list_draw(struct list *l, struct canvas *c, struct rect header, struct rect body, const struct clock_reading *at,
               const struct list_look *look);

#endif
