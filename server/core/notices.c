/* SPDX-License-Identifier: BSD-3-Clause */
/* Notices to the core that are not answered, sent by whoever has the client's connection. */
#include <stdlib.h>

#include "core/admin/operations.h"
#include "core/decide/liveness.h"
#include "core/decide/pending.h"
#include "core/decide/reach.h"
#include "core/decide/warnings.h"
#include "core/state/journal.h"
#include "core/state/message.h"
#include "core/state/queue.h"
#include "core/thread.h"

static void run_cancel(struct core_state *s, struct core_notice *n)
{
    pending_request_cancel(s, n->number);
}

static void run_session_end(struct core_state *s, struct core_notice *n)
{
    session_end_run(s, n->number, (enum session_end)n->which);
}

static void run_session_dead(struct core_state *s, struct core_notice *n)
{
    session_dead_run(s, n->number, n->ms);
}

static void run_session_health(struct core_state *s, struct core_notice *n)
{
    session_health_run(s, n->number, n->which != 0, n->ms);
}

static void run_node_cloned(struct core_state *s, struct core_notice *n)
{
    node_cloned_run(s, n->number, n->text);
}

static void run_node_warnings(struct core_state *s, struct core_notice *n)
{
    node_warnings_run(s, n->number, &n->warnings);
}

static void run_reach(struct core_state *s, struct core_notice *n)
{
    n->reach.evidence = n->text;
    reach_run(s, &n->reach);
}

static void run_probe_path(struct core_state *s, struct core_notice *n)
{
    probe_path_run(s, n->reach.router, n->number, &n->reach.target);
}

static void run_node_asked(struct core_state *s, struct core_notice *n)
{
    node_asked_run(s, n->number, n->actor, n->text);
}

static void run_followers(struct core_state *s, struct core_notice *n)
{
    note_followers_run(s, n->number, n->which != 0, n->actor, n->text, n->detail);
}

static void run_apikey_seen(struct core_state *s, struct core_notice *n)
{
    apikey_seen_run(s, n->number, n->text);
}

static void run_webhook_progress(struct core_state *s, struct core_notice *n)
{
    n->webhook.trouble = n->text;
    webhook_progress_run(s, &n->webhook);
}

static void run_notice(struct core_state *s, struct core_call *call)
{
    static void (*const runs[CALL_MESSAGES])(struct core_state * s, struct core_notice * n) = {
        [CALL_CANCEL] = run_cancel,
        [CALL_SESSION_END] = run_session_end,
        [CALL_SESSION_DEAD] = run_session_dead,
        [CALL_SESSION_HEALTH] = run_session_health,
        [CALL_NODE_CLONED] = run_node_cloned,
        [CALL_NODE_WARNINGS] = run_node_warnings,
        [CALL_REACH] = run_reach,
        [CALL_PROBE_PATH] = run_probe_path,
        [CALL_NODE_ASKED] = run_node_asked,
        [CALL_FOLLOWERS] = run_followers,
        [CALL_APIKEY_SEEN] = run_apikey_seen,
        [CALL_WEBHOOK_PROGRESS] = run_webhook_progress,
    };

    runs[call->kind->message - call_messages](s, (struct core_notice *)call);
    call_free(call);
}

/* Copies all that the notice points to. */
static void send_notice(struct core *core, enum call_message_id id, struct core_notice notice)
{
#define NOTICE(id) [id] = {.message = &call_messages[id], .size = sizeof(struct core_notice), .run = run_notice }
    static const struct call_kind kinds[CALL_MESSAGES] = {
        NOTICE(CALL_CANCEL),      NOTICE(CALL_SESSION_END),   NOTICE(CALL_SESSION_DEAD), NOTICE(CALL_SESSION_HEALTH),
        NOTICE(CALL_NODE_CLONED), NOTICE(CALL_NODE_WARNINGS), NOTICE(CALL_REACH),        NOTICE(CALL_PROBE_PATH),
        NOTICE(CALL_NODE_ASKED),  NOTICE(CALL_FOLLOWERS),     NOTICE(CALL_APIKEY_SEEN),  NOTICE(CALL_WEBHOOK_PROGRESS),
    };
#undef NOTICE

    (void)queue_send(&core->state.queue, call_copy(&kinds[id], &notice.call));
}

void core_cancel(struct core *core, uint64_t number)
{
    send_notice(core, CALL_CANCEL, (struct core_notice){.number = number});
}

void core_session_end(struct core *core, uint64_t session, enum session_end why)
{
    send_notice(core, CALL_SESSION_END, (struct core_notice){.number = session, .which = why});
}

void core_session_dead(struct core *core, uint64_t session, int64_t heard_ms)
{
    send_notice(core, CALL_SESSION_DEAD, (struct core_notice){.number = session, .ms = heard_ms});
}

void core_session_health(struct core *core, uint64_t session, bool healthy, int64_t asked_ms)
{
    send_notice(core, CALL_SESSION_HEALTH, (struct core_notice){.number = session, .which = healthy, .ms = asked_ms});
}

void core_node_cloned(struct core *core, uint64_t node, const char *where)
{
    send_notice(core, CALL_NODE_CLONED, (struct core_notice){.number = node, .text = where});
}

void core_node_warnings(struct core *core, uint64_t node, const struct node_warnings *now)
{
    send_notice(core, CALL_NODE_WARNINGS, (struct core_notice){.number = node, .warnings = *now});
}

void core_reach(struct core *core, const struct core_reach *reach)
{
    send_notice(core, CALL_REACH, (struct core_notice){.reach = *reach, .text = reach->evidence});
}

void core_probe_path(struct core *core, uint64_t router, uint64_t helper, const struct addr *target)
{
    send_notice(core, CALL_PROBE_PATH,
                (struct core_notice){.number = helper, .reach = {.router = router, .target = *target}});
}

void core_node_asked(struct core *core, uint64_t node, const char *actor, const char *what)
{
    send_notice(core, CALL_NODE_ASKED, (struct core_notice){.number = node, .text = what, .actor = actor});
}

void core_note_followers(struct core *core, const struct core_followers *f)
{
    char *of = detail_of_prefixes(f->prefixes),
         *detail = mem_format("{\"convergenceMs\":%lld,%s", (long long)f->after_ms, of + 1);

    send_notice(core, CALL_FOLLOWERS,
                (struct core_notice){
                    .number = f->node, .which = f->all_follow, .text = f->text, .actor = f->actor, .detail = detail});
    free(of);
    free(detail);
}

void core_apikey_seen(struct core *core, uint64_t id, const char *fast_hash)
{
    send_notice(core, CALL_APIKEY_SEEN, (struct core_notice){.number = id, .text = *fast_hash ? fast_hash : NULL});
}

void core_webhook_progress(struct core *core, const struct core_webhook *p)
{
    send_notice(core, CALL_WEBHOOK_PROGRESS, (struct core_notice){.webhook = *p, .text = p->trouble});
}
