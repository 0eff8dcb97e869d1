/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/route_problems.h"
#include "cli/simulate.h"
#include "crypto/crypto.h"
#include "model/record.h"
#include "net/prefixes.h"

/* "[fIQWe]": the first five letters of the key's base64. */
static void short_key(struct text_table *t, const char *prefix, const char *text)
{
    uint8_t key[KEY_LEN];
    struct buf base64 = BUF_INIT(0);
    char shown[16] = "";

    if (key_parse(prefix, text, key, "key", NULL) == 0) {
        crypto_base64(&base64, key, sizeof(key));
        snprintf(shown, sizeof(shown), "[%.5s]", buf_text(&base64));
    }
    table_text(t, shown, COLOR_PLAIN);
    buf_release(&base64);
}

static void node_row(struct text_table *t, const void *object)
{
    const struct api_node *n = object;
    bool expired = n->expiry_ns && n->expiry_ns < clock_wall_ns();

    table_number(t, n->id);
    table_text(t, n->hostname, COLOR_PLAIN);
    table_text(t, n->given_name, COLOR_PLAIN);
    short_key(t, "mkey:", n->machine_key);
    short_key(t, "nodekey:", n->node_key);
    table_text(t, n->tags.len ? "tagged-devices" : n->user ? n->user->name : "", COLOR_PLAIN);
    table_texts(t, &n->tags);
    table_addrs(t, &n->addrs);
    table_bool(t, n->preauth_key && n->preauth_key->ephemeral);
    table_time(t, n->last_seen_ns, "", false);
    table_time(t, n->expiry_ns, "N/A", true);
    table_text(t, n->online ? "online" : "offline", n->online ? COLOR_GOOD : COLOR_BAD);
    table_text(t, expired ? "yes" : "no", expired ? COLOR_BAD : COLOR_GOOD);
}

static const char *const node_heads[] = {"ID",         "Hostname",  "Name",         "MachineKey", "NodeKey",
                                         "User",       "Tags",      "IP addresses", "Ephemeral",  "Last seen",
                                         "Expiration", "Connected", "Expired"};
const struct listing node_listing = {"nodes",    &api_node_shape,       sizeof(struct api_node),
                                     node_heads, ARRAY_LEN(node_heads), node_row};

static void routes_row(struct text_table *t, const void *object)
{
    const struct api_node *n = object;

    table_number(t, n->id);
    table_text(t, n->given_name, COLOR_PLAIN);
    table_prefixes(t, &n->approved);
    table_prefixes(t, &n->available);
    table_prefixes(t, &n->serving);
}

static const char *const routes_heads[] = {"ID", "Hostname", "Approved", "Available", "Serving (Primary)"};
static const struct listing routes_listing = {"nodes",      &api_node_shape,         sizeof(struct api_node),
                                              routes_heads, ARRAY_LEN(routes_heads), routes_row};

static int show_with_warnings(struct cli *c, json_t *nodes, const struct listing *l)
{
    int status = cli_show_list(c, json_incref(nodes), l);

    if (status == 0)
        route_warnings_beside(c, nodes);
    json_decref(nodes);
    return status;
}

/* Nodes that wait for approval or lost it; headscale's API has no such list. */
static int list_waiting(struct cli *c, const char *user)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/nodes%s%s", *user ? "?user=" : "", user);
    json_t *nodes = json_array(), *node;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        if (json_is_true(json_object_get(node, "needsApproval")))
            json_array_append(nodes, node);
    }
    if (!answer) {
        json_decref(nodes);
        return 1;
    }
    json_decref(answer);
    return cli_show_list(c, json_pack("{s:o}", "nodes", nodes), &node_listing);
}

static int list(struct cli *c)
{
    struct api_user user = {0};
    json_t *answer;

    if (flags_given(&c->flags, "user") && !cli_find_user(c, flags_text(&c->flags, "user"), &user))
        return 1;
    char *query = cli_segment(user.name ? user.name : "");
    api_release(&api_user_shape, &user);
    if (flags_switch(&c->flags, "waiting")) {
        int r = list_waiting(c, query);
        free(query);
        return r;
    }
    answer = cli_call(c, "GET", NULL, "/api/v1/node%s%s", *query ? "?user=" : "", query);
    free(query);
    return show_with_warnings(c, answer, &node_listing);
}

