/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to netmap: bytes that are made once and shared. Three things behind one lock that is held for a lookup only:
 * the JSON of each node's present version, compressed chunks by key (least recently used out beyond a bound), and
 * workers, the memory and compression state that one thread uses for one message. */
#ifndef SERVER_NETMAP_STORE_H
#define SERVER_NETMAP_STORE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "netmap/netmap.h"

#define SHARED_MAX   (64u << 20) /* bytes of shared chunks */
#define KEY_SIZE_MAX 4096        /* what takes a longer key is not shared */

/* Users that a chunk's nodes belong to, so that their profiles go with it. */
struct netmap_owners {
    uint64_t *items; /* ascending, without duplicates */
    size_t len, cap;
};
void owners_add(struct netmap_owners *o, uint64_t id);

struct cache_entry {
    struct cache_entry *newer, *older;
    struct chunk *bytes;
    struct netmap_owners owners;
    unsigned used; /* nm->period of its last use */
    size_t key_len;
    uint8_t key[];
};

/* Of a slot: the newest version that was encoded. */
struct netmap_fragment {
    uint64_t version;
    uint64_t id, previous_id; /* the node, and who had the slot before: for readers that missed the removal */
    struct chunk *json;
};

/* A user as of the last snapshot that was looked at, and since when. */
struct known_user {
    const struct user *user;
    uint64_t changed;
};

struct netmap_worker {
    struct netmap_worker *next;
    void *zip;
    struct buf json, key, packed;
    struct {
        uint32_t *mask; /* by slot, zero outside of touched */
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
    uint64_t users_seen;                   /* users_version that the map is true for */
    struct netmap_worker *workers;
    struct chunk *keepalive[2], *closing[2], *space; /* [1]: compressed */
    size_t keepalive_len;                            /* of the compressed one, without its length */
    struct netmap_counters counters;
};

struct netmap_worker *worker_take(struct netmap *nm, size_t slots);
void worker_give(struct netmap *nm, struct netmap_worker *w);
void worker_free(struct netmap_worker *w);

/* bytes as one zstd frame, or a copy of them without zstd. */
struct chunk *pack(struct netmap_worker *w, const void *bytes, size_t len, bool zstd);

/* A reference to the chunk with this key, or NULL; owners, if not NULL, get those of the chunk added. */
struct chunk *cache_get(struct netmap *nm, const struct buf *key, struct netmap_owners *owners);
void cache_put(struct netmap *nm, const struct buf *key, struct chunk *bytes, const struct netmap_owners *owners);

/* The node as peer with all its routes, as JSON; a reference. */
struct chunk *fragment_get(struct netmap *nm, const struct tailnet_snapshot *s, const struct tailnet_node *n);
/* Who is or was in the slot, newest first; 0: nobody that was ever encoded. */
void fragment_owners(struct netmap *nm, uint32_t slot, uint64_t ids[2]);

/* Notes which users changed; then for each: the change number since when it is as it is. */
void users_look(struct netmap *nm, const struct tailnet_snapshot *s);
uint64_t user_changed(struct netmap *nm, uint64_t id);

/* m becomes a message: its length is put in front, a length that clients would take for a keepalive is avoided. */
void message_add(struct netmap_message *m, struct chunk *c); /* takes the reference */
void message_finish(struct netmap *nm, struct netmap_message *m, bool zstd);

#endif
