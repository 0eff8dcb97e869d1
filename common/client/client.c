/* SPDX-License-Identifier: BSD-3-Clause */
/* One easy handle per client, driven by a multi handle because another thread can wake that. */
#include "client/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/status.h"
#include "client/trust.h"
#include "crypto/crypto.h"
#include "net/addr.h"

#define DEFAULT_TIMEOUT_MS 5000
#define SILENCE_S          40 /* of a stream, which sends something every API_ALIVE_MS */
#define RETRY_MIN_MS       250
#define RETRY_MAX_MS       5000
#define WORDS_MAX          (256 * 1024)
#define TOKEN_BYTES        16
#define REPEAT_MS          200

extern const char *const headway_version;

struct client {
    CURL *easy;
    CURLM *multi;
    char *socket, *base, *api_key, *agent;
    int64_t timeout_ms;
    bool insecure;
    atomic_bool aborted;
    char reason[CURL_ERROR_SIZE];
    char *words; /* the refusal of the last call */
};

/* The state of one transfer. */
struct transfer {
    struct client *client;
    struct buf body;
    struct sse *sse; /* NULL: keep the body */
    int sse_result;
    const struct client_stream *stream; /* notified when the status is known */
    const struct client_call *call;     /* NULL for a stream */
    size_t handed_over;                 /* bytes passed to call->bytes */
    int call_result;                    /* the result of call->bytes */
    bool announced, begun;
};

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Is "host", "host:port" or "[host]:port" this machine? Any name other than localhost may be another one. */
static bool is_loopback(const char *host)
{
    bool bracket = *host == '[';
    size_t len = bracket ? strcspn(host + 1, "]") : strcspn(host, ":");
    char *name = mem_strndup(host + bracket, len);
    struct addr addr;
    bool yes = strcasecmp(name, "localhost") == 0;

    if (!yes && addr_parse(name, &addr, NULL) == 0)
        yes = addr_is_loopback(&addr);
    free(name);
    return yes;
}

static int set_address(struct client *c, const struct client_options *o, struct err *e)
{
    const char *address = o->address;

    if (!str_starts(address, "http://") && !str_starts(address, "https://"))
        c->base = mem_format("https://%s", address);
    else
        c->base = mem_strdup(address);
    char *host = strstr(c->base, "://") + 3;
    for (size_t len = strlen(host); len && host[len - 1] == '/';)
        host[--len] = '\0';
    if (!*host || strpbrk(host, "/?# @"))
        return err_field(e, ERR_INVALID, "address", "'%.80s' is not an address such as https://headway.example.com",
                         address);
    if (!o->api_key || !*o->api_key)
        return err_field(
            e, ERR_INVALID, "api_key",
            "an API key is needed to talk to %.80s: make one there with 'headway apikeys create' and give it "
            "as --api-key or in HEADWAY_CLI_API_KEY",
            c->base);
    if (str_starts(c->base, "http://") && !is_loopback(host))
        return err_field(e, ERR_INVALID, "address",
                         "the API key is not sent to %.80s, which is not encrypted: use https://, or a tunnel to a "
                         "loopback address",
                         c->base);
    if (strpbrk(o->api_key, "\r\n"))
        return err_field(e, ERR_INVALID, "api_key", "the API key holds a line break");
    c->api_key = mem_strdup(o->api_key);
    return 0;
}

