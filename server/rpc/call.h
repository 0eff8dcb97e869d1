/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls: from the last byte of a request to the last byte of its answer. */
#ifndef SERVER_RPC_CALL_H
#define SERVER_RPC_CALL_H

#include "base/vec.h"
#include "rpc/conn.h"

struct rpc_bytes {
    VEC(struct chunk *) chunks;
    size_t first;     /* chunks before it are done */
    size_t offset;    /* within the first */
    size_t available; /* bytes in all */
};

void bytes_release(struct rpc_bytes *b);

enum rpc_call_state { CALL_READING, CALL_OPEN, CALL_ANSWERED, CALL_STREAMING };

struct rpc_call {
    struct rpc rpc; /* first */
    struct rpc_call *next;
    int32_t stream_id;
    enum rpc_call_state state;
    char *method, *path, *authority, *content_type; /* what rpc points to */
    struct buf body;
    size_t headers; /* as CONN_HEADERS_MAX counts */
    unsigned retry_after;
    bool handled;     /* a handler has it: on_close is due */
    bool ready;       /* rpc_stream_ready since the last pull */
    bool ended;       /* no more bytes will be added */
    bool announce;    /* on_written is due once all is out */
    bool closed;      /* HTTP/2 is done with it */
    enum rpc_end why; /* when closed */
    rpc_pull *pull;
    struct rpc_bytes out;
};

struct rpc_call *call_new(struct rpc_conn *c, int32_t stream_id);
void call_dispatch(struct rpc_call *call);
void call_refuse(struct rpc_call *call, int status, const char *text);
void call_pull_all(struct rpc_conn *c);    /* asks idle streams that are ready */
void call_written_all(struct rpc_conn *c); /* everything produced is in the kernel */
void call_finish_all(struct rpc_conn *c);  /* tells and frees the closed ones */
void call_end_all(struct rpc_conn *c);     /* tells and frees all, for c->why */

#endif
