/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: the nodes as they would be. */
#ifndef SERVER_WHATIF_TRIAL_H
#define SERVER_WHATIF_TRIAL_H

#include "base/map.h"
#include "base/vec.h"
#include "whatif/whatif.h"

struct trial_node {
    const struct node *record; /* with a reference; NULL: nobody has the slot */
    bool edited;               /* the record is a copy of ours */
    struct node_live live;     /* its flags; what it points to is not its own */
    struct prefixes serving;
    bool was_online, expired;
    bool fresh;     /* it was not there before */
    bool gone;      /* it is not there afterwards; the record is what it was */
    bool asked;     /* a change names it */
    bool different; /* it is not as it was */
    bool announces; /* it advertises something new */
};

struct trial_choice {
    uint32_t slot;
    struct prefix prefix;
    const char *via; /* the group's name, NULL: for everybody */
};

struct trial_rule { /* how a prefix is to be served; what is not given is as configured */
    struct prefix prefix;
    struct prefix_rule rule;
};

struct trial_nearest { /* a prefix that is served by the nearest router */
    struct prefix prefix;
    uint32_t primary;
    VEC(uint32_t) well; /* its routers */
    uint32_t *routers;  /* by slot of the viewer, POLICY_SLOT_NONE: the primary */
};
struct trial_nearests {
    struct trial_nearest *items;
    size_t len, cap;
};

struct trial_measured { /* by a node, to the relays */
    struct relay_latencies latencies;
    bool read;
};

struct trial_row { /* a prefix that is told about */
    struct prefix prefix;
    uint64_t from, to; /* node ids */
    const char *cause; /* of a move; NULL: it stays as it is */
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
    struct trial_measured *measured;  /* by slot; NULL: it was not needed */
    struct routes_time now;
    uint64_t next_id;
};

/* trial.c */
void trial_init(struct trial *t, const struct whatif_question *q, struct arena *a);
void trial_release(struct trial *t);
/* Applies changes and policy, elects, and compares ways. */
int trial_run(struct trial *t, struct err *e) WARN_UNUSED;

/* nodes.c */
void trial_add(struct trial *t, const struct trial_node *n);        /* in the next slot */
struct trial_node *trial_by_id(const struct trial *t, uint64_t id); /* NULL: none */
uint32_t trial_slot(const struct trial *t, uint64_t id);            /* of a node id, POLICY_SLOT_NONE: there is none */
struct trial_node *trial_by_name(const struct trial *t, const char *name);
struct node *trial_edit(struct trial_node *n); /* its record, to be changed */

/* changes.c */
int trial_change(struct trial *t, const struct whatif_change *c, struct err *e) WARN_UNUSED;

/* nearest.c */
void trial_nearest_list(struct trial *t, int side); /* which prefixes are served so, and their routers */
void trial_nearest_follow(struct trial *t);         /* who serves whom after the elections */
void trial_nearest_sides(const struct trial *t, struct policy_side *before, struct policy_side *after);
void trial_nearest_release(struct trial *t);

/* answer.c */
void trial_answer(struct trial *t, struct api_simulation *out);

#endif
