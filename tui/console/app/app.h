/* SPDX-License-Identifier: BSD-3-Clause */
/* The state that all rooms above share: the model, the user's place, the connection, messages. State of a single view
 * belongs to that view. Only the screen's thread touches any of it. */
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
#define LATE_MS     (2 * API_ALIVE_MS + 2000) /* two signs of life are overdue */
#define PLACES_MAX  16
#define HISTORY_MAX 100

struct connection {
    enum connection_state state;
    int64_t since_ns, since_ms, retry_ms; /* retry_ms: time of the next attempt, monotonic */
    unsigned attempt;
    int64_t heard_ms; /* time of the last sign of life, monotonic; 0: unknown */
    char *why;
};

/* How the app reaches the server. send never blocks; the answer arrives through app_reply. */
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

/* A message shown to the user in this session. */
struct app_message {
    char *text;
    int64_t time_ns; /* when it was last shown */
    unsigned count;  /* how many times in a row */
};

enum prompt_kind { PROMPT_NONE, PROMPT_COMMAND, PROMPT_FILTER, PROMPT_MARK, PROMPT_KINDS };

struct prompt {
    enum prompt_kind kind;
    struct line line;
    char *before; /* the previous filter, restored on Esc */
    char *error;  /* in the filter being typed */
    size_t error_at, history_at;
    struct strs history[PROMPT_KINDS]; /* by kind */
    char *stem;                        /* the text before Tab completed it; NULL unless Tab was the last key */
    size_t turn;                       /* index of the completion that Tab chose */
};

/* Text being pasted. */
struct paste {
    struct buf text;
    bool going_on;
    int64_t heard_ms;
};

/* Keys that the user bound to a command in place of its defaults. */
struct key_binding {
    const struct console_command *command;
    char *keys;
};

/* The moment of the past being shown instead of now: see past/past.h. */
struct then {
    bool on;
    int64_t at_ns, since_ns;            /* that moment; the oldest one known */
    char *event;                        /* the journal entry by which it was chosen; "" if by time */
    struct model other;                 /* while on: today's objects */
    char *policy;                       /* the policy in force then, as written; NULL: none */
    const struct console_view *instead; /* the view that another one replaces; NULL */
    uint64_t request;                   /* in flight; 0: none */
    int64_t want_ns;                    /* the time to request next; 0: none */
    struct model_delta arrived;         /* received, not yet shown */
};

/* Scroll position of the pane below the list; see pane.h. */
struct pane_scroll {
    const struct view_part *part; /* the part and row it belongs to */
    const struct row *row;
    int top, over, rows; /* lines above the pane; lines that do not fit; the pane's height, 0: no pane */
    struct canvas canvas;
};

struct dialog;
struct plan;
struct route_answers;

struct app {
    const struct console_tables *tables;
    struct command_list commands;
    VEC(struct key_binding) bindings;
    struct view_state *views; /* in table order */
    struct view_place place, last, back[PLACES_MAX], forward[PLACES_MAX];
    size_t back_len, forward_len;

    struct model model;
    struct clock_reading at;
    int64_t ticked_ms;     /* time of the views' last tick, monotonic */
    struct applied loaded; /* counts of the snapshot being read */
    int64_t wall_ns;       /* the server's clock; at.now_ns equals it except in the past */
    int64_t clock_skew_ns; /* the server's clock minus this machine's */
    struct then then;
    struct connection conn;
    struct app_net net;
    uint64_t next_request;
    char refusal[200]; /* the last refusal, keys filled in */
    char *actor;
    bool read_only;
    struct saved_filters saved; /* named filters */
    bool frozen;
    VEC(struct model_delta) held; /* received while frozen */

    struct dialog *dialog; /* the open dialog, which gets the keys; NULL: none */
    uint64_t dialogs_opened;
    uint64_t keys; /* keys and clicks so far */
    struct prompt prompt;
    struct paste paste;
    struct flash flash;
    VEC(struct app_message) messages; /* oldest first */

    struct plan *plans;                  /* awaiting the server's answer */
    struct route_answers *route_answers; /* the server's answers to the routes view */
    struct strs watched; /* "node ID" of routers being drained, "prefix PREFIX ID" of prefixes being moved: the user
                            is notified when they finish */
    bool sourcing;       /* commands of a file are run */
    bool plan_mode;      /* show the next change as a plan first */
    struct undos undos, redos;            /* the user's changes; those undone */
    const struct console_command *repeat; /* the last change, for '.'; NULL */
    char *repeat_arg;                     /* and its argument */

    struct canvas canvas;
    struct layout layout;
    struct pane_scroll pane;
    bool peek, peek_chosen, force_small;

    char *address;       /* socket or URL of the current server; NULL: unknown */
    struct strs servers; /* names; the initial server first */
    size_t server;       /* index of the current one */

    /* Requests to the main loop. */
    bool quit, want_suspend, want_repaint, want_editor, want_server, mouse;
    char *clipboard;    /* text for the terminal's clipboard; NULL */
    char *save_display; /* file to write the next frame to, as text; NULL */
    int theme;
    unsigned colour_changes; /* incremented when the theme changes */
};

void app_time(struct app *app, int64_t wall_ns, int64_t mono_ms);
void app_time_again(struct app *app); /* on entering or leaving the past */

/* Places. */
struct list *app_list(const struct app *app); /* the current list; never NULL */
const struct view_part *app_part(const struct app *app);
struct m_node *app_node(const struct app *app); /* the open node; NULL */
void app_go(struct app *app, const struct console_view *view, int part, const char *node);
/* Opens the view's part of this name ("": the first) with this filter. Going back restores the list's own filter. */
void app_jump(struct app *app, const struct console_view *view, const char *part, const char *filter);
bool app_back(struct app *app);
void app_forward(struct app *app);
void app_last(struct app *app);
void app_places_release(struct app *app);
const char *app_unsaved(struct app *app); /* a sentence naming what quitting would lose; NULL: nothing */

/* Shows a message; "{NAME}" becomes the key of that command, see command_text. */
void app_flash(struct app *app, enum role role, const char *format, ...) PRINTF_LIKE(3, 4);
/* Copies text to the terminal's clipboard and shows a message; what names the text. */
void app_copy(struct app *app, const char *text, const char *what);

/* The connection. */
bool app_late(const struct app *app);                 /* connected, but signs of life are overdue */
const char *app_why_not_write(const struct app *app); /* why changes are impossible now; NULL: possible */

/* The model: applies the delta and takes ownership of its rows. Held back while the screen is frozen. */
void app_delta(struct app *app, struct model_delta *delta);
void app_thaw(struct app *app);
/* Applies to today's objects, even while the past is shown. */
void app_apply(struct app *app, struct model_delta *delta);

/* The rows an action applies to: the marked rows of the current list, else the row under the cursor. */
struct rows {
    struct row **items;
    size_t len, cap;
};
void app_targets(struct app *app, struct rows *out);
/* Marked rows of the current list; hidden: how many of them the filter hides. */
void app_marked(const struct app *app, struct rows *out, size_t *hidden);

/* Records the answer given in the last change's dialog, so that '.' repeats it without asking. */
void app_repeat_with(struct app *app, const char *arg);
void undo_release(struct undo *u);
void undos_release(struct undos *u);

/* Kinds of hits on the canvas. */
enum hit_kind { HIT_ROW = 1, HIT_COLUMN, HIT_TAB, HIT_COMMAND, HIT_CHOICE, HIT_TEXT };

#endif
