/* SPDX-License-Identifier: BSD-3-Clause */
/* An update swaps the content of two rows and frees the new shell with the old content: whoever points at the row sees
 * the new state. Routes of a node are matched by prefix, so they keep their address too. */
#include "console/model/model.h"

#include <stddef.h>

#include "base/mem.h"
#include "console/screen/glyph.h"

/* Which members of a row's struct are texts, and which are sets of texts: enough to fill and free any kind. */
struct kind_def {
    size_t size;
    size_t texts[18], sets[3];
};

#define AT(type, member) offsetof(struct type, member)
static const struct kind_def kinds[ROW_KINDS] = {
    [ROW_NODE] = {.size = sizeof(struct m_node),
                  .texts = {AT(m_node, name), AT(m_node, hostname), AT(m_node, fqdn), AT(m_node, owner),
                            AT(m_node, ipv4), AT(m_node, ipv6), AT(m_node, method), AT(m_node, os),
                            AT(m_node, os_version), AT(m_node, client), AT(m_node, relay), AT(m_node, source),
                            AT(m_node, machine_key), AT(m_node, node_key), AT(m_node, key_text), AT(m_node, words)},
                  .sets = {AT(m_node, tags), AT(m_node, endpoints)}},
    [ROW_ROUTE] = {.size = sizeof(struct m_route),
                   .texts = {AT(m_route, primary), AT(m_route, primary_name), AT(m_route, reason),
                             AT(m_route, approved_by)}},
    [ROW_PREFIX] = {.size = sizeof(struct m_prefix), .texts = {AT(m_prefix, primary), AT(m_prefix, primary_name)}},
    [ROW_EVENT] = {.size = sizeof(struct m_event),
                   .texts = {AT(m_event, event_kind), AT(m_event, actor), AT(m_event, object), AT(m_event, object_id),
                             AT(m_event, object_name), AT(m_event, text), AT(m_event, detail), AT(m_event, undone_by)}},
    [ROW_PENDING] = {.size = sizeof(struct m_pending),
                     .texts = {AT(m_pending, kind), AT(m_pending, hostname), AT(m_pending, os), AT(m_pending, client),
                               AT(m_pending, source), AT(m_pending, command), AT(m_pending, machine_key),
                               AT(m_pending, ssh)},
                     .sets = {AT(m_pending, tags), AT(m_pending, routes)}},
    [ROW_USER] = {.size = sizeof(struct m_user),
                  .texts = {AT(m_user, name), AT(m_user, display), AT(m_user, email), AT(m_user, provider),
                            AT(m_user, role)}},
    [ROW_PREAUTH_KEY] = {.size = sizeof(struct m_key),
                         .texts = {AT(m_key, prefix), AT(m_key, user), AT(m_key, description)},
                         .sets = {AT(m_key, tags)}},
    [ROW_API_KEY] = {.size = sizeof(struct m_key),
                     .texts = {AT(m_key, prefix), AT(m_key, user), AT(m_key, description)},
                     .sets = {AT(m_key, tags)}},
};

static char **text_at(struct row *row, size_t offset)
{
    return (char **)(void *)((char *)row + offset);
}

void *row_new(enum row_kind kind, const char *key)
{
    struct row *row = mem_alloc(kinds[kind].size);

    row->kind = kind;
    row->key = mem_strdup(key);
    for (const size_t *t = kinds[kind].texts; *t; t++)
        *text_at(row, *t) = mem_strdup("");
    return row;
}

void row_free(struct row *row)
{
    if (!row)
        return;
    for (const size_t *t = kinds[row->kind].texts; *t; t++)
        free(*text_at(row, *t));
    for (const size_t *s = kinds[row->kind].sets; *s; s++)
        strs_release((struct strs *)(void *)((char *)row + *s));
    if (row->kind == ROW_NODE) {
        struct m_node *node = (struct m_node *)row;

        for (size_t i = 0; i < node->routes.len; i++)
            row_free(&node->routes.items[i]->row);
        vec_release(&node->routes);
    } else if (row->kind == ROW_PREFIX) {
        struct m_prefix *prefix = (struct m_prefix *)row;

        for (size_t i = 0; i < prefix->routers.len; i++) {
            free(prefix->routers.items[i].node);
            free(prefix->routers.items[i].name);
            free(prefix->routers.items[i].reason);
        }
        vec_release(&prefix->routers);
    }
    free(row->key);
    free(row->failure);
    free(row);
}

