/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys imported from headscale, with bcrypt or in plain text: they register machines; a slow hash is computed
 * once, and whoever guesses secrets has to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shared/core_rig.h"

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WRONG  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdee"
#define CHEAP  "$2a$04$abcdefghijklmnopqrstuuQSLmioUYOEmKTL16wobTks4j4shJ2JG" /* of SECRET */
#define DEAR   "$2a$12$abcdefghijklmnopqrstuuQSLmioUYOEmKTL16wobTks4j4shJ2JG" /* of something */
#define PLAIN  "000102030405060708090a0b0c0d0e0f1011121314151617"

static struct core_rig r;

/* Keys 1 to 3 are alice's, as an import leaves them. */
static int begin(void **state)
{
    (void)state;
    uint64_t alice = core_rig_begin(&r, "");
    for (int i = 0; i < 3; i++)
        free(core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true}));
    core_rig_stop(&r);
    fixture_sql(r.store.path, "UPDATE preauth_key SET prefix='aaaaaaaaaaaa', secret_hash='" CHEAP "' WHERE id=1;"
                              "UPDATE preauth_key SET prefix='bbbbbbbbbbbb', secret_hash='" DEAR "' WHERE id=2;"
                              "UPDATE preauth_key SET prefix='', secret_hash='plain:" PLAIN "' WHERE id=3");
    core_rig_start(&r);
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static int register_with(const char *key, uint8_t machine, struct core_register *call)
{
    *call = (struct core_register){.auth_key = key, .info = {.hostname = "m"}};
    memset(call->machine_key, machine, KEY_LEN);
    memset(call->node_key, machine, KEY_LEN);
    int code = core_rig_register(r.core, call);
    record_unref(call->user);
    return code;
}

static void they_register_machines(void **state)
{
    struct core_register call;

    (void)state;
    assert_int_equal(register_with("hskey-auth-aaaaaaaaaaaa-" SECRET, 1, &call), 0);
    assert_int_equal(call.result, REGISTER_DONE);
    assert_int_equal(register_with("hskey-auth-aaaaaaaaaaaa-" WRONG, 2, &call), 0);
    assert_int_equal(call.result, REGISTER_REFUSED);
    assert_int_equal(register_with(PLAIN, 3, &call), 0);
    assert_int_equal(call.result, REGISTER_DONE);
    assert_int_equal(register_with(PLAIN "0", 4, &call), 0);
    assert_int_equal(call.result, REGISTER_REFUSED);
}

static void a_slow_hash_is_computed_once(void **state)
{
    struct core_register call;

    (void)state;
    assert_int_equal(register_with("hskey-auth-aaaaaaaaaaaa-" SECRET, 1, &call), 0);
    assert_int_equal(call.result, REGISTER_DONE);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_memory_equal(s->preauth_keys[0]->secret_hash, "sha256:", 7);
    assert_memory_equal(s->preauth_keys[1]->secret_hash, "$2a$12$", 7);
    tailnet_unpin(s);
    assert_int_equal(register_with("hskey-auth-aaaaaaaaaaaa-" SECRET, 2, &call), 0);
    assert_int_equal(call.result, REGISTER_DONE);
}

#define TOGETHER 8

static void *register_one(void *arg)
{
    struct core_register call;
    uint8_t *machine = arg;

    *machine = register_with("hskey-auth-aaaaaaaaaaaa-" SECRET, *machine, &call) == 0 && call.result == REGISTER_DONE;
    return NULL;
}

/* Machines that come at once with a key that nobody used yet wait for one verdict. */
static void those_that_come_together_all_register(void **state)
{
    pthread_t threads[TOGETHER];
    uint8_t machines[TOGETHER];

    (void)state;
    for (uint8_t i = 0; i < TOGETHER; i++) {
        machines[i] = (uint8_t)(i + 1);
        assert_int_equal(pthread_create(&threads[i], NULL, register_one, &machines[i]), 0);
    }
    for (size_t i = 0; i < TOGETHER; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(machines[i], 1);
    }
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_int_equal(s->node_count, TOGETHER);
    tailnet_unpin(s);
}

static void who_tries_secrets_waits(void **state)
{
    struct core_register call;

    (void)state;
    assert_int_equal(register_with("hskey-auth-bbbbbbbbbbbb-" WRONG, 1, &call), 0);
    assert_int_equal(call.result, REGISTER_REFUSED);
    assert_int_equal(register_with("hskey-auth-bbbbbbbbbbbb-" WRONG, 1, &call), ERR_BUSY);
    assert_int_equal(register_with("hskey-auth-aaaaaaaaaaaa-" SECRET, 2, &call), 0);
    assert_int_equal(call.result, REGISTER_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_register_machines, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_hash_is_computed_once, begin, end),
        cmocka_unit_test_setup_teardown(those_that_come_together_all_register, begin, end),
        cmocka_unit_test_setup_teardown(who_tries_secrets_waits, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
