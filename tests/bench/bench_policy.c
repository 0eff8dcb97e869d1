/* SPDX-License-Identifier: BSD-3-Clause */
/* A tailnet of 10,000 nodes, 500 users, 200 groups under 1,000 rules: the whole compile, one node that joins, leaves or
 * changes, and what one node is then sent; beside the obvious way, which asks every rule about every pair. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/policy.h"
#include "shared/policy_slow.h"
#include "json/json.h"

#define NODES   10000
#define USERS   500
#define GROUPS  200
#define RULES   1000
#define TAGS    100
#define ROUTERS 200

static uint32_t state = 12345;
static uint32_t roll(uint32_t below)
{
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
}

/* Two rules can be left out. */
static void write_policy(struct buf *b, unsigned without, unsigned and_without)
{
    state = 12345;
    buf_adds(b, "{\"groups\":{");
    for (unsigned g = 0; g < GROUPS; g++) {
        buf_addf(b, "%s\"group:g%u\":[", g ? "," : "", g);
        for (unsigned i = 0; i < 12; i++)
            buf_addf(b, "%s\"u%u@example.com\"", i ? "," : "", roll(USERS));
        buf_adds(b, "]");
    }
    buf_adds(b, "},\"tagOwners\":{");
    for (unsigned t = 0; t < TAGS; t++)
        buf_addf(b, "%s\"tag:t%u\":[\"group:g%u\"]", t ? "," : "", t, t);
    buf_adds(b, "},\"hosts\":{");
    for (unsigned h = 0; h < 100; h++)
        buf_addf(b, "%s\"h%u\":\"10.%u.0.0/16\"", h ? "," : "", h, h);
    buf_adds(b, "},\"acls\":[");
    for (unsigned r = 0; r < RULES; r++) {
        size_t start = b->len;
        buf_addf(b, "%s{\"action\":\"accept\",\"src\":[", r ? "," : "");
        switch (r % 5) {
        case 0:
            buf_addf(b, "\"group:g%u\",\"tag:t%u\"", roll(GROUPS), roll(TAGS));
            break;
        case 1:
            buf_addf(b, "\"u%u@example.com\"", roll(USERS));
            break;
        case 2:
            buf_addf(b, "\"tag:t%u\"", roll(TAGS));
            break;
        default:
            buf_addf(b, "\"group:g%u\"", roll(GROUPS));
        }
        if (r % 3 == 0)
            buf_addf(b, "],\"dst\":[\"h%u:443\",\"tag:t%u:22,80\"]}", roll(100), roll(TAGS));
        else if (r % 50 == 1)
            buf_adds(b, "],\"dst\":[\"autogroup:internet:*\"]}");
        else
            buf_addf(b, "],\"dst\":[\"tag:t%u:%u\",\"tag:t%u:443\"]}", roll(TAGS), 1000 + roll(9000), roll(TAGS));
        if (r == without || r == and_without)
            b->len = start;
    }
    buf_adds(b, ",{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:self:*\"]}");
    buf_adds(b, ",{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"tag:t0:53\"]}]}");
}

static struct policy_user users[USERS];
static struct policy_node nodes[NODES + 1];
static const char *tags[NODES + 1][2];
static struct prefix routes[NODES + 1][2];
static char names[USERS][2][32];

static void make_node(uint32_t i)
{
    struct policy_node *n = &nodes[i];

    *n = (struct policy_node){.slot = i, .id = i + 1, .order = i + 1, .name = "node", .online = true, .healthy = true};
    n->ipv4 = (struct addr){.bits = 32, .bytes = {100, (uint8_t)(64 + i / 65536), (uint8_t)(i / 256), (uint8_t)i}};
    n->ipv6 = (struct addr){.bits = 128,
                            .bytes = {0xfd, 0x7a, 0x11, 0x5c, 0xa1,
                                      0xe0, [13] = (uint8_t)(i / 65536), [14] = (uint8_t)(i / 256), [15] = (uint8_t)i}};
    if (i % 4 == 0) {
        tags[i][0] = mem_format("tag:t%u", roll(TAGS));
        n->tags = tags[i];
        n->tag_count = 1;
    } else {
        n->user_id = roll(USERS) + 1;
    }
    if (i % (NODES / ROUTERS) == 0) {
        routes[i][0] = (struct prefix){{.bits = 32, .bytes = {10, (uint8_t)roll(100), (uint8_t)roll(256)}}, 24};
        n->routes = n->serving = routes[i];
        n->route_count = n->serving_count = 1;
    }
}

