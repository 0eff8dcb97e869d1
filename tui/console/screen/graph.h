/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as bars in a line of text. */
#ifndef TUI_CONSOLE_SCREEN_GRAPH_H
#define TUI_CONSOLE_SCREEN_GRAPH_H

#include <stdint.h>

#include "console/screen/canvas.h"

#define GRAPH_GAP UINT64_MAX /* not known: left blank, never interpolated */

/* Draws count bars of wide columns each, the highest as high as the line; 0 is the lowest. Returns the highest number.
 */
uint64_t graph_bars(struct canvas *c, int row, int col, const uint64_t *numbers, size_t count, int wide);

#endif
