/* SPDX-License-Identifier: BSD-3-Clause */
/* Users of OpenID providers: which user a login gets, what an import left, what a late refresh reports, and SSH
 * sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shared/core_rig.h"

#define CONFIG                                                                                                         \
    "oidc: {issuer: 'https://id.example.com', client_id: c, client_secret: s, providers: [{name: corp, issuer: "       \
    "'https://corp.example.com', client_id: c, client_secret: s}]}\n"

static struct core_rig r;
static uint64_t alice;

static int begin(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, CONFIG);
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static int send(struct core_login *call)
{
    struct core_rig_answer a;

    core_rig_expect(&a, &call->call);
    core_login(r.core, call);
    return core_rig_await(&a, &call->call);
}

/* The id of the user that the login is of; 0: it is refused. */
static uint64_t login(const char *provider, const char *issuer, const char *subject, const char *refresh_token)
{
    struct core_login call = {.step = LOGIN_IDENTIFY,
                              .provider = provider,
                              .issuer = issuer,
                              .subject = subject,
                              .username = "bob",
                              .email = "bob@example.com",
                              .display_name = "",
                              .picture_url = "",
                              .has_groups = true,
                              .refresh_token = refresh_token};
    uint64_t id;

    (void)send(&call);
    id = call.user ? call.user->r.id : 0;
    record_unref(call.user);
    return id;
}

static const struct identity *only_identity(const struct tailnet_snapshot *s)
{
    assert_int_equal(s->identity_count, 1);
    return s->identities[0];
}

static void a_slash_more_is_the_same_issuer_and_nothing_else_is(void **state)
{
    uint64_t bob = login("default", "https://id.example.com", "7", NULL);

    (void)state;
    assert_int_not_equal(bob, 0);
    assert_int_equal(login("default", "https://id.example.com/", "7", NULL), bob);
    assert_int_equal(login("corp", "https://id.example.com", "7", NULL), 0); /* it may be somebody else */
    assert_int_not_equal(login("corp", "https://corp.example.com", "7", NULL), bob);
    assert_int_not_equal(login("default", "https://id.example.com/x", "7", NULL), bob);
    assert_int_not_equal(login("default", "https://id.example.com", "77", NULL), bob);
}

/* A login brought another refresh token while the provider was asked with the old one. */
static void a_late_refusal_suspends_nobody(void **state)
{
    uint64_t bob = login("default", "https://id.example.com", "7", "new");
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    struct core_login late = {
        .step = LOGIN_REFUSED, .identity_id = only_identity(s)->r.id, .asked_with = "old", .text = "invalid_grant"};

    (void)state;
    tailnet_unpin(s);
    assert_int_equal(send(&late), ERR_PRECONDITION);
    late = (struct core_login){
        .step = LOGIN_RENEWED, .identity_id = late.identity_id, .asked_with = "old", .refresh_token = "older"};
    assert_int_equal(send(&late), ERR_PRECONDITION);
    s = tailnet_pin(r.tailnet);
    assert_string_equal(only_identity(s)->refresh_token, "new");
    assert_int_equal(snapshot_user(s, bob)->suspended_ns, 0);
    tailnet_unpin(s);
    late =
        (struct core_login){.step = LOGIN_REFUSED, .identity_id = late.identity_id, .asked_with = "new", .text = "x"};
    assert_int_equal(send(&late), 0);
    s = tailnet_pin(r.tailnet);
    assert_int_not_equal(snapshot_user(s, bob)->suspended_ns, 0);
    tailnet_unpin(s);
    assert_int_equal(login("default", "https://id.example.com", "7", NULL), bob);
    s = tailnet_pin(r.tailnet);
    assert_int_equal(snapshot_user(s, bob)->suspended_ns, 0);
    tailnet_unpin(s);
}

static void a_subject_gives_nobody_an_address_for_a_name(void **state)
{
    struct core_login call = {.step = LOGIN_IDENTIFY,
                              .provider = "default",
                              .issuer = "https://id.example.com",
                              .subject = "boss@example.com",
                              .username = "",
                              .email = "",
                              .display_name = "",
                              .picture_url = ""};

    (void)state;
    assert_int_equal(send(&call), 0);
    assert_string_equal(call.user->name, "boss");
    record_unref(call.user);
}

static int begin_with_imported(void **state)
{
    struct user *u = user_new();

    (void)state;
    core_rig_prepare(&r, CONFIG);
    u->r.id = 41;
    mem_replace(&u->name, "bob@example.com");
    mem_replace(&u->provider, "oidc");
    mem_replace(&u->provider_id, "https://id.example.com/auth/7");
    assert_int_equal(fixture_put(r.store.store, u, NULL), 0);
    record_unref(u);
    core_rig_start(&r);
    return 0;
}

static void an_imported_user_is_found_by_its_identifier(void **state)
{
    (void)state;
    /* Of two providers, a subject with a slash could be the other one's. */
    assert_int_equal(login("default", "https://id.example.com", "auth/7", NULL), 0);
    assert_int_equal(login("default", "https://id.example.com/auth", "7", NULL), 41);
    assert_int_equal(login("default", "https://id.example.com/auth/", "7", NULL), 41);
}

