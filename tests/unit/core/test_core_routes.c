/* SPDX-License-Identifier: BSD-3-Clause */
/* Routers in the core: who is primary, what moves a prefix, what is remembered; and sessions that begin and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/state/queue.h"
#include "core/state/transaction.h"
#include "core/thread.h"
#include "shared/core_rig.h"

#define LAN "10.1.0.0/16"

static struct core_rig r;

static int begin(void **state)
{
    (void)state;
    core_rig_begin_with_key(&r, "");
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static uint64_t server_of(const struct tailnet_snapshot *s)
{
    struct prefix p = sample_prefix(LAN);

    for (size_t i = 0; i < s->primary_count; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, &p) == 0)
            return s->primaries[i]->r.id;
    return 0;
}

static bool served_by(const struct tailnet_snapshot *s, void *arg)
{
    uint64_t id = *(const uint64_t *)arg;
    struct prefix p = sample_prefix(LAN);
    const struct tailnet_node *n = id ? snapshot_node_by_id(s, id) : NULL;

    return server_of(s) == id && (!id || prefixes_has(&n->serving, &p));
}

static size_t rows_of_primaries(void)
{
    struct store_image image = {0};

    core_rig_stop(&r);
    fixture_open(&r.store);
    fixture_load(r.store.store, &image);
    size_t count = image.primary_count;
    store_image_release(&image);
    return count;
}

static void two_routers_take_turns(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), two = core_rig_add(&r, 2, "r2", LAN), nobody = 0;
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);

    (void)state;
    uint64_t s1 = core_rig_online(&r, &j1), s2 = core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &nobody);
    core_rig_approve(&r, one, LAN, false);
    core_rig_approve(&r, two, LAN, false);
    core_rig_until(&r, served_by, &one);
    core_session_end(r.core, s1, SESSION_CLOSED); /* another one can serve: there is no grace */
    core_rig_until(&r, served_by, &two);
    s1 = core_rig_online(&r, &j1);
    core_rig_until(&r, served_by, &two); /* who serves goes on serving */
    core_session_health(r.core, s2, false, 0);
    core_rig_until(&r, served_by, &one);
    core_session_health(r.core, s2, true, 0);
    struct core_admin a = {.op = ADMIN_PRIMARY, .id = two};
    struct prefix p = sample_prefix(LAN);
    prefixes_add(&a.prefixes, &p);
    core_rig_admin_ok(&r, a);
    core_rig_until(&r, served_by, &two);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DRAIN, .id = two, .flag = true});
    core_rig_until(&r, served_by, &one);
    core_rig_approve(&r, one, LAN, true);
    core_rig_until(&r, served_by, &two);
    core_rig_approve(&r, two, LAN, true);
    core_rig_until(&r, served_by, &nobody);
    core_session_end(r.core, s1, SESSION_SILENT);
    core_session_end(r.core, s2, SESSION_SILENT);
}

static void a_request_without_hostinfo_withdraws_nothing(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN);
    struct core_map m = {.info = {.no_hostinfo = true}};
    const struct tailnet_snapshot *s;

    (void)state;
    memset(m.machine_key, 1, KEY_LEN);
    memset(m.node_key, 1, KEY_LEN);
    memset(m.disco_key, 9, KEY_LEN);
    assert_int_equal(core_rig_map(r.core, &m), 0);
    const struct tailnet_node *n = core_rig_look(&r, one, &s);
    assert_int_equal(n->record->disco_key[0], 9);
    assert_int_equal(n->record->available.len, 1);
    tailnet_unpin(s);
}

