/* SPDX-License-Identifier: BSD-3-Clause */
/* Problems of routes: on request, and beside the output of other commands. */
#include "cli/route_problems.h"

#include "base/array.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/prefixes.h"
#include "net/via6.h"

#define NOTED_MAX 10 /* lines printed beside a list */

static void problem_row(struct text_table *t, const void *object)
{
    const struct api_route_problem *p = object;
    char prefix[PREFIX_SHOWN_MAX];

    table_text(t, prefix_show(&p->prefix, prefix), COLOR_PLAIN);
    table_text(t, p->name, COLOR_PLAIN);
    table_text(t, p->warning ? "warning" : "note", p->warning ? COLOR_BAD : COLOR_PLAIN);
    table_text(t, p->text, COLOR_PLAIN);
}

static const char *const problem_heads[] = {"Prefix", "Node", "Weight", "Problem"};
static const struct listing problem_listing = {
    "problems",    &api_route_problem_shape, sizeof(struct api_route_problem),
    problem_heads, ARRAY_LEN(problem_heads), problem_row};

int routes_check(struct cli *c)
{
    const char *target = c->args->len ? c->args->items[0] : NULL;
    char query[PREFIX_TEXT_MAX + 32] = "", canonical[PREFIX_TEXT_MAX];
    struct prefix prefix;
    uint64_t node;

    if (target && strchr(target, '/')) {
        if (prefix_parse_route(target, &prefix, NULL) < 0)
            return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", target);
        snprintf(query, sizeof(query), "?prefix=%s", prefix_format(&prefix, canonical));
    } else if (target) {
        node = cli_find_node(c, target);
        if (!node)
            return 1;
        snprintf(query, sizeof(query), "?node=%llu", (unsigned long long)node);
    }
    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/routes/check%s", query), &problem_listing);
}

static void print_warning(const struct cli *c, const struct api_route_problem *p)
{
    char prefix[PREFIX_TEXT_MAX], *line;

    line = mem_format("Warning: %s on %s: %s", prefix_format(&p->prefix, prefix), p->name, p->text);
    table_remark(line, &c->out);
    free(line);
}

void route_warnings_print(const struct cli *c, const json_t *answer)
{
    struct api_list list = {0};

    if (api_read_list(&api_route_problem_shape, json_object_get(answer, "warnings"), &list, API_FOR_TERMINAL, NULL) ==
        0)
        for (size_t i = 0; i < list.len; i++)
            if (api_at(&list, struct api_route_problem, i)->warning)
                print_warning(c, api_at(&list, struct api_route_problem, i));
    api_release_list(&api_route_problem_shape, &list);
}

void route_warnings_before(struct cli *c, uint64_t node, const struct strs *routes)
{
    json_t *body = json_pack("{s:o}", "approve", cli_json_list(routes)), *answer = NULL;
    char *path = mem_format("/api/headway/nodes/%llu/routes?dry_run=true", (unsigned long long)node);

    if (client_json(c->client, "POST", path, body, &answer, NULL) == 0)
        route_warnings_print(c, answer);
    json_decref(answer);
    json_decref(body);
    free(path);
}

/* The nodes in an answer that have a route. */
static void routing_nodes(const json_t *answer, struct map *out)
{
    const json_t *node;
    size_t i;
    uint64_t id;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        if ((json_array_size(json_object_get(node, "availableRoutes")) ||
             json_array_size(json_object_get(node, "approvedRoutes"))) &&
            str_u64(json_text(node, "id", ""), 1, UINT64_MAX, &id, "id", NULL) == 0)
            map_putu(out, id, out);
    }
}

void route_warnings_beside(struct cli *c, const json_t *nodes)
{
    struct map routers = {0};
    struct api_list list = {0};
    json_t *answer = NULL;
    size_t count = 0;

    if (c->out.form == OUTPUT_HUMAN)
        routing_nodes(nodes, &routers);
    if (routers.len && client_json(c->client, "GET", "/api/headway/routes/check", NULL, &answer, NULL) == 0 &&
        api_read_list(&api_route_problem_shape, json_object_get(answer, "problems"), &list, API_FOR_TERMINAL, NULL) ==
            0) {
        for (size_t i = 0; i < list.len; i++) {
            const struct api_route_problem *p = api_at(&list, struct api_route_problem, i);
            if (p->warning && map_getu(&routers, p->node) && count++ < NOTED_MAX)
                print_warning(c, p);
        }
        if (count > NOTED_MAX)
            fprintf(c->out.err, "%zu more warnings: see 'headway routes check'\n", count - NOTED_MAX);
    }
    api_release_list(&api_route_problem_shape, &list);
    map_release(&routers);
    json_decref(answer);
}
