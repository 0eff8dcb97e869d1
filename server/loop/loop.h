/* SPDX-License-Identifier: BSD-3-Clause */
/* Event loops: a few threads, each with its own epoll, timers, a mailbox and the byte streams that belong to it.
 *
 * A turn of a loop: wait, run what is ready (watches), run posted tasks, run due timers, run deferred tasks; then
 * wait again. Deferred tasks are the place for collected writes: however often a connection was touched in a turn,
 * it writes once. Unless "any thread" is stated, a function is called on its loop's own thread. */
#ifndef SERVER_LOOP_LOOP_H
#define SERVER_LOOP_LOOP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "net/head.h"
#include "net/prefixes.h"

/* ---- Loops ---- */

struct loop;
struct loops;

/* count threads (0: one per processor), not running yet. */
struct loops *loops_new(unsigned count, struct err *e);
int loops_start(struct loops *ls, struct err *e) WARN_UNUSED;
/* Ends the threads (after running tasks already posted) and waits for them. The owners must have closed their
 * streams. */
void loops_stop(struct loops *ls);
void loops_free(struct loops *ls); /* stops if needed; NULL is allowed */
unsigned loops_count(const struct loops *ls);
struct loop *loops_at(struct loops *ls, unsigned i);
struct loop *loops_next(struct loops *ls); /* the next one, round robin; any thread */

bool loop_is_here(const struct loop *l); /* whether the calling thread is this loop's; any thread */
int64_t loop_now(const struct loop *l);  /* clock_mono_ms, read once per turn */
unsigned loop_index(const struct loop *l);

/* ---- Tasks ---- */

/* Embedded in its owner. Zero it before first use, then set run; it may be queued in one place at a time. */
struct loop_task {
    struct loop_task *next, *prev; /* NULL while not queued */
    void (*run)(struct loop_task *task);
};

/* Any thread: run soon on l's thread. Posting a queued task does nothing and returns false, so a session that is woken
 * a hundred times before it runs, runs once. The owner must not free a queued task. */
bool loop_post_task(struct loop *l, struct loop_task *task);

/* Any thread: calls run(arg) on l's thread, in order of posting. After loops_stop, loops_free runs the call. */
void loop_post(struct loop *l, void (*run)(void *arg), void *arg);

/* Calls run on a running loop's thread and waits until it is done; from another thread. loops_run: on all loops, one
 * after another. */
void loop_run(struct loop *l, void (*run)(struct loop *l, void *arg), void *arg);
void loops_run(struct loops *ls, void (*run)(struct loop *l, void *arg), void *arg);

/* Runs task at the end of this turn, or of the next one if deferred by a deferred task. No effect if already queued. */
void loop_defer(struct loop *l, struct loop_task *task);
void loop_undefer(struct loop *l, struct loop_task *task); /* no effect if not queued */

/* Sleeps before the next wait, so that more input arrives for the next turn: for streams of many small items, each of
 * which would cost a turn of its own. Delays everything on this loop by at most LOOP_GATHER_US. */
#define LOOP_GATHER_US 200
void loop_gather(struct loop *l, unsigned us);

/* ---- Timers ---- */

/* Embedded in its owner; zero it before first use and stop it before freeing its memory. One-shot. */
struct loop_timer {
    int64_t due;  /* mono ms */
    size_t place; /* in the heap, counted from 1; 0: not set */
    void (*run)(struct loop_timer *timer);
};

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms, void (*run)(struct loop_timer *timer));
void loop_timer_stop(struct loop *l, struct loop_timer *t);
static inline bool loop_timer_is_set(const struct loop_timer *t)
{
    return t->place != 0;
}

/* ---- Descriptors ---- */

struct loop_watch {
    int fd;
    void (*ready)(struct loop_watch *watch, uint32_t events); /* EPOLL* */
};

/* events: EPOLLIN, EPOLLOUT, EPOLLET as for epoll_ctl. After loop_unwatch, ready is not called again, not even for an
 * event already collected; the caller keeps the descriptor. */
int loop_watch(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e) WARN_UNUSED;
void loop_rewatch(struct loop *l, struct loop_watch *w, uint32_t events);
void loop_unwatch(struct loop *l, struct loop_watch *w);

/* Large buffers, shared per loop, for reading or encoding within one callback: never kept across a return. Different
 * users within a callback use different halves. */
#define LOOP_SCRATCH (128 * 1024)
uint8_t *loop_scratch_in(struct loop *l);  /* LOOP_SCRATCH bytes: for data read from a stream */
uint8_t *loop_scratch_out(struct loop *l); /* LOOP_SCRATCH bytes: for data about to be written */

/* ---- TLS ---- */

