/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reaches what, inside answers: the ends of a matrix (reach_ends.c), what rules open between two of them
 * (reach_cells.c), and the whole (reach.c). An end is many nodes; what is known of it is kept by rule, so that a cell
 * costs what the rules cost that concern both of its ends, however many nodes they are. */
#ifndef COMMON_POLICY_ANSWERS_REACH_H
#define COMMON_POLICY_ANSWERS_REACH_H

#include "policy/view/view.h"
#include "json/json.h"

#define REACH_BUDGET 100000000U /* steps, about a second's worth */

/* One rule, or one destination of it, and those nodes of an end that it concerns. */
struct reach_fact {
    uint32_t unit, dst;   /* dst: index of the destination; of a source 0 */
    unsigned families;    /* in which some of them are concerned */
    uint32_t nodes;       /* how many are */
    uint32_t first, last; /* two of them, slots; the same where it is one */
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

/* Nodes of one class, of an end. */
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
    uint64_t *users;              /* whose untagged devices are among them; NULL where no rule asks for that */
    uint64_t **self_users;        /* by place in the view's self_units: users whose devices are sources of it; NULL */
};
struct reach_ends {
    struct reach_end *items;
    size_t len, cap, total; /* total: with those that had no room */
};

struct reach_service {
    int proto; /* PROTO_DEFAULT: the default four */
    uint32_t first, last;
};

/* What is found out about one cell. */
struct reach_cell {
    bool some, all;
    const struct policy_rule *rule;
    uint32_t from, to; /* a pair that it is true for: slots; to is the router of a network */
    VEC(struct reach_service) services;
};

struct reach {
    const struct policy_view *v;
    uint64_t left; /* of REACH_BUDGET */
};

/* False: the budget is used up. */
static inline bool reach_spend(struct reach *r, uint64_t steps)
{
    r->left = r->left > steps ? r->left - steps : 0;
    return r->left > 0;
}

/* Adds the ends that text stands for: kinds separated by commas, or a selector. in: NULL, or a selector: only ends of
 * which some node, or the network, lies in it. */
int reach_ends_find(struct reach *r, const char *text, const char *in, bool sources, size_t max, struct reach_ends *out,
                    struct err *e) WARN_UNUSED;
void reach_ends_release(const struct policy_view *v, struct reach_ends *ends);

/* What the rules say about an end as a source, as a destination; before its first cell. */
void reach_learn_source(struct reach *r, struct reach_end *end);
void reach_learn_target(struct reach *r, struct reach_end *end);
/* Where the lines of the text begin: many places are looked up. The caller releases starts. */
struct reach_lines {
    VEC(size_t) starts;
};
void reach_index_lines(const struct policy *p, struct reach_lines *out);
size_t reach_line_at(const struct reach_lines *index, size_t offset);

const char *reach_kind_name(enum reach_kind kind);
/* The texts of what a cell opens, into an open array: the first few. */
void reach_put_services(struct reach_cell *c, struct json_out *o);

/* out is emptied first; false: the budget is used up. */
bool reach_cell(struct reach *r, const struct reach_end *from, const struct reach_end *to, struct reach_cell *out);

#endif
