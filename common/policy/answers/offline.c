/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes what every node would be sent from a policy and a tailnet, both as text: for `headway policy compile` and
 * for the recordings that the tests compare with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"
#include "json/json.h"

#define TAILNET_MAX (64U << 20)

struct offline_node {
    struct policy_node n;
    struct strs tags;
    struct prefixes advertised, routes, serving;
};

struct offline_tailnet {
    struct policy_user *users;
    struct offline_node *nodes;
    struct policy_node *array;
    const char **domains;
    struct policy_tailnet t;
};

static void offline_release(struct offline_tailnet *o)
{
    for (size_t i = 0; i < o->t.node_count; i++) {
        strs_release(&o->nodes[i].tags);
        prefixes_release(&o->nodes[i].advertised);
        prefixes_release(&o->nodes[i].routes);
        prefixes_release(&o->nodes[i].serving);
    }
    free(o->users);
    free(o->nodes);
    free(o->array);
    free(o->domains);
}

static int read_prefixes(const json_t *node, const char *key, struct prefixes *out, struct err *e)
{
    json_t *list = NULL, *item;
    size_t i;
    struct prefix p;

    int code = json_get_array(node, key, &list, e);
    json_array_foreach(list, i, item)
    {
        const char *text = json_is_string(item) ? json_string_value(item) : "";
        if (code == 0)
            code = prefix_parse(text, &p, NULL, e);
        if (code == 0)
            prefixes_add(out, &p);
    }
    return code;
}

static int read_address(const json_t *node, const char *key, struct addr *out, struct err *e)
{
    const char *text = NULL;
    int code = json_get_str(node, key, &text, e);

    return code == 0 && text ? addr_parse(text, out, e) : code;
}

static uint64_t find_user(const struct offline_tailnet *o, const char *name)
{
    for (size_t i = 0; i < o->t.user_count; i++)
        if (str_eq(o->users[i].name, name) || str_eq(o->users[i].email, name))
            return o->users[i].id;
    return 0;
}

static int read_node(struct offline_tailnet *o, size_t index, const json_t *from, struct err *e)
{
    struct offline_node *n = &o->nodes[index];
    const char *user = NULL, *name = NULL;
    json_t *tags = NULL, *tag;
    uint64_t order = UINT64_MAX;
    bool online = true;
    size_t i;

    if (!json_is_object(from))
        return err_set(e, ERR_INVALID, "node %zu is no object", index);
    if (json_get_str(from, "name", &name, e) < 0 || json_get_str(from, "user", &user, e) < 0 ||
        json_get_array(from, "tags", &tags, e) < 0 || json_get_u64(from, "order", &order, e) < 0 ||
        json_get_bool(from, "online", &online, e) < 0 || read_address(from, "ipv4", &n->n.ipv4, e) < 0 ||
        read_address(from, "ipv6", &n->n.ipv6, e) < 0)
        return ERR_INVALID;
    struct prefixes approved = {0};
    int code = read_prefixes(from, "advertised", &n->advertised, e);
    if (code == 0)
        code = read_prefixes(from, "approved", &approved, e);
    prefixes_and(&n->routes, &n->advertised, &approved);
    prefixes_release(&approved);
    if (code < 0)
        return code;
    json_array_foreach(tags, i, tag)
    {
        if (json_is_string(tag))
            strs_push(&n->tags, json_string_value(tag));
    }
    n->n.slot = (uint32_t)index;
    n->n.id = index + 1;
    n->n.name = name ? name : "";
    n->n.user_id = user ? find_user(o, user) : 0;
    n->n.order = order;
    n->n.online = n->n.healthy = online;
    if (user && !n->n.user_id)
        return err_field(e, ERR_INVALID, "user", "node %s: no user is called \"%s\"", n->n.name, user);
    return 0;
}

