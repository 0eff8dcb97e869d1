/* SPDX-License-Identifier: BSD-3-Clause */
/* Repeated calls of administrators with the same token get the same answer and are made once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shared/core_rig.h"

static struct core_rig r;
static uint64_t alice;

static int begin(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "");
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static void restart(void)
{
    core_rig_stop(&r);
    core_rig_start(&r);
}

/* Every byte of the token's parts. */
static struct core_admin with_token(struct core_admin a, uint8_t id, uint8_t request)
{
    a.has_token = true;
    memset(a.token.id, id, KEY_LEN);
    memset(a.token.request, request, KEY_LEN);
    memset(a.token.seal, id + 100, KEY_LEN);
    return a;
}

static size_t key_count(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    size_t count = s->preauth_key_count;

    tailnet_unpin(s);
    return count;
}

/* Makes a key and compares the answer with the first one; *secret NULL: this is the first. */
static void make_key(uint8_t token, char **secret)
{
    struct core_admin a = with_token((struct core_admin){.op = ADMIN_PREAUTHKEY_CREATE, .user_id = alice}, token, 1);

    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(((const struct record *)a.record)->id, 1);
    assert_int_equal(a.events.len, 1);
    assert_true(a.events.items[0]->r.id > 0 && a.events.items[0]->run > 0);
    assert_non_null(strstr(a.events.items[0]->text, "key"));
    if (*secret)
        assert_string_equal(a.secret, *secret);
    else
        *secret = mem_strdup(a.secret);
    core_admin_release(&a);
}

static void a_call_is_done_once(void **state)
{
    char *secret = NULL;

    (void)state;
    make_key(7, &secret);
    make_key(7, &secret);
    restart();
    make_key(7, &secret);
    assert_int_equal(key_count(), 1);
    /* The secret is not in the database for who has not the token. */
    struct store_image image;
    core_rig_stop(&r);
    fixture_open(&r.store);
    fixture_load(r.store.store, &image);
    assert_int_equal(image.admin_call_count, 1);
    assert_null(strstr(image.admin_calls[0]->secret, secret));
    assert_true(strlen(image.admin_calls[0]->secret) > strlen(secret));
    store_image_release(&image);
    core_rig_start(&r);
    free(secret);
}

static void a_token_is_for_one_call(void **state)
{
    struct core_admin a = with_token((struct core_admin){.op = ADMIN_USER_CREATE, .name = "bob"}, 7, 1);
    struct core_admin b = with_token((struct core_admin){.op = ADMIN_USER_CREATE, .name = "carol"}, 7, 2);

    (void)state;
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(core_rig_admin(&r, &b), ERR_CONFLICT);
    assert_string_equal(b.call.err.field, "Idempotency-Key");
    core_admin_release(&a);
    core_admin_release(&b);
}

/* Only what was done: a call that was refused may succeed later, and a dry run does nothing. */
static void what_was_not_done_is_not_repeated(void **state)
{
    struct core_admin a = with_token((struct core_admin){.op = ADMIN_USER_RENAME, .id = 2, .name = "b"}, 7, 1);

    (void)state;
    assert_int_equal(core_rig_admin(&r, &a), ERR_MISSING);
    core_admin_release(&a);
    core_rig_user(&r, "bob");
    a = with_token((struct core_admin){.op = ADMIN_USER_RENAME, .id = 2, .name = "b", .dry_run = true}, 7, 1);
    assert_int_equal(core_rig_admin(&r, &a), 0);
    core_admin_release(&a);
    a = with_token((struct core_admin){.op = ADMIN_USER_RENAME, .id = 2, .name = "b"}, 7, 1);
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(a.events.len, 1);
    core_admin_release(&a);
}

