/* SPDX-License-Identifier: BSD-3-Clause */
/* Random policies over random tailnets: what the room compiles, keeps up to date, explains, tests and compares, against
 * the slow, obvious evaluator. A failure prints its seed and policy. HEADWAY_SOAK=1 in the environment takes 6,000. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/bits.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/ranges.h"
#include "policy/policy.h"
#include "shared/policy_slow.h"
#include "json/json.h"

#define NODES     14
#define USERS     4
#define NONE_SLOT UINT32_MAX

struct bench {
    struct slow s;
    struct policy *p;
    struct policy_view *v;
    struct policy_user users[USERS];
    size_t user_count;
    char names[USERS][2][32];
    struct buf text;
};

/* Node by node, in an order that is another one each time. */
static void put_all(struct bench *b, struct policy_view *v)
{
    struct slow_scratch scratch = {0};
    struct policy_node n;
    size_t start = slow_roll(&b->s, NODES), step = slow_roll(&b->s, 2) ? 5 : 9; /* without a divisor in common */

    for (size_t k = 0; k < NODES; k++) {
        size_t i = (start + k * step) % NODES;
        if (!b->s.nodes[i].there)
            continue;
        slow_node_input(&b->s, i, &scratch, &n);
        policy_view_put(v, &n);
    }
    slow_scratch_release(&scratch);
}

static struct policy_view *fresh(struct bench *b)
{
    struct policy_tailnet t = {.users = b->users, .user_count = b->user_count};
    struct policy_view *v = policy_view_new(b->p, &t, NULL);

    put_all(b, v);
    return v;
}

static void setup(struct bench *b, uint64_t seed)
{
    struct policy_problems problems = {0};

    *b = (struct bench){.user_count = USERS};
    slow_init(&b->s, seed, USERS, 3, 4, 1 + seed % 9, NODES);
    slow_users(&b->s, b->users, b->names);
    slow_text(&b->s, &b->text);
    if (policy_parse(b->text.data, b->text.len, &b->p, &problems) < 0) {
        struct buf why = {0};
        policy_problems_text(&problems, &why);
        fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, buf_text(&why), buf_text(&b->text));
    }
    policy_problems_release(&problems);
    b->v = fresh(b);
}

static void teardown(struct bench *b)
{
    policy_view_free(b->v);
    policy_unref(b->p);
    slow_release(&b->s);
    buf_release(&b->text);
}

/* ---- reading a filter as a client does ---- */

static bool lists(const json_t *texts, const struct addr *a)
{
    const json_t *e;
    size_t i;

    json_array_foreach(texts, i, e)
    {
        struct addr_ranges r = {0};
        assert_true(ranges_push_text(&r, json_string_value(e)));
        bool in = false;
        for (size_t k = 0; k < r.len; k++)
            in |= range_has(&r.items[k], a);
        ranges_release(&r);
        if (in)
            return true;
    }
    return false;
}

static bool rules_let(const json_t *rules, const struct addr *from, const struct addr *to, int proto, uint16_t port)
{
    const json_t *rule, *d, *e;
    size_t i, k, j;

    json_array_foreach(rules, i, rule)
    {
        const json_t *protos = json_object_get(rule, "IPProto");
        bool fits = json_array_size(protos) == 0 && (proto == 6 || proto == 17 || proto == 1 || proto == 58);
        json_array_foreach(protos, j, e)
        {
            fits |= json_integer_value(e) == proto;
        }
        if (!fits || !lists(json_object_get(rule, "SrcIPs"), from))
            continue;
        json_array_foreach(json_object_get(rule, "DstPorts"), k, d)
        {
            const json_t *ports = json_object_get(d, "Ports");
            json_t *one = json_pack("[O]", json_object_get(d, "IP"));
            bool hit = lists(one, to) && json_integer_value(json_object_get(ports, "First")) <= port &&
                       port <= json_integer_value(json_object_get(ports, "Last"));
            json_decref(one);
            if (hit)
                return true;
        }
    }
    return false;
}

static json_t *read_json(const struct buf *b)
{
    json_t *v = NULL;
    struct err e;

    if (json_read(buf_text(b), b->len, SIZE_MAX, "filter", &v, &e) < 0)
        fail_msg("%s\n%s", e.message, buf_text(b));
    return v;
}

static struct addr pick_addr(struct slow *s)
{
    const struct slow_node *n = &s->nodes[slow_roll(s, (uint32_t)s->node_count)];
    static const struct addr others[] = {
        {32, {8, 8, 8, 8}}, {32, {192, 168, 9, 9}}, {32, {200, 1, 2, 3}}, {32, {100, 64, 1, 200}}};

