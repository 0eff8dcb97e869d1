/* SPDX-License-Identifier: BSD-3-Clause */
/* The DNS settings of clients: those of the configuration, and those set in their place. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"

/* ---- /api/headway ---- */

static enum http_flow dns_get(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    struct json_out o = reply_json(r);

    write_dns(&o, c, r->s->settings->dns_own);
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow dns_set(struct rest_request *r)
{
    if (r->json && core_dns_read(r->json, &r->admin, &r->err) < 0)
        return reply_error(r, &r->err);
    return change(r, ADMIN_DNS_SET);
}

static enum http_flow dns_reset(struct rest_request *r)
{
    r->admin.reset = DNS_MEMBERS;
    return change(r, ADMIN_DNS_SET);
}

/* ---- as Tailscale's API v2 has it ---- */

static void put_texts(struct json_out *o, const char *key, const struct strs *texts)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < texts->len; i++)
        json_str(o, texts->items[i]);
    json_close(o, ']');
}

static void put_resolver(struct json_out *o, const char *server)
{
    json_open(o, '{');
    json_put_str(o, "address", server);
    json_close(o, '}');
}

static void write_nameservers(struct json_out *o, const struct dns_values *v)
{
    json_open(o, '{');
    put_texts(o, "dns", &v->nameservers);
    json_close(o, '}');
}

/* The answer to a change includes MagicDNS. */
static void write_nameservers_set(struct json_out *o, const struct dns_values *v)
{
    json_open(o, '{');
    put_texts(o, "dns", &v->nameservers);
    json_put_bool(o, "magicDNS", v->magic_dns);
    json_close(o, '}');
}

static void write_preferences(struct json_out *o, const struct dns_values *v)
{
    json_open(o, '{');
    json_put_bool(o, "magicDNS", v->magic_dns);
    json_close(o, '}');
}

static void write_search_paths(struct json_out *o, const struct dns_values *v)
{
    json_open(o, '{');
    put_texts(o, "searchPaths", &v->search);
    json_close(o, '}');
}

static void write_split(struct json_out *o, const struct dns_values *v)
{
    dns_split_write(o, &v->split, json_str);
}

static void write_all(struct json_out *o, const struct dns_values *v)
{
    json_open(o, '{');
    json_key(o, "nameservers");
    json_open(o, '[');
    for (size_t i = 0; i < v->nameservers.len; i++)
        put_resolver(o, v->nameservers.items[i]);
    json_close(o, ']');
    json_key(o, "splitDNS");
    dns_split_write(o, &v->split, put_resolver);
    put_texts(o, "searchPaths", &v->search);
    json_key(o, "preferences");
    json_open(o, '{');
    json_put_bool(o, "overrideLocalDNS", v->override_local);
    json_put_bool(o, "magicDNS", v->magic_dns);
    json_close(o, '}');
    json_close(o, '}');
}

/* Writes the part that a path is about. */
typedef void write_part(struct json_out *o, const struct dns_values *v);

static enum http_flow reply_part(struct rest_request *r, const struct dns_settings *own, write_part *write)
{
    const struct config *c = api_config(r->api);
    struct dns_values v = {0};
    struct json_out o = reply_json(r);

    core_dns_values(c, own, &v);
    write(&o, &v);
    dns_values_release(&v);
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow part_changed(struct rest_request *r, write_part *write)
{
    if (r->admin.call.code < 0)
        return reply_error(r, &r->admin.call.err);
    return reply_part(r, r->admin.record, write);
}

static enum http_flow change_part(struct rest_request *r, int code, unsigned member, api_handler *done)
{
    if (code < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_DNS_SET;
    r->admin.given = member;
    return request_admin(r, done);
}

#define PART(name)                                                                                                     \
    static enum http_flow name##_get(struct rest_request *r)                                                           \
    {                                                                                                                  \
        return reply_part(r, r->s->settings->dns_own, write_##name);                                                   \
    }                                                                                                                  \
    static enum http_flow name##_changed(struct rest_request *r)                                                       \
    {                                                                                                                  \
        return part_changed(r, write_##name);                                                                          \
    }
PART(preferences)
PART(search_paths)
PART(split)
PART(all)

static enum http_flow nameservers_get(struct rest_request *r)
{
    return reply_part(r, r->s->settings->dns_own, write_nameservers);
}

static enum http_flow nameservers_changed(struct rest_request *r)
{
    return part_changed(r, write_nameservers_set);
}

/* null is an empty list, as Go's clients write one. */
static int need(struct rest_request *r, const char *name, const char *what)
{
    if (r->json && json_object_get(r->json, name))
        return 0;
    return err_field(&r->err, ERR_INVALID, name, "%s is missing: %s", name, what);
}

static enum http_flow nameservers_set(struct rest_request *r)
{
    bool given;
    int code = need(r, "dns", "a list of addresses of name servers");

