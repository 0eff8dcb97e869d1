/* SPDX-License-Identifier: BSD-3-Clause */
/* Columns that only copy what a row holds, and orders of what rows hold. */
#ifndef TUI_CONSOLE_MODEL_COLUMNS_H
#define TUI_CONSOLE_MODEL_COLUMNS_H

#include "console/model/list.h"
#include "console/model/relative_time.h"

#define FILL(name, type, expression, colour)                                                                           \
    static void name(const struct row *row, const struct clock_reading *at, struct list_field *out)                    \
    {                                                                                                                  \
        const struct type *o = (const struct type *)row;                                                               \
                                                                                                                       \
        (void)at;                                                                                                      \
        str_copy(out->text, sizeof(out->text), expression);                                                            \
        out->role = (colour);                                                                                          \
    }
#define FILL_AGO(name, type, member)                                                                                   \
    static void name(const struct row *row, const struct clock_reading *at, struct list_field *out)                    \
    {                                                                                                                  \
        char text[AGO_MAX];                                                                                            \
                                                                                                                       \
        str_copy(out->text, sizeof(out->text), ago_text(((const struct type *)row)->api.member, at->now_ns, text));    \
        out->role = ROLE_TIME;                                                                                         \
    }
#define BY(name, type, expression)                                                                                     \
    static int name(const struct row *a, const struct row *b)                                                          \
    {                                                                                                                  \
        const struct type *p = (const struct type *)a, *q = (const struct type *)b;                                    \
                                                                                                                       \
        return expression;                                                                                             \
    }
#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))

#endif
