/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the current list as a file: CSV, JSON or a table, by the extension of its name. */
#include "console/commands/export.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/model/list_text.h"

static void as_csv(struct app *app, struct list *l, struct buf *out)
{
    list_rows_csv(l, l->order.items, l->order.len, &app->at, out);
}

static void as_json(struct app *app, struct list *l, struct buf *out)
{
    list_rows_json(l, l->order.items, l->order.len, true, &app->at, out);
    buf_addc(out, '\n');
}

static void as_table(struct app *app, struct list *l, struct buf *out)
{
    list_rows_table(l, l->order.items, l->order.len, &app->at, &app->canvas, out);
}

static const struct {
    const char *ending;
    void (*write)(struct app *app, struct list *l, struct buf *out);
} forms[] = {{".csv", as_csv}, {".json", as_json}, {".txt", as_table}};

/* "~/FILE" is in the user's home. */
static char *path_of(const char *arg)
{
    const char *home = getenv("HOME");

    return home && *home && str_starts(arg, "~/") ? mem_format("%s%s", home, arg + 1) : mem_strdup(arg);
}

static void replace_file(struct app *app, const char *answer);

static void ask(struct app *app, const char *path)
{
    char *title = mem_format("%s exists", path);

    dialog_choice(app, title, "Enter choose   Esc cancel", replace_file);
    app->dialog->row_key = mem_strdup(path);
    dialog_add_choice(app, "", "keep the file");
    dialog_add_choice(app, "replace", "replace it");
    free(title);
}

static void export(struct app *app, const char *path, bool replace)
{
    struct list *l = app_list(app);
    struct buf text = BUF_INIT(0);
    struct err e;
    size_t form = 0;

    while (form < ARRAY_LEN(forms) && !str_ends(path, forms[form].ending))
        form++;
    if (form == ARRAY_LEN(forms)) {
        app_flash(app, ROLE_WARN, "export: the name of the file ends in .csv, .json or .txt");
        return;
    }
    list_refresh(l, &app->model, &app->at);
    forms[form].write(app, l, &text);
    int r = replace ? file_replace(path, buf_text(&text), text.len, 0600, &e)
                    : file_create(path, buf_text(&text), text.len, 0600, &e);
    if (r == ERR_CONFLICT)
        ask(app, path);
    else if (r < 0)
        app_flash(app, ROLE_ERROR, "export: %s", e.message);
    else
        app_flash(app, ROLE_INFO, "%zu row%s in %s", l->order.len, l->order.len == 1 ? "" : "s", path);
    buf_release(&text);
}

static void replace_file(struct app *app, const char *answer)
{
    char *path = mem_strdup(app->dialog->row_key);

    dialog_close(app);
    if (*answer)
        export(app, path, true);
    else
        app_flash(app, ROLE_INFO, "export: %s is as it was", path);
    free(path);
}

static void cmd_export(struct app *app, const char *arg)
{
    char *path = path_of(arg);

    if (*arg)
        export(app, path, false);
    else
        app_flash(app, ROLE_WARN, "export: which file? Its name ends in .csv, .json or .txt");
    free(path);
}

static const struct console_command commands[] = {
    {.name = "export",
     .keys = "",
     .help = "write the rows shown to a file, in the form its name ends in: .csv, .json or .txt",
     .args = "FILE",
     .where = IN_LISTS | IN_NODE,
     .run = cmd_export},
};

const struct command_table export_commands = {.items = commands, .len = ARRAY_LEN(commands)};
