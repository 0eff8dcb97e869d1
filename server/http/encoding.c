/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/encoding.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/str.h"

#define WORTH_IT ((size_t)16 * 1024)
#define LEVEL    3

/* "zstd", "gzip, zstd;q=0.5", but not "zstd;q=0". */
bool encoding_takes_zstd(const char *accept)
{
    static const char name[] = "zstd", blanks[] = " \t";

    for (const char *at = accept; at && *at; at += strcspn(at, ","), at += *at == ',') {
        at += strspn(at, blanks);
        if (strncasecmp(at, name, sizeof(name) - 1) != 0)
            continue;
        const char *weight = at + sizeof(name) - 1;
        weight += strspn(weight, blanks);
        if (!*weight || *weight == ',')
            return true;
        if (*weight != ';')
            continue;
        weight += 1 + strspn(weight + 1, blanks);
        return strncasecmp(weight, "q=", 2) != 0 || strspn(weight + 2, "0.") != strcspn(weight + 2, ", \t");
    }
    return false;
}

void encoding_apply(struct http_request *r)
{
    if (r->listener != HTTP_PUBLIC || r->source || r->status != 200 || r->out.len < WORTH_IT ||
        str_eq(r->method, "HEAD"))
        return;
    r->encoding_counts = true;
    if (!r->takes_zstd)
        return;
    struct buf packed = BUF_INIT(0);
    buf_reserve(&packed, ZSTD_compressBound(r->out.len));
    packed.len = ZSTD_compress(packed.data, packed.cap, r->out.data, r->out.len, LEVEL);
    if (!ZSTD_isError(packed.len) && packed.len < r->out.len) {
        buf_release(&r->out);
        buf_add(&r->out, packed.data, packed.len); /* exactly the memory it needs, however slowly it is read */
        r->encoding = "zstd";
    }
    buf_release(&packed);
}
