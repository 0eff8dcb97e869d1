/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs requests on the workers and makes their answers. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/encoding.h"
#include "http/server.h"

#define ARENA_MAX ((size_t)4 * 1024 * 1024)

struct http_request *http_request_new(struct http *h)
{
    struct http_request *r = mem_alloc(h->with.request_size);

    r->http = h;
    r->peer_fd = -1;
    r->arena.max = ARENA_MAX;
    return r;
}

/* Called once: when the request is answered, or when its client has gone before. */
static void over(struct http_request *r)
{
    if (r->known)
        r->http->with.over(r->http->with.arg, r);
    r->known = false;
}

void http_request_free(struct http_request *r)
{
    if (!r)
        return;
    over(r);
    if (r->source)
        r->source->closed(r->source);
    arena_release(&r->arena);
    buf_release(&r->body);
    buf_release(&r->out);
    free(r->target);
    free(r->authorization);
    free(r->if_match);
    free(r->idempotency_key);
    free(r->last_event_id);
    free(r->accept);
    free(r->content_type);
    free(r->cookie);
    free(r);
}

static void begin_work(struct http_request *r, void (*run)(struct work *work))
{
    struct http *h = r->http;

    pthread_mutex_lock(&h->lock);
    h->active++;
    pthread_mutex_unlock(&h->lock);
    r->known = true;
    r->work.run = run;
    workers_add(&h->workers[HTTP_FAST], &r->work);
}

/* The request may have been freed when this returns. */
static void end_work(struct http_request *r)
{
    struct http *h = r->http;

    http_exchange_resume(r);
    pthread_mutex_lock(&h->lock);
    if (--h->active == 0)
        pthread_cond_broadcast(&h->idle);
    pthread_mutex_unlock(&h->lock);
}

static void finish(struct http_request *r)
{
    encoding_apply(r);
    over(r);
    end_work(r);
}

static void run_continuation(struct work *work)
{
    struct http_request *r = (struct http_request *)work;

    if (r->then(r) == HTTP_DONE)
        finish(r);
}

enum http_flow http_later(struct http_request *r, enum http_workers which, http_continuation *then)
{
    r->then = then;
    r->work.run = run_continuation;
    workers_add(&r->http->workers[which], &r->work);
    return HTTP_LATER;
}

static void admit(struct work *work)
{
    struct http_request *r = (struct http_request *)work;

    r->http->with.admit(r->http->with.arg, r);
    if (r->status)
        finish(r);
    else
        end_work(r);
}

static void serve(struct work *work)
{
    struct http_request *r = (struct http_request *)work;

    if (r->http->with.serve(r->http->with.arg, r) == HTTP_DONE)
        finish(r);
}

void http_request_admit(struct http_request *r)
{
    begin_work(r, admit);
}

void http_request_serve(struct http_request *r)
{
    begin_work(r, serve);
}

/* ---- answers ---- */

struct buf *http_reply(struct http_request *r, int status, const char *content_type)
{
    buf_clear(&r->out);
    r->lent = NULL;
    r->status = status;
    r->content_type_out = content_type;
    return &r->out;
}

enum http_flow http_reply_text(struct http_request *r, int status, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_adds(http_reply(r, status, HTTP_TEXT), text);
    return HTTP_DONE;
}

void http_header(struct http_request *r, const char *name, const char *value)
{
    if (r->header_count < ARRAY_LEN(r->headers))
        r->headers[r->header_count++] = (struct http_pair){name, arena_strdup(&r->arena, value)};
}
