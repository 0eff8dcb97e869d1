/* SPDX-License-Identifier: BSD-3-Clause */
/* Random policies over random tailnets: explanations, the section tests and comparisons, compared with the slow,
 * obvious evaluator. A failure prints its seed and policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bits.h"
#include "net/ranges.h"
#include "shared/policy_random.h"

/* An explanation never disagrees with what the nodes are sent. */
static void compare_explanations(struct policy_random *b, uint64_t seed)
{
    static const int protos[] = {6, 6, 17, 1, 132};

    for (int k = 0; k < 60; k++) {
        uint32_t from = slow_roll(&b->s, RANDOM_NODES);
        struct addr to = random_addr(&b->s);
        const struct addr *source = to.bits == 32 ? &b->s.nodes[from].ipv4 : &b->s.nodes[from].ipv6;
        uint16_t port = (uint16_t)(19 + slow_roll(&b->s, 9));
        int proto = protos[slow_roll(&b->s, ARRAY_LEN(protos))];
        char x[PREFIX_TEXT_MAX], y[PREFIX_TEXT_MAX];
        struct buf out = {0};
        bool got = false, want = slow_reaches(&b->s, from, &to, proto, port);
        struct err e;

        addr_format(source, x);
        addr_format(&to, y);
        assert_int_equal(policy_explain(b->v, x, y, proto, port, &got, &out, &e), 0);
        json_decref(random_json(&out));
        if (got != want)
            fail_msg("seed %llu: %s -> %s %d:%u want %d\n%s\n%s", (unsigned long long)seed, x, y, proto, port, want,
                     buf_text(&out), buf_text(&b->text));
        buf_release(&out);
    }
}

/* ---- the matrix ---- */

/* By the explanation: in one family at least, for one protocol at least. */
static bool explained(const struct policy_random *b, const struct addr *from, const struct addr *to)
{
    static const int protos[] = {6, 17, 1, 58, 132, 47};
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(protos) && !any; i++) {
        char x[PREFIX_TEXT_MAX], y[PREFIX_TEXT_MAX];
        struct buf out = {0};
        struct err e;
        addr_format(from, x);
        addr_format(to, y);
        assert_int_equal(policy_explain(b->v, x, y, protos[i], 0, &any, &out, &e), 0);
        buf_release(&out);
    }
    return any;
}

static json_t *matrix(const struct policy_view *v, const char *from, const char *to)
{
    struct policy_reach_query q = {.from = from, .to = to, .rows_max = 100, .columns_max = 100};
    struct buf out = BUF_INIT(0);
    struct json_out o = JSON_OUT(&out);
    struct err e;

    json_open(&o, '{');
    if (policy_reach(v, &q, &o, &e) < 0)
        fail_msg("%s", e.message);
    json_close(&o, '}');
    json_t *j = random_json(&out);
    buf_release(&out);
    return j;
}

static const json_t *cell_of(const json_t *m, size_t row, size_t column)
{
    const json_t *cell;
    size_t i;

    json_array_foreach(json_object_get(m, "cells"), i,
                       cell) if ((size_t)json_integer_value(json_object_get(cell, "row")) == row &&
                                 (size_t)json_integer_value(json_object_get(cell, "column")) == column) return cell;
    return NULL;
}

static size_t node_of(const struct policy_random *b, const json_t *m, const char *ends, size_t i)
{
    const char *name = json_text(json_array_get(json_object_get(m, ends), i), "name", "");
    struct slow_scratch scratch = {0};
    struct policy_node n;

    for (size_t k = 0; k < b->s.node_count; k++) {
        if (!b->s.nodes[k].there)
            continue;
        slow_node_input(&b->s, k, &scratch, &n);
        bool same = str_eq(n.name, name);
        slow_scratch_release(&scratch);
        if (same)
            return k;
    }
    fail_msg("nobody is called %s", name);
    return 0;
}

