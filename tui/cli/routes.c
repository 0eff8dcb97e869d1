/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes, one prefix at a time; `nodes approve-routes` replaces a node's whole set. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/route_problems.h"
#include "cli/simulate.h"
#include "net/prefixes.h"
#include "net/via6.h"

enum text_color cli_state_color(int state)
{
    static const enum text_color colors[ROUTE_STATES] = {
        [ROUTE_AVAILABLE] = COLOR_WARN, [ROUTE_STANDBY] = COLOR_WARN,  [ROUTE_SERVING] = COLOR_GOOD,
        [ROUTE_OFFLINE] = COLOR_BAD,    [ROUTE_UNHEALTHY] = COLOR_BAD,
    };

    return state > ROUTE_NONE && state < ROUTE_STATES ? colors[state] : COLOR_PLAIN;
}

/* text: replaces the prefix, or NULL */
static void put_route(struct text_table *t, const struct api_node_route *r, const char *text)
{
    char prefix[PREFIX_SHOWN_MAX];

    table_text(t, text ? text : prefix_show(&r->route.prefix, prefix), COLOR_PLAIN);
    table_number(t, r->node);
    table_text(t, r->name, COLOR_PLAIN);
    bool not_all = r->route.state == ROUTE_SERVING && !r->route.exit && r->route.primary != r->node;
    table_text(t,
               !not_all                        ? route_state_name(r->route.state)
               : r->route.via && *r->route.via ? "serving (via)"
                                               : "serving (nearest)",
               cli_state_color(r->route.state));
    table_text(t, r->route.primary_name, COLOR_PLAIN);
    table_text(t, r->next_name, COLOR_PLAIN);
    table_text(t, r->route.reason, COLOR_PLAIN);
}

static void route_row(struct text_table *t, const void *object)
{
    put_route(t, object, NULL);
}

static const char *const route_heads[] = {"Prefix", "ID", "Node", "State", "Primary", "Next", "Reason"};
static const struct listing route_listing = {"routes",    &api_node_route_shape,  sizeof(struct api_node_route),
                                             route_heads, ARRAY_LEN(route_heads), route_row};

#define FOLD_MORE_THAN 8 /* addresses of one node in the same state, as an app connector learns them */

static bool is_address(const struct prefix *p)
{
    return p->bits == p->addr.bits;
}

static bool folds_with(const struct api_node_route *a, const struct api_node_route *b)
{
    return a->route.state == b->route.state && is_address(&b->route.prefix);
}

/* How many addresses the row represents, including itself; 0: an earlier row includes it. The rows of a node are
 * adjacent. */
static size_t folded(const struct api_list *list, size_t at)
{
    const struct api_node_route *r = api_at(list, struct api_node_route, at);
    size_t first = at, count = 0, before = 0;

    while (first > 0 && api_at(list, struct api_node_route, first - 1)->node == r->node)
        first--;
    for (size_t i = first; i < list->len; i++) {
        const struct api_node_route *other = api_at(list, struct api_node_route, i);
        if (other->node != r->node)
            break;
        count += folds_with(r, other);
        before += i < at && folds_with(r, other);
    }
    return count <= FOLD_MORE_THAN ? 1 : before ? 0 : count;
}