    switch (slow_roll(s, 6)) {
    case 0:
        return others[slow_roll(s, 4)];
    case 1:
        return n->ipv6;
    case 2:
        if (n->route_count && n->routes[0].bits) {
            struct addr a = n->routes[0].addr;
            a.bytes[3] |= 5;
            return a;
        }
        return (struct addr){32, {10, (uint8_t)slow_roll(s, 3), (uint8_t)slow_roll(s, 3), 7}};
    default:
        return n->ipv4;
    }
}

static void compare_packets(struct bench *b, uint64_t seed)
{
    static const int protos[] = {6, 17, 1, 132};
    struct policy_parts parts = {0};

    for (uint32_t i = 0; i < NODES; i++) {
        struct buf whole = {0}, named = {0};
        const char *name;
        json_t *rules, *by_name, *part;

        if (!b->s.nodes[i].there)
            continue;
        policy_filter(b->v, i, &whole);
        policy_filter_delta(b->v, i, NULL, &parts, &named);
        rules = read_json(&whole);
        by_name = read_json(&named);
        for (int k = 0; k < 60; k++) {
            struct addr from = pick_addr(&b->s), to = slow_roll(&b->s, 3) ? pick_addr(&b->s) : b->s.nodes[i].ipv4;
            int proto = protos[slow_roll(&b->s, 4)];
            uint16_t port = (uint16_t)(19 + slow_roll(&b->s, 9));
            char x[PREFIX_TEXT_MAX], y[PREFIX_TEXT_MAX];
            bool want = slow_lets(&b->s, i, &from, &to, proto, port), parted = false;
            json_object_foreach(by_name, name, part)
            {
                parted |= rules_let(part, &from, &to, proto, port);
            }
            if (rules_let(rules, &from, &to, proto, port) != want || parted != want)
                fail_msg("seed %llu node %u: %s -> %s %d:%u want %d, parts %d\n%s\n%s", (unsigned long long)seed, i,
                         addr_format(&from, x), addr_format(&to, y), proto, port, want, parted, buf_text(&b->text),
                         buf_text(&whole));
        }
        json_decref(rules);
        json_decref(by_name);
        buf_release(&whole);
        buf_release(&named);
    }
    policy_parts_release(&parts);
}

static void compare_peers(struct bench *b, uint64_t seed)
{
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t k = 0; k < NODES; k++) {
            if (!b->s.nodes[i].there || !b->s.nodes[k].there)
                continue;
            bool want = slow_sees(&b->s, i, k);
            if (policy_sees(b->v, i, k) != want || (policy_sees_mask(b->v, i, 0) >> k & 1) != want)
                fail_msg("seed %llu: %u sees %u: want %d\n%s", (unsigned long long)seed, i, k, want,
                         buf_text(&b->text));
        }
}

static void compare_routes(struct bench *b, uint64_t seed)
{
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t k = 0; k < NODES; k++) {
            struct prefixes shown = {0};
            char text[PREFIX_TEXT_MAX];

            if (i == k || !b->s.nodes[i].there || !b->s.nodes[k].there || !policy_sees(b->v, i, k))
                continue;
            policy_routes(b->v, i, k, &shown);
            for (size_t r = 0; r < b->s.nodes[k].route_count; r++) {
                const struct prefix *route = &b->s.nodes[k].routes[r];
                bool want = slow_shows(&b->s, i, k, route);
                if (prefixes_has(&shown, route) != want)
                    fail_msg("seed %llu: %u is shown %s of %u: want %d\n%s", (unsigned long long)seed, i,
                             prefix_format(route, text), k, want, buf_text(&b->text));
            }
            prefixes_release(&shown);
            if (policy_hides_ipv4(b->v, i, k) != slow_hides_ipv4(&b->s, i, k))
                fail_msg("seed %llu: IPv4 between %u and %u\n%s", (unsigned long long)seed, i, k, buf_text(&b->text));
        }
}

