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

/* Round trips in us on a fixed scale, so that lines compare: the newest at the right, what was lost as a cross. */
#define GRAPH_LOST UINT32_MAX
void graph_trips(struct canvas *c, int row, int col, const uint32_t *us, size_t count);
/* One of them as a bar of METER_COLS cells: below 10, 30, 100 ms, and above. */
enum { METER_COLS = 4 };
void graph_meter(struct canvas *c, int row, int col, uint32_t us);
enum role graph_role(uint32_t us);
#define TRIP_TEXT_MAX 16
const char *trip_text(uint32_t us, char text[TRIP_TEXT_MAX]); /* milliseconds: "0.4", "11", "lost" */

#endif
