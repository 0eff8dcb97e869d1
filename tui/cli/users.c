/* SPDX-License-Identifier: BSD-3-Clause */
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
    json_t *body = json_pack("{s:s}", "name", c->args->items[0]), *answer, *user;
    bool role = flags_given(&c->flags, "role");

    if (!body)
        return cli_failf(c, "name: '%s' is not valid UTF-8", c->args->items[0]);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (flags_given(&c->flags, members[i].flag))
            json_object_set_new(body, members[i].member, json_string(flags_text(&c->flags, members[i].flag)));
    answer = cli_call(c, "POST", body, role ? "/api/headway/users" : "/api/v1/user");
    if (!answer)
        return 1;
    user = json_object_get(answer, role ? "result" : "user");
    output_result(&c->out, "User created", user, SHAPE_USER);
    json_decref(answer);
    return 0;
}

static int list(struct cli *c)
{
    static const char *const selectors[][2] = {{"identifier", "id"}, {"name", "name"}, {"email", "email"}};
    static const char *const heads[] = {"ID", "Name", "Username", "Email", "Created"};
    char *query = mem_strdup(""), *value;
    json_t *answer, *user;
    struct table t;
    size_t i;

    for (i = 0; i < 3; i++)
        if (flags_given(&c->flags, selectors[i][0])) {
            value = cli_segment(flags_text(&c->flags, selectors[i][0]));
            free(query);
            query = mem_format("?%s=%s", selectors[i][1], value);
            free(value);
            break;
        }
    answer = cli_call(c, "GET", NULL, "/api/v1/user%s", query);
    free(query);
    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, json_object_get(answer, "users"), SHAPE_USER);
    } else {
        table_init(&t, heads, 5);
        json_array_foreach(json_object_get(answer, "users"), i, user)
        {
            table_cell(&t, json_text(user, "id", ""), CELL_PLAIN);
            table_cell(&t, json_text(user, "displayName", ""), CELL_PLAIN);
            table_cell(&t, json_text(user, "name", ""), CELL_PLAIN);
            table_cell(&t, json_text(user, "email", ""), CELL_PLAIN);
            table_time(&t, json_text(user, "createdAt", NULL), "", false);
        }
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(answer);
    return 0;
}

/* The one user that --identifier or --name means. */
static json_t *selected(struct cli *c)
{
    const char *by = flags_given(&c->flags, "identifier") ? "identifier" : "name";
    json_t *answer, *user = NULL;
    size_t count;

    if (!flags_given(&c->flags, by)) {
        cli_failf(c, "--name or --identifier flag is required");
        return NULL;
    }
    char *value = cli_segment(flags_text(&c->flags, by));
    answer = cli_call(c, "GET", NULL, "/api/v1/user?%s=%s", str_eq(by, "name") ? "name" : "id", value);
    free(value);
    if (!answer)
        return NULL;
    count = json_array_size(json_object_get(answer, "users"));
    if (count == 1)
        user = json_incref(json_array_get(json_object_get(answer, "users"), 0));
    else if (count == 0)
        cli_failf(c, "no user matches: user not found: %s", flags_text(&c->flags, by));
    else
        cli_failf(c, "multiple users match query, specify an ID");
    json_decref(answer);
    return user;
}

static int destroy(struct cli *c)
{
    json_t *user = selected(c), *answer;

    if (!user)
        return 1;
    if (!cli_confirm(c, "Do you want to remove the user \"%s\" (%s) and any associated preauthkeys?",
                     json_text(user, "name", ""), json_text(user, "id", ""))) {
        json_decref(user);
        answer = json_pack("{s:s}", "Result", "User not destroyed");
        output_result(&c->out, "User not destroyed", answer, SHAPE_PLAIN);
        json_decref(answer);
        return 0;
    }
    answer = cli_call(c, "DELETE", NULL, "/api/v1/user/%s", json_text(user, "id", ""));
    json_decref(user);
    if (!answer)
        return 1;
    output_result(&c->out, "User destroyed", answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

static int rename_user(struct cli *c)
{
    json_t *user = selected(c), *answer;

    if (!user)
        return 1;
    char *name = cli_segment(flags_text(&c->flags, "new-name"));
    answer = cli_call(c, "POST", NULL, "/api/v1/user/%s/rename/%s", json_text(user, "id", ""), name);
    free(name);
    json_decref(user);
    if (!answer)
        return 1;
    output_result(&c->out, "User renamed", json_object_get(answer, "user"), SHAPE_USER);
    json_decref(answer);
    return 0;
}

static int set_role(struct cli *c)
{
    json_t *user = selected(c), *answer;

    if (!user)
        return 1;
    answer = cli_call(c, "POST", json_pack("{s:s}", "role", c->args->items[0]), "/api/headway/users/%s/role",
                      json_text(user, "id", ""));
    json_decref(user);
    if (!answer)
        return 1;
    output_result(&c->out, "Role set", json_object_get(answer, "result"), SHAPE_USER);
    json_decref(answer);
    return 0;
}

/* clang-format off */
static const struct flag create_flags[] = {
    {"display-name", 'd', FLAG_TEXT, .value = "TEXT", .help = "name as people read it"},
    {"email", 'e', FLAG_TEXT, .value = "ADDRESS", .help = "mail address"},
    {"picture-url", 'p', FLAG_TEXT, .value = "URL", .help = "address of a picture"},
    {"role", 0, FLAG_TEXT, .value = "ROLE", .words = "member|admin|owner", .help = "role: member, admin or owner"},
    FLAGS_END};
static const struct flag list_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .help = "only the user with this id"},
    {"name", 'n', FLAG_TEXT, .value = "NAME", .help = "only the user with this name"},
    {"email", 'e', FLAG_TEXT, .value = "ADDRESS", .help = "only users with this mail address"},
    FLAGS_END};
static const struct flag select_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the user"},
    {"name", 'n', FLAG_TEXT, .value = "NAME", .help = "name of the user"},
    FLAGS_END};
static const struct flag rename_flags[] = {
    {"identifier", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the user"},
    {"name", 'n', FLAG_TEXT, .value = "NAME", .help = "name of the user"},
    {"new-name", 'r', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "the new name"},
    FLAGS_END};

const struct command user_commands[] = {
    {"users", "user|namespace|namespaces|ns", .bits = CMD_GROUP, .brief = "Users: who owns nodes"},
    {"users create", "c|new", "NAME", create_flags, "Create a user", .run = create},
    {"users list", "ls|show", NULL, list_flags, "List users", .run = list},
    {"users destroy", "delete", NULL, select_flags, "Delete a user who owns no node", .run = destroy},
    {"users rename", "mv", NULL, rename_flags, "Give a user another name", .run = rename_user},
    {"users set-role", NULL, "ROLE", select_flags, "Set a user's role", .text = "Set a user's role: member, admin or owner. Policies name users by role, as in autogroup:admin", .run = set_role},
    {0}};
/* clang-format on */
