/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates from ACME: when they are ordered, what is kept, what headscale's cache contains, who may set challenges,
 * and the answers. tests/api/test_acme.py does it with a real authority. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "acme/cache.h"
#include "acme/challenges.h"
#include "acme/hook.h"
#include "acme/http_port.h"
#include "acme/schedule.h"
#include "acme/uacme.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define HOST   "vpn.example.com"
#define TOKEN  "sazjvfkw0GddSOBS2t9n6Erwx5oMkuSoyeji3rRfzAc"
#define DIGEST "sKTXxzQYe2fCSbf9wvaVsBcuZoUNCnQXTkGtt07yDm8"
#define DAY    (86400 * NS_PER_SECOND)
#define MINUTE (60 * NS_PER_SECOND)

static int make_dir(char dir[64])
{
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, 64, "%.40s/acme.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_dir(const char *dir)
{
    nftw(dir, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}

/* ---- when ---- */

static void a_certificate_is_renewed_before_its_end(void **state)
{
    (void)state;
    assert_true(schedule_renewal(0, 90 * DAY) == 60 * DAY);
    assert_true(schedule_renewal(0, 365 * DAY) == 335 * DAY);
    assert_true(schedule_renewal(DAY, 7 * DAY) == 5 * DAY);
    assert_true(schedule_renewal(0, 3 * NS_PER_SECOND) == 2 * NS_PER_SECOND);
}

static void failures_are_waited_for_and_a_clock_may_jump(void **state)
{
    static const int minutes[] = {1, 5, 30, 120, 120, 120};
    struct acme_record r = {.url = mem_strdup(""), .email = mem_strdup(""), .error = mem_strdup("")};
    int64_t now = 1000 * DAY;

    (void)state;
    assert_true(schedule_after_failures(&r, now) == 0);
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        acme_record_failed(&r, now, "the authority says no");
        assert_true(schedule_after_failures(&r, now) == now + minutes[i] * MINUTE);
    }
    assert_true(r.first_ns == now);
    /* Set back by a year: two hours are waited for and not a year; set ahead: nothing is. */
    assert_true(schedule_after_failures(&r, now - 365 * DAY) == now - 365 * DAY + 120 * MINUTE);
    assert_true(schedule_after_failures(&r, now + DAY) < now + DAY);
    acme_record_worked(&r, "https://ca.example.com", "a@example.com");
    assert_true(schedule_after_failures(&r, now) == 0);
    acme_record_release(&r);
}

static void the_record_lasts(void **state)
{
    char dir[64], *path;
    struct acme_record r, back;
    struct err e;

    (void)state;
    assert_int_equal(make_dir(dir), 0);
    path = mem_format("%s/record.json", dir);
    acme_record_read(path, &r);
    assert_int_equal(r.failures, 0);
    assert_string_equal(r.url, "");
    acme_record_worked(&r, "https://ca.example.com/dir", "a@example.com");
    acme_record_failed(&r, 5 * DAY, "one");
    acme_record_failed(&r, 6 * DAY, "two \x1b[31m\nred");
    assert_int_equal(acme_record_write(path, &r, &e), 0);
    acme_record_read(path, &back);
    assert_int_equal(back.failures, 2);
    assert_true(back.first_ns == 5 * DAY && back.last_ns == 6 * DAY);
    assert_string_equal(back.url, "https://ca.example.com/dir");
    assert_string_equal(back.email, "a@example.com");
    assert_null(strpbrk(back.error, "\x1b\n"));
    acme_record_release(&back);
    /* What is broken counts as nothing. */
    static const char *const broken[] = {"", "{", "[]", "{\"failures\":-1}", "{\"failures\":\"many\"}"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_int_equal(file_replace(path, broken[i], strlen(broken[i]), 0600, &e), 0);
        acme_record_read(path, &back);
        assert_int_equal(back.failures, 0);
        acme_record_release(&back);
    }
    acme_record_release(&r);
    remove_dir(dir);
    free(path);
}

/* ---- headscale's cache ---- */

static void put_pem(const char *dir, const char *name, const char *host, unsigned days)
{
    struct buf pem = BUF_INIT(0);
    char *path = mem_format("%s/%s", dir, name);
    struct err e;

    crypto_certificate_make(&host, 1, days, &pem);
    assert_int_equal(file_replace(path, pem.data, pem.len, 0600, &e), 0);
    buf_release(&pem);
    free(path);
}

static void put_text(const char *dir, const char *name, const char *text)
{
    char *path = mem_format("%s/%s", dir, name);
    struct err e;

    assert_int_equal(file_make_parents(path, 0700, &e), 0);
    assert_int_equal(file_replace(path, text, strlen(text), 0600, &e), 0);
    free(path);
}

static void the_certificate_that_lasts_longest_is_used(void **state)
{
    struct acme_certificate c;
    char dir[64];
    struct err e;

    (void)state;
    assert_int_equal(make_dir(dir), 0);
    assert_int_equal(cache_read(dir, HOST, &c, &e), ERR_MISSING);
    put_pem(dir, HOST "+rsa", HOST, 20);
    assert_int_equal(cache_read(dir, HOST, &c, &e), 0);
    assert_true(c.ends_ns > clock_wall_ns() + 19 * DAY && c.begins_ns < clock_wall_ns());
    acme_certificate_release(&c);
    put_pem(dir, HOST, HOST, 40);
    assert_int_equal(cache_read(dir, HOST, &c, &e), 0);
    assert_true(c.ends_ns > clock_wall_ns() + 39 * DAY);
    acme_certificate_release(&c);
    /* For another name, without its key, no certificate at all. */
    put_pem(dir, HOST, "other.example.com", 80);
    assert_int_equal(cache_read(dir, HOST, &c, &e), 0);
    assert_true(c.ends_ns < clock_wall_ns() + 21 * DAY);
    acme_certificate_release(&c);
    put_text(dir, HOST, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    put_text(dir, HOST "+rsa", "nothing");
    assert_int_equal(cache_read(dir, HOST, &c, &e), ERR_MISSING);
    remove_dir(dir);
}

/* autocert writes the account's key in SEC 1's form; uacme gets it in PKCS #8. */
static void headscales_account_is_uacmes(void **state)
{
    static const char sec1[] = "-----BEGIN EC PRIVATE KEY-----\n"
                               "MHcCAQEEIMSvtfseuxreSb2z0t+a/5dJBNRdSnpn7aEUjjzb/R6aoAoGCCqGSM49\n"
                               "AwEHoUQDQgAEbmxV7+BOWMtEJUk5vPUUPXYf+3AobaPVP1/Dc1euqBFmORdYMh4h\n"
                               "R8p4MVb//KbgIV2kdg0sjEW/WAhRVlF+Yw==\n"
                               "-----END EC PRIVATE KEY-----\n";
    struct buf key = BUF_INIT(0);
    char dir[64], *path;
    struct err e;

    (void)state;
    assert_int_equal(make_dir(dir), 0);
    assert_false(cache_take_account(dir));
    put_text(dir, "acme_account+key", "rubbish");
    assert_false(cache_take_account(dir));
    put_text(dir, "acme_account+key", sec1);
    assert_true(cache_take_account(dir));
    path = mem_format("%s/+uacme/private/key.pem", dir);
    assert_int_equal(file_read(path, FILE_SECRET, &key, &e), 0);
    assert_true(str_starts(buf_text(&key), "-----BEGIN PRIVATE KEY-----\n"));
    buf_clear(&key);
    /* One that uacme has is left alone. */
    put_text(dir, "+uacme/private/key.pem", "its own");
    assert_true(cache_take_account(dir));
    assert_int_equal(file_read(path, FILE_SECRET, &key, &e), 0);
    assert_string_equal(buf_text(&key), "its own");
    buf_release(&key);
    remove_dir(dir);
    free(path);
}

/* Of a PEM text with a key and a certificate. */
static void put_key(const char *dir, const char *text)
{
    char *key = mem_strndup(text, (size_t)(strstr(text, "-----BEGIN CERTIFICATE") - text));

    put_text(dir, "+uacme/private/" HOST "/key.pem", key);
    free(key);
}

static void what_uacme_leaves_is_checked(void **state)
{
    struct acme_certificate c;
    struct buf pem = BUF_INIT(0), other = BUF_INIT(0);
    const char *host = HOST;
    char dir[64];
    struct err e;

    (void)state;
    assert_int_equal(make_dir(dir), 0);
    crypto_certificate_make(&host, 1, 9, &pem);
    crypto_certificate_make(&host, 1, 9, &other);
    assert_true(cache_take_issued(dir, HOST, &c, &e) < 0);
    put_key(dir, buf_text(&other));
    put_text(dir, "+uacme/" HOST "/cert.pem", strstr(buf_text(&pem), "-----BEGIN CERTIFICATE"));
    assert_int_equal(cache_take_issued(dir, HOST, &c, &e), ERR_INVALID);
    assert_non_null(strstr(e.message, "is not that of the certificate"));
    assert_int_equal(cache_read(dir, HOST, &c, &e), ERR_MISSING);
    put_key(dir, buf_text(&pem));
    assert_int_equal(cache_take_issued(dir, HOST, &c, &e), 0);
    acme_certificate_release(&c);
    assert_int_equal(cache_read(dir, HOST, &c, &e), 0);
    acme_certificate_release(&c);
    cache_forget_issued(dir, HOST);
    assert_true(cache_take_issued(dir, HOST, &c, &e) < 0);
    buf_release(&pem);
    buf_release(&other);
    remove_dir(dir);
}

/* ---- the hook ---- */

static void the_hooks_message_is_five_texts(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {{"", 0},
               {"begin", 5},
               {"begin\0http-01\0h\0t\0", 18},
               {"begin\0http-01\0h\0t\0a", 19},
               {"begin\0http-01\0h\0t\0a\0x", 21},
               {"start\0http-01\0h\0t\0a\0", 20},
               {"\0\0\0\0\0", 5}};
    char begin[] = "begin", type[] = "http-01", *texts[] = {begin, type, begin, type, begin};
    struct buf out = BUF_INIT(0);
    struct hook_message m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (hook_read(bad[i].bytes, bad[i].len, &m, &e) != ERR_INVALID)
            fail_msg("case %zu was taken", i);
    assert_int_equal(hook_write(texts, &out, &e), 0);
    assert_int_equal(hook_read(out.data, out.len, &m, &e), 0);
    assert_int_equal(m.method, HOOK_BEGIN);
    assert_string_equal(m.type, "http-01");
    assert_string_equal(m.authorization, "begin");
    buf_release(&out);
    char *large = mem_alloc(HOOK_MESSAGE_MAX + 2);
    memset(large, 'a', HOOK_MESSAGE_MAX + 1);
    texts[4] = large;
    assert_int_equal(hook_write(texts, &out, &e), ERR_TOOBIG);
    assert_int_equal(hook_read(out.data, out.len, &m, &e), ERR_TOOBIG);
    buf_release(&out);
    free(large);
}

static int hear(struct acme_challenges *c, enum hook_method method, const char *type, const char *host,
                const char *token, const char *authorization)
{
    struct err e;

    return challenges_hear(c, &(struct hook_message){method, type, host, token, authorization}, &e);
}

static void only_the_orders_own_challenges_are_taken(void **state)
{
    struct acme_challenges c;
    char text[CHALLENGE_TEXT_MAX + 1], token[60], authorization[120];

    (void)state;
    challenges_init(&c, "http-01", HOST, NULL);
    assert_int_equal(hear(&c, HOOK_BEGIN, "dns-01", HOST, TOKEN, DIGEST), ERR_UNSUPPORTED);
    assert_int_equal(hear(&c, HOOK_BEGIN, "tls-alpn-01", HOST, TOKEN, DIGEST), ERR_UNSUPPORTED);
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", "other.example.com", TOKEN, TOKEN "." DIGEST), ERR_INVALID);
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, "", "." DIGEST), ERR_INVALID);
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, "a/../b", "a/../b." DIGEST), ERR_INVALID);
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, TOKEN, DIGEST), ERR_INVALID);
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, TOKEN, TOKEN ".<script>"), ERR_INVALID);
    assert_false(challenges_answer(&c, TOKEN, text));
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", "VPN.example.com", TOKEN, TOKEN "." DIGEST), 0);
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, TOKEN, TOKEN "." DIGEST), 0); /* the same again */
    assert_true(challenges_answer(&c, TOKEN, text));
    assert_string_equal(text, TOKEN "." DIGEST);
    assert_false(challenges_answer(&c, "", text));
    for (int i = 1; i <= CHALLENGES_MAX; i++) {
        snprintf(token, sizeof(token), "token%d", i);
        snprintf(authorization, sizeof(authorization), "%s." DIGEST, token);
        assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, token, authorization),
                         i < CHALLENGES_MAX ? 0 : ERR_BUSY);
    }
    assert_int_equal(hear(&c, HOOK_DONE, "http-01", HOST, TOKEN, TOKEN "." DIGEST), 0);
    assert_false(challenges_answer(&c, TOKEN, text));
    assert_false(challenges_answer(&c, "token1", text));
    challenges_release(&c);
}

