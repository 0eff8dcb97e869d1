/* SPDX-License-Identifier: BSD-3-Clause */
/* Map requests: whatever is accepted must hold the bounds that the rest of the daemon relies on. */
#include <stdlib.h>

#include "control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct map_request r;
    struct err e;
    char *body = malloc(size + 1); /* as from the connection: a NUL follows */

    memcpy(body, data, size);
    body[size] = '\0';
    if (map_request_read(body, size, &r, &e) == 0) {
        const struct client_info *info = &r.client.info;
        check(!key_is_zero(r.node_key) && r.endpoint_count <= ENDPOINTS_MAX);
        check(info->routes.len <= ROUTES_MAX && info->request_tags.len <= REQUEST_TAGS_MAX);
        check(!info->hostname || str_check(info->hostname, REQUEST_TEXT_MAX, true, "hostname", NULL) == 0);
        check(!info->hostinfo || strlen(info->hostinfo) <= HOSTINFO_MAX);
        json_t *peer = NULL;
        check(!info->peer_hostinfo ||
              json_read(info->peer_hostinfo, strlen(info->peer_hostinfo), HOSTINFO_MAX, "peer", &peer, NULL) == 0);
        json_decref(peer);
    }
    map_request_release(&r);
    free(body);
    return 0;
}
