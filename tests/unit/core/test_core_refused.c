/* SPDX-License-Identifier: BSD-3-Clause */
/* Several groups are in progress and the store refuses one of them: decisions based on it do not contain what was
 * refused, and nothing else is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/state/queue.h"
#include "core/state/transaction.h"
#include "core/thread.h"
#include "shared/core_rig.h"
#include "store/queue.h"
#include "store/sqlite/sqlite.h"

#define CALLS  16
#define ROUNDS 25
#define NODES  3

static struct core_rig r;
static uint64_t alice, nodes[NODES];
static char *key;

/* The store refuses groups that call a node bad. */
static void begin(const char *extra)
{
    char name[8];

    core_rig_prepare(&r, extra);
    core_rig_start(&r);
    core_rig_stop(&r);
    fixture_sql(r.store.path, "CREATE TRIGGER t BEFORE INSERT ON event WHEN NEW.text LIKE '%is now called bad%' BEGIN "
                              "SELECT RAISE(FAIL,'chosen'); END;");
    core_rig_start(&r);
    alice = core_rig_user(&r, "alice");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    for (size_t i = 0; i < NODES; i++) {
        snprintf(name, sizeof(name), "n%zu", i);
        nodes[i] = core_rig_node(
            &r, &(struct join){.key = key, .name = name, .machine = (uint8_t)(i + 1), .node = (uint8_t)(i + 1)});
    }
}

static int end(void **state)
{
    (void)state;
    free(key);
    key = NULL;
    core_rig_end(&r);
    return 0;
}

/* Nothing is committed between these two: each turn's group waits. */
static void hold(void)
{
    pthread_mutex_lock(&((struct sqlite_engine *)r.store.store->engine)->writer_lock);
}

static void let_go(void)
{
    pthread_mutex_unlock(&((struct sqlite_engine *)r.store.store->engine)->writer_lock);
}

struct count {
    struct core_call call;
    size_t policies;
};

static void run_count(struct core_state *s, struct core_call *call)
{
    ((struct count *)call)->policies = s->jobs;
    tx_answer_soon(s, call, 0);
}

/* What was sent before belongs to another turn, and thus to another group, than what is sent after. Returns how many
 * policies are being examined. */
static size_t end_turn(void)
{
    struct count count = {0};
    struct core_rig_answer a;

    core_rig_expect(&a, &count.call);
    queue_post(&r.core->state.queue, &count.call, run_count);
    core_rig_await(&a, &count.call);
    return count.policies;
}

static uint64_t random_state;

static size_t below(size_t count)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % count);
}

struct random_call {
    struct core_admin admin;
    struct core_rig_answer answer;
    char name[16];
    bool bad;
};

static int64_t far_away(size_t i)
{
    return (INT64_C(4000000000) + (int64_t)i) * NS_PER_SECOND;
}

/* A renaming, refused or not, or an expiry: two fields of one record. */
static void choose(struct random_call *c, size_t i)
{
    static const char *const kinds[] = {"good", "good", "bad"};
    size_t kind = below(5);

    *c = (struct random_call){.admin = {.actor = "tester", .id = nodes[below(NODES)]}};
    if (kind < 3) {
        c->bad = kind == 2;
        snprintf(c->name, sizeof(c->name), "%s%zu", kinds[kind], i);
        c->admin.op = ADMIN_NODE_RENAME;
        c->admin.name = c->name;
    } else {
        c->admin.op = ADMIN_NODE_EXPIRE;
        c->admin.time_ns = far_away(i);
    }
}

static void send_all(struct random_call *calls)
{
    static size_t number;

    for (size_t i = 0; i < CALLS; i++) {
        choose(&calls[i], number++);
        core_rig_expect(&calls[i].answer, &calls[i].admin.call);
        core_admin(r.core, &calls[i].admin);
        if (below(2))
            end_turn();
    }
}

static void await_all(struct random_call *calls)
{
    for (size_t i = 0; i < CALLS; i++) {
        int code = core_rig_await(&calls[i].answer, &calls[i].admin.call);
        if (calls[i].bad != (code < 0))
            fail_msg("call %zu, %s: %s", i, calls[i].name, calls[i].admin.call.err.message);
        assert_int_equal(calls[i].admin.events.len, code < 0 ? 0 : 1);
    }
}

static void check_node(const struct random_call *calls, const struct node *before, const struct node *after)
{
    bool name = str_eq(before->given_name, after->given_name), expiry = before->expiry_ns == after->expiry_ns;

    for (size_t i = 0; i < CALLS; i++) {
        const struct core_admin *a = &calls[i].admin;
        if (a->id != after->r.id || calls[i].bad)
            continue;
        name = name || (a->op == ADMIN_NODE_RENAME && str_eq(a->name, after->given_name));
        expiry = expiry || (a->op == ADMIN_NODE_EXPIRE && a->time_ns == after->expiry_ns);
    }
    if (!name || !expiry)
        fail_msg("node %llu: %s, %lld", (unsigned long long)after->r.id, after->given_name,
                 (long long)after->expiry_ns);
}

