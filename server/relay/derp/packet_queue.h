/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue of packets for one receiver, bounded in number and bytes: when it is full, the oldest are dropped. Packets are
 * stored in blocks as long as a TLS record, so that a block is written at once and packets need no allocations of their
 * own. */
#ifndef SERVER_RELAY_DERP_PACKET_QUEUE_H
#define SERVER_RELAY_DERP_PACKET_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define QUEUE_PACKETS 128
#define QUEUE_BYTES   (256 * 1024) /* at least one packet is always held */
#define BLOCK_BYTES   16384

struct packet_block {
    struct packet_block *next;
    uint32_t start, end, room; /* the data is from start to end */
    uint32_t count;            /* number of frames */
    uint8_t bytes[];
};

struct packet_queue {
    struct packet_block *first, *last;
    unsigned count;
    size_t bytes;
};

/* A separate block for bytes that do not count as packets. */
struct packet_block *packet_block_new(const void *bytes, size_t len);
/* Appends a copy of a whole frame. The number of packets dropped for it is added to *dropped. */
void packets_push(struct packet_queue *l, const uint8_t *frame, size_t len, unsigned *dropped);
/* The oldest block, owned by the caller (free), or NULL. */
struct packet_block *packets_take(struct packet_queue *l);
void packets_clear(struct packet_queue *l);

#endif
