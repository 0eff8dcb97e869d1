/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread, its queue and its turns. */
#include "core/core.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "core/commit.h"
#include "core/journal.h"
#include "core/kinds.h"
#include "core/liveness.h"
#include "core/load.h"
#include "core/operations.h"
#include "core/pending.h"
#include "core/publish.h"
#include "core/settings.h"
#include "core/thread.h"

#define TURN_CALLS 256 /* decided together before readers are told */

static void enqueue(struct core *core, struct core_call *call)
{
    call->next = NULL;
    bool wake = core->queue == NULL;
    *core->queue_end = call;
    core->queue_end = &call->next;
    core->state.counters.queue_length++;
    if (wake)
        pthread_cond_signal(&core->wake);
}

void core_post(struct core *core, struct core_call *call, void (*run)(struct core_state *, struct core_call *))
{
    call->run = run;
    pthread_mutex_lock(&core->lock);
    enqueue(core, call);
    pthread_mutex_unlock(&core->lock);
}

static uint64_t send_call(struct core *core, enum call_kind_id kind, struct core_call *sender)
{
    struct core_call *call = call_copy(kind, sender);

    pthread_mutex_lock(&core->lock);
    uint64_t number = call->number = ++core->next_number;
    enqueue(core, call);
    pthread_mutex_unlock(&core->lock);
    return number;
}

uint64_t core_register(struct core *core, struct core_register *call)
{
    return send_call(core, CALL_REGISTER, &call->call);
}

void core_map(struct core *core, struct core_map *call)
{
    (void)send_call(core, CALL_MAP, &call->call);
}

void core_admin(struct core *core, struct core_admin *call)
{
    (void)send_call(core, CALL_ADMIN, &call->call);
}

uint64_t core_ssh(struct core *core, struct core_ssh *call)
{
    return send_call(core, CALL_SSH, &call->call);
}

/* Small messages without an answer. */
struct core_notice {
    struct core_call call;
    uint64_t number;
    int which;
    const struct config *config;
    char *text;
    struct core_listener listener;
};

static void notice_free(struct core_call *call)
{
    struct core_notice *o = (struct core_notice *)call;

    free(o->text);
    free(o);
}

static void send_notice(struct core *core, struct core_notice notice,
                        void (*run)(struct core_state *, struct core_call *))
{
    struct core_notice *o = mem_dup(&notice, sizeof(notice));

    core_post(core, &o->call, run);
}

static void run_cancel(struct core_state *s, struct core_call *call)
{
    pending_request_cancel(s, ((struct core_notice *)call)->number);
    notice_free(call);
}

void core_cancel(struct core *core, uint64_t number)
{
    send_notice(core, (struct core_notice){.number = number}, run_cancel);
}

static void run_session_end(struct core_state *s, struct core_call *call)
{
    struct core_notice *o = (struct core_notice *)call;

    session_end_run(s, o->number, (enum session_end)o->which);
    notice_free(call);
}

void core_session_end(struct core *core, uint64_t session, enum session_end why)
{
    send_notice(core, (struct core_notice){.number = session, .which = (int)why}, run_session_end);
}

static void run_health(struct core_state *s, struct core_call *call)
{
    struct core_notice *o = (struct core_notice *)call;

    session_health_run(s, o->number, o->which != 0);
    notice_free(call);
}

void core_session_health(struct core *core, uint64_t session, bool healthy)
{
    send_notice(core, (struct core_notice){.number = session, .which = healthy}, run_health);
}

static void run_cloned(struct core_state *s, struct core_call *call)
{
    node_cloned_run(s, ((struct core_notice *)call)->number, ((struct core_notice *)call)->text);
    notice_free(call);
}

void core_node_cloned(struct core *core, uint64_t node, const char *where)
{
    send_notice(core, (struct core_notice){.number = node, .text = mem_strdup(where)}, run_cloned);
}

static void run_apikey_seen(struct core_state *s, struct core_call *call)
{
    apikey_seen_run(s, ((struct core_notice *)call)->number);
    notice_free(call);
}

void core_apikey_seen(struct core *core, uint64_t id)
{
    send_notice(core, (struct core_notice){.number = id}, run_apikey_seen);
}

static void run_reload(struct core_state *s, struct core_call *call)
{
    struct core_notice *o = (struct core_notice *)call;

    settings_reload(s, o->config);
    if (o->text)
        core_policy_follow_file(s, o->text);
    config_unref(o->config);
    notice_free(call);
}

void core_reload(struct core *core, const struct config *config)
{
    struct err e = {0};
    char *text = NULL;

    /* Read here: the core itself waits for no disk. */
    if (config_policy_is_file(config) && core_policy_read_file(config, &text, &e) < 0)
        log_error("policy", "%s: the policy before stays in force", e.message);
    send_notice(core, (struct core_notice){.config = config_ref(config), .text = text}, run_reload);
}

