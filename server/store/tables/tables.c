/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/tables/tables.h"

#include "base/array.h"

#define COL(t, name, member, type)                                                                                     \
    {                                                                                                                  \
        name, MEMBER_##type, offsetof(struct t, member), 0, 0, NULL, NULL                                              \
    }
#define ENUM(t, name, member, greatest)                                                                                \
    {                                                                                                                  \
        name, MEMBER_ENUM, offsetof(struct t, member), greatest, 0, NULL, NULL                                         \
    }
/* A column added by a later schema version, and its value in older rows. */
#define LATER(t, name, member, type, since, initial)                                                                   \
    {                                                                                                                  \
        name, MEMBER_##type, offsetof(struct t, member), 0, since, initial, NULL                                       \
    }

static const struct member user_columns[] = {
    COL(user, "id", r.id, U64),
    COL(user, "version", r.version, U64),
    COL(user, "name", name, TEXT),
    COL(user, "display_name", display_name, TEXT),
    COL(user, "email", email, TEXT),
    COL(user, "provider_id", provider_id, TEXT),
    COL(user, "provider", provider, TEXT),
    COL(user, "picture_url", picture_url, TEXT),
    ENUM(user, "role", role, ROLE_OWNER),
    COL(user, "created_ns", created_ns, TIME),
    LATER(user, "suspended_ns", suspended_ns, TIME, 7, "0"),
    LATER(user, "suspended_by", suspended_by, TEXT, 7, "''"),
    LATER(user, "groups", groups, STRS, 7, "'[]'"),
    LATER(user, "login_ns", login_ns, TIME, 7, "0"),
    LATER(user, "login_provider", login_provider, TEXT, 7, "''"),
};

static const struct member identity_columns[] = {
    COL(identity, "id", r.id, U64),
    COL(identity, "version", r.version, U64),
    COL(identity, "user_id", user_id, U64),
    COL(identity, "provider", provider, TEXT),
    COL(identity, "issuer", issuer, TEXT),
    COL(identity, "subject", subject, TEXT),
    COL(identity, "created_ns", created_ns, TIME),
    COL(identity, "login_ns", login_ns, TIME),
    COL(identity, "groups_ns", groups_ns, TIME),
    COL(identity, "refresh_token", refresh_token, TEXT),
    COL(identity, "refreshed_ns", refreshed_ns, TIME),
    COL(identity, "trouble", trouble, TEXT),
};

static const struct member preauth_key_columns[] = {
    COL(preauth_key, "id", r.id, U64),
    COL(preauth_key, "version", r.version, U64),
    COL(preauth_key, "user_id", user_id, U64),
    COL(preauth_key, "prefix", prefix, TEXT),
    COL(preauth_key, "secret_hash", secret_hash, TEXT),
    COL(preauth_key, "tags", tags, STRS),
    COL(preauth_key, "reusable", reusable, BOOL),
    COL(preauth_key, "ephemeral", ephemeral, BOOL),
    COL(preauth_key, "used", used, BOOL),
    COL(preauth_key, "revoked", revoked, BOOL),
    COL(preauth_key, "expiration_ns", expiration_ns, TIME),
    COL(preauth_key, "created_ns", created_ns, TIME),
    LATER(preauth_key, "preauthorized", preauthorized, BOOL, 5, "1"),
    LATER(preauth_key, "revoked_ns", revoked_ns, TIME, 7, "0"),
    LATER(preauth_key, "description", description, TEXT, 7, "''"),
};

static const struct member api_key_columns[] = {
    COL(api_key, "id", r.id, U64),
    COL(api_key, "version", r.version, U64),
    COL(api_key, "prefix", prefix, TEXT),
    COL(api_key, "secret_hash", secret_hash, TEXT),
    COL(api_key, "description", description, TEXT),
    COL(api_key, "read_only", read_only, BOOL),
    COL(api_key, "expiration_ns", expiration_ns, TIME),
    COL(api_key, "created_ns", created_ns, TIME),
    COL(api_key, "last_seen_ns", last_seen_ns, TIME),
    LATER(api_key, "user_id", user_id, U64, 7, "0"),
};

