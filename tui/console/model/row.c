/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows made of the API's objects. A member that is missing or of another type reads as empty, so that an older or newer
 * daemon still gives a usable screen. Only an object's id is required. */
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "console/model/model.h"
#include "console/model/relative_time.h"
#include "json/json.h"

#define ID_MAX 256 /* bytes of a prefix or an auth id, with terminator */

static char *id_key(uint64_t id)
{
    return id ? mem_format("%llu", (unsigned long long)id) : NULL;
}

static char *text_key(const char *text)
{
    return *text && strlen(text) < ID_MAX ? mem_strdup(text) : NULL;
}

static char *prefix_key(const struct prefix *p)
{
    char text[PREFIX_TEXT_MAX];

    return p->addr.bits ? mem_strdup(prefix_format(p, text)) : NULL;
}

/* ---- nodes and their routes ---- */

static int by_prefix(const void *a, const void *b)
{
    return prefix_cmp(&(*(struct m_route *const *)a)->api.prefix, &(*(struct m_route *const *)b)->api.prefix);
}

static bool is_known(int state)
{
    return state > ROUTE_NONE && state < ROUTE_STATES;
}

static void count_route(struct m_node *n, int state)
{
    n->available += state != ROUTE_APPROVED;
    n->approved += state != ROUTE_AVAILABLE;
    n->serving += state == ROUTE_SERVING;
    n->waiting += state == ROUTE_AVAILABLE;
    n->unhealthy += state == ROUTE_UNHEALTHY;
}

/* Makes a row of each of the object's routes. */
static void take_routes(struct m_node *n)
{
    struct api_list *list = &n->api.routes;

    for (size_t i = 0; i < list->len; i++) {
        struct api_route *route = api_at(list, struct api_route, i);
        char *key = is_known(route->state) ? prefix_key(&route->prefix) : NULL;

        if (!key) {
            api_release(&api_route_shape, route);
            continue;
        }
        struct m_route *row = mem_alloc(sizeof(*row));
        row->row = (struct row){.kind = ROW_ROUTE, .key = key};
        row->node = n;
        row->api = *route;
        vec_push(&n->routes, row);
        count_route(n, route->state);
    }
    free(list->items);
    *list = (struct api_list){0};
    if (n->routes.len > 1)
        qsort(n->routes.items, n->routes.len, sizeof(*n->routes.items), by_prefix);
}

/* Words that describe the node, so that "/offline router" finds what people expect. */
static char *node_words(const struct m_node *n)
{
    const struct api_node *api = &n->api;
    struct buf b = BUF_INIT(0);

    buf_addf(&b, "%s %s %s %s %s %s", api->given_name, api->hostname, n->owner, n->ipv4, n->ipv6, api->os);
    for (size_t i = 0; i < api->tags.len; i++)
        buf_addf(&b, " %s", api->tags.items[i]);
    for (size_t i = 0; i < n->routes.len; i++)
        buf_addf(&b, " %s", n->routes.items[i]->row.key);
    buf_addf(&b, " %s%s%s%s%s%s%s%s%s%s", api->needs_approval ? "unapproved " : "", api->expired ? "expired " : "",
             api->online ? "online" : "offline", api->healthy || !api->online ? "" : " unhealthy",
             api->exit_node ? " exit" : "", api->ephemeral ? " ephemeral" : "", n->waiting ? " waiting" : "",
             api->logged_out ? " logged-out" : "", api->draining ? " drained" : "", api->warnings.len ? " warned" : "");
    return buf_take(&b);
}

static void finish_node(struct row *row)
{
    struct m_node *n = (struct m_node *)row;
    struct api_node *api = &n->api;
    size_t len = strlen(api->fqdn);

    if (len && api->fqdn[len - 1] == '.')
        ((char *)(uintptr_t)api->fqdn)[len - 1] = '\0'; /* the object was read into our memory */
    n->tagged = api->tags.len > 0;
    n->owner = n->tagged ? api->tags.items[0] : api->user ? api->user->name : "";
    if (api->addrs.v4.bits)
        addr_format(&api->addrs.v4, n->ipv4);
    if (api->addrs.v6.bits)
        addr_format(&api->addrs.v6, n->ipv6);
    take_routes(n);
    n->words = node_words(n);
}

static char *node_key(const struct row *row)
{
    return id_key(((const struct m_node *)row)->api.id);
}

static void release_node(struct row *row)
{
    struct m_node *n = (struct m_node *)row;

    for (size_t i = 0; i < n->routes.len; i++)
        row_free(&n->routes.items[i]->row);
    vec_release(&n->routes);
    free(n->words);
}

