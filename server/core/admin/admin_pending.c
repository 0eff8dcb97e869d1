/* SPDX-License-Identifier: BSD-3-Clause */
/* Registrations and SSH sessions decided by a person. */
#include "base/clock.h"
#include "base/random.h"
#include "core/admin/operations.h"
#include "core/decide/pending.h"
#include "core/decide/register.h"
#include "core/decide/ssh.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/state.h"

static int no_pending(const char *id, struct err *e)
{
    return err_field(e, ERR_MISSING, "authId", "no pending auth session for auth_id %s", id);
}

int core_auth_id_check(const char *id, struct err *e)
{
    if (!str_starts(id, "hskey-authreq-"))
        return err_field(e, ERR_INVALID, "authId", "auth ID has invalid prefix: expected prefix \"hskey-authreq-\"");
    if (strlen(id) != AUTH_ID_LEN)
        return err_field(e, ERR_INVALID, "authId", "auth ID has invalid length: expected %d, got %zu", AUTH_ID_LEN,
                         strlen(id));
    return 0;
}

static int find_pending(struct core_state *s, const struct core_admin *a, struct pending_request **out, struct err *e)
{
    const char *id = a->text ? a->text : "";
    int rc = core_auth_id_check(id, e);

    if (rc < 0)
        return rc;
    *out = pending_request_find(s, id);
    return *out ? 0 : no_pending(id, e);
}

static void note_decision(struct core_state *s, enum event_id id, const struct pending_request *w, const char *text)
{
    journal(s, &(struct event_note){.id = id, .object = "pending", .object_name = w->work->auth_id}, "%s: %s",
            w->work->hostname, text);
}

int admin_register(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct pending_request *w;
    struct slot *slot = NULL;
    size_t hits;
    int rc = find_pending(s, a, &w, e);

    if (rc < 0)
        return rc;
    if (w->work->decided)
        return no_pending(a->text, e);
    if (w->work->ssh)
        return err_field(e, ERR_INVALID, "authId", "this is an SSH session: use 'headway auth approve'");
    const struct user *user =
        a->user_id ? find_user(s, a->user_id) : find_user_by_name(s, a->name ? a->name : "", &hits);
    if (a->user_id)
        hits = 1;
    if (!user)
        return err_field(e, ERR_MISSING, "user", "looking up user: user not found: '%.80s'", a->name ? a->name : "");
    if (hits > 1)
        return err_field(e, ERR_CONFLICT, "user", "looking up user: '%.80s' is not unique, found %zu", a->name, hits);
    if (user->suspended_ns)
        return err_field(e, ERR_CONFLICT, "user", "user %s is suspended: headway users suspend %s --off", user->name,
                         user->name);
    const struct register_by by = {.actor = a->actor, .method = REGISTER_CLI};
    if ((rc = register_complete(s, w, user, &by, &slot, e)) < 0)
        return rc;
    note_decision(s, EVENT_REGISTRATION_APPROVED, w, "its registration was approved");
    if (slot) {
        admin_result(a, slot->work);
        pending_request_decide(s, w, true, slot->id);
    }
    return 0;
}

static int decide(struct core_state *s, struct core_admin *a, bool accept, struct err *e)
{
    struct pending_request *w;
    int rc = find_pending(s, a, &w, e);

    if (rc < 0)
        return rc;
    if (w->work->decided)
        return no_pending(a->text, e);
    if (accept && !w->work->ssh)
        return err_field(e, ERR_INVALID, "authId",
                         "a registration needs a user: headway auth register --auth-id %s --user NAME", a->text);
    note_decision(s, accept ? EVENT_REGISTRATION_APPROVED : EVENT_REGISTRATION_REJECTED, w,
                  accept ? "its SSH session was approved" : "it was rejected");
    if (s->dry)
        return 0;
    if (accept)
        ssh_remember(s, w);
    pending_request_decide(s, w, accept, 0);
    return 0;
}

int admin_auth_approve(struct core_state *s, struct core_admin *a, struct err *e)
{
    return decide(s, a, true, e);
}

int admin_auth_reject(struct core_state *s, struct core_admin *a, struct err *e)
{
    return decide(s, a, false, e);
}

static int check_auth_id(struct core_state *s, const char *id, struct err *e)
{
    if (!str_starts(id, AUTH_ID_PREFIX))
        return err_field(e, ERR_INVALID, "key",
                         "parsing machine key: auth ID has invalid prefix: expected prefix \"" AUTH_ID_PREFIX "\"");
    if (strlen(id) != AUTH_ID_LEN)
        return err_field(e, ERR_INVALID, "key", "parsing machine key: auth ID has invalid length: expected %d, got %zu",
                         AUTH_ID_LEN, strlen(id));
    if (strspn(id + strlen(AUTH_ID_PREFIX), "0123456789abcdefABCDEF") != AUTH_ID_LEN - strlen(AUTH_ID_PREFIX))
        return err_field(e, ERR_INVALID, "key", "parsing machine key: '%s' does not end in 24 hexadecimal digits", id);
    if (pending_request_find(s, id))
        return err_field(e, ERR_CONFLICT, "key", "a registration with the id %s waits already", id);
    return 0;
}

/* headscale's debug node: a registration without a client, for testing what follows from one. */
int admin_debug_node(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct pending fields = {.hostname = (char *)(uintptr_t)a->name,
                             .os = (char *)(uintptr_t) "",
                             .client_version = (char *)(uintptr_t) "",
                             .source = (char *)(uintptr_t) "",
                             .ssh_user = (char *)(uintptr_t) "",
                             .routes = a->prefixes};
    int rc = check_auth_id(s, a->text ? a->text : "", e);

    if (rc < 0 || (rc = str_check(a->name ? a->name : "", 255, false, "name", e)) < 0)
        return rc;
    fields.auth_id = (char *)(uintptr_t)a->text;
    random_bytes(fields.machine_key, KEY_LEN);
    random_bytes(fields.node_key, KEY_LEN);
    struct node *n = node_new();
    memcpy(n->machine_key, fields.machine_key, KEY_LEN);
    memcpy(n->node_key, fields.node_key, KEY_LEN);
    mem_replace(&n->hostname, a->name);
    mem_replace(&n->given_name, a->name);
    n->user_id = a->user_id;
    n->created_ns = clock_wall_ns();
    prefixes_copy(&n->available, &a->prefixes);
    admin_result(a, n);
    record_unref(n);
    return s->dry || pending_request_new(s, &fields, e) ? 0 : (int)e->code;
}
