/* SPDX-License-Identifier: BSD-3-Clause */
/* One function per check; each adds what it finds. The codes are part of the API: programs compare them. */
#include "api/view/health_reasons.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/request/policy_watch.h"
#include "base/vec.h"
#include "model/events.h"
#include "model/hostinfo.h"
#include "policy/policy.h"
#include "routes/routes.h"
#include "tailscale/tailscale.h"

#define OLD_NS             (3600 * NS_PER_SECOND) /* what has awaited an administrator this long is reported */
#define NAMED_MAX          5
#define GROUP_PREFIXES_MAX 1024 /* examined for each via group */
/* Time before a certificate ends; for short-lived ones at most one part in 6, and one in 30. */
#define CERTIFICATE_NS (14 * 86400 * NS_PER_SECOND)
#define LAST_DAYS_NS   (3 * 86400 * NS_PER_SECOND)

struct health_scan {
    struct api_view *v;
    const struct tailnet_snapshot *s;
    struct arena *a;
    int64_t now_ns;
    VEC(struct api_health_reason) found;
    uint64_t count;
    struct prefixes unserved;
    uint64_t unserved_count;
    struct api_certificate *certificate;
};

enum reason_code {
    REASON_DATABASE,
    REASON_UNSERVED,
    REASON_GROUP_UNSERVED,
    REASON_KEPT,
    REASON_ROUTER_UNHEALTHY,
    REASON_NOT_FORWARDING,
    REASON_EXIT_DOWN,
    REASON_APP,
    REASON_POLICY,
    REASON_POLICY_TESTS,
    REASON_RELAY,
    REASON_LOGIN,
    REASON_CERTIFICATE,
    REASON_RENEWAL,
    REASON_ROUTER_KEY,
    REASON_APPROVAL,
    REASON_ROUTES,
    REASON_PENDING,
    REASON_WEBHOOK,
};

static const struct {
    const char *code, *object;
    enum event_weight severity;
} codes[] = {
    [REASON_DATABASE] = {"database-failing", "server", WEIGHT_ALARM},
    [REASON_UNSERVED] = {"prefix-unserved", "prefix", WEIGHT_ALARM},
    [REASON_GROUP_UNSERVED] = {"group-unserved", "prefix", WEIGHT_ALARM},
    [REASON_KEPT] = {"prefix-router-offline", "prefix", WEIGHT_ALARM},
    [REASON_ROUTER_UNHEALTHY] = {"router-unhealthy", "node", WEIGHT_ALARM},
    [REASON_NOT_FORWARDING] = {"router-not-forwarding", "node", WEIGHT_ALARM},
    [REASON_EXIT_DOWN] = {"exit-node-down", "node", WEIGHT_ALARM},
    [REASON_APP] = {"app-unserved", "app", WEIGHT_ALARM},
    [REASON_POLICY] = {"policy-not-loaded", "policy", WEIGHT_ALARM},
    [REASON_POLICY_TESTS] = {"policy-tests-failing", "policy", WEIGHT_ALARM},
    [REASON_RELAY] = {"relay-unreachable", "relay", WEIGHT_ALARM},
    [REASON_LOGIN] = {"login-unavailable", "login", WEIGHT_WARN},
    [REASON_CERTIFICATE] = {"certificate-expires", "certificate", WEIGHT_WARN},
    [REASON_RENEWAL] = {"certificate-not-issued", "certificate", WEIGHT_WARN},
    [REASON_ROUTER_KEY] = {"router-key-expires", "node", WEIGHT_WARN},
    [REASON_APPROVAL] = {"node-waiting", "node", WEIGHT_WARN},
    [REASON_ROUTES] = {"routes-waiting", "node", WEIGHT_WARN},
    [REASON_PENDING] = {"registration-waiting", "pending", WEIGHT_WARN},
    [REASON_WEBHOOK] = {"webhook-failing", "webhook", WEIGHT_WARN},
};

struct about { /* the subject of a reason */
    uint64_t id;
    const char *name;
    int64_t since_ns;
    bool urgent; /* an alarm, whatever the table says */
};

