/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/flood.h"

/* Go's client updates its windows twice (stream and connection) per 4 KiB that it reads, so it may send that many
 * updates for the bytes sent to it, and some more. */
#define SENT_PER_WINDOW_UPDATE 1024

static const struct {
    const char *name;
    uint16_t most;       /* capacity */
    uint16_t per_second; /* refill */
} allowances[FLOOD_KINDS] = {
    [FLOOD_RESET] = {"too many streams reset", 100, 10},
    [FLOOD_CONTROL] = {"too many control frames", 128, 16},
    [FLOOD_UNKNOWN] = {"too many frames of unknown types", 4096, 512},
    [FLOOD_WINDOW] = {"too many window updates", 4096, 128},
    [FLOOD_REQUEST] = {"too many requests", 400, 100},
};

void flood_init(struct flood *f, int64_t now)
{
    f->at = now;
    for (unsigned i = 0; i < FLOOD_KINDS; i++)
        f->left[i] = allowances[i].most;
}

static void give(struct flood *f, unsigned kind, uint64_t more)
{
    uint64_t left = f->left[kind] + more;

    f->left[kind] = left < allowances[kind].most ? (uint16_t)left : allowances[kind].most;
}

bool flood_spend(struct flood *f, enum flood_kind kind, int64_t now)
{
    /* Whole seconds only, so that a fraction is neither lost nor credited twice. */
    int64_t seconds = (now - f->at) / 1000;

    if (seconds > 0) {
        f->at += seconds * 1000;
        for (unsigned i = 0; i < FLOOD_KINDS; i++)
            give(f, i, (uint64_t)seconds * allowances[i].per_second);
    }
    if (!f->left[kind])
        return false;
    f->left[kind]--;
    return true;
}

void flood_sent(struct flood *f, size_t bytes)
{
    give(f, FLOOD_WINDOW, bytes / SENT_PER_WINDOW_UPDATE);
}

const char *flood_name(enum flood_kind kind)
{
    return allowances[kind].name;
}
