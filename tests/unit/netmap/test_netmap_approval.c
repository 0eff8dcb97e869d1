/* SPDX-License-Identifier: BSD-3-Clause */
/* What a machine that waits for approval is sent, and what other nodes are sent about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/client/netmap_receiver.h"
#include <cmocka.h>

#include "tailnet/policy_input.h"

static void authorize(struct netmap_receiver *f, uint32_t slot, bool authorized)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    const struct tailnet_node *n = snapshot_node(now, slot);
    struct node *record = node_edit(n->record);

    record->authorized = authorized;
    test_tailnet_change(&f->w, slot, record, &n->live, &n->serving, n->expired);
    tailnet_unpin(now);
    test_tailnet_publish(&f->w);
}

static void use_policy(struct netmap_receiver *f, const char *text)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    struct policy_user user = {.id = 1, .name = "alice"};
    struct policy_tailnet t = {.users = &user, .user_count = 1};

    assert_int_equal(policy_parse(text, strlen(text), &p, &problems), 0);
    struct policy_view *v = policy_view_new(p, &t, NULL);
    for (uint32_t slot = 0; slot < 3; slot++) {
        const struct tailnet_node *n = snapshot_node(now, slot);
        struct prefixes none = {0};
        struct policy_node x = tailnet_policy_node(slot, n->record, &none, NULL, &n->live);
        if (n->record->authorized)
            policy_view_put(v, &x);
    }
    *tailnet_policy_write(f->w.tailnet) = v;
    tailnet_policy_written(f->w.tailnet);
    policy_unref(p);
    policy_problems_release(&problems);
    tailnet_unpin(now);
}

static void a_waiting_machine_is_told_of_nobody(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    authorize(f, 0, false);
    struct netmap_session *s = client(f, 0);

    const json_t *m = next_message(f, s);
    expect(at(at(m, "Node"), "MachineAuthorized"), "false");
    assert_null(at(m, "Peers"));
    expect(at(m, "PacketFilters"), "{\"base\":[]}");
    expect(at(at(at(m, "DisplayMessages"), "not-approved"), "Severity"), "\"high\"");
    expect(at(at(at(at(m, "DisplayMessages"), "not-approved"), "PrimaryAction"), "URL"),
           "\"http://127.0.0.1:8080/admin\"");

    authorize(f, 0, true);
    m = next_message(f, s);
    expect(at(at(m, "Node"), "MachineAuthorized"), "true");
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 2);
    assert_int_equal(json_array_size(at(m, "UserProfiles")), 0); /* it is its own user */
    assert_null(at(at(m, "PacketFilters"), "missing"));
    expect(json_object_get(at(m, "PacketFilters"), "*"), "null");
    assert_int_equal(json_array_size(at(at(m, "PacketFilters"), "base")), 1);
    expect(at(m, "DisplayMessages"), "{\"not-approved\":null}");
    netmap_session_free(s);
}

static void others_hear_of_it_when_it_is_approved_and_no_longer_when_not(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    authorize(f, 0, false);
    struct netmap_session *s = client(f, 1);
    assert_int_equal(json_array_size(at(next_message(f, s), "Peers")), 1);

    put_again(f, 0, go_offline, NULL, CHANGE_ONLINE);
    test_tailnet_publish(&f->w);
    assert_null(next_message(f, s));
    authorize(f, 0, true);
    const json_t *m = next_message(f, s);
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 1);
    expect(at(peer(m, "PeersChanged", 0), "ID"), "1");
    authorize(f, 0, false);
    expect(next_message(f, s), "{\"PeersRemoved\":[1]}");
    netmap_session_free(s);
}

static void approval_that_is_taken_back_ends_all_in_one_message(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    authorize(f, 0, false);
    const json_t *m = next_message(f, s);
    expect(at(at(m, "Node"), "MachineAuthorized"), "false");
    expect(at(m, "PeersRemoved"), "[2,3]");
    expect(at(m, "PacketFilters"), "{\"*\":null,\"base\":[]}");
    /* Nothing of the others comes through from now on. */
    put_again(f, 1, rename_it, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    assert_null(next_message(f, s));
    netmap_session_free(s);
}

static void the_same_holds_with_a_policy(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    authorize(f, 0, false);
    use_policy(f, "{\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:*\"]}]}");
    test_tailnet_note(&f->w, CHANGE_POLICY);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 0), *other = client(f, 1);

    const json_t *m = next_message(f, s);
    assert_null(at(m, "Peers"));
    expect(at(m, "PacketFilters"), "{\"base\":[]}");
    expect(at(m, "SSHPolicy"), "{\"rules\":[]}");
    m = next_message(f, other);
    assert_int_equal(json_array_size(at(m, "Peers")), 1);

    authorize(f, 0, true); /* the record; the core puts it into the view, too */
    struct policy_view **v = tailnet_policy_write(f->w.tailnet);
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct prefixes none = {0};
    struct policy_node x = tailnet_policy_node(0, snapshot_node(now, 0)->record, &none, NULL, NULL);
    policy_view_put(*v, &x);
    tailnet_policy_written(f->w.tailnet);
    tailnet_unpin(now);
    m = next_message(f, s);
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 2);
    assert_true(json_object_size(at(m, "PacketFilters")) >= 2);
    expect(json_object_get(at(m, "PacketFilters"), "*"), "null");
    m = next_message(f, other);
    expect(at(peer(m, "PeersChanged", 0), "ID"), "1");
    netmap_session_free(s);
    netmap_session_free(other);
}

int main(void)
{
#define WITH_MAP(t) cmocka_unit_test_setup_teardown(t, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        WITH_MAP(a_waiting_machine_is_told_of_nobody),
        WITH_MAP(others_hear_of_it_when_it_is_approved_and_no_longer_when_not),
        WITH_MAP(approval_that_is_taken_back_ends_all_in_one_message),
        WITH_MAP(the_same_holds_with_a_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
