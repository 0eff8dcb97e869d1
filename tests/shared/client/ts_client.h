/* SPDX-License-Identifier: BSD-3-Clause */
/* A small client of the control protocol, for tests and for the load generator: ts2021 upgrade, Noise, HTTP/2, calls
 * and map streams. It lives on a loop of the server's own kind, thousands to a thread; everything is called, and calls
 * back, on that loop's thread. It is not a node: no WireGuard, no routes. */
#ifndef TESTS_SHARED_CLIENT_TS_CLIENT_H
#define TESTS_SHARED_CLIENT_TS_CLIENT_H

#include "loop/loop.h"
#include "shared/client/ts_noise.h"

#define TS_VERSION 131

struct ts_client;

struct ts_client_options {
    struct loop *loop;
    struct addr_port server;
    struct addr source; /* bits 0: any */
    uint8_t server_public[NOISE_KEY_LEN];
    uint8_t machine_private[NOISE_KEY_LEN];
    struct loop_tls *tls; /* NULL: plain; the caller's */
    unsigned version;     /* 0: TS_VERSION */
    const char *head;     /* header lines to add to the upgrade request, each with CR LF; or NULL */
    bool answer_no_ping;  /* plays dead */
    int receive_buffer;   /* bytes that the kernel takes in advance; 0: its choice */
    void *arg;
    void (*on_open)(struct ts_client *c, void *arg); /* the handshake is done; calls may be made */
    /* The connection is over, and c with it after the return. Not called by ts_client_close. */
    void (*on_close)(struct ts_client *c, void *arg, const char *why);
};

/* NULL when the socket cannot be made; what fails later is told by on_close. */
struct ts_client *ts_client_open(const struct ts_client_options *options, struct err *e);
void ts_client_close(struct ts_client *c); /* not from within one of its callbacks */

/* A whole call. status 0: the stream was reset, or the connection went. bytes live until the return. */
typedef void ts_reply(void *arg, int status, const uint8_t *bytes, size_t len);
int32_t ts_client_call(struct ts_client *c, const char *method, const char *path, const void *body, size_t len,
                       ts_reply *reply, void *arg);

/* A stream of messages, each with its length in front (little-endian u32, as map answers have it). part is called for
 * each piece that arrives, with its place in its message; end once, with the status and nghttp2's error. */
struct ts_stream_handler {
    void (*part)(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total);
    void (*end)(void *arg, int status, uint32_t error);
};
int32_t ts_client_stream(struct ts_client *c, const char *path, const void *body, size_t len,
                         const struct ts_stream_handler *handler, void *arg);
void ts_client_reset(struct ts_client *c, int32_t stream_id);

/* Bytes into the tunnel without HTTP/2's consent, and bytes on the socket without Noise: for hostile tests. */
void ts_client_inject(struct ts_client *c, const void *plain, size_t len);
void ts_client_inject_raw(struct ts_client *c, const void *bytes, size_t len);
void ts_client_pause(struct ts_client *c, bool paused); /* reads no more: a slow client */

const uint8_t *ts_client_machine_public(const struct ts_client *c);
uint64_t ts_client_bytes_in(const struct ts_client *c);

/* The server's key from GET /key, blocking; any thread. */
int ts_fetch_key(const struct addr_port *server, uint8_t public_key[NOISE_KEY_LEN], struct err *e) WARN_UNUSED;

/* Drops bytes at the front of a buffer. */
void cut_front(struct buf *b, size_t front);

#endif