static const struct member oauth_client_columns[] = {
    COL(oauth_client, "id", r.id, U64),
    COL(oauth_client, "version", r.version, U64),
    COL(oauth_client, "client_id", client_id, TEXT),
    COL(oauth_client, "secret_hash", secret_hash, TEXT),
    COL(oauth_client, "description", description, TEXT),
    COL(oauth_client, "scopes", scopes, STRS),
    COL(oauth_client, "tags", tags, STRS),
    COL(oauth_client, "created_ns", created_ns, TIME),
    COL(oauth_client, "last_seen_ns", last_seen_ns, TIME),
};

static const struct member oauth_token_columns[] = {
    COL(oauth_token, "id", r.id, U64),
    COL(oauth_token, "client", client, U64),
    COL(oauth_token, "prefix", prefix, TEXT),
    COL(oauth_token, "secret_hash", secret_hash, TEXT),
    COL(oauth_token, "scopes", scopes, STRS),
    COL(oauth_token, "tags", tags, STRS),
    COL(oauth_token, "expiration_ns", expiration_ns, TIME),
    COL(oauth_token, "created_ns", created_ns, TIME),
};

static const struct member webhook_columns[] = {
    COL(webhook, "id", r.id, U64),
    COL(webhook, "version", r.version, U64),
    COL(webhook, "url", url, TEXT),
    COL(webhook, "provider", provider, TEXT),
    COL(webhook, "subscriptions", subscriptions, STRS),
    COL(webhook, "creator", creator, TEXT),
    COL(webhook, "secret", secret, TEXT),
    COL(webhook, "created_ns", created_ns, TIME),
    COL(webhook, "modified_ns", modified_ns, TIME),
    COL(webhook, "deleted_ns", deleted_ns, TIME),
    COL(webhook, "run", run, U64),
    COL(webhook, "seq", seq, U64),
    COL(webhook, "tried_ns", tried_ns, TIME),
    COL(webhook, "delivered_ns", delivered_ns, TIME),
    COL(webhook, "failing_ns", failing_ns, TIME),
    COL(webhook, "next_ns", next_ns, TIME),
    COL(webhook, "failures", failures, U32),
    COL(webhook, "status", status, U32),
    COL(webhook, "trouble", trouble, TEXT),
    COL(webhook, "reported", reported, BOOL),
    COL(webhook, "delivered", delivered, U64),
    COL(webhook, "dropped", dropped, U64),
    COL(webhook, "dropped_said", dropped_said, U64),
};

static const struct member node_columns[] = {
    COL(node, "id", r.id, U64),
    COL(node, "version", r.version, U64),
    COL(node, "machine_key", machine_key, KEY),
    COL(node, "node_key", node_key, KEY),
    COL(node, "disco_key", disco_key, KEY),
    COL(node, "hostname", hostname, TEXT),
    COL(node, "given_name", given_name, TEXT),
    COL(node, "user_id", user_id, U64),
    COL(node, "tags", tags, STRS),
    COL(node, "ipv4", ipv4, ADDR),
    COL(node, "ipv6", ipv6, ADDR),
    ENUM(node, "method", method, REGISTER_OIDC),
    COL(node, "preauth_key_id", preauth_key_id, U64),
    COL(node, "ephemeral", ephemeral, BOOL),
    COL(node, "logged_out", logged_out, BOOL),
    COL(node, "created_ns", created_ns, TIME),
    COL(node, "expiry_ns", expiry_ns, TIME),
    COL(node, "available", available, PREFIXES),
    COL(node, "approved", approved, PREFIXES),
    COL(node, "removed", removed, PREFIXES),
    COL(node, "request_tags", request_tags, STRS),
    COL(node, "cap_version", cap_version, U32),
    COL(node, "os", os, TEXT),
    COL(node, "os_version", os_version, TEXT),
    COL(node, "client_version", client_version, TEXT),
    COL(node, "hostinfo", hostinfo, TEXT),
    COL(node, "peer_hostinfo", peer_hostinfo, TEXT),
    LATER(node, "approved_by", approved_by, STRS, 2, "'[]'"),
    LATER(node, "draining", draining, BOOL, 2, "0"),
    LATER(node, "name_given", name_given, BOOL, 4, "0"),
    LATER(node, "priority", priority, U32, 5, "100"),
    LATER(node, "authorized", authorized, BOOL, 5, "1"),
    LATER(node, "authorized_ns", authorized_ns, TIME, 5, "0"),
    LATER(node, "authorized_by", authorized_by, TEXT, 5, "''"),
    LATER(node, "expiring_ns", expiring_ns, TIME, 8, "0"),
    LATER(node, "advertised_ns", advertised_ns, TIME, 5, "0"),
    LATER(node, "exit_node_id", exit_node_id, U64, 5, "0"),
    LATER(node, "unseen_login", unseen_login, U64, 6, "0"),
};

