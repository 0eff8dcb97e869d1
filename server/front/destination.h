/* SPDX-License-Identifier: BSD-3-Clause */
/* Who gets a connection, by the head of a request. */
#ifndef SERVER_FRONT_DESTINATION_H
#define SERVER_FRONT_DESTINATION_H

#include "front/state.h"

/* One of Tailscale's clients (control), or one of the relay. */
bool destination_is_client(const struct front *f, const struct head *h, bool *control);
/* Whether a request that is none of a client has a place and a file kept for it. */
bool destination_is_reserved(const struct front *f, const struct head *h);
/* Takes the stream, which begins after the head. */
void destination_hand_on(struct front *f, struct stream *s, const struct head *h, bool control);

#endif
