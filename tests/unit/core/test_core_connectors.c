/* SPDX-License-Identifier: BSD-3-Clause */
/* App connectors advertise each address as they learn it: the core writes these changes together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "shared/core_rig.h"

#define LEARNED 60

static struct core_rig r;
static char *key;
static uint64_t id;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned entries; /* of the journal, about what was advertised */

static void on_event(void *arg, const struct event *e)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    entries += str_eq(e->kind, "route.advertised");
    pthread_mutex_unlock(&lock);
}

static int begin(void **state)
{
    (void)state;
    core_rig_prepare(&r, "");
    core_rig_start(&r);
    core_listen(r.core, &(struct core_listener){.event = on_event});
    uint64_t alice = core_rig_user(&r, "alice");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_POLICY_SET,
                                          .text = "{\"tagOwners\":{\"tag:c\":[\"alice@\"]},\"nodeAttrs\":[{\"target\":"
                                                  "[\"*\"],\"app\":{\"tailscale.com/app-connectors\":[{\"name\":\"a\","
                                                  "\"connectors\":[\"tag:c\"],\"domains\":[\"example.com\"]}]}}]}"});
    const struct join j = {.key = key, .name = "c", .machine = 1, .node = 1, .tag = "tag:c"};
    id = core_rig_node(&r, &j);
    core_rig_online(&r, &j);
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    key = NULL;
    return 0;
}

/* The first count addresses, and a network of the connector's own. */
static void advertise(unsigned count, const char *network)
{
    struct core_map m = {.info = {.hostname = "c", .cap_version = 131, .peer_hostinfo = "{\"AppConnector\":true}"}};

    memset(m.machine_key, 1, KEY_LEN);
    memset(m.node_key, 1, KEY_LEN);
    for (unsigned i = 0; i < count; i++) {
        char text[40];
        snprintf(text, sizeof(text), "198.51.100.%u/32", i);
        struct prefix p = sample_prefix(text);
        prefixes_add(&m.info.routes, &p);
    }
    if (network) {
        struct prefix p = sample_prefix(network);
        prefixes_add(&m.info.routes, &p);
    }
    assert_int_equal(core_rig_map(r.core, &m), 0);
    prefixes_release(&m.info.routes);
}

static bool has_learned(const struct tailnet_snapshot *s, void *arg)
{
    const struct node *n = snapshot_node_by_id(s, id)->record;
    size_t count = *(const size_t *)arg;

    return n->available.len == count && n->approved.len == count;
}

static void what_is_learned_is_written_together(void **state)
{
    size_t all = LEARNED, none = 0, more = LEARNED + 1;
    int64_t began = clock_mono_ms();

    (void)state;
    for (unsigned i = 1; i <= LEARNED; i++)
        advertise(i, NULL);
    core_rig_until(&r, has_learned, &all);
    pthread_mutex_lock(&lock);
    unsigned written = entries;
    pthread_mutex_unlock(&lock);
    assert_in_range(written, 1, 2 + (clock_mono_ms() - began) / 1000);
    advertise(LEARNED + 1, NULL); /* at once or after a while: it is not lost */
    core_rig_until(&r, has_learned, &more);
    advertise(LEARNED, NULL);
    advertise(0, NULL);
    core_rig_until(&r, has_learned, &none);
}

static void a_network_is_not_waited_for(void **state)
{
    const struct tailnet_snapshot *s;

    (void)state;
    advertise(1, NULL);
    advertise(2, NULL);
    advertise(2, "10.1.0.0/16");
    assert_int_equal(core_rig_look(&r, id, &s)->record->available.len, 3);
    tailnet_unpin(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_learned_is_written_together, begin, end),
        cmocka_unit_test_setup_teardown(a_network_is_not_waited_for, begin, end),
    };

    return cmocka_run_group_tests_name("core_connectors", tests, NULL, NULL);
}
