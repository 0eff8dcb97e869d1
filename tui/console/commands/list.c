/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that change how a list is shown, and marks. */
#include "console/commands/list.h"

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/column_chooser.h"
#include "console/dialogs/prompt.h"

/* "save NAME", "forget NAME": false if the argument is a filter. */
static bool keep_filter(struct app *app, const char *arg)
{
    bool save = strncmp(arg, "save ", 5) == 0, forget = strncmp(arg, "forget ", 7) == 0;
    const char *name = arg + (save ? 5 : forget ? 7 : 0), *text = save ? app_list(app)->filter_text : "";
    struct err e;

    if (!save && !forget)
        return false;
    name += strspn(name, " @");
    if (save && !*text)
        app_flash(app, ROLE_WARN, "filter: there is no filter to save: set one first");
    else if (forget && !saved_filter_find(&app->saved, name))
        app_flash(app, ROLE_WARN, "filter: there is no saved filter @%.60s", name);
    else if (saved_filter_set(&app->saved, name, text, &e) < 0)
        app_flash(app, ROLE_WARN, "filter: %s", e.message);
    else
        app_flash(app, ROLE_INFO, save ? "@%s is %s" : "@%s is forgotten", name, text);
    return true;
}

static void cmd_filter(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    struct err e;

    if (str_eq(arg, "save") || str_eq(arg, "forget")) {
        app_flash(app, ROLE_WARN, "filter: %s which name? :filter %s NAME",
                  str_eq(arg, "save") ? "save it under" : "forget", arg);
        return;
    }
    if (keep_filter(app, arg))
        return;
    if (!*arg)
        prompt_open(app, PROMPT_FILTER, l->filter_text);
    else if (list_filter(l, arg, NULL, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
}

static void cmd_narrow(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    const struct row *row = l->cursor;
    struct buf filter = BUF_INIT(0);
    struct err e;

    (void)arg;
    if (row->kind == ROW_NODE && ((const struct m_node *)row)->tagged)
        filter_exactly("tag", ((const struct m_node *)row)->api.tags.items[0], &filter);
    else if (row->kind == ROW_NODE)
        filter_exactly("user", ((const struct m_node *)row)->owner, &filter);
    else if (row->kind == ROW_ROUTE)
        filter_exactly("prefix", row->key, &filter);
    else if (row->kind == ROW_EVENT)
        buf_addf(&filter, "kind:%s", ((const struct m_event *)row)->api.kind);
    else if (row->kind == ROW_PREAUTH_KEY && ((const struct m_preauth_key *)row)->api.user)
        buf_adds(&filter, ((const struct m_preauth_key *)row)->api.user->name);
    if (!filter.len)
        app_flash(app, ROLE_WARN, "narrow: the row has nothing that others share");
    if (filter.len && list_filter(l, filter.data, NULL, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
    buf_release(&filter);
}

static void say_sort(struct app *app, const struct list *l)
{
    app_flash(app, ROLE_INFO, "sorted by %s%s", l->def->columns[l->sort].key, l->reverse ? ", reversed" : "");
}

static void cmd_sort(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    if (l->def->tree) {
        app_flash(app, ROLE_WARN, "this list is always sorted by node and prefix");
        return;
    }
    for (int i = 0, column = l->sort; i < l->def->column_count; i++) {
        column = (column + 1) % l->def->column_count;
        const struct list_column *c = &l->def->columns[column];
        if (!c->compare || (*arg && !str_eq(c->key, arg)))
            continue;
        list_sort(l, column, false);
        say_sort(app, l);
        return;
    }
    struct buf names = BUF_INIT(0);
    for (int i = 0; i < l->def->column_count; i++)
        if (l->def->columns[i].compare)
            buf_addf(&names, "%s%s", names.len ? ", " : "", l->def->columns[i].key);
    app_flash(app, ROLE_WARN, "sort: there is no column '%.40s'; there are %s", arg, buf_text(&names));
    buf_release(&names);
}

static void cmd_reverse(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    if (l->def->tree)
        return;
    list_sort(l, l->sort, !l->reverse);
    say_sort(app, l);
}

static void mark_row(struct app *app, struct row *row, bool marked)
{
    if (app_list(app)->def->kinds & 1U << ROW_ROUTE && row->kind == ROW_NODE) {
        struct m_node *n = (struct m_node *)row;

        for (size_t i = 0; i < n->routes.len; i++)
            n->routes.items[i]->row.marked = marked;
    } else {
        row->marked = marked && !row->gone_ms;
    }
}

static bool is_marked(struct app *app, const struct row *row)
{
    if (!(app_list(app)->def->kinds & 1U << ROW_ROUTE) || row->kind != ROW_NODE)
        return row->marked;
    const struct m_node *n = (const struct m_node *)row;
    for (size_t i = 0; i < n->routes.len; i++)
        if (!n->routes.items[i]->row.marked)
            return false;
    return true;
}

static void cmd_mark(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    if (!l->cursor)
        return;
    mark_row(app, l->cursor, !is_marked(app, l->cursor));
    list_move(l, 1, app->at.now_ms);
}

static void cmd_range(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    l->anchor = l->anchor ? NULL : l->cursor;
    list_mark_range(l);
}

static void cmd_invert(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    bool routes = l->def->kinds & 1U << ROW_ROUTE;

    (void)arg;
    for (size_t i = 0; i < l->order.len; i++)
        if (!routes || l->order.items[i]->kind == ROW_ROUTE)
            mark_row(app, l->order.items[i], !l->order.items[i]->marked);
}

static void cmd_mark_by(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    struct filter f = {0};
    struct err e;
    size_t count = 0;

    if (!*arg) {
        prompt_open(app, PROMPT_MARK, "");
        return;
    }
    if (filter_parse(arg, &l->def->fields, &app->saved, &f, NULL, &e) < 0) {
        app_flash(app, ROLE_WARN, "%s", e.message);
        return;
    }
    for (size_t i = 0; i < l->order.len; i++) {
        struct row *row = l->order.items[i];

        if ((l->def->tree && row->kind == ROW_NODE) || !filter_match(&f, &l->def->fields, row, app->at.now_ns))
            continue;
        mark_row(app, row, true);
        count++;
    }
    filter_release(&f);
    app_flash(app, ROLE_INFO, "%zu marked", count);
}

static void cmd_clear_marks(struct app *app, const char *arg)
{
    struct rows marked = {0};
    size_t hidden;

    (void)arg;
    app_marked(app, &marked, &hidden);
    for (size_t i = 0; i < marked.len; i++) {
        marked.items[i]->marked = false;
        free(marked.items[i]->failure);
        marked.items[i]->failure = NULL;
    }
    vec_release(&marked);
    app_list(app)->anchor = NULL;
}

static void cmd_columns(struct app *app, const char *arg)
{
    struct err e;

    if (!*arg)
        column_chooser(app);
    else if (list_choose(app_list(app), str_eq(arg, "default") ? "" : arg, &e) < 0)
        app_flash(app, ROLE_WARN, "columns: %s", e.message);
}

static const char *column_names(struct app *app, size_t index)
{
    const struct list_def *def = app_list(app)->def;

    return (int)index < def->column_count ? def->columns[index].key : NULL;
}

static const char *sort_columns(struct app *app, size_t index)
{
    const struct list_def *def = app_list(app)->def;

    if ((int)index >= def->column_count)
        return NULL;
    return def->columns[index].compare ? def->columns[index].key : "";
}

static const struct console_command commands[] = {
    {.name = "mark",
     .keys = "Space",
     .hint = "mark",
     .help = "mark the row and move down",
     .where = IN_LISTS | IN_NODE,
     .needs = NEED_ROW,
     .rank = 10,
     .run = cmd_mark},
    {.name = "range",
     .keys = "v",
     .help = "mark a range: moving extends it",
     .where = IN_LISTS | IN_NODE,
     .needs = NEED_ROW,
     .run = cmd_range},
    {.name = "invert",
     .keys = "*",
     .help = "invert the marks of the rows shown",
     .where = IN_LISTS | IN_NODE,
     .run = cmd_invert},
    {.name = "mark-by",
     .keys = "+",
     .help = "mark all rows that match a filter",
     .args = "[FILTER]",
     .where = IN_LISTS,
     .run = cmd_mark_by},
    {.name = "unmark", .keys = "\\", .help = "clear all marks", .where = IN_LISTS | IN_NODE, .run = cmd_clear_marks},
    {.name = "filter",
     .keys = "/",
     .hint = "filter",
     .help = "show only rows that match; save NAME keeps the filter as @NAME, forget NAME drops it",
     .args = "[FILTER|save NAME|forget NAME]",
     .where = IN_LISTS | IN_REACH_TABLE,
     .rank = 11,
     .run = cmd_filter},
    {.name = "narrow",
     .keys = "&",
     .help = "show only rows of the same owner, prefix or kind",
     .where = IN_LISTS,
     .needs = NEED_ROW,
     .run = cmd_narrow},
    {.name = "sort",
     .keys = "s",
     .help = "sort by the next column, or by the one named",
     .args = "[COLUMN]",
     .where = IN_LISTS | IN_REACH_TABLE,
     .run = cmd_sort,
     .complete = sort_columns},
    {.name = "reverse",
     .keys = "S",
     .help = "reverse the order",
     .where = IN_LISTS | IN_REACH_TABLE,
     .run = cmd_reverse},
    {.name = "columns",
     .keys = "c",
     .help = "choose the columns and their order",
     .args = "[COLUMN ...]",
     .where = IN_LISTS | IN_REACH_TABLE,
     .run = cmd_columns,
     .complete = column_names},
};

const struct command_table list_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
