/* SPDX-License-Identifier: BSD-3-Clause */
/* The effect of a login on a machine's node, for each combination of the node's owner, the user who logs in and the
 * method: it takes effect, or is refused with a reason and uses nothing up. The table is the one of headwayd(8),
 * LOGINS. */
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
#include "shared/core_rig.h"

#define POLICY "{\"tagOwners\":{\"tag:a\":[\"alice@\"],\"tag:b\":[\"alice@\"],\"tag:c\":[]}}"

static struct core_rig r;
static uint64_t alice, bob;

static int begin(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "");
    bob = core_rig_user(&r, "bob");
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = POLICY});
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

/* Owners are written "alice", "bob", "tag:a" or "tag:a,tag:b"; "" is nobody. */
static void set_tags(struct core_admin *a, const char *owner)
{
    char *copy = mem_strdup(owner), *rest = copy;

    for (char *tag; (tag = strsep(&rest, ","));)
        strs_push(&a->tags, tag);
    free(copy);
}

static uint64_t user_of(const char *owner)
{
    return strcmp(owner, "alice") == 0 ? alice : strcmp(owner, "bob") == 0 ? bob : 0;
}

/* A one-shot key of the owner; creator: of a tagged key. */
static char *key_of(const char *owner, const char *creator, uint64_t *id)
{
    struct core_admin a = {.op = ADMIN_PREAUTHKEY_CREATE, .user_id = user_of(owner)};

    if (!a.user_id) {
        set_tags(&a, owner);
        a.user_id = creator ? user_of(creator) : 0;
    }
    assert_int_equal(core_rig_admin(&r, &a), 0);
    *id = ((const struct record *)a.record)->id;
    char *text = a.secret;
    a.secret = NULL;
    core_admin_release(&a);
    return text;
}

static bool is_used(uint64_t key_id)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    bool used = false;

    for (size_t i = 0; i < s->preauth_key_count; i++)
        used = used || (s->preauth_keys[i]->r.id == key_id && s->preauth_keys[i]->used);
    tailnet_unpin(s);
    return used;
}

static void owner_of(const struct node *n, char out[64])
{
    size_t at = 0;

    snprintf(out, 64, "%s", n->user_id == alice ? "alice" : n->user_id == bob ? "bob" : "");
    for (size_t i = 0; i < n->tags.len; i++)
        at += (size_t)snprintf(out + at, 64 - at, "%s%s", i ? "," : "", n->tags.items[i]);
}

/* The owners of the machine's nodes in the order of their ids, "alice|tag:a". */
static void owners_of_machine(uint8_t machine, char out[160])
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    size_t at = 0;
    uint8_t key[KEY_LEN];

    memset(key, machine, KEY_LEN);
    out[0] = '\0';
    for (uint64_t id = 1; id < 200; id++) {
        const struct tailnet_node *n = snapshot_node_by_id(s, id);
        char owner[64];
        if (!n || memcmp(n->record->machine_key, key, KEY_LEN) != 0)
            continue;
        owner_of(n->record, owner);
        at += (size_t)snprintf(out + at, 160 - at, "%s%s", at ? "|" : "", owner);
    }
    tailnet_unpin(s);
}

enum way {
    KEY,     /* a pre-auth key, and a node key that is new */
    RUNNING, /* a pre-auth key, and the node key of the node that runs: tailscale up --auth-key */
    PERSON,  /* approved for a user, and a node key that is new */
    TAGS,    /* no key, the node key of the node that runs: tailscale up --advertise-tags; approved for a user */
};

