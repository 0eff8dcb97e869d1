/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEADWAY_TESTS_SHARED_CLIENT_NETMAP_RECEIVER_H
#define HEADWAY_TESTS_SHARED_CLIENT_NETMAP_RECEIVER_H

/* A netmap over a tailnet of a test, and what it tells its clients, read as a client reads it. */
#include "netmap/netmap.h"
#include "shared/tailnet_fixture.h"
#include "json/json.h"

struct netmap_receiver {
    struct test_tailnet w;
    struct netmap *nm;
    json_t *last;          /* the last message, decoded */
    struct chunk *bytes;   /* and its first chunk after the length, when there are just these two */
    enum netmap_next next; /* what came with it */
};

/* A test's beginning and end, for cmocka. */
int netmap_receiver_start(void **state);
int netmap_receiver_stop(void **state);
/* Gives the last message up. */
void netmap_receiver_forget(struct netmap_receiver *f);

/* Replaces some whole frames of zstd by what they hold. */
void netmap_receiver_unzip(struct buf *b);
/* Decodes as a client does: the length in front, then everything as one object. Takes the message. */
void netmap_receiver_read(struct netmap_receiver *f, struct netmap_message *m, bool zstd);

/* What the session is told now, NULL for nothing: the receiver's until the next call. */
const json_t *next_message_form(struct netmap_receiver *f, struct netmap_session *s, bool zstd);
const json_t *next_message(struct netmap_receiver *f, struct netmap_session *s);
/* The session of a client that wants no compression. */
struct netmap_session *client(struct netmap_receiver *f, uint32_t slot);

void expect(const json_t *value, const char *want);
const json_t *at(const json_t *o, const char *key);
const json_t *peer(const json_t *message, const char *list, size_t i);

/* Stores the node of the slot once more, changed (NULL: as it is). */
void put_again(struct netmap_receiver *f, uint32_t slot, void (*change)(struct node *n, struct node_live *live),
               const char *const *serving, uint32_t mask);

/* Changes to give to it. */
void go_offline(struct node *n, struct node_live *live);
void move(struct node *n, struct node_live *live);
void rotate(struct node *n, struct node_live *live);
void rename_it(struct node *n, struct node_live *live);
void advertise(struct node *n, struct node_live *live);

#endif
