/* SPDX-License-Identifier: BSD-3-Clause */
/* Decides by the head of a request who gets a connection. */
#ifndef SERVER_FRONT_DESTINATION_H
#define SERVER_FRONT_DESTINATION_H

#include "front/state.h"

/* Whether the request is from one of Tailscale's clients (sets *control), or for the relay. */
bool destination_is_client(const struct front *f, const struct head *h, bool *control);
/* Whether a request that is not a client's has a place and a file reserved for it. */
bool destination_is_reserved(const struct front *f, const struct head *h);
/* Takes the stream, which begins after the head. */
void destination_hand_on(struct front *f, struct stream *s, const struct head *h, bool control);

#endif
