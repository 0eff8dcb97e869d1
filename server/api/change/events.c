/* SPDX-License-Identifier: BSD-3-Clause */
/* The event stream. The core reports each event and each volatile change; one thread, the hub, turns them into messages
 * with what they changed (difference.c), once for all streams. A stream holds references to messages, so a slow one
 * costs no copies; one that is too far behind ends, and its client starts over.
 *
 * The hub works only while somebody listens, did so within the last minute, or has just taken a snapshot to follow
 * from. It keeps the last messages for clients that reconnect; a client with an older id is told that it is gone and
 * takes a new snapshot. */
#include <stdlib.h>

#include "api/change/events.h"
#include "api/request/reply.h"
#include "api/view/difference.h"
#include "api/view/objects.h"
#include "base/map.h"
#include "base/vec.h"

#define STREAMS_MAX   64
#define STREAMS_LOCAL 16                 /* of these, for the unix socket alone */
#define STREAMS_KEY   8                  /* per API key */
#define BEHIND_MAX    (16 * 1024 * 1024) /* bytes that a stream may be behind */
#define KEPT_MAX      4096               /* messages kept for clients that reconnect */
#define KEPT_BYTES    (16 * 1024 * 1024)
#define INTEREST_MS   60000 /* the hub keeps working this long after the last listener */
#define VOLATILE_MS                                                                                                    \
    1000 /* shortest interval between messages about a node's endpoints, relay and last seen, and between checks of    \
            credentials */
#define VOLATILE_TURNS 4096 /* nodes reported per turn */

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

/* ---- streams ---- */

static struct event_stream *stream_of(struct http_source *source)
{
    return (struct event_stream *)source;
}

static void stream_unref(struct event_stream *out)
{
    if (atomic_fetch_sub(&out->refs, 1) != 1)
        return;
    for (size_t i = out->first; i < out->queue.len; i++)
        chunk_unref(out->queue.items[i]);
    vec_release(&out->queue);
    auth_who_release(&out->who);
    free(out);
}

