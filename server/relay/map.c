/* SPDX-License-Identifier: BSD-3-Clause */
/* The map of relays that clients are told. */
#include <stdlib.h>

#include "base/mem.h"
#include "relay/private.h"

struct relay_map {
    const struct relay *relay;
};

static void tell(struct relay_map *m, const struct config *c)
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "{\"Regions\":{");
    own_region(m->relay, c, &b);
    buf_adds(&b, "},\"omitDefaultRegions\":true}");
    core_set_derp(m->relay->options.core, buf_text(&b));
    buf_release(&b);
}

struct relay_map *relay_map_new(const struct relay *r, const struct config *c)
{
    struct relay_map *m = mem_alloc(sizeof(*m));

    m->relay = r;
    tell(m, c);
    return m;
}

void relay_map_reload(struct relay_map *m, const struct config *c)
{
    tell(m, c);
}

void relay_map_free(struct relay_map *m)
{
    free(m);
}