/* An explanation never disagrees with what the nodes are sent. */
static void compare_explanations(struct bench *b, uint64_t seed)
{
    static const int protos[] = {6, 6, 17, 1, 132};

    for (int k = 0; k < 60; k++) {
        uint32_t from = slow_roll(&b->s, NODES);
        struct addr to = pick_addr(&b->s);
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
        json_decref(read_json(&out));
        if (got != want)
            fail_msg("seed %llu: %s -> %s %d:%u want %d\n%s\n%s", (unsigned long long)seed, x, y, proto, port, want,
                     buf_text(&out), buf_text(&b->text));
        buf_release(&out);
    }
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

/* Addresses of the range on both sides of each border that a rule or route draws. */
static void add_borders(const struct slow *s, const struct prefix *range, struct prefixes *out)
{
    struct prefixes lines = {0};

    prefixes_add(&lines, range);
    for (size_t i = 0; i < s->rule_count; i++)
        for (size_t k = 0; k < s->rules[i].srcs; k++)
            if (s->rules[i].src[k].kind == SLOW_PREFIX)
                prefixes_add(&lines, &s->rules[i].src[k].prefix);
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t k = 0; s->nodes[i].there && k < s->nodes[i].route_count; k++)
            prefixes_add(&lines, &s->nodes[i].routes[k]);
    for (size_t i = 0; i < lines.len; i++) {
        struct addr_range r = range_of(&lines.items[i]);
        struct addr sides[4] = {r.first, r.first, r.last, r.last};
        (void)addr_previous(&sides[1]);
        (void)addr_next(&sides[3]);
        for (size_t k = 0; k < 4; k++) {
            struct prefix one = {sides[k], sides[k].bits};
            if (prefix_covers(range, &one))
                prefixes_add(out, &one);
        }
    }
    prefixes_release(&lines);
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

static void compare_tests(struct bench *b, uint64_t seed)
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
            dst.prefix.addr = pick_addr(&b->s);
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
        put_all(b, v);
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
            for (size_t k = 0; k < ARRAY_LEN(internet); k++)
                for (int side = 0; side < 2; side++) {
                    struct prefix one = {internet[k].addr, internet[k].addr.bits};
                    one.addr.bytes[3] |= 8;
                    prefixes_add(out, &one);
                }
            continue;
        }
        for (int side = 0; side < 2; side++)
            for (size_t r = 0; r < both[side]->rule_count; r++)
                for (size_t k = 0; k < both[side]->rules[r].dsts; k++) {
                    const struct slow_alias *d = &both[side]->rules[r].dst[k];
                    struct prefix one = {d->prefix.addr, d->prefix.addr.bits};
                    if (d->kind == SLOW_PREFIX && prefix_covers(route, &one))
                        prefixes_add(out, &one);
                }
        struct prefix first = {route->addr, route->addr.bits};
        struct addr_range whole = range_of(route);
        struct prefix last = {whole.last, whole.last.bits};
        prefixes_add(out, &first);
        prefixes_add(out, &last);
    }
}

static void compare_previews(struct bench *b, uint64_t seed)
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
    put_all(b, after);
    json_open(&o, '{');
    policy_preview(b->v, after, NULL, 1000, &o);
    json_close(&o, '}');
    for (size_t i = 0; i < NODES; i++)
        for (size_t k = 0; k < NODES; k++) {
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
    json_t *got = read_json(&out);
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

/* How many of each kind: a long run finds what a short one misses. */
static uint64_t seeds(uint64_t usual)
{
    return getenv("HEADWAY_SOAK") ? usual * 15 : usual;
}

static void test_compiled(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= seeds(400); seed++) {
        struct bench b;
        setup(&b, seed);
        compare_peers(&b, seed);
        compare_packets(&b, seed);
        compare_routes(&b, seed);
        compare_explanations(&b, seed);
        compare_tests(&b, seed);
        teardown(&b);
    }
}

static void test_previews(void **unused)
{
    (void)unused;
    for (uint64_t seed = 5000; seed < 5000 + seeds(60); seed++) {
        struct bench b;
        setup(&b, seed);
        compare_previews(&b, seed);
        teardown(&b);
    }
}

/* ---- keeping up ---- */

/* What a client holds that was sent every difference. */
struct client {
    struct policy_parts told;
    json_t *filters;
};

static void client_update(struct client *c, const struct policy_view *v, uint32_t slot)
{
    struct policy_parts now = {0};
    struct buf delta = {0};
    const char *name;
    json_t *part;

    policy_filter_delta(v, slot, &c->told, &now, &delta);
    policy_parts_release(&c->told);
    c->told = now;
    json_t *d = read_json(&delta);
    json_object_foreach(d, name, part)
    {
        if (json_is_null(part))
            json_object_del(c->filters, name);
        else
            json_object_set(c->filters, name, part);
    }
    json_decref(d);
    buf_release(&delta);
}

static void compare_views(struct bench *b, const struct policy_view *other, struct client *clients, uint64_t seed)
{
    for (uint32_t i = 0; i < NODES; i++) {
        struct buf x = {0}, y = {0};
        struct policy_parts parts = {0};

        if (!b->s.nodes[i].there)
            continue;
        policy_filter(b->v, i, &x);
        policy_filter(other, i, &y);
        if (strcmp(buf_text(&x), buf_text(&y)) != 0)
            fail_msg("seed %llu node %u: kept up\n%s\nanew\n%s\n%s", (unsigned long long)seed, i, buf_text(&x),
                     buf_text(&y), buf_text(&b->text));
        buf_clear(&y);
        policy_filter_delta(b->v, i, NULL, &parts, &y);
        json_t *whole = read_json(&y);
        if (!json_equal(whole, clients[i].filters))
            fail_msg("seed %llu node %u: a client that was told every difference has another filter",
                     (unsigned long long)seed, i);
        json_decref(whole);
        policy_parts_release(&parts);
        for (uint32_t k = 0; k < NODES; k++) {
            struct prefixes p = {0}, q = {0};
            if (!b->s.nodes[k].there || k == i)
                continue;
            assert_int_equal(policy_sees(b->v, i, k), policy_sees(other, i, k));
            policy_routes(b->v, i, k, &p);
            policy_routes(other, i, k, &q);
            if (!prefixes_eq(&p, &q))
                fail_msg("seed %llu: routes of %u for %u\n%s", (unsigned long long)seed, k, i, buf_text(&b->text));
            prefixes_release(&p);
            prefixes_release(&q);
        }
        buf_release(&x);
        buf_release(&y);
    }
}

