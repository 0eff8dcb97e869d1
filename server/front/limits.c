/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/limits.h"

bool is_trusted_proxy(const struct front *f, const struct addr *a)
{
    struct prefix whole = {*a, a->bits};

    for (size_t i = 0; i < f->o.trusted_proxies.len; i++)
        if (prefix_covers(&f->o.trusted_proxies.items[i], &whole))
            return true;
    return false;
}

bool limits_enter_head(struct front *f, const struct addr *from)
{
    size_t len = addr_source_len(from);
    unsigned each = is_trusted_proxy(f, from) ? f->max : f->max / 2;

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