static void print_folded(struct cli *c, const struct api_list *list)
{
    struct text_table t;

    table_init(&t, route_heads, ARRAY_LEN(route_heads));
    for (size_t i = 0; i < list->len; i++) {
        const struct api_node_route *r = api_at(list, struct api_node_route, i);
        size_t count = is_address(&r->route.prefix) ? folded(list, i) : 1;
        char *text = count > 1 ? mem_format("%zu addresses", count) : NULL;
        if (count)
            put_route(&t, r, text);
        free(text);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static int list(struct cli *c)
{
    const char *wanted = flags_text(&c->flags, "state");
    json_t *answer, *routes;
    struct api_list list;
    uint64_t node = 0;

    if (flags_given(&c->flags, "node") && !(node = cli_find_node(c, flags_text(&c->flags, "node"))))
        return 1;
    answer = cli_call(c, "GET", NULL, "/api/headway/routes");
    if (!answer || !cli_read_list(c, answer, &route_listing, true, &list)) {
        json_decref(answer);
        return 1;
    }
    routes = json_array();
    for (size_t i = 0; i < list.len; i++) {
        const struct api_node_route *r = api_at(&list, struct api_node_route, i);
        if ((!*wanted || str_eq(route_state_name(r->route.state), wanted)) && (!node || r->node == node))
            json_array_append(routes, json_array_get(json_object_get(answer, "routes"), i));
    }
    api_release_list(&api_node_route_shape, &list);
    json_decref(answer);
    answer = json_pack("{s:o}", "routes", routes);
    if (c->out.form != OUTPUT_HUMAN || node)
        return cli_show_list(c, answer, &route_listing);
    bool good = cli_read_list(c, answer, &route_listing, false, &list);
    if (good)
        print_folded(c, &list);
    api_release_list(&api_node_route_shape, &list);
    json_decref(answer);
    return good ? 0 : 1;
}

/* NODE PREFIX...: adds the prefixes to this member of the body. */
static int edit(struct cli *c, const char *member, const char *line)
{
    json_t *prefixes = json_array(), *answer;
    struct prefix prefix;
    bool exit = false;
    uint64_t node;

    for (size_t i = 1; i < c->args->len; i++) {
        const char *text = c->args->items[i];
        if (prefix_parse_route(text, &prefix, NULL) < 0) {
            json_decref(prefixes);
            return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", text);
        }
        json_array_append_new(prefixes, json_string(text));
        exit = exit || prefix_is_exit(&prefix);
    }
    node = cli_find_node(c, c->args->items[0]);
    if (!node) {
        json_decref(prefixes);
        return 1;
    }
    if (exit && str_eq(member, "revoke"))
        cli_note_exit_users(c, node);
    json_t *change = cli_node_change(member, node, prefixes);
    answer = cli_call(c, "POST", json_pack("{s:o}", member, prefixes), "/api/headway/nodes/%llu/routes%s",
                      (unsigned long long)node, flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    route_warnings_print(c, answer);
    return cli_changed_or_simulated(c, answer, line, change);
}

static int approve(struct cli *c)
{
    return edit(c, "approve", "Routes approved");
}

/* Approves all waiting routes of all nodes in one change with one undo. The undo shows what was approved. */
static int approve_pending(struct cli *c)
{
    bool dry = flags_switch(&c->flags, "dry-run");
    json_t *answer =
        cli_call(c, "POST", json_pack("{s:b}", "pending", 1), "/api/headway/routes%s", dry ? "?dry_run=true" : "");
    const json_t *approved = json_object_get(json_object_get(json_object_get(answer, "inverse"), "body"), "revoke");
    size_t count = json_array_size(approved);
    struct buf line = BUF_INIT(0);

    buf_addf(&line, "%zu route%s %s: ", count, count == 1 ? "" : "s", dry ? "would be approved" : "approved");
    for (size_t i = 0; i < count; i++)
        buf_addf(&line, "%snode %s", i ? ", " : "", json_string_value(json_array_get(approved, i)));
    int status = cli_done(c, answer, count ? buf_text(&line) : "No route waits for approval", NULL, NULL);
    buf_release(&line);
    return status;
}

static int revoke(struct cli *c)
{
    return edit(c, "revoke", "Routes revoked");
}

/* The prefix in the first argument as a path segment; the caller frees it. NULL, with an error printed, on failure. */
static char *prefix_segment(struct cli *c)
{
    const char *text = c->args->items[0];
    char canonical[PREFIX_TEXT_MAX];
    struct prefix prefix;

    if (prefix_parse_route(text, &prefix, NULL) < 0) {
        cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", text);
        return NULL;
    }
    return cli_segment(prefix_format(&prefix, canonical));
}

static int primary(struct cli *c)
{
    char id[24], *segment = prefix_segment(c);
    uint64_t node;
    json_t *answer;

    if (!segment)
        return 1;
    node = cli_find_node(c, c->args->items[1]);
    if (!node) {
        free(segment);
        return 1;
    }
    snprintf(id, sizeof(id), "%llu", (unsigned long long)node);
    json_t *body = json_pack("{s:s}", "node", id);
    if (flags_given(&c->flags, "via"))
        json_object_set_new(body, "via", json_string(flags_text(&c->flags, "via")));
    answer = cli_call(c, "POST", body, "/api/headway/prefixes/%s/primary%s", segment,
                      flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    free(segment);
    json_t *change = json_pack("{s:s, s:s, s:[s]}", "kind", "primary", "node", id, "prefixes", c->args->items[0]);
    if (flags_given(&c->flags, "via"))
        json_object_set_new(change, "via", json_string(flags_text(&c->flags, "via")));
    return cli_changed_or_simulated(c, answer, "Primary moved", change);
}

/* ---- how a prefix is served ---- */

static const char *const prefix_heads[] = {"Prefix",         "Primary",     "Next",    "Other routers",
                                           "Failback",       "If unserved", "Router",  "Hold-down",
                                           "Failback delay", "Probe",       "Set here"};

/* A row for each group of routers of grants with via; the other columns are those of the prefix. */
static void group_rows(struct text_table *t, const struct api_prefix *p)
{
    char prefix[PREFIX_SHOWN_MAX];

    for (size_t i = 0; i < p->groups.len; i++) {
        const struct api_prefix_group *g = api_at(&p->groups, struct api_prefix_group, i);
        char *name = mem_format("%s via %s", prefix_show(&p->prefix, prefix), g->via);
        table_text(t, name, COLOR_PLAIN);
        free(name);
        table_text(t, g->primary ? g->primary_name : "nobody", g->primary ? COLOR_GOOD : COLOR_BAD);
        table_text(t, g->next_name, COLOR_PLAIN);
        for (size_t column = 3; column < ARRAY_LEN(prefix_heads); column++)
            table_text(t, "", COLOR_PLAIN);
    }
}

static void prefix_row(struct text_table *t, const void *object)
{
    const struct api_prefix *p = object;
    char prefix[PREFIX_SHOWN_MAX];
    struct strs others = {0};

    table_text(t, prefix_show(&p->prefix, prefix), COLOR_PLAIN);
    table_text(t, p->primary_name, p->primary ? COLOR_GOOD : COLOR_BAD);
    table_text(t, p->next_name, COLOR_PLAIN);
    for (size_t i = 0; i < p->routers.len; i++) {
        const struct api_router *r = api_at(&p->routers, struct api_router, i);
        if (r->node != p->primary && r->state >= ROUTE_STANDBY)
            strs_push(&others, r->name);
    }
    table_texts(t, &others);
    strs_release(&others);
    table_text(t, p->exit ? "" : route_failback_name(p->failback), COLOR_PLAIN);
    table_text(t, p->exit ? "" : p->keep ? "keep" : "withdraw", COLOR_PLAIN);
    table_text(t, p->exit ? "" : p->nearest ? "nearest" : "one", COLOR_PLAIN);
    table_text(t, p->exit ? "" : p->hold_down, COLOR_PLAIN);
    table_text(t, p->exit ? "" : p->failback_delay, COLOR_PLAIN);
    table_text(t, p->probe, COLOR_PLAIN);
    table_texts(t, &p->own);
    group_rows(t, p);
}

static const struct listing prefix_listing = {"prefixes",   &api_prefix_shape,       sizeof(struct api_prefix),
                                              prefix_heads, ARRAY_LEN(prefix_heads), prefix_row};

static int show(struct cli *c)
{
    char *segment;
    json_t *answer, *prefix;

    if (!c->args->len)
        return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/prefixes"), &prefix_listing);
    segment = prefix_segment(c);
    if (!segment)
        return 1;
    answer = cli_call(c, "GET", NULL, "/api/headway/prefixes/%s", segment);
    free(segment);
    if (!answer)
        return 1;
    prefix = json_incref(json_object_get(answer, "prefix"));
    json_decref(answer);
    return cli_show_list(c, json_pack("{s:[o]}", "prefixes", prefix), &prefix_listing);
}

static int set(struct cli *c)
{
    json_t *body, *answer, *change;
    char *segment = prefix_segment(c);

    if (!segment)
        return 1;
    body = cli_prefix_settings(c, true);
    if (!body) {
        free(segment);
        return 1;
    }
    /* Nobody can know whether a host will answer. */
    change = cli_prefix_settings_given(c) ? cli_set_change(c, c->args->items[0]) : NULL;
    answer = cli_call(c, "POST", body, "/api/headway/prefixes/%s%s", segment,
                      flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    free(segment);
    return cli_changed_or_simulated(c, answer, "Prefix set", change);
}

/* ---- draining ---- */

/* Everything known about a router; the caller releases it and the answer. */
static json_t *get_drain(struct cli *c, uint64_t node, struct api_drain *out)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/nodes/%llu/drain", (unsigned long long)node);
    struct err e;

    if (answer && api_read(&api_drain_shape, answer, out, API_FOR_TERMINAL, &e) < 0) {
        cli_fail(c, &e);
        json_decref(answer);
        return NULL;
    }
    return answer;
}

static bool still_serves(const struct api_drain *d, const struct prefix *p)
{
    for (size_t i = 0; i < d->serves.len; i++)
        if (prefix_cmp(&api_at(&d->serves, struct api_served, i)->prefix, p) == 0)
            return true;
    return false;
}

/* Prints what moved and what stays, one per line; after NULL, what would. */
static void describe_drain(const struct api_drain *before, const struct api_drain *after, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < before->serves.len; i++) {
        const struct api_served *s = api_at(&before->serves, struct api_served, i);
        prefix_format(&s->prefix, text);
        if (after ? still_serves(after, &s->prefix) : !s->successor)
            buf_addf(out, "%s %s: no other router can serve it\n", text, after ? "stays" : "would stay");
        else
            buf_addf(out, "%s %s to %s\n", text, after ? "moved" : "would move",
                     s->successor ? s->successor_name : "another router");
    }
}

static json_t *post_drain(struct cli *c, uint64_t node, bool drain)
{
    return cli_call(c, "POST", json_pack("{s:b}", "drained", drain), "/api/headway/nodes/%llu/drain%s",
                    (unsigned long long)node, flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
}

static int drain(struct cli *c)
{
    bool dry = flags_switch(&c->flags, "dry-run"), on = !flags_switch(&c->flags, "off");
    uint64_t node = cli_find_node(c, c->args->items[0]);
    struct api_drain before = {0}, after = {0};
    struct buf lines = BUF_INIT(0);
    json_t *was, *answer, *now = NULL;
    int status = 1;

    if (!node || !(was = get_drain(c, node, &before)))
        return 1;
    if (on)
        cli_note_exit_users(c, node);
    answer = post_drain(c, node, on);
    if (answer && (dry || (now = get_drain(c, node, &after)))) {
        if (on)
            describe_drain(&before, dry ? NULL : &after, &lines);
        if (c->out.form == OUTPUT_HUMAN)
            output_text(&c->out, buf_text(&lines));
        status = cli_done(c, json_incref(now ? now : was), dry ? "Nothing was changed: this was a dry run" : after.text,
                          NULL, &api_drain_shape);
    }
    json_decref(answer);
    json_decref(was);
    json_decref(now);
    api_release(&api_drain_shape, &before);
    api_release(&api_drain_shape, &after);
    buf_release(&lines);
    return status;
}

#define LOOK_AGAIN_MS 500
#define WAIT_MS       60000

/* Whether it may become safe to reboot without further action. */
static bool is_under_way(const struct api_drain *d)
{
    return d->draining && !d->safe && (d->asking || d->used_by || d->serves.len);
}

static int status(struct cli *c)
{
    struct prefix prefix;

    if (prefix_parse_route(c->args->items[0], &prefix, NULL) == 0)
        return routes_status(c, &prefix);
    uint64_t node = cli_find_node(c, c->args->items[0]);
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000};
    bool wait = flags_switch(&c->flags, "wait");
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    struct api_drain now = {0};
    json_t *answer = node ? get_drain(c, node, &now) : NULL;

    while (answer && wait && is_under_way(&now) && clock_mono_ms() < until_ms) {
        json_decref(answer);
        api_release(&api_drain_shape, &now);
        nanosleep(&pause, NULL);
        answer = get_drain(c, node, &now);
    }
    bool safe = answer && now.safe;
    int code = answer ? cli_done(c, answer, now.text, NULL, &api_drain_shape) : 1;

    api_release(&api_drain_shape, &now);
    return code || (wait && !safe) ? 1 : 0;
}

int cli_set_priority(struct cli *c)
{
    const char *text = c->args->items[1];
    uint64_t node, value = NODE_PRIORITY_DEFAULT;
    struct err e;

    if (!str_eq(text, "default") && str_u64(text, 0, NODE_PRIORITY_MAX, &value, "priority", &e) < 0)
        return cli_fail(c, &e);
    node = cli_find_node(c, c->args->items[0]);
    if (!node)
        return 1;
    json_t *change = cli_node_change("priority", node, NULL);
    json_object_set_new(change, "priority", json_integer((json_int_t)value));
    return cli_changed_or_simulated(c,
                                    cli_call(c, "POST", json_pack("{s:I}", "priority", (json_int_t)value),
                                             "/api/headway/nodes/%llu/priority%s", (unsigned long long)node,
                                             flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : ""),
                                    "Priority set", change);
}

/* ---- 4via6: an IPv4 network of a site as an IPv6 prefix, and back; asks no daemon ---- */

static int print_mapping(struct cli *c, const struct prefix *p, bool decoded)
{
    char text[PREFIX_TEXT_MAX], inner[PREFIX_TEXT_MAX];
    struct prefix v4;
    uint32_t site;

    if (!via6_decode(p, &site, &v4))
        return cli_failf(c, "%s is no 4via6 prefix: one lies within " VIA6_RANGE " and is at least a /96",
                         prefix_format(p, text));
    prefix_format(p, text);
    prefix_format(&v4, inner);
    char *line = decoded ? mem_format("site %" PRIu32 ", %s", site, inner) : mem_strdup(text);
    int r = cli_done(c, json_pack("{s:s, s:I, s:s}", "prefix", text, "site", (json_int_t)site, "ipv4", inner), line,
                     NULL, NULL);
    free(line);
    return r;
}

static int via6(struct cli *c)
{
    const char *first = c->args->items[0];
    struct prefix p, v4;
    uint64_t site;
    struct err e = {0};

    if (c->args->len == 1) {
        if (prefix_parse(first, &p, NULL, &e) < 0)
            return cli_fail(c, &e);
        return print_mapping(c, &p, true);
    }
    if (str_u64(first, 0, UINT32_MAX, &site, "SITE", &e) < 0 || prefix_parse(c->args->items[1], &v4, NULL, &e) < 0 ||
        via6_encode(site, &v4, &p, &e) < 0)
        return cli_fail(c, &e);
    return print_mapping(c, &p, false);
}

/* clang-format off */
#define DRY {"dry-run", 0, FLAG_SWITCH, .help = "report what would change, and change nothing"}

static const struct flag list_flags[] = {
    {"node", 0, FLAG_TEXT, .value = "NODE", .help = "list only the routes of this node (id, name or address)"},
    {"state", 0, FLAG_TEXT, .value = "STATE", .words = "available|approved|standby|serving|offline|unhealthy", .help = "list only routes in this state"},
    FLAGS_END};
static const struct flag edit_flags[] = {DRY, FLAGS_END};

static const struct flag primary_flags[] = {
    {"via", 0, FLAG_TEXT, .value = "TAGS", .help = "for those whom grants with these tags as via lead to the prefix, such as tag:a,tag:b; without it, for everybody else"},
    DRY, FLAGS_END};

static const struct flag drain_flags[] = {
    {"off", 0, FLAG_SWITCH, .help = "let the router serve again"},
    DRY, FLAGS_END};
static const struct flag set_flags[] = {
    PREFIX_SETTING_FLAGS,
    {"probe", 0, FLAG_TEXT, .value = "ADDRESS", .help = "a host behind the prefix that answers pings: other nodes ping it through the router, and the prefix moves when the router does not forward; 'none' ends that"},
    DRY, FLAGS_END};

static const struct flag history_flags[] = {
    {"limit", 'l', FLAG_NUMBER, .value = "N", .fallback = "50", .help = "show the newest N changes"},
    {"since", 's', FLAG_TEXT, .value = "WHEN", .help = "only those since a time, or since a duration ago such as 7d"}, FLAGS_END};

const struct command route_commands[] = {
    {"routes", "route", .bits = CMD_GROUP, .brief = "Manage routes by prefix"},
    {"routes list", "ls", NULL, list_flags, "List routes with their state and the reason for it", .run = list},
    {"routes approve", NULL, "NODE PREFIX...", edit_flags, "Approve prefixes of a node",
     .text = "Approve prefixes of a node, in addition to those that are approved already. NODE is an id, a name or an address. 0.0.0.0/0 and ::/0 are approved together", .run = approve},
    {"routes approve-pending", NULL, NULL, edit_flags, "Approve all routes that wait",
     .text = "Approve all routes that nodes advertise and that nobody approved yet, of all nodes, exit nodes too, as one change: one 'headway undo' takes it back. Not those whose approval was taken away; with --dry-run it is said which they are", .run = approve_pending},
    {"routes revoke", NULL, "NODE PREFIX...", edit_flags, "Revoke the approval of prefixes of a node", .run = revoke},
    {"routes primary", NULL, "PREFIX NODE", primary_flags, "Choose the node that serves a prefix", .run = primary},
    {"routes show", NULL, "[PREFIX]", NULL, "Show who serves a prefix and how it is served",
     .text = "Show who serves each prefix that is routed or set, or one, who else could, and how it is served: failback, what happens if nobody can serve it, whether one router serves all or the nearest each, hold-down and failback delay, and which of these were set for the prefix with 'routes set'. The others are as configured; see headway.yaml(5), node.routes.ha", .run = show},
    {"routes check", NULL, "[PREFIX|NODE]", NULL, "Say what is wrong with routes",
     .text = "Say what is wrong with routes, or may surprise: of all, of a prefix, or of a node (an id, a name or an address), approved or not. A router that does not forward, a prefix that overlaps another one, a node's own network or a special range, one that covers an address of the server, one that nobody serves because its only router is away, one that no other router can take over, one that the policy lets nobody use or that nodes do not accept, an exit node that offers one family only", .run = routes_check},
    {"routes set", NULL, "PREFIX", set_flags, "Set how a prefix is served",
     .text = "Set how a prefix is served, where that differs from the configuration; see headway-routes(7). Settings that are not named stay as they are, or with --reset return to what is configured. The prefix need not be advertised yet", .run = set},
    {"routes drain", NULL, "NODE", drain_flags, "Move the prefixes of a router to others, before it is rebooted",
     .text = "Move the prefixes of a router to other routers, and say which moved and which stay because no other router can serve them. The router goes on forwarding what still arrives. It serves again after --off", .run = drain},
    {"routes status", NULL, "NODE|PREFIX", route_status_flags, "Say what a router serves, or which nodes follow since a prefix moved",
     .text = "Of a node, say what it serves and whether it is safe to reboot: once it is drained, serves no prefix, no client that is online uses it for one, and none uses it as exit node. Of a prefix, say which nodes follow since it last moved to another router: the server asks the clients of those that see it which router they use, of a sample where there are many", .run = status},
    {"routes via6", NULL, "SITE|IPV6PREFIX [PREFIX]", NULL, "Map an IPv4 network of a numbered site to its IPv6 prefix, or back",
     .text = "Print the IPv6 prefix (4via6) under which a router advertises an IPv4 network of a site, so that equal networks of several sites can be told apart; SITE is a number from 0 to 65535. Of an IPv6 prefix or address, print the site and the IPv4 network. No daemon is asked", .bits = CMD_BARE, .run = via6},
    {"routes history", NULL, "PREFIX", history_flags, "Show who served a prefix, and why that changed", .run = cli_route_history},
    {"routes priority", NULL, "NODE PRIORITY", edit_flags, "Set the priority of a router or exit node",
     .text = "Set the priority of a router or exit node: a number from 0 to 1000, or 'default' for 100. Of the routers of a prefix the one with the highest priority is elected, the one that joined first among equals. Whether it also replaces one that serves already is up to the failback of the prefix", .run = cli_set_priority},
    {"routes simulate", NULL, NULL, simulate_flags, "Say what changes would do to routes, and change nothing",
     .text = "Say what changes would do to routes, and change nothing: who would serve each prefix, which nodes would get there by another router, lose or gain a way, which users would be cut off. All changes come true together; NODE is an id, a name or an address, also of a node that --add adds", .run = routes_simulate},
    {0}};
/* clang-format on */
