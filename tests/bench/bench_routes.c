/* SPDX-License-Identifier: BSD-3-Clause */
/* What elections cost: 10,000 nodes, 1,000 prefixes with 20 routers each, and two routers of all 1,000; and what it
 * costs to find the nearest of 20 routers for 10,000 viewers that measured 20 relays. */
#include <stdio.h>

#include "base/clock.h"
#include "routes/routes.h"

#define NODES    10000
#define PREFIXES 1000
#define EVENTS   200000
#define ROUTERS  20
#define RELAYS   20

static const struct routes_flags on = {.online = true, .healthy = true}, off = {.healthy = true};

static struct prefix prefix_number(unsigned i)
{
    return (struct prefix){.addr = {.bits = 32, .bytes = {10, (uint8_t)(i >> 8), (uint8_t)i}}, .bits = 24};
}

static struct node *router(uint64_t id, unsigned first, unsigned count)
{
    struct node *n = node_new();

    n->r.id = id;
    n->created_ns = (int64_t)id;
    for (unsigned i = 0; i < count; i++) {
        struct prefix p = prefix_number((first + i) % PREFIXES);
        prefixes_add(&n->available, &p);
        prefixes_add(&n->approved, &p);
    }
    return n;
}

static void elect(struct routes *r, int64_t now, struct route_moves *moves)
{
    routes_elect(r, &(struct routes_time){now, now}, moves);
}

static void line(const char *what, int64_t us, double count)
{
    printf("%-52s %10.3f ms in all %10.2f us each\n", what, (double)us / 1000, (double)us / count);
}

/* Each is near one relay. */
static void measure(unsigned i, struct relay_latencies *out)
{
    char text[2048];
    int len = snprintf(text, sizeof(text), "{\"DERPLatency\":{");

    for (unsigned relay = 0; relay < RELAYS; relay++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s\"%u-v4\":%.4f", relay ? "," : "", relay + 1,
                        relay == i % RELAYS ? 0.004 : 0.02 + 0.001 * (double)((i * 31 + relay * 17) % 200));
    snprintf(text + len, sizeof(text) - (size_t)len, "}}");
    relay_latencies_read(text, out);
}

static bool find_nearest(void)
{
    static struct relay_latencies viewers[NODES], routers[ROUTERS];
    const struct relay_latencies *to[ROUTERS];
    uint32_t distances[ROUTERS];
    int64_t start = clock_mono_us(), moved_ms, due_ms = INT64_MAX;
    size_t moved = 0;

    for (unsigned i = 0; i < NODES; i++)
        measure(i, &viewers[i]);
    line("what a viewer measured is read", clock_mono_us() - start, NODES);
    for (unsigned i = 0; i < ROUTERS; i++) {
        measure(i, &routers[i]);
        to[i] = &routers[i];
    }
    start = clock_mono_us();
    for (unsigned i = 0; i < NODES; i++) {
        moved_ms = INT64_MIN;
        bool tells = relay_distances(&viewers[i], to, ROUTERS, distances);
        struct nearest_viewing viewing = {.distances = tells ? distances : NULL, .count = ROUTERS, .present = ROUTERS};
        moved += nearest_serve(&viewing, &moved_ms, 0, &due_ms) == i % ROUTERS;
    }
    line("10,000 viewers find the nearest of 20 routers", clock_mono_us() - start, NODES);
    for (unsigned i = 0; i < NODES; i++)
        relay_latencies_release(&viewers[i]);
    for (unsigned i = 0; i < ROUTERS; i++)
        relay_latencies_release(&routers[i]);
    return moved > NODES / 2;
}

int main(void)
{
    static struct node *nodes[NODES];
    struct node *wide[2] = {router(NODES + 1, 0, PREFIXES), router(NODES + 2, 0, PREFIXES)};
    struct routes *r = routes_new(&(struct prefix_rule){0});
    struct route_moves moves = {0};
    int64_t start = clock_mono_us();
    size_t moved = 0;

    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = router(i + 1, i * 2, 2);
        routes_set_node(r, nodes[i], &on);
    }
    elect(r, 1, &moves);
    line("10,000 nodes with 2 prefixes, one election", clock_mono_us() - start, NODES);
    if (moves.len != PREFIXES)
        return 1;

    start = clock_mono_us();
    for (unsigned i = 0; i < EVENTS; i++) {
        moves.len = 0;
        routes_set_node(r, nodes[i * 7919u % NODES], i / NODES % 2 ? &on : &off);
        elect(r, 2, &moves);
        moved += moves.len;
    }
    line("a node of 2 prefixes goes or comes", clock_mono_us() - start, EVENTS);
    printf("%-52s %zu\n", "prefixes moved by that", moved);

    for (unsigned i = 0; i < NODES; i++)
        routes_set_node(r, nodes[i], &off);
    routes_set_node(r, wide[0], &on);
    routes_set_node(r, wide[1], &on);
    elect(r, 3, &moves);
    start = clock_mono_us();
    for (unsigned i = 0; i < 100; i++) {
        moves.len = 0;
        routes_set_node(r, wide[i % 2], &off);
        elect(r, 4, &moves);
        if (moves.len != PREFIXES)
            return 1;
        routes_set_node(r, wide[i % 2], &on);
        elect(r, 5, &moves);
    }
    line("a router of all 1,000 prefixes fails over and returns", clock_mono_us() - start, 100);

    for (unsigned i = 0; i < NODES; i++)
        record_unref(nodes[i]);
    record_unref(wide[0]);
    record_unref(wide[1]);
    route_moves_release(&moves);
    routes_free(r);
    return find_nearest() ? 0 : 1;
}
