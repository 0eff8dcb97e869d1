/* SPDX-License-Identifier: BSD-3-Clause */
#include "acme/hook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "acme/acme.h"
#include "base/array.h"
#include "base/file.h"
#include "base/str.h"

#define TEXTS 5

static const char *const methods[] = {[HOOK_BEGIN] = "begin", [HOOK_DONE] = "done", [HOOK_FAILED] = "failed"};

int hook_read(const void *bytes, size_t len, struct hook_message *out, struct err *e)
{
    const char *texts[TEXTS], *at = bytes, *end = at + len;

    if (len > HOOK_MESSAGE_MAX)
        return err_set(e, ERR_TOOBIG, "the hook's message has more than %d bytes", HOOK_MESSAGE_MAX);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        if (!nul)
            return err_set(e, ERR_INVALID, "the hook's message has %zu texts and not %d", i, TEXTS);
        texts[i] = at;
        at = nul + 1;
    }
    if (at != end)
        return err_set(e, ERR_INVALID, "the hook's message does not end after %d texts", TEXTS);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq(texts[0], methods[i])) {
            *out = (struct hook_message){(enum hook_method)i, texts[1], texts[2], texts[3], texts[4]};
            return 0;
        }
    return err_set(e, ERR_INVALID, "the hook's message begins with '%.40s'", texts[0]);
}

int hook_write(char *const *texts, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < TEXTS; i++)
        buf_add(out, texts[i], strlen(texts[i]) + 1);
    return out->len > HOOK_MESSAGE_MAX ? err_set(e, ERR_TOOBIG, "the challenge is too long") : 0;
}

bool acme_is_hook(void)
{
    return getenv(HOOK_VARIABLE) != NULL;
}

/* uacme goes by the exit status: 0 accepts the challenge. */
int acme_hook(int argc, char **argv)
{
    struct buf text = BUF_INIT(0);
    char answer = HOOK_DECLINED;
    struct err e = {0};

    if (argc != TEXTS + 1)
        err_set(&e, ERR_INVALID, "uacme calls its hook with %d arguments, not with %d", TEXTS, argc - 1);
    else if (hook_write(argv + 1, &text, &e) == 0 &&
             (send(HOOK_FD, text.data, text.len, MSG_NOSIGNAL) < 0 || recv(HOOK_FD, &answer, 1, 0) != 1))
        err_set(&e, ERR_IO, "the daemon does not answer its hook: %s", strerror(errno));
    if (e.code)
        file_say(stderr, "headwayd", e.message);
    buf_release(&text);
    return answer == HOOK_TAKEN ? 0 : 1;
}
