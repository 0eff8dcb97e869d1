/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes: operations of the core and their answers in the call's dialect. On /api/headway {"event","version","result",
 * "inverse","text"}; with dry_run nothing is changed, and event is null. If the expected version (If-Match) is not the
 * current one, the answer holds the current object. */
#include <stdlib.h>
#include <string.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/view/objects.h"
#include "api/view/operations.h"
#include "crypto/crypto.h"

/* The member in /api/v1's answers. */
static const char *const v1_names[] = {[ADMIN_OBJECT_USER] = "user",
                                       [ADMIN_OBJECT_PREAUTH_KEY] = "preAuthKey",
                                       [ADMIN_OBJECT_API_KEY] = "apiKey",
                                       [ADMIN_OBJECT_NODE] = "node"};

/* A node as it would be (in a dry run) or was (before its deletion) is not in the snapshot: its record is shown with
 * its current live state. */
static void write_node_record(struct json_out *o, struct api_view *v, const struct node *record, bool imagined)
{
    const struct tailnet_node *now = show_find_node(v, record->r.id);
    struct tailnet_node shown = {0};

    if (now && !imagined) {
        write_node(o, v, now, API_HEADWAY);
        return;
    }
    if (now) {
        shown.live = now->live;
        shown.serving = now->serving;
    } else {
        shown.live.source = (char *)(uintptr_t) "";
        shown.live.net_info = shown.live.source;
    }
    shown.record = record;
    shown.user = record->user_id ? snapshot_user(v->s, record->user_id) : NULL;
    shown.expired = node_is_expired(record, clock_wall_ns());
    write_node(o, v, &shown, API_HEADWAY);
}

static void write_v1_node(struct json_out *o, struct api_view *v, const struct node *record)
{
    const struct tailnet_node *n = show_find_node(v, record->r.id);

    if (n)
        write_node(o, v, n, API_V1);
    else
        json_nil(o);
}

char *change_secret(struct rest_request *r)
{
    const struct core_admin *a = &r->admin;
    bool made = a->op == ADMIN_WEBHOOK_CREATE || a->op == ADMIN_WEBHOOK_ROTATE;

    return made && a->record && !a->dry_run ? webhooks_secret(r->api->webhooks, a->record) : NULL;
}

static void write_webhook_made(struct json_out *o, struct rest_request *r, const struct webhook *record,
                               enum api_scope scope)
{
    char *secret = record == r->admin.record ? change_secret(r) : NULL;

    write_webhook(o, record, secret, scope);
    if (secret)
        crypto_wipe(secret, strlen(secret));
    free(secret);
}

static void write_dns_record(struct json_out *o, struct rest_request *r, const struct dns_settings *record)
{
    const struct config *c = api_config(r->api);

    write_dns(o, c, record);
    config_unref(c);
}

static void write_object(struct json_out *o, struct rest_request *r, const void *record)
{
    const struct core_admin *a = &r->admin;
    enum admin_object kind = core_operation_object(a->op);
    enum api_scope scope = scope_of(r);
    struct api_view v;

    if (!record || kind == ADMIN_OBJECT_NONE) {
        json_nil(o);
        return;
    }
    show_init(&v, r->api, r->after ? r->after : r->s);
    if (kind == ADMIN_OBJECT_USER)
        write_user(o, &v, record, scope);
    else if (kind == ADMIN_OBJECT_PREAUTH_KEY)
        write_preauth_key(o, &v, record, a->secret, scope);
    else if (kind == ADMIN_OBJECT_API_KEY && scope == API_V1)
        json_str(o, a->secret ? a->secret : ""); /* headscale's answer is the key alone */
    else if (kind == ADMIN_OBJECT_API_KEY)
        write_api_key(o, record, a->secret, scope);
    else if (kind == ADMIN_OBJECT_OAUTH_CLIENT)
        write_oauth_client(o, record, a->secret, scope);
    else if (kind == ADMIN_OBJECT_WEBHOOK)
        write_webhook_made(o, r, record, scope);
    else if (kind == ADMIN_OBJECT_PREFIX)
        write_prefix(o, &v, &((const struct prefix_settings *)record)->prefix, record);
    else if (kind == ADMIN_OBJECT_MESSAGE)
        write_message(o, record, scope);
    else if (kind == ADMIN_OBJECT_DNS)
        write_dns_record(o, r, record);
    else if (scope == API_V1)
        write_v1_node(o, &v, record);
    else
        write_node_record(o, &v, record, r->dry_run || a->op == ADMIN_NODE_DELETE);
    show_release(&v);
}

