/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "cli/command.h"

static int create(struct cli *c)
{
    static const struct {
        const char *flag, *member;
    } members[] = {
        {"display-name", "displayName"}, {"email", "email"}, {"picture-url", "pictureUrl"}, {"role", "role"}};
    json_t *body = json_pack("{s:s}", "name", c->args->items[0]);
    bool role = flags_given(&c->flags, "role");

    if (!body)
        return cli_failf(c, "name: '%s' is not valid UTF-8", c->args->items[0]);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (flags_given(&c->flags, members[i].flag))
            json_object_set_new(body, members[i].member, json_string(flags_text(&c->flags, members[i].flag)));
    return cli_done(c, cli_call(c, "POST", body, role ? "/api/headway/users" : "/api/v1/user"), "User created",
                    role ? "result" : "user", &api_user_shape);
}

/* When and how a user last logged in, or that login is impossible; headscale's objects only say whether a provider is
 * linked. */
static void login_cell(struct text_table *t, const struct api_user *u)
{
    char when[OUTPUT_TIME_MAX], text[256];

    if (u->suspended_ns)
        table_text(t, "suspended", COLOR_BAD);
    else if (u->login_ns) {
        snprintf(text, sizeof(text), "%s, %s", u->login_provider, output_time(u->login_ns, "", when));
        table_text(t, text, COLOR_PLAIN);
    } else
        table_text(t, u->provider, COLOR_PLAIN);
}

static void user_row(struct text_table *t, const void *object)
{
    const struct api_user *u = object;

    table_number(t, u->id);
    table_text(t, u->display_name, COLOR_PLAIN);
    table_text(t, u->name, COLOR_PLAIN);
    table_text(t, u->email, COLOR_PLAIN);
    table_time(t, u->created_ns, "", false);
    login_cell(t, u);
}

static const char *const user_heads[] = {"ID", "Name", "Username", "Email", "Created", "Login"};
const struct listing user_listing = {"users",    &api_user_shape,       sizeof(struct api_user),
                                     user_heads, ARRAY_LEN(user_heads), user_row};

static int list(struct cli *c)
{
    static const char *const selectors[][2] = {{"identifier", "id"}, {"name", "name"}, {"email", "email"}};

    for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
        if (flags_given(&c->flags, selectors[i][0])) {
            char *value = cli_segment(flags_text(&c->flags, selectors[i][0]));
            json_t *answer = cli_call(c, "GET", NULL, "/api/v1/user?%s=%s", selectors[i][1], value);
            free(value);
            return cli_show_list(c, answer, &user_listing);
        }
    return cli_show_list(c,
                         cli_call(c, "GET", NULL, c->out.form == OUTPUT_HUMAN ? "/api/headway/users" : "/api/v1/user"),
                         &user_listing);
}

/* The user of --identifier or --name; the caller releases it. False, with an error printed, on failure. */
static bool selected(struct cli *c, struct api_user *out)
{
    const char *by = flags_given(&c->flags, "identifier") ? "identifier" : "name";
    struct api_list list = {0};

    if (!flags_given(&c->flags, by)) {
        cli_failf(c, "--name or --identifier flag is required");
        return false;
    }
    char *value = cli_segment(flags_text(&c->flags, by));
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/user?%s=%s", str_eq(by, "name") ? "name" : "id", value);
    free(value);
    bool ok = answer && cli_read_list(c, answer, &user_listing, true, &list);
    json_decref(answer);
    if (ok && list.len == 0)
        cli_failf(c, "no user matches: user not found: %s", flags_text(&c->flags, by));
    else if (ok && list.len > 1)
        cli_failf(c, "multiple users match query, specify an ID");
    ok = list.len == 1;
    if (ok) {
        *out = *api_at(&list, struct api_user, 0);
        *api_at(&list, struct api_user, 0) = (struct api_user){0};
    }
    api_release_list(&api_user_shape, &list);
    return ok;
}

static int destroy(struct cli *c)
{
    struct api_user user;

    if (!selected(c, &user))
        return 1;
    unsigned long long id = user.id;
    bool yes =
        cli_confirm(c, "Do you want to remove the user \"%s\" (%llu) and any associated preauthkeys?", user.name, id);
    api_release(&api_user_shape, &user);
    if (!yes)
        return cli_done(c, json_pack("{s:s}", "Result", "User not destroyed"), "User not destroyed", NULL, NULL);
    return cli_done(c, cli_call(c, "DELETE", NULL, "/api/v1/user/%llu", id), "User destroyed", NULL, NULL);
}

static int rename_user(struct cli *c)
{
    struct api_user user;

    if (!selected(c, &user))
        return 1;
    char *name = cli_segment(flags_text(&c->flags, "new-name"));
    json_t *answer = cli_call(c, "POST", NULL, "/api/v1/user/%llu/rename/%s", (unsigned long long)user.id, name);
    free(name);
    api_release(&api_user_shape, &user);
    return cli_done(c, answer, "User renamed", "user", &api_user_shape);
}

static int set_role(struct cli *c)
{
    struct api_user user;

    if (!selected(c, &user))
        return 1;
    json_t *answer = cli_call(c, "POST", json_pack("{s:s}", "role", c->args->items[0]), "/api/headway/users/%llu/role",
                              (unsigned long long)user.id);
    api_release(&api_user_shape, &user);
    return cli_done(c, answer, "Role set", "result", &api_user_shape);
}

