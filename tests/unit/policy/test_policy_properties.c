/* SPDX-License-Identifier: BSD-3-Clause */
/* Properties of every policy: the order in which nodes are added makes no difference, and an additional rule removes
 * nothing. A failure prints its seed and policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/ranges.h"
#include "shared/policy_random.h"

static json_t *filter_of(const struct policy_view *v, uint32_t slot, bool whole)
{
    struct policy_parts parts = {0};
    struct buf out = {0};

    if (whole)
        policy_filter(v, slot, &out);
    else
        policy_filter_delta(v, slot, NULL, &parts, &out);
    json_t *filter = random_json(&out);
    policy_parts_release(&parts);
    buf_release(&out);
    return filter;
}

/* ---- any order ---- */

static struct policy_view *at_once(struct policy_random *b)
{
    struct policy_node nodes[RANDOM_NODES];
    struct slow_scratch scratch[RANDOM_NODES] = {0};
    struct policy_tailnet t = {.users = b->users, .user_count = b->user_count, .nodes = nodes};

    for (size_t i = 0; i < RANDOM_NODES; i++)
        if (b->s.nodes[i].there)
            slow_node_input(&b->s, i, &scratch[i], &nodes[t.node_count++]);
    struct policy_view *v = policy_view_new(b->p, &t, NULL);
    for (size_t i = 0; i < RANDOM_NODES; i++)
        slow_scratch_release(&scratch[i]);
    return v;
}

static void assert_same(struct policy_random *b, const struct policy_view *x, const struct policy_view *y,
                        uint64_t seed)
{
    for (uint32_t i = 0; i < RANDOM_NODES; i++) {
        for (int whole = 0; whole < 2; whole++) {
            json_t *p = filter_of(x, i, whole), *q = filter_of(y, i, whole);
            if (!json_equal(p, q))
                fail_msg("seed %llu: filter of node %u\n%s", (unsigned long long)seed, i, buf_text(&b->text));
            json_decref(p);
            json_decref(q);
        }
        for (uint32_t k = 0; k < RANDOM_NODES; k++) {
            struct prefixes p = {0}, q = {0};
            policy_routes(x, i, k, &p);
            policy_routes(y, i, k, &q);
            if (policy_sees(x, i, k) != policy_sees(y, i, k) || !prefixes_eq(&p, &q))
                fail_msg("seed %llu: what %u sees of %u\n%s", (unsigned long long)seed, i, k, buf_text(&b->text));
            prefixes_release(&p);
            prefixes_release(&q);
        }
    }
}

static void test_any_order(void **unused)
{
    (void)unused;
    for (uint64_t seed = 7000; seed < 7000 + random_runs(150); seed++) {
        struct policy_random b;

        random_setup(&b, seed);
        struct policy_view *whole = at_once(&b);
        for (int i = 0; i < 3; i++) {
            struct policy_view *v = random_view(&b);
            if (i == 2) { /* some come and go again */
                policy_view_remove(v, (uint32_t)(seed % RANDOM_NODES));
                random_put_all(&b, v);
            }
            assert_same(&b, whole, v, seed);
            policy_view_free(v);
        }
        policy_view_free(whole);
        random_teardown(&b);
    }
}

/* ---- one rule more ---- */

/* All that is needed to follow a packet through what the nodes were sent. */
struct sent {
    const struct policy_view *v;
    json_t *filters[RANDOM_NODES];
};

static void sent_fill(struct sent *s, const struct policy_view *v)
{
    s->v = v;
    for (uint32_t i = 0; i < RANDOM_NODES; i++)
        s->filters[i] = filter_of(v, i, true);
}

static void sent_release(struct sent *s)
{
    for (uint32_t i = 0; i < RANDOM_NODES; i++)
        json_decref(s->filters[i]);
}

struct taken {        /* who takes a packet, over the longest route that is shown */
    int bits;         /* of that route; -1: nobody */
    unsigned by_via;  /* who show it and are not the primary: a grant with via leads to them */
    uint64_t arrives; /* by whom of them it arrives, as bits */
};

static struct taken take_packet(const struct slow *s, const struct sent *c, uint32_t from, const struct addr *to,
                                int proto, uint16_t port)
{
    const struct addr *source = to->bits == 32 ? &s->nodes[from].ipv4 : &s->nodes[from].ipv6;
    struct taken t = {.bits = -1};

    for (uint32_t i = 0; i < RANDOM_NODES; i++) {
        struct prefixes shown = {0};
        bool itself = addr_eq(&s->nodes[i].ipv4, to) || addr_eq(&s->nodes[i].ipv6, to);
        if (policy_sees(c->v, from, i) && !itself)
            policy_routes(c->v, from, i, &shown);
        if (policy_sees(c->v, from, i) && itself)
            prefixes_add(&shown, &(struct prefix){*to, to->bits});
        for (size_t k = 0; k < shown.len; k++) {
            if (shown.items[k].bits < t.bits || !prefix_has_addr(&shown.items[k], to))
                continue;
            if (shown.items[k].bits > t.bits)
                t = (struct taken){.bits = shown.items[k].bits};
            t.by_via += !itself && shown.items[k].bits > 0 && !slow_serves(s, i, &shown.items[k]);
            if (random_rules_let(c->filters[i], source, to, proto, port))
                t.arrives |= UINT64_C(1) << i;
        }
        prefixes_release(&shown);
    }
    return t;
}

/* Its own way to the address, whatever peers offer. */
static bool routes_itself(const struct slow_node *n, const struct addr *to)
{
    for (size_t i = 0; i < n->route_count; i++)
        if (n->routes[i].bits && prefix_has_addr(&n->routes[i], to))
            return true;
    return false;
}

