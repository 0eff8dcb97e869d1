/* SPDX-License-Identifier: BSD-3-Clause */
/* Times as people write them. */
#ifndef TUI_CONSOLE_MODEL_RELATIVE_TIME_H
#define TUI_CONSOLE_MODEL_RELATIVE_TIME_H

#include <stdint.h>

#define AGO_MAX 40

/* "now", "41s", "6h", "3d 4h", "2y"; "-" for 0. */
char *ago_text(int64_t then_ns, int64_t now_ns, char text[AGO_MAX]);
/* Time left: "never" for 0, "EXPIRED" in the past, "21d", "2d 4h", "50m". */
char *until_text(int64_t then_ns, int64_t now_ns, char text[AGO_MAX]);
/* A duration in at most two units. */
char *span_text(int64_t ns, char text[AGO_MAX]);
/* "14:03:07" on the day of now, else "24 Nov 14:03", else "2025-11-24"; in the machine's time zone. */
char *timestamp_text(int64_t then_ns, int64_t now_ns, char text[AGO_MAX]);

#endif
