/* SPDX-License-Identifier: BSD-3-Clause */
/* Two clocks. wall_ns: nanoseconds since 1970 UTC, for times that are stored and shown; 0 means "never" or "not set".
 * mono_ms: milliseconds of a clock that never goes back, for timeouts and intervals. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>

#include "base/err.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS     INT64_C(1000000)
#define TIME_TEXT_MAX 36 /* "2026-01-02T03:04:05.123456789Z" and the NUL */

int64_t clock_wall_ns(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* RFC 3339 in UTC with as many fraction digits as needed (none, or up to nine without trailing zeros); wall_ns 0 gives
 * the zero time of the Tailscale protocol, "0001-01-01T00:00:00Z". Returns text. */
char *time_format(int64_t wall_ns, char text[TIME_TEXT_MAX]);

/* Reads RFC 3339 with any offset and fraction. Any time before 1970 becomes 1 (long past, but set), except the zero
 * time, which becomes 0. ERR_INVALID names the field and the value. */
int time_parse(const char *text, int64_t *wall_ns, const char *field, struct err *e) WARN_UNUSED;

/* The time zone of times that do not name one. */
enum time_zone { TIME_LOCAL_ZONE, TIME_UTC_ZONE };

/* A past time as people write it: "-2h" and "2h" (ago), "14:03", "14:03:22" (the most recent such time), "2026-11-24",
 * "2026-11-24 14:03", and RFC 3339. ERR_INVALID for anything else or a time in the future; names the field. */
int time_parse_past(const char *text, enum time_zone zone, int64_t now_ns, int64_t *wall_ns, const char *field,
                    struct err *e) WARN_UNUSED;

/* Durations as in headscale's configuration and flags: "90s", "1h30m", "500ms", "30d", "2w", "1y", "0". */
int duration_parse(const char *text, int64_t *ns, const char *field, struct err *e) WARN_UNUSED;
char *
duration_format(int64_t ns,
                char text[TIME_TEXT_MAX]); /* "1h30m", "1.5s": the shortest form that reads back as the same value */

#endif
