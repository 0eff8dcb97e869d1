/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_PATHS_H
#define SERVER_RELAY_PATHS_H

#include "relay/state.h"

/* Answers a request for one of the relay's paths and closes the stream, or takes it for a link. */
void relay_answer(struct relay *r, struct stream *stream, const struct head *head);

#endif
