/* SPDX-License-Identifier: BSD-3-Clause */
/* Random changes, as clients and administrators make them, over two blocks of nodes. After each, a map from the shared
 * cache equals the map from an empty cache byte for byte, and a client that was sent each change since its stream
 * opened has what a fresh map contains. SEED and STEPS in the environment repeat a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "netmap/netmap.h"
#include "shared/client/held_map.h"
#include "shared/core_rig.h"
#include "json/json.h"

#define NODES   70
#define VIEWERS 4
#define STREAMS 3

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

struct machine {
    uint64_t id;
    uint8_t number, key; /* of the machine key, of the present node key */
    uint64_t sessions[STREAMS];
};

struct viewer {
    struct machine *machine;
    struct netmap_session *session;
    struct held_map held;
};

static struct {
    struct core_rig rig;
    struct netmap *netmap;
    struct machine machines[NODES];
    struct viewer viewers[VIEWERS];
    char *key;
    uint64_t alice;
    char last[200]; /* what was done, for a failure's message */
} t;

static char *message_text(const struct netmap_message *m)
{
    struct buf all = BUF_INIT(0);

    for (size_t i = 1; i < m->len; i++)
        buf_add(&all, m->items[i]->data, m->items[i]->len);
    return buf_take(&all);
}

/* The only value that differs from one moment to the next. */
static void cut_time(char *text)
{
    char *at = strstr(text, "\"ControlTime\":\"");

    if (at)
        memmove(at + 15, strchr(at + 15, '"'), strlen(strchr(at + 15, '"')) + 1);
}

static json_t *parse(const char *text)
{
    json_t *o = NULL;
    struct err e;

    if (json_read(text, strlen(text), strlen(text), "message", &o, &e) < 0)
        fail_msg("%s: %.300s", e.message, text);
    return o;
}

/* ---- comparing ---- */

static const struct netmap_client *client_of(const struct machine *m, uint32_t slot)
{
    static struct netmap_client client;

    client = (struct netmap_client){.node_id = m->id, .slot = slot, .cap_version = 130};
    return &client;
}

static char *full_text(struct netmap *nm, const struct machine *m, uint32_t slot, const struct tailnet_snapshot *now)
{
    struct netmap_session *s = netmap_session_new(nm, client_of(m, slot));
    struct netmap_message out = {0};
    char *text;

    assert_int_equal(netmap_session_next(s, now, &out), NETMAP_MESSAGE);
    text = message_text(&out);
    cut_time(text);
    netmap_message_release(&out);
    netmap_session_free(s);
    return text;
}

static void hear(struct viewer *v, const struct tailnet_snapshot *now)
{
    struct netmap_message out = {0};

    if (netmap_session_next(v->session, now, &out) == NETMAP_NOTHING)
        return;
    char *text = message_text(&out);
    json_t *message = parse(text);
    held_map_apply(&v->held, message);
    json_decref(message);
    free(text);
    netmap_message_release(&out);
}

static void send_map(struct machine *m, struct core_map *map)
{
    memset(map->machine_key, m->number, KEY_LEN);
    memset(map->node_key, m->key, KEY_LEN);
    map->info.hostname = map->info.hostname ? map->info.hostname : "host";
    map->info.os = "linux";
    map->info.os_version = map->info.client_version = "1";
    map->info.hostinfo = "{}";
    if (!map->info.peer_hostinfo)
        map->info.peer_hostinfo = "{}";
    map->info.cap_version = map->info.cap_version ? map->info.cap_version : 130;
    map->info.source = "192.0.2.1:4711";
    if (core_rig_map(t.rig.core, map) < 0)
        fail_msg("%s", map->call.err.message);
    prefixes_release(&map->info.routes);
}

/* What was sent without waiting is done when this is answered. */
static void settle_core(void)
{
    struct core_map map = {.read_only = true};

    send_map(&t.machines[NODES - 1], &map);
}

/* True unless the core published something after this snapshot: the policy's view is as new as the newest nodes. */
static bool is_newest(const struct tailnet_snapshot *s)
{
    settle_core();
    const struct tailnet_snapshot *newest = tailnet_pin(t.rig.tailnet);
    bool same = newest->seq == s->seq;

    tailnet_unpin(newest);
    return same;
}

static void compare(struct viewer *v, const char *cached, const char *fresh)
{
    if (strcmp(cached, fresh) != 0) {
        size_t at = 0;
        while (cached[at] == fresh[at])
            at++;
        fail_msg("after %s the cached map differs from a fresh one:\n  %.200s\n  %.200s", t.last,
                 cached + (at > 100 ? at - 100 : 0), fresh + (at > 100 ? at - 100 : 0));
    }
    json_t *map = parse(fresh);
    held_map_compare(&v->held, map, t.last);
    json_decref(map);
}

