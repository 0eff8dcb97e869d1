/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and mouse events go to the dialog, else the prompt, else a command. */
#include "console/app/dispatch.h"
#include "console/application.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/prompt.h"

#define PASTE_MAX (4U << 20)
#define PASTE_MS  3000 /* a paste without an end marker ends after this time */

/* Keys can arrive faster than frames: each sees the list as the previous key left it. */
static void catch_up(struct app *app)
{
    struct list *l = app_list(app);

    if (l->forced || !l->cursor)
        list_refresh(l, &app->model, &app->at);
}

/* ---- pasting: a paste is a text and never a row of commands ---- */

static void paste_line(struct app *app, const char *text)
{
    wchar_t rune;

    for (size_t n; (n = utf8_next(text, &rune)); text += n)
        if (rune >= 0x20 && app->dialog)
            dialog_key(app, (int)rune);
        else if (rune >= 0x20 && app->prompt.kind)
            prompt_key(app, (int)rune);
}

static void end_paste(struct app *app)
{
    struct paste *p = &app->paste;
    const struct console_view *view = app->place.view;
    const char *text = buf_text(&p->text);

    p->going_on = false;
    if (p->text.failed) {
        app_flash(app, ROLE_WARN, "not pasted: larger than 4 MiB");
    } else if (app->dialog || app->prompt.kind) {
        if (p->text.len < LINE_MAX_BYTES)
            paste_line(app, text);
    } else if (!view->paste || !view->paste(app, text, p->text.len)) {
        app_flash(app, ROLE_INFO, "not pasted: only prompts and the policy editor take text");
    }
    buf_release(&p->text);
    p->text.failed = false;
}

/* True during a paste: the key was part of it. */
static bool paste_key(struct app *app, int key)
{
    struct paste *p = &app->paste;

    if (key == CK_PASTE) {
        p->going_on = true;
        p->text.max = PASTE_MAX;
        buf_clear(&p->text);
    } else if (!p->going_on) {
        return key == CK_PASTE_END;
    } else if (key == CK_PASTE_END) {
        end_paste(app);
    } else if (key == CK_ENTER || key == '\n') {
        buf_addc(&p->text, '\n');
    } else if (key == CK_TAB || (key >= 0x20 && key < CK_UP && key != 0x7f)) {
        utf8_add(&p->text, (wchar_t)key);
    }
    p->heard_ms = app->at.now_ms;
    return true;
}

void app_paste_tick(struct app *app)
{
    if (app->paste.going_on && app->paste.heard_ms + PASTE_MS <= app->at.now_ms)
        end_paste(app);
}

/* ---- keys and the mouse ---- */

/* Terminals send Alt with a key as Esc and the key. Where that is no key of its own, it was these two, typed fast. */
static bool is_two_keys(const struct app *app, int key)
{
    return (key & CK_ALT) && (app->dialog || app->prompt.kind || app->paste.going_on || !commands_for_key(app, key));
}

/* A key without a command here may have one elsewhere. */
static void say_elsewhere(struct app *app, int key)
{
    const struct console_command *c = commands_elsewhere(app, key);
    char *places = c ? command_places(app, c) : NULL, name[KEY_NAME_MAX];

    if (places)
        app_flash(app, ROLE_INFO, "%s does nothing here: it is %s in %s; {help} lists the keys", key_text(key, name),
                  c->name, places);
    else
        app_flash(app, ROLE_INFO, "%s does nothing here; {help} lists the keys", key_text(key, name));
    free(places);
}

void app_key(struct app *app, int key)
{
    const struct console_view *view = app->place.view;
    const struct console_command *c;

    if (is_two_keys(app, key)) {
        app_key(app, CK_ESC);
        app_key(app, key & ~CK_ALT);
        return;
    }
    app->keys++;
    catch_up(app);
    if (paste_key(app, key))
        return;
    if (app->dialog) {
        dialog_key(app, key);
        return;
    }
    if (app->prompt.kind) {
        prompt_key(app, key);
        return;
    }
    if (app->layout.too_small && key == 'i') {
        app->force_small = true;
        return;
    }
    if (view->first_key && view->first_key(app, key))
        return;
    c = commands_for_key(app, key);
    if (c)
        command_run(app, c, "");
    else if ((!view->key || !view->key(app, key)) && key < CK_RESIZE)
        say_elsewhere(app, key);
}

void app_wheel(struct app *app, int rows)
{
    const struct console_view *view = app->place.view;

    app->keys++;
    catch_up(app);
    if (app->dialog) {
        dialog_key(app, rows > 0 ? CK_DOWN : CK_UP);
    } else if (app->prompt.kind) {
        return;
    } else if (view->move) {
        view->move(app, rows);
    } else {
        list_move(app_list(app), rows, app->at.now_ms);
        if (view->moved && rows < 0)
            view->moved(app);
    }
}

static void click_row(struct app *app, size_t index, int clicks)
{
    struct list *l = app_list(app);
    bool again = l->cursor && index == list_position(l);

    if (app->place.view->moved)
        app->place.view->moved(app);
    list_to(l, index, app->at.now_ms);
    if (again || clicks > 1)
        app_key(app, CK_ENTER);
}

void app_menu(struct app *app, int row, int col)
{
    const struct hit *hit = canvas_hit_at(&app->canvas, row, col);

    app->keys++;
    catch_up(app);
    if (app->dialog || app->prompt.kind)
        return;
    if (hit && hit->kind == HIT_ROW) {
        if (app->place.view->moved)
            app->place.view->moved(app);
        list_to(app_list(app), (size_t)hit->value, app->at.now_ms);
    }
    command_run(app, commands_find(app, "actions", strlen("actions")), "");
}

void app_click(struct app *app, int row, int col, int clicks)
{
    const struct hit *hit = canvas_hit_at(&app->canvas, row, col);
    struct list *l = app_list(app);

    app->keys++;
    catch_up(app);
    if (!hit)
        return;
    if (app->dialog) {
        if (hit->kind == HIT_CHOICE) {
            bool again = app->dialog->cursor == (size_t)hit->value;

            app->dialog->cursor = (size_t)hit->value;
            if (again || clicks > 1)
                dialog_key(app, CK_ENTER);
        }
        return;
    }
    switch ((enum hit_kind)hit->kind) {
    case HIT_ROW:
        click_row(app, (size_t)hit->value, clicks);
        break;
    case HIT_COLUMN:
        list_sort(l, hit->value, l->sort == hit->value && !l->reverse);
        break;
    case HIT_TAB:
        app_go(app, app->tables->views[hit->value], 0, NULL);
        break;
    case HIT_COMMAND:
        command_run(app, app->commands.items[hit->value], "");
        break;
    case HIT_TEXT:
        if (app->place.view->click)
            app->place.view->click(app, row, col);
        break;
    case HIT_CHOICE:
        break;
    }
}
