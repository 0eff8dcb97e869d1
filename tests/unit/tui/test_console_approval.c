/* SPDX-License-Identifier: BSD-3-Clause */
/* Machines that wait for approval: where they are shown, and what approves them or revokes that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "shared/console_rig.h"

#define WAITING                                                                                                        \
    "{\"node\":{\"id\":\"90\",\"givenName\":\"newcomer\",\"online\":true,\"healthy\":true,\"version\":3,"              \
    "\"needsApproval\":true,\"user\":{\"id\":\"1\",\"name\":\"alice\"}}}"
#define APPROVED                                                                                                       \
    "{\"node\":{\"id\":\"90\",\"givenName\":\"newcomer\",\"online\":true,\"healthy\":true,\"version\":4,"              \
    "\"needsApproval\":false,\"approvalAt\":\"2026-03-03T10:00:00Z\",\"approvalBy\":\"ana\","                          \
    "\"user\":{\"id\":\"1\",\"name\":\"alice\"}}}"

static void it_waits_among_the_registrations_and_is_approved_there(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, WAITING);
    rig_keys(&r, "8<Tab>");
    assert_true(rig_shows(&r, "newcomer"));
    assert_false(rig_shows(&r, "laptop-alice"));
    rig_keys(&r, "a"); /* one object, and it can be undone: at once */
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/nodes/90/authorized");
    assert_string_equal(r.sent.items[rig_last(&r)].body, "{\"authorized\":true}");
    rig_json(&r, APPROVED);
    rig_pass(&r, 6000);
    assert_true(rig_shows(&r, "no machine waits"));
    rig_release(&r);
}

static void its_page_says_who_decided(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, WAITING);
    rig_keys(&r, "/newcomer<Enter><Enter>");
    assert_true(rig_shows(&r, "waits for an administrator"));
    rig_json(&r, APPROVED);
    assert_true(rig_shows(&r, "by ana"));
    assert_false(rig_shows(&r, "waits for an administrator"));
    rig_release(&r);
}

static void taking_it_back_asks_first(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, APPROVED);
    rig_keys(&r, "/newcomer<Enter>m");
    assert_true(rig_shows(&r, "take the approval of newcomer back"));
    assert_true(rig_shows(&r, "reaches nobody"));
    assert_string_equal(r.sent.items[0].path, "/api/headway/nodes/90/authorized?dry_run=true");
    rig_answer(&r, 0, 200, "{}");
    rig_keys(&r, "y");
    assert_string_equal(r.sent.items[1].body, "{\"authorized\":false}");
    rig_release(&r);
}

static void a_key_may_leave_its_machines_waiting(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7N<Down><Down><Down><Down><Right><Enter>");
    assert_non_null(strstr(r.sent.items[rig_last(&r)].body, "\"preauthorized\":false"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_among_the_registrations_and_is_approved_there),
        cmocka_unit_test(its_page_says_who_decided),
        cmocka_unit_test(taking_it_back_asks_first),
        cmocka_unit_test(a_key_may_leave_its_machines_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
