/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"
#include "policy/policy.h"

#define BYPASS "bypass-server-and-access-database-directly"

/* headscale opens its database behind the server's back; a daemon that is down is started instead. */
static bool bypassing(struct cli *c)
{
    if (!flags_switch(&c->flags, BYPASS))
        return false;
    cli_failf(c,
              "--" BYPASS " is not possible here: the daemon answers over its socket; start it with 'headway serve'");
    return true;
}

static int get(struct cli *c)
{
    json_t *answer;

    if (bypassing(c) || !(answer = cli_call(c, "GET", NULL, "/api/v1/policy")))
        return 1;
    fprintf(c->out.out, "%s\n", json_text(answer, "policy", ""));
    json_decref(answer);
    return 0;
}

/* The file of --file, as the body of a call; NULL with the error printed. */
static json_t *policy_body(struct cli *c, const char *path)
{
    char *text = cli_read_file(c, path, "policy file");
    json_t *body = text ? json_pack("{s:s}", "policy", text) : NULL;

    if (text && !body)
        cli_failf(c, "reading policy file: %s is not valid UTF-8", path);
    free(text);
    return body;
}

static int set(struct cli *c)
{
    json_t *body, *answer;

    if (bypassing(c) || !(body = policy_body(c, flags_text(&c->flags, "file"))))
        return 1;
    answer = cli_call(c, "PUT", body, "/api/v1/policy");
    if (!answer)
        return 1;
    fputs("Policy updated.\n", c->out.out);
    json_decref(answer);
    return 0;
}

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Each problem on a line of its own, where an editor can jump to it. */
static void print_problems(struct cli *c, const char *file, const struct policy_problems *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        const struct policy_problem *p = &problems->items[i];
        struct buf line = BUF_INIT(8192);
        if (p->line)
            buf_addf(&line, "%s:%u:%u: ", file, p->line, p->column);
        buf_adds(&line, p->text);
        if (p->warning)
            fprintf(c->out.err, "Warning: %s\n", buf_text(&line));
        else
            output_error(&c->out, buf_text(&line));
        buf_release(&line);
    }
}

/* Without a daemon: what can be checked without its users and nodes. */
static int check_offline(struct cli *c)
{
    const char *path = flags_text(&c->flags, "file");
    char *text = cli_read_file(c, path, "policy file");
    struct policy_problems problems = {0};
    struct policy *policy = NULL;

    if (!text)
        return 1;
    int r = policy_parse(text, strlen(text), &policy, &problems);
    print_problems(c, path, &problems);
    if (r == 0)
        fputs("Policy is valid\n", c->out.out);
    policy_problems_release(&problems);
    policy_unref(policy);
    free(text);
    return r == 0 ? 0 : 1;
}

static int compile(struct cli *c)
{
    const char *policy_path = flags_text(&c->flags, "policy"), *node = flags_text(&c->flags, "node");
    char *policy = cli_read_file(c, policy_path, "policy file");
    char *tailnet = policy ? cli_read_file(c, flags_text(&c->flags, "tailnet"), "tailnet file") : NULL;
    bool machine = c->out.form != OUTPUT_HUMAN;
    struct policy_problems problems = {0};
    struct buf text = BUF_INIT(0);
    json_t *value = NULL;
    struct err e = {0};
    int r = -1;

    if (tailnet) {
        r = policy_compile_texts(policy, strlen(policy), tailnet, strlen(tailnet), *node ? node : NULL, machine, &text,
                                 &problems);
        print_problems(c, policy_path, &problems);
        if (r == 0 && machine && (r = json_read(buf_text(&text), text.len, text.len, "the result", &value, &e)) < 0)
            cli_fail(c, &e);
        if (r == 0 && machine)
            output_value(&c->out, value, SHAPE_PLAIN);
        else if (r == 0)
            fputs(buf_text(&text), c->out.out);
    }
    json_decref(value);
    buf_release(&text);
    policy_problems_release(&problems);
    free(policy);
    free(tailnet);
    return r == 0 ? 0 : 1;
}

