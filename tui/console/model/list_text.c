/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/model/list_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "json/json.h"

/* The text of a row's column, in words if the column shows a glyph only. */
static void column_text(const struct list_column *column, const struct row *row, const struct clock_reading *at,
                        struct buf *out)
{
    struct list_field f = {.role = ROLE_TEXT, .glyph = -1};

    column->fill(row, at, &f);
    buf_adds(out, *f.text ? f.text : f.glyph >= 0 ? glyph_word((enum glyph)f.glyph) : "");
}

static const char *node_of(const struct row *row)
{
    return row->kind == ROW_ROUTE ? ((const struct m_route *)row)->node->api.given_name : NULL;
}

void list_row_text(const struct list *l, const struct row *row, const struct clock_reading *at, struct buf *out)
{
    if (node_of(row))
        buf_addf(out, "%s\t", node_of(row));
    for (int i = 0; i < l->def->column_count; i++) {
        if (i)
            buf_addc(out, '\t');
        column_text(&l->def->columns[i], row, at, out);
    }
}

static void put_row(const struct list *l, const struct row *row, const struct clock_reading *at, struct json_out *o)
{
    json_open(o, '{');
    json_put_str(o, "id", row->key);
    if (node_of(row))
        json_put_str(o, "node", node_of(row));
    for (int i = 0; i < l->def->column_count; i++) {
        struct buf text = BUF_INIT(0);

        column_text(&l->def->columns[i], row, at, &text);
        if (!str_eq(l->def->columns[i].key, "id"))
            json_put_str(o, l->def->columns[i].key, buf_text(&text));
        buf_release(&text);
    }
    json_close(o, '}');
}

void list_rows_json(const struct list *l, struct row *const *rows, size_t count, bool whole,
                    const struct clock_reading *at, struct buf *out)
{
    struct json_out o = JSON_OUT(out);
    bool array = whole || count > 1;

    if (array)
        json_open(&o, '[');
    for (size_t r = 0; r < count; r++)
        put_row(l, rows[r], at, &o);
    if (array)
        json_close(&o, ']');
}

/* Routes have a column of their own for their node, empty for other rows. */
static bool has_routes(struct row *const *rows, size_t count)
{
    for (size_t r = 0; r < count; r++)
        if (node_of(rows[r]))
            return true;
    return false;
}

static void add_csv(const char *text, struct buf *out)
{
    bool formula = *text && strchr("=+-@\t", *text) && text[1], quoted = strpbrk(text, ",\"\r\n") != NULL;

    if (quoted)
        buf_addc(out, '"');
    if (formula)
        buf_addc(out, '\'');
    for (; *text; text++) {
        if (*text == '"')
            buf_addc(out, '"');
        buf_addc(out, *text);
    }
    if (quoted)
        buf_addc(out, '"');
}

typedef void (*put_field)(void *arg, int column, const char *text);

/* The titles (row NULL) or the fields of a row, in the file's column order. */
static void each_field(const struct list *l, const struct row *row, bool routes, const struct clock_reading *at,
                       put_field put, void *arg)
{
    int column = 0;

    if (routes)
        put(arg, column++, !row ? "node" : node_of(row) ? node_of(row) : "");
    for (int i = 0; i < l->def->column_count; i++) {
        struct buf text = BUF_INIT(0);

        if (row)
            column_text(&l->def->columns[i], row, at, &text);
        else
            buf_adds(&text, l->def->columns[i].key);
        put(arg, column++, buf_text(&text));
        buf_release(&text);
    }
}

static void put_csv(void *arg, int column, const char *text)
{
    if (column)
        buf_addc(arg, ',');
    add_csv(text, arg);
}

void list_rows_csv(const struct list *l, struct row *const *rows, size_t count, const struct clock_reading *at,
                   struct buf *out)
{
    bool routes = has_routes(rows, count);

    each_field(l, NULL, routes, at, put_csv, out);
    buf_adds(out, "\r\n");
    for (size_t r = 0; r < count; r++) {
        each_field(l, rows[r], routes, at, put_csv, out);
        buf_adds(out, "\r\n");
    }
}

#define TABLE_COLUMNS (LIST_COLUMNS_MAX + 1)

struct row_table_text {
    const struct canvas *c;
    int widths[TABLE_COLUMNS];
    struct buf *out; /* NULL: measure widths */
};

static void put_aligned(void *arg, int column, const char *text)
{
    struct row_table_text *t = arg;
    int width = canvas_width(t->c, text);

    if (column >= TABLE_COLUMNS)
        return;
    if (!t->out) {
        t->widths[column] = width > t->widths[column] ? width : t->widths[column];
        return;
    }
    buf_adds(t->out, text);
    for (int i = width; i < t->widths[column] + 2; i++)
        buf_addc(t->out, ' ');
}

static void end_line(struct buf *out)
{
    while (out->len && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    buf_addc(out, '\n');
}

void list_rows_table(const struct list *l, struct row *const *rows, size_t count, const struct clock_reading *at,
                     const struct canvas *c, struct buf *out)
{
    struct row_table_text t = {.c = c};
    bool routes = has_routes(rows, count);

    for (int pass = 0; pass < 2; pass++) {
        t.out = pass ? out : NULL;
        each_field(l, NULL, routes, at, put_aligned, &t);
        if (pass)
            end_line(out);
        for (size_t r = 0; r < count; r++) {
            each_field(l, rows[r], routes, at, put_aligned, &t);
            if (pass)
                end_line(out);
        }
    }
}