/* The routes of all nodes that have any, or of one node. Only the list of all nodes tells what a node serves. */
static int list_routes(struct cli *c)
{
    uint64_t id = flags_number(&c->flags, "identifier");
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/node"), *nodes;
    struct api_list list;
    bool found = !id;

    if (!answer || !cli_read_list(c, answer, &node_listing, true, &list)) {
        json_decref(answer);
        return 1;
    }
    nodes = json_array();
    for (size_t i = 0; i < list.len; i++) {
        const struct api_node *n = api_at(&list, struct api_node, i);
        bool wanted = !id || n->id == id;
        found |= wanted;
        if (wanted && (n->approved.len || n->available.len || n->serving.len))
            json_array_append(nodes, json_array_get(json_object_get(answer, "nodes"), i));
    }
    api_release_list(&api_node_shape, &list);
    json_decref(answer);
    if (!found) {
        json_decref(nodes);
        return cli_failf(c, "node not found: %llu: see 'headway nodes list'", (unsigned long long)id);
    }
    return show_with_warnings(c, json_pack("{s:o}", "nodes", nodes), &routes_listing);
}

/* Prints the line and the node of an answer, which is consumed. */
static int node_done(struct cli *c, json_t *answer, const char *line)
{
    return cli_done(c, answer, line, "node", &api_node_shape);
}

int cli_node_registered(struct cli *c, json_t *answer)
{
    const char *name = json_text(json_object_get(answer, "node"), "givenName", "");
    char line[512];

    snprintf(line, sizeof(line), "Node %s registered", name);
    return node_done(c, answer, line);
}

static int register_node(struct cli *c)
{
    struct api_user user;
    json_t *answer;

    if (!cli_find_user(c, flags_text(&c->flags, "user"), &user))
        return 1;
    char *name = cli_segment(user.name), *key = cli_segment(flags_text(&c->flags, "key"));
    answer = cli_call(c, "POST", NULL, "/api/v1/node/register?user=%s&key=%s", name, key);
    api_release(&api_user_shape, &user);
    free(name);
    free(key);
    return cli_node_registered(c, answer);
}

/* A time, or "+30d" from now. */
static bool parse_expiry(const char *text, int64_t *ns)
{
    int64_t span = 0;

    if (*text != '+')
        return time_parse(text, ns, "expiry", NULL) == 0;
    return duration_parse(text + 1, &span, "expiry", NULL) == 0 && span > 0 &&
           !__builtin_add_overflow(clock_wall_ns(), span, ns);
}

static int expire(struct cli *c)
{
    const char *id = flags_text(&c->flags, "identifier"), *expiry = flags_text(&c->flags, "expiry");
    bool disable = flags_switch(&c->flags, "disable");
    json_t *body = json_object();
    char time[TIME_TEXT_MAX];
    struct err e = {0};
    int64_t ns = 0;

    if (*expiry && disable)
        e.code = err_set(&e, ERR_INVALID, "cannot set both --disable and --expiry");
    else if (*expiry && !parse_expiry(expiry, &ns))
        e.code = err_set(&e, ERR_INVALID,
                         "parsing expiry time: '%.60s' is neither a time such as 2026-12-31T23:59:59Z nor a duration "
                         "from now such as +30d",
                         expiry);
    if (e.code) {
        json_decref(body);
        return cli_fail(c, &e);
    }
    if (disable)
        json_object_set_new(body, "disableExpiry", json_true());
    else if (*expiry)
        json_object_set_new(body, "expiry", json_string(time_format(ns, time)));
    return node_done(c, cli_call(c, "POST", body, "/api/v1/node/%s/expire", id),
                     disable                           ? "Node expiry disabled"
                     : *expiry && ns > clock_wall_ns() ? "Node expiration updated"
                                                       : "Node expired");
}

