/* SPDX-License-Identifier: BSD-3-Clause */
/* The public listener: accepts, speaks TLS where configured, reads the head of each request and hands the connection to
 * the room it is for. Clients' connections (/ts2021, /derp) stay in the loops; everything else goes to the plain HTTP
 * server. A head may take 8 KiB and 10 s; the number of pending ones is bounded in all and per address. Some of the
 * files that the process may open are reserved: the last ones for the daemon itself, those before them for known
 * clients and reserved requests.
 *
 * Clients keep connections open, as do proxies, which use one for many clients: every further head is read too, and a
 * client's request takes the connection to its room once everything before it is answered. */
#ifndef SERVER_FRONT_FRONT_H
#define SERVER_FRONT_FRONT_H

#include <stdbool.h>

#include "base/str.h"
#include "loop/loop.h"
#include "net/head.h"

struct front;

struct front_options {
    struct loops *loops;
    struct strs listen;               /* "0.0.0.0:8080", "[::]:8080", ":8080" (both families), ":http" */
    const char *cert_path, *key_path; /* NULL: no TLS; checked for changes every 10 s */
    struct loop_tls *tls;             /* instead of the files; stays the caller's */
    struct prefixes trusted_proxies;  /* whose X-Forwarded-For is trusted */
    unsigned head_ms;                 /* time for a request head; 0: 10 s */
    unsigned heads_max; /* connections without a complete head; 0: a quarter of the files that may be open */
    unsigned stall_ms;  /* how long a TLS client may leave its answer unread; 0: 30 s */
    void *arg;
    /* Whether a client that has proved its machine key lives at the address: strangers take none of its address's
     * places, and it is never short of files. On some loop's thread; must not block. NULL: none is known. */
    bool (*known)(void *arg, const struct addr *from);
    /* Whether a request for other is answered even when places and files are short. Called as known is. NULL: none
     * is. */
    bool (*reserved)(void *arg, const struct head *head);
    /* These take the stream; bytes after the head can still be read from it. On the stream's loop. */
    void (*control)(void *arg, struct stream *stream, const struct head *head);
    /* /derp and paths below it, /generate_204, /bootstrap-dns. NULL: they are like any other path. */
    void (*relay)(void *arg, struct stream *stream, const struct head *head);
    /* Takes a local socket that the loop connects with the client and from which nothing has been read; peer is the
     * client. On some loop's thread; must not block. NULL: relay gets every request, for a port that serves nothing
     * else. */
    void (*other)(void *arg, int fd, const struct addr_port *peer, bool reserved);
};

/* Copies the options and begins to accept. On an error nothing is left behind. */
struct front *front_new(const struct front_options *options, struct err *e);
unsigned front_port(const struct front *f, size_t i); /* of the i-th listener, also if the configured port is 0 */
struct loop_tls *front_tls(struct front *f);          /* to add certificates to; NULL without TLS */
int front_reload(struct front *f, struct err *e) WARN_UNUSED; /* rereads the certificate now; any thread */
/* Accepts no more, and closes connections without a complete head; other is not called again. Call while the loops
 * still run, from another thread. NULL is allowed. */
void front_stop(struct front *f);
/* Gives the answers that other made a moment to be sent, and closes the rest. Call it as front_stop. */
void front_free(struct front *f);

/* Listening sockets that outlive the daemon, where a service manager keeps them: no client is refused between two
 * daemons. begin, before the first front_new, takes over the sockets from the manager (sd_listen_fds(3)). A front_new
 * for the very address of one of them uses it. end, after the last front_new, closes the unused ones and passes the
 * newly opened ones to the manager (FDSTORE of sd_notify(3)). On the starting thread. */
void front_kept_begin(void);
void front_kept_end(void);

/* Raises the limit of open files to what the system allows and returns it. Call once, at start. */
unsigned long front_raise_files(void);

#endif
