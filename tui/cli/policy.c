/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "cli/command.h"
#include "policy/policy.h"

#define BYPASS "bypass-server-and-access-database-directly"

/* With this flag headscale bypasses its server and opens the database; headway asks to start the daemon instead. */
static bool bypassing(struct cli *c)
{
    if (!flags_switch(&c->flags, BYPASS))
        return false;
    cli_failf(c, "--" BYPASS " is not supported: start the daemon with 'headway serve' and leave the flag out");
    return true;
}

/* Prints a text unchanged to a file or pipe, made safe on a terminal. */
static int get(struct cli *c)
{
    struct api_policy policy;
    json_t *answer;

    if (bypassing(c) || !(answer = cli_call(c, "GET", NULL, "/api/v1/policy")))
        return 1;
    if (api_read(&api_policy_shape, answer, &policy, API_LENIENT, NULL) == 0) {
        output_text(&c->out, policy.text);
        fputc('\n', c->out.out);
        api_release(&api_policy_shape, &policy);
    }
    json_decref(answer);
    return 0;
}

/* The file of --file as the body of a call. NULL, with an error printed, on failure. */
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
    /* headscale's call does not accept a note. */
    const char *note = flags_text(&c->flags, "note");
    if (*note)
        json_object_set_new(body, "note", json_string(note));
    answer = cli_call(c, "PUT", body, "%s", *note ? "/api/headway/policy" : "/api/v1/policy");
    if (!answer)
        return 1;
    fputs("Policy updated.\n", c->out.out);
    json_decref(answer);
    return 0;
}

/* Prints each problem on its own line, in a form that editors can jump to. */
static void print_problems(struct cli *c, const char *file, const struct policy_problems *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        const struct policy_problem *p = &problems->items[i];
        struct buf line = BUF_INIT(8192);
        if (p->line)
            buf_addf(&line, "%s:%u:%u: ", file, p->line, p->column);
        buf_adds(&line, p->text);
        if (p->warning)
            cli_note(c, "Warning", buf_text(&line));
        else
            output_error(&c->out, buf_text(&line));
        buf_release(&line);
    }
}

/* Without a daemon: checks what does not depend on its users and nodes. */
static int check_offline(struct cli *c)
{
    const char *path = flags_text(&c->flags, "file");
    char *text = cli_read_file(c, path, "policy file");
    struct policy_problems problems = {0};
    struct policy *policy = NULL;

    if (!text)
        return 1;
    int r = policy_parse(text, strlen(text), &policy, &problems);
    if (r == 0)
        policy_warn_unreachable(policy, &problems);
    else
        policy_further_errors(text, strlen(text), &problems);
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
        if (r == 0 && machine &&
            (r = json_read_large(buf_text(&text), text.len, text.len, "the result", &value, &e)) < 0)
            cli_fail(c, &e);
        if (r == 0 && machine)
            output_value(&c->out, value, NULL);
        else if (r == 0)
            output_text(&c->out, buf_text(&text));
    }
    json_decref(value);
    buf_release(&text);
    policy_problems_release(&problems);
    free(policy);
    free(tailnet);
    return r == 0 ? 0 : 1;
}

/* Prints "FILE:3:5: text" on stderr for each finding that is not an error. */
static void print_findings(const struct cli *c, const char *file, const struct api_list *findings)
{
    for (size_t i = 0; i < findings->len; i++) {
        const struct api_finding *f = api_at(findings, struct api_finding, i);
        struct buf line = BUF_INIT(0);
        if (f->line)
            buf_addf(&line, "%s:%llu:%llu: ", file, (unsigned long long)f->line, (unsigned long long)f->column);
        buf_adds(&line, f->message);
        if (str_eq(f->severity, "warning"))
            cli_note(c, "Warning", buf_text(&line));
        else
            cli_note(c, "Would be refused", buf_text(&line));
        buf_release(&line);
    }
}

/* The server's answer names only the first syntax error; the others are found here. */
static void print_further_errors(struct cli *c, const char *file, const json_t *body)
{
    const json_t *text = json_object_get(body, "policy");
    struct policy_problems problems = {0};

    policy_further_errors(json_string_value(text), json_string_length(text), &problems);
    print_problems(c, file, &problems);
    policy_problems_release(&problems);
}

