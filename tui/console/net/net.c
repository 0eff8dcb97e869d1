/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/net/net.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/thread.h"

#define QUEUE_MAX     8192 /* messages waiting for the screen's thread; beyond this limit a new snapshot replaces them */
#define RETRY_MIN_MS  1000
#define RETRY_MAX_MS  60000
#define HISTORY_COUNT 1000
#define REQUEST_MAX   (16U << 20) /* bytes of a request's JSON: a policy, escaped */

struct net_job {
    uint64_t id;
    char *method, *path, *body;
    uint64_t version;
    bool match, whole, background;
    enum row_kind result;
    int (*decode)(const json_t *root, struct model_delta *out, struct err *e);
};

struct net {
    struct client *stream, *calls;
    struct thread stream_thread, call_thread;
    int fd;
    atomic_bool stopping;
    _Atomic int64_t heard_ms; /* last sign of life from the stream */
    char *since;              /* the stream thread's last event */

    pthread_mutex_t lock; /* protects all members below */
    pthread_cond_t woken; /* signals a job, a retry, the end */
    struct net_messages queue;
    VEC(struct net_job) jobs;
    bool retry;
};

void message_release(struct net_message *m)
{
    delta_release(&m->delta);
    reply_release(&m->reply);
    free(m->text);
}

