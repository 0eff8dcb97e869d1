/* SPDX-License-Identifier: BSD-3-Clause */
/* If the titles do not fit, the blanks between them go first, then one title after another. */
#include "console/tabs.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

#define VIEWS_MAX  24
#define CLOCK_COLS 6 /* including the blank before it */

struct tab_row {
    const struct console_view *dropped[VIEWS_MAX]; /* in the order in which they lose their titles */
    size_t count, untitled;                        /* untitled: how many have lost it */
    int gap;
    bool clock;
};

static bool is_front(const struct app *app, const struct console_view *v)
{
    return v == app->place.view || v == app->place.view->tab || (v == app->then.instead && v->then == app->place.view);
}

static bool is_titled(const struct tab_row *tabs, const struct console_view *v)
{
    for (size_t i = 0; i < tabs->untitled; i++)
        if (tabs->dropped[i] == v)
            return false;
    return true;
}

static void tab_text(struct app *app, const struct tab_row *tabs, const struct console_view *v, char *text, size_t size)
{
    size_t badge = v->badge ? v->badge(app) : 0;
    int used = snprintf(text, size, is_titled(tabs, v) || is_front(app, v) ? "%c %s" : "%c", v->digit, v->title);

    if (badge)
        snprintf(text + used, size - (size_t)used, " %zu", badge);
}

/* Columns of a tab with its surroundings. */
static int tab_width(struct app *app, const struct canvas *c, const struct tab_row *tabs, const struct console_view *v)
{
    char text[40];

    tab_text(app, tabs, v, text, sizeof(text));
    return canvas_width(c, text) + (tabs->gap == 1 && is_front(app, v) ? 2 : 0);
}

static bool fits(struct app *app, const struct canvas *c, const struct tab_row *tabs)
{
    int width = tabs->gap - 1;

    for (size_t i = 0; i < tabs->count; i++)
        width += tab_width(app, c, tabs, tabs->dropped[i]) + (i ? tabs->gap : 0);
    return width + tabs->gap - 1 + (tabs->clock ? CLOCK_COLS : 0) <= c->cols;
}

/* The highest rank goes first, then the rightmost. */
static void add_view(struct tab_row *tabs, const struct console_view *v)
{
    size_t at = 0;

    while (at < tabs->count && tabs->dropped[at]->tab_rank > v->tab_rank)
        at++;
    memmove(tabs->dropped + at + 1, tabs->dropped + at, (tabs->count - at) * sizeof(*tabs->dropped));
    tabs->dropped[at] = v;
    tabs->count++;
}

static void choose(struct app *app, const struct canvas *c, struct tab_row *tabs)
{
    *tabs = (struct tab_row){.gap = 2, .clock = true};
    for (size_t i = 0; i < app->tables->view_count && tabs->count < VIEWS_MAX; i++)
        if (app->tables->views[i]->digit)
            add_view(tabs, app->tables->views[i]);
    if (fits(app, c, tabs))
        return;
    for (tabs->gap = 1; !fits(app, c, tabs) && tabs->untitled < tabs->count; tabs->untitled++)
        continue;
    tabs->clock = fits(app, c, tabs);
}

/* Returns the column after it. */
static int draw_tab(struct app *app, const struct tab_row *tabs, struct canvas *c, int row, int col, size_t index)
{
    const struct console_view *v = app->tables->views[index];
    bool on = is_front(app, v), badge = v->badge && v->badge(app);
    char text[40];

    tab_text(app, tabs, v, text, sizeof(text));
    col += on && tabs->gap == 1;
    int from = col;
    if (on)
        canvas_text(c, row, col - 1, 1, ROLE_TAB_ON, "[");
    col += canvas_text(c, row, col, c->cols - col - on, on ? ROLE_TAB_ON : badge ? ROLE_WAIT : ROLE_TAB, text);
    if (on)
        canvas_text(c, row, col, 1, ROLE_TAB_ON, "]");
    canvas_hit(c, (struct rect){row, from, 1, col - from}, HIT_TAB, (int)index);
    return col + (on && tabs->gap == 1);
}

void tabs_draw(struct app *app, struct canvas *c, struct rect at)
{
    struct tab_row tabs;
    time_t now = (time_t)(app->wall_ns / NS_PER_SECOND);
    struct tm local;
    char text[16] = "";

    choose(app, c, &tabs);
    int col = at.col + tabs.gap - 1;
    for (size_t i = 0; i < app->tables->view_count; i++)
        if (app->tables->views[i]->digit)
            col = draw_tab(app, &tabs, c, at.row, col, i) + tabs.gap;
    if (tabs.clock && localtime_r(&now, &local))
        strftime(text, sizeof(text), "%H:%M", &local);
    canvas_right(c, at.row, at.cols - CLOCK_COLS + (tabs.gap == 1), CLOCK_COLS - 1, ROLE_FAINT, text);
}