/* ---- the others ---- */

static char *route_key(const struct row *row)
{
    return prefix_key(&((const struct m_route *)row)->api.prefix);
}

static char *key_of_prefix(const struct row *row)
{
    return prefix_key(&((const struct m_prefix *)row)->api.prefix);
}

/* Drops routers in a state that this release does not know. */
static void finish_prefix(struct row *row)
{
    struct api_list *list = &((struct m_prefix *)row)->api.routers;
    size_t kept = 0;

    for (size_t i = 0; i < list->len; i++) {
        struct api_router *router = api_at(list, struct api_router, i);

        if (is_known(router->state) && router->node)
            *api_at(list, struct api_router, kept++) = *router;
        else
            api_release(&api_router_shape, router);
    }
    list->len = kept;
}

static char *event_key(const struct row *row)
{
    const struct api_event_id *id = &((const struct m_event *)row)->api.id;
    char text[API_EVENT_ID_MAX];

    return id->run ? mem_strdup(api_event_id_format(id, text)) : NULL;
}

/* Without a weight of its own it has the weight of its kind. */
static void finish_event(struct row *row)
{
    struct api_event *event = &((struct m_event *)row)->api;

    if (event->weight <= 0)
        event->weight = (int)event_weight(event->kind);
}

static char *pending_key(const struct row *row)
{
    return text_key(((const struct m_pending *)row)->api.auth_id);
}

static void finish_pending(struct row *row)
{
    struct m_pending *p = (struct m_pending *)row;

    if (p->api.kind == API_PENDING_SSH)
        p->ssh = mem_format("%s to %s as %s", *p->api.ssh_source ? p->api.ssh_source : "?",
                            *p->api.ssh_target ? p->api.ssh_target : "?", *p->api.ssh_user ? p->api.ssh_user : "?");
}

static void release_pending(struct row *row)
{
    free(((struct m_pending *)row)->ssh);
}

static char *user_key(const struct row *row)
{
    return id_key(((const struct m_user *)row)->api.id);
}

static char *preauth_key_key(const struct row *row)
{
    return id_key(((const struct m_preauth_key *)row)->api.id);
}

static char *api_key_key(const struct row *row)
{
    return id_key(((const struct m_api_key *)row)->api.id);
}

static char *oauth_client_key(const struct row *row)
{
    return id_key(((const struct m_oauth_client *)row)->api.id);
}

static char *login_key(const struct row *row)
{
    const struct api_identity *i = &((const struct m_login *)row)->api;

    return *i->provider && *i->subject ? mem_format("%s %s %s", i->provider, i->issuer, i->subject) : NULL;
}

static char *webhook_key(const struct row *row)
{
    return id_key(((const struct m_webhook *)row)->api.id);
}

static void finish_webhook(struct row *row)
{
    ((struct m_webhook *)row)->host = webhook_host(((const struct m_webhook *)row)->api.url);
}

static void release_webhook(struct row *row)
{
    free(((struct m_webhook *)row)->host);
}

static void release_prefix(struct row *row)
{
    free(((struct m_prefix *)row)->drained);
}

static void release_dns(struct row *row)
{
    const struct m_dns *d = (const struct m_dns *)row;
    const char *const texts[] = {d->member, d->label, d->domain, d->value, d->configured};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        free((void *)(uintptr_t)texts[i]);
}

static void release_need(struct row *row)
{
    struct m_need *n = (struct m_need *)row;

    free(n->code);
    free(n->object);
    free(n->name);
    free(n->text);
}

/* ---- all ---- */

#define KIND(type, shape, ...)                                                                                         \
    {                                                                                                                  \
        sizeof(struct type), offsetof(struct type, api), sizeof(((struct type *)NULL)->api), &(shape), __VA_ARGS__     \
    }