/* ---- port 80 ---- */

static const char *ask(struct acme_port *p, struct buf *out, const char *request)
{
    struct head h;
    struct err e;

    assert_int_equal(head_parse(request, strlen(request), &h, &e), strlen(request));
    buf_clear(out);
    acme_port_answer(p, &h, out);
    head_release(&h);
    return buf_text(out);
}

static void port_80_answers_challenges_and_redirects_the_rest(void **state)
{
    struct acme_challenges c;
    char origin[] = "https://vpn.example.com:8443";
    struct acme_port p = {&c, origin};
    struct buf out = BUF_INIT(0);

    (void)state;
    challenges_init(&c, "http-01", HOST, NULL);
    const char *got = ask(&p, &out, "GET " CHALLENGE_PATH TOKEN " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 404 "));
    assert_int_equal(hear(&c, HOOK_BEGIN, "http-01", HOST, TOKEN, TOKEN "." DIGEST), 0);
    got = ask(&p, &out, "GET " CHALLENGE_PATH TOKEN " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 200 ") && str_ends(got, "\r\n\r\n" TOKEN "." DIGEST));
    got = ask(&p, &out, "HEAD " CHALLENGE_PATH TOKEN " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 200 ") && str_ends(got, "\r\n\r\n"));
    assert_non_null(strstr(got, "Content-Length: 87\r\n"));
    got = ask(&p, &out, "GET " CHALLENGE_PATH " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 404 "));
    got = ask(&p, &out, "GET " CHALLENGE_PATH "x" TOKEN " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 404 "));
    got = ask(&p, &out, "POST " CHALLENGE_PATH TOKEN " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 405 "));
    got = ask(&p, &out, "POST /ts2021 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 405 "));
    /* To where the configuration says, whatever the request names. */
    got = ask(&p, &out, "GET /windows?a=b HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_true(str_starts(got, "HTTP/1.1 302 "));
    assert_non_null(strstr(got, "\r\nLocation: https://vpn.example.com:8443/windows?a=b\r\n"));
    assert_null(strstr(got, "evil"));
    got = ask(&p, &out, "GET http://evil.example/x HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_non_null(strstr(got, "\r\nLocation: https://vpn.example.com:8443/\r\n"));
    got = ask(&p, &out, "GET @evil.example/ HTTP/1.1\r\nHost: vpn.example.com\r\n\r\n");
    assert_null(strstr(got, "evil"));
    buf_release(&out);
    challenges_release(&c);
}

/* ---- TLS-ALPN-01 ---- */

struct server {
    struct loops *loops;
    struct loop_tls *tls;
    struct stream *stream;
    int fd;
};

static void readable(struct stream *s, void *arg)
{
    struct server *at = arg;
    char bytes[100];
    struct err e;
    long n = stream_read(s, bytes, sizeof(bytes), &e);

    if (n > 0) {
        stream_write(s, bytes, (size_t)n, &e);
    } else if (n < 0) {
        stream_close(s);
        at->stream = NULL;
    }
}

static void accept_here(struct loop *l, void *arg)
{
    static const struct stream_handler handler = {readable, NULL};
    struct server *at = arg;

    at->stream = stream_new(l, at->fd, at->tls, &(struct addr_port){0}, NULL);
    stream_handle(at->stream, &handler, at);
}

static void close_here(struct loop *l, void *arg)
{
    struct server *at = arg;

    (void)l;
    stream_close(at->stream);
    at->stream = NULL;
}

/* What the certificate says to who connects so: "echo" where the connection works, else the digest in its
 * acmeIdentifier in hexadecimal where the server ended it. */
static void talk(struct server *at, const char *name, const char *protocols, size_t len, struct buf *out)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int pair[2];
    char got[10] = {0};

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    at->fd = pair[1];
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    loop_run(loops_at(at->loops, 0), accept_here, at);
    SSL_set_fd(ssl, pair[0]);
    if (name) /* the macro's cast would drop const */
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)name);
    SSL_set_alpn_protos(ssl, (const unsigned char *)protocols, (unsigned)len);
    assert_int_equal(SSL_connect(ssl), 1);
    SSL_write(ssl, "echo", 4);
    if (SSL_read(ssl, got, 4) == 4) {
        buf_adds(out, got);
    } else {
        X509 *cert = SSL_get0_peer_certificate(ssl);
        ASN1_OBJECT *id = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
        X509_EXTENSION *x = X509_get_ext(cert, X509_get_ext_by_OBJ(cert, id, -1));
        const unsigned char *protocol;
        unsigned protocol_len;
        assert_non_null(x);
        assert_int_equal(X509_EXTENSION_get_critical(x), 1);
        assert_int_equal(X509_check_host(cert, HOST, 0, 0, NULL), 1);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(x);
        crypto_hex(out, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
        SSL_get0_alpn_selected(ssl, &protocol, &protocol_len);
        assert_int_equal(protocol_len, 10);
        assert_memory_equal(protocol, "acme-tls/1", 10);
        ASN1_OBJECT_free(id);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(pair[0]);
    loop_run(loops_at(at->loops, 0), close_here, at);
}

static void a_handshake_proves_the_name(void **state)
{
    static const char acme[] = "\x0a"
                               "acme-tls/1",
                      both[] = "\x08http/1.1\x0a"
                               "acme-tls/1",
                      http[] = "\x08http/1.1";
    struct server at = {0};
    struct acme_challenges c;
    struct buf pem = BUF_INIT(0), got = BUF_INIT(0), wants = BUF_INIT(0);
    uint8_t digest[32];
    const char *host = HOST;
    struct err e;

    (void)state;
    at.loops = loops_new(1, &e);
    assert_int_equal(loops_start(at.loops, &e), 0);
    crypto_certificate_make(&host, 1, 9, &pem);
    at.tls = loop_tls_new_pem(buf_text(&pem), buf_text(&pem), &e);
    assert_non_null(at.tls);
    challenges_init(&c, "tls-alpn-01", HOST, at.tls);
    talk(&at, HOST, acme, sizeof(acme) - 1, &got); /* nothing is under way */
    assert_string_equal(buf_text(&got), "echo");
    assert_int_equal(hear(&c, HOOK_BEGIN, "tls-alpn-01", HOST, TOKEN, "short"), ERR_INVALID);
    assert_int_equal(hear(&c, HOOK_BEGIN, "tls-alpn-01", HOST, TOKEN, DIGEST), 0);
    buf_clear(&got);
    talk(&at, HOST, acme, sizeof(acme) - 1, &got);
    assert_int_equal(crypto_unbase64url(DIGEST, strlen(DIGEST), digest, sizeof(digest)), 32);
    buf_adds(&wants, "0420");
    crypto_hex(&wants, digest, sizeof(digest));
    assert_string_equal(buf_text(&got), buf_text(&wants));
    /* Everybody else is served as ever. */
    const struct {
        const char *name, *protocols;
        size_t len;
    } others[] = {{HOST, http, sizeof(http) - 1},
                  {HOST, both, sizeof(both) - 1},
                  {"other.example.com", acme, sizeof(acme) - 1},
                  {NULL, acme, sizeof(acme) - 1}};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        buf_clear(&got);
        talk(&at, others[i].name, others[i].protocols, others[i].len, &got);
        assert_string_equal(buf_text(&got), "echo");
    }
    assert_int_equal(hear(&c, HOOK_FAILED, "tls-alpn-01", HOST, TOKEN, DIGEST), 0);
    buf_clear(&got);
    talk(&at, HOST, acme, sizeof(acme) - 1, &got);
    assert_string_equal(buf_text(&got), "echo");
    challenges_release(&c);
    loops_free(at.loops);
    loop_tls_free(at.tls);
    buf_release(&pem);
    buf_release(&got);
    buf_release(&wants);
}

