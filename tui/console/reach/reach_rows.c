/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the view's lists. */
#include <stdlib.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/reach/reach.h"

struct reach_page *reach_of(const struct app *app)
{
    return view_state(app, &reach_view);
}

static void row_release(struct reach_row *row)
{
    for (size_t i = 0; i < row->answer_count; i++) {
        free(row->answers[i].what);
        free(row->answers[i].from);
        free(row->answers[i].to);
    }
    free(row->answers);
    free(row->kind);
    free(row->event);
    free(row->fact);
    free(row->text);
    free(row);
}

void reach_rows_clear(struct reach_rows *rows)
{
    for (size_t i = 0; i < rows->items.len; i++) {
        free(rows->items.items[i]->row.key);
        row_release(rows->items.items[i]);
    }
    vec_release(&rows->items);
}

struct reach_row *reach_rows_add(struct reach_rows *rows)
{
    struct reach_row *row = mem_alloc(sizeof(*row));

    row->row = (struct row){.kind = ROW_KINDS, .key = mem_format("%zu", rows->items.len)};
    vec_push(&rows->items, row);
    return row;
}