/* Each cell of two nodes says what the explanation says. */
static void compare_node_cells(struct policy_random *b, uint64_t seed)
{
    json_t *m = matrix(b->v, "nodes", "nodes");
    size_t count = json_array_size(json_object_get(m, "rows"));

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            size_t x = node_of(b, m, "rows", i), y = node_of(b, m, "columns", k);
            const struct slow_node *from = &b->s.nodes[x], *to = &b->s.nodes[y];
            bool want = x != y && (explained(b, &from->ipv4, &to->ipv4) || explained(b, &from->ipv6, &to->ipv6));
            bool got = cell_of(m, i, k) != NULL;
            if (got != want)
                fail_msg("seed %llu: node %zu -> node %zu: want %d, got %d\n%s", (unsigned long long)seed, x, y, want,
                         got, buf_text(&b->text));
        }
    json_decref(m);
}

/* What is reached by way of a route has a cell. */
static void compare_prefix_cells(struct policy_random *b, uint64_t seed)
{
    json_t *m = matrix(b->v, "nodes", "prefixes");

    for (int k = 0; k < 20; k++) {
        size_t i = slow_roll(&b->s, (uint32_t)json_array_size(json_object_get(m, "rows")) + 1);
        struct addr to = random_addr(&b->s);
        if (i == json_array_size(json_object_get(m, "rows")))
            continue;
        const struct slow_node *from = &b->s.nodes[node_of(b, m, "rows", i)];
        char x[PREFIX_TEXT_MAX], y[PREFIX_TEXT_MAX];
        struct buf out = {0};
        bool allowed;
        struct err e;
        addr_format(to.bits == 32 ? &from->ipv4 : &from->ipv6, x);
        addr_format(&to, y);
        assert_int_equal(policy_explain(b->v, x, y, 6, 0, &allowed, &out, &e), 0);
        json_t *why = random_json(&out);
        const char *route = json_text(why, "route", NULL);
        for (size_t c = 0; allowed && route && c < json_array_size(json_object_get(m, "columns")); c++)
            if (str_eq(json_text(json_array_get(json_object_get(m, "columns"), c), "name", ""), route) &&
                !cell_of(m, i, c))
                fail_msg("seed %llu: %s -> %s by %s has no cell\n%s", (unsigned long long)seed, x, y, route,
                         buf_text(&b->text));
        json_decref(why);
        buf_release(&out);
    }
    json_decref(m);
}

/* A cell of many says that somebody gets there just where one of its pairs does. */
static void compare_whole_cells(struct policy_random *b, uint64_t seed)
{
    json_t *m = matrix(b->v, "users,tags", "users,tags");

    for (size_t i = 0; i < json_array_size(json_object_get(m, "rows")); i++)
        for (size_t k = 0; k < json_array_size(json_object_get(m, "columns")); k++) {
            const char *from = json_text(json_array_get(json_object_get(m, "rows"), i), "name", "");
            const char *to = json_text(json_array_get(json_object_get(m, "columns"), k), "name", "");
            struct policy_reach_query q = {"nodes", "nodes", from, to, 100, 100};
            struct buf out = BUF_INIT(0);
            struct json_out o = JSON_OUT(&out);
            struct err e;
            json_open(&o, '{');
            assert_int_equal(policy_reach(b->v, &q, &o, &e), 0);
            json_close(&o, '}');
            json_t *parts = random_json(&out);
            bool want = json_array_size(json_object_get(parts, "cells")) > 0, got = cell_of(m, i, k) != NULL;
            if (got != want)
                fail_msg("seed %llu: %s -> %s: want %d, got %d\n%s\n%s", (unsigned long long)seed, from, to, want, got,
                         buf_text(&out), buf_text(&b->text));
            json_decref(parts);
            buf_release(&out);
        }
    json_decref(m);
}

/* ---- the section tests ---- */

