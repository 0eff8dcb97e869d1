/* SPDX-License-Identifier: BSD-3-Clause */
/* Client connections of the relay (links) and the hub that finds them by key.
 *
 * A link lives on its stream's loop. Other threads access it only under its lock: they put packets and frames into
 * it and wake it. Lock order: the hub's before a link's. */
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
    atomic_ullong slowed; /* reads that put a client over its rate */
};

struct relay_link;

/* Connections before their login are counted separately by origin: this machine, an address where a node was recently,
 * anywhere else. */
enum login_pool { LOGIN_LOCAL, LOGIN_NEAR_NODE, LOGIN_STRANGER, LOGIN_POOLS };

/* A connected key; guarded by the hub's lock, except notify. */
struct relay_peer {
    uint8_t key[RELAY_KEY_LEN];
    VEC(struct relay_link *) links; /* by time of last activity: the last one gets the packets */
    unsigned turns;                 /* how often the active one changed while there were several */
    bool warned;                    /* they were told that there are several */
    pthread_mutex_t lock;
    struct map notify; /* ids of links that got a packet from this key: notified when it leaves */
};

struct relay_hub {
    struct relay_keys keys;
    struct tailnet *tailnet;
    struct loop *loop; /* for work that belongs to no link */
    atomic_bool verify;
    atomic_bool stopping;
    atomic_llong rate, burst; /* bytes that a client may send per second, and at once; rate 0: no limit */
    struct loop_task audit;
    uint64_t audited; /* the change up to which links were checked */
    pthread_rwlock_t lock;
    struct map links; /* by id */
    struct map peers; /* by key */
    uint64_t next_id;
    bool (*known)(void *arg, const struct addr *from); /* see relay_options */
    void *known_arg;
    unsigned logins[LOGIN_POOLS], logins_max; /* connections before their login */
    struct map logins_by_source;              /* source -> number; strangers only */
    atomic_ullong generation;                 /* incremented when a key leads to another link */
    struct hub_counters counters;
};

enum link_state { LINK_LOGIN, LINK_READY, LINK_CLOSED };

struct relay_link {
    struct loop_task flush; /* first; deferred on its loop */
    struct loop_task mail;  /* the same, posted by other threads; holds a reference while queued */
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
    struct relay_peer *peer;      /* after the login */
    struct buf partial;           /* an incomplete frame */
    uint32_t skip;                /* bytes of an unused frame still to arrive */
    struct packet_block *pending; /* what the socket did not take */
    struct relay_link *to;        /* receiver of the last packet */
    uint8_t to_key[RELAY_KEY_LEN];
    uint64_t to_generation;
    int64_t bucket, bucket_us; /* bytes that it may send, as of bucket_us */
    int64_t gone_at;           /* a bucket for "peer not here" frames */
    unsigned gone_left;
    atomic_bool preferred;
    atomic_ullong packets_in, bytes_in, packets_out, bytes_out, dropped;

    pthread_mutex_t lock;
    struct packet_queue queues[2]; /* [1]: peer discovery */
    struct buf control;            /* the relay's own frames */
    bool pong, woken, closed, kicked;
};

/* Takes the stream of an accepted upgrade; on its loop. answer is sent before the first frame. False: the stream is not
 * taken, because too many connections have not logged in yet. */
bool link_open(struct relay_hub *h, struct stream *stream, const char *answer);
struct relay_link *link_ref(struct relay_link *l);
void link_unref(struct relay_link *l); /* NULL is allowed */
/* Any thread. Whole frames in sequence, copied. False: the link is closed. */
bool link_send(struct relay_link *l, const uint8_t *frames, size_t len, bool disco);
void link_tell(struct relay_link *l, enum frame_type type, const void *payload, size_t len);
/* Answers a ping, unless another answer is still queued. */
void link_pong(struct relay_link *l, const uint8_t *payload);
void link_kick(struct relay_link *l); /* any thread: closes it soon */
/* On its loop. */
void link_close(struct relay_link *l);
void link_close_because(struct relay_link *l, const char *why);
/* Writes frames directly from the read buffer, if the receiver is on the same loop and has nothing queued. A few frames
 * are better queued: the end of the turn writes them together with others. */
bool link_hand_over(struct relay_link *l, const uint8_t *frames, size_t len, unsigned count);
void link_run_flush(struct loop_task *task);
void link_run_mail(struct loop_task *task);

void hub_init(struct relay_hub *h, const struct relay_keys *keys, struct tailnet *tailnet, struct loop *loop,
              bool verify);
void hub_set_rate(struct relay_hub *h, int64_t rate, int64_t burst); /* any thread; existing links keep their bucket */
/* Notifies and closes all links; while the loops run, from another thread. */
void hub_end(struct relay_hub *h);
void hub_release(struct relay_hub *h); /* after all links are closed */
/* Whether a key may use the relay now. */
bool hub_allows(struct relay_hub *h, const uint8_t key[RELAY_KEY_LEN]);
void hub_audit(struct relay_hub *h); /* any thread: checks all links again, soon */
/* Takes a place for a connection before its login. Strangers get LOGINS_MAX in all (and at most an eighth of the open
 * files limit) and LOGINS_PER_SOURCE per IPv4 address or IPv6 /64; each other pool has as many in all. hub_login and
 * hub_remove free the place. Any thread. */
#define LOGINS_MAX        2048
#define LOGINS_PER_SOURCE 64
bool hub_enter(struct relay_hub *h, const struct addr *from, enum login_pool *pool);
/* Bookkeeping, called from the link's loop. */
void hub_add(struct relay_hub *h, struct relay_link *l);
void hub_login(struct relay_hub *h, struct relay_link *l);
void hub_remove(struct relay_hub *h, struct relay_link *l);
void hub_active(struct relay_hub *h, struct relay_link *l); /* it sent something: packets for its key now go to it */
/* The receiver of l's packets for that key, referenced by l->to; NULL: none. */
struct relay_link *hub_route(struct relay_hub *h, struct relay_link *l, const uint8_t key[RELAY_KEY_LEN]);
void hub_dropped(struct relay_hub *h, enum drop_reason why, bool disco, unsigned count);

#endif
