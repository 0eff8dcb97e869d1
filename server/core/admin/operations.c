/* SPDX-License-Identifier: BSD-3-Clause */
/* Administrators' operations: name, function, object, and the fields that each takes. The journal stores inverses in
 * this form. */

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/admin/operations.h"
#include "core/admin/repeated.h"
#include "core/decide/policy_view.h"
#include "core/state/dns_values.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

enum field_type {
    FIELD_END,
    FIELD_ID,
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_TIME,
    FIELD_BOOL,
    FIELD_FLAG, /* a boolean that is left out if false */
    FIELD_ROLE,
    FIELD_TEXTS,
    FIELD_PREFIXES,
    FIELD_PREFIX, /* one */
    FIELD_RULE,   /* several members: core_rule_write */
    FIELD_DNS,    /* several members: core_dns_write */
};

struct operation_field {
    const char *name; /* in /api/headway */
    enum field_type type;
    size_t offset;
};

#define FIELDS_MAX 7
struct operation {
    const char *name;
    admin_function *run;
    enum admin_object object;
    struct operation_field fields[FIELDS_MAX];
};

#define AT(member) offsetof(struct core_admin, member)
#define ID                                                                                                             \
    {                                                                                                                  \
        "id", FIELD_ID, AT(id)                                                                                         \
    }
#define AUTH_ID                                                                                                        \
    {                                                                                                                  \
        "authId", FIELD_TEXT, AT(text)                                                                                 \
    }
#define USER                                                                                                           \
    {                                                                                                                  \
        "user", FIELD_ID, AT(user_id)                                                                                  \
    }
#define NAME                                                                                                           \
    {                                                                                                                  \
        "name", FIELD_TEXT, AT(name)                                                                                   \
    }
#define EXPIRATION                                                                                                     \
    {                                                                                                                  \
        "expiration", FIELD_TIME, AT(time_ns)                                                                          \
    }
#define TAGS                                                                                                           \
    {                                                                                                                  \
        "tags", FIELD_TEXTS, AT(tags)                                                                                  \
    }

