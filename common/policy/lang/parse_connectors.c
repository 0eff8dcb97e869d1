/* SPDX-License-Identifier: BSD-3-Clause */
/* App connectors: the member "tailscale.com/app-connectors" of app in nodeAttrs. Each entry also becomes a rule from
 * its targets to the connectors, because a client must see the node through which it resolves names. */
#include <ctype.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "json/json.h"

#define APP_CONNECTORS "tailscale.com/app-connectors"
#define APPS_MAX       256
#define DOMAINS_MAX    1000 /* in one entry */
#define DOMAIN_MAX     253
#define LABEL_MAX      63

enum { APP_NAME, APP_CONNECTOR_TAGS, APP_DOMAINS, APP_ROUTES, APP_FIELDS };
static const struct policy_field app_fields[APP_FIELDS] = {
    [APP_NAME] = {"name", NULL},
    [APP_CONNECTOR_TAGS] = {"connectors", NULL},
    [APP_DOMAINS] = {"domains", NULL},
    [APP_ROUTES] = {"routes", NULL},
};

struct app_entry {
    struct policy_connector_app *app;
    struct policy_rule *rule;
    bool any;
};

static int add_connector(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct app_entry *e = arg;
    struct policy_destination d = {0};

    if (str_eq(text, "*")) {
        e->any = true;
        strs_push(&e->app->connectors, text);
        return 0;
    }
    if (!str_starts(text, "tag:"))
        return parse_error(x, offset, "connectors: \"%s\" is neither a tag nor \"*\"", text);
    if (selector_parse(x, PLACE_TARGET, text, offset, &d.alias) < 0)
        return ERR_INVALID;
    strs_push(&e->app->connectors, text);
    vec_push(&e->rule->dst, d);
    return 0;
}

/* Why the text (in lower case, without "*.") is not a domain; NULL if it is. */
static const char *domain_trouble(const char *text)
{
    struct prefix address;
    size_t label = 0;

    if (!*text)
        return "it is empty";
    if (strlen(text) > DOMAIN_MAX)
        return "it is longer than 253 characters";
    if (prefix_parse(text, &address, NULL, NULL) == 0)
        return "it is an address: put it into routes";
    for (const char *c = text;; c++) {
        if (*c == '.' || !*c) {
            if (!label)
                return "it has an empty label";
            if (label > LABEL_MAX)
                return "a label has more than 63 characters";
            if (c[-1] == '-' || c[-(ptrdiff_t)label] == '-')
                return "a label begins or ends with '-'";
            if (!*c)
                return NULL;
            label = 0;
        } else if (*c == '*') {
            return "'*' may only stand for the first label, as in *.example.com";
        } else if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') {
            return "it has a character that no domain has";
        } else {
            label++;
        }
    }
}

static int add_domain(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct app_entry *e = arg;
    char *lower = arena_strdup(&x->p->arena, text);
    size_t len = lower ? strlen(lower) : 0;

    if (!lower)
        return parse_too_big(x, offset);
    if (e->app->domains.len == DOMAINS_MAX)
        return parse_error(x, offset, "an app has at most %d domains", DOMAINS_MAX);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (len > 1 && lower[len - 1] == '.')
        lower[len - 1] = '\0';
    const char *name = str_starts(lower, "*.") ? lower + 2 : lower, *why = domain_trouble(name);
    if (why)
        return parse_error(x, offset, "domains: \"%s\" is no domain: %s", text, why);
    if (name != lower && !strchr(name, '.'))
        problem_at(x->problems, x->text, x->len, offset, true,
                   "domains: \"%s\" sends every name below %s to the connectors, who see and may change the answers",
                   text, name);
    strs_push(&e->app->domains, lower);
    return 0;
}

static int add_route(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct app_entry *e = arg;
    struct prefix p;

    if (prefix_parse(text, &p, NULL, NULL) < 0)
        return parse_error(x, offset, "routes: \"%s\" is not a prefix such as 192.0.2.0/24", text);
    if (prefix_is_exit(&p))
        return parse_error(x, offset, "routes: \"%s\" is everything: that is an exit node, not an app", text);
    prefixes_add(&e->app->routes, &p);
    return 0;
}

static void put_texts(struct json_out *o, const char *key, const struct strs *texts)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < texts->len; i++)
        json_str(o, texts->items[i]);
    json_close(o, ']');
}