int client_new(const struct client_options *options, struct client **out, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct client *c = mem_alloc(sizeof(*c));
    int r = 0;

    pthread_once(&once, start_curl);
    c->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    c->insecure = options->insecure;
    c->agent = options->user_agent ? mem_strdup(options->user_agent) : mem_format("headway/%s", headway_version);
    if (options->address && *options->address) {
        r = set_address(c, options, e);
    } else {
        c->socket = mem_strdup(options->socket);
        c->base = mem_strdup("http://headway");
        if (!*c->socket)
            r = err_field(e, ERR_INVALID, "socket", "neither a socket nor an address to talk to");
    }
    if (r == 0) {
        c->easy = curl_easy_init();
        c->multi = curl_multi_init();
        if (!c->easy || !c->multi)
            r = err_set(e, ERR_INTERNAL, "libcurl cannot be used");
    }
    if (r < 0) {
        client_free(c);
        return r;
    }
    *out = c;
    return 0;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    if (c->easy)
        curl_easy_cleanup(c->easy);
    if (c->multi)
        curl_multi_cleanup(c->multi);
    free(c->socket);
    free(c->base);
    free(c->agent);
    free(c->words);
    if (c->api_key)
        explicit_bzero(c->api_key, strlen(c->api_key));
    free(c->api_key);
    free(c);
}

const char *client_target(const struct client *c)
{
    return c->socket ? c->socket : c->base;
}

void client_abort(struct client *c)
{
    atomic_store(&c->aborted, true);
    curl_multi_wakeup(c->multi);
}

void client_resume(struct client *c)
{
    atomic_store(&c->aborted, false);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    long status = 0;

    t->begun = true;
    curl_easy_getinfo(t->client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->sse && status == 200) {
        if (!t->announced && t->stream->state)
            t->stream->state(t->stream->arg, NULL, 0);
        t->announced = true;
        if (t->stream->alive)
            t->stream->alive(t->stream->arg);
        t->sse_result = sse_feed(t->sse, bytes, len);
        return t->sse_result ? CURL_WRITEFUNC_ERROR : len;
    }
    if (t->call && t->call->bytes && status == 200) {
        t->handed_over += len;
        t->call_result = t->handed_over > CLIENT_ANSWER_MAX ? ERR_TOOBIG : t->call->bytes(t->call->arg, bytes, len);
        return t->call_result ? CURL_WRITEFUNC_ERROR : len;
    }
    buf_add(&t->body, bytes, len);
    return t->body.failed ? CURL_WRITEFUNC_ERROR : len;
}

static void prepare(struct client *c, struct transfer *t, const char *method, const char *url,
                    struct curl_slist *headers, const char *body)
{
    curl_easy_reset(c->easy);
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->easy, CURLOPT_USERAGENT, c->agent);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->reason);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_PATH_AS_IS, 1L);
    if (!c->socket)
        curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, ""); /* any; ANSWER_MAX limits the decoded size */
    if (c->socket)
        curl_easy_setopt(c->easy, CURLOPT_UNIX_SOCKET_PATH, c->socket);
    if (str_starts(c->base, "http://")) /* on this machine: a proxy would see the API key */
        curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
    client_trust(c->easy);
    if (c->insecure) {
        curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (body) {
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
    } else if (!str_eq(method, "GET")) {
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, "");
    }
    curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    c->reason[0] = '\0';
}

/* Runs the transfer to its end. CURLE_ABORTED_BY_CALLBACK after client_abort; CURLE_OPERATION_TIMEDOUT if no answer
 * began within the client's timeout. */