static const struct member event_columns[] = {
    COL(event, "run", run, U64),
    COL(event, "seq", r.id, U64),
    COL(event, "version", r.version, U64),
    COL(event, "time_ns", time_ns, TIME),
    COL(event, "kind", kind, TEXT),
    COL(event, "actor", actor, TEXT),
    COL(event, "object", object, TEXT),
    COL(event, "object_id", object_id, U64),
    COL(event, "object_name", object_name, TEXT),
    COL(event, "text", text, TEXT),
    COL(event, "detail", detail, TEXT),
    COL(event, "inverse", inverse, TEXT),
    COL(event, "undone_run", undone_run, U64),
    COL(event, "undone_by", undone_by, U64),
    LATER(event, "by_admin", by_admin, BOOL, 3, "0"),
};

static const struct member policy_columns[] = {
    COL(policy_text, "id", r.id, U64),
    COL(policy_text, "version", r.version, U64),
    COL(policy_text, "text", text, TEXT),
    COL(policy_text, "updated_ns", updated_ns, TIME),
    LATER(policy_text, "author", author, TEXT, 5, "''"),
    LATER(policy_text, "note", note, TEXT, 6, "''"),
};

static const struct member primary_columns[] = {
    COL(primary, "prefix", prefix, PREFIX),         COL(primary, "node_id", r.id, U64),
    COL(primary, "version", r.version, U64),        COL(primary, "since_ns", since_ns, TIME),
    LATER(primary, "chosen", chosen, BOOL, 8, "0"),
};

static const struct member via_primary_columns[] = {
    COL(via_primary, "tags", tags, TEXT),         COL(via_primary, "prefix", prefix, PREFIX),
    COL(via_primary, "node_id", r.id, U64),       COL(via_primary, "version", r.version, U64),
    COL(via_primary, "since_ns", since_ns, TIME), LATER(via_primary, "chosen", chosen, BOOL, 8, "0"),
};

static const struct member prefix_settings_columns[] = {
    COL(prefix_settings, "prefix", prefix, PREFIX),
    COL(prefix_settings, "version", r.version, U64),
    ENUM(prefix_settings, "failback", rule.failback, FAILBACKS),
    ENUM(prefix_settings, "keep", rule.keep, PREFIX_KEEPS),
    COL(prefix_settings, "hold_down_ns", rule.hold_down_ns, TIME),
    COL(prefix_settings, "failback_delay_ns", rule.failback_delay_ns, TIME),
    COL(prefix_settings, "probe", rule.probe, ADDR),
    ENUM(prefix_settings, "nearest", rule.nearest, PREFIX_NEARESTS),
};

static const struct member server_message_columns[] = {
    COL(server_message, "id", r.id, U64),
    COL(server_message, "version", r.version, U64),
    COL(server_message, "text", text, TEXT),
    COL(server_message, "url", url, TEXT),
    ENUM(server_message, "severity", severity, SEVERITY_HIGH),
    COL(server_message, "updated_ns", updated_ns, TIME),
};

static const struct member dns_settings_columns[] = {
    COL(dns_settings, "id", r.id, U64),
    COL(dns_settings, "version", r.version, U64),
    COL(dns_settings, "set_members", set, U32),
    COL(dns_settings, "magic_dns", values.magic_dns, BOOL),
    COL(dns_settings, "override_local", values.override_local, BOOL),
    COL(dns_settings, "nameservers", values.nameservers, STRS),
    COL(dns_settings, "split", values.split, STRS),
    COL(dns_settings, "search", values.search, STRS),
    COL(dns_settings, "updated_ns", updated_ns, TIME),
};

