/* SPDX-License-Identifier: BSD-3-Clause */
/* The core's thread and its turns, and calls that only this process can make. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "core/admin/policy_change.h"
#include "core/commit.h"
#include "core/decide/exits.h"
#include "core/decide/settings.h"
#include "core/due.h"
#include "core/extra_records.h"
#include "core/load.h"
#include "core/publish.h"
#include "core/state/journal.h"
#include "core/state/queue.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/thread.h"

#define TURN_CALLS 256 /* calls decided together before readers are told */

/* A call that only this process can make: it points to objects in it. */
struct core_setting {
    struct core_call call;
    const struct config *config;
    char *text;
    struct core_listener listener;
    void (*beat)(void);
};

static void setting_free(struct core_call *call)
{
    free(((struct core_setting *)call)->text);
    free(call);
}

static void send_setting(struct core *core, struct core_setting setting,
                         void (*run)(struct core_state *, struct core_call *))
{
    struct core_setting *o = mem_dup(&setting, sizeof(setting));

    queue_post(&core->state.queue, &o->call, run);
}

static void run_reload(struct core_state *s, struct core_call *call)
{
    struct core_setting *o = (struct core_setting *)call;

    settings_reload(s, o->config);
    s->counters.policy_refused = config_policy_is_file(o->config) && !o->text;
    if (o->text)
        core_policy_follow_file(s, o->text);
    config_unref(o->config);
    setting_free(call);
}

void core_reload(struct core *core, const struct config *config)
{
    struct err e = {0};
    char *text = NULL;

    /* Read here because the core itself never waits for a disk. */
    if (config_policy_is_file(config) && core_policy_read_file(config, &text, &e) < 0)
        log_error("policy", "%s: the policy before stays in force", e.message);
    send_setting(core, (struct core_setting){.config = config_ref(config), .text = text}, run_reload);
}

static void run_derp(struct core_state *s, struct core_call *call)
{
    settings_set_derp(s, ((struct core_setting *)call)->text);
    setting_free(call);
}

void core_set_derp(struct core *core, const char *derp_json)
{
    send_setting(core, (struct core_setting){.text = mem_strdup(derp_json)}, run_derp);
}

static void run_records(struct core_state *s, struct core_call *call)
{
    struct core_setting *o = (struct core_setting *)call;

    free(s->records);
    s->records = o->text;
    o->text = NULL;
    settings_from_config(s);
    setting_free(call);
}

static void extra_records_changed(void *arg, char *json)
{
    struct core *core = arg;

    send_setting(core, (struct core_setting){.text = json}, run_records);
}

static void run_beat(struct core_state *s, struct core_call *call)
{
    (void)s;
    ((struct core_setting *)call)->beat();
    setting_free(call);
}

void core_beat(struct core *core, void (*beat)(void))
{
    send_setting(core, (struct core_setting){.beat = beat}, run_beat);
}

static void run_listen(struct core_state *s, struct core_call *call)
{
    const struct core_listener *listener = &((struct core_setting *)call)->listener;

    vec_push(&s->listeners, *listener);
    core_exits_tell_all(s, listener);
    setting_free(call);
}

void core_listen(struct core *core, const struct core_listener *listener)
{
    send_setting(core, (struct core_setting){.listener = *listener}, run_listen);
}

struct barrier {
    struct core_call call;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const void *listener;
    bool passed;
};

static void run_unlisten(struct core_state *s, struct core_call *call)
{
    struct barrier *b = (struct barrier *)call;

    for (size_t i = s->listeners.len; i-- > 0;)
        if (s->listeners.items[i].arg == b->listener)
            vec_remove(&s->listeners, i);
    pthread_mutex_lock(&b->lock);
    b->passed = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void core_unlisten(struct core *core, void *arg)
{
    struct barrier b = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .listener = arg};

    queue_post(&core->state.queue, &b.call, run_unlisten);
    pthread_mutex_lock(&b.lock);
    while (!b.passed)
        pthread_cond_wait(&b.changed, &b.lock);
    pthread_mutex_unlock(&b.lock);
    pthread_mutex_destroy(&b.lock);
    pthread_cond_destroy(&b.changed);
}

void core_counters(struct core *core, struct core_counters *out)
{
    struct call_queue *q = &core->state.queue;

    pthread_mutex_lock(&q->lock);
    *out = core->shown;
    out->queue_length = q->length;
    pthread_mutex_unlock(&q->lock);
}

/* No work is in progress that would come back as a call. */
static bool is_idle(const struct core_state *s)
{
    return !s->flying && !s->jobs && !s->slow_checks;
}

static void show_counters(struct core *core)
{
    pthread_mutex_lock(&core->state.queue.lock);
    core->shown = core->state.counters;
    pthread_mutex_unlock(&core->state.queue.lock);
}

static void *core_thread(void *arg)
{
    struct core *core = arg;
    struct core_state *s = &core->state;
    bool stop = false;

    while (!stop) {
        struct core_call *call = queue_take(&s->queue, timers_next(s), is_idle(s), TURN_CALLS, &stop);
        while (call) {
            struct core_call *next = call->next;
            call->next = NULL;
            s->counters.calls++;
            call->run(s, call);
            call = next;
        }
        due_run(s);
        publish(s);
        tx_give_answers(s);
        tx_submit(s);
        show_counters(core);
    }
    return NULL;
}

static void core_free(struct core *core)
{
    workers_stop(&core->state.worker);
    workers_stop(&core->state.hasher);
    state_release(&core->state);
    extra_records_close(&core->records);
    queue_release(&core->state.queue);
    free(core);
}

int core_start(const struct config *config, struct tailnet *t, struct store *store, struct core **out, struct err *e)
{
    struct core *core = mem_alloc(sizeof(*core));

    core->state = (struct core_state){.config = config, .tailnet = t, .store = store, .series = 1, .next_session = 1};
    core->state.flying_end = &core->state.flying;
    core->state.answers_end = &core->state.answers;
    core->state.retries_end = &core->state.retries;
    core->state.facts_end = &core->state.facts;
    core->state.unsaid_end = &core->state.unsaid;
    queue_init(&core->state.queue);
    core->state.records =
        extra_records_open(&core->records, config->dns.extra_records_path, extra_records_changed, core);
    int rc = state_load(&core->state, e);
    if (rc == 0)
        rc = workers_start(&core->state.worker, "policy", 1, e);
    if (rc == 0)
        rc = workers_start(&core->state.hasher, "hashes", 1, e);
    if (rc == 0)
        rc = thread_start(&core->thread, "core", core_thread, core, e);
    if (rc < 0) {
        core_free(core);
        return rc;
    }
    struct err why;
    if (extra_records_start(&core->records, &why) < 0)
        log_error("dns", "%s: %s is not read again", why.message, config->dns.extra_records_path);
    *out = core;
    return 0;
}

void core_stop(struct core *core)
{
    if (!core)
        return;
    extra_records_stop(&core->records);
    queue_stop(&core->state.queue);
    thread_join(&core->thread);
    commit_release(&core->state);
    core_free(core);
}