/* The primary may move with any change of routes: whoever holds routes is put again, as the daemon does. */
static void put_all_routers(struct bench *b, size_t changed)
{
    struct slow_scratch scratch = {0};
    struct policy_node n;

    for (size_t i = 0; i < NODES; i++)
        if (b->s.nodes[i].there && (i == changed || b->s.nodes[i].route_count)) {
            slow_node_input(&b->s, i, &scratch, &n);
            policy_view_put(b->v, &n);
        }
    slow_scratch_release(&scratch);
}

static void test_kept_up(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1000; seed < 1100; seed++) {
        struct bench b;
        struct client clients[NODES];

        setup(&b, seed);
        for (uint32_t i = 0; i < NODES; i++) {
            clients[i] = (struct client){.filters = json_object()};
            client_update(&clients[i], b.v, i);
        }
        for (int step = 0; step < 12; step++) {
            uint32_t i = slow_roll(&b.s, NODES);
            if (b.s.nodes[i].there && slow_roll(&b.s, 3) == 0) {
                b.s.nodes[i].there = false;
                policy_view_remove(b.v, i);
                put_all_routers(&b, i);
            } else {
                slow_make_node(&b.s, i);
                put_all_routers(&b, i);
            }
            for (uint32_t k = 0; k < NODES; k++)
                if (b.s.nodes[k].there)
                    client_update(&clients[k], b.v, k);
            struct policy_view *anew = fresh(&b);
            bool via = false; /* winners of via groups stay, which a fresh view cannot know */
            for (size_t r = 0; r < b.s.rule_count; r++)
                via |= b.s.rules[r].via >= 0;
            if (!via)
                compare_views(&b, anew, clients, seed);
            compare_peers(&b, seed);
            policy_view_free(anew);
        }
        compare_packets(&b, seed);
        for (uint32_t i = 0; i < NODES; i++) {
            policy_parts_release(&clients[i].told);
            json_decref(clients[i].filters);
        }
        teardown(&b);
    }
}

/* Names change hands, users come and go; or a view that was compiled aside takes over. */
static void change_users(struct bench *b)
{
    uint32_t i = slow_roll(&b->s, USERS), k = slow_roll(&b->s, USERS);
    struct policy_user x = b->users[i];

    switch (slow_roll(&b->s, 3)) {
    case 0:
        b->users[i].name = b->users[k].name;
        b->users[i].email = b->users[k].email;
        b->users[k].name = x.name;
        b->users[k].email = x.email;
        break;
    case 1:
        b->user_count = 1 + slow_roll(&b->s, USERS);
        break;
    default:
        b->users[i].role = x.role == POLICY_ADMIN ? POLICY_MEMBER : POLICY_ADMIN;
    }
}

static void test_users_kept_up(void **unused)
{
    (void)unused;
    for (uint64_t seed = 2000; seed < 2100; seed++) {
        struct bench b;
        struct client clients[NODES];

        setup(&b, seed);
        for (uint32_t i = 0; i < NODES; i++) {
            clients[i] = (struct client){.filters = json_object()};
            client_update(&clients[i], b.v, i);
        }
        for (int step = 0; step < 12; step++) {
            if (slow_roll(&b.s, 4) == 0) {
                struct policy_view *next = fresh(&b);
                policy_view_succeed(next, b.v);
                policy_view_free(b.v);
                b.v = next;
            } else {
                change_users(&b);
                (void)policy_view_set_users(b.v, b.users, b.user_count);
                assert_false(policy_view_set_users(b.v, b.users, b.user_count));
            }
            for (uint32_t k = 0; k < NODES; k++)
                client_update(&clients[k], b.v, k);
            struct policy_view *anew = fresh(&b);
            compare_views(&b, anew, clients, seed);
            policy_view_free(anew);
        }
        for (uint32_t i = 0; i < NODES; i++) {
            policy_parts_release(&clients[i].told);
            json_decref(clients[i].filters);
        }
        teardown(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compiled),
        cmocka_unit_test(test_previews),
        cmocka_unit_test(test_kept_up),
        cmocka_unit_test(test_users_kept_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