void delta_release(struct model_delta *d)
{
    for (size_t i = 0; i < d->rows.len; i++)
        row_free(d->rows.items[i]);
    for (size_t i = 0; i < d->gone.len; i++)
        free(d->gone.items[i].key);
    vec_release(&d->rows);
    vec_release(&d->gone);
    free(d->event);
    free(d->server_url);
    free(d->server_version);
    free(d->base_domain);
    free(d->policy_mode);
    *d = (struct model_delta){0};
}

void model_release(struct model *m)
{
    m->note = NULL;
    for (size_t i = 0; i < m->dying.len; i++)
        if (m->dying.items[i]->kind == ROW_ROUTE)
            row_free(m->dying.items[i]);
    vec_release(&m->dying);
    for (int kind = 0; kind < ROW_KINDS; kind++) {
        for (size_t i = 0; i < m->tables[kind].rows.len; i++)
            row_free(m->tables[kind].rows.items[i]);
        vec_release(&m->tables[kind].rows);
        map_release(&m->tables[kind].index);
    }
    free(m->event);
    free(m->server_url);
    free(m->server_version);
    free(m->base_domain);
    free(m->policy_mode);
    *m = (struct model){0};
}

static void tell(struct model *m, struct row *row, enum note what)
{
    m->revision++;
    if (m->note)
        m->note(m->context, row, what);
}

/* The row keeps its address, its marks and its key; all else changes place. */
static void swap_content(struct row *to, struct row *from)
{
    size_t rest = kinds[to->kind].size - sizeof(struct row);
    char *a = (char *)(to + 1), *b = (char *)(from + 1);
    char piece[256];

    for (size_t at = 0; at < rest; at += sizeof(piece)) {
        size_t n = rest - at < sizeof(piece) ? rest - at : sizeof(piece);

        memcpy(piece, a + at, n);
        memcpy(a + at, b + at, n);
        memcpy(b + at, piece, n);
    }
}

static void bury(struct model *m, struct row *row, int64_t now_ms)
{
    row->gone_ms = now_ms ? now_ms : 1;
    row->marked = false;
    vec_push(&m->dying, row);
    tell(m, row, NOTE_GONE);
}

static struct m_route *route_of(struct m_node *node, const char *prefix)
{
    for (size_t i = 0; i < node->routes.len; i++)
        if (node->routes.items[i] && str_eq(node->routes.items[i]->row.key, prefix))
            return node->routes.items[i];
    return NULL;
}

/* old keeps its routes' addresses: fresh's list is made to point at them. What fresh has no longer is buried. */
static void merge_routes(struct model *m, struct m_node *old, struct m_node *fresh, int64_t now_ms)
{
    for (size_t i = 0; i < fresh->routes.len; i++) {
        struct m_route *in = fresh->routes.items[i], *was = route_of(old, in->row.key);

        if (!was) {
            in->node = old;
            in->row.new_ms = now_ms;
            continue;
        }
        bool same = was->state == in->state && str_eq(was->primary, in->primary);
        swap_content(&was->row, &in->row);
        was->node = old;
        if (!same) {
            was->row.changed_ms = now_ms;
            was->row.changed = FIELD_STATE;
        }
        for (size_t j = 0; j < old->routes.len; j++)
            if (old->routes.items[j] == was)
                old->routes.items[j] = NULL;
        row_free(&in->row);
        fresh->routes.items[i] = was;
    }
    for (size_t j = 0; j < old->routes.len; j++)
        if (old->routes.items[j])
            bury(m, &old->routes.items[j]->row, now_ms);
    old->routes.len = 0;
}