/* The verdict is requested in headscale's form, as other tools do; only the answer in headway's form has warnings. */
static int check(struct cli *c)
{
    const char *path = flags_text(&c->flags, "file");
    json_t *body, *again, *answer;
    struct api_check found;

    if (flags_switch(&c->flags, BYPASS))
        return check_offline(c);
    if (!(body = policy_body(c, path)))
        return 1;
    again = json_incref(body);
    answer = cli_call(c, "POST", body, "/api/v1/policy/check");
    if (!answer) {
        print_further_errors(c, path, again);
        json_decref(again);
        return 1;
    }
    json_decref(answer);
    answer = cli_call(c, "POST", again, "/api/headway/policy/check");
    if (!answer)
        return 1;
    if (api_read(&api_check_shape, answer, &found, API_FOR_TERMINAL, NULL) == 0) {
        print_findings(c, path, &found.findings);
        api_release(&api_check_shape, &found);
    }
    fputs("Policy is valid\n", c->out.out);
    json_decref(answer);
    return 0;
}

/* "a, b and 10 more" */
static void names_field(struct text_table *t, const struct api_names *names)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < names->names.len; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", names->names.items[i]);
    if (names->count > names->names.len)
        buf_addf(&b, " and %llu more", (unsigned long long)(names->count - names->names.len));
    table_text(t, buf_text(&b), COLOR_PLAIN);
    buf_release(&b);
}

static void texts_field(struct text_table *t, const struct strs *texts)
{
    struct buf b = BUF_INIT(0);

    for (size_t k = 0; k < texts->len; k++)
        buf_addf(&b, "%s%s", k ? "; " : "", texts->items[k]);
    table_text(t, buf_text(&b), COLOR_PLAIN);
    buf_release(&b);
}

