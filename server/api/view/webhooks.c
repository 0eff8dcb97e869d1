/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks. */
#include "api/view/objects.h"
#include "api/view/tailscale_objects.h"
#include "tailscale/tailscale.h"

static struct api_webhook shown(const struct webhook *w, const char *secret)
{
    return (struct api_webhook){.id = w->r.id,
                                .url = w->url,
                                .provider = w->provider,
                                .creator = w->creator,
                                .created_ns = w->created_ns,
                                .modified_ns = w->modified_ns,
                                .subscriptions = w->subscriptions,
                                .secret = secret,
                                .version = w->r.version,
                                .failing = w->failures > 0,
                                .tried_ns = w->tried_ns,
                                .delivered_ns = w->delivered_ns,
                                .failing_ns = w->failing_ns,
                                .next_ns = w->next_ns,
                                .status = w->status,
                                .failures = w->failures,
                                .delivered = w->delivered,
                                .dropped = w->dropped,
                                .trouble = w->trouble};
}

void write_webhook(struct json_out *o, const struct webhook *w, const char *secret, enum api_scope scope)
{
    const struct api_webhook out = shown(w, secret);

    api_write(o, &api_webhook_shape, &out, scope);
}

void write_v2_webhook(struct json_out *o, const struct webhook *w, const char *secret)
{
    const struct api_webhook out = shown(w, secret);

    api_write(o, &api_v2_webhook_shape, &out, API_V1);
}

void write_webhooks(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    json_open(o, '[');
    for (size_t i = 0; i < v->s->webhook_count; i++)
        if (!v->s->webhooks[i]->deleted_ns)
            write_webhook(o, v->s->webhooks[i], NULL, scope);
    json_close(o, ']');
}
