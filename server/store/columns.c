/* SPDX-License-Identifier: BSD-3-Clause */
/* How records lie in tables. Each table is described once; statements, writing and reading follow from that. */

#include "base/array.h"
#include "base/mem.h"
#include "store/private.h"
#include "json/json.h"

#define COL(t, name, member, type)                                                                                     \
    {                                                                                                                  \
        name, COLUMN_##type, offsetof(struct t, member), 0                                                             \
    }
#define LISTS_MAX (1024u * 1024u) /* bytes of one JSON list */

static const struct column user_columns[] = {
    COL(user, "id", r.id, U64),
    COL(user, "version", r.version, U64),
    COL(user, "name", name, TEXT),
    COL(user, "display_name", display_name, TEXT),
    COL(user, "email", email, TEXT),
    COL(user, "provider_id", provider_id, TEXT),
    COL(user, "provider", provider, TEXT),
    COL(user, "picture_url", picture_url, TEXT),
    {"role", COLUMN_ENUM, offsetof(struct user, role), ROLE_OWNER},
    COL(user, "created_ns", created_ns, TIME),
};

static const struct column preauth_key_columns[] = {
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
};

static const struct column api_key_columns[] = {
    COL(api_key, "id", r.id, U64),
    COL(api_key, "version", r.version, U64),
    COL(api_key, "prefix", prefix, TEXT),
    COL(api_key, "secret_hash", secret_hash, TEXT),
    COL(api_key, "description", description, TEXT),
    COL(api_key, "read_only", read_only, BOOL),
    COL(api_key, "expiration_ns", expiration_ns, TIME),
    COL(api_key, "created_ns", created_ns, TIME),
    COL(api_key, "last_seen_ns", last_seen_ns, TIME),
};

static const struct column node_columns[] = {
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
    {"method", COLUMN_ENUM, offsetof(struct node, method), REGISTER_OIDC},
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
    COL(node, "approved_by", approved_by, STRS),
    COL(node, "draining", draining, BOOL),
};

static const struct column event_columns[] = {
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
};

static const struct column policy_columns[] = {
    COL(policy_text, "id", r.id, U64),
    COL(policy_text, "version", r.version, U64),
    COL(policy_text, "text", text, TEXT),
    COL(policy_text, "updated_ns", updated_ns, TIME),
};

static const struct column primary_columns[] = {
    COL(primary, "prefix", prefix, PREFIX),
    COL(primary, "node_id", r.id, U64),
    COL(primary, "version", r.version, U64),
    COL(primary, "since_ns", since_ns, TIME),
};

const struct table store_tables[STORE_KINDS] = {
    [RECORD_USER] = {"user", 1, user_columns, ARRAY_LEN(user_columns)},
    [RECORD_PREAUTH_KEY] = {"preauth_key", 1, preauth_key_columns, ARRAY_LEN(preauth_key_columns)},
    [RECORD_API_KEY] = {"api_key", 1, api_key_columns, ARRAY_LEN(api_key_columns)},
    [RECORD_NODE] = {"node", 1, node_columns, ARRAY_LEN(node_columns)},
    [RECORD_EVENT] = {"event", 2, event_columns, ARRAY_LEN(event_columns)},
    [RECORD_POLICY] = {"policy", 1, policy_columns, ARRAY_LEN(policy_columns)},
    [RECORD_PRIMARY] = {"primary_router", 1, primary_columns, ARRAY_LEN(primary_columns)},
};

static void add_columns(const struct table *t, size_t from, size_t to, const char *format, struct buf *out)
{
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_adds(out, ",");
        for (const char *c = format; *c; c++) /* '$' is the name, '#' the number */
            if (*c == '$')
                buf_adds(out, t->columns[i].name);
            else if (*c == '#')
                buf_addf(out, "?%zu", i + 1);
            else
                buf_addc(out, *c);
    }
}

void table_sql(const struct table *t, enum table_sql what, struct buf *out)
{
    switch (what) {
    case TABLE_PUT:
        buf_addf(out, "INSERT INTO %s(", t->name);
        add_columns(t, 0, t->count, "$", out);
        buf_adds(out, ") VALUES(");
        add_columns(t, 0, t->count, "#", out);
        buf_adds(out, ") ON CONFLICT(");
        add_columns(t, 0, t->key_count, "$", out);
        buf_adds(out, ") DO UPDATE SET ");
        add_columns(t, t->key_count, t->count, "$=excluded.$", out);
        break;
    case TABLE_DELETE:
        buf_addf(out, "DELETE FROM %s WHERE (", t->name);
        add_columns(t, 0, t->key_count, "$", out);
        buf_adds(out, ")=(");
        add_columns(t, 0, t->key_count, "#", out);
        buf_adds(out, ")");
        break;
    case TABLE_SELECT:
        buf_adds(out, "SELECT ");
        add_columns(t, 0, t->count, "$", out);
        buf_addf(out, " FROM %s", t->name);
        break;
    }
}

