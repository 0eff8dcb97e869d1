/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client posts as the answer to a c2n request: a raw HTTP/1.x response, whose body ends where the post ends
 * (tailscale feature/c2n). Hostile input. */
#ifndef SERVER_CONTROL_C2N_ANSWER_H
#define SERVER_CONTROL_C2N_ANSWER_H

#include <stddef.h>

#include "base/err.h"

struct control_answer;

/* Fills status, body and len, which point into bytes; code is 0, or ERR_UNSUPPORTED where the client does not know the
 * path, or ERR_INVALID for what is no response. */
void c2n_answer_read(const char *bytes, size_t len, struct control_answer *out);

#endif