static unsigned node_changes(const struct m_node *a, const struct m_node *b)
{
    unsigned changed = 0;

    changed |= str_eq(a->name, b->name) ? 0 : FIELD_NAME;
    changed |= str_eq(a->owner, b->owner) && strs_eq(&a->tags, &b->tags) ? 0 : FIELD_OWNER;
    changed |= str_eq(a->ipv4, b->ipv4) && str_eq(a->ipv6, b->ipv6) ? 0 : FIELD_ADDRESS;
    changed |= a->online == b->online && a->healthy == b->healthy ? 0 : FIELD_ONLINE;
    changed |=
        a->available == b->available && a->approved == b->approved && a->serving == b->serving ? 0 : FIELD_ROUTES;
    changed |= a->expiry_ns == b->expiry_ns && a->expired == b->expired ? 0 : FIELD_EXPIRY;
    changed |= str_eq(a->relay, b->relay) ? 0 : FIELD_RELAY;
    return changed;
}

static unsigned row_changes(const struct row *a, const struct row *b)
{
    if (a->kind == ROW_NODE)
        return node_changes((const struct m_node *)a, (const struct m_node *)b);
    if (a->kind == ROW_PREFIX) {
        const struct m_prefix *p = (const struct m_prefix *)a, *q = (const struct m_prefix *)b;

        return str_eq(p->primary, q->primary) && p->routers.len == q->routers.len ? 0 : FIELD_STATE;
    }
    return 0;
}

static bool update(struct model *m, struct row *row, struct row *fresh, int64_t now_ms)
{
    unsigned changed = row_changes(row, fresh);

    if (row->kind == ROW_NODE)
        merge_routes(m, (struct m_node *)row, (struct m_node *)fresh, now_ms);
    swap_content(row, fresh);
    row->seen = true;
    if (changed) {
        row->changed_ms = now_ms;
        row->changed = changed;
    }
    row_free(fresh);
    tell(m, row, NOTE_CHANGED);
    return changed != 0;
}

static void insert(struct model *m, struct row *row, int64_t now_ms)
{
    struct row_table *t = &m->tables[row->kind];

    if (row->kind == ROW_NODE) {
        struct m_node *node = (struct m_node *)row;

        for (size_t i = 0; i < node->routes.len; i++)
            node->routes.items[i]->node = node;
    }
    row->seen = true;
    row->new_ms = m->filled ? now_ms : 0;
    vec_push(&t->rows, row);
    map_puts(&t->index, row->key, row);
    tell(m, row, NOTE_NEW);
}

static void take_text(char **to, char **from)
{
    if (*from) {
        free(*to);
        *to = *from;
        *from = NULL;
    }
}

/* Only the newest events are kept. The oldest are those that were inserted first; tombstones of theirs are not shown.
 */
static void drop_old_events(struct model *m)
{
    struct row_table *t = &m->tables[ROW_EVENT];

    if (t->rows.len <= EVENTS_KEPT + EVENTS_KEPT / 10)
        return;
    size_t drop = t->rows.len - EVENTS_KEPT;
    for (size_t i = 0; i < drop; i++) {
        map_dels(&t->index, t->rows.items[i]->key);
        tell(m, t->rows.items[i], NOTE_FREED);
        row_free(t->rows.items[i]);
    }
    memmove(t->rows.items, t->rows.items + drop, EVENTS_KEPT * sizeof(*t->rows.items));
    t->rows.len = EVENTS_KEPT;
}

static size_t bury_unseen(struct model *m, int64_t now_ms)
{
    size_t gone = 0;

    for (int kind = 0; kind < ROW_KINDS; kind++) {
        struct row_table *t = &m->tables[kind];

        for (size_t i = 0; i < t->rows.len && kind != ROW_EVENT; i++) {
            struct row *row = t->rows.items[i];

            if (!row->seen && !row->gone_ms) {
                map_dels(&t->index, row->key);
                bury(m, row, now_ms);
                gone++;
            }
        }
    }
    return gone;
}

struct applied model_apply(struct model *m, struct model_delta *d, int64_t now_ms)
{
    struct applied done = {0};