static void who_serves_is_remembered_as_long_as_it_does(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), two = core_rig_add(&r, 2, "r2", LAN), nobody = 0;
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);

    (void)state;
    uint64_t s1 = core_rig_online(&r, &j1), s2 = core_rig_online(&r, &j2);
    core_rig_approve(&r, one, LAN, false);
    core_rig_approve(&r, two, LAN, false);
    core_rig_until(&r, served_by, &one);
    /* When the daemon ends, each stream does: that moves nothing, neither now nor at the next start. */
    core_session_end(r.core, s1, SESSION_SHUTDOWN);
    core_session_end(r.core, s2, SESSION_SHUTDOWN);
    assert_int_equal(rows_of_primaries(), 1);
    core_rig_start(&r);
    core_rig_until(&r, served_by, &one);
    s2 = core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &one);
    s1 = core_rig_online(&r, &j1);
    core_session_end(r.core, s2, SESSION_SILENT);
    core_session_end(r.core, s1, SESSION_SILENT);
    core_rig_until(&r, served_by, &nobody);
    /* Who returns first serves at once, also after a start. */
    assert_int_equal(rows_of_primaries(), 0);
    core_rig_start(&r);
    core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &two);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = two});
    assert_int_equal(rows_of_primaries(), 0);
}

static bool is_gone(const struct tailnet_snapshot *s, void *arg)
{
    return snapshot_node_by_id(s, *(const uint64_t *)arg) == NULL;
}

static void a_router_that_comes_and_goes_is_elected_last(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), two = core_rig_add(&r, 2, "r2", LAN),
             three = core_rig_add(&r, 3, "r3", LAN);
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN),
                j3 = core_rig_device(&r, 3, "r3", LAN);
    uint64_t session = 0;

    (void)state;
    core_rig_approve(&r, one, LAN, false);
    core_rig_approve(&r, two, LAN, false);
    core_rig_approve(&r, three, LAN, false);
    session = core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &two);
    for (int i = 0; i < 3; i++) {
        uint64_t short_one = core_rig_online(&r, &j1);
        core_session_end(r.core, short_one, SESSION_SILENT);
    }
    core_rig_online(&r, &j1);
    core_rig_online(&r, &j3);
    core_rig_until(&r, served_by, &two); /* sticky */
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, served_by, &three); /* not the older one, which comes and goes */
}

static void run_age(struct core_state *s, struct core_call *call)
{
    for (size_t i = 0; i < s->slots.len; i++)
        if (!s->slots.items[i]->id)
            s->slots.items[i]->free_ms -= 3600000;
    tx_answer_soon(s, call, 0);
}

static uint32_t slot_of(uint64_t id)
{
    const struct tailnet_snapshot *s;
    uint32_t slot = core_rig_look(&r, id, &s)->slot;

    tailnet_unpin(s);
    return slot;
}

static void the_stream_of_a_deleted_node_is_nobodys(void **state)
{
    uint64_t id = core_rig_add(&r, 1, "a", NULL);
    struct join j = core_rig_device(&r, 1, "a", NULL), next = core_rig_device(&r, 2, "b", NULL);
    struct core_call age = {0};
    struct core_rig_answer aged;

    (void)state;
    uint64_t session = core_rig_online(&r, &j);
    uint32_t slot = slot_of(id);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = id});
    core_rig_until(&r, is_gone, &id);
    core_rig_expect(&aged, &age); /* an hour later */
    queue_post(&r.core->state.queue, &age, run_age);
    core_rig_await(&aged, &age);
    uint64_t other = core_rig_add(&r, 2, "b", NULL);
    assert_int_equal(slot_of(other), slot);
    core_rig_online(&r, &next);
    core_session_end(r.core, session, SESSION_CLOSED);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_RENAME, .id = other, .name = "c"});
    const struct tailnet_snapshot *s;
    assert_true(core_rig_look(&r, other, &s)->live.online);
    tailnet_unpin(s);
}

static uint32_t changes_after(uint64_t seq, uint64_t id)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    struct change changes[64] = {0};
    long count = tailnet_changes(r.tailnet, seq, s->seq, changes, 64);
    uint32_t mask = 0;

    tailnet_unpin(s);
    for (long i = 0; i < count; i++)
        if (changes[i].node_id == id)
            mask |= changes[i].mask;
    return mask;
}

static bool is_unhealthy(const struct tailnet_snapshot *s, void *arg)
{
    return !snapshot_node_by_id(s, *(const uint64_t *)arg)->live.healthy;
}

