/* SPDX-License-Identifier: BSD-3-Clause */
/* Where clients are told to find the relay. */
#ifndef SERVER_RELAY_REACH_ADVERTISED_H
#define SERVER_RELAY_REACH_ADVERTISED_H

#include "config/config.h"

struct relay_advertised {
    char *host;    /* of server_url, without brackets and port */
    unsigned port; /* TCP */
    bool by_proxy; /* a proxy in front of this server terminates TLS and forwards /derp */
};

/* listening: port of the relay's own listener, 0: that of derp.server.listen_addr. Release *out. */
void relay_advertised_read(const struct config *c, unsigned listening, struct relay_advertised *out);
/* The name of the daemon's certificate that the relay answers with when it has none of its own. */
const char *relay_certificate_name(const struct config *c);
void relay_advertised_release(struct relay_advertised *a);

#endif
