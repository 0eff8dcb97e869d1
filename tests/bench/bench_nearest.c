/* SPDX-License-Identifier: BSD-3-Clause */
/* Nearness through the core and to clients: 20 prefixes with 20 routers each, N viewers. What it costs that one viewer
 * measures anew, and that a router dies that served a twentieth of the viewers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "netmap/netmap.h"
#include "shared/core_rig.h"

#define ROUTERS  20
#define PREFIXES 20
#define TOGETHER 500 /* calls under way at a time */

static struct core_rig rig;
static struct netmap *netmap;
static struct netmap_session **clients;
static unsigned nodes;
static uint64_t *sessions;

static void key_of(unsigned node, uint8_t machine_key[KEY_LEN], uint8_t node_key[KEY_LEN])
{
    memset(machine_key, 1, KEY_LEN);
    memset(node_key, 2, KEY_LEN);
    memcpy(machine_key, &node, sizeof(node));
    memcpy(node_key, &node, sizeof(node));
}

/* Each is near one relay. */
static char *measured(unsigned near)
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "{\"DERPLatency\":{");
    for (unsigned relay = 0; relay < ROUTERS; relay++)
        buf_addf(&b, "%s\"%u-v4\":%s", relay ? "," : "", relay + 1, relay == near % ROUTERS ? "0.004" : "0.15");
    buf_adds(&b, "}}");
    return buf_take(&b);
}

static void fill_info(struct client_info *info, unsigned node, char *name, size_t size)
{
    snprintf(name, size, "n%u", node);
    *info = (struct client_info){.hostname = name,
                                 .os = "linux",
                                 .os_version = "6",
                                 .client_version = "1.98.0",
                                 .hostinfo = "{}",
                                 .peer_hostinfo = "{}",
                                 .cap_version = 133,
                                 .source = "192.0.2.1:4711"};
    for (unsigned i = 0; node < ROUTERS && i < PREFIXES; i++) {
        struct prefix p = {.addr = {.bits = 32, .bytes = {10, (uint8_t)i}}, .bits = 16};
        prefixes_add(&info->routes, &p);
    }
}

static void register_all(const char *key)
{
    struct core_register *calls = calloc(TOGETHER, sizeof(*calls));
    struct core_rig_answer *answers = calloc(TOGETHER, sizeof(*answers));
    char(*names)[16] = calloc(TOGETHER, sizeof(*names));

    for (unsigned first = 0; first < nodes; first += TOGETHER) {
        unsigned count = nodes - first < TOGETHER ? nodes - first : TOGETHER;
        for (unsigned i = 0; i < count; i++) {
            calls[i] = (struct core_register){.auth_key = key};
            key_of(first + i, calls[i].machine_key, calls[i].node_key);
            fill_info(&calls[i].info, first + i, names[i], sizeof(names[i]));
            core_rig_expect(&answers[i], &calls[i].call);
            core_register(rig.core, &calls[i]);
        }
        for (unsigned i = 0; i < count; i++) {
            if (core_rig_await(&answers[i], &calls[i].call) < 0)
                exit(1);
            record_unref(calls[i].user);
            prefixes_release(&calls[i].info.routes);
        }
    }
    free(names);
    free(answers);
    free(calls);
}

/* stream: its session begins. */
static void map(unsigned node, unsigned near, bool stream)
{
    struct core_map call = {.stream = stream};
    char *net_info = measured(near), name[16];

    key_of(node, call.machine_key, call.node_key);
    fill_info(&call.info, node, name, sizeof(name));
    call.info.net_info = net_info;
    if (core_rig_map(rig.core, &call) < 0)
        exit(1);
    if (stream)
        sessions[node] = call.session;
    prefixes_release(&call.info.routes);
    free(net_info);
}

static size_t tell_all(size_t *told)
{
    const struct tailnet_snapshot *now = tailnet_pin(rig.tailnet);
    size_t bytes = 0;

    *told = 0;
    for (unsigned i = 0; i < nodes; i++) {
        struct netmap_message m = {0};
        netmap_session_next(clients[i], now, &m);
        bytes += m.bytes;
        *told += m.bytes > 0;
        netmap_message_release(&m);
    }
    tailnet_unpin(now);
    return bytes;
}

static void report(const char *what, int64_t core_us, int64_t began)
{
    size_t told, bytes = tell_all(&told);

    printf("%6u  %-34s core %9.1f us  clients %10.1f us, %zu of them told, %zu bytes\n", nodes, what, (double)core_us,
           (double)(clock_mono_us() - began), told, bytes);
}

static bool is_offline(const struct tailnet_snapshot *s, void *arg)
{
    (void)arg;
    return s->online_count == nodes - 1;
}

static void run(unsigned n)
{
    nodes = n;
    sessions = calloc(n, sizeof(*sessions));
    clients = calloc(n, sizeof(*clients));
    uint64_t alice = core_rig_begin(&rig, "node:\n  routes:\n    ha:\n      nearest: true\n");
    char *key = core_rig_key(&rig, (struct core_admin){.user_id = alice, .reusable = true});
    register_all(key);
    for (unsigned i = 0; i < n; i++)
        map(i, i, true);
    int64_t began = clock_mono_us();
    core_rig_admin_ok(&rig, (struct core_admin){.op = ADMIN_ROUTES_MANY, .flag = true});
    printf("%6u  %-34s core %9.1f us\n", n, "all routers approved as one change", (double)(clock_mono_us() - began));
    netmap = netmap_new(rig.tailnet);
    const struct tailnet_snapshot *s = tailnet_pin(rig.tailnet);
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *node = snapshot_node(s, slot);
        if (node && slot < n)
            clients[slot] =
                netmap_session_new(netmap, &(struct netmap_client){node->record->r.id, slot, 133, true, false, false});
    }
    tailnet_unpin(s);
    size_t told;
    (void)tell_all(&told);

    int64_t core_us = 0, clients_us = 0;
    enum { TIMES = 20 };
    for (unsigned i = 0; i < TIMES; i++) { /* 20 others, since each moves once in ten minutes */
        began = clock_mono_us();
        map(n - 1 - i, n + i, false);
        core_us += clock_mono_us() - began;
        began = clock_mono_us();
        (void)tell_all(&told);
        clients_us += clock_mono_us() - began;
    }
    printf("%6u  %-34s core %9.1f us  clients %10.1f us, %zu of them told\n", n, "a viewer is near another relay",
           (double)core_us / TIMES, (double)clients_us / TIMES, told);
    began = clock_mono_us();
    core_session_end(rig.core, sessions[5], SESSION_SILENT);
    core_rig_until(&rig, is_offline, NULL);
    core_us = clock_mono_us() - began;
    report("a router dies", core_us, clock_mono_us());
    for (unsigned i = 0; i < n; i++)
        netmap_session_free(clients[i]);
    netmap_free(netmap);
    core_rig_end(&rig);
    free(key);
    free(clients);
    free(sessions);
}

int main(void)
{
    run(1000);
    run(10000);
    return 0;
}
