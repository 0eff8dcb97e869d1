/* SPDX-License-Identifier: BSD-3-Clause */
/* Carries bytes between a client and a local socket with a plain HTTP server at its other end. Each direction holds at
 * most one piece and one head, and its source is not read while it does. */
#include "front/pump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "front/answer.h"
#include "front/destination.h"
#include "front/framing.h"
#include "front/refusal.h"

#define PIECE     16384
#define LINGER_MS 2000

struct pump_side {
    struct stream *stream;
    uint8_t *held; /* bytes that this side has not taken yet */
    size_t held_len, held_at;
};

struct front_pump {
    struct front *front;
    struct loop *loop;
    struct front_pump *next, *prev;
    struct pump_side client, local;
    struct loop_timer linger, stall;
    struct framing framing;
    struct answer answer; /* to the one request that the server has: the next one waits until it ends */
    struct buf head;      /* of the next request, as far as received */
    bool tls;
    bool waits;       /* there is a next request, which was put back */
    bool half_closed; /* the client sends no more; all its requests are answered */
    char *refusal;    /* the answer to the client's last input, of which nothing is passed on */
    bool leaving;     /* head is for a clients' room: the connection goes there once everything before it is answered */
    bool ending;      /* the server is done: its output is written, then the client is waited for */
};

static struct front_pumps *list_of(const struct front_pump *p)
{
    return &p->front->pumps[loop_index(p->loop)][p->ending];
}

static void enlist(struct front_pump *p)
{
    struct front_pumps *list = list_of(p);

    p->prev = NULL;
    p->next = list->newest;
    *(p->next ? &p->next->prev : &list->oldest) = p;
    list->newest = p;
    list->count++;
}

static void unlist(struct front_pump *p)
{
    struct front_pumps *list = list_of(p);

    *(p->prev ? &p->prev->next : &list->newest) = p->next;
    *(p->next ? &p->next->prev : &list->oldest) = p->prev;
    list->count--;
}

void pump_close(struct front_pump *p)
{
    loop_timer_stop(p->loop, &p->linger);
    loop_timer_stop(p->loop, &p->stall);
    unlist(p);
    stream_close(p->client.stream);
    stream_close(p->local.stream);
    free(p->client.held);
    free(p->local.held);
    buf_release(&p->head);
    answer_release(&p->answer);
    free(p->refusal);
    free(p);
}

static void linger_due(struct loop_timer *timer)
{
    pump_close(CONTAINER_OF(timer, struct front_pump, linger));
}

static void stall_due(struct loop_timer *timer)
{
    pump_close(CONTAINER_OF(timer, struct front_pump, stall));
}

/* The client must read some of what is pending for it, or the end of it. */
static void wait_for_client(struct front_pump *p)
{
    loop_timer_stop(p->loop, &p->stall);
    loop_timer_set(p->loop, &p->stall, p->front->o.stall_ms, stall_due);
}

/* The client is given time to read the end of the answer: closing a socket with unread bytes resets it. */
static void finish_client(struct front_pump *p)
{
    if (p->client.held || !stream_is_sent(p->client.stream)) {
        wait_for_client(p);
        return;
    }
    loop_timer_stop(p->loop, &p->stall);
    stream_shutdown(p->client.stream);
    stream_pause(p->client.stream, false);
    loop_timer_set(p->loop, &p->linger, LINGER_MS, linger_due);
}

/* false: the pump is closed. */
static bool give(struct front_pump *p, struct pump_side *to, const uint8_t *bytes, size_t len)
{
    long n = to->held ? 0 : stream_write(to->stream, bytes, len, NULL);

    if (n < 0) {
        pump_close(p);
        return false;
    }
    if ((size_t)n < len) {
        size_t before = to->held ? to->held_len : 0;
        to->held = mem_resize(to->held, before + len - (size_t)n, 1);
        memcpy(to->held + before, bytes + n, len - (size_t)n);
        to->held_len = before + len - (size_t)n;
        to->held_at = before ? to->held_at : 0;
        if (to == &p->client)
            wait_for_client(p);
    }
    return true;
}

