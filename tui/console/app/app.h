/* SPDX-License-Identifier: BSD-3-Clause */
/* The application without terminal and network: keys and messages go in, a canvas comes out. One thread. */
#ifndef TUI_CONSOLE_APP_APP_H
#define TUI_CONSOLE_APP_APP_H

#include "console/app/command.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/plan.h"
#include "console/model/decode.h"
#include "console/model/list.h"
#include "console/model/relative_time.h"
#include "console/policy/policy_page.h"
#include "console/screen/key.h"
#include "console/screen/layout.h"

#define UNDO_MS     (10 * 60 * 1000)
#define FLASH_MS    6000
#define LATE_MS     20000 /* the server gives a sign of life every 15 seconds */
#define PLACES_MAX  16
#define HISTORY_MAX 100

enum list_id {
    LIST_NODES,
    LIST_ROUTES,
    LIST_PREFIXES,
    LIST_HA,
    LIST_EXIT,
    LIST_EVENTS,
    LIST_PENDING,
    LIST_USERS,
    LIST_PREAUTH,
    LIST_API,
    LIST_DETAIL, /* the routes of the node that is open */
    LIST_POLICY, /* always empty: the view shows a text */
    LIST_COUNT
};

enum view_id {
    VIEW_NODES,
    VIEW_ROUTES,
    VIEW_POLICY,
    VIEW_EVENTS,
    VIEW_USERS,
    VIEW_KEYS,
    VIEW_PENDING,
    VIEW_NODE,
    VIEW_COUNT
};

#define SUBS_MAX   4
#define PANE_LARGE (-1)

struct console_view {
    const char *name, *title;     /* title: what the tab says */
    char digit;                   /* the key that opens it; 0: none */
    enum list_id lists[SUBS_MAX]; /* Tab goes from one to the next */
    const char *subs[SUBS_MAX];   /* their names; NULL where there is one only, and after the last */
    int panes[SUBS_MAX];          /* rows of the pane below each list; PANE_LARGE: as many as are right */
    void (*draw_pane)(struct app *app, struct canvas *c, struct rect at);
};
const struct console_view *view_get(enum view_id id);

struct view_place {
    enum view_id view;
    int sub;
    char *node; /* VIEW_NODE: its key */
};

enum conn_state { CONN_CONNECTING, CONN_LIVE, CONN_DOWN, CONN_RESYNC, CONN_AUTH };

struct conn {
    enum conn_state state;
    int64_t since_ns, since_ms, retry_ms; /* retry_ms: when it is tried again, monotonic */
    unsigned attempt;
    int64_t heard_ms; /* the last sign of life, monotonic; 0: not known */
    char *why;
};

struct api_request {
    uint64_t id;
    const char *method, *path, *body; /* body "": none; borrowed */
    uint64_t version;                 /* 0: none, unless match says so */
    bool match;                       /* the version is sent, be it 0 */
    bool whole;                       /* the answer's JSON is wanted as it came */
    enum row_kind result;
};

/* How the app reaches the server. send never waits; the answer comes by app_reply. */
struct app_net {
    void (*send)(void *context, const struct api_request *request);
    void (*retry)(void *context);
    void *context;
};

/* Who checks the policy's text and keeps its draft; check takes the job over and never waits. NULL: it is done at once.
 */
struct app_work {
    void (*check)(void *context, struct check_job *job);
    void *context;
};

struct undo {
    struct strs events;
    char *text;
    int64_t at_ms;
};

struct flash {
    enum role role;
    char *text;
    int64_t until_ms; /* 0: stays until a key */
};

enum prompt_kind { PROMPT_NONE, PROMPT_COMMAND, PROMPT_FILTER, PROMPT_MARK };

struct prompt {
    enum prompt_kind kind;
    struct line line;
    char *before; /* the filter that was there before */
    char *error;  /* of the filter that is being typed */
    size_t error_at, history_at;
    struct strs history[2]; /* commands, filters */
};

struct app {
    struct model model;
    struct list lists[LIST_COUNT];
    struct view_place place, last, back[PLACES_MAX], forward[PLACES_MAX];
    size_t back_len, forward_len;
    struct clock_reading at;
    struct conn conn;
    struct app_net net;
    struct app_work work;
    struct policy_page policy;
    struct prompt prompt;
    struct dialog dialog;
    struct flash flash;
    struct strs messages;
    const struct console_command *repeat; /* the last change that was asked for, NULL */
    char *repeat_arg;                     /* and what it was asked with */
    struct plan *plans;                   /* those that wait for the server */
    VEC(struct undo) undos;
    struct canvas canvas;
    struct layout layout;
    char *actor, *state_dir;
    uint64_t next_request;
    int64_t clock_skew_ns; /* the server's clock less this machine's */
    bool read_only, peek, peek_chosen, tail_off, force_small, follow, plan_mode, frozen, quit;
    bool want_suspend, want_repaint, want_editor, mouse;
    VEC(struct model_delta) held; /* what came while frozen */
    struct strs servers;          /* their names, the one that was started with first */
    size_t server;                /* the one that is looked at */
    bool want_server;             /* the loop shall go to it */
    char *clipboard;              /* what the terminal shall take over; the loop hands it on; NULL */
    int theme;
    unsigned colour_changes; /* raised when the theme changed */
};

