/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of dns.extra_records_path: a JSON list of {name, type, value}, checked once a second by a thread of its own,
 * so that neither the core nor a client waits for a disk. An unusable file changes nothing. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/thread.h"
#include "core/core.h"
#include "core/extra_records.h"
#include "net/prefix.h"
#include "json/json.h"

#define LOOK_SECONDS 1
#define FILE_MAX     (1024 * 1024)

/* ---- Reading ---- */

static const char *text_of(const json_t *record, const char *key, const char *other)
{
    return json_text(record, key, json_text(record, other, ""));
}

/* Returns NULL, or why clients cannot use the record. */
static const char *put_record(struct json_out *o, const json_t *json)
{
    const char *type = text_of(json, "type", "Type");
    struct config_record record = {
        .name = mem_strdup(text_of(json, "name", "Name")), /* clients ask in lower case */
        .type = (char *)(uintptr_t)(*type ? type : "A"),
        .value = (char *)(uintptr_t)text_of(json, "value", "Value"),
    };
    const char *fault = json_is_object(json) ? config_record_fault(&record) : "it is no object of name, type and value";

    config_domain_normal(record.name);
    json_open(o, '{');
    json_put_str(o, "Name", record.name);
    json_put_str(o, "Type", record.type);
    json_put_str(o, "Value", record.value);
    json_close(o, '}');
    free(record.name);
    return fault;
}

/* The lines, counted from 1, on which the elements of a list begin; text is valid JSON with count elements. */
static unsigned *lines_of(const char *text, size_t len, size_t count)
{
    unsigned *lines = mem_alloc((count + 1) * sizeof(*lines)), line = 1, depth = 0;
    bool quoted = false, wanted = false;

    for (size_t at = 0, i = 0; at < len && i < count; at++) {
        char c = text[at];
        line += c == '\n';
        if (wanted && !isspace((unsigned char)c)) {
            lines[i++] = line;
            wanted = false;
        }
        if (quoted && c == '\\')
            at++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            wanted = ++depth == 1;
        else if (!quoted && (c == ']' || c == '}'))
            depth--;
        else if (!quoted && c == ',')
            wanted = depth == 1;
    }
    return lines;
}

/* Appends the record unless the list already has an equal one, or clients cannot use it. */
static void put_new(struct buf *list, struct strs *said, struct strs *left_out, unsigned line, const json_t *record)
{
    struct buf one = BUF_INIT(0);
    struct json_out o = JSON_OUT(&one);
    const char *fault = put_record(&o, record);

    if (fault && left_out) {
        char *text = mem_format(":%u: %.200s is left out: %s", line,
                                json_is_object(record) ? buf_text(&one) : "a record", fault);
        strs_push(left_out, text);
        free(text);
    } else if (!fault && !strs_has(said, buf_text(&one))) {
        buf_addf(list, "%s%s", said->len ? "," : "", buf_text(&one));
        strs_push(said, buf_text(&one));
    }
    buf_release(&one);
}

int extra_records_parse(const char *text, size_t len, char **out, struct strs *left_out, struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct strs said = {0};
    json_t *list = NULL;

    int rc = json_read_large(text, len, FILE_MAX, "list of records", &list, e);
    if (rc == 0 && !json_is_array(list))
        rc = err_set(e, ERR_INVALID, "the records must be a list");
    if (rc == 0 && json_array_size(list) > EXTRA_RECORDS_MAX)
        rc = err_set(e, ERR_TOOBIG, "more than %u records", EXTRA_RECORDS_MAX);
    buf_addc(&b, '[');
    size_t count = rc == 0 ? json_array_size(list) : 0;
    unsigned *lines = lines_of(text, len, count);
    for (size_t i = 0; i < count; i++)
        put_new(&b, &said, left_out, lines[i], json_array_get(list, i));
    free(lines);
    buf_addc(&b, ']');
    strs_release(&said);
    json_decref(list);
    if (rc == 0)
        *out = buf_take(&b);
    else
        buf_release(&b);
    return rc;
}

/* The records of the file, owned by the caller; NULL: it is empty, or e says why it cannot be used. */
static char *read_records(const char *path, struct strs *left_out, struct err *e)
{
    struct buf text = BUF_INIT(FILE_MAX);
    char *json = NULL;

    int rc = file_read(path, FILE_ANY, &text, e);

    if (rc == 0 && text.len)
        rc = extra_records_parse(buf_text(&text), text.len, &json, left_out, e);
    buf_release(&text);
    return rc == 0 ? json : NULL;
}

void core_check_files(const struct config *c, struct strs *notes)
{
    const char *path = c->dns.extra_records_path;
    struct strs left_out = {0};
    struct err e = {0};

    if (!*path)
        return;
    free(read_records(path, &left_out, &e));
    if (e.code)
        strs_push(&left_out, e.message);
    for (size_t i = 0; i < left_out.len; i++) {
        char *text = e.code ? mem_format("dns.extra_records_path: %s", left_out.items[i])
                            : mem_format("dns.extra_records_path: %s%s", path, left_out.items[i]);
        char *note = config_place(c, "dns.extra_records_path", text);
        strs_push(notes, note);
        free(note);
        free(text);
    }
    strs_release(&left_out);
}

/* The records if the file changed since the last check; NULL: no change, or it cannot be used. */
static char *look(struct extra_records *r)
{
    struct strs left_out = {0};
    struct stat st = {0};
    struct err e = {0};

    if (stat(r->path, &st) < 0 ||
        (st.st_size == r->seen.st_size && st.st_ino == r->seen.st_ino && st.st_mtim.tv_sec == r->seen.st_mtim.tv_sec &&
         st.st_mtim.tv_nsec == r->seen.st_mtim.tv_nsec))
        return NULL; /* briefly absent while an editor replaces it */
    r->seen = st;
    char *json = read_records(r->path, &left_out, &e);
    for (size_t i = 0; i < left_out.len; i++)
        log_warn("dns", "%s%s", r->path, left_out.items[i]);
    if (e.code)
        log_error("dns", "%s: %s; the records before stay", r->path, e.message);
    else if (json)
        log_info("dns", "records read from %s", r->path);
    strs_release(&left_out);
    return json;
}

/* ---- The thread ---- */

static void *watch(void *arg)
{
    struct extra_records *r = arg;

    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        if (thread_cond_wait(&r->wake, &r->lock, clock_mono_ms() + 1000 * LOOK_SECONDS))
            continue;
        pthread_mutex_unlock(&r->lock);
        char *json = look(r);
        if (json)
            r->changed(r->arg, json);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

char *extra_records_open(struct extra_records *r, const char *path, void (*changed)(void *arg, char *json), void *arg)
{
    *r = (struct extra_records){.changed = changed, .arg = arg, .path = mem_strdup(path)};
    pthread_mutex_init(&r->lock, NULL);
    thread_cond_init(&r->wake);
    return *path ? look(r) : NULL;
}

int extra_records_start(struct extra_records *r, struct err *e)
{
    if (!*r->path)
        return 0;
    return thread_start(&r->thread, "dns-records", watch, r, e);
}

void extra_records_stop(struct extra_records *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    thread_join(&r->thread);
}

void extra_records_close(struct extra_records *r)
{
    extra_records_stop(r);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->wake);
    free(r->path);
}
