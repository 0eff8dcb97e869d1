/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads what a client posts as the answer to a c2n request: a raw HTTP/1.x response, whose body ends with the post
 * (tailscale feature/c2n). Untrusted input. */
#ifndef SERVER_CONTROL_C2N_ANSWER_H
#define SERVER_CONTROL_C2N_ANSWER_H

#include <stddef.h>

#include "base/err.h"

struct control_answer;

/* Fills status, body and len; body points into bytes. code is 0, ERR_UNSUPPORTED if the client does not know the path,
 * or ERR_INVALID for anything but a response. */
void c2n_answer_read(const char *bytes, size_t len, struct control_answer *out);

#endif