static CURLcode drive(struct client *c, const struct transfer *t)
{
    int64_t deadline = clock_mono_ms() + 2 * c->timeout_ms;
    CURLcode result = CURLE_FAILED_INIT;
    int running = 1, left;
    bool done = false;

    curl_multi_add_handle(c->multi, c->easy);
    while (!done) {
        if (atomic_load(&c->aborted)) {
            result = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        if (curl_multi_perform(c->multi, &running) != CURLM_OK)
            break;
        CURLMsg *message;
        while ((message = curl_multi_info_read(c->multi, &left)))
            if (message->msg == CURLMSG_DONE) {
                result = message->data.result;
                done = true;
            }
        if (done)
            break;
        if (!t->sse && !t->begun && clock_mono_ms() > deadline) {
            result = CURLE_OPERATION_TIMEDOUT;
            break;
        }
        curl_multi_poll(c->multi, NULL, 0, 500, NULL);
    }
    curl_multi_remove_handle(c->multi, c->easy);
    return result;
}

/* Reports why there was no answer, and what to do about it. */
static int no_answer(struct client *c, CURLcode result, struct err *e)
{
    const char *why = c->reason[0] ? c->reason : curl_easy_strerror(result);
    long saved = 0;

    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &saved);
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return err_set(e, ERR_BUSY, "interrupted");
    if (result == CURLE_WRITE_ERROR)
        return err_set(e, ERR_TOOBIG, "the answer of %s is too long", client_target(c));
    if (result == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, ERR_TIMEOUT, "%s did not answer in time", client_target(c));
    if (c->socket && access(c->socket, F_OK) < 0 && errno == ENOENT)
        return err_set(e, ERR_UNAVAILABLE,
                       "connecting to headway: no daemon at %s: start it with 'headway serve', or name its socket or "
                       "address (-c FILE, --address)",
                       c->socket);
    if (c->socket && access(c->socket, R_OK | W_OK) < 0 && errno == EACCES)
        return err_set(e, ERR_DENIED,
                       "connecting to headway: unable to read/write to headway socket \"%s\", do you have the correct "
                       "permissions? Its group may use it",
                       c->socket);
    if (c->socket && (saved == ECONNREFUSED || result == CURLE_COULDNT_CONNECT))
        return err_set(e, ERR_UNAVAILABLE, "connecting to headway: nobody answers at %s: is the daemon running?",
                       c->socket);
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(e, ERR_UNAVAILABLE,
                       "connecting to headway: %s: %.120s: name the file of its authority in SSL_CERT_FILE, or verify "
                       "nothing with --insecure",
                       client_target(c), why);
    if (result == CURLE_COULDNT_CONNECT && saved)
        return err_set(e, ERR_UNAVAILABLE, "connecting to headway: nobody answers at %s: %s", client_target(c),
                       strerrordesc_np((int)saved));
    return err_set(e, ERR_UNAVAILABLE, "connecting to headway: %s: %.160s", client_target(c), why);
}

/* Does the message only concern the path, as for one that the server does not know? */
static bool says_nothing(const char *text)
{
    return !*text || str_eq(text, "Not Found") || str_eq(text, "404 page not found");
}

/* The server's message: {"error":{"message","field"}} in /api/headway; "detail", "errors" and "message" in /api/v1. */
static int refused(struct client *c, const char *method, const char *path, long status, const json_t *json,
                   struct err *e)
{
    const json_t *error = json_object_get(json, "error"), *list = json_object_get(json, "errors"), *item;
    const char *text = json_text(error, "message", NULL);
    struct buf message = BUF_INIT(WORDS_MAX);
    size_t i;

    if (status == 401 && !c->socket)
        buf_addf(&message, "%s does not accept the API key (Unauthorized)", c->base);
    else if (text)
        buf_adds(&message, text);
    else if (json_text(json, "detail", NULL)) {
        const char *detail = json_text(json, "detail", "");
        buf_adds(&message, detail);
        json_array_foreach(list, i, item)
        {
            text = json_text(item, "message", "");
            if (*text && !str_eq(text, detail))
                buf_addf(&message, ": %s", text);
        }
    } else if (json_text(json, "message", NULL)) {
        buf_adds(&message, json_text(json, "message", ""));
    } else {
        buf_addf(&message, "unexpected response status: %ld", status);
    }
    if (status == 404 && (!json || says_nothing(buf_text(&message)))) {
        buf_clear(&message);
        buf_addf(&message, "Not Found: %s does not know %s %s: is it headway, and of this release?", client_target(c),
                 method, path);
    }
    int r = err_field(e, (enum err_code)status_code(status), json_text(error, "field", ""), "%s", buf_text(&message));
    c->words = buf_take(&message);
    return r;
}

