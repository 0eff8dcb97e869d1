/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptor of a view. A new view is a new file with a descriptor, and a row in tui/console/tables.c. Functions
 * that a view does not need are NULL. */
#ifndef TUI_CONSOLE_APP_VIEW_H
#define TUI_CONSOLE_APP_VIEW_H

#include "console/app/command.h"
#include "console/model/decode.h"
#include "console/model/list.h"

struct app;

#define VIEW_PARTS_MAX    6
#define VIEW_SECTIONS_MAX 4
#define PANE_LARGE        (-1)

/* Rows that are not in the snapshot: see app/asked.h. */
struct asked_rows {
    enum row_kind kind;
    const char *path; /* GET */
    int (*decode)(const json_t *root, struct model_delta *out, struct err *e);
    const char *object; /* as the journal names them: its entries announce changes */
};

struct asked_state {
    uint64_t request; /* in progress; 0: none */
    int64_t asked_ms; /* of the last request or answer; 0: none yet */
    bool stale;       /* something changed since */
    char *trouble;    /* why the last request failed; NULL: it did not */
};

/* One of the lists of a view. */
struct view_part {
    const char *name; /* shown beside the other parts; NULL if it is the only one */
    const struct list_def *def;
    const struct asked_rows *asked; /* NULL: its rows are in the snapshot */
    unsigned where;                 /* the commands available in it, see enum command_place */
    int pane;                       /* rows for draw_pane below the list; PANE_LARGE: two fifths of the screen */
    bool pane_scrolls;              /* draw_pane draws from the top and may need more rows than the pane has */
    void (*draw_pane)(struct app *app, struct canvas *c, struct rect at);
    int foot; /* rows at the bottom of the pane for draw_foot, which do not scroll */
    void (*draw_foot)(struct app *app, struct canvas *c, struct rect at);
    /* What in it needs attention ("3 waiting"); false: nothing. */
    bool (*trouble)(const struct app *app, char *text, size_t size);
    /* The text for an empty list; NULL, or false: the list's own. */
    bool (*empty)(const struct app *app, char *text, size_t size);
    /* The text for its size; NULL: the number of rows. */
    void (*count)(const struct app *app, char *text, size_t size);
};

/* A place in a view where commands work, and its title in the help and the manual. */
struct view_section {
    unsigned where;
    const char *title;
};

struct console_view {
    const char *name, *title;             /* title: shown in the tab */
    char digit;                           /* in the tab; 0: no tab of its own ... */
    int tab_rank;                         /* on narrow screens the highest rank loses its title first */
    const struct console_view *tab;       /* ... but that of this view */
    const struct console_view *then;      /* replaces it in the past; NULL: it shows the past itself */
    const struct command_table *commands; /* its own, including the one that opens it; NULL: none */
    struct view_section sections[VIEW_SECTIONS_MAX];
    struct view_part parts[VIEW_PARTS_MAX]; /* Tab cycles through them; the first has a list */
    bool no_tail;                           /* never draw the newest events below it */

    size_t state_size; /* of its own state, zeroed before init: see view_state */
    void (*init)(struct app *app);
    void (*reset)(struct app *app); /* the server changed: drop what belongs to the old one */
    void (*release)(struct app *app);

    void (*enter)(struct app *app); /* it became current, or the connection's state changed while it is */
    /* Called for every view: */
    void (*tick)(struct app *app);             /* before each frame */
    int64_t (*next_ms)(const struct app *app); /* when it needs the next frame, monotonic; 0: not at all */
    bool (*reply)(struct app *app, uint64_t id, struct reply *reply); /* true: the reply was its own */
    void (*note)(struct app *app, struct row *row, enum note what);   /* the model changed */
    const char *(*unsaved)(struct app *app); /* a sentence naming what quitting would lose; NULL: nothing */
    size_t (*badge)(const struct app *app);  /* the number in its tab; 0: none */

    /* Called for the current view: */
    unsigned (*where)(const struct app *app);    /* instead of the part's */
    bool (*first_key)(struct app *app, int key); /* before commands, for a question drawn over it; true: consumed */
    bool (*key)(struct app *app, int key);       /* keys without a command; true: consumed */
    bool (*paste)(struct app *app, const char *text, size_t len); /* true: consumed */
    bool (*escape)(struct app *app);                              /* true: it stepped back */
    /* The text after its name at the prompt; named: a part's name came first. True: consumed; false: it is a filter. */
    bool (*words)(struct app *app, bool named, const char *text);
    void (*move)(struct app *app, long rows);         /* instead of moving the list's cursor */
    void (*moved)(struct app *app);                   /* the user moved the list's cursor */
    void (*click)(struct app *app, int row, int col); /* on a HIT_TEXT area */
    void (*draw)(struct app *app, struct canvas *c, struct rect at, bool focused); /* instead of the list */
    void (*draw_over)(struct app *app, struct canvas *c);                          /* a question */
    const char *(*crumb)(const struct app *app);                                   /* the item open in it */
    /* Replaces the counts in the line of facts; returns the column after it. */
    int (*draw_facts)(struct app *app, struct canvas *c, int col, int limit);
    /* Draws into the line of messages where nothing else is to be said. */
    void (*draw_quiet)(struct app *app, struct canvas *c, struct rect at);
    const char *(*mode)(const struct app *app); /* an additional word in the line of facts; NULL: none */
};

struct view_state {
    struct list lists[VIEW_PARTS_MAX];
    struct asked_state asked[VIEW_PARTS_MAX];
    void *data;
};

/* The user's place. */
struct view_place {
    const struct console_view *view;
    int part;
    char *node;   /* key of the open node; NULL: none */
    char *filter; /* the list's filter before a jump replaced it, restored on the way back; NULL: no jump */
};

/* All views and commands: see tui/console/tables.c. */
struct console_tables {
    const struct console_view *const *views;
    size_t view_count;
    const struct command_table *const *commands;
    size_t command_tables;
};

struct list *view_list(const struct app *app, const struct console_view *view, int part);
void *view_state(const struct app *app, const struct console_view *view);
int view_part_count(const struct console_view *view);

/* Opens the view; arg is "[PART] [FILTER]". */
void view_open(struct app *app, const struct console_view *view, const char *arg);

#endif