static void identity_row(struct text_table *t, const void *object)
{
    const struct api_identity *i = object;

    table_text(t, i->user, COLOR_PLAIN);
    table_text(t, i->provider, COLOR_PLAIN);
    table_text(t, i->subject, COLOR_PLAIN);
    table_time(t, i->login_ns, "never", false);
    table_time(t, i->refreshes ? i->refreshed_ns : 0, "-", false);
    table_text(t, i->trouble, COLOR_BAD);
}

static int logins(struct cli *c)
{
    static const char *const heads[] = {"User", "Provider", "Subject", "Login", "Refreshed", "Trouble"};
    static const struct listing listing = {"identities", &api_identity_shape, sizeof(struct api_identity),
                                           heads,        ARRAY_LEN(heads),    identity_row};

    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/identities"), &listing);
}

static int suspend(struct cli *c)
{
    struct api_user user;
    bool off = flags_switch(&c->flags, "off");

    if (!cli_find_user(c, c->args->items[0], &user))
        return 1;
    json_t *answer = cli_call(c, "POST", json_pack("{s:b}", "suspended", !off), "/api/headway/users/%llu/suspended",
                              (unsigned long long)user.id);
    api_release(&api_user_shape, &user);
    return cli_done(c, answer, off ? "User not suspended any more" : "User suspended", "result", &api_user_shape);
}

static int link_user(struct cli *c)
{
    struct api_user user;
    bool off = flags_switch(&c->flags, "off");

    if (!cli_find_user(c, c->args->items[0], &user))
        return 1;
    json_t *body = json_pack("{s:s,s:s,s:b}", "provider", flags_text(&c->flags, "provider"), "subject",
                             flags_text(&c->flags, "subject"), "linked", !off);
    json_t *answer =
        body ? cli_call(c, "POST", body, "/api/headway/users/%llu/link", (unsigned long long)user.id) : NULL;
    api_release(&api_user_shape, &user);
    if (!body)
        return cli_failf(c, "provider and subject must be valid UTF-8");
    return cli_done(c, answer, off ? "User not linked any more" : "User linked", "result", &api_user_shape);
}

/* clang-format off */
static const struct flag create_flags[] = {
    {"display-name", 'd', FLAG_TEXT, .value = "TEXT", .help = "full name"},
    {"email", 'e', FLAG_TEXT, .value = "ADDRESS", .help = "email address"},
    {"picture-url", 'p', FLAG_TEXT, .value = "URL", .help = "URL of a picture"},
    {"role", 0, FLAG_TEXT, .value = "ROLE", .words = "member|admin|owner", .help = "role: member, admin or owner"},
    FLAGS_END};
static const struct flag list_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .help = "list only the user with this id"},
    {"name", 'n', FLAG_TEXT, .value = "NAME", .help = "list only the user with this name"},
    {"email", 'e', FLAG_TEXT, .value = "ADDRESS", .help = "list only users with this email address"},
    FLAGS_END};
static const struct flag select_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the user"},
    {"name", 'n', FLAG_TEXT, .value = "NAME", .help = "name of the user"},
    FLAGS_END};
static const struct flag suspend_flags[] = {
    {"off", 0, FLAG_SWITCH, .help = "let the user back in"},
    FLAGS_END};
static const struct flag link_flags[] = {
    {"provider", 'p', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "name of the OpenID provider"},
    {"subject", 's', FLAG_TEXT, FLAG_REQUIRED, .value = "TEXT", .help = "what the provider calls the user (the claim sub)"},
    {"off", 0, FLAG_SWITCH, .help = "end the link"},
    FLAGS_END};
static const struct flag rename_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the user"},
    {"name", 'n', FLAG_TEXT, .value = "NAME", .help = "name of the user"},
    {"new-name", 'r', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "new name"},
    FLAGS_END};

const struct command user_commands[] = {
    {"users", "user|namespace|namespaces|ns", .bits = CMD_GROUP, .brief = "Manage users, who own nodes"},
    {"users create", "c|new", "NAME", create_flags, "Create a user", .run = create},
    {"users list", "ls|show", NULL, list_flags, "List users", .run = list},
    {"users destroy", "delete", NULL, select_flags, "Delete a user who owns no nodes", .run = destroy},
    {"users rename", "mv", NULL, rename_flags, "Rename a user", .run = rename_user},
    {"users set-role", NULL, "ROLE", select_flags, "Set the role of a user", .text = "Set the role of a user: member, admin or owner. Policies refer to roles as in autogroup:admin", .words = "member|admin|owner", .run = set_role},
    {"users suspend", NULL, "NAME", suspend_flags, "Suspend a user: log all nodes of it out and refuse new logins", .text = "Suspend a user: its nodes are logged out, and it cannot log in, until --off. Tagged nodes stay", .run = suspend},
    {"users link", NULL, "NAME", link_flags, "Link a user to whom an OpenID provider knows", .text = "Link a user to whom an OpenID provider knows as the given subject, so that a login there is a login as this user", .run = link_user},
    {"users logins", NULL, NULL, NULL, "List whom OpenID providers know as which user", .run = logins},
    {0}};
/* clang-format on */
