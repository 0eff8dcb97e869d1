/* SPDX-License-Identifier: BSD-3-Clause */
/* Random policies over random tailnets: what the room compiles and updates, compared with the slow, obvious evaluator.
 * A failure prints its seed and policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shared/policy_random.h"

static void compare_packets(struct policy_random *b, uint64_t seed)
{
    static const int protos[] = {6, 17, 1, 132};
    struct policy_parts parts = {0};

    for (uint32_t i = 0; i < RANDOM_NODES; i++) {
        struct buf whole = {0}, named = {0};
        const char *name;
        json_t *rules, *by_name, *part;

        if (!b->s.nodes[i].there)
            continue;
        policy_filter(b->v, i, &whole);
        policy_filter_delta(b->v, i, NULL, &parts, &named);
        rules = random_json(&whole);
        by_name = random_json(&named);
        for (int k = 0; k < 60; k++) {
            struct addr from = random_addr(&b->s), to = slow_roll(&b->s, 3) ? random_addr(&b->s) : b->s.nodes[i].ipv4;
            int proto = protos[slow_roll(&b->s, 4)];
            uint16_t port = (uint16_t)(19 + slow_roll(&b->s, 9));
            char x[PREFIX_TEXT_MAX], y[PREFIX_TEXT_MAX];
            bool want = slow_lets(&b->s, i, &from, &to, proto, port), parted = false;
            json_object_foreach(by_name, name, part)
            {
                parted |= random_rules_let(part, &from, &to, proto, port);
            }
            if (random_rules_let(rules, &from, &to, proto, port) != want || parted != want)
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

static void compare_peers(struct policy_random *b, uint64_t seed)
{
    for (uint32_t i = 0; i < RANDOM_NODES; i++)
        for (uint32_t k = 0; k < RANDOM_NODES; k++) {
            if (!b->s.nodes[i].there || !b->s.nodes[k].there)
                continue;
            bool want = slow_sees(&b->s, i, k);
            if (policy_sees(b->v, i, k) != want || (policy_sees_mask(b->v, i, 0) >> k & 1) != want)
                fail_msg("seed %llu: %u sees %u: want %d\n%s", (unsigned long long)seed, i, k, want,
                         buf_text(&b->text));
        }
}

static void compare_routes(struct policy_random *b, uint64_t seed)
{
    for (uint32_t i = 0; i < RANDOM_NODES; i++)
        for (uint32_t k = 0; k < RANDOM_NODES; k++) {
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

static void test_compiled(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= random_runs(400); seed++) {
        struct policy_random b;
        random_setup(&b, seed);
        compare_peers(&b, seed);
        compare_packets(&b, seed);
        compare_routes(&b, seed);
        random_teardown(&b);
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
    json_t *d = random_json(&delta);
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

static void compare_views(struct policy_random *b, const struct policy_view *other, struct client *clients,
                          uint64_t seed)
{
    for (uint32_t i = 0; i < RANDOM_NODES; i++) {
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
        json_t *whole = random_json(&y);
        if (!json_equal(whole, clients[i].filters))
            fail_msg("seed %llu node %u: a client that was told every difference has another filter",
                     (unsigned long long)seed, i);
        json_decref(whole);
        policy_parts_release(&parts);
        for (uint32_t k = 0; k < RANDOM_NODES; k++) {
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
static void put_all_routers(struct policy_random *b, size_t changed)
{
    struct slow_scratch scratch = {0};
    struct policy_node n;

    for (size_t i = 0; i < RANDOM_NODES; i++)
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
        struct policy_random b;
        struct client clients[RANDOM_NODES];

        random_setup(&b, seed);
        for (uint32_t i = 0; i < RANDOM_NODES; i++) {
            clients[i] = (struct client){.filters = json_object()};
            client_update(&clients[i], b.v, i);
        }
        for (int step = 0; step < 12; step++) {
            uint32_t i = slow_roll(&b.s, RANDOM_NODES);
            if (b.s.nodes[i].there && slow_roll(&b.s, 3) == 0) {
                b.s.nodes[i].there = false;
                policy_view_remove(b.v, i);
                put_all_routers(&b, i);
            } else {
                slow_make_node(&b.s, i);
                put_all_routers(&b, i);
            }
            for (uint32_t k = 0; k < RANDOM_NODES; k++)
                if (b.s.nodes[k].there)
                    client_update(&clients[k], b.v, k);
            struct policy_view *anew = random_view(&b);
            bool via = false; /* winners of via groups stay, which a fresh view cannot know */
            for (size_t r = 0; r < b.s.rule_count; r++)
                via |= b.s.rules[r].via >= 0;
            if (!via)
                compare_views(&b, anew, clients, seed);
            compare_peers(&b, seed);
            policy_view_free(anew);
        }
        compare_packets(&b, seed);
        for (uint32_t i = 0; i < RANDOM_NODES; i++) {
            policy_parts_release(&clients[i].told);
            json_decref(clients[i].filters);
        }
        random_teardown(&b);
    }
}

/* Names change hands, users come and go; or a view that was compiled aside takes over. */
static void change_users(struct policy_random *b)
{
    uint32_t i = slow_roll(&b->s, RANDOM_USERS), k = slow_roll(&b->s, RANDOM_USERS);
    struct policy_user x = b->users[i];

    switch (slow_roll(&b->s, 3)) {
    case 0:
        b->users[i].name = b->users[k].name;
        b->users[i].email = b->users[k].email;
        b->users[k].name = x.name;
        b->users[k].email = x.email;
        break;
    case 1:
        b->user_count = 1 + slow_roll(&b->s, RANDOM_USERS);
        break;
    default:
        b->users[i].role = x.role == POLICY_ADMIN ? POLICY_MEMBER : POLICY_ADMIN;
    }
}

static void test_users_kept_up(void **unused)
{
    (void)unused;
    for (uint64_t seed = 2000; seed < 2100; seed++) {
        struct policy_random b;
        struct client clients[RANDOM_NODES];

        random_setup(&b, seed);
        for (uint32_t i = 0; i < RANDOM_NODES; i++) {
            clients[i] = (struct client){.filters = json_object()};
            client_update(&clients[i], b.v, i);
        }
        for (int step = 0; step < 12; step++) {
            if (slow_roll(&b.s, 4) == 0) {
                struct policy_view *next = random_view(&b);
                policy_view_succeed(next, b.v);
                policy_view_free(b.v);
                b.v = next;
            } else {
                change_users(&b);
                (void)policy_view_set_users(b.v, b.users, b.user_count);
                assert_false(policy_view_set_users(b.v, b.users, b.user_count));
            }
            for (uint32_t k = 0; k < RANDOM_NODES; k++)
                client_update(&clients[k], b.v, k);
            struct policy_view *anew = random_view(&b);
            compare_views(&b, anew, clients, seed);
            policy_view_free(anew);
        }
        for (uint32_t i = 0; i < RANDOM_NODES; i++) {
            policy_parts_release(&clients[i].told);
            json_decref(clients[i].filters);
        }
        random_teardown(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compiled),
        cmocka_unit_test(test_kept_up),
        cmocka_unit_test(test_users_kept_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
