/* SPDX-License-Identifier: BSD-3-Clause */
/* The public listener: accepts, speaks TLS where configured, reads the head of each request and decides by it who gets
 * the connection. Clients' connections (/ts2021, /derp) stay in the loops; everything else goes to whoever speaks plain
 * HTTP. A head may have 8 KiB and 10 s; how many are waited for is bounded, in all and for each address. Of the files
 * that the process may open some are kept: the last ones for the daemon itself, those before them for clients that are
 * known and for requests that are reserved.
 *
 * Connections are kept, by clients and by proxies that use one for many: the head of each request that follows is
 * looked at too, and one of a client takes the connection to where it belongs once everything before it is answered.
 */
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
    const char *cert_path, *key_path; /* NULL: no TLS; looked at again every 10 s */
    struct loop_tls *tls;             /* instead of the files: the caller's, who keeps it */
    struct prefixes trusted_proxies;  /* whose X-Forwarded-For counts */
    unsigned head_ms;                 /* how long a request head may take; 0: 10 s */
    unsigned heads_max;               /* connections without a whole head; 0: a quarter of the files that may be open */
    unsigned stall_ms;                /* how long a TLS client may not read what it is answered; 0: 30 s */
    void *arg;
    /* Where a client lives that has proved its machine key: strangers take no place of its address's, and what may be
     * open is never short for it. On some loop's thread; must not block. NULL: none is known. */
    bool (*known)(void *arg, const struct addr *from);
    /* A request for other that is answered however short places and files are. As known. NULL: none is. */
    bool (*reserved)(void *arg, const struct head *head);
    /* These take the stream; what came after the head can still be read from it. On the stream's loop. */
    void (*control)(void *arg, struct stream *stream, const struct head *head);
    /* /derp and what is below it, /generate_204, /bootstrap-dns. NULL: they are like any other path. */
    void (*relay)(void *arg, struct stream *stream, const struct head *head);
    /* Takes a local socket from which nothing has been read, whose other end the loop connects with the client; peer is
     * the client. On some loop's thread; must not block.
     * NULL: relay gets every request, for a port that serves nothing else. */
    void (*other)(void *arg, int fd, const struct addr_port *peer, bool reserved);
};

/* Copies the options and starts to accept. On an error nothing is left behind. */
struct front *front_new(const struct front_options *options, struct err *e);
unsigned front_port(const struct front *f, size_t i);         /* of the i-th listener, also when 0 was asked for */
struct loop_tls *front_tls(struct front *f);                  /* to add certificates to; NULL without TLS */
int front_reload(struct front *f, struct err *e) WARN_UNUSED; /* looks at the certificate now; any thread */
/* Accepts no more, and closes those that have not said what they want; other is not called again. While the loops still
 * run; from another thread. NULL is allowed. */
void front_stop(struct front *f);
/* Gives answers that other made before it ended a moment to go out, and closes the rest. The same. */
void front_free(struct front *f);

/* Listening sockets that outlive the daemon, where a service manager keeps them: no client is refused between two
 * daemons. begin, before the first front_new: takes over what the manager hands in (sd_listen_fds(3)). A front_new that
 * wants the very address of one of these uses it. end, after the last: closes what nobody wanted, and gives the manager
 * what was opened (FDSTORE of sd_notify(3)). On the thread that starts. */
void front_kept_begin(void);
void front_kept_end(void);

/* Raises the limit of open files to what the system allows and returns it. At start, once. */
unsigned long front_raise_files(void);

#endif
