/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that wait for one receiver: bounded in number and bytes, and where there is no room the oldest goes. They lie
 * in pieces, each as long as a TLS record, so that a piece is written at once and packets need no memory of their own.
 */
#ifndef SERVER_RELAY_DERP_PACKET_QUEUE_H
#define SERVER_RELAY_DERP_PACKET_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define QUEUE_PACKETS 128
#define QUEUE_BYTES   (256 * 1024) /* at least one packet is always held */
#define BLOCK_BYTES   16384

struct packet_block {
    struct packet_block *next;
    uint32_t start, end, room; /* what is there lies from start to end */
    uint32_t count;            /* of frames */
    uint8_t bytes[];
};

struct packet_queue {
    struct packet_block *first, *last;
    unsigned count;
    size_t bytes;
};

/* A piece of its own for bytes, which count as no packet. */
struct packet_block *packet_block_new(const void *bytes, size_t len);
/* Takes a copy of a whole frame. What had to go for it is counted in *dropped (added to). */
void packets_push(struct packet_queue *l, const uint8_t *frame, size_t len, unsigned *dropped);
/* The oldest piece, the caller's (free), or NULL. */
struct packet_block *packets_take(struct packet_queue *l);
void packets_clear(struct packet_queue *l);

#endif
