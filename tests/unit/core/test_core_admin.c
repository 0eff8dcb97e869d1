/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes by administrators and routers, and the state after the store refuses one. */
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

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
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

static uint64_t version_of(uint64_t id, char name[64])
{
    const struct tailnet_snapshot *s;
    const struct tailnet_node *n = core_rig_look(&r, id, &s);
    uint64_t version = n->record->r.version;

    str_copy(name, 64, n->record->given_name);
    tailnet_unpin(s);
    return version;
}

static void a_dry_run_changes_nothing(void **state)
{
    char name[64];
    uint64_t id = core_rig_add(&r, 1, "a", NULL), version = version_of(id, name);
    struct core_admin a = {.op = ADMIN_NODE_RENAME, .id = id, .name = "b", .dry_run = true};

    (void)state;
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_string_equal(((const struct node *)a.record)->given_name, "b");
    assert_int_equal(a.events.len, 1);
    assert_int_equal(a.events.items[0]->r.id, 0);
    core_admin_release(&a);
    assert_int_equal(version_of(id, name), version);
    assert_string_equal(name, "a");
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_USER_DELETE, .id = core_rig_user(&r, "bob"), .dry_run = true});
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = id, .dry_run = true});
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = "{\"acls\":[]}", .dry_run = true});
    core_rig_approve(&r, id, LAN, false);
    assert_true(version_of(id, name) > version);
}

static void a_change_names_its_version_and_its_inverse(void **state)
{
    char name[64], want[160];
    uint64_t id = core_rig_add(&r, 1, "a", NULL), version = version_of(id, name);
    struct core_admin a = {.op = ADMIN_NODE_RENAME, .id = id, .name = "b", .has_match = true, .match = version + 7};

    (void)state;
    assert_int_equal(core_rig_admin(&r, &a), ERR_PRECONDITION);
    core_admin_release(&a);
    a = (struct core_admin){.op = ADMIN_NODE_RENAME, .id = id, .name = "b", .has_match = true, .match = version};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(a.version, version + 1);
    assert_int_equal(version_of(id, name), version + 1);
    assert_string_equal(name, "b");
    snprintf(want, sizeof(want), "{\"operation\":\"node.rename\",\"id\":\"%llu\",\"name\":\"a\"}",
             (unsigned long long)id);
    assert_string_equal(a.inverse, want);
    const struct event *event = a.events.items[0];
    assert_string_equal(event->inverse, want);
    struct core_admin back = {.op = ADMIN_NODE_RENAME, .id = id, .name = "a"};
    vec_push(&back.undoes, record_ref(event));
    assert_int_equal(core_rig_admin(&r, &back), 0);
    struct event **events = NULL;
    size_t count = 0;
    bool gone;
    struct err e;
    assert_int_equal(store_events(r.store.store, event->run, 0, event->r.id + 1, 1, &events, &count, &gone, &e), 0);
    assert_int_equal(count, 1);
    assert_int_equal(events[0]->undone_by, back.events.items[0]->r.id);
    record_unref(events[0]);
    free(events);
    core_admin_release(&back);
    core_admin_release(&a);
    struct core_admin owner = {.op = ADMIN_USER_DELETE, .id = r.alice};
    assert_int_equal(core_rig_admin(&r, &owner), ERR_CONFLICT);
    core_admin_release(&owner);
}

/* ---- the policy ---- */

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

static bool has_approved(uint64_t id)
{
    const struct tailnet_snapshot *s;
    struct prefix p = sample_prefix(LAN);
    bool has = prefixes_has(&core_rig_look(&r, id, &s)->record->approved, &p);

    tailnet_unpin(s);
    return has;
}

static bool sees(uint64_t from, uint64_t to)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint32_t a = snapshot_node_by_id(s, from)->slot, b = snapshot_node_by_id(s, to)->slot;
    const struct policy_view *v = tailnet_policy_read(r.tailnet);
    bool yes = !v || policy_sees(v, a, b);

    tailnet_policy_done(r.tailnet);
    tailnet_unpin(s);
    return yes;
}

