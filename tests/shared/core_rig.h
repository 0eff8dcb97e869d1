/* SPDX-License-Identifier: BSD-3-Clause */
/* A core with a store in a temporary folder, and short functions to call it. For cmocka: errors fail the test. */
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
    uint64_t alice; /* set by core_rig_begin */
    char *key;      /* of alice, set by core_rig_begin_with_key */
};

/* extra: additional lines of configuration, "" for none. The configuration may be changed between prepare and start. */
void core_rig_prepare(struct core_rig *r, const char *extra);
void core_rig_start(struct core_rig *r);
void core_rig_stop(struct core_rig *r); /* keeps the store's file, which core_rig_start opens again */
/* The beginning of most tests: prepares with these lines, starts, and adds the user alice. Returns her id. */
uint64_t core_rig_begin(struct core_rig *r, const char *extra);
/* The same, with a reusable pre-auth key for her. */
void core_rig_begin_with_key(struct core_rig *r, const char *extra);
void core_rig_end(struct core_rig *r);

/* Sends a call, waits for the answer and returns its code. */
int core_rig_register(struct core *core, struct core_register *call);
int core_rig_map(struct core *core, struct core_map *call);
int core_rig_ssh(struct core *core, struct core_ssh *call);
int core_rig_change(struct core *core, struct core_admin *call);
/* The same in two steps, between which the test sends the call. */
struct core_rig_answer {
    sem_t done;
};
void core_rig_expect(struct core_rig_answer *a, struct core_call *call);
int core_rig_await(struct core_rig_answer *a, const struct core_call *call);

struct join {
    const char *key, *name, *followup;
    uint8_t machine, node; /* the value of every byte of the keys */
    const char *tag, *route;
    int64_t expiry_ns;
    bool ephemeral;
    uint64_t exit_node_id; /* the exit node that it reports using */
};
/* Calls core_register and waits; *call has the answer. */
enum register_result core_rig_join(struct core_rig *r, const struct join *j, struct core_register *call);
/* A join that must succeed; returns the node's id. */
uint64_t core_rig_node(struct core_rig *r, const struct join *j);
/* A device for alice's key, with keys made of number; and one that joins: returns its node's id. */
struct join core_rig_device(const struct core_rig *r, uint8_t number, const char *name, const char *route);
uint64_t core_rig_add(struct core_rig *r, uint8_t number, const char *name, const char *route);
/* Opens a session with the node's present name and route. */
uint64_t core_rig_online(struct core_rig *r, const struct join *j);

/* Calls core_admin, waits and returns its code; the caller releases the call. */
int core_rig_admin(struct core_rig *r, struct core_admin *a);
void core_rig_admin_ok(struct core_rig *r, struct core_admin a);
uint64_t core_rig_user(struct core_rig *r, const char *name);
/* The text of a key; caller frees. */
char *core_rig_key(struct core_rig *r, struct core_admin a);
/* Approves (or revokes) one prefix on a node. */
void core_rig_approve(struct core_rig *r, uint64_t node, const char *prefix, bool revoke);

/* The node in the newest snapshot, valid until *pin is unpinned; NULL if there is none. */
const struct tailnet_node *core_rig_look(struct core_rig *r, uint64_t id, const struct tailnet_snapshot **pin);
/* Waits for publications until true; fails the test after some seconds. */
void core_rig_until(struct core_rig *r, bool (*is)(const struct tailnet_snapshot *s, void *arg), void *arg);

#endif