static void add(struct health_scan *h, enum reason_code code, struct about about, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void add(struct health_scan *h, enum reason_code code, struct about about, const char *format, ...)
{
    char text[400];
    va_list args;

    h->count++;
    if (h->found.len >= HEALTH_REASONS_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_end_whole(text);
    int severity = about.urgent ? WEIGHT_ALARM : (int)codes[code].severity;
    size_t place = h->found.len;
    while (place && h->found.items[place - 1].severity < severity)
        place--;
    *vec_insert(&h->found, place) = (struct api_health_reason){.code = codes[code].code,
                                                               .severity = severity,
                                                               .object = codes[code].object,
                                                               .object_id = about.id,
                                                               .object_name = arena_strdup(h->a, about.name),
                                                               .text = arena_strdup(h->a, text),
                                                               .since_ns = about.since_ns};
}

static struct about about_node(const struct tailnet_node *n, int64_t since_ns)
{
    return (struct about){n->record->r.id, n->record->given_name, since_ns, false};
}

typedef void node_question(struct health_scan *h, const struct tailnet_node *n);

static void ask_nodes(struct health_scan *h, node_question *ask)
{
    for (uint32_t slot = 0; slot < h->s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(h->s, slot);
        if (n)
            ask(h, n);
    }
}

static bool is_router(const struct tailnet_node *n)
{
    struct prefixes effective = {0};

    if (!n->record->approved.len || !n->record->available.len)
        return false;
    node_effective(n->record, &effective);
    bool is = effective.len > 0;
    prefixes_release(&effective);
    return is;
}

/* ---- prefixes ---- */

static void note_effective(struct health_scan *h, const struct tailnet_node *n)
{
    bool connector = peer_hostinfo_is_connector(n->record->peer_hostinfo);

    for (size_t i = 0; i < n->record->approved.len; i++) {
        const struct prefix *p = &n->record->approved.items[i];
        if (connector && p->bits == p->addr.bits)
            continue; /* learned: the app is reported, not each of its addresses */
        if (!prefix_is_exit(p) && prefixes_has(&n->record->available, p))
            prefixes_add(&h->unserved, p);
    }
}

static void note_served(struct health_scan *h, const struct tailnet_node *n)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < n->serving.len; i++) {
        const struct prefix *p = &n->serving.items[i];
        prefixes_del(&h->unserved, p);
        if (!n->live.online || n->expired)
            add(h, REASON_KEPT, (struct about){0, prefix_format(p, text), n->live.since_ns, false},
                "%s is kept by %s, which is offline: traffic to it is dropped", text, n->record->given_name);
    }
}

static void explain_unserved(struct health_scan *h, const struct api_prefix *p)
{
    char text[PREFIX_TEXT_MAX];
    struct buf why = BUF_INIT(0);

    prefix_format(&p->prefix, text);
    for (size_t i = 0; i < p->routers.len && why.len < 300; i++) {
        const struct api_router *r = api_at(&p->routers, struct api_router, i);
        if (r->state != ROUTE_AVAILABLE && r->state != ROUTE_APPROVED)
            buf_addf(&why, "%s%s: %s", why.len ? "; " : "", r->name, r->reason);
    }
    add(h, REASON_UNSERVED, (struct about){.name = text}, "nobody serves %s: %s", text, buf_text(&why));
    buf_release(&why);
}

static bool is_served_via(const struct tailnet_snapshot *s, const struct prefix *p, const char *via)
{
    for (size_t i = 0; i < s->via_primary_count; i++)
        if (prefix_cmp(&s->via_primaries[i]->prefix, p) == 0 && str_eq(s->via_primaries[i]->tags, via))
            return true;
    return false;
}

/* Sources that grants lead through tags which no router of the prefix has, or none that can serve it. */
static void ask_group(struct health_scan *h, const struct policy_view *v, size_t group)
{
    struct strs tags = {0};
    const char *via = policy_via_group(v, group, &tags);
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < h->unserved.len && i < GROUP_PREFIXES_MAX; i++) {
        const struct prefix *p = &h->unserved.items[i];
        if (!policy_via_concerns(v, group, p) || is_served_via(h->s, p, via))
            continue;
        add(h, REASON_GROUP_UNSERVED, (struct about){.name = prefix_format(p, text)},
            "nobody serves %s to those whom grants lead via %s: no router with it can", text, via);
    }
    strs_release(&tags);
}