/* The server at the other end answered everything and closed. */
static void leave(struct front_pump *p)
{
    struct front *f = p->front;
    struct stream *s = p->client.stream;
    struct buf bytes = p->head;
    struct head h;
    bool control = false;
    long len = head_parse(bytes.data, bytes.len, &h, NULL);

    p->client.stream = NULL;
    p->head = (struct buf){0};
    pump_close(p);
    if (len > 0 && destination_is_client(f, &h, &control)) {
        stream_unread(s, bytes.data + len, bytes.len - (size_t)len);
        stream_pause(s, false);
        destination_hand_on(f, s, &h, control);
        head_release(&h);
    } else {
        stream_close(s);
    }
    buf_release(&bytes);
}

static void local_ended(struct front_pump *p)
{
    stream_pause(p->local.stream, true);
    if (p->leaving && !p->client.held) {
        leave(p);
        return;
    }
    if (p->refusal && !give(p, &p->client, (uint8_t *)p->refusal, strlen(p->refusal)))
        return;
    unlist(p);
    p->ending = true;
    enlist(p);
    struct front_pumps *list = list_of(p);
    if (list->count > p->front->endings_max)
        pump_close(list->oldest); /* never this one: there is a place for one */
    if (!p->leaving)
        finish_client(p);
}

/* Reads from the client unless some of its bytes are pending. */
static void look_after_client(struct front_pump *p)
{
    stream_pause(p->client.stream, p->local.held || p->waits || p->half_closed || p->leaving || p->refusal);
}

/* The server gets no more input, and sees that at once, whatever it is doing: if it has a complete request, it answers
 * first. */
static void shut_local(struct front_pump *p)
{
    bool whole = p->framing.state == FRAMING_HEAD && !p->head.len;
    bool answers = p->answer.state == ANSWER_HEAD || p->answer.state == ANSWER_BODY;

    if (!p->local.held && !(whole && answers))
        stream_shutdown(p->local.stream);
}

static void client_ended(struct front_pump *p)
{
    if (p->tls || p->ending) {
        pump_close(p);
        return;
    }
    p->half_closed = true;
    look_after_client(p);
    shut_local(p);
}

static void refuse(struct front_pump *p, const struct err *e)
{
    struct buf text = BUF_INIT(0);

    refusal_log(stream_peer(p->client.stream), e->message);
    refusal_put(&text, refusal_status(e), e->message);
    p->refusal = buf_take(&text);
    look_after_client(p);
    shut_local(p);
}

/* Examines the head so far: returns how many of its bytes go to the server, 0 if none do yet. */
static size_t look_at_head(struct front_pump *p)
{
    struct head h;
    struct err e = {0};
    bool control;
    long len = head_parse(p->head.data, p->head.len, &h, &e);

    if (len < 0)
        refuse(p, &e);
    if (len <= 0)
        return 0;
    if (framing_begin(&p->framing, &h, &e) < 0) {
        refuse(p, &e);
        len = 0;
    } else if (destination_is_client(p->front, &h, &control)) {
        p->leaving = true;
        look_after_client(p);
        shut_local(p);
        len = 0;
    } else {
        answer_expect(&p->answer, &h);
    }
    head_release(&h);
    return (size_t)len;
}

/* Bytes from the client: bodies are passed on, heads are examined first. false: the pump is closed. */
static bool take(struct front_pump *p, const uint8_t *bytes, size_t len)
{
    while (len && !p->refusal) {
        size_t part = p->leaving ? 0 : framing_take(&p->framing, bytes, len), before = p->head.len;
        if (p->framing.state == FRAMING_BAD) {
            struct err e;
            (void)err_set(&e, ERR_INVALID, "the body is not what its chunks say");
            refuse(p, &e);
        } else if (part) {
            if (!give(p, &p->local, bytes, part))
                return false;
        } else if (p->answer.state != ANSWER_NONE) {
            stream_unread(p->client.stream, bytes, len);
            p->waits = true;
            look_after_client(p);
            return true;
        } else {
            part = p->leaving || len < HEAD_MAX - before ? len : HEAD_MAX - before;
            buf_add(&p->head, bytes, part);
            size_t whole = p->leaving ? 0 : look_at_head(p);
            if (whole && !give(p, &p->local, (uint8_t *)p->head.data, whole))
                return false;
            if (whole) {
                part = whole - before;
                buf_clear(&p->head);
            }
        }
        bytes += part;
        len -= part;
    }
    return true;
}

