/* SPDX-License-Identifier: BSD-3-Clause */
/* A small client of the control protocol, for tests and the load generator: ts2021 upgrade, Noise, HTTP/2, calls and
 * map streams. It runs on a loop of the server's kind, thousands of clients per thread; all functions and callbacks run
 * on that loop's thread. It is not a node: no WireGuard, no routes. */
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
    struct loop_tls *tls; /* NULL: plain; owned by the caller */
    unsigned version;     /* 0: TS_VERSION */
    const char *head;     /* header lines for the upgrade request, each with CR LF; or NULL */
    bool answer_no_ping;  /* does not answer PINGs */
    int receive_buffer;   /* the socket's receive buffer in bytes; 0: the kernel's default */
    void *arg;
    void (*on_open)(struct ts_client *c, void *arg); /* the handshake is complete; calls may be made */
    /* The connection has ended, and c is freed after the return. Not called by ts_client_close. */
    void (*on_close)(struct ts_client *c, void *arg, const char *why);
};

/* NULL if the socket cannot be created; later failures are reported with on_close. */
struct ts_client *ts_client_open(const struct ts_client_options *options, struct err *e);
void ts_client_close(struct ts_client *c); /* not from within one of its callbacks */

/* The answer to a whole call. status 0: the stream was reset, or the connection was lost. bytes are valid until the
 * return. */
typedef void ts_reply(void *arg, int status, const uint8_t *bytes, size_t len);
int32_t ts_client_call(struct ts_client *c, const char *method, const char *path, const void *body, size_t len,
                       ts_reply *reply, void *arg);

/* A stream of messages, each preceded by its length (little-endian u32, as in map answers). part is called for each
 * piece that arrives, with its place in its message; end is called once, with the status and nghttp2's error. */
struct ts_stream_handler {
    void (*part)(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total);
    void (*end)(void *arg, int status, uint32_t error);
};
int32_t ts_client_stream(struct ts_client *c, const char *path, const void *body, size_t len,
                         const struct ts_stream_handler *handler, void *arg);
void ts_client_reset(struct ts_client *c, int32_t stream_id);

/* Sends bytes into the tunnel that bypass HTTP/2, and bytes on the socket that bypass Noise: for hostile tests. */
void ts_client_inject(struct ts_client *c, const void *plain, size_t len);
void ts_client_inject_raw(struct ts_client *c, const void *bytes, size_t len);
void ts_client_pause(struct ts_client *c, bool paused); /* stops reading: a slow client */

const uint8_t *ts_client_machine_public(const struct ts_client *c);
uint64_t ts_client_bytes_in(const struct ts_client *c);

/* Fetches the server's key with GET /key; blocking, in any thread. */
int ts_fetch_key(const struct addr_port *server, uint8_t public_key[NOISE_KEY_LEN], struct err *e) WARN_UNUSED;

/* Removes bytes from the front of a buffer. */
void cut_front(struct buf *b, size_t front);

#endif
