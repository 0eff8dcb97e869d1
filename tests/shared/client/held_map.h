/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client has of the tailnet: messages are applied as the official client applies them, and the result is
 * compared with a fresh map. For cmocka: a difference fails the test. */
#ifndef TESTS_SHARED_CLIENT_HELD_MAP_H
#define TESTS_SHARED_CLIENT_HELD_MAP_H

#include "json/json.h"

struct held_map {
    json_t *self, *peers; /* peers: an object, by id */
    json_t *filters;      /* parts of the packet filter, by name */
    json_t *messages;     /* DisplayMessages, by id */
};

void held_map_init(struct held_map *m);
void held_map_release(struct held_map *m);
/* Applies a decoded MapResponse, of which it keeps references; these may be changed later. */
void held_map_apply(struct held_map *m, const json_t *message);
json_t *held_map_peer(const struct held_map *m, const char *id); /* NULL if absent */
/* The first message of another session must have the same contents, and a client must be able to decode it. after: what
 * happened, for the message of a failure. */
void held_map_compare(const struct held_map *m, const json_t *fresh, const char *after);

#endif
