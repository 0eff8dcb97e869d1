/* SPDX-License-Identifier: BSD-3-Clause */
/* Which nodes ping the target behind a prefix. A helper's silence counts only after the target has answered it once: it
 * may not accept routes, or the policy may not let it. Who cannot help is left alone for a while. */
#ifndef SERVER_HEALTH_HELPERS_H
#define SERVER_HEALTH_HELPERS_H

#include "tailnet/tailnet.h"

#define HELPERS        2
#define HELPERS_BARRED 32

struct probe_helper {
    uint64_t id; /* 0: nobody */
    bool proven;
    unsigned failures; /* before it was proven */
};

struct probe_helpers {
    struct probe_helper items[HELPERS];
    struct {
        uint64_t id;
        int64_t until_ms;
    } barred[HELPERS_BARRED]; /* a ring */
    unsigned next_barred;
    int64_t next_ms; /* when places that nobody could fill are looked at again */
};

/* Of one round. */
struct helper_result {
    uint64_t helper; /* its node */
    bool asked, passed, unusable, alive;
};

/* What one helper says in a round: 1 the target answers, -1 it does not, 0 nothing. Who cannot help loses its place. */
int helpers_vote(struct probe_helpers *h, size_t place, const struct helper_result *r, bool with_echo, int64_t now_ms);
/* Fills empty places, and those of nodes that are gone or whom another router is nearer to by now, with nodes that go
 * through the router and do not route the prefix themselves. policy: of the tailnet; read within. */
void helpers_fill(struct probe_helpers *h, struct tailnet *t, const struct tailnet_snapshot *s,
                  const struct prefix *prefix, const struct tailnet_node *router, int64_t now_ms);
/* The helper at the place cannot help. */
void helpers_bar(struct probe_helpers *h, size_t place, int64_t now_ms);

#endif
