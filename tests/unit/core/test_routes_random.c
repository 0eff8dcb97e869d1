/* SPDX-License-Identifier: BSD-3-Clause */
/* Random events against a model that knows nothing of indexes, rounds or dirty prefixes: it decides every prefix anew
 * from the plain facts. Whatever happens, both must name the same primaries, and the moves must tell the difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "routes/routes.h"

#define NODES    7
#define PREFIXES 5
#define RUNS     300
#define STEPS    200

struct person {
    bool exists, online, healthy, expired, draining, flapping;
    int priority;
    unsigned available, approved; /* bit i: prefix i */
    struct node *record;
    bool just_removed; /* ids are not used twice; here only not before the next election */
};

struct model {
    struct person nodes[NODES]; /* id i + 1; created such that pairs of them are of one age */
    struct routes_rule rules[PREFIXES];
    int primary[PREFIXES], chosen[PREFIXES]; /* index of a node, -1: none; NODES: one that nobody knows */
    bool settling[PREFIXES];
    struct routes *routes;
    uint64_t random;
};

static unsigned pick(struct model *m, unsigned below)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (unsigned)(m->random % below);
}

static struct prefix prefix_number(unsigned i)
{
    return (struct prefix){.addr = {.bits = 32, .bytes = {10, (uint8_t)i}}, .bits = 16};
}

static bool entitled(const struct model *m, int i, int p)
{
    return i >= 0 && i < NODES && m->nodes[i].exists && (m->nodes[i].available & m->nodes[i].approved & 1u << p);
}

/* 0: cannot serve; 1: sick; 2: draining; 3: well */
static int fitness(const struct model *m, int i, int p)
{
    const struct person *n = i >= 0 && i < NODES ? &m->nodes[i] : NULL;

    if (!n || !entitled(m, i, p) || !n->online || n->expired)
        return 0;
    return !n->healthy ? 1 : n->draining ? 2 : 3;
}

static int age(int i)
{
    return i / 2;
}

/* The first in the order of election among those as fit as can be, who do not come and go, and who have the highest
 * priority if that counts.
 */
static int first_of(const struct model *m, int p, int fit, bool by_priority)
{
    int best = -1;

    for (int i = 0; i < NODES; i++) {
        if (fitness(m, i, p) != fit)
            continue;
        const struct person *n = &m->nodes[i], *b = best < 0 ? NULL : &m->nodes[best];
        if (!b || (b->flapping && !n->flapping) ||
            (by_priority && n->flapping == b->flapping && n->priority > b->priority))
            best = i;
    }
    return best;
}

static int decide(struct model *m, int p)
{
    int before = m->primary[p], top = 0, first;
    bool still = entitled(m, before, p) && !m->nodes[before].expired;

    if (m->settling[p] && still && !m->nodes[before].online)
        return before;
    m->settling[p] = false;
    for (int i = 0; i < NODES; i++)
        top = fitness(m, i, p) > top ? fitness(m, i, p) : top;
    if (top == 0) {
        m->chosen[p] = -1;
        return m->rules[p].keep && still ? before : -1;
    }
    if (fitness(m, m->chosen[p], p) != top)
        m->chosen[p] = -1;
    if (top == 1) {
        if (fitness(m, before, p) == 1)
            return before;
        return m->rules[p].keep ? first_of(m, p, 1, false) : -1;
    }
    if (m->chosen[p] >= 0)
        return m->chosen[p];
    if (m->rules[p].failback == FAILBACK_OLDEST)
        return first_of(m, p, top, false);
    if (m->rules[p].failback == FAILBACK_STICKY)
        return fitness(m, before, p) == top ? before : first_of(m, p, top, false);
    first = first_of(m, p, top, true);
    return fitness(m, before, p) == top && m->nodes[before].flapping == m->nodes[first].flapping &&
                   m->nodes[before].priority == m->nodes[first].priority
               ? before
               : first;
}

/* ---- events ---- */

static void tell(struct model *m, int i, bool new_record)
{
    struct person *n = &m->nodes[i];
    struct routes_flags flags = {n->online, n->healthy, n->expired, n->draining, n->flapping, n->priority};

    if (new_record || !n->record) {
        struct node *next = node_new();
        next->r.id = (uint64_t)i + 1;
        next->created_ns = 1000 + age(i);
        for (unsigned p = 0; p < PREFIXES; p++) {
            struct prefix prefix = prefix_number(p);
            if (n->available & 1u << p)
                prefixes_add(&next->available, &prefix);
            if (n->approved & 1u << p)
                prefixes_add(&next->approved, &prefix);
        }
        record_unref(n->record);
        n->record = next;
    }
    routes_set_node(m->routes, n->record, &flags);
}

static void remove_node(struct model *m, int i)
{
    routes_remove_node(m->routes, (uint64_t)i + 1);
    record_unref(m->nodes[i].record);
    m->nodes[i] = (struct person){.just_removed = true};
    for (int p = 0; p < PREFIXES; p++)
        if (m->primary[p] == i)
            m->primary[p] = NODES;
}

