/* SPDX-License-Identifier: BSD-3-Clause */
/* Logins: the user of an identity, what the provider reports about them, and what they then confirm. A provider decides
 * only about its own identities: no claim makes anyone another person's user, or takes a name or address from another
 * user. */
#include "core/admin/login.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/admin/policy_change.h"
#include "core/decide/pending.h"
#include "core/decide/register.h"
#include "core/decide/ssh.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

/* ---- identities ---- */

static bool same_issuer(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);

    m -= m && a[m - 1] == '/';
    n -= n && b[n - 1] == '/';
    return m == n && memcmp(a, b, m) == 0;
}

const struct identity *identity_find(struct core_state *s, const char *provider, const char *issuer,
                                     const char *subject)
{
    for (struct map_entry *e = map_first(&s->identities); e; e = map_next(&s->identities, e)) {
        const struct identity *i = ((const struct record_pair *)e->value)->work;
        if (i && str_eq(i->subject, subject) && str_eq(i->provider, provider) && same_issuer(i->issuer, issuer))
            return i;
    }
    return NULL;
}

static const struct identity *identity_of(struct core_state *s, uint64_t user_id)
{
    for (struct map_entry *e = map_first(&s->identities); e; e = map_next(&s->identities, e)) {
        const struct identity *i = ((const struct record_pair *)e->value)->work;
        if (i && i->user_id == user_id)
            return i;
    }
    return NULL;
}

void identities_remove(struct core_state *s, uint64_t user_id)
{
    for (const struct identity *i; (i = identity_of(s, user_id));)
        tx_remove(s, i);
}

struct identity *identity_make(struct core_state *s, uint64_t user_id, const char *provider, const char *issuer,
                               const char *subject)
{
    struct identity *i = (struct identity *)record_new(RECORD_IDENTITY);

    i->r.id = s->dry ? 0 : tx_new_id(s, RECORD_IDENTITY);
    i->user_id = user_id;
    i->created_ns = clock_wall_ns();
    mem_replace(&i->provider, provider);
    mem_replace(&i->issuer, issuer);
    mem_replace(&i->subject, subject);
    return i;
}

void groups_drop(struct strs *groups, const char *provider)
{
    struct strs kept = {0};

    for (size_t i = 0; i < groups->len; i++) {
        const char *at = strrchr(groups->items[i], '@');
        if (!at || !str_eq(at + 1, provider))
            strs_push(&kept, groups->items[i]);
    }
    strs_release(groups);
    *groups = kept;
}

static void groups_take(struct strs *groups, const struct strs *said, const char *provider)
{
    groups_drop(groups, provider);
    for (size_t i = 0; i < said->len; i++) {
        char *name = mem_format("%s@%s", said->items[i], provider);
        strs_push(groups, name);
        free(name);
    }
    strs_sort(groups);
}

/* ---- users ---- */

/* headscale's form of a provider_identifier: no double slashes except after the scheme. */
static char *provider_id_of(const char *issuer, const char *subject)
{
    char *whole = mem_format("%s/%s", issuer, subject), *to = whole;
    const char *scheme = strstr(whole, "://"), *from = whole;

    while (*from) {
        bool doubled = *from == '/' && to > whole && to[-1] == '/' && !(scheme && from <= scheme + 2);
        if (!doubled)
            *to++ = *from;
        from++;
    }
    *to = '\0';
    return whole;
}

static const struct user *find_by_provider_id(struct core_state *s, const char *issuer, const char *subject)
{
    char *id = provider_id_of(issuer, subject);
    const struct user *found = NULL;

    for (struct map_entry *e = map_first(&s->users); e && !found; e = map_next(&s->users, e)) {
        const struct user *u = ((const struct record_pair *)e->value)->work;
        if (u && *u->provider && str_eq(u->provider_id, id))
            found = u;
    }
    free(id);
    return found;
}

void identity_name_user(struct core_state *s, const struct identity *i, struct user *u, bool named)
{
    char *id = provider_id_of(i->issuer, i->subject);

    if (named && *u->provider && !*u->provider_id && !find_by_provider_id(s, i->issuer, i->subject))
        mem_replace(&u->provider_id, id);
    else if (!named && str_eq(u->provider_id, id))
        mem_replace(&u->provider_id, "");
    free(id);
}

