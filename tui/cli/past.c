/* SPDX-License-Identifier: BSD-3-Clause */
/* The past: the tailnet at a moment, and who served a prefix. */
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"
#include "model/api_past.h"
#include "net/prefixes.h"
#include "net/via6.h"

/* A time in the past; times are printed and read in UTC. False, with an error printed, on failure. */
static bool read_time(struct cli *c, const char *flag, const char *text, int64_t *ns)
{
    struct err e = {0};

    if (time_parse_past(text, TIME_UTC_ZONE, clock_wall_ns(), ns, flag, &e) == 0)
        return true;
    cli_fail(c, &e);
    return false;
}

/* ---- the tailnet of a moment ---- */

static void print_nodes(struct cli *c, const struct api_past *past)
{
    static const char *const heads[] = {"ID", "Name", "Owner", "Tags", "IP addresses", "Connected", "Approval"};
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < past->nodes.len; i++) {
        const struct api_node *n = api_at(&past->nodes, struct api_node, i);
        table_number(&t, n->id);
        table_text(&t, n->given_name, COLOR_PLAIN);
        table_text(&t, n->user ? n->user->name : "", COLOR_PLAIN);
        table_texts(&t, &n->tags);
        table_addrs(&t, &n->addrs);
        table_text(&t, n->expired ? "expired" : n->online ? "online" : "offline", n->online ? COLOR_GOOD : COLOR_BAD);
        table_text(&t, n->needs_approval ? "waits" : "", COLOR_WARN);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void print_routes(struct cli *c, const struct api_past *past)
{
    static const char *const heads[] = {"Prefix", "ID", "Node", "State", "Primary", "Reason"};
    char prefix[PREFIX_SHOWN_MAX];
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < past->nodes.len; i++) {
        const struct api_node *n = api_at(&past->nodes, struct api_node, i);
        for (size_t k = 0; k < n->routes.len; k++) {
            const struct api_route *r = api_at(&n->routes, struct api_route, k);
            table_text(&t, prefix_show(&r->prefix, prefix), COLOR_PLAIN);
            table_number(&t, n->id);
            table_text(&t, n->given_name, COLOR_PLAIN);
            table_text(&t, route_state_name(r->state), COLOR_PLAIN);
            table_text(&t, r->primary_name, COLOR_PLAIN);
            table_text(&t, r->reason, COLOR_PLAIN);
        }
    }
    table_print(&t, &c->out);
    table_release(&t);
}

#define NAMES_SHOWN 10

