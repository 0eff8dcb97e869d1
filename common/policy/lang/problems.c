/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/lang/parse.h"

void policy_problems_release(struct policy_problems *p)
{
    for (size_t i = 0; i < p->len; i++) {
        free(p->items[i].text);
        free(p->items[i].wrong);
        free(p->items[i].fix);
    }
    vec_release(p);
}

bool policy_problems_fatal(const struct policy_problems *p)
{
    for (size_t i = 0; i < p->len; i++)
        if (!p->items[i].warning)
            return true;
    return false;
}

static void add_one(struct buf *out, const struct policy_problem *p)
{
    char place[48];

    buf_adds(out, p->text);
    snprintf(place, sizeof(place), "line %u, column %u", p->line, p->column);
    if (p->line && !strstr(p->text, place))
        buf_addf(out, " (%s)", place);
}

void policy_problems_text(const struct policy_problems *p, struct buf *out)
{
    size_t errors = 0;

    for (size_t i = 0; i < p->len; i++)
        errors += !p->items[i].warning;
    if (errors > 1)
        buf_adds(out, "multiple errors:");
    for (size_t i = 0; i < p->len; i++) {
        if (p->items[i].warning)
            continue;
        if (errors > 1)
            buf_adds(out, "\n\t");
        add_one(out, &p->items[i]);
    }
}

/* A text can be wrong in very many places, and finding the line of each takes time. */
#define PROBLEMS_MAX 200

__attribute__((format(printf, 6, 0))) static void add(struct policy_problems *problems, const char *text, size_t len,
                                                      size_t offset, bool warning, const char *format, va_list args)
{
    struct buf b = BUF_INIT(4096);
    char line[1024];

    if (problems->len > PROBLEMS_MAX || (warning && problems->len == PROBLEMS_MAX))
        return;
    struct policy_problem *p = vec_add(problems);
    *p = (struct policy_problem){.warning = warning};
    if (problems->len > PROBLEMS_MAX) {
        p->text = mem_strdup("there are more problems than are listed here");
        return;
    }
    vsnprintf(line, sizeof(line), format, args);
    str_safe(&b, line, strlen(line));
    p->text = buf_take(&b);
    if (offset != SIZE_MAX)
        str_place(text, len, offset, &p->line, &p->column);
}

int problem_at(struct policy_problems *problems, const char *text, size_t len, size_t offset, bool warning,
               const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(problems, text, len, offset, warning, format, args);
    va_end(args);
    return warning ? 0 : ERR_INVALID;
}

static int by_place(const void *a, const void *b)
{
    const struct policy_problem *x = a, *y = b;

    if (!x->line != !y->line)
        return x->line ? -1 : 1;
    return x->line != y->line ? (x->line > y->line ? 1 : -1) : (x->column > y->column) - (x->column < y->column);
}

void problems_sort(struct policy_problems *problems, size_t from)
{
    if (problems->len > from)
        qsort(problems->items + from, problems->len - from, sizeof(*problems->items), by_place);
}

int parse_error(struct policy_parser *x, size_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(x->problems, x->text, x->len, offset, false, format, args);
    va_end(args);
    x->errors++;
    return ERR_INVALID;
}

void problem_caused(struct policy_problems *problems, unsigned line)
{
    if (problems->len && problems->len < PROBLEMS_MAX)
        problems->items[problems->len - 1].cause = line;
}

void problem_meant(struct policy_problems *problems, const char *wrong, const char *meant)
{
    struct policy_problem *last = problems->len ? &problems->items[problems->len - 1] : NULL;

    if (!meant || !last || !last->line || last->fix)
        return;
    last->wrong = mem_strdup(wrong);
    last->fix = mem_strdup(meant);
}

void parse_meant(struct policy_parser *x, const char *wrong, const char *meant)
{
    problem_meant(x->problems, wrong, meant);
}

int parse_too_big(struct policy_parser *x, size_t offset)
{
    return parse_error(x, offset, "the policy needs too much memory");
}
