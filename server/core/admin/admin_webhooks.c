/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks: receivers of events by POST. A URL can be a secret (those of chat services are), so the journal names
 * webhooks by number and host. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/state/accounts.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "tailscale/tailscale.h"

#define WEBHOOKS_MAX 50
#define LEAVING_MAX  50 /* that were deleted and wait to be told: each may keep a delivery waiting */

/* Reported after failing for this long: receivers are sometimes just being restarted. */
#define REPORT_NS (10 * 60 * NS_PER_SECOND)

static const struct webhook *find_webhook(struct core_state *s, uint64_t id)
{
    const struct record_pair *c = map_getu(&s->webhooks, id);

    return c ? c->work : NULL;
}

static int named_webhook(struct core_state *s, const struct core_admin *a, const struct webhook **out, struct err *e)
{
    *out = find_webhook(s, a->id);
    if (!*out || (*out)->deleted_ns)
        return err_field(e, ERR_MISSING, "id", "webhook not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->r.version, e);
}

static size_t count_webhooks(struct core_state *s, bool deleted)
{
    size_t count = 0;

    for (struct map_entry *at = map_first(&s->webhooks); at; at = map_next(&s->webhooks, at)) {
        const struct webhook *w = ((const struct record_pair *)at->value)->work;
        count += w && (w->deleted_ns != 0) == deleted;
    }
    return count;
}

static void note(struct core_state *s, enum event_id id, const struct webhook *w, const char *what, const char *why)
{
    char *host = webhook_host(w->url);

    journal(s, &(struct event_note){.id = id, .object = "webhook", .object_id = w->r.id, .object_name = host},
            "Webhook %llu (%s) %s%s", (unsigned long long)w->r.id, host, what, why);
    free(host);
}

/* Starts with the journal's next entry. */
static void begin_here(struct core_state *s, struct webhook *w)
{
    w->run = s->run;
    w->seq = s->event_seq;
}

int admin_webhook_create(struct core_state *s, struct core_admin *a, struct err *e)
{
    const char *url = a->url ? a->url : "", *provider = a->prefix ? a->prefix : "";
    int rc = webhook_check(url, provider, &a->scopes, e);

    if (rc == 0 && count_webhooks(s, false) >= WEBHOOKS_MAX)
        rc = err_set(e, ERR_CONFLICT, "there are %d webhooks already", WEBHOOKS_MAX);
    if (rc == 0 && count_webhooks(s, true) >= LEAVING_MAX)
        rc = err_set(e, ERR_BUSY, "%d webhooks that were deleted are not told of it yet: try again in a minute",
                     LEAVING_MAX);
    if (rc < 0)
        return rc;
    struct webhook *w = webhook_new();
    w->r.id = s->dry ? 0 : tx_new_id(s, RECORD_WEBHOOK);
    mem_replace(&w->url, url);
    mem_replace(&w->provider, provider);
    mem_replace(&w->creator, a->actor ? a->actor : "");
    mem_replace(&w->secret, a->text ? a->text : "");
    strs_copy(&w->subscriptions, &a->scopes);
    strs_sort(&w->subscriptions);
    w->created_ns = w->modified_ns = clock_wall_ns();
    begin_here(s, w);
    admin_result(a, w);
    note(s, EVENT_WEBHOOK_CREATED, w, "was created", "");
    admin_inverse(a, &(struct core_admin){.op = ADMIN_WEBHOOK_DELETE, .id = w->r.id});
    tx_put(s, w);
    return 0;
}

int admin_webhook_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct webhook *old;
    int rc = named_webhook(s, a, &old, e);

    if (rc == 0)
        rc = webhook_check(old->url, old->provider, &a->scopes, e);
    if (rc < 0)
        return rc;
    struct webhook *w = webhook_edit(old);
    strs_copy(&w->subscriptions, &a->scopes);
    strs_sort(&w->subscriptions);
    w->modified_ns = clock_wall_ns();
    admin_result(a, w);
    note(s, EVENT_WEBHOOK_CHANGED, w, "is told of other events now", "");
    admin_inverse(a, &(struct core_admin){.op = ADMIN_WEBHOOK_SET, .id = w->r.id, .scopes = old->subscriptions});
    tx_put(s, w);
    return 0;
}

int admin_webhook_rotate(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct webhook *old;
    int rc = named_webhook(s, a, &old, e);

    if (rc < 0)
        return rc;
    struct webhook *w = webhook_edit(old);
    mem_replace(&w->secret, a->text ? a->text : "");
    w->modified_ns = clock_wall_ns();
    w->next_ns = 0; /* a delivery rejected for its signature may succeed now */
    admin_result(a, w);
    note(s, EVENT_WEBHOOK_ROTATED, w, "has another secret", "");
    tx_put(s, w);
    return 0;
}

/* It remains until its deletion was delivered. */
int admin_webhook_delete(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct webhook *old;
    int rc = named_webhook(s, a, &old, e);

    if (rc < 0)
        return rc;
    struct webhook *w = webhook_edit(old);
    w->deleted_ns = clock_wall_ns();
    w->next_ns = 0;
    w->failures = 0;
    begin_here(s, w);
    admin_result(a, w);
    note(s, EVENT_WEBHOOK_DELETED, w, "was deleted", "");
    tx_put(s, w);
    return 0;
}

int admin_webhook_test(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct webhook *w;
    int rc = named_webhook(s, a, &w, e);

    if (rc < 0)
        return rc;
    admin_result(a, w);
    note(s, EVENT_WEBHOOK_TESTED, w, "is sent a test event", "");
    return 0;
}

static void take_delivery(struct core_state *s, struct webhook *w, const struct core_webhook *p)
{
    bool failed = p->next_ns != 0;

    w->tried_ns = p->tried_ns;
    w->next_ns = p->next_ns;
    w->status = p->status;
    mem_replace(&w->trouble, failed && p->trouble ? p->trouble : "");
    w->failures = failed ? w->failures + 1 : 0;
    if (!failed)
        w->delivered_ns = p->tried_ns;
    if (!failed && w->reported)
        note(s, EVENT_WEBHOOK_RECOVERED, w, "takes events again", "");
    w->failing_ns = !failed ? 0 : w->failing_ns ? w->failing_ns : p->tried_ns;
    bool long_enough = failed && p->tried_ns - w->failing_ns >= REPORT_NS;
    if (long_enough && !w->reported)
        note(s, EVENT_WEBHOOK_FAILING, w, "takes no events: ", w->trouble);
    w->reported = failed && (w->reported || long_enough);
}

/* The version stays: this is no one's change. */
void webhook_progress_run(struct core_state *s, const struct core_webhook *p)
{
    const struct webhook *old = find_webhook(s, p->id);
    char what[64];

    if (!old)
        return;
    if (p->gone && old->deleted_ns) {
        tx_remove(s, old);
        return;
    }
    struct webhook *w = webhook_edit(old);
    w->r.version = old->r.version;
    if (p->run > w->run || (p->run == w->run && p->seq > w->seq)) {
        w->run = p->run;
        w->seq = p->seq;
    }
    w->delivered += p->delivered;
    w->dropped += p->dropped;
    if (p->dropped_said > w->dropped_said)
        w->dropped_said = p->dropped_said;
    if (p->tried)
        take_delivery(s, w, p);
    if (p->dropped) {
        snprintf(what, sizeof(what), "is not told of %llu event%s: ", (unsigned long long)p->dropped,
                 p->dropped == 1 ? "" : "s");
        note(s, EVENT_WEBHOOK_DROPPED, w, what, p->trouble ? p->trouble : "");
    }
    tx_put(s, w);
}
