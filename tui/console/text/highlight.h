/* SPDX-License-Identifier: BSD-3-Clause */
/* Syntax colours of HuJSON, line by line. The only state carried from line to line is whether a comment is open; it is
 * cached for the start of each line, as far as needed. */
#ifndef TUI_CONSOLE_TEXT_HIGHLIGHT_H
#define TUI_CONSOLE_TEXT_HIGHLIGHT_H

#include "console/screen/theme.h"
#include "console/text/text_buffer.h"

struct highlight {
    unsigned char *open; /* by line: whether a comment is open at its start */
    size_t known, cap;   /* number of lines cached */
};

void highlight_release(struct highlight *h);

/* Whether a comment is open at the start of the line. Accounts for changes of the text since the last call. */
bool highlight_open(struct highlight *h, struct textbuf *t, size_t line);

/* Fills one role for each of the line's first len bytes. */
void highlight_line(const char *line, size_t len, bool comment_open, unsigned char *roles);

#endif
