/* SPDX-License-Identifier: BSD-3-Clause */
/* An update swaps the contents of two rows and frees the new row with the old contents, so that pointers to the row see
 * the new state. A node's routes are matched by prefix, so they keep their addresses too. */
#include "console/model/model.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/screen/glyph.h"

void delta_release(struct model_delta *d)
{
    for (size_t i = 0; i < d->rows.len; i++)
        row_free(d->rows.items[i]);
    for (size_t i = 0; i < d->gone.len; i++)
        free(d->gone.items[i].key);
    vec_release(&d->rows);
    vec_release(&d->gone);
    free(d->event);
    free(d->policy);
    free(d->next);
    api_release(&api_server_shape, &d->server);
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
    free(m->journal_next);
    api_release_list(&api_route_problem_shape, &m->findings);
    api_release(&api_server_shape, &m->server);
    *m = (struct model){0};
}

static void tell(struct model *m, struct row *row, enum note what)
{
    m->revision++;
    if (m->note)
        m->note(m->context, row, what);
}

/* The row keeps its address, marks and key; everything else is swapped. */
static void swap_content(struct row *to, struct row *from)
{
    size_t rest = row_size(to->kind) - sizeof(struct row);
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

/* old keeps the addresses of its routes: fresh's list is changed to point at them. Routes missing from fresh become
 * tombstones. */
static void merge_routes(struct model *m, struct m_node *old, struct m_node *fresh, int64_t now_ms)
{
    for (size_t i = 0; i < fresh->routes.len; i++) {
        struct m_route *in = fresh->routes.items[i], *was = route_of(old, in->row.key);

        if (!was) {
            in->node = old;
            in->row.new_ms = now_ms;
            continue;
        }
        bool same = was->api.state == in->api.state && was->api.primary == in->api.primary;
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
    const struct api_node *p = &a->api, *q = &b->api;
    unsigned changed = 0;

    changed |= str_eq(p->given_name, q->given_name) ? 0 : FIELD_NAME;
    changed |= str_eq(a->owner, b->owner) && strs_eq(&p->tags, &q->tags) ? 0 : FIELD_OWNER;
    changed |= addr_eq(&p->addrs.v4, &q->addrs.v4) && addr_eq(&p->addrs.v6, &q->addrs.v6) ? 0 : FIELD_ADDRESS;
    changed |=
        p->online == q->online && p->healthy == q->healthy && p->needs_approval == q->needs_approval ? 0 : FIELD_ONLINE;
    changed |=
        a->available == b->available && a->approved == b->approved && a->serving == b->serving ? 0 : FIELD_ROUTES;
    changed |= p->expiry_ns == q->expiry_ns && p->expired == q->expired ? 0 : FIELD_EXPIRY;
    changed |= str_eq(p->relay_name, q->relay_name) ? 0 : FIELD_RELAY;
    return changed;
}

static unsigned row_changes(const struct row *a, const struct row *b)
{
    if (a->kind == ROW_NODE)
        return node_changes((const struct m_node *)a, (const struct m_node *)b);
    if (a->kind == ROW_PREFIX) {
        const struct m_prefix *p = (const struct m_prefix *)a, *q = (const struct m_prefix *)b;

        return p->api.primary == q->api.primary && p->api.routers.len == q->api.routers.len ? 0 : FIELD_STATE;
    }
    return 0;
}

static bool update(struct model *m, struct row *row, struct row *fresh, int64_t now_ms)
{
    unsigned changed = row_changes(row, fresh);

    if (row->kind == ROW_NODE)
        merge_routes(m, (struct m_node *)row, (struct m_node *)fresh, now_ms);
    if (row->kind == ROW_EVENT)
        ((struct m_event *)fresh)->read_back = ((const struct m_event *)row)->read_back;
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
    row->new_ms = m->filled && (t->known || !(MODEL_ASKED & 1U << row->kind)) ? now_ms : 0;
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

    if (t->rows.len <= EVENTS_KEPT + EVENTS_KEPT / 10 || m->read_back)
        return; /* reading back may go on; the view has its own limit */
    size_t drop = t->rows.len - EVENTS_KEPT;
    for (size_t i = 0; i < drop; i++) {
        map_dels(&t->index, t->rows.items[i]->key);
        tell(m, t->rows.items[i], NOTE_FREED);
        row_free(t->rows.items[i]);
    }
    memmove(t->rows.items, t->rows.items + drop, EVENTS_KEPT * sizeof(*t->rows.items));
    t->rows.len = EVENTS_KEPT;
    if (m->journal_next)
        mem_replace(&m->journal_next, t->rows.items[0]->key);
    m->journal_to_ns = ((const struct m_event *)t->rows.items[0])->api.time_ns;
}

size_t model_read_back(struct model *m, struct model_delta *d)
{
    struct row_table *t = &m->tables[ROW_EVENT];
    size_t added = 0;

    for (size_t i = 0; i < d->rows.len; i++) {
        struct row *row = d->rows.items[i];

        if (row->kind != ROW_EVENT || map_gets(&t->index, row->key)) {
            row_free(row);
            continue;
        }
        ((struct m_event *)row)->read_back = true;
        row->seen = true;
        vec_push(&t->rows, row);
        map_puts(&t->index, row->key, row);
        added++;
    }
    d->rows.len = 0;
    m->read_back += added;
    m->revision += added > 0;
    return added;
}

void model_forget_read_back(struct model *m)
{
    struct row_table *t = &m->tables[ROW_EVENT];
    size_t kept = 0;

    for (size_t i = 0; i < t->rows.len; i++) {
        struct row *row = t->rows.items[i];

        if (!((const struct m_event *)row)->read_back) {
            t->rows.items[kept++] = row;
            continue;
        }
        map_dels(&t->index, row->key);
        row_free(row);
    }
    t->rows.len = kept;
    m->read_back = 0;
}

/* kinds: bits of them. */
static void expect_anew(struct model *m, unsigned kinds)
{
    for (int kind = 0; kind < ROW_KINDS; kind++)
        for (size_t i = 0; i < m->tables[kind].rows.len && (kinds & 1U << kind); i++)
            m->tables[kind].rows.items[i]->seen = false;
}

static size_t bury_unseen(struct model *m, unsigned kinds, int64_t now_ms)
{
    size_t gone = 0;

    for (int kind = 0; kind < ROW_KINDS; kind++) {
        struct row_table *t = &m->tables[kind];

        for (size_t i = 0; i < t->rows.len && (kinds & 1U << kind); i++) {
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

static void mark_drained(struct model *m, struct m_prefix *p)
{
    free(p->drained);
    p->drained = mem_alloc(p->api.routers.len + 1);
    for (size_t i = 0; i < p->api.routers.len; i++) {
        const struct m_node *n = model_node(m, router_at(p, i)->node);

        p->drained[i] = n && n->api.draining;
    }
}

/* Notes whether a node in the delta is drained or no longer drained. */
static bool changes_drains(const struct model *m, const struct model_delta *d)
{
    for (size_t i = 0; i < d->rows.len; i++) {
        const struct row *row = d->rows.items[i];
        const struct m_node *was = row->kind == ROW_NODE ? model_find(m, ROW_NODE, row->key) : NULL;

        if (row->kind == ROW_NODE && ((const struct m_node *)row)->api.draining != (was && was->api.draining))
            return true;
    }
    return false;
}

/* all: every prefix; else those not known yet. */
static void mark_all_drained(struct model *m, bool all)
{
    struct row_table *t = &m->tables[ROW_PREFIX];

    for (size_t i = 0; i < t->rows.len; i++) {
        struct m_prefix *p = (struct m_prefix *)t->rows.items[i];

        if (!p->drained || all)
            mark_drained(m, p);
        if (all)
            tell(m, &p->row, NOTE_CHANGED);
    }
}

/* The first page tells where older entries begin. */
static void take_page(struct model *m, struct model_delta *d)
{
    if (!d->page || m->journal_next)
        return;
    m->journal_next = d->next ? d->next : mem_strdup("");
    m->journal_to_ns = d->read_to_ns;
    d->next = NULL;
}

static void begin_filling(struct model *m, struct model_delta *d)
{
    expect_anew(m, MODEL_TRADED & ~MODEL_ASKED);
    m->filling = true;
    m->expected = d->expected;
    api_release(&api_server_shape, &m->server);
    m->server = d->server;
    d->server = (struct api_server){0};
}

struct applied model_apply(struct model *m, struct model_delta *d, int64_t now_ms)
{
    struct applied done = {0};
    bool drains = changes_drains(m, d);

    if (d->begins)
        begin_filling(m, d);
    expect_anew(m, d->whole);
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
    done.gone += bury_unseen(m, d->whole, now_ms);
    for (int kind = 0; kind < ROW_KINDS; kind++)
        m->tables[kind].known |= d->whole >> kind & 1;
    if (d->ends) {
        done.gone += bury_unseen(m, MODEL_TRADED & ~MODEL_ASKED, now_ms);
        m->filled = true;
        m->filling = false;
    }
    mark_all_drained(m, drains);
    take_text(&m->event, &d->event);
    m->time_ns = d->time_ns ? d->time_ns : m->time_ns;
    take_page(m, d);
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
        /* Tombstones of this node's routes point at it and are freed with it. */
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

void model_trade(struct model *m, struct model *other, int64_t now_ms)
{
    model_sweep(m, now_ms + TOMBSTONE_MS);
    model_sweep(other, now_ms + TOMBSTONE_MS);
    for (int kind = 0; kind < ROW_KINDS; kind++)
        if (MODEL_TRADED & 1U << kind) {
            struct row_table table = m->tables[kind];

            m->tables[kind] = other->tables[kind];
            other->tables[kind] = table;
        }
    m->revision++;
}

void *model_find(const struct model *m, enum row_kind kind, const char *key)
{
    return map_gets(&m->tables[kind].index, key);
}

struct m_node *model_node(const struct model *m, uint64_t id)
{
    char key[24];

    snprintf(key, sizeof(key), "%llu", (unsigned long long)id);
    return model_find(m, ROW_NODE, key);
}

const struct row_table *model_table(const struct model *m, enum row_kind kind)
{
    return &m->tables[kind];
}

struct row_facts *row_facts(struct row *row)
{
    if (!row->facts)
        row->facts = mem_alloc(sizeof(*row->facts));
    return row->facts;
}

void model_facts_changed(struct model *m)
{
    const struct row_table *nodes = &m->tables[ROW_NODE], *prefixes = &m->tables[ROW_PREFIX];

    for (size_t i = 0; i < nodes->rows.len; i++) {
        struct m_node *n = (struct m_node *)nodes->rows.items[i];

        if (n->row.facts)
            tell(m, &n->row, NOTE_CHANGED);
        for (size_t k = 0; k < n->routes.len; k++)
            if (n->routes.items[k]->row.facts)
                tell(m, &n->routes.items[k]->row, NOTE_CHANGED);
    }
    for (size_t i = 0; i < prefixes->rows.len; i++)
        if (prefixes->rows.items[i]->facts)
            tell(m, prefixes->rows.items[i], NOTE_CHANGED);
}

#define USERS_NAMED 8

size_t model_exit_users(const struct model *m, uint64_t exit, struct buf *names)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)t->rows.items[i];
        if (n->row.gone_ms || !n->api.online || n->api.exit_node_id != exit)
            continue;
        if (names && count < USERS_NAMED)
            buf_addf(names, "%s%s", count ? ", " : "", n->api.given_name);
        count++;
    }
    if (names && count > USERS_NAMED)
        buf_addf(names, " and %zu more", count - USERS_NAMED);
    return count;
}