static double ms(int64_t from)
{
    return (double)(clock_mono_us() - from) / 1000.0;
}

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

/* Processor time of a whole preview, as the daemon makes it: both policies read and compiled, then compared. */
static void time_preview(const char *what, const struct buf *now, const struct buf *then,
                         const struct policy_tailnet *t)
{
    struct policy *p[2] = {0};
    struct policy_problems problems = {0};
    struct buf result = BUF_INIT(0);
    struct json_out o = JSON_OUT(&result);
    double start = cpu_ms();

    if (policy_parse(now->data, now->len, &p[0], &problems) == 0 &&
        policy_parse(then->data, then->len, &p[1], &problems) == 0) {
        struct policy_view *before = policy_view_new(p[0], t, NULL), *after = policy_view_new(p[1], t, before);
        (void)!policy_view_check(after, true, &problems);
        json_open(&o, '{');
        policy_preview(before, after, NULL, 1000, &o);
        json_close(&o, '}');
        policy_view_free(after);
        policy_view_free(before);
        printf("  preview, %-30s %10.1f ms   (budget 1000, processor time)\n", what, cpu_ms() - start);
    }
    policy_unref(p[0]);
    policy_unref(p[1]);
    policy_problems_release(&problems);
    buf_release(&result);
}

/* Two rules less; all of the rules taken away, and given. */
/* Processor time of a matrix, without the compile. */
static void time_matrix(const struct policy_view *v, const char *from, const char *to, const char *from_in,
                        const char *to_in)
{
    struct policy_reach_query q = {from, to, from_in, to_in, 500, 100};
    struct buf out = BUF_INIT(0);
    struct json_out o = JSON_OUT(&out);
    struct err e;
    char *what = mem_format("%s%s%s, %s%s%s", from, from_in ? " in " : "", from_in ? from_in : "", to,
                            to_in ? " in " : "", to_in ? to_in : "");
    double start = cpu_ms();

    json_open(&o, '{');
    if (policy_reach(v, &q, &o, &e) < 0)
        fprintf(stderr, "%s\n", e.message);
    json_close(&o, '}');
    printf("  who reaches what, %-40s %10.1f ms   (%zu bytes)\n", what, cpu_ms() - start, out.len);
    buf_release(&out);
    free(what);
}

static void time_matrices(const struct policy_view *v)
{
    time_matrix(v, "groups,tags", "groups,tags", NULL, NULL);
    time_matrix(v, "users", "tags,prefixes,exits", NULL, NULL);
    time_matrix(v, "nodes", "nodes", NULL, NULL);
    time_matrix(v, "nodes", "nodes", "tag:t3", "tag:t7");
    time_matrix(v, "autogroup:member", "groups,tags,users,prefixes,exits", NULL, NULL);
}

static void time_previews(const struct buf *text, const struct policy_tailnet *t)
{
    struct buf less = BUF_INIT(0), nothing = BUF_INIT(0), open = BUF_INIT(0);

    buf_adds(&nothing, "{\"acls\":[]}");
    buf_adds(&open, "{\"grants\":[{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[\"*\"]}]}");
    write_policy(&less, 10, 20);
    time_preview("two rules less", text, &less, t);
    time_preview("all rules taken away", text, &nothing, t);
    time_preview("everything allowed instead", text, &open, t);
    time_preview("rules instead of everything", &open, text, t);
    buf_release(&less);
    buf_release(&nothing);
    buf_release(&open);
}

/* The obvious way: every pair asked about every rule of a policy of this size; some viewers are enough to know. */
static double time_obvious(void)
{
    struct slow obvious;
    volatile uint64_t pairs = 0;

    slow_init(&obvious, 1, USERS, GROUPS, 16, RULES, NODES);
    int64_t start = clock_mono_us();
    for (uint32_t i = 0; i < NODES; i += NODES / 4)
        for (uint32_t k = 0; k < NODES; k++)
            pairs = pairs + slow_sees(&obvious, i, k);
    double took = ms(start) / 4 * NODES;
    slow_release(&obvious);
    return took;
}

