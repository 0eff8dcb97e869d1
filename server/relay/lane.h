/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that wait for one receiver: bounded in number and bytes, and where there is no room the oldest goes. */
#ifndef SERVER_RELAY_LANE_H
#define SERVER_RELAY_LANE_H

#include <stddef.h>
#include <stdint.h>

#define LANE_PACKETS 128
#define LANE_BYTES   (256 * 1024) /* at least one packet is always held */

struct packet {
    uint32_t len;
    uint8_t bytes[]; /* a whole frame */
};

struct lane {
    struct packet *items[LANE_PACKETS];
    unsigned first, count;
    size_t bytes;
};

struct packet *packet_new(const uint8_t *frame, size_t len);
/* Takes p. What had to go for it is counted in *dropped and *dropped_bytes (added to). */
void lane_push(struct lane *l, struct packet *p, unsigned *dropped, size_t *dropped_bytes);
/* The oldest, the caller's (free), if it has at most max bytes; else NULL. */
struct packet *lane_pop(struct lane *l, size_t max);
void lane_clear(struct lane *l);

#endif
