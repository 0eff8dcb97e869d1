/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of dns.extra_records_path: a JSON list of {name, type, value}, looked at once a second by a thread of its
 * own, so that neither the core nor a client waits for a disk. A file that cannot be used changes nothing. */

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

static int get_text(const json_t *record, const char *key, const char *other, const char **out, struct err *e)
{
    *out = "";
    return json_get_str(record, key, out, e) < 0 || (!**out && json_get_str(record, other, out, e) < 0) ? ERR_INVALID
                                                                                                        : 0;
}

static int put_record(struct json_out *o, size_t i, const json_t *record, struct err *e)
{
    const char *name, *type, *value;
    struct addr addr;

    if (!json_is_object(record))
        return err_set(e, ERR_INVALID, "[%zu] is not an object of name, type and value", i);
    if (get_text(record, "name", "Name", &name, e) < 0 || get_text(record, "type", "Type", &type, e) < 0 ||
        get_text(record, "value", "Value", &value, e) < 0)
        return ERR_INVALID;
    bool v6 = str_eq(type, "AAAA");
    if (str_check(name, 255, false, "name", e) < 0)
        return ERR_INVALID;
    if ((!v6 && *type && !str_eq(type, "A")) || addr_parse(value, &addr, NULL) < 0 || addr.bits != (v6 ? 128 : 32))
        return err_set(e, ERR_INVALID,
                       "[%zu]: needs a name, the type A or AAAA and an address of that type, not '%.40s' '%.40s'", i,
                       type, value);
    char *lower = mem_strdup(name); /* clients ask in lower case */
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    json_open(o, '{');
    json_put_str(o, "Name", lower);
    json_put_str(o, "Type", v6 ? "AAAA" : "A");
    json_put_str(o, "Value", value);
    json_close(o, '}');
    free(lower);
    return 0;
}

/* Appends the record unless the list has the same one already. */
static int put_new(struct buf *list, struct strs *said, size_t i, const json_t *record, struct err *e)
{
    struct buf one = BUF_INIT(0);
    struct json_out o = JSON_OUT(&one);
    int rc = put_record(&o, i, record, e);

    if (rc == 0 && !strs_has(said, buf_text(&one))) {
        buf_addf(list, "%s%s", said->len ? "," : "", buf_text(&one));
        strs_push(said, buf_text(&one));
    }
    buf_release(&one);
    return rc;
}

int extra_records_parse(const char *text, size_t len, char **out, struct err *e)
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
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = put_new(&b, &said, i, json_array_get(list, i), e);
    buf_addc(&b, ']');
    strs_release(&said);
    json_decref(list);
    if (rc == 0)
        *out = buf_take(&b);
    else
        buf_release(&b);
    return rc;
}

/* The records if the file is another than at the last look; NULL: nothing new, or nothing that can be used. */
static char *look(struct extra_records *r)
{
    struct buf text = BUF_INIT(FILE_MAX);
    struct stat st = {0};
    char *json = NULL;
    struct err e = {0};

    if (stat(r->path, &st) < 0 ||
        (st.st_size == r->seen.st_size && st.st_ino == r->seen.st_ino && st.st_mtim.tv_sec == r->seen.st_mtim.tv_sec &&
         st.st_mtim.tv_nsec == r->seen.st_mtim.tv_nsec))
        return NULL; /* away for a moment, while an editor replaces it */
    r->seen = st;
    int rc = file_read(r->path, FILE_ANY, &text, &e);
    if (rc == 0 && text.len)
        rc = extra_records_parse(buf_text(&text), text.len, &json, &e);
    if (rc < 0)
        log_error("dns", "%s: %s; the records before stay", r->path, e.message);
    else if (json)
        log_info("dns", "records read from %s", r->path);
    buf_release(&text);
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
