/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that looks at the policy's text while it is typed: what is wrong with it, and the draft on the disk. Only
 * the newest text is looked at. */
#ifndef TUI_CONSOLE_POLICY_POLICY_CHECKER_H
#define TUI_CONSOLE_POLICY_POLICY_CHECKER_H

#include "base/vec.h"
#include "policy/policy.h"

/* A line of the text, from 0, that is not as the server has it. */
struct policy_line_change {
    size_t line;
    bool added; /* else it replaces another one */
};

struct check_job {
    uint64_t serial;
    char *text; /* NULL: none is checked */
    size_t len;
    char *base; /* the text that it is compared with; NULL: it is not compared */
    size_t base_len;
    char *draft; /* the file of the draft; NULL: it stays as it is */
    bool remove; /* the draft goes, instead of being written */
    char *server;
    uint64_t version;
    struct strs users; /* name, email and provider's id of each, one after the other; none: they are not known */
};

struct check_result {
    uint64_t serial;
    struct policy_problems problems;
    VEC(struct policy_line_change) changes; /* in the order of lines */
    char *trouble;                          /* why the draft could not be written; NULL */
};

/* Does the job where it is called; releases it. False where it had no text. */
bool check_do(struct check_job *job, struct check_result *out);
void check_result_release(struct check_result *r);

struct checker;

struct checker *checker_start(void);
void checker_stop(struct checker *c); /* waits for what is being done; what was not begun is dropped */
int checker_fd(const struct checker *c);
void checker_send(void *checker, struct check_job *job); /* takes it over */
bool checker_take(struct checker *c, struct check_result *out);

#endif