/* Every address that the source stands for, as far as rules tell them apart. */
static void source_addresses(const struct slow *s, const struct slow_alias *src, struct prefixes *out)
{
    for (size_t i = 0; i < s->node_count; i++) {
        const struct slow_node *n = &s->nodes[i];
        const struct prefix own[2] = {{n->ipv4, 32}, {n->ipv6, 128}};
        for (int k = 0; k < 2 && n->there && slow_is_member(s, i, src); k++)
            prefixes_add(out, &own[k]);
        for (size_t r = 0; src->kind == SLOW_ANY && n->there && r < n->route_count; r++)
            if (n->routes[r].bits)
                prefixes_add(out, &n->routes[r]);
    }
}

/* Addresses of the range on both sides of the border that another one draws. */
static void add_border(const struct prefix *range, const struct prefix *other, struct prefixes *out)
{
    struct addr_range r = range_of(other);
    struct addr sides[4] = {r.first, r.first, r.last, r.last};

    (void)addr_previous(&sides[1]);
    (void)addr_next(&sides[3]);
    for (size_t k = 0; k < 4; k++) {
        struct prefix one = {sides[k], sides[k].bits};
        if (prefix_covers(range, &one))
            prefixes_add(out, &one);
    }
}

/* The same for all that sources of rules and routes draw. */
static void add_borders(const struct slow *s, const struct prefix *range, struct prefixes *out)
{
    add_border(range, range, out);
    for (size_t i = 0; i < s->rule_count; i++)
        for (size_t k = 0; k < s->rules[i].srcs; k++)
            if (s->rules[i].src[k].kind == SLOW_PREFIX)
                add_border(range, &s->rules[i].src[k].prefix, out);
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t k = 0; s->nodes[i].there && k < s->nodes[i].route_count; k++)
            add_border(range, &s->nodes[i].routes[k], out);
}

static bool test_holds(const struct slow *s, const struct slow_alias *src, const struct slow_alias *dst, bool accept,
                       int proto, uint16_t port)
{
    struct prefixes ranges = {0}, points = {0};
    bool holds = true;

    source_addresses(s, src, &ranges);
    for (size_t i = 0; i < ranges.len; i++)
        add_borders(s, &ranges.items[i], &points);
    for (size_t i = 0; i < points.len; i++)
        holds &= slow_rule_lets(s, &points.items[i].addr, dst, proto, port) == accept;
    prefixes_release(&ranges);
    prefixes_release(&points);
    return holds;
}

static bool names_nobody(const struct slow *s, const struct slow_alias *a)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].there && slow_is_member(s, i, a))
            return false;
    return true;
}

