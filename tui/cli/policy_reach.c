/* SPDX-License-Identifier: BSD-3-Clause */
/* Who can reach what, as a list or as a matrix. */
#include "cli/command.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

static const char *what_text(const struct api_reach_cell *cell, char *out, size_t size)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < cell->what.len; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", cell->what.items[i]);
    if (!cell->all)
        buf_adds(&b, " (some)");
    str_copy(out, size, buf_text(&b));
    buf_release(&b);
    return out;
}

static const char *end_name(const struct api_list *ends, uint64_t at)
{
    return at < ends->len ? api_at(ends, struct api_reach_end, at)->name : "";
}

static void show_list(const struct cli *c, const struct api_reach *r)
{
    static const char *const heads[] = {"From", "To", "What", "Line", "Router"};
    struct text_table t;
    char what[400];

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < r->cells.len; i++) {
        const struct api_reach_cell *cell = api_at(&r->cells, struct api_reach_cell, i);

        table_text(&t, end_name(&r->rows, cell->row), COLOR_PLAIN);
        table_text(&t, end_name(&r->columns, cell->column), COLOR_PLAIN);
        table_text(&t, what_text(cell, what, sizeof(what)), cell->all ? COLOR_GOOD : COLOR_WARN);
        if (cell->line)
            table_number(&t, cell->line);
        else
            table_text(&t, "-", COLOR_PLAIN);
        table_text(&t, cell->router && *cell->router ? cell->router : "-", COLOR_PLAIN);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void show_matrix(const struct cli *c, const struct api_reach *r)
{
    const char **heads = mem_alloc((r->columns.len + 1) * sizeof(*heads));
    struct text_table t;
    size_t next = 0;
    char what[400];

    heads[0] = "From \\ To";
    for (size_t i = 0; i < r->columns.len; i++)
        heads[i + 1] = end_name(&r->columns, i);
    table_init(&t, heads, r->columns.len + 1);
    for (size_t i = 0; i < r->rows.len; i++) {
        table_text(&t, end_name(&r->rows, i), COLOR_PLAIN);
        for (size_t k = 0; k < r->columns.len; k++) {
            const struct api_reach_cell *cell =
                next < r->cells.len ? api_at(&r->cells, struct api_reach_cell, next) : NULL;
            bool here = cell && cell->row == i && cell->column == k;

            table_text(&t, here ? what_text(cell, what, sizeof(what)) : "-", here ? COLOR_GOOD : COLOR_PLAIN);
            next += here;
        }
    }
    table_print(&t, &c->out);
    table_release(&t);
    free(heads);
}

static void show(const struct cli *c, const struct api_reach *r)
{
    if (!r->cells.len)
        fputs("Nothing is reached.\n", c->out.out);
    else if (flags_switch(&c->flags, "matrix"))
        show_matrix(c, r);
    else
        show_list(c, r);
    if (r->rows.len < r->rows_total || r->columns.len < r->columns_total) {
        char *text =
            mem_format("These are %zu of %llu sources and %zu of %llu destinations%s: narrow them with "
                       "--from, --to, --from-in and --to-in.",
                       r->rows.len, (unsigned long long)r->rows_total, r->columns.len,
                       (unsigned long long)r->columns_total, r->incomplete ? ", and there was no time for more" : "");
        cli_note(c, "Note", text);
        free(text);
    }
}

int cli_policy_reach(struct cli *c)
{
    static const char *const names[] = {"from", "to", "from-in", "to-in"}, *const keys[] = {"from", "to", "from_in",
                                                                                            "to_in"};
    struct buf query = BUF_INIT(0);
    struct api_reach r;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *value = cli_segment(flags_text(&c->flags, names[i]));
        if (*value)
            buf_addf(&query, "%c%s=%s", query.len ? '&' : '?', keys[i], value);
        free(value);
    }
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/reach%s", buf_text(&query));
    buf_release(&query);
    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, answer, NULL);
    } else if (api_read(&api_reach_shape, answer, &r, API_FOR_TERMINAL, NULL) == 0) {
        show(c, &r);
        api_release(&api_reach_shape, &r);
    }
    json_decref(answer);
    return 0;
}