/* The user whose login this is; NULL: none yet. A user from an import has no identity; with several issuers a subject
 * with a slash could be another issuer's. ERR_CONFLICT: a user has the same identifier, and may be someone else. */
static int find_owner(struct core_state *s, const struct core_login *c, const struct identity *known,
                      const struct user **out, struct err *e)
{
    *out = known ? find_user(s, known->user_id) : find_by_provider_id(s, c->issuer, c->subject);
    if (known || !*out)
        return 0;
    if (identity_of(s, (*out)->r.id) || (strchr(c->subject, '/') && config_provider(s->config, 1)))
        return err_set(e, ERR_CONFLICT, "user %.80s has the same identifier: an administrator can link it",
                       (*out)->name);
    return 0;
}

static bool is_taken(struct core_state *s, const char *text, uint64_t self)
{
    for (struct map_entry *e = map_first(&s->users); e; e = map_next(&s->users, e)) {
        const struct user *u = ((const struct record_pair *)e->value)->work;
        if (u && u->r.id != self && (strcasecmp(u->name, text) == 0 || strcasecmp(u->email, text) == 0))
            return true;
    }
    return false;
}

/* Policies and commands can name it, and no one else has it. */
static bool is_free_name(struct core_state *s, const char *name, uint64_t self)
{
    return *name && strspn(name, "0123456789") < strlen(name) && !strpbrk(name, "/: ") && !str_ends(name, "@") &&
           !str_eq(name, ".") && !str_eq(name, "..") && !is_taken(s, name, self);
}

/* A name with an '@' stands for an address in a policy: it is kept whole if the provider vouches for that address or
 * the user already has it, else cut at the '@'. */
static char *wanted_name(const struct core_login *c, const struct user *u, const char *said)
{
    bool whole = !strchr(said, '@') || str_eq(said, c->email) || str_eq(said, u->name);

    return whole ? mem_strdup(said) : mem_strndup(said, strcspn(said, "@"));
}

static void take_name(struct core_state *s, const struct core_login *c, struct user *u)
{
    char *name = wanted_name(c, u, c->username), *subject = wanted_name(c, u, c->subject);

    if (is_free_name(s, name, u->r.id))
        mem_replace(&u->name, name);
    else if (!*u->name && is_free_name(s, c->email, u->r.id))
        mem_replace(&u->name, c->email);
    else if (!*u->name && is_free_name(s, subject, u->r.id))
        mem_replace(&u->name, subject);
    if (!*u->name) {
        free(u->name);
        u->name = mem_format("user-%llu", (unsigned long long)u->r.id);
    }
    free(name);
    free(subject);
}

/* A user made by an administrator keeps the name and address that the administrator gave. */
static void take_profile(struct core_state *s, const struct core_login *c, struct user *u)
{
    if (*u->provider) {
        take_name(s, c, u);
        mem_replace(&u->email, is_taken(s, c->email, u->r.id) ? "" : c->email);
        if (*c->display_name)
            mem_replace(&u->display_name, c->display_name);
    }
    if (*c->picture_url)
        mem_replace(&u->picture_url, c->picture_url);
    if (c->has_groups)
        groups_take(&u->groups, &c->groups, c->provider);
}

static char *suspender(const char *provider)
{
    return mem_format("provider %s", provider);
}

/* A user suspended by the provider who can log in there again is reinstated. */
static int check_suspended(const struct core_login *c, struct user *u, bool *back, struct err *e)
{
    char *by = suspender(c->provider);
    bool mine = str_eq(u->suspended_by, by);

    free(by);
    *back = u->suspended_ns && mine;
    if (*back) {
        u->suspended_ns = 0;
        mem_replace(&u->suspended_by, "");
    }
    return u->suspended_ns ? err_set(e, ERR_DENIED, "this account is suspended: ask an administrator") : 0;
}

static bool same_user(const struct user *a, const struct user *b)
{
    return str_eq(a->name, b->name) && str_eq(a->email, b->email) && str_eq(a->display_name, b->display_name) &&
           str_eq(a->picture_url, b->picture_url) && a->suspended_ns == b->suspended_ns &&
           strs_eq(&a->groups, &b->groups);
}

static void note_user(struct core_state *s, enum event_id id, const struct user *u, const char *provider,
                      const char *text)
{
    char *actor = suspender(provider);

    journal(
        s,
        &(struct event_note){.id = id, .actor = actor, .object = "user", .object_id = u->r.id, .object_name = u->name},
        "User %s %s", u->name, text);
    free(actor);
}

