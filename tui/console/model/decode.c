/* SPDX-License-Identifier: BSD-3-Clause */
/* A field that is missing or of another kind reads as empty: an older or newer daemon still gives a usable screen. What
 * must be there is what makes an object an object: its id. */
#include "console/model/decode.h"

#include "base/clock.h"
#include "base/mem.h"
#include "json/json.h"

#define TEXT_MAX 2048

static char *safe(const char *text)
{
    struct buf b = BUF_INIT(0);

    str_safe(&b, text, strnlen(text, TEXT_MAX));
    return buf_take(&b);
}

static void put(char **to, const json_t *o, const char *key)
{
    free(*to);
    *to = safe(json_text(o, key, ""));
}

static bool flag(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static int64_t when(const json_t *o, const char *key)
{
    const char *text = json_text(o, key, "");
    int64_t ns = 0;

    if (!*text || time_parse(text, &ns, key, NULL) < 0)
        return 0;
    return ns;
}

static uint64_t number(const json_t *o, const char *key)
{
    uint64_t n = 0;

    return json_get_u64(o, key, &n, NULL) < 0 ? 0 : n;
}

static void texts(struct strs *to, const json_t *o, const char *key)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(o, key), i, item)
    {
        if (json_is_string(item)) {
            char *text = safe(json_string_value(item));

            strs_push(to, text);
            free(text);
        }
    }
}

/* An id: digits as text or a number, a prefix, an auth id. NULL where there is none. */
static const char *id_of(const json_t *o, const char *key, char text[24])
{
    const json_t *value = json_object_get(o, key);

    if (json_is_integer(value)) {
        snprintf(text, 24, "%lld", (long long)json_integer_value(value));
        return text;
    }
    const char *id = json_string_value(value);
    return id && *id && strlen(id) < 256 ? id : NULL;
}

static void *start(const json_t *o, enum row_kind kind, const char *id_name)
{
    char text[24];
    const char *id = id_of(o, id_name, text);
    char *key = id ? safe(id) : NULL;
    void *row = key ? row_new(kind, key) : NULL;

    free(key);
    return row;
}

static void put_id(char **to, const json_t *o, const char *key)
{
    char text[24];
    const char *id = id_of(o, key, text);

    free(*to);
    *to = id ? safe(id) : mem_strdup("");
}

static int route_order(const void *a, const void *b)
{
    return prefix_cmp(&(*(struct m_route *const *)a)->prefix, &(*(struct m_route *const *)b)->prefix);
}

static void node_routes(struct m_node *n, const json_t *o)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(o, "routes"), i, item)
    {
        struct m_route *r = start(item, ROW_ROUTE, "prefix");
        int state = m_state_parse(json_text(item, "state", ""));

        if (!r)
            continue;
        if (state < 0 || prefix_parse(r->row.key, &r->prefix, NULL, NULL) < 0) {
            row_free(&r->row);
            continue;
        }
        r->node = n;
        r->state = (enum route_state)state;
        r->exit = prefix_is_exit(&r->prefix);
        put_id(&r->primary, item, "primary");
        put(&r->primary_name, item, "primaryName");
        put(&r->reason, item, "reason");
        put(&r->approved_by, item, "approvedBy");
        vec_push(&n->routes, r);
        n->available += r->state != ROUTE_APPROVED;
        n->approved += r->state != ROUTE_AVAILABLE;
        n->serving += r->state == ROUTE_SERVING;
        n->waiting += r->state == ROUTE_AVAILABLE;
        n->unhealthy += r->state == ROUTE_UNHEALTHY;
    }
    if (n->routes.len > 1)
        qsort(n->routes.items, n->routes.len, sizeof(*n->routes.items), route_order);
}

/* Words that describe the node, so that "/offline router" finds what a person means by it. */
static void node_words(struct m_node *n)
{
    struct buf b = BUF_INIT(0);

    buf_addf(&b, "%s %s %s %s %s %s", n->name, n->hostname, n->owner, n->ipv4, n->ipv6, n->os);
    for (size_t i = 0; i < n->tags.len; i++)
        buf_addf(&b, " %s", n->tags.items[i]);
    for (size_t i = 0; i < n->routes.len; i++)
        buf_addf(&b, " %s", n->routes.items[i]->row.key);
    buf_addf(&b, " %s%s%s%s%s%s%s%s", n->expired ? "expired " : "", n->online ? "online" : "offline",
             n->healthy || !n->online ? "" : " unhealthy", n->exit_node ? " exit" : "",
             n->ephemeral ? " ephemeral" : "", n->waiting ? " waiting" : "", n->logged_out ? " logged-out" : "",
             n->draining ? " draining" : "");
    free(n->words);
    n->words = buf_take(&b);
}

