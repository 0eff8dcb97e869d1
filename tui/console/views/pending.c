/* SPDX-License-Identifier: BSD-3-Clause */
/* Machines waiting to join, and SSH sessions waiting for a decision. */
#include "console/views/pending.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/model/columns.h"

static const struct m_pending *pending_of(const struct row *row)
{
    return (const struct m_pending *)row;
}

FILL(fill_host, m_pending, *o->api.hostname ? o->api.hostname : "-", ROLE_NAME)
static const char *waits_for(const struct m_pending *p)
{
    if (*p->api.login_user)
        return "confirm";
    if (*p->api.login_provider)
        return "login";
    return p->api.kind == API_PENDING_SSH ? "ssh check" : "join";
}
FILL(fill_what, m_pending, waits_for(o), ROLE_WAIT)
FILL(fill_os, m_pending, o->api.os, ROLE_FAINT)
FILL(fill_source, m_pending, o->api.source, ROLE_ADDRESS)
FILL(fill_wanted, m_pending, o->api.request_tags.len ? o->api.request_tags.items[0] : "-", ROLE_TAG)
FILL(fill_auth_id, m_pending, o->row.key, ROLE_FAINT)
FILL_AGO(fill_waiting, m_pending, created_ns)
BY(by_waiting, m_pending, COMPARE(p->api.created_ns, q->api.created_ns))
BY(by_host, m_pending, strverscmp(p->api.hostname, q->api.hostname))

static const struct list_column pending_columns[] = {
    {.title = "HOST",
     .key = "name",
     .name = true,
     .least = 14,
     .wish = 18,
     .share = 2,
     .fill = fill_host,
     .compare = by_host},
    {.title = "WAITS", .key = "waiting", .least = 6, .wish = 6, .fill = fill_waiting, .compare = by_waiting},
    {.title = "FOR", .key = "kind", .least = 9, .wish = 9, .rank = 3, .fill = fill_what},
    {.title = "OS", .key = "os", .least = 8, .wish = 8, .rank = 2, .fill = fill_os},
    {.title = "FROM", .key = "source", .least = 15, .wish = 21, .rank = 1, .fill = fill_source},
    {.title = "TAGS", .key = "tags", .least = 10, .wish = 12, .rank = 4, .fill = fill_wanted},
    {.title = "ID", .key = "id", .least = 12, .wish = 38, .share = 1, .rank = 5, .fill = fill_auth_id},
};

static void pending_words(const struct row *row, struct buf *out)
{
    const struct m_pending *p = pending_of(row);

    buf_addf(out, "%s %s %s %s %s %s %s %s", p->api.hostname, p->api.os, p->api.source,
             p->api.kind == API_PENDING_SSH ? "ssh" : "register", waits_for(p), p->api.login_user,
             p->api.login_provider, row->key);
}

static void collect_pending(const struct model *m, struct list *l)
{
    list_add_all(l, m, ROW_PENDING);
}

static const struct list_def pending_def = {
    .noun = "waiting",
    .one = "waiting",
    .empty = "nobody is waiting: tailscale up without a key asks to join and appears here",
    .columns = pending_columns,
    .column_count = ARRAY_LEN(pending_columns),
    .fields = {.words = pending_words},
    .sort = 1,
    .kinds = 1U << ROW_PENDING,
    .collect = collect_pending,
};

/* ---- machines that joined and wait for approval ---- */

FILL(fill_machine, m_node, o->api.given_name, ROLE_WAIT)
FILL(fill_machine_owner, m_node, *o->owner ? o->owner : "-", o->tagged ? ROLE_TAG : ROLE_USER)
FILL(fill_machine_os, m_node, o->api.os, ROLE_FAINT)
FILL(fill_machine_source, m_node, o->api.source, ROLE_ADDRESS)
FILL(fill_machine_by, m_node, *o->api.approval_by ? o->api.approval_by : "-", ROLE_FAINT)
FILL_AGO(fill_joined, m_node, created_ns)
BY(by_joined, m_node, COMPARE(p->api.created_ns, q->api.created_ns))
BY(by_machine, m_node, strverscmp(p->api.given_name, q->api.given_name))

static const struct list_column machine_columns[] = {
    {.title = "NODE",
     .key = "name",
     .name = true,
     .least = 14,
     .wish = 18,
     .share = 2,
     .fill = fill_machine,
     .compare = by_machine},
    {.title = "JOINED", .key = "joined", .least = 6, .wish = 6, .fill = fill_joined, .compare = by_joined},
    {.title = "OWNER", .key = "owner", .least = 8, .wish = 14, .rank = 1, .fill = fill_machine_owner},
    {.title = "OS", .key = "os", .least = 8, .wish = 8, .rank = 2, .fill = fill_machine_os},
    {.title = "FROM", .key = "source", .least = 15, .wish = 21, .rank = 3, .fill = fill_machine_source},
    {.title = "TAKEN BACK BY", .key = "by", .least = 13, .wish = 14, .rank = 4, .fill = fill_machine_by},
};