    if (code == 0)
        code = arg_texts(r, "dns", &r->admin.dns.nameservers, &given);
    return change_part(r, code, DNS_NAMESERVERS, nameservers_changed);
}

static enum http_flow preferences_set(struct rest_request *r)
{
    int code = arg_json(r, "magicDNS")
                   ? arg_bool(r, "magicDNS", &r->admin.dns.magic_dns)
                   : err_field(&r->err, ERR_INVALID, "magicDNS", "magicDNS is missing: true or false");

    return change_part(r, code, DNS_MAGIC, preferences_changed);
}

static enum http_flow search_paths_set(struct rest_request *r)
{
    bool given;
    int code = need(r, "searchPaths", "a list of domains");

    if (code == 0)
        code = arg_texts(r, "searchPaths", &r->admin.dns.search, &given);
    return change_part(r, code, DNS_SEARCH, search_paths_changed);
}

/* The body's members are domains. */
static int read_split(struct rest_request *r)
{
    int code = json_read(r->http.body.data, r->http.body.len, r->http.body.max, "the body", &r->json, &r->err);

    return code < 0 ? code : core_dns_split_read(r->json, "the body", &r->admin.dns.split, &r->err);
}

/* A domain without name servers has no entry here. */
static void drop_empty(struct strs *split)
{
    struct strs kept = {0};

    for (size_t i = 0; i < split->len; i++)
        if (strchr(split->items[i], ' '))
            strs_push(&kept, split->items[i]);
    strs_release(split);
    *split = kept;
}

static enum http_flow split_set(struct rest_request *r)
{
    int code = read_split(r);

    drop_empty(&r->admin.dns.split);
    return change_part(r, code, DNS_SPLIT, split_changed);
}

static enum http_flow split_update(struct rest_request *r)
{
    r->admin.flag = true;
    return change_part(r, read_split(r), DNS_SPLIT, split_changed);
}

static int add_resolver(struct rest_request *r, const json_t *resolver, const char *name, json_t *out)
{
    const char *address = NULL;
    bool exits = false;

    if (!json_is_object(resolver))
        return err_field(&r->err, ERR_INVALID, name, "%s must be a list of objects with an address", name);
    if (json_get_str(resolver, "address", &address, &r->err) < 0 ||
        json_get_bool(resolver, "useWithExitNode", &exits, &r->err) < 0)
        return ERR_INVALID;
    if (exits)
        return err_field(&r->err, ERR_INVALID, name,
                         "useWithExitNode is not supported: with an exit node clients use its name servers");
    json_array_append_new(out, json_string(address ? address : ""));
    return 0;
}

/* The addresses of a list of resolvers, as a new list. */
static int read_resolvers(struct rest_request *r, const json_t *list, const char *name, json_t **out)
{
    int code = 0;

    *out = json_array();
    if (list && !json_is_null(list) && !json_is_array(list))
        code = err_field(&r->err, ERR_INVALID, name, "%s must be a list of objects with an address", name);
    for (size_t i = 0; code == 0 && i < json_array_size(list); i++)
        code = add_resolver(r, json_array_get(list, i), name, *out);
    return code;
}

static int read_split_resolvers(struct rest_request *r, const json_t *split)
{
    json_t *servers, *all = json_object();
    const char *domain;
    int code = split && !json_is_null(split) && !json_is_object(split)
                   ? err_field(&r->err, ERR_INVALID, "splitDNS", "splitDNS must be an object: name servers by domain")
                   : 0;

    json_object_foreach((json_t *)(uintptr_t)split, domain, servers)
    {
        json_t *list = NULL;
        if (code == 0)
            code = read_resolvers(r, servers, "splitDNS", &list);
        if (list)
            json_object_set_new(all, domain, list);
    }
    if (code == 0)
        code = core_dns_split_read(all, "splitDNS", &r->admin.dns.split, &r->err);
    drop_empty(&r->admin.dns.split);
    json_decref(all);
    return code;
}

/* Sets everything: an absent member is empty, or false. */
static enum http_flow all_set(struct rest_request *r)
{
    const json_t *preferences = arg_json(r, "preferences");
    struct dns_values *v = &r->admin.dns;
    json_t *servers = NULL;
    bool given;
    int code = read_resolvers(r, arg_json(r, "nameservers"), "nameservers", &servers);