static const struct member history_columns[] = {
    COL(history, "id", r.id, U64),
    COL(history, "time_ns", time_ns, TIME),
    ENUM(history, "kind", kind, HISTORY_KINDS - 1),
    COL(history, "key", key, TEXT),
    COL(history, "image", image, TEXT),
};

static const struct member pending_columns[] = {
    COL(pending, "auth_id", auth_id, TEXT),
    COL(pending, "ssh", ssh, BOOL),
    COL(pending, "ephemeral", ephemeral, BOOL),
    COL(pending, "machine_key", machine_key, KEY),
    COL(pending, "node_key", node_key, KEY),
    COL(pending, "hostname", hostname, TEXT),
    COL(pending, "os", os, TEXT),
    COL(pending, "client_version", client_version, TEXT),
    COL(pending, "source", source, TEXT),
    COL(pending, "request_tags", request_tags, STRS),
    COL(pending, "routes", routes, PREFIXES),
    COL(pending, "created_ns", created_ns, TIME),
    COL(pending, "expires_ns", expires_ns, TIME),
    COL(pending, "ssh_source_id", ssh_source_id, U64),
    COL(pending, "ssh_target_id", ssh_target_id, U64),
    COL(pending, "ssh_user", ssh_user, TEXT),
    COL(pending, "decided", decided, BOOL),
    COL(pending, "accepted", accepted, BOOL),
    COL(pending, "node_id", node_id, U64),
};

static const struct member ssh_approval_columns[] = {
    COL(ssh_approval, "source_id", r.id, U64),      COL(ssh_approval, "target_id", target_id, U64),
    COL(ssh_approval, "user", user, TEXT),          COL(ssh_approval, "until_ns", until_ns, TIME),
    COL(ssh_approval, "policy_id", policy_id, U64),
};

static const struct member deleted_node_columns[] = {
    COL(deleted_node, "id", r.id, U64),          COL(deleted_node, "node_key", node_key, KEY),
    COL(deleted_node, "ipv4", ipv4, ADDR),       COL(deleted_node, "ipv6", ipv6, ADDR),
    COL(deleted_node, "time_ns", time_ns, TIME),
};

static const struct member admin_call_columns[] = {
    COL(admin_call, "token", token, KEY),
    COL(admin_call, "request", request, KEY),
    COL(admin_call, "time_ns", time_ns, TIME),
    COL(admin_call, "object_id", object_id, U64),
    COL(admin_call, "object_version", object_version, U64),
    COL(admin_call, "events", events, STRS),
    COL(admin_call, "text", text, TEXT),
    COL(admin_call, "inverse", inverse, TEXT),
    COL(admin_call, "secret", secret, TEXT),
    LATER(admin_call, "object", object, TEXT, 7, "''"),
};

static const struct member node_live_columns[] = {
    COL(live_row, "id", id, U64),
    COL(live_row, "last_seen_ns", live.last_seen_ns, TIME),
    COL(live_row, "home_derp", live.home_derp, U32),
    COL(live_row, "endpoints", live, ENDPOINTS),
    COL(live_row, "net_info", live.net_info, TEXT),
};

/* Counters that must outlive what they count: "run", and "next.TABLE" for ids. */
static const struct member counter_columns[] = {
    COL(counter_row, "name", name, TEXT),
    COL(counter_row, "value", value, U64),
};

static const struct store_index user_indexes[] = {
    {.name = "user_name", .on = "name", .column = "provider", .rows = INDEX_TEXT_EMPTY},
    {.name = "user_provider_id", .on = "provider_id", .column = "provider_id", .rows = INDEX_TEXT_SET},
};
static const struct store_index identity_indexes[] = {
    {.name = "identity_subject", .on = "provider,issuer,subject"},
};
static const struct store_index preauth_key_indexes[] = {
    {.name = "preauth_key_prefix", .on = "prefix", .column = "prefix", .rows = INDEX_TEXT_SET},
};
static const struct store_index api_key_indexes[] = {
    {.name = "api_key_prefix", .on = "prefix", .column = "prefix", .rows = INDEX_TEXT_SET},
};
static const struct store_index oauth_client_indexes[] = {
    {.name = "oauth_client_id", .on = "client_id"},
};
static const struct store_index oauth_token_indexes[] = {
    {.name = "oauth_token_prefix", .on = "prefix"},
};
static const struct store_index node_indexes[] = {
    {.name = "node_node_key", .on = "node_key", .column = "node_key", .rows = INDEX_KEY_SET},
    {.name = "node_given_name", .on = "lower(given_name)", .column = "given_name", .rows = INDEX_TEXT_SET},
    {.name = "node_ipv4", .on = "ipv4"},
    {.name = "node_ipv6", .on = "ipv6"},
};

