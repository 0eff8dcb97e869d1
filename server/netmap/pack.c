/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <zstd.h>

#include "base/log.h"
#include "netmap/cache.h"

/* The lowest level that compresses node JSON no worse than the faster ones, as measured. */
#define LEVEL 1

struct netmap_worker *worker_take(struct netmap *nm, size_t slots)
{
    pthread_mutex_lock(&nm->lock);
    struct netmap_worker *w = nm->workers;
    if (w)
        nm->workers = w->next;
    pthread_mutex_unlock(&nm->lock);
    if (!w) {
        w = mem_alloc(sizeof(*w));
        w->zip = ZSTD_createCCtx();
        if (!w->zip)
            abort();
        ZSTD_CCtx_setParameter(w->zip, ZSTD_c_compressionLevel, LEVEL);
    }
    if (w->dirty.slots < slots) {
        w->dirty.mask = mem_resize(w->dirty.mask, slots, sizeof(*w->dirty.mask));
        memset(w->dirty.mask + w->dirty.slots, 0, (slots - w->dirty.slots) * sizeof(*w->dirty.mask));
        w->dirty.slots = slots;
    }
    return w;
}

void worker_give(struct netmap *nm, struct netmap_worker *w)
{
    for (size_t i = 0; i < w->touched.len; i++)
        w->dirty.mask[w->touched.items[i]] = 0;
    w->touched.len = w->removed.len = w->visible.len = w->owners.len = 0;
    buf_clear(&w->json);
    buf_clear(&w->key);
    pthread_mutex_lock(&nm->lock);
    w->next = nm->workers;
    nm->workers = w;
    pthread_mutex_unlock(&nm->lock);
}

void worker_free(struct netmap_worker *w)
{
    ZSTD_freeCCtx(w->zip);
    buf_release(&w->json);
    buf_release(&w->key);
    buf_release(&w->packed);
    free(w->dirty.mask);
    vec_release(&w->touched);
    vec_release(&w->removed);
    vec_release(&w->visible);
    vec_release(&w->owners);
    free(w);
}

struct chunk *pack(struct netmap_worker *w, const void *bytes, size_t len, bool zstd)
{
    if (!zstd)
        return chunk_new(bytes, len);

    buf_clear(&w->packed);
    buf_reserve(&w->packed, ZSTD_compressBound(len));
    size_t size = ZSTD_compress2(w->zip, w->packed.data, w->packed.cap, bytes, len);
    if (ZSTD_isError(size)) { /* only for lack of memory or room, and there is room */
        log_error("netmap", "cannot compress %zu bytes: %s", len, ZSTD_getErrorName(size));
        abort();
    }
    return chunk_new(w->packed.data, size);
}

void message_add(struct netmap_message *m, struct chunk *c)
{
    vec_push(m, c);
    m->bytes += c->len;
}

void message_finish(struct netmap *nm, struct netmap_message *m, bool zstd)
{
    if (zstd && m->bytes == nm->keepalive_len)
        message_add(m, chunk_ref(nm->space));

    struct chunk *head = chunk_alloc(4);
    for (int i = 0; i < 4; i++)
        head->data[i] = (uint8_t)(m->bytes >> 8 * i);
    message_add(m, head);
    memmove(&m->items[1], &m->items[0], (m->len - 1) * sizeof(*m->items));
    m->items[0] = head;
}

void netmap_message_release(struct netmap_message *m)
{
    for (size_t i = 0; i < m->len; i++)
        chunk_unref(m->items[i]);
    vec_release(m);
    m->bytes = 0;
}
