/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/history.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define HISTORY_LINE_MAX 1000 /* bytes; longer lines are not kept */

static const char signs[2] = {':', '/'};

/* "=NOUN: KEY KEY ...": the columns of a list. */
static void load_columns(struct app *app, char *line)
{
    char *keys = strchr(line, ':');

    if (!keys)
        return;
    *keys++ = '\0';
    for (size_t i = 0; i < app->tables->view_count; i++)
        for (int part = 0; part < view_part_count(app->tables->views[i]); part++) {
            struct list *l = &app->views[i].lists[part];

            if (str_eq(l->def->noun, line) && !l->def->fixed_columns && list_choose(l, keys, NULL) < 0)
                return; /* a column of another version: the list does as it sees fit */
        }
}

static void save_columns(const struct app *app, struct buf *out)
{
    for (size_t i = 0; i < app->tables->view_count; i++)
        for (int part = 0; part < view_part_count(app->tables->views[i]); part++) {
            const struct list *l = &app->views[i].lists[part];

            if (!l->chosen_len || l->def->fixed_columns)
                continue;
            buf_addf(out, "=%s: ", l->def->noun);
            list_chosen(l, out);
            buf_addc(out, '\n');
        }
}

void history_load(struct app *app, const char *state_dir)
{
    char *path = mem_format("%s/console.history", state_dir);
    FILE *f = fopen(path, "re");
    char line[HISTORY_LINE_MAX + 4];

    free(path);
    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        for (int i = 0; i < 2; i++)
            if (line[0] == signs[i] && str_check(line + 1, HISTORY_LINE_MAX, false, "history", NULL) == 0 &&
                app->prompt.history[i].len < HISTORY_MAX)
                strs_push(&app->prompt.history[i], line + 1);
        if (line[0] == '=')
            load_columns(app, line + 1);
    }
    fclose(f);
}

void history_save(const struct app *app, const char *state_dir)
{
    char *path = mem_format("%s/console.history", state_dir);
    struct buf text = BUF_INIT(0);

    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < app->prompt.history[i].len; j++)
            if (strlen(app->prompt.history[i].items[j]) < HISTORY_LINE_MAX)
                buf_addf(&text, "%c%s\n", signs[i], app->prompt.history[i].items[j]);
    save_columns(app, &text);
    /* Nice to have: where it cannot be written there is nobody to tell any more. */
    if ((text.len || access(path, F_OK) == 0) && file_make_parents(path, 0700, NULL) == 0 &&
        file_replace(path, buf_text(&text), text.len, 0600, NULL) < 0)
        unlink(path);
    free(path);
    buf_release(&text);
}
