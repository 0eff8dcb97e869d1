/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy in the core: compiled in the background while everything continues, and applied again when names and roles
 * change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/thread.h"
#include "shared/core_rig.h"
#include "tailnet/policy_input.h"

#define LAN "10.1.0.0/16"

static struct core_rig r;
static uint64_t alice, bob;

static int begin(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "");
    bob = core_rig_user(&r, "bob");
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static uint64_t add(uint64_t user, uint8_t number, const char *name, const char *route)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = user});
    struct join j = {.key = key, .name = name, .machine = number, .node = number, .route = route};
    uint64_t id = core_rig_node(&r, &j);

    (void)core_rig_online(&r, &j);
    free(key);
    return id;
}

static void set_policy(const char *text)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = text});
}

static bool is_approved(uint64_t node)
{
    const struct tailnet_snapshot *s;
    const struct tailnet_node *n = core_rig_look(&r, node, &s);
    struct prefix p = sample_prefix(LAN);
    bool is = prefixes_has(&n->record->approved, &p) && str_eq(node_approver(n->record, &p), "policy");

    tailnet_unpin(s);
    return is;
}

/* What the node's filter says now, the caller's. */
static char *filter_of(uint64_t node, bool ssh)
{
    const struct tailnet_snapshot *s;
    uint32_t slot = core_rig_look(&r, node, &s)->slot;
    const struct policy_view *v = tailnet_policy_read(r.tailnet);
    struct buf out = BUF_INIT(0);

    if (ssh)
        policy_ssh(v, slot, "https://headway.example.com", &out);
    else
        policy_filter(v, slot, &out);
    tailnet_policy_done(r.tailnet);
    tailnet_unpin(s);
    return buf_take(&out);
}

static bool mentions(uint64_t node, bool ssh, const char *words)
{
    char *text = filter_of(node, ssh);
    bool does = strstr(text, words) != NULL;

    free(text);
    return does;
}

static void a_new_name_approves(void **state)
{
    (void)state;
    uint64_t id = add(bob, 1, "router", LAN);
    set_policy("{\"autoApprovers\":{\"routes\":{\"" LAN "\":[\"carol@\"]}}}");
    assert_false(is_approved(id));
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = bob, .name = "carol", .dry_run = true});
    assert_false(is_approved(id));
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = bob, .name = "carol"});
    assert_true(is_approved(id));
}

static void a_name_that_is_no_longer_doubtful_approves(void **state)
{
    (void)state;
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = bob, .name = "bob@example.com"});
    set_policy("{\"autoApprovers\":{\"routes\":{\"" LAN "\":[\"bob@example.com\"]}}}");
    struct core_admin twin = {.op = ADMIN_USER_CREATE, .name = "twin", .email = "bob@example.com"};
    assert_int_equal(core_rig_admin(&r, &twin), 0);
    uint64_t id = add(bob, 1, "router", LAN);
    assert_false(is_approved(id));
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_DELETE, .id = ((const struct record *)twin.record)->id});
    core_admin_release(&twin);
    assert_true(is_approved(id));
}

static void names_and_roles_reach_filters_and_ssh(void **state)
{
    (void)state;
    uint64_t a = add(alice, 1, "a", NULL), b = add(bob, 2, "b", NULL);
    set_policy("{\"acls\":[{\"action\":\"accept\",\"src\":[\"carol@\"],\"dst\":[\"alice@:22\"]},"
               "{\"action\":\"accept\",\"src\":[\"autogroup:admin\"],\"dst\":[\"bob@:80\"]}],"
               "\"ssh\":[{\"action\":\"accept\",\"src\":[\"carol@\"],\"dst\":[\"carol@\"],\"users\":[\"root\"]}]}");
    assert_false(mentions(a, false, "\"First\":22"));
    assert_true(mentions(b, false, "\"First\":80")); /* the first user owns the tailnet */
    assert_false(mentions(b, true, "root"));
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = bob, .name = "carol"});
    assert_true(mentions(a, false, "\"First\":22"));
    assert_false(mentions(b, false, "\"First\":80"));
    assert_true(mentions(b, true, "root"));
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = bob, .name = "bob"});
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_USER_ROLE, .id = alice, .role = ROLE_MEMBER, .has_role = true});
    assert_false(mentions(a, false, "\"First\":22"));
    assert_false(mentions(b, false, "\"First\":80"));
    assert_false(mentions(b, true, "root"));
}

/* ---- compiled aside ---- */

/* A policy of that many rules for alice, the caller's. */
static char *long_policy(unsigned rules)
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "{\"acls\":[");
    for (unsigned i = 0; i < rules; i++)
        buf_addf(&b, "%s{\"action\":\"accept\",\"src\":[\"alice@\"],\"dst\":[\"10.%u.%u.0/24:%u\"]}", i ? "," : "",
                 i / 256 % 256, i % 256, 1 + i);
    buf_adds(&b, "]}");
    return buf_take(&b);
}

struct order {
    sem_t done;
    pthread_mutex_t lock;
    const struct core_call *first;
};

static void note_done(struct core_call *call)
{
    struct order *o = call->owner;

    pthread_mutex_lock(&o->lock);
    if (!o->first)
        o->first = call;
    pthread_mutex_unlock(&o->lock);
    sem_post(&o->done);
}

