/* SPDX-License-Identifier: BSD-3-Clause */
/* A clock: an address that was proved again since the hand last passed is skipped once. */
#include "rpc/proved.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define PLACES 16384

struct place {
    uint8_t bytes[16], len; /* len 0: free */
    bool again;
};

struct rpc_proved {
    pthread_mutex_t lock;
    struct map by_source; /* index into places */
    struct place *places;
    size_t hand;
};

struct rpc_proved *proved_new(void)
{
    struct rpc_proved *p = mem_alloc(sizeof(*p));

    pthread_mutex_init(&p->lock, NULL);
    p->places = mem_alloc(PLACES * sizeof(*p->places));
    return p;
}

void proved_free(struct rpc_proved *p)
{
    if (!p)
        return;
    map_release(&p->by_source);
    pthread_mutex_destroy(&p->lock);
    free(p->places);
    free(p);
}

/* Call with the lock held. */
static struct place *next_place(struct rpc_proved *p)
{
    struct place *at;

    while ((at = &p->places[p->hand++ % PLACES])->again)
        at->again = false;
    if (at->len)
        map_del(&p->by_source, at->bytes, at->len);
    return at;
}

void proved_add(struct rpc_proved *p, const struct addr *from)
{
    size_t len = addr_source_len(from);

    pthread_mutex_lock(&p->lock);
    struct place *at = map_get(&p->by_source, from->bytes, len);
    if (at) {
        at->again = true;
    } else {
        at = next_place(p);
        at->len = (uint8_t)len;
        memcpy(at->bytes, from->bytes, len);
        map_put(&p->by_source, at->bytes, len, at);
    }
    pthread_mutex_unlock(&p->lock);
}

bool proved_has(struct rpc_proved *p, const struct addr *from)
{
    pthread_mutex_lock(&p->lock);
    bool has = map_has(&p->by_source, from->bytes, addr_source_len(from));
    pthread_mutex_unlock(&p->lock);
    return has;
}
