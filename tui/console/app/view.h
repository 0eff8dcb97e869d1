/* SPDX-License-Identifier: BSD-3-Clause */
/* What a view is: one descriptor. A new view is a new file with one, and a row in tui/console/tables.c. Functions that
 * a view does not need are NULL. */
#ifndef TUI_CONSOLE_APP_VIEW_H
#define TUI_CONSOLE_APP_VIEW_H

#include "console/app/command.h"
#include "console/model/decode.h"
#include "console/model/list.h"

struct app;

#define VIEW_PARTS_MAX    6
#define VIEW_SECTIONS_MAX 4
#define PANE_LARGE        (-1)

/* One of the lists of a view. */
struct view_part {
    const char *name; /* what it is called beside the others; NULL where there is one only */
    const struct list_def *def;
    unsigned where;    /* which commands work on it, see enum command_place */
    int pane;          /* rows for draw_pane below the list; PANE_LARGE: two fifths of the screen */
    bool pane_scrolls; /* it draws from its top on, what it has no room for would be below */
    void (*draw_pane)(struct app *app, struct canvas *c, struct rect at);
    int foot; /* rows of the pane for draw_foot, at its bottom: they stay where they are */
    void (*draw_foot)(struct app *app, struct canvas *c, struct rect at);
    /* What of it needs somebody ("3 waiting"); false: nothing. */
    bool (*trouble)(const struct app *app, char *text, size_t size);
    /* What it says where there is nothing to list; NULL, or false: what the list says by itself. */
    bool (*empty)(const struct app *app, char *text, size_t size);
    /* Its size where that is not simply told by the list; NULL: it is. */
    void (*count)(const struct app *app, char *text, size_t size);
};

/* Where commands work in a view, and what the place is called in the help and the manual. */
struct view_section {
    unsigned where;
    const char *title;
};

struct console_view {
    const char *name, *title;             /* title: what the tab says */
    char digit;                           /* in the tab; 0: it has no tab ... */
    int tab_rank;                         /* whose tab gives up its title first where it is narrow: the highest */
    const struct console_view *tab;       /* ... and belongs to the one of this view */
    const struct console_view *then;      /* stands in for it in the past; NULL: it shows that itself */
    const struct command_table *commands; /* its own, that which opens it among them; NULL: none */
    struct view_section sections[VIEW_SECTIONS_MAX];
    struct view_part parts[VIEW_PARTS_MAX]; /* Tab goes from one to the next; the first has a list */
    bool no_tail;                           /* the newest events are never drawn below it */

    size_t state_size; /* of what it keeps beside its lists, zeroed before init: see view_state */
    void (*init)(struct app *app);
    void (*reset)(struct app *app); /* another server: what belongs to the old one is forgotten */
    void (*release)(struct app *app);

    void (*enter)(struct app *app); /* it is in front now, or the connection's state changed while it is */
    /* Of all views, front or not: */
    void (*tick)(struct app *app);             /* before each frame */
    int64_t (*next_ms)(const struct app *app); /* when it wants the next frame, monotonic; 0: no wish */
    bool (*reply)(struct app *app, uint64_t id, struct reply *reply); /* true: the answer was for it */
    void (*note)(struct app *app, struct row *row, enum note what);   /* the model changed */
    const char *(*unsaved)(struct app *app); /* what would be lost at the end, a sentence; NULL: nothing */
    size_t (*badge)(const struct app *app);  /* the number in its tab; 0: none */

    /* Of the one in front: */
    unsigned (*where)(const struct app *app);    /* instead of the part's */
    bool (*first_key)(struct app *app, int key); /* before commands: a question that lies over it; true: taken */
    bool (*key)(struct app *app, int key);       /* what no command takes; true: taken */
    bool (*paste)(struct app *app, const char *text, size_t len); /* true: taken */
    bool (*escape)(struct app *app);                              /* true: there was something to step back from */
    /* What follows its name at the prompt; named: a part was. True: taken, it is no filter. */
    bool (*words)(struct app *app, bool named, const char *text);
    void (*move)(struct app *app, long rows);         /* instead of moving the list's cursor */
    void (*moved)(struct app *app);                   /* the user moved the list's cursor */
    void (*click)(struct app *app, int row, int col); /* on what was drawn with HIT_TEXT */
    void (*draw)(struct app *app, struct canvas *c, struct rect at, bool focused); /* instead of the list */
    void (*draw_over)(struct app *app, struct canvas *c);                          /* a question */
    const char *(*crumb)(const struct app *app);                                   /* what is open in it */
    /* Instead of counts in the line of facts; returns the column behind it. */
    int (*draw_facts)(struct app *app, struct canvas *c, int col, int limit);
    const char *(*mode)(const struct app *app); /* one word more in the line of facts; NULL: none */
};

struct view_state {
    struct list lists[VIEW_PARTS_MAX];
    void *data;
};

/* Where the user is. */
struct view_place {
    const struct console_view *view;
    int part;
    char *node;   /* the key of the node that is open; NULL: none is */
    char *filter; /* where a jump set another one: the list's filter before, for the way back; NULL: no jump led here */
};

/* What the application is made of: see tui/console/tables.c. */
struct console_tables {
    const struct console_view *const *views;
    size_t view_count;
    const struct command_table *const *commands;
    size_t command_tables;
};

struct list *view_list(const struct app *app, const struct console_view *view, int part);
void *view_state(const struct app *app, const struct console_view *view);
int view_part_count(const struct console_view *view);

/* Brings the view to the front: "[PART] [FILTER]". */
void view_open(struct app *app, const struct console_view *view, const char *arg);

#endif
