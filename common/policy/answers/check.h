/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of one check of a policy against its tailnet; private to answers. */
#ifndef COMMON_POLICY_ANSWERS_CHECK_H
#define COMMON_POLICY_ANSWERS_CHECK_H

#include "policy/view/view.h"

/* Comparisons in one check, about a second's worth. A policy that needs more is refused, because anybody with a key may
 * request a check. */
#define CHECK_BUDGET 100000000U

struct policy_check {
    const struct policy_view *v;
    struct policy_problems *problems;
    struct addr_ranges *lists;   /* by source list, filled on demand; cap is 0 before that */
    struct addr_ranges *targets; /* by principal, filled likewise */
    struct addr_ranges tailnet;  /* the tailnet's own ranges: "*" as a destination of a grant with via */
    struct map sources;          /* of tests, by selector: struct addr_ranges * */
    uint64_t left;               /* of CHECK_BUDGET */
    bool exhausted;              /* reported */
    size_t errors;
    struct policy_outcomes *outcomes; /* of tests; NULL: not wanted */
    size_t at_offset;                 /* the last place whose line was looked up, and the line: tests come in order */
    unsigned at_line;
};

int check_problem(struct policy_check *c, size_t offset, bool warning, const char *format, ...) PRINTF_LIKE(4, 5);
/* Takes steps from the budget; if it is used up, reports a problem at offset and returns false. */
bool check_spend(struct policy_check *c, size_t steps, size_t offset);

/* Records the outcome of a test: it failed if errors were added since errors_before. */
void check_tell(struct policy_check *c, size_t errors_before, const struct policy_outcome *outcome, size_t offset);

void check_run_tests(struct policy_check *c);
void check_run_ssh_tests(struct policy_check *c);

#endif
