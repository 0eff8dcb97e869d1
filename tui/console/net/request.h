/* SPDX-License-Identifier: BSD-3-Clause */
/* What the screen's thread asks of the ones that speak to the server, and how the connection is. */
#ifndef TUI_CONSOLE_NET_REQUEST_H
#define TUI_CONSOLE_NET_REQUEST_H

#include "console/model/model.h"
#include "json/json.h"

/* CONN_LOADING: the snapshot is on its way. */
enum connection_state { CONN_CONNECTING, CONN_LOADING, CONN_LIVE, CONN_DOWN, CONN_RESYNC, CONN_AUTH };

struct app_request {
    uint64_t id;
    const char *method, *path, *body; /* body "": none; borrowed */
    uint64_t version;                 /* for If-Match; 0: none, unless match says so */
    bool match;                       /* the version is sent even where it is 0 */
    bool whole;                       /* the answer's JSON is wanted as it came */
    bool background;                  /* nobody waits for it: all others go first */
    enum row_kind result;             /* what the answer's object is; ROW_KINDS: none */
    /* Reads the answer, on another thread than the screen's; NULL: it is one to a change. */
    int (*decode)(const json_t *root, struct model_delta *out, struct err *e);
};

#endif
