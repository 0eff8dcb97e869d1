/* SPDX-License-Identifier: BSD-3-Clause */
/* Random events and random times against a model that knows nothing of indexes, rounds, dirty prefixes or waits: it
 * decides every prefix anew from the plain facts. Whatever happens, both must name the same primaries, and the moves
 * must tell the difference. Beside the model, what must hold whatever the rules are (keep_the_promises). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
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
    struct prefix_rule rules[PREFIXES];
    int primary[PREFIXES], chosen[PREFIXES];              /* index of a node, -1: none; NODES: one that nobody knows */
    int last[PREFIXES];                                   /* the last primary that is known */
    int64_t moved_ms[PREFIXES], well_ms[PREFIXES][NODES]; /* well_ms -1: it is not well */
    unsigned was_entitled[NODES];                         /* bit i: to prefix i, at the last election */
    unsigned approved[NODES];                             /* bit i: prefix i was approved since */
    bool decided[PREFIXES];                               /* by an administrator, since the last election */
    int64_t now_ms;
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

/* The first in the order of election among those as fit as can be. */
static int best_of(const struct model *m, int p, int fit)
{
    int best = -1;

    for (int i = 0; i < NODES; i++) {
        const struct person *n = &m->nodes[i], *b = best < 0 ? NULL : &m->nodes[best];
        if (fitness(m, i, p) != fit)
            continue;
        if (!b || (b->flapping && !n->flapping) ||
            (m->rules[p].failback != FAILBACK_OLDEST && n->flapping == b->flapping && n->priority > b->priority))
            best = i;
    }
    return best;
}

static void follow_wellness(struct model *m, int p)
{
    for (int i = 0; i < NODES; i++) {
        bool well = fitness(m, i, p) == 3 && !m->nodes[i].flapping;
        bool comes = !(m->was_entitled[i] & 1u << p);
        if (comes)
            m->well_ms[p][i] = -1;
        if (!well)
            m->well_ms[p][i] = -1;
        else if (m->well_ms[p][i] < 0)
            m->well_ms[p][i] = comes && m->approved[i] & 1u << p ? 0 : m->now_ms;
    }
}

static int64_t held_until(const struct model *m, int p)
{
    return m->moved_ms[p] ? m->moved_ms[p] + m->rules[p].hold_down_ns / NS_PER_MS : 0;
}

/* The present one is as fit as any: whether a better one takes over. */
static int fail_back(const struct model *m, int p, int fit)
{
    int before = m->primary[p], best = best_of(m, p, fit);
    const struct person *x = &m->nodes[before], *y = &m->nodes[best];
    int64_t since = m->well_ms[p][best], due;

    if (m->rules[p].failback == FAILBACK_STICKY || since < 0)
        return before;
    if (m->rules[p].failback == FAILBACK_PRIORITY && x->flapping == y->flapping && x->priority == y->priority)
        return before;
    due = since ? since + m->rules[p].failback_delay_ns / NS_PER_MS : 0;
    return due > m->now_ms || held_until(m, p) > m->now_ms ? before : best;
}

static int decide(struct model *m, int p)
{
    int before = m->primary[p], top = 0;
    bool still = entitled(m, before, p) && !m->nodes[before].expired, keep = m->rules[p].keep == PREFIX_KEEP;

    follow_wellness(m, p);
    if (m->settling[p] && still && !m->nodes[before].online)
        return before;
    m->settling[p] = false;
    for (int i = 0; i < NODES; i++)
        top = fitness(m, i, p) > top ? fitness(m, i, p) : top;
    if (top == 0) {
        m->chosen[p] = -1;
        return keep && still ? before : -1;
    }
    if (fitness(m, m->chosen[p], p) != top)
        m->chosen[p] = -1;
    if (top == 1) {
        if (fitness(m, before, p) == 1)
            return before;
        return keep ? best_of(m, p, 1) : -1;
    }
    if (m->chosen[p] >= 0)
        return m->chosen[p];
    return fitness(m, before, p) == top ? fail_back(m, p, top) : best_of(m, p, top);
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

    assert_int_equal(
        routes_prefer(m->routes, &(struct route_place){.prefix = &prefix}, (uint64_t)i + 1, PRIMARY_HOLDS, NULL) == 0,
        can);
    if (can) {
        m->decided[p] = true;
        m->chosen[p] = i;
        m->settling[p] = false;
    }
}

static void change_rule(struct model *m, int p)
{
    struct prefix prefix = prefix_number((unsigned)p);
    enum route_failback before = m->rules[p].failback;

    m->rules[p] = (struct prefix_rule){(enum route_failback)pick(m, FAILBACKS),
                                       (enum prefix_keep)pick(m, PREFIX_KEEPS),
                                       pick(m, 3) * 20 * NS_PER_SECOND,
                                       pick(m, 3) * 40 * NS_PER_SECOND,
                                       {0},
                                       PREFIX_ONE_FOR_ALL};
    m->decided[p] = true;
    if (m->rules[p].failback != before)
        m->chosen[p] = -1;
    routes_set_rule(m->routes, &prefix, &m->rules[p]);
}

