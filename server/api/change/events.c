/* SPDX-License-Identifier: BSD-3-Clause */
/* The event stream. The core reports each event and each volatile change; one thread, the hub, turns them into messages
 * with what they changed (difference.c), once for all streams. A stream holds references to messages, so a slow one
 * costs no copies; one that is too far behind ends, and its client starts over.
 *
 * The hub works only while somebody listens, did so within the last minute, or has just taken a snapshot to follow
 * from. It keeps the last messages for clients that reconnect; a client with an older id is told that it is gone and
 * takes a new snapshot. */
#include <stdlib.h>

#include "api/change/event_hub.h"
#include "api/change/events.h"
#include "api/request/reply.h"
#include "api/view/difference.h"
#include "api/view/objects.h"

#define KEPT_MAX    4096 /* messages kept for clients that reconnect */
#define KEPT_BYTES  (16 * 1024 * 1024)
#define INTEREST_MS 60000 /* the hub keeps working this long after the last listener */
#define VOLATILE_MS                                                                                                    \
    1000 /* shortest interval between messages about a node's endpoints, relay and last seen, and between checks of    \
            credentials */
#define VOLATILE_TURNS 4096 /* nodes reported per turn */

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
            event_stream_add(hub->streams.items[i], c);
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

/* One turn of a working hub; returns when to look again. */
static int64_t turn(struct event_hub *hub)
{
    int64_t now;

    if (hub->events.len)
        tell_events(hub);
    now = clock_mono_ms();
    if (now - hub->volatile_ms >= VOLATILE_MS) {
        hub->volatile_ms = now;
        event_streams_end_unauthorized(hub);
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
        event_stream_end(hub->streams.items[i]);
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
        event_stream_unref(hub->streams.items[i]);
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

    event_stream_add(out, hello);
    chunk_unref(hello);
    for (size_t i = 0; i < hub->kept.len; i++)
        if (hub->kept.items[i].seq > after)
            event_stream_add(out, hub->kept.items[i].bytes);
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
    else if (!event_stream_has_place(hub, r->who.key_id, &r->err))
        code = r->err.code;
    else
        code = check_since(hub, &id, &r->err);
    if (code == 0) {
        struct event_stream *out = event_stream_new(hub, id.seq, &r->who);
        replay(hub, out, id.seq);
        r->http.source = &out->source;
        http_reply(&r->http, 200, "text/event-stream; charset=utf-8");
        http_header(&r->http, "X-Accel-Buffering", "no");
    }
    pthread_mutex_unlock(&hub->lock);
    return code < 0 ? reply_error(r, &r->err) : HTTP_DONE;
}