static void others_are_answered_meanwhile(void **state)
{
    struct order o = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char *text = long_policy(16000);
    struct core_admin policy = {.op = ADMIN_POLICY_SET, .actor = "tester", .text = text};
    struct core_admin other = {.op = ADMIN_USER_RENAME, .actor = "tester", .id = bob, .name = "dave", .dry_run = true};

    (void)state;
    sem_init(&o.done, 0, 0);
    policy.call.done = other.call.done = note_done;
    policy.call.owner = other.call.owner = &o;
    core_admin(r.core, &policy);
    core_admin(r.core, &other);
    sem_wait(&o.done);
    sem_wait(&o.done);
    assert_int_equal(policy.call.code, 0);
    assert_int_equal(other.call.code, 0);
    assert_ptr_equal(o.first, &other.call);
    core_admin_release(&policy);
    core_admin_release(&other);
    sem_destroy(&o.done);
    pthread_mutex_destroy(&o.lock);
    free(text);
}

static void *set_many(void *unused)
{
    static const char *const texts[] = {
        "{\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@\"],\"dst\":[\"*:22\"]}],"
        "\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"alice@\"]}}}",
        "{\"acls\":[{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:self:*\",\"bob@:80\"]}]"
        "}",
        "", "{\"grants\":[{\"src\":[\"bob@\"],\"dst\":[\"10.0.0.0/8\"],\"ip\":[\"443\"]}]}"};

    (void)unused;
    for (int i = 0; i < 40; i++) {
        struct core_admin a = {.op = ADMIN_POLICY_SET, .text = texts[i % 4], .actor = "setter"};
        if (core_rig_change(r.core, &a) < 0)
            return (void *)(uintptr_t)a.actor;
        core_admin_release(&a);
    }
    return NULL;
}

/* The view in force is what a view made anew would be. */
static void assert_view_is_true(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    struct tailnet_policy_input w = {0};
    struct policy *p = NULL;
    struct policy_problems problems = {0};

    assert_int_equal(policy_parse(s->policy->text, strlen(s->policy->text), &p, &problems), 0);
    tailnet_policy_input_init(&w, s, &r.config->prefixes.v4, &r.config->prefixes.v6);
    struct policy_view *anew = policy_view_new(p, &w.tailnet, NULL);
    const struct policy_view *v = tailnet_policy_read(r.tailnet);
    for (size_t i = 0; i < w.tailnet.node_count; i++) {
        struct buf x = BUF_INIT(0), y = BUF_INIT(0);
        policy_filter(v, w.nodes[i].slot, &x);
        policy_filter(anew, w.nodes[i].slot, &y);
        assert_string_equal(buf_text(&x), buf_text(&y));
        buf_release(&x);
        buf_release(&y);
        for (size_t k = 0; k < w.tailnet.node_count; k++)
            assert_int_equal(policy_sees(v, w.nodes[i].slot, w.nodes[k].slot),
                             policy_sees(anew, w.nodes[i].slot, w.nodes[k].slot));
    }
    tailnet_policy_done(r.tailnet);
    policy_view_free(anew);
    policy_unref(p);
    tailnet_policy_input_release(&w);
    tailnet_unpin(s);
}

/* Nodes come, go and change, and users do, while one policy after another is set. */
static void what_changes_meanwhile_is_in_the_result(void **state)
{
    pthread_t thread;
    void *trouble = NULL;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, set_many, NULL), 0);
    for (unsigned i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        uint64_t id = add(i % 2 ? alice : bob, (uint8_t)(i + 1), name, i % 3 ? NULL : LAN);
        if (i % 5 == 1)
            core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = id});
        else if (i % 3 == 0)
            core_rig_approve(&r, id, LAN, false);
        snprintf(name, sizeof(name), "bob%u", i);
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = bob, .name = i % 2 ? "bob" : name});
    }
    pthread_join(thread, &trouble);
    assert_null(trouble);
    set_policy("{\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@\"],\"dst\":[\"*:22\"]}]}");
    assert_view_is_true();
    core_rig_stop(&r);
    core_rig_start(&r);
    assert_view_is_true();
}

static void a_conflict_is_seen_at_the_end_too(void **state)
{
    struct order o = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct core_admin calls[2];

    (void)state;
    set_policy("{}");
    sem_init(&o.done, 0, 0);
    for (int i = 0; i < 2; i++) {
        calls[i] = (struct core_admin){.op = ADMIN_POLICY_SET,
                                       .actor = "tester",
                                       .has_match = true,
                                       .match = 1,
                                       .text = i ? "{\"acls\":[]}" : "{\"grants\":[]}"};
        calls[i].call.done = note_done;
        calls[i].call.owner = &o;
        core_admin(r.core, &calls[i]);
    }
    sem_wait(&o.done);
    sem_wait(&o.done);
    assert_int_equal(calls[0].call.code, 0);
    assert_int_equal(calls[1].call.code, ERR_PRECONDITION);
    core_admin_release(&calls[0]);
    core_admin_release(&calls[1]);
    sem_destroy(&o.done);
    pthread_mutex_destroy(&o.lock);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_name_approves),
        CASE(a_name_that_is_no_longer_doubtful_approves),
        CASE(names_and_roles_reach_filters_and_ssh),
        CASE(others_are_answered_meanwhile),
        CASE(what_changes_meanwhile_is_in_the_result),
        CASE(a_conflict_is_seen_at_the_end_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
