/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits for a decision: registrations, and sessions of SSH in check mode. */
#include "http/private.h"

/* Ids of headscale before 0.29 were the 24 digits alone. */
static const char *whole_auth_id(struct request *r, const char *id)
{
    struct buf b = BUF_INIT(0);

    if (strlen(id) != 24)
        return id;
    buf_addf(&b, "hskey-authreq-%s", id);
    const char *whole = arena_strdup(&r->arena, buf_text(&b));
    buf_release(&b);
    return whole;
}

static enum flow register_node(struct request *r, const char *key)
{
    const char *id = "";
    const struct user *user = NULL;

    if (arg_text(r, key, &id) < 0 || arg_user(r, "user", &user) < 0)
        return reply_error(r, &r->err);
    if (!user)
        return reply_code(r, ERR_MISSING, "looking up user: user not found: no user is named");
    r->admin.op = ADMIN_REGISTER;
    r->admin.text = whole_auth_id(r, id);
    r->admin.name = user->name;
    r->admin.user_id = user->r.id;
    return request_admin(r, v1_node_done);
}

enum flow v1_nodes_register(struct request *r)
{
    return register_node(r, "key");
}

enum flow v1_auth_register(struct request *r)
{
    return register_node(r, "authId");
}

static enum flow decide(struct request *r, enum admin_op op)
{
    const char *id = "";

    if (arg_text(r, "authId", &id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = op;
    r->admin.text = whole_auth_id(r, id);
    return request_admin(r, v1_empty_done);
}

enum flow v1_auth_approve(struct request *r)
{
    return decide(r, ADMIN_AUTH_APPROVE);
}

enum flow v1_auth_reject(struct request *r)
{
    return decide(r, ADMIN_AUTH_REJECT);
}

/* ---- headway ---- */

enum flow headway_pending(struct request *r)
{
    return reply_list(r, "pending", LIST_PENDING);
}

enum flow headway_pending_approve(struct request *r)
{
    const struct pending *p = snapshot_pending(r->s, r->params[0]);
    const struct user *user = NULL;

    r->admin.text = r->params[0];
    if (p && p->ssh)
        return headway_change(r, ADMIN_AUTH_APPROVE);
    if (arg_user(r, "user", &user) < 0)
        return reply_error(r, &r->err);
    if (!user) {
        err_field(&r->err, ERR_INVALID, "user", "name the user that the node shall belong to");
        return reply_error(r, &r->err);
    }
    r->admin.name = user->name;
    r->admin.user_id = user->r.id;
    return headway_change(r, ADMIN_REGISTER);
}

enum flow headway_pending_reject(struct request *r)
{
    r->admin.text = r->params[0];
    return headway_change(r, ADMIN_AUTH_REJECT);
}
