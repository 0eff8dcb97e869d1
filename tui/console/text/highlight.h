/* SPDX-License-Identifier: BSD-3-Clause */
/* The colours of HuJSON, line by line. All that a line inherits from those above it is whether a comment is open, so
 * only the beginnings of lines are remembered, and only as far as somebody looked. */
#ifndef TUI_CONSOLE_TEXT_HIGHLIGHT_H
#define TUI_CONSOLE_TEXT_HIGHLIGHT_H

#include "console/screen/theme.h"
#include "console/text/text_buffer.h"

struct highlight {
    unsigned char *open; /* whether a comment is open where the line begins */
    size_t known, cap;   /* lines whose beginning is known */
};

void highlight_release(struct highlight *h);

/* Whether a comment is open where the line begins. Takes note of what changed in the text since it was asked last. */
bool highlight_open(struct highlight *h, struct textbuf *t, size_t line);

/* One role for each byte of a line's first len bytes (the line may go on). */
void highlight_line(const char *line, size_t len, bool comment_open, unsigned char *roles);

#endif