    if (code == 0)
        code = arg_texts_of(r, servers, "nameservers", &v->nameservers);
    if (code == 0)
        code = read_split_resolvers(r, arg_json(r, "splitDNS"));
    if (code == 0)
        code = arg_texts(r, "searchPaths", &v->search, &given);
    if (code == 0 && preferences && !json_is_object(preferences))
        code = err_field(&r->err, ERR_INVALID, "preferences", "preferences must be an object");
    if (code == 0 && preferences)
        code = json_get_bool(preferences, "magicDNS", &v->magic_dns, &r->err);
    if (code == 0 && preferences)
        code = json_get_bool(preferences, "overrideLocalDNS", &v->override_local, &r->err);
    json_decref(servers);
    return change_part(r, code, DNS_MEMBERS, all_changed);
}

#define DNS "/tailnet/-/dns"
#define ALL "nameservers:object[] splitDNS:object searchPaths:text[] preferences:object"

static const struct api_endpoint headway_rows[] = {
    {HEADWAY("GET", "/dns"), .run = dns_get, .need = NEED_READ, .scope = SCOPE_DNS, .answer = "Dns",
     .help = "What clients are told of DNS, and what of it is set in place of the configuration"},
    {HEADWAY("POST", "/dns"), .run = dns_set, .need = NEED_ADMIN, .scope = SCOPE_DNS,
     .body = "magicDNS:bool overrideLocalDNS:bool nameservers:text[] splitDNS:object changeSplitDNS:object "
             "searchDomains:text[] reset:text[]",
     .query = "dry_run:bool", .answer = "Change result:Dns",
     .help = "Sets members of DNS in place of the configuration, or (reset) that it holds again"},
    {HEADWAY("DELETE", "/dns"), .run = dns_reset, .need = NEED_ADMIN, .scope = SCOPE_DNS, .query = "dry_run:bool",
     .answer = "Change result:Dns", .help = "The configuration holds again for all of DNS"},
};
const struct http_table dns_table = API_TABLE(headway_rows);

static const struct api_endpoint rows[] = {
    {V2("GET", DNS "/nameservers"), .run = nameservers_get, .need = NEED_READ, .scope = SCOPE_DNS,
     .id = "listDNSNameservers", .answer = "dns:text[]", .help = "Name servers for all names"},
    {V2("POST", DNS "/nameservers"), .run = nameservers_set, .need = NEED_ADMIN, .scope = SCOPE_DNS,
     .id = "setDNSNameservers", .body = "dns:text[]", .answer = "dns:text[] magicDNS:bool",
     .help = "Replaces the name servers for all names"},
    {V2("GET", DNS "/preferences"), .run = preferences_get, .need = NEED_READ, .scope = SCOPE_DNS,
     .id = "getDNSPreferences", .answer = "magicDNS:bool", .help = "Whether nodes have names (MagicDNS)"},
    {V2("POST", DNS "/preferences"), .run = preferences_set, .need = NEED_ADMIN, .scope = SCOPE_DNS,
     .id = "setDNSPreferences", .body = "magicDNS:bool", .answer = "magicDNS:bool",
     .help = "Sets whether nodes have names (MagicDNS)"},
    {V2("GET", DNS "/searchpaths"), .run = search_paths_get, .need = NEED_READ, .scope = SCOPE_DNS,
     .id = "listDNSSearchPaths", .answer = "searchPaths:text[]", .help = "Domains in which short names are looked for"},
    {V2("POST", DNS "/searchpaths"), .run = search_paths_set, .need = NEED_ADMIN, .scope = SCOPE_DNS,
     .id = "setDNSSearchPaths", .body = "searchPaths:text[]", .answer = "searchPaths:text[]",
     .help = "Replaces the domains in which short names are looked for"},
    {V2("GET", DNS "/split-dns"), .run = split_get, .need = NEED_READ, .scope = SCOPE_DNS, .id = "getSplitDNS",
     .answer = "object", .help = "Name servers by domain"},
    {V2("PUT", DNS "/split-dns"), .run = split_set, .need = NEED_ADMIN, .scope = SCOPE_DNS, .raw = true,
     .id = "setSplitDNS", .body = "object", .answer = "object", .help = "Replaces the name servers of all domains"},
    {V2("PATCH", DNS "/split-dns"), .run = split_update, .need = NEED_ADMIN, .scope = SCOPE_DNS, .raw = true,
     .id = "updateSplitDNS", .body = "object", .answer = "object",
     .help = "Replaces the name servers of single domains; null or an empty list removes one"},
    {V2("GET", DNS "/configuration"), .run = all_get, .need = NEED_READ, .scope = SCOPE_DNS,
     .id = "getDNSConfiguration", .answer = ALL, .help = "All of these"},
    {V2("POST", DNS "/configuration"), .run = all_set, .need = NEED_ADMIN, .scope = SCOPE_DNS,
     .id = "setDNSConfiguration", .body = ALL, .answer = ALL,
     .help = "Replaces all of these; what is absent is none, or false"},
};
const struct http_table v2_dns_table = API_TABLE(rows);
