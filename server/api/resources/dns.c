/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the tailnet as Tailscale's API v2 has them. The configuration says what they are: it is read here, and not
 * changed. */
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"

static void put_texts(struct json_out *o, const char *key, const struct strs *texts)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < texts->len; i++)
        json_str(o, texts->items[i]);
    json_close(o, ']');
}

static void put_resolvers(struct json_out *o, const char *key, const struct strs *servers)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < servers->len; i++) {
        json_open(o, '{');
        json_put_str(o, "address", servers->items[i]);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void write_nameservers(struct json_out *o, const struct config *c)
{
    put_texts(o, "dns", &c->dns.global);
}

static void write_preferences(struct json_out *o, const struct config *c)
{
    json_put_bool(o, "magicDNS", c->dns.magic_dns);
}

static void write_search_paths(struct json_out *o, const struct config *c)
{
    put_texts(o, "searchPaths", &c->dns.search_domains);
}

static void write_split(struct json_out *o, const struct config *c)
{
    for (size_t i = 0; i < c->dns.split.len; i++)
        put_texts(o, c->dns.split.items[i].domain, &c->dns.split.items[i].servers);
}

static void write_all(struct json_out *o, const struct config *c)
{
    put_resolvers(o, "nameservers", &c->dns.global);
    json_key(o, "splitDNS");
    json_open(o, '{');
    for (size_t i = 0; i < c->dns.split.len; i++)
        put_resolvers(o, c->dns.split.items[i].domain, &c->dns.split.items[i].servers);
    json_close(o, '}');
    write_search_paths(o, c);
    json_key(o, "preferences");
    json_open(o, '{');
    json_put_bool(o, "overrideLocalDNS", c->dns.override_local_dns);
    write_preferences(o, c);
    json_close(o, '}');
}

static enum http_flow reply_part(struct rest_request *r, void (*write)(struct json_out *o, const struct config *c))
{
    const struct config *c = api_config(r->api);
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    write(&o, c);
    json_close(&o, '}');
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow nameservers_get(struct rest_request *r)
{
    return reply_part(r, write_nameservers);
}

static enum http_flow preferences_get(struct rest_request *r)
{
    return reply_part(r, write_preferences);
}

static enum http_flow search_paths_get(struct rest_request *r)
{
    return reply_part(r, write_search_paths);
}

static enum http_flow split_get(struct rest_request *r)
{
    return reply_part(r, write_split);
}

static enum http_flow all_get(struct rest_request *r)
{
    return reply_part(r, write_all);
}

static enum http_flow refuse(struct rest_request *r)
{
    return reply_code(r, ERR_UNSUPPORTED, "the configuration of the server holds dns: see headway.yaml(5)");
}

#define READS(where, function, name, object, words)                                                                    \
    {                                                                                                                  \
        V2("GET", "/tailnet/-/dns" where), .run = (function), .need = NEED_READ, .scope = SCOPE_DNS, .id = (name),     \
                                           .answer = (object), .help = (words)                                         \
    }
#define REFUSED(how, where, name)                                                                                      \
    {                                                                                                                  \
        V2(how, "/tailnet/-/dns" where), .run = refuse, .need = NEED_ADMIN, .scope = SCOPE_DNS, .raw = true,           \
                                         .id = (name), .help = "Refused: the configuration holds dns"                  \
    }

static const struct api_endpoint rows[] = {
    READS("/nameservers", nameservers_get, "listDNSNameservers", "dns:text[]", "Name servers for all names"),
    READS("/preferences", preferences_get, "getDNSPreferences", "magicDNS:bool", "Whether nodes have names (MagicDNS)"),
    READS("/searchpaths", search_paths_get, "listDNSSearchPaths", "searchPaths:text[]",
          "Domains in which short names are looked for"),
    READS("/split-dns", split_get, "getSplitDNS", "object", "Name servers by domain"),
    READS("/configuration", all_get, "getDNSConfiguration",
          "nameservers:object[] splitDNS:object searchPaths:text[] preferences:object", "All of these"),
    REFUSED("POST", "/nameservers", "setDNSNameservers"),
    REFUSED("POST", "/preferences", "setDNSPreferences"),
    REFUSED("POST", "/searchpaths", "setDNSSearchPaths"),
    REFUSED("PUT", "/split-dns", "setSplitDNS"),
    REFUSED("PATCH", "/split-dns", "updateSplitDNS"),
    REFUSED("POST", "/configuration", "setDNSConfiguration"),
};
const struct http_table v2_dns_table = API_TABLE(rows);
