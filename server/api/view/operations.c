/* SPDX-License-Identifier: BSD-3-Clause */
/* Translates operations of the core with their fields to calls of /api/headway: method, path and body. The journal
 * keeps operations; journals of versions before 1.1 keep calls, which are translated back by the same table. */
#include "api/view/operations.h"
#include "base/array.h"
#include "http/http.h"
#include "net/url.h"

#define ROOT "/api/headway"

static const struct {
    enum admin_op op;
    const char *method, *path; /* a field in braces goes into the path, the others into the body */
} calls[] = {
    {ADMIN_USER_DELETE, "DELETE", "/users/{id}"},
    {ADMIN_USER_RENAME, "POST", "/users/{id}/rename"},
    {ADMIN_USER_ROLE, "POST", "/users/{id}/role"},
    {ADMIN_USER_SUSPEND, "POST", "/users/{id}/suspended"},
    {ADMIN_USER_LINK, "POST", "/users/{id}/link"},
    {ADMIN_PREAUTHKEY_DELETE, "DELETE", "/preauthkeys/{id}"},
    {ADMIN_APIKEY_DELETE, "DELETE", "/apikeys/{id}"},
    {ADMIN_OAUTH_CLIENT_SET, "PUT", "/oauth-clients/{id}"},
    {ADMIN_OAUTH_CLIENT_DELETE, "DELETE", "/oauth-clients/{id}"},
    {ADMIN_WEBHOOK_SET, "PUT", "/webhooks/{id}"},
    {ADMIN_WEBHOOK_DELETE, "DELETE", "/webhooks/{id}"},
    {ADMIN_NODE_RENAME, "POST", "/nodes/{id}/rename"},
    {ADMIN_NODE_TAGS, "POST", "/nodes/{id}/tags"},
    {ADMIN_NODE_EXPIRE, "POST", "/nodes/{id}/expire"},
    {ADMIN_ROUTES_EDIT, "POST", "/nodes/{id}/routes"},
    {ADMIN_ROUTES_MANY, "POST", "/routes"},
    {ADMIN_NODE_DRAIN, "POST", "/nodes/{id}/drain"},
    {ADMIN_PRIMARY, "POST", "/prefixes/{prefix}/primary"},
    {ADMIN_NODE_AUTHORIZE, "POST", "/nodes/{id}/authorized"},
    {ADMIN_NODE_PRIORITY, "POST", "/nodes/{id}/priority"},
    {ADMIN_PREFIX_SET, "POST", "/prefixes/{prefix}"},
    {ADMIN_POLICY_SET, "PUT", "/policy"},
    {ADMIN_SERVER_MESSAGE, "PUT", "/message"},
    {ADMIN_DNS_SET, "POST", "/dns"},
};
#define CALL_COUNT (ARRAY_LEN(calls))

static void put_segment(struct buf *out, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~:", c))
            buf_addc(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned char)c);
    }
}

/* Moves the fields that the path names out of the object. */
static void put_path(struct buf *out, const char *pattern, json_t *fields)
{
    char name[16];

    buf_adds(out, ROOT);
    while (*pattern) {
        size_t plain = strcspn(pattern, "{");
        buf_add(out, pattern, plain);
        pattern += plain;
        if (!*pattern)
            break;
        size_t len = strcspn(pattern + 1, "}");
        snprintf(name, sizeof(name), "%.*s", (int)len, pattern + 1);
        put_segment(out, json_text(fields, name, ""));
        json_object_del(fields, name);
        pattern += len + 2;
    }
}

static void write_call(struct buf *out, size_t call, json_t *fields)
{
    struct json_out o = JSON_OUT(out);
    struct buf path = BUF_INIT(0);

    put_path(&path, calls[call].path, fields);
    json_object_del(fields, "operation");
    json_object_del(fields, "events");
    json_open(&o, '{');
    json_put_str(&o, "method", calls[call].method);
    json_put_str(&o, "path", buf_text(&path));
    json_key(&o, "body");
    if (json_object_size(fields)) {
        char *body = json_compact(fields);
        json_raw(&o, body, strlen(body));
        free(body);
    } else {
        json_nil(&o);
    }
    json_close(&o, '}');
    buf_release(&path);
}

static int read_stored(const char *stored, json_t **out, struct err *e)
{
    int code = json_read(stored, strlen(stored), STORED_MAX, "the journal's entry", out, e);

    if (code == 0 && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        code = err_set(e, ERR_INTERNAL, "the journal's entry is no object");
    }
    return code;
}

bool operation_as_call(const char *stored, struct buf *out)
{
    json_t *fields = NULL;
    bool written = false;

    if (!*stored || read_stored(stored, &fields, NULL) < 0)
        return false;
    if (json_object_get(fields, "method")) {
        buf_adds(out, stored);
        written = true;
    }
    const char *name = json_text(fields, "operation", "");
    for (size_t i = 0; i < CALL_COUNT && !written; i++)
        if (str_eq(core_operation_name(calls[i].op), name)) {
            write_call(out, i, fields);
            written = true;
        }
    json_decref(fields);
    return written;
}

/* The value of the field in braces if path matches pattern; "" if the pattern has no field. */
static const char *match(struct arena *arena, const char *pattern, const char *path, char name[16])
{
    size_t before = strcspn(pattern, "{");

    name[0] = '\0';
    if (!str_starts(path, ROOT))
        return NULL;
    path += strlen(ROOT);
    if (!pattern[before])
        return str_eq(path, pattern) ? "" : NULL;
    if (strncmp(path, pattern, before) != 0)
        return NULL;
    size_t len = strcspn(pattern + before, "}"), value = strcspn(path + before, "/");
    if (!str_eq(path + before + value, pattern + before + len + 1))
        return NULL;
    snprintf(name, 16, "%.*s", (int)len - 1, pattern + before + 1);
    return url_unescape(arena, path + before, value, false);
}

/* {"method","path","body"} of an older journal as operation and fields; NULL: no operation corresponds to the call. */
static json_t *operation_of_call(struct arena *arena, const json_t *call)
{
    const char *method = json_text(call, "method", ""), *path = json_text(call, "path", "");
    const json_t *body = json_object_get(call, "body");
    char name[16];

    for (size_t i = 0; i < CALL_COUNT; i++) {
        const char *value = str_eq(calls[i].method, method) ? match(arena, calls[i].path, path, name) : NULL;
        if (!value)
            continue;
        json_t *fields = json_is_object(body) ? json_deep_copy(body) : json_object();
        json_object_set_new(fields, "operation", json_string(core_operation_name(calls[i].op)));
        if (*name)
            json_object_set_new(fields, name, json_string(value));
        return fields;
    }
    return NULL;
}

int operation_read(struct arena *arena, const char *stored, json_t **fields, struct core_admin *out, struct err *e)
{
    int code = read_stored(stored, fields, e);

    if (code < 0)
        return code;
    if (json_object_get(*fields, "method")) {
        json_t *operation = operation_of_call(arena, *fields);
        json_decref(*fields);
        *fields = operation;
    }
    if (!*fields)
        return err_set(e, ERR_INTERNAL, "the journal's entry holds no call that can be undone");
    return core_operation_read(*fields, out, e);
}
