/* SPDX-License-Identifier: BSD-3-Clause */
/* What a running relay is. */
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
    struct stun *stun; /* NULL: off, or the port was taken */
    struct front *front;
    struct loop_tls *tls;       /* of the own certificate; NULL: one from the configuration is used */
    struct loop_tls *other_tls; /* another listener's that answers with it too; NULL: none */
    pthread_mutex_t lock;       /* guards own and door; the map's thread alone changes own, and reads it without */
    struct own_certificate own; /* empty where tls is NULL */
    char *host;                 /* of server_url, without brackets and port */
    struct relay_map *map;
    struct relay_check check; /* under the lock: what the last one found */
};

#endif
