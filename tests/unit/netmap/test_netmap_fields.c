/* SPDX-License-Identifier: BSD-3-Clause */
/* Each field of a peer, changed and changed back: a client that was sent each change has what a fresh map contains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "base/array.h"
#include "shared/client/held_map.h"
#include "shared/client/netmap_receiver.h"
#include <cmocka.h>

struct peer_state {
    struct node *record;
    struct node_live live;
    struct prefixes serving;
    bool expired;
};

static void set_key(uint8_t key[KEY_LEN], uint8_t byte)
{
    memset(key, byte, KEY_LEN);
}

/* Each changes the fields that it names. */
static void change_name(struct peer_state *p)
{
    mem_replace(&p->record->given_name, "another");
}

static void change_owner(struct peer_state *p)
{
    p->record->user_id = 2;
}

static void change_tags(struct peer_state *p)
{
    p->record->user_id = 0;
    strs_push(&p->record->tags, "tag:a");
}

static void change_node_key(struct peer_state *p)
{
    set_key(p->record->node_key, 77);
}

static void change_disco_key(struct peer_state *p)
{
    set_key(p->record->disco_key, 78);
}

static void lose_disco_key(struct peer_state *p)
{
    set_key(p->record->disco_key, 0);
}

static void end_key_later(struct peer_state *p)
{
    p->record->expiry_ns = INT64_C(4102444800000000000);
}

static void end_key_by_date(struct peer_state *p)
{
    p->record->expiry_ns = INT64_C(1600000000000000000);
    p->expired = true;
}

static void log_out(struct peer_state *p)
{
    p->record->logged_out = p->expired = true;
}

static void change_addresses(struct peer_state *p)
{
    p->record->ipv4 = test_tailnet_prefix("100.64.9.9/32").addr;
}

static void lose_ipv4(struct peer_state *p)
{
    p->record->ipv4 = (struct addr){0};
}

static void serve(struct peer_state *p)
{
    struct prefix route = test_tailnet_prefix("192.168.50.0/24");

    prefixes_add(&p->record->available, &route);
    prefixes_add(&p->record->approved, &route);
    prefixes_add(&p->serving, &route);
}

static void be_exit_node(struct peer_state *p)
{
    struct prefix v4 = test_tailnet_prefix("0.0.0.0/0"), v6 = test_tailnet_prefix("::/0");

    prefixes_add(&p->record->available, &v4);
    prefixes_add(&p->record->available, &v6);
    prefixes_add(&p->record->approved, &v4);
    prefixes_add(&p->record->approved, &v6);
}

static void be_sick_exit_node(struct peer_state *p)
{
    be_exit_node(p);
    p->live.healthy = false;
}

static void change_endpoints(struct peer_state *p)
{
    p->live.endpoints[0].port = 5;
}

static void lose_endpoints(struct peer_state *p)
{
    p->live.endpoint_count = 0;
}

static void change_relay(struct peer_state *p)
{
    p->live.home_derp = 905;
}

static void change_hostinfo(struct peer_state *p)
{
    mem_replace(&p->record->peer_hostinfo, "{\"OS\":\"windows\"}");
}

static void change_version(struct peer_state *p)
{
    p->record->cap_version = 140;
}

static void leave(struct peer_state *p)
{
    p->live.online = false;
    p->live.last_seen_ns = INT64_C(1767225600000000000);
}

static void leave_with_another_key(struct peer_state *p)
{
    leave(p);
    change_disco_key(p);
    change_node_key(p);
}

static void leave_for_good(struct peer_state *p)
{
    leave(p);
    log_out(p);
}

/* The state of a peer with every field that there is. */
static struct peer_state full_state(void)
{
    struct peer_state p = {.record = test_tailnet_node(2, "peer", 1), .live = test_tailnet_live(2)};

    return p;
}

static void put_state(struct netmap_receiver *f, struct peer_state *p)
{
    test_tailnet_change(&f->w, 1, p->record, &p->live, &p->serving, p->expired);
    test_tailnet_publish(&f->w);
    node_live_release(&p->live);
    prefixes_release(&p->serving);
}

