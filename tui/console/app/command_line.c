/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/app/command_line.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "console/app/dispatch.h"

/* ---- the rows that are named ---- */

static const char *node_name(const struct row *row)
{
    return row->kind == ROW_ROUTE ? row_label(&((const struct m_route *)row)->node->row) : "";
}

/* The part after a route's node, or the whole name. */
static const char *after_node(const struct row *row, const char *name)
{
    const char *node = node_name(row);
    size_t len = strlen(node);

    return len && strncmp(name, node, len) == 0 && name[len] == ' ' ? name + len + 1 : name;
}

/* Whether the text is what people call the row: its name, or its id if it has none. */
static bool is_called(const struct row *row, const char *name)
{
    if (row->gone_ms)
        return false;
    name = after_node(row, name);
    return str_eq(row_label(row), name) || str_eq(row->key, name);
}

static bool matches(const struct row *row, const char *pattern)
{
    return !row->gone_ms && fnmatch(pattern, row_label(row), 0) == 0;
}

typedef void (*use_row)(struct row *row, void *arg);

static void each_row(const struct app *app, unsigned kinds, use_row use, void *arg)
{
    for (int kind = 0; kind < ROW_KINDS; kind++) {
        const struct row_table *t = &app->model.tables[kind];

        for (size_t i = 0; i < t->rows.len; i++) {
            struct row *row = t->rows.items[i];

            if (kinds & 1U << kind)
                use(row, arg);
            if (kind != ROW_NODE || !(kinds & 1U << ROW_ROUTE))
                continue;
            for (size_t j = 0; j < ((struct m_node *)row)->routes.len; j++)
                use(&((struct m_node *)row)->routes.items[j]->row, arg);
        }
    }
}

struct named_rows {
    const char *name;
    struct row *found;
    size_t count;
};

static void look_at(struct row *row, void *arg)
{
    struct named_rows *n = arg;

    if (!is_called(row, n->name))
        return;
    n->found = row;
    n->count++;
}

static struct named_rows in_list(const struct list *l, const char *name)
{
    struct named_rows n = {.name = name};

    for (size_t i = 0; i < l->order.len; i++)
        look_at(l->order.items[i], &n);
    return n;
}

static bool said(struct app *app, const struct console_command *c, const struct named_rows *n)
{
    if (n->count > 1)
        app_flash(app, ROLE_WARN, "%s: '%.80s' means several rows", c->name, n->name);
    return n->count > 1;
}

static bool works_there(const struct console_command *c, const struct console_view *view, int part)
{
    return (view->parts[part].where & c->where) && (!c->only || c->only == view) && !view->draw;
}

/* The kinds of rows whose name a command accepts. */
static unsigned kinds_of(const struct app *app, const struct console_command *c)
{
    unsigned kinds = 0;

    for (size_t i = 0; i < app->tables->view_count; i++)
        for (int part = 0; part < view_part_count(app->tables->views[i]); part++)
            if (works_there(c, app->tables->views[i], part))
                kinds |= view_list(app, app->tables->views[i], part)->def->kinds;
    return kinds & ~(1U << ROW_EVENT);
}

static bool is_node(const struct app *app, const char *name, size_t len)
{
    const struct row_table *t = &app->model.tables[ROW_NODE];

    for (size_t i = 0; i < t->rows.len; i++) {
        const char *label = row_label(t->rows.items[i]);

        if (!t->rows.items[i]->gone_ms && strlen(label) == len && strncmp(label, name, len) == 0)
            return true;
    }
    return false;
}

static void say_no_row(struct app *app, const struct console_command *c, const char *name)
{
    size_t len = strcspn(name, " ");

    if (name[len] && (kinds_of(app, c) & 1U << ROW_ROUTE) && is_node(app, name, len))
        app_flash(app, ROLE_WARN, "%s: %.*s has no route '%.80s'", c->name, (int)(len < 63 ? len : 63), name,
                  name + len + strspn(name + len, " "));
    else
        app_flash(app, ROLE_WARN, "%s: '%.80s' is not in this list", c->name, name);
}

/* Opens the first list in which the command works and which has the row. */
static bool select_elsewhere(struct app *app, const struct console_command *c, const char *name)
{
    for (size_t i = 0; i < app->tables->view_count; i++) {
        const struct console_view *view = app->tables->views[i];

        for (int part = 0; part < view_part_count(view); part++) {
            const struct list *l = view_list(app, view, part);
            struct named_rows n = {.name = name};

            if (!works_there(c, view, part) || (view == app->place.view && part == app->place.part))
                continue;
            each_row(app, l->def->kinds, look_at, &n);
            if (said(app, c, &n))
                return false;
            if (!n.count)
                continue;
            app_jump(app, view, view->parts[part].name ? view->parts[part].name : "", "");
            list_refresh(app_list(app), &app->model, &app->at);
            if (list_focus(app_list(app), n.found))
                return true;
            app_back(app);
        }
    }
    say_no_row(app, c, name);
    return false;
}