static struct row *read_node(const json_t *o)
{
    struct m_node *n = start(o, ROW_NODE, "id");
    const json_t *user = json_object_get(o, "user"), *addresses = json_object_get(o, "ipAddresses"), *item;
    size_t i;

    if (!n || str_u64(n->row.key, 0, UINT64_MAX, &n->id, "id", NULL) < 0) {
        if (n)
            row_free(&n->row);
        return NULL;
    }
    put(&n->name, o, "givenName");
    put(&n->hostname, o, "name");
    put(&n->fqdn, o, "fqdn");
    if (str_ends(n->fqdn, "."))
        n->fqdn[strlen(n->fqdn) - 1] = '\0';
    put(&n->method, o, "registerMethod");
    put(&n->os, o, "os");
    put(&n->os_version, o, "osVersion");
    put(&n->client, o, "clientVersion");
    put(&n->relay, o, "relayName");
    put(&n->source, o, "source");
    put(&n->machine_key, o, "machineKey");
    put(&n->node_key, o, "nodeKey");
    put_id(&n->key_text, json_object_get(o, "preAuthKey"), "id");
    texts(&n->tags, o, "tags");
    texts(&n->endpoints, o, "endpoints");
    json_array_foreach(addresses, i, item)
    {
        const char *text = json_string_value(item);
        char **to = text && strchr(text, ':') ? &n->ipv6 : &n->ipv4;

        if (text && !**to) {
            free(*to);
            *to = safe(text);
        }
    }
    n->tagged = n->tags.len > 0;
    free(n->owner);
    n->owner = n->tagged ? mem_strdup(n->tags.items[0]) : safe(json_text(user, "name", ""));
    n->user_id = number(user, "id");
    n->version = number(o, "version");
    n->cap_version = number(o, "capVersion");
    n->online = flag(o, "online");
    n->healthy = !json_is_false(json_object_get(o, "healthy"));
    n->expired = flag(o, "expired");
    n->logged_out = flag(o, "loggedOut");
    n->ephemeral = flag(o, "ephemeral");
    n->exit_node = flag(o, "exitNode");
    n->draining = flag(o, "draining");
    n->last_seen_ns = when(o, "lastSeen");
    n->expiry_ns = when(o, "expiry");
    n->created_ns = when(o, "createdAt");
    n->since_ns = when(o, "since");
    node_routes(n, o);
    node_words(n);
    return &n->row;
}

static struct row *read_prefix(const json_t *o)
{
    struct m_prefix *p = start(o, ROW_PREFIX, "prefix");
    const json_t *item;
    size_t i;

    if (!p || prefix_parse(p->row.key, &p->prefix, NULL, NULL) < 0) {
        if (p)
            row_free(&p->row);
        return NULL;
    }
    p->exit = prefix_is_exit(&p->prefix);
    put_id(&p->primary, o, "primary");
    put(&p->primary_name, o, "primaryName");
    p->since_ns = when(o, "since");
    json_array_foreach(json_object_get(o, "routers"), i, item)
    {
        int state = m_state_parse(json_text(item, "state", ""));
        char text[24];
        const char *node = id_of(item, "node", text);

        if (state >= 0 && node)
            vec_push(&p->routers, ((struct m_router){.node = safe(node),
                                                     .name = safe(json_text(item, "name", "")),
                                                     .reason = safe(json_text(item, "reason", "")),
                                                     .state = (enum route_state)state}));
    }
    return &p->row;
}

static struct row *read_event(const json_t *o)
{
    struct m_event *ev = start(o, ROW_EVENT, "id");
    const json_t *detail = json_object_get(o, "detail");