static void ask_groups(struct health_scan *h)
{
    if (!h->v->tailnet)
        return;
    const struct policy_view *v = tailnet_policy_read(h->v->tailnet);
    for (size_t i = 0; v && i < policy_via_groups(v); i++)
        ask_group(h, v, i);
    tailnet_policy_done(h->v->tailnet);
}

static void ask_prefixes(struct health_scan *h)
{
    struct api_list list;

    ask_nodes(h, note_effective);
    ask_groups(h);
    ask_nodes(h, note_served);
    for (size_t i = 0; i < h->s->via_primary_count; i++)
        prefixes_del(&h->unserved, &h->s->via_primaries[i]->prefix);
    h->unserved_count = h->unserved.len;
    uint64_t more = h->unserved.len > HEALTH_REASONS_MAX ? h->unserved.len - HEALTH_REASONS_MAX : 0;
    h->unserved.len -= more;
    if (h->unserved.len) {
        show_prefixes(h->v, &h->unserved, h->a, &list);
        for (size_t i = 0; i < list.len; i++)
            explain_unserved(h, api_at(&list, struct api_prefix, i));
    }
    h->count += more;
    prefixes_release(&h->unserved);
}

/* ---- nodes ---- */

static void ask_router(struct health_scan *h, const struct tailnet_node *n)
{
    char text[PREFIX_TEXT_MAX];

    if (!n->live.online || n->expired || !is_router(n))
        return;
    if (!n->live.healthy)
        add(h, REASON_ROUTER_UNHEALTHY, about_node(n, n->live.since_ns), "%s is online but answers no probe",
            n->record->given_name);
    if (n->live.unreachable.len)
        add(h, REASON_NOT_FORWARDING, about_node(n, 0),
            "%s does not forward: the probe target of %s does not answer through it", n->record->given_name,
            prefix_format(&n->live.unreachable.items[0], text));
    else if (node_warnings_has(&n->live.warnings, WARNING_FORWARDING_OFF))
        add(h, REASON_NOT_FORWARDING, about_node(n, 0),
            "%s does not forward: its client says that IP forwarding is off", n->record->given_name);
}

static void ask_exit(struct health_scan *h, const struct tailnet_node *n)
{
    unsigned users = 0;

    if (!node_is_exit(n->record) || (n->live.online && !n->expired))
        return;
    for (uint32_t slot = 0; slot < h->s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *user = snapshot_node(h->s, slot);
        users += user && user->live.online && user->record->exit_node_id == n->record->r.id;
    }
    if (users)
        add(h, REASON_EXIT_DOWN, about_node(n, n->live.since_ns), "exit node %s is offline, and %u %s it",
            n->record->given_name, users, users == 1 ? "node that is online uses" : "nodes that are online use");
}

static void ask_apps(struct health_scan *h, struct tailnet *t)
{
    struct api_list apps;

    show_apps(h->v, t, h->a, &apps);
    for (size_t i = 0; i < apps.len; i++) {
        const struct api_app *app = api_at(&apps, struct api_app, i);
        if (app->ready)
            continue;
        const struct api_app_connector *first = app->connectors.items;
        struct about about = {.name = app->name};
        if (app->connectors.len)
            add(h, REASON_APP, about, "no connector of app %s is ready: %s: %s", app->name, first->name,
                first->trouble);
        else
            add(h, REASON_APP, about, "no connector of app %s is ready: no node has one of its tags", app->name);
    }
}

static void ask_key(struct health_scan *h, const struct tailnet_node *n)
{
    char when[TIME_TEXT_MAX];

    if (tailnet_key_end(n->record, h->now_ns) == KEY_END_FAR || n->expired || n->record->logged_out || !is_router(n))
        return;
    add(h, REASON_ROUTER_KEY, about_node(n, 0), "the key of router %s expires at %s", n->record->given_name,
        time_format(n->record->expiry_ns, when));
}