static void time_joins(struct policy_view *v)
{
    double worst = 0, sum = 0;

    for (int i = 0; i < 200; i++) {
        nodes[NODES].user_id = roll(USERS) + 1;
        nodes[NODES].tag_count = 0;
        int64_t start = clock_mono_us();
        policy_view_put(v, &nodes[NODES]);
        double took = ms(start);
        worst = took > worst ? took : worst;
        sum += took;
        policy_view_remove(v, NODES);
    }
    printf("  a node joins: mean, worst of 200        %10.3f ms %10.3f ms   (budget 2)\n", sum / 200, worst);
}

static void time_telling(const struct policy_view *v)
{
    struct policy_parts parts = {0};
    struct buf out = BUF_INIT(0);
    size_t bytes = 0;
    uint64_t seen = 0;

    int64_t start = clock_mono_us();
    for (uint32_t i = 0; i < NODES; i += 100) {
        buf_clear(&out);
        policy_filter_delta(v, i, NULL, &parts, &out);
        bytes += out.len;
    }
    printf("  one node's whole filter, written        %10.3f ms   (%zu bytes)\n", ms(start) / 100, bytes / 100);
    start = clock_mono_us();
    for (uint32_t i = 0; i < NODES; i += 10)
        for (uint32_t b = 0; b <= NODES / 64; b++)
            seen += (uint64_t)__builtin_popcountll(policy_sees_mask(v, i, b));
    printf("  one viewer's visible set                %10.3f ms   (%.0f peers)\n", ms(start) / 1000,
           (double)seen / 1000);
    policy_parts_release(&parts);
    buf_release(&out);
}

/* What is left for the core's thread when a worker has compiled: the switch, and a user who is called otherwise. */
static void time_taking_over(struct policy_view *v, const struct policy *p, const struct policy_tailnet *t)
{
    struct policy_view *next = policy_view_new(p, t, NULL);
    double start = cpu_ms();

    policy_view_succeed(next, v);
    printf("  a compiled policy takes over            %10.3f ms\n", cpu_ms() - start);
    policy_view_free(next);
    users[7].name = users[7].email = "somebody@example.com";
    start = cpu_ms();
    (void)policy_view_set_users(v, users, USERS);
    printf("  a user of %2d devices is renamed         %10.3f ms\n", NODES * 3 / 4 / USERS, cpu_ms() - start);
    users[7].name = names[7][0];
    users[7].email = names[7][1];
    (void)policy_view_set_users(v, users, USERS);
}

int main(void)
{
    struct buf text = BUF_INIT(0), out = BUF_INIT(0);
    struct policy_problems problems = {0};
    struct policy *p;

    for (uint32_t i = 0; i < USERS; i++) {
        snprintf(names[i][0], 32, "u%u", i);
        snprintf(names[i][1], 32, "u%u@example.com", i);
        users[i] = (struct policy_user){i + 1, names[i][0], names[i][1], "", POLICY_MEMBER, NULL, 0};
    }
    for (uint32_t i = 0; i <= NODES; i++)
        make_node(i);
    write_policy(&text, RULES, RULES);
    int64_t start = clock_mono_us();
    if (policy_parse(text.data, text.len, &p, &problems) < 0) {
        policy_problems_text(&problems, &out);
        fprintf(stderr, "%s\n", buf_text(&out));
        return 1;
    }
    double parse = ms(start);
    struct policy_tailnet t = {.users = users, .user_count = USERS, .nodes = nodes, .node_count = NODES};
    start = clock_mono_us();
    struct policy_view *v = policy_view_new(p, &t, NULL);
    double compile = ms(start);

    printf("policy: %d nodes, %d users, %d groups, %d rules\n", NODES, USERS, GROUPS, RULES);
    printf("  read and check the text                 %10.1f ms   (%zu bytes)\n", parse, text.len);
    printf("  full compile                            %10.1f ms   (budget 250)\n", compile);
    printf("    every pair asked about every rule     %10.1f ms\n", time_obvious());
    time_joins(v);
    time_taking_over(v, p, &t);
    time_telling(v);
    time_matrices(v);
    time_previews(&text, &t);
    policy_view_free(v);
    policy_unref(p);
    buf_release(&text);
    buf_release(&out);
    policy_problems_release(&problems);
    for (uint32_t i = 0; i <= NODES; i++)
        free((char *)(uintptr_t)tags[i][0]);
    return 0;
}
