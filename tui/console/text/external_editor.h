/* SPDX-License-Identifier: BSD-3-Clause */
/* Editing a text in the user's own editor. The caller must release the terminal first. */
#ifndef TUI_CONSOLE_TEXT_EXTERNAL_EDITOR_H
#define TUI_CONSOLE_TEXT_EXTERNAL_EDITOR_H

#include <stddef.h>

#include "base/err.h"

/* Runs $VISUAL, $EDITOR or vi on a private file and waits for it to exit. The caller frees *out. On error the text is
 * unchanged; the message names the file if it still holds the user's text. */
int outside_edit(const char *text, size_t len, char **out, size_t *out_len, struct err *e) WARN_UNUSED;

#endif
