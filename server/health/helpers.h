/* SPDX-License-Identifier: BSD-3-Clause */
/* The nodes that ping the target behind a prefix. A helper's silence counts only after the target has answered it once:
 * it may not accept routes, or the policy may not permit it. Nodes that cannot help are left alone for a while. */
#ifndef SERVER_HEALTH_HELPERS_H
#define SERVER_HEALTH_HELPERS_H

#include "tailnet/tailnet.h"

#define HELPERS        2
#define HELPERS_BARRED 32

struct probe_helper {
    uint64_t id; /* 0: none */
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
    int64_t next_ms; /* when to try again to fill places that no node could fill */
};

/* Of one round. */
struct helper_result {
    uint64_t helper; /* its node */
    bool asked, passed, unusable, alive;
};

/* The vote of one helper in a round: 1 the target answers, -1 it does not, 0 unknown. A node that cannot help loses its
 * place. */
int helpers_vote(struct probe_helpers *h, size_t place, const struct helper_result *r, bool with_echo, int64_t now_ms);
/* Fills empty places, and those of nodes that are gone or that now have a nearer router, with nodes that go through the
 * router and do not route the prefix themselves. t: its policy is read. */
void helpers_fill(struct probe_helpers *h, struct tailnet *t, const struct tailnet_snapshot *s,
                  const struct prefix *prefix, const struct tailnet_node *router, int64_t now_ms);
/* The helper at the place cannot help. */
void helpers_bar(struct probe_helpers *h, size_t place, int64_t now_ms);

#endif