/* clang-format off */
static const struct operation operations[ADMIN_OP_COUNT] = {
    [ADMIN_USER_CREATE] = {"user.create", admin_user_create, ADMIN_OBJECT_USER,
        {NAME, {"displayName", FIELD_TEXT, AT(display_name)}, {"email", FIELD_TEXT, AT(email)},
         {"pictureUrl", FIELD_TEXT, AT(picture_url)}, {"role", FIELD_ROLE, AT(role)}}},
    [ADMIN_USER_RENAME] = {"user.rename", admin_user_rename, ADMIN_OBJECT_USER, {ID, NAME}},
    [ADMIN_USER_ROLE] = {"user.role", admin_user_role, ADMIN_OBJECT_USER, {ID, {"role", FIELD_ROLE, AT(role)}}},
    [ADMIN_USER_DELETE] = {"user.delete", admin_user_delete, ADMIN_OBJECT_USER, {ID}},
    [ADMIN_USER_SUSPEND] = {"user.suspend", admin_user_suspend, ADMIN_OBJECT_USER,
        {ID, {"suspended", FIELD_BOOL, AT(flag)}}},
    [ADMIN_USER_LINK] = {"user.link", admin_user_link, ADMIN_OBJECT_USER,
        {ID, {"provider", FIELD_TEXT, AT(prefix)}, {"subject", FIELD_TEXT, AT(text)}, {"linked", FIELD_BOOL, AT(flag)}}},
    [ADMIN_PREAUTHKEY_CREATE] = {"preauthkey.create", admin_preauthkey_create, ADMIN_OBJECT_PREAUTH_KEY,
        {USER, {"reusable", FIELD_FLAG, AT(reusable)}, {"ephemeral", FIELD_FLAG, AT(ephemeral)},
         {"needsApproval", FIELD_FLAG, AT(needs_approval)}, EXPIRATION, TAGS,
         {"description", FIELD_TEXT, AT(name)}}},
    [ADMIN_PREAUTHKEY_EXPIRE] = {"preauthkey.expire", admin_preauthkey_expire, ADMIN_OBJECT_PREAUTH_KEY, {ID}},
    [ADMIN_PREAUTHKEY_DELETE] = {"preauthkey.delete", admin_preauthkey_delete, ADMIN_OBJECT_PREAUTH_KEY, {ID}},
    [ADMIN_PREAUTHKEY_REVOKE] = {"preauthkey.revoke", admin_preauthkey_revoke, ADMIN_OBJECT_PREAUTH_KEY, {ID}},
    [ADMIN_APIKEY_CREATE] = {"apikey.create", admin_apikey_create, ADMIN_OBJECT_API_KEY,
        {{"description", FIELD_TEXT, AT(name)}, {"readOnly", FIELD_FLAG, AT(read_only)}, EXPIRATION, USER}},
    [ADMIN_APIKEY_EXPIRE] = {"apikey.expire", admin_apikey_expire, ADMIN_OBJECT_API_KEY,
        {ID, {"prefix", FIELD_TEXT, AT(prefix)}}},
    [ADMIN_APIKEY_DELETE] = {"apikey.delete", admin_apikey_delete, ADMIN_OBJECT_API_KEY,
        {ID, {"prefix", FIELD_TEXT, AT(prefix)}}},
    [ADMIN_OAUTH_CLIENT_CREATE] = {"oauthclient.create", admin_oauth_client_create, ADMIN_OBJECT_OAUTH_CLIENT,
        {{"description", FIELD_TEXT, AT(name)}, {"scopes", FIELD_TEXTS, AT(scopes)}, TAGS}},
    [ADMIN_OAUTH_CLIENT_SET] = {"oauthclient.set", admin_oauth_client_set, ADMIN_OBJECT_OAUTH_CLIENT,
        {ID, {"description", FIELD_TEXT, AT(name)}, {"scopes", FIELD_TEXTS, AT(scopes)}, TAGS}},
    [ADMIN_OAUTH_CLIENT_DELETE] = {"oauthclient.delete", admin_oauth_client_delete, ADMIN_OBJECT_OAUTH_CLIENT,
        {ID, {"clientId", FIELD_TEXT, AT(prefix)}}},
    [ADMIN_OAUTH_TOKEN] = {"oauthclient.token", admin_oauth_token, ADMIN_OBJECT_NONE,
        {ID, {"scopes", FIELD_TEXTS, AT(scopes)}, TAGS, EXPIRATION}},
    [ADMIN_WEBHOOK_CREATE] = {"webhook.create", admin_webhook_create, ADMIN_OBJECT_WEBHOOK,
        {{"endpointUrl", FIELD_TEXT, AT(url)}, {"providerType", FIELD_TEXT, AT(prefix)},
         {"subscriptions", FIELD_TEXTS, AT(scopes)}}},
    [ADMIN_WEBHOOK_SET] = {"webhook.set", admin_webhook_set, ADMIN_OBJECT_WEBHOOK,
        {ID, {"subscriptions", FIELD_TEXTS, AT(scopes)}}},
    [ADMIN_WEBHOOK_ROTATE] = {"webhook.rotate", admin_webhook_rotate, ADMIN_OBJECT_WEBHOOK, {ID}},
    [ADMIN_WEBHOOK_DELETE] = {"webhook.delete", admin_webhook_delete, ADMIN_OBJECT_WEBHOOK, {ID}},
    [ADMIN_WEBHOOK_TEST] = {"webhook.test", admin_webhook_test, ADMIN_OBJECT_WEBHOOK, {ID}},
    [ADMIN_NODE_RENAME] = {"node.rename", admin_node_rename, ADMIN_OBJECT_NODE, {ID, NAME}},
    [ADMIN_NODE_TAGS] = {"node.tags", admin_node_tags, ADMIN_OBJECT_NODE, {ID, TAGS}},
    [ADMIN_NODE_EXPIRE] = {"node.expire", admin_node_expire, ADMIN_OBJECT_NODE,
        {ID, {"expiry", FIELD_TIME, AT(time_ns)}, {"disable", FIELD_FLAG, AT(flag)}}},
    [ADMIN_NODE_DELETE] = {"node.delete", admin_node_delete, ADMIN_OBJECT_NODE, {ID}},
    [ADMIN_NODE_AUTHORIZE] = {"node.authorize", admin_node_authorize, ADMIN_OBJECT_NODE,
        {ID, {"authorized", FIELD_BOOL, AT(flag)}}},
    [ADMIN_NODE_ROUTES] = {"node.approved", admin_node_routes, ADMIN_OBJECT_NODE,
        {ID, {"routes", FIELD_PREFIXES, AT(prefixes)}}},
    [ADMIN_ROUTES_EDIT] = {"node.routes", admin_routes_edit, ADMIN_OBJECT_NODE,
        {ID, {"approve", FIELD_PREFIXES, AT(prefixes)}, {"revoke", FIELD_PREFIXES, AT(revoke)}}},
    [ADMIN_ROUTES_MANY] = {"routes.edit", admin_routes_many, ADMIN_OBJECT_NONE,
        {{"approve", FIELD_TEXTS, AT(approvals)}, {"revoke", FIELD_TEXTS, AT(revocations)},
         {"pending", FIELD_FLAG, AT(flag)}}},
    [ADMIN_PRIMARY] = {"prefix.primary", admin_primary, ADMIN_OBJECT_NODE,
        {{"node", FIELD_ID, AT(id)}, {"prefix", FIELD_PREFIX, AT(prefixes)}, {"via", FIELD_TEXT, AT(text)},
         {"once", FIELD_BOOL, AT(flag)}}},
    [ADMIN_NODE_DRAIN] = {"node.drain", admin_node_drain, ADMIN_OBJECT_NODE, {ID, {"drained", FIELD_BOOL, AT(flag)}}},
    [ADMIN_NODE_PRIORITY] = {"node.priority", admin_node_priority, ADMIN_OBJECT_NODE,
        {ID, {"priority", FIELD_NUMBER, AT(number)}}},
    [ADMIN_PREFIX_SET] = {"prefix.set", admin_prefix_set, ADMIN_OBJECT_PREFIX,
        {{"prefix", FIELD_PREFIX, AT(prefixes)}, {"rule", FIELD_RULE, AT(rule)}}},
    [ADMIN_REGISTER] = {"pending.register", admin_register, ADMIN_OBJECT_NODE, {AUTH_ID, USER, NAME}},
    [ADMIN_AUTH_APPROVE] = {"pending.approve", admin_auth_approve, ADMIN_OBJECT_NONE, {AUTH_ID}},
    [ADMIN_AUTH_REJECT] = {"pending.reject", admin_auth_reject, ADMIN_OBJECT_NONE, {AUTH_ID}},
    [ADMIN_DEBUG_NODE] = {"debug.node", admin_debug_node, ADMIN_OBJECT_NONE,
        {AUTH_ID, USER, NAME, {"routes", FIELD_PREFIXES, AT(prefixes)}}},
    [ADMIN_BACKFILL] = {"nodes.backfill", admin_backfill, ADMIN_OBJECT_NONE, {{0}}},
    [ADMIN_SERVER_MESSAGE] = {"server.message", admin_server_message, ADMIN_OBJECT_MESSAGE,
        {{"text", FIELD_TEXT, AT(text)}, {"severity", FIELD_TEXT, AT(severity)}, {"url", FIELD_TEXT, AT(url)}}},
    [ADMIN_DNS_SET] = {"dns.set", admin_dns_set, ADMIN_OBJECT_DNS, {{"dns", FIELD_DNS, AT(dns)}}},
    [ADMIN_POLICY_SET] = {"policy.set", admin_policy_set, ADMIN_OBJECT_NONE, {{"policy", FIELD_TEXT, AT(text)}}},
};
/* clang-format on */

