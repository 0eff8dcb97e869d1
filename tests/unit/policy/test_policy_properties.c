/* SPDX-License-Identifier: BSD-3-Clause */
/* What holds for every policy: the order in which nodes come decides nothing, and no rule that is added takes anything
 * away. A failure prints its seed and policy. */
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

/* Over the longest route that is shown; where several routers show it, over any of them. *exit: an exit node took it.
 */
static bool packet_arrives(const struct slow *s, const struct sent *c, uint32_t from, const struct addr *to, int proto,
                           uint16_t port, bool *exit)
{
    const struct addr *source = to->bits == 32 ? &s->nodes[from].ipv4 : &s->nodes[from].ipv6;
    bool arrives = false;
    int bits = -1;

    *exit = false;
    for (uint32_t i = 0; i < RANDOM_NODES; i++)
        if (addr_eq(&s->nodes[i].ipv4, to) || addr_eq(&s->nodes[i].ipv6, to))
            return policy_sees(c->v, from, i) && random_rules_let(c->filters[i], source, to, proto, port);
    for (uint32_t i = 0; i < RANDOM_NODES; i++) {
        struct prefixes shown = {0};
        if (policy_sees(c->v, from, i))
            policy_routes(c->v, from, i, &shown);
        for (size_t k = 0; k < shown.len; k++) {
            if (shown.items[k].bits < bits || !prefix_has_addr(&shown.items[k], to))
                continue;
            arrives &= shown.items[k].bits == bits;
            bits = shown.items[k].bits;
            arrives |= random_rules_let(c->filters[i], source, to, proto, port);
        }
        prefixes_release(&shown);
    }
    *exit = bits == 0;
    return arrives;
}

/* Its own way to the address, whatever peers offer. */
static bool routes_itself(const struct slow_node *n, const struct addr *to)
{
    for (size_t i = 0; i < n->route_count; i++)
        if (n->routes[i].bits && prefix_has_addr(&n->routes[i], to))
            return true;
    return false;
}

static void compare_rule_more(struct policy_random *b, const struct policy_view *more, const struct buf *text,
                              uint64_t seed)
{
    struct sent before, after;

    sent_fill(&before, b->v);
    sent_fill(&after, more);
    for (int k = 0; k < 400; k++) {
        uint32_t from = slow_roll(&b->s, RANDOM_NODES);
        struct addr to = random_addr(&b->s);
        uint16_t port = (uint16_t)(19 + slow_roll(&b->s, 9));
        int proto = slow_roll(&b->s, 2) ? 6 : 17;
        char x[PREFIX_TEXT_MAX];
        bool exit, unused;

        if (routes_itself(&b->s.nodes[from], &to))
            continue;
        /* An exit node is chosen by its user, who may choose another one; what it was given by its own address counts
         * only in a policy without autogroup:internet and via. */
        if (packet_arrives(&b->s, &before, from, &to, proto, port, &exit) && !exit &&
            !packet_arrives(&b->s, &after, from, &to, proto, port, &unused))
            fail_msg("seed %llu: %u no longer reaches %s %d:%u\n%s\n%s", (unsigned long long)seed, from,
                     addr_format(&to, x), proto, port, buf_text(&b->text), buf_text(text));
    }
    sent_release(&before);
    sent_release(&after);
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
        struct slow more = b.s;
        more.rules = mem_alloc((b.s.rule_count + 1) * sizeof(*more.rules));
        memcpy(more.rules, b.s.rules, b.s.rule_count * sizeof(*more.rules));
        slow_make_rule(&more, &more.rules[more.rule_count++]);
        slow_text(&more, &text);
        assert_int_equal(policy_parse(text.data, text.len, &p, &problems), 0);
        struct policy_tailnet t = {.users = b.users, .user_count = b.user_count};
        struct policy_view *v = policy_view_new(p, &t, NULL);
        random_put_all(&b, v);
        compare_rule_more(&b, v, &text, seed);
        policy_view_free(v);
        policy_unref(p);
        policy_problems_release(&problems);
        free(more.rules);
        buf_release(&text);
        random_teardown(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_rules_only_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