/* A client that was told each change, and one that comes now, hold the same. */
static void hear_and_compare(struct netmap_receiver *f, struct netmap_session *s, struct held_map *held,
                             const char *after)
{
    const json_t *m = next_message(f, s);

    if (m)
        held_map_apply(held, m);
    struct netmap_session *fresh = client(f, 0);
    held_map_compare(held, next_message(f, fresh), after);
    netmap_session_free(fresh);
}

static void note_changed(json_t *seen, const json_t *before, const json_t *after)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)after, name, value)
    {
        if (!json_equal(value, json_object_get(before, name)))
            json_object_set_new(seen, name, json_true());
    }
}

static const struct {
    const char *name;
    void (*make)(struct peer_state *p);
} peer_changes[] = {
#define CHANGE(function)                                                                                               \
    {                                                                                                                  \
#function, function                                                                                            \
    }
    CHANGE(change_name),
    CHANGE(change_owner),
    CHANGE(change_tags),
    CHANGE(change_node_key),
    CHANGE(change_disco_key),
    CHANGE(lose_disco_key),
    CHANGE(end_key_later),
    CHANGE(end_key_by_date),
    CHANGE(log_out),
    CHANGE(change_addresses),
    CHANGE(lose_ipv4),
    CHANGE(serve),
    CHANGE(be_exit_node),
    CHANGE(be_sick_exit_node),
    CHANGE(change_endpoints),
    CHANGE(lose_endpoints),
    CHANGE(change_relay),
    CHANGE(change_hostinfo),
    CHANGE(change_version),
    CHANGE(leave),
    CHANGE(leave_with_another_key),
    CHANGE(leave_for_good),
#undef CHANGE
};

/* From each state to each: what one change needs must not hide behind another one. */
static void every_field_goes_there_and_back(void **state)
{
    static const char *const members[] = {
        "Name",     "User", "Key",  "KeyExpiry",     "DiscoKey", "Addresses", "AllowedIPs", "Endpoints", "HomeDERP",
        "Hostinfo", "Cap",  "Tags", "PrimaryRoutes", "Online",   "LastSeen",  "Expired",    "CapMap"};
    struct netmap_receiver *f = *state;
    struct held_map held;
    json_t *seen = json_object(), *plain;
    char after[128];

    test_tailnet_fill(&f->w, 2);
    test_tailnet_user(&f->w, 2, "bob");
    test_tailnet_publish(&f->w);
    held_map_init(&held);
    struct netmap_session *s = client(f, 0);
    struct peer_state p = full_state();
    put_state(f, &p);
    hear_and_compare(f, s, &held, "the start");
    plain = json_deep_copy(held_map_peer(&held, "2"));
    for (size_t i = 0; i < ARRAY_LEN(peer_changes); i++)
        for (size_t k = 0; k <= ARRAY_LEN(peer_changes); k++) {
            p = full_state();
            peer_changes[i].make(&p);
            put_state(f, &p);
            snprintf(after, sizeof(after), "%s", peer_changes[i].name);
            hear_and_compare(f, s, &held, after);
            note_changed(seen, plain, held_map_peer(&held, "2"));
            p = full_state();
            if (k < ARRAY_LEN(peer_changes))
                peer_changes[k].make(&p);
            put_state(f, &p);
            snprintf(after, sizeof(after), "%s and then %s", peer_changes[i].name,
                     k < ARRAY_LEN(peer_changes) ? peer_changes[k].name : "back");
            hear_and_compare(f, s, &held, after);
        }
    /* And each member that a peer can have was among them, but those that never change. */
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (!json_object_get(seen, members[i]))
            fail_msg("no change was of %s", members[i]);
    assert_int_equal(json_object_size(seen), ARRAY_LEN(members));
    json_decref(seen);
    json_decref(plain);
    held_map_release(&held);
    netmap_session_free(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        T(every_field_goes_there_and_back),
    };
#undef T
    return cmocka_run_group_tests_name("netmap_fields", tests, NULL, NULL);
}
