/* SPDX-License-Identifier: BSD-3-Clause */
/* What telling costs: first maps and deltas of N nodes, without connections. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "netmap/netmap.h"
#include "shared/tailnet_fixture.h"

static int64_t began;

static void start(void)
{
    began = clock_mono_us();
}

static double took(size_t count)
{
    return (double)(clock_mono_us() - began) / (double)count;
}

static size_t tell(struct netmap_session *s, const struct tailnet_snapshot *now)
{
    struct netmap_message m = {0};

    netmap_session_next(s, now, &m);
    size_t bytes = m.bytes;
    netmap_message_release(&m);
    return bytes;
}

static void touch(struct test_tailnet *w, uint32_t slot, uint32_t mask, const char *const *serving)
{
    const struct tailnet_snapshot *now = tailnet_pin(w->tailnet);
    const struct tailnet_node *n = snapshot_node(now, slot);
    struct node_live live = {0};

    node_live_copy(&live, &n->live);
    live.endpoints[0].port++;
    live.online = !(mask & CHANGE_ONLINE) || !live.online;
    test_tailnet_put(w, slot, node_edit(n->record), &live, serving, mask);
    node_live_release(&live);
    tailnet_unpin(now);
}

static void report(uint32_t n, const char *what, double us, size_t bytes)
{
    printf("%6u  %-44s %10.1f us  %8zu bytes\n", n, what, us, bytes);
}

static void all_connect(struct test_tailnet *w, struct netmap *nm, struct netmap_session **s, uint32_t n)
{
    size_t bytes = 0;

    const struct tailnet_snapshot *now = tailnet_pin(w->tailnet);
    start();
    for (uint32_t i = 0; i < n; i++) {
        s[i] = netmap_session_new(nm, &(struct netmap_client){i + 1, i, 133, true, false, false});
        bytes += tell(s[i], now);
    }
    report(n, "first map, nothing changes meanwhile", took(n), bytes / n);
    tailnet_unpin(now);
    for (uint32_t i = 0; i < n; i++)
        netmap_session_free(s[i]);

    bytes = 0;
    start();
    for (uint32_t i = 0; i < n; i++) { /* each stream makes its node online, which changes a block */
        touch(w, i, CHANGE_ONLINE, NULL);
        touch(w, i, CHANGE_ONLINE, NULL);
        test_tailnet_publish(w);
        now = tailnet_pin(w->tailnet);
        s[i] = netmap_session_new(nm, &(struct netmap_client){i + 1, i, 133, true, false, false});
        bytes += tell(s[i], now);
        tailnet_unpin(now);
    }
    report(n, "first map while everybody connects", took(n), bytes / n);
}

static void deltas(struct test_tailnet *w, struct netmap_session **s, uint32_t n, const char *what, uint32_t changes,
                   uint32_t mask, const char *const *serving)
{
    enum { TIMES = 20 };
    size_t bytes = 0;
    double us = 0;

    for (uint32_t t = 0; t < TIMES; t++) {
        for (uint32_t i = 0; i < changes; i++)
            touch(w, (t * changes + i * 7) % n, mask, serving);
        test_tailnet_publish(w);
        const struct tailnet_snapshot *now = tailnet_pin(w->tailnet);
        start();
        for (uint32_t i = 0; i < n; i++)
            bytes += tell(s[i], now);
        us += took(n);
        tailnet_unpin(now);
    }
    report(n, what, us / TIMES, bytes / n / TIMES);
}

/* Slot 0 becomes an exit node, then it comes and goes: each viewer's choice is another one, so its own node goes along.
 */
static void exits(struct test_tailnet *w, struct netmap_session **s, uint32_t n)
{
    const struct tailnet_snapshot *now = tailnet_pin(w->tailnet);
    const struct tailnet_node *first = snapshot_node(now, 0);
    struct node *exit = node_edit(first->record);

    for (int i = 0; i < 2; i++) {
        struct prefix p = test_tailnet_prefix(i ? "::/0" : "0.0.0.0/0");
        prefixes_add(&exit->available, &p);
        prefixes_add(&exit->approved, &p);
    }
    test_tailnet_put(w, 0, exit, &first->live, NULL, CHANGE_WHOLE);
    tailnet_unpin(now);
    test_tailnet_publish(w);
    now = tailnet_pin(w->tailnet);
    for (uint32_t i = 0; i < n; i++)
        (void)tell(s[i], now);
    tailnet_unpin(now);
    for (int t = 0; t < 20; t++) {
        size_t bytes = 0;
        touch(w, 0, CHANGE_ONLINE, NULL);
        test_tailnet_publish(w);
        now = tailnet_pin(w->tailnet);
        start();
        for (uint32_t i = 0; i < n; i++)
            bytes += tell(s[i], now);
        if (t == 19)
            report(n, "delta to a client: an exit node comes or goes", took(n), bytes / n);
        tailnet_unpin(now);
    }
}

static void run(uint32_t n)
{
    struct test_tailnet w;
    struct netmap_session **s = calloc(n, sizeof(*s));
    struct netmap_counters c;

    test_tailnet_start(&w);
    test_tailnet_fill(&w, n);
    struct netmap *nm = netmap_new(w.tailnet);
    all_connect(&w, nm, s, n);
    /* what happened while they connected */
    const struct tailnet_snapshot *now = tailnet_pin(w.tailnet);
    start();
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += tell(s[i], now);
    report(n, "the rest of connecting, merged", took(n), bytes / n);
    tailnet_unpin(now);
    deltas(&w, s, n, "delta to a client: one endpoint", 1, CHANGE_ENDPOINTS, NULL);
    deltas(&w, s, n, "delta to a client: one approved route", 1, CHANGE_WHOLE,
           (const char *const[]){"192.168.50.0/24", NULL});
    deltas(&w, s, n, "delta to a client: 50 endpoints gathered", 50, CHANGE_ENDPOINTS, NULL);
    exits(&w, s, n);
    netmap_counters(nm, &c);
    printf("%6u  nodes encoded %llu, chunks made %llu, used again %llu, cached %llu KiB\n", n,
           (unsigned long long)c.nodes_encoded, (unsigned long long)c.chunks_made, (unsigned long long)c.chunks_shared,
           (unsigned long long)c.cache_bytes / 1024);
    for (uint32_t i = 0; i < n; i++)
        netmap_session_free(s[i]);
    free(s);
    netmap_free(nm);
    test_tailnet_stop(&w);
}

int main(void)
{
    run(1000);
    run(10000);
    return 0;
}