static void prefer(struct model *m, int i, int p)
{
    struct prefix prefix = prefix_number((unsigned)p);
    bool can = fitness(m, i, p) == 3;

    assert_int_equal(routes_prefer(m->routes, &prefix, (uint64_t)i + 1, NULL) == 0, can);
    if (can) {
        m->chosen[p] = i;
        m->settling[p] = false;
    }
}

static void change_rule(struct model *m, int p)
{
    struct prefix prefix = prefix_number((unsigned)p);

    m->rules[p] = (struct routes_rule){(enum routes_failback)pick(m, 3), pick(m, 2)};
    routes_set_rule(m->routes, &prefix, &m->rules[p]);
}

static void event(struct model *m)
{
    int i = (int)pick(m, NODES), p = (int)pick(m, PREFIXES);
    struct person *n = &m->nodes[i];
    unsigned kind = pick(m, 20);

    if (kind == 0) {
        change_rule(m, p);
    } else if (kind == 1) {
        routes_settled(m->routes);
        for (int k = 0; k < PREFIXES; k++)
            m->settling[k] = false;
    } else if (n->just_removed) {
        return;
    } else if (!n->exists) {
        *n = (struct person){
            .exists = true, .online = pick(m, 2), .healthy = true, .available = pick(m, 32), .approved = pick(m, 32)};
        tell(m, i, true);
    } else if (kind == 2) {
        remove_node(m, i);
    } else if (kind <= 4) {
        prefer(m, i, p);
    } else if (kind <= 8) {
        *(pick(m, 2) ? &n->available : &n->approved) ^= 1u << p;
        tell(m, i, true);
    } else {
        bool *flags[] = {&n->online, &n->online, &n->healthy, &n->expired, &n->draining, &n->flapping};
        unsigned which = pick(m, 7);
        if (which == 6)
            n->priority = (int)pick(m, 3);
        else
            *flags[which] = !*flags[which];
        tell(m, i, false);
    }
}

/* ---- comparing ---- */

static uint64_t id_of(int i)
{
    return i < 0 ? 0 : i == NODES ? UINT64_MAX : (uint64_t)i + 1;
}

static void check(struct model *m, const struct route_moves *moves, unsigned run, unsigned step)
{
    size_t moved = 0, served = 0, listed = 0;
    struct prefixes serving = {0};

    for (int p = 0; p < PREFIXES; p++) {
        struct prefix prefix = prefix_number((unsigned)p);
        int before = m->primary[p], after = decide(m, p);

        if (routes_primary(m->routes, &prefix, NULL) != id_of(after))
            fail_msg("run %u step %u prefix %d: primary %d, not %d", run, step, p,
                     (int)routes_primary(m->routes, &prefix, NULL) - 1, after);
        if (after != before) {
            assert_true(moved < moves->len);
            assert_int_equal(prefix_cmp(&moves->items[moved].prefix, &prefix), 0);
            assert_true(moves->items[moved].to == id_of(after));
            assert_true(before == NODES ? moves->items[moved].from != 0 : moves->items[moved].from == id_of(before));
            assert_non_null(moves->items[moved].cause);
            moved++;
        }
        m->primary[p] = after;
        listed += after >= 0;
    }
    assert_int_equal(moves->len, moved);
    for (int i = 0; i < NODES; i++) {
        routes_serving(m->routes, (uint64_t)i + 1, &serving);
        served += serving.len;
    }
    assert_int_equal(served, listed);
    prefixes_release(&serving);
}

static void begin(struct model *m, unsigned run)
{
    *m = (struct model){.routes = routes_new(NULL), .random = 88172645463325252u + run * 7919u};
    for (int p = 0; p < PREFIXES; p++) {
        struct prefix prefix = prefix_number((unsigned)p);
        m->primary[p] = m->chosen[p] = -1;
        if (pick(m, 2))
            continue;
        m->primary[p] = (int)pick(m, NODES);
        m->settling[p] = true;
        routes_restore(m->routes, &prefix, id_of(m->primary[p]), 1);
    }
    for (int i = 0; i < NODES; i++) {
        m->nodes[i] = (struct person){.exists = pick(m, 8) != 0, .healthy = true, .available = pick(m, 32)};
        m->nodes[i].approved = pick(m, 2) ? m->nodes[i].available : pick(m, 32);
        if (m->nodes[i].exists)
            tell(m, i, true);
        else
            for (int p = 0; p < PREFIXES; p++)
                m->primary[p] = m->primary[p] == i ? NODES : m->primary[p];
    }
}

static void random_events_agree_with_the_model(void **state)
{
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        struct model m;
        struct route_moves moves = {0};

        begin(&m, run);
        for (unsigned step = 0; step < STEPS; step++) {
            moves.len = 0;
            routes_elect(m.routes, step, &moves);
            check(&m, &moves, run, step);
            for (int i = 0; i < NODES; i++)
                m.nodes[i].just_removed = false;
            for (unsigned n = 1 + pick(&m, 3); n > 0; n--)
                event(&m);
        }
        for (int i = 0; i < NODES; i++)
            record_unref(m.nodes[i].record);
        route_moves_release(&moves);
        routes_free(m.routes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_events_agree_with_the_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