static void compare_tests(struct policy_random *b, uint64_t seed)
{
    static const char *const names[] = {"", "tcp", "udp"};
    static const int protos[] = {-1, 6, 17};

    for (int k = 0; k < 6; k++) {
        struct slow_alias src, dst;
        struct buf entry = {0}, text = {0};
        struct policy_problems problems = {0};
        struct policy_tailnet t = {.users = b->users, .user_count = b->user_count};
        struct policy *p = NULL;
        uint32_t proto = slow_roll(&b->s, 3);
        uint16_t port = (uint16_t)(19 + slow_roll(&b->s, 9));
        bool accept = slow_roll(&b->s, 2) == 0;

        do
            src = slow_pick_alias(&b->s, false);
        while (src.kind == SLOW_PREFIX);
        do
            dst = slow_pick_alias(&b->s, true);
        while (dst.kind == SLOW_SELF || dst.kind == SLOW_INTERNET || dst.kind == SLOW_ANY || dst.kind == SLOW_PREFIX);
        if (slow_roll(&b->s, 2)) {
            dst.kind = SLOW_PREFIX;
            dst.prefix.addr = random_addr(&b->s);
            dst.prefix.bits = dst.prefix.addr.bits;
        }
        if (names_nobody(&b->s, &src) || (dst.kind != SLOW_PREFIX && names_nobody(&b->s, &dst)))
            continue;
        buf_adds(&entry, "{\"src\":\"");
        slow_alias_text(&src, &entry);
        buf_addf(&entry, "\",\"proto\":\"%s\",\"%s\":[\"", names[proto], accept ? "accept" : "deny");
        if (dst.kind == SLOW_PREFIX) {
            char one[PREFIX_TEXT_MAX];
            buf_addf(&entry, dst.prefix.bits == 128 ? "[%s]" : "%s", addr_format(&dst.prefix.addr, one));
        } else {
            slow_alias_text(&dst, &entry);
        }
        buf_addf(&entry, ":%u\"]}", port);
        free(b->s.tests);
        b->s.tests = buf_take(&entry);
        slow_text(&b->s, &text);
        assert_int_equal(policy_parse(text.data, text.len, &p, &problems), 0);
        struct policy_view *v = policy_view_new(p, &t, NULL);
        random_put_all(b, v);
        bool got = policy_view_check(v, true, &problems) == 0;
        bool want = test_holds(&b->s, &src, &dst, accept, protos[proto], port);
        if (got != want)
            fail_msg("seed %llu: want %d: %s\n%s", (unsigned long long)seed, want, b->s.tests, buf_text(&text));
        policy_view_free(v);
        policy_unref(p);
        policy_problems_release(&problems);
        buf_release(&text);
    }
}

/* ---- comparisons ---- */

/* What one node reaches on another or behind it, for all that rules tell apart: a bit for each. */
static void reached(const struct slow *s, size_t from, size_t to, const struct prefixes *behind, uint64_t *bits)
{
    static const int protos[] = {6, 17, 1, 58, 132};
    const struct slow_node *a = &s->nodes[from], *b = &s->nodes[to];
    uint32_t bit = 0;

    for (size_t i = 0; i < 2 + behind->len; i++) {
        const struct addr *target = i == 0 ? &b->ipv4 : i == 1 ? &b->ipv6 : &behind->items[i - 2].addr;
        const struct addr *source = target->bits == 32 ? &a->ipv4 : &a->ipv6;
        bool hidden = target->bits == 32 && (slow_hides_ipv4(s, from, from) || (i < 2 && slow_hides_ipv4(s, to, to)));
        for (size_t k = 0; k < ARRAY_LEN(protos); k++)
            for (unsigned port = 18; port <= 32; port++, bit++)
                if (!hidden && protos[k] != (target->bits == 32 ? 58 : 1) &&
                    slow_lets(s, to, source, target, protos[k], (uint16_t)(port == 18 ? 1 : port)))
                    bit_set(bits, protos[k] == 1 || protos[k] == 58 ? bit - (port - 18) : bit);
    }
    for (int value = 1; value <= 2; value++)
        for (int ipv6 = 0; ipv6 < 2; ipv6++, bit++)
            if ((ipv6 || (!slow_hides_ipv4(s, from, from) && !slow_hides_ipv4(s, to, to))) &&
                slow_holds(s, from, to, value, ipv6 == 1))
                bit_set(bits, bit);
}

/* Samples of what lies behind a node: its networks and, for an exit node, the internet. */
static void behind_node(const struct slow *x, const struct slow *y, size_t node, struct prefixes *out)
{
    static const struct prefix internet[] = {{{32, {8, 8, 8, 0}}, 24}, {{32, {192, 200}}, 16}, {{128, {0x20, 1}}, 16}};
    const struct slow *both[2] = {x, y};

    for (size_t i = 0; i < x->nodes[node].route_count; i++) {
        const struct prefix *route = &x->nodes[node].routes[i];
        if (route->bits == 0) {
            for (size_t k = 0; k < ARRAY_LEN(internet); k++) {
                struct prefix one = {internet[k].addr, internet[k].addr.bits};
                one.addr.bytes[3] |= 8;
                prefixes_add(out, &one);
            }
            continue;
        }
        add_border(route, route, out);
        for (int side = 0; side < 2; side++)
            for (size_t r = 0; r < both[side]->rule_count; r++)
                for (size_t k = 0; k < both[side]->rules[r].dsts; k++)
                    if (both[side]->rules[r].dst[k].kind == SLOW_PREFIX)
                        add_border(route, &both[side]->rules[r].dst[k].prefix, out);
    }
}

