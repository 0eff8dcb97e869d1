/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions on their way to the client: what a stream keeps until it can send one. */
#ifndef SERVER_CONTROL_C2N_OUTGOING_H
#define SERVER_CONTROL_C2N_OUTGOING_H

#include "control/c2n/questions.h"
#include "netmap/netmap.h"

struct outgoing_question {
    struct outgoing_question *next;
    uint8_t id[QUESTION_ID_LEN];
    const char *types;
    struct addr target; /* bits 0: none */
    char *payload;      /* NULL: none */
    size_t payload_len;
};

struct outgoing_question *outgoing_new(const struct question *q);
void outgoing_free(struct outgoing_question *q);
void outgoing_write(struct netmap *nm, const struct outgoing_question *q, bool zstd, struct netmap_message *out);
/* Frees a list that will not be sent: the askers are answered that the stream ended. */
void outgoing_drop(struct questions *qs, struct outgoing_question *list);

#endif
