/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks whether the client behind an open connection still works. A PING is answered by its HTTP/2 library even if the
 * rest hangs. So routers are periodically asked, in their map stream, to call back (tailcfg.PingRequest without Types:
 * a HEAD of the URL, inside Noise). A client that does not is unhealthy, and another router serves; its stream stays
 * open and probing continues. On the thread of the stream's loop. */
#ifndef SERVER_CONTROL_PROBE_H
#define SERVER_CONTROL_PROBE_H

#include "control/state.h"

/* The content of the URL, in hexadecimal digits. It is the credential: only the client knows it, and it is valid
 * once. */
struct probe_id {
    uint64_t group, session, secret; /* group: the index of the stream's loop */
};

struct probe {
    struct loop_timer timer;
    struct control *control;
    struct rpc *rpc;
    uint64_t session, secret;        /* secret: of the probe that awaits its answer; 0: none */
    int64_t interval_ms, timeout_ms; /* interval 0: off */
    enum { PROBE_IDLE, PROBE_DUE, PROBE_OUT } state;
    bool answered, missed;       /* answered: once in this stream; missed: the last probe */
    int64_t asked_ms, missed_ms; /* mono: of the last probe; of the first lost one in a row */
    bool unhealthy;
    unsigned row; /* consecutive answers while it is unhealthy */
};
void probe_init(struct probe *p, struct control *control, struct rpc *rpc, uint64_t session);
void probe_set(struct probe *p, int64_t interval_ms, int64_t timeout_ms);
void probe_stop(struct probe *p);
bool probe_ask(struct probe *p, struct rpc_bytes *out, bool zstd); /* in a pull: adds the probe that is due */
void probe_written(struct probe *p);                               /* its timeout runs from here */
void probe_answered(struct probe *p, uint64_t secret);

#endif
