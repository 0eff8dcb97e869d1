/* SPDX-License-Identifier: BSD-3-Clause */
/* The application without terminal and network: keys and messages in, a canvas out. One thread. */
#ifndef TUI_CONSOLE_APPLICATION_H
#define TUI_CONSOLE_APPLICATION_H

#include "console/app/app.h"
#include "console/settings/settings.h"

/* All views and commands: tables.c. */
extern const struct console_tables console_tables;

/* The caller zeroes app and sets canvas.ascii and theme before the call, net after it. */
void app_init(struct app *app);
void app_release(struct app *app);
/* Drops the objects and the undo list of one server before connecting to another. */
void app_reset(struct app *app);

/* Applies the user's own keys and filters; errors are shown on the screen, and the rest is used. */
void app_settings(struct app *app, const struct settings *settings);

/* Input. The app takes ownership of deltas (app_delta) and replies. */
void app_key(struct app *app, int key);
void app_click(struct app *app, int row, int col, int clicks);
void app_menu(struct app *app, int row, int col); /* opens the menu of actions for this position */
void app_wheel(struct app *app, int rows);
void app_reply(struct app *app, uint64_t id, struct reply *reply);
void app_connection(struct app *app, enum connection_state state, const char *why, int64_t retry_in_ms);
void app_heard(struct app *app, int64_t at_ms); /* time of a sign of life from the server */
void app_whoami(struct app *app, const char *actor, bool read_only);

/* Draws the whole screen onto app->canvas. */
void app_draw(struct app *app, int rows, int cols);
/* When the screen next changes without input (monotonic milliseconds). */
int64_t app_next_ms(const struct app *app);

/* For input.c: ends a paste whose end marker never arrived. */
void app_paste_tick(struct app *app);

#endif
