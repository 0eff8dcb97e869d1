/* SPDX-License-Identifier: BSD-3-Clause */
/* A text handed over to the user's own editor. The caller has given the terminal back before. */
#ifndef TUI_CONSOLE_TEXT_EXTERNAL_EDITOR_H
#define TUI_CONSOLE_TEXT_EXTERNAL_EDITOR_H

#include <stddef.h>

#include "base/err.h"

/* Runs $VISUAL, $EDITOR or vi on a file of its own that only the user can read, and waits for its end. *out is the
 * caller's. An error names what is wrong, and where the text is where that may matter; the text is then to be left as
 * it was. */
int outside_edit(const char *text, size_t len, char **out, size_t *out_len, struct err *e) WARN_UNUSED;

#endif
