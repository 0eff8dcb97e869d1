/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: what a receiver must be sent since its cursor, and how that is written and named. */
#ifndef SERVER_NETMAP_UPDATE_H
#define SERVER_NETMAP_UPDATE_H

#include "netmap/members.h"

struct netmap_item {
    const struct tailnet_node *node;
    uint32_t patch; /* 0: whole */
    struct peer_view view;
};

/* What a receiver must be sent, besides w->removed. */
struct netmap_update {
    VEC(struct netmap_item) items;
    struct netmap_owners profiles;
    uint32_t self;   /* change bits of the receiver's own node */
    bool structure;  /* something changed that policy rules may depend on */
    bool recheck;    /* compare with everything visible now */
    bool connectors; /* an app connector changed: domains may be resolved elsewhere now */
    bool steering;   /* whether exit nodes are chosen by priority */
    bool serving;    /* the receiver, as nearest router, serves other prefixes than before */
    bool dns, derp;
    bool messages; /* something changed that messages to the receiver's user may depend on */
};

/* The members besides the peers that many receivers share, and their name for sharing. */
void put_rest(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct netmap_worker *w, const struct netmap_update *update);
void name_rest(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
               const struct netmap_update *update, char kind);
void put_item(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct netmap_item *item);

/* Aligned parts of the receiver's own block: the size of the part that begins at from. Only the part that contains own
 * is the receiver's alone; it has OWN_PART slots. */
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
