/* SPDX-License-Identifier: BSD-3-Clause */
/* One line an event, to stderr, for a person: level, area, text. Safe from any thread. What comes from outside is
 * written without control characters. With JOURNAL_STREAM set by systemd the level becomes a syslog prefix. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include "base/err.h"

enum log_level {
    LOG_LEVEL_ERROR, /* something that was promised did not happen */
    LOG_LEVEL_WARN,  /* works, but an operator should look */
    LOG_LEVEL_INFO,  /* what an operator wants to see in a quiet day's log */
    LOG_LEVEL_DEBUG, /* what a developer wants to see */
};

enum log_format { LOG_TEXT, LOG_JSON };

/* Any thread. */
void log_setup(enum log_level level, enum log_format format);
/* From here on lines are handed to a thread that writes them, so that a reader of stderr that stops holds nobody up.
 * What does not fit into 1 MiB is counted and left out. log_end writes what is left, for a second at most. */
int log_start(struct err *e) WARN_UNUSED;
void log_end(void);
enum log_level log_level(void);
int log_level_parse(const char *name, enum log_level *out); /* error, warn, info, debug (trace reads as debug); -1 */

/* area: the room that speaks, such as "control". */
void log_write(enum log_level level, const char *area, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_error(area, ...) log_write(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_write(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_write(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...)                                                                                           \
    do {                                                                                                               \
        if (log_level() >= LOG_LEVEL_DEBUG)                                                                            \
            log_write(LOG_LEVEL_DEBUG, area, __VA_ARGS__);                                                             \
    } while (0)

/* For what a stranger can provoke: at most burst lines a minute for each place that calls it; how many were held back
 * is said with the next one. */
struct log_limit {
    long long minute;
    unsigned written, held;
};
void log_limited(struct log_limit *limit, unsigned burst, enum log_level level, const char *area, const char *format,
                 ...) PRINTF_LIKE(5, 6);

/* For what strangers provoke: one line a minute for each of them, and burst lines in all. Who they are is remembered in
 * a table of fixed size: more of them than it has places may get a second line. */
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
