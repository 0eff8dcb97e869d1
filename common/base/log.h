/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: one line per event on stderr, for a person: level, area, text. Safe in any thread. Control characters in
 * untrusted text are escaped. If systemd sets JOURNAL_STREAM, the level becomes a syslog prefix. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include "base/err.h"

enum log_level {
    LOG_LEVEL_ERROR, /* something that was promised did not happen */
    LOG_LEVEL_WARN,  /* works, but an operator should check it */
    LOG_LEVEL_INFO,  /* what an operator wants in the log of a quiet day */
    LOG_LEVEL_DEBUG, /* for developers */
};

enum log_format { LOG_TEXT, LOG_JSON };

/* May be called in any thread. */
void log_setup(enum log_level level, enum log_format format);
/* From now on a thread of its own writes the lines, so that nothing blocks when the reader of stderr stops reading.
 * Lines beyond 1 MiB are dropped and counted. log_end() writes the rest, for at most a second. */
int log_start(struct err *e) WARN_UNUSED;
void log_end(void);
enum log_level log_level(void);
int log_level_parse(const char *name, enum log_level *out); /* error, warn, info, debug (trace reads as debug); -1 */

/* area: the room that logs, such as "control". */
void log_write(enum log_level level, const char *area, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_error(area, ...) log_write(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_write(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_write(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...)                                                                                           \
    do {                                                                                                               \
        if (log_level() >= LOG_LEVEL_DEBUG)                                                                            \
            log_write(LOG_LEVEL_DEBUG, area, __VA_ARGS__);                                                             \
    } while (0)

/* For events that untrusted clients can cause: at most burst lines per minute for each call site. The next line reports
 * how many were suppressed. */
struct log_limit {
    long long minute;
    unsigned written, held;
};
void log_limited(struct log_limit *limit, unsigned burst, enum log_level level, const char *area, const char *format,
                 ...) PRINTF_LIKE(5, 6);

/* For events that untrusted clients can cause: one line per minute for each source, and burst lines in all. Sources are
 * kept in a table of fixed size: if there are more than it holds, some may log a second line. */
#define LOG_SOURCES 512
struct log_sources {
    struct log_limit all;
    struct {
        unsigned long long hash;
        long long until_ms;
    } seen[LOG_SOURCES];
};
void log_from(struct log_sources *sources, const void *who, unsigned long who_len, unsigned burst, enum log_level level,
              const char *area, const char *format, ...) PRINTF_LIKE(7, 8);

#endif