static void show_access(const struct cli *c, const struct api_list *rows)
{
    static const char *const heads[] = {"Access", "Pairs", "Online", "Who", "To", "What", "Kept"};
    struct text_table t;

    if (!rows->len)
        return;
    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < rows->len; i++) {
        const struct api_access *row = api_at(rows, struct api_access, i);
        table_text(&t, row->kind, str_eq(row->kind, "gained") ? COLOR_GOOD : COLOR_BAD);
        table_number(&t, row->pairs);
        table_number(&t, row->online_pairs);
        names_field(&t, &row->sources);
        names_field(&t, &row->destinations);
        texts_field(&t, &row->what);
        texts_field(&t, &row->kept);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void show_routes(const struct cli *c, const struct api_list *routes, const struct api_list *approvals)
{
    static const char *const heads[] = {"Route", "Prefix", "Router", "For"};
    struct text_table t;

    if (!routes->len && !approvals->len)
        return;
    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < approvals->len; i++) {
        const struct api_approval *row = api_at(approvals, struct api_approval, i);
        char viewers[64];
        snprintf(viewers, sizeof(viewers), "%llu %s", (unsigned long long)row->viewers,
                 row->viewers == 1 ? "device" : "devices");
        table_text(&t, "approved", COLOR_GOOD);
        table_text(&t, row->route, COLOR_PLAIN);
        table_text(&t, row->router, COLOR_PLAIN);
        table_text(&t, viewers, COLOR_PLAIN);
    }
    for (size_t i = 0; i < routes->len; i++) {
        const struct api_route_shown *row = api_at(routes, struct api_route_shown, i);
        table_text(&t, row->kind, str_eq(row->kind, "shown") ? COLOR_GOOD : COLOR_BAD);
        table_text(&t, row->route, COLOR_PLAIN);
        table_text(&t, row->router, COLOR_PLAIN);
        names_field(&t, &row->viewers);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void show_ways(const struct cli *c, const struct api_preview *p)
{
    static const char *const heads[] = {"Way", "Prefix", "From", "To", "For"};
    struct text_table t;

    for (size_t i = 0; i < p->cut_off.len; i++) {
        const struct api_preview_cut_off *row = api_at(&p->cut_off, struct api_preview_cut_off, i);
        fprintf(c->out.out, "%s has no way to %s any more.\n", row->user, row->exit ? "the internet" : row->route);
    }
    if (!p->ways.len)
        return;
    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < p->ways.len; i++) {
        const struct api_preview_way *row = api_at(&p->ways, struct api_preview_way, i);
        table_text(&t, row->kind, str_eq(row->kind, "loses") ? COLOR_BAD : COLOR_GOOD);
        table_text(&t, row->exit ? "exit" : row->route, COLOR_PLAIN);
        table_text(&t, *row->from ? row->from : "-", COLOR_PLAIN);
        table_text(&t, *row->to ? row->to : "-", COLOR_PLAIN);
        names_field(&t, &row->viewers);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

static void show_tests(const struct cli *c, const struct api_preview *p)
{
    if (p->tests_passed + p->tests_failed)
        fprintf(c->out.out, "%llu tests pass, %llu fail.\n", (unsigned long long)p->tests_passed,
                (unsigned long long)p->tests_failed);
    fprintf(c->out.out, "%llu of %llu nodes would be told something else.\n", (unsigned long long)p->cost.changed,
            (unsigned long long)p->cost.nodes);
}

static void show_preview(const struct cli *c, const char *file, const struct api_preview *p)
{
    print_findings(c, file, &p->findings);
    show_access(c, &p->rows);
    show_routes(c, &p->routes, &p->approvals);
    show_ways(c, p);
    show_tests(c, p);
    if (!p->rows.len)
        fputs("Nobody gains or loses access.\n", c->out.out);
    else
        fprintf(c->out.out, "%llu pairs of devices lose access, %llu gain it. Nothing was changed.\n",
                (unsigned long long)p->totals.pairs_lost, (unsigned long long)p->totals.pairs_gained);
}

static void show_explanation(const struct cli *c, const struct api_explanation *e)
{
    fprintf(c->out.out, "%s: %s %s %s\n", e->allowed ? "Yes" : "No", e->src, e->allowed ? "reaches" : "does not reach",
            e->dst);
    for (size_t i = 0; i < e->steps.len; i++) {
        const struct api_step *step = api_at(&e->steps, struct api_step, i);
        fprintf(c->out.out, "  %s %s\n", step->ok ? "+" : "-", step->text);
    }
}

static int preview(struct cli *c)
{
    json_t *body = policy_body(c, c->args->items[0]), *answer;
    struct api_preview p;

    if (!body || !(answer = cli_call(c, "POST", body, "/api/headway/policy/preview")))
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, answer, NULL);
    } else if (api_read(&api_preview_shape, answer, &p, API_FOR_TERMINAL, NULL) == 0) {
        show_preview(c, c->args->items[0], &p);
        api_release(&api_preview_shape, &p);
    }
    json_decref(answer);
    return 0;
}

/* Moves the policy of the file mode into the database; the configuration must be changed by hand. */
static int adopt(struct cli *c)
{
    return cli_done(c, cli_call(c, "POST", NULL, "/api/headway/policy/adopt"),
                    "The policy is now in the database too. Set policy.mode to database in the configuration and "
                    "restart the daemon.",
                    NULL, NULL);
}

/* "DST:443", "[fd00::1]:443" or "DST": a number after the last colon is a port. */
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
    struct api_explanation e;
    const char *port;
    char *dst = split_port(c->args->items[1], &port), *to = cli_segment(dst), *from = cli_segment(c->args->items[0]);
    json_t *answer =
        cli_call(c, "GET", NULL, "/api/headway/explain?src=%s&dst=%s%s%s", from, to, *port ? "&port=" : "", port);

    free(dst);
    free(to);
    free(from);
    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, answer, NULL);
    } else if (api_read(&api_explanation_shape, answer, &e, API_FOR_TERMINAL, NULL) == 0) {
        show_explanation(c, &e);
        api_release(&api_explanation_shape, &e);
    }
    json_decref(answer);
    return 0;
}

/* clang-format off */
#define BYPASS_FLAGS \
    {BYPASS, 0, FLAG_SWITCH, FLAG_HIDDEN, .help = "not supported"}, \
    {"bypass-grpc-and-access-database-directly", 0, FLAG_SWITCH, FLAG_HIDDEN, .same_as = BYPASS, .help = "not supported"}

static const struct flag get_flags[] = {BYPASS_FLAGS, FLAGS_END};
#define NOTE_FLAG {"note", 0, FLAG_TEXT, .value = "TEXT", .help = "why: kept with the text and shown in the journal"}
static const struct flag set_flags[] = {
    {"file", 'f', FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "policy (HuJSON); - reads standard input"},
    NOTE_FLAG, BYPASS_FLAGS, FLAGS_END};
