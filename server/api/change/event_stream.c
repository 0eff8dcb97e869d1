/* SPDX-License-Identifier: BSD-3-Clause */
/* One event stream: it holds references to messages, so a slow client costs no copies, and ends when its client is too
 * far behind; and how many there may be. */
#include "api/change/event_hub.h"

#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/clock.h"

#define STREAMS_MAX   64
#define STREAMS_LOCAL 16                 /* of these, for the unix socket alone */
#define STREAMS_KEY   8                  /* per API key */
#define BEHIND_MAX    (16 * 1024 * 1024) /* bytes that a stream may be behind */

static struct event_stream *stream_of(struct http_source *source)
{
    return (struct event_stream *)source;
}

static void drop(struct event_stream *out, unsigned refs)
{
    if (atomic_fetch_sub(&out->refs, refs) != refs)
        return;
    for (size_t i = out->first; i < out->queue.len; i++)
        chunk_unref(out->queue.items[i]);
    vec_release(&out->queue);
    auth_who_release(&out->who);
    free(out);
}

void event_stream_unref(struct event_stream *out)
{
    drop(out, 1);
}

static void stream_attach(struct http_source *source, void (*resume)(void *arg), bool (*gone)(void *arg), void *arg)
{
    struct event_stream *out = stream_of(source);

    pthread_mutex_lock(&out->hub->lock);
    out->resume = resume;
    out->gone = gone;
    out->arg = arg;
    pthread_mutex_unlock(&out->hub->lock);
}

static void stream_wake(struct event_stream *out)
{
    if (!out->waiting)
        return;
    out->waiting = false;
    out->resume(out->arg);
}

void event_stream_end(struct event_stream *out)
{
    out->ended = true;
    stream_wake(out);
}

void event_stream_add(struct event_stream *out, struct chunk *c)
{
    if (out->ended)
        return;
    if (out->behind + c->len > BEHIND_MAX) {
        event_stream_end(out);
        return;
    }
    if (out->first > 64 && out->first * 2 > out->queue.len) {
        memmove(out->queue.items, out->queue.items + out->first,
                (out->queue.len - out->first) * sizeof(*out->queue.items));
        out->queue.len -= out->first;
        out->first = 0;
    }
    vec_push(&out->queue, chunk_ref(c));
    out->behind += c->len;
    stream_wake(out);
}

static long stream_take(struct http_source *source, char *bytes, size_t max, void (*wait)(void *arg))
{
    struct event_stream *out = stream_of(source);
    size_t n = 0;

    pthread_mutex_lock(&out->hub->lock);
    while (n < max && out->first < out->queue.len) {
        struct chunk *c = out->queue.items[out->first];
        size_t part = c->len - out->offset < max - n ? c->len - out->offset : max - n;
        memcpy(bytes + n, c->data + out->offset, part);
        n += part;
        out->offset += part;
        if (out->offset == c->len) {
            out->offset = 0;
            out->first++;
            out->behind -= c->len;
            chunk_unref(c);
        }
    }
    bool ended = n == 0 && out->ended;
    if (n == 0 && !ended) {
        out->waiting = true;
        wait(out->arg);
    }
    pthread_mutex_unlock(&out->hub->lock);
    return ended ? -1 : (long)n;
}

static void stream_closed(struct http_source *source)
{
    struct event_stream *out = stream_of(source);
    struct event_hub *hub = out->hub;
    bool was_there = false;

    pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < hub->streams.len; i++)
        if (hub->streams.items[i] == out) {
            vec_remove(&hub->streams, i);
            was_there = true;
            break;
        }
    out->ended = true;
    hub->interest_ms = clock_mono_ms();
    pthread_mutex_unlock(&hub->lock);
    drop(out, was_there ? 2 : 1);
}

void event_streams_end_unauthorized(struct event_hub *hub)
{
    const struct tailnet_snapshot *s = tailnet_pin(hub->api->with.tailnet);
    int64_t now_ns = clock_wall_ns();

    for (size_t i = 0; i < hub->streams.len; i++)
        if (!auth_holds(s, &hub->streams.items[i]->who, now_ns))
            event_stream_end(hub->streams.items[i]);
    tailnet_unpin(s);
}

/* Their ends are noticed by themselves, too, but maybe after the client's next request. */
static void end_abandoned(struct event_hub *hub)
{
    for (size_t i = 0; i < hub->streams.len; i++) {
        struct event_stream *out = hub->streams.items[i];

        if (out->waiting && out->gone(out->arg))
            event_stream_end(out);
    }
}

struct event_stream *event_stream_new(struct event_hub *hub, uint64_t after, const struct auth_who *who)
{
    struct event_stream *out = mem_alloc(sizeof(*out));

    out->source = (struct http_source){.take = stream_take, .attach = stream_attach, .closed = stream_closed};
    out->hub = hub;
    atomic_store(&out->refs, 2); /* the answer's and the hub's */
    out->after = after;
    out->who = *who;
    if (who->token)
        out->who.token = record_ref(who->token);
    vec_push(&hub->streams, out);
    return out;
}

/* Holders of a key can shut out neither other keys nor the console on the machine itself. */
static bool is_free(const struct event_hub *hub, uint64_t key_id, struct err *e)
{
    size_t open = 0, same = 0, others = 0;

    for (size_t i = 0; i < hub->streams.len; i++) {
        if (hub->streams.items[i]->ended)
            continue;
        open++;
        others += hub->streams.items[i]->who.key_id != 0;
        same += hub->streams.items[i]->who.key_id == key_id;
    }
    if (key_id && same >= STREAMS_KEY)
        err_set(e, ERR_BUSY, "this API key has %d streams of events open, no more are served", STREAMS_KEY);
    else if (open >= STREAMS_MAX || (key_id && others >= STREAMS_MAX - STREAMS_LOCAL))
        err_set(e, ERR_BUSY, "%zu streams of events are open, no more are served", open);
    else
        return true;
    return false;
}

bool event_stream_has_place(struct event_hub *hub, uint64_t key_id, struct err *e)
{
    struct err full = {0};

    if (is_free(hub, key_id, &full))
        return true;
    end_abandoned(hub);
    return is_free(hub, key_id, e);
}
