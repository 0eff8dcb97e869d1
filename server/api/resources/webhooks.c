/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks: receivers of events by POST. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "api/view/tailscale_objects.h"
#include "crypto/crypto.h"
#include "tailscale/tailscale.h"

static const struct webhook *named_webhook(struct rest_request *r)
{
    uint64_t id;
    const struct webhook *w = param_id(r, 0, &id) < 0 ? NULL : snapshot_webhook(r->s, id);

    if (w && !w->deleted_ns)
        return w;
    err_field(&r->err, ERR_MISSING, "id", "webhook not found");
    return NULL;
}

/* ---- as the API v2 answers ---- */

static enum http_flow v2_list(struct rest_request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_key(&o, "webhooks");
    json_open(&o, '[');
    for (size_t i = 0; i < r->s->webhook_count; i++)
        if (!r->s->webhooks[i]->deleted_ns)
            write_v2_webhook(&o, r->s->webhooks[i], NULL);
    json_close(&o, ']');
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow v2_get(struct rest_request *r)
{
    const struct webhook *w = named_webhook(r);

    if (!w)
        return reply_error(r, &r->err);
    struct json_out o = reply_json(r);
    write_v2_webhook(&o, w, NULL);
    return HTTP_DONE;
}

static enum http_flow v2_done(struct rest_request *r)
{
    const struct core_admin *a = &r->admin;

    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    if (!r->endpoint->answer)
        return reply_object(r);
    char *secret = change_secret(r);
    struct json_out o = reply_json(r);
    write_v2_webhook(&o, a->record, secret);
    if (secret)
        crypto_wipe(secret, strlen(secret));
    free(secret);
    return HTTP_DONE;
}

/* ---- changes ---- */

static enum http_flow run(struct rest_request *r, enum admin_op op)
{
    r->admin.op = op;
    return request_admin(r, r->endpoint->dialect == DIALECT_V2 ? v2_done : change_done);
}

/* The form of a new secret that the core keeps. */
static void make_secret(struct rest_request *r)
{
    char *sealed = webhooks_new_secret(r->api->webhooks);

    r->admin.text = arena_strdup(&r->http.arena, sealed);
    free(sealed);
}

static enum http_flow webhook_create(struct rest_request *r)
{
    bool given;

    if (arg_text(r, "endpointUrl", &r->admin.url) < 0 || arg_text(r, "providerType", &r->admin.prefix) < 0 ||
        arg_texts(r, "subscriptions", &r->admin.scopes, &given) < 0)
        return reply_error(r, &r->err);
    make_secret(r);
    return run(r, ADMIN_WEBHOOK_CREATE);
}

static enum http_flow run_named(struct rest_request *r, enum admin_op op)
{
    const struct webhook *w = named_webhook(r);

    if (!w)
        return reply_error(r, &r->err);
    r->admin.id = w->r.id;
    return run(r, op);
}

static enum http_flow webhook_set(struct rest_request *r)
{
    bool given;

    if (arg_texts(r, "subscriptions", &r->admin.scopes, &given) < 0)
        return reply_error(r, &r->err);
    return run_named(r, ADMIN_WEBHOOK_SET);
}

static enum http_flow webhook_rotate(struct rest_request *r)
{
    make_secret(r);
    return run_named(r, ADMIN_WEBHOOK_ROTATE);
}

static enum http_flow webhook_test(struct rest_request *r)
{
    return run_named(r, ADMIN_WEBHOOK_TEST);
}

static enum http_flow webhook_delete(struct rest_request *r)
{
    return run_named(r, ADMIN_WEBHOOK_DELETE);
}

static enum http_flow webhooks_list(struct rest_request *r)
{
    return reply_list(r, "webhooks", write_webhooks);
}

static const struct api_endpoint rows[] = {
    {V2("GET", "/tailnet/-/webhooks"), .run = v2_list, .need = NEED_READ, .scope = SCOPE_WEBHOOKS, .id = "listWebhooks",
     .answer = "webhooks:TailnetWebhook[]", .help = "Webhooks"},
    {V2("POST", "/tailnet/-/webhooks"), .run = webhook_create, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .id = "createWebhook", .body = "endpointUrl:text providerType:text subscriptions:text[]",
     .answer = "TailnetWebhook", .help = "Makes a webhook; the only answer with its secret"},
    {V2("GET", "/webhooks/{endpointId}"), .run = v2_get, .need = NEED_READ, .scope = SCOPE_WEBHOOKS, .id = "getWebhook",
     .answer = "TailnetWebhook", .help = "One of them"},
    {V2("PATCH", "/webhooks/{endpointId}"), .run = webhook_set, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .id = "updateWebhook", .body = "subscriptions:text[]", .answer = "TailnetWebhook",
     .help = "Changes what a webhook is told of"},
    {V2("DELETE", "/webhooks/{endpointId}"), .run = webhook_delete, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .id = "deleteWebhook", .help = "Removes a webhook, once it was told so"},
    {V2("POST", "/webhooks/{endpointId}/test"), .run = webhook_test, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .id = "testWebhook", .help = "Sends a webhook a test event, soon"},
    {V2("POST", "/webhooks/{endpointId}/rotate"), .run = webhook_rotate, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .id = "rotateWebhookSecret", .answer = "TailnetWebhook",
     .help = "Gives a webhook a new secret; the only answer with it"},

    {HEADWAY("GET", "/webhooks"), .run = webhooks_list, .need = NEED_READ, .scope = SCOPE_WEBHOOKS,
     .answer = "webhooks:Webhook[]", .help = "Webhooks, and how their deliveries go"},
    {HEADWAY("POST", "/webhooks"), .run = webhook_create, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .body = "endpointUrl:text providerType:text subscriptions:text[]", .query = "dry_run:bool",
     .answer = "Change result:Webhook", .help = "Makes a webhook; the only answer with its secret"},
    {HEADWAY("PUT", "/webhooks/{id}"), .run = webhook_set, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .body = "subscriptions:text[]", .query = "dry_run:bool", .answer = "Change result:Webhook",
     .help = "Changes what a webhook is told of"},
    {HEADWAY("POST", "/webhooks/{id}/rotate"), .run = webhook_rotate, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .body = "", .query = "dry_run:bool", .answer = "Change result:Webhook",
     .help = "Gives a webhook a new secret; the only answer with it"},
    {HEADWAY("POST", "/webhooks/{id}/test"), .run = webhook_test, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .body = "", .query = "dry_run:bool", .answer = "Change result:Webhook",
     .help = "Sends a webhook a test event, soon"},
    {HEADWAY("DELETE", "/webhooks/{id}"), .run = webhook_delete, .need = NEED_ADMIN, .scope = SCOPE_WEBHOOKS,
     .query = "dry_run:bool", .answer = "Change result:Webhook", .help = "Removes a webhook, once it was told so"},
};
const struct http_table webhooks_table = API_TABLE(rows);
