/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/flash_line.h"

#include <stdio.h>

#include "console/app/dispatch.h"
#include "console/dialogs/plan.h"
#include "console/dialogs/prompt.h"

/* With nothing else to show: the reason for the state of the route under the cursor. */
static void draw_reason(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;

    if (!row || row->kind != ROW_ROUTE || app->dialog || app->layout.pane.rows || app_list(app)->cursor_hidden ||
        !*((const struct m_route *)row)->api.reason)
        return;
    char why[20];
    command_text(app, "{why} why", why, sizeof(why));
    int width = canvas_width(c, why);
    canvas_textf(c, at.row, 1, at.cols - 5 - width, ROLE_FAINT, "%s  %s", row->key,
                 ((const struct m_route *)row)->api.reason);
    canvas_right(c, at.row, at.cols - 3 - width, width + 2, ROLE_KEY, why);
}

/* There may be room for the beginning only. */
static bool says_undo(const char *said, const char *done)
{
    size_t len = strlen(said);

    return strncmp(said, done, len) == 0 && (!done[len] || len >= FLASH_MAX - 1);
}

void flash_line_draw(struct app *app, struct canvas *c, struct rect at)
{
    struct flash *f = &app->flash;
    struct undo *undo = app->undos.len ? &app->undos.items[app->undos.len - 1] : NULL;
    int width = at.cols - 2;

    if (app->prompt.kind) {
        prompt_draw(app, c, at);
        return;
    }
    const struct plan *sent = plan_unanswered(app);
    bool said = f->text && (!f->until_ms || f->until_ms > app->at.now_ms);
    if (sent && (!said || (f->until_ms && f->until_ms - FLASH_MS <= sent->sent_ms))) {
        char text[200];

        plan_unanswered_text(app, sent, text, sizeof(text));
        canvas_text(c, at.row, 1, width, ROLE_WAIT, text);
        return;
    }
    if (!said) {
        if (app->place.view->draw_quiet)
            app->place.view->draw_quiet(app, c, at);
        else
            draw_reason(app, c, at);
        return;
    }
    if (undo && undo->at_ms + UNDO_MS > app->at.now_ms && f->role == ROLE_INFO && says_undo(f->text, undo->text)) {
        int64_t left = (undo->at_ms + UNDO_MS - app->at.now_ms) / 1000;
        char text[40];
        int used;

        command_text(app, "{undo}", text, 12);
        used = (int)strlen(text);
        snprintf(text + used, sizeof(text) - (size_t)used, " undo (%d:%02d)", (int)(left / 60), (int)(left % 60));
        canvas_right(c, at.row, 1, width, ROLE_KEY, text);
        width -= (int)strlen(text) + 2;
    }
    const char *sign = f->role == ROLE_ERROR ? "E " : f->role == ROLE_WARN ? "! " : "";
    int used = canvas_text(c, at.row, 1, width, f->role, sign);
    char text[400];
    command_text(app, f->text, text, sizeof(text));
    canvas_text(c, at.row, 1 + used, width - used, f->role, text);
}