static int rename_node(struct cli *c)
{
    char *name = cli_segment(c->args->items[0]);
    json_t *answer = cli_call(c, "POST", NULL, "/api/v1/node/%s/rename/%s", flags_text(&c->flags, "identifier"), name);

    free(name);
    return node_done(c, answer, "Node renamed");
}

static int delete_node(struct cli *c)
{
    const char *id = flags_text(&c->flags, "identifier"), *line = "Node deleted";
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/node/%s", id);

    if (!answer)
        return 1;
    if (!cli_confirm(c, "Do you want to remove the node %s?", json_text(json_object_get(answer, "node"), "name", ""))) {
        line = "Node not deleted";
    } else {
        json_decref(answer);
        answer = cli_call(c, "DELETE", NULL, "/api/v1/node/%s", id);
        if (!answer)
            return 1;
    }
    json_decref(answer);
    return cli_done(c, json_pack("{s:s}", "Result", line), line, NULL, NULL);
}

static int tag(struct cli *c)
{
    json_t *body = json_pack("{s:o}", "tags", cli_json_list(flags_list(&c->flags, "tags")));

    return node_done(c, cli_call(c, "POST", body, "/api/v1/node/%s/tags", flags_text(&c->flags, "identifier")),
                     "Node updated");
}

static int authorize(struct cli *c, bool authorized, const char *line)
{
    uint64_t node = cli_find_node(c, c->args->items[0]);
    json_t *answer;

    if (!node)
        return 1;
    answer = cli_call(c, "POST", json_pack("{s:b}", "authorized", authorized), "/api/headway/nodes/%llu/authorized%s",
                      (unsigned long long)node, flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    return cli_changed_or_simulated(c, answer, line,
                                    cli_node_change(authorized ? "authorize" : "unauthorize", node, NULL));
}

static int approve(struct cli *c)
{
    return authorize(c, true, "Node approved");
}

static int unapprove(struct cli *c)
{
    return authorize(c, false, "Node no longer approved");
}

static int approve_routes(struct cli *c)
{
    const struct strs *routes = flags_list(&c->flags, "routes");
    struct prefix prefix;
    bool exit = false;
    uint64_t node;

    if (!routes)
        return cli_failf(c,
                         "required flag(s) \"routes\" not set: the list replaces what is approved; --routes= revokes "
                         "all, 'headway routes approve' adds one");
    for (size_t i = 0; i < routes->len; i++) {
        if (prefix_parse_route(routes->items[i], &prefix, NULL) < 0)
            return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", routes->items[i]);
        exit = exit || prefix_is_exit(&prefix);
    }
    if (str_u64(flags_text(&c->flags, "identifier"), 1, INT64_MAX, &node, "identifier", NULL) == 0) {
        if (!exit)
            cli_note_exit_users(c, node);
        if (routes->len)
            route_warnings_before(c, node, routes);
    }
    return node_done(c,
                     cli_call(c, "POST", json_pack("{s:o}", "routes", cli_json_list(routes)),
                              "/api/v1/node/%s/approve_routes", flags_text(&c->flags, "identifier")),
                     "Node updated");
}

static int move(struct cli *c)
{
    struct api_user user;
    json_t *body;
    char id[24];

    if (!cli_find_user(c, flags_text(&c->flags, "user"), &user))
        return 1;
    snprintf(id, sizeof(id), "%llu", (unsigned long long)user.id);
    body = json_pack("{s:s}", "user", id);
    api_release(&api_user_shape, &user);
    return node_done(c, cli_call(c, "POST", body, "/api/v1/node/%s/user", flags_text(&c->flags, "identifier")),
                     "Node moved to another user");
}

static int backfill(struct cli *c)
{
    if (!cli_confirm(c, "Are you sure that you want to assign/remove IPs to/from nodes?"))
        return 0;
    return cli_done(c, cli_call(c, "POST", NULL, "/api/v1/node/backfillips?confirmed=true"),
                    "Node IPs backfilled successfully", NULL, NULL);
}

/* clang-format off */
#define IDENTIFIER {"identifier", 'i', FLAG_NUMBER, FLAG_REQUIRED, .value = "ID", .help = "id of the node"}
#define NAMESPACE {"namespace", 'n', FLAG_TEXT, FLAG_HIDDEN, .same_as = "user", .help = "older spelling of --user"}

static const struct flag list_flags[] = {
    {"user", 'u', FLAG_TEXT, .value = "NAME", .help = "list only the nodes of this user"},
    {"waiting", 'w', FLAG_SWITCH, .help = "list only the nodes that are not approved"},
    {"tags", 't', FLAG_SWITCH, FLAG_HIDDEN, .help = "ignored: tags are always shown"}, NAMESPACE, FLAGS_END};
static const struct flag list_routes_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .fallback = "0", .help = "list only this node; 0 lists all"}, FLAGS_END};
static const struct flag register_flags[] = {
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "user who will own the node"},
    {"key", 'k', FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "registration id that the client shows"}, NAMESPACE, FLAGS_END};