static void machine_words(const struct row *row, struct buf *out)
{
    buf_adds(out, ((const struct m_node *)row)->words);
}

static bool needs_approval(const struct row *row)
{
    return ((const struct m_node *)row)->api.needs_approval;
}

static void collect_machines(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_NODE);

    for (size_t i = 0; i < t->rows.len; i++)
        if (needs_approval(t->rows.items[i]))
            list_add(l, t->rows.items[i]);
}

static const struct list_def machine_def = {
    .noun = "machines",
    .one = "machine",
    .empty = "no machine waits: with node.approval on, new ones appear here",
    .columns = machine_columns,
    .column_count = ARRAY_LEN(machine_columns),
    .fields = {.words = machine_words},
    .sort = 1,
    .kinds = 1U << ROW_NODE,
    .collect = collect_machines,
    .always_whole = true,
};

static bool machines_wait(const struct app *app, char *text, size_t size)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);
    size_t waiting = 0;

    for (size_t i = 0; i < t->rows.len; i++)
        waiting += !t->rows.items[i]->gone_ms && needs_approval(t->rows.items[i]);
    snprintf(text, size, "%zu waiting", waiting);
    return waiting != 0;
}

void pending_pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;
    struct buf list = BUF_INIT(0);
    char prefix[PREFIX_TEXT_MAX];

    if (!row || row->kind != ROW_PENDING)
        return;
    const struct m_pending *p = pending_of(row);
    int col = at.col + 3, width = at.cols - 16;
    command_section(app, c, at, *p->api.hostname ? p->api.hostname : "registration",
                    "{admit} approve, {reject} reject");
    canvas_text(c, at.row + 1, col, 12, ROLE_LABEL, "auth id");
    canvas_text(c, at.row + 1, col + 12, width, ROLE_TEXT, row->key);
    canvas_text(c, at.row + 2, col, 12, ROLE_LABEL, *p->api.login_provider ? "login" : "");
    pending_login(p, app->at.now_ns, &list);
    canvas_text(c, at.row + 2, col + 12, width, list.len ? ROLE_TEXT : ROLE_FAINT,
                list.len ? list.data : "compare it with the one in the user's terminal or browser");
    buf_clear(&list);
    canvas_text(c, at.row + 3, col, 12, ROLE_LABEL, "client");
    pending_client(p, &list);
    canvas_text(c, at.row + 3, col + 12, width, ROLE_TEXT, buf_text(&list));
    buf_clear(&list);
    for (size_t i = 0; i < p->api.routes.len; i++)
        buf_addf(&list, "%s%s", i ? ", " : "", prefix_format(&p->api.routes.items[i], prefix));
    canvas_text(c, at.row + 4, col, 12, ROLE_LABEL, p->ssh ? "session" : "routes");
    canvas_text(c, at.row + 4, col + 12, width, ROLE_TEXT, p->ssh ? p->ssh : list.len ? list.data : "none");
    canvas_text(c, at.row + 5, col, 12, ROLE_LABEL, "or run");
    canvas_text(c, at.row + 5, col + 12, width, ROLE_FAINT, p->api.command);
    buf_release(&list);
}

static size_t badge(const struct app *app)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);
    size_t count = model_table(&app->model, ROW_PENDING)->index.len;

    for (size_t i = 0; i < t->rows.len; i++)
        count += !t->rows.items[i]->gone_ms && needs_approval(t->rows.items[i]);
    return count;
}

static const struct console_command commands[] = {
    {.name = "pending",
     .keys = "8",
     .help = "registrations waiting for approval",
     .where = IN_ANY,
     .opens = &pending_view},
};

/* How far their logins are. */
static const struct asked_rows asked = {
    .kind = ROW_PENDING, .path = "/api/headway/pending", .decode = decode_pending, .object = "pending"};

const struct console_view pending_view = {
    .name = "pending",
    .title = "Pending",
    .digit = '8',
    .tab_rank = 1,
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_PENDING, "Pending registrations"}, {IN_MACHINES, "Machines waiting for approval"}},
    .parts = {{.name = "registrations",
               .def = &pending_def,
               .asked = &asked,
               .where = IN_PENDING,
               .pane = 7,
               .pane_scrolls = true,
               .draw_pane = pending_pane},
              {.name = "machines", .def = &machine_def, .where = IN_MACHINES, .trouble = machines_wait}},
    .badge = badge,
};