static uint64_t newest(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint64_t seq = s->seq;

    tailnet_unpin(s);
    return seq;
}

/* Both must reach every client as a whole node: the routes, and whether it is suggested. */
static void an_exit_node_is_told_whole(void **state)
{
    uint64_t id = core_rig_add(&r, 1, "x", "0.0.0.0/0"), seq;
    struct join j = core_rig_device(&r, 1, "x", "0.0.0.0/0");

    (void)state;
    uint64_t session = core_rig_online(&r, &j);
    seq = newest();
    core_rig_approve(&r, id, "0.0.0.0/0", false);
    assert_int_equal(changes_after(seq, id) & (CHANGE_WHOLE | CHANGE_SELF), CHANGE_WHOLE | CHANGE_SELF);
    seq = newest();
    core_session_health(r.core, session, false, 0);
    core_rig_until(&r, is_unhealthy, &id);
    assert_true(changes_after(seq, id) & CHANGE_WHOLE);
}

static bool told_of_steering(const struct tailnet_snapshot *s, void *arg)
{
    struct change changes[256];
    uint64_t *since = arg;
    long count = tailnet_changes(r.tailnet, *since, s->seq, changes, 256);

    for (long i = 0; i < count; i++)
        if (changes[i].route_moved)
            return true;
    return false;
}

/* Nobody's election moves, but those who are led to a router by via see the other one now. */
static void routers_of_a_via_group_take_turns(void **state)
{
    struct join j[] = {core_rig_device(&r, 1, "first", LAN), core_rig_device(&r, 2, "a1", LAN),
                       core_rig_device(&r, 3, "a2", LAN)};
    uint64_t sessions[3], ids[3], since;

    (void)state;
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_POLICY_SET,
                                          .text = "{\"tagOwners\":{\"tag:a\":[\"alice@\"],\"tag:b\":[\"alice@\"]},"
                                                  "\"autoApprovers\":{\"routes\":{\"" LAN "\":[\"tag:a\",\"tag:b\"]}},"
                                                  "\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"" LAN
                                                  "\"],\"via\":[\"tag:a\"],\"ip\":[\"*\"]}]}"});
    for (size_t i = 0; i < 3; i++) {
        j[i].tag = i ? "tag:a" : "tag:b";
        ids[i] = core_rig_node(&r, &j[i]);
        sessions[i] = core_rig_online(&r, &j[i]);
    }
    core_rig_until(&r, served_by, &ids[0]);
    since = newest();
    core_session_end(r.core, sessions[1], SESSION_CLOSED); /* no grace: another one can take over */
    core_rig_until(&r, told_of_steering, &since);
    sessions[1] = core_rig_online(&r, &j[1]);
    core_rig_user(&r, "bob"); /* the policy is compiled anew: a2 stays the one */
    since = newest();
    core_session_health(r.core, sessions[2], false, 0);
    core_rig_until(&r, told_of_steering, &since);
    core_session_health(r.core, sessions[2], true, 0);
    since = newest();
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DRAIN, .id = ids[1], .flag = true});
    core_rig_until(&r, told_of_steering, &since);
    core_rig_until(&r, served_by, &ids[0]);
}

static void an_ephemeral_node_goes_with_its_session(void **state)
{
    (void)state;
    core_rig_prepare(&r, "");
    r.config->node.ephemeral_inactivity_timeout = 50000000;
    core_rig_start(&r);
    r.alice = core_rig_user(&r, "alice");
    r.key = core_rig_key(&r, (struct core_admin){.user_id = r.alice, .reusable = true, .ephemeral = true});
    struct join j = core_rig_device(&r, 1, "a", NULL);
    uint64_t id = core_rig_node(&r, &j), session = core_rig_online(&r, &j);
    core_session_end(r.core, session, SESSION_CLOSED);
    core_rig_until(&r, is_gone, &id);
    id = core_rig_add(&r, 2, "b", NULL); /* never came online */
    core_rig_until(&r, is_gone, &id);
}