static bool others_are_marked(struct app *app, const struct console_command *c)
{
    struct rows marked = {0};
    size_t hidden;

    app_marked(app, &marked, &hidden);
    bool any = marked.len > 0;
    vec_release(&marked);
    if (any)
        app_flash(app, ROLE_WARN, "%s: other rows are marked; {unmark} clears the marks", c->name);
    return any;
}

static bool mark_all(struct app *app, const struct console_command *c, const char *pattern)
{
    struct list *l = app_list(app);
    bool routes = l->def->kinds & 1U << ROW_ROUTE;
    struct row *first = NULL;

    if (!(c->needs & FOR_MARKED) || !command_is_here(app, c)) {
        app_flash(app, ROLE_WARN, "%s: %s", c->name,
                  command_is_here(app, c) ? "it is for one row" : command_not_here(app, c));
        return false;
    }
    for (size_t i = 0; i < l->order.len; i++) {
        struct row *row = l->order.items[i];

        if ((routes && row->kind != ROW_ROUTE) || !matches(row, after_node(row, pattern)))
            continue;
        row->marked = true;
        first = first ? first : row;
    }
    if (!first)
        app_flash(app, ROLE_WARN, "%s: nothing here is called '%.80s'", c->name, pattern);
    return first && list_focus(l, first);
}

static bool select_named(struct app *app, const struct console_command *c, const char *name)
{
    struct list *l = app_list(app);

    if (others_are_marked(app, c))
        return false;
    /* The page of the open node. */
    if (app_node(app) && command_is_here(app, c) && is_called(&app_node(app)->row, name))
        return true;
    if (strpbrk(name, "*?"))
        return mark_all(app, c, name);
    struct named_rows n = in_list(l, name);
    if (!n.count && list_opens_for_cursor(l))
        each_row(app, l->def->kinds, look_at, &n);
    if (said(app, c, &n))
        return false;
    if (n.count && command_is_here(app, c))
        return list_focus(l, n.found);
    return select_elsewhere(app, c, name);
}

/* ---- running a line ---- */

/* Explains an unknown name: "re" is ambiguous, "nodse" is similar to one. */
static void say_unknown(struct app *app, const char *name, size_t len)
{
    struct buf several = BUF_INIT(0);
    const char *near = NULL;
    size_t nearest = 3;
    char word[40];

    snprintf(word, sizeof(word), "%.*s", (int)len, name);
    for (size_t i = 0; i < app->commands.len; i++) {
        const char *other = app->commands.items[i]->name;
        size_t distance = str_distance(word, other);

        if (strncmp(other, name, len) == 0)
            buf_addf(&several, "%s%s", several.len ? ", " : "", other);
        if (distance < nearest && distance < len) {
            nearest = distance;
            near = other;
        }
    }
    if (several.len)
        app_flash(app, ROLE_WARN, "'%s' could be %s", word, several.data);
    else if (near)
        app_flash(app, ROLE_WARN, "there is no command '%s'; did you mean %s?", word, near);
    else
        app_flash(app, ROLE_WARN, "there is no command '%s'; {help} lists them", word);
    buf_release(&several);
}

/* "NAME ARGUMENT ...": a row and arguments. A name may contain blanks. */
static void run_for_named(struct app *app, const struct console_command *c, const char *line)
{
    struct named_rows whole = {.name = line};
    char *name = mem_strdup(line);

    each_row(app, kinds_of(app, c), look_at, &whole);
    size_t len = whole.count ? strlen(line) : strcspn(line, " ");
    name[len] = '\0';
    if (select_named(app, c, name))
        command_run(app, c, line + len + strspn(line + len, " "));
    free(name);
}

void command_run_line(struct app *app, const char *line)
{
    line += strspn(line, " ");
    size_t len = strcspn(line, " ");
    const struct console_command *c = commands_find(app, line, len);

    if (!len)
        return;
    if (len == 1 && *line == 'q')
        c = commands_find(app, "quit", 4);
    if (!c) {
        say_unknown(app, line, len);
        return;
    }
    line += len + strspn(line + len, " ");
    if (*line && !c->args && !(c->needs & NEED_ROW))
        app_flash(app, ROLE_WARN, "%s takes no argument", c->name);
    else if (*line && c->takes && !c->takes(app, line))
        run_for_named(app, c, line);
    else if (!*line || c->args)
        command_run(app, c, line);
    else if (select_named(app, c, line))
        command_run(app, c, "");
}

/* ---- words that could come next ---- */

struct collector {
    struct completions *out;
    const char *typed;
    const char *node; /* for "NODE PREFIX": the node's name */
    size_t node_len;
};

static void add(struct collector *c, const char *word)
{
    if (*word && strncmp(word, c->typed, strlen(c->typed)) == 0)
        vec_push(c->out, word);
}

static void add_name(struct row *row, void *arg)
{
    struct collector *c = arg;

    if (row->gone_ms)
        return;
    if (!c->node)
        add(c, row_label(row));
    else if (row->kind == ROW_ROUTE && strlen(node_name(row)) == c->node_len &&
             strncmp(node_name(row), c->node, c->node_len) == 0)
        add(c, row_label(row));
}

