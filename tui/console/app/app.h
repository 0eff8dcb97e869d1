/* SPDX-License-Identifier: BSD-3-Clause */
/* What all rooms above share: the model, where the user is, the connection, what is said to him. What belongs to one
 * view is in that view's state. All of it is the screen thread's. */
#ifndef TUI_CONSOLE_APP_APP_H
#define TUI_CONSOLE_APP_APP_H

#include "console/app/view.h"
#include "console/model/relative_time.h"
#include "console/net/request.h"
#include "console/screen/key.h"
#include "console/screen/layout.h"
#include "console/text/line_input.h"

#define UNDO_MS     (10 * 60 * 1000)
#define FLASH_MS    6000
#define FLASH_MAX   400                       /* bytes */
#define LATE_MS     (2 * API_ALIVE_MS + 2000) /* two signs of life did not come */
#define PLACES_MAX  16
#define HISTORY_MAX 100

struct connection {
    enum connection_state state;
    int64_t since_ns, since_ms, retry_ms; /* retry_ms: when it is tried again, monotonic */
    unsigned attempt;
    int64_t heard_ms; /* the last sign of life, monotonic; 0: not known */
    char *why;
};

/* How the app reaches the server. send never waits; the answer comes by app_reply. */
struct app_net {
    void (*send)(void *context, const struct app_request *request);
    void (*retry)(void *context);
    void *context;
};

struct undo {
    struct strs events;
    char *text;
    int64_t at_ms;
};

struct undos {
    struct undo *items;
    size_t len, cap;
};

struct flash {
    enum role role;
    char *text;
    int64_t until_ms; /* 0: stays until a key */
};

/* What was said to the user in this session. */
struct app_message {
    char *text;
    int64_t time_ns; /* when it was said last */
    unsigned count;  /* how often in a row */
};

enum prompt_kind { PROMPT_NONE, PROMPT_COMMAND, PROMPT_FILTER, PROMPT_MARK, PROMPT_KINDS };

struct prompt {
    enum prompt_kind kind;
    struct line line;
    char *before; /* the filter that was there before */
    char *error;  /* of the filter that is being typed */
    size_t error_at, history_at;
    struct strs history[PROMPT_KINDS]; /* by kind */
    char *stem;                        /* what was typed before Tab completed it; NULL: it was not pressed last */
    size_t turn;                       /* which of the words that begin so it took */
};

/* Text that is being pasted. */
struct paste {
    struct buf text;
    bool going_on;
    int64_t heard_ms;
};

/* Keys that the user gave a command instead of its own. */
struct key_binding {
    const struct console_command *command;
    char *keys;
};

/* A moment of the past that stands in for now: see past/past.h. */
struct then {
    bool on;
    int64_t at_ns, since_ns;            /* the moment; the oldest one that is known */
    char *event;                        /* the entry of the journal it was asked for by; "" */
    struct model other;                 /* while it is on: the objects of now */
    char *policy;                       /* that was in force, as it was written; NULL: none was */
    const struct console_view *instead; /* for which another view stands in; NULL */
    uint64_t request;                   /* that is under way; 0 */
    int64_t want_ns;                    /* what is asked for next; 0: nothing is */
    struct model_delta arrived;         /* waits to be shown, where it is full */
};

/* Where the pane below the list is scrolled to; see pane.h. */
struct pane_scroll {
    const struct view_part *part; /* of which, and of which row */
    const struct row *row;
    int top, over, rows; /* lines that are passed; that have no room; of the pane: 0: there is none */
    struct canvas canvas;
};

struct dialog;
struct plan;
struct route_answers;

struct app {
    const struct console_tables *tables;
    struct command_list commands;
    VEC(struct key_binding) bindings;
    struct view_state *views; /* in the order of the table */
    struct view_place place, last, back[PLACES_MAX], forward[PLACES_MAX];
    size_t back_len, forward_len;

    struct model model;
    struct clock_reading at;
    struct applied loaded; /* what the snapshot brought that is being read */
    int64_t wall_ns;       /* the server's clock; at.now_ns is the same, but in the past */
    int64_t clock_skew_ns; /* the server's clock less this machine's */
    struct then then;
    struct connection conn;
    struct app_net net;
    uint64_t next_request;
    char refusal[200]; /* the last one, with the names of keys in it */
    char *actor;
    bool read_only;
    struct saved_filters saved; /* filters with a name */
    bool frozen;
    VEC(struct model_delta) held; /* what came while frozen */

