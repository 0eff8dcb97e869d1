/* SPDX-License-Identifier: BSD-3-Clause */
/* Documents of other servers, and requests to them. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "client/client.h"
#include "client/trust.h"
#include "crypto/crypto.h"

struct fetch {
    struct buf *out; /* NULL: discard the body */
    bool (*stop)(void *arg);
    int (*address)(void *arg, const struct sockaddr *address, struct err *e);
    struct err refused; /* the last error of address */
    void *arg;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetch *f = arg;

    if (!f->out)
        return 0;
    buf_add(f->out, bytes, size * count);
    return f->out->failed ? 0 : size * count;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct fetch *f = arg;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return f->stop && f->stop(f->arg);
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct fetch *f = arg;

    (void)purpose;
    if (f->address(f->arg, &to->addr, &f->refused) < 0)
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* *status remains 0 if there was no answer. */
static int perform(CURL *easy, const char *url, const char *name, struct fetch *f, int64_t timeout_ms, long *status,
                   struct err *e)
{
    char reason[CURL_ERROR_SIZE] = "";

    if (f->address) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, f);
    }
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "headway");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    client_trust(easy);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, f);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
    if (!f->out && *status >= 200)
        return 0;
    if (f->out && f->out->failed)
        return err_set(e, ERR_TOOBIG, "%s: the answer is too long", name);
    if (code != CURLE_OK && f->refused.code)
        return err_set(e, f->refused.code, "%.60s: %.170s", name, f->refused.message);
    if (code != CURLE_OK)
        return err_set(e, ERR_UNAVAILABLE, "%s: %.140s", name, reason[0] ? reason : curl_easy_strerror(code));
    return 0;
}

static CURL *begin(struct err *e)
{
    CURL *easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;

    if (!easy)
        err_set(e, ERR_INTERNAL, "libcurl cannot be used");
    return easy;
}

int client_fetch(const char *url, int64_t timeout_ms, bool (*stop)(void *arg), void *arg, struct buf *out,
                 struct err *e)
{
    struct fetch f = {.out = out, .stop = stop, .arg = arg};
    long status = 0;
    CURL *easy = begin(e);

    if (!easy)
        return ERR_INTERNAL;
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
    int rc = perform(easy, url, url, &f, timeout_ms, &status, e);
    curl_easy_cleanup(easy);
    if (rc == 0 && status != 200)
        return err_set(e, ERR_UNAVAILABLE, "%s answered with status %ld", url, status);
    return rc;
}

int client_ask(const struct client_question *q, struct buf *out, long *status, struct err *e)
{
    struct fetch f = {.out = out, .stop = q->stop, .address = q->address, .arg = q->arg};
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    CURL *easy = begin(e);

    *status = 0;
    if (!easy) {
        curl_slist_free_all(headers);
        return ERR_INTERNAL;
    }
    if (q->authorization) {
        char *header = mem_format("Authorization: %s", q->authorization);
        headers = curl_slist_append(headers, header);
        crypto_wipe(header, strlen(header));
        free(header);
    }
    if (q->json) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->json_len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, q->json);
    }
    if (q->header)
        headers = curl_slist_append(headers, q->header);
    if (q->form) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(q->form));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, q->form);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    int rc = perform(easy, q->url, q->name ? q->name : q->url, &f, q->timeout_ms, status, e);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return rc;
}
