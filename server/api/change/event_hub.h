/* SPDX-License-Identifier: BSD-3-Clause */
/* The hub of the event streams, and one stream: private to events.c and event_stream.c. */
#ifndef SERVER_API_CHANGE_EVENT_HUB_H
#define SERVER_API_CHANGE_EVENT_HUB_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/request/endpoint.h"
#include "base/map.h"
#include "base/thread.h"
#include "base/vec.h"

struct event_message {
    uint64_t seq;
    struct chunk *bytes;
};

struct event_stream {
    struct http_source source; /* first */
    atomic_uint refs;
    struct event_hub *hub;
    /* guarded by the hub's lock */
    VEC(struct chunk *) queue;
    size_t first, offset; /* in the queue; in its first chunk */
    size_t behind;        /* bytes */
    uint64_t after;       /* the client has everything up to this event */
    struct auth_who who;  /* who follows: the stream ends when the key or token does */
    bool waiting, ended;
    void (*resume)(void *arg);
    bool (*gone)(void *arg);
    void *arg;
};

/* Of events that are published together, the last one comes with the snapshot that shows them. */
struct event_news {
    const struct event *event;
    const struct tailnet_snapshot *after; /* NULL: more of the same snapshot follow */
};

struct event_hub {
    struct api *api;
    struct thread thread;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;
    VEC(struct event_news) events; /* from the core, not yet made into messages */
    struct map touched;            /* node id -> 1: volatile changes since the last turn */
    VEC(struct event_stream *) streams;
    VEC(struct event_message) kept;
    size_t kept_bytes;
    uint64_t kept_after;                  /* kept holds every message after this one */
    const struct tailnet_snapshot *shown; /* the state after the last message; NULL: the hub is idle */
    uint64_t run, seq;                    /* of the last message, or of shown */
    int64_t interest_ms, heartbeat_ms, volatile_ms;
    bool ending, stopping;
};

/* All of these are called with the hub's lock held, except event_stream_unref. */

/* Checks the limits: of all streams, of those for API keys, of one API key. Streams whose client is gone do not count.
 * ERR_BUSY names the limit that is reached. */
bool event_stream_has_place(struct event_hub *hub, uint64_t key_id, struct err *e);
/* A stream for a client that has everything up to the event after; referenced by the hub and by the answer. */
struct event_stream *event_stream_new(struct event_hub *hub, uint64_t after, const struct auth_who *who);
void event_stream_add(struct event_stream *out, struct chunk *c); /* ends a stream that is too far behind */
void event_stream_end(struct event_stream *out);
void event_stream_unref(struct event_stream *out);
/* Ends the streams whose key or token is no longer valid. */
void event_streams_end_unauthorized(struct event_hub *hub);

#endif
