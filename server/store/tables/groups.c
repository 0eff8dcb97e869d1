/* SPDX-License-Identifier: BSD-3-Clause */
/* Handling of write groups that is common to all engines. */
#include "store/tables/engine.h"
#include "store/tables/tables.h"

bool refusal_covers(const struct store_refusal *r, const struct store_group *g)
{
    return g->series && g->series <= r->series;
}

void refusal_note(struct store_refusal *r, const struct store_group *g)
{
    if (g->code == 0 || !g->series || g->series <= r->series)
        return;
    r->series = g->series;
    r->err = g->err;
    r->err.code = (enum err_code)g->code;
}

void refuse_groups(struct store_group *list, const struct store_group *end, int code, const struct err *e)
{
    for (struct store_group *g = list; g != end; g = g->next) {
        g->code = code;
        g->err = *e;
    }
}

void ids_note(struct store_ids *ids, const struct record *r)
{
    if (!table_is_numbered(&store_tables[r->kind]) || r->id < ids->next[r->kind])
        return;
    ids->next[r->kind] = r->id + 1;
    ids->raised[r->kind] = true;
}
