/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's answers about a policy as lines for the screen. All texts of it are made safe to print. */
#ifndef TUI_CONSOLE_POLICY_POLICY_REVIEW_H
#define TUI_CONSOLE_POLICY_POLICY_REVIEW_H

#include "console/screen/theme.h"
#include "policy/policy.h"
#include "json/json.h"

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

void review_clear(struct review *r);
void review_add(struct review *r, enum role role, char sign, const char *format, ...) PRINTF_LIKE(4, 5);
void review_difference(struct review *r, const char *old, size_t old_len, const char *fresh, size_t fresh_len);

/* Pairs of devices that lose and gain access. */
struct review_pairs {
    uint64_t lost, gained;
};

/* A line of a text; number 0: without one. It need not end in a NUL. */
void review_code(struct review *r, enum role role, char sign, size_t number, const char *text, size_t len);

struct review_panes {
    struct review *access, *tests, *routes, *cost;
};
/* The answer of POST policy/preview; the panes are emptied first. False where the server would refuse the text. */
bool review_preview(const struct review_panes *panes, const json_t *answer, struct review_pairs *pairs);

/* Its findings among the problems of the text; those that are there already are not told twice. */
void review_findings(const json_t *answer, struct policy_problems *problems);

#endif