    if (!ev)
        return NULL;
    const char *dot = strchr(ev->row.key, '.');
    char run[24] = "";
    if (dot && (size_t)(dot - ev->row.key) < sizeof(run))
        memcpy(run, ev->row.key, (size_t)(dot - ev->row.key));
    if (!dot || str_u64(run, 0, UINT64_MAX, &ev->run, "id", NULL) < 0 ||
        str_u64(dot + 1, 0, UINT64_MAX, &ev->seq, "id", NULL) < 0) {
        row_free(&ev->row);
        return NULL;
    }
    ev->time_ns = when(o, "time");
    put(&ev->event_kind, o, "kind");
    put(&ev->actor, o, "actor");
    put(&ev->object, o, "object");
    put_id(&ev->object_id, o, "objectId");
    put(&ev->object_name, o, "objectName");
    put(&ev->text, o, "text");
    put_id(&ev->undone_by, o, "undoneBy");
    ev->weight = event_weight(ev->event_kind);
    ev->undoable = json_is_object(json_object_get(o, "inverse"));
    if (json_is_object(detail)) {
        char *compact = json_compact(detail);

        free(ev->detail);
        ev->detail = safe(compact);
        free(compact);
    }
    return &ev->row;
}

static struct row *read_pending(const json_t *o)
{
    struct m_pending *p = start(o, ROW_PENDING, "authId");

    if (!p)
        return NULL;
    put(&p->kind, o, "kind");
    put(&p->hostname, o, "hostname");
    put(&p->os, o, "os");
    put(&p->client, o, "clientVersion");
    put(&p->source, o, "source");
    put(&p->command, o, "command");
    put(&p->machine_key, o, "machineKey");
    if (str_eq(p->kind, "ssh")) {
        char *text = mem_format("%s to %s as %s", json_text(o, "sshSource", "?"), json_text(o, "sshTarget", "?"),
                                json_text(o, "sshUser", "?"));

        free(p->ssh);
        p->ssh = safe(text);
        free(text);
    }
    texts(&p->tags, o, "requestTags");
    texts(&p->routes, o, "routes");
    p->created_ns = when(o, "createdAt");
    p->expires_ns = when(o, "expiresAt");
    return &p->row;
}

static struct row *read_user(const json_t *o)
{
    struct m_user *u = start(o, ROW_USER, "id");

    if (!u)
        return NULL;
    put(&u->name, o, "name");
    put(&u->display, o, "displayName");
    put(&u->email, o, "email");
    put(&u->provider, o, "provider");
    put(&u->role, o, "role");
    u->created_ns = when(o, "createdAt");
    u->version = number(o, "version");
    u->nodes = number(o, "nodeCount");
    return &u->row;
}

static struct row *read_key(const json_t *o, enum row_kind kind)
{
    struct m_key *k = start(o, kind, "id");

    if (!k)
        return NULL;
    put(&k->prefix, o, kind == ROW_API_KEY ? "prefix" : "key");
    put(&k->user, json_object_get(o, "user"), "name");
    put(&k->description, o, "description");
    texts(&k->tags, o, "aclTags");
    k->reusable = flag(o, "reusable");
    k->ephemeral = flag(o, "ephemeral");
    k->used = flag(o, "used");
    k->read_only = flag(o, "readOnly");
    k->expiry_ns = when(o, "expiration");
    k->created_ns = when(o, "createdAt");
    k->last_seen_ns = when(o, "lastSeen");
    return &k->row;
}

static struct row *read_preauth_key(const json_t *o)
{
    return read_key(o, ROW_PREAUTH_KEY);
}

static struct row *read_api_key(const json_t *o)
{
    return read_key(o, ROW_API_KEY);
}

static const struct {
    const char *member;
    struct row *(*read)(const json_t *o);
} readers[ROW_KINDS] = {
    [ROW_NODE] = {"nodes", read_node},         [ROW_PREFIX] = {"prefixes", read_prefix},
    [ROW_EVENT] = {"events", read_event},      [ROW_PENDING] = {"pending", read_pending},
    [ROW_USER] = {"users", read_user},         [ROW_PREAUTH_KEY] = {"preAuthKeys", read_preauth_key},
    [ROW_API_KEY] = {"apiKeys", read_api_key},
};