/* The form that clients read: appctype.AppConnectorAttr. */
static char *app_json(struct arena *a, const struct policy_connector_app *app)
{
    struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    struct json_out o = JSON_OUT(&text);
    char prefix[PREFIX_TEXT_MAX];

    json_open(&o, '{');
    json_put_str(&o, "name", app->name);
    put_texts(&o, "connectors", &app->connectors);
    put_texts(&o, "domains", &app->domains);
    if (app->routes.len) {
        json_key(&o, "routes");
        json_open(&o, '[');
        for (size_t i = 0; i < app->routes.len; i++)
            json_str(&o, prefix_format(&app->routes.items[i], prefix));
        json_close(&o, ']');
    }
    json_close(&o, '}');
    char *json = arena_strndup(a, buf_text(&text), text.len);
    buf_release(&text);
    return json;
}

/* Adds a rule with a capability that clients ignore: it makes the connectors visible, and lets name resolution into
 * their filter (filter_rules.c). */
static void add_rule(struct policy_parser *x, struct app_entry *e, const struct policy_attr *attr)
{
    for (size_t i = 0; i < attr->target.len; i++)
        vec_push(&e->rule->src, attr->target.items[i]);
    vec_push(&e->rule->apps, ((struct policy_app){APP_CONNECTORS, "[]"}));
    vec_push(&x->p->rules, e->rule);
}

static void parse_app(struct policy_parser *x, const struct hujson *v, size_t index)
{
    const struct hujson *f[APP_FIELDS];
    struct policy_connector_app *app = mem_alloc(sizeof(*app));
    struct app_entry e = {.app = app, .rule = mem_alloc(sizeof(*e.rule))};

    *e.rule = (struct policy_rule){.is_grant = true, .connector = true, .index = index, .offset = v->start};
    *app = (struct policy_connector_app){.attr = x->p->attrs.len - 1, .name = ""};
    vec_push(&x->p->connector_apps, app);
    if (fields_read(x, v, app_fields, APP_FIELDS, false, f) == 0) {
        if (f[APP_NAME] && field_kind(x, f[APP_NAME], HUJSON_STRING, "name") == 0)
            app->name = f[APP_NAME]->text;
        (void)field_strings(x, f[APP_CONNECTOR_TAGS], "connectors", add_connector, &e);
        (void)field_strings(x, f[APP_DOMAINS], "domains", add_domain, &e);
        (void)field_strings(x, f[APP_ROUTES], "routes", add_route, &e);
        if (!f[APP_CONNECTOR_TAGS] || !f[APP_CONNECTOR_TAGS]->count)
            parse_error(x, v->start, "an app needs connectors: the tags of the nodes that connect to it");
        if ((!f[APP_DOMAINS] || !f[APP_DOMAINS]->count) && (!f[APP_ROUTES] || !f[APP_ROUTES]->count))
            parse_error(x, v->start, "an app needs domains or routes");
    }
    app->json = app_json(&x->p->arena, app);
    if (!app->json)
        parse_too_big(x, v->start);
    add_rule(x, &e, &x->p->attrs.items[app->attr]);
}

void parse_connectors(struct policy_parser *x, const struct hujson *v)
{
    size_t index = x->p->connector_apps.len;

    if (!v || field_kind(x, v, HUJSON_OBJECT, "app") < 0)
        return;
    for (const struct hujson *m = v->first; m; m = m->next) {
        if (!str_eq(m->name, APP_CONNECTORS)) {
            parse_error(x, m->name_start, "app: \"%s\" is not supported by this server, only \"%s\"", m->name,
                        APP_CONNECTORS);
            continue;
        }
        if (field_kind(x, m, HUJSON_ARRAY, APP_CONNECTORS) < 0)
            continue;
        for (const struct hujson *e = m->first; e; e = e->next, index++) {
            if (index == APPS_MAX) {
                parse_error(x, e->start, "a policy has at most %d apps", APPS_MAX);
                return;
            }
            parse_app(x, e, index);
        }
    }
}

void connectors_release(struct policy *p)
{
    for (size_t i = 0; i < p->connector_apps.len; i++) {
        struct policy_connector_app *app = p->connector_apps.items[i];
        strs_release(&app->connectors);
        strs_release(&app->domains);
        prefixes_release(&app->routes);
        free(app);
    }
    vec_release(&p->connector_apps);
}
