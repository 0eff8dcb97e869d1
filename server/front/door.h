/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room know of each other. */
#ifndef SERVER_FRONT_DOOR_H
#define SERVER_FRONT_DOOR_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "front/front.h"

#define HEAD_MS 10000
/* At most, and at most half of the files that may be open; one address may have half of that. So many because a whole
 * tailnet may come back at once, and from one address if it lives behind one. */
#define DOORS_MAX 32768

/* A connection whose request head is not whole yet. */
struct door {
    struct loop_task task; /* first: starts it on its loop */
    struct loop_watch watch;
    struct loop_timer timer;
    struct front *front;
    struct loop *loop;
    struct door *next, *prev; /* of the same loop */
    struct addr_port peer;
    int fd;                /* plain; -1 otherwise */
    struct stream *stream; /* TLS */
    struct buf head;       /* TLS: what was read */
    bool watched;
};

/* Bytes between a TLS client and a local socket. */
struct pump;

struct listener {
    struct loop_watch watch;
    struct front *front;
    unsigned port;
};

struct front {
    struct front_options o;
    struct loop_tls *tls;
    bool own_tls;
    struct listener *listeners;
    size_t listener_count;
    int spare; /* a descriptor to give up when there are no more */
    struct loop_timer resume, look;
    struct door **doors; /* list heads, by loop */
    struct pump **pumps;
    atomic_bool stopping;
    unsigned max;         /* doors */
    pthread_mutex_t lock; /* guards the counts */
    unsigned count;
    struct map by_address;
};

/* false: there are too many already. Trusted proxies are bounded by the whole only. */
bool doors_enter(struct front *f, const struct addr *from);
void doors_leave(struct front *f, const struct addr *from);
/* Takes fd; on any thread. The place in the counts was entered. */
void door_open(struct front *f, struct loop *l, int fd, const struct addr_port *peer);
void door_close(struct door *d);

/* Takes both. */
void pump_start(struct front *f, struct stream *client, int local);
void pump_close(struct pump *p);

#endif