static void add_nodes_of_routes(struct row *row, void *arg)
{
    if (row->kind == ROW_ROUTE && !row->gone_ms)
        add(arg, node_name(row));
}

static void add_tags(struct app *app, struct collector *c)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);

    for (size_t i = 0; i < t->rows.len; i++)
        for (size_t j = 0; j < ((const struct m_node *)t->rows.items[i])->api.tags.len; j++)
            add(c, ((const struct m_node *)t->rows.items[i])->api.tags.items[j]);
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static void in_order(struct completions *out)
{
    size_t kept = 0;

    if (out->len > 1)
        qsort(out->items, out->len, sizeof(*out->items), by_name);
    for (size_t i = 0; i < out->len; i++)
        if (!kept || !str_eq(out->items[kept - 1], out->items[i]))
            out->items[kept++] = out->items[i];
    out->len = kept;
}

static const char *last_word(const char *text)
{
    const char *blank = strrchr(text, ' ');

    return blank ? blank + 1 : text;
}

static void names_of_rows(struct app *app, const struct console_command *command, const char *typed,
                          struct completions *out)
{
    const char *blank = strchr(typed, ' ');
    struct collector c = {.out = out, .typed = typed};
    unsigned kinds = kinds_of(app, command);

    if (blank && (kinds & 1U << ROW_ROUTE)) {
        c.node = typed;
        c.node_len = (size_t)(blank - typed);
        c.typed = blank + 1;
    }
    each_row(app, kinds, add_name, &c);
    if (!c.node && (kinds & 1U << ROW_ROUTE))
        each_row(app, kinds, add_nodes_of_routes, &c);
    out->typed = strlen(c.typed);
}

void filter_completions(struct app *app, const char *text, struct completions *out)
{
    const char *word = last_word(text);
    const struct filter_fields *fields = &app_list(app)->def->fields;

    word += *word == '!';
    struct collector c = {.out = out, .typed = word};
    if (*word == '@') {
        c.typed = word + 1;
        for (size_t i = 0; i < app->saved.len; i++)
            add(&c, app->saved.items[i].name);
    } else if (strncmp(word, "user:", 5) == 0) {
        c.typed = word + 5;
        each_row(app, 1U << ROW_USER, add_name, &c);
    } else if (*word) {
        for (size_t i = 0; i < fields->len; i++)
            add(&c, fields->items[i].name);
        add_tags(app, &c);
    }
    out->typed = strlen(c.typed);
    in_order(out);
}

/* A list of tags, each with or without a sign. */
static void tag_words(struct app *app, const char *typed, struct completions *out)
{
    const char *word = last_word(typed);
    struct collector c = {.out = out, .typed = word + (*word == '+' || *word == '-')};

    add_tags(app, &c);
    out->typed = strlen(c.typed);
}

/* The first word may be a row's name, or an argument already. */
static void names_and_words(struct app *app, const struct console_command *command, const char *typed,
                            struct completions *out)
{
    struct collector c = {.out = out, .typed = typed};

    each_row(app, kinds_of(app, command) & ~(1U << ROW_ROUTE), add_name, &c);
    if (strstr(command->args, "TAG"))
        add_tags(app, &c);
    else if (strstr(command->args, "USER"))
        each_row(app, 1U << ROW_USER, add_name, &c);
}

static void arguments_of(struct app *app, const struct console_command *command, const char *typed,
                         struct completions *out)
{
    struct collector c = {.out = out, .typed = typed};
    const char *word;

    out->typed = strlen(typed);
    for (size_t i = 0; (word = command_completion(app, command, i)); i++)
        add(&c, word);
    if (out->len)
        return;
    if (!command->args)
        names_of_rows(app, command, command->needs & NEED_ROW ? typed : "\n", out);
    else if (strstr(command->args, "FILTER"))
        filter_completions(app, typed, out);
    else if (command->takes && !strchr(typed, ' ') && *typed != '+' && *typed != '-')
        names_and_words(app, command, typed, out);
    else if (strstr(command->args, "TAG"))
        tag_words(app, typed, out);
    else if (strstr(command->args, "USER"))
        each_row(app, 1U << ROW_USER, add_name, &c);
}

/* Commands that work here come first, in table order. */
static void names_of_commands(struct app *app, const char *typed, struct completions *out)
{
    struct collector c = {.out = out, .typed = typed};

    out->typed = strlen(typed);
    for (int here = 1; here >= 0; here--)
        for (size_t i = 0; i < app->commands.len; i++)
            if (command_is_here(app, app->commands.items[i]) == here)
                add(&c, app->commands.items[i]->name);
}

void command_completions(struct app *app, const char *line, struct completions *out)
{
    line += strspn(line, " ");
    size_t len = strcspn(line, " ");

    if (!line[len]) {
        names_of_commands(app, line, out);
        return;
    }
    const struct console_command *c = commands_find(app, line, len);
    if (!c)
        return;
    arguments_of(app, c, line + len + strspn(line + len, " "), out);
    in_order(out);
}
