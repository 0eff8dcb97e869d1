/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/policy_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/ranges.h"

/* Node by node, in a different order each time. */
void random_put_all(struct policy_random *b, struct policy_view *v)
{
    struct slow_scratch scratch = {0};
    struct policy_node n;
    size_t start = slow_roll(&b->s, RANDOM_NODES), step = slow_roll(&b->s, 2) ? 5 : 9; /* coprime */

    for (size_t k = 0; k < RANDOM_NODES; k++) {
        size_t i = (start + k * step) % RANDOM_NODES;
        if (!b->s.nodes[i].there)
            continue;
        slow_node_input(&b->s, i, &scratch, &n);
        policy_view_put(v, &n);
    }
    slow_scratch_release(&scratch);
}

struct policy_view *random_view(struct policy_random *b)
{
    struct policy_tailnet t = {.users = b->users, .user_count = b->user_count};
    struct policy_view *v = policy_view_new(b->p, &t, NULL);

    random_put_all(b, v);
    return v;
}

void random_setup(struct policy_random *b, uint64_t seed)
{
    struct policy_problems problems = {0};

    *b = (struct policy_random){.user_count = RANDOM_USERS};
    slow_init(&b->s, seed, RANDOM_USERS, 3, 4, 1 + seed % 9, RANDOM_NODES);
    slow_users(&b->s, b->users, b->names);
    slow_text(&b->s, &b->text);
    if (policy_parse(b->text.data, b->text.len, &b->p, &problems) < 0) {
        struct buf why = {0};
        policy_problems_text(&problems, &why);
        fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, buf_text(&why), buf_text(&b->text));
    }
    policy_problems_release(&problems);
    b->v = random_view(b);
}

void random_teardown(struct policy_random *b)
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

bool random_rules_let(const json_t *rules, const struct addr *from, const struct addr *to, int proto, uint16_t port)
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

json_t *random_json(const struct buf *b)
{
    json_t *v = NULL;
    struct err e;

    if (json_read(buf_text(b), b->len, SIZE_MAX, "filter", &v, &e) < 0)
        fail_msg("%s\n%s", e.message, buf_text(b));
    return v;
}

struct addr random_addr(struct slow *s)
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

/* Counts of each kind: a long run finds what a short one misses. */
uint64_t random_runs(uint64_t usual)
{
    const char *soak = getenv("SOAK");

    return soak && str_eq(soak, "1") ? usual * 15 : usual;
}