static int choose(uint64_t id, bool dry_run)
{
    struct core_admin a = {.op = ADMIN_PRIMARY, .id = id, .dry_run = dry_run};
    struct prefix p = sample_prefix(LAN);

    prefixes_add(&a.prefixes, &p);
    int code = core_rig_admin(&r, &a);
    core_admin_release(&a);
    return code;
}

static void what_was_chosen_and_drained_survives_a_restart(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), two = core_rig_add(&r, 2, "r2", LAN);
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);

    (void)state;
    core_rig_online(&r, &j1);
    core_rig_approve(&r, one, LAN, false);
    core_rig_approve(&r, two, LAN, false);
    assert_int_equal(choose(two, true), ERR_PRECONDITION); /* it is offline: a dry run says so too */
    core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &one);
    assert_int_equal(choose(two, false), 0);
    core_rig_until(&r, served_by, &two);
    core_rig_stop(&r);
    core_rig_start(&r);
    core_rig_online(&r, &j1);
    core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &two);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DRAIN, .id = two, .flag = true});
    core_rig_until(&r, served_by, &one);
    core_rig_stop(&r);
    core_rig_start(&r);
    core_rig_online(&r, &j1);
    core_rig_online(&r, &j2);
    core_rig_until(&r, served_by, &one);
    assert_int_equal(choose(two, false), ERR_PRECONDITION); /* it is still drained */
    struct core_admin a = {.op = ADMIN_NODE_DRAIN, .id = two};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_non_null(strstr(a.inverse, "\"drained\":true"));
    core_admin_release(&a);
    assert_int_equal(choose(two, false), 0);
    core_rig_until(&r, served_by, &two);
}

static void prioritise(uint64_t id, uint64_t priority)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_PRIORITY, .id = id, .number = priority});
}

static int set_rule(const char *json, char **inverse)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET};
    struct prefix p = sample_prefix(LAN);
    json_t *members = json_loads(json, 0, NULL);

    assert_non_null(members);
    if (core_rule_read(members, &a, NULL) < 0)
        fail_msg("%s", json);
    prefixes_add(&a.prefixes, &p);
    int code = core_rig_admin(&r, &a);
    if (inverse)
        *inverse = a.inverse ? mem_strdup(a.inverse) : NULL;
    core_admin_release(&a);
    json_decref(members);
    return code;
}

/* Two routers, the first one serves; the caller's sessions. */
static void two_routers(uint64_t *one, uint64_t *two, uint64_t *first)
{
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);

    *one = core_rig_add(&r, 1, "r1", LAN);
    *two = core_rig_add(&r, 2, "r2", LAN);
    core_rig_approve(&r, *one, LAN, false);
    core_rig_approve(&r, *two, LAN, false);
    *first = core_rig_online(&r, &j1);
    core_rig_until(&r, served_by, one);
    core_rig_online(&r, &j2);
}

static void the_priority_takes_over_after_the_delay_and_what_is_set_survives(void **state)
{
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);
    uint64_t one, two, session;
    char *inverse;

    (void)state;
    core_rig_end(&r);
    core_rig_begin_with_key(&r, "node:\n  routes:\n    ha:\n      hold_down: 0s\n      failback_delay: 200ms\n");
    two_routers(&one, &two, &session);
    prioritise(one, 200);
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, served_by, &two);
    session = core_rig_online(&r, &j1);
    assert_int_equal(set_rule("{\"failback\":\"priority\",\"keep\":true}", &inverse), 0);
    assert_string_equal(inverse, "{\"operation\":\"prefix.set\",\"prefix\":\"10.1.0.0/16\",\"reset\":[\"failback\","
                                 "\"keep\"]}");
    free(inverse);
    core_rig_until(&r, served_by, &one); /* by the timer alone */
    core_rig_stop(&r);
    core_rig_start(&r);
    core_rig_online(&r, &j2);
    session = core_rig_online(&r, &j1);
    core_rig_until(&r, served_by, &one);
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, served_by, &two);
    core_rig_online(&r, &j1);
    core_rig_until(&r, served_by, &one);
    assert_int_equal(set_rule("{\"reset\":[\"failback\",\"keep\"]}", &inverse), 0);
    assert_non_null(strstr(inverse, "\"failback\":\"priority\",\"keep\":true"));
    free(inverse);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_int_equal(s->prefix_settings_count, 0);
    tailnet_unpin(s);
}

