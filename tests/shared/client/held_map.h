/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client holds of the tailnet: messages are applied to it as the official client applies them, and it is
 * compared with a fresh map. For cmocka tests: a difference fails the test. */
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
/* Of a decoded MapResponse; what it holds is referenced, and may be changed later. */
void held_map_apply(struct held_map *m, const json_t *message);
json_t *held_map_peer(const struct held_map *m, const char *id); /* NULL: not there */
/* The first message of another session says the same, and can be decoded by a client. after: what happened, for the
 * failure's message. */
void held_map_compare(const struct held_map *m, const json_t *fresh, const char *after);

#endif
