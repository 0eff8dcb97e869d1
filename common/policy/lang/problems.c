/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/lang/parse.h"

void policy_problems_release(struct policy_problems *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->items[i].text);
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

__attribute__((format(printf, 6, 0))) static void add(struct policy_problems *problems, const char *text, size_t len,
                                                      size_t offset, bool warning, const char *format, va_list args)
{
    struct policy_problem *p = vec_add(problems);
    struct buf b = BUF_INIT(4096);
    char line[1024];

    *p = (struct policy_problem){.warning = warning};
    vsnprintf(line, sizeof(line), format, args);
    str_safe(&b, line, strlen(line));
    p->text = buf_take(&b);
    if (offset != SIZE_MAX)
        hujson_place(text, len, offset, &p->line, &p->column);
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

int parse_error(struct policy_parser *x, size_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(x->problems, x->text, x->len, offset, false, format, args);
    va_end(args);
    x->bad = true;
    return ERR_INVALID;
}
