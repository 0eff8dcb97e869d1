/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulations over 10,000 nodes of 500 users under 500 rules: 400 routers, of which two each have the same 25 prefixes,
 * and 20 exit nodes. Processor time of all that the daemon does for one question. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/tailnet_fixture.h"
#include "whatif/whatif.h"

#define NODES   10000
#define USERS   500
#define ROUTERS 400
#define EACH    25
#define EXITS   20
#define RULES   500

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

static struct prefix network(unsigned pair, unsigned i)
{
    return (struct prefix){{.bits = 32, .bytes = {10, (uint8_t)pair, (uint8_t)i}}, 24};
}

static void make_node(struct test_tailnet *w, uint32_t i)
{
    char name[24];
    struct prefixes serving = {0};
    struct node_live live = test_tailnet_live(i + 1);

    snprintf(name, sizeof(name), "n%u", i);
    struct node *n = test_tailnet_node(i + 1, name, i < ROUTERS + EXITS ? 0 : i % USERS + 1);
    if (i < ROUTERS + EXITS)
        strs_push(&n->tags, i >= ROUTERS ? "tag:exit" : i % 2 ? "tag:rb" : "tag:ra");
    for (unsigned k = 0; i < ROUTERS && k < EACH; k++) {
        struct prefix p = network(i / 2, k);
        prefixes_add(&n->available, &p);
        prefixes_add(i % 2 ? &n->removed : &serving, &p);
    }
    prefixes_release(&n->removed);
    if (i >= ROUTERS && i < ROUTERS + EXITS) {
        struct prefix p = {.addr = {.bits = 32}};
        prefixes_add(&n->available, &p);
        prefixes_pair_exit(&n->available);
    }
    prefixes_copy(&n->approved, &n->available);
    const char *const none[] = {NULL};
    test_tailnet_put(w, i, node_edit(n), &live, none, CHANGE_ADDED); /* and then as what serves */
    test_tailnet_change(w, i, n, &live, &serving, false);
    node_live_release(&live);
    prefixes_release(&serving);
}

static struct policy *make_policy(bool via)
{
    struct buf b = BUF_INIT(0);
    struct policy_problems problems = {0};
    struct policy *p = NULL;

    buf_adds(&b, "{\"tagOwners\":{\"tag:ra\":[\"u1@example.com\"],\"tag:rb\":[\"u1@example.com\"],"
                 "\"tag:exit\":[\"u1@example.com\"]},\"grants\":[");
    for (unsigned i = 0; i < RULES; i++)
        buf_addf(&b, "{\"src\":[\"u%u@example.com\"],\"dst\":[\"10.%u.0.0/16\"],\"ip\":[\"%u\"]%s},", i % USERS + 1,
                 i * 7 % 200, i + 1, via && i % 2 ? ",\"via\":[\"tag:rb\"]" : "");
    buf_adds(&b, "{\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:self\"],\"ip\":[\"*\"]},"
                 "{\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:internet\"],\"ip\":[\"*\"]}]}");
    if (policy_parse(b.data, b.len, &p, &problems) < 0) {
        fprintf(stderr, "%s\n", problems.items[0].text);
        exit(1);
    }
    policy_problems_release(&problems);
    buf_release(&b);
    return p;
}

static struct routes *make_elections(const struct tailnet_snapshot *s)
{
    const struct prefix_rule rule = {0};
    struct routes *r = routes_new(&rule);

    for (uint32_t i = 0; i < ROUTERS; i++) {
        const struct tailnet_node *n = snapshot_node(s, i);
        for (size_t k = 0; k < n->serving.len; k++)
            routes_restore(r, &n->serving.items[k], &(struct route_served){n->record->r.id, 1, false});
        struct routes_flags flags = routes_flags_of(n->record, &n->live, false);
        routes_set_node(r, n->record, &flags);
    }
    return r;
}

static void ask(const char *what, const struct tailnet_snapshot *s, const struct policy *now, const struct policy *then,
                const struct whatif_change *changes, size_t count)
{
    struct routes *own = make_elections(s);
    double start = cpu_ms();
    struct routes *copy = routes_copy(own);
    double copied = cpu_ms() - start;
    struct prefix none = {0};
    struct tailnet_policy_input w;
    struct arena arena = ARENA_INIT(0);
    struct api_simulation out;
    struct err e = {0};

    tailnet_policy_input_init(&w, s, &none, &none);
    struct policy_view *before = policy_view_new(now, &w.tailnet, NULL);
    struct whatif_question q = {.s = s,
                                .input = &w,
                                .elections = copy,
                                .before = before,
                                .policy = then,
                                .other_policy = now != then,
                                .changes = changes,
                                .count = count};
    if (whatif_answer(&q, &arena, &out, &e) < 0) {
        fprintf(stderr, "%s: %s\n", what, e.message);
        exit(1);
    }
    printf("  %-36s %8.1f ms (%.2f on the core's thread); %zu prefixes, %llu nodes move, %llu lose%s\n", what,
           cpu_ms() - start, copied, out.prefixes.len, (unsigned long long)out.totals.move,
           (unsigned long long)out.totals.lose, out.totals.incomplete ? ", incomplete" : "");
    policy_view_free(before);
    tailnet_policy_input_release(&w);
    arena_release(&arena);
    routes_free(copy);
    routes_free(own);
}

int main(void)
{
    struct test_tailnet w;
    struct whatif_change changes[ROUTERS / 2] = {0}, exits[EXITS] = {0}, both[2] = {0};
    char names[ROUTERS + EXITS][24];

    test_tailnet_start(&w);
    for (unsigned i = 1; i <= USERS; i++) {
        char name[24];
        snprintf(name, sizeof(name), "u%u", i);
        struct user *u = test_tailnet_user(&w, i, name);
        free(u->email);
        u->email = mem_format("u%u@example.com", i);
    }
    for (uint32_t i = 0; i < NODES; i++)
        make_node(&w, i);
    test_tailnet_publish(&w);
    for (unsigned i = 0; i < ROUTERS + EXITS; i++)
        snprintf(names[i], sizeof(names[i]), "n%u", i);
    for (unsigned i = 0; i < ROUTERS / 2; i++)
        changes[i] = (struct whatif_change){.kind = WHATIF_DOWN, .node = names[2 * i]};
    for (unsigned i = 0; i < EXITS; i++)
        exits[i] = (struct whatif_change){.kind = WHATIF_DOWN, .node = names[ROUTERS + i]};
    both[0] = changes[0];
    both[1] = (struct whatif_change){.kind = WHATIF_DOWN, .node = names[1]};
    struct policy *plain = make_policy(false), *via = make_policy(true);
    const struct tailnet_snapshot *s = tailnet_pin(w.tailnet);
    printf("simulations over %d nodes (budget 1000 ms, processor time)\n", NODES);
    ask("a router goes down", s, plain, plain, changes, 1);
    ask("both routers of 25 prefixes", s, plain, plain, both, 2);
    ask("half of all routers go down", s, plain, plain, changes, ARRAY_LEN(changes));
    ask("all exit nodes go down", s, plain, plain, exits, EXITS);
    ask("a router goes down, rules with via", s, via, via, changes, 1);
    ask("half of them go down, rules with via", s, via, via, changes, ARRAY_LEN(changes));
    ask("everything is allowed instead", s, plain, NULL, NULL, 0);
    ask("another policy", s, plain, via, NULL, 0);
    ask("no policy, half of them go down", s, NULL, NULL, changes, ARRAY_LEN(changes));
    tailnet_unpin(s);
    policy_unref(plain);
    policy_unref(via);
    test_tailnet_stop(&w);
    return 0;
}
