/* SPDX-License-Identifier: BSD-3-Clause */
/* STUN (RFC 8489) as Tailscale's clients use it: one question, "from where do you see me", over UDP. */
#ifndef SERVER_RELAY_REACH_STUN_H
#define SERVER_RELAY_REACH_STUN_H

#include "loop/loop.h"

#define STUN_ANSWER_MAX 44

/* The answer to a datagram from that address: its length, or 0 for none. Only a binding request with the clients'
 * SOFTWARE and a valid FINGERPRINT at its end is answered (net/stun.ParseBindingRequest). */
size_t stun_answer(const uint8_t *in, size_t len, const struct addr_port *from, uint8_t out[STUN_ANSWER_MAX]);

/* Makes a request like a client's, with a random transaction id at byte 8. */
#define STUN_REQUEST_LEN 40
void stun_request(uint8_t out[STUN_REQUEST_LEN]);

struct stun;

struct stun_counters {
    uint64_t answered, refused, limited; /* refused: no valid request; limited: too many from one address */
};

/* Listens at "host:port"; without a host on both families. On l, which must be running. */
struct stun *stun_new(struct loop *l, const char *listen, struct err *e);
unsigned stun_port(const struct stun *s); /* the actual one if 0 was requested */
void stun_count(const struct stun *s, struct stun_counters *out);
void stun_free(struct stun *s); /* from another thread, while the loop runs; NULL is allowed */

#endif
