/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/limits.h"

#include "net/forwarded.h"

bool limits_enter_head(struct front *f, const struct addr *from)
{
    size_t len = addr_source_len(from);
    unsigned each = forwarded_is_trusted(&f->o.trusted_proxies, from) ? f->max : f->max / 2;

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    bool in = f->count < f->max && n < each;
    if (in) {
        f->count++;
        map_put(&f->by_address, from->bytes, len, (void *)(n + 1));
    }
    pthread_mutex_unlock(&f->lock);
    return in;
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
