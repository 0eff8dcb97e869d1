/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/request/heavy.h"

#include <stdlib.h>

#include "api/request/reply.h"
#include "api/request/request.h"
#include "base/map.h"

#define HEAVY_MAX       16 /* requests in all */
#define HEAVY_LOCAL_MAX 4  /* from the unix socket */

struct heavy_use {
    size_t count, local;
    struct map keys; /* id -> 1 */
};

void heavy_init(struct api *api)
{
    api->heavy = mem_alloc(sizeof(*api->heavy));
}

void heavy_free(struct api *api)
{
    if (api->heavy)
        map_release(&api->heavy->keys);
    free(api->heavy);
}

static bool enter(struct rest_request *r)
{
    struct heavy_use *use = r->api->heavy;
    uint64_t key = r->who.key_id;

    pthread_mutex_lock(&r->api->lock);
    bool in = key ? use->count - use->local < HEAVY_MAX - HEAVY_LOCAL_MAX && !map_getu(&use->keys, key)
                  : use->local < HEAVY_LOCAL_MAX;
    if (in) {
        use->count++;
        use->local += !key;
        if (key)
            map_putu(&use->keys, key, use);
    }
    pthread_mutex_unlock(&r->api->lock);
    return in;
}

static void leave(struct api *api, uint64_t key)
{
    struct heavy_use *use = api->heavy;

    pthread_mutex_lock(&api->lock);
    use->count--;
    use->local -= !key;
    if (key)
        map_delu(&use->keys, key);
    pthread_mutex_unlock(&api->lock);
}

static enum http_flow run(struct rest_request *r)
{
    struct api *api = r->api;
    uint64_t key = r->who.key_id;
    api_handler *compute = r->compute;
    const atomic_bool *stopping = http_stopping(api->http);
    enum http_flow flow = HTTP_DONE;

    if (!atomic_load(stopping))
        flow = compute(r); /* a request that was passed on may be answered and freed by now */
    if (flow == HTTP_DONE && atomic_load(stopping))
        reply_code(r, ERR_UNAVAILABLE, "the server is stopping");

    leave(api, key);
    return flow;
}

enum http_flow heavy_later(struct rest_request *r, api_handler *then)
{
    if (!enter(r))
        return reply_code(r, ERR_BUSY,
                          "another request of the same kind is being computed: ask again when it is answered");
    r->compute = then;
    return request_later(r, HTTP_HEAVY, run);
}
