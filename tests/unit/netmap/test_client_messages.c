/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages to the users of clients: who gets them, when they are withdrawn, and that nobody else gets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/client/netmap_receiver.h"
#include <cmocka.h>

#define DAY_NS (INT64_C(86400) * 1000000000)
#define NOW_NS INT64_C(1767225600000000000) /* 2026-01-01 */

static struct netmap_session *older_client(struct netmap_receiver *f, uint32_t slot)
{
    return netmap_session_new(f->nm, &(struct netmap_client){slot + 1, slot, 115, false, false, false});
}

/* Changes a node as the core does. */
static void change_node(struct netmap_receiver *f, uint32_t slot, void (*how)(struct node *n, struct node_live *live))
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    const struct tailnet_node *n = snapshot_node(now, slot);
    struct node *record = node_edit(n->record);
    struct node_live live = {0};

    node_live_copy(&live, &n->live);
    how(record, &live);
    test_tailnet_change(&f->w, slot, record, &live, &n->serving, n->expired);
    node_live_release(&live);
    tailnet_unpin(now);
}

static void publish_at(struct netmap_receiver *f, int64_t now_ns)
{
    if (!f->w.next) {
        const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
        f->w.next = snapshot_edit(now);
        tailnet_unpin(now);
    }
    f->w.next->wall_ns = now_ns;
    test_tailnet_publish(&f->w);
}

static void expires_in_ten_days(struct node *n, struct node_live *live)
{
    (void)live;
    n->expiry_ns = NOW_NS + 10 * DAY_NS;
}

static void expires_in_a_year(struct node *n, struct node_live *live)
{
    (void)live;
    n->expiry_ns = NOW_NS + 365 * DAY_NS;
}

static void uses_node_2(struct node *n, struct node_live *live)
{
    (void)live;
    n->exit_node_id = 2;
}

static void uses_no_exit(struct node *n, struct node_live *live)
{
    (void)live;
    n->exit_node_id = 0;
}

static void add_exit_routes(struct prefixes *out)
{
    struct prefix v4 = test_tailnet_prefix("0.0.0.0/0"), v6 = test_tailnet_prefix("::/0");

    prefixes_add(out, &v4);
    prefixes_add(out, &v6);
}

static void offers_an_exit(struct node *n, struct node_live *live)
{
    (void)live;
    add_exit_routes(&n->available);
    add_exit_routes(&n->approved);
}

static void no_longer_approved(struct node *n, struct node_live *live)
{
    (void)live;
    prefixes_release(&n->approved);
}

static void comes_back(struct node *n, struct node_live *live)
{
    (void)n;
    live->online = true;
}

static void advertises_two(struct node *n, struct node_live *live)
{
    struct prefix a = test_tailnet_prefix("10.0.0.0/24"), b = test_tailnet_prefix("10.0.1.0/24");

    (void)live;
    prefixes_add(&n->available, &a);
    prefixes_add(&n->available, &b);
}

static void first_is_approved(struct node *n, struct node_live *live)
{
    struct prefix a = test_tailnet_prefix("10.0.0.0/24");

    (void)live;
    node_approve(n, &a, "ana");
}

static void second_is_approved(struct node *n, struct node_live *live)
{
    struct prefix b = test_tailnet_prefix("10.0.1.0/24");

    (void)live;
    node_approve(n, &b, "ana");
}

static void both_are_approved(struct node *n, struct node_live *live)
{
    first_is_approved(n, live);
    second_is_approved(n, live);
}

static void set_message(struct netmap_receiver *f, const char *text, const char *url)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct server_message *m = server_message_new();

    m->r.id = 1;
    mem_replace(&m->text, text);
    mem_replace(&m->url, url);
    m->severity = SEVERITY_HIGH;
    f->w.next = snapshot_edit(now);
    tailnet_unpin(now);
    snapshot_set_message(f->w.next, m);
    record_unref(m);
    test_tailnet_note(&f->w, CHANGE_MESSAGE);
    test_tailnet_publish(&f->w);
}

