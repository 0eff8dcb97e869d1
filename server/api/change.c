/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes: an operation of the core and its answer in the call's dialect. On /api/headway {"event","version","result",
 * "inverse","text"}; with dry_run nothing happened, and event is null. A version that does not hold (If-Match) is
 * answered with the object as it is. */
#include "api/private.h"

enum object_kind { OBJECT_NONE, OBJECT_USER, OBJECT_PREAUTH_KEY, OBJECT_API_KEY, OBJECT_NODE };

static const enum object_kind objects[ADMIN_OP_COUNT] = {
    [ADMIN_USER_CREATE] = OBJECT_USER,
    [ADMIN_USER_RENAME] = OBJECT_USER,
    [ADMIN_USER_ROLE] = OBJECT_USER,
    [ADMIN_USER_DELETE] = OBJECT_USER,
    [ADMIN_PREAUTHKEY_CREATE] = OBJECT_PREAUTH_KEY,
    [ADMIN_PREAUTHKEY_EXPIRE] = OBJECT_PREAUTH_KEY,
    [ADMIN_PREAUTHKEY_DELETE] = OBJECT_PREAUTH_KEY,
    [ADMIN_APIKEY_CREATE] = OBJECT_API_KEY,
    [ADMIN_APIKEY_EXPIRE] = OBJECT_API_KEY,
    [ADMIN_APIKEY_DELETE] = OBJECT_API_KEY,
    [ADMIN_NODE_RENAME] = OBJECT_NODE,
    [ADMIN_NODE_TAGS] = OBJECT_NODE,
    [ADMIN_NODE_EXPIRE] = OBJECT_NODE,
    [ADMIN_NODE_DELETE] = OBJECT_NODE,
    [ADMIN_NODE_ROUTES] = OBJECT_NODE,
    [ADMIN_ROUTES_EDIT] = OBJECT_NODE,
    [ADMIN_PRIMARY] = OBJECT_NODE,
    [ADMIN_NODE_DRAIN] = OBJECT_NODE,
    [ADMIN_REGISTER] = OBJECT_NODE,
};

/* The member of /api/v1's answers. */
static const char *const v1_names[] = {
    [OBJECT_USER] = "user", [OBJECT_PREAUTH_KEY] = "preAuthKey", [OBJECT_API_KEY] = "apiKey", [OBJECT_NODE] = "node"};

/* A node as it would be (a dry run) or was (a deletion) has no place in the snapshot: its record is shown with what is
 * known of its life now. */
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
    shown.user = record->user_id ? show_find_user(v->s, record->user_id) : NULL;
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

static void write_object(struct json_out *o, struct api_request *r, const void *record)
{
    const struct core_admin *a = &r->admin;
    enum object_kind kind = objects[a->op];
    enum api_scope scope = scope_of(r);
    struct api_view v;

    if (!record || kind == OBJECT_NONE) {
        json_nil(o);
        return;
    }
    show_init(&v, r->api, a->after ? a->after : r->s);
    if (kind == OBJECT_USER)
        write_user(o, &v, record, scope);
    else if (kind == OBJECT_PREAUTH_KEY)
        write_preauth_key(o, &v, record, a->secret, scope);
    else if (kind == OBJECT_API_KEY && scope == API_V1)
        json_str(o, a->secret ? a->secret : ""); /* headscale's whole answer is the key */
    else if (kind == OBJECT_API_KEY)
        write_api_key(o, record, a->secret, scope);
    else if (scope == API_V1)
        write_v1_node(o, &v, record);
    else
        write_node_record(o, &v, record, r->dry_run || a->op == ADMIN_NODE_DELETE);
    show_release(&v);
}

static const void *find_object(struct api_view *v, enum object_kind kind, uint64_t id)
{
    const struct tailnet_node *n;

    switch (kind) {
    case OBJECT_USER:
        return show_find_user(v->s, id);
    case OBJECT_PREAUTH_KEY:
        return show_find_preauth_key(v->s, id);
    case OBJECT_API_KEY:
        return show_find_api_key(v->s, id);
    case OBJECT_NODE:
        n = show_find_node(v, id);
        return n ? n->record : NULL;
    case OBJECT_NONE:
        break;
    }
    return NULL;
}

/* 412, with the object as it is now. */
static enum http_flow reply_changed_meanwhile(struct api_request *r)
{
    struct buf current = BUF_INIT(0);
    struct json_out o = JSON_OUT(&current);
    struct api_view v;

    tailnet_unpin(r->s);
    r->s = tailnet_pin(r->api->with.tailnet);
    show_init(&v, r->api, r->s);
    write_object(&o, r, find_object(&v, objects[r->admin.op], r->admin.id));
    show_release(&v);
    reply_error_with(r, &r->admin.call.err, buf_text(&current));
    buf_release(&current);
    return HTTP_DONE;
}

static void write_event_and_version(struct json_out *o, const struct core_admin *a)
{
    bool stored = a->event && a->event->r.id;

    write_event_id(o, "event", stored ? a->event->run : 0, stored ? a->event->r.id : 0);
    json_put_u64(o, "version", a->version);
}

static void write_inverse(struct json_out *o, const struct core_admin *a, bool possible)
{
    json_key(o, "inverse");
    if (possible && a->event && *a->event->inverse)
        json_raw(o, a->event->inverse, strlen(a->event->inverse));
    else
        json_nil(o);
    json_put_str(o, "text", a->event ? a->event->text : "Nothing changes");
}

void write_change(struct json_out *o, const struct core_admin *a)
{
    write_event_and_version(o, a);
    json_key(o, "result");
    json_nil(o);
    write_inverse(o, a, a->event && a->event->r.id);
}

static enum http_flow reply_v1(struct api_request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    if (r->endpoint->answer) {
        json_key(&o, v1_names[objects[r->admin.op]]);
        write_object(&o, r, r->admin.record);
    }
    json_close(&o, '}');
    return HTTP_DONE;
}

enum http_flow change_done(struct api_request *r)
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
    write_event_and_version(&o, a);
    json_key(&o, "result");
    write_object(&o, r, a->record);
    write_inverse(&o, a, a->record && ((const struct record *)a->record)->id);
    json_close(&o, '}');
    return HTTP_DONE;
}

enum http_flow change(struct api_request *r, enum admin_op op)
{
    r->admin.op = op;
    return request_admin(r, change_done);
}

enum http_flow change_id(struct api_request *r, enum admin_op op)
{
    if (param_id(r, 0, &r->admin.id) < 0)
        return reply_error(r, &r->err);
    return change(r, op);
}
