/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits for somebody's decision: registrations, and checks of Tailscale SSH. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"

/* The node that wants to join; of an SSH session, who wants to be whom where. */
static void who_cell(struct table *t, const json_t *item)
{
    char *text = str_eq(json_text(item, "kind", ""), "ssh")
                     ? mem_format("%s to %s as %s", json_text(item, "sshSource", "?"),
                                  json_text(item, "sshTarget", "?"), json_text(item, "sshUser", "?"))
                     : mem_strdup(json_text(item, "hostname", ""));

    table_cell(t, text, CELL_PLAIN);
    free(text);
}

static int list(struct cli *c)
{
    static const char *const heads[] = {"Auth ID", "Kind", "Hostname", "From", "Routes", "Tags", "Since", "Until"};
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/pending"), *pending, *item;
    struct table t;
    size_t i;

    if (!answer)
        return 1;
    pending = json_object_get(answer, "pending");
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, pending, SHAPE_PLAIN);
    } else {
        table_init(&t, heads, 8);
        json_array_foreach(pending, i, item)
        {
            table_cell(&t, json_text(item, "authId", ""), CELL_PLAIN);
            table_cell(&t, json_text(item, "kind", ""), CELL_PLAIN);
            who_cell(&t, item);
            table_cell(&t, json_text(item, "source", ""), CELL_PLAIN);
            table_list(&t, json_object_get(item, "routes"));
            table_list(&t, json_object_get(item, "requestTags"));
            table_time(&t, json_text(item, "createdAt", NULL), "", false);
            table_time(&t, json_text(item, "expiresAt", NULL), "", true);
        }
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(answer);
    return 0;
}

static int register_node(struct cli *c)
{
    json_t *user = cli_find_user(c, flags_text(&c->flags, "user")), *body, *answer, *node;
    char line[512];

    if (!user)
        return 1;
    body = json_pack("{s:s, s:s}", "user", json_text(user, "name", ""), "authId", flags_text(&c->flags, "auth-id"));
    json_decref(user);
    answer = cli_call(c, "POST", body, "/api/v1/auth/register");
    if (!answer)
        return 1;
    node = json_object_get(answer, "node");
    snprintf(line, sizeof(line), "Node %s registered", json_text(node, "givenName", ""));
    output_result(&c->out, line, node, SHAPE_NODE);
    json_decref(answer);
    return 0;
}

static int decide(struct cli *c, const char *verb, const char *line)
{
    json_t *body = json_pack("{s:s}", "authId", flags_text(&c->flags, "auth-id"));
    json_t *answer = body ? cli_call(c, "POST", body, "/api/v1/auth/%s", verb) : NULL;

    if (!body)
        return cli_failf(c, "invalid auth_id: not valid UTF-8");
    if (!answer)
        return 1;
    output_result(&c->out, line, answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

static int approve(struct cli *c)
{
    return decide(c, "approve", "Auth request approved");
}

static int reject(struct cli *c)
{
    return decide(c, "reject", "Auth request rejected");
}

/* clang-format off */
#define AUTH_ID {"auth-id", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "the id, hskey-authreq-..., that the client's page and 'auth list' show"}

static const struct flag register_flags[] = {
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "the user who will own the node"}, AUTH_ID, FLAGS_END};
static const struct flag id_flags[] = {AUTH_ID, FLAGS_END};

const struct command auth_commands[] = {
    {"auth", NULL, .bits = CMD_GROUP, .brief = "Decisions: registrations and SSH checks that wait"},
    {"auth list", "ls", NULL, NULL, "List what waits for a decision", .run = list},
    {"auth register", NULL, NULL, register_flags, "Register a waiting node for a user", .run = register_node},
    {"auth approve", NULL, NULL, id_flags, "Say yes to a waiting request", .run = approve},
    {"auth reject", NULL, NULL, id_flags, "Say no to a waiting request", .run = reject},
    {0}};
/* clang-format on */
