/* SPDX-License-Identifier: BSD-3-Clause */
/* The problems that a check found, and its budget. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "policy/answers/check.h"

#define OUTCOMES_MAX 1000

int check_problem(struct policy_check *c, size_t offset, bool warning, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    c->errors += !warning;
    return problem_at(c->problems, c->v->p->text, c->v->p->len, offset, warning, "%s", line);
}

static unsigned line_of(struct policy_check *c, size_t offset)
{
    if (!c->at_line || offset < c->at_offset) {
        c->at_offset = 0;
        c->at_line = 1;
    }
    for (; c->at_offset < offset && c->at_offset < c->v->p->len; c->at_offset++)
        c->at_line += c->v->p->text[c->at_offset] == '\n';
    return c->at_line;
}

void check_tell(struct policy_check *c, size_t errors_before, const struct policy_outcome *outcome, size_t offset)
{
    bool passed = c->errors == errors_before;

    if (!c->outcomes || c->exhausted)
        return;
    *(passed ? &c->outcomes->passed : &c->outcomes->failed) += 1;
    if (c->outcomes->len >= OUTCOMES_MAX)
        return;
    struct policy_outcome *o = vec_add(c->outcomes);
    *o = *outcome;
    o->line = line_of(c, offset);
    o->passed = passed;
    o->source = mem_strdup(outcome->source);
    o->target = mem_strdup(outcome->target);
}

void policy_outcomes_release(struct policy_outcomes *o)
{
    for (size_t i = 0; i < o->len; i++) {
        free(o->items[i].source);
        free(o->items[i].target);
    }
    vec_release(o);
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