static void stream_attach(struct http_source *source, void (*resume)(void *arg), void *arg)
{
    struct event_stream *out = stream_of(source);

    pthread_mutex_lock(&out->hub->lock);
    out->resume = resume;
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

static void stream_end(struct event_stream *out)
{
    out->ended = true;
    stream_wake(out);
}

static void stream_add(struct event_stream *out, struct chunk *c)
{
    if (out->ended)
        return;
    if (out->behind + c->len > BEHIND_MAX) {
        stream_end(out);
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
    if (was_there)
        stream_unref(out);
    stream_unref(out);
}

/* ---- what the core tells, on its thread ---- */

static void on_event(void *arg, const struct event *e)
{
    struct event_hub *hub = arg;

    pthread_mutex_lock(&hub->lock);
    if (hub->shown && e->r.id > hub->seq) {
        const struct tailnet_snapshot *after = tailnet_pin(hub->api->with.tailnet);
        bool last = after->event_seq <= e->r.id;
        vec_push(&hub->events, ((struct event_news){record_ref(e), last ? after : NULL}));
        if (last)
            pthread_cond_signal(&hub->wake);
        else
            tailnet_unpin(after);
    }
    pthread_mutex_unlock(&hub->lock);
}

static void on_volatile(void *arg, uint64_t node_id)
{
    struct event_hub *hub = arg;

    pthread_mutex_lock(&hub->lock);
    if (hub->streams.len)
        map_putu(&hub->touched, node_id, hub);
    pthread_mutex_unlock(&hub->lock);
}

/* ---- messages ---- */

/* seq: the event's, or UINT64_MAX for a message without a number. */
static void tell_all(struct event_hub *hub, struct chunk *c, uint64_t seq)
{
    for (size_t i = 0; i < hub->streams.len; i++)
        if (seq > hub->streams.items[i]->after)
            stream_add(hub->streams.items[i], c);
}

static void keep(struct event_hub *hub, uint64_t seq, struct chunk *c)
{
    size_t drop = 0;

    vec_push(&hub->kept, ((struct event_message){seq, chunk_ref(c)}));
    hub->kept_bytes += c->len;
    while (drop < hub->kept.len && (hub->kept.len - drop > KEPT_MAX || hub->kept_bytes > KEPT_BYTES)) {
        hub->kept_after = hub->kept.items[drop].seq;
        hub->kept_bytes -= hub->kept.items[drop].bytes->len;
        chunk_unref(hub->kept.items[drop++].bytes);
    }
    if (drop) {
        hub->kept.len -= drop;
        memmove(hub->kept.items, hub->kept.items + drop, hub->kept.len * sizeof(*hub->kept.items));
    }
}

/* One event of the stream; was and is are equal if a later one of the batch carries the difference. */
static struct chunk *make_message(struct event_hub *hub, const struct event *e, const struct tailnet_snapshot *was,
                                  const struct tailnet_snapshot *is)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    struct buf event = BUF_INIT(0);
    struct json_out inner = JSON_OUT(&event);

    buf_addf(&b, "id: %llu.%llu\nevent: journal\ndata: ", (unsigned long long)e->run, (unsigned long long)e->r.id);
    write_event(&inner, e);
    json_open(&o, '{');
    json_raw(&o, event.data + 1, event.len - 2);
    write_difference(&o, hub->api, was, is);
    json_close(&o, '}');
    buf_adds(&b, "\n\n");
    struct chunk *c = chunk_new(b.data, b.len);
    buf_release(&b);
    buf_release(&event);
    return c;
}

/* Makes messages of the events that are complete. Called and returns with the lock held, but releases it while messages
 * are made. The last message carries everything that changed: a client that joins in between knows less than that and
 * gets it. */
static void tell_events(struct event_hub *hub)
{
    const struct tailnet_snapshot *was = hub->shown, *is;
    size_t count = hub->events.len;

    while (count > 0 && !hub->events.items[count - 1].after)
        count--;
    if (count == 0)
        return;
    struct event_news *news = mem_dup(hub->events.items, count * sizeof(*news));
    struct chunk **made = mem_resize(NULL, count, sizeof(*made));
    hub->events.len -= count;
    memmove(hub->events.items, hub->events.items + count, hub->events.len * sizeof(*hub->events.items));
    pthread_mutex_unlock(&hub->lock);
    is = news[count - 1].after;
    for (size_t i = 0; i < count; i++)
        made[i] = make_message(hub, news[i].event, i + 1 < count ? is : was, is);
    pthread_mutex_lock(&hub->lock);
    hub->shown = is;
    for (size_t i = 0; i < count; i++) {
        hub->seq = news[i].event->r.id;
        tell_all(hub, made[i], hub->seq);
        keep(hub, hub->seq, made[i]);
        chunk_unref(made[i]);
        record_unref(news[i].event);
        if (i + 1 < count && news[i].after)
            tailnet_unpin(news[i].after);
    }
    free(news);
    free(made);
    tailnet_unpin(was);
}

static struct chunk *make_volatile(struct api_view *v, const struct tailnet_node *n)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    buf_adds(&b, "event: volatile\ndata: ");
    json_open(&o, '{');
    json_key(&o, "node");
    write_node(&o, v, n, API_HEADWAY);
    json_close(&o, '}');
    buf_adds(&b, "\n\n");
    struct chunk *c = chunk_new(b.data, b.len);
    buf_release(&b);
    return c;
}

static size_t take_touched(struct event_hub *hub, uint64_t *ids, size_t max)
{
    size_t count = 0;

    for (struct map_entry *at = map_first(&hub->touched); at && count < max; at = map_next(&hub->touched, at))
        memcpy(&ids[count++], at->key, sizeof(ids[0]));
    for (size_t i = 0; i < count; i++)
        map_delu(&hub->touched, ids[i]);
    return count;
}

/* Once a second, so that no node is reported more often. The lock is used as above. */
static void tell_volatile(struct event_hub *hub)
{
    uint64_t *ids = mem_resize(NULL, VOLATILE_TURNS, sizeof(*ids));
    struct chunk **made = mem_resize(NULL, VOLATILE_TURNS, sizeof(*made));
    size_t count = take_touched(hub, ids, VOLATILE_TURNS), ready = 0;
    struct api_view v;

    pthread_mutex_unlock(&hub->lock);
    const struct tailnet_snapshot *s = tailnet_pin(hub->api->with.tailnet);
    show_init(&v, hub->api, s);
    for (size_t i = 0; i < count; i++) {
        const struct tailnet_node *n = show_find_node(&v, ids[i]);
        if (n)
            made[ready++] = make_volatile(&v, n);
    }
    show_release(&v);
    tailnet_unpin(s);
    pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < ready; i++) {
        tell_all(hub, made[i], UINT64_MAX);
        chunk_unref(made[i]);
    }
    free(ids);
    free(made);
}