static void ask_approval(struct health_scan *h, const struct tailnet_node *n)
{
    if (!n->record->authorized && !n->record->authorized_ns && h->now_ns - n->record->created_ns > OLD_NS)
        add(h, REASON_APPROVAL, about_node(n, n->record->created_ns), "%s waits for approval", n->record->given_name);
}

/* A route that an administrator revoked does not await approval. */
static void ask_routes(struct health_scan *h, const struct tailnet_node *n)
{
    const struct node *r = n->record;
    struct buf names = BUF_INIT(0);
    char text[PREFIX_TEXT_MAX];
    size_t waiting = 0;

    if (!r->advertised_ns || h->now_ns - r->advertised_ns < OLD_NS || !r->authorized)
        return;
    for (size_t i = 0; i < r->available.len; i++) {
        const struct prefix *p = &r->available.items[i];
        if (prefixes_has(&r->approved, p) || prefixes_has(&r->removed, p))
            continue;
        if (waiting++ < NAMED_MAX)
            buf_addf(&names, "%s%s", names.len ? ", " : "", prefix_format(p, text));
    }
    if (waiting > NAMED_MAX)
        buf_addf(&names, " and %zu more", waiting - NAMED_MAX);
    if (waiting)
        add(h, REASON_ROUTES, about_node(n, r->advertised_ns), "%s of %s %s for approval", buf_text(&names),
            r->given_name, waiting == 1 ? "waits" : "wait");
    buf_release(&names);
}

/* Reports pending ones once half of their time has passed. */
static void ask_pendings(struct health_scan *h)
{
    char when[TIME_TEXT_MAX];

    for (size_t i = 0; i < h->s->pending_count; i++) {
        const struct pending *p = h->s->pendings[i];
        if (p->expires_ns > h->now_ns && h->now_ns - p->created_ns > p->expires_ns - h->now_ns)
            add(h, REASON_PENDING, (struct about){0, p->auth_id, p->created_ns, false},
                "%s waits for approval until %s",
                p->ssh         ? "an SSH session"
                : *p->hostname ? p->hostname
                               : "a machine",
                time_format(p->expires_ns, when));
    }
}

/* Reports receivers that have failed for long enough to be in the journal. */
static void ask_webhooks(struct health_scan *h)
{
    char when[TIME_TEXT_MAX];

    for (size_t i = 0; i < h->s->webhook_count; i++) {
        const struct webhook *w = h->s->webhooks[i];
        if (!w->reported || w->deleted_ns)
            continue;
        char *host = webhook_host(w->url), *name = mem_format("webhook %llu", (unsigned long long)w->r.id);
        add(h, REASON_WEBHOOK, (struct about){w->r.id, name, w->failing_ns, false},
            "the receiver %s takes no events (%s); next try %s", host, w->trouble, time_format(w->next_ns, when));
        free(host);
        free(name);
    }
}

/* ---- the server ---- */

static void ask_policy(struct health_scan *h, struct api *api)
{
    const struct config *c = api_config(api);
    struct core_counters core;

    core_counters(api->with.core, &core);
    if (core.policy_refused)
        add(h, REASON_POLICY, (struct about){.name = c->policy.path},
            "the policy in %s cannot be used, and the one before stays in force: see the log", c->policy.path);
    config_unref(c);
}

