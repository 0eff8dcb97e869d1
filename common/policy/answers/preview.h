/* SPDX-License-Identifier: BSD-3-Clause */
/* A comparison of two policies, inside the room: access in preview.c, routes in preview_routes.c. */
#ifndef COMMON_POLICY_ANSWERS_PREVIEW_H
#define COMMON_POLICY_ANSWERS_PREVIEW_H

#include "policy/view/view.h"
#include "json/json.h"

#define PREVIEW_NAMES 5 /* of a set, beside its size */

struct preview_token {
    const char *target; /* "": the device itself; else "*", a network, autogroup:internet, or "cap NAME" */
    int proto;
    uint16_t first, last;
};

struct preview_group {
    uint32_t class_id[2];
    struct id_list nodes;
    size_t online;
};

/* A unit of one view gives these tokens on that group. */
struct preview_access {
    uint32_t group;
    struct id_list tokens;
};
struct preview_accesses {
    struct preview_access *items;
    size_t len, cap;
};

struct preview_row {
    bool lost;
    struct id_list tokens, from, to; /* groups */
    size_t pairs, online_pairs;
};
struct preview_route {
    bool hidden;
    uint32_t router;
    struct prefix route;
    struct id_list viewers; /* groups */
    size_t count;           /* of nodes */
};
struct preview_viewer {
    struct id_list viewers, routes; /* groups; rows of routes */
    size_t count, hidden;
};

struct preview {
    const struct policy_view *v[2];
    struct arena arena;
    VEC(struct preview_group) groups;
    struct map group_index;
    VEC(struct preview_token) tokens;
    struct map token_index;
    struct preview_accesses *by_unit[2];
    VEC(struct preview_row) rows;
    struct map row_index;
    const struct policy_approvals *approvals;
    VEC(struct preview_route) routes;
    VEC(struct preview_viewer) viewers;
    struct map route_index, viewer_index;
};

/* {"names": a few of the groups' nodes, "count": N} */
void preview_names(const struct preview *p, const char *key, const struct id_list *groups, size_t count,
                   struct json_out *o);
void preview_compare_routes(struct preview *p);
void preview_put_routes(struct preview *p, size_t max_rows, struct json_out *o);
void preview_release_routes(struct preview *p);

#endif
