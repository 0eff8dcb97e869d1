/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's JSON to deltas for the model. Pure and safe on any thread. Texts are made safe to print here, once. */
#ifndef TUI_CONSOLE_MODEL_DECODE_H
#define TUI_CONSOLE_MODEL_DECODE_H

#include "console/model/model.h"
#include "json/json.h"

/* An answer to a change. */
struct reply {
    int status;               /* HTTP; 0: there was no answer */
    struct err e;             /* where status is not 2xx */
    bool unknown;             /* it was sent, and there was no answer: whether it was done is not known */
    char *event;              /* the journal entry it made; NULL: none */
    bool undoable;            /* there is an inverse */
    char *secret;             /* a key that was just made, shown once; NULL */
    struct model_delta delta; /* what it names as it is now */
    struct model_delta read;  /* what the request's own decode made of it: for whoever asked */
    json_t *json;             /* all of it, where the request wanted that; NULL */
};

/* Each reads an answer or an event that is JSON already; ERR_INVALID where it is no object. The caller releases *out.
 */
/* GET /api/headway/snapshot. */
int decode_snapshot(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* The same in pieces, as it arrives: adds the value of a member, or an element of it where it is a list. */
int decode_snapshot_piece(const char *member, const json_t *value, struct model_delta *out, struct err *e) WARN_UNUSED;
/* The data of one server-sent event: a journal entry with what it changed, or {"node":NODE}. */
int decode_message(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/events without follow. */
int decode_events(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET /api/headway/state: a moment of the past. */
int decode_past(const json_t *root, struct model_delta *out, struct err *e) WARN_UNUSED;
/* GET whoami: the actor's name (owned by the caller) and whether changes are refused. */
int decode_whoami(const json_t *root, char **actor, bool *read_only, struct err *e) WARN_UNUSED;
/* An answer to a change; root may be NULL, why: what the client said about it (NULL: nothing); result: what kind of
 * object "result" and "current" are, ROW_KINDS for none. */
void decode_reply(int status, const json_t *root, const struct err *why, enum row_kind result, struct reply *out);
void reply_release(struct reply *r);

#endif