static void compare_previews(struct policy_random *b, uint64_t seed)
{
    struct slow other = b->s;
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    struct buf text = {0}, out = {0};
    struct json_out o = JSON_OUT(&out);
    json_int_t want[2] = {0, 0};

    other.rules = mem_dup(b->s.rules, b->s.rule_count * sizeof(*other.rules));
    other.tests = NULL;
    slow_make_rule(&other, &other.rules[slow_roll(&b->s, (uint32_t)other.rule_count)]);
    slow_text(&other, &text);
    assert_int_equal(policy_parse(text.data, text.len, &p, &problems), 0);
    struct policy_tailnet t = {.users = b->users, .user_count = b->user_count};
    struct policy_view *after = policy_view_new(p, &t, NULL);
    random_put_all(b, after);
    json_open(&o, '{');
    policy_preview(b->v, after, NULL, 1000, &o);
    json_close(&o, '}');
    for (size_t i = 0; i < RANDOM_NODES; i++)
        for (size_t k = 0; k < RANDOM_NODES; k++) {
            struct prefixes behind = {0};
            if (i == k || !b->s.nodes[i].there || !b->s.nodes[k].there)
                continue;
            behind_node(&b->s, &other, k, &behind);
            size_t words = BITS_WORDS((2 + behind.len) * 5 * 15 + 4);
            uint64_t *x = bits_new(words), *y = bits_new(words);
            reached(&b->s, i, k, &behind, x);
            reached(&other, i, k, &behind, y);
            bool lost = false, gained = false;
            for (size_t w = 0; w < words; w++) {
                lost |= (x[w] & ~y[w]) != 0;
                gained |= (y[w] & ~x[w]) != 0;
            }
            want[0] += lost;
            want[1] += gained;
            free(x);
            free(y);
            prefixes_release(&behind);
        }
    json_t *got = random_json(&out);
    const json_t *totals = json_object_get(got, "totals");
    if (json_integer_value(json_object_get(totals, "pairs_lost")) != want[0] ||
        json_integer_value(json_object_get(totals, "pairs_gained")) != want[1])
        fail_msg("seed %llu: want %lld lost, %lld gained\n%s\n%s\n%s", (unsigned long long)seed, (long long)want[0],
                 (long long)want[1], buf_text(&out), buf_text(&b->text), buf_text(&text));
    json_decref(got);
    policy_view_free(after);
    policy_unref(p);
    policy_problems_release(&problems);
    free(other.rules);
    buf_release(&text);
    buf_release(&out);
}

static void test_answers(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= random_runs(400); seed++) {
        struct policy_random b;
        random_setup(&b, seed);
        compare_explanations(&b, seed);
        compare_tests(&b, seed);
        random_teardown(&b);
    }
}

static void test_matrices(void **unused)
{
    (void)unused;
    for (uint64_t seed = 9000; seed < 9000 + random_runs(60); seed++) {
        struct policy_random b;
        random_setup(&b, seed);
        compare_node_cells(&b, seed);
        compare_prefix_cells(&b, seed);
        compare_whole_cells(&b, seed);
        random_teardown(&b);
    }
}

static void test_previews(void **unused)
{
    (void)unused;
    for (uint64_t seed = 5000; seed < 5000 + random_runs(60); seed++) {
        struct policy_random b;
        random_setup(&b, seed);
        compare_previews(&b, seed);
        random_teardown(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_previews),
        cmocka_unit_test(test_matrices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
