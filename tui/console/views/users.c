/* SPDX-License-Identifier: BSD-3-Clause */
/* All users. */
#include "console/views/users.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/model/columns.h"
#include "console/tailnet/logins.h"

static const struct m_user *user_of(const struct row *row)
{
    return (const struct m_user *)row;
}

FILL(fill_user, m_user, o->api.name, ROLE_NAME)
FILL(fill_display, m_user, *o->api.display_name ? o->api.display_name : "-", ROLE_TEXT)
FILL(fill_email, m_user, *o->api.email ? o->api.email : "-", ROLE_FAINT)
FILL(fill_role, m_user, user_role_name(o->api.role), ROLE_TAG)
static const char *login_of(const struct api_user *u)
{
    if (u->suspended_ns)
        return "suspended";
    return u->login_provider && *u->login_provider ? u->login_provider : "-";
}
FILL(fill_login, m_user, login_of(&o->api), o->api.suspended_ns ? ROLE_WARN : ROLE_FAINT)
FILL_AGO(fill_user_age, m_user, created_ns)
BY(by_user, m_user, strverscmp(p->api.name, q->api.name))
BY(by_nodes, m_user, COMPARE(q->api.node_count, p->api.node_count))
BY(by_user_age, m_user, COMPARE(q->api.created_ns, p->api.created_ns))

static void fill_nodes(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    snprintf(out->text, sizeof(out->text), "%llu", (unsigned long long)user_of(row)->api.node_count);
}

static const struct list_column user_columns[] = {
    {.title = "NAME",
     .key = "name",
     .name = true,
     .least = 14,
     .wish = 20,
     .share = 2,
     .fill = fill_user,
     .compare = by_user},
    {.title = "ROLE", .key = "role", .least = 7, .wish = 8, .rank = 2, .fill = fill_role},
    {.title = "NODES",
     .key = "nodes",
     .least = 5,
     .wish = 6,
     .rank = 1,
     .right = true,
     .fill = fill_nodes,
     .compare = by_nodes},
    {.title = "DISPLAY NAME", .key = "display", .least = 14, .wish = 16, .share = 1, .rank = 4, .fill = fill_display},
    {.title = "EMAIL", .key = "email", .least = 17, .wish = 20, .share = 2, .rank = 5, .fill = fill_email},
    {.title = "LOGIN", .key = "login", .least = 9, .wish = 10, .rank = 6, .fill = fill_login},
    {.title = "CREATED",
     .key = "created",
     .least = 8,
     .wish = 8,
     .rank = 3,
     .fill = fill_user_age,
     .compare = by_user_age},
};

static void user_words(const struct row *row, struct buf *out)
{
    const struct m_user *u = user_of(row);

    buf_addf(out, "%s %s %s %s%s", u->api.name, u->api.display_name, u->api.email, user_role_name(u->api.role),
             u->api.suspended_ns ? " suspended" : "");
}

static void collect_users(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_USER);
}

static const struct list_def users_def = {
    .noun = "users",
    .one = "user",
    .empty = "no users yet: {new} creates one",
    .columns = user_columns,
    .column_count = ARRAY_LEN(user_columns),
    .fields = {.words = user_words},
    .sort = 0,
    .kinds = 1U << ROW_USER,
    .collect = collect_users,
};

static const struct console_command commands[] = {
    {.name = "users",
     .keys = "6",
     .help = "users, and whom OpenID providers know as them",
     .args = "[users|logins] [FILTER]",
     .where = IN_ANY,
     .opens = &users_view},
};

const struct console_view users_view = {
    .name = "users",
    .title = "Users",
    .digit = '6',
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_USERS, "List of users"}, {IN_LOGINS, "Logins"}},
    .parts = {{.name = "users", .def = &users_def, .where = IN_USERS},
              {.name = "logins", .def = &logins_def, .asked = &logins_asked, .where = IN_LOGINS}},
};