/* Keys expire and nodes go offline meanwhile: what they change is heard first, and all is compared anew. */
static void check_viewer(struct viewer *v)
{
    for (bool compared = false; !compared;) {
        const struct tailnet_snapshot *now = tailnet_pin(t.rig.tailnet);
        const struct tailnet_node *self = snapshot_node_by_id(now, v->machine->id);
        struct netmap *empty = netmap_new(t.rig.tailnet);

        assert_non_null(self);
        if (!v->session)
            v->session = netmap_session_new(t.netmap, client_of(v->machine, self->slot));
        hear(v, now);
        char *cached = full_text(t.netmap, v->machine, self->slot, now),
             *fresh = full_text(empty, v->machine, self->slot, now);
        compared = is_newest(now);
        if (compared)
            compare(v, cached, fresh);
        free(cached);
        free(fresh);
        netmap_free(empty);
        tailnet_unpin(now);
    }
}

/* ---- changes ---- */

static void update(struct machine *m)
{
    static const char *const infos[] = {"{}", "{\"OS\":\"linux\"}", "{\"OS\":\"windows\",\"Hostname\":\"x\"}"};
    struct addr_port endpoint;
    struct core_map map = {.info = {.no_hostinfo = pick(2), .home_derp = pick(3)}};

    assert_int_equal(addr_port_parse("198.51.100.7:1000", &endpoint, NULL), 0);
    endpoint.port = (uint16_t)(1000 + pick(3));
    map.has_endpoints = true;
    map.endpoints = &endpoint;
    map.endpoint_count = pick(2);
    map.info.peer_hostinfo = infos[pick(3)];
    map.info.cap_version = 130 + pick(2);
    memset(map.disco_key, (int)(100 + pick(3)), KEY_LEN);
    map.info.exit_node_id = pick(3) ? 0 : t.machines[pick(8)].id;
    if (pick(2)) {
        struct prefix p = sample_prefix(pick(2) ? "10.1.0.0/16" : "10.2.0.0/16"), x = sample_prefix("0.0.0.0/0");
        prefixes_add(&map.info.routes, &p);
        if (pick(2))
            prefixes_add(&map.info.routes, &x);
        prefixes_pair_exit(&map.info.routes);
    }
    send_map(m, &map);
}

static void open_stream(struct machine *m)
{
    struct core_map map = {.stream = true, .info = {.no_hostinfo = true}};
    uint32_t i = pick(STREAMS);

    if (m->sessions[i])
        core_session_end(t.rig.core, m->sessions[i], SESSION_REPLACED);
    send_map(m, &map);
    m->sessions[i] = map.session;
}

static void end_stream(struct machine *m)
{
    uint32_t i = pick(STREAMS);

    if (m->sessions[i])
        core_session_end(t.rig.core, m->sessions[i], pick(2) ? SESSION_SILENT : SESSION_CLOSED);
    m->sessions[i] = 0;
}

static void weigh(struct machine *m)
{
    uint32_t i = pick(STREAMS);

    if (m->sessions[i])
        core_session_health(t.rig.core, m->sessions[i], pick(2), 0);
}

static void ask(struct core_admin a)
{
    int code = core_rig_admin(&t.rig, &a);

    if (code == ERR_INTERNAL || code == ERR_IO || code == ERR_UNAVAILABLE)
        fail_msg("operation %d: %s", (int)a.op, a.call.err.message);
    core_admin_release(&a);
}

static void expire(struct machine *m)
{
    switch (pick(3)) {
    case 0:
        ask((struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = m->id});
        break;
    case 1:
        ask((struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = m->id, .time_ns = clock_wall_ns() + 3000000 * pick(4)});
        break;
    default:
        ask((struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = m->id, .flag = true});
    }
}

static void edit_routes(struct machine *m)
{
    static const char *const routes[] = {"10.1.0.0/16", "10.2.0.0/16", "0.0.0.0/0"};
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT, .id = m->id};
    struct prefix p = sample_prefix(routes[pick(3)]);

    prefixes_add(pick(3) ? &a.prefixes : &a.revoke, &p);
    ask(a);
}

static void administrate(struct machine *m)
{
    char name[32];

    switch (pick(5)) {
    case 0:
        snprintf(name, sizeof(name), "name-%u", pick(1000));
        ask((struct core_admin){.op = ADMIN_NODE_RENAME, .id = m->id, .name = name});
        break;
    case 1:
        ask((struct core_admin){.op = ADMIN_NODE_DRAIN, .id = m->id, .flag = pick(2)});
        break;
    case 2:
        ask((struct core_admin){.op = ADMIN_USER_ROLE, .id = t.alice, .role = pick(2) ? ROLE_OWNER : ROLE_ADMIN});
        break;
    case 3:
        snprintf(name, sizeof(name), "user%u", pick(1000));
        ask((struct core_admin){.op = ADMIN_USER_RENAME, .id = t.alice, .name = name});
        break;
    default:
        edit_routes(m);
    }
}

static void decide_approval(struct machine *m)
{
    ask((struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = m->id, .flag = pick(3) != 0});
}

static void say_something(struct machine *m)
{
    (void)m;
    ask((struct core_admin){
        .op = ADMIN_SERVER_MESSAGE, .text = pick(2) ? "hello" : "", .severity = pick(2) ? "low" : "high"});
}

