/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings of the whole tailnet in the form of Tailscale's API v2. They come from the configuration and cannot be
 * changed here. */
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "tailscale/tailscale.h"

#define DAY_NS (24 * 3600 * NS_PER_SECOND)

static enum http_flow settings_get(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    const struct api_v2_settings out = {.acls_external = config_policy_is_file(c),
                                        .acls_link = "",
                                        .devices_approval = str_eq(c->node.approval, "on"),
                                        .auto_updates = c->auto_update,
                                        .key_days = (uint64_t)(c->node.expiry / DAY_NS),
                                        .external_roles = "none",
                                        .https = *c->tls_cert_path || *c->acme.hostname};
    struct json_out o = reply_json(r);

    api_write(&o, &api_v2_settings_shape, &out, API_V1);
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow settings_set(struct rest_request *r)
{
    return reply_code(r, ERR_UNSUPPORTED, "the configuration of the server holds these settings: see headway.yaml(5)");
}

static const struct api_endpoint rows[] = {
    {V2("GET", "/tailnet/-/settings"), .run = settings_get, .need = NEED_READ, .scope = SCOPE_FEATURE_SETTINGS,
     .id = "getSettings", .answer = "Settings", .help = "Settings of the tailnet, as configured"},
    {V2("PATCH", "/tailnet/-/settings"), .run = settings_set, .need = NEED_ADMIN, .scope = SCOPE_FEATURE_SETTINGS,
     .id = "setSettings", .raw = true, .answer = "Settings", .help = "Refused: the configuration holds these settings"},
};
const struct http_table v2_settings_table = API_TABLE(rows);
