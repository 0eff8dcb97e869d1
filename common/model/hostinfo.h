/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a client's Hostinfo that other clients are told. A Go program decodes it: one member of a kind or range
 * that tailcfg does not have there, and it refuses the whole map. So it is read into these types, what does not fit is
 * left out, and only what was read is written. Location is left out too: by its Priority clients choose exit nodes,
 * which is for administrators to say. */
#ifndef COMMON_MODEL_HOSTINFO_H
#define COMMON_MODEL_HOSTINFO_H

#include "base/str.h"
#include "json/json.h"

#define HOSTINFO_TEXT_MAX     255 /* bytes of a name */
#define HOSTINFO_SERVICES_MAX 32
#define HOSTINFO_PROTO_MAX    32 /* bytes */
#define HOSTINFO_SSH_KEYS_MAX 16
#define HOSTINFO_SSH_KEY_MAX  2048 /* bytes */

/* tailcfg.Service; only those of the peer API are kept. */
struct hostinfo_service {
    char proto[HOSTINFO_PROTO_MAX + 1];
    uint16_t port;
};

struct peer_hostinfo {
    char os[HOSTINFO_TEXT_MAX + 1], hostname[HOSTINFO_TEXT_MAX + 1]; /* "": not said */
    struct hostinfo_service services[HOSTINFO_SERVICES_MAX];
    size_t service_count;
    struct strs ssh_keys;
    bool app_connector;
};

/* hostinfo: an object, as a client sent it. Release it in any case. */
void peer_hostinfo_read(const json_t *hostinfo, struct peer_hostinfo *out);
void peer_hostinfo_release(struct peer_hostinfo *h);
/* Compact JSON, the caller's. */
char *peer_hostinfo_text(const struct peer_hostinfo *h);
/* What such a text says: the node offers to be an app connector; the port of a service, such as "peerapi4", 0: none. */
bool peer_hostinfo_is_connector(const char *text);
unsigned peer_hostinfo_port(const char *text, const char *proto);
/* The same for a text that was stored: what is none becomes "{}". */
char *peer_hostinfo_repair(const char *text);

#endif
