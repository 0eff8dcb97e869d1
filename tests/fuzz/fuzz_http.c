/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stranger sends to the API: "METHOD TARGET\nBODY" is routed, its query and body are read, and each argument
 * that the route takes is asked for in every kind. */
#include <stdlib.h>

#include "api/pages/html.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/resources/tables.h"
#include "http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_table *const tables[] = {
    &users_table,  &preauthkeys_table, &apikeys_table, &nodes_table,  &routes_table,   &pending_table,
    &policy_table, &explain_table,     &journal_table, &server_table, &snapshot_table, &docs_table,
    &pages_table,  &devices_table,     &metrics_table, &debug_table,
};

static void ask_everything(struct rest_request *r, const char *name)
{
    struct strs texts = {0};
    struct prefixes prefixes = {0};
    const struct user *user = NULL;
    const char *text = NULL;
    uint64_t id;
    int64_t when;
    bool flag, given;

    (void)(arg_text(r, name, &text) + arg_bool(r, name, &flag) + arg_id(r, name, &id) + arg_time(r, name, &when) +
           arg_texts(r, name, &texts, &given) + arg_prefixes(r, name, &prefixes, &given) + arg_user(r, name, &user));
    strs_release(&texts);
    prefixes_release(&prefixes);
}

static void ask_members(struct rest_request *r, const char *members)
{
    while (members && *members) {
        char *name = mem_strndup(members, strcspn(members, ": "));
        ask_everything(r, name);
        free(name);
        members += strcspn(members, " ");
        members += strspn(members, " ");
    }
}

static void answer_error(const struct rest_request *r)
{
    struct buf b = BUF_INIT(0);

    for (int dialect = DIALECT_TEXT; dialect <= DIALECT_HEADWAY; dialect++)
        error_write(&b, (enum dialect)dialect, 400, &r->err, NULL, NULL);
    html_escape(&b, r->err.message);
    buf_release(&b);
}

static void serve(const char *method, char *target, const char *body, size_t len, enum http_listener listener)
{
    static const struct tailnet_snapshot empty;
    struct http http = {.with = {.tables = tables, .table_count = ARRAY_LEN(tables)}};
    struct rest_request r = {.s = &empty,
                             .http = {.http = &http, .listener = listener, .arena = ARENA_INIT(HTTP_BODY_MAX)}};
    char *query = strchr(target, '?');

    if (query)
        *query++ = '\0';
    http_find(&r.http, method, target);
    if (http_query(&r.http.arena, query ? query : "", r.query, &r.query_count, &r.err) < 0)
        answer_error(&r);
    if (r.http.route) {
        r.endpoint = (const struct api_endpoint *)r.http.route;
        if (json_read(body, len, HTTP_BODY_MAX, "the body", &r.json, &r.err) < 0 || !json_is_object(r.json)) {
            json_decref(r.json);
            r.json = NULL;
        }
        if (args_known(&r, r.endpoint->body) < 0)
            answer_error(&r);
        ask_members(&r, r.endpoint->body);
        ask_members(&r, r.endpoint->query);
        answer_error(&r);
    }
    json_decref(r.json);
    arena_release(&r.http.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    size_t len = strlen(text), line = strcspn(text, "\n"), blank = strcspn(text, " ");

    if (blank < line) {
        const char *body = line < len ? text + line + 1 : "";
        text[line] = '\0';
        text[blank] = '\0';
        for (unsigned listener = 1; listener <= HTTP_METRICS; listener <<= 1) {
            char *target = mem_strdup(text + blank + 1);
            serve(text, target, body, strlen(body), (enum http_listener)listener);
            free(target);
        }
    }
    free(text);
    return 0;
}
