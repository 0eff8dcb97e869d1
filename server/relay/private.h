/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room know of each other. */
#ifndef SERVER_RELAY_PRIVATE_H
#define SERVER_RELAY_PRIVATE_H

#include "crypto/crypto.h"
#include "front/front.h"
#include "relay/link.h"
#include "relay/relay.h"
#include "relay/stun.h"

/* The certificate that the relay makes for itself: no authority vouches for it, clients are told its hash. */
struct own_certificate {
    char *pem, *old_pem; /* key and certificate; old_pem: the one before, while it is valid, or NULL */
    struct crypto_certificate is, old;
};

struct relay {
    struct relay_options options;
    struct hub hub;
    struct stun *stun; /* NULL: off, or the port was taken */
    struct front *front;
    struct loop_tls *tls;       /* of the own certificate; NULL: one from the configuration is used */
    struct loop_tls *door;      /* another door's that answers with it too; NULL: none */
    pthread_mutex_t lock;       /* guards own and door; the map's thread alone changes own, and reads it without */
    struct own_certificate own; /* empty where tls is NULL */
    char *host;                 /* of server_url, without brackets and port */
    struct relay_map *map;
};

/* Loads it from dir, or makes it: also when it ends within a year or lacks host. Files are 0600. */
int own_certificate_load(const char *dir, const char *host, struct own_certificate *out, struct err *e) WARN_UNUSED;
void own_certificate_release(struct own_certificate *c);

/* Once a day, and when told to: makes a new certificate if it is time, or takes the one that was put into its place.
 * Those before are answered with by their names until the daemon ends. True: the map must name another one now. */
bool relay_renew(struct relay *r);

/* Answers a request of the relay's paths and closes, or takes the stream for a link. */
void page_answer(struct relay *r, struct stream *stream, const struct head *head);

/* The member of Regions that is this relay's own, as JSON text ("\"999\":{...}"); nothing where it is switched off. */
void own_region(const struct relay *r, const struct config *c, struct buf *out);

/* The map of clients: the files and addresses of the configuration and the own region, merged, told to the core at
 * once and whenever it changes. */
struct relay_map *relay_map_new(struct relay *r, const struct config *c);
void relay_map_reload(struct relay_map *m, const struct config *c);
void relay_map_free(struct relay_map *m);

#endif
