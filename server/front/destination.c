/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/destination.h"

#include <stdlib.h>

#include "net/forwarded.h"

static void name_client(const struct front *f, struct stream *s, const struct head *h)
{
    struct addr_port peer = *stream_peer(s);
    char *list = head_join(h, "X-Forwarded-For");
    const struct forwarded said = {list, head_get(h, "X-Real-IP"), head_get(h, "True-Client-IP")};

    forwarded_client(&f->o.trusted_proxies, &said, &peer);
    stream_set_peer(s, &peer);
    free(list);
}

static bool is_relay_path(const char *path)
{
    return str_eq(path, "/derp") || str_starts(path, "/derp/") || str_eq(path, "/generate_204") ||
           str_eq(path, "/bootstrap-dns");
}

bool destination_is_client(const struct front *f, const struct head *h, bool *control)
{
    *control = f->o.control && str_eq(h->path, "/ts2021");
    return *control || (f->o.relay && (!f->o.other || is_relay_path(h->path)));
}

bool destination_is_reserved(const struct front *f, const struct head *h)
{
    const char *length = head_get(h, "Content-Length");

    return f->o.reserved && !head_get(h, "Transfer-Encoding") && (!length || str_eq(length, "0")) &&
           f->o.reserved(f->o.arg, h);
}

void destination_hand_on(struct front *f, struct stream *s, const struct head *h, bool control)
{
    name_client(f, s, h);
    (control ? f->o.control : f->o.relay)(f->o.arg, s, h);
}