/* Each that was deleted is a delivery that a receiver can hold up. */
static void webhooks_that_were_deleted_leave_before_more_come(void **state)
{
    struct core_webhook told = {.gone = true};
    size_t made = 0;
    int code = 0;

    (void)state;
    while (code == 0 && made < 1000) {
        struct core_admin a = {.op = ADMIN_WEBHOOK_CREATE, .url = "https://x.example/"};
        strs_push(&a.scopes, "nodeCreated");
        code = core_rig_admin(&r, &a);
        if (code == 0) {
            told.id = ((const struct webhook *)a.record)->r.id;
            core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_WEBHOOK_DELETE, .id = told.id});
            made++;
        }
        strs_release(&a.scopes);
        core_admin_release(&a);
    }
    assert_int_equal(code, ERR_BUSY);
    assert_true(made >= 10 && made <= 100);
    core_webhook_progress(r.core, &told);
    struct core_admin a = {.op = ADMIN_WEBHOOK_CREATE, .url = "https://x.example/"};
    strs_push(&a.scopes, "nodeCreated");
    assert_int_equal(core_rig_admin(&r, &a), 0);
    strs_release(&a.scopes);
    core_admin_release(&a);
}

static void set_policy(const char *text)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = text});
}

static void a_policy_with_errors_is_refused_with_its_places(void **state)
{
    struct core_admin a = {.op = ADMIN_POLICY_SET, .text = "{\n  \"acls\": [],\n  \"wrong\": 1\n}"};

    (void)state;
    set_policy("{\"acls\":[]}");
    assert_int_equal(core_rig_admin(&r, &a), ERR_INVALID);
    assert_int_equal(a.problems.len, 1);
    assert_int_equal(a.problems.items[0].line, 3);
    assert_int_equal(a.events.len, 0);
    core_admin_release(&a);
    a = (struct core_admin){.op = ADMIN_POLICY_SET,
                            .text = "{\"acls\":[],\"tests\":[{\"src\":\"alice@\",\"accept\":[\"100.64.0.9:22\"]}]}"};
    assert_int_equal(core_rig_admin(&r, &a), ERR_INVALID);
    assert_non_null(strstr(a.call.err.message, "test"));
    core_admin_release(&a);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_string_equal(s->policy->text, "{\"acls\":[]}");
    tailnet_unpin(s);
    a = (struct core_admin){.op = ADMIN_POLICY_SET, .text = "{}", .has_match = true, .match = 9};
    assert_int_equal(core_rig_admin(&r, &a), ERR_PRECONDITION);
    core_admin_release(&a);
    a = (struct core_admin){.op = ADMIN_POLICY_SET, .text = "", .has_match = true, .match = 1};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_string_equal(a.inverse, "{\"operation\":\"policy.set\",\"policy\":\"{\\\"acls\\\":[]}\"}");
    core_admin_release(&a);
}

static void a_policy_decides_at_once_and_for_those_that_are_there(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "a", LAN), two = core_rig_add(&r, 2, "b", NULL), bob = core_rig_user(&r, "bob");

    (void)state;
    assert_true(sees(one, two));
    set_policy("{\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@\"],\"dst\":[\"*:*\"]}]}");
    assert_false(sees(one, two));
    assert_false(has_approved(one));
    set_policy("{\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"alice@\"]}},"
               "\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@\"],\"dst\":[\"*:*\"]}]}");
    assert_true(sees(one, two));
    assert_true(has_approved(one));
    core_rig_approve(&r, one, LAN, true);
    struct join j = core_rig_device(&r, 1, "a", LAN);
    core_rig_online(&r, &j);
    assert_false(has_approved(one)); /* what was taken away stays away */
    set_policy("{\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"alice@\"]}}, "
               "\"acls\":[{\"action\":\"accept\",\"src\":[\"carol@\"],\"dst\":[\"*:*\"]}]}");
    assert_false(has_approved(one));
    assert_false(sees(one, two));
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = r.alice, .name = "carol"});
    assert_true(sees(one, two)); /* users are part of what a policy means */
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_DELETE, .id = bob});
    set_policy("");
    assert_true(sees(one, two));
}

