/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers in a binary heap: each knows its position, so stopping one needs no search. */
#include "base/mem.h"
#include "loop/state.h"

static void put(struct loop_heap *h, size_t i, struct loop_timer *t)
{
    h->items[i] = t;
    t->place = i + 1;
}

static void sift_up(struct loop_heap *h, size_t i, struct loop_timer *t)
{
    while (i && h->items[(i - 1) / 2]->due > t->due) {
        put(h, i, h->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, t);
}

static void sift_down(struct loop_heap *h, size_t i, struct loop_timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->len)
            break;
        if (child + 1 < h->len && h->items[child + 1]->due < h->items[child]->due)
            child++;
        if (h->items[child]->due >= t->due)
            break;
        put(h, i, h->items[child]);
        i = child;
    }
    put(h, i, t);
}

static void move(struct loop_heap *h, size_t i, struct loop_timer *t)
{
    if (i && h->items[(i - 1) / 2]->due > t->due)
        sift_up(h, i, t);
    else
        sift_down(h, i, t);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms, void (*run)(struct loop_timer *timer))
{
    struct loop_heap *h = &l->timers;

    /* Never in the turn that sets it: a timer that sets itself again must not block the loop. */
    t->due = l->now + (delay_ms > 1 ? delay_ms : 1);
    t->run = run;
    if (t->place) {
        move(h, t->place - 1, t);
        return;
    }
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->items = mem_resize(h->items, h->cap, sizeof(*h->items));
    }
    h->len++;
    sift_up(h, h->len - 1, t);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
    struct loop_heap *h = &l->timers;

    if (!t->place)
        return;
    size_t i = t->place - 1;
    t->place = 0;
    struct loop_timer *last = h->items[--h->len];
    if (last != t)
        move(h, i, last);
}

int loop_timers_wait(const struct loop *l)
{
    if (!l->timers.len)
        return -1;
    int64_t wait = l->timers.items[0]->due - l->now;
    return wait <= 0 ? 0 : wait > 60000 ? 60000 : (int)wait;
}

void loop_timers_run(struct loop *l)
{
    while (l->timers.len && l->timers.items[0]->due <= l->now) {
        struct loop_timer *t = l->timers.items[0];
        loop_timer_stop(l, t);
        t->run(t);
    }
}
