/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "shared/core_rig.h"

#define WAIT_SECONDS 20

static void answered(struct core_call *call)
{
    sem_post(&((struct core_rig_answer *)call->owner)->done);
}

void core_rig_prepare(struct core_rig *r, const char *extra)
{
    struct strs problems = {0};
    struct err e = {0};

    *r = (struct core_rig){0};
    fixture_begin(&r->store);
    char *text = mem_format("server_url: http://127.0.0.1:1\nlisten_addr: 127.0.0.1:1\nmetrics_listen_addr: \"\"\n"
                            "unix_socket: %s/h.sock\nnoise:\n  private_key_path: %s/n.key\n"
                            "dns:\n  base_domain: tail.example.com\n  override_local_dns: false\n%s",
                            r->store.folder, r->store.folder, extra);
    if (config_parse(text, strlen(text), "test.yaml", &r->config, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    free(text);
}

void core_rig_start(struct core_rig *r)
{
    struct err e = {0};

    if (!r->store.store)
        fixture_open(&r->store);
    r->tailnet = tailnet_new();
    if (core_start(r->config, r->tailnet, r->store.store, &r->core, &e) < 0)
        fail_msg("%s", e.message);
}

void core_rig_stop(struct core_rig *r)
{
    core_stop(r->core);
    r->core = NULL;
    tailnet_free(r->tailnet);
    r->tailnet = NULL;
    fixture_close(&r->store);
    r->store.store = NULL;
}

void core_rig_end(struct core_rig *r)
{
    core_stop(r->core);
    if (r->tailnet)
        tailnet_free(r->tailnet);
    config_unref(r->config);
    fixture_end(&r->store);
    free(r->key);
    r->key = NULL;
}

void core_rig_expect(struct core_rig_answer *a, struct core_call *call)
{
    sem_init(&a->done, 0, 0);
    call->done = answered;
    call->owner = a;
}

int core_rig_await(struct core_rig_answer *a, const struct core_call *call)
{
    while (sem_wait(&a->done) < 0)
        ;
    sem_destroy(&a->done);
    return call->code;
}

int core_rig_register(struct core *core, struct core_register *call)
{
    struct core_rig_answer a;

    core_rig_expect(&a, &call->call);
    (void)core_register(core, call);
    return core_rig_await(&a, &call->call);
}

int core_rig_map(struct core *core, struct core_map *call)
{
    struct core_rig_answer a;

    core_rig_expect(&a, &call->call);
    core_map(core, call);
    return core_rig_await(&a, &call->call);
}

int core_rig_ssh(struct core *core, struct core_ssh *call)
{
    struct core_rig_answer a;

    core_rig_expect(&a, &call->call);
    (void)core_ssh(core, call);
    return core_rig_await(&a, &call->call);
}

int core_rig_change(struct core *core, struct core_admin *call)
{
    struct core_rig_answer a;

    core_rig_expect(&a, &call->call);
    core_admin(core, call);
    return core_rig_await(&a, &call->call);
}

static struct client_info info_of(const struct join *j)
{
    struct client_info info = {.hostname = j->name,
                               .os = "linux",
                               .os_version = "6",
                               .client_version = "1.98.0",
                               .hostinfo = "{}",
                               .peer_hostinfo = "{}",
                               .cap_version = 130,
                               .exit_node_id = j->exit_node_id,
                               .source = "192.0.2.1:4711"};
    if (j->tag)
        strs_push(&info.request_tags, j->tag);
    if (j->route) {
        struct prefix p = sample_prefix(j->route);
        prefixes_add(&info.routes, &p);
        prefixes_pair_exit(&info.routes);
    }
    return info;
}

enum register_result core_rig_join(struct core_rig *r, const struct join *j, struct core_register *call)
{
    *call = (struct core_register){.auth_key = j->key,
                                   .followup = j->followup,
                                   .expiry_ns = j->expiry_ns,
                                   .ephemeral = j->ephemeral,
                                   .info = info_of(j)};
    memset(call->machine_key, j->machine, KEY_LEN);
    memset(call->node_key, j->node, KEY_LEN);
    core_rig_register(r->core, call);
    strs_release(&call->info.request_tags);
    prefixes_release(&call->info.routes);
    record_unref(call->user);
    call->user = NULL;
    return call->result;
}

uint64_t core_rig_node(struct core_rig *r, const struct join *j)
{
    struct core_register call;

    if (core_rig_join(r, j, &call) != REGISTER_DONE || call.call.code < 0)
        fail_msg("%s cannot register: %s", j->name, call.call.err.message);
    return call.node_id;
}

uint64_t core_rig_online(struct core_rig *r, const struct join *j)
{
    struct core_map map = {.stream = true, .info = info_of(j)};

    memset(map.machine_key, j->machine, KEY_LEN);
    memset(map.node_key, j->node, KEY_LEN);
    memset(map.disco_key, j->node, KEY_LEN);
    if (core_rig_map(r->core, &map) < 0)
        fail_msg("%s cannot open a stream: %s", j->name, map.call.err.message);
    strs_release(&map.info.request_tags);
    prefixes_release(&map.info.routes);
    return map.session;
}

int core_rig_admin(struct core_rig *r, struct core_admin *a)
{
    if (!a->actor)
        a->actor = "tester";
    return core_rig_change(r->core, a);
}

void core_rig_admin_ok(struct core_rig *r, struct core_admin a)
{
    if (core_rig_admin(r, &a) < 0)
        fail_msg("operation %d: %s", (int)a.op, a.call.err.message);
    core_admin_release(&a);
}

uint64_t core_rig_user(struct core_rig *r, const char *name)
{
    struct core_admin a = {.op = ADMIN_USER_CREATE, .name = name};

    assert_int_equal(core_rig_admin(r, &a), 0);
    uint64_t id = ((const struct record *)a.record)->id;
    core_admin_release(&a);
    return id;
}

char *core_rig_key(struct core_rig *r, struct core_admin a)
{
    a.op = ADMIN_PREAUTHKEY_CREATE;
    if (core_rig_admin(r, &a) < 0)
        fail_msg("%s", a.call.err.message);
    char *text = a.secret;
    a.secret = NULL;
    core_admin_release(&a);
    return text;
}

void core_rig_approve(struct core_rig *r, uint64_t node, const char *prefix, bool revoke)
{
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT, .id = node};
    struct prefix p = sample_prefix(prefix);

    prefixes_add(revoke ? &a.revoke : &a.prefixes, &p);
    core_rig_admin_ok(r, a);
}

const struct tailnet_node *core_rig_look(struct core_rig *r, uint64_t id, const struct tailnet_snapshot **pin)
{
    *pin = tailnet_pin(r->tailnet);
    return snapshot_node_by_id(*pin, id);
}

static void woken(void *arg)
{
    sem_post(arg);
}

void core_rig_until(struct core_rig *r, bool (*is)(const struct tailnet_snapshot *s, void *arg), void *arg)
{
    struct timespec until;
    sem_t news;
    bool yes = false, waited = true;

    sem_init(&news, 0, 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    tailnet_subscribe(r->tailnet, woken, &news);
    for (;;) {
        const struct tailnet_snapshot *s = tailnet_pin(r->tailnet);
        yes = is(s, arg);
        tailnet_unpin(s);
        if (yes || !waited)
            break;
        waited = sem_timedwait(&news, &until) == 0;
    }
    tailnet_unsubscribe(r->tailnet, woken, &news);
    sem_destroy(&news);
    if (!yes)
        fail_msg("what was waited for did not come");
}

uint64_t core_rig_begin(struct core_rig *r, const char *extra)
{
    core_rig_prepare(r, extra);
    core_rig_start(r);
    r->alice = core_rig_user(r, "alice");
    return r->alice;
}

void core_rig_begin_with_key(struct core_rig *r, const char *extra)
{
    core_rig_begin(r, extra);
    r->key = core_rig_key(r, (struct core_admin){.user_id = r->alice, .reusable = true});
}

struct join core_rig_device(const struct core_rig *r, uint8_t number, const char *name, const char *route)
{
    return (struct join){.key = r->key, .name = name, .machine = number, .node = number, .route = route};
}

uint64_t core_rig_add(struct core_rig *r, uint8_t number, const char *name, const char *route)
{
    struct join j = core_rig_device(r, number, name, route);

    return core_rig_node(r, &j);
}
