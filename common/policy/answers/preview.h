/* SPDX-License-Identifier: BSD-3-Clause */
/* The comparison of two policies, private to answers: what rules open on a group of nodes (preview_access.c), the
 * difference between two such sets (preview_diff.c), which routes are shown to whom (preview_routes.c), packets that
 * take another way, and the cost (preview_cost.c), and the whole (preview.c). */
#ifndef COMMON_POLICY_ANSWERS_PREVIEW_H
#define COMMON_POLICY_ANSWERS_PREVIEW_H

#include "policy/view/view.h"
#include "json/json.h"

#define PREVIEW_NAMES  5          /* of a set, in addition to its size */
#define PREVIEW_BUDGET 200000000U /* comparisons, some seconds' worth */

/* Nodes that neither policy distinguishes. */
struct preview_group {
    uint32_t class_id[2];
    struct id_list nodes;
    size_t online;
};

/* What can be reached on a node or behind it. It is used as a key, so memset must clear the padding. */
enum box_place { BOX_OWN4, BOX_OWN6, BOX_RANGE };
#define BOX_CAPABILITY (-2) /* instead of a protocol */
struct preview_box {
    uint32_t place, text; /* text: of a capability and one of its values */
    int32_t proto;        /* never PROTO_DEFAULT */
    uint16_t first, last;
    struct addr_range range; /* BOX_RANGE */
};

/* The boxes that a unit of one view opens on a group, by the families of the source. */
struct preview_opening {
    uint32_t group;
    uint32_t access[FAMILY_BOTH + 1]; /* sets of boxes; NONE: nothing, PREVIEW_UNKNOWN: not computed yet */
};
#define PREVIEW_UNKNOWN (NONE - 1)
struct preview_openings {
    struct preview_opening *items;
    size_t len, cap;
};

/* What one group may do on another, for both sides. */
struct preview_held {
    struct id_list access[2]; /* sets of boxes */
    struct id_list ssh[2];    /* indices of SSH rules, in order of evaluation */
};
struct preview_difference {
    struct id_list texts[2]; /* gained, lost */
    struct id_list kept;     /* for lost access: what is open before and after */
};

struct preview_row {
    bool lost;
    struct id_list texts, kept, from, to; /* from, to: groups */
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
    uint64_t left; /* of PREVIEW_BUDGET */
    struct arena arena;
    VEC(struct preview_group) groups;
    struct map group_index;
    VEC(const char *) texts;
    struct map text_index;
    VEC(struct preview_box) boxes;
    struct map box_index;
    VEC(struct id_list) accesses; /* sets of boxes, each sorted */
    struct map access_index;
    struct map app_texts; /* from const struct policy_app * to struct id_list *: texts */
    struct preview_openings *by_unit[2];
    struct preview_openings *by_ssh_rule[2];
    VEC(struct preview_difference) differences;
    struct map difference_index;
    VEC(struct preview_row) rows;
    struct map row_index;
    const struct policy_approvals *approvals;
    VEC(struct preview_route) routes;
    VEC(struct preview_viewer) viewers;
    struct map route_index, viewer_index;
};

uint32_t preview_text(struct preview *p, const char *text);
bool preview_spend(struct preview *p, size_t steps); /* false if the budget is used up */

void preview_build_openings(struct preview *p, int side);
/* The boxes of the opening for sources of these families. */
uint32_t preview_access(struct preview *p, struct preview_opening *o, unsigned families);
void preview_release_access(struct preview *p);

/* Valid until the next call. */
const struct preview_difference *preview_difference(struct preview *p, const struct preview_held *held);
void preview_release_differences(struct preview *p);

/* {"names": a few of the groups' nodes, "count": N} */
void preview_names(const struct preview *p, const char *key, const struct id_list *groups, size_t count,
                   struct json_out *o);
/* Packets that take another way, and the cost of the change. */
void preview_put_ways(struct preview *p, size_t max_rows, struct json_out *o);
void preview_put_cost(struct preview *p, struct json_out *o);
void preview_compare_routes(struct preview *p);
void preview_put_routes(struct preview *p, size_t max_rows, struct json_out *o);
void preview_release_routes(struct preview *p);

#endif