/* false: the pump is closed. */
static bool pass_answer(struct front_pump *p, const uint8_t *bytes, size_t len)
{
    bool whole = answer_take(&p->answer, bytes, len);

    if (!give(p, &p->client, bytes, len))
        return false;
    bool endless = p->answer.state == ANSWER_CHUNKS || p->answer.state == ANSWER_OPEN;
    if (p->half_closed && (endless || (whole && !p->waits))) {
        shut_local(p);
    } else if (whole) {
        p->waits = false;
        look_after_client(p);
    }
    return true;
}

static void move(struct front_pump *p, struct pump_side *from, struct pump_side *to)
{
    uint8_t *piece = loop_scratch_in(p->loop);
    long n = stream_read(from->stream, piece, PIECE, NULL);

    if (n < 0 && from == &p->local && !p->ending) {
        local_ended(p);
    } else if (n < 0 && from == &p->client) {
        client_ended(p);
    } else if (n < 0) {
        pump_close(p);
    } else if (n > 0 && !p->ending) {
        bool open = from == &p->client ? take(p, piece, (size_t)n) : pass_answer(p, piece, (size_t)n);
        if (open && to->held)
            stream_pause(from->stream, true);
    }
}

/* Writes the held bytes; once they are gone the other side is read again. */
static void drain(struct front_pump *p, struct pump_side *to, struct pump_side *from)
{
    if (!to->held) {
        if (p->ending && to == &p->client)
            finish_client(p);
        return;
    }
    long n = stream_write(to->stream, to->held + to->held_at, to->held_len - to->held_at, NULL);
    if (n < 0) {
        pump_close(p);
        return;
    }
    to->held_at += (size_t)n;
    if (n && to == &p->client)
        wait_for_client(p);
    if (to->held_at < to->held_len)
        return;
    free(to->held);
    to->held = NULL;
    if (to == &p->client)
        loop_timer_stop(p->loop, &p->stall);
    if (p->ending && p->leaving)
        leave(p);
    else if (p->ending)
        finish_client(p);
    else if (from == &p->local)
        stream_pause(from->stream, false);
    else if (p->leaving || p->refusal || p->half_closed)
        shut_local(p);
    else
        look_after_client(p);
}

static void client_readable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    move(p, &p->client, &p->local);
}

static void client_writable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    drain(p, &p->client, &p->local);
}

static void local_readable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    move(p, &p->local, &p->client);
}

static void local_writable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    drain(p, &p->local, &p->client);
}

void pump_start(struct front *f, struct stream *client, int local, bool tls)
{
    static const struct stream_handler to_client = {client_readable, client_writable},
                                       to_local = {local_readable, local_writable};
    struct loop *l = stream_loop(client);
    struct stream *other = stream_new(l, local, NULL, stream_peer(client), NULL);

    if (!other) {
        stream_close(client);
        return;
    }
    struct front_pump *p = mem_alloc(sizeof(*p));
    p->front = f;
    p->loop = l;
    p->client.stream = client;
    p->local.stream = other;
    p->tls = tls;
    enlist(p);
    stream_handle(client, &to_client, p);
    stream_handle(other, &to_local, p);
}

unsigned pumps_unsent(const struct front *f, const struct loop *l)
{
    unsigned count = 0;

    for (unsigned ending = 0; ending < 2; ending++)
        for (const struct front_pump *p = f->pumps[loop_index(l)][ending].newest; p; p = p->next)
            count += !loop_timer_is_set(&p->linger);
    return count;
}