static void tags_that_nobody_owns_are_refused(void **state)
{
    uint64_t id = core_rig_add(&r, 1, "a", LAN);
    struct core_admin a = {.op = ADMIN_NODE_TAGS, .id = id};

    (void)state;
    set_policy("{\"tagOwners\":{\"tag:r\":[\"alice@\"]},\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"tag:r\"]}}}");
    strs_push(&a.tags, "tag:x");
    assert_int_equal(core_rig_admin(&r, &a), ERR_INVALID);
    core_admin_release(&a);
    assert_false(has_approved(id));
    a = (struct core_admin){.op = ADMIN_NODE_TAGS, .id = id};
    strs_push(&a.tags, "tag:r");
    core_rig_admin_ok(&r, a);
    assert_true(has_approved(id)); /* the tag brought the approval */
}

static void ssh_is_asked_for_where_a_check_rule_says_so(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "a", NULL), two = core_rig_add(&r, 2, "b", NULL);
    struct core_ssh q = {.source_id = one, .target_id = two, .user = "root"};

    (void)state;
    assert_int_equal(core_rig_ssh(r.core, &q), ERR_DENIED);
    set_policy(
        "{\"ssh\":[{\"action\":\"check\",\"checkPeriod\":\"1h\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],"
        "\"users\":[\"root\"]}]}");
    q = (struct core_ssh){.source_id = one, .target_id = two, .user = "root"};
    assert_int_equal(core_rig_ssh(r.core, &q), 0);
    assert_true(q.undecided);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_AUTH_APPROVE, .text = q.new_auth_id});
    struct core_ssh again = {.source_id = one, .target_id = two, .user = "root"};
    assert_int_equal(core_rig_ssh(r.core, &again), 0);
    assert_true(again.accepted); /* for an hour */
    set_policy(
        "{\"ssh\":[{\"action\":\"check\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],\"users\":[\"root\"]}]}");
    again = (struct core_ssh){.source_id = one, .target_id = two, .user = "root"};
    assert_int_equal(core_rig_ssh(r.core, &again), 0);
    assert_true(again.undecided); /* another policy knows nothing of it */
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_AUTH_APPROVE, .text = again.new_auth_id});
    q = (struct core_ssh){.source_id = one, .target_id = two, .user = "bob", .auth_id = again.new_auth_id};
    assert_true(core_rig_ssh(r.core, &q) < 0); /* it was for root */
    q = (struct core_ssh){.source_id = one, .target_id = two, .user = "root", .auth_id = again.new_auth_id};
    assert_int_equal(core_rig_ssh(r.core, &q), 0);
    assert_true(q.accepted);
    set_policy("{}");
    q = (struct core_ssh){.source_id = one, .target_id = two, .user = "root", .auth_id = again.new_auth_id};
    assert_int_equal(core_rig_ssh(r.core, &q), ERR_DENIED);
}

/* A member that asks again and again fills nothing. */
static void one_question_about_ssh_is_put_once(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "a", NULL), two = core_rig_add(&r, 2, "b", NULL);
    char first[AUTH_ID_LEN + 1] = "", user[16];

    (void)state;
    set_policy("{\"ssh\":[{\"action\":\"check\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],"
               "\"users\":[\"root\",\"autogroup:nonroot\"]}]}");
    for (unsigned i = 0; i < 100; i++) {
        struct core_ssh q = {.source_id = one, .target_id = two, .user = "root"};
        assert_int_equal(core_rig_ssh(r.core, &q), 0);
        assert_true(q.undecided);
        if (!i)
            str_copy(first, sizeof(first), q.new_auth_id);
        assert_string_equal(q.new_auth_id, first);
    }
    unsigned taken = 0;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(user, sizeof(user), "u%u", i);
        struct core_ssh q = {.source_id = one, .target_id = two, .user = user};
        int code = core_rig_ssh(r.core, &q);
        assert_true(code == 0 || code == ERR_BUSY);
        taken += code == 0;
    }
    assert_in_range(taken, 1, 20);
}

