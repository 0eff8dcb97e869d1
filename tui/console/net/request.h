/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of the screen's thread to the network threads, and the state of the connection. */
#ifndef TUI_CONSOLE_NET_REQUEST_H
#define TUI_CONSOLE_NET_REQUEST_H

#include "console/model/model.h"
#include "json/json.h"

/* CONN_LOADING: the snapshot is being received. */
enum connection_state { CONN_CONNECTING, CONN_LOADING, CONN_LIVE, CONN_DOWN, CONN_RESYNC, CONN_AUTH };

struct app_request {
    uint64_t id;
    const char *method, *path, *body; /* body "": none; borrowed */
    uint64_t version;                 /* for If-Match; 0: none, unless match says so */
    bool match;                       /* send the version even if it is 0 */
    bool whole;                       /* keep the answer's JSON */
    bool background;                  /* lowest priority: nobody waits for it */
    enum row_kind result;             /* the kind of object in the answer; ROW_KINDS: none */
    /* Decodes the answer, on a network thread; NULL: decode_reply, for changes. */
    int (*decode)(const json_t *root, struct model_delta *out, struct err *e);
};

#endif
