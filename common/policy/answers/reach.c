/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the matrix of who reaches what as JSON. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/answers/reach.h"

#define TEXTS_SHOWN 12 /* services in a cell */

/* ---- services ---- */

static int by_service(const void *a, const void *b)
{
    const struct reach_service *x = a, *y = b;

    if (x->proto != y->proto)
        return x->proto < y->proto ? -1 : 1;
    return x->first != y->first ? (x->first > y->first ? 1 : -1) : (x->last < y->last) - (x->last > y->last);
}

static bool is_usual(int proto)
{
    return proto == 6 || proto == 17 || proto == 1 || proto == 58;
}

/* Merges adjacent services; one that all the usual protocols have is listed once instead of for each of them. */
static void merge_services(struct reach_cell *c)
{
    struct reach_service *s = c->services.items;
    bool any = false;
    size_t kept = 0;

    if (!c->services.len)
        return;
    qsort(s, c->services.len, sizeof(*s), by_service);
    for (size_t i = 0; i < c->services.len; i++) {
        if (any && is_usual(s[i].proto))
            continue;
        if (kept && s[kept - 1].proto == s[i].proto && s[i].first <= s[kept - 1].last + 1)
            s[kept - 1].last = s[i].last > s[kept - 1].last ? s[i].last : s[kept - 1].last;
        else
            s[kept++] = s[i];
        any |= s[kept - 1].proto == PROTO_DEFAULT && s[kept - 1].first == 0 && s[kept - 1].last == UINT16_MAX;
    }
    c->services.len = kept;
}

static void service_text(const struct reach_service *s, char *out, size_t size)
{
    const char *name = s->proto == PROTO_DEFAULT ? NULL : proto_name(s->proto);
    char proto[24] = "";
    bool all = s->first == 0 && s->last == UINT16_MAX;

    if (name)
        snprintf(proto, sizeof(proto), "%s", name);
    else if (s->proto != PROTO_DEFAULT)
        snprintf(proto, sizeof(proto), "protocol %d", s->proto);
    if (all || (s->proto != PROTO_DEFAULT && !proto_has_ports(s->proto)))
        snprintf(out, size, "%s", *proto ? proto : "any");
    else if (s->first == s->last)
        snprintf(out, size, "%s%s%u", proto, *proto ? " " : "", s->first);
    else
        snprintf(out, size, "%s%s%u-%u", proto, *proto ? " " : "", s->first, s->last);
}

/* ---- output ---- */

void reach_index_lines(const struct policy *p, struct reach_lines *out)
{
    vec_push(&out->starts, (size_t)0);
    for (size_t i = 0; i < p->len; i++)
        if (p->text[i] == '\n')
            vec_push(&out->starts, i + 1);
}

size_t reach_line_at(const struct reach_lines *index, size_t offset)
{
    size_t low = 0, high = index->starts.len;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (index->starts.items[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

const char *reach_kind_name(enum reach_kind kind)
{
    static const char *const kinds[] = {
        [REACH_KIND_SELECTOR] = "selector", [REACH_KIND_USER] = "user", [REACH_KIND_GROUP] = "group",
        [REACH_KIND_TAG] = "tag",           [REACH_KIND_NODE] = "node", [REACH_KIND_PREFIX] = "prefix",
        [REACH_KIND_EXIT] = "exit",
    };

    return kinds[kind];
}

static void put_ends(const struct policy_view *v, const char *key, const struct reach_ends *ends, size_t count,
                     struct json_out *o)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < count; i++) {
        const struct reach_end *end = &ends->items[i];
        size_t online = 0;
        for (size_t k = 0; k < end->slots.len; k++)
            online += v->nodes[end->slots.items[k]].online;
        json_open(o, '{');
        json_put_str(o, "kind", reach_kind_name(end->kind));
        json_put_str(o, "name", end->name);
        json_put_u64(o, "nodes", end->slots.len);
        json_put_u64(o, "online", online);
        json_close(o, '}');
    }
    json_close(o, ']');
}

void reach_put_services(struct reach_cell *c, struct json_out *o)
{
    merge_services(c);
    for (size_t i = 0; i < c->services.len && i < TEXTS_SHOWN; i++) {
        char text[64];
        service_text(&c->services.items[i], text, sizeof(text));
        json_str(o, i + 1 == TEXTS_SHOWN && c->services.len > TEXTS_SHOWN ? "..." : text);
    }
}

static void put_cell(const struct policy_view *v, const struct reach_lines *lines, size_t row, size_t column,
                     const struct reach_end *to, struct reach_cell *c, struct json_out *o)
{
    bool through = to->kind == REACH_KIND_PREFIX || to->kind == REACH_KIND_EXIT;

    json_open(o, '{');
    json_put_u64(o, "row", row);
    json_put_u64(o, "column", column);
    json_put_bool(o, "all", c->all);
    json_key(o, "what");
    json_open(o, '[');
    reach_put_services(c, o);
    json_close(o, ']');
    if (c->rule->offset != SIZE_MAX)
        json_put_u64(o, "line", reach_line_at(lines, c->rule->offset));
    json_put_str(o, "from", v->nodes[c->from].name);
    json_put_str(o, through ? "router" : "to", v->nodes[c->to].name);
    json_close(o, '}');
}

/* Returns the number of rows that were computed. */
static size_t put_cells(struct reach *r, struct reach_ends *rows, struct reach_ends *columns, struct json_out *o)
{
    struct reach_lines lines = {0};
    struct reach_cell cell = {0};
    size_t done = 0;

    reach_index_lines(r->v->p, &lines);
    for (size_t i = 0; i < columns->len; i++)
        reach_learn_target(r, &columns->items[i]);
    json_key(o, "cells");
    json_open(o, '[');
    for (; done < rows->len && r->left; done++) {
        size_t whole = o->b->len;
        bool comma = o->comma;
        reach_learn_source(r, &rows->items[done]);
        for (size_t i = 0; i < columns->len && reach_cell(r, &rows->items[done], &columns->items[i], &cell); i++)
            if (cell.some)
                put_cell(r->v, &lines, done, i, &columns->items[i], &cell, o);
        if (!r->left) { /* this row is incomplete */
            o->b->len = whole;
            o->comma = comma;
            break;
        }
    }
    json_close(o, ']');
    vec_release(&cell.services);
    vec_release(&lines.starts);
    return done;
}

int policy_reach(const struct policy_view *v, const struct policy_reach_query *q, struct json_out *o, struct err *e)
{
    struct reach r = {.v = v, .left = REACH_BUDGET};
    struct reach_ends rows = {0}, columns = {0};
    int code = reach_ends_find(&r, q->from, q->from_in, true, q->rows_max, &rows, e);

    if (code == 0)
        code = reach_ends_find(&r, q->to, q->to_in, false, q->columns_max, &columns, e);
    if (code == 0) {
        size_t done = put_cells(&r, &rows, &columns, o);
        put_ends(v, "rows", &rows, done, o);
        put_ends(v, "columns", &columns, columns.len, o);
        json_put_u64(o, "rows_total", rows.total);
        json_put_u64(o, "columns_total", columns.total);
        json_put_bool(o, "incomplete", done < rows.len);
    }
    reach_ends_release(v, &rows);
    reach_ends_release(v, &columns);
    return code;
}
