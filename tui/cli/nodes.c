/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"
#include "crypto/crypto.h"
#include "model/record.h"
#include "net/prefixes.h"

/* "[fIQWe]": the first five letters of the key's base64. */
static void short_key(struct table *t, const char *prefix, const char *text)
{
    uint8_t key[KEY_LEN];
    struct buf base64 = BUF_INIT(0);
    char shown[16] = "";

    if (key_parse(prefix, text, key, "key", NULL) == 0) {
        crypto_base64(&base64, key, sizeof(key));
        snprintf(shown, sizeof(shown), "[%.5s]", buf_text(&base64));
    }
    table_cell(t, shown, CELL_PLAIN);
    buf_release(&base64);
}

static bool is_past(const char *time)
{
    int64_t ns = 0;

    return time && time_parse(time, &ns, "time", NULL) == 0 && ns != 0 && ns < clock_wall_ns();
}

static void node_row(struct table *t, const json_t *node)
{
    const json_t *key = json_object_get(node, "preAuthKey");
    bool online = json_is_true(json_object_get(node, "online"));
    bool expired = is_past(json_text(node, "expiry", NULL));

    table_cell(t, json_text(node, "id", ""), CELL_PLAIN);
    table_cell(t, json_text(node, "name", ""), CELL_PLAIN);
    table_cell(t, json_text(node, "givenName", ""), CELL_PLAIN);
    short_key(t, "mkey:", json_text(node, "machineKey", ""));
    short_key(t, "nodekey:", json_text(node, "nodeKey", ""));
    table_cell(t,
               json_array_size(json_object_get(node, "tags")) ? "tagged-devices"
                                                              : json_text(json_object_get(node, "user"), "name", ""),
               CELL_PLAIN);
    table_list(t, json_object_get(node, "tags"));
    table_list(t, json_object_get(node, "ipAddresses"));
    table_cell(t, json_is_true(json_object_get(key, "ephemeral")) ? "true" : "false", CELL_PLAIN);
    table_time(t, json_text(node, "lastSeen", NULL), "", false);
    table_time(t, json_text(node, "expiry", NULL), "N/A", true);
    table_cell(t, online ? "online" : "offline", online ? CELL_GOOD : CELL_BAD);
    table_cell(t, expired ? "yes" : "no", expired ? CELL_BAD : CELL_GOOD);
}

/* A user's name for the API, also where the id was given; NULL with the error printed. The caller owns it. */
static char *user_name(struct cli *c)
{
    json_t *user = cli_find_user(c, flags_text(&c->flags, "user"));
    char *name = user ? mem_strdup(json_text(user, "name", "")) : NULL;

    json_decref(user);
    return name;
}

static int list(struct cli *c)
{
    static const char *const heads[] = {"ID",         "Hostname",  "Name",         "MachineKey", "NodeKey",
                                        "User",       "Tags",      "IP addresses", "Ephemeral",  "Last seen",
                                        "Expiration", "Connected", "Expired"};
    char *name = NULL, *query;
    json_t *answer, *node;
    struct table t;
    size_t i;

    if (flags_given(&c->flags, "user") && !(name = user_name(c)))
        return 1;
    query = cli_segment(name ? name : "");
    free(name);
    answer = cli_call(c, "GET", NULL, "/api/v1/node%s%s", *query ? "?user=" : "", query);
    free(query);
    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, json_object_get(answer, "nodes"), SHAPE_NODE);
    } else {
        table_init(&t, heads, ARRAY_LEN(heads));
        json_array_foreach(json_object_get(answer, "nodes"), i, node) node_row(&t, node);
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(answer);
    return 0;
}

static bool has_route(const json_t *node)
{
    return json_array_size(json_object_get(node, "approvedRoutes")) ||
           json_array_size(json_object_get(node, "availableRoutes")) ||
           json_array_size(json_object_get(node, "subnetRoutes"));
}

