/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: what one receiver was told, and the two ways to tell it more. */
#ifndef SERVER_NETMAP_SESSION_H
#define SERVER_NETMAP_SESSION_H

#include "netmap/access.h"
#include "netmap/cache.h"

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
/* Notes all nodes of a block at once; blocks: how many there are, so that the bits grow once. */
void set_told_block(struct netmap_session *s, size_t block, uint64_t mask, size_t blocks);
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
void put_dns(struct json_out *o, const struct access *a); /* and what else has its version */

struct item {
    const struct tailnet_node *node;
    uint32_t patch; /* 0: whole */
    struct peer_view view;
};

/* What a receiver must hear, beside w->removed. */
struct news {
    VEC(struct item) items;
    struct owners profiles;
    uint32_t self;  /* change bits of the receiver's own node */
    bool structure; /* something changed that a policy's rules may depend on */
    bool recheck;   /* compare with everything that is visible now */
    bool dns, derp;
};

/* The members that many receivers share, without the peers; and their name, for sharing. */
void put_rest(struct netmap_session *s, struct json_out *o, const struct access *a, const struct worker *w,
              const struct news *news);
void name_rest(struct netmap_session *s, const struct access *a, struct worker *w, const struct news *news, char kind);
void put_item(struct netmap_session *s, struct json_out *o, const struct access *a, const struct item *item);

/* full.c */
void full_map(struct netmap_session *s, const struct access *a, const struct tailnet_snapshot *peers_of,
              const struct tailnet_node *self, struct worker *w, struct netmap_message *out);
/* delta.c; false: there is nothing to tell. */
bool delta(struct netmap_session *s, const struct access *a, const struct tailnet_node *self, struct worker *w,
           struct netmap_message *out);

/* split.c: a delta of many items, block by block, so that receivers share the parts that do not hold themselves. The
 * object is open in w->json and holds what is this receiver's alone (own). */
void split_delta(struct netmap_session *s, const struct access *a, const struct tailnet_node *self, struct worker *w,
                 struct news *news, bool own, struct netmap_message *out);

/* The receiver's own block in aligned parts: the size of the one that begins at from. Only the part that holds own is
 * the receiver's alone; it has OWN_PART slots. */
#define OWN_PART 8
static inline unsigned own_part(unsigned own, unsigned from)
{
    unsigned size = TAILNET_BLOCK;

    while (size > OWN_PART && (from % size || own / size == from / size))
        size /= 2;
    return size;
}

static inline uint64_t part_mask(unsigned from, unsigned size)
{
    return (size < 64 ? (UINT64_C(1) << size) - 1 : UINT64_MAX) << from;
}

static inline void key_u64(struct buf *key, uint64_t value)
{
    buf_add(key, &value, sizeof(value));
}

#endif