static const struct row {
    const char *node; /* who owns the machine's node; "": it has none */
    enum way way;
    const char *by;      /* whose key, or the person */
    const char *asks;    /* RequestTags, one; NULL: none */
    const char *then;    /* owners of the machine's nodes; NULL: refused, and nothing changed */
    const char *creator; /* of a tagged key; NULL: none */
} rows[] = {
    {"", KEY, "alice", NULL, "alice", NULL},
    {"", KEY, "alice", "tag:a", "tag:a", NULL},
    {"", KEY, "bob", "tag:a", NULL, NULL},
    {"", KEY, "alice", "tag:c", NULL, NULL},
    {"", KEY, "tag:a", NULL, "tag:a", NULL},
    {"", KEY, "tag:a,tag:b", "tag:b", "tag:b", NULL},
    {"", KEY, "tag:a", "tag:b", NULL, NULL},
    {"", PERSON, "alice", NULL, "alice", NULL},
    {"", PERSON, "alice", "tag:a", "tag:a", NULL},
    {"", PERSON, "bob", "tag:a", NULL, NULL},

    {"alice", KEY, "alice", NULL, "alice", NULL},
    {"alice", KEY, "alice", "tag:a", "tag:a", NULL},
    {"alice", KEY, "alice", "tag:c", NULL, NULL},
    {"alice", KEY, "bob", NULL, "alice|bob", NULL},
    {"alice", KEY, "bob", "tag:a", NULL, NULL},
    {"alice", KEY, "tag:a", NULL, "tag:a", NULL},
    {"alice", KEY, "tag:a", NULL, "tag:a", "bob"},
    {"alice", KEY, "tag:a,tag:b", "tag:b", "tag:b", NULL},
    {"alice", KEY, "tag:a", "tag:b", NULL, NULL},
    {"alice", RUNNING, "alice", "tag:a", "tag:a", NULL},
    {"alice", RUNNING, "alice", "tag:c", NULL, NULL},
    {"alice", RUNNING, "tag:a", NULL, "tag:a", NULL},
    {"alice", RUNNING, "bob", NULL, "alice|bob", NULL},
    {"alice", PERSON, "alice", NULL, "alice", NULL},
    {"alice", PERSON, "alice", "tag:a", "tag:a", NULL},
    {"alice", PERSON, "bob", NULL, "alice|bob", NULL},
    {"alice", PERSON, "bob", "tag:a", NULL, NULL},
    {"alice", TAGS, "alice", "tag:a", "tag:a", NULL},
    {"alice", TAGS, "bob", "tag:a", NULL, NULL},
    {"alice", TAGS, "alice", "tag:c", NULL, NULL},

    {"tag:a", KEY, "alice", NULL, "alice", NULL},
    {"tag:a", KEY, "alice", "tag:b", "tag:b", NULL},
    {"tag:a", KEY, "alice", "tag:a", "tag:a", NULL},
    {"tag:a", KEY, "bob", NULL, "bob", NULL},
    {"tag:a", KEY, "bob", "tag:a", NULL, NULL},
    {"tag:a", KEY, "tag:a", NULL, "tag:a", NULL},
    {"tag:a", KEY, "tag:b", NULL, "tag:b", NULL},
    {"tag:a", KEY, "tag:b", NULL, "tag:b", "alice"},
    {"tag:a", KEY, "tag:a,tag:b", "tag:b", "tag:b", NULL},
    {"tag:a", KEY, "tag:b", "tag:a", NULL, NULL},
    {"tag:a", RUNNING, "tag:b", NULL, "tag:b", NULL},
    {"tag:a", RUNNING, "alice", NULL, "alice", NULL},
    {"tag:a", RUNNING, "alice", "tag:b", "tag:b", NULL},
    {"tag:a", PERSON, "alice", NULL, "alice", NULL},
    {"tag:a", PERSON, "alice", "tag:b", "tag:b", NULL},
    {"tag:a", PERSON, "bob", "tag:b", NULL, NULL},
    {"tag:a", TAGS, "alice", "tag:b", "tag:b", NULL},
    {"tag:a", TAGS, "bob", "tag:b", NULL, NULL},
};

static void log_in_by_key(const struct row *row, const struct join *j, uint8_t machine)
{
    struct core_register call;
    struct join again = *j;
    char owners[160];
    uint64_t key_id;
    char *key = key_of(row->by, row->creator, &key_id);

    again.key = key;
    enum register_result result = core_rig_join(&r, &again, &call);
    if (result == REGISTER_EXPIRED) { /* the official client makes a new node key and comes again */
        again.node = (uint8_t)(machine + 128);
        result = core_rig_join(&r, &again, &call);
    }
    owners_of_machine(machine, owners);
    if (!row->then) {
        assert_int_equal(result, REGISTER_REFUSED);
        assert_true(*call.call.err.message != '\0');
        assert_false(is_used(key_id));
        assert_string_equal(owners, row->node);
    } else {
        if (result != REGISTER_DONE)
            fail_msg("refused: %s", call.call.err.message);
        assert_string_equal(owners, row->then);
        assert_true(is_used(key_id));
    }
    free(key);
}