/* ---- the thread ---- */

static void forget(struct event_hub *hub)
{
    for (size_t i = 0; i < hub->events.len; i++) {
        record_unref(hub->events.items[i].event);
        if (hub->events.items[i].after)
            tailnet_unpin(hub->events.items[i].after);
    }
    vec_release(&hub->events);
    for (size_t i = 0; i < hub->kept.len; i++)
        chunk_unref(hub->kept.items[i].bytes);
    vec_release(&hub->kept);
    hub->kept_bytes = 0;
    map_release(&hub->touched);
    if (hub->shown)
        tailnet_unpin(hub->shown);
    hub->shown = NULL;
}

static void awake(struct event_hub *hub)
{
    hub->interest_ms = clock_mono_ms();
    if (hub->shown)
        return;
    hub->shown = tailnet_pin(hub->api->with.tailnet);
    hub->run = hub->shown->event_run;
    hub->seq = hub->kept_after = hub->shown->event_seq;
    hub->heartbeat_ms = hub->volatile_ms = hub->interest_ms;
    pthread_cond_signal(&hub->wake);
}

static void heartbeat(struct event_hub *hub, int64_t now)
{
    struct chunk *c = chunk_new(":\n\n", 3);

    hub->heartbeat_ms = now;
    tell_all(hub, c, UINT64_MAX);
    chunk_unref(c);
}

/* Call with the lock held. */
static void end_unauthorized(struct event_hub *hub)
{
    const struct tailnet_snapshot *s = tailnet_pin(hub->api->with.tailnet);
    int64_t now_ns = clock_wall_ns();

    for (size_t i = 0; i < hub->streams.len; i++)
        if (!auth_holds(s, &hub->streams.items[i]->who, now_ns))
            stream_end(hub->streams.items[i]);
    tailnet_unpin(s);
}

/* One turn of a working hub; returns when to look again. */
static int64_t turn(struct event_hub *hub)
{
    int64_t now;

    if (hub->events.len)
        tell_events(hub);
    now = clock_mono_ms();
    if (now - hub->volatile_ms >= VOLATILE_MS) {
        hub->volatile_ms = now;
        end_unauthorized(hub);
        if (hub->touched.len && hub->streams.len)
            tell_volatile(hub);
    }
    if (now - hub->heartbeat_ms >= API_ALIVE_MS)
        heartbeat(hub, now);
    if (!hub->streams.len && now - hub->interest_ms >= INTEREST_MS)
        forget(hub);
    return now + VOLATILE_MS;
}

static void *run(void *arg)
{
    struct event_hub *hub = arg;

    pthread_mutex_lock(&hub->lock);
    while (!hub->stopping) {
        if (!hub->shown) {
            pthread_cond_wait(&hub->wake, &hub->lock);
            continue;
        }
        int64_t due = turn(hub);
        if (hub->shown && !hub->stopping)
            thread_cond_wait(&hub->wake, &hub->lock, due);
    }
    pthread_mutex_unlock(&hub->lock);
    return NULL;
}

int events_start(struct api *api, struct event_hub **out, struct err *e)
{
    struct event_hub *hub = mem_alloc(sizeof(*hub));
    int code;

    hub->api = api;
    pthread_mutex_init(&hub->lock, NULL);
    thread_cond_init(&hub->wake);
    if ((code = thread_start(&hub->thread, "events", run, hub, e)) < 0) {
        pthread_cond_destroy(&hub->wake);
        pthread_mutex_destroy(&hub->lock);
        free(hub);
        return code;
    }
    *out = hub;
    core_listen(api->with.core, &(struct core_listener){.event = on_event, .volatile_change = on_volatile, .arg = hub});
    return 0;
}

void events_end_streams(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    hub->ending = true;
    for (size_t i = 0; i < hub->streams.len; i++)
        stream_end(hub->streams.items[i]);
    pthread_mutex_unlock(&hub->lock);
}