static int list_routes(struct cli *c)
{
    static const char *const heads[] = {"ID", "Hostname", "Approved", "Available", "Serving (Primary)"};
    const char *id = flags_text(&c->flags, "identifier");
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/node"), *nodes, *node;
    struct table t;
    bool found = false;
    size_t i;

    if (!answer)
        return 1;
    nodes = json_array();
    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        bool wanted = str_eq(id, "0") || str_eq(json_text(node, "id", ""), id);
        found |= wanted;
        if (wanted && has_route(node))
            json_array_append(nodes, node);
    }
    json_decref(answer);
    if (!found && !str_eq(id, "0")) {
        json_decref(nodes);
        return cli_failf(c, "node not found: %s: 'headway nodes list' shows them", id);
    }
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, nodes, json_array_size(nodes) ? SHAPE_NODE : SHAPE_PLAIN);
    } else {
        table_init(&t, heads, 5);
        json_array_foreach(nodes, i, node)
        {
            table_cell(&t, json_text(node, "id", ""), CELL_PLAIN);
            table_cell(&t, json_text(node, "givenName", ""), CELL_PLAIN);
            table_list(&t, json_object_get(node, "approvedRoutes"));
            table_list(&t, json_object_get(node, "availableRoutes"));
            table_list(&t, json_object_get(node, "subnetRoutes"));
        }
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(nodes);
    return 0;
}

/* The line and the node of an answer; releases it. */
static int node_done(struct cli *c, json_t *answer, const char *line)
{
    if (!answer)
        return 1;
    output_result(&c->out, line, json_object_get(answer, "node"), SHAPE_NODE);
    json_decref(answer);
    return 0;
}

static int register_node(struct cli *c)
{
    char *name = user_name(c), *user, *key, line[512];
    json_t *answer;

    if (!name)
        return 1;
    user = cli_segment(name);
    key = cli_segment(flags_text(&c->flags, "key"));
    answer = cli_call(c, "POST", NULL, "/api/v1/node/register?user=%s&key=%s", user, key);
    free(name);
    free(user);
    free(key);
    snprintf(line, sizeof(line), "Node %s registered", json_text(json_object_get(answer, "node"), "givenName", ""));
    return node_done(c, answer, line);
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
    else if (*expiry && time_parse(expiry, &ns, "expiry", &e) < 0)
        err_set(&e, ERR_INVALID, "parsing expiry time: '%.60s' is not a time such as 2026-12-31T23:59:59Z", expiry);
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
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/node/%s", id), *result;

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
    result = json_pack("{s:s}", "Result", line);
    output_result(&c->out, line, result, SHAPE_PLAIN);
    json_decref(result);
    return 0;
}

static int tag(struct cli *c)
{
    json_t *body = json_pack("{s:o}", "tags", json_list(flags_list(&c->flags, "tags")));

    return node_done(c, cli_call(c, "POST", body, "/api/v1/node/%s/tags", flags_text(&c->flags, "identifier")),
                     "Node updated");
}

static int approve_routes(struct cli *c)
{
    const struct strs *routes = flags_list(&c->flags, "routes");
    struct prefix prefix;

    if (!routes)
        return cli_failf(c,
                         "required flag(s) \"routes\" not set: the list replaces what is approved; --routes= revokes "
                         "all, 'headway routes approve' adds one");
    for (size_t i = 0; i < routes->len; i++)
        if (!strchr(routes->items[i], '/') || prefix_parse(routes->items[i], &prefix, NULL, NULL) < 0)
            return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", routes->items[i]);
    return node_done(c,
                     cli_call(c, "POST", json_pack("{s:o}", "routes", json_list(routes)),
                              "/api/v1/node/%s/approve_routes", flags_text(&c->flags, "identifier")),
                     "Node updated");
}

static int move(struct cli *c)
{
    json_t *user = cli_find_user(c, flags_text(&c->flags, "user")), *body;

    if (!user)
        return 1;
    body = json_pack("{s:s}", "user", json_text(user, "id", ""));
    json_decref(user);
    return node_done(c, cli_call(c, "POST", body, "/api/v1/node/%s/user", flags_text(&c->flags, "identifier")),
                     "Node moved to another user");
}