/* "FILE:3:5: text" on stderr for each finding that does not hinder. */
static void print_warnings(const struct cli *c, const char *file, const json_t *answer)
{
    const json_t *found;
    size_t i;

    json_array_foreach(json_object_get(answer, "findings"), i, found)
    {
        const char *text = json_text(found, "message", "");
        struct buf b = BUF_INIT(4096);
        str_safe(&b, text, strlen(text));
        fprintf(c->out.err, "Warning: %s:%llu:%llu: %s\n", file, (unsigned long long)number_of(found, "line"),
                (unsigned long long)number_of(found, "column"), buf_text(&b));
        buf_release(&b);
    }
}

/* The verdict is asked for as everybody does who was made for headscale; warnings are in our own answer alone. */
static int check(struct cli *c)
{
    const char *path = flags_text(&c->flags, "file");
    json_t *body, *again, *answer;

    if (flags_switch(&c->flags, BYPASS))
        return check_offline(c);
    if (!(body = policy_body(c, path)))
        return 1;
    again = json_incref(body);
    answer = cli_call(c, "POST", body, "/api/v1/policy/check");
    if (!answer) {
        json_decref(again);
        return 1;
    }
    json_decref(answer);
    answer = cli_call(c, "POST", again, "/api/headway/policy/check");
    if (!answer)
        return 1;
    print_warnings(c, path, answer);
    fputs("Policy is valid\n", c->out.out);
    json_decref(answer);
    return 0;
}

/* {"count": 12, "names": ["a", "b"]} as "a, b and 10 more". */
static char *some_names(const json_t *set)
{
    struct buf b = BUF_INIT(4096);
    uint64_t count = 0;
    json_t *name;
    size_t i, shown = json_array_size(json_object_get(set, "names"));

    count = (uint64_t)json_integer_value(json_object_get(set, "count"));
    json_array_foreach(json_object_get(set, "names"), i, name)
    {
        buf_adds(&b, i ? ", " : "");
        str_safe(&b, json_string_value(name), json_string_length(name));
    }
    if (count > shown)
        buf_addf(&b, " and %llu more", (unsigned long long)(count - shown));
    return buf_take(&b);
}

static void number_cell(struct table *t, uint64_t number)
{
    struct buf b = BUF_INIT(32);

    buf_addu(&b, number);
    table_cell(t, buf_text(&b), CELL_PLAIN);
    buf_release(&b);
}

static void set_cell(struct table *t, const json_t *set)
{
    char *names = some_names(set);

    table_cell(t, names, CELL_PLAIN);
    free(names);
}

static void safe_cell(struct table *t, const char *text)
{
    struct buf b = BUF_INIT(4096);

    str_safe(&b, text, strlen(text));
    table_cell(t, buf_text(&b), CELL_PLAIN);
    buf_release(&b);
}