static void link_subject(uint64_t user_id, const char *subject, bool linked)
{
    core_rig_admin_ok(&r,
                      (struct core_admin){
                          .op = ADMIN_USER_LINK, .id = user_id, .prefix = "default", .text = subject, .flag = linked});
}

static void who_was_unlinked_is_somebody_else(void **state)
{
    uint64_t bob = login("default", "https://id.example.com/", "7", NULL), other;

    (void)state;
    link_subject(bob, "7", false);
    link_subject(bob, "7", true); /* as an undo does */
    assert_int_equal(login("default", "https://id.example.com/", "7", NULL), bob);
    link_subject(bob, "7", false);
    other = login("default", "https://id.example.com/", "7", NULL);
    assert_int_not_equal(other, 0);
    assert_int_not_equal(other, bob);
    link_subject(bob, "8", true);
    assert_int_equal(login("default", "https://id.example.com/", "8", NULL), bob);
    assert_int_equal(login("default", "https://id.example.com/", "7", NULL), other);
}

static void a_yes_is_for_a_login_that_is_linked_still(void **state)
{
    struct core_register asked;

    (void)state;
    link_subject(alice, "7", true);
    assert_int_equal(login("default", "https://id.example.com", "7", NULL), alice);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint64_t identity_id = only_identity(s)->r.id;
    tailnet_unpin(s);
    assert_int_equal(core_rig_join(&r, &(struct join){.name = "one", .machine = 1, .node = 1}, &asked), REGISTER_URL);
    link_subject(alice, "7", false);
    struct core_login yes = {
        .step = LOGIN_CONFIRM, .auth_id = asked.auth_id, .user_id = alice, .identity_id = identity_id};
    assert_int_equal(send(&yes), ERR_DENIED);
    link_subject(alice, "7", true);
    s = tailnet_pin(r.tailnet);
    yes = (struct core_login){
        .step = LOGIN_CONFIRM, .auth_id = asked.auth_id, .user_id = alice, .identity_id = only_identity(s)->r.id};
    tailnet_unpin(s);
    assert_int_equal(send(&yes), 0);
    record_unref(yes.user);
}

/* The identity of the user; 0: none. */
static uint64_t identity_of(uint64_t user_id)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint64_t id = 0;

    for (size_t i = 0; i < s->identity_count; i++)
        if (s->identities[i]->user_id == user_id)
            id = s->identities[i]->r.id;
    tailnet_unpin(s);
    return id;
}

static void an_ssh_session_is_for_the_owner_of_its_machine(void **state)
{
    uint64_t bob = login("default", "https://id.example.com", "7", NULL);
    char *key =
        core_rig_key(&r, (struct core_admin){.op = ADMIN_PREAUTHKEY_CREATE, .user_id = alice, .reusable = true});
    uint64_t one = core_rig_node(&r, &(struct join){.key = key, .name = "one", .machine = 1, .node = 1}),
             two = core_rig_node(&r, &(struct join){.key = key, .name = "two", .machine = 2, .node = 2});
    struct core_ssh q = {.source_id = one, .target_id = two, .user = "root"};

    (void)state;
    free(key);
    core_rig_admin_ok(
        &r, (struct core_admin){.op = ADMIN_POLICY_SET,
                                .text = "{\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:*\"]}],"
                                        "\"ssh\":[{\"action\":\"check\",\"src\":[\"autogroup:member\"],\"dst\":"
                                        "[\"autogroup:self\"],\"users\":[\"root\"]}]}"});
    assert_int_equal(core_rig_ssh(r.core, &q), 0);
    assert_true(q.undecided);
    link_subject(alice, "8", true);
    struct core_login yes = {
        .step = LOGIN_CONFIRM, .auth_id = q.new_auth_id, .user_id = bob, .identity_id = identity_of(bob)};
    assert_int_equal(send(&yes), ERR_DENIED);
    yes = (struct core_login){
        .step = LOGIN_CONFIRM, .auth_id = q.new_auth_id, .user_id = alice, .identity_id = identity_of(alice)};
    assert_int_equal(send(&yes), 0);
    record_unref(yes.user);
    q = (struct core_ssh){.source_id = one, .target_id = two, .user = "root", .auth_id = q.new_auth_id};
    assert_int_equal(core_rig_ssh(r.core, &q), 0);
    assert_true(q.accepted);
    yes = (struct core_login){.step = LOGIN_CONFIRM, .auth_id = q.auth_id, .user_id = alice};
    assert_int_equal(send(&yes), ERR_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slash_more_is_the_same_issuer_and_nothing_else_is, begin, end),
        cmocka_unit_test_setup_teardown(a_late_refusal_suspends_nobody, begin, end),
        cmocka_unit_test_setup_teardown(a_subject_gives_nobody_an_address_for_a_name, begin, end),
        cmocka_unit_test_setup_teardown(an_imported_user_is_found_by_its_identifier, begin_with_imported, end),
        cmocka_unit_test_setup_teardown(who_was_unlinked_is_somebody_else, begin, end),
        cmocka_unit_test_setup_teardown(a_yes_is_for_a_login_that_is_linked_still, begin, end),
        cmocka_unit_test_setup_teardown(an_ssh_session_is_for_the_owner_of_its_machine, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