    struct dialog *dialog; /* lies over the view and takes the keys; NULL: none */
    uint64_t dialogs_opened;
    uint64_t keys; /* keys and clicks so far */
    struct prompt prompt;
    struct paste paste;
    struct flash flash;
    VEC(struct app_message) messages; /* oldest first */

    struct plan *plans;                  /* those that wait for the server */
    struct route_answers *route_answers; /* what the view of routes was told */
    struct strs watched; /* "node ID" of routers that the user drained, "prefix PREFIX ID" of what he moved to it: told
                            when done */
    bool plan_mode;      /* the next change is shown before it is made */
    struct undos undos, redos;            /* own changes; those of them that were taken back */
    const struct console_command *repeat; /* the last change that was asked for; NULL */
    char *repeat_arg;                     /* and what it was asked with */

    struct canvas canvas;
    struct layout layout;
    struct pane_scroll pane;
    bool peek, peek_chosen, force_small;

    char *address;       /* of the server that is looked at: its socket or its URL; NULL: not known */
    struct strs servers; /* their names, the one that was started with first */
    size_t server;       /* the one that is looked at */

    /* What the loop is to do. */
    bool quit, want_suspend, want_repaint, want_editor, want_server, mouse;
    char *clipboard;    /* the terminal shall keep it for pasting; NULL */
    char *save_display; /* a file that the next frame is written to, as text; NULL */
    int theme;
    unsigned colour_changes; /* raised when the theme changed */
};

void app_time(struct app *app, int64_t wall_ns, int64_t mono_ms);
void app_time_again(struct app *app); /* the past began, or ended */

/* Places. */
struct list *app_list(const struct app *app); /* the one in front; never NULL */
const struct view_part *app_part(const struct app *app);
struct m_node *app_node(const struct app *app); /* the open node; NULL */
void app_go(struct app *app, const struct console_view *view, int part, const char *node);
/* Goes where the objects of something are listed: the view's part of this name ("": the first) under this filter. Going
 * back restores the list's own filter. */
void app_jump(struct app *app, const struct console_view *view, const char *part, const char *filter);
bool app_back(struct app *app);
void app_forward(struct app *app);
void app_last(struct app *app);
void app_places_release(struct app *app);
const char *app_unsaved(struct app *app); /* what would be lost at the end, a sentence; NULL: nothing */

/* What the user is told; "{NAME}" stands for the key of a command, see command_text. */
void app_flash(struct app *app, enum role role, const char *format, ...) PRINTF_LIKE(3, 4);
/* Asks the terminal to keep text for pasting, and says so; what names it. */
void app_copy(struct app *app, const char *text, const char *what);

/* The connection. */
bool app_late(const struct app *app);                 /* connected, but nothing was heard for too long */
const char *app_why_not_write(const struct app *app); /* why nothing can be changed now; NULL: it can */

/* The model: takes over what is in the delta. Held while the screen is frozen. */
void app_delta(struct app *app, struct model_delta *delta);
void app_thaw(struct app *app);
/* To the objects of now, wherever they are. */
void app_apply(struct app *app, struct model_delta *delta);

/* The rows that an action is for: the marked ones of the list in front, else the one under the cursor. */
struct rows {
    struct row **items;
    size_t len, cap;
};
void app_targets(struct app *app, struct rows *out);
/* Marked rows that belong to the list in front; hidden: how many of them its filter hides. */
void app_marked(const struct app *app, struct rows *out, size_t *hidden);

/* What the last change was answered with in its dialog, so that it can be repeated without asking. */
void app_repeat_with(struct app *app, const char *arg);
void undo_release(struct undo *u);
void undos_release(struct undos *u);

/* Kinds of hits on the canvas. */
enum hit_kind { HIT_ROW = 1, HIT_COLUMN, HIT_TAB, HIT_COMMAND, HIT_CHOICE, HIT_TEXT };

#endif
