/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct packet *packet_new(const uint8_t *frame, size_t len)
{
    struct packet *p = mem_resize(NULL, 1, sizeof(*p) + len);

    p->len = (uint32_t)len;
    memcpy(p->bytes, frame, len);
    return p;
}

struct packet *lane_pop(struct lane *l, size_t max)
{
    struct packet *p = l->count ? l->items[l->first] : NULL;

    if (!p || p->len > max)
        return NULL;
    l->first = (l->first + 1) % LANE_PACKETS;
    l->count--;
    l->bytes -= p->len;
    return p;
}

void lane_push(struct lane *l, struct packet *p, unsigned *dropped, size_t *dropped_bytes)
{
    while (l->count == LANE_PACKETS || (l->count && l->bytes + p->len > LANE_BYTES)) {
        struct packet *oldest = lane_pop(l, SIZE_MAX);
        (*dropped)++;
        *dropped_bytes += oldest->len;
        free(oldest);
    }
    l->items[(l->first + l->count++) % LANE_PACKETS] = p;
    l->bytes += p->len;
}

void lane_clear(struct lane *l)
{
    for (struct packet *p = lane_pop(l, SIZE_MAX); p; p = lane_pop(l, SIZE_MAX))
        free(p);
}