/* The oldest router that is online serves a prefix. */
static void elect(struct offline_tailnet *o, size_t index)
{
    struct offline_node *n = &o->nodes[index];

    for (size_t i = 0; n->n.online && i < n->routes.len; i++) {
        bool first = !prefix_is_exit(&n->routes.items[i]);
        for (size_t k = 0; k < o->t.node_count && first; k++) {
            const struct offline_node *m = &o->nodes[k];
            first = k == index || !m->n.online || !prefixes_has(&m->routes, &n->routes.items[i]) ||
                    m->n.order > n->n.order || (m->n.order == n->n.order && k > index);
        }
        if (first)
            prefixes_add(&n->serving, &n->routes.items[i]);
    }
}

static int read_users(struct offline_tailnet *o, const json_t *list, struct err *e)
{
    json_t *u;
    size_t i;

    o->users = mem_alloc((json_array_size(list) + 1) * sizeof(*o->users));
    json_array_foreach(list, i, u)
    {
        const char *name = "", *email = "", *role = "", *provider = "";
        uint64_t id = i + 1;

        if (!json_is_object(u))
            return err_set(e, ERR_INVALID, "user %zu is no object", i);
        if (json_get_str(u, "name", &name, e) < 0 || json_get_str(u, "email", &email, e) < 0 ||
            json_get_str(u, "role", &role, e) < 0 || json_get_u64(u, "id", &id, e) < 0)
            return ERR_INVALID;
        o->users[i] = (struct policy_user){.id = id,
                                           .name = name,
                                           .email = email,
                                           .provider_id = provider,
                                           .role = str_eq(role, "owner")   ? POLICY_OWNER
                                                   : str_eq(role, "admin") ? POLICY_ADMIN
                                                                           : POLICY_MEMBER};
        o->t.user_count = i + 1;
    }
    o->t.users = o->users;
    return 0;
}

static int offline_read(struct offline_tailnet *o, const json_t *root, struct err *e)
{
    json_t *users = NULL, *nodes = NULL, *settings = NULL, *domains = NULL, *item;
    size_t i;

    if (!json_is_object(root))
        return err_set(e, ERR_INVALID, "the tailnet must be an object with users and nodes");
    if (json_get_array(root, "users", &users, e) < 0 || json_get_array(root, "nodes", &nodes, e) < 0 ||
        json_get_object(root, "settings", &settings, e) < 0 ||
        (settings && json_get_array(settings, "domains", &domains, e) < 0) || read_users(o, users, e) < 0)
        return ERR_INVALID;
    if (domains) {
        o->domains = mem_alloc((json_array_size(domains) + 1) * sizeof(*o->domains));
        json_array_foreach(domains, i, item)
        {
            o->domains[i] = json_is_string(item) ? json_string_value(item) : "";
        }
        o->t.domains = o->domains;
        o->t.domain_count = json_array_size(domains);
    }
    o->nodes = mem_alloc((json_array_size(nodes) + 1) * sizeof(*o->nodes));
    o->array = mem_alloc((json_array_size(nodes) + 1) * sizeof(*o->array));
    json_array_foreach(nodes, i, item)
    {
        o->t.node_count = i + 1;
        if (read_node(o, i, item, e) < 0)
            return ERR_INVALID;
    }
    for (i = 0; i < o->t.node_count; i++)
        elect(o, i);
    for (i = 0; i < o->t.node_count; i++) {
        struct offline_node *n = &o->nodes[i];
        n->n.tags = (const char *const *)n->tags.items;
        n->n.tag_count = n->tags.len;
        n->n.routes = n->routes.items;
        n->n.route_count = n->routes.len;
        n->n.serving = n->serving.items;
        n->n.serving_count = n->serving.len;
        o->array[i] = n->n;
    }
    o->t.nodes = o->array;
    return 0;
}

/* ---- output ---- */

static void put_prefixes(struct json_out *o, const char *key, const struct vnode *n, bool no_ipv4,
                         const struct prefixes *more, bool primaries)
{
    char text[PREFIX_TEXT_MAX];
    struct prefix own[2] = {{n->ipv4, n->ipv4.bits}, {n->ipv6, n->ipv6.bits}};

    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < 2; i++)
        if (!primaries && own[i].bits && !(i == 0 && no_ipv4))
            json_str(o, prefix_format(&own[i], text));
    for (size_t i = 0; more && i < more->len; i++)
        if (!primaries || !prefix_is_exit(&more->items[i]))
            json_str(o, prefix_format(&more->items[i], text));
    json_close(o, ']');
}

