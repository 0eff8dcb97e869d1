/* SPDX-License-Identifier: BSD-3-Clause */
/* Users. */
#include "http/private.h"

static enum flow user_done(struct request *r)
{
    struct view v;

    if (r->admin.call.code < 0)
        return reply_error(r, &r->admin.call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "user");
    show_init(&v, NULL, r->after);
    write_user(&o, &v, r->admin.record, API_V1);
    show_release(&v);
    json_close(&o, '}');
    return DONE;
}

/* One filter is used, the first of name, email, id that is given. */
static bool user_fits(const struct user *u, const char *name, const char *email, uint64_t id)
{
    if (*name)
        return str_eq(u->name, name);
    if (*email)
        return str_eq(u->email, email);
    return !id || u->r.id == id;
}

enum flow v1_users_list(struct request *r)
{
    const char *name = "", *email = "";
    uint64_t id = 0;
    struct view v;

    if (arg_text(r, "name", &name) < 0 || arg_text(r, "email", &email) < 0 || arg_id(r, "id", &id) < 0)
        return reply_error(r, &r->err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "users");
    json_open(&o, '[');
    show_init(&v, NULL, r->s);
    for (size_t i = 0; i < r->s->user_count; i++)
        if (user_fits(r->s->users[i], name, email, id))
            write_user(&o, &v, r->s->users[i], API_V1);
    show_release(&v);
    json_close(&o, ']');
    json_close(&o, '}');
    return DONE;
}

enum flow v1_users_create(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0 || arg_text(r, "displayName", &r->admin.display_name) < 0 ||
        arg_text(r, "email", &r->admin.email) < 0 || arg_text(r, "pictureUrl", &r->admin.picture_url) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_USER_CREATE;
    return request_admin(r, user_done);
}

static enum flow user_deleted(struct request *r)
{
    if (r->admin.call.code == ERR_CONFLICT) /* headscale's status for a user with nodes */
        r->admin.call.err.code = ERR_INVALID;
    return v1_empty_done(r);
}

enum flow v1_users_delete(struct request *r)
{
    if (param_id(r, 0, "id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_USER_DELETE;
    return request_admin(r, user_deleted);
}

enum flow v1_users_rename(struct request *r)
{
    if (param_id(r, 0, "old_id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_USER_RENAME;
    r->admin.name = r->params[1];
    return request_admin(r, user_done);
}

/* ---- headway ---- */

enum flow headway_users(struct request *r)
{
    return reply_list(r, "users", LIST_USERS);
}

static int read_role(struct request *r)
{
    const char *text = NULL;

    if (arg_text(r, "role", &text) < 0)
        return r->err.code;
    if (!text)
        return 0;
    for (int role = ROLE_MEMBER; role <= ROLE_OWNER; role++)
        if (str_eq(text, user_role_name(role))) {
            r->admin.role = (enum user_role)role;
            r->admin.has_role = true;
            return 0;
        }
    return err_field(&r->err, ERR_INVALID, "role", "'%.60s' is not a role: member, admin or owner", text);
}

enum flow headway_user_create(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0 || arg_text(r, "displayName", &r->admin.display_name) < 0 ||
        arg_text(r, "email", &r->admin.email) < 0 || read_role(r) < 0)
        return reply_error(r, &r->err);
    return headway_change(r, ADMIN_USER_CREATE);
}

enum flow headway_user_rename(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    return headway_change_id(r, ADMIN_USER_RENAME);
}

enum flow headway_user_role(struct request *r)
{
    if (read_role(r) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.has_role) {
        err_field(&r->err, ERR_INVALID, "role", "role is missing: member, admin or owner");
        return reply_error(r, &r->err);
    }
    return headway_change_id(r, ADMIN_USER_ROLE);
}

enum flow headway_user_delete(struct request *r)
{
    return headway_change_id(r, ADMIN_USER_DELETE);
}