static void run_derp(struct core_state *s, struct core_call *call)
{
    settings_set_derp(s, ((struct core_notice *)call)->text);
    notice_free(call);
}

void core_set_derp(struct core *core, const char *derp_json)
{
    send_notice(core, (struct core_notice){.text = mem_strdup(derp_json)}, run_derp);
}

static void run_records(struct core_state *s, struct core_call *call)
{
    struct core_notice *o = (struct core_notice *)call;

    free(s->records);
    s->records = o->text;
    o->text = NULL;
    settings_from_config(s);
    notice_free(call);
}

void core_set_extra_records(struct core *core, char *json)
{
    send_notice(core, (struct core_notice){.text = json}, run_records);
}

static void run_listen(struct core_state *s, struct core_call *call)
{
    vec_push(&s->listeners, ((struct core_notice *)call)->listener);
    notice_free(call);
}

void core_listen(struct core *core, const struct core_listener *listener)
{
    send_notice(core, (struct core_notice){.listener = *listener}, run_listen);
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

    core_post(core, &b.call, run_unlisten);
    pthread_mutex_lock(&b.lock);
    while (!b.passed)
        pthread_cond_wait(&b.changed, &b.lock);
    pthread_mutex_unlock(&b.lock);
    pthread_mutex_destroy(&b.lock);
    pthread_cond_destroy(&b.changed);
}

void core_counters(struct core *core, struct core_counters *out)
{
    pthread_mutex_lock(&core->lock);
    *out = core->shown;
    out->queue_length = core->state.counters.queue_length;
    pthread_mutex_unlock(&core->lock);
}

/* Nothing is under way that would come back as a call. */
static bool is_idle(const struct core_state *s)
{
    return !s->flying && !s->jobs;
}

/* Takes at most TURN_CALLS calls; waits for the first, or until a timer is due. NULL: a timer is due, or the end. */
static struct core_call *take(struct core *core, bool *stop)
{
    struct core_call *first;

    pthread_mutex_lock(&core->lock);
    while (!core->queue && !(core->stopping && is_idle(&core->state))) {
        int64_t due = timers_next(&core->state), now = clock_mono_ms();
        if (due <= now)
            break;
        if (due == INT64_MAX) {
            pthread_cond_wait(&core->wake, &core->lock);
            continue;
        }
        if (!thread_cond_wait(&core->wake, &core->lock, due))
            break;
    }
    first = core->queue;
    struct core_call *last = first;
    size_t count = first ? 1 : 0;
    while (last && last->next && count < TURN_CALLS) {
        last = last->next;
        count++;
    }
    if (last) {
        core->queue = last->next;
        last->next = NULL;
        if (!core->queue)
            core->queue_end = &core->queue;
    }
    core->state.counters.queue_length -= count;
    uint64_t length = core->state.counters.queue_length;
    core->shown = core->state.counters;
    core->state.counters.queue_length = length;
    *stop = core->stopping && !core->queue && !first && is_idle(&core->state);
    pthread_mutex_unlock(&core->lock);
    return first;
}

static void *core_thread(void *arg)
{
    struct core *core = arg;
    struct core_state *s = &core->state;
    bool stop = false;

    while (!stop) {
        struct core_call *call = take(core, &stop);
        while (call) {
            struct core_call *next = call->next;
            call->next = NULL;
            s->counters.calls++;
            call->run(s, call);
            call = next;
        }
        timers_run(s);
        publish(s);
        tx_give_answers(s);
        tx_submit(s);
    }
    return NULL;
}

static void core_free(struct core *core)
{
    workers_stop(&core->state.worker);
    state_release(&core->state);
    extra_records_close(&core->records);
    pthread_mutex_destroy(&core->lock);
    pthread_cond_destroy(&core->wake);
    free(core);
}

int core_start(const struct config *config, struct tailnet *t, struct store *store, struct core **out, struct err *e)
{
    struct core *core = mem_alloc(sizeof(*core));

    core->queue_end = &core->queue;
    core->state = (struct core_state){.core = core, .config = config, .tailnet = t, .store = store, .next_session = 1};
    core->state.flying_end = &core->state.flying;
    core->state.answers_end = &core->state.answers;
    pthread_mutex_init(&core->lock, NULL);
    thread_cond_init(&core->wake);
    core->state.records = extra_records_open(&core->records, core, config->dns.extra_records_path);
    int rc = state_load(&core->state, e);
    if (rc == 0)
        rc = workers_start(&core->state.worker, "policy", 1, e);
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
    pthread_mutex_lock(&core->lock);
    core->stopping = true;
    pthread_cond_signal(&core->wake);
    pthread_mutex_unlock(&core->lock);
    thread_join(&core->thread);
    core_free(core);
}
