/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/limits.h"

#include "net/forwarded.h"

#define CLOSING_MAX 256 /* that go, and have not gone yet */

enum head_place limits_enter_head(struct front *f, const struct addr *from)
{
    size_t len = addr_source_len(from);
    bool many = addr_is_loopback(from) || forwarded_is_trusted(&f->o.trusted_proxies, from);
    enum head_place place = HEAD_NO_PLACE;

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    if (f->count < f->max + CLOSING_MAX && (many || n < f->max / 4)) {
        place = f->count < f->max ? HEAD_PLACE : HEAD_PLACE_OF;
        f->count++;
        map_put(&f->by_address, from->bytes, len, (void *)(n + 1));
    }
    pthread_mutex_unlock(&f->lock);
    return place;
}

void limits_leave_head(struct front *f, const struct addr *from)
{
    size_t len = addr_source_len(from);

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    f->count--;
    if (n > 1)
        map_put(&f->by_address, from->bytes, len, (void *)(n - 1));
    else
        map_del(&f->by_address, from->bytes, len);
    pthread_mutex_unlock(&f->lock);
}
