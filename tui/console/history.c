/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/history.h"

#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define HISTORY_LINE_MAX    1000 /* bytes; longer lines are dropped */
#define HISTORY_FILE_MAX    (1U << 20)
#define HISTORY_SERVERS_MAX 20

/* The first character of a line gives its kind: '%' a server, whose prompts follow; ':', '/' and '+' a line of a
 * prompt; '=' the columns of a list; '@' a saved filter. */
static const char signs[PROMPT_KINDS] = {[PROMPT_COMMAND] = ':', [PROMPT_FILTER] = '/', [PROMPT_MARK] = '+'};

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
                return; /* a column of another version: use the defaults */
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

/* "@NAME: TEXT"; filters from the configuration take precedence. */
static void load_filter(struct app *app, char *line)
{
    char *text = strstr(line, ": ");

    if (!text)
        return;
    *text = '\0';
    if (!saved_filter_find(&app->saved, line) && saved_filter_set(&app->saved, line, text + 2, NULL) < 0)
        return; /* a name from another version */
}

static void save_filters(const struct app *app, struct buf *out)
{
    for (size_t i = 0; i < app->saved.len; i++)
        if (!app->saved.items[i].configured)
            buf_addf(out, "@%s: %s\n", app->saved.items[i].name, app->saved.items[i].text);
}

static char *read_history(const char *path)
{
    struct buf text = BUF_INIT(HISTORY_FILE_MAX);

    if (file_read(path, FILE_ANY, &text, NULL) < 0)
        buf_clear(&text);
    return buf_take(&text);
}

static const char *server_of(const struct app *app)
{
    return app->address ? app->address : "";
}

/* Calls use with each line, and whether it belongs to this server. The text is modified. */
static void each_line(const struct app *app, char *text, void (*use)(void *arg, char *line, bool mine), void *arg)
{
    bool mine = false;

    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (*line == '%')
            mine = str_eq(line + 1, server_of(app));
        use(arg, line, mine);
    }
}

static void load_line(void *arg, char *line, bool mine)
{
    struct app *app = arg;

    if (!*line || str_check(line, HISTORY_LINE_MAX, false, "history", NULL) < 0)
        return;
    for (int i = 0; i < PROMPT_KINDS; i++)
        if (signs[i] && *line == signs[i] && mine && line[1] && app->prompt.history[i].len < HISTORY_MAX)
            strs_push(&app->prompt.history[i], line + 1);
    if (*line == '=')
        load_columns(app, line + 1);
    else if (*line == '@')
        load_filter(app, line + 1);
}

static char *path_of(const char *state_dir)
{
    return mem_format("%s/console.history", state_dir);
}

void history_load(struct app *app, const char *state_dir)
{
    char *path = path_of(state_dir), *text = read_history(path);

    for (int i = 0; i < PROMPT_KINDS; i++)
        strs_release(&app->prompt.history[i]);
    each_line(app, text, load_line, app);
    free(text);
    free(path);
}

struct kept_lines {
    struct buf *out;
    unsigned servers;
};

/* The prompts of other servers are kept; beyond a number of servers the oldest are dropped. */
static void keep_line(void *arg, char *line, bool mine)
{
    struct kept_lines *kept = arg;

    kept->servers += *line == '%' && !mine;
    if (!mine && kept->servers && kept->servers < HISTORY_SERVERS_MAX && *line && strchr("%:/+", *line))
        buf_addf(kept->out, "%s\n", line);
}

void history_save(const struct app *app, const char *state_dir)
{
    char *path = path_of(state_dir), *before = read_history(path);
    struct buf text = BUF_INIT(0);
    struct kept_lines kept = {.out = &text};
    size_t head;

    save_columns(app, &text);
    save_filters(app, &text);
    head = text.len;
    buf_addf(&text, "%%%s\n", server_of(app));
    size_t empty = text.len;
    for (int i = 0; i < PROMPT_KINDS; i++)
        for (size_t j = 0; j < app->prompt.history[i].len; j++)
            if (strlen(app->prompt.history[i].items[j]) < HISTORY_LINE_MAX - 1)
                buf_addf(&text, "%c%s\n", signs[i], app->prompt.history[i].items[j]);
    if (text.len == empty)
        text.data[text.len = head] = '\0';
    each_line(app, before, keep_line, &kept);
    /* Not essential: if it cannot be written, nobody is left to tell. */
    if ((text.len || access(path, F_OK) == 0) && file_make_parents(path, 0700, NULL) == 0 &&
        file_replace(path, buf_text(&text), text.len, 0600, NULL) < 0)
        unlink(path);
    free(path);
    free(before);
    buf_release(&text);
}