/* For retention, which counts the two kinds of entries separately. */
static const struct store_index event_indexes[] = {
    {.name = "event_by_admin", .on = "by_admin,run,seq", .repeats = true, .since = 3},
};

static const struct store_index history_indexes[] = {
    {.name = "history_object", .on = "kind,key,id", .repeats = true, .since = 5},
    {.name = "history_time", .on = "time_ns", .repeats = true, .since = 5},
};

#define COLUMNS(array) .columns = (array), .count = ARRAY_LEN(array)
#define INDEXES(array) .indexes = (array), .index_count = ARRAY_LEN(array)
#define LOADED(list, length_of)                                                                                        \
    .items = offsetof(struct store_image, list), .length = offsetof(struct store_image, length_of)

const struct store_table store_tables[STORE_TABLES] = {
    [RECORD_USER] = {"user", 1, COLUMNS(user_columns), INDEXES(user_indexes), LOADED(users, user_count), .since = 1},
    [RECORD_PREAUTH_KEY] = {"preauth_key", 1, COLUMNS(preauth_key_columns), INDEXES(preauth_key_indexes),
                            LOADED(preauth_keys, preauth_key_count), .since = 1},
    [RECORD_API_KEY] = {"api_key", 1, COLUMNS(api_key_columns), INDEXES(api_key_indexes),
                        LOADED(api_keys, api_key_count), .since = 1},
    [RECORD_NODE] = {"node", 1, COLUMNS(node_columns), INDEXES(node_indexes), LOADED(nodes, node_count), .since = 1},
    [RECORD_EVENT] = {"event", 2, COLUMNS(event_columns), INDEXES(event_indexes), .since = 1},
    /* Past policy texts are kept (tables/retention.c); the newest is loaded. */
    [RECORD_POLICY] = {"policy", 1, COLUMNS(policy_columns), LOADED(policies, policy_count), .order = "id DESC LIMIT 1",
                       .since = 1},
    [RECORD_PRIMARY] = {"primary_router", 1, COLUMNS(primary_columns), LOADED(primaries, primary_count),
                        .owner = "node", .owner_column = "node_id", .since = 1},
    [RECORD_VIA_PRIMARY] = {"via_router", 2, COLUMNS(via_primary_columns), LOADED(via_primaries, via_primary_count),
                            .owner = "node", .owner_column = "node_id", .since = 4},
    [RECORD_PREFIX_SETTINGS] = {"prefix_settings", 1, COLUMNS(prefix_settings_columns),
                                LOADED(prefix_settings, prefix_settings_count), .since = 5},
    [RECORD_HISTORY] = {"history", 1, COLUMNS(history_columns), INDEXES(history_indexes), .since = 5},
    [RECORD_SERVER_MESSAGE] = {"server_message", 1, COLUMNS(server_message_columns), LOADED(messages, message_count),
                               .since = 5},
    [RECORD_PENDING] = {"pending", 1, COLUMNS(pending_columns), LOADED(pendings, pending_count), .since = 6},
    [RECORD_SSH_APPROVAL] = {"ssh_approval", 3, COLUMNS(ssh_approval_columns),
                             LOADED(ssh_approvals, ssh_approval_count), .owner = "node", .owner_column = "source_id",
                             .since = 6},
    [RECORD_DELETED_NODE] = {"deleted_node", 1, COLUMNS(deleted_node_columns),
                             LOADED(deleted_nodes, deleted_node_count), .order = "time_ns,id", .since = 6},
    [RECORD_ADMIN_CALL] = {"admin_call", 1, COLUMNS(admin_call_columns), LOADED(admin_calls, admin_call_count),
                           .order = "time_ns,token", .since = 6},
    [RECORD_IDENTITY] = {"identity", 1, COLUMNS(identity_columns), INDEXES(identity_indexes),
                         LOADED(identities, identity_count), .since = 7},
    [RECORD_OAUTH_CLIENT] = {"oauth_client", 1, COLUMNS(oauth_client_columns), INDEXES(oauth_client_indexes),
                             LOADED(oauth_clients, oauth_client_count), .since = 7},
    [RECORD_OAUTH_TOKEN] = {"oauth_token", 1, COLUMNS(oauth_token_columns), INDEXES(oauth_token_indexes),
                            LOADED(oauth_tokens, oauth_token_count), .since = 7},
    [RECORD_DNS_SETTINGS] = {"dns_settings", 1, COLUMNS(dns_settings_columns), LOADED(dns_settings, dns_settings_count),
                             .since = 8},
    [RECORD_WEBHOOK] = {"webhook", 1, COLUMNS(webhook_columns), LOADED(webhooks, webhook_count), .since = 8},
    /* Written late: a row must not outlive its node. */
    [TABLE_NODE_LIVE] = {"node_live", 1, COLUMNS(node_live_columns), .owner = "node", .owner_column = "id",
                         .guarded = true, .since = 1},
    [TABLE_COUNTER] = {"counter", 1, COLUMNS(counter_columns), .since = 1},
};