static void log_in_by_person(const struct row *row, const struct join *j, uint8_t machine)
{
    struct core_register asked, after;
    char owners[160];

    assert_int_equal(core_rig_join(&r, j, &asked), REGISTER_URL);
    struct core_admin a = {.op = ADMIN_REGISTER, .text = asked.auth_id, .name = row->by};
    int code = core_rig_admin(&r, &a);
    struct join follow = *j;
    follow.followup = asked.auth_id;
    owners_of_machine(machine, owners);
    if (!row->then) {
        assert_true(code < 0);
        assert_non_null(strstr(a.call.err.message, "not permitted"));
        assert_string_equal(owners, row->node);
    } else {
        if (code < 0)
            fail_msg("refused: %s", a.call.err.message);
        assert_string_equal(owners, row->then);
        assert_int_equal(core_rig_join(&r, &follow, &after), REGISTER_DONE);
        assert_int_equal(core_rig_join(&r, j, &after), REGISTER_DONE); /* its daemon restarts */
    }
    core_admin_release(&a);
}

static void each_login_takes_effect_or_uses_nothing_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *row = &rows[i];
        uint8_t machine = (uint8_t)(i + 1);
        struct join j = {.name = "host", .machine = machine, .node = (uint8_t)(i + 1)};
        uint64_t key_id;
        if (*row->node) {
            char *key = key_of(row->node, NULL, &key_id);
            core_rig_node(&r, &(struct join){.key = key, .name = "host", .machine = machine, .node = machine});
            free(key);
        }
        print_message("%s: %s %s asks %s\n", row->node, row->way >= PERSON ? "person" : "key", row->by,
                      row->asks ? row->asks : "nothing");
        if (row->way == KEY || row->way == PERSON)
            j.node = (uint8_t)(machine + 64);
        j.tag = row->asks;
        if (row->way == KEY || row->way == RUNNING)
            log_in_by_key(row, &j, machine);
        else
            log_in_by_person(row, &j, machine);
    }
}

/* The same machine, with another node key each time; asks may be NULL. */
static enum register_result join_again(const char *by, const char *asks, uint8_t node, struct core_register *call,
                                       bool *used)
{
    uint64_t key_id;
    char *key = key_of(by, NULL, &key_id);
    struct join j = {.key = key, .name = "host", .machine = 250, .node = node, .tag = asks};
    enum register_result result = core_rig_join(&r, &j, call);

    *used = is_used(key_id);
    free(key);
    return result;
}

static void expect_ambiguous(const char *person, uint8_t node, const char *owners)
{
    struct join j = {.name = "host", .machine = 250, .node = node};
    struct core_register asked;
    char now[160];

    assert_int_equal(core_rig_join(&r, &j, &asked), REGISTER_URL);
    struct core_admin a = {.op = ADMIN_REGISTER, .text = asked.auth_id, .name = person};
    assert_int_equal(core_rig_admin(&r, &a), ERR_CONFLICT);
    assert_non_null(strstr(a.call.err.message, "ambiguous ownership"));
    core_admin_release(&a);
    owners_of_machine(250, now);
    assert_string_equal(now, owners);
}

static void a_machine_with_several_nodes_must_say_which(void **state)
{
    struct core_register call;
    char owners[160];
    bool used;

    (void)state;
    assert_int_equal(join_again("alice", NULL, 240, &call, &used), REGISTER_DONE);
    assert_int_equal(join_again("bob", NULL, 241, &call, &used), REGISTER_DONE);
    assert_int_equal(join_again("tag:a", NULL, 242, &call, &used), REGISTER_REFUSED);
    assert_non_null(strstr(call.call.err.message, "ambiguous ownership: this machine has nodes of several users"));
    assert_false(used);
    owners_of_machine(250, owners);
    assert_string_equal(owners, "alice|bob");
    assert_int_equal(join_again("alice", "tag:a", 243, &call, &used), REGISTER_DONE);
    expect_ambiguous("alice", 244, "tag:a|bob");
    expect_ambiguous("bob", 245, "tag:a|bob");
    assert_int_equal(join_again("tag:b", NULL, 246, &call, &used), REGISTER_DONE);
    assert_true(used);
    owners_of_machine(250, owners);
    assert_string_equal(owners, "tag:b|bob");
}

static enum register_result join_with(const char *key, uint8_t machine, uint8_t node, struct core_register *call)
{
    struct join j = {.key = key, .name = "host", .machine = machine, .node = node};

    return core_rig_join(&r, &j, call);
}

