/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/derp/packet_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "relay/derp/frame.h"

static struct packet_block *block_with_room(size_t room)
{
    struct packet_block *c = mem_resize(NULL, 1, sizeof(*c) + room);

    *c = (struct packet_block){.room = (uint32_t)room};
    return c;
}

struct packet_block *packet_block_new(const void *bytes, size_t len)
{
    struct packet_block *c = block_with_room(len);

    memcpy(c->bytes, bytes, len);
    c->end = (uint32_t)len;
    return c;
}

struct packet_block *packets_take(struct packet_queue *l)
{
    struct packet_block *c = l->first;

    if (!c)
        return NULL;
    l->first = c->next;
    if (!l->first)
        l->last = NULL;
    l->count -= c->count;
    l->bytes -= c->end - c->start;
    return c;
}

static void drop_oldest(struct packet_queue *l)
{
    struct packet_block *c = l->first;
    size_t len = frame_len(c->bytes + c->start);

    if (c->count == 1) {
        free(packets_take(l));
        return;
    }
    c->start += (uint32_t)len;
    c->count--;
    l->count--;
    l->bytes -= len;
}

void packets_push(struct packet_queue *l, const uint8_t *frame, size_t len, unsigned *dropped)
{
    struct packet_block *c;

    while (l->count == QUEUE_PACKETS || (l->count && l->bytes + len > QUEUE_BYTES)) {
        drop_oldest(l);
        (*dropped)++;
    }
    c = l->last;
    if (!c || c->room - c->end < len) {
        c = block_with_room(len > BLOCK_BYTES ? len : BLOCK_BYTES);
        if (l->last)
            l->last->next = c;
        else
            l->first = c;
        l->last = c;
    }
    memcpy(c->bytes + c->end, frame, len);
    c->end += (uint32_t)len;
    c->count++;
    l->count++;
    l->bytes += len;
}

void packets_clear(struct packet_queue *l)
{
    for (struct packet_block *c = packets_take(l); c; c = packets_take(l))
        free(c);
}
