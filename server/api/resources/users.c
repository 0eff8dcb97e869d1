/* SPDX-License-Identifier: BSD-3-Clause */
/* Users. */
#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "api/view/tailscale_objects.h"

/* Only the first given filter of name, email, id is used. */
static bool user_fits(const struct user *u, const char *name, const char *email, uint64_t id)
{
    if (*name)
        return str_eq(u->name, name);
    if (*email)
        return str_eq(u->email, email);
    return !id || u->r.id == id;
}

static enum http_flow users_search(struct rest_request *r)
{
    const char *name = "", *email = "";
    uint64_t id = 0;
    struct api_view v;

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
    return HTTP_DONE;
}

static enum http_flow users_list(struct rest_request *r)
{
    return reply_list(r, "users", write_users);
}

static int read_role(struct rest_request *r)
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

static enum http_flow user_create(struct rest_request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0 || arg_text(r, "displayName", &r->admin.display_name) < 0 ||
        arg_text(r, "email", &r->admin.email) < 0 || arg_text(r, "pictureUrl", &r->admin.picture_url) < 0 ||
        read_role(r) < 0)
        return reply_error(r, &r->err);
    return change(r, ADMIN_USER_CREATE);
}

/* The new name is in the path, or in the body. */
static enum http_flow user_rename(struct rest_request *r)
{
    r->admin.name = r->http.params[1] ? r->http.params[1] : "";
    if (!r->http.params[1] && arg_text(r, "name", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_USER_RENAME);
}

static enum http_flow user_role(struct rest_request *r)
{
    if (read_role(r) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.has_role) {
        err_field(&r->err, ERR_INVALID, "role", "role is missing: member, admin or owner");
        return reply_error(r, &r->err);
    }
    return change_id(r, ADMIN_USER_ROLE);
}

static enum http_flow user_suspended(struct rest_request *r)
{
    r->admin.flag = true;
    if (arg_bool(r, "suspended", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_USER_SUSPEND);
}

static enum http_flow user_link(struct rest_request *r)
{
    r->admin.flag = true;
    if (arg_text(r, "provider", &r->admin.prefix) < 0 || arg_text(r, "subject", &r->admin.text) < 0 ||
        arg_bool(r, "linked", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_USER_LINK);
}

/* Those of "GROUP@PROVIDER" that are of the provider. */
static void groups_of(const struct user *u, const char *provider, struct strs *out)
{
    for (size_t i = 0; u && i < u->groups.len; i++) {
        const char *group = u->groups.items[i], *at = strrchr(group, '@');

        if (!at || !str_eq(at + 1, provider))
            continue;
        char *name = mem_strndup(group, (size_t)(at - group));
        strs_push(out, name);
        free(name);
    }
}

static enum http_flow identities_list(struct rest_request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_key(&o, "identities");
    json_open(&o, '[');
    for (size_t i = 0; i < r->s->identity_count; i++) {
        const struct identity *x = r->s->identities[i];
        const struct user *u = snapshot_user(r->s, x->user_id);
        struct api_identity out = {.user_id = x->user_id,
                                   .user = u ? u->name : "",
                                   .provider = x->provider,
                                   .issuer = x->issuer,
                                   .subject = x->subject,
                                   .created_ns = x->created_ns,
                                   .login_ns = x->login_ns,
                                   .groups_ns = x->groups_ns,
                                   .refreshes = *x->refresh_token != '\0',
                                   .refreshed_ns = x->refreshed_ns,
                                   .trouble = x->trouble};
        groups_of(u, x->provider, &out.groups);
        api_write(&o, &api_identity_shape, &out, API_HEADWAY);
        strs_release(&out.groups);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow user_deleted(struct rest_request *r)
{
    if (r->admin.call.code == ERR_CONFLICT && r->endpoint->dialect == DIALECT_V1)
        r->admin.call.err.code = ERR_INVALID; /* headscale's status for a user with nodes */
    return change_done(r);
}

static enum http_flow user_delete(struct rest_request *r)
{
    if (param_id(r, 0, &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_USER_DELETE;
    return request_admin(r, user_deleted);
}

static const struct api_endpoint rows[] = {
    {V1("GET", "/user"), .run = users_search, .need = NEED_READ, .scope = SCOPE_USERS, .id = "listUsers",
     .query = "id:id name:text email:text", .answer = "users:User[]", .help = "Users, or the one that fits"},
    {V1("POST", "/user"), .run = user_create, .need = NEED_ADMIN, .scope = SCOPE_USERS, .id = "createUser",
     .body = "name:text displayName:text email:text pictureUrl:text", .answer = "user:User", .help = "Makes a user"},
    {V1("DELETE", "/user/{id}"), .run = user_delete, .need = NEED_ADMIN, .scope = SCOPE_USERS, .id = "deleteUser",
     .help = "Removes a user without nodes, and its keys"},
    {V1("POST", "/user/{id}/rename/{newName}"), .run = user_rename, .need = NEED_ADMIN, .scope = SCOPE_USERS,
     .id = "renameUser", .answer = "user:User", .help = "Gives a user another name"},

    {HEADWAY("GET", "/users"), .run = users_list, .need = NEED_READ, .scope = SCOPE_USERS, .answer = "users:User[]",
     .help = "Users"},
    {HEADWAY("POST", "/users"), .run = user_create, .need = NEED_ADMIN, .scope = SCOPE_USERS,
     .body = "name:text displayName:text email:text role:text", .query = "dry_run:bool", .answer = "Change result:User",
     .help = "Makes a user"},
    {HEADWAY("POST", "/users/{id}/rename"), .run = user_rename, .need = NEED_ADMIN, .scope = SCOPE_USERS,
     .body = "name:text", .query = "dry_run:bool", .answer = "Change result:User", .help = "Gives a user another name"},
    {HEADWAY("POST", "/users/{id}/role"), .run = user_role, .need = NEED_ADMIN, .scope = SCOPE_USERS,
     .body = "role:text", .query = "dry_run:bool", .answer = "Change result:User",
     .help = "Sets a user's role: member, admin or owner"},
    {HEADWAY("DELETE", "/users/{id}"), .run = user_delete, .need = NEED_ADMIN, .scope = SCOPE_USERS,
     .query = "dry_run:bool", .answer = "Change result:User", .help = "Removes a user without nodes, and its keys"},
    {HEADWAY("POST", "/users/{id}/suspended"), .run = user_suspended, .need = NEED_ADMIN, .scope = SCOPE_USERS,
     .body = "suspended:bool", .query = "dry_run:bool", .answer = "Change result:User",
     .help = "Logs the nodes of a user out and keeps it from logging in, or ends that"},
    {HEADWAY("POST", "/users/{id}/link"), .run = user_link, .need = NEED_ADMIN, .scope = SCOPE_NEVER,
     .body = "provider:text subject:text linked:bool", .query = "dry_run:bool", .answer = "Change result:User",
     .help = "Links a user to whom an OpenID provider calls by that subject, or ends that"},
    {HEADWAY("GET", "/identities"), .run = identities_list, .need = NEED_READ, .scope = SCOPE_USERS,
     .answer = "identities:Identity[]", .help = "Whom OpenID providers know as which user"},
};
const struct http_table users_table = API_TABLE(rows);

/* ---- as Tailscale's API v2 has them ---- */

static enum http_flow v2_users_list(struct rest_request *r)
{
    const char *type = arg_query(r, "type"), *role = arg_query(r, "role");
    bool members = !type || !*type || str_eq(type, "member");
    const struct user **users = arena_alloc(&r->http.arena, (r->s->user_count + 1) * sizeof(*users));
    struct json_out o = reply_json(r);
    size_t count = 0;

    for (size_t i = 0; i < r->s->user_count && members; i++)
        if (!role || !*role || str_eq(role, user_role_name((int)r->s->users[i]->role)))
            users[count++] = r->s->users[i];
    json_open(&o, '{');
    json_key(&o, "users");
    json_open(&o, '[');
    write_v2_users(&o, r->s, users, count);
    json_close(&o, ']');
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow v2_user_get(struct rest_request *r)
{
    uint64_t id;
    const struct user *u =
        str_u64(r->http.params[0], 1, UINT64_MAX, &id, "id", NULL) == 0 ? snapshot_user(r->s, id) : NULL;

    if (!u)
        return reply_code(r, ERR_MISSING, "user not found");
    struct json_out o = reply_json(r);
    write_v2_users(&o, r->s, &u, 1);
    return HTTP_DONE;
}

static const struct api_endpoint v2_rows[] = {
    {V2("GET", "/tailnet/-/users"), .run = v2_users_list, .need = NEED_READ, .scope = SCOPE_USERS, .id = "listUsersV2",
     .query = "type:text role:text", .answer = "users:TailnetUser[]",
     .help = "Users, those of a role where it is given"},
    {V2("GET", "/users/{id}"), .run = v2_user_get, .need = NEED_READ, .scope = SCOPE_USERS, .id = "getUser",
     .answer = "TailnetUser", .help = "One user"},
};
const struct http_table v2_users_table = API_TABLE(v2_rows);
