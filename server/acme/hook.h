/* SPDX-License-Identifier: BSD-3-Clause */
/* The message from uacme's hook to the daemon: five texts, each terminated by a NUL, on a socket that preserves message
 * boundaries. The answer is one byte. */
#ifndef SERVER_ACME_HOOK_H
#define SERVER_ACME_HOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HOOK_FD          3 /* of the hook and of uacme above it: its end of the socket */
#define HOOK_PROGRAM_FD  4 /* headwayd itself, opened: a new version may have replaced the file */
#define HOOK_PROGRAM     "/proc/self/fd/4"
#define HOOK_VARIABLE    "HEADWAY_ACME_HOOK" /* in the environment of both */
#define HOOK_MESSAGE_MAX 2048
#define HOOK_TAKEN       '0'
#define HOOK_DECLINED    '1'

enum hook_method { HOOK_BEGIN, HOOK_DONE, HOOK_FAILED };

struct hook_message {
    enum hook_method method;
    const char *type, *identifier, *token, *authorization; /* see uacme(1), --hook */
};
/* Texts point into bytes. ERR_INVALID, or ERR_TOOBIG. */
int hook_read(const void *bytes, size_t len, struct hook_message *out, struct err *e) WARN_UNUSED;
/* texts: all five. */
int hook_write(char *const *texts, struct buf *out, struct err *e) WARN_UNUSED;

#endif
