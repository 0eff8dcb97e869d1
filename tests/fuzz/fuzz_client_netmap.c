/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the network map of a client: whatever is taken stands within the text. */
#include <stdint.h>
#include <stdlib.h>

#include "readback/client_netmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct client_netmap m;
    struct prefixes allowed = {0};
    struct err e;

    if (client_netmap_read(text, size, &m, &e) == 0) {
        for (size_t i = 0; i < m.count; i++) {
            if (m.peers[i].at < text || m.peers[i].at + m.peers[i].len > text + size)
                abort();
            (void)client_node_id(&m.peers[i]);
            if (client_node_allowed(&m.peers[i], &allowed, &e) == 0 && allowed.len > CLIENT_PREFIXES_MAX)
                abort();
        }
        (void)client_node_id(&m.self);
        client_netmap_release(&m);
    }
    prefixes_release(&allowed);
    return 0;
}