/* ---- writing ---- */

static void strs_json(const struct strs *list, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '[');
    for (size_t i = 0; i < list->len; i++)
        json_str(&o, list->items[i]);
    json_close(&o, ']');
}

static void prefixes_json(const struct prefixes *list, struct buf *out)
{
    struct json_out o = JSON_OUT(out);
    char text[PREFIX_TEXT_MAX];

    json_open(&o, '[');
    for (size_t i = 0; i < list->len; i++)
        json_str(&o, prefix_format(&list->items[i], text));
    json_close(&o, ']');
}

void endpoints_format(const struct node_live *live, struct buf *json)
{
    struct json_out o = JSON_OUT(json);
    char text[ADDR_PORT_TEXT_MAX];

    json_open(&o, '[');
    for (size_t i = 0; i < live->endpoint_count; i++)
        json_str(&o, addr_port_format(&live->endpoints[i], text));
    json_close(&o, ']');
}

static int bind_buf(sqlite3_stmt *stmt, int at, struct buf *b)
{
    size_t len = b->len;

    return sqlite3_bind_text64(stmt, at, buf_take(b), len, free, SQLITE_UTF8);
}

static int bind_u64(sqlite3_stmt *stmt, int at, uint64_t value)
{
    return value > INT64_MAX ? SQLITE_RANGE : sqlite3_bind_int64(stmt, at, (int64_t)value);
}

static int bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    size_t len = strlen(text);

    /* What cannot be read again must not get in: the next start would fail on it. */
    return str_utf8(text, len) ? sqlite3_bind_text64(stmt, at, text, len, SQLITE_STATIC, SQLITE_UTF8) : SQLITE_MISMATCH;
}

static int bind_column(const struct column *c, sqlite3_stmt *stmt, int at, const void *record)
{
    const void *value = (const char *)record + c->at;
    struct buf b = BUF_INIT(LISTS_MAX);
    char text[PREFIX_TEXT_MAX];
    unsigned number;

    switch (c->type) {
    case COLUMN_U64:
        return bind_u64(stmt, at, *(const uint64_t *)value);
    case COLUMN_TIME:
        return sqlite3_bind_int64(stmt, at, *(const int64_t *)value);
    case COLUMN_U32:
        return sqlite3_bind_int64(stmt, at, *(const uint32_t *)value);
    case COLUMN_BOOL:
        return sqlite3_bind_int(stmt, at, *(const bool *)value);
    case COLUMN_ENUM:
        memcpy(&number, value, sizeof(number));
        return number > c->max ? SQLITE_RANGE : sqlite3_bind_int64(stmt, at, number);
    case COLUMN_TEXT:
        return bind_text(stmt, at, *(char *const *)value);
    case COLUMN_KEY:
        return sqlite3_bind_blob(stmt, at, value, KEY_LEN, SQLITE_STATIC);
    case COLUMN_ADDR:
        if (((const struct addr *)value)->bits == 0)
            return sqlite3_bind_null(stmt, at);
        return sqlite3_bind_text(stmt, at, addr_format(value, text), -1, SQLITE_TRANSIENT);
    case COLUMN_PREFIX:
        return sqlite3_bind_text(stmt, at, prefix_format(value, text), -1, SQLITE_TRANSIENT);
    case COLUMN_STRS:
        strs_json(value, &b);
        break;
    case COLUMN_PREFIXES:
        prefixes_json(value, &b);
        break;
    }
    if (!b.failed)
        return bind_buf(stmt, at, &b);
    buf_release(&b);
    return SQLITE_TOOBIG;
}

int table_bind(const struct table *t, sqlite3_stmt *stmt, const void *record, bool key_only, struct err *e)
{
    size_t count = key_only ? t->key_count : t->count;

    for (size_t i = 0; i < count; i++) {
        int rc = bind_column(&t->columns[i], stmt, (int)i + 1, record);
        if (rc != SQLITE_OK) {
            sqlite3_clear_bindings(stmt);
            return err_field(e, ERR_INTERNAL, t->columns[i].name, "%s %llu: %s cannot be stored: %s", t->name,
                             (unsigned long long)((const struct record *)record)->id, t->columns[i].name,
                             sqlite3_errstr(rc));
        }
    }
    return 0;
}

/* ---- reading ---- */