/* What counts is by what it got to the prefix last. */
static void note_entitlement(struct model *m, int i, int p, bool approval)
{
    m->was_entitled[i] &= ~(1u << p);
    if (approval)
        m->approved[i] |= 1u << p;
    else
        m->approved[i] &= ~(1u << p);
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
        m->was_entitled[i] = m->approved[i] = 0;
        *n = (struct person){
            .exists = true, .online = pick(m, 2), .healthy = true, .available = pick(m, 32), .approved = pick(m, 32)};
        tell(m, i, true);
    } else if (kind == 2) {
        remove_node(m, i);
    } else if (kind <= 4) {
        prefer(m, i, p);
    } else if (kind <= 8) {
        bool approval = pick(m, 2);
        *(approval ? &n->approved : &n->available) ^= 1u << p;
        note_entitlement(m, i, p, approval);
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

/* What holds whatever the rule: who cannot serve is not elected; a router that is well loses a prefix only to an
 * administrator, or to a better one after both waits. */
static void keep_the_promises(const struct model *m, int p, int before, int after)
{
    bool known = before >= 0 && before < NODES;

    if (after >= 0 && after != before) {
        assert_true(fitness(m, after, p) > 0);
        assert_true(fitness(m, after, p) > 1 || m->rules[p].keep == PREFIX_KEEP);
    }
    if (after == before || !known || fitness(m, before, p) != 3 || after == m->chosen[p])
        return;
    assert_int_not_equal(m->rules[p].failback, FAILBACK_STICKY);
    assert_int_equal(fitness(m, after, p), 3);
    assert_true(m->now_ms >= held_until(m, p));
    assert_true(m->well_ms[p][after] >= 0);
    if (m->well_ms[p][after])
        assert_true(m->now_ms >= m->well_ms[p][after] + m->rules[p].failback_delay_ns / NS_PER_MS);
}

static bool anybody_entitled(const struct model *m, int p)
{
    for (int i = 0; i < NODES; i++)
        if (entitled(m, i, p))
            return true;
    return false;
}

static void check_prefix(struct model *m, int p, const struct route_move *move, unsigned run, unsigned step)
{
    struct prefix prefix = prefix_number((unsigned)p);
    int before = m->primary[p], after = decide(m, p);

    if (routes_primary(m->routes, &prefix, NULL) != id_of(after))
        fail_msg("run %u step %u prefix %d: primary %d, not %d", run, step, p,
                 (int)routes_primary(m->routes, &prefix, NULL) - 1, after);
    keep_the_promises(m, p, before, after);
    m->primary[p] = after;
    if (after < 0 && !anybody_entitled(m, p)) { /* then nothing is remembered */
        m->last[p] = -1;
        m->moved_ms[p] = 0;
    }
    if (after == before)
        return;
    if (!move) {
        fail_msg("run %u step %u prefix %d: the move is not told", run, step, p);
        return;
    }
    assert_int_equal(prefix_cmp(&move->prefix, &prefix), 0);
    assert_true(move->to == id_of(after));
    assert_true(before == NODES ? move->from != 0 : move->from == id_of(before));
    assert_non_null(move->cause);
    if (after < 0)
        return;
    if (m->last[p] >= 0 && m->last[p] != after)
        m->moved_ms[p] = m->now_ms;
    m->last[p] = after;
}

static void check(struct model *m, const struct route_moves *moves, unsigned run, unsigned step)
{
    size_t moved = 0, served = 0, listed = 0;
    struct prefixes serving = {0};

    for (int p = 0; p < PREFIXES; p++) {
        int before = m->primary[p];
        check_prefix(m, p, moved < moves->len ? &moves->items[moved] : NULL, run, step);
        moved += m->primary[p] != before;
        listed += m->primary[p] >= 0;
    }
    assert_int_equal(moves->len, moved);
    for (int i = 0; i < NODES; i++) {
        m->was_entitled[i] = m->nodes[i].exists ? m->nodes[i].available & m->nodes[i].approved : 0;
        routes_serving(m->routes, (uint64_t)i + 1, &serving);
        served += serving.len;
    }
    assert_int_equal(served, listed);
    prefixes_release(&serving);
}

/* What waits is due at some time, and nothing moves before it without an event. */
static void pass_time(struct model *m, struct route_moves *moves, unsigned run, unsigned step)
{
    int64_t due = routes_due(m->routes), to = m->now_ms + pick(m, 30000);

    if (due > m->now_ms && due <= to && pick(m, 2)) {
        m->now_ms = due - 1;
        moves->len = 0;
        routes_elect(m->routes, &(struct routes_time){m->now_ms, m->now_ms}, moves);
        assert_int_equal(moves->len, 0);
        check(m, moves, run, step);
        m->now_ms = due;
    } else {
        m->now_ms = to;
    }
}

static void begin(struct model *m, unsigned run)
{
    static const struct prefix_rule sticky = {FAILBACK_STICKY, PREFIX_WITHDRAW, 0, 0, {0}, PREFIX_ONE_FOR_ALL};

    *m = (struct model){.routes = routes_new(&sticky), .random = 88172645463325252u + run * 7919u, .now_ms = 1000};
    for (int p = 0; p < PREFIXES; p++) {
        struct prefix prefix = prefix_number((unsigned)p);
        m->primary[p] = m->chosen[p] = m->last[p] = -1;
        for (int i = 0; i < NODES; i++)
            m->well_ms[p][i] = -1;
        if (pick(m, 2))
            continue;
        m->primary[p] = m->last[p] = (int)pick(m, NODES);
        m->settling[p] = true;
        routes_restore(m->routes, &prefix, &(struct route_served){id_of(m->primary[p]), 1, false});
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
            routes_elect(m.routes, &(struct routes_time){m.now_ms, m.now_ms}, &moves);
            check(&m, &moves, run, step);
            pass_time(&m, &moves, run, step);
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
