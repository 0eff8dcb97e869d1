/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the client behind an open connection still work? A PING is answered by its HTTP/2 library even where the rest
 * hangs. So a router is now and then asked, in its map stream, to call back (tailcfg.PingRequest without Types: a HEAD
 * of the URL, inside Noise). Who does not is unhealthy, and another router serves; its stream stays open, and it is
 * asked on. On the thread of the stream's loop. */
#ifndef SERVER_CONTROL_PROBE_H
#define SERVER_CONTROL_PROBE_H

#include "control/state.h"

/* What the URL carries, in hexadecimal digits. It is the credential: nobody else knows it, and it counts once. */
struct probe_id {
    uint64_t group, session, secret; /* group: the index of the stream's loop */
};

struct probe {
    struct loop_timer timer;
    struct control *control;
    struct rpc *rpc;
    uint64_t session, secret;        /* secret: of the question that waits for its answer; 0: none */
    int64_t interval_ms, timeout_ms; /* interval 0: off */
    enum { PROBE_IDLE, PROBE_DUE, PROBE_OUT } state;
    bool answered, missed;       /* once in this stream; the last question */
    int64_t asked_ms, missed_ms; /* mono: the last question; the first of those in a row without an answer */
    bool unhealthy;
    unsigned row; /* answers without a miss, while it is unhealthy */
};
void probe_init(struct probe *p, struct control *control, struct rpc *rpc, uint64_t session);
void probe_set(struct probe *p, int64_t interval_ms, int64_t timeout_ms);
void probe_stop(struct probe *p);
bool probe_ask(struct probe *p, struct rpc_bytes *out, bool zstd); /* in a pull: adds the question that is due */
void probe_written(struct probe *p);                               /* its time runs from here */
void probe_answered(struct probe *p, uint64_t secret);

#endif
