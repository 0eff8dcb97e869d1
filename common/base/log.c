/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "base/thread.h"

static _Atomic(enum log_level) current = LOG_LEVEL_INFO;
static _Atomic(enum log_format) form = LOG_TEXT;
static atomic_bool journal;

/* The thread that writes, once log_start() was called. */
#define QUEUE_MAX ((size_t)1024 * 1024)
#define END_MS    1000
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    struct buf waiting;
    size_t lost; /* lines that did not fit */
    bool runs, writes, ends;
    struct thread thread;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
    const char *name, *shown;
    int syslog;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "ERROR", 3},
    [LOG_LEVEL_WARN] = {"warn", "WARN ", 4},
    [LOG_LEVEL_INFO] = {"info", "INFO ", 6},
    [LOG_LEVEL_DEBUG] = {"debug", "DEBUG", 7},
};

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store(&current, level);
    atomic_store(&form, format);
    atomic_store(&journal, getenv("JOURNAL_STREAM") != NULL);
}

enum log_level log_level(void)
{
    return atomic_load_explicit(&current, memory_order_relaxed);
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (str_eq(levels[i].name, name)) {
            *out = (enum log_level)i;
            return 0;
        }
    if (!str_eq(name, "trace"))
        return -1;
    *out = LOG_LEVEL_DEBUG;
    return 0;
}

static void add_json(struct buf *line, const char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            buf_addf(line, "\\%c", *text);
        else
            buf_addc(line, *text);
}

/* Returns true if the writer has the line, or has counted it as lost. */
static bool hand_over(const struct buf *line)
{
    pthread_mutex_lock(&writer.lock);
    bool runs = writer.runs;
    if (runs && writer.waiting.len + line->len > QUEUE_MAX) {
        writer.lost++;
    } else if (runs) {
        buf_add(&writer.waiting, line->data, line->len);
        pthread_cond_signal(&writer.wake);
    }
    pthread_mutex_unlock(&writer.lock);
    return runs;
}

static void *write_all(void *arg)
{
    pthread_mutex_lock(&writer.lock);
    while (!writer.ends || writer.waiting.len) {
        if (!writer.waiting.len) {
            pthread_cond_wait(&writer.wake, &writer.lock);
            continue;
        }
        struct buf lines = writer.waiting;
        size_t lost = writer.lost;
        writer.waiting = (struct buf){0};
        writer.lost = 0;
        writer.writes = true;
        pthread_mutex_unlock(&writer.lock);
        if (lost)
            buf_addf(&lines, "log: %zu lines were left out: nobody read them\n", lost);
        int ignored = file_write_fd(STDERR_FILENO, lines.data, lines.len);
        (void)ignored;
        buf_release(&lines);
        pthread_mutex_lock(&writer.lock);
        writer.writes = false;
        pthread_cond_broadcast(&writer.idle);
    }
    pthread_mutex_unlock(&writer.lock);
    return arg;
}

int log_start(struct err *e)
{
    thread_cond_init(&writer.wake);
    thread_cond_init(&writer.idle);
    int rc = thread_start(&writer.thread, "log", write_all, NULL, e);
    pthread_mutex_lock(&writer.lock);
    writer.runs = rc == 0;
    pthread_mutex_unlock(&writer.lock);
    return rc;
}

void log_end(void)
{
    int64_t until = clock_mono_ms() + END_MS;

    pthread_mutex_lock(&writer.lock);
    writer.ends = writer.runs;
    pthread_cond_signal(&writer.wake);
    while (writer.runs && (writer.writes || writer.waiting.len) && thread_cond_wait(&writer.idle, &writer.lock, until))
        ;
    /* If it is still writing, nobody reads the output: leave the thread alone and drop the rest. */
    bool done = writer.runs && !writer.writes && !writer.waiting.len;
    pthread_mutex_unlock(&writer.lock);
    if (!done)
        return;
    thread_join(&writer.thread);
    pthread_mutex_lock(&writer.lock);
    writer.runs = writer.ends = false;
    pthread_mutex_unlock(&writer.lock);
}

static void write_line(enum log_level level, const char *area, const char *text)
{
    struct buf line = BUF_INIT(0), safe = BUF_INIT(4096);
    char when[TIME_TEXT_MAX];

    str_safe(&safe, text, strlen(text));
    time_format(clock_wall_ns() / 1000000 * 1000000, when);
    if (atomic_load(&form) == LOG_JSON) {
        buf_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"", when, levels[level].name,
                 area);
        add_json(&line, buf_text(&safe));
        buf_adds(&line, "\"}\n");
    } else if (atomic_load(&journal)) {
        buf_addf(&line, "<%d>%s: %s\n", levels[level].syslog, area, buf_text(&safe));
    } else {
        buf_addf(&line, "%s %s %s: %s\n", when, levels[level].shown, area, buf_text(&safe));
    }
    if (!hand_over(&line)) {
        /* A single write per line keeps lines of several threads apart. A full or closed stderr cannot be reported
         * anywhere. */
        ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
        (void)ignored;
    }
    buf_release(&safe);
    buf_release(&line);
}

PRINTF_LIKE(3, 0)
static void write_args(enum log_level level, const char *area, const char *format, va_list args)
{
    char text[2048];

    vsnprintf(text, sizeof(text), format, args);
    write_line(level, area, text);
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
    va_list args;

    if (level > log_level())
        return;
    va_start(args, format);
    write_args(level, area, format, args);
    va_end(args);
}

/* May a line be written? *held is how many were suppressed in an earlier minute. The caller holds the lock. */
static bool limit_allows(struct log_limit *limit, unsigned burst, unsigned *held)
{
    long long minute = clock_mono_ms() / 60000;

    if (limit->minute != minute) {
        *held = limit->held;
        *limit = (struct log_limit){.minute = minute};
    }
    bool write = limit->written < burst;
    if (write)
        limit->written++;
    else
        limit->held++;
    return write;
}

static void say_held(enum log_level level, const char *area, unsigned held)
{
    if (held)
        log_write(level, area, "%u more like the following were held back in the minute before", held);
}

void log_limited(struct log_limit *limit, unsigned burst, enum log_level level, const char *area, const char *format,
                 ...)
{
    unsigned held = 0;
    va_list args;

    if (level > log_level())
        return;
    pthread_mutex_lock(&limit_lock);
    bool write = limit_allows(limit, burst, &held);
    pthread_mutex_unlock(&limit_lock);
    say_held(level, area, held);
    if (!write)
        return;
    va_start(args, format);
    write_args(level, area, format, args);
    va_end(args);
}

/* The caller holds the lock. */
static bool is_new_source(struct log_sources *sources, const void *who, size_t len)
{
    unsigned long long hash = map_hash(who, len);
    long long now = clock_mono_ms();
    size_t i = hash % LOG_SOURCES;

    if (sources->seen[i].hash == hash && now < sources->seen[i].until_ms)
        return false;
    sources->seen[i].hash = hash;
    sources->seen[i].until_ms = now + 60000;
    return true;
}

void log_from(struct log_sources *sources, const void *who, unsigned long who_len, unsigned burst, enum log_level level,
              const char *area, const char *format, ...)
{
    unsigned held = 0;
    bool write = false;
    va_list args;

    if (level > log_level())
        return;
    pthread_mutex_lock(&limit_lock);
    if (is_new_source(sources, who, who_len))
        write = limit_allows(&sources->all, burst, &held);
    else
        sources->all.held++;
    pthread_mutex_unlock(&limit_lock);
    say_held(level, area, held);
    if (!write)
        return;
    va_start(args, format);
    write_args(level, area, format, args);
    va_end(args);
}
