/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes: an operation of the core and its answer. Those of /api/headway answer
 * {"event","version","result","inverse"}; with dry_run nothing happened, and event is null. A version that does not
 * hold (If-Match) is answered with the object as it is. */
#include <stdlib.h>

#include "http/private.h"

/* A node as it would be (a dry run) or was (a deletion) has no place in the snapshot: its record is shown with what is
 * known of its life now. */
static void write_node_record(struct json_out *o, struct view *v, const struct node *record, bool imagined)
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

static void write_object(struct json_out *o, struct request *r, enum admin_object kind, const void *record)
{
    const struct core_admin *a = &r->admin;
    struct view v;

    if (!record) {
        json_nil(o);
        return;
    }
    show_init(&v, r->h, r->after ? r->after : r->s);
    switch (kind) {
    case ADMIN_OBJECT_USER:
        write_user(o, &v, record, API_HEADWAY);
        break;
    case ADMIN_OBJECT_PREAUTH_KEY:
        write_preauth_key(o, &v, record, a->secret, API_HEADWAY);
        break;
    case ADMIN_OBJECT_API_KEY:
        write_api_key(o, record, a->secret, API_HEADWAY);
        break;
    case ADMIN_OBJECT_NODE:
        write_node_record(o, &v, record, r->dry_run || a->op == ADMIN_NODE_DELETE);
        break;
    case ADMIN_OBJECT_NONE:
        json_nil(o);
        break;
    }
    show_release(&v);
}

static const void *find_object(struct view *v, enum admin_object kind, uint64_t id)
{
    const struct tailnet_node *n;

    switch (kind) {
    case ADMIN_OBJECT_USER:
        return show_find_user(v->s, id);
    case ADMIN_OBJECT_PREAUTH_KEY:
        return show_find_preauth_key(v->s, id);
    case ADMIN_OBJECT_API_KEY:
        return show_find_api_key(v->s, id);
    case ADMIN_OBJECT_NODE:
        n = show_find_node(v, id);
        return n ? n->record : NULL;
    case ADMIN_OBJECT_NONE:
        break;
    }
    return NULL;
}

/* 412, with the object as it is now. */
static enum flow reply_changed_meanwhile(struct request *r)
{
    struct buf current = BUF_INIT(0);
    struct json_out o = JSON_OUT(&current);
    struct view v;

    tailnet_unpin(r->s);
    r->s = tailnet_pin(r->h->with.tailnet);
    show_init(&v, r->h, r->s);
    write_object(&o, r, core_operation_object(r->admin.op),
                 find_object(&v, core_operation_object(r->admin.op), r->admin.id));
    show_release(&v);
    reply_error_with(r, &r->admin.call.err, buf_text(&current));
    buf_release(&current);
    return DONE;
}

void write_change(struct json_out *o, const struct core_admin *a)
{
    const struct event *first = a->events.len ? a->events.items[0] : NULL;
    struct buf call = BUF_INIT(0);

    write_event_id(o, "event", first && first->r.id ? first->run : 0, first ? first->r.id : 0);
    json_key(o, "events");
    json_open(o, '[');
    for (size_t i = 0; i < a->events.len && first->r.id; i++) {
        char text[API_EVENT_ID_MAX];
        json_str(o, api_event_id_format(&(struct api_event_id){first->run, a->events.items[i]->r.id}, text));
    }
    json_close(o, ']');
    json_put_u64(o, "version", a->version);
    json_key(o, "inverse");
    bool known = a->op == ADMIN_POLICY_SET || (a->record && ((const struct record *)a->record)->id);
    if (a->inverse && known && operation_as_call(a->inverse, &call))
        json_raw(o, call.data, call.len);
    else
        json_nil(o);
    buf_release(&call);
    json_put_str(o, "text", first ? first->text : "Nothing changes");
}

static enum flow change_done(struct request *r)
{
    const struct core_admin *a = &r->admin;

    if (a->call.code == ERR_PRECONDITION && r->has_match)
        return reply_changed_meanwhile(r);
    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    write_change(&o, a);
    json_key(&o, "result");
    write_object(&o, r, core_operation_object(a->op), a->record);
    json_close(&o, '}');
    return DONE;
}

enum flow headway_change(struct request *r, enum admin_op op)
{
    r->admin.op = op;
    return request_admin(r, change_done);
}

enum flow headway_change_id(struct request *r, enum admin_op op)
{
    if (param_id(r, 0, "id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    return headway_change(r, op);
}

enum flow v1_empty_done(struct request *r)
{
    return r->admin.call.code < 0 ? reply_error(r, &r->admin.call.err) : reply_object(r);
}