static struct user *new_user(struct core_state *s, const struct core_login *c)
{
    struct user *u = user_new();

    u->r.id = tx_new_id(s, RECORD_USER);
    u->created_ns = clock_wall_ns();
    mem_replace(&u->provider, "oidc");
    free(u->provider_id);
    u->provider_id = provider_id_of(c->issuer, c->subject);
    return u;
}

static struct identity *edit_identity(const struct identity *i)
{
    return record_edit(i);
}

static void put_identity(struct core_state *s, struct core_login *c, const struct identity *old, uint64_t user_id)
{
    struct identity *i = old ? edit_identity(old) : identity_make(s, user_id, c->provider, c->issuer, c->subject);

    mem_replace(&i->issuer, c->issuer);
    i->login_ns = i->refreshed_ns = clock_wall_ns();
    if (c->has_groups)
        i->groups_ns = i->login_ns;
    if (c->refresh_token)
        mem_replace(&i->refresh_token, c->refresh_token);
    mem_replace(&i->trouble, "");
    c->known_id = i->r.id;
    tx_put(s, i);
}

static int identify(struct core_state *s, struct core_login *c, struct err *e)
{
    const struct identity *known = identity_find(s, c->provider, c->issuer, c->subject);
    const struct user *old;

    if (find_owner(s, c, known, &old, e) < 0)
        return ERR_CONFLICT;
    struct user *u = old ? user_edit(old) : new_user(s, c);
    char *how = mem_format("logged in with %s", c->provider);
    bool back = false;
    int rc = check_suspended(c, u, &back, e);

    if (rc == 0) {
        take_profile(s, c, u);
        c->user = record_ref(u);
        if (!old)
            note_user(s, EVENT_USER_CREATED, u, c->provider, "was created");
        if (back)
            note_user(s, EVENT_USER_RESUMED, u, c->provider, "is suspended no longer");
        note_user(s, EVENT_USER_LOGIN, u, c->provider, how);
        put_identity(s, c, known, u->r.id);
    }
    free(how);
    if (rc < 0) {
        record_unref(u);
        return rc;
    }
    bool same = old && same_user(old, u);
    if (same) /* it counts the changes that administrators see */
        u->r.version = old->r.version;
    u->login_ns = clock_wall_ns();
    mem_replace(&u->login_provider, c->provider);
    tx_put(s, u);
    if (!same)
        policy_approve_all(s);
    return 0;
}

/* ---- what a person confirms ---- */

static int confirm_ssh(struct core_state *s, struct pending_request *w, const struct user *u, struct err *e)
{
    const struct slot *source = slot_by_id(s, w->work->ssh_source_id);

    if (!source || node_is_tagged(source->work) || source->work->user_id != u->r.id)
        return err_set(e, ERR_DENIED, "the session comes from a machine that is not yours");
    ssh_remember(s, w);
    pending_request_decide(s, w, true, 0);
    return 0;
}

/* An administrator may have removed the link since the provider was asked. */
static bool is_linked(struct core_state *s, const struct core_login *c)
{
    const struct record_pair *pair = map_getu(&s->identities, c->identity_id);
    const struct identity *i = pair ? pair->work : NULL;

    return i && i->user_id == c->user_id;
}

static int confirm(struct core_state *s, struct core_login *c, struct err *e)
{
    struct pending_request *w = pending_request_find(s, c->auth_id);
    const struct user *u = find_user(s, c->user_id);
    struct slot *slot = NULL;
    bool ssh;
    int rc;

    if (!w || w->work->decided)
        return err_set(e, ERR_GONE, "nothing waits under this link any more: run tailscale up again");
    if (!u || u->suspended_ns)
        return err_set(e, ERR_DENIED, "this account is %s: ask an administrator", u ? "suspended" : "deleted");
    if (!is_linked(s, c))
        return err_set(e, ERR_DENIED, "this login is no longer one of user %.80s: ask an administrator", u->name);
    ssh = w->work->ssh;
    const struct register_by by = {.actor = user_login(u), .method = REGISTER_OIDC, .expiry_ns = c->expiry_ns};
    rc = ssh ? confirm_ssh(s, w, u, e) : register_complete(s, w, u, &by, &slot, e);
    if (rc < 0)
        return rc;
    journal(
        s,
        &(struct event_note){
            .id = EVENT_REGISTRATION_APPROVED, .actor = user_login(u), .object = "pending", .object_name = c->auth_id},
        "%s: %s", w->work->hostname, ssh ? "its SSH session was approved" : "its registration was approved");
    if (slot) {
        c->node_id = slot->id;
        pending_request_decide(s, w, true, slot->id);
    }
    c->user = record_ref(u);
    return 0;
}

