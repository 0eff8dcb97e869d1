/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that an administrator decides on: registrations, and checks of Tailscale SSH. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "cli/command.h"

/* The node that asks to join; for an SSH session, who wants to log in as whom and where. */
static void who_waits(struct text_table *t, const struct api_pending *p)
{
    char *text = p->kind == API_PENDING_SSH
                     ? mem_format("%s to %s as %s", *p->ssh_source ? p->ssh_source : "?",
                                  *p->ssh_target ? p->ssh_target : "?", *p->ssh_user ? p->ssh_user : "?")
                     : mem_strdup(p->hostname);

    table_text(t, text, COLOR_PLAIN);
    free(text);
}

static void pending_row(struct text_table *t, const void *object)
{
    const struct api_pending *p = object;

    table_text(t, p->auth_id, COLOR_PLAIN);
    table_text(t, p->kind == API_PENDING_SSH ? "ssh" : "register", COLOR_PLAIN);
    who_waits(t, p);
    table_text(t, p->source, COLOR_PLAIN);
    table_prefixes(t, &p->routes);
    table_texts(t, &p->request_tags);
    table_time(t, p->created_ns, "", false);
    table_time(t, p->expires_ns, "", true);
}

static int list(struct cli *c)
{
    static const char *const heads[] = {"Auth ID", "Kind", "Hostname", "From", "Routes", "Tags", "Since", "Until"};
    static const struct listing listing = {"pending", &api_pending_shape, sizeof(struct api_pending),
                                           heads,     ARRAY_LEN(heads),   pending_row};

    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/pending"), &listing);
}

static int register_node(struct cli *c)
{
    struct api_user user;
    json_t *body;

    if (!cli_find_user(c, flags_text(&c->flags, "user"), &user))
        return 1;
    body = json_pack("{s:s, s:s}", "user", user.name, "authId", flags_text(&c->flags, "auth-id"));
    api_release(&api_user_shape, &user);
    return cli_node_registered(c, cli_call(c, "POST", body, "/api/v1/auth/register"));
}

static int decide(struct cli *c, const char *verb, const char *line)
{
    json_t *body = json_pack("{s:s}", "authId", flags_text(&c->flags, "auth-id"));

    if (!body)
        return cli_failf(c, "invalid auth_id: not valid UTF-8");
    return cli_done(c, cli_call(c, "POST", body, "/api/v1/auth/%s", verb), line, NULL, NULL);
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
#define AUTH_ID {"auth-id", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "id of the request, hskey-authreq-..., as shown by the client and by 'headway auth list'"}

static const struct flag register_flags[] = {
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "user who will own the node"}, AUTH_ID, FLAGS_END};
static const struct flag id_flags[] = {AUTH_ID, FLAGS_END};

const struct command auth_commands[] = {
    {"auth", NULL, .bits = CMD_GROUP, .brief = "Decide on pending registrations and SSH checks"},
    {"auth list", "ls", NULL, NULL, "List pending requests", .run = list},
    {"auth register", NULL, NULL, register_flags, "Register a pending node for a user", .run = register_node},
    {"auth approve", NULL, NULL, id_flags, "Approve a pending request", .run = approve},
    {"auth reject", NULL, NULL, id_flags, "Reject a pending request", .run = reject},
    {0}};
/* clang-format on */