struct choice {
    uint64_t node;
    bool chosen;
};

static bool served_by_choice(const struct tailnet_snapshot *s, void *arg)
{
    struct choice *c = arg;
    struct prefix p = sample_prefix(LAN);

    if (!served_by(s, &c->node))
        return false;
    for (size_t i = 0; i < s->primary_count; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, &p) == 0)
            return s->primaries[i]->chosen == c->chosen;
    return false;
}

/* The inverse, for the caller to free. */
static char *choose_node(uint64_t id, bool once)
{
    struct core_admin a = {.op = ADMIN_PRIMARY, .id = id, .flag = once};
    struct prefix p = sample_prefix(LAN);

    prefixes_add(&a.prefixes, &p);
    assert_int_equal(core_rig_admin(&r, &a), 0);
    char *inverse = mem_strdup(a.inverse ? a.inverse : "");
    core_admin_release(&a);
    return inverse;
}

/* The failback asks for the other router, and nothing has to wait: only the choice holds. */
static void a_choice_holds_against_the_failback_also_over_a_restart(void **state)
{
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);
    uint64_t one, two, session;
    char *inverse;

    (void)state;
    two_routers(&one, &two, &session);
    prioritise(one, 200);
    assert_int_equal(set_rule("{\"failback\":\"priority\",\"holdDown\":\"0s\",\"failbackDelay\":\"0s\"}", NULL), 0);
    inverse = choose_node(two, false);
    core_rig_until(&r, served_by_choice, &(struct choice){two, true});
    assert_non_null(strstr(inverse, "\"once\":true")); /* it had been elected, not chosen */
    free(inverse);
    core_rig_stop(&r);
    core_rig_start(&r);
    core_rig_online(&r, &j1);
    core_rig_online(&r, &j2);
    prioritise(one, 300); /* another election, with both */
    core_rig_until(&r, served_by_choice, &(struct choice){two, true});
    free(choose_node(two, true)); /* it may move on */
    core_rig_until(&r, served_by_choice, &(struct choice){one, false});
    prioritise(two, 400);
    core_rig_until(&r, served_by_choice, &(struct choice){two, false});
    inverse = choose_node(two, false); /* it serves already, and is to stay */
    core_rig_until(&r, served_by_choice, &(struct choice){two, true});
    assert_non_null(strstr(inverse, "\"once\":true"));
    free(inverse);
    assert_string_equal(inverse = choose_node(two, false), ""); /* nothing to change */
    free(inverse);
    assert_int_equal(set_rule("{\"failback\":\"oldest\"}", NULL), 0); /* what is said last counts */
    core_rig_until(&r, served_by_choice, &(struct choice){one, false});
}

static bool serves_offline(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, *(const uint64_t *)arg);

    return !n->live.online && served_by(s, arg);
}

static void a_kept_prefix_stays_with_its_last_router(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), none = 0;
    struct join j1 = core_rig_device(&r, 1, "r1", LAN);

    (void)state;
    core_rig_approve(&r, one, LAN, false);
    uint64_t session = core_rig_online(&r, &j1);
    core_rig_until(&r, served_by, &one);
    assert_int_equal(set_rule("{\"keep\":true}", NULL), 0);
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, serves_offline, &one);
    assert_int_equal(set_rule("{\"keep\":false}", NULL), 0);
    core_rig_until(&r, served_by, &none);
}

static void expect_approver(uint64_t id, const char *who)
{
    const struct tailnet_snapshot *s;
    const struct prefix p = sample_prefix(LAN);

    assert_string_equal(node_approver(core_rig_look(&r, id, &s)->record, &p), who);
    tailnet_unpin(s);
}

