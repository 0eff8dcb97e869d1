/* SPDX-License-Identifier: BSD-3-Clause */
/* Pending decisions: registrations, and SSH sessions in check mode. */
#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"

/* With the OpenID logins that are under way for them, which no snapshot has. */
static enum http_flow pending_list(struct rest_request *r)
{
    struct json_out o = reply_json(r);
    struct map logins = {0};
    struct api_view v;

    login_progresses(r->api->login, &logins);
    show_init(&v, r->api, r->s);
    v.logins = &logins;
    json_open(&o, '{');
    json_key(&o, "pending");
    write_pendings(&o, &v, API_HEADWAY);
    json_close(&o, '}');
    show_release(&v);
    login_progresses_release(&logins);
    return HTTP_DONE;
}

/* headscale's ids before 0.29 were the 24 digits alone. */
static const char *whole_auth_id(struct rest_request *r, const char *id)
{
    struct buf b = BUF_INIT(0);

    if (strlen(id) != 24)
        return id;
    buf_addf(&b, "hskey-authreq-%s", id);
    const char *whole = arena_strdup(&r->http.arena, buf_text(&b));
    buf_release(&b);
    return whole;
}

static enum http_flow admit(struct rest_request *r, const char *id)
{
    bool v1 = r->endpoint->dialect == DIALECT_V1;
    const struct user *user = NULL;

    id = whole_auth_id(r, id);
    if (core_auth_id_check(id, &r->err) < 0 || arg_user(r, "user", &user) < 0)
        return reply_error(r, &r->err);
    if (!user) {
        err_field(&r->err, v1 ? ERR_MISSING : ERR_INVALID, "user",
                  v1 ? "looking up user: user not found: no user is named"
                     : "name the user that the node shall belong to");
        return reply_error(r, &r->err);
    }
    r->admin.text = id;
    r->admin.name = user->name;
    r->admin.user_id = user->r.id;
    return change(r, ADMIN_REGISTER);
}

static enum http_flow node_register(struct rest_request *r)
{
    const char *id = "";

    return arg_text(r, "key", &id) < 0 ? reply_error(r, &r->err) : admit(r, id);
}

static enum http_flow auth_register(struct rest_request *r)
{
    const char *id = "";

    return arg_text(r, "authId", &id) < 0 ? reply_error(r, &r->err) : admit(r, id);
}

/* The id is in the path, or in the body. */
static enum http_flow decide(struct rest_request *r, enum admin_op op)
{
    const char *id = r->http.params[0] ? r->http.params[0] : "";

    if (!r->http.params[0] && arg_text(r, "authId", &id) < 0)
        return reply_error(r, &r->err);
    r->admin.text = whole_auth_id(r, id);
    return change(r, op);
}

static enum http_flow auth_approve(struct rest_request *r)
{
    return decide(r, ADMIN_AUTH_APPROVE);
}

static enum http_flow auth_reject(struct rest_request *r)
{
    return decide(r, ADMIN_AUTH_REJECT);
}

static enum http_flow pending_approve(struct rest_request *r)
{
    const struct pending *p = snapshot_pending(r->s, r->http.params[0]);

    return p && p->ssh ? decide(r, ADMIN_AUTH_APPROVE) : admit(r, r->http.params[0]);
}

static const struct api_endpoint rows[] = {
    {V1("POST", "/node/register"), .run = node_register, .need = NEED_ADMIN, .scope = SCOPE_ALL, .id = "registerNode",
     .body = "user:text key:text", .query = "user:text key:text", .answer = "node:Node",
     .help = "Admits a node that waits; older form of auth/register"},
    {V1("POST", "/auth/register"), .run = auth_register, .need = NEED_ADMIN, .scope = SCOPE_ALL, .id = "authRegister",
     .body = "user:text authId:text", .answer = "node:Node", .help = "Admits a node that waits, for a user"},
    {V1("POST", "/auth/approve"), .run = auth_approve, .need = NEED_ADMIN, .scope = SCOPE_ALL, .id = "authApprove",
     .body = "authId:text", .help = "Approves a session that waits for a check"},
    {V1("POST", "/auth/reject"), .run = auth_reject, .need = NEED_ADMIN, .scope = SCOPE_ALL, .id = "authReject",
     .body = "authId:text", .help = "Rejects what waits"},

    {HEADWAY("GET", "/pending"), .run = pending_list, .need = NEED_READ, .scope = SCOPE_ALL,
     .answer = "pending:Pending[]", .help = "Registrations and sessions that wait"},
    {HEADWAY("POST", "/pending/{authId}/approve"), .run = pending_approve, .need = NEED_ADMIN, .scope = SCOPE_ALL,
     .body = "user:text", .query = "dry_run:bool", .answer = "Change result:Node",
     .help = "Admits a node for a user, or approves a session"},
    {HEADWAY("POST", "/pending/{authId}/reject"), .run = auth_reject, .need = NEED_ADMIN, .scope = SCOPE_ALL,
     .body = "", .query = "dry_run:bool", .answer = "Change result:object", .help = "Rejects what waits"},
};
const struct http_table pending_table = API_TABLE(rows);
