/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: bytes that are made once and shared. One lock, held only for lookups, protects three things: the
 * JSON of each node's present version; compressed chunks by key (above a bound the least recently used are dropped);
 * and workers, the memory and compression state that a thread uses for one message. */
#ifndef SERVER_NETMAP_STORE_H
#define SERVER_NETMAP_STORE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "netmap/netmap.h"

#define SHARED_MAX   (64u << 20) /* bytes of shared chunks */
#define KEY_SIZE_MAX 4096        /* chunks with a longer key are not shared */

/* The users that a chunk's nodes belong to, so that their profiles are sent with it. */
struct netmap_owners {
    uint64_t *items; /* ascending, without duplicates */
    size_t len, cap;
};
void owners_add(struct netmap_owners *o, uint64_t id);

struct cache_entry {
    struct cache_entry *newer, *older;
    struct chunk *bytes;
    struct netmap_owners owners;
    unsigned used; /* nm->period of the last use */
    size_t key_len;
    uint8_t key[];
};

/* The newest encoded version of a slot's node. */
struct netmap_fragment {
    uint64_t version;
    uint64_t id, previous_id; /* the node, and the slot's previous owner: for readers that missed the removal */
    struct chunk *json;
};

/* A user as of the last snapshot examined, and since which change. */
struct known_user {
    const struct user *user;
    uint64_t changed;
};

struct netmap_worker {
    struct netmap_worker *next;
    void *zip;
    struct buf json, key, packed;
    struct {
        uint32_t *mask; /* by slot, zero for slots not in touched */
        size_t slots;
    } dirty;
    VEC(uint32_t) touched;
    VEC(uint64_t) removed;
    VEC(uint64_t) visible; /* by block */
    struct netmap_owners owners;
};

struct netmap {
    struct tailnet *tailnet;
    pthread_mutex_t lock;
    struct map shared;
    struct cache_entry *newest, *oldest;
    size_t shared_bytes;
    unsigned period;                       /* counts calls of netmap_trim */
    VEC(struct netmap_fragment) fragments; /* by slot */
    struct map users;                      /* id -> struct known_user */
    uint64_t users_seen;                   /* users_version up to which the map is current */
    struct netmap_worker *workers;
    struct chunk *keepalive[2], *closing[2], *space; /* [1]: compressed */
    size_t keepalive_len;                            /* of the compressed one, without its length prefix */
    struct netmap_counters counters;
};

struct netmap_worker *worker_take(struct netmap *nm, size_t slots);
void worker_give(struct netmap *nm, struct netmap_worker *w);
void worker_free(struct netmap_worker *w);

/* bytes as one zstd frame, or copied if zstd is false. */
struct chunk *pack(struct netmap_worker *w, const void *bytes, size_t len, bool zstd);

/* A reference to the chunk with this key, or NULL; the chunk's owners are added to owners unless that is NULL. */
struct chunk *cache_get(struct netmap *nm, const struct buf *key, struct netmap_owners *owners);
void cache_put(struct netmap *nm, const struct buf *key, struct chunk *bytes, const struct netmap_owners *owners);

/* The node as peer with all its routes, as JSON; a reference. */
struct chunk *fragment_get(struct netmap *nm, const struct tailnet_snapshot *s, const struct tailnet_node *n);
/* The slot's present and previous node, newest first; 0: none was ever encoded. */
void fragment_owners(struct netmap *nm, uint32_t slot, uint64_t ids[2]);

/* Notes which users changed. user_changed then returns for each the number of its last change. */
void users_look(struct netmap *nm, const struct tailnet_snapshot *s);
uint64_t user_changed(struct netmap *nm, uint64_t id);

/* Completes m as a message: prefixes its length, and avoids a length that clients would take for a keepalive. */
void message_add(struct netmap_message *m, struct chunk *c); /* takes the reference */
void message_finish(struct netmap *nm, struct netmap_message *m, bool zstd);

#endif
