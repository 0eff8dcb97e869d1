/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of clients to the relay (links) and the hub that knows them by key.
 *
 * A link lives on its stream's loop. Others reach it only through its lock: they put packets and frames into it and
 * wake it. The hub's lock comes before a link's. */
#ifndef SERVER_RELAY_DERP_LINK_H
#define SERVER_RELAY_DERP_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "loop/loop.h"
#include "net/head.h"
#include "relay/derp/frame.h"
#include "relay/derp/packet_queue.h"
#include "tailnet/tailnet.h"

enum drop_reason { DROP_UNKNOWN, DROP_GONE, DROP_QUEUE, DROP_WRITE, DROP_REASONS };

struct hub_counters {
    atomic_ullong packets_in, bytes_in, packets_out, bytes_out;
    atomic_ullong dropped[DROP_REASONS][2]; /* [1]: peer discovery */
    atomic_ullong accepted, refused, logins;
    atomic_ullong slowed; /* reads after which a client was over its rate */
};

struct relay_link;

/* Those who have not logged in yet are counted apart by where they are: this machine, where a node was not long ago,
 * anywhere else. */
enum login_pool { LOGIN_LOCAL, LOGIN_NEAR_NODE, LOGIN_STRANGER, LOGIN_POOLS };

/* A key that is connected; guarded by the hub's lock but for notify. */
struct relay_peer {
    uint8_t key[RELAY_KEY_LEN];
    VEC(struct relay_link *) links; /* by when they last became active: the last one gets the packets */
    unsigned turns;                 /* how often another of them became active, since there are several */
    bool warned;                    /* they were told that they are several */
    pthread_mutex_t lock;
    struct map notify; /* ids of links that got a packet from this key: they are told when it leaves */
};

struct relay_hub {
    struct relay_keys keys;
    struct tailnet *tailnet;
    struct loop *loop; /* for what belongs to no link */
    atomic_bool verify;
    atomic_bool stopping;
    atomic_llong rate, burst; /* bytes a second that a client may send, and at once; rate 0: as many as it likes */
    struct loop_task audit;
    uint64_t audited; /* the change up to which links were verified */
    pthread_rwlock_t lock;
    struct map links; /* by id */
    struct map peers; /* by key */
    uint64_t next_id;
    bool (*known)(void *arg, const struct addr *from); /* as relay_options has it */
    void *known_arg;
    unsigned logins[LOGIN_POOLS], logins_max; /* clients that have not logged in yet */
    struct map logins_by_source;              /* counts as values; of strangers */
    atomic_ullong generation;                 /* rises when a key leads to another link */
    struct hub_counters counters;
};

enum link_state { LINK_LOGIN, LINK_READY, LINK_CLOSED };

struct relay_link {
    struct loop_task flush; /* first; deferred on its loop */
    struct loop_task mail;  /* the same from elsewhere; holds a reference while queued */
    struct loop_timer timer, stall, thaw;
    atomic_uint refs;
    struct relay_hub *hub;
    struct loop *loop;
    struct stream *stream; /* NULL once closed */
    struct addr_port from;
    enum link_state state;
    enum login_pool pool;
    uint64_t id;
    int64_t since_ns;
    uint8_t key[RELAY_KEY_LEN];
    struct relay_peer *peer;      /* once logged in */
    struct buf partial;           /* a frame that is not whole yet */
    uint32_t skip;                /* bytes of a frame of no use that are still to come */
    struct packet_block *pending; /* what the socket did not take */
    struct relay_link *to;        /* to whom the last packet went */
    uint8_t to_key[RELAY_KEY_LEN];
    uint64_t to_generation;
    int64_t bucket, bucket_us; /* bytes that it may send, by then */
    int64_t gone_at;           /* a bucket for "peer not here" */
    unsigned gone_left;
    atomic_bool preferred;
    atomic_ullong packets_in, bytes_in, packets_out, bytes_out, dropped;

    pthread_mutex_t lock;
    struct packet_queue queues[2]; /* [1]: peer discovery */
    struct buf control;            /* frames of the relay's own */
    bool pong, woken, closed, kicked;
};

/* Takes the stream of an accepted upgrade; on its loop. answer: what is sent in front of the first frame. false, and it
 * does not: too many have not logged in yet. */
bool link_open(struct relay_hub *h, struct stream *stream, const char *answer);
struct relay_link *link_ref(struct relay_link *l);
void link_unref(struct relay_link *l); /* NULL is allowed */
/* Any thread. Whole frames in a row, copied. false: the link is closed. */
bool link_send(struct relay_link *l, const uint8_t *frames, size_t len, bool disco);
void link_tell(struct relay_link *l, enum frame_type type, const void *payload, size_t len);
/* Answers a ping, if none waits for its answer. */
void link_pong(struct relay_link *l, const uint8_t *payload);
void link_kick(struct relay_link *l); /* any thread: close it soon */
/* On its loop. */
void link_close(struct relay_link *l);
void link_close_because(struct relay_link *l, const char *why);
/* Writes frames from where they were read, if the receiver is of the same loop and nothing waits for it. A few are
 * better queued: the end of the turn writes them with others'. */
bool link_hand_over(struct relay_link *l, const uint8_t *frames, size_t len, unsigned count);
void link_run_flush(struct loop_task *task);
void link_run_mail(struct loop_task *task);

void hub_init(struct relay_hub *h, const struct relay_keys *keys, struct tailnet *tailnet, struct loop *loop,
              bool verify);
void hub_set_rate(struct relay_hub *h, int64_t rate,
                  int64_t burst); /* any thread; links that are there keep their bucket */
/* Tells and closes everybody; while the loops run, from another thread. */
void hub_end(struct relay_hub *h);
void hub_release(struct relay_hub *h); /* once all links are closed */
/* Whether a key may use the relay now. */
bool hub_allows(struct relay_hub *h, const uint8_t key[RELAY_KEY_LEN]);
void hub_audit(struct relay_hub *h); /* any thread: verifies all links again, soon */
/* The place of a client that has not logged in yet: of strangers LOGINS_MAX in all (and at most an eighth of the files
 * that may be open), LOGINS_PER_SOURCE of an IPv4 address or IPv6 /64; of the other pools as many. hub_login and
 * hub_remove give it back. Any thread. */
#define LOGINS_MAX        2048
#define LOGINS_PER_SOURCE 64
bool hub_enter(struct relay_hub *h, const struct addr *from, enum login_pool *pool);
/* These keep the books, from the link's loop. */
void hub_add(struct relay_hub *h, struct relay_link *l);
void hub_login(struct relay_hub *h, struct relay_link *l);
void hub_remove(struct relay_hub *h, struct relay_link *l);
void hub_active(struct relay_hub *h, struct relay_link *l); /* it spoke: packets for its key go to it */
/* Whom a packet of l for that key goes to, referenced by l->to; NULL: nobody. */
struct relay_link *hub_route(struct relay_hub *h, struct relay_link *l, const uint8_t key[RELAY_KEY_LEN]);
void hub_dropped(struct relay_hub *h, enum drop_reason why, bool disco, unsigned count);

#endif