/* A certificate chain and key from files, reloaded when they change. Shared by threads. */
struct loop_tls;

struct loop_tls *loop_tls_new(const char *cert_path, const char *key_path, struct err *e);
/* Certificates made by the caller, as PEM: cert_pem may hold a chain. Several may be added: the one whose name matches
 * the client's SNI is used, the first if none does. */
struct loop_tls *loop_tls_new_pem(const char *cert_pem, const char *key_pem, struct err *e);
int loop_tls_add_pem(struct loop_tls *tls, const char *name, const char *cert_pem, const char *key_pem,
                     struct err *e) WARN_UNUSED;
/* For streams that connect. Accepts any certificate, as Tailscale's clients do under Noise: TLS hides the traffic but
 * authenticates no one. */
struct loop_tls *loop_tls_new_client(struct err *e);
/* Checks the files and loads a changed pair for new connections. On an error the old pair stays. Returns 1 if it was
 * loaded, 0 if nothing changed. */
int loop_tls_refresh(struct loop_tls *tls, struct err *e) WARN_UNUSED;
/* The start and end of validity of its first certificate, seconds since 1970; 0: unknown. Any thread. */
void loop_tls_validity(struct loop_tls *tls, int64_t *begins, int64_t *ends);
/* Answers an authority that validates the name by TLS-ALPN-01 (RFC 8737: the protocol acme-tls/1 and nothing else) with
 * this certificate and its key, until cleared; such a connection ends with the handshake. One at a time. Any thread. */
int loop_tls_set_challenge(struct loop_tls *tls, const char *name, const char *pem, struct err *e) WARN_UNUSED;
void loop_tls_clear_challenge(struct loop_tls *tls);
struct loop_tls *loop_tls_ref(struct loop_tls *tls); /* another owner, who frees it too; NULL stays NULL */
void loop_tls_free(struct loop_tls *tls);            /* streams that use it are not affected */

/* ---- Streams ---- */

/* A connected socket, plain or TLS, non-blocking. Its handler is called when reading, or writing after a short write,
 * may continue. */
struct stream;

struct stream_handler {
    void (*readable)(struct stream *s, void *arg);
    void (*writable)(struct stream *s, void *arg); /* only after a short stream_write; may be NULL */
};

/* Takes fd, also on failure (fd is then closed). tls NULL: plain. peer: the remote address. */
struct stream *stream_new(struct loop *l, int fd, struct loop_tls *tls, const struct addr_port *peer, struct err *e);
void stream_close(struct stream *s); /* closes and frees; allowed in its own callbacks; NULL is allowed */
void stream_handle(struct stream *s, const struct stream_handler *handler, void *arg);

struct loop *stream_loop(const struct stream *s);
const struct addr_port *stream_peer(const struct stream *s);
void stream_set_peer(struct stream *s, const struct addr_port *peer); /* as reported by a trusted proxy */

/* Number of bytes read, 0 if none are available now, or a negative error: ERR_GONE when the peer closed, ERR_IO
 * otherwise. Call it once per callback, for plain streams and TLS alike: readable is called again for what remains. */
long stream_read(struct stream *s, void *out, size_t max, struct err *e);
/* Puts back bytes that were read too far: the next stream_read returns them first. */
void stream_unread(struct stream *s, const void *bytes, size_t len);
/* Number of bytes taken (fewer than len: wait for writable), or a negative error. TLS may have taken more than the
 * socket: stream_is_sent is then false until writable is called, and no writes are taken meanwhile. */
long stream_write(struct stream *s, const void *bytes, size_t len, struct err *e);
bool stream_is_sent(const struct stream *s);
/* No calls of readable while paused: back-pressure towards the peer. */
void stream_pause(struct stream *s, bool paused);
/* Announces the end of what is written (TLS close_notify, then FIN). */
void stream_shutdown(struct stream *s);

/* Answers a request for a WebSocket (RFC 6455) that carries protocol; from then on all data is in its messages.
 * ERR_GONE, or another error that says what is wrong with the request, which was then not answered. */
int stream_upgrade_websocket(struct stream *s, const struct head *h, const char *protocol, struct err *e) WARN_UNUSED;
bool stream_is_websocket(const struct stream *s);

/* Socket options. They report no errors: without them a failure is merely noticed later. TCP_USER_TIMEOUT: how long
 * written data may stay unacknowledged; 0 is the system's default. */
void stream_set_user_timeout(struct stream *s, unsigned ms);
void stream_set_keepalive(struct stream *s, int idle_s, int interval_s, int count);
/* How many bytes may wait unsent in the kernel (TCP_NOTSENT_LOWAT): later writes must not queue behind megabytes of
 * earlier ones. */
void stream_set_unsent_limit(struct stream *s, unsigned bytes);

#endif