/* The client comes again with a new node key. Once it has been seen with the one that it has, the key is used up. */
static void a_login_whose_answer_is_lost_costs_no_key(void **state)
{
    struct core_register call;
    uint64_t key_id;
    char *key = key_of("alice", NULL, &key_id), owners[160];

    (void)state;
    assert_int_equal(join_with(key, 250, 240, &call), REGISTER_DONE);
    assert_int_equal(join_with(key, 251, 239, &call), REGISTER_REFUSED);
    assert_int_equal(join_with(key, 250, 241, &call), REGISTER_DONE);
    assert_int_equal(join_with(key, 250, 242, &call), REGISTER_DONE);
    owners_of_machine(250, owners);
    assert_string_equal(owners, "alice");
    core_rig_online(&r, &(struct join){.name = "host", .machine = 250, .node = 242});
    assert_int_equal(join_with(key, 250, 243, &call), REGISTER_REFUSED);
    assert_string_equal(call.call.err.message, "authkey already used");
    free(key);
}

static void a_login_that_was_ended_stays_ended(void **state)
{
    struct core_register call;
    uint64_t key_id;
    char *key = key_of("alice", NULL, &key_id);

    (void)state;
    assert_int_equal(join_with(key, 250, 240, &call), REGISTER_DONE);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = 1, .time_ns = 1});
    assert_int_equal(join_with(key, 250, 241, &call), REGISTER_REFUSED);
    free(key);
}

/* A container's daemon restarts with its state and the key that it was made with: what an administrator made of its
 * node meanwhile stays, and the key need not be valid any more. */
static void a_restart_changes_nothing(void **state)
{
    uint64_t key_id, other;
    char *key = key_of("alice", NULL, &key_id), *tagged = key_of("tag:b", NULL, &other), owners[160];
    struct join j = {.key = key, .name = "c", .machine = 1, .node = 1};
    struct core_admin a = {.op = ADMIN_NODE_TAGS};

    (void)state;
    a.id = core_rig_node(&r, &j);
    strs_push(&a.tags, "tag:a");
    core_rig_admin_ok(&r, a);
    core_rig_node(&r, &j);
    owners_of_machine(1, owners);
    assert_string_equal(owners, "tag:a");
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_PREAUTHKEY_DELETE, .id = key_id});
    core_rig_node(&r, &j);
    j.key = tagged;
    core_rig_node(&r, &j);
    owners_of_machine(1, owners);
    assert_string_equal(owners, "tag:b");
    assert_true(is_used(other));
    core_rig_node(&r, &j); /* used up, but the one that it logged in with */
    free(key);
    free(tagged);
}

static void nodes_that_are_tagged_never_expire(void **state)
{
    uint64_t key_id;
    char *key = key_of("alice", NULL, &key_id);
    int64_t soon = clock_wall_ns() + 3600 * NS_PER_SECOND;
    struct join j = {.key = key, .name = "c", .machine = 1, .node = 1, .expiry_ns = soon};
    struct core_admin a = {.op = ADMIN_NODE_TAGS};
    const struct tailnet_snapshot *s;

    (void)state;
    a.id = core_rig_node(&r, &j);
    assert_true(core_rig_look(&r, a.id, &s)->record->expiry_ns == soon);
    tailnet_unpin(s);
    strs_push(&a.tags, "tag:a");
    uint64_t id = a.id;
    core_rig_admin_ok(&r, a);
    assert_true(core_rig_look(&r, id, &s)->record->expiry_ns == 0);
    tailnet_unpin(s);
    j.key = NULL;
    j.expiry_ns = soon;
    core_rig_node(&r, &j); /* nor does its client shorten that */
    assert_true(core_rig_look(&r, id, &s)->record->expiry_ns == 0);
    tailnet_unpin(s);
    free(key);
}

static int begin_with_expiry(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "node:\n  expiry: 1h\n");
    return 0;
}

static void a_client_may_not_ask_for_more_than_node_expiry(void **state)
{
    uint64_t key_id;
    int64_t now = clock_wall_ns(), hour = 3600 * NS_PER_SECOND;
    const struct tailnet_snapshot *s;

    (void)state;
    for (uint8_t i = 1; i <= 3; i++) {
        char *key = key_of("alice", NULL, &key_id);
        int64_t asked = i == 1 ? 0 : i == 2 ? now + 100 * hour : now + hour / 2;
        uint64_t id =
            core_rig_node(&r, &(struct join){.key = key, .name = "c", .machine = i, .node = i, .expiry_ns = asked});
        int64_t expiry = core_rig_look(&r, id, &s)->record->expiry_ns;
        tailnet_unpin(s);
        if (i == 3)
            assert_true(expiry == asked);
        else
            assert_in_range(expiry - now, hour, hour + 60 * NS_PER_SECOND);
        free(key);
    }
}

