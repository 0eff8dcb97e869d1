/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the connections of a front. */
#ifndef SERVER_FRONT_STATE_H
#define SERVER_FRONT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "front/front.h"

struct front_conn;
struct front_pump;

struct front_listener {
    struct loop_watch watch;
    struct front *front;
    unsigned port;
};

struct front_conns {
    struct front_conn *newest, *oldest;
};

struct front_pumps {
    struct front_pump *newest, *oldest;
    unsigned count;
};

struct front {
    struct front_options o;
    struct loop_tls *tls;
    bool own_tls;
    struct front_listener *listeners;
    size_t listener_count;
    int spare; /* a descriptor to give up when no others are left */
    struct loop_timer resume, look;
    struct front_conns (*conns)[2]; /* per loop; [1]: of known addresses */
    struct front_pumps (*pumps)[2]; /* per loop; [1]: those that end, the newest first */
    unsigned endings_max;           /* per loop */
    atomic_bool stopping;
    unsigned max;   /* connections without a complete head; as many again may come from known addresses */
    unsigned files; /* that may be open */
    unsigned
        replaced; /* accepted since the last pause by closing another one; used only where connections are accepted */
    pthread_mutex_t lock; /* guards the counts */
    unsigned counts[2];   /* [1]: from known addresses */
    struct map by_address;
};

#endif
