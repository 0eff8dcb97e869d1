/* SPDX-License-Identifier: BSD-3-Clause */
/* Earlier policies: lists them, shows one, and makes one the policy again. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"

#define VERSIONS_DEFAULT 50
#define VERSIONS_MAX     500

struct version_page {
    uint64_t version, before, limit;
};

static void release(struct policy_text **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_unref(list[i]);
    free(list);
}

static void write_versions(struct rest_request *r, struct policy_text *const *list, size_t count, uint64_t limit)
{
    struct arena a = ARENA_INIT(0);
    struct json_out o = reply_json(r);
    struct api_policy_versions page = {.next = count == limit && count ? list[count - 1]->r.version : 0};

    page.versions.items = arena_alloc(&a, (count + 1) * sizeof(struct api_policy_version));
    for (size_t i = 0; i < count; i++)
        *api_at(&page.versions, struct api_policy_version, page.versions.len++) = (struct api_policy_version){
            .version = list[i]->r.version,
            .updated_ns = list[i]->updated_ns,
            .author = list[i]->author,
            .note = list[i]->note,
            .current = r->s->policy && r->s->policy->r.version == list[i]->r.version,
        };
    api_write(&o, &api_policy_versions_shape, &page, API_HEADWAY);
    arena_release(&a);
}

static enum http_flow read_versions(struct rest_request *r)
{
    const struct version_page *page = r->state;
    struct policy_text **list;
    size_t count;

    if (store_policies(r->api->with.store, 0, page->before, page->limit, &list, &count, &r->err) < 0)
        return reply_error(r, &r->err);
    write_versions(r, list, count, page->limit);
    release(list, count);
    return HTTP_DONE;
}

static enum http_flow versions_list(struct rest_request *r)
{
    struct version_page *page = arena_alloc(&r->http.arena, sizeof(*page));
    const char *limit = arg_query(r, "limit"), *before = arg_query(r, "before");

    *page = (struct version_page){.before = INT64_MAX, .limit = VERSIONS_DEFAULT};
    if ((limit && str_u64(limit, 1, VERSIONS_MAX, &page->limit, "limit", &r->err) < 0) ||
        (before && *before && str_u64(before, 1, INT64_MAX, &page->before, "before", &r->err) < 0))
        return reply_error(r, &r->err);
    r->state = page;
    return request_later(r, HTTP_DISK, read_versions);
}

/* The record, which the caller owns; NULL: the request is answered. */
static struct policy_text *read_version(struct rest_request *r)
{
    const struct version_page *page = r->state;
    struct policy_text **list, *found = NULL;
    size_t count;

    if (store_policies(r->api->with.store, page->version, 0, 1, &list, &count, &r->err) < 0)
        reply_error(r, &r->err);
    else if (!count)
        reply_code(r, ERR_MISSING, "version %llu of the policy is not kept", (unsigned long long)page->version);
    else
        found = record_ref(list[0]);
    release(list, count);
    return found;
}

static enum http_flow show_version(struct rest_request *r)
{
    struct policy_text *p = read_version(r);

    if (p) {
        struct json_out o = reply_json(r);
        struct api_policy policy = {
            .text = p->text, .updated_ns = p->updated_ns, .version = p->r.version, .mode = "database"};
        api_write(&o, &api_policy_shape, &policy, API_HEADWAY);
        record_unref(p);
    }
    return HTTP_DONE;
}

/* Like saving the text: it is checked against the current tailnet. */
static enum http_flow restore_version(struct rest_request *r)
{
    struct policy_text *p = read_version(r);

    if (!p)
        return HTTP_DONE;
    r->admin.text = arena_strdup(&r->http.arena, p->text);
    record_unref(p);
    r->admin.op = ADMIN_POLICY_SET;
    return policy_change(r);
}

static enum http_flow later(struct rest_request *r, const char *text, api_handler *then)
{
    struct version_page *page = arena_alloc(&r->http.arena, sizeof(*page));

    *page = (struct version_page){0};
    if (str_u64(text, 1, INT64_MAX, &page->version, "version", &r->err) < 0)
        return reply_error(r, &r->err);
    r->state = page;
    return request_later(r, HTTP_DISK, then);
}

static enum http_flow version_get(struct rest_request *r)
{
    return later(r, r->http.params[0], show_version);
}

static enum http_flow version_restore(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    bool file = config_policy_is_file(c);

    config_unref(c);
    if (file && !r->dry_run)
        return reply_code(r, ERR_INVALID, "update is disabled for modes other than 'database'");
    if (arg_text(r, "note", &r->admin.note) < 0)
        return reply_error(r, &r->err);
    return later(r, r->http.params[0], restore_version);
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/policy/versions"), .run = versions_list, .need = NEED_READ, .scope = SCOPE_POLICY_FILE,
     .query = "before:number limit:number", .answer = "PolicyVersions",
     .help = "The texts that were the policy, newest first; next is where to go on"},
    {HEADWAY("GET", "/policy/versions/{version}"), .run = version_get, .need = NEED_READ, .scope = SCOPE_POLICY_FILE,
     .answer = "Policy", .help = "The text that was the policy in that version"},
    {HEADWAY("POST", "/policy/versions/{version}/restore"), .run = version_restore, .need = NEED_ADMIN,
     .scope = SCOPE_POLICY_FILE, .body = "note:text", .query = "dry_run:bool",
     .answer = "Change result:object findings:object[]", .help = "Makes the text of that version the policy again"},
};
const struct http_table policy_versions_table = API_TABLE(rows);