void events_stop(struct event_hub *hub)
{
    if (!hub)
        return;
    core_unlisten(hub->api->with.core, hub);
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    pthread_cond_broadcast(&hub->wake);
    pthread_mutex_unlock(&hub->lock);
    thread_join(&hub->thread);
    forget(hub);
    for (size_t i = 0; i < hub->streams.len; i++)
        stream_unref(hub->streams.items[i]);
    vec_release(&hub->streams);
    pthread_cond_destroy(&hub->wake);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

void events_expect(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    awake(hub);
    pthread_mutex_unlock(&hub->lock);
}

size_t events_stream_count(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    size_t count = hub->streams.len;
    pthread_mutex_unlock(&hub->lock);
    return count;
}

/* ---- a new stream ---- */

/* Call with the lock held. Succeeds if kept reaches back to the id, or if the id is newer than the last message: from a
 * snapshot taken while events were being made into messages. */
static int check_since(struct event_hub *hub, const struct api_event_id *id, struct err *e)
{
    const struct tailnet_snapshot *s = tailnet_pin(hub->api->with.tailnet);
    bool known = id->run == hub->run && id->seq >= hub->kept_after && id->seq <= s->event_seq;

    tailnet_unpin(s);
    if (known)
        return 0;
    return err_set(e, ERR_GONE,
                   "the stream does not reach back to event %llu.%llu: take a new snapshot and follow from its event",
                   (unsigned long long)id->run, (unsigned long long)id->seq);
}

static void replay(struct event_hub *hub, struct event_stream *out, uint64_t after)
{
    struct chunk *hello = chunk_new("retry: 1000\n\n", 13);

    stream_add(out, hello);
    chunk_unref(hello);
    for (size_t i = 0; i < hub->kept.len; i++)
        if (hub->kept.items[i].seq > after)
            stream_add(out, hub->kept.items[i].bytes);
}

/* Call with the lock held. */
static struct event_stream *stream_new(struct event_hub *hub, uint64_t after, const struct auth_who *who)
{
    struct event_stream *out = mem_alloc(sizeof(*out));

    out->source = (struct http_source){.take = stream_take, .attach = stream_attach, .closed = stream_closed};
    out->hub = hub;
    atomic_store(&out->refs, 2); /* the answer's and the hub's */
    out->after = after;
    out->who = *who;
    if (who->token)
        out->who.token = record_ref(who->token);
    replay(hub, out, after);
    vec_push(&hub->streams, out);
    return out;
}

/* Call with the lock held. One key cannot exclude other keys or the console on the machine itself. */
static bool has_place(const struct event_hub *hub, uint64_t key_id, struct err *e)
{
    size_t same = 0, others = 0;

    for (size_t i = 0; i < hub->streams.len; i++) {
        others += hub->streams.items[i]->who.key_id != 0;
        same += hub->streams.items[i]->who.key_id == key_id;
    }
    if (key_id && same >= STREAMS_KEY)
        err_set(e, ERR_BUSY, "this API key has %d streams of events open, no more are served", STREAMS_KEY);
    else if (hub->streams.len >= STREAMS_MAX || (key_id && others >= STREAMS_MAX - STREAMS_LOCAL))
        err_set(e, ERR_BUSY, "%zu streams of events are open, no more are served", hub->streams.len);
    else
        return true;
    return false;
}

enum http_flow events_follow(struct rest_request *r, const char *since)
{
    struct event_hub *hub = r->api->hub;
    struct api_event_id id;
    int code = 0;

    if (since && *since && api_event_id_parse(since, &id, &r->err) < 0)
        return reply_error(r, &r->err);
    pthread_mutex_lock(&hub->lock);
    awake(hub);
    if (!since || !*since)
        id = (struct api_event_id){hub->run, hub->seq};
    if (hub->ending)
        code = err_set(&r->err, ERR_UNAVAILABLE, "the server is stopping");
    else if (!has_place(hub, r->who.key_id, &r->err))
        code = r->err.code;
    else
        code = check_since(hub, &id, &r->err);
    if (code == 0) {
        struct event_stream *out = stream_new(hub, id.seq, &r->who);
        r->http.source = &out->source;
        http_reply(&r->http, 200, "text/event-stream; charset=utf-8");
        http_header(&r->http, "X-Accel-Buffering", "no");
    }
    pthread_mutex_unlock(&hub->lock);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}
