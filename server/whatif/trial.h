/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: the hypothetical nodes. */
#ifndef SERVER_WHATIF_TRIAL_H
#define SERVER_WHATIF_TRIAL_H

#include "base/map.h"
#include "base/vec.h"
#include "whatif/whatif.h"

struct trial_node {
    const struct node *record; /* with a reference; NULL: the slot is free */
    bool edited;               /* the record is the trial's own copy */
    struct node_live live;     /* its flags; what it points to is borrowed */
    struct prefixes serving;
    bool was_online, expired;
    bool fresh;     /* did not exist before */
    bool gone;      /* does not exist afterwards; the record is the old one */
    bool asked;     /* a change names it */
    bool different; /* differs from before */
    bool announces; /* it advertises something new */
};

struct trial_choice {
    uint32_t slot;
    struct prefix prefix;
    const char *via; /* the group's name, NULL: the election for everyone */
};

struct trial_rule { /* how a prefix is to be served; members not given are as configured */
    struct prefix prefix;
    struct prefix_rule rule;
};

struct trial_nearest { /* a prefix that is served by the nearest router */
    struct prefix prefix;
    uint32_t primary;
    VEC(uint32_t) well; /* its routers */
    uint32_t *routers;  /* by the viewer's slot, POLICY_SLOT_NONE: the primary */
};
struct trial_nearests {
    struct trial_nearest *items;
    size_t len, cap;
};

struct trial_measured { /* a node's latencies to the relays */
    struct relay_latencies latencies;
    bool read;
};

struct trial_row { /* a prefix in the answer */
    struct prefix prefix;
    uint64_t from, to; /* node ids */
    const char *cause; /* of a move; NULL: no change */
};

struct trial {
    const struct whatif_question *q;
    struct arena *arena;
    VEC(struct trial_node) nodes; /* by slot */
    VEC(struct trial_choice) choices;
    VEC(struct trial_rule) rules;
    struct map by_id, by_name; /* node id, name in lower case -> slot + 1 */
    struct policy_view *after;
    struct policy_approvals approvals; /* by autoApprovers */
    struct route_moves moves;
    struct policy_ways ways;
    struct trial_nearests nearest[2]; /* before and after */
    struct trial_measured *measured;  /* by slot; NULL: not needed */
    struct routes_time now;
    uint64_t next_id;
};

/* trial.c */
void trial_init(struct trial *t, const struct whatif_question *q, struct arena *a);
void trial_release(struct trial *t);
/* Applies changes and policy, elects, and compares paths. */
int trial_run(struct trial *t, struct err *e) WARN_UNUSED;

/* nodes.c */
void trial_add(struct trial *t, const struct trial_node *n);        /* in the next slot */
struct trial_node *trial_by_id(const struct trial *t, uint64_t id); /* NULL: none */
uint32_t trial_slot(const struct trial *t, uint64_t id);            /* of a node id, POLICY_SLOT_NONE: none */
struct trial_node *trial_by_name(const struct trial *t, const char *name);
struct node *trial_edit(struct trial_node *n); /* its record, for modification */

/* changes.c */
int trial_change(struct trial *t, const struct whatif_change *c, struct err *e) WARN_UNUSED;

/* nearest.c */
void trial_nearest_list(struct trial *t, int side); /* the prefixes served in this way, and their routers */
void trial_nearest_follow(struct trial *t);         /* who serves whom after the elections */
void trial_nearest_sides(const struct trial *t, struct policy_side *before, struct policy_side *after);
void trial_nearest_release(struct trial *t);

/* answer.c */
void trial_answer(struct trial *t, struct api_simulation *out);

#endif