static void a_client_without_state_is_ephemeral(void **state)
{
    uint64_t key_id;
    char *key = key_of("alice", NULL, &key_id);
    struct core_register call;
    const struct tailnet_snapshot *s;

    (void)state;
    uint64_t id =
        core_rig_node(&r, &(struct join){.key = key, .name = "c", .machine = 1, .node = 1, .ephemeral = true});
    assert_true(core_rig_look(&r, id, &s)->record->ephemeral);
    tailnet_unpin(s);
    struct join j = {.name = "d", .machine = 2, .node = 2, .ephemeral = true};
    assert_int_equal(core_rig_join(&r, &j, &call), REGISTER_URL);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_REGISTER, .text = call.auth_id, .name = "alice"});
    assert_true(core_rig_look(&r, id + 1, &s)->record->ephemeral);
    tailnet_unpin(s);
    free(key);
}

static void expect_name(uint64_t id, const char *name)
{
    const struct tailnet_snapshot *s;

    assert_string_equal(core_rig_look(&r, id, &s)->record->given_name, name);
    tailnet_unpin(s);
}

static void a_name_that_was_given_stays(void **state)
{
    uint64_t key_id;
    char *key = key_of("alice", NULL, &key_id);
    struct join j = {.key = key, .name = "web", .machine = 1, .node = 1};

    (void)state;
    uint64_t id = core_rig_node(&r, &j);
    j.key = NULL;
    j.name = "Web-One";
    core_rig_online(&r, &j);
    expect_name(id, "web-one"); /* nobody gave it one */
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_RENAME, .id = id, .name = "Web-One-7"});
    expect_name(id, "web-one-7");
    j.name = "db";
    core_rig_online(&r, &j);
    expect_name(id, "web-one-7");
    core_rig_stop(&r);
    core_rig_start(&r);
    j.name = "web-one";
    core_rig_online(&r, &j);
    expect_name(id, "web-one-7");
    free(key);
}

static void users_have_names_that_a_path_can_hold(void **state)
{
    static const char *const bad[] = {".", "..", "a/b", "", "12", "a@", "@", "user:*@example.com"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct core_admin a = {.op = ADMIN_USER_CREATE, .name = bad[i]};
        assert_int_equal(core_rig_admin(&r, &a), ERR_INVALID);
        core_admin_release(&a);
    }
}

/* Earlier versions stored them as they came. */
static void a_stored_name_in_capitals_is_read_in_lower_case(void **state)
{
    const struct tailnet_snapshot *s;
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice});
    uint64_t id = core_rig_node(&r, &(struct join){.key = key, .name = "router", .machine = 1, .node = 1});

    (void)state;
    core_rig_stop(&r);
    fixture_sql(r.store.path, "UPDATE node SET given_name='Router-A'");
    core_rig_start(&r);
    assert_string_equal(core_rig_look(&r, id, &s)->record->given_name, "router-a");
    tailnet_unpin(s);
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_login_takes_effect_or_uses_nothing_up, begin, end),
        cmocka_unit_test_setup_teardown(a_machine_with_several_nodes_must_say_which, begin, end),
        cmocka_unit_test_setup_teardown(a_login_whose_answer_is_lost_costs_no_key, begin, end),
        cmocka_unit_test_setup_teardown(a_login_that_was_ended_stays_ended, begin, end),
        cmocka_unit_test_setup_teardown(a_restart_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(nodes_that_are_tagged_never_expire, begin, end),
        cmocka_unit_test_setup_teardown(a_client_may_not_ask_for_more_than_node_expiry, begin_with_expiry, end),
        cmocka_unit_test_setup_teardown(a_client_without_state_is_ephemeral, begin, end),
        cmocka_unit_test_setup_teardown(a_name_that_was_given_stays, begin, end),
        cmocka_unit_test_setup_teardown(users_have_names_that_a_path_can_hold, begin, end),
        cmocka_unit_test_setup_teardown(a_stored_name_in_capitals_is_read_in_lower_case, begin, end),
    };
    return cmocka_run_group_tests_name("core_logins", tests, NULL, NULL);
}