static struct curl_slist *make_headers(const struct client *c, bool body, const char *if_match, const char *token)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    char *line;

    headers = curl_slist_append(headers, "Expect:");
    if (body)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    if (c->api_key) {
        line = mem_format("Authorization: Bearer %s", c->api_key);
        headers = curl_slist_append(headers, line);
        explicit_bzero(line, strlen(line));
        free(line);
    }
    if (if_match) {
        line = mem_format("If-Match: \"%s\"", if_match);
        headers = curl_slist_append(headers, line);
        free(line);
    }
    if (token) {
        line = mem_format("Idempotency-Key: \"%s\"", token);
        headers = curl_slist_append(headers, line);
        free(line);
    }
    return headers;
}

static void wait_for_retry(struct client *c, int64_t delay_ms)
{
    int64_t until = clock_mono_ms() + delay_ms, left;

    while (!atomic_load(&c->aborted) && (left = until - clock_mono_ms()) > 0)
        curl_multi_poll(c->multi, NULL, 0, (int)left, NULL);
}

/* Did the connection break during the call, so that its outcome is unknown? */
static bool broke(CURLcode result)
{
    return result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR ||
           result == CURLE_PARTIAL_FILE || result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM;
}

/* A change carries a token so that the server never makes it twice: it is repeated if the connection breaks, within the
 * client's timeout. *unknown: it may have been made. */
static CURLcode send_call(struct client *c, struct transfer *t, const struct client_call *call, const char *url,
                          const char *body, bool *unknown)
{
    int64_t until = clock_mono_ms() + c->timeout_ms;
    bool asks = str_eq(call->method, "GET"), later = false;
    char token[2 * TOKEN_BYTES + 1];
    CURLcode result;
    long status = 0;

    crypto_random_hex(token, TOKEN_BYTES);
    struct curl_slist *headers = make_headers(c, body != NULL, call->if_match, asks ? NULL : token);
    do {
        if (later)
            wait_for_retry(c, REPEAT_MS);
        buf_clear(&t->body);
        t->begun = false;
        prepare(c, t, call->method, url, headers, body);
        result = drive(c, t);
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
        *unknown = !asks && (*unknown || broke(result));
        /* The daemon is restarting or still processing the call. */
        later = result == CURLE_OK ? status == 429 : broke(result) || result == CURLE_COULDNT_CONNECT;
    } while (later && *unknown && clock_mono_ms() < until);
    curl_slist_free_all(headers);
    return result;
}

static int outcome_unknown(struct client *c, struct err *e)
{
    return err_set(e, ERR_UNAVAILABLE,
                   "connecting to headway: the connection to %s broke, and nobody answers any more: whether the change "
                   "was made is not known, 'headway events' tells when the daemon is back",
                   client_target(c));
}

int client_call(struct client *c, struct client_call *call, struct err *e)
{
    struct transfer t = {.client = c, .body = BUF_INIT(CLIENT_ANSWER_MAX), .call = call};
    char *body = call->body ? json_compact(call->body) : NULL;
    char *url = mem_format("%s%s", c->base, call->path);
    bool unknown = false;
    long status = 0, left = 0;
    int r;

    call->json = NULL;
    call->status = 0;
    free(c->words);
    c->words = NULL;
    CURLcode result = send_call(c, &t, call, url, body, &unknown);
    curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &left);
    call->sent = unknown || left > 0;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t.call_result && t.call_result != ERR_TOOBIG) {
        r = t.call_result;
    } else if (result != CURLE_OK && unknown && result != CURLE_ABORTED_BY_CALLBACK) {
        r = outcome_unknown(c, e);
    } else if (result != CURLE_OK) {
        r = no_answer(c, result, e);
    } else if (call->bytes && status == 200) {
        call->status = (int)status;
        r = 0;
    } else {
        call->status = (int)status;
        struct err why = {0};
        r = json_read_large(buf_text(&t.body), t.body.len, CLIENT_ANSWER_MAX, "the server's answer", &call->json, &why);
        if (status < 200 || status > 299)
            r = refused(c, call->method, call->path, status, call->json, e);
        else if (r < 0 && e)
            *e = why;
    }
    buf_release(&t.body);
    free(url);
    free(body);
    return r;
}

