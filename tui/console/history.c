/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/history.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const char signs[2] = {':', '/'};

/* "=NOUN: KEY KEY ...": the columns of a list. */
static void load_columns(struct app *app, char *line)
{
    char *keys = strchr(line, ':');

    if (!keys)
        return;
    *keys++ = '\0';
    for (int i = 0; i < LIST_COUNT; i++)
        if (str_eq(app->lists[i].def->noun, line) && i != LIST_DETAIL && list_choose(&app->lists[i], keys, NULL) < 0)
            return; /* a column of another version: the list does as it sees fit */
}

static void save_columns(const struct app *app, struct buf *out)
{
    for (int i = 0; i < LIST_COUNT; i++) {
        if (!app->lists[i].chosen_len || i == LIST_DETAIL)
            continue;
        buf_addf(out, "=%s: ", app->lists[i].def->noun);
        list_chosen(&app->lists[i], out);
        buf_addc(out, '\n');
    }
}

void history_load(struct app *app, const char *state_dir)
{
    char *path = mem_format("%s/console.history", state_dir);
    FILE *f = fopen(path, "re");
    char line[LINE_MAX_BYTES + 4];

    free(path);
    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        for (int i = 0; i < 2; i++)
            if (line[0] == signs[i] && str_check(line + 1, LINE_MAX_BYTES, false, "history", NULL) == 0 &&
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
            buf_addf(&text, "%c%s\n", signs[i], app->prompt.history[i].items[j]);
    save_columns(app, &text);
    /* Nice to have: where it cannot be written there is nobody to tell any more. */
    if ((text.len || access(path, F_OK) == 0) && file_replace(path, buf_text(&text), text.len, 0600, NULL) < 0)
        unlink(path);
    free(path);
    buf_release(&text);
}
