/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control: reads what clients send, within limits. Everything here is untrusted input; what is accepted is
 * valid, and limited in number and size. Names follow tailcfg.RegisterRequest, MapRequest and Hostinfo. */
#ifndef SERVER_CONTROL_REQUEST_H
#define SERVER_CONTROL_REQUEST_H

#include "core/core.h"
#include "json/json.h"

#define REQUEST_BODY_MAX  (1u << 20)
#define HOSTINFO_MAX      (16u << 10) /* bytes of one that is stored whole */
#define ROUTES_MAX        1000        /* in Hostinfo.RoutableIPs */
#define LEARNED_MAX       4096        /* for an app connector, which advertises each address that it learns */
#define REQUEST_TAGS_MAX  64
#define REQUEST_FLAGS_MAX 16
#define ENDPOINTS_MAX     64
#define REQUEST_TEXT_MAX  255 /* bytes per name or version */

/* What a request reports about its client, with the memory that info points into. */
struct request_info {
    struct client_info info;
    char *texts[7];
    const char *cut; /* names what was truncated, NULL: nothing was */
    bool routes_cut; /* it advertises more routes than are accepted */
};

struct register_request {
    json_t *root;
    unsigned version;
    uint8_t node_key[KEY_LEN], old_node_key[KEY_LEN];
    const char *auth_key, *followup; /* NULL: none; followup is the last part of the URL */
    int64_t expiry_ns;
    bool ephemeral;
    struct request_info client;
};
/* Release it in any case. ERR_INVALID names the field. */
int register_request_read(const void *body, size_t len, struct register_request *out, struct err *e) WARN_UNUSED;
void register_request_release(struct register_request *r);

struct map_request {
    unsigned version;
    uint8_t node_key[KEY_LEN], disco_key[KEY_LEN]; /* disco_key may be zero */
    bool stream, omit_peers, read_only, zstd, has_endpoints;
    struct addr_port *endpoints; /* endpoint_count of them */
    uint8_t *endpoint_types;
    size_t endpoint_count; /* at most ENDPOINTS_MAX */
    struct strs flags;     /* DebugFlags, at most REQUEST_FLAGS_MAX */
    struct request_info client;
};
int map_request_read(const void *body, size_t len, struct map_request *out, struct err *e) WARN_UNUSED;
void map_request_release(struct map_request *r);

/* hostinfo.c: reads Hostinfo (an object or NULL) into out, which is zeroed. */
int request_info_read(const json_t *hostinfo, struct request_info *out, struct err *e) WARN_UNUSED;
void request_info_release(struct request_info *r);

#endif