    if (d->full)
        for (int kind = 0; kind < ROW_KINDS; kind++)
            for (size_t i = 0; i < m->tables[kind].rows.len; i++)
                m->tables[kind].rows.items[i]->seen = false;
    for (size_t i = 0; i < d->rows.len; i++) {
        struct row *row = map_gets(&m->tables[d->rows.items[i]->kind].index, d->rows.items[i]->key);

        if (row) {
            done.changed += update(m, row, d->rows.items[i], now_ms);
        } else {
            insert(m, d->rows.items[i], now_ms);
            done.added++;
        }
    }
    d->rows.len = 0;
    for (size_t i = 0; i < d->gone.len; i++) {
        struct row *row = map_dels(&m->tables[d->gone.items[i].kind].index, d->gone.items[i].key);

        if (row) {
            bury(m, row, now_ms);
            done.gone++;
        }
    }
    if (d->full) {
        done.gone += bury_unseen(m, now_ms);
        m->filled = true;
    }
    take_text(&m->event, &d->event);
    take_text(&m->server_url, &d->server_url);
    take_text(&m->server_version, &d->server_version);
    take_text(&m->base_domain, &d->base_domain);
    take_text(&m->policy_mode, &d->policy_mode);
    m->time_ns = d->time_ns ? d->time_ns : m->time_ns;
    drop_old_events(m);
    delta_release(d);
    return done;
}

static void free_tombstone(struct model *m, struct row *row)
{
    if (row->kind == ROW_NODE) {
        struct m_node *node = (struct m_node *)row;

        for (size_t i = 0; i < node->routes.len; i++)
            tell(m, &node->routes.items[i]->row, NOTE_FREED);
        /* Routes of this node that are tombstones of their own point at it: they go with it. */
        for (size_t i = m->dying.len; i-- > 0;) {
            struct row *other = m->dying.items[i];

            if (other->kind == ROW_ROUTE && ((struct m_route *)other)->node == node) {
                vec_remove(&m->dying, i);
                tell(m, other, NOTE_FREED);
                row_free(other);
            }
        }
    }
    tell(m, row, NOTE_FREED);
    if (row->kind != ROW_ROUTE) {
        struct row_table *t = &m->tables[row->kind];

        for (size_t i = 0; i < t->rows.len; i++)
            if (t->rows.items[i] == row) {
                t->rows.items[i] = t->rows.items[--t->rows.len];
                break;
            }
    }
    row_free(row);
}

int64_t model_sweep(struct model *m, int64_t now_ms)
{
    while (m->dying.len && m->dying.items[0]->gone_ms + TOMBSTONE_MS <= now_ms) {
        struct row *row = m->dying.items[0];

        vec_remove(&m->dying, 0);
        free_tombstone(m, row);
    }
    return m->dying.len ? m->dying.items[0]->gone_ms + TOMBSTONE_MS : 0;
}

void *model_find(const struct model *m, enum row_kind kind, const char *key)
{
    return map_gets(&m->tables[kind].index, key);
}

const struct row_table *model_table(const struct model *m, enum row_kind kind)
{
    return &m->tables[kind];
}

static const struct {
    const char *name;
    enum glyph glyph;
} states[ROUTE_STATES] = {
    [ROUTE_AVAILABLE] = {"available", GLYPH_UNAPPROVED}, [ROUTE_APPROVED] = {"approved", GLYPH_APPROVED},
    [ROUTE_STANDBY] = {"standby", GLYPH_STANDBY},        [ROUTE_SERVING] = {"serving", GLYPH_SERVING},
    [ROUTE_OFFLINE] = {"offline", GLYPH_ROUTE_OFFLINE},  [ROUTE_UNHEALTHY] = {"unhealthy", GLYPH_UNHEALTHY},
};

int m_state_parse(const char *text)
{
    for (int i = 0; i < ROUTE_STATES; i++)
        if (str_eq(states[i].name, text))
            return i;
    return -1;
}

const char *m_state_name(enum route_state state)
{
    return states[state].name;
}

enum glyph m_state_glyph(enum route_state state)
{
    return states[state].glyph;
}
