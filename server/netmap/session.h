/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: what one receiver was told, and the two ways to tell it more. */
#ifndef SERVER_NETMAP_SESSION_H
#define SERVER_NETMAP_SESSION_H

#include "netmap/access.h"
#include "netmap/store.h"

struct told_view { /* of a peer that was not shown whole */
    uint32_t slot;
    uint64_t hash;
};

struct netmap_session {
    struct netmap *nm;
    struct netmap_client client;
    const struct node *self; /* as last told, for the goodbye */
    uint64_t cursor;         /* the change up to which everything was told */
    bool started, gone, self_changed;
    bool tagged_told; /* the profile of tagged devices */
    uint64_t self_hash, ssh_version;
    struct { /* bits */
        uint64_t *words;
        size_t len;
    } peers, users; /* by slot; by user id */
    VEC(struct told_view) views;
    struct told_filter filter;
};

bool told_peer(const struct netmap_session *s, uint32_t slot);
void set_told_peer(struct netmap_session *s, uint32_t slot, bool told);
bool told_user(const struct netmap_session *s, uint64_t id);
void set_told_user(struct netmap_session *s, uint64_t id);

uint64_t told_view(const struct netmap_session *s, uint32_t slot);
void set_told_view(struct netmap_session *s, uint32_t slot, uint64_t hash);

/* A peer as an element, as the receiver is shown it. */
void put_peer(struct netmap_session *s, struct json_out *o, const struct access *a, const struct tailnet_node *peer,
              const struct peer_view *view);

/* Write the members that differ from what was told (all of them with first) and note them as told. True: something was
 * written. */
bool put_self(struct netmap_session *s, struct json_out *o, const struct access *a, const struct tailnet_node *self,
              bool first);
bool put_ssh(struct netmap_session *s, struct json_out *o, const struct access *a, const struct tailnet_node *self,
             bool first);
void put_profiles(struct json_out *o, const struct access *a, const struct owners *owners);
void put_derp(struct json_out *o, const struct access *a, unsigned cap_version);
void put_dns(struct json_out *o, const struct access *a);

/* full.c */
void full_map(struct netmap_session *s, const struct access *a, const struct tailnet_node *self, struct worker *w,
              struct netmap_message *out);
/* delta.c; false: there is nothing to tell. */
bool delta(struct netmap_session *s, const struct access *a, const struct tailnet_node *self, struct worker *w,
           struct netmap_message *out);

static inline void key_u64(struct buf *key, uint64_t value)
{
    buf_add(key, &value, sizeof(value));
}

#endif
