/* SPDX-License-Identifier: BSD-3-Clause */
/* Where requests and answers end: found in the same place whatever pieces they come in, and never within what was
 * taken. Input: a request's head and what follows it; or, without one, what a server answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "front/answer.h"
#include "front/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void follow(struct framing f, const uint8_t *bytes, size_t len)
{
    struct framing single = f;
    size_t whole = framing_take(&f, bytes, len), at = 0;

    while (at < len && framing_take(&single, bytes + at, 1) == 1)
        at++;
    if (whole > len || at != whole || single.state != f.state || single.left != f.left)
        __builtin_trap();
    if (whole < len && f.state != FRAMING_HEAD && f.state != FRAMING_BAD)
        __builtin_trap();
    /* What was taken is the request, without what follows. */
    if (f.state == FRAMING_HEAD && framing_take(&f, bytes + whole, len - whole) != 0)
        __builtin_trap();
}

static void answered(const uint8_t *bytes, size_t len)
{
    const struct head asked = {.method = len % 2 ? "GET" : "HEAD"};
    struct answer together = {0}, single = {0};
    bool whole = false;

    answer_expect(&together, &asked);
    answer_expect(&single, &asked);
    for (size_t i = 0; i < len && !whole; i++)
        whole = answer_take(&single, bytes + i, 1);
    if (answer_take(&together, bytes, len) != whole || (whole && single.state != ANSWER_NONE))
        __builtin_trap();
    answer_release(&together);
    answer_release(&single);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct framing f;
    struct head h;
    struct err e = {0};
    long n = head_parse(data, size, &h, NULL);

    if (n > 0 && framing_begin(&f, &h, &e) == 0)
        follow(f, data + n, size - (size_t)n);
    else if (n > 0 && (!e.message[0] || f.state != FRAMING_BAD))
        __builtin_trap();
    if (n > 0)
        head_release(&h);
    else
        answered(data, size);
    return 0;
}