/* Prints nothing if no prefix was served like this. */
static void print_nearest(struct cli *c, const struct api_past *past)
{
    static const char *const heads[] = {"Prefix", "ID", "Router", "Nearest to"};
    char prefix[PREFIX_SHOWN_MAX];
    struct text_table t;

    if (!past->nearest.len)
        return;
    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < past->nearest.len; i++) {
        const struct api_nearest *n = api_at(&past->nearest, struct api_nearest, i);
        struct buf names = BUF_INIT(0);
        for (size_t k = 0; k < n->nodes.len && k < NAMES_SHOWN; k++)
            buf_addf(&names, "%s%s", k ? ", " : "", n->nodes.items[k]);
        if (n->nodes.len > NAMES_SHOWN)
            buf_addf(&names, " and %zu more", n->nodes.len - NAMES_SHOWN);
        table_text(&t, prefix_show(&n->prefix, prefix), COLOR_PLAIN);
        table_number(&t, n->router);
        table_text(&t, n->name, COLOR_PLAIN);
        table_text(&t, buf_text(&names), COLOR_PLAIN);
        buf_release(&names);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static int print_state(struct cli *c, json_t *answer, const struct api_past *past)
{
    char when[TIME_TEXT_MAX], since[TIME_TEXT_MAX];

    if (flags_switch(&c->flags, "policy"))
        return cli_done(c, answer, json_text(json_object_get(answer, "policy"), "policy", ""), "policy",
                        &api_policy_shape);
    if (c->out.form != OUTPUT_HUMAN)
        return cli_done(c, answer, "", NULL, &api_past_shape);
    fprintf(c->out.out, "State of %s (known since %s)\n", time_format(past->time_ns, when),
            time_format(past->since_ns, since));
    print_nodes(c, past);
    print_routes(c, past);
    print_nearest(c, past);
    if (*past->policy.text)
        fprintf(c->out.out, "Policy: version %llu of %s; --policy prints it\n",
                (unsigned long long)past->policy.version, time_format(past->policy.updated_ns, when));
    else
        fputs("Policy: none\n", c->out.out);
    json_decref(answer);
    return 0;
}

static int state(struct cli *c)
{
    const char *at = flags_text(&c->flags, "at");
    char when[TIME_TEXT_MAX] = "";
    struct api_past past;
    int64_t ns;

    if (*at && !read_time(c, "at", at, &ns))
        return 1;
    if (*at)
        time_format(ns, when);
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/state%s%s", *when ? "?at=" : "", when);
    if (!answer)
        return 1;
    if (api_read(&api_past_shape, answer, &past, API_FOR_TERMINAL, NULL) < 0) {
        json_decref(answer);
        return cli_failf(c, "the answer is no state: is it headway?");
    }
    int r = print_state(c, answer, &past);
    api_release(&api_past_shape, &past);
    return r;
}

/* ---- who served a prefix ---- */

static void milliseconds(struct text_table *t, uint64_t ms)
{
    char text[32] = "";

    if (ms)
        snprintf(text, sizeof(text), "%llu ms", (unsigned long long)ms);
    table_text(t, text, COLOR_PLAIN);
}

static void move_row(struct text_table *t, const struct api_move *m)
{
    table_time(t, m->time_ns, "", false);
    table_text(t, *m->from_name ? m->from_name : m->from ? "?" : "nobody", COLOR_PLAIN);
    table_text(t, *m->to_name ? m->to_name : m->to ? "?" : "nobody", m->to ? COLOR_PLAIN : COLOR_BAD);
    bool named = *m->actor && !str_eq(m->actor, "server");
    char *cause = mem_format("%s%s%s%s%s", *m->cause ? m->cause : m->text, named ? ", by " : "", named ? m->actor : "",
                             *m->via ? "; only via " : "", m->via);
    table_text(t, cause, COLOR_PLAIN);
    free(cause);
    milliseconds(t, m->detection_ms);
    milliseconds(t, m->convergence_ms);
}

/* Adds a page to the moves. False: there is no older page, or an error was printed. */
static bool fetch_moves(struct cli *c, const char *path, json_t *moves, char next[API_EVENT_ID_MAX])
{
    json_t *answer = cli_call(c, "GET", NULL, "%s%s%s", path, *next ? "&before=" : "", next);
    const char *before = json_text(answer, "next", "");
    bool more = answer && *before && strlen(before) < API_EVENT_ID_MAX;

    json_array_extend(moves, json_object_get(answer, "moves"));
    str_copy(next, API_EVENT_ID_MAX, more ? before : answer ? "" : "!");
    json_decref(answer);
    return more;
}

static int print_moves(struct cli *c, json_t *moves)
{
    static const char *const heads[] = {"When", "From", "To", "Cause", "Detected after", "Clients follow after"};
    struct api_list list = {0};
    struct text_table t;
    size_t flips = 0;

    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, moves, &api_move_shape);
        return 0;
    }
    if (api_read_list(&api_move_shape, moves, &list, API_FOR_TERMINAL, NULL) < 0)
        return cli_failf(c, "the answer is no history: is it headway?");
    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < list.len; i++) {
        const struct api_move *m = api_at(&list, struct api_move, i);
        flips += m->from && m->to;
        move_row(&t, m);
    }
    table_print(&t, &c->out);
    table_release(&t);
    fprintf(c->out.out, "%zu change%s, %zu of them from one router to another\n", list.len, list.len == 1 ? "" : "s",
            flips);
    api_release_list(&api_move_shape, &list);
    return 0;
}

#define PAGE_OF_MOVES 1000

int cli_route_history(struct cli *c)
{
    uint64_t limit = flags_number(&c->flags, "limit");
    const char *since = flags_text(&c->flags, "since");
    char canonical[PREFIX_TEXT_MAX], when[TIME_TEXT_MAX] = "", next[API_EVENT_ID_MAX] = "";
    struct prefix prefix;
    int64_t ns;

    if (prefix_parse_route(c->args->items[0], &prefix, NULL) < 0)
        return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", c->args->items[0]);
    if (*since && !read_time(c, "since", since, &ns))
        return 1;
    if (*since)
        time_format(ns, when);
    char *segment = cli_segment(prefix_format(&prefix, canonical));
    json_t *moves = json_array();
    bool more = true;
    while (more && json_array_size(moves) < limit) {
        uint64_t left = limit - json_array_size(moves);
        char *path =
            mem_format("/api/headway/prefixes/%s/history?limit=%llu%s%s", segment,
                       (unsigned long long)(left < PAGE_OF_MOVES ? left : PAGE_OF_MOVES), *when ? "&since=" : "", when);
        more = fetch_moves(c, path, moves, next);
        free(path);
    }
    free(segment);
    int r = *next == '!' ? 1 : print_moves(c, moves);
    json_decref(moves);
    return r;
}

/* clang-format off */
static const struct flag state_flags[] = {
    {"at", 0, FLAG_TEXT, .value = "TIME", .help = "the moment: a time such as 2026-01-02T15:04:05Z, 14:03 or 2026-01-02 14:03 (UTC), or a duration ago such as -2h; the default is now"},
    {"policy", 0, FLAG_SWITCH, .help = "print the policy that was in force, and nothing else"}, FLAGS_END};

const struct command past_commands[] = {
    {"state", NULL, NULL, state_flags, "Show nodes, routes and policy of a moment",
     .text = "Show the nodes, routes, primary routers and the policy of a moment, and where prefixes were served by nearness, which router served whom. What administrators and elections decide is kept for 90 days, or for the newest 200,000 changes; where a node was reached is not", .run = state},
    {0}};
/* clang-format on */