static void ask_policy_tests(struct health_scan *h, struct api *api)
{
    struct policy_tests tests;

    policy_watch_read(api->policy_watch, &tests);
    if (tests.failing)
        add(h, REASON_POLICY_TESTS, (struct about){.name = "tests", .since_ns = tests.since_ns},
            "%zu expectation%s in the tests of the policy in force %s not hold any more; the first: %s", tests.failing,
            tests.failing == 1 ? "" : "s", tests.failing == 1 ? "does" : "do", tests.first);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* For an ordered certificate: what went wrong, and how much time is left. */
static void ask_renewal(struct health_scan *h, const struct acme_status *c)
{
    char next[TIME_TEXT_MAX], ends[TIME_TEXT_MAX];
    struct about about = {.name = c->name, .since_ns = c->trouble_ns, .urgent = !c->ends_ns && *c->trouble};

    if (!c->ends_ns)
        add(h, REASON_RENEWAL, about, "there is no certificate for %s yet, clients cannot connect: %s", c->name,
            *c->trouble ? c->trouble : "it is being ordered");
    else if (*c->trouble)
        add(h, REASON_RENEWAL, about, "the certificate for %s, which ends at %s, was not renewed (again at %s): %s",
            c->name, time_format(c->ends_ns, ends), time_format(c->next_ns, next), c->trouble);
}

static void ask_certificate(struct health_scan *h, struct api *api, const struct acme_status *c)
{
    int64_t life = c->ends_ns - c->begins_ns, left = c->ends_ns - h->now_ns;
    char when[TIME_TEXT_MAX], name[256];

    if (!c->ends_ns && !*c->name)
        return;
    const struct config *config = api_config(api);
    (void)str_copy(name, sizeof(name), *c->name ? c->name : config->tls_cert_path);
    config_unref(config);
    h->certificate = arena_alloc(h->a, sizeof(*h->certificate));
    *h->certificate = (struct api_certificate){.name = arena_strdup(h->a, name),
                                               .automatic = *c->name != '\0',
                                               .ends_ns = c->ends_ns,
                                               .renews_ns = c->renews_ns,
                                               .trouble = *c->trouble ? arena_strdup(h->a, c->trouble) : NULL};
    if (*c->name)
        ask_renewal(h, c);
    if (!c->ends_ns || left > least(CERTIFICATE_NS, life / 6))
        return;
    struct about about = {.name = name, .urgent = left < least(LAST_DAYS_NS, life / 30)};
    add(h, REASON_CERTIFICATE, about, "the certificate %s %s %s at %s", *c->name ? "for" : "in", name,
        left > 0 ? "ends" : "ended", time_format(c->ends_ns, when));
}

static void ask_server(struct health_scan *h, struct api *api)
{
    char trouble[240];
    struct server_facts facts = {0};

    login_trouble(api->login, trouble, sizeof(trouble));
    if (*trouble)
        add(h, REASON_LOGIN, (struct about){.name = "OpenID provider"}, "people cannot log in: %s", trouble);
    if (!api->with.facts)
        return;
    api->with.facts(api->with.arg, &facts);
    if (*facts.relay_trouble)
        add(h, REASON_RELAY, (struct about){.name = "built-in relay"}, "the built-in relay: %s", facts.relay_trouble);
    ask_certificate(h, api, &facts.certificate);
}

void show_health(struct api_view *v, struct api *api, bool database, struct arena *a, struct api_health *out)
{
    struct health_scan h = {.v = v, .s = v->s, .a = a, .now_ns = clock_wall_ns()};

    if (!database)
        add(&h, REASON_DATABASE, (struct about){.name = "database"},
            "the database does not answer, or the last change could not be written");
    ask_policy(&h, api);
    ask_policy_tests(&h, api);
    ask_server(&h, api);
    ask_prefixes(&h);
    ask_nodes(&h, ask_router);
    ask_nodes(&h, ask_exit);
    ask_apps(&h, api->with.tailnet);
    ask_nodes(&h, ask_key);
    ask_nodes(&h, ask_approval);
    ask_nodes(&h, ask_routes);
    ask_pendings(&h);
    ask_webhooks(&h);
    struct api_health_reason *items = arena_alloc(a, (h.found.len + 1) * sizeof(*items));
    if (h.found.len)
        memcpy(items, h.found.items, h.found.len * sizeof(*items));
    *out = (struct api_health){.database = database,
                               .status = !database ? "fail"
                                         : h.count ? "degraded"
                                                   : "pass",
                               .time_ns = h.now_ns,
                               .count = h.count,
                               .unserved = h.unserved_count,
                               .certificate = h.certificate,
                               .reasons = {items, h.found.len}};
    vec_release(&h.found);
}
