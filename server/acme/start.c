/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "acme/state.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "metrics/metrics.h"

#define TEMPORARY_DAYS 30
/* Limits for the challenge port, where requests are short. */
#define HEADS_MAX 1024
#define HEAD_MS   5000

bool acme_is_wanted(const struct config *c)
{
    return *c->acme.hostname != '\0';
}

/* Where everybody else is redirected: server_url if it leads here by https. */
static char *make_origin(const struct config *c)
{
    return str_starts(c->server_url, "https://") ? mem_strdup(c->server_url)
                                                 : mem_format("https://%s", c->acme.hostname);
}

/* Before the first certificate a self-signed one is used, so that the port answers. */
static int load(struct acme *a, struct err *e)
{
    const char *host = a->config->acme.hostname;
    struct acme_certificate found;
    struct buf made = BUF_INIT(0);
    char ends[TIME_TEXT_MAX];

    if (cache_read(a->config->acme.cache_dir, host, &found, e) == 0) {
        a->begins_ns = found.begins_ns;
        a->ends_ns = found.ends_ns;
        log_info("acme", "the certificate for %s ends at %s", host, time_format(found.ends_ns, ends));
    } else {
        crypto_certificate_make(&host, 1, TEMPORARY_DAYS, &made);
        found.pem = buf_take(&made);
        log_info("acme", "there is no certificate for %s yet: a temporary one that signs itself is used", host);
    }
    a->tls = loop_tls_new_pem(found.pem, found.pem, e);
    acme_certificate_release(&found);
    return a->tls ? 0 : (int)e->code;
}

static int listen_for_challenges(struct acme *a, struct loops *loops, struct err *e)
{
    struct front_options front = {.loops = loops,
                                  .arg = &a->port,
                                  .relay = acme_port_accept,
                                  .heads_max = file_share(HEADS_MAX, 16),
                                  .head_ms = HEAD_MS};

    if (!config_acme_listens(a->config))
        return 0;
    strs_push(&front.listen, a->config->acme.listen);
    a->front = front_new(&front, e);
    strs_release(&front.listen);
    if (!a->front)
        err_prefix(e, "tls_letsencrypt_listen");
    return a->front ? 0 : (int)e->code;
}

int acme_start(const struct config *config, struct loops *loops, struct acme **out, struct err *e)
{
    struct acme *a = mem_alloc(sizeof(*a));
    int rc;

    a->config = config_ref(config);
    a->record_path = mem_format("%s/+headway.json", config->acme.cache_dir);
    acme_record_read(a->record_path, &a->record);
    pthread_mutex_init(&a->lock, NULL);
    thread_cond_init(&a->wake);
    a->port = (struct acme_port){&a->challenges, make_origin(config)};
    a->uacme = (struct uacme){config, &a->challenges, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    challenges_init(&a->challenges, config_acme_listens(config) ? "http-01" : "tls-alpn-01", config->acme.hostname,
                    NULL);
    signal(SIGCHLD, SIG_DFL); /* the parent may have ignored it: then children could not be waited for */
    rc = a->uacme.wake < 0 ? err_set(e, ERR_IO, "cannot make an eventfd: %s", strerror(errno)) : 0;
    rc = rc < 0 ? rc : file_make_parents(a->record_path, 0700, e);
    rc = rc < 0 ? rc : load(a, e);
    a->challenges.tls = a->tls;
    rc = rc < 0 ? rc : listen_for_challenges(a, loops, e);
    if (rc < 0) {
        acme_stop(a);
        return rc;
    }
    *out = a;
    return 0;
}

int acme_begin(struct acme *a, struct err *e)
{
    return thread_start(&a->thread, "acme", acme_work, a, e);
}

void acme_stop(struct acme *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    if (a->uacme.wake >= 0)
        eventfd_write(a->uacme.wake, 1);
    thread_join(&a->thread);
    front_free(a->front);
    challenges_release(&a->challenges);
    loop_tls_free(a->tls);
    if (a->uacme.wake >= 0)
        close(a->uacme.wake);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    acme_record_release(&a->record);
    free(a->record_path);
    free(a->port.origin);
    config_unref(a->config);
    free(a);
}

struct loop_tls *acme_tls(struct acme *a)
{
    return a->tls;
}

void acme_status(struct acme *a, struct acme_status *out)
{
    int64_t now = clock_wall_ns();

    *out = (struct acme_status){0};
    (void)str_copy(out->name, sizeof(out->name), a->config->acme.hostname);
    pthread_mutex_lock(&a->lock);
    out->begins_ns = a->begins_ns;
    out->ends_ns = a->ends_ns;
    out->renews_ns = a->ends_ns ? schedule_renewal(a->begins_ns, a->ends_ns) : 0;
    if (a->record.failures) {
        (void)str_copy(out->trouble, sizeof(out->trouble), a->record.error);
        text_end_whole(out->trouble);
        out->trouble_ns = a->record.first_ns;
        out->next_ns = acme_due(a, now);
    }
    pthread_mutex_unlock(&a->lock);
}

void acme_metrics(struct acme *a, struct buf *out)
{
    struct acme_status s;

    acme_status(a, &s);
    pthread_mutex_lock(&a->lock);
    uint64_t issued = a->issued, failed = a->failed, failures = a->record.failures;
    pthread_mutex_unlock(&a->lock);
    metrics_head(out, "headway_acme_orders_total", "counter", "Certificates that were ordered, by what came of it");
    buf_addf(out,
             "headway_acme_orders_total{result=\"issued\"} %llu\nheadway_acme_orders_total{result=\"failed\"} %llu\n",
             (unsigned long long)issued, (unsigned long long)failed);
    metrics_put(out, "headway_acme_failures", "gauge", "Orders that failed since the last one that did not", failures);
    metrics_put(out, "headway_certificate_renewal_timestamp_seconds", "gauge",
                "When it is time for the next certificate; 0: there is none yet",
                (unsigned long long)(s.renews_ns / NS_PER_SECOND));
}