static void put_peers(const struct policy_view *v, uint32_t slot, struct json_out *o)
{
    json_key(o, "peers");
    json_open(o, '{');
    for (uint32_t k = 0; k < v->slots; k++) {
        struct prefixes shown = {0};

        if (!policy_sees(v, slot, k))
            continue;
        policy_routes(v, slot, k, &shown);
        json_key(o, v->nodes[k].name);
        json_open(o, '{');
        put_prefixes(o, "allowed_ips", &v->nodes[k], policy_hides_ipv4(v, slot, k), &shown, false);
        put_prefixes(o, "primary_routes", &v->nodes[k], false, &shown, true);
        if (prefixes_has_exit(&shown)) {
            json_key(o, "caps");
            json_open(o, '{');
            json_key(o, "suggest-exit-node");
            json_nil(o);
            json_close(o, '}');
        }
        json_close(o, '}');
        prefixes_release(&shown);
    }
    json_close(o, '}');
}

static void put_self(const struct policy_view *v, uint32_t slot, const struct offline_node *from, struct json_out *o)
{
    bool hidden = policy_has_attr(v, slot, "disable-ipv4");
    struct strs attrs = {0};
    struct prefixes approves = {0};

    json_key(o, "self");
    json_open(o, '{');
    put_prefixes(o, "addresses", &v->nodes[slot], hidden, NULL, false);
    put_prefixes(o, "allowed_ips", &v->nodes[slot], hidden, &from->routes, false);
    put_prefixes(o, "primary_routes", &v->nodes[slot], hidden, &from->serving, true);
    policy_attrs(v, slot, &attrs);
    json_key(o, "caps");
    json_open(o, '{');
    for (size_t i = 0; i < attrs.len; i++) {
        json_key(o, attrs.items[i]);
        json_nil(o);
    }
    json_close(o, '}');
    json_close(o, '}');
    for (size_t i = 0; i < from->advertised.len; i++)
        if (policy_approves(v, slot, &from->advertised.items[i]))
            prefixes_add(&approves, &from->advertised.items[i]);
    char text[PREFIX_TEXT_MAX];
    json_key(o, "auto_approve");
    json_open(o, '[');
    for (size_t i = 0; i < approves.len; i++)
        json_str(o, prefix_format(&approves.items[i], text));
    json_close(o, ']');
    prefixes_release(&approves);
    strs_release(&attrs);
}

static void put_node(const struct policy_view *v, uint32_t slot, const struct offline_node *from, struct json_out *o)
{
    struct buf part = BUF_INIT(0);

    json_open(o, '{');
    policy_filter(v, slot, &part);
    json_key(o, "filter");
    json_raw(o, buf_text(&part), part.len);
    put_peers(v, slot, o);
    put_self(v, slot, from, o);
    buf_clear(&part);
    policy_ssh(v, slot, "https://unused", &part);
    json_key(o, "ssh");
    json_raw(o, buf_text(&part), part.len);
    json_close(o, '}');
    buf_release(&part);
}

static void text_list(struct buf *out, const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        buf_adds(out, i ? ", " : "");
        str_safe(out, json_string_value(item), json_string_length(item));
    }
}

static void text_rule(struct buf *out, const json_t *rule)
{
    const json_t *entry, *item;
    size_t i, k;

    buf_adds(out, "    from ");
    text_list(out, json_object_get(rule, "SrcIPs"));
    json_array_foreach(json_object_get(rule, "DstPorts"), i, entry)
    {
        const json_t *ports = json_object_get(entry, "Ports");
        json_int_t first = json_integer_value(json_object_get(ports, "First"));
        json_int_t last = json_integer_value(json_object_get(ports, "Last"));
        buf_addf(out, "\n      to %s ", json_text(entry, "IP", ""));
        if (first == 0 && last == UINT16_MAX)
            buf_adds(out, "port *");
        else if (first == last)
            buf_addf(out, "port %lld", (long long)first);
        else
            buf_addf(out, "ports %lld-%lld", (long long)first, (long long)last);
    }
    json_array_foreach(json_object_get(rule, "IPProto"), k, item)
    {
        buf_addf(out, "%sprotocol %lld", k ? ", " : "\n      ", (long long)json_integer_value(item));
    }
    json_array_foreach(json_object_get(rule, "CapGrant"), i, entry)
    {
        char *caps = json_compact(json_object_get(entry, "CapMap"));
        buf_adds(out, "\n      on ");
        text_list(out, json_object_get(entry, "Dsts"));
        buf_addf(out, ": ");
        str_safe(out, caps, strlen(caps));
        free(caps);
    }
    buf_addc(out, '\n');
}

