/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a client's Hostinfo that other clients receive. A Go program decodes it and refuses the whole map if a
 * single member has a type or range that tailcfg does not have. It is therefore read into these types, whatever does
 * not fit is dropped, and only what was read is written. Location is dropped too: clients choose exit nodes by its
 * Priority, and that is up to administrators. */
#ifndef COMMON_MODEL_HOSTINFO_H
#define COMMON_MODEL_HOSTINFO_H

#include "base/str.h"
#include "json/json.h"

#define HOSTINFO_TEXT_MAX     255 /* bytes in a name */
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
    char os[HOSTINFO_TEXT_MAX + 1], hostname[HOSTINFO_TEXT_MAX + 1]; /* "" if not reported */
    struct hostinfo_service services[HOSTINFO_SERVICES_MAX];
    size_t service_count;
    struct strs ssh_keys;
    bool app_connector;
};

/* hostinfo is an object as a client sent it. Release *out in any case. */
void peer_hostinfo_read(const json_t *hostinfo, struct peer_hostinfo *out);
void peer_hostinfo_release(struct peer_hostinfo *h);
/* Compact JSON; caller frees. */
char *peer_hostinfo_text(const struct peer_hostinfo *h);
/* Read such a text: does the node offer to be an app connector? The port of a service, such as "peerapi4"; 0 if
 * none. */
bool peer_hostinfo_is_connector(const char *text);
unsigned peer_hostinfo_port(const char *text, const char *proto);
/* The same for a stored text; an invalid one becomes "{}". Caller frees. */
char *peer_hostinfo_repair(const char *text);

#endif
