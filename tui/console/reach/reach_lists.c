/* SPDX-License-Identifier: BSD-3-Clause */
/* The ends as lists: their columns and filters. */
#include <stdio.h>

#include "base/array.h"
#include "console/reach/reach.h"

static const struct reach_row *end_of(const struct row *row)
{
    return (const struct reach_row *)row;
}

static const struct reach_answer *answer_of(const struct row *row)
{
    static const struct reach_answer nothing;

    return end_of(row)->answer_count ? &end_of(row)->answers[0] : &nothing;
}

static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct reach_answer *a = answer_of(row);

    (void)at;
    out->glyph = (int)(!a->some ? GLYPH_REFUSED : a->all ? GLYPH_DONE : GLYPH_STALE);
}

static void fill_name(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), end_of(row)->text);
    out->role = ROLE_NAME;
}

static void fill_kind(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), end_of(row)->kind);
    out->role = ROLE_FAINT;
}

static void fill_what(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct reach_answer *a = answer_of(row);

    (void)at;
    snprintf(out->text, sizeof(out->text), "%s%s", a->some ? a->what : "-", a->some && !a->all ? " (some)" : "");
    out->role = !a->some ? ROLE_FAINT : a->all ? ROLE_OK : ROLE_WAIT;
}

static void fill_line(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    if (answer_of(row)->line)
        snprintf(out->text, sizeof(out->text), "%u", answer_of(row)->line);
    else
        str_copy(out->text, sizeof(out->text), "-");
    out->role = ROLE_KEY;
}

static void fill_by(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), answer_of(row)->to ? answer_of(row)->to : "-");
    out->role = ROLE_FAINT;
}

static void fill_nodes(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct reach_row *r = end_of(row);

    (void)at;
    if (r->nodes)
        snprintf(out->text, sizeof(out->text), "%llu/%llu", (unsigned long long)r->online,
                 (unsigned long long)r->nodes);
    else
        str_copy(out->text, sizeof(out->text), "-");
    out->role = ROLE_FAINT;
}

static int by_number(const struct row *a, const struct row *b)
{
    return strverscmp(a->key, b->key);
}

static int by_name(const struct row *a, const struct row *b)
{
    return strverscmp(end_of(a)->text, end_of(b)->text);
}

static int by_kind(const struct row *a, const struct row *b)
{
    return strcmp(end_of(a)->kind, end_of(b)->kind);
}

static int by_answer(const struct row *a, const struct row *b)
{
    const struct reach_answer *p = answer_of(a), *q = answer_of(b);

    return p->some != q->some ? (p->some ? -1 : 1) : p->some ? strcmp(p->what, q->what) : 0;
}

static int by_line(const struct row *a, const struct row *b)
{
    return (answer_of(a)->line > answer_of(b)->line) - (answer_of(a)->line < answer_of(b)->line);
}

#define COLUMN_NAME(head)                                                                                              \
    {                                                                                                                  \
        .title = (head), .key = "name", .name = true, .least = 14, .wish = 22, .share = 2, .fill = fill_name,          \
        .compare = by_name                                                                                             \
    }
#define COLUMNS(head, by)                                                                                              \
    {.title = "S", .key = "order", .least = 2, .wish = 2, .fill = fill_sign, .compare = by_number}, COLUMN_NAME(head), \
        {.title = "KIND", .key = "kind", .least = 6, .wish = 8, .rank = 2, .fill = fill_kind, .compare = by_kind},     \
        {.title = "WHAT",                                                                                              \
         .key = "what",                                                                                                \
         .least = 12,                                                                                                  \
         .wish = 20,                                                                                                   \
         .share = 3,                                                                                                   \
         .fill = fill_what,                                                                                            \
         .compare = by_answer},                                                                                        \
        {.title = "LINE",                                                                                              \
         .key = "line",                                                                                                \
         .least = 4,                                                                                                   \
         .wish = 5,                                                                                                    \
         .rank = 1,                                                                                                    \
         .right = true,                                                                                                \
         .fill = fill_line,                                                                                            \
         .compare = by_line},                                                                                          \
        {.title = "ONLINE", .key = "nodes", .least = 6, .wish = 8, .rank = 4, .right = true, .fill = fill_nodes},      \
    {                                                                                                                  \
        .title = (by), .key = "by", .least = 10, .wish = 14, .share = 1, .rank = 3, .fill = fill_by                    \
    }

static const struct list_column from_columns[] = {COLUMNS("TO", "NODE, ROUTER")};
static const struct list_column to_columns[] = {COLUMNS("FROM", "NODE, ROUTER")};
static const struct list_column matrix_columns[] = {
    {.title = "S", .key = "order", .fill = fill_name, .compare = by_number}, COLUMN_NAME("FROM")};

static void end_words(const struct row *row, struct buf *out)
{
    buf_addf(out, "%s %s", end_of(row)->text, end_of(row)->kind);
}

static void name_words(const struct row *row, struct buf *out)
{
    buf_adds(out, end_of(row)->text);
}

static void kind_words(const struct row *row, struct buf *out)
{
    buf_adds(out, end_of(row)->kind);
}

/* Whether anything is reached in a row of a matrix. */
static void is_words(const struct row *row, struct buf *out)
{
    bool some = false, all = true;

    for (size_t i = 0; i < end_of(row)->answer_count; i++) {
        some |= end_of(row)->answers[i].some;
        all &= end_of(row)->answers[i].all;
    }
    buf_adds(out, !some ? "closed" : all ? "open" : "open some");
}

static void what_words(const struct row *row, struct buf *out)
{
    for (size_t i = 0; i < end_of(row)->answer_count; i++)
        if (end_of(row)->answers[i].some)
            buf_addf(out, "%s ", end_of(row)->answers[i].what);
}

static const struct filter_field fields[] = {
    {"name", FILTER_TEXT, name_words, NULL},
    {"kind", FILTER_TEXT, kind_words, NULL},
    {"is", FILTER_STATE, is_words, NULL},
    {"what", FILTER_TEXT, what_words, NULL},
};

static void collect(const struct model *m, struct list *l)
{
    const struct reach_rows *rows = (const struct reach_rows *)l->scope;

    (void)m;
    for (size_t i = 0; rows && i < rows->items.len; i++)
        list_add(l, &rows->items.items[i]->row);
}

#define FIELDS                                                                                                         \
    {                                                                                                                  \
        .items = fields, .len = ARRAY_LEN(fields), .words = end_words, .states = "open some closed"                    \
    }

const struct list_def reach_matrix_def = {
    .noun = "sources",
    .one = "source",
    .empty = "",
    .columns = matrix_columns,
    .column_count = ARRAY_LEN(matrix_columns),
    .fields = FIELDS,
    .sort = 0,
    .fixed_columns = true,
    .collect = collect,
};

const struct list_def reach_from_def = {
    .noun = "destinations",
    .one = "destination",
    .empty = "",
    .columns = from_columns,
    .column_count = ARRAY_LEN(from_columns),
    .fields = FIELDS,
    .sort = 3,
    .collect = collect,
};

const struct list_def reach_to_def = {
    .noun = "sources",
    .one = "source",
    .empty = "",
    .columns = to_columns,
    .column_count = ARRAY_LEN(to_columns),
    .fields = FIELDS,
    .sort = 3,
    .collect = collect,
};
