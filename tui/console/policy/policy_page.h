/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy as one works on it: the text as the server has it, what was typed since, what is wrong with it, what
 * saving it would change, and what to do when somebody else was faster. What was typed is never given up without being
 * asked for: it is kept in a file while it is unsaved. */
#ifndef TUI_CONSOLE_POLICY_POLICY_PAGE_H
#define TUI_CONSOLE_POLICY_POLICY_PAGE_H

#include "console/app/view.h"
#include "console/policy/policy_checker.h"
#include "console/policy/policy_review.h"
#include "console/text/draft.h"
#include "console/text/editor.h"
#include "console/text/merge.h"

struct app;
struct reply;

enum policy_page_mode { POLICY_READ, POLICY_EDIT, POLICY_REVIEW, POLICY_MERGE };

/* Questions that lie over the text. */
enum policy_question {
    QUESTION_NOTHING,
    QUESTION_DRAFT,
    QUESTION_CONFLICT,
    QUESTION_ADOPT,
    QUESTION_REVERT,
    QUESTION_KINDS
};

/* Requests, of which one each may be under way. */
enum policy_request {
    POLICY_REQUEST_GET,
    POLICY_REQUEST_THEIRS,
    POLICY_REQUEST_PREVIEW,
    POLICY_REQUEST_SAVE,
    POLICY_REQUEST_ADOPT,
    POLICY_REQUEST_LOG,
    POLICY_REQUEST_VERSION,
    POLICY_REQUEST_ANCESTOR,
    POLICY_REQUEST_KINDS
};

enum review_pane { PANE_ACCESS, PANE_TEXT, PANE_TESTS, PANE_ROUTES, PANE_COST, PANE_COUNT };

/* Somebody else's text and this one, see policy_merge.c. */
struct policy_merge {
    struct merge merge;
    char *texts[3]; /* base, theirs, mine: what merge points into */
    size_t lens[3];
    uint64_t version; /* of theirs */
    size_t at;        /* the conflict that is chosen next */
    struct review shown;
    VEC(size_t) places; /* of the conflicts in shown */
    char *overlap;      /* what a merge would meet; NULL */
};

struct policy_page {
    struct editor editor;
    enum policy_page_mode mode, before; /* before: the mode that a review goes back to */
    enum policy_question question;
    bool loaded, file, behind;     /* file: the policy is the file's; behind: the server has another one than base */
    bool look;                     /* the review is only looked at ... */
    enum policy_question look_for; /* ... for this question, which comes back then */
    bool restoring;                /* the version that is fetched becomes the text; else it is only compared */
    uint64_t version;              /* of the text that was edited; 0: there was no policy */
    uint64_t base_version;         /* of base: another one only where a draft of an older version is edited */
    char *base;                    /* the text that the typed one is made from, as the server had it */
    size_t base_len;
    char *theirs; /* the server's text when it was not base; NULL */
    size_t theirs_len;
    uint64_t theirs_version;
    char *trouble; /* why there is nothing to show; NULL */
    char *asked;   /* ":policy log" and its like, until the policy is read; NULL */

    struct policy_problems problems;        /* of the text with the serial checked; those that the server told, too */
    VEC(struct policy_line_change) changes; /* of the same text */
    bool broken;                            /* it cannot even be read: the server need not be asked */
    uint64_t checked, sent;                 /* sent: the serial that was handed to the checker last */
    int64_t check_ms, since_ms;             /* when the next check is due and since when one is; 0: none */
    uint64_t compared;                      /* the serial for which modified is true */
    bool modified;

    uint64_t calls[POLICY_REQUEST_KINDS]; /* ids of requests under way; 0: none */
    bool changed_there;                   /* the journal told of another policy */
    struct review panes[PANE_COUNT];
    enum review_pane pane;
    bool accepted;     /* the server would take the text of the review */
    uint64_t reviewed; /* the serial of that text */
    struct review_pairs pairs;
    char *note; /* why it is saved, NULL: nothing was said */
    struct policy_merge merging;

    struct checker *checker; /* NULL: texts are checked at once */

    struct drafts drafts; /* what other consoles left behind */
    char *draft;          /* the file of this one; NULL: none is kept */
    bool draft_written;
};

extern const struct console_view policy_view;
struct policy_page *policy_page_of(const struct app *app);

/* Who checks the text while it is typed and keeps its draft; NULL: it is done at once. */
void policy_page_set_checker(struct app *app, struct checker *checker);
void policy_page_checked(struct app *app, struct check_result *result); /* takes over what is in it */
/* Drafts are kept in this folder; those that are there are offered. */
void policy_page_drafts(struct app *app, const char *state_dir);
/* At the end: true where unsaved text is kept. Nothing else may write the draft any more. */
bool policy_page_keep(struct app *app);
/* Brings the view to the front, with the cursor in that line. */
void policy_page_show_line(struct app *app, unsigned line);
/* What another editor made of the text; takes it over. */
void policy_page_edited(struct app *app, char *text, size_t len);

/* The rest is for the files of the policy view. */
/* Which server the text is for: what it calls itself, and how it is reached. Two of one name are told apart by that.
 * The caller owns it. */
char *policy_page_server(const struct app *app);
void policy_page_check(struct app *app); /* now */
bool policy_page_modified(struct app *app);
/* body NULL: none. */
void policy_page_send(struct app *app, enum policy_request call, const char *method, const char *path,
                      const char *body);
void policy_page_preview(struct app *app);
void policy_page_save(struct app *app);
void policy_page_base(struct app *app, const char *text, size_t len, uint64_t version);
void policy_page_changed(struct app *app); /* the text changed: check it soon */
void policy_page_next_problem(struct app *app);
/* ":policy log", "diff VERSION", "restore VERSION". */
bool policy_page_words(struct app *app, bool named, const char *text);
void policy_page_ask(struct app *app); /* what waited for the policy to be read */
/* Shows the text pane; what it was for is asked again behind it. */
void policy_page_look(struct app *app, enum policy_question look_for);
/* policy_merge.c */
extern const struct command_table policy_merge_commands;
void policy_merge_release(struct policy_merge *g);
void policy_merge_foresee(struct app *app); /* theirs is here: what would a merge meet? */
void policy_merge_start(struct app *app);
void policy_merge_ancestor(struct app *app, const json_t *answer, const char *trouble); /* answer NULL: none */
bool policy_merge_escape(struct app *app);
/* policy_typing.c */
extern const struct command_table policy_typing_commands;
/* policy_hover.c */
void policy_page_quiet(struct app *app, struct canvas *c, struct rect at);
/* policy_versions.c */
extern const struct command_table policy_version_commands;
void policy_versions_list(struct app *app, const json_t *answer);
void policy_versions_take(struct app *app, const json_t *answer);
/* policy_questions.c */
bool policy_question_key(struct app *app, int key);
void policy_question_draw(struct app *app, struct canvas *c);
/* policy_commands.c */
extern const struct command_table policy_page_commands;
bool policy_page_escape(struct app *app);
bool policy_page_key(struct app *app, int key);
void policy_page_click(struct app *app, int row, int col);
void policy_page_move(struct app *app, long lines);
/* policy_view.c */
void policy_page_draw(struct app *app, struct canvas *c, struct rect at, bool focused);
int policy_page_facts(struct app *app, struct canvas *c, int col, int limit);
/* A problem's text without the place, which is told beside it; borrowed. */
const char *policy_page_problem_text(const struct policy_problem *p);

#endif