/* ---- the program ---- */

static void a_failure_is_told_in_its_own_words(void **state)
{
    static const struct {
        const char *output, *reason;
    } cases[] = {
        {"", "it says nothing"},
        {"uacme: version 1.7.4\nuacme: the server reported the following error:\n{\n    \"type\": \"urn\",\n"
         "    \"detail\": \"no \\\"such\\\" name\",\n    \"status\": 400\n}\n",
         "no \\\"such\\\" name"},
        {"{\"detail\": \"first\"}\n{\"detail\": \"second\"}\nuacme: failed", "second"},
        {"uacme: curl_get: GET https://x failed: Couldn't connect\nuacme: failed to fetch directory\n",
         "curl_get: GET https://x failed: Couldn't connect"},
        {"uacme: one\nother\nuacme: two", "two"},
        {"\"detail\": \"cut", "cut"},
        {"\"detail\": \"cut\\", "cut\\"},
        {"\"detail\": \"\x1b[2Jclear\"", "[2Jclear"},
    };
    char out[240], small[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uacme_reason(cases[i].output, out, sizeof(out));
        assert_string_equal(out, cases[i].reason);
        uacme_reason(cases[i].output, small, sizeof(small));
        assert_true(strlen(small) < sizeof(small));
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_renewed_before_its_end),
        cmocka_unit_test(failures_are_waited_for_and_a_clock_may_jump),
        cmocka_unit_test(the_record_lasts),
        cmocka_unit_test(the_certificate_that_lasts_longest_is_used),
        cmocka_unit_test(headscales_account_is_uacmes),
        cmocka_unit_test(what_uacme_leaves_is_checked),
        cmocka_unit_test(the_hooks_message_is_five_texts),
        cmocka_unit_test(only_the_orders_own_challenges_are_taken),
        cmocka_unit_test(port_80_answers_challenges_and_redirects_the_rest),
        cmocka_unit_test(a_handshake_proves_the_name),
        cmocka_unit_test(a_failure_is_told_in_its_own_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
