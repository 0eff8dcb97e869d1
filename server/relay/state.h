/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a running relay. */
#ifndef SERVER_RELAY_STATE_H
#define SERVER_RELAY_STATE_H

#include "front/front.h"
#include "relay/certificate.h"
#include "relay/derp/link.h"
#include "relay/reach/check.h"
#include "relay/reach/stun.h"
#include "relay/relay.h"

struct relay {
    struct relay_options options;
    struct relay_hub hub;
    struct stun *stun; /* NULL: off, or the port was in use */
    struct front *front;
    struct loop_tls *tls;       /* with the own certificate; NULL: one from the configuration is used */
    struct loop_tls *other_tls; /* another listener that also answers with it; NULL: none */
    pthread_mutex_t
        lock; /* protects own and other_tls; only the map's thread changes own, and reads it without the lock */
    struct own_certificate own; /* empty if tls is NULL */
    char *host;                 /* of server_url, without brackets and port */
    struct relay_map *map;
    struct relay_check check; /* under the lock: the last result */
};

#endif