static const struct {
    size_t size, at, api_size;           /* of the row; offset and size of the API's object in it */
    const struct api_shape *shape;       /* NULL: not an object of the API */
    char *(*key)(const struct row *row); /* NULL if it has no key */
    void (*finish)(struct row *row);
    void (*release)(struct row *row);
} kinds[ROW_KINDS] = {
    [ROW_NODE] = KIND(m_node, api_node_shape, node_key, finish_node, release_node),
    [ROW_ROUTE] = KIND(m_route, api_route_shape, route_key, NULL, NULL),
    [ROW_PREFIX] = KIND(m_prefix, api_prefix_shape, key_of_prefix, finish_prefix, release_prefix),
    [ROW_EVENT] = KIND(m_event, api_event_shape, event_key, finish_event, NULL),
    [ROW_PENDING] = KIND(m_pending, api_pending_shape, pending_key, finish_pending, release_pending),
    [ROW_USER] = KIND(m_user, api_user_shape, user_key, NULL, NULL),
    [ROW_PREAUTH_KEY] = KIND(m_preauth_key, api_preauth_key_shape, preauth_key_key, NULL, NULL),
    [ROW_API_KEY] = KIND(m_api_key, api_api_key_shape, api_key_key, NULL, NULL),
    [ROW_OAUTH_CLIENT] = KIND(m_oauth_client, api_oauth_client_shape, oauth_client_key, NULL, NULL),
    [ROW_LOGIN] = KIND(m_login, api_identity_shape, login_key, NULL, NULL),
    [ROW_WEBHOOK] = KIND(m_webhook, api_webhook_shape, webhook_key, finish_webhook, release_webhook),
    [ROW_DNS] = {.size = sizeof(struct m_dns), .release = release_dns},
    [ROW_NEED] = {.size = sizeof(struct m_need), .release = release_need},
};

/* Fills the row's other members from its object. */
static struct row *finish(enum row_kind kind, struct row *row)
{
    row->kind = kind;
    row->key = kinds[kind].key(row);
    if (!row->key) {
        api_release(kinds[kind].shape, (char *)row + kinds[kind].at);
        free(row);
        return NULL;
    }
    if (kinds[kind].finish)
        kinds[kind].finish(row);
    return row;
}

struct row *row_take(enum row_kind kind, void *object)
{
    struct row *row = mem_alloc(kinds[kind].size);

    memcpy((char *)row + kinds[kind].at, object, kinds[kind].api_size);
    memset(object, 0, kinds[kind].api_size);
    return finish(kind, row);
}

struct row *row_read(enum row_kind kind, const json_t *object)
{
    struct row *row = mem_alloc(kinds[kind].size);

    if (api_read(kinds[kind].shape, object, (char *)row + kinds[kind].at, API_FOR_TERMINAL, NULL) < 0) {
        free(row);
        return NULL;
    }
    return finish(kind, row);
}

struct row *row_need(const char *code, int severity, const struct row *of, const char *name, const char *text)
{
    struct m_need *n = mem_alloc(sizeof(*n));

    *n = (struct m_need){.row = {.kind = ROW_NEED, .key = of ? mem_format("%s %s", code, of->key) : mem_strdup(code)},
                         .severity = severity,
                         .code = mem_strdup(code),
                         .of = of ? of->kind : ROW_KINDS,
                         .object = mem_strdup(of ? of->key : ""),
                         .name = mem_strdup(name),
                         .text = mem_strdup(text)};
    return &n->row;
}

struct row *row_dns(const struct m_dns *like)
{
    struct m_dns *d = mem_alloc(sizeof(*d));

    *d = *like;
    d->row =
        (struct row){.kind = ROW_DNS,
                     .key = like->domain ? mem_format("%s %s", like->member, like->domain) : mem_strdup(like->member)};
    d->member = mem_strdup(like->member);
    d->label = mem_strdup(like->label);
    d->domain = like->domain ? mem_strdup(like->domain) : NULL;
    d->value = mem_strdup(like->value);
    d->configured = like->configured ? mem_strdup(like->configured) : NULL;
    return &d->row;
}

void row_free(struct row *row)
{
    if (!row)
        return;
    if (kinds[row->kind].release)
        kinds[row->kind].release(row);
    if (kinds[row->kind].shape)
        api_release(kinds[row->kind].shape, (char *)row + kinds[row->kind].at);
    free(row->key);
    free(row->failure);
    free(row->facts);
    free(row);
}

size_t row_size(enum row_kind kind)
{
    return kinds[kind].size;
}

const char *key_row_text(const struct row *row)
{
    return row->kind == ROW_API_KEY ? ((const struct m_api_key *)row)->api.prefix
                                    : ((const struct m_preauth_key *)row)->api.key;
}

int64_t key_row_expiry_ns(const struct row *row)
{
    return row->kind == ROW_API_KEY ? ((const struct m_api_key *)row)->api.expiration_ns
                                    : ((const struct m_preauth_key *)row)->api.expiration_ns;
}

