/* SPDX-License-Identifier: BSD-3-Clause */
/* What administrators ask: one function an operation. Users here, the rest in files of their own. */
#include "base/clock.h"
#include "core/private.h"
#include "json/json.h"

static admin_function *const operations[ADMIN_OP_COUNT] = {
    [ADMIN_USER_CREATE] = admin_user_create,
    [ADMIN_USER_RENAME] = admin_user_rename,
    [ADMIN_USER_ROLE] = admin_user_role,
    [ADMIN_USER_DELETE] = admin_user_delete,
    [ADMIN_PREAUTHKEY_CREATE] = admin_preauthkey_create,
    [ADMIN_PREAUTHKEY_EXPIRE] = admin_preauthkey_expire,
    [ADMIN_PREAUTHKEY_DELETE] = admin_preauthkey_delete,
    [ADMIN_APIKEY_CREATE] = admin_apikey_create,
    [ADMIN_APIKEY_EXPIRE] = admin_apikey_expire,
    [ADMIN_APIKEY_DELETE] = admin_apikey_delete,
    [ADMIN_NODE_RENAME] = admin_node_rename,
    [ADMIN_NODE_TAGS] = admin_node_tags,
    [ADMIN_NODE_EXPIRE] = admin_node_expire,
    [ADMIN_NODE_DELETE] = admin_node_delete,
    [ADMIN_NODE_ROUTES] = admin_node_routes,
    [ADMIN_ROUTES_EDIT] = admin_routes_edit,
    [ADMIN_PRIMARY] = admin_primary,
    [ADMIN_NODE_DRAIN] = admin_node_drain,
    [ADMIN_REGISTER] = admin_register,
    [ADMIN_AUTH_APPROVE] = admin_auth_approve,
    [ADMIN_AUTH_REJECT] = admin_auth_reject,
    [ADMIN_DEBUG_NODE] = admin_debug_node,
    [ADMIN_BACKFILL] = admin_backfill,
    [ADMIN_POLICY_SET] = admin_policy_set,
};

/* The entry that was taken back says so from now on, and cannot be taken back again. */
static void mark_undone(struct core_state *s, const struct core_admin *a)
{
    if (!a->undoes || s->dry || !a->event)
        return;
    struct event *e = event_edit(a->undoes);
    e->undone_run = a->event->run;
    e->undone_by = a->event->r.id;
    tx_put(s, e);
}

void admin_begin(struct core_state *s, struct core_admin *a)
{
    s->admin = a;
    s->dry = a->dry_run;
}

void admin_end(struct core_state *s, struct core_admin *a, int code)
{
    if (code == 0)
        mark_undone(s, a);
    s->admin = NULL;
    s->dry = false;
    if (code < 0)
        tx_answer_soon(s, &a->call, code);
    else if (code != ADMIN_LATER)
        tx_answer(s, &a->call, 0);
}

void admin_run(struct core_state *s, struct core_call *call)
{
    struct core_admin *a = (struct core_admin *)call;

    admin_begin(s, a);
    admin_end(s, a, operations[a->op](s, a, &call->err));
}

void core_admin_release(struct core_admin *a)
{
    record_unref(a->record);
    record_unref(a->event);
    tailnet_unpin(a->after);
    free(a->secret);
    policy_problems_release(&a->problems);
    strs_release(&a->tags);
    prefixes_release(&a->prefixes);
    prefixes_release(&a->revoke);
    a->record = a->event = NULL;
    a->after = NULL;
    a->secret = NULL;
}

int admin_matches(const struct core_admin *a, uint64_t version, struct err *e)
{
    if (a->has_match && a->match != version)
        return err_field(e, ERR_PRECONDITION, "If-Match",
                         "the object is at version %llu, not at %llu: it changed meanwhile",
                         (unsigned long long)version, (unsigned long long)a->match);
    return 0;
}

void admin_result(struct core_admin *a, const void *record)
{
    const void *old = a->record;

    a->record = record_ref(record);
    a->version = a->record ? ((const struct record *)record)->version : 0;
    record_unref(old);
}

static char *json_one(const char *key, const char *value)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_put_str(&o, key, value);
    json_close(&o, '}');
    return buf_take(&b);
}

