/* SPDX-License-Identifier: BSD-3-Clause */
/* The routes table of headscale up to 0.25. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/read.h"
#include "import/row.h"

#define ROUTES_MAX 5000000

enum { ID, NODE, PREFIX, ADVERTISED, ENABLED, PRIMARY, DELETED };
static const char *const columns[] = {
    [ID] = "id",           [NODE] = "node_id",       [PREFIX] = "prefix",      [ADVERTISED] = "advertised",
    [ENABLED] = "enabled", [PRIMARY] = "is_primary", [DELETED] = "deleted_at",
};
static const struct source_table table = {"routes", columns, ARRAY_LEN(columns), ROUTES_MAX};

static int take_route(void *arg, const struct source_value *values, struct err *e)
{
    struct reading *r = arg;
    struct import_row row;
    struct prefix p;

    (void)e;
    if (!row_begin(&row, &table, values, &r->report, REPORT_ROUTE))
        return 0;
    uint64_t node_id = row_id(&row, NODE);
    char *text = row_text(&row, PREFIX, ROW_TEXT_MAX);
    bool advertised = row_bool(&row, ADVERTISED), enabled = row_bool(&row, ENABLED), primary = row_bool(&row, PRIMARY);
    bool deleted = row_time(&row, DELETED, NULL) != 0;
    if (!row.bad && prefix_parse(text, &p, NULL, NULL) < 0)
        row_fault(&row, PREFIX, "is no prefix");
    free(text);
    if (row.bad || deleted || !node_id)
        return 0;
    struct old_routes *old = map_getu(&r->old_routes, node_id);
    if (!old) {
        old = mem_alloc(sizeof(*old));
        map_putu(&r->old_routes, node_id, old);
    }
    if (advertised)
        prefixes_add(&old->advertised, &p);
    if (enabled)
        prefixes_add(&old->enabled, &p);
    if (advertised && enabled && primary && !prefix_is_exit(&p))
        prefixes_add(&old->primary, &p);
    return 0;
}

int read_old_routes(struct reading *r, struct err *e)
{
    return r->routes_are_apart ? source_read(r->source, &table, take_route, r, e) : 0;
}