enum admin_object core_operation_object(enum admin_op op)
{
    return operations[op].object;
}

const char *core_operation_name(enum admin_op op)
{
    return operations[op].name;
}

/* ---- as JSON ---- */

static void put_texts(struct json_out *o, const char *name, const struct strs *texts)
{
    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < texts->len; i++)
        json_str(o, texts->items[i]);
    json_close(o, ']');
}

static void put_prefixes(struct json_out *o, const char *name, const struct prefixes *prefixes)
{
    char text[PREFIX_TEXT_MAX];

    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < prefixes->len; i++)
        json_str(o, prefix_format(&prefixes->items[i], text));
    json_close(o, ']');
}

static void put_field(struct json_out *o, const struct core_admin *a, const struct operation_field *f)
{
    const void *at = (const char *)a + f->offset;
    const struct prefixes *prefixes = at;
    char text[PREFIX_TEXT_MAX];

    switch (f->type) {
    case FIELD_END:
        break;
    case FIELD_ID:
        if (*(const uint64_t *)at)
            json_put_id(o, f->name, *(const uint64_t *)at);
        break;
    case FIELD_TEXT:
        if (*(char *const *)at)
            json_put_str(o, f->name, *(char *const *)at);
        break;
    case FIELD_NUMBER:
        json_put_u64(o, f->name, *(const uint64_t *)at);
        break;
    case FIELD_TIME:
        if (*(const int64_t *)at)
            json_put_time(o, f->name, *(const int64_t *)at);
        break;
    case FIELD_BOOL:
    case FIELD_FLAG:
        if (f->type == FIELD_BOOL || *(const bool *)at)
            json_put_bool(o, f->name, *(const bool *)at);
        break;
    case FIELD_ROLE:
        if (a->has_role)
            json_put_str(o, f->name, user_role_name((int)a->role));
        break;
    case FIELD_TEXTS:
        if (((const struct strs *)at)->len)
            put_texts(o, f->name, at);
        break;
    case FIELD_PREFIXES:
        if (prefixes->len)
            put_prefixes(o, f->name, prefixes);
        break;
    case FIELD_PREFIX:
        if (prefixes->len)
            json_put_str(o, f->name, prefix_format(&prefixes->items[0], text));
        break;
    case FIELD_RULE:
        core_rule_write(o, a);
        break;
    case FIELD_DNS:
        core_dns_write(o, a);
        break;
    }
}

