/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reaches what, private to answers: the ends of a matrix (reach_ends.c), what rules open between two of them
 * (reach_cells.c), and the whole (reach.c). An end is many nodes; facts about it are stored by rule, so that the cost
 * of a cell depends on the rules that concern both of its ends, not on the number of nodes. */
#ifndef COMMON_POLICY_ANSWERS_REACH_H
#define COMMON_POLICY_ANSWERS_REACH_H

#include "policy/view/view.h"
#include "json/json.h"

#define REACH_BUDGET 100000000U /* about a second's worth */

/* A rule, or one of its destinations, and the nodes of an end that it concerns. */
struct reach_fact {
    uint32_t unit, dst;   /* dst: index of the destination; 0 for a source */
    unsigned families;    /* in which any of them is concerned */
    uint32_t nodes;       /* their number */
    uint32_t first, last; /* slots of two of them, or the same one twice */
};

enum reach_kind {
    REACH_KIND_SELECTOR,
    REACH_KIND_USER,
    REACH_KIND_GROUP,
    REACH_KIND_TAG,
    REACH_KIND_NODE,
    REACH_KIND_PREFIX,
    REACH_KIND_EXIT
};

/* The nodes of an end that belong to one class. */
struct reach_class {
    uint32_t class_id, nodes, first, last;
    unsigned families; /* of their addresses */
};

struct reach_end {
    enum reach_kind kind;
    char *name;
    struct id_list slots; /* ascending */
    uint32_t route;       /* PREFIX: index in the view */
    VEC(struct reach_class) classes;
    VEC(struct reach_fact) facts; /* by unit and destination */
    uint64_t *users;              /* users whose untagged devices are among them; NULL if no rule needs it */
    uint64_t **self_users; /* by index in the view's self_units: users whose devices are sources of it; or NULL */
};
struct reach_ends {
    struct reach_end *items;
    size_t len, cap, total; /* total: including those for which there was no room */
};

struct reach_service {
    int proto; /* PROTO_DEFAULT: the default four */
    uint32_t first, last;
};

/* The contents of one cell. */
struct reach_cell {
    bool some, all;
    const struct policy_rule *rule;
    uint32_t from, to; /* slots of an example pair; to is the router of a network */
    VEC(struct reach_service) services;
};

struct reach {
    const struct policy_view *v;
    uint64_t left; /* of REACH_BUDGET */
};

/* Returns false if the budget is used up. */
static inline bool reach_spend(struct reach *r, uint64_t steps)
{
    r->left = r->left > steps ? r->left - steps : 0;
    return r->left > 0;
}

/* Adds the ends that text names: comma-separated kinds, or a selector. in: NULL, or a selector: only ends with a node,
 * or the network, in it. */
int reach_ends_find(struct reach *r, const char *text, const char *in, bool sources, size_t max, struct reach_ends *out,
                    struct err *e) WARN_UNUSED;
void reach_ends_release(const struct policy_view *v, struct reach_ends *ends);

/* Collects the facts about an end as a source or a destination; needed before its first cell. */
void reach_learn_source(struct reach *r, struct reach_end *end);
void reach_learn_target(struct reach *r, struct reach_end *end);
/* The offsets of the lines of the text, because many are looked up. The caller releases starts. */
struct reach_lines {
    VEC(size_t) starts;
};
void reach_index_lines(const struct policy *p, struct reach_lines *out);
size_t reach_line_at(const struct reach_lines *index, size_t offset);

const char *reach_kind_name(enum reach_kind kind);
/* Writes what a cell opens as text into an open array: the first few. */
void reach_put_services(struct reach_cell *c, struct json_out *o);

/* out is cleared first; returns false if the budget is used up. */
bool reach_cell(struct reach *r, const struct reach_end *from, const struct reach_end *to, struct reach_cell *out);

#endif