/* A member's own machines ask about a machine of others: that takes no place from who comes from its address. */
static void questions_about_ssh_take_no_place_of_registrations(void **state)
{
    struct join source = core_rig_device(&r, 1, "a", NULL), stranger = {.name = "x", .machine = 90, .node = 90};
    uint64_t one = core_rig_add(&r, 1, "a", NULL);
    struct core_register asked;
    unsigned taken = 0;
    char user[16];

    (void)state;
    core_rig_online(&r, &source);
    set_policy("{\"ssh\":[{\"action\":\"check\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],"
               "\"users\":[\"autogroup:nonroot\"]}]}");
    for (uint8_t n = 2; n <= 9; n++) {
        uint64_t target = core_rig_add(&r, n, "b", NULL);
        for (unsigned i = 0; i < 16; i++) {
            snprintf(user, sizeof(user), "u%u", i);
            struct core_ssh q = {.source_id = one, .target_id = target, .user = user};
            taken += core_rig_ssh(r.core, &q) == 0;
        }
    }
    assert_in_range(taken, 64, 128);
    assert_int_equal(core_rig_join(&r, &stranger, &asked), REGISTER_URL);
}

static int begin_with_few_places(void **state)
{
    (void)state;
    core_rig_begin_with_key(&r, "tuning:\n  register_cache_max_entries: 32\n");
    return 0;
}

static void questions_about_ssh_leave_half_of_the_places(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "a", NULL);
    struct core_register asked;
    unsigned taken = 0;
    char user[16];

    (void)state;
    set_policy("{\"ssh\":[{\"action\":\"check\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],"
               "\"users\":[\"autogroup:nonroot\"]}]}");
    for (uint8_t n = 2; n <= 5; n++) {
        uint64_t target = core_rig_add(&r, n, "b", NULL);
        for (unsigned i = 0; i < 16; i++) {
            snprintf(user, sizeof(user), "u%u", i);
            struct core_ssh q = {.source_id = one, .target_id = target, .user = user};
            taken += core_rig_ssh(r.core, &q) == 0;
        }
    }
    assert_int_equal(taken, 16);
    for (uint8_t n = 90; n < 106; n++) {
        struct join stranger = {.name = "x", .machine = n, .node = n};
        assert_int_equal(core_rig_join(&r, &stranger, &asked), REGISTER_URL);
    }
}

static void post_done(struct core_call *call)
{
    sem_post(call->owner);
}

/* Its question stays for whoever asks again. */
static void a_client_that_goes_away_stops_asking(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "a", NULL), two = core_rig_add(&r, 2, "b", NULL);
    struct core_ssh q = {.source_id = one, .target_id = two, .user = "root"};
    sem_t done;

    (void)state;
    set_policy(
        "{\"ssh\":[{\"action\":\"check\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],\"users\":[\"root\"]}]}");
    assert_int_equal(core_rig_ssh(r.core, &q), 0);
    assert_true(q.undecided);
    sem_init(&done, 0, 0);
    struct core_ssh gone = {.source_id = one, .target_id = two, .user = "root", .auth_id = q.new_auth_id};
    gone.call.done = post_done;
    gone.call.owner = &done;
    uint64_t number = core_ssh(r.core, &gone);
    core_cancel(r.core, number);
    sem_wait(&done);
    assert_int_equal(gone.call.code, ERR_GONE);
    core_cancel(r.core, number); /* too late: nothing */

    struct core_ssh other = {.source_id = one, .target_id = two, .user = "root", .auth_id = q.new_auth_id};
    other.call.done = post_done;
    other.call.owner = &done;
    core_ssh(r.core, &other);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_AUTH_APPROVE, .text = q.new_auth_id});
    sem_wait(&done);
    assert_int_equal(other.call.code, 0);
    assert_true(other.accepted);
    sem_destroy(&done);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