static void post(struct net *n, struct net_message *m)
{
    uint64_t one = 1;

    pthread_mutex_lock(&n->lock);
    vec_push(&n->queue, *m);
    pthread_mutex_unlock(&n->lock);
    if (write(n->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        return; /* the counter is full: the descriptor is readable already */
}

static void post_conn(struct net *n, enum connection_state state, const char *why, int64_t delay_ms)
{
    struct net_message m = {.kind = MESSAGE_CONN, .state = state, .delay_ms = delay_ms, .text = mem_strdup(why)};

    post(n, &m);
}

static bool crowded(struct net *n)
{
    pthread_mutex_lock(&n->lock);
    bool full = n->queue.len >= QUEUE_MAX;
    pthread_mutex_unlock(&n->lock);
    return full;
}

/* ---- the stream ---- */

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct net *n = arg;
    struct net_message m = {.kind = MESSAGE_DELTA};
    json_t *root = NULL;

    (void)name;
    if (atomic_load(&n->stopping))
        return ERR_BUSY;
    if (crowded(n))
        return ERR_GONE;
    if (json_read_large(data, len, CLIENT_EVENT_MAX, "event", &root, NULL) < 0)
        return ERR_GONE;
    int r = decode_message(root, &m.delta, NULL);
    json_decref(root);
    if (r < 0)
        return ERR_GONE;
    if (*id)
        mem_replace(&n->since, id);
    post(n, &m);
    return 0;
}

static void on_alive(void *arg)
{
    struct net *n = arg;

    atomic_store(&n->heard_ms, clock_mono_ms());
}

static void on_state(void *arg, const struct err *why, int64_t delay_ms)
{
    struct net *n = arg;

    if (why) {
        post_conn(n, CONN_DOWN, why->message, delay_ms);
        return;
    }
    on_alive(n);
    post_conn(n, CONN_LIVE, "", 0);
}

static int get_whoami(struct net *n, struct err *e)
{
    struct net_message m = {.kind = MESSAGE_WHOAMI};
    json_t *root = NULL;
    int r = client_json(n->stream, "GET", "/api/headway/whoami", NULL, &root, e);

    if (r < 0)
        return r;
    r = decode_whoami(root, &m.text, &m.read_only, e);
    json_decref(root);
    if (r == 0)
        post(n, &m);
    return r;
}

/* ---- the snapshot, read while it arrives ---- */

/* Rows are passed on when there are enough of them or the first is old enough: the first rows are on the screen before
 * the last are sent. */
#define ROWS_FIRST 100
#define ROWS_MOST  1000
#define HOLD_MS    100

struct snapshot_reading {
    struct net *net;
    struct json_pieces pieces;
    struct net_message m; /* what is not yet passed on */
    bool begun;
    int64_t handed_ms;
    char *event;
    struct err e;
};

static void hand_over(struct snapshot_reading *l, bool ends)
{
    struct model_delta *d = &l->m.delta;

    d->begins = !l->begun;
    d->ends = ends;
    if (d->event)
        mem_replace(&l->event, d->event);
    if (d->begins)
        post_conn(l->net, CONN_LOADING, "", 0);
    l->m.kind = MESSAGE_DELTA;
    post(l->net, &l->m);
    l->m = (struct net_message){0};
    l->begun = true;
    l->handed_ms = clock_mono_ms();
}

static int on_piece(void *arg, const char *member, const char *text, size_t len)
{
    struct snapshot_reading *l = arg;
    json_t *value = NULL;
    int r = json_read_large(text, len, CLIENT_EVENT_MAX, "the snapshot", &value, &l->e);

    if (r < 0)
        return r;
    r = decode_snapshot_piece(member, value, &l->m.delta, &l->e);
    json_decref(value);
    size_t rows = l->m.delta.rows.len;
    if (r == 0 && rows && (rows >= (l->begun ? ROWS_MOST : ROWS_FIRST) || clock_mono_ms() - l->handed_ms >= HOLD_MS))
        hand_over(l, false);
    return r;
}

static int on_snapshot(void *arg, const char *bytes, size_t len)
{
    struct snapshot_reading *l = arg;

    on_alive(l->net);
    return atomic_load(&l->net->stopping) ? ERR_BUSY : json_pieces_feed(&l->pieces, bytes, len, &l->e);
}

static int get_snapshot(struct net *n, struct err *e)
{
    struct snapshot_reading l = {.net = n, .handed_ms = clock_mono_ms()};
    struct client_call call = {.method = "GET", .path = "/api/headway/snapshot", .bytes = on_snapshot, .arg = &l};
    int r = get_whoami(n, e);

    if (r < 0)
        return r;
    json_pieces_init(&l.pieces, CLIENT_EVENT_MAX, on_piece, &l);
    r = client_call(n->stream, &call, e);
    if (r == 0)
        r = json_pieces_end(&l.pieces, &l.e);
    if (r < 0 && l.e.code && e)
        *e = l.e;
    if (r == 0) {
        hand_over(&l, true);
        mem_replace(&n->since, l.event ? l.event : "");
    }
    json_decref(call.json);
    json_pieces_release(&l.pieces);
    message_release(&l.m);
    free(l.event);
    /* The JSON of a large tailnet is many times what is kept of it: return the memory to the system. */
    malloc_trim(0);
    return r;
}

/* Fetches earlier events; errors are ignored, as nothing depends on them. */
static void get_history(struct net *n)
{
    struct net_message m = {.kind = MESSAGE_DELTA};
    json_t *root = NULL;
    char path[80];

    snprintf(path, sizeof(path), "/api/headway/events?limit=%d", HISTORY_COUNT);
    if (client_json(n->stream, "GET", path, NULL, &root, NULL) < 0)
        return;
    if (decode_events(root, &m.delta, NULL) == 0)
        post(n, &m);
    json_decref(root);
}

/* Waits until the time has passed, the user requests a retry, or the end. */
static void pause_stream(struct net *n, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;

    pthread_mutex_lock(&n->lock);
    while (!atomic_load(&n->stopping) && !n->retry && thread_cond_wait(&n->woken, &n->lock, until))
        ;
    pthread_mutex_unlock(&n->lock);
}

/* A retry and its abort are one step, and so is clearing both: a later abort would end the very attempt that was
 * requested. The end is requested before aborting, so loops see it even if this clears the abort. */
static bool take_retry(struct net *n)
{
    pthread_mutex_lock(&n->lock);
    bool wished = n->retry;
    n->retry = false;
    client_resume(n->stream);
    pthread_mutex_unlock(&n->lock);
    return wished;
}

static bool refused(int r)
{
    return r == ERR_UNAUTHENTICATED || r == ERR_DENIED;
}

static int follow(struct net *n, struct err *e)
{
    struct client_stream stream = {.event = on_event, .state = on_state, .alive = on_alive, .arg = n};
    int r;

    do {
        r = client_follow(n->stream, "/api/headway/events", n->since, &stream, e);
        /* Aborted but not ending: the user wants to retry now. */
        take_retry(n);
    } while (r == ERR_BUSY && !atomic_load(&n->stopping));
    return r;
}

static void *run_stream(void *arg)
{
    struct net *n = arg;
    int64_t delay = RETRY_MIN_MS;
    bool history = false;

    while (!atomic_load(&n->stopping)) {
        struct err e = {0};
        int r = get_snapshot(n, &e);

        if (r == 0) {
            delay = RETRY_MIN_MS;
            if (!history)
                get_history(n);
            history = true;
            r = follow(n, &e);
            if (r == ERR_GONE) {
                post_conn(n, CONN_RESYNC, "", 0);
                continue;
            }
        }
        if (atomic_load(&n->stopping))
            break;
        int64_t wait = delay + (int64_t)random_below((uint64_t)delay / 4);
        post_conn(n, refused(r) ? CONN_AUTH : CONN_DOWN, e.message, wait);
        pause_stream(n, wait);
        delay = take_retry(n) ? RETRY_MIN_MS : delay * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : delay * 2;
    }
    return NULL;
}

/* ---- requests ---- */

static void job_release(struct net_job *job)
{
    free(job->method);
    free(job->path);
    free(job->body);
}

static void carry_out(struct net *n, const struct net_job *job)
{
    struct net_message m = {.kind = MESSAGE_REPLY, .id = job->id};
    struct err e = {0};
    json_t *body = NULL;
    char version[24];
    struct client_call call = {.method = job->method, .path = job->path};

    if (*job->body && json_read(job->body, strlen(job->body), REQUEST_MAX, "request", &body, &e) < 0) {
        decode_reply(0, NULL, &e, job->result, &m.reply);
        post(n, &m);
        return;
    }
    call.body = body;
    snprintf(version, sizeof(version), "%llu", (unsigned long long)job->version);
    if (job->version || job->match)
        call.if_match = version;
    int r = client_call(n->calls, &call, &e);
    if (r == 0 && job->decode)
        r = job->decode(call.json, &m.reply.read, &e);
    struct model_delta read = m.reply.read;
    decode_reply(r < 0 && job->decode ? 0 : call.status, job->decode ? NULL : call.json, r < 0 ? &e : NULL, job->result,
                 &m.reply);
    m.reply.read = read;
    m.reply.unknown = r < 0 && call.sent && !call.status;
    m.reply.json = job->whole ? json_incref(call.json) : NULL;
    json_decref(call.json);
    json_decref(body);
    post(n, &m);
}

static void *run_calls(void *arg)
{
    struct net *n = arg;

    for (;;) {
        struct net_job job;

        pthread_mutex_lock(&n->lock);
        while (!n->jobs.len && !atomic_load(&n->stopping))
            pthread_cond_wait(&n->woken, &n->lock);
        if (atomic_load(&n->stopping)) {
            pthread_mutex_unlock(&n->lock);
            return NULL;
        }
        job = n->jobs.items[0];
        vec_remove(&n->jobs, 0);
        pthread_mutex_unlock(&n->lock);
        carry_out(n, &job);
        job_release(&job);
    }
}

/* ---- the screen's side ---- */

static void wake(struct net *n)
{
    pthread_mutex_lock(&n->lock);
    pthread_cond_broadcast(&n->woken);
    pthread_mutex_unlock(&n->lock);
}

int net_start(const struct client_options *options, struct net **out, struct err *e)
{
    struct net *n = mem_alloc(sizeof(*n));
    int r = client_new(options, &n->stream, e);

    if (r == 0)
        r = client_new(options, &n->calls, e);
    if (r < 0) {
        client_free(n->stream);
        free(n);
        return r;
    }
    n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    n->since = mem_strdup("");
    pthread_mutex_init(&n->lock, NULL);
    thread_cond_init(&n->woken);
    if (n->fd < 0 || thread_start(&n->stream_thread, "stream", run_stream, n, e) < 0 ||
        thread_start(&n->call_thread, "calls", run_calls, n, e) < 0)
        abort();
    *out = n;
    return 0;
}

void net_stop(struct net *n)
{
    if (!n)
        return;
    atomic_store(&n->stopping, true);
    client_abort(n->stream);
    client_abort(n->calls);
    wake(n);
    thread_join(&n->stream_thread);
    thread_join(&n->call_thread);
    client_free(n->stream);
    client_free(n->calls);
    for (size_t i = 0; i < n->queue.len; i++)
        message_release(&n->queue.items[i]);
    for (size_t i = 0; i < n->jobs.len; i++)
        job_release(&n->jobs.items[i]);
    vec_release(&n->queue);
    vec_release(&n->jobs);
    pthread_cond_destroy(&n->woken);
    pthread_mutex_destroy(&n->lock);
    close(n->fd);
    free(n->since);
    free(n);
}

int64_t net_heard_ms(const struct net *n)
{
    return atomic_load(&n->heard_ms);
}

int net_fd(const struct net *n)
{
    return n->fd;
}

void net_take(struct net *n, struct net_messages *out)
{
    uint64_t count;

    if (read(n->fd, &count, sizeof(count)) < 0)
        count = 0;
    pthread_mutex_lock(&n->lock);
    *out = n->queue;
    n->queue = (struct net_messages){0};
    pthread_mutex_unlock(&n->lock);
}

void net_send(void *net, const struct app_request *request)
{
    struct net *n = net;
    struct net_job job = {.id = request->id,
                          .method = mem_strdup(request->method),
                          .path = mem_strdup(request->path),
                          .body = mem_strdup(request->body),
                          .version = request->version,
                          .match = request->match,
                          .whole = request->whole,
                          .background = request->background,
                          .result = request->result,
                          .decode = request->decode};

    pthread_mutex_lock(&n->lock);
    size_t place = n->jobs.len;
    while (!job.background && place > 0 && n->jobs.items[place - 1].background)
        place--;
    *vec_insert(&n->jobs, place) = job;
    pthread_cond_broadcast(&n->woken);
    pthread_mutex_unlock(&n->lock);
}

void net_retry(void *net)
{
    struct net *n = net;

    pthread_mutex_lock(&n->lock);
    n->retry = true;
    client_abort(n->stream);
    pthread_cond_broadcast(&n->woken);
    pthread_mutex_unlock(&n->lock);
}