/* ---- what the provider reports later ---- */

static void suspend(struct core_state *s, const struct user *old, const char *provider)
{
    struct user *u = user_edit(old);

    u->suspended_ns = clock_wall_ns();
    free(u->suspended_by);
    u->suspended_by = suspender(provider);
    journal(s,
            &(struct event_note){
                .id = EVENT_USER_SUSPENDED,
                .actor = u->suspended_by,
                .object = "user",
                .object_id = u->r.id,
                .object_name = u->name,
                .inverse = core_operation_write(&(struct core_admin){.op = ADMIN_USER_SUSPEND, .id = u->r.id})},
            "User %s is suspended: it may not log in with %s any more", u->name, provider);
    tx_put(s, u);
}

static bool is_configured(const struct core_state *s, const char *provider)
{
    const struct config_provider *p;
    bool found = false;

    for (size_t i = 0; !found && (p = config_provider(s->config, i)); i++)
        found = str_eq(p->name, provider);
    return found;
}

static void follow_groups(struct core_state *s, const struct core_login *c, const struct user *old,
                          const char *provider)
{
    struct user *u = user_edit(old);

    if (c->step == LOGIN_FORGET)
        groups_drop(&u->groups, provider);
    else if (c->has_groups)
        groups_take(&u->groups, &c->groups, provider);
    if (strs_eq(&u->groups, &old->groups)) {
        record_unref(u);
        return;
    }
    tx_put(s, u);
    policy_approve_all(s);
}

void logins_forget(struct core_state *s)
{
    struct core_login forget = {.step = LOGIN_FORGET};

    for (struct map_entry *e = map_first(&s->identities); e; e = map_next(&s->identities, e)) {
        const struct identity *old = ((const struct record_pair *)e->value)->work;
        const struct user *u = old && old->groups_ns ? find_user(s, old->user_id) : NULL;
        if (!u || is_configured(s, old->provider))
            continue;
        struct identity *i = edit_identity(old);
        i->groups_ns = 0;
        follow_groups(s, &forget, u, i->provider);
        tx_put(s, i);
    }
}

static int renew(struct core_state *s, struct core_login *c, struct err *e)
{
    const struct record_pair *pair = map_getu(&s->identities, c->identity_id);
    const struct identity *old = pair ? pair->work : NULL;
    const struct user *u = old ? find_user(s, old->user_id) : NULL;

    if (!u)
        return err_set(e, ERR_MISSING, "the identity is gone");
    if (c->asked_with && !str_eq(c->asked_with, old->refresh_token))
        return err_set(e, ERR_PRECONDITION, "a login came meanwhile");
    struct identity *i = edit_identity(old);
    mem_replace(&i->trouble, c->text ? c->text : "");
    if (c->step == LOGIN_RENEWED) {
        i->refreshed_ns = clock_wall_ns();
        if (c->refresh_token)
            mem_replace(&i->refresh_token, c->refresh_token);
    }
    if (c->step == LOGIN_RENEWED && c->has_groups)
        i->groups_ns = i->refreshed_ns;
    if (c->step == LOGIN_FORGET)
        i->groups_ns = 0;
    if (c->step == LOGIN_REFUSED)
        mem_replace(&i->refresh_token, "");
    if (c->step == LOGIN_REFUSED && !u->suspended_ns)
        suspend(s, u, i->provider);
    else
        follow_groups(s, c, u, i->provider);
    tx_put(s, i);
    return 0;
}

void login_run(struct core_state *s, struct core_call *call)
{
    struct core_login *c = (struct core_login *)call;
    int rc = c->step == LOGIN_IDENTIFY  ? identify(s, c, &call->err)
             : c->step == LOGIN_CONFIRM ? confirm(s, c, &call->err)
                                        : renew(s, c, &call->err);

    if (rc < 0)
        tx_answer_soon(s, call, rc);
    else
        tx_answer(s, call, 0);
}