static const void *find_object(struct api_view *v, const struct core_admin *a)
{
    const struct tailnet_node *n;
    uint64_t id = a->id;

    switch (core_operation_object(a->op)) {
    case ADMIN_OBJECT_USER:
        return snapshot_user(v->s, id);
    case ADMIN_OBJECT_PREAUTH_KEY:
        return snapshot_preauth_key(v->s, id);
    case ADMIN_OBJECT_API_KEY:
        return snapshot_api_key(v->s, id);
    case ADMIN_OBJECT_OAUTH_CLIENT:
        return snapshot_oauth_client(v->s, id);
    case ADMIN_OBJECT_WEBHOOK:
        return snapshot_webhook(v->s, id);
    case ADMIN_OBJECT_NODE:
        n = show_find_node(v, id);
        return n ? n->record : NULL;
    case ADMIN_OBJECT_PREFIX:
        return a->prefixes.len ? snapshot_prefix_settings(v->s, &a->prefixes.items[0]) : NULL;
    case ADMIN_OBJECT_MESSAGE:
        return v->s->message;
    case ADMIN_OBJECT_DNS:
        return v->s->settings->dns_own;
    case ADMIN_OBJECT_NONE:
        break;
    }
    return NULL;
}

/* Answers 412, with the current object. */
static enum http_flow reply_changed_meanwhile(struct rest_request *r)
{
    struct buf current = BUF_INIT(0);
    struct json_out o = JSON_OUT(&current);
    struct api_view v;

    tailnet_unpin(r->s);
    r->s = tailnet_pin(r->api->with.tailnet);
    show_init(&v, r->api, r->s);
    write_object(&o, r, find_object(&v, &r->admin));
    show_release(&v);
    reply_error_with(r, &r->admin.call.err, buf_text(&current));
    buf_release(&current);
    return HTTP_DONE;
}

void write_change(struct json_out *o, const struct core_admin *a)
{
    const struct event *first = a->events.len ? a->events.items[0] : NULL;
    bool known =
        a->op == ADMIN_POLICY_SET || a->op == ADMIN_PREFIX_SET || (a->record && ((const struct record *)a->record)->id);
    struct api_change change = {.version = a->version, .text = first ? first->text : API_CHANGE_NOTHING};
    struct buf call = BUF_INIT(0);

    if (first && first->r.id)
        change.event = (struct api_event_id){first->run, first->r.id};
    for (size_t i = 0; first && first->r.id && i < a->events.len; i++) {
        char text[API_EVENT_ID_MAX];
        strs_push(&change.events,
                  api_event_id_format(&(struct api_event_id){first->run, a->events.items[i]->r.id}, text));
    }
    if (a->inverse && known && operation_as_call(a->inverse, &call))
        change.inverse = buf_text(&call);
    api_write_members(o, &api_change_shape, &change, API_HEADWAY);
    strs_release(&change.events);
    buf_release(&call);
}

static enum http_flow reply_v1(struct rest_request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    if (r->endpoint->answer) {
        json_key(&o, v1_names[core_operation_object(r->admin.op)]);
        write_object(&o, r, r->admin.record);
        if (r->admin.op == ADMIN_APIKEY_CREATE && r->admin.record) /* its expiry may differ from the requested one */
            json_put_time(&o, "expiration", ((const struct api_key *)r->admin.record)->expiration_ns);
    }
    json_close(&o, '}');
    return HTTP_DONE;
}

enum http_flow change_done_with(struct rest_request *r, void (*more)(struct json_out *o, struct rest_request *r))
{
    const struct core_admin *a = &r->admin;

    if (a->call.code == ERR_PRECONDITION && r->has_match)
        return reply_changed_meanwhile(r);
    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    if (r->endpoint->dialect == DIALECT_V1)
        return reply_v1(r);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    write_change(&o, a);
    json_key(&o, "result");
    write_object(&o, r, a->record);
    if (more)
        more(&o, r);
    json_close(&o, '}');
    return HTTP_DONE;
}

enum http_flow change_done(struct rest_request *r)
{
    return change_done_with(r, NULL);
}

enum http_flow change(struct rest_request *r, enum admin_op op)
{
    r->admin.op = op;
    return request_admin(r, change_done);
}

enum http_flow change_id(struct rest_request *r, enum admin_op op)
{
    if (param_id(r, 0, &r->admin.id) < 0)
        return reply_error(r, &r->err);
    return change(r, op);
}