/* The policy names autogroup:internet or via: from then on an exit node's own address gives nobody the exit. */
static bool names_exits(const struct slow *s)
{
    bool names = false;

    for (size_t i = 0; i < s->rule_count; i++) {
        const struct slow_rule *r = &s->rules[i];
        names |= r->via >= 0;
        for (size_t k = 0; k < r->srcs; k++)
            names |= r->src[k].kind == SLOW_INTERNET;
        for (size_t k = 0; k < r->dsts; k++)
            names |= r->dst[k].kind == SLOW_INTERNET;
    }
    return names;
}

static struct {
    size_t exits, winners; /* packets that an exit node took; that winners of several groups of via may take */
} seen;

static void compare_rule_more(struct policy_random *b, const struct policy_view *more, const struct slow *rules,
                              const struct buf *text, uint64_t seed)
{
    struct sent before, after;
    bool exits_lapse = !names_exits(&b->s) && names_exits(rules);

    sent_fill(&before, b->v);
    sent_fill(&after, more);
    for (int k = 0; k < 400; k++) {
        uint32_t from = slow_roll(&b->s, RANDOM_NODES);
        struct addr to = random_addr(&b->s);
        uint16_t port = (uint16_t)(19 + slow_roll(&b->s, 9));
        int proto = slow_roll(&b->s, 2) ? 6 : 17;
        char x[PREFIX_TEXT_MAX];

        if (routes_itself(&b->s.nodes[from], &to))
            continue;
        struct taken was = take_packet(&b->s, &before, from, &to, proto, port);
        struct taken is = take_packet(&b->s, &after, from, &to, proto, port);
        seen.exits += was.bits == 0 && was.arrives;
        seen.winners += was.by_via > 1 && was.arrives;
        if (was.bits == 0 && exits_lapse)
            continue; /* the one exception (routes.md 16.3), of which the policy's check warns: the older form lapses */
        /* An exit node is chosen by its user: each that was of use stays, unless a subnet router takes the packet. */
        uint64_t lost = was.bits == 0 && is.bits == 0 ? was.arrives & ~is.arrives : is.arrives ? 0 : was.arrives;
        if (lost)
            fail_msg("seed %llu: %u no longer reaches %s %d:%u\n%s\n%s", (unsigned long long)seed, from,
                     addr_format(&to, x), proto, port, buf_text(&b->text), buf_text(text));
    }
    sent_release(&before);
    sent_release(&after);
}

/* Three routers of one prefix: the primary, and one of each of two tags, to which grants with via lead everybody. */
static void add_winners(struct policy_random *b)
{
    const struct prefix p = {{.bits = 32, .bytes = {10}}, 24};
    struct policy_tailnet t = {.users = b->users, .user_count = b->user_count};
    struct policy_problems problems = {0};

    for (unsigned i = 0; i < 3; i++) {
        struct slow_node *n = &b->s.nodes[i];
        *n = (struct slow_node){.there = true,
                                .online = true,
                                .healthy = true,
                                .order = i,
                                .user = i ? -1 : 0,
                                .tags = i,
                                .ipv4 = n->ipv4,
                                .ipv6 = n->ipv6,
                                .routes = {p},
                                .route_count = 1};
    }
    b->s.rules = mem_resize(b->s.rules, b->s.rule_count + 2, sizeof(*b->s.rules));
    for (int tag = 0; tag < 2; tag++)
        b->s.rules[b->s.rule_count++] = (struct slow_rule){.grant = true,
                                                           .srcs = 1,
                                                           .dsts = 1,
                                                           .proto = -1,
                                                           .via = tag,
                                                           .ip = true,
                                                           .src = {{.kind = SLOW_ANY}},
                                                           .dst = {{.kind = SLOW_PREFIX,
                                                                    .prefix = p,
                                                                    .first = (uint16_t)(20 + 3 * tag),
                                                                    .last = (uint16_t)(23 + 3 * tag)}}};
    policy_view_free(b->v);
    policy_unref(b->p);
    buf_release(&b->text);
    slow_text(&b->s, &b->text);
    if (policy_parse(b->text.data, b->text.len, &b->p, &problems) < 0)
        fail_msg("%s", problems.items[0].text);
    policy_problems_release(&problems);
    b->v = policy_view_new(b->p, &t, NULL);
    random_put_all(b, b->v);
}

static void test_rules_only_add(void **unused)
{
    (void)unused;
    for (uint64_t seed = 9000; seed < 9000 + random_runs(300); seed++) {
        struct policy_problems problems = {0};
        struct policy_random b;
        struct policy *p = NULL;
        struct buf text = {0};

        random_setup(&b, seed);
        if (seed % 3 == 0)
            add_winners(&b);
        struct slow more = b.s;
        more.rules = mem_alloc((b.s.rule_count + 1) * sizeof(*more.rules));
        memcpy(more.rules, b.s.rules, b.s.rule_count * sizeof(*more.rules));
        slow_make_rule(&more, &more.rules[more.rule_count++]);
        slow_text(&more, &text);
        assert_int_equal(policy_parse(text.data, text.len, &p, &problems), 0);
        struct policy_tailnet t = {.users = b.users, .user_count = b.user_count};
        struct policy_view *v = policy_view_new(p, &t, NULL);
        random_put_all(&b, v);
        compare_rule_more(&b, v, &more, &text, seed);
        policy_view_free(v);
        policy_unref(p);
        policy_problems_release(&problems);
        free(more.rules);
        buf_release(&text);
        random_teardown(&b);
    }
    print_message("%zu packets to exits, %zu to several winners\n", seen.exits, seen.winners);
    assert_true(seen.exits > 0);
    assert_true(seen.winners > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_rules_only_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