struct members store_members(enum record_kind kind)
{
    return (struct members){store_tables[kind].columns, store_tables[kind].count, 0};
}

bool table_is_numbered(const struct store_table *t)
{
    return t->columns[t->key_count - 1].type == MEMBER_U64;
}

/* ---- statements ---- */

static void add_columns(const struct store_table *t, const struct store_dialect *d, size_t from, size_t to,
                        const char *format, struct buf *out)
{
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_adds(out, ",");
        for (const char *c = format; *c; c++) /* '$' is the name, '#' the parameter */
            if (*c == '$')
                buf_addf(out, "\"%s\"", t->columns[i].name);
            else if (*c == '#')
                buf_addf(out, "%c%zu", d->parameter, i + 1);
            else
                buf_addc(out, *c);
    }
}

static void put_statement(const struct store_table *t, const struct store_dialect *d, struct buf *out)
{
    buf_addf(out, "INSERT INTO \"%s\"(", t->name);
    add_columns(t, d, 0, t->count, "$", out);
    buf_adds(out, t->guarded ? ") SELECT " : ") VALUES(");
    add_columns(t, d, 0, t->count, "#", out);
    if (t->guarded)
        buf_addf(out, " WHERE EXISTS(SELECT 1 FROM \"%s\" WHERE id=%c1)", t->owner, d->parameter);
    else
        buf_adds(out, ")");
    buf_adds(out, " ON CONFLICT(");
    add_columns(t, d, 0, t->key_count, "$", out);
    buf_adds(out, ") DO UPDATE SET ");
    add_columns(t, d, t->key_count, t->count, "$=excluded.$", out);
}

void table_statement(const struct store_table *t, const struct store_dialect *d, enum store_statement what,
                     struct buf *out)
{
    switch (what) {
    case STATEMENT_PUT:
        put_statement(t, d, out);
        break;
    case STATEMENT_DELETE:
        buf_addf(out, "DELETE FROM \"%s\" WHERE (", t->name);
        add_columns(t, d, 0, t->key_count, "$", out);
        buf_adds(out, ")=(");
        add_columns(t, d, 0, t->key_count, "#", out);
        buf_adds(out, ")");
        break;
    case STATEMENT_SELECT:
        buf_adds(out, "SELECT ");
        add_columns(t, d, 0, t->count, "$", out);
        buf_addf(out, " FROM \"%s\"", t->name);
        break;
    }
}

void table_disown_statement(const struct store_table *t, const struct store_dialect *d, struct buf *out)
{
    buf_addf(out, "DELETE FROM \"%s\" WHERE \"%s\"=%c1", t->name, t->owner_column, d->parameter);
}

/* ---- the schema ---- */

unsigned column_since(const struct store_table *t, const struct member *c)
{
    return c->since ? c->since : t->since;
}

