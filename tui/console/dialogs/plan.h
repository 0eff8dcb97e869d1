/* SPDX-License-Identifier: BSD-3-Clause */
/* What an action is about to do: calls to the server, and for each object before and after. A plan is tried without
 * effect first (dry run) where it is shown, then carried out call by call. */
#ifndef TUI_CONSOLE_DIALOGS_PLAN_H
#define TUI_CONSOLE_DIALOGS_PLAN_H

#include "console/app/command.h"
#include "console/model/decode.h"
#include "console/text/line_input.h"

enum plan_request_state {
    REQUEST_NEW,
    REQUEST_CHECKING,
    REQUEST_READY,
    REQUEST_REFUSED,
    REQUEST_APPLYING,
    REQUEST_DONE,
    REQUEST_FAILED
};

struct plan_request {
    char *method, *path, *body; /* body: JSON, or "" */
    uint64_t version;           /* for If-Match; 0: none */
    enum row_kind result;       /* what the answer's object is; ROW_KINDS: none */
    enum plan_request_state state;
    bool left_out;
    char *message;  /* the server's reason; NULL */
    char *warnings; /* what it says is wrong with what is asked for, lines as in dialog_text; NULL: nothing */
    uint64_t id;    /* of the request that is under way */
};

struct plan_step {
    size_t call;
    char *what, *before, *after;
    char *outcome;      /* what the server says comes of it: "gw-2 serves it"; NULL: it did not say */
    enum row_kind kind; /* whose mark goes when it is done: a row of this kind ... */
    char *key;          /* ... with this key, ... */
    char *node;         /* ... for routes, of this node; NULL */
};

/* What a plan would do to routes: its requests are told to the server as a question ("what if"), which answers with
 * figures for each viewer. They arrive after the plan is on the screen; nobody waits for them. */
struct plan_effects {
    bool wanted; /* some request of the plan can change who serves what */
    uint64_t id; /* of the question that is under way; 0: none is */
    bool known;
    struct api_simulation answer; /* where known */
    char *refused;                /* why there is none; NULL */
    char *text;                   /* lines as in dialog_text: warnings, then figures */
    size_t top;                   /* the line that is shown first */
};

struct plan {
    struct plan *next;
    enum risk risk;
    bool undoable, shown;
    int64_t sent_ms;   /* it is being carried out since; 0: not yet */
    int64_t undoes_ms; /* it takes back the change that was made then; 0: it is none */
    int64_t redoes_ms; /* it does again what was taken back then; 0 */
    bool takes_back;   /* it is an undo, of the change that is called what */
    bool final;        /* the server cannot take all of it back */
    char *what;        /* NULL */
    char *verb;        /* "approve" */
    char *title;       /* "approve 2 routes on 2 nodes" */
    char *done;        /* "2 routes approved on gw-1, gw-2" */
    char *note;        /* a warning below the list, or NULL */
    char *word;        /* what has to be typed; NULL */
    struct line typed;
    VEC(struct plan_step) steps;
    VEC(struct plan_request) calls;
    struct strs events; /* journal entries it made */
    size_t cursor;
    struct plan_effects effects;
    char *secret;            /* a key that it made; NULL */
    bool may_join;           /* the secret lets a node join: the command is shown, too */
    uint64_t policy_request; /* that asks what a policy changes; 0: none is under way */
    uint64_t asked_keys;     /* app->keys then */
    struct dialog *asked_in; /* where it was typed, until it is done; NULL */
};

struct plan *plan_new(enum risk risk, const char *verb);
void plan_free(struct plan *p);

/* Takes over path and body. Returns the call's number. */
size_t plan_add_request(struct plan *p, const char *method, char *path, char *body, uint64_t version,
                        enum row_kind result);
/* node: for a route's row, its node's key; NULL else. Texts are copied. */
void plan_add_step(struct plan *p, size_t call, const struct row *row, const char *node, const char *what,
                   const char *before, const char *after);

size_t plan_count(const struct plan *p, enum plan_request_state state);
bool plan_settled(const struct plan *p); /* no request of it is under way */

/* plan_run.c. Shows the plan, or carries it out where that needs no question. Takes it over. */
void plan_submit(struct app *app, struct plan *plan);
void plan_apply(struct app *app, struct plan *plan); /* carries it out */
void plan_close(struct app *app, struct plan *plan); /* gives it up */
void plans_release(struct app *app);
/* Of a change that was sent and has no answer for more than a second: what it is and since when; NULL: there is none.
 */
const struct plan *plan_unanswered(const struct app *app);
void plan_unanswered_text(const struct app *app, const struct plan *plan, char *text, size_t size);
/* The answer to one of its requests; false where it is of no plan. */
bool plan_reply(struct app *app, uint64_t id, struct reply *reply);

/* plan_dialog.c: shows it, and asks. */
void plan_dialog(struct app *app, struct plan *plan);

/* ---- plan_effects.c ---- */

/* Asks anew, for what is neither left out nor refused. */
void plan_effects_ask(struct app *app, struct plan *plan);
/* The answer to the question; false where it is not. */
bool plan_effects_reply(struct plan *plan, uint64_t id, struct reply *reply);
/* What is to be watched after the request was carried out, as in app->watched; NULL: nothing. The caller owns it. */
char *plan_request_watch(const struct plan_request *call);
/* The text anew, after the server said something. */
void plan_effects_tell(struct plan *plan);
void plan_effects_release(struct plan_effects *e);

/* ---- plan_policy.c ---- */

/* Of a plan that is shown: inverse is the JSON of a journal entry that changed the policy. */
void plan_policy_ask(struct app *app, struct plan *plan, const char *inverse);
bool plan_policy_reply(struct plan *plan, uint64_t id, const struct reply *reply);
/* So many pairs of that many devices gain access that a word has to be typed. */
bool policy_opens_much(uint64_t gained, uint64_t nodes);

/* One line for one prefix of an answer, without its end: "10.0.0.0/8 moves from a to b: 3 nodes". True where somebody
 * loses something. */
bool simulated_prefix_text(const struct api_simulated_prefix *p, struct buf *out);

#endif
