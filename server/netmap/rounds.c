/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/cache.h"

#define ROUND_MS      50
#define ROUND_EASY_MS 100
#define ROUND_BUSY_MS 1000
/* A message costs a receiver's thread about 12 us, nearly all of it the write. Rounds take at most a third of the
 * thread's time, and less than a tenth as long as that delays no one by more than a tenth of a second. */
#define ROUND_SHARE_US      36
#define ROUND_EASY_SHARE_US 150
#define HASTE               5 /* part of a round */

#define URGENT (CHANGE_REMOVED | CHANGE_KEYS | CHANGE_SELF | CHANGE_POLICY | CHANGE_DNS | CHANGE_DERP | CHANGE_USERS)

struct awaited {
    bool any, urgent; /* urgent: must not wait */
    bool reachable;   /* waits briefly, longer only while there is much to send: a node that sends to a peer whose relay
                         it does not know yet loses WireGuard's first handshake, and retries only five seconds later */
};

/* Advances r->seen. */
static void look(struct netmap *nm, struct netmap_rounds *r, uint64_t until, struct awaited *out)
{
    struct change changes[256];

    *out = (struct awaited){0};
    while (r->seen < until) {
        long count = tailnet_changes(nm->tailnet, r->seen, until, changes, 256);
        if (count < 0)
            out->urgent = true;
        for (long i = 0; i < count; i++) {
            out->urgent |= (changes[i].mask & URGENT) || changes[i].route_moved;
            out->reachable |= changes[i].reachable;
        }
        out->any |= count != 0;
        if (count < 256)
            break;
        r->seen = changes[count - 1].seq;
    }
    if (r->seen < until)
        r->seen = until;
    if (out->urgent)
        r->urgent = r->seen;
}

/* ms between two rounds. */
static int64_t round_gap(size_t sessions, bool busy)
{
    int64_t least = (int64_t)sessions * ROUND_SHARE_US / 1000, easy = (int64_t)sessions * ROUND_EASY_SHARE_US / 1000;

    if (busy || least > ROUND_BUSY_MS)
        return ROUND_BUSY_MS;
    if (least >= ROUND_EASY_MS)
        return least;
    return easy < ROUND_MS ? ROUND_MS : easy < ROUND_EASY_MS ? easy : ROUND_EASY_MS;
}

int64_t netmap_rounds_look(struct netmap *nm, struct netmap_rounds *r, uint64_t until, size_t sessions, bool busy,
                           int64_t now_ms)
{
    struct awaited awaited;

    look(nm, r, until, &awaited);
    if (!awaited.any && !r->waiting)
        return -1;
    r->hasty |= awaited.reachable;
    int64_t gap = round_gap(sessions, busy);
    if (r->hasty && gap <= ROUND_EASY_MS)
        gap /= HASTE;
    if (awaited.urgent || now_ms - r->last_ms >= gap) {
        r->waiting = r->hasty = false;
        r->last_ms = now_ms;
        return 0;
    }
    r->waiting = true;
    return r->last_ms + gap - now_ms;
}
