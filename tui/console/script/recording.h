/* SPDX-License-Identifier: BSD-3-Clause */
/* A recording of a server's answers: JSON, one value per line, in order. A line is an unmodified answer or event of the
 * API: a snapshot (GET /api/headway/snapshot), a page of events (GET /api/headway/events), an event of
 * the stream, an identity (GET /api/headway/whoami). What a view asks for is answered by lines
 * {"path": PATH, "status": NUMBER, "answer": VALUE}; "method" is GET where it is missing. Blank lines and lines that
 * begin with '#' are skipped. */
#ifndef TUI_CONSOLE_SCRIPT_RECORDING_H
#define TUI_CONSOLE_SCRIPT_RECORDING_H

#include "console/model/decode.h"

struct recording {
    VEC(json_t *) lines;
    size_t next; /* the first one not yet played */
};

enum played { PLAYED_NOTHING, PLAYED_DELTA, PLAYED_IDENTITY };

struct recording_step {
    enum played kind;
    struct model_delta delta; /* the caller's */
    char *actor;              /* of PLAYED_IDENTITY; the caller's */
    bool read_only;
    int64_t time_ns; /* the server's time; 0: unknown */
};

/* Reads the file ("-": standard input). ERR_INVALID names the line. The caller releases *out, on errors too. */
int recording_read(const char *path, struct recording *out, struct err *e) WARN_UNUSED;
void recording_release(struct recording *r);

/* Plays the next line with an effect; PLAYED_NOTHING at the end. ERR_INVALID if it is not an object of the API. */
int recording_play(struct recording *r, struct recording_step *out, struct err *e) WARN_UNUSED;
bool recording_has_event(struct recording *r); /* the next line is an event of the stream */

/* The recorded answer to a request, borrowed; NULL if there is none. */
const json_t *recording_answer(const struct recording *r, const char *method, const char *path, int *status);

#endif
