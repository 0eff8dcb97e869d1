/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are sent when many join or change at once: shared pieces, and the peers of a moment ago. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "shared/client/netmap_receiver.h"

#define NODES 300

/* The caller's, or NULL where nothing is to be told. peers NULL: not a first message. */
static json_t *hear(struct netmap_session *s, const struct tailnet_snapshot *now, const struct tailnet_snapshot *peers,
                    bool zstd)
{
    struct netmap_message m = {0};
    struct buf all = BUF_INIT(0);
    json_t *message = NULL;
    struct err e;

    enum netmap_next next = peers ? netmap_session_first(s, now, peers, &m) : netmap_session_next(s, now, &m);
    if (next == NETMAP_NOTHING)
        return NULL;
    for (size_t i = 1; i < m.len; i++)
        buf_add(&all, m.items[i]->data, m.items[i]->len);
    assert_int_equal(all.len, m.bytes - 4);
    if (zstd)
        netmap_receiver_unzip(&all);
    if (json_read(all.data, all.len, all.len, "message", &message, &e) < 0)
        fail_msg("%s: %.300s", e.message, all.data);
    buf_release(&all);
    netmap_message_release(&m);
    return message;
}

static size_t count(const json_t *message, const char *list)
{
    return json_array_size(json_object_get(message, list));
}

static const json_t *find(const json_t *message, const char *list, const char *id, json_int_t value)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(message, list), i, item)
    {
        if (json_integer_value(json_object_get(item, id)) == value)
            return item;
    }
    return NULL;
}

/* Each node changes, every third one so that it is told whole: the receiver hears of all but itself. */
static void everybody_changes(struct netmap_receiver *f, bool zstd)
{
    static const uint32_t slots[] = {0, 1, 70, 127, 128, 261, NODES - 1};
    struct netmap_session *sessions[ARRAY_LEN(slots)];
    const size_t n = ARRAY_LEN(slots);
    struct netmap_counters before, after;

    test_tailnet_fill(&f->w, NODES);
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    for (size_t i = 0; i < n; i++) {
        sessions[i] =
            netmap_session_new(f->nm, &(struct netmap_client){slots[i] + 1, slots[i], 133, zstd, false, false});
        json_decref(hear(sessions[i], now, now, zstd));
    }
    tailnet_unpin(now);
    for (uint32_t slot = 0; slot < NODES; slot++)
        put_again(f, slot, slot % 3 ? go_offline : rename_it, NULL, slot % 3 ? CHANGE_ONLINE : CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    now = tailnet_pin(f->w.tailnet);
    netmap_counters(f->nm, &before);
    for (size_t i = 0; i < n; i++) {
        json_t *m = hear(sessions[i], now, NULL, zstd);
        assert_int_equal(count(m, "PeersChanged"), NODES / 3 - (slots[i] % 3 == 0));
        assert_int_equal(count(m, "PeersChangedPatch"), NODES - NODES / 3 - (slots[i] % 3 != 0));
        for (uint32_t slot = 0; slot < NODES; slot++) {
            const json_t *whole = find(m, "PeersChanged", "ID", slot + 1),
                         *patch = find(m, "PeersChangedPatch", "NodeID", slot + 1);
            assert_int_equal(whole != NULL, slot % 3 == 0 && slot != slots[i]);
            assert_int_equal(patch != NULL, slot % 3 != 0 && slot != slots[i]);
            assert_true(!patch || json_is_false(json_object_get(patch, "Online")));
        }
        json_decref(m);
        assert_null(hear(sessions[i], now, NULL, zstd));
        netmap_session_free(sessions[i]);
    }
    netmap_counters(f->nm, &after);
    assert_true(after.chunks_shared - before.chunks_shared > n * NODES / TAILNET_BLOCK);
    tailnet_unpin(now);
}

static void many_changes_are_told_in_shared_pieces(void **state)
{
    everybody_changes(*state, true);
}

static void so_they_are_to_those_who_do_not_decompress(void **state)
{
    everybody_changes(*state, false);
}

static void a_first_map_may_show_the_peers_of_a_moment_ago(void **state)
{
    struct netmap_receiver *f = *state;

    test_tailnet_fill(&f->w, 100);
    const struct tailnet_snapshot *before = tailnet_pin(f->w.tailnet);
    struct node_live live = test_tailnet_live(101);
    put_again(f, 0, rename_it, NULL, CHANGE_WHOLE);
    put_again(f, 5, rename_it, NULL, CHANGE_WHOLE);
    test_tailnet_remove(&f->w, 7);
    test_tailnet_put(&f->w, 100, test_tailnet_node(101, "node-101", 1), &live, NULL, CHANGE_ADDED | CHANGE_WHOLE);
    node_live_release(&live);
    test_tailnet_publish(&f->w);
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);

    struct netmap_session *s = netmap_session_new(f->nm, &(struct netmap_client){1, 0, 133, true, false, false});
    json_t *m = hear(s, now, before, true);
    assert_int_equal(netmap_session_seq(s), before->seq);
    assert_string_equal(json_string_value(json_object_get(json_object_get(m, "Node"), "Name")),
                        "renamed.tn.example.com.");
    assert_int_equal(count(m, "Peers"), 99);
    assert_string_equal(json_string_value(json_object_get(find(m, "Peers", "ID", 6), "Name")),
                        "node-6.tn.example.com.");
    assert_non_null(find(m, "Peers", "ID", 8));
    json_decref(m);

    m = hear(s, now, NULL, true);
    assert_null(json_object_get(m, "Node"));
    assert_int_equal(count(m, "PeersChanged"), 2);
    assert_string_equal(json_string_value(json_object_get(find(m, "PeersChanged", "ID", 6), "Name")),
                        "renamed.tn.example.com.");
    assert_non_null(find(m, "PeersChanged", "ID", 101));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(m, "PeersRemoved"), 0)), 8);
    json_decref(m);
    assert_null(hear(s, now, NULL, true));
    netmap_session_free(s);
    tailnet_unpin(before);
    tailnet_unpin(now);
}

static void what_nobody_needs_is_forgotten(void **state)
{
    struct netmap_receiver *f = *state;
    struct netmap_counters c;

    test_tailnet_fill(&f->w, NODES);
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    for (uint32_t slot = 0; slot < 2; slot++) {
        struct netmap_session *s =
            netmap_session_new(f->nm, &(struct netmap_client){slot + 1, slot, 133, true, false, false});
        json_decref(hear(s, now, now, true));
        netmap_session_free(s);
        netmap_trim(f->nm); /* what the second one needed, too, was kept for it */
        netmap_counters(f->nm, &c);
        assert_true(c.cache_bytes > 0);
    }
    assert_true(c.chunks_shared >= NODES / TAILNET_BLOCK);
    netmap_trim(f->nm);
    netmap_counters(f->nm, &c);
    assert_int_equal(c.cache_bytes, 0);
    assert_int_equal(c.cache_entries, 0);
    tailnet_unpin(now);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        T(many_changes_are_told_in_shared_pieces),
        T(so_they_are_to_those_who_do_not_decompress),
        T(a_first_map_may_show_the_peers_of_a_moment_ago),
        T(what_nobody_needs_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
