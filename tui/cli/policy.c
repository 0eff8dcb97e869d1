/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"

#define BYPASS "bypass-server-and-access-database-directly"

/* headscale opens its database behind the server's back; a daemon that is down is started instead. */
static bool bypassing(struct cli *c)
{
    if (!flags_switch(&c->flags, BYPASS))
        return false;
    cli_failf(c, "--" BYPASS " is not needed: the daemon answers over its socket; start it with 'headway serve'");
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

static int check(struct cli *c)
{
    json_t *body, *answer;

    if (bypassing(c) || !(body = policy_body(c, flags_text(&c->flags, "file"))))
        return 1;
    answer = cli_call(c, "POST", body, "/api/v1/policy/check");
    if (!answer)
        return 1;
    fputs("Policy is valid\n", c->out.out);
    json_decref(answer);
    return 0;
}

static int preview(struct cli *c)
{
    json_t *body = policy_body(c, c->args->items[0]), *answer;

    if (!body || !(answer = cli_call(c, "POST", body, "/api/headway/policy/preview")))
        return 1;
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

const struct command policy_commands[] = {
    {"policy", NULL, .bits = CMD_GROUP, .brief = "The policy: who may reach what"},
    {"policy get", "show|view|fetch", NULL, get_flags, "Print the policy", .run = get},
    {"policy set", "put|update", NULL, file_flags, "Replace the policy", .run = set},
    {"policy check", NULL, NULL, file_flags, "Check a policy and run its tests, changing nothing", .run = check},
    {"policy preview", NULL, "FILE", NULL, "Show who would gain and lose access to what", .run = preview},
    {"policy adopt", NULL, NULL, NULL, "Copy the policy from its file into the database", .run = adopt},
    {"policy explain", NULL, "SRC DST[:PORT]", NULL, "Say whether SRC reaches DST, and why",
     .text = "Say whether SRC reaches DST, and why: the rule with its line, the route and the router, or the nearest rule that failed. Both are nodes, users, tags or addresses", .run = explain},
    {0}};
/* clang-format on */
