/* SPDX-License-Identifier: BSD-3-Clause */
/* The ordering thread: watches the clock, runs uacme, and puts the result into use. */
#include <stdlib.h>

#include "acme/state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define LOOK_MS   (60 * 60 * 1000) /* between looks at the clock, which may be set */
#define TRIES_MAX 4                /* per order whose nonces are refused */

/* Whether another authority has been configured since. A certificate from headscale's cache, which names none, counts
 * as this one's. */
static bool is_foreign(const struct acme *a)
{
    return *a->record.url && !str_eq(a->record.url, a->config->acme.url);
}

int64_t acme_due(const struct acme *a, int64_t now_ns)
{
    int64_t at = a->ends_ns && !is_foreign(a) ? schedule_renewal(a->begins_ns, a->ends_ns) : 0;
    int64_t after = schedule_after_failures(&a->record, now_ns);

    return at > after ? at : after;
}

static int issue(struct acme *a, bool account, struct err *e)
{
    int rc = account ? 0 : uacme_new_account(&a->uacme, e);

    if (rc == 0)
        rc = uacme_issue(&a->uacme, e);
    if (rc == ERR_MISSING && account)
        rc = issue(a, false, e);
    return rc;
}

static int order(struct acme *a, struct acme_certificate *out, struct err *e)
{
    const struct config *c = a->config;
    bool account = cache_take_account(c->acme.cache_dir);
    int rc = ERR_BUSY;

    cache_forget_issued(c->acme.cache_dir, c->acme.hostname);
    if (account && !str_eq(a->record.email, c->acme.email) && uacme_update_account(&a->uacme, e) < 0 &&
        e->code != ERR_MISSING)
        log_warn("acme", "the authority was not told the new acme_email: %s", e->message);
    for (unsigned i = 0; i < TRIES_MAX && rc == ERR_BUSY; i++)
        rc = issue(a, account, e);
    return rc < 0 ? rc : cache_take_issued(c->acme.cache_dir, c->acme.hostname, out, e);
}

static void write_record(struct acme *a, const struct acme_record *r)
{
    struct err e;

    if (acme_record_write(a->record_path, r, &e) < 0)
        log_error("acme", "%s", e.message);
}

/* An order that ends with the daemon counts as a failure: a daemon that crashes repeatedly must not order each time. */
static void write_begun(struct acme *a)
{
    struct acme_record begun = a->record;

    begun.error = mem_strdup("");
    acme_record_failed(&begun, clock_wall_ns(), "the order before was interrupted");
    write_record(a, &begun);
    free(begun.error);
}

static void worked(struct acme *a, const struct acme_certificate *fresh)
{
    char ends[TIME_TEXT_MAX];

    pthread_mutex_lock(&a->lock);
    a->begins_ns = fresh->begins_ns;
    a->ends_ns = fresh->ends_ns;
    a->issued++;
    acme_record_worked(&a->record, a->config->acme.url, a->config->acme.email);
    pthread_mutex_unlock(&a->lock);
    write_record(a, &a->record);
    log_info("acme", "there is a new certificate for %s, it ends at %s", a->config->acme.hostname,
             time_format(fresh->ends_ns, ends));
}

static void failed(struct acme *a, const char *why)
{
    int64_t now = clock_wall_ns();
    char wait[TIME_TEXT_MAX], ends[TIME_TEXT_MAX];

    pthread_mutex_lock(&a->lock);
    a->failed++;
    acme_record_failed(&a->record, now, why);
    unsigned failures = a->record.failures;
    int64_t until = a->ends_ns;
    pthread_mutex_unlock(&a->lock);
    write_record(a, &a->record);
    log_error("acme", "no certificate for %s: %s; tried again in %s; %s%s", a->config->acme.hostname, why,
              duration_format(schedule_back_off(failures), wait),
              until ? "until then the old one serves, which ends at " : "there is none yet",
              until ? time_format(until, ends) : "");
}

static void try_once(struct acme *a)
{
    struct acme_certificate fresh = {0};
    struct err e = {0};

    log_info("acme", "a certificate for %s is ordered from %s", a->config->acme.hostname, a->config->acme.url);
    write_begun(a);
    int rc = order(a, &fresh, &e);
    if (rc == 0)
        rc = loop_tls_add_pem(a->tls, "", fresh.pem, fresh.pem, &e);
    if (rc == 0)
        worked(a, &fresh);
    else if (rc != ERR_GONE)
        failed(a, e.message);
    else
        write_record(a, &a->record);
    acme_certificate_release(&fresh);
}

void *acme_work(void *arg)
{
    struct acme *a = arg;

    pthread_mutex_lock(&a->lock);
    while (!a->stopping) {
        int64_t now = clock_wall_ns(), left_ms = (acme_due(a, now) - now) / NS_PER_MS;
        if (left_ms > 0) {
            thread_cond_wait(&a->wake, &a->lock, clock_mono_ms() + (left_ms < LOOK_MS ? left_ms + 1 : LOOK_MS));
            continue;
        }
        pthread_mutex_unlock(&a->lock);
        try_once(a);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}
