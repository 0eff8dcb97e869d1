/* SPDX-License-Identifier: BSD-3-Clause */
/* The application without terminal and network: keys and messages go in, a canvas comes out. One thread. */
#ifndef TUI_CONSOLE_APPLICATION_H
#define TUI_CONSOLE_APPLICATION_H

#include "console/app/app.h"
#include "console/settings/settings.h"

/* The views and the commands there are: tables.c. */
extern const struct console_tables console_tables;

/* The caller fills canvas.ascii and theme of a zeroed app before, net after. */
void app_init(struct app *app);
void app_release(struct app *app);
/* Forgets one server's objects and what was done to them, for another one. */
void app_reset(struct app *app);

/* Keys and filters of the user's own; what is wrong with them is said on the screen, and the rest is used. */
void app_settings(struct app *app, const struct settings *settings);

/* What comes in. The app takes over deltas (app_delta) and replies. */
void app_key(struct app *app, int key);
void app_click(struct app *app, int row, int col, int clicks);
void app_menu(struct app *app, int row, int col); /* what can be done with what is there */
void app_wheel(struct app *app, int rows);
void app_reply(struct app *app, uint64_t id, struct reply *reply);
void app_connection(struct app *app, enum connection_state state, const char *why, int64_t retry_in_ms);
void app_heard(struct app *app, int64_t at_ms); /* the server gave a sign of life then */
void app_whoami(struct app *app, const char *actor, bool read_only);

/* Draws the whole screen onto app->canvas. */
void app_draw(struct app *app, int rows, int cols);
/* When the screen changes by itself next (monotonic milliseconds). */
int64_t app_next_ms(const struct app *app);

/* For input.c: ends a paste whose end never came. */
void app_paste_tick(struct app *app);

#endif
