/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEADWAY_TESTS_SHARED_CLIENT_NETMAP_RECEIVER_H
#define HEADWAY_TESTS_SHARED_CLIENT_NETMAP_RECEIVER_H

/* A netmap over a test's tailnet, whose messages are read as a client reads them. */
#include "netmap/netmap.h"
#include "shared/tailnet_fixture.h"
#include "json/json.h"

struct netmap_receiver {
    struct test_tailnet w;
    struct netmap *nm;
    json_t *last;          /* the last message, decoded */
    struct chunk *bytes;   /* its first chunk after the length, if there are only these two */
    enum netmap_next next; /* returned with it */
};

/* Setup and teardown of a test, for cmocka. */
int netmap_receiver_start(void **state);
int netmap_receiver_stop(void **state);
/* Releases the last message. */
void netmap_receiver_forget(struct netmap_receiver *f);

/* Decompresses complete zstd frames in place. */
void netmap_receiver_unzip(struct buf *b);
/* Decodes a message as a client does: first the length, then the rest as one object. Releases the message. */
void netmap_receiver_read(struct netmap_receiver *f, struct netmap_message *m, bool zstd);

/* The next message of the session, NULL if there is none; owned by the receiver until the next call. */
const json_t *next_message_form(struct netmap_receiver *f, struct netmap_session *s, bool zstd);
const json_t *next_message(struct netmap_receiver *f, struct netmap_session *s);
/* The session of a client without compression. */
struct netmap_session *client(struct netmap_receiver *f, uint32_t slot);

void expect(const json_t *value, const char *want);
const json_t *at(const json_t *o, const char *key);
const json_t *peer(const json_t *message, const char *list, size_t i);

/* Stores the node in the slot again, after a change (NULL: unchanged). */
void put_again(struct netmap_receiver *f, uint32_t slot, void (*change)(struct node *n, struct node_live *live),
               const char *const *serving, uint32_t mask);

/* Changes for that function. */
void go_offline(struct node *n, struct node_live *live);
void move(struct node *n, struct node_live *live);
void rotate(struct node *n, struct node_live *live);
void rename_it(struct node *n, struct node_live *live);
void advertise(struct node *n, struct node_live *live);

#endif