static int backfill(struct cli *c)
{
    json_t *answer;

    if (!cli_confirm(c, "Are you sure that you want to assign/remove IPs to/from nodes?"))
        return 0;
    answer = cli_call(c, "POST", NULL, "/api/v1/node/backfillips?confirmed=true");
    if (!answer)
        return 1;
    output_result(&c->out, "Node IPs backfilled successfully", answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* clang-format off */
#define IDENTIFIER {"identifier", 'i', FLAG_NUMBER, FLAG_REQUIRED, .value = "ID", .help = "id of the node"}
#define NAMESPACE {"namespace", 'n', FLAG_TEXT, FLAG_HIDDEN, .same_as = "user", .help = "older spelling of --user"}

static const struct flag list_flags[] = {
    {"user", 'u', FLAG_TEXT, .value = "NAME", .help = "only nodes of this user"},
    {"tags", 't', FLAG_SWITCH, FLAG_HIDDEN, .help = "of older releases: tags are always shown"}, NAMESPACE, FLAGS_END};
static const struct flag list_routes_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .fallback = "0", .help = "only this node; 0 for all"}, FLAGS_END};
static const struct flag register_flags[] = {
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "the user who will own the node"},
    {"key", 'k', FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "the id that the client's page shows"}, NAMESPACE, FLAGS_END};
static const struct flag expire_flags[] = {IDENTIFIER,
    {"expiry", 'e', FLAG_TEXT, .value = "TIME", .help = "when, as 2026-12-31T23:59:59Z; now without it"},
    {"disable", 'd', FLAG_SWITCH, .help = "never"}, FLAGS_END};
static const struct flag id_flags[] = {IDENTIFIER, FLAGS_END};
static const struct flag tag_flags[] = {IDENTIFIER,
    {"tags", 't', FLAG_LIST, .value = "TAGS", .help = "the tags, as tag:a,tag:b"}, FLAGS_END};
static const struct flag approve_flags[] = {IDENTIFIER,
    {"routes", 'r', FLAG_LIST, .value = "PREFIXES", .help = "the prefixes, separated by commas; they replace what is approved"}, FLAGS_END};
static const struct flag move_flags[] = {IDENTIFIER,
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "the new owner"}, NAMESPACE, FLAGS_END};

const struct command node_commands[] = {
    {"nodes", "node|machine|machines", .bits = CMD_GROUP, .brief = "Nodes: the machines of the tailnet"},
    {"nodes list", "ls|show", NULL, list_flags, "List nodes", .run = list},
    {"nodes list-routes", "lsr|routes", NULL, list_routes_flags, "List approved, available and serving routes by node", .run = list_routes},
    {"nodes approve-routes", NULL, NULL, approve_flags, "Set the approved routes of a node",
     .text = "Set the approved routes of a node: the list replaces the approved set, --routes= revokes all. 0.0.0.0/0 and ::/0 are approved together. 'headway routes approve' adds a single prefix", .run = approve_routes},
    {"nodes register", NULL, NULL, register_flags, "Register a waiting node for a user", .deprecated = "headway auth register --auth-id <id> --user <user>", .run = register_node},
    {"nodes expire", "logout|exp|e", NULL, expire_flags, "End a node's login, now or at a time", .run = expire},
    {"nodes rename", NULL, "NEW_NAME", id_flags, "Give a node another name", .run = rename_node},
    {"nodes tag", "tags|t", NULL, tag_flags, "Set a node's tags", .run = tag},
    {"nodes delete", "del", NULL, id_flags, "Remove a node from the tailnet", .run = delete_node},
    {"nodes move", "mv", NULL, move_flags, "Give a node another owner", .bits = CMD_HIDDEN, .run = move},
    {"nodes backfillips", NULL, NULL, NULL, "Give nodes the addresses that they lack", .run = backfill},
    {0}};
/* clang-format on */
