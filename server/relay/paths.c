/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay's few paths: the upgrade to DERP, and what clients request from any relay (Tailscale's derpserver
 * handlers). */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "relay/paths.h"

#define CHALLENGE_MAX 64

static void answer(struct stream *s, const char *status, const char *fields, const char *body)
{
    struct buf b = BUF_INIT(0);

    buf_addf(&b, "HTTP/1.1 %s\r\n%sConnection: close\r\n", status, fields);
    if (!str_starts(status, "204"))
        buf_addf(&b, "Content-Length: %zu\r\n", strlen(body));
    buf_addf(&b, "\r\n%s", body);
    /* it fits into a new socket's buffer, or this is no real client */
    stream_write(s, b.data, b.len, NULL);
    stream_shutdown(s);
    stream_close(s);
    buf_release(&b);
}

static void refuse_login(struct stream *s)
{
    if (stream_is_websocket(s)) {
        stream_shutdown(s);
        stream_close(s);
    } else {
        answer(s, "503 Service Unavailable", "Retry-After: 10\r\nContent-Type: text/plain\r\n",
               "too many clients have not logged in yet\n");
    }
}

/* Clients in browsers (tailscale derp/derpserver/websocket.go). */
static void upgrade_websocket(struct relay *r, struct stream *s, const struct head *h)
{
    struct err e;
    int code = stream_upgrade_websocket(s, h, "derp", &e);

    if (code == ERR_GONE)
        stream_close(s);
    else if (code < 0)
        answer(s, "400 Bad Request", "Content-Type: text/plain\r\n", e.message);
    else if (!link_open(&r->hub, s, ""))
        refuse_login(s);
}

static void upgrade_native(struct relay *r, struct stream *s, const struct head *h)
{
    const char *fast = head_get(h, "Derp-Fast-Start");
    struct buf b = BUF_INIT(0);

    if (!fast || !str_eq(fast, "1")) {
        buf_adds(&b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\nDerp-Version: 2\r\n"
                     "Derp-Public-Key: ");
        crypto_hex(&b, r->hub.keys.public_key, RELAY_KEY_LEN);
        buf_adds(&b, "\r\n\r\n");
    }
    if (!link_open(&r->hub, s, buf_text(&b)))
        refuse_login(s);
    buf_release(&b);
}

static void upgrade(struct relay *r, struct stream *s, const struct head *h)
{
    /* Very old clients send "websocket" and mean DERP; real WebSocket clients also name the subprotocol. */
    bool native = head_has_word(h, "Upgrade", "derp") ||
                  (head_has_word(h, "Upgrade", "websocket") && !head_get(h, "Sec-WebSocket-Protocol"));

    if (!str_eq(h->method, "GET"))
        answer(s, "405 Method Not Allowed", "Allow: GET\r\n", "");
    else if (native)
        upgrade_native(r, s, h);
    else if (head_has_word(h, "Upgrade", "websocket") && head_has_word(h, "Sec-WebSocket-Protocol", "derp"))
        upgrade_websocket(r, s, h);
    else
        answer(s, "426 Upgrade Required", "Content-Type: text/plain\r\n", "DERP requires connection upgrade\n");
}

static void probe(struct relay *r, struct stream *s, const struct head *h)
{
    (void)r;
    if (str_eq(h->method, "GET") || str_eq(h->method, "HEAD"))
        answer(s, "200 OK", "Access-Control-Allow-Origin: *\r\n", "");
    else
        answer(s, "405 Method Not Allowed", "Allow: GET, HEAD\r\n", "bogus probe method\n");
}

/* Clients that suspect a captive portal ask for proof that this server itself answered. */
static void no_content(struct relay *r, struct stream *s, const struct head *h)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
    const char *challenge = head_get(h, "X-Tailscale-Challenge");
    char fields[256];
    size_t len = challenge ? strlen(challenge) : 0;

    (void)r;
    if (len > CHALLENGE_MAX || (challenge && strspn(challenge, allowed) != len))
        len = 0;
    snprintf(fields, sizeof(fields),
             "Cache-Control: no-cache, no-store, must-revalidate, no-transform, max-age=0\r\n%s%s%s",
             len ? "X-Tailscale-Response: response " : "", len ? challenge : "", len ? "\r\n" : "");
    answer(s, "204 No Content", fields, "");
}

/* For clients with broken DNS: the addresses of the one name that this server knows. */
static void bootstrap_dns(struct relay *r, struct stream *s, const struct head *h)
{
    const struct config *c = r->options.config;
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    struct addr a;

    (void)h;
    json_open(&o, '{');
    if (addr_parse(r->host, &a, NULL) < 0 && (*c->derp.server.ipv4 || *c->derp.server.ipv6)) {
        json_key(&o, r->host);
        json_open(&o, '[');
        if (*c->derp.server.ipv4)
            json_str(&o, c->derp.server.ipv4);
        if (*c->derp.server.ipv6)
            json_str(&o, c->derp.server.ipv6);
        json_close(&o, ']');
    }
    json_close(&o, '}');
    answer(s, "200 OK", "Content-Type: application/json\r\n", buf_text(&b));
    buf_release(&b);
}

static const struct relay_path {
    const char *path;
    void (*run)(struct relay *r, struct stream *s, const struct head *h);
} pages[] = {
    {"/derp", upgrade},
    {"/derp/probe", probe},
    {"/derp/latency-check", probe},
    {"/generate_204", no_content},
    {"/bootstrap-dns", bootstrap_dns},
};

void relay_answer(struct relay *r, struct stream *stream, const struct head *head)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (str_eq(pages[i].path, head->path)) {
            pages[i].run(r, stream, head);
            return;
        }
    answer(stream, "404 Not Found", "Content-Type: text/plain\r\n", "this port serves a DERP relay\n");
}
