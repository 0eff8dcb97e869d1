/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists that are not in the snapshot, or of which it does not tell all. They are fetched when shown, every few seconds
 * while they are shown, and after a journal entry about them. Parts of views name what to fetch (struct asked_rows). */
#ifndef TUI_CONSOLE_APP_ASKED_H
#define TUI_CONSOLE_APP_ASKED_H

#include "console/app/app.h"

void asked_tick(struct app *app); /* before each frame */
void asked_note(struct app *app, const struct row *row, enum note what);
void asked_reply(struct app *app, uint64_t id, struct reply *reply); /* an answer that nobody else took */
/* Everything is fetched anew: at a new connection, and at the end. */
void asked_forget(struct app *app);
/* Why the list in front is empty, if the server has not answered yet; false: it has. */
bool asked_missing(const struct app *app, char *text, size_t size);

#endif
