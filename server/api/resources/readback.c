/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients hold. They are asked in their map streams; only the request waits for the answer. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/view.h"
#include "base/clock.h"
#include "control/control.h"
#include "readback/readback.h"

#define NEW_NS (2 * NS_PER_SECOND) /* until a move is examined */

static const char *say_now(const struct api_prefix *p, bool fresh, struct arena *a)
{
    struct buf b = BUF_INIT(0);
    char text[PREFIX_TEXT_MAX];

    prefix_format(&p->prefix, text);
    if (p->exit)
        buf_adds(&b, "no exit node that somebody used has gone since the server started");
    else if (!p->primary)
        buf_addf(&b, "nobody serves %s", text);
    else if (fresh)
        buf_addf(&b, "%s moved to %s just now: nobody was asked yet", text, p->primary_name);
    else if (p->next)
        buf_addf(&b, "%s serves %s; %s is next", p->primary_name, text, p->next_name);
    else
        buf_addf(&b, "%s serves %s; no other router can take over", p->primary_name, text);
    const char *kept = arena_strdup(a, buf_text(&b));
    buf_release(&b);
    return kept;
}

/* For a prefix that has not moved, or so recently that nobody was asked yet; false: no node has it. */
static bool followers_now(struct rest_request *r, const struct prefix *p, struct api_followers *out)
{
    struct prefixes only = {0};
    struct api_list list;
    struct api_view v;

    prefixes_add(&only, p);
    show_init(&v, r->api, r->s);
    show_prefixes(&v, &only, &r->http.arena, &list);
    if (list.len) {
        const struct api_prefix *now = api_at(&list, struct api_prefix, 0);
        bool fresh = now->primary && clock_wall_ns() - now->since_ns < NEW_NS;
        *out = (struct api_followers){.prefix = *p,
                                      .to = now->primary,
                                      .to_name =
                                          now->primary_name ? arena_strdup(&r->http.arena, now->primary_name) : NULL,
                                      .moved_ns = now->since_ns,
                                      .complete = !fresh,
                                      .ended = !fresh,
                                      .text = say_now(now, fresh, &r->http.arena)};
    }
    show_release(&v);
    prefixes_release(&only);
    return list.len > 0;
}

static enum http_flow followers_get(struct rest_request *r)
{
    struct api_followers out;
    struct prefix p;
    char text[PREFIX_TEXT_MAX];

    if (prefix_parse_route(r->http.params[0], &p, &r->err) < 0)
        return reply_error(r, &r->err);
    if (!(r->api->with.readback && readback_followers(r->api->with.readback, &p, &r->http.arena, &out)) &&
        !followers_now(r, &p, &out))
        return reply_code(r, ERR_MISSING, "no node advertises %s or is approved for it", prefix_format(&p, text));
    struct json_out o = reply_json(r);
    api_write(&o, &api_followers_shape, &out, API_HEADWAY);
    return HTTP_DONE;
}

/* ---- one node ---- */

struct diff_state {
    uint64_t node;
    const char *name;
    int code, status;
    struct buf text; /* the client's answer */
};

static enum http_flow refuse(struct rest_request *r, const struct diff_state *d)
{
    if (d->code == ERR_UNSUPPORTED || (d->code == 0 && d->status != 200))
        return reply_code(r, ERR_UNSUPPORTED, "its client cannot be asked: that takes 1.90 or newer");
    if (d->code == ERR_TIMEOUT)
        return reply_code(r, d->code, "the client of %s did not answer within %d s", d->name, READBACK_DIFF_MS / 1000);
    if (d->code == ERR_GONE)
        return reply_code(r, d->code, "the client of %s went away before it answered", d->name);
    return reply_code(r, d->code, "the answer of the client of %s cannot be used", d->name);
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
    const struct tailnet_node *n = snapshot_node_by_id(r->s, d->node);
    d->name = n ? arena_strdup(&r->http.arena, n->record->given_name) : "a node";
    r->state = d;
    if (readback_ask(r->api->with.readback, d->node, r->who.actor, on_answer, r, &r->err) < 0)
        return reply_error(r, &r->err);
    return HTTP_LATER;
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/prefixes/{prefix}/followers"), .run = followers_get, .need = NEED_READ,
     .scope = SCOPE_DEVICES_ROUTES, .answer = "Followers",
     .help = "Which router nodes use since the prefix last moved, or which exit node since one ended, as they say"},
    {HEADWAY("GET", "/nodes/{id}/diff"), .run = diff_get, .need = NEED_ADMIN, .scope = SCOPE_ALL, .answer = "Diff",
     .help = "What the client of a node holds beside what it should; the client is asked"},
};
const struct http_table readback_table = API_TABLE(rows);