static const json_t *display(struct netmap_receiver *f, struct netmap_session *s)
{
    return at(next_message(f, s), "DisplayMessages");
}

static void a_healthy_client_is_told_nothing(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0), *old = older_client(f, 1);

    const json_t *m = next_message(f, s);
    assert_null(at(m, "DisplayMessages"));
    assert_null(at(m, "Health"));
    m = next_message(f, old);
    assert_null(at(m, "DisplayMessages"));
    assert_null(at(m, "Health"));
    netmap_session_free(s);
    netmap_session_free(old);
}

static void the_end_of_a_key_is_announced_and_taken_back(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    change_node(f, 0, expires_in_ten_days);
    publish_at(f, NOW_NS);
    struct netmap_session *s = client(f, 0), *other = client(f, 1);
    assert_null(display(f, s));
    next_message(f, other);

    put_again(f, 0, NULL, NULL, CHANGE_SELF); /* the core's timer */
    publish_at(f, NOW_NS + 3 * DAY_NS + 1);
    expect(display(f, s),
           "{\"key-expires\":{\"Title\":\"The key of this machine expires soon\",\"Text\":\"At 2026-01-11 "
           "00:00 UTC this machine must log in again: run tailscale up --force-reauth before.\","
           "\"Severity\":\"low\"}}");
    assert_null(next_message(f, other));
    put_again(f, 0, NULL, NULL, CHANGE_SELF);
    publish_at(f, NOW_NS + 4 * DAY_NS);
    assert_null(next_message(f, s)); /* nothing new */

    put_again(f, 0, NULL, NULL, CHANGE_SELF);
    publish_at(f, NOW_NS + 9 * DAY_NS + 1);
    const json_t *m = at(display(f, s), "key-expires");
    expect(at(m, "Severity"), "\"high\"");
    expect(at(m, "ImpactsConnectivity"), "true");
    change_node(f, 0, expires_in_a_year);
    publish_at(f, NOW_NS + 9 * DAY_NS + 2);
    expect(display(f, s), "{\"key-expires\":null}");
    netmap_session_free(s);
    netmap_session_free(other);
}

static void a_router_hears_which_routes_wait(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0), *other = client(f, 1);
    next_message(f, s);
    next_message(f, other);

    change_node(f, 0, advertises_two);
    test_tailnet_publish(&f->w);
    expect(at(at(display(f, s), "routes-not-approved"), "Text"),
           "\"10.0.0.0/24, 10.0.1.0/24: nobody can use this until an administrator approves it.\"");
    assert_null(next_message(f, other));
    change_node(f, 0, first_is_approved);
    test_tailnet_publish(&f->w);
    expect(at(at(display(f, s), "routes-not-approved"), "Text"),
           "\"10.0.1.0/24: nobody can use this until an administrator approves it.\"");
    change_node(f, 0, second_is_approved);
    test_tailnet_publish(&f->w);
    expect(display(f, s), "{\"routes-not-approved\":null}");
    netmap_session_free(s);
    netmap_session_free(other);
}

static void an_older_client_gets_all_that_holds_as_a_list(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 1);
    struct netmap_session *s = older_client(f, 0);
    next_message(f, s);

    change_node(f, 0, advertises_two);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, s);
    assert_null(at(m, "DisplayMessages"));
    expect(at(m, "Health"),
           "[\"Routes of this machine wait for approval: 10.0.0.0/24, 10.0.1.0/24: nobody can use this "
           "until an administrator approves it.\"]");
    set_message(f, "Maintenance at six", "");
    m = next_message(f, s);
    assert_int_equal(json_array_size(at(m, "Health")), 2);
    set_message(f, "", "");
    assert_int_equal(json_array_size(at(next_message(f, s), "Health")), 1);
    change_node(f, 0, both_are_approved);
    test_tailnet_publish(&f->w);
    expect(at(next_message(f, s), "Health"), "[]");
    netmap_session_free(s);
}

