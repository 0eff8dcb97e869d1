/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and the mouse: to the dialog, else the prompt, else a command of the table. */
#include "console/app/app.h"

/* Keys may come faster than frames: each finds the list as the key before it left it. */
static void catch_up(struct app *app)
{
    struct list *l = app_list(app);

    if (l->forced || !l->cursor)
        list_refresh(l, &app->model, &app->at);
}

void app_key(struct app *app, int key)
{
    catch_up(app);
    if (policy_page_paste(app, key))
        return;
    if (app->dialog.kind) {
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
    if (policy_page_answer(app, key))
        return;
    const struct console_command *c = commands_for_key(commands_where(app), key);
    if (c) {
        command_run(app, c, "");
        return;
    }
    if (app->place.view == VIEW_POLICY && policy_page_key(app, key))
        return;
    char name[KEY_NAME_MAX];
    if (key < CK_RESIZE)
        app_flash(app, ROLE_INFO, "%s does nothing here; ? shows what does", key_text(key, name));
}

void app_wheel(struct app *app, int rows)
{
    catch_up(app);
    if (app->dialog.kind)
        dialog_key(app, rows > 0 ? CK_DOWN : CK_UP);
    else if (!app->prompt.kind && app->place.view == VIEW_POLICY)
        policy_page_move(app, rows);
    else if (!app->prompt.kind)
        list_move(app_list(app), rows, app->at.now_ms);
    if (app->place.view == VIEW_EVENTS && rows < 0)
        app->follow = false;
}

void app_click(struct app *app, int row, int col, int clicks)
{
    const struct hit *hit = canvas_hit_at(&app->canvas, row, col);
    struct list *l = app_list(app);

    catch_up(app);
    if (!hit)
        return;
    if (app->dialog.kind) {
        if (hit->kind == HIT_CHOICE) {
            app->dialog.cursor = (size_t)hit->value;
            if (clicks > 1)
                dialog_key(app, CK_ENTER);
        }
        return;
    }
    switch ((enum hit_kind)hit->kind) {
    case HIT_ROW: {
        bool again = l->cursor && (size_t)hit->value == list_position(l);

        if (app->place.view == VIEW_EVENTS)
            app->follow = false;
        list_to(l, (size_t)hit->value, app->at.now_ms);
        if (again || clicks > 1)
            app_key(app, CK_ENTER);
        break;
    }
    case HIT_COLUMN:
        list_sort(l, hit->value, l->sort == hit->value && !l->reverse);
        break;
    case HIT_TAB:
        app_go(app, (enum view_id)hit->value, 0, NULL);
        break;
    case HIT_COMMAND:
        command_run(app, commands_at((size_t)hit->value), "");
        break;
    case HIT_TEXT:
        policy_page_click(app, row, col);
        break;
    case HIT_CHOICE:
        break;
    }
}