static size_t entries_of(const char *kind)
{
    struct event **events = NULL;
    size_t count = 0, found = 0;

    assert_int_equal(store_events(r.store.store, 0, 0, 0, 10000, &events, &count, NULL, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        found += str_eq(events[i]->kind, kind);
        record_unref(events[i]);
    }
    free(events);
    return found;
}

static void no_later_group_carries_what_was_refused(void **state)
{
    struct random_call calls[CALLS];
    struct store_image image;
    const struct tailnet_snapshot *before, *after;

    (void)state;
    begin("");
    const char *seed = getenv("SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)clock_wall_ns() | 1;
    print_message("SEED=%llu\n", (unsigned long long)random_state);
    for (size_t round = 0; round < ROUNDS; round++) {
        before = tailnet_pin(r.tailnet);
        hold();
        send_all(calls);
        let_go();
        await_all(calls);
        after = tailnet_pin(r.tailnet);
        fixture_load(r.store.store, &image);
        assert_int_equal(image.node_count, NODES);
        for (size_t i = 0; i < NODES; i++) {
            const struct node *published = snapshot_node_by_id(after, nodes[i])->record;
            check_node(calls, snapshot_node_by_id(before, nodes[i])->record, published);
            assert_string_equal(image.nodes[i]->given_name, published->given_name);
            assert_true(image.nodes[i]->expiry_ns == published->expiry_ns);
        }
        store_image_release(&image);
        tailnet_unpin(before);
        tailnet_unpin(after);
        for (size_t i = 0; i < CALLS; i++)
            core_admin_release(&calls[i].admin);
    }
}

/* A bad renaming is refused; what is sent between these two stands in later groups. */
static struct core_admin bad;
static struct core_rig_answer bad_answer;

static void send_bad(void)
{
    hold();
    bad = (struct core_admin){.op = ADMIN_NODE_RENAME, .actor = "tester", .id = nodes[0], .name = "bad"};
    core_rig_expect(&bad_answer, &bad.call);
    core_admin(r.core, &bad);
    end_turn();
}

static void await_bad(void)
{
    let_go();
    assert_true(core_rig_await(&bad_answer, &bad.call) < 0);
    core_admin_release(&bad);
}

/* Nodes come online and prefixes get a router whatever the store refuses: the journal and the next start know it. */
static void what_happened_is_written_all_the_same(void **state)
{
    struct join j = {.name = "n1", .machine = 2, .node = 2, .route = "10.1.0.0/16"};

    (void)state;
    begin("");
    core_session_end(r.core, core_rig_online(&r, &j), SESSION_SILENT);
    core_rig_approve(&r, nodes[1], "10.1.0.0/16", false);
    size_t online = entries_of("node.online"), served = entries_of("route.served");
    send_bad();
    (void)core_rig_online(&r, &j); /* read only, so nothing of it waits for the disk */
    end_turn();
    await_bad();
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_RENAME, .id = nodes[0], .name = "last"});
    core_rig_stop(&r); /* all that is under way is written */
    struct store_image image;
    fixture_open(&r.store);
    fixture_load(r.store.store, &image);
    assert_int_equal(image.primary_count, 1);
    assert_int_equal(image.primaries[0]->r.id, nodes[1]);
    store_image_release(&image);
    core_rig_start(&r);
    assert_int_equal(entries_of("node.online"), online + 1);
    assert_int_equal(entries_of("route.served"), served + 1);
}

/* Who asked was told that it is rejected: the administrator is not told that there was nothing to reject. */
static void a_rejection_stands(void **state)
{
    struct core_register call;
    struct core_admin reject = {.op = ADMIN_AUTH_REJECT, .actor = "tester"};
    struct core_rig_answer a;

    (void)state;
    begin("");
    assert_int_equal(core_rig_join(&r, &(struct join){.name = "x", .machine = 9, .node = 9}, &call), REGISTER_URL);
    reject.text = call.auth_id;
    send_bad();
    core_rig_expect(&a, &reject.call);
    core_admin(r.core, &reject);
    end_turn();
    await_bad();
    if (core_rig_await(&a, &reject.call) < 0)
        fail_msg("%s", reject.call.err.message);
    core_admin_release(&reject);
    assert_int_equal(entries_of("registration.rejected"), 1);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static bool has_policy(const struct tailnet_snapshot *s, void *arg)
{
    return s->policy && str_eq(s->policy->text, arg);
}

static void the_policy_of_a_file_comes_all_the_same(void **state)
{
    char folder[] = "/tmp/core_refused.XXXXXX", path[64], extra[160];
    char first[] = "{\"acls\": []}", second[] = "{\"acls\": [], \"groups\": {}}";

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/policy.json", folder);
    write_file(path, first);
    snprintf(extra, sizeof(extra), "policy:\n  mode: file\n  path: %s\n", path);
    begin(extra);
    core_rig_until(&r, has_policy, first);
    send_bad();
    write_file(path, second);
    core_reload(r.core, r.config);
    while (end_turn() > 0)
        ;
    await_bad();
    core_rig_until(&r, has_policy, second);
    fixture_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_happened_is_written_all_the_same, end),
        cmocka_unit_test_teardown(a_rejection_stands, end),
        cmocka_unit_test_teardown(the_policy_of_a_file_comes_all_the_same, end),
        cmocka_unit_test_teardown(no_later_group_carries_what_was_refused, end),
    };
    return cmocka_run_group_tests_name("core_refused", tests, NULL, NULL);
}
