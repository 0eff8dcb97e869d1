/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/request/policy_watch.h"

#include <stdlib.h>

#include "api/request/state.h"
#include "base/map.h"
#include "base/thread.h"
#include "tailnet/policy_input.h"

#define LOOK_MS  1000  /* between checks for a change */
#define STILL_MS 10000 /* waits until nodes stop coming and going ... */
#define LATE_MS  60000 /* ... but no longer than this */
#define PART     50    /* uses at most one part in this many of the time */

struct policy_watch {
    struct api *api;
    struct thread thread;
    atomic_bool stopping;
    /* Used by the thread only. */
    struct policy *policy;
    uint64_t policy_version, seq; /* of the snapshot examined last */
    uint64_t tested, seen;        /* a number for the state that policies depend on: when tested, and now */
    int64_t changed_ms, first_ms; /* when seen last changed; when it first changed since the test */
    int64_t free_ms;              /* no test before this time */
    bool urgent;                  /* the policy has changed */

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;
    struct policy_tests found;
};

/* ---- what a policy looks at ---- */

static void add_texts(struct buf *b, const struct strs *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        buf_add(b, texts->items[i], strlen(texts->items[i]) + 1);
}

static void add_node(struct buf *b, const struct tailnet_node *n)
{
    const struct node *r = n->record;
    struct prefixes effective = {0};

    buf_add(b, &r->r.id, sizeof(r->r.id));
    buf_add(b, &r->user_id, sizeof(r->user_id));
    buf_add(b, &r->authorized, sizeof(r->authorized));
    buf_add(b, &r->ipv4, sizeof(r->ipv4));
    buf_add(b, &r->ipv6, sizeof(r->ipv6));
    add_texts(b, &r->tags);
    if (r->approved.len)
        node_effective(r, &effective);
    buf_add(b, effective.items, effective.len * sizeof(*effective.items));
    prefixes_release(&effective);
}

static uint64_t sum_of(const struct tailnet_snapshot *s)
{
    struct buf b = BUF_INIT(0);

    buf_add(&b, &s->users_version, sizeof(s->users_version));
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (n)
            add_node(&b, n);
    }
    uint64_t sum = map_hash(b.data, b.len);
    buf_release(&b);
    return sum;
}

/* ---- testing ---- */

static void read_policy(struct policy_watch *w, const struct tailnet_snapshot *s)
{
    struct policy_problems problems = {0};

    policy_unref(w->policy);
    w->policy = NULL;
    if (s->policy && *s->policy->text &&
        policy_parse(s->policy->text, strlen(s->policy->text), &w->policy, &problems) < 0)
        w->policy = NULL; /* reported when it was loaded */
    policy_problems_release(&problems);
    w->policy_version = s->policy_version;
}

static void keep(struct policy_watch *w, const struct policy_tests *now)
{
    pthread_mutex_lock(&w->lock);
    bool failed = w->found.failing > 0;
    int64_t since_ns = failed && now->failing ? w->found.since_ns : now->since_ns;
    w->found = *now;
    w->found.since_ns = now->failing ? since_ns : 0;
    pthread_mutex_unlock(&w->lock);
    if (now->failing && !failed)
        log_warn("policy",
                 "expectations in the tests of the policy in force that do not hold any more: %zu; the first: %s",
                 now->failing, now->first);
    else if (!now->failing && failed)
        log_info("policy", "the tests of the policy in force pass again");
}

static void test(struct policy_watch *w, const struct tailnet_snapshot *s)
{
    struct policy_tests now = {.tests = w->policy ? policy_test_count(w->policy) : 0, .since_ns = clock_wall_ns()};
    const struct config *c = api_config(w->api);
    struct policy_problems problems = {0};
    struct tailnet_policy_input input;
    struct policy_view *v = NULL;

    if (now.tests) {
        tailnet_policy_input_init(&input, s, &c->prefixes.v4, &c->prefixes.v6);
        input.tailnet.cancel = &w->stopping;
        v = policy_view_bounded(w->policy, &input.tailnet, NULL, &problems);
        if (v && policy_view_test(v, &problems) == 0)
            policy_problems_release(&problems);
        policy_view_free(v);
        tailnet_policy_input_release(&input);
    }
    config_unref(c);
    now.failing = problems.len;
    if (problems.len) {
        const char *text = problems.items[0].text, lead[] = "test(s) failed: ";
        str_copy(now.first, sizeof(now.first), text + (str_starts(text, lead) ? strlen(lead) : 0));
    }
    text_end_whole(now.first);
    policy_problems_release(&problems);
    if (!atomic_load(&w->stopping))
        keep(w, &now);
}

static void look(struct policy_watch *w)
{
    const struct tailnet_snapshot *s = tailnet_pin(w->api->with.tailnet);
    int64_t now = clock_mono_ms();

    if (s->seq != w->seq) {
        w->seq = s->seq;
        if (s->policy_version != w->policy_version) {
            read_policy(w, s);
            w->urgent = true;
        }
        uint64_t sum = w->policy && policy_test_count(w->policy) ? sum_of(s) : 0;
        if (sum != w->seen) {
            w->first_ms = w->seen == w->tested ? now : w->first_ms;
            w->seen = sum;
            w->changed_ms = now;
        }
    }
    bool due = w->urgent || (w->seen != w->tested && (now - w->changed_ms >= STILL_MS || now - w->first_ms >= LATE_MS));
    if (due && now >= w->free_ms) {
        test(w, s);
        w->tested = w->seen;
        w->urgent = false;
        w->free_ms = clock_mono_ms() + (clock_mono_ms() - now) * PART;
    }
    tailnet_unpin(s);
}

static void *run(void *arg)
{
    struct policy_watch *w = arg;

    pthread_mutex_lock(&w->lock);
    while (!atomic_load(&w->stopping)) {
        pthread_mutex_unlock(&w->lock);
        look(w);
        pthread_mutex_lock(&w->lock);
        if (!atomic_load(&w->stopping))
            thread_cond_wait(&w->wake, &w->lock, clock_mono_ms() + LOOK_MS);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int policy_watch_start(struct api *api, struct policy_watch **out, struct err *e)
{
    struct policy_watch *w = mem_alloc(sizeof(*w));

    w->api = api;
    w->seq = w->policy_version = UINT64_MAX;
    atomic_init(&w->stopping, false);
    pthread_mutex_init(&w->lock, NULL);
    thread_cond_init(&w->wake);
    if (thread_start(&w->thread, "policy tests", run, w, e) < 0) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return e->code;
    }
    *out = w;
    return 0;
}

void policy_watch_stop(struct policy_watch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    thread_join(&w->thread);
    policy_unref(w->policy);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void policy_watch_read(struct policy_watch *w, struct policy_tests *out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->found;
    pthread_mutex_unlock(&w->lock);
}
