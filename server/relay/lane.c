/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "relay/frame.h"

static struct piece *piece_with_room(size_t room)
{
    struct piece *c = mem_resize(NULL, 1, sizeof(*c) + room);

    *c = (struct piece){.room = (uint32_t)room};
    return c;
}

struct piece *piece_new(const void *bytes, size_t len)
{
    struct piece *c = piece_with_room(len);

    memcpy(c->bytes, bytes, len);
    c->end = (uint32_t)len;
    return c;
}

struct piece *lane_take(struct lane *l)
{
    struct piece *c = l->first;

    if (!c)
        return NULL;
    l->first = c->next;
    if (!l->first)
        l->last = NULL;
    l->count -= c->count;
    l->bytes -= c->end - c->start;
    return c;
}

static void drop_oldest(struct lane *l)
{
    struct piece *c = l->first;
    size_t len = frame_len(c->bytes + c->start);

    if (c->count == 1) {
        free(lane_take(l));
        return;
    }
    c->start += (uint32_t)len;
    c->count--;
    l->count--;
    l->bytes -= len;
}

void lane_push(struct lane *l, const uint8_t *frame, size_t len, unsigned *dropped)
{
    struct piece *c;

    while (l->count == LANE_PACKETS || (l->count && l->bytes + len > LANE_BYTES)) {
        drop_oldest(l);
        (*dropped)++;
    }
    c = l->last;
    if (!c || c->room - c->end < len) {
        c = piece_with_room(len > PIECE_BYTES ? len : PIECE_BYTES);
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

void lane_clear(struct lane *l)
{
    for (struct piece *c = lane_take(l); c; c = lane_take(l))
        free(c);
}
