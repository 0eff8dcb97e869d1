/* SPDX-License-Identifier: BSD-3-Clause */
/* A core over a store in a folder of its own, and short ways to ask it. For cmocka tests: what goes wrong fails. */
#ifndef TESTS_SHARED_CORE_RIG_H
#define TESTS_SHARED_CORE_RIG_H

#include <semaphore.h>

#include "core/core.h"
#include "shared/store_fixture.h"

struct core_rig {
    struct fixture store;
    struct config *config;
    struct tailnet *tailnet;
    struct core *core;
    uint64_t alice; /* since core_rig_begin */
    char *key;      /* hers, since core_rig_begin_with_key */
};

/* extra: more lines of configuration, "" for none. Between prepare and start the config may be changed. */
void core_rig_prepare(struct core_rig *r, const char *extra);
void core_rig_start(struct core_rig *r);
void core_rig_stop(struct core_rig *r); /* the store's file stays: core_rig_start goes on with it */
/* The beginning of most tests: prepared with these lines, started, and the user alice is there. Her id. */
uint64_t core_rig_begin(struct core_rig *r, const char *extra);
/* The same, and she has a reusable pre-auth key. */
void core_rig_begin_with_key(struct core_rig *r, const char *extra);
void core_rig_end(struct core_rig *r);

/* Sends a call and waits until it is answered: its code. */
int core_rig_register(struct core *core, struct core_register *call);
int core_rig_map(struct core *core, struct core_map *call);
int core_rig_ssh(struct core *core, struct core_ssh *call);
int core_rig_change(struct core *core, struct core_admin *call);
/* The same in two steps: the call is sent between them. */
struct core_rig_answer {
    sem_t done;
};
void core_rig_expect(struct core_rig_answer *a, struct core_call *call);
int core_rig_await(struct core_rig_answer *a, const struct core_call *call);

struct join {
    const char *key, *name, *followup;
    uint8_t machine, node; /* every byte of the keys */
    const char *tag, *route;
    int64_t expiry_ns;
    bool ephemeral;
    uint64_t exit_node_id; /* the exit node that it says it uses */
};
/* core_register answered; *call keeps the answers. */
enum register_result core_rig_join(struct core_rig *r, const struct join *j, struct core_register *call);
/* A join that must succeed: the node's id. */
uint64_t core_rig_node(struct core_rig *r, const struct join *j);
/* A device of her key, its keys made of this number; and one that joined: its node's id. */
struct join core_rig_device(const struct core_rig *r, uint8_t number, const char *name, const char *route);
uint64_t core_rig_add(struct core_rig *r, uint8_t number, const char *name, const char *route);
/* Opens a session with the node's present name and route. */
uint64_t core_rig_online(struct core_rig *r, const struct join *j);

/* core_admin answered: its code; release it. */
int core_rig_admin(struct core_rig *r, struct core_admin *a);
void core_rig_admin_ok(struct core_rig *r, struct core_admin a);
uint64_t core_rig_user(struct core_rig *r, const char *name);
/* A key's text, the caller's. */
char *core_rig_key(struct core_rig *r, struct core_admin a);
/* One prefix approved (or revoked) on a node. */
void core_rig_approve(struct core_rig *r, uint64_t node, const char *prefix, bool revoke);

/* The node in the newest snapshot, NULL: there is none; valid until *pin is unpinned. */
const struct tailnet_node *core_rig_look(struct core_rig *r, uint64_t id, const struct tailnet_snapshot **pin);
/* Waits for publications until true; fails the test after some seconds. */
void core_rig_until(struct core_rig *r, bool (*is)(const struct tailnet_snapshot *s, void *arg), void *arg);

#endif