static int find(struct core_state *s, const struct core_admin *a, const struct user **out, struct err *e)
{
    *out = find_user(s, a->id);
    if (!*out)
        return err_field(e, ERR_MISSING, "id", "user not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->r.version, e);
}

static int name_is_free(struct core_state *s, const char *name, uint64_t self, struct err *e)
{
    for (struct map_entry *at = map_first(&s->users); at; at = map_next(&s->users, at)) {
        const struct user *u = ((const struct cell *)at->value)->work;
        if (u && u->r.id != self && !*u->provider && str_eq(u->name, name))
            return err_field(e, ERR_CONFLICT, "name", "user already exists: '%s'", name);
    }
    return 0;
}

/* headscale has taken any text since 0.27. Here a name is not all digits, which would be taken for an id, and neither
 * begins nor ends with a blank, which nobody would see. */
static int check_name(const char *name, struct err *e)
{
    size_t len = strlen(name);
    int rc = str_check(name, 255, false, "name", e);

    if (rc < 0)
        return rc;
    if (strspn(name, "0123456789") == len)
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: digits alone are an id", name);
    if (name[0] == ' ' || str_ends(name, " "))
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: a blank at its end", name);
    return 0;
}

static size_t user_count(struct core_state *s)
{
    size_t count = 0;

    for (struct map_entry *at = map_first(&s->users); at; at = map_next(&s->users, at))
        count += ((const struct cell *)at->value)->work != NULL;
    return count;
}

/* Names and roles decide what autoApprovers means, for others too: a name that fitted two fits one now. */
static void user_put(struct core_state *s, struct user *u)
{
    tx_put(s, u);
    if (!s->dry)
        policy_approve_all(s);
}

int admin_user_create(struct core_state *s, struct core_admin *a, struct err *e)
{
    const char *name = a->name ? a->name : "";
    int rc = check_name(name, e);

    if (rc < 0 || (rc = name_is_free(s, name, 0, e)) < 0 ||
        (a->display_name && (rc = str_check(a->display_name, 255, true, "displayName", e)) < 0) ||
        (a->email && (rc = str_check(a->email, 255, true, "email", e)) < 0) ||
        (a->picture_url && (rc = str_check(a->picture_url, 2048, true, "pictureUrl", e)) < 0))
        return rc;
    struct user *u = user_new();
    u->r.id = s->dry ? 0 : tx_new_id(s, RECORD_USER);
    u->created_ns = clock_wall_ns();
    mem_replace(&u->name, name);
    mem_replace(&u->display_name, a->display_name);
    mem_replace(&u->email, a->email);
    mem_replace(&u->picture_url, a->picture_url);
    u->role = a->has_role ? a->role : user_count(s) == 0 ? ROLE_OWNER : ROLE_MEMBER;
    admin_result(a, u);
    journal(s,
            &(struct event_note){.id = EVENT_USER_CREATED,
                                 .object = "user",
                                 .object_id = u->r.id,
                                 .object_name = u->name,
                                 .inverse =
                                     inverse("DELETE", NULL, "/api/headway/users/%llu", (unsigned long long)u->r.id)},
            "User %s was created", u->name);
    user_put(s, u);
    return 0;
}

int admin_user_rename(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct user *old;
    const char *name = a->name ? a->name : "";
    int rc = find(s, a, &old, e);

    if (rc < 0 || (rc = check_name(name, e)) < 0 || (rc = name_is_free(s, name, a->id, e)) < 0)
        return rc;
    if (*old->provider)
        return err_field(e, ERR_CONFLICT, "id", "cannot edit OIDC user %s: its name comes from the provider",
                         old->name);
    struct user *u = user_edit(old);
    mem_replace(&u->name, name);
    journal(s,
            &(struct event_note){.id = EVENT_USER_RENAMED,
                                 .object = "user",
                                 .object_id = u->r.id,
                                 .object_name = u->name,
                                 .inverse = inverse("POST", json_one("name", old->name),
                                                    "/api/headway/users/%llu/rename", (unsigned long long)u->r.id)},
            "User %s is now called %s", old->name, u->name);
    admin_result(a, u);
    user_put(s, u);
    return 0;
}

int admin_user_role(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct user *old;
    int rc = find(s, a, &old, e);

    if (rc < 0)
        return rc;
    struct user *u = user_edit(old);
    u->role = a->role;
    journal(s,
            &(struct event_note){.id = EVENT_USER_ROLE,
                                 .object = "user",
                                 .object_id = u->r.id,
                                 .object_name = u->name,
                                 .inverse = inverse("POST", json_one("role", user_role_name(old->role)),
                                                    "/api/headway/users/%llu/role", (unsigned long long)u->r.id)},
            "User %s is now %s", u->name, user_role_name(u->role));
    admin_result(a, u);
    user_put(s, u);
    return 0;
}

int admin_user_delete(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct user *u;
    int rc = find(s, a, &u, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < s->slots.len; i++)
        if (s->slots.items[i]->work && s->slots.items[i]->work->user_id == u->r.id)
            return err_field(e, ERR_CONFLICT, "id", "user not empty: node(s) found");
    admin_result(a, u);
    journal(
        s,
        &(struct event_note){.id = EVENT_USER_DELETED, .object = "user", .object_id = u->r.id, .object_name = u->name},
        "User %s was deleted", u->name);
    VEC(const struct preauth_key *) keys = {0};
    for (struct map_entry *at = map_first(&s->preauth_keys); at; at = map_next(&s->preauth_keys, at)) {
        const struct preauth_key *k = ((const struct cell *)at->value)->work;
        if (k && k->user_id == u->r.id)
            vec_push(&keys, k);
    }
    for (size_t i = 0; i < keys.len; i++)
        tx_remove(s, keys.items[i]);
    vec_release(&keys);
    tx_remove(s, u);
    if (!s->dry)
        policy_approve_all(s);
    return 0;
}
