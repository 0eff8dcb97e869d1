/* SPDX-License-Identifier: BSD-3-Clause */
#include "acme/schedule.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"

#define MINUTE_NS  (60 * NS_PER_SECOND)
#define RENEW_NS   (30 * 86400 * NS_PER_SECOND)
#define RECORD_MAX ((size_t)16 * 1024)
#define ERROR_MAX  1000

int64_t schedule_renewal(int64_t begins_ns, int64_t ends_ns)
{
    int64_t third = (ends_ns - begins_ns) / 3;

    return ends_ns - (third < RENEW_NS ? third : RENEW_NS);
}

int64_t schedule_back_off(unsigned failures)
{
    static const int minutes[] = {0, 1, 5, 30, 120};

    return minutes[failures < ARRAY_LEN(minutes) ? failures : ARRAY_LEN(minutes) - 1] * MINUTE_NS;
}

int64_t schedule_after_failures(const struct acme_record *r, int64_t now_ns)
{
    if (!r->failures)
        return 0;
    /* If the clock was set back since, that time is not waited for as well. */
    return (r->last_ns < now_ns ? r->last_ns : now_ns) + schedule_back_off(r->failures);
}

static void fill(struct acme_record *r, const char *url, const char *email, const char *error)
{
    r->url = mem_strdup(url);
    r->email = mem_strdup(email);
    r->error = mem_strdup(error);
}

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t ns = 0;

    return time_parse(json_text(object, key, ""), &ns, key, NULL) == 0 ? ns : 0;
}

void acme_record_read(const char *path, struct acme_record *out)
{
    struct buf text = BUF_INIT(RECORD_MAX);
    uint64_t failures = 0;
    json_t *j = NULL;

    *out = (struct acme_record){0};
    if (file_read(path, FILE_ANY, &text, NULL) < 0 ||
        json_read(buf_text(&text), text.len, RECORD_MAX, "the record of certificates", &j, NULL) < 0 ||
        json_get_u64(j, "failures", &failures, NULL) < 0) {
        fill(out, "", "", "");
    } else {
        fill(out, json_text(j, "url", ""), json_text(j, "email", ""), json_text(j, "error", ""));
        out->failures = failures > 1000000 ? 1000000 : (unsigned)failures;
        out->first_ns = time_of(j, "first");
        out->last_ns = time_of(j, "last");
    }
    json_decref(j);
    buf_release(&text);
}

int acme_record_write(const char *path, const struct acme_record *r, struct err *e)
{
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);

    json_open(&o, '{');
    json_put_str(&o, "url", r->url);
    json_put_str(&o, "email", r->email);
    json_put_u64(&o, "failures", r->failures);
    json_put_time(&o, "first", r->first_ns);
    json_put_time(&o, "last", r->last_ns);
    json_put_str(&o, "error", r->error);
    json_close(&o, '}');
    buf_addc(&text, '\n');
    int rc = file_replace(path, text.data, text.len, 0600, e);
    buf_release(&text);
    return rc;
}

void acme_record_release(struct acme_record *r)
{
    free(r->url);
    free(r->email);
    free(r->error);
    *r = (struct acme_record){0};
}

void acme_record_failed(struct acme_record *r, int64_t now_ns, const char *why)
{
    if (!r->failures++)
        r->first_ns = now_ns;
    r->last_ns = now_ns;
    free(r->error);
    r->error = str_clean(why, ERROR_MAX);
}

void acme_record_worked(struct acme_record *r, const char *url, const char *email)
{
    acme_record_release(r);
    fill(r, url, email, "");
}
