/* SPDX-License-Identifier: BSD-3-Clause */
/* What a check found, and what it may cost. */
#include <stdarg.h>
#include <stdio.h>

#include "policy/answers/check.h"

int check_problem(struct policy_check *c, size_t offset, bool warning, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    return problem_at(c->problems, c->v->p->text, c->v->p->len, offset, warning, "%s", line);
}

bool check_spend(struct policy_check *c, size_t steps, size_t offset)
{
    if (c->left >= steps && !view_is_cancelled(c->v)) {
        c->left -= steps;
        return true;
    }
    c->left = 0;
    if (!c->exhausted)
        check_problem(c, offset, false,
                      "the check stops here: the tests need more than %u comparisons (use fewer or narrower ones)",
                      CHECK_BUDGET);
    c->exhausted = true;
    return false;
}