static const struct flag expire_flags[] = {IDENTIFIER,
    {"expiry", 'e', FLAG_TEXT, .value = "TIME", .help = "when the login ends: a time such as 2026-12-31T23:59:59Z, or a duration from now such as +30d; the default is now"},
    {"disable", 'd', FLAG_SWITCH, .help = "the login never ends"}, FLAGS_END};
static const struct flag id_flags[] = {IDENTIFIER, FLAGS_END};
static const struct flag tag_flags[] = {IDENTIFIER,
    {"tags", 't', FLAG_LIST, .value = "TAGS", .help = "tags of the node, such as tag:a,tag:b"}, FLAGS_END};
static const struct flag approve_flags[] = {IDENTIFIER,
    {"routes", 'r', FLAG_LIST, .value = "PREFIXES", .help = "prefixes, separated by commas; they replace the approved set"}, FLAGS_END};
static const struct flag authorize_flags[] = {
    {"dry-run", 0, FLAG_SWITCH, .help = "report what would happen, and change nothing"}, FLAGS_END};
static const struct flag move_flags[] = {IDENTIFIER,
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "new owner"}, NAMESPACE, FLAGS_END};

const struct command node_commands[] = {
    {"nodes", "node|machine|machines", .bits = CMD_GROUP, .brief = "Manage the nodes of the tailnet"},
    {"nodes list", "ls|show", NULL, list_flags, "List nodes", .run = list},
    {"nodes list-routes", "lsr|routes", NULL, list_routes_flags, "List approved, available and serving routes by node", .run = list_routes},
    {"nodes approve-routes", NULL, NULL, approve_flags, "Set the approved routes of a node",
     .text = "Set the approved routes of a node. The list replaces the approved set; --routes= revokes all. 0.0.0.0/0 and ::/0 are approved together. To add a single prefix use 'headway routes approve'", .run = approve_routes},
    {"nodes register", NULL, NULL, register_flags, "Register a pending node for a user", .deprecated = "auth register --auth-id <id> --user <user>", .run = register_node},
    {"nodes approve", NULL, "NODE", authorize_flags, "Let a machine that waits for approval take part in the tailnet", .run = approve},
    {"nodes unapprove", NULL, "NODE", authorize_flags, "Take the approval of a machine back: it reaches nobody, and nobody reaches it", .run = unapprove},
    {"nodes expire", "logout|exp|e", NULL, expire_flags, "Expire the login of a node, now or at a given time", .run = expire},
    {"nodes rename", NULL, "NEW_NAME", id_flags, "Rename a node", .run = rename_node},
    {"nodes tag", "tags|t", NULL, tag_flags, "Set the tags of a node", .run = tag},
    {"nodes delete", "del", NULL, id_flags, "Delete a node", .run = delete_node},
    {"nodes move", "mv", NULL, move_flags, "Move a node to another user", .bits = CMD_HIDDEN, .run = move},
    {"nodes diff", NULL, "NODE", NULL, "Compare what the client of a node holds with what it should",
     .text = "Ask the client of a node for its network map and compare it with what it should hold: itself and its peers, with their names, keys, addresses and routes. The exit status is 1 when something differs. It takes a client of 1.90 or newer", .run = nodes_diff},
    {"nodes backfillips", NULL, NULL, NULL, "Assign missing addresses to nodes", .run = backfill},
    {0}};
/* clang-format on */
