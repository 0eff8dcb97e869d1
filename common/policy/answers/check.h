/* SPDX-License-Identifier: BSD-3-Clause */
/* One check of a policy against its tailnet, inside answers. */
#ifndef COMMON_POLICY_ANSWERS_CHECK_H
#define COMMON_POLICY_ANSWERS_CHECK_H

#include "policy/view/view.h"

/* Comparisons of one check, about a second's worth. What a policy asks for beyond is refused, as anybody with a key may
 * ask for a check. */
#define CHECK_BUDGET 100000000U

struct policy_check {
    const struct policy_view *v;
    struct policy_problems *problems;
    struct addr_ranges *lists;   /* by source list, filled when asked for; an unfilled one has cap 0 */
    struct addr_ranges *targets; /* by principal, likewise */
    struct addr_ranges tailnet;  /* the tailnet's own: "*" as a destination of a grant with via */
    struct map sources;          /* of tests, by selector: struct addr_ranges * */
    uint64_t left;               /* of CHECK_BUDGET */
    bool exhausted;              /* said so */
    size_t errors;
    struct policy_outcomes *outcomes; /* of tests; NULL: nobody asks */
    size_t at_offset; /* the last place that a line was looked up for, and the line: tests come in order */
    unsigned at_line;
};

int check_problem(struct policy_check *c, size_t offset, bool warning, const char *format, ...) PRINTF_LIKE(4, 5);
/* Takes steps from the budget; false, with a problem at offset, when it is used up. */
bool check_spend(struct policy_check *c, size_t steps, size_t offset);

/* What became of a test: it failed where errors were added since errors_before. */
void check_tell(struct policy_check *c, size_t errors_before, const struct policy_outcome *outcome, size_t offset);

void check_run_tests(struct policy_check *c);
void check_run_ssh_tests(struct policy_check *c);

#endif