char *core_operation_write(const struct core_admin *a)
{
    const struct operation *op = &operations[a->op];
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_put_str(&o, "operation", op->name);
    for (size_t i = 0; i < FIELDS_MAX && op->fields[i].type; i++)
        put_field(&o, a, &op->fields[i]);
    json_close(&o, '}');
    return buf_take(&b);
}

static int get_role(const json_t *object, const char *name, struct core_admin *out, struct err *e)
{
    const char *text = NULL;

    if (json_get_str(object, name, &text, e) < 0)
        return ERR_INVALID;
    if (!text)
        return 0;
    for (int role = ROLE_MEMBER; role <= ROLE_OWNER; role++)
        if (str_eq(text, user_role_name(role))) {
            out->role = (enum user_role)role;
            out->has_role = true;
            return 0;
        }
    return err_field(e, ERR_INVALID, name, "'%.60s' is not a role: member, admin or owner", text);
}

static int get_time(const json_t *object, const char *name, int64_t *out, struct err *e)
{
    const char *text = NULL;

    if (json_get_str(object, name, &text, e) < 0)
        return ERR_INVALID;
    return text ? time_parse(text, out, name, e) : 0;
}

static int add_prefix(const json_t *item, const char *name, struct prefixes *out, struct err *e)
{
    struct prefix p;

    if (!json_is_string(item))
        return err_field(e, ERR_INVALID, name, "%s must be a prefix", name);
    if (prefix_parse(json_string_value(item), &p, NULL, e) < 0)
        return ERR_INVALID;
    prefixes_add(out, &p);
    return 0;
}

static int get_list(const json_t *object, const struct operation_field *f, void *at, struct err *e)
{
    json_t *list = NULL;
    int rc = json_get_array(object, f->name, &list, e);

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (f->type == FIELD_PREFIXES)
            rc = add_prefix(item, f->name, at, e);
        else if (json_is_string(item))
            strs_push(at, json_string_value(item));
        else
            rc = err_field(e, ERR_INVALID, f->name, "%s must be a list of texts", f->name);
    }
    return rc;
}

static int get_field(const json_t *object, const struct operation_field *f, struct core_admin *out, struct err *e)
{
    void *at = (char *)out + f->offset;
    const json_t *item = json_object_get(object, f->name);

    switch (f->type) {
    case FIELD_END:
        break;
    case FIELD_ID:
    case FIELD_NUMBER:
        return json_get_u64(object, f->name, at, e);
    case FIELD_TEXT:
        return json_get_str(object, f->name, at, e);
    case FIELD_TIME:
        return get_time(object, f->name, at, e);
    case FIELD_BOOL:
    case FIELD_FLAG:
        return json_get_bool(object, f->name, at, e);
    case FIELD_ROLE:
        return get_role(object, f->name, out, e);
    case FIELD_TEXTS:
    case FIELD_PREFIXES:
        return get_list(object, f, at, e);
    case FIELD_PREFIX:
        return item ? add_prefix(item, f->name, at, e) : 0;
    case FIELD_RULE:
        return core_rule_read(object, out, e);
    case FIELD_DNS:
        return core_dns_read(object, out, e);
    }
    return 0;
}

