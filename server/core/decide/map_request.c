/* SPDX-License-Identifier: BSD-3-Clause */
/* Map requests: what a client reports about itself, and the session of its stream. */
#include "core/decide/map_request.h"
#include "base/clock.h"
#include "core/decide/liveness.h"
#include "core/decide/nearest.h"
#include "core/decide/nodes.h"
#include "core/decide/warnings.h"
#include "core/state/deleted.h"
#include "core/state/message.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "model/hostinfo.h"

static bool same_endpoints(const struct node_live *live, const struct core_map *m)
{
    if (live->endpoint_count != m->endpoint_count)
        return false;
    for (size_t i = 0; i < m->endpoint_count; i++) {
        bool found = false;
        for (size_t k = 0; k < live->endpoint_count && !found; k++)
            found = addr_port_eq(&live->endpoints[k], &m->endpoints[i]);
        if (!found)
            return false;
    }
    return true;
}

/* Endpoints, home relay and NetInfo: published at once, written later. */
static void update_live(struct core_state *s, struct slot *slot, const struct core_map *m)
{
    uint32_t mask = 0;
    bool note = false;

    /* A client that has just started reports no endpoints, seconds before it knows them. The ones that its peers have
     * are the best known until then: without them they would lose the direct path. */
    if (m->has_endpoints && m->endpoint_count && !same_endpoints(&slot->live, m)) {
        free(slot->live.endpoints);
        slot->live.endpoints =
            m->endpoint_count ? mem_dup(m->endpoints, m->endpoint_count * sizeof(*m->endpoints)) : NULL;
        slot->live.endpoint_count = m->endpoint_count;
        mask = CHANGE_ENDPOINTS;
    }
    if (m->info.home_derp && m->info.home_derp != slot->live.home_derp) {
        slot->reachable |= !slot->live.home_derp;
        slot->live.home_derp = m->info.home_derp;
        mask = CHANGE_ENDPOINTS;
    }
    if (m->info.net_info && !str_eq(m->info.net_info, slot->live.net_info)) {
        mem_replace(&slot->live.net_info, m->info.net_info);
        nearest_measured(s, slot);
        note = true;
    }
    if (mask)
        slot_mark(s, slot, mask);
    if (mask || note) {
        slot->live.last_seen_ns = clock_wall_ns();
        store_live(s->store, slot->id, &slot->live);
    }
}

static bool same_record(const struct node *a, const struct node *b)
{
    return memcmp(a->disco_key, b->disco_key, KEY_LEN) == 0 && str_eq(a->hostname, b->hostname) &&
           str_eq(a->given_name, b->given_name) && str_eq(a->hostinfo, b->hostinfo) &&
           str_eq(a->peer_hostinfo, b->peer_hostinfo) && prefixes_eq(&a->available, &b->available) &&
           prefixes_eq(&a->approved, &b->approved) && strs_eq(&a->request_tags, &b->request_tags) &&
           a->cap_version == b->cap_version && a->exit_node_id == b->exit_node_id &&
           str_eq(a->client_version, b->client_version) && a->unseen_login == b->unseen_login;
}

/* An app connector advertises each address that it learns. The approval of one that it no longer advertises would never
 * be used again, and approvals would accumulate for ever. */
static void forget_learned(struct node *n)
{
    for (size_t i = n->approved.len; i-- > 0;) {
        struct prefix p = n->approved.items[i];
        if (p.bits == p.addr.bits && !prefixes_has(&n->available, &p) && str_eq(node_approver(n, &p), "policy"))
            node_disapprove(n, &p);
    }
}

#define LEARNED_MS 1000 /* between records of what an app connector learns, address by address */

/* The sets differ only in single addresses. */
static bool only_addresses(const struct prefixes *a, const struct prefixes *b)
{
    for (size_t i = 0; i < a->len; i++)
        if (a->items[i].bits != a->items[i].addr.bits && !prefixes_has(b, &a->items[i]))
            return false;
    return true;
}

/* What an app connector learns goes into one record per second: the rest waits in the slot. */
static void wait_for_more(struct core_state *s, struct slot *slot, const struct node *old, struct node *n)
{
    int64_t now = clock_mono_ms();

    slot->learned_waits = false;
    if (prefixes_eq(&n->available, &old->available))
        return;
    if (!peer_hostinfo_is_connector(n->peer_hostinfo) || now >= slot->learned_ms + LEARNED_MS ||
        !only_addresses(&n->available, &old->available) || !only_addresses(&old->available, &n->available)) {
        slot->learned_ms = now;
        return;
    }
    prefixes_copy(&slot->learned, &n->available);
    slot->learned_waits = true;
    timer_set(s, slot->learned_ms + LEARNED_MS, TIMER_LEARNED, slot);
    prefixes_copy(&n->available, &old->available);
    n->advertised_ns = old->advertised_ns;
}

void learned_due(struct core_state *s, struct slot *slot)
{
    if (!slot->learned_waits || !slot->work)
        return;
    const struct node *old = record_ref(slot->work);
    struct node *n = node_edit(old);

    n->r.version = old->r.version;
    prefixes_copy(&n->available, &slot->learned);
    n->advertised_ns = clock_wall_ns();
    slot->learned_waits = false;
    slot->learned_ms = clock_mono_ms();
    forget_learned(n);
    node_auto_approve(s, n);
    node_note_routes(s, old, n);
    tx_put(s, n);
    record_unref(old);
}

/* ---- while nothing can be written ---- */

#define UNSAID_MAX 4096 /* pending requests, at most two per node; the oldest are dropped for new ones */
#define UNSAID_MS  10000

static void drop_unsaid(struct core_state *s, struct core_call **at)
{
    struct core_call *call = *at;

    *at = call->next;
    if (!*at)
        s->unsaid_end = at;
    s->unsaid_count--;
    call_free(call);
}