/* The caller fills ascii and theme of a zeroed app before, net after. */
void app_init(struct app *app);
void app_release(struct app *app);
/* Forgets one server's objects and what was done to them, for another one. */
void app_reset(struct app *app);
void app_time(struct app *app, int64_t wall_ns, int64_t mono_ms);

/* What comes in. The app takes over deltas and replies. */
void app_key(struct app *app, int key);
void app_click(struct app *app, int row, int col, int clicks);
void app_wheel(struct app *app, int rows);
void app_delta(struct app *app, struct model_delta *delta);
void app_reply(struct app *app, uint64_t id, struct reply *reply);
void app_conn(struct app *app, enum conn_state state, const char *why, int64_t retry_in_ms);
void app_heard(struct app *app, int64_t at_ms); /* the server gave a sign of life then */
bool app_late(const struct app *app);           /* connected, but nothing was heard for too long */
void app_whoami(struct app *app, const char *actor, bool read_only);

/* Draws the whole screen onto app->canvas. */
void app_draw(struct app *app, int rows, int cols);
/* When the screen changes by itself next (monotonic milliseconds). */
int64_t app_next_ms(const struct app *app);

/* For commands and views. */
struct list *app_list(struct app *app); /* the one in front; never NULL */
enum list_id app_list_id(const struct app *app);
struct m_node *app_node(const struct app *app); /* the open node, NULL */
void app_go(struct app *app, enum view_id view, int sub, const char *node);
bool app_back(struct app *app);
void app_forward(struct app *app);
void app_last(struct app *app);
void app_flash(struct app *app, enum role role, const char *format, ...) PRINTF_LIKE(3, 4);
void app_thaw(struct app *app);
/* Asks the terminal to keep text for pasting, and says so; what names it. */
void app_copy(struct app *app, const char *text, const char *what);
const char *app_why_not_write(const struct app *app); /* why nothing can be changed now, NULL: it can */

/* The rows that an action is for: the marked ones of the list in front, else the one under the cursor. */
struct rows {
    struct row **items;
    size_t len, cap;
};
void app_targets(struct app *app, struct rows *out);
/* Marked rows that belong to the list in front, in the order of the list, those that the filter hides last. */
void app_marked(const struct app *app, struct rows *out, size_t *hidden);

/* What the last change was answered with in its dialog, so that it can be repeated without asking. */
void app_repeat_with(struct app *app, const char *arg);

void app_plan(struct app *app, struct plan *plan); /* takes it over: shows it or carries it out */
void plan_apply(struct app *app, struct plan *plan);
void plan_close(struct app *app, struct plan *plan);
bool plan_reply(struct app *app, uint64_t id, struct reply *reply);
void undo_release(struct undo *u);

void prompt_open(struct app *app, enum prompt_kind kind, const char *text);
void prompt_key(struct app *app, int key);
void prompt_draw(struct app *app, struct canvas *c, struct rect at);
void prompt_release(struct app *app);

void node_view_draw(struct app *app, struct canvas *c, struct rect body, bool focused);
void node_peek_draw(struct app *app, struct canvas *c, struct rect at, struct row *row);
void why_lines(struct app *app, const struct row *row, struct buf *out);
enum glyph node_glyph(const struct m_node *n);
void pane_section(struct canvas *c, int row, int col, int width, const char *left, const char *right);

extern const struct list_def nodes_def, routes_def, prefixes_def, events_def, pending_def, users_def, preauth_def,
    api_def, detail_def, ha_def, exit_def, policy_def;
void pane_prefix(struct app *app, struct canvas *c, struct rect at);
void pane_routes(struct app *app, struct canvas *c, struct rect at);
bool ha_is_group(const struct row *prefix);
bool ha_is_degraded(const struct row *prefix);
void pane_event(struct app *app, struct canvas *c, struct rect at);
void pane_pending(struct app *app, struct canvas *c, struct rect at);
void tail_draw(struct app *app, struct canvas *c, struct rect at);

/* Kinds of hits on the canvas. */
enum hit_kind { HIT_ROW = 1, HIT_COLUMN, HIT_TAB, HIT_COMMAND, HIT_CHOICE, HIT_TEXT };

#endif