static void show_access(const struct cli *c, const json_t *rows)
{
    static const char *const heads[] = {"Access", "Pairs", "Who", "To", "What"};
    struct table t;
    json_t *row, *what;
    size_t i, k;

    if (!json_array_size(rows))
        return;
    table_init(&t, heads, 5);
    json_array_foreach(rows, i, row)
    {
        bool gain = str_eq(json_text(row, "kind", ""), "gained");
        struct buf list = BUF_INIT(4096);
        json_array_foreach(json_object_get(row, "what"), k, what)
        {
            buf_adds(&list, k ? "; " : "");
            buf_adds(&list, json_string_value(what));
        }
        table_cell(&t, gain ? "gained" : "lost", gain ? CELL_GOOD : CELL_BAD);
        number_cell(&t, number_of(row, "pairs"));
        set_cell(&t, json_object_get(row, "sources"));
        set_cell(&t, json_object_get(row, "destinations"));
        safe_cell(&t, buf_text(&list));
        buf_release(&list);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void show_routes(const struct cli *c, const json_t *routes, const json_t *approvals)
{
    static const char *const heads[] = {"Route", "Prefix", "Router", "For"};
    struct table t;
    json_t *row;
    size_t i;

    if (!json_array_size(routes) && !json_array_size(approvals))
        return;
    table_init(&t, heads, 4);
    json_array_foreach(approvals, i, row)
    {
        uint64_t viewers = number_of(row, "viewers");
        struct buf b = BUF_INIT(64);
        buf_addf(&b, "%llu %s", (unsigned long long)viewers, viewers == 1 ? "device" : "devices");
        table_cell(&t, "approved", CELL_GOOD);
        safe_cell(&t, json_text(row, "route", ""));
        safe_cell(&t, json_text(row, "router", ""));
        table_cell(&t, buf_text(&b), CELL_PLAIN);
        buf_release(&b);
    }
    json_array_foreach(routes, i, row)
    {
        bool shown = str_eq(json_text(row, "kind", ""), "shown");
        table_cell(&t, shown ? "shown" : "hidden", shown ? CELL_GOOD : CELL_BAD);
        safe_cell(&t, json_text(row, "route", ""));
        safe_cell(&t, json_text(row, "router", ""));
        set_cell(&t, json_object_get(row, "viewers"));
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void show_preview(const struct cli *c, const json_t *answer)
{
    const json_t *totals = json_object_get(answer, "totals"), *found;
    size_t i;

    json_array_foreach(json_object_get(answer, "findings"), i, found)
    {
        const char *text = json_text(found, "message", "");
        struct buf b = BUF_INIT(4096);
        str_safe(&b, text, strlen(text));
        fprintf(c->out.err, "%s: line %llu: %s\n",
                str_eq(json_text(found, "severity", ""), "warning") ? "Warning" : "Would be refused",
                (unsigned long long)number_of(found, "line"), buf_text(&b));
        buf_release(&b);
    }
    show_access(c, json_object_get(answer, "rows"));
    show_routes(c, json_object_get(answer, "routes"), json_object_get(answer, "approvals"));
    if (!json_array_size(json_object_get(answer, "rows")))
        fputs("Nobody gains or loses access.\n", c->out.out);
    else
        fprintf(c->out.out, "%llu pairs of devices lose access, %llu gain it. Nothing was changed.\n",
                (unsigned long long)number_of(totals, "pairs_lost"),
                (unsigned long long)number_of(totals, "pairs_gained"));
}

static void show_explanation(const struct cli *c, const json_t *answer)
{
    const json_t *step;
    size_t i;

    fprintf(c->out.out, "%s: %s %s %s\n", json_is_true(json_object_get(answer, "allowed")) ? "Yes" : "No",
            json_text(answer, "src", ""),
            json_is_true(json_object_get(answer, "allowed")) ? "reaches" : "does not reach",
            json_text(answer, "dst", ""));
    json_array_foreach(json_object_get(answer, "steps"), i, step)
    {
        const char *text = json_text(step, "text", "");
        struct buf b = BUF_INIT(4096);
        str_safe(&b, text, strlen(text));
        fprintf(c->out.out, "  %s %s\n", json_is_true(json_object_get(step, "ok")) ? "+" : "-", buf_text(&b));
        buf_release(&b);
    }
}

static int preview(struct cli *c)
{
    json_t *body = policy_body(c, c->args->items[0]), *answer;

    if (!body || !(answer = cli_call(c, "POST", body, "/api/headway/policy/preview")))
        return 1;
    if (c->out.form == OUTPUT_HUMAN)
        show_preview(c, answer);
    else
        output_value(&c->out, answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* The file of the file mode becomes the database's policy; the configuration still has to say so. */
static int adopt(struct cli *c)
{
    json_t *answer = cli_call(c, "POST", NULL, "/api/headway/policy/adopt");

    if (!answer)
        return 1;
    output_result(&c->out,
                  "The policy is now in the database too. Set policy.mode to database in the configuration and restart "
                  "the daemon.",
                  answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* "DST:443", "[fd00::1]:443" or "DST": what stands behind the last colon is a port where it is a number. */
static char *split_port(const char *text, const char **port)
{
    const char *colon = strrchr(text, ':');
    uint64_t number;

    *port = "";
    if (!colon || str_u64(colon + 1, 1, 65535, &number, "port", NULL) < 0)
        return mem_strdup(text);
    if (text[0] == '[' && colon > text && colon[-1] == ']') {
        *port = colon + 1;
        return mem_strndup(text + 1, (size_t)(colon - text) - 2);
    }
    if (strchr(text, ':') != colon && !strpbrk(text, "ghijklmnopqrstuvwxyz@.-"))
        return mem_strdup(text); /* an IPv6 address without brackets */
    *port = colon + 1;
    return mem_strndup(text, (size_t)(colon - text));
}

static int explain(struct cli *c)
{
    const char *port;
    char *dst = split_port(c->args->items[1], &port), *to = cli_segment(dst), *from = cli_segment(c->args->items[0]);
    json_t *answer =
        cli_call(c, "GET", NULL, "/api/headway/explain?src=%s&dst=%s%s%s", from, to, *port ? "&port=" : "", port);

    free(dst);
    free(to);
    free(from);
    if (!answer)
        return 1;
    if (c->out.form == OUTPUT_HUMAN)
        show_explanation(c, answer);
    else
        output_value(&c->out, answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* clang-format off */
#define BYPASS_FLAGS \
    {BYPASS, 0, FLAG_SWITCH, FLAG_HIDDEN, .help = "of headscale"}, \
    {"bypass-grpc-and-access-database-directly", 0, FLAG_SWITCH, FLAG_HIDDEN, .same_as = BYPASS, .help = "of headscale"}

static const struct flag get_flags[] = {BYPASS_FLAGS, FLAGS_END};
static const struct flag file_flags[] = {
    {"file", 'f', FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "the policy (HuJSON); - for standard input"}, BYPASS_FLAGS, FLAGS_END};

static const struct flag compile_flags[] = {
    {"policy", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "the policy (HuJSON)"},
    {"tailnet", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "users, settings and nodes (JSON)"},
    {"node", 0, FLAG_TEXT, .value = "NAME", .help = "only what this node is told"}, FLAGS_END};
static const struct flag check_flags[] = {
    {"file", 'f', FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "the policy (HuJSON); - for standard input"},
    {BYPASS, 0, FLAG_SWITCH, .help = "check without the daemon: no users, no nodes, no tests"},
    {"bypass-grpc-and-access-database-directly", 0, FLAG_SWITCH, FLAG_HIDDEN, .same_as = BYPASS, .help = "of headscale"}, FLAGS_END};

const struct command policy_commands[] = {
    {"policy", NULL, .bits = CMD_GROUP, .brief = "The policy: who may reach what"},
    {"policy get", "show|view|fetch", NULL, get_flags, "Print the policy", .run = get},
    {"policy set", "put|update", NULL, file_flags, "Replace the policy", .run = set},
    {"policy check", NULL, NULL, check_flags, "Check a policy and run its tests, changing nothing", .run = check},
    {"policy compile", NULL, NULL, compile_flags, "Show what nodes would be told, without a daemon",
     .text = "Show what the nodes of a tailnet that stands in a file would be told by a policy: packet filter, peers, routes, SSH rules. No daemon is asked", .bits = CMD_BARE, .run = compile},
    {"policy preview", NULL, "FILE", NULL, "Show who would gain and lose access to what",
     .text = "Show what a policy would change: who gains and loses access to what, and which routes would be approved, shown and hidden. Nothing is changed", .run = preview},
    {"policy adopt", NULL, NULL, NULL, "Copy the policy from its file into the database", .run = adopt},
    {"policy explain", NULL, "SRC DST[:PORT]", NULL, "Say whether SRC reaches DST, and why",
     .text = "Say whether SRC reaches DST, and why: the rule with its line, the route and the router, or the nearest rule that failed. Both are nodes, users, tags or addresses", .run = explain},
    {0}};
/* clang-format on */