static void users_of_an_exit_node_hear_that_it_is_down(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    change_node(f, 0, uses_node_2);
    change_node(f, 1, offers_an_exit);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 0), *other = client(f, 2);
    assert_null(display(f, s));
    next_message(f, other);

    change_node(f, 1, go_offline);
    test_tailnet_publish(&f->w);
    const json_t *m = at(display(f, s), "exit-node-down");
    expect(at(m, "Text"), "\"node-2 is offline: this machine reaches nothing through it. Choose another exit node, or "
                          "none.\"");
    expect(at(m, "Severity"), "\"high\"");
    assert_null(display(f, other));
    change_node(f, 1, comes_back);
    test_tailnet_publish(&f->w);
    expect(display(f, s), "{\"exit-node-down\":null}");

    change_node(f, 1, no_longer_approved);
    test_tailnet_publish(&f->w);
    expect(at(at(display(f, s), "exit-node-down"), "Text"), "\"node-2 is no exit node any more: choose another one.\"");
    test_tailnet_remove(&f->w, 1);
    test_tailnet_publish(&f->w);
    expect(at(at(display(f, s), "exit-node-down"), "Text"),
           "\"The exit node that this machine uses is not there any more: choose another one.\"");
    change_node(f, 0, uses_no_exit);
    test_tailnet_publish(&f->w);
    expect(display(f, s), "{\"exit-node-down\":null}");
    netmap_session_free(s);
    netmap_session_free(other);
}

static void forwards_nothing(struct node *n, struct node_live *live)
{
    (void)n;
    node_warnings_add(&live->warnings, WARNING_FLAGS, WARNING_FORWARDING_OFF, "x", 1);
}

static void forwards_again(struct node *n, struct node_live *live)
{
    (void)n;
    node_warnings_release(&live->warnings);
}

static void a_router_that_forwards_nothing_hears_it(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    change_node(f, 1, forwards_nothing); /* it is no router */
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 1);
    assert_null(display(f, s));

    change_node(f, 1, offers_an_exit);
    test_tailnet_publish(&f->w);
    expect(at(at(display(f, s), "forwarding-off"), "Severity"), "\"medium\"");
    change_node(f, 1, forwards_again);
    test_tailnet_publish(&f->w);
    expect(display(f, s), "{\"forwarding-off\":null}");
    netmap_session_free(s);
}

static void what_the_administrator_says_reaches_all(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *a = client(f, 0), *b = client(f, 1);
    next_message(f, a);
    next_message(f, b);

    set_message(f, "Say \"aaah\" \\ <b>", "https://example.com/why");
    static const char want[] =
        "{\"server-message\":{\"Title\":\"A message from the administrator\",\"Text\":\"Say \\\"aaah\\\" \\\\ <b>\","
        "\"Severity\":\"high\",\"PrimaryAction\":{\"URL\":\"https://example.com/why\",\"Label\":\"Read more\"}}}";
    expect(display(f, a), want);
    expect(display(f, b), want);
    struct netmap_session *late = client(f, 0); /* a stream that opens now hears it with its first map */
    expect(display(f, late), want);
    set_message(f, "", "");
    expect(display(f, a), "{\"server-message\":null}");
    expect(display(f, late), "{\"server-message\":null}");
    netmap_session_free(a);
    netmap_session_free(b);
    netmap_session_free(late);
}

int main(void)
{
#define WITH_MAP(t) cmocka_unit_test_setup_teardown(t, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        WITH_MAP(a_healthy_client_is_told_nothing),           WITH_MAP(the_end_of_a_key_is_announced_and_taken_back),
        WITH_MAP(a_router_hears_which_routes_wait),           WITH_MAP(an_older_client_gets_all_that_holds_as_a_list),
        WITH_MAP(users_of_an_exit_node_hear_that_it_is_down), WITH_MAP(what_the_administrator_says_reaches_all),
        WITH_MAP(a_router_that_forwards_nothing_hears_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