static void add(struct model_delta *out, enum row_kind kind, const json_t *o)
{
    struct row *row = json_is_object(o) && kind < ROW_KINDS && readers[kind].read ? readers[kind].read(o) : NULL;

    if (row)
        vec_push(&out->rows, row);
}

static void read_tables(const json_t *o, struct model_delta *out)
{
    for (int kind = 0; kind < ROW_KINDS; kind++) {
        const json_t *item;
        size_t i;

        if (!readers[kind].member)
            continue;
        json_array_foreach(json_object_get(o, readers[kind].member), i, item)
        {
            add(out, (enum row_kind)kind, item);
        }
    }
}

static void read_gone(const json_t *o, struct model_delta *out)
{
    for (int kind = 0; kind < ROW_KINDS; kind++) {
        const json_t *item;
        size_t i;

        if (!readers[kind].member)
            continue;
        json_array_foreach(json_object_get(o, readers[kind].member), i, item)
        {
            if (json_is_string(item))
                vec_push(&out->gone,
                         ((struct gone){.kind = (enum row_kind)kind, .key = safe(json_string_value(item))}));
        }
    }
}

static int check_object(const json_t *root, const char *what, struct err *e)
{
    return json_is_object(root) ? 0 : err_set(e, ERR_INVALID, "the %s is no object", what);
}

int decode_snapshot(const json_t *root, struct model_delta *out, struct err *e)
{
    if (check_object(root, "snapshot", e) < 0)
        return ERR_INVALID;
    const json_t *server = json_object_get(root, "server");
    *out = (struct model_delta){.full = true, .time_ns = when(root, "time")};
    put(&out->event, root, "event");
    put(&out->server_url, server, "url");
    put(&out->server_version, server, "version");
    put(&out->base_domain, server, "baseDomain");
    put(&out->policy_mode, server, "policyMode");
    read_tables(root, out);
    return 0;
}

int decode_message(const json_t *root, struct model_delta *out, struct err *e)
{
    if (check_object(root, "event", e) < 0)
        return ERR_INVALID;
    *out = (struct model_delta){.time_ns = when(root, "time")};
    if (json_object_get(root, "kind")) {
        put(&out->event, root, "id");
        add(out, ROW_EVENT, root);
    }
    read_tables(json_object_get(root, "changed"), out);
    read_gone(json_object_get(root, "removed"), out);
    add(out, ROW_NODE, json_object_get(root, "node"));
    return 0;
}

int decode_events(const json_t *root, struct model_delta *out, struct err *e)
{
    if (check_object(root, "journal", e) < 0)
        return ERR_INVALID;
    const json_t *item;
    size_t i;
    *out = (struct model_delta){0};
    json_array_foreach(json_object_get(root, "events"), i, item)
    {
        add(out, ROW_EVENT, item);
    }
    return 0;
}

int decode_whoami(const json_t *root, char **actor, bool *read_only, struct err *e)
{
    if (check_object(root, "answer of whoami", e) < 0)
        return ERR_INVALID;
    *actor = safe(json_text(root, "actor", ""));
    *read_only = flag(root, "readOnly") || str_eq(json_text(root, "scope", ""), "read");
    return 0;
}

void decode_reply(int status, const json_t *root, const struct err *why, enum row_kind result, struct reply *out)
{
    *out = (struct reply){.status = status};
    if (why && (status < 200 || status >= 300)) {
        char *message = safe(why->message);

        out->e = *why;
        str_copy(out->e.message, sizeof(out->e.message), *message ? message : "the server refused without a reason");
        free(message);
    }
    if (!json_is_object(root))
        return;
    out->undoable = json_is_object(json_object_get(root, "inverse"));
    const json_t *object = json_object_get(root, "result");
    if (json_is_string(json_object_get(root, "event")))
        put(&out->event, root, "event");
    add(&out->delta, result, json_object_get(root, "current"));
    /* A new key is whole in this answer: it is shown, not kept in the list, which the journal's entry fills. */
    if (status < 300 && (result == ROW_PREAUTH_KEY || result == ROW_API_KEY) && *json_text(object, "key", ""))
        put(&out->secret, object, "key");
    else
        add(&out->delta, result, object);
}

void reply_release(struct reply *r)
{
    free(r->event);
    free(r->secret);
    delta_release(&r->delta);
    json_decref(r->json);
    *r = (struct reply){0};
}