struct passing {
    struct work work;
    sem_t passed;
};

static void pass(struct work *work)
{
    sem_post(&CONTAINER_OF(work, struct passing, work)->passed);
}

static void expect_policy(const char *text)
{
    /* Policies are examined one after another: this comes after the file's. */
    struct passing barrier_of_policies = {.work.run = pass};
    struct core_admin barrier = {.op = ADMIN_BACKFILL};

    core_rig_admin_ok(&r, barrier); /* a reload that was asked for before has reached the core */
    sem_init(&barrier_of_policies.passed, 0, 0);
    workers_add(&r.core->state.worker, &barrier_of_policies.work);
    sem_wait(&barrier_of_policies.passed);
    sem_destroy(&barrier_of_policies.passed);
    barrier = (struct core_admin){.op = ADMIN_BACKFILL}; /* answered after what was decided before is durable */
    core_rig_admin_ok(&r, barrier);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_non_null(s->policy);
    assert_string_equal(s->policy->text, text);
    tailnet_unpin(s);
}

/* A file is checked beside the core. */
static void expect_refused(bool refused)
{
    int64_t until = clock_mono_ms() + 30000;
    struct core_counters c;

    do
        core_counters(r.core, &c);
    while (c.policy_refused != refused && clock_mono_ms() < until);
    assert_int_equal(c.policy_refused, refused);
}

static void a_policy_of_a_file_is_followed_while_it_is_one(void **state)
{
    struct err e = {0};
    struct core *core = NULL;

    (void)state;
    core_rig_prepare(&r, "");
    char *path = mem_format("%s/policy.hujson", r.store.folder);
    mem_replace(&r.config->policy.mode, "file");
    mem_replace(&r.config->policy.path, path);
    write_file(path, "{ broken");
    struct tailnet *t = tailnet_new();
    assert_true(core_start(r.config, t, r.store.store, &core, &e) < 0); /* there is none that works */
    assert_non_null(strstr(e.message, path));
    tailnet_free(t);
    write_file(path, "{\"acls\":[]}");
    core_rig_start(&r);
    expect_policy("{\"acls\":[]}");
    write_file(path, "{ broken again");
    core_reload(r.core, r.config);
    expect_policy("{\"acls\":[]}");
    expect_refused(true);
    write_file(path, "{\"acls\": []}\n");
    core_reload(r.core, r.config);
    expect_policy("{\"acls\": []}\n");
    expect_refused(false);
    struct core_admin a = {.op = ADMIN_POLICY_SET, .text = "{}"};
    assert_int_equal(core_rig_admin(&r, &a), ERR_INVALID);
    core_admin_release(&a);
    write_file(path, "{ broken");
    core_rig_stop(&r);
    core_rig_start(&r); /* with the last one that worked */
    expect_policy("{\"acls\": []}\n");
    expect_refused(true);
    free(path);
}

/* ---- settings ---- */

static bool relay_is_strict(const struct tailnet_snapshot *s, void *arg)
{
    const bool *strict = arg;

    return s->settings->strict_relay == *strict;
}

static uint64_t relay_version(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint64_t version = s->settings->derp_version;

    tailnet_unpin(s);
    return version;
}

static void what_old_clients_get_of_the_relay_follows_the_configuration(void **state)
{
    bool strict = true;

    (void)state;
    core_rig_prepare(&r, "derp:\n  server:\n    legacy_clients: false\n");
    core_rig_start(&r);
    core_rig_until(&r, relay_is_strict, &strict);
    uint64_t before = relay_version();
    r.config->derp.server.legacy_clients = true;
    core_reload(r.core, r.config);
    strict = false;
    core_rig_until(&r, relay_is_strict, &strict);
    assert_true(relay_version() > before); /* clients that are connected are told */
    before = relay_version();
    core_reload(r.core, r.config);
    core_rig_user(&r, "alice"); /* behind the reload */
    assert_int_equal(relay_version(), before);
}