/* Drops what a later request of the node repeats. */
static void forget_unsaid(struct core_state *s, const struct core_map *m)
{
    for (struct core_call **at = &s->unsaid; *at;) {
        const struct core_map *old = (const struct core_map *)*at;
        if (memcmp(old->node_key, m->node_key, KEY_LEN) == 0 && (!m->info.no_hostinfo || old->info.no_hostinfo))
            drop_unsaid(s, at);
        else
            at = &(*at)->next;
    }
}

static void unsaid_done(struct core_call *call);

/* Takes over the call. */
static void add_unsaid(struct core_state *s, struct core_call *call)
{
    forget_unsaid(s, (const struct core_map *)call);
    while (s->unsaid && s->unsaid_count >= UNSAID_MAX)
        drop_unsaid(s, &s->unsaid);
    call->done = unsaid_done;
    call->owner = s;
    call->sender = call->next = NULL;
    *s->unsaid_end = call;
    s->unsaid_end = &call->next;
    s->unsaid_count++;
    timer_set(s, clock_mono_ms() + UNSAID_MS, TIMER_FACTS, NULL);
}

static void unsaid_done(struct core_call *call)
{
    struct core_state *s = call->owner;

    if (!s->unwritable || call->code == ERR_MISSING || call->code == ERR_GONE) {
        call_free(call);
        return;
    }
    call_reset(call);
    add_unsaid(s, call);
}

bool map_requests_unsaid(struct core_state *s, size_t max)
{
    struct core_call *call;

    for (size_t i = 0; i < max && (call = s->unsaid); i++) {
        s->unsaid = call->next;
        if (!s->unsaid)
            s->unsaid_end = &s->unsaid;
        s->unsaid_count--;
        call->next = NULL;
        ((struct core_map *)call)->stream = false; /* the stream is open already, or closed */
        s->deciding_unsaid = true;
        call->run(s, call);
        s->deciding_unsaid = false;
    }
    return s->unsaid != NULL;
}

void map_requests_release(struct core_state *s)
{
    while (s->unsaid)
        drop_unsaid(s, &s->unsaid);
}

static bool is_kept_back(const struct core_state *s, const struct slot *slot)
{
    return s->unwritable && !s->deciding_unsaid && slot->published;
}

/* Returns true when a new record was put. */
static bool update_record(struct core_state *s, struct slot *slot, const struct core_map *m)
{
    const struct node *old = record_ref(slot->work);
    struct node *n = node_edit(old);
    bool take_all = !m->stream || !slot->updated;

    /* The version counts only administrative changes: a laptop on the move does not make an If-Match fail. */
    n->r.version = old->r.version;
    if (m->stream)
        n->unseen_login = 0;
    if (!key_is_zero(m->disco_key) && take_all)
        memcpy(n->disco_key, m->disco_key, KEY_LEN);
    if (take_all && !m->info.no_hostinfo)
        node_apply_info(s, n, &m->info);
    else if (m->info.cap_version)
        n->cap_version = m->info.cap_version;
    if (take_all && !m->info.no_hostinfo)
        wait_for_more(s, slot, old, n);
    if (is_kept_back(s, slot)) {
        if (!same_record(old, n))
            add_unsaid(s, call_copy(m->call.kind, (struct core_call *)(uintptr_t)&m->call));
        record_unref(n);
        record_unref(old);
        return false;
    }
    bool advertises_anew = !prefixes_eq(&n->available, &old->available);
    if (advertises_anew && peer_hostinfo_is_connector(n->peer_hostinfo))
        forget_learned(n);
    bool offers_anew = n->available.len && !str_eq(n->peer_hostinfo, old->peer_hostinfo);
    if (advertises_anew || offers_anew || (n->available.len && !n->approved.len))
        node_auto_approve(s, n);
    bool same = same_record(old, n);
    if (!same) {
        if (advertises_anew)
            node_note_routes(s, old, n);
        tx_put(s, n);
    } else {
        record_unref(n);
    }
    record_unref(old);
    return !same;
}

/* Its client opened a stream, so it has received the answer to its login. */
static bool note_seen(struct core_state *s, const struct slot *slot)
{
    struct node *n = node_edit(slot->work);

    n->r.version = slot->work->r.version;
    n->unseen_login = 0;
    tx_put(s, n);
    return true;
}

void map_request_run(struct core_state *s, struct core_call *call)
{
    struct core_map *m = (struct core_map *)call;
    struct slot *slot = slot_by_node_key(s, m->node_key);

    s->counters.map_requests++;
    if (!slot && deleted_lately(s, m->node_key)) {
        tx_answer_soon(s, call, err_set(&call->err, ERR_GONE, "this node was deleted"));
        return;
    }
    if (!slot || memcmp(slot->work->machine_key, m->machine_key, KEY_LEN) != 0) {
        tx_answer_soon(s, call, err_set(&call->err, ERR_MISSING, "node not found"));
        return;
    }
    bool put = false;
    if (!m->read_only) {
        put = update_record(s, slot, m);
        if (!m->stream || !slot->updated)
            update_live(s, slot, m);
        slot_take_flags(s, slot, &m->flags);
        if (!m->stream)
            slot->updated = true;
    }
    if (m->stream && slot->work->unseen_login && !is_kept_back(s, slot))
        put = note_seen(s, slot);
    if (m->stream && !m->session) /* already open if the call is run again */
        session_open(s, slot, m->info.source ? m->info.source : "", &m->session);
    m->node_id = slot->id;
    m->slot = slot->index;
    m->seq = s->change_seq;
    if (put || !slot->published)
        tx_answer(s, call, 0);
    else
        tx_answer_soon(s, call, 0);
}