const char *preauth_key_owner(const struct row *row)
{
    const struct api_preauth_key *k = &((const struct m_preauth_key *)row)->api;

    return k->tags.len ? k->tags.items[0] : k->user ? k->user->name : "";
}

enum glyph route_state_glyph(int state)
{
    static const enum glyph glyphs[ROUTE_STATES] = {
        [ROUTE_NONE] = GLYPH_ROUTE_OFFLINE,  [ROUTE_AVAILABLE] = GLYPH_UNAPPROVED,
        [ROUTE_APPROVED] = GLYPH_APPROVED,   [ROUTE_STANDBY] = GLYPH_STANDBY,
        [ROUTE_SERVING] = GLYPH_SERVING,     [ROUTE_OFFLINE] = GLYPH_ROUTE_OFFLINE,
        [ROUTE_UNHEALTHY] = GLYPH_UNHEALTHY,
    };

    return glyphs[is_known(state) ? state : ROUTE_NONE];
}

enum glyph node_glyph(const struct m_node *n)
{
    if (n->row.gone_ms)
        return GLYPH_GONE;
    if (n->api.needs_approval)
        return GLYPH_UNAPPROVED;
    if (n->api.expired)
        return GLYPH_EXPIRED;
    if (!n->api.online)
        return GLYPH_OFFLINE;
    if (!n->api.healthy)
        return GLYPH_UNHEALTHY;
    return n->api.draining ? GLYPH_DRAINED : GLYPH_ONLINE;
}

void pending_client(const struct m_pending *p, struct buf *out)
{
    const struct api_pending *api = &p->api;
    const char *const words[] = {api->os, api->client_version, *api->source ? "from" : "", api->source};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (*words[i])
            buf_addf(out, "%s%s", out->len ? " " : "", words[i]);
    if (!out->len)
        buf_adds(out, "not known");
}

void pending_login(const struct m_pending *p, int64_t now_ns, struct buf *out)
{
    char ago[AGO_MAX];

    if (!*p->api.login_provider)
        return;
    span_text(now_ns - p->api.login_since_ns, ago);
    if (*p->api.login_user)
        buf_addf(out, "%s logged in with %s %s ago and is asked to confirm", p->api.login_user, p->api.login_provider,
                 ago);
    else
        buf_addf(out, "a browser went to %s %s ago; nobody has logged in yet", p->api.login_provider, ago);
}

const char *row_label(const struct row *row)
{
    switch (row->kind) {
    case ROW_NODE:
        return ((const struct m_node *)row)->api.given_name;
    case ROW_USER:
        return ((const struct m_user *)row)->api.name;
    case ROW_PENDING:
        return ((const struct m_pending *)row)->api.hostname;
    case ROW_NEED:
        return ((const struct m_need *)row)->name;
    case ROW_OAUTH_CLIENT:
        return ((const struct m_oauth_client *)row)->api.client_id;
    case ROW_LOGIN:
        return ((const struct m_login *)row)->api.subject;
    case ROW_WEBHOOK:
        return ((const struct m_webhook *)row)->host;
    case ROW_DNS: {
        const struct m_dns *d = (const struct m_dns *)row;

        return d->domain ? d->domain : d->label;
    }
    case ROW_ROUTE:
    case ROW_PREFIX:
    case ROW_EVENT:
    case ROW_PREAUTH_KEY:
    case ROW_API_KEY:
    case ROW_KINDS:
        break;
    }
    return row->key;
}

char *row_title(const struct row *row)
{
    if (row->kind == ROW_PREAUTH_KEY) {
        const char *owner = preauth_key_owner(row);

        return mem_format("pre-auth key %s%s%s", row->key, *owner ? " of " : "", owner);
    }
    if (row->kind == ROW_API_KEY) {
        const char *description = ((const struct m_api_key *)row)->api.description;

        return mem_format("API key %s%s%s", row->key, *description ? ", " : "", description);
    }
    if (row->kind == ROW_OAUTH_CLIENT) {
        const struct api_oauth_client *c = &((const struct m_oauth_client *)row)->api;

        return mem_format("OAuth client %s%s%s", c->client_id, *c->description ? ", " : "", c->description);
    }
    if (row->kind == ROW_LOGIN)
        return mem_format("%s of %s", row_label(row), ((const struct m_login *)row)->api.provider);
    if (row->kind == ROW_WEBHOOK)
        return mem_format("webhook %s to %s", row->key, row_label(row));
    return mem_strdup(row_label(row));
}

bool route_is_address(const struct m_route *r)
{
    return r->api.prefix.bits == r->api.prefix.addr.bits;
}
