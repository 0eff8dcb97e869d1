/* SPDX-License-Identifier: BSD-3-Clause */
/* What one end reaches and by whom it is reached: one list of nodes, networks and exit nodes, both directions of
 * each. */
#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/reach/reach.h"

enum { OUT, IN };

static const struct reach_answer *answer_of(const struct row *row, int direction)
{
    return &((const struct reach_row *)row)->answers[direction];
}

static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct reach_row *r = (const struct reach_row *)row;
    bool node = str_eq(r->kind, "node");

    (void)at;
    out->glyph = (int)(!node ? GLYPH_DOT : r->online ? GLYPH_ONLINE : GLYPH_OFFLINE);
}

static void fill_name(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), ((const struct reach_row *)row)->text);
    out->role = ROLE_NAME;
}

static void fill_kind(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), ((const struct reach_row *)row)->kind);
    out->role = ROLE_FAINT;
}

static void fill_ports(const struct row *row, int direction, struct list_field *out)
{
    const struct reach_answer *a = answer_of(row, direction);

    snprintf(out->text, sizeof(out->text), "%s%s", a->some ? a->what : "-", a->some && !a->all ? " (some)" : "");
    out->role = !a->some ? ROLE_FAINT : a->all ? ROLE_OK : ROLE_WAIT;
}

static void fill_out(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    fill_ports(row, OUT, out);
}

static void fill_in(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    fill_ports(row, IN, out);
}

static void fill_lines(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    unsigned there = answer_of(row, OUT)->line, back = answer_of(row, IN)->line;

    (void)at;
    if (there && back)
        snprintf(out->text, sizeof(out->text), "%u, %u", there, back);
    else if (there || back)
        snprintf(out->text, sizeof(out->text), "%u", there ? there : back);
    else
        str_copy(out->text, sizeof(out->text), "-");
    out->role = ROLE_KEY;
}

static void fill_router(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), answer_of(row, OUT)->to ? answer_of(row, OUT)->to : "-");
    out->role = ROLE_FAINT;
}

static int by_number(const struct row *a, const struct row *b)
{
    return strverscmp(a->key, b->key);
}

static int by_name(const struct row *a, const struct row *b)
{
    return strverscmp(((const struct reach_row *)a)->text, ((const struct reach_row *)b)->text);
}

static int by_kind(const struct row *a, const struct row *b)
{
    return strcmp(((const struct reach_row *)a)->kind, ((const struct reach_row *)b)->kind);
}

static int by_ports(const struct row *a, const struct row *b, int direction)
{
    const struct reach_answer *p = answer_of(a, direction), *q = answer_of(b, direction);

    return p->some != q->some ? (p->some ? -1 : 1) : p->some ? strcmp(p->what, q->what) : 0;
}

static int by_out(const struct row *a, const struct row *b)
{
    return by_ports(a, b, OUT);
}

static int by_in(const struct row *a, const struct row *b)
{
    return by_ports(a, b, IN);
}

static const struct list_column columns[] = {
    {.title = "S", .key = "order", .least = 2, .wish = 2, .fill = fill_sign, .compare = by_number},
    {.title = "NEIGHBOUR",
     .key = "name",
     .name = true,
     .least = 14,
     .wish = 22,
     .share = 2,
     .fill = fill_name,
     .compare = by_name},
    {.title = "KIND", .key = "kind", .least = 6, .wish = 7, .rank = 2, .fill = fill_kind, .compare = by_kind},
    {.title = "IS REACHED ON", .key = "out", .least = 13, .wish = 18, .share = 2, .fill = fill_out, .compare = by_out},
    {.title = "REACHES BACK ON", .key = "in", .least = 15, .wish = 18, .share = 2, .fill = fill_in, .compare = by_in},
    {.title = "LINES", .key = "lines", .least = 5, .wish = 8, .rank = 1, .right = true, .fill = fill_lines},
    {.title = "ROUTER", .key = "router", .least = 10, .wish = 14, .share = 1, .rank = 3, .fill = fill_router},
};

static void words(const struct row *row, struct buf *out)
{
    buf_addf(out, "%s %s", ((const struct reach_row *)row)->text, ((const struct reach_row *)row)->kind);
}

static void name_words(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct reach_row *)row)->text);
}

static void kind_words(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct reach_row *)row)->kind);
}

static void out_words(const struct row *row, struct buf *out)
{
    buf_adds(out, answer_of(row, OUT)->some ? answer_of(row, OUT)->what : "");
}

static void in_words(const struct row *row, struct buf *out)
{
    buf_adds(out, answer_of(row, IN)->some ? answer_of(row, IN)->what : "");
}

static void is_words(const struct row *row, struct buf *out)
{
    bool there = answer_of(row, OUT)->some, back = answer_of(row, IN)->some;

    buf_adds(out, there && back ? "both" : there ? "reached" : "reaching");
    buf_adds(out, ((const struct reach_row *)row)->online ? " online" : " offline");
}

static const struct filter_field fields[] = {
    {"name", FILTER_TEXT, name_words, NULL}, {"kind", FILTER_TEXT, kind_words, NULL},
    {"out", FILTER_TEXT, out_words, NULL},   {"in", FILTER_TEXT, in_words, NULL},
    {"is", FILTER_STATE, is_words, NULL},
};

static void collect(const struct model *m, struct list *l)
{
    const struct reach_rows *rows = (const struct reach_rows *)l->scope;

    (void)m;
    for (size_t i = 0; rows && i < rows->items.len; i++)
        list_add(l, &rows->items.items[i]->row);
}

const struct list_def reach_neighbours_def = {
    .noun = "neighbours",
    .one = "neighbour",
    .empty = "it reaches nobody, and nobody reaches it",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields,
               .len = ARRAY_LEN(fields),
               .words = words,
               .states = "both reached reaching online offline"},
    .sort = 0,
    .collect = collect,
};

/* ---- the answer ---- */

static struct reach_answer answer_from(const struct strs *what, bool all, uint64_t line)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < what->len; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", what->items[i]);
    return (struct reach_answer){
        .some = what->len > 0, .all = all, .line = line <= UINT32_MAX ? (unsigned)line : 0, .what = buf_take(&b)};
}

void reach_neighbours_take(struct reach_table *t, const struct api_neighbours *n)
{
    for (size_t i = 0; i < n->neighbours.len; i++) {
        const struct api_neighbour *from = api_at(&n->neighbours, struct api_neighbour, i);
        struct reach_row *row = reach_rows_add(&t->rows);

        row->kind = mem_strdup(from->kind);
        row->text = mem_strdup(from->name);
        row->online = from->online;
        row->nodes = 1;
        row->answers = mem_alloc(2 * sizeof(*row->answers));
        row->answer_count = 2;
        row->answers[OUT] = answer_from(&from->out, from->out_all, from->out_line);
        row->answers[IN] = answer_from(&from->in, from->in_all, from->in_line);
        row->answers[OUT].to = from->router ? mem_strdup(from->router) : NULL;
    }
    t->rows_total = n->total;
    t->columns_total = 1;
    t->incomplete = n->incomplete;
}
