/* SPDX-License-Identifier: BSD-3-Clause */
/* Converts a snapshot to the structs of model/api.h; memory from the arena or borrowed from the snapshot. */
#ifndef SERVER_API_VIEW_VIEW_H
#define SERVER_API_VIEW_VIEW_H

#include <stdatomic.h>

#include "api/request/state.h"
#include "base/arena.h"
#include "base/map.h"
#include "model/api.h"

struct relay_name {
    uint64_t id;
    char *code, *name;
};
struct relay_names { /* from one DERP map */
    atomic_uint refs;
    uint64_t version;
    struct relay_name *items;
    size_t len;
};
struct relay_names *relays_get(struct api *api, const struct tailnet_snapshot *s);
void relays_unref(struct relay_names *relays);

struct api_view {
    const struct tailnet_snapshot *s;
    struct tailnet *tailnet;          /* for its policy; NULL: unknown */
    const struct relay_names *relays; /* NULL: no relay names */
    struct map nodes;                 /* id -> struct tailnet_node, filled once lookups are frequent */
    bool nodes_filled;
    unsigned lookups;
    const struct map *logins; /* auth id -> struct login_progress of server/login; NULL: they are not told */
};
void show_init(struct api_view *v, struct api *api, const struct tailnet_snapshot *s);
void show_release(struct api_view *v);
const struct tailnet_node *show_find_node(struct api_view *v, uint64_t id);

void show_user(const struct user *u, struct api_user *out); /* node_count stays 0 */
void show_preauth_key(struct api_view *v, const struct preauth_key *k, struct arena *a, struct api_preauth_key *out);
void show_api_key(const struct api_key *k, struct arena *a, struct api_api_key *out);
void show_node(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out);
void show_node_routes(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out);
void show_pending(struct api_view *v, const struct pending *p, struct arena *a, struct api_pending *out);
void show_event(const struct event *e, struct api_event *out); /* without its inverse */
/* All prefixes of the tailnet in order, or, if only is not NULL, those in it. */
void show_prefixes(struct api_view *v, const struct prefixes *only, struct arena *a, struct api_list *out);
/* Which routes to examine. */
struct route_question {
    uint64_t node;                   /* 0: any */
    const struct prefixes *prefixes; /* NULL: all */
    bool as_approved;                /* the prefixes are examined as if that node's were approved */
    bool may_wait;                   /* may wait for a name lookup */
};
/* Problems and surprises of advertised or approved routes; exit routes appear as 0.0.0.0/0. A list of struct
 * api_route_problem. */
void show_route_problems(struct api_view *v, struct api *api, const struct route_question *q, struct arena *a,
                         struct api_list *out);
/* Of best (NULL: none yet) and n, the node that would serve p instead of without (NULL: nobody): for everybody, or,
 * with tags (not NULL), within the group of routers with one of the tags, "tag:a, tag:b". */
const struct tailnet_node *show_better_router(const struct tailnet_node *best, const struct tailnet_node *n,
                                              const struct tailnet_node *without, const struct prefix *p,
                                              const struct prefix_rule *rule, const char *tags);
struct readback_confirmation;
/* t: for its policy */
void show_drain(struct api_view *v, struct tailnet *t, const struct tailnet_node *n,
                const struct readback_confirmation *c, struct arena *a, struct api_drain *out);
/* How a prefix with these settings (NULL: none) is served; the other members of out stay unchanged. */
void show_rule(const struct tailnet_snapshot *s, const struct prefix_settings *settings, struct arena *a,
               struct api_prefix *out);
void show_exits(struct api_view *v, struct arena *a, struct api_list *out); /* struct api_exit, by id */
/* The router that serves the viewer if the nearest one serves the prefix, and a sentence that explains it; NULL: it
 * does not. */
const struct tailnet_node *show_nearest(const struct tailnet_snapshot *s, const struct tailnet_node *viewer,
                                        const struct prefix *p, struct buf *why);
void show_apps(struct api_view *v, struct tailnet *t, struct arena *a, struct api_list *out);  /* struct api_app */
const struct tailnet_node **show_nodes_by_id(const struct tailnet_snapshot *s, size_t *count); /* free() */
const char *show_relay_name(const struct api_view *v, uint64_t region); /* its code; "" if unknown */
/* The round trips of the node's control connections, as far as control (NULL: none) keeps them; all: every one and the
 * client's measurements to relays, otherwise the last one only. */
struct control;
struct api_node_round_trips;
void show_round_trips(struct api_view *v, struct control *control, const struct tailnet_node *n, bool all,
                      struct arena *a, struct api_node_round_trips *out);
/* Number of nodes of each user, indexed as snapshot.users; free(). */
uint64_t *show_node_counts(const struct tailnet_snapshot *s);

#endif
