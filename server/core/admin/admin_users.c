/* SPDX-License-Identifier: BSD-3-Clause */
/* Administrators' changes of users. */
#include "base/clock.h"
#include "core/admin/login.h"
#include "core/admin/operations.h"
#include "core/admin/policy_change.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

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
        const struct user *u = ((const struct record_pair *)at->value)->work;
        if (u && u->r.id != self && !*u->provider && str_eq(u->name, name))
            return err_field(e, ERR_CONFLICT, "name", "user already exists: '%s'", name);
    }
    return 0;
}

/* headscale accepts any text since 0.27. Here a name must not be all digits (it would be taken for an id), nor begin or
 * end with a blank (which is invisible), and a policy must be able to name it. */
static int check_name(const char *name, struct err *e)
{
    size_t len = strlen(name);
    int rc = str_check(name, 255, false, "name", e);

    if (rc < 0)
        return rc;
    if (strspn(name, "0123456789") == len)
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: digits alone are an id", name);
    if (str_eq(name, ".") || str_eq(name, "..") || strchr(name, '/'))
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: it would be read as a path", name);
    if (name[0] == ' ' || str_ends(name, " "))
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: a blank at its end", name);
    if (str_ends(name, "@"))
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: leave out the '@', which policies add",
                         name);
    if (str_starts(name, "user:*@"))
        return err_field(e, ERR_INVALID, "name", "'%.80s' is not a user name: in a policy it stands for a domain",
                         name);
    return 0;
}

static size_t user_count(struct core_state *s)
{
    size_t count = 0;

    for (struct map_entry *at = map_first(&s->users); at; at = map_next(&s->users, at))
        count += ((const struct record_pair *)at->value)->work != NULL;
    return count;
}

/* Names and roles determine what autoApprovers means, for others too: a name that matched two users may now match
 * one. */
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
    journal(
        s,
        &(struct event_note){.id = EVENT_USER_CREATED, .object = "user", .object_id = u->r.id, .object_name = u->name},
        "User %s was created", u->name);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_USER_DELETE, .id = u->r.id});
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
    journal(
        s,
        &(struct event_note){.id = EVENT_USER_RENAMED, .object = "user", .object_id = u->r.id, .object_name = u->name},
        "User %s is now called %s", old->name, u->name);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_USER_RENAME, .id = u->r.id, .name = old->name});
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
                                 .detail = mem_format("{\"from\":\"%s\",\"to\":\"%s\"}", user_role_name((int)old->role),
                                                      user_role_name((int)u->role))},
            "User %s is now %s", u->name, user_role_name((int)u->role));
    admin_inverse(a, &(struct core_admin){.op = ADMIN_USER_ROLE, .id = u->r.id, .role = old->role, .has_role = true});
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
        const struct preauth_key *k = ((const struct record_pair *)at->value)->work;
        if (k && k->user_id == u->r.id)
            vec_push(&keys, k);
    }
    for (size_t i = 0; i < keys.len; i++)
        tx_remove(s, keys.items[i]);
    vec_release(&keys);
    identities_remove(s, u->r.id);
    tx_remove(s, u);
    if (!s->dry)
        policy_approve_all(s);
    return 0;
}

int admin_user_suspend(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct user *old;
    int rc = find(s, a, &old, e);

    if (rc < 0)
        return rc;
    struct user *u = user_edit(old);
    u->suspended_ns = !a->flag ? 0 : old->suspended_ns ? old->suspended_ns : clock_wall_ns();
    mem_replace(&u->suspended_by, a->flag && a->actor ? a->actor : "");
    journal(s,
            &(struct event_note){.id = a->flag ? EVENT_USER_SUSPENDED : EVENT_USER_RESUMED,
                                 .object = "user",
                                 .object_id = u->r.id,
                                 .object_name = u->name},
            "User %s is suspended%s", u->name, a->flag ? ": its nodes are logged out" : " no longer");
    admin_inverse(a, &(struct core_admin){.op = ADMIN_USER_SUSPEND, .id = u->r.id, .flag = old->suspended_ns != 0});
    admin_result(a, u);
    user_put(s, u);
    return 0;
}

static const struct config_provider *find_provider(struct core_state *s, const char *name, struct err *e)
{
    const struct config_provider *p;

    for (size_t i = 0; (p = config_provider(s->config, i)); i++)
        if (str_eq(p->name, name))
            return p;
    err_field(e, ERR_INVALID, "provider", "'%.60s' is no OpenID provider of the configuration", name);
    return NULL;
}

/* Edits u; changes nothing on errors. */
static int link_user(struct core_state *s, const struct core_admin *a, struct user *u, const struct config_provider *p,
                     struct err *e)
{
    const struct identity *known = identity_find(s, p->name, p->issuer, a->text);

    if (a->flag && known && known->user_id != u->r.id) {
        const struct user *other = find_user(s, known->user_id);
        return err_field(e, ERR_CONFLICT, "subject", "%s is linked to user %.80s", a->text, other ? other->name : "?");
    }
    if (!a->flag && (!known || known->user_id != u->r.id))
        return err_field(e, ERR_MISSING, "subject", "%s of %s is not linked to user %.80s", a->text, p->name, u->name);
    if (a->flag && !known) {
        struct identity *made = identity_make(s, u->r.id, p->name, p->issuer, a->text);
        identity_name_user(s, made, u, true);
        tx_put(s, made);
    } else if (!a->flag) {
        identity_name_user(s, known, u, false);
        tx_remove(s, known);
    }
    return 0;
}

/* What the provider reported about someone else does not stay with this user. */
int admin_user_link(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct user *old;
    const struct config_provider *p;
    int rc = find(s, a, &old, e);

    if (rc < 0 || (rc = str_check(a->text ? a->text : "", 255, false, "subject", e)) < 0)
        return rc;
    if (!(p = find_provider(s, a->prefix ? a->prefix : "", e)))
        return ERR_INVALID;
    struct user *u = user_edit(old);
    if ((rc = link_user(s, a, u, p, e)) < 0) {
        record_unref(u);
        return rc;
    }
    if (!a->flag)
        groups_drop(&u->groups, p->name);
    journal(
        s,
        &(struct event_note){.id = EVENT_USER_LINKED, .object = "user", .object_id = u->r.id, .object_name = u->name},
        "User %s is %s as %s by %s", u->name, a->flag ? "known" : "no longer known", a->text, p->name);
    admin_inverse(a, &(struct core_admin){
                         .op = ADMIN_USER_LINK, .id = u->r.id, .prefix = p->name, .text = a->text, .flag = !a->flag});
    admin_result(a, u);
    user_put(s, u);
    return 0;
}