static int each_text(const char *json, int (*add)(void *to, const char *text), void *to)
{
    json_t *list = NULL, *item;
    size_t i;
    int code = json_read(json, strlen(json), LISTS_MAX, "list", &list, NULL);

    if (code == 0 && !json_is_array(list))
        code = ERR_INVALID;
    if (code == 0)
        json_array_foreach(list, i, item)
        {
            code = json_is_string(item) ? add(to, json_string_value(item)) : ERR_INVALID;
            if (code < 0)
                break;
        }
    json_decref(list);
    return code;
}

static int add_str(void *to, const char *text)
{
    strs_push(to, text);
    return 0;
}

static int add_prefix(void *to, const char *text)
{
    struct prefix p;
    int code = prefix_parse(text, &p, NULL, NULL);

    if (code == 0)
        prefixes_add(to, &p);
    return code;
}

static int add_endpoint(void *to, const char *text)
{
    struct node_live *live = to;
    struct addr_port ap;
    int code = addr_port_parse(text, &ap, NULL);

    if (code < 0)
        return code;
    live->endpoints = mem_resize(live->endpoints, live->endpoint_count + 1, sizeof(ap));
    live->endpoints[live->endpoint_count++] = ap;
    return 0;
}

int endpoints_parse(const char *json, struct node_live *live, struct err *e)
{
    if (each_text(json, add_endpoint, live) < 0)
        return err_set(e, ERR_IO, "endpoints '%.60s' is no list of addresses with ports", json);
    return 0;
}

/* The text of a column without a NUL inside, or NULL. */
static const char *column_text(sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    size_t len = (size_t)sqlite3_column_bytes(stmt, at);

    return text && strlen(text) == len && str_utf8(text, len) ? text : NULL;
}

/* Both return what a right value would be, or NULL when it is right. */
static const char *read_number(const struct column *c, sqlite3_stmt *stmt, int at, void *value)
{
    int64_t number = sqlite3_column_int64(stmt, at);

    if (sqlite3_column_type(stmt, at) != SQLITE_INTEGER)
        return "a number";
    if (c->type == COLUMN_TIME) {
        *(int64_t *)value = number;
        return NULL;
    }
    if (number < 0)
        return "a number of at least 0";
    if (c->type == COLUMN_U64) {
        *(uint64_t *)value = (uint64_t)number;
    } else if (c->type == COLUMN_BOOL) {
        if (number > 1)
            return "0 or 1";
        *(bool *)value = number == 1;
    } else {
        uint32_t small = (uint32_t)number;
        if (number > (c->type == COLUMN_ENUM ? (int64_t)c->max : (int64_t)UINT32_MAX))
            return "a number in the range that this version knows";
        memcpy(value, &small, sizeof(small));
    }
    return NULL;
}

static const char *read_words(const struct column *c, sqlite3_stmt *stmt, int at, void *value)
{
    const char *text = column_text(stmt, at);

    if (c->type == COLUMN_ADDR && sqlite3_column_type(stmt, at) == SQLITE_NULL)
        return NULL;
    if (!text)
        return "UTF-8 text";
    switch (c->type) {
    case COLUMN_TEXT:
        mem_replace(value, text);
        return NULL;
    case COLUMN_ADDR:
        return addr_parse(text, value, NULL) < 0 ? "an address" : NULL;
    case COLUMN_PREFIX:
        return prefix_parse(text, value, NULL, NULL) < 0 ? "a prefix" : NULL;
    case COLUMN_STRS:
        return each_text(text, add_str, value) < 0 ? "a list of texts" : NULL;
    default:
        return each_text(text, add_prefix, value) < 0 ? "a list of prefixes" : NULL;
    }
}

static const char *read_column(const struct column *c, sqlite3_stmt *stmt, int at, void *value)
{
    if (c->type <= COLUMN_ENUM)
        return read_number(c, stmt, at, value);
    if (c->type != COLUMN_KEY)
        return read_words(c, stmt, at, value);
    if (sqlite3_column_type(stmt, at) != SQLITE_BLOB || sqlite3_column_bytes(stmt, at) != KEY_LEN)
        return "a key of 32 bytes";
    memcpy(value, sqlite3_column_blob(stmt, at), KEY_LEN);
    return NULL;
}

int table_read(const struct table *t, sqlite3_stmt *stmt, void *record, struct err *e)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        const char *wanted = read_column(c, stmt, (int)i, (char *)record + c->at);
        const char *key, *value;

        if (!wanted)
            continue;
        key = (const char *)sqlite3_column_text(stmt, 0);
        value = (const char *)sqlite3_column_text(stmt, (int)i);
        return err_field(e, ERR_IO, c->name, "table %s, row %.40s: column %s holds '%.60s', which is not %s", t->name,
                         key ? key : "NULL", c->name, value ? value : "NULL", wanted);
    }
    return 0;
}