int client_json(struct client *c, const char *method, const char *path, const json_t *body, json_t **out, struct err *e)
{
    struct client_call call = {.method = method, .path = path, .body = body};
    int r = client_call(c, &call, e);

    if (r == 0 && out)
        *out = call.json;
    else
        json_decref(call.json);
    return r;
}

const char *client_words(const struct client *c)
{
    return c->words;
}

void client_escape(struct buf *out, const char *text)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++)
        if (strchr(kept, *text))
            buf_addc(out, *text);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
}

/* ---- the stream ---- */

/* Follows the stream over one connection, until that breaks. */
static int follow_once(struct client *c, const char *path, struct sse *sse, const struct client_stream *stream,
                       bool *opened, struct err *e)
{
    struct transfer t = {.client = c, .body = BUF_INIT(65536), .sse = sse, .stream = stream};
    struct buf url = BUF_INIT(8192);
    long status = 0;
    int r;

    buf_addf(&url, "%s%s%cfollow=1", c->base, path, strchr(path, '?') ? '&' : '?');
    if (sse->id.len) {
        buf_adds(&url, "&since=");
        client_escape(&url, buf_text(&sse->id));
    }
    sse_restart(sse);
    struct curl_slist *headers = make_headers(c, false, NULL, NULL);
    prepare(c, &t, "GET", buf_text(&url), headers, NULL);
    CURLcode result = drive(c, &t);
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    *opened = t.announced;
    if (t.sse_result) {
        r = t.sse_result;
        if (r == ERR_TOOBIG)
            err_set(e, ERR_TOOBIG, "an event of %s is too long", client_target(c));
    } else if (status == 200 && result != CURLE_ABORTED_BY_CALLBACK) {
        r = err_set(e, ERR_UNAVAILABLE, "%s closed the stream of events", client_target(c));
    } else if (result != CURLE_OK) {
        r = no_answer(c, result, e);
    } else {
        json_t *json = NULL;
        if (json_read(buf_text(&t.body), t.body.len, 65536, "the server's answer", &json, NULL) < 0)
            json = NULL;
        free(c->words);
        c->words = NULL;
        r = refused(c, "GET", path, status, json, e);
        json_decref(json);
    }
    curl_slist_free_all(headers);
    buf_release(&url);
    buf_release(&t.body);
    return r;
}

static bool is_final(int r)
{
    return r >= 0 || r == ERR_GONE || r == ERR_UNAUTHENTICATED || r == ERR_DENIED || r == ERR_MISSING ||
           r == ERR_INVALID || r == ERR_TOOBIG || r == ERR_UNSUPPORTED;
}

/* Keeps the callback's result apart from a failed connection. */
struct follower {
    const struct client_stream *stream;
    int result;
};

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct follower *f = arg;

    f->result = f->stream->event(f->stream->arg, name, id, data, len);
    return f->result;
}

int client_follow(struct client *c, const char *path, const char *since, const struct client_stream *stream,
                  struct err *e)
{
    struct follower f = {stream, 0};
    int64_t delay = RETRY_MIN_MS;
    struct err why = {0};
    struct sse sse;
    int r;

    sse_init(&sse, on_event, &f);
    buf_adds(&sse.id, since);
    for (;;) {
        bool opened = false;
        int64_t began = clock_mono_ms();
        r = follow_once(c, path, &sse, stream, &opened, &why);
        if (f.result || is_final(r) || atomic_load(&c->aborted))
            break;
        if (opened && clock_mono_ms() - began > RETRY_MAX_MS)
            delay = RETRY_MIN_MS;
        if (stream->state)
            stream->state(stream->arg, &why, delay);
        wait_for_retry(c, delay);
        delay = delay * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : delay * 2;
    }
    if (f.result)
        r = f.result;
    else if (atomic_load(&c->aborted))
        r = err_set(&why, ERR_BUSY, "interrupted");
    if (e && !f.result)
        *e = why;
    sse_release(&sse);
    return r;
}