/* ---- a store that refuses ---- */

struct heard {
    pthread_mutex_t lock;
    VEC(char *) kinds;
};

static void hear(void *arg, const struct event *e)
{
    struct heard *h = arg;

    pthread_mutex_lock(&h->lock);
    vec_push(&h->kinds, mem_strdup(e->kind));
    pthread_mutex_unlock(&h->lock);
}

static void hear_nothing(void *arg, uint64_t node_id)
{
    (void)arg;
    (void)node_id;
}

static size_t times_heard(const struct heard *h, const char *kind)
{
    size_t count = 0;

    for (size_t i = 0; i < h->kinds.len; i++)
        count += strcmp(h->kinds.items[i], kind) == 0;
    return count;
}

static void what_cannot_be_stored_was_never_true(void **state)
{
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct core_register call;
    struct join j;

    (void)state;
    core_rig_prepare(&r, "");
    fixture_close(&r.store);
    fixture_sql(
        r.store.path,
        "CREATE TRIGGER t1 BEFORE INSERT ON user WHEN NEW.name='refused' BEGIN SELECT RAISE(FAIL,'no'); END;"
        "CREATE TRIGGER t2 BEFORE INSERT ON node WHEN NEW.hostname='refused' BEGIN SELECT RAISE(FAIL,'no'); END;"
        "CREATE TRIGGER t3 BEFORE INSERT ON policy WHEN NEW.text='{}' BEGIN SELECT RAISE(FAIL,'no'); END;");
    core_rig_start(&r);
    r.alice = core_rig_user(&r, "alice");
    r.key = core_rig_key(&r, (struct core_admin){.user_id = r.alice});
    core_listen(r.core, &(struct core_listener){.event = hear, .volatile_change = hear_nothing, .arg = &heard});

    struct core_admin a = {.op = ADMIN_USER_CREATE, .name = "refused"};
    assert_true(core_rig_admin(&r, &a) < 0);
    core_admin_release(&a);
    a = (struct core_admin){.op = ADMIN_POLICY_SET, .text = "{}"};
    assert_true(core_rig_admin(&r, &a) < 0);
    core_admin_release(&a);
    j = core_rig_device(&r, 1, "refused", NULL);
    core_rig_join(&r, &j, &call);
    assert_true(call.call.code < 0);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_int_equal(s->user_count, 1);
    assert_int_equal(s->node_count, 0);
    assert_false(s->preauth_keys[0]->used);
    assert_null(s->policy);
    tailnet_unpin(s);

    j = core_rig_device(&r, 1, "good", NULL); /* the key is not used up, the machine not known */
    uint64_t id = core_rig_node(&r, &j), session = core_rig_online(&r, &j);
    core_rig_user(&r, "bob");
    a = (struct core_admin){.op = ADMIN_REGISTER};
    struct join waits = {.name = "refused", .machine = 2, .node = 2};
    assert_int_equal(core_rig_join(&r, &waits, &call), REGISTER_URL);
    a.text = call.auth_id;
    a.name = "alice";
    assert_true(core_rig_admin(&r, &a) < 0);
    core_admin_release(&a);
    s = tailnet_pin(r.tailnet);
    assert_non_null(snapshot_pending(s, call.auth_id)); /* it can be approved once the disk is well */
    assert_non_null(snapshot_node_by_id(s, id));
    tailnet_unpin(s);
    core_session_end(r.core, session, SESSION_SILENT);
    core_unlisten(r.core, &heard);
    assert_int_equal(times_heard(&heard, "user.created"), 1);
    assert_int_equal(times_heard(&heard, "policy.changed"), 0);
    assert_int_equal(times_heard(&heard, "node.registered"), 1);
    assert_int_equal(times_heard(&heard, "node.online"), 1);
    for (size_t i = 0; i < heard.kinds.len; i++)
        free(heard.kinds.items[i]);
    vec_release(&heard.kinds);
}