/* The form for people, made from the JSON so that the two cannot differ. */
static void text_node(struct buf *out, const char *name, const json_t *node)
{
    const json_t *item;
    const char *key;
    size_t i;

    str_safe(out, name, strlen(name));
    buf_adds(out, "\n  addresses: ");
    text_list(out, json_object_get(json_object_get(node, "self"), "allowed_ips"));
    buf_adds(out, "\n  peers:\n");
    json_object_foreach((json_t *)(uintptr_t)json_object_get(node, "peers"), key, item)
    {
        buf_adds(out, "    ");
        str_safe(out, key, strlen(key));
        buf_adds(out, ": ");
        text_list(out, json_object_get(item, "allowed_ips"));
        buf_addc(out, '\n');
    }
    buf_adds(out, "  filter:\n");
    json_array_foreach(json_object_get(node, "filter"), i, item)
    {
        text_rule(out, item);
    }
    json_array_foreach(json_object_get(node, "ssh"), i, item)
    {
        char *rule = json_compact(item);
        buf_adds(out, i ? "    " : "  ssh:\n    ");
        str_safe(out, rule, strlen(rule));
        buf_addc(out, '\n');
        free(rule);
    }
}

static int write_nodes(const struct policy_view *v, const struct offline_tailnet *o, const char *only, bool as_json,
                       struct buf *out)
{
    struct json_out j = JSON_OUT(out);
    size_t written = 0;

    if (as_json)
        json_open(&j, '{');
    for (size_t i = 0; i < o->t.node_count; i++) {
        if (only && !str_eq(only, o->nodes[i].n.name))
            continue;
        written++;
        if (as_json) {
            json_key(&j, o->nodes[i].n.name);
            put_node(v, (uint32_t)i, &o->nodes[i], &j);
            continue;
        }
        struct buf b = BUF_INIT(0);
        struct json_out one = JSON_OUT(&b);
        json_t *tree = NULL;
        put_node(v, (uint32_t)i, &o->nodes[i], &one);
        if (json_read_large(buf_text(&b), b.len, SIZE_MAX, "the result", &tree, NULL) == 0)
            text_node(out, o->nodes[i].n.name, tree);
        json_decref(tree);
        buf_release(&b);
    }
    if (as_json)
        json_close(&j, '}');
    return written || !only ? 0 : ERR_MISSING;
}

int policy_compile_texts(const char *policy, size_t policy_len, const char *tailnet, size_t tailnet_len,
                         const char *node, bool as_json, struct buf *out, struct policy_problems *problems)
{
    struct offline_tailnet o = {0};
    struct policy *p = NULL;
    json_t *root = NULL;
    struct err e = {0};

    int code = json_read_large(tailnet, tailnet_len, TAILNET_MAX, "the tailnet", &root, &e);
    if (code == 0)
        code = offline_read(&o, root, &e);
    if (code < 0)
        problem_at(problems, "", 0, SIZE_MAX, false, "%s", e.message);
    if (code == 0)
        code = policy_parse(policy, policy_len, &p, problems);
    if (code == 0) {
        struct policy_view *v = policy_view_new(p, &o.t, NULL);
        code = policy_view_check(v, true, problems);
        if (code == 0)
            code = write_nodes(v, &o, node, as_json, out);
        if (code == ERR_MISSING)
            problem_at(problems, "", 0, SIZE_MAX, false, "the tailnet has no node \"%s\"", node);
        policy_view_free(v);
    }
    policy_unref(p);
    offline_release(&o);
    json_decref(root);
    return code;
}