static void an_approval_names_who_gave_it(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), two = core_rig_add(&r, 2, "r2", LAN);
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT, .id = one, .actor = "alice"};
    const struct prefix p = sample_prefix(LAN), wide = sample_prefix("10.0.0.0/8");

    (void)state;
    expect_approver(one, "");
    prefixes_add(&a.prefixes, &p);
    core_rig_admin_ok(&r, a);
    expect_approver(one, "alice");
    a = (struct core_admin){.op = ADMIN_NODE_ROUTES, .id = one, .actor = "bob"};
    prefixes_add(&a.prefixes, &p);
    prefixes_add(&a.prefixes, &wide);
    core_rig_admin_ok(&r, a);
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_POLICY_SET,
                                          .text = "{\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"alice@\"]}}}"});
    core_rig_stop(&r);
    core_rig_start(&r);
    expect_approver(one, "alice");
    expect_approver(two, "policy");
    const struct tailnet_snapshot *s;
    assert_string_equal(node_approver(core_rig_look(&r, one, &s)->record, &wide), "bob");
    tailnet_unpin(s);
    core_rig_approve(&r, one, LAN, true);
    expect_approver(one, "");
}

static void what_was_refused_moves_no_route(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN), two = core_rig_add(&r, 2, "r2", LAN);
    struct join j1 = core_rig_device(&r, 1, "r1", LAN), j2 = core_rig_device(&r, 2, "r2", LAN);

    (void)state;
    core_rig_online(&r, &j1);
    core_rig_approve(&r, one, LAN, false);
    core_rig_approve(&r, two, LAN, false);
    core_rig_until(&r, served_by, &one);
    core_rig_stop(&r);
    fixture_sql(r.store.path, "CREATE TRIGGER t1 BEFORE INSERT ON event WHEN NEW.kind='route.primary' BEGIN "
                              "SELECT RAISE(FAIL,'no'); END;");
    core_rig_start(&r);
    core_rig_online(&r, &j1);
    core_rig_online(&r, &j2);
    assert_true(choose(two, false) < 0);
    core_rig_until(&r, served_by, &one);
    struct core_admin a = {.op = ADMIN_NODE_DRAIN, .id = one, .flag = true};
    assert_true(core_rig_admin(&r, &a) < 0);
    core_admin_release(&a);
    core_rig_until(&r, served_by, &one);
    assert_int_equal(core_rig_add(&r, 3, "r3", NULL), two + 1); /* something that is published after it */
    core_rig_until(&r, served_by, &one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_routers_take_turns, begin, end),
        cmocka_unit_test_setup_teardown(a_request_without_hostinfo_withdraws_nothing, begin, end),
        cmocka_unit_test_setup_teardown(who_serves_is_remembered_as_long_as_it_does, begin, end),
        cmocka_unit_test_setup_teardown(a_router_that_comes_and_goes_is_elected_last, begin, end),
        cmocka_unit_test_setup_teardown(the_stream_of_a_deleted_node_is_nobodys, begin, end),
        cmocka_unit_test_setup_teardown(an_exit_node_is_told_whole, begin, end),
        cmocka_unit_test_setup_teardown(routers_of_a_via_group_take_turns, begin, end),
        cmocka_unit_test_teardown(an_ephemeral_node_goes_with_its_session, end),
        cmocka_unit_test_setup_teardown(the_priority_takes_over_after_the_delay_and_what_is_set_survives, begin, end),
        cmocka_unit_test_setup_teardown(a_kept_prefix_stays_with_its_last_router, begin, end),
        cmocka_unit_test_setup_teardown(what_was_chosen_and_drained_survives_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_choice_holds_against_the_failback_also_over_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(an_approval_names_who_gave_it, begin, end),
        cmocka_unit_test_setup_teardown(what_was_refused_moves_no_route, begin, end),
    };
    return cmocka_run_group_tests_name("core_routes", tests, NULL, NULL);
}
