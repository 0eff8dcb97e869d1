/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy as one works on it: the text as the server has it, what was typed since, what is wrong with it, what
 * saving it would change, and what to do when somebody else was faster. What was typed is never given up without being
 * asked for: it is kept in a file while it is unsaved. */
#ifndef TUI_CONSOLE_POLICY_POLICY_PAGE_H
#define TUI_CONSOLE_POLICY_POLICY_PAGE_H

#include "console/policy/policy_checker.h"
#include "console/text/draft.h"
#include "console/text/editor.h"

struct app;
struct reply;

enum desk_mode { DESK_READ, DESK_EDIT, DESK_REVIEW };

/* Questions that lie over the text. */
enum desk_ask { ASK_NOTHING, ASK_DRAFT, ASK_CONFLICT, ASK_ADOPT, ASK_REVERT, ASK_KINDS };

/* Requests, of which one each may be under way. */
enum desk_call { CALL_GET, CALL_THEIRS, CALL_PREVIEW, CALL_SAVE, CALL_ADOPT, CALL_EXPLAIN, CALL_KINDS };

struct review_line {
    enum role role;
    char sign[2];
    char *text;
};
struct review {
    struct review_line *items;
    size_t len, cap;
    size_t top;
};

enum review_pane { PANE_ACCESS, PANE_TEXT, PANE_COUNT };

struct desk {
    struct editor editor;
    enum desk_mode mode, before; /* before: the mode that a review goes back to */
    enum desk_ask ask;
    bool loaded, file, behind; /* file: the policy is the file's; behind: the server has another one than base */
    bool look;                 /* the review is only looked at, for the question about a conflict */
    uint64_t version;          /* of base; 0: there was no policy */
    char *base;                /* the text that the typed one is made from, as the server had it */
    size_t base_len;
    char *theirs; /* the server's text when it was not base; NULL */
    size_t theirs_len;
    uint64_t theirs_version;
    char *trouble; /* why there is nothing to show; NULL */

    struct policy_problems problems; /* of the text with the serial checked; those that the server told, too */
    bool broken;                     /* it cannot even be read: the server need not be asked */
    uint64_t checked, sent;          /* sent: the serial that was handed to the checker last */
    int64_t check_ms, since_ms;      /* when the next check is due and since when one is; 0: none */
    uint64_t compared;               /* the serial for which modified is true */
    bool modified;

    uint64_t calls[CALL_KINDS]; /* ids of requests under way; 0: none */
    bool changed_there;         /* the journal told of another policy */
    struct review panes[PANE_COUNT];
    enum review_pane pane;
    bool accepted;             /* the server would take the text of the review */
    uint64_t reviewed, losses; /* the serial of that text; pairs that lose access */

    struct buf paste;
    bool pasting;
    int64_t paste_ms;

    struct drafts drafts; /* what other consoles left behind */
    char *draft;          /* the file of this one; NULL: none is kept */
    bool draft_written;
};

void desk_init(struct app *app);
void desk_release(struct app *app);
/* Drafts are kept in this folder; those that are there are offered. */
void desk_drafts(struct app *app, const char *state_dir);
/* At the end: true where unsaved text is kept. Nothing else may write the draft any more. */
bool desk_keep(struct app *app);

/* The view came to the front, or the connection is back. */
void desk_enter(struct app *app);
void desk_tick(struct app *app);
int64_t desk_next_ms(const struct app *app, int64_t next);
bool desk_modified(struct app *app);
unsigned desk_where(const struct app *app);

/* Keys that are no command; true where the key was for a question, even for one that does nothing. */
bool desk_asked(struct app *app, int key);
bool desk_key(struct app *app, int key);
void desk_click(struct app *app, int row, int col);
void desk_move(struct app *app, long lines);
bool desk_escape(struct app *app);

/* What is pasted, wherever the cursor is. True while a paste goes on: the key was taken. */
bool desk_paste(struct app *app, int key);

bool desk_reply(struct app *app, uint64_t id, struct reply *reply);
void desk_checked(struct app *app, struct check_result *result); /* takes over what is in it */
void desk_edited(struct app *app, char *text, size_t len);       /* what an editor outside made of it; takes it over */

void desk_draw(struct app *app, struct canvas *c, struct rect at);
void desk_draw_question(struct app *app, struct canvas *c);
int desk_facts(struct app *app, struct canvas *c, int col, int limit);

/* For the files of the desk. body NULL: none. */
void desk_send(struct app *app, enum desk_call call, const char *method, const char *path, const char *body);
void desk_preview(struct app *app);
void desk_save(struct app *app);
void desk_base(struct app *app, const char *text, size_t len, uint64_t version);
void desk_changed(struct app *app); /* the text changed: check it soon */
void desk_next_problem(struct app *app);
/* A problem's text without the place, which is told beside it; borrowed. */
const char *desk_problem_text(const struct policy_problem *p);

/* policy_review.c */
void review_clear(struct review *r);
void review_add(struct review *r, enum role role, char sign, const char *format, ...) PRINTF_LIKE(4, 5);
void review_difference(struct review *r, const char *old, size_t old_len, const char *fresh, size_t fresh_len);

#endif