const struct member *schema_column(unsigned version, size_t number, const struct store_table **table)
{
    for (const struct store_table *t = store_tables; t < store_tables + STORE_TABLES; t++)
        for (size_t i = 0; i < t->count; i++)
            if (column_since(t, &t->columns[i]) <= version && number-- == 0) {
                *table = t;
                return &t->columns[i];
            }
    return NULL;
}

static void add_definition(const struct store_table *t, const struct store_dialect *d, const struct member *c,
                           struct buf *out)
{
    buf_addf(out, "\"%s\" %s", c->name, d->types[c->type]);
    if (t->key_count == 1 && c == t->columns) {
        buf_adds(out, " PRIMARY KEY");
        return;
    }
    if (c->type != MEMBER_ADDR)
        buf_adds(out, " NOT NULL");
    if (c->initial)
        buf_addf(out, " DEFAULT %s", c->type == MEMBER_BOOL ? d->truth[str_eq(c->initial, "1")] : c->initial);
}

static void create_table(const struct store_table *t, const struct store_dialect *d, struct buf *out)
{
    enum member_type key = t->columns[0].type;

    buf_addf(out, "CREATE TABLE \"%s\"(", t->name);
    for (size_t i = 0; i < t->count; i++) {
        if (column_since(t, &t->columns[i]) > t->since)
            continue;
        buf_adds(out, i ? ", " : "");
        add_definition(t, d, &t->columns[i], out);
    }
    if (t->key_count > 1) {
        buf_adds(out, ", PRIMARY KEY(");
        add_columns(t, d, 0, t->key_count, "$", out);
        buf_adds(out, ")");
    }
    buf_addf(out, ")%s%s;\n", d->table_end, key == MEMBER_TEXT || key == MEMBER_PREFIX ? d->keyed_by_text : "");
}

static void create_index(const struct store_table *t, const struct store_dialect *d, const struct store_index *i,
                         struct buf *out)
{
    buf_addf(out, "CREATE %sINDEX \"%s\" ON \"%s\"(%s)", i->repeats ? "" : "UNIQUE ", i->name, t->name, i->on);
    switch (i->rows) {
    case INDEX_ALL:
        break;
    case INDEX_TEXT_EMPTY:
        buf_addf(out, " WHERE \"%s\" = ''", i->column);
        break;
    case INDEX_TEXT_SET:
        buf_addf(out, " WHERE \"%s\" <> ''", i->column);
        break;
    case INDEX_KEY_SET:
        buf_addf(out, " WHERE \"%s\" <> %s", i->column, d->zero_key);
        break;
    }
    buf_adds(out, ";\n");
}

static unsigned index_since(const struct store_table *t, const struct store_index *i)
{
    return i->since ? i->since : t->since;
}

unsigned schema_newest(void)
{
    unsigned newest = 1;

    for (const struct store_table *t = store_tables; t < store_tables + STORE_TABLES; t++) {
        for (size_t i = 0; i < t->count; i++)
            if (column_since(t, &t->columns[i]) > newest)
                newest = column_since(t, &t->columns[i]);
        for (size_t i = 0; i < t->index_count; i++)
            if (index_since(t, &t->indexes[i]) > newest)
                newest = index_since(t, &t->indexes[i]);
    }
    return newest;
}

static void add_version(const struct store_table *t, const struct store_dialect *d, unsigned version, struct buf *out)
{
    if (t->since == version)
        create_table(t, d, out);
    for (size_t i = 0; i < t->count; i++) {
        if (column_since(t, &t->columns[i]) != version || t->since == version)
            continue;
        buf_addf(out, "ALTER TABLE \"%s\" ADD COLUMN ", t->name);
        add_definition(t, d, &t->columns[i], out);
        buf_adds(out, ";\n");
    }
    for (size_t i = 0; i < t->index_count; i++)
        if (index_since(t, &t->indexes[i]) == version)
            create_index(t, d, &t->indexes[i], out);
}

void schema_statements(const struct store_dialect *d, unsigned version, struct buf *out)
{
    for (size_t i = 0; i < STORE_TABLES; i++)
        add_version(&store_tables[i], d, version, out);
}
