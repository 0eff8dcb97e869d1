/* SPDX-License-Identifier: BSD-3-Clause */
/* One document of somebody else's server. */
#include <curl/curl.h>

#include "client/client.h"
#include "client/trust.h"

struct fetch {
    struct buf *out;
    bool (*stop)(void *arg);
    void *arg;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetch *f = arg;

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

int client_fetch(const char *url, int64_t timeout_ms, bool (*stop)(void *arg), void *arg, struct buf *out,
                 struct err *e)
{
    struct fetch f = {.out = out, .stop = stop, .arg = arg};
    char reason[CURL_ERROR_SIZE] = "";
    long status = 0;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(e, ERR_INTERNAL, "libcurl cannot be used");
    CURL *easy = curl_easy_init();
    if (!easy)
        return err_set(e, ERR_INTERNAL, "libcurl cannot be used");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "headway");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &f);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    client_trust(easy);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &f);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (out->failed)
        return err_set(e, ERR_TOOBIG, "%s: the answer is too long", url);
    if (code != CURLE_OK)
        return err_set(e, ERR_UNAVAILABLE, "%s: %.140s", url, reason[0] ? reason : curl_easy_strerror(code));
    if (status != 200)
        return err_set(e, ERR_UNAVAILABLE, "%s answered with status %ld", url, status);
    return 0;
}