static void a_restart_finds_everything(void **state)
{
    uint64_t one = core_rig_add(&r, 1, "r1", LAN);
    struct join j = core_rig_device(&r, 1, "r1", LAN);
    char name[64];

    (void)state;
    core_rig_online(&r, &j);
    core_rig_approve(&r, one, LAN, false);
    set_policy("{\"acls\":[]}");
    core_rig_until(&r, served_by, &one);
    core_rig_stop(&r);
    core_rig_start(&r);
    version_of(one, name);
    assert_string_equal(name, "r1");
    assert_true(has_approved(one));
    assert_int_equal(core_rig_add(&r, 1, "r1", LAN), one);
    uint64_t two = core_rig_add(&r, 2, "b", NULL);
    assert_false(sees(one, two));
    core_rig_online(&r, &j);
    core_rig_until(&r, served_by, &one);
}

static bool has_tokens(const struct tailnet_snapshot *s, void *arg)
{
    return s->oauth_token_count == *(const size_t *)arg;
}

/* Also when none is fetched after it, and over a restart. */
static void an_access_token_goes_when_it_ends(void **state)
{
    struct core_admin made = {.op = ADMIN_OAUTH_CLIENT_CREATE};
    size_t none = 0, one = 1;

    (void)state;
    strs_push(&made.scopes, "all");
    assert_int_equal(core_rig_admin(&r, &made), 0);
    uint64_t client = ((const struct record *)made.record)->id;
    core_admin_release(&made);
    struct core_admin token = {
        .op = ADMIN_OAUTH_TOKEN, .id = client, .time_ns = clock_wall_ns() + 200 * INT64_C(1000000)};
    core_rig_admin_ok(&r, token);
    core_rig_until(&r, has_tokens, &none);
    token.time_ns = clock_wall_ns() + 1500 * INT64_C(1000000);
    core_rig_admin_ok(&r, token);
    core_rig_until(&r, has_tokens, &one);
    core_rig_stop(&r);
    core_rig_start(&r);
    core_rig_until(&r, has_tokens, &none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dry_run_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_change_names_its_version_and_its_inverse, begin, end),
        cmocka_unit_test_setup_teardown(a_policy_with_errors_is_refused_with_its_places, begin, end),
        cmocka_unit_test_setup_teardown(a_policy_decides_at_once_and_for_those_that_are_there, begin, end),
        cmocka_unit_test_setup_teardown(tags_that_nobody_owns_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(webhooks_that_were_deleted_leave_before_more_come, begin, end),
        cmocka_unit_test_setup_teardown(ssh_is_asked_for_where_a_check_rule_says_so, begin, end),
        cmocka_unit_test_setup_teardown(one_question_about_ssh_is_put_once, begin, end),
        cmocka_unit_test_setup_teardown(questions_about_ssh_take_no_place_of_registrations, begin, end),
        cmocka_unit_test_setup_teardown(questions_about_ssh_leave_half_of_the_places, begin_with_few_places, end),
        cmocka_unit_test_setup_teardown(a_client_that_goes_away_stops_asking, begin, end),
        cmocka_unit_test_teardown(a_policy_of_a_file_is_followed_while_it_is_one, end),
        cmocka_unit_test_teardown(what_old_clients_get_of_the_relay_follows_the_configuration, end),
        cmocka_unit_test_teardown(what_cannot_be_stored_was_never_true, end),
        cmocka_unit_test_setup_teardown(a_restart_finds_everything, begin, end),
        cmocka_unit_test_setup_teardown(an_access_token_goes_when_it_ends, begin, end),
    };
    return cmocka_run_group_tests_name("core_admin", tests, NULL, NULL);
}