static void a_deletion_is_repeated(void **state)
{
    (void)state;
    core_rig_user(&r, "bob");
    for (int i = 0; i < 3; i++) {
        struct core_admin a = with_token((struct core_admin){.op = ADMIN_USER_DELETE, .id = 2}, 7, 1);
        if (i == 2)
            restart();
        assert_int_equal(core_rig_admin(&r, &a), 0);
        assert_int_equal(a.events.len, 1);
        assert_non_null(a.record); /* as it was, also after the restart */
        assert_string_equal(((const struct user *)a.record)->name, "bob");
        core_admin_release(&a);
    }
}

/* A policy is examined aside: its call comes again meanwhile, and afterwards. */
static void a_policy_is_set_once(void **state)
{
    struct core_admin first = with_token((struct core_admin){.op = ADMIN_POLICY_SET, .text = "{\"acls\":[]}"}, 7, 1),
                      again = first;
    struct core_rig_answer one, two;

    (void)state;
    core_rig_expect(&one, &first.call);
    core_rig_expect(&two, &again.call);
    core_admin(r.core, &first);
    core_admin(r.core, &again);
    assert_int_equal(core_rig_await(&one, &first.call), 0);
    int code = core_rig_await(&two, &again.call);
    assert_true(code == 0 || code == ERR_BUSY);
    core_admin_release(&again);
    again = with_token((struct core_admin){.op = ADMIN_POLICY_SET, .text = "{\"acls\":[]}"}, 7, 1);
    assert_int_equal(core_rig_admin(&r, &again), 0);
    assert_int_equal(again.events.len, first.events.len);
    assert_int_equal(again.events.items[0]->r.id, first.events.items[0]->r.id);
    core_admin_release(&first);
    core_admin_release(&again);
}

static void a_refused_group_leaves_no_token(void **state)
{
    struct core_admin a = with_token((struct core_admin){.op = ADMIN_USER_CREATE, .name = "bad"}, 7, 1);

    (void)state;
    core_rig_stop(&r);
    fixture_sql(r.store.path, "CREATE TRIGGER t BEFORE INSERT ON user WHEN NEW.name='bad' BEGIN SELECT "
                              "RAISE(FAIL,'chosen'); END;");
    core_rig_start(&r);
    assert_true(core_rig_admin(&r, &a) < 0);
    core_admin_release(&a);
    core_rig_stop(&r);
    fixture_sql(r.store.path, "DROP TRIGGER t");
    core_rig_start(&r);
    a = with_token((struct core_admin){.op = ADMIN_USER_CREATE, .name = "bad"}, 7, 1);
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(((const struct record *)a.record)->id > alice, 1);
    core_admin_release(&a);
}

/* Neither memory nor the table grows without end, and what is a day old is forgotten. */
static void tokens_are_bounded(void **state)
{
    struct store_image image;

    (void)state;
    core_rig_stop(&r);
    fixture_sql(r.store.path,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO admin_call "
                "SELECT randomblob(32),randomblob(32),CASE WHEN i<=500 THEN 1 ELSE CAST(strftime('%s') AS "
                "INTEGER)*1000000000 END,0,0,'[]','','','','' FROM n");
    core_rig_start(&r);
    char *secret = NULL;
    make_key(9, &secret);
    make_key(9, &secret);
    free(secret);
    core_rig_stop(&r);
    fixture_open(&r.store);
    fixture_load(r.store.store, &image);
    assert_int_equal(image.admin_call_count, 1024);
    assert_true(image.admin_calls[0]->time_ns > 1);
    store_image_release(&image);
    core_rig_start(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_done_once, begin, end),
        cmocka_unit_test_setup_teardown(a_token_is_for_one_call, begin, end),
        cmocka_unit_test_setup_teardown(what_was_not_done_is_not_repeated, begin, end),
        cmocka_unit_test_setup_teardown(a_deletion_is_repeated, begin, end),
        cmocka_unit_test_setup_teardown(a_policy_is_set_once, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_group_leaves_no_token, begin, end),
        cmocka_unit_test_setup_teardown(tokens_are_bounded, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