static const struct flag restore_flags[] = {NOTE_FLAG, FLAGS_END};

static const struct flag compile_flags[] = {
    {"policy", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "policy (HuJSON)"},
    {"tailnet", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "users, settings and nodes of a tailnet (JSON)"},
    {"node", 0, FLAG_TEXT, .value = "NAME", .help = "show only what this node is sent"}, FLAGS_END};
static const struct flag check_flags[] = {
    {"file", 'f', FLAG_TEXT, FLAG_REQUIRED, .value = "FILE", .help = "policy (HuJSON); - reads standard input"},
    {BYPASS, 0, FLAG_SWITCH, .help = "check without the daemon; users, nodes and tests are not looked at"},
    {"bypass-grpc-and-access-database-directly", 0, FLAG_SWITCH, FLAG_HIDDEN, .same_as = BYPASS, .help = "not supported"}, FLAGS_END};

static const struct flag reach_flags[] = {
    {"from", 0, FLAG_TEXT, .value = "WHO", .help = "sources: one node, user, group or tag, or kinds separated by commas: users, groups, tags, nodes"},
    {"to", 0, FLAG_TEXT, .value = "WHAT", .help = "destinations, likewise; also prefixes, exits, or one network"},
    {"from-in", 0, FLAG_TEXT, .value = "WHO", .help = "only sources of this node, user, group or tag"},
    {"to-in", 0, FLAG_TEXT, .value = "WHAT", .help = "only destinations in this node, user, group, tag or network"},
    {"matrix", 0, FLAG_SWITCH, .help = "print sources against destinations"}, FLAGS_END};
static const struct flag log_flags[] = {
    {"limit", 'l', FLAG_NUMBER, .value = "N", .fallback = "50", .help = "print the newest N versions"}, FLAGS_END};

const struct command policy_commands[] = {
    {"policy", NULL, .bits = CMD_GROUP, .brief = "Manage the access policy"},
    {"policy get", "show|view|fetch", NULL, get_flags, "Print the policy", .run = get},
    {"policy set", "put|update", NULL, set_flags, "Replace the policy", .run = set},
    {"policy check", NULL, NULL, check_flags, "Check a policy and run its tests without applying it", .run = check},
    {"policy compile", NULL, NULL, compile_flags, "Compile a policy for a tailnet described in a file",
     .text = "Compile a policy for a tailnet described in a file, and print what each node would be sent: packet filter, peers, routes and SSH rules. The daemon is not needed", .bits = CMD_BARE, .run = compile},
    {"policy preview", NULL, "FILE", NULL, "Show which access a policy would grant and revoke",
     .text = "Show what a policy would change: which access is gained and lost, and which routes would be approved, shown and hidden. Nothing is applied", .run = preview},
    {"policy log", "history|versions", NULL, log_flags, "List the texts that were the policy",
     .text = "List the texts that were the policy, newest first: the newest 500 are kept, and all of which the past that is kept needs (see nodes list --at)", .run = cli_policy_log},
    {"policy diff", NULL, "[OLD] [NEW]", NULL, "Show how two versions of the policy differ",
     .text = "Show how two versions of the policy differ, line by line. Without NEW it is the policy in force, without OLD the version before it", .run = cli_policy_diff},
    {"policy restore", NULL, "VERSION", restore_flags, "Make an older version the policy again",
     .text = "Make an older version the policy again. It says first how many pairs of devices would lose and gain access, and asks; the text is checked like a new one", .run = cli_policy_restore},
    {"policy adopt", NULL, NULL, NULL, "Copy the policy from its file into the database", .run = adopt},
    {"policy explain", NULL, "SRC DST[:PORT]", NULL, "Explain whether SRC can reach DST",
     .text = "Explain whether SRC can reach DST: the rule with its line, the route and the router, or the rule that comes nearest. Each is a node, user, tag or address", .run = explain},
    {"policy reach", NULL, NULL, reach_flags, "List who can reach what under the policy in force",
     .text = "List who can reach what under the policy in force: users, groups, tags and nodes, against these, networks and exit nodes. What is printed is what is open: \"any\", ports, or protocols with ports; \"(some)\" where not all nodes of the source reach all of the destination by one rule. Line is where that rule stands in the policy", .run = cli_policy_reach},
    {0}};
/* clang-format on */
