/* SPDX-License-Identifier: BSD-3-Clause */
/* /api/headway: changes. Each answers {"event","version","result","inverse"}; with dry_run nothing happened, and event
 * is null. A version that does not hold (If-Match) is answered with the object as it is. */
#include <stdlib.h>
#include <sys/stat.h>

#include "http/private.h"

enum object { OBJECT_NONE, OBJECT_USER, OBJECT_PREAUTH_KEY, OBJECT_API_KEY, OBJECT_NODE };

static const enum object objects[ADMIN_OP_COUNT] = {
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

/* A node as it would be (a dry run) or was (a deletion) has no place in the snapshot: its record is shown with what is
 * known of its life now. */
static void write_node_record(struct json_out *o, struct view *v, const struct node *record, bool imagined)
{
    const struct tailnet_node *now = show_find_node(v, record->r.id);
    struct tailnet_node shown = {0};

    if (now && !imagined) {
        write_node(o, v, now, API_OURS);
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
    write_node(o, v, &shown, API_OURS);
}

static void write_object(struct json_out *o, struct request *r, enum object kind, const void *record)
{
    const struct core_admin *a = &r->admin;
    struct view v;

    if (!record) {
        json_nil(o);
        return;
    }
    show_init(&v, r->h, a->after ? a->after : r->s);
    switch (kind) {
    case OBJECT_USER:
        write_user(o, &v, record, API_OURS);
        break;
    case OBJECT_PREAUTH_KEY:
        write_preauth_key(o, &v, record, a->secret, API_OURS);
        break;
    case OBJECT_API_KEY:
        write_api_key(o, record, a->secret, API_OURS);
        break;
    case OBJECT_NODE:
        write_node_record(o, &v, record, r->dry_run || a->op == ADMIN_NODE_DELETE);
        break;
    case OBJECT_NONE:
        json_nil(o);
        break;
    }
    show_release(&v);
}

static const void *find_object(struct view *v, enum object kind, uint64_t id)
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
static enum flow reply_changed_meanwhile(struct request *r)
{
    struct buf current = BUF_INIT(0);
    struct json_out o = JSON_OUT(&current);
    struct view v;

    tailnet_unpin(r->s);
    r->s = tailnet_pin(r->h->with.tailnet);
    show_init(&v, r->h, r->s);
    write_object(&o, r, objects[r->admin.op], find_object(&v, objects[r->admin.op], r->admin.id));
    show_release(&v);
    reply_error_with(r, &r->admin.call.err, buf_text(&current));
    buf_release(&current);
    return DONE;
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
    if (a->event && a->event->r.id)
        write_event_id(&o, "event", a->event->run, a->event->r.id);
    else
        write_event_id(&o, "event", 0, 0);
    json_put_u64(&o, "version", a->version);
    json_key(&o, "result");
    write_object(&o, r, objects[a->op], a->record);
    json_key(&o, "inverse");
    if (a->event && *a->event->inverse && a->record && ((const struct record *)a->record)->id)
        json_raw(&o, a->event->inverse, strlen(a->event->inverse));
    else
        json_nil(&o);
    json_put_str(&o, "text", a->event ? a->event->text : "Nothing changes");
    json_close(&o, '}');
    return DONE;
}

static enum flow change(struct request *r, enum admin_op op)
{
    r->admin.op = op;
    return request_admin(r, change_done);
}

static enum flow change_id(struct request *r, enum admin_op op)
{
    if (param_id(r, 0, "id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    return change(r, op);
}

/* ---- waiting decisions ---- */

enum flow ours_pending_approve(struct request *r)
{
    const struct pending *p = show_find_pending(r->s, r->params[0]);
    const struct user *user = NULL;

    r->admin.text = r->params[0];
    if (p && p->ssh)
        return change(r, ADMIN_AUTH_APPROVE);
    if (arg_user(r, "user", &user) < 0)
        return reply_error(r, &r->err);
    if (!user) {
        err_field(&r->err, ERR_INVALID, "user", "name the user that the node shall belong to");
        return reply_error(r, &r->err);
    }
    r->admin.name = user->name;
    r->admin.user_id = user->r.id;
    return change(r, ADMIN_REGISTER);
}

enum flow ours_pending_reject(struct request *r)
{
    r->admin.text = r->params[0];
    return change(r, ADMIN_AUTH_REJECT);
}

/* ---- nodes ---- */

enum flow ours_node_routes(struct request *r)
{
    bool approve, revoke;

    if (arg_prefixes(r, "approve", &r->admin.prefixes, &approve) < 0 ||
        arg_prefixes(r, "revoke", &r->admin.revoke, &revoke) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_ROUTES_EDIT);
}

enum flow ours_node_rename(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_NODE_RENAME);
}

enum flow ours_node_expire(struct request *r)
{
    if (arg_time(r, "expiry", &r->admin.time_ns) < 0 || arg_bool(r, "disable", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    if (r->admin.flag && r->admin.time_ns) {
        err_field(&r->err, ERR_INVALID, "disable", "give expiry or disable, not both");
        return reply_error(r, &r->err);
    }
    return change_id(r, ADMIN_NODE_EXPIRE);
}

enum flow ours_node_tags(struct request *r)
{
    bool given;

    if (arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_NODE_TAGS);
}

enum flow ours_node_drain(struct request *r)
{
    bool drained = true;

    if (arg_bool(r, "drained", &drained) < 0)
        return reply_error(r, &r->err);
    r->admin.flag = !drained;
    return change_id(r, ADMIN_NODE_DRAIN);
}

enum flow ours_node_delete(struct request *r)
{
    return change_id(r, ADMIN_NODE_DELETE);
}

enum flow ours_primary(struct request *r)
{
    struct prefix p;

    if (prefix_parse(r->params[0], &p, NULL, &r->err) < 0 || arg_id(r, "node", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.id) {
        err_field(&r->err, ERR_INVALID, "node", "name the node that shall serve the prefix, by its id");
        return reply_error(r, &r->err);
    }
    prefixes_add(&r->admin.prefixes, &p);
    return change(r, ADMIN_PRIMARY);
}

/* ---- users ---- */

static int read_role(struct request *r)
{
    const char *text = NULL;

    if (arg_text(r, "role", &text) < 0)
        return r->err.code;
    if (!text)
        return 0;
    for (int role = ROLE_MEMBER; role <= ROLE_OWNER; role++)
        if (str_eq(text, user_role_name((enum user_role)role))) {
            r->admin.role = (enum user_role)role;
            r->admin.has_role = true;
            return 0;
        }
    return err_field(&r->err, ERR_INVALID, "role", "'%.60s' is not a role: member, admin or owner", text);
}

enum flow ours_user_create(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0 || arg_text(r, "displayName", &r->admin.display_name) < 0 ||
        arg_text(r, "email", &r->admin.email) < 0 || read_role(r) < 0)
        return reply_error(r, &r->err);
    return change(r, ADMIN_USER_CREATE);
}

enum flow ours_user_rename(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_USER_RENAME);
}

enum flow ours_user_role(struct request *r)
{
    if (read_role(r) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.has_role) {
        err_field(&r->err, ERR_INVALID, "role", "role is missing: member, admin or owner");
        return reply_error(r, &r->err);
    }
    return change_id(r, ADMIN_USER_ROLE);
}

enum flow ours_user_delete(struct request *r)
{
    return change_id(r, ADMIN_USER_DELETE);
}

/* ---- keys ---- */

enum flow ours_preauthkey_create(struct request *r)
{
    const struct user *user = NULL;
    bool given;

    if (arg_user(r, "user", &user) < 0 || arg_bool(r, "reusable", &r->admin.reusable) < 0 ||
        arg_bool(r, "ephemeral", &r->admin.ephemeral) < 0 || arg_time(r, "expiration", &r->admin.time_ns) < 0 ||
        arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    r->admin.user_id = user ? user->r.id : 0;
    return change(r, ADMIN_PREAUTHKEY_CREATE);
}

enum flow ours_preauthkey_expire(struct request *r)
{
    return change_id(r, ADMIN_PREAUTHKEY_EXPIRE);
}

enum flow ours_preauthkey_delete(struct request *r)
{
    return change_id(r, ADMIN_PREAUTHKEY_DELETE);
}

enum flow ours_apikey_create(struct request *r)
{
    if (arg_text(r, "description", &r->admin.name) < 0 || arg_bool(r, "readOnly", &r->admin.read_only) < 0 ||
        arg_time(r, "expiration", &r->admin.time_ns) < 0)
        return reply_error(r, &r->err);
    return change(r, ADMIN_APIKEY_CREATE);
}

enum flow ours_apikey_expire(struct request *r)
{
    return change_id(r, ADMIN_APIKEY_EXPIRE);
}

enum flow ours_apikey_delete(struct request *r)
{
    return change_id(r, ADMIN_APIKEY_DELETE);
}

/* ---- undo ---- */

static enum flow undo_with(struct request *r, const struct event *e)
{
    const char *method = NULL, *path = NULL;
    json_t *inverse = NULL, *body;

    if (e->undone_by)
        return reply_code(r, ERR_CONFLICT, "%s was already undone, by event %llu.%llu", r->params[0],
                          (unsigned long long)e->undone_run, (unsigned long long)e->undone_by);
    if (!*e->inverse)
        return reply_code(r, ERR_CONFLICT, "%s (%.120s) cannot be undone", r->params[0], e->text);
    if (json_read(e->inverse, strlen(e->inverse), BODY_MAX, "the journal's entry", &inverse, &r->err) < 0)
        return reply_error(r, &r->err);
    if (json_get_str(inverse, "method", &method, NULL) < 0 || json_get_str(inverse, "path", &path, NULL) < 0 ||
        !method || !path) {
        json_decref(inverse);
        return reply_code(r, ERR_INTERNAL, "the journal's entry %s is damaged", r->params[0]);
    }
    method = arena_strdup(&r->arena, method);
    path = arena_strdup(&r->arena, path);
    body = json_object_get(inverse, "body");
    body = json_is_object(body) ? json_incref(body) : NULL;
    json_decref(inverse);
    r->undoes = record_ref(e);
    return request_instead(r, method, path, body);
}

/* The entry itself is the one that stands last before its successor. */
static enum flow find_undone(struct request *r)
{
    const struct api_event_id *id = r->owner_data;
    struct event **events = NULL;
    size_t count = 0;
    bool gone = false;
    enum flow flow;

    if (store_events(r->h->with.store, id->run, 0, id->seq + 1, 1, &events, &count, &gone, &r->err) < 0)
        return reply_error(r, &r->err);
    if (gone || count != 1 || events[0]->run != id->run || events[0]->r.id != id->seq)
        flow = reply_code(r, ERR_MISSING, "the journal has no event %s", r->params[0]);
    else
        flow = undo_with(r, events[0]);
    for (size_t i = 0; i < count; i++)
        record_unref(events[i]);
    free(events);
    return flow;
}

enum flow ours_undo(struct request *r)
{
    struct api_event_id *id = arena_alloc(&r->arena, sizeof(*id));

    if (api_event_id_parse(r->params[0], id, &r->err) < 0)
        return reply_error(r, &r->err);
    if (id->seq >= INT64_MAX)
        return reply_code(r, ERR_MISSING, "the journal has no event %s", r->params[0]);
    r->owner_data = id;
    return request_later(r, &r->h->disk, find_undone);
}

/* ---- backup ---- */

static enum flow run_backup(struct request *r)
{
    const char *path = r->owner_data;
    struct stat file;

    if (store_backup(r->h->with.store, path, &r->err) < 0)
        return reply_error(r, &r->err);
    log_info("http", "%s copied the database to %s", r->who.actor, path);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "result");
    json_open(&o, '{');
    json_put_str(&o, "path", path);
    json_put_u64(&o, "bytes", stat(path, &file) == 0 ? (uint64_t)file.st_size : 0);
    json_close(&o, '}');
    json_close(&o, '}');
    return DONE;
}

enum flow ours_backup(struct request *r)
{
    const char *path = "";

    if (arg_text(r, "path", &path) < 0 || str_check(path, 4000, false, "path", &r->err) < 0)
        return reply_error(r, &r->err);
    if (path[0] != '/') {
        err_field(&r->err, ERR_INVALID, "path", "path must be absolute: '%.120s'", path);
        return reply_error(r, &r->err);
    }
    r->owner_data = arena_strdup(&r->arena, path);
    return request_later(r, &r->h->disk, run_backup);
}