static void log_in_again(struct machine *m)
{
    struct core_register call;
    struct join j = {.key = t.key, .name = "host", .machine = m->number, .node = (uint8_t)(m->key + 128)};

    if (core_rig_join(&t.rig, &j, &call) == REGISTER_DONE && call.call.code == 0)
        m->key = (uint8_t)(m->key + 128);
}

/* Deleted, and registered anew: another node of the same machine. */
static void come_again(struct machine *m)
{
    for (size_t i = 0; i < VIEWERS; i++)
        if (t.viewers[i].machine == m)
            return;
    if (m == &t.machines[NODES - 1])
        return; /* settle_core asks as this one */
    ask((struct core_admin){.op = ADMIN_NODE_DELETE, .id = m->id});
    memset(m->sessions, 0, sizeof(m->sessions));
    m->id = core_rig_node(&t.rig, &(struct join){.key = t.key, .name = "host", .machine = m->number, .node = m->key});
}

static const char *const policies[] = {
    "",
    "{\"grants\":[{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[\"*\"]}]}",
    ("{\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"100.64.0.1:*\",\"10.1.0.0/16:*\"]}],"
     "\"nodeAttrs\":[{\"target\":[\"100.64.0.2\",\"100.64.0.3\"],\"attr\":[\"disable-ipv4\",\"funnel\"]}]}"),
};

static void set_policy(uint32_t number)
{
    ask((struct core_admin){.op = ADMIN_POLICY_SET, .text = policies[number]});
}

static const struct {
    const char *name;
    void (*run)(struct machine *m);
    unsigned weight;
} changes[] = {{"an update", update, 6},
               {"a stream that opens", open_stream, 5},
               {"a stream that ends", end_stream, 2},
               {"a verdict about a session", weigh, 2},
               {"an expiry", expire, 3},
               {"an administrator's change", administrate, 4},
               {"an approval", decide_approval, 3},
               {"a message", say_something, 1},
               {"a login", log_in_again, 1},
               {"a new life", come_again, 1}};

static void change(size_t step)
{
    unsigned all = 1, at;
    struct machine *m = &t.machines[pick(3) ? pick(8) : pick(NODES)]; /* mostly the same few, in one block */

    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        all += changes[i].weight;
    at = pick(all);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        if (at < changes[i].weight) {
            snprintf(t.last, sizeof(t.last), "step %zu, %s of node %llu,", step, changes[i].name,
                     (unsigned long long)m->id);
            changes[i].run(m);
            return;
        }
        at -= changes[i].weight;
    }
    snprintf(t.last, sizeof(t.last), "step %zu, another policy,", step);
    set_policy(pick(3));
}

static void start(void)
{
    core_rig_prepare(&t.rig, "node:\n  offline_grace: 1ms\n");
    core_rig_start(&t.rig);
    t.alice = core_rig_user(&t.rig, "alice");
    t.key = core_rig_key(&t.rig, (struct core_admin){.user_id = t.alice, .reusable = true});
    t.netmap = netmap_new(t.rig.tailnet);
    for (uint8_t i = 0; i < NODES; i++) {
        struct machine *m = &t.machines[i];
        m->number = m->key = (uint8_t)(i + 1);
        m->id =
            core_rig_node(&t.rig, &(struct join){.key = t.key, .name = "host", .machine = m->number, .node = m->key});
    }
    for (size_t i = 0; i < VIEWERS; i++) {
        t.viewers[i] = (struct viewer){.machine = &t.machines[i * 22]};
        held_map_init(&t.viewers[i].held);
    }
}

static void end(void)
{
    for (size_t i = 0; i < VIEWERS; i++) {
        netmap_session_free(t.viewers[i].session);
        held_map_release(&t.viewers[i].held);
    }
    free(t.key);
    netmap_free(t.netmap);
    core_rig_end(&t.rig);
}

static void maps_say_the_same_whether_cached_fresh_or_told_bit_by_bit(void **state)
{
    const char *seed = getenv("SEED"), *steps = getenv("STEPS");
    size_t count = steps ? strtoul(steps, NULL, 10) : 400;

    (void)state;
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)clock_wall_ns() | 1;
    print_message("SEED=%llu STEPS=%zu\n", (unsigned long long)random_state, count);
    start();
    for (size_t step = 0; step < count; step++) {
        change(step);
        settle_core();
        if (pick(3) == 0)
            check_viewer(&t.viewers[pick(VIEWERS)]);
    }
    for (size_t i = 0; i < VIEWERS; i++)
        check_viewer(&t.viewers[i]);
    end();
}

/* A client that is sent nothing while there is no policy gets the filter of the next one all the same. */
static void a_policy_after_none_is_another_one(void **state)
{
    (void)state;
    start();
    str_copy(t.last, sizeof(t.last), "a policy after none,");
    for (uint32_t number = 1; number <= 2; number++) {
        set_policy(3 - number);
        settle_core();
        check_viewer(&t.viewers[0]);
        set_policy(0);
        set_policy(number);
        settle_core();
        check_viewer(&t.viewers[0]);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_say_the_same_whether_cached_fresh_or_told_bit_by_bit),
        cmocka_unit_test(a_policy_after_none_is_another_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