int core_operation_read(const json_t *object, struct core_admin *out, struct err *e)
{
    const char *name = json_text(object, "operation", "");
    size_t op = 0;

    while (op < ADMIN_OP_COUNT && !str_eq(operations[op].name, name))
        op++;
    if (op == ADMIN_OP_COUNT)
        return err_field(e, ERR_INVALID, "operation", "'%.60s' is no operation", name);
    out->op = (enum admin_op)op;
    for (size_t i = 0; i < FIELDS_MAX && operations[op].fields[i].type; i++) {
        int rc = get_field(object, &operations[op].fields[i], out, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- running an operation ---- */

/* Marks the entries that were undone, which cannot be undone again. */
static void mark_undone(struct core_state *s, const struct core_admin *a)
{
    if (s->dry || !a->events.len)
        return;
    for (size_t i = 0; i < a->undoes.len; i++) {
        struct event *e = event_edit(a->undoes.items[i]);
        e->undone_run = a->events.items[0]->run;
        e->undone_by = a->events.items[0]->r.id;
        tx_put(s, e);
    }
}

void admin_begin(struct core_state *s, struct core_admin *a)
{
    s->admin = a;
    s->dry = a->dry_run;
}

void admin_end(struct core_state *s, struct core_admin *a, int code)
{
    if (code == 0) {
        journal_set_inverse(s, a);
        mark_undone(s, a);
    }
    repeated_note(s, a, code);
    s->admin = NULL;
    s->dry = false;
    if (code < 0)
        tx_answer_soon(s, &a->call, code);
    else if (code != ADMIN_LATER)
        tx_answer(s, &a->call, 0);
}

/* Operations that no access token may perform by any route: those of calls with SCOPE_NEVER. Undoing by the journal's
 * inverse bypasses the table of calls, so they are checked here too. */
static bool is_for_keys(enum admin_op op)
{
    return op == ADMIN_APIKEY_CREATE || op == ADMIN_APIKEY_EXPIRE || op == ADMIN_APIKEY_DELETE || op == ADMIN_USER_LINK;
}

/* What an access token does stays within its tags, whatever the operation. A client with all scopes gets whatever tags
 * it asks for. */
static int check_limits(struct core_state *s, const struct core_admin *a, struct err *e)
{
    if (!a->limited)
        return 0;
    if (is_for_keys(a->op))
        return err_set(e, ERR_DENIED, "no access token may do this: it takes an API key");
    if (a->limits.len && strs_has(&a->scopes, "all"))
        return err_field(e, ERR_DENIED, "scopes",
                         "client may not be granted scope all by a token with tags: it would take any other tags");
    if (a->op == ADMIN_PREAUTHKEY_CREATE && !a->tags.len)
        return err_field(e, ERR_DENIED, "tags", "an OAuth client must create tagged auth keys");
    for (size_t i = 0; i < a->tags.len; i++)
        if (!core_policy_tags_own(s, &a->limits, a->tags.items[i]))
            return err_field(e, ERR_DENIED, "tags", "token may not assign tag %.80s", a->tags.items[i]);
    return 0;
}

void admin_run(struct core_state *s, struct core_call *call)
{
    struct core_admin *a = (struct core_admin *)call;

    if (repeated_answer(s, a))
        return;
    admin_begin(s, a);
    int code = check_limits(s, a, &call->err);
    admin_end(s, a, code < 0 ? code : operations[a->op].run(s, a, &call->err));
}

void core_admin_release(struct core_admin *a)
{
    record_unref(a->record);
    core_events_release(&a->events);
    free(a->inverse);
    free(a->secret);
    policy_problems_release(&a->problems);
    a->record = NULL;
    a->inverse = a->secret = NULL;
    strs_release(&a->tags);
    strs_release(&a->scopes);
    strs_release(&a->limits);
    prefixes_release(&a->prefixes);
    prefixes_release(&a->revoke);
    strs_release(&a->approvals);
    strs_release(&a->revocations);
    dns_values_release(&a->dns);
    core_events_release(&a->undoes);
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

void admin_inverse(struct core_admin *a, const struct core_admin *operation)
{
    free(a->inverse);
    a->inverse = core_operation_write(operation);
}
