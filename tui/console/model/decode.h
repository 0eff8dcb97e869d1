/* SPDX-License-Identifier: BSD-3-Clause */
/* Decodes the API's JSON into deltas for the model. Pure; callable from any thread. Texts are made safe to print here.
 */
#ifndef TUI_CONSOLE_MODEL_DECODE_H
#define TUI_CONSOLE_MODEL_DECODE_H

#include "console/model/model.h"
#include "json/json.h"

/* The answer to a change. */
struct reply {
    int status;               /* HTTP; 0: no answer */
    struct err e;             /* if status is not 2xx */
    bool unknown;             /* sent, but no answer: the change may or may not have been made */
    char *event;              /* its journal entry; NULL: none */
    bool undoable;            /* it has an inverse */
    char *secret;             /* a new key's secret, shown once; NULL */
    struct model_delta delta; /* the objects in the answer */
    struct model_delta read;  /* the result of the request's own decode function */
    json_t *json;             /* the whole answer if the request wanted it; NULL */
};

/* Each decodes a parsed answer or event; ERR_INVALID if it is not an object. The caller releases *out. */
/* GET /api/headway/snapshot. */
int decode_snapshot(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* The same in pieces as they arrive: adds the value of a member, or one element if it is a list. */
int decode_snapshot_piece(const char *member, const json_t *value, struct model_delta *out, struct err *e) WARN_UNUSED;
/* The data of one server-sent event: a journal entry with what it changed, or {"node":NODE}. */
int decode_message(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/events without follow. */
int decode_events(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/state: a moment of the past. */
int decode_past(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/oauth-clients. */
int decode_oauth_clients(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/pending. */
int decode_pending(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/identities. */
int decode_logins(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/webhooks. */
int decode_webhooks(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/dns. */
int decode_dns(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET whoami: the actor's name (caller frees) and whether access is read-only. */
int decode_whoami(const json_t *root, char **actor, bool *read_only, struct err *e) WARN_UNUSED;
/* The answer to a change. root may be NULL; why: the client's error, or NULL; result: the kind of the objects "result"
 * and "current", ROW_KINDS for none. */
void decode_reply(int status, const json_t *root, const struct err *why, enum row_kind result, struct reply *out);
void reply_release(struct reply *r);

#endif
