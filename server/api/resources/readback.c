/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients hold. They are asked in their map streams; nobody waits for the answer but the request. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "control/control.h"
#include "readback/readback.h"

static enum http_flow followers_get(struct rest_request *r)
{
    struct api_followers out;
    struct prefix p;
    char text[PREFIX_TEXT_MAX];

    if (prefix_parse_route(r->http.params[0], &p, &r->err) < 0)
        return reply_error(r, &r->err);
    if (!r->api->with.readback || !readback_followers(r->api->with.readback, &p, &r->http.arena, &out))
        return reply_code(r, ERR_MISSING,
                          prefix_is_exit(&p) ? "no exit node has gone that somebody used since the server started"
                                             : "%s has not moved since the server started",
                          prefix_format(&p, text));
    struct json_out o = reply_json(r);
    api_write(&o, &api_followers_shape, &out, API_HEADWAY);
    return HTTP_DONE;
}

/* ---- one node ---- */

struct diff_state {
    uint64_t node;
    int code, status;
    struct buf text; /* the client's answer */
};

static enum http_flow refuse(struct rest_request *r, const struct diff_state *d)
{
    if (d->code == ERR_UNSUPPORTED || (d->code == 0 && d->status != 200))
        return reply_code(r, ERR_UNSUPPORTED, "its client cannot be asked: that takes 1.90 or newer");
    if (d->code == ERR_TIMEOUT || d->code == ERR_GONE)
        return reply_code(r, d->code, "the client did not answer");
    return reply_code(r, d->code, "the client's answer cannot be used");
}

static enum http_flow compared(struct rest_request *r)
{
    struct diff_state *d = r->state;
    struct api_diff out;

    if (d->code < 0 || d->status != 200) {
        refuse(r, d);
    } else if (readback_compare(r->api->with.readback, d->node, buf_text(&d->text), d->text.len, &r->http.arena, &out,
                                &r->err) < 0) {
        reply_error(r, &r->err);
    } else {
        struct json_out o = reply_json(r);
        api_write(&o, &api_diff_shape, &out, API_HEADWAY);
    }
    buf_release(&d->text);
    return HTTP_DONE;
}

/* On any thread. */
static void on_answer(void *arg, const struct control_answer *answer)
{
    struct rest_request *r = arg;
    struct diff_state *d = r->state;

    d->code = answer->code;
    d->status = answer->status;
    buf_add(&d->text, answer->body, answer->len);
    (void)request_later(r, HTTP_HEAVY, compared);
}

static enum http_flow diff_get(struct rest_request *r)
{
    struct diff_state *d = arena_alloc(&r->http.arena, sizeof(*d));

    if (param_id(r, 0, &d->node) < 0)
        return reply_error(r, &r->err);
    if (!r->api->with.readback)
        return reply_code(r, ERR_UNAVAILABLE, "clients cannot be asked");
    r->state = d;
    if (readback_ask(r->api->with.readback, d->node, r->who.actor, on_answer, r, &r->err) < 0)
        return reply_error(r, &r->err);
    return HTTP_LATER;
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/prefixes/{prefix}/followers"), .run = followers_get, .need = NEED_READ, .answer = "Followers",
     .help = "Which router nodes use since the prefix last moved, or which exit node since one ended, as they say"},
    {HEADWAY("GET", "/nodes/{id}/diff"), .run = diff_get, .need = NEED_ADMIN, .answer = "Diff",
     .help = "What the client of a node holds beside what it should; the client is asked"},
};
const struct http_table readback_table = API_TABLE(rows);
