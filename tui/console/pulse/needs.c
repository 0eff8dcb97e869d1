/* SPDX-License-Identifier: BSD-3-Clause */
/* Each kind of trouble is a row of the table. Few objects with it are listed one by one, many are one line. */
#include "console/pulse/needs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/model/relative_time.h"
#include "console/routes/routes.h"
#include "console/views/keys.h"
#include "console/views/nodes.h"
#include "console/views/pending.h"
#include "model/api_health.h"

#define LISTED_MAX    5 /* objects with the same trouble that are listed one by one */
#define SOON_NS       (INT64_C(3) * 86400 * NS_PER_SECOND)
#define NEED_TEXT_MAX 200

/* ---- what is asked of objects; true: with the trouble in words ---- */

static bool asks_to_join(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    const struct m_pending *p = (const struct m_pending *)row;
    char ago[AGO_MAX];

    snprintf(text, NEED_TEXT_MAX, "asked to join %s ago: approve or reject it",
             span_text(now_ns - p->api.created_ns, ago));
    return p->api.kind == API_PENDING_REGISTER;
}

static bool asks_for_ssh(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    const struct m_pending *p = (const struct m_pending *)row;

    (void)now_ns;
    snprintf(text, NEED_TEXT_MAX, "SSH session waits for approval: %.120s", p->ssh ? p->ssh : "");
    return p->api.kind == API_PENDING_SSH;
}

static const struct m_node *node_of(const struct row *row)
{
    return (const struct m_node *)row;
}

static bool is_not_approved(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    (void)now_ns;
    str_copy(text, NEED_TEXT_MAX, "is registered and waits for approval");
    return node_of(row)->api.needs_approval;
}

static bool has_waiting_routes(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    const struct m_node *n = node_of(row);
    size_t used = 0, named = 0;

    (void)now_ns;
    if (!n->waiting)
        return false;
    used += (size_t)snprintf(text, NEED_TEXT_MAX, "%u route%s not approved:", n->waiting, n->waiting == 1 ? "" : "s");
    for (size_t i = 0; i < n->routes.len && named < 3; i++)
        if (n->routes.items[i]->api.state == ROUTE_AVAILABLE) {
            used += (size_t)snprintf(text + used, NEED_TEXT_MAX - used, "%s %s", named ? "," : "",
                                     n->routes.items[i]->row.key);
            named++;
        }
    if (named < n->waiting)
        snprintf(text + used, NEED_TEXT_MAX - used, " and %zu more", n->waiting - named);
    return true;
}

static bool does_not_answer(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    (void)now_ns;
    str_copy(text, NEED_TEXT_MAX, "is connected, but answers no probe");
    return node_of(row)->api.online && !node_of(row)->api.healthy;
}

static bool warns(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    const struct api_list *warnings = &node_of(row)->api.warnings;
    char since[AGO_MAX];

    if (!warnings->len)
        return false;
    const struct api_warning *w = api_at(warnings, struct api_warning, 0);
    snprintf(text, NEED_TEXT_MAX, "for %s: %.150s", span_text(now_ns - w->since_ns, since), w->text);
    return true;
}

static bool key_expires(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    int64_t expiry_ns = node_of(row)->api.expiry_ns;
    char left[AGO_MAX];

    /* That of a router is the server's to report. */
    if (!expiry_ns || node_of(row)->api.expired || node_of(row)->approved || expiry_ns <= now_ns ||
        expiry_ns - now_ns > SOON_NS)
        return false;
    snprintf(text, NEED_TEXT_MAX, "its key expires in %s", span_text(expiry_ns - now_ns, left));
    return true;
}

static bool routes_with_expired_key(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    (void)now_ns;
    str_copy(text, NEED_TEXT_MAX, "its key is expired, and it has approved routes");
    return node_of(row)->api.expired && node_of(row)->approved;
}

/* Routers of a prefix that were approved and are there; able: which carry it, or could. */
static bool count_routers(const struct m_prefix *p, unsigned *able, unsigned *members)
{
    *able = *members = 0;
    for (size_t i = 0; i < p->api.routers.len && !p->api.exit; i++) {
        int state = router_at(p, i)->state;

        *members += state != ROUTE_AVAILABLE && state != ROUTE_APPROVED;
        *able += state == ROUTE_SERVING || (state == ROUTE_STANDBY && !router_is_drained(p, i));
    }
    return *members > 0;
}

static bool nobody_serves(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    const struct m_prefix *p = (const struct m_prefix *)row;
    unsigned able, members;

    (void)now_ns;
    str_copy(text, NEED_TEXT_MAX, "nobody serves it: no approved router is able to");
    return count_routers(p, &able, &members) && !able;
}

static bool is_degraded(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    const struct m_prefix *p = (const struct m_prefix *)row;
    unsigned able, members;

    (void)now_ns;
    if (!count_routers(p, &able, &members) || !able || able >= members)
        return false;
    snprintf(text, NEED_TEXT_MAX, "%u of %u routers able to serve it, %s does", able, members,
             *p->api.primary_name ? p->api.primary_name : "nobody");
    return true;
}

static bool credential_expires(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    int64_t expiry_ns = key_row_expiry_ns(row);
    char left[AGO_MAX];

    if (!expiry_ns || expiry_ns <= now_ns || expiry_ns - now_ns > SOON_NS)
        return false;
    snprintf(text, NEED_TEXT_MAX, "expires in %s", span_text(expiry_ns - now_ns, left));
    return true;
}

static bool reusable_key_expires(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX])
{
    return ((const struct m_preauth_key *)row)->api.reusable && !((const struct m_preauth_key *)row)->api.revoked &&
           credential_expires(row, now_ns, text);
}

/* ---- the table ---- */

static const struct need_kind {
    const char *code;
    int severity; /* enum event_weight */
    enum row_kind of;
    bool (*holds)(const struct row *row, int64_t now_ns, char text[NEED_TEXT_MAX]);
    const char *one, *many; /* "%zu many": where they are too many to be listed; one: names an object without a name */
    struct need_place place;
} need_kinds[] = {
    {"prefix-unserved",
     WEIGHT_ALARM,
     ROW_PREFIX,
     nobody_serves,
     "",
     "prefixes are served by nobody",
     {&routes_view, "prefix", ""}},
    {"node-unhealthy",
     WEIGHT_ALARM,
     ROW_NODE,
     does_not_answer,
     "",
     "nodes are connected, but answer no probe",
     {&nodes_view, "", "unhealthy"}},
    {"router-key-expired",
     WEIGHT_ALARM,
     ROW_NODE,
     routes_with_expired_key,
     "",
     "routers have an expired key",
     {&nodes_view, "", "expired"}},
    {"prefix-degraded",
     WEIGHT_WARN,
     ROW_PREFIX,
     is_degraded,
     "",
     "prefixes have fewer routers able to serve them than approved",
     {&routes_view, "ha", "degraded"}},
    {"registration-waiting",
     WEIGHT_WARN,
     ROW_PENDING,
     asks_to_join,
     "a registration",
     "registrations wait for approval",
     {&pending_view, "registrations", ""}},
    {"node-waiting",
     WEIGHT_WARN,
     ROW_NODE,
     is_not_approved,
     "",
     "nodes wait for approval",
     {&pending_view, "machines", ""}},
    {"ssh-waiting",
     WEIGHT_WARN,
     ROW_PENDING,
     asks_for_ssh,
     "an SSH session",
     "SSH sessions wait for approval",
     {&pending_view, "registrations", ""}},
    {"routes-waiting",
     WEIGHT_WARN,
     ROW_NODE,
     has_waiting_routes,
     "",
     "nodes have routes that are not approved",
     {&routes_view, "node", "waiting"}},
    {"node-warned", WEIGHT_WARN, ROW_NODE, warns, "", "nodes have warnings", {&nodes_view, "", "is:warned"}},
    {"node-key-expires",
     WEIGHT_CHANGE,
     ROW_NODE,
     key_expires,
     "",
     "nodes have keys that expire within 3 days",
     {&nodes_view, "", "exp<3d !expired"}},
    {"preauth-key-expires",
     WEIGHT_CHANGE,
     ROW_PREAUTH_KEY,
     reusable_key_expires,
     "",
     "reusable pre-auth keys expire within 3 days",
     {&keys_view, "pre-auth", ""}},
    {"api-key-expires",
     WEIGHT_CHANGE,
     ROW_API_KEY,
     credential_expires,
     "",
     "API keys expire within 3 days",
     {&keys_view, "api", ""}},
};

const struct need_place *needs_place(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(need_kinds); i++)
        if (str_eq(need_kinds[i].code, code))
            return &need_kinds[i].place;
    return NULL;
}

static void name_object(const struct need_kind *kind, const struct row *row, char *name, size_t size)
{
    char *title = row_title(row);

    str_copy(name, size, *title ? title : kind->one);
    free(title);
}

static void find_kind(const struct need_kind *kind, const struct model *m, int64_t now_ns, struct model_delta *out)
{
    const struct row_table *t = model_table(m, kind->of);
    const struct row *found[LISTED_MAX];
    char text[NEED_TEXT_MAX], name[NEED_TEXT_MAX];
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++)
        if (!t->rows.items[i]->gone_ms && kind->holds(t->rows.items[i], now_ns, text)) {
            if (count < LISTED_MAX)
                found[count] = t->rows.items[i];
            count++;
        }
    if (count > LISTED_MAX) {
        snprintf(name, sizeof(name), "%zu", count);
        vec_push(&out->rows, row_need(kind->code, kind->severity, NULL, name, kind->many));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        kind->holds(found[i], now_ns, text);
        name_object(kind, found[i], name, sizeof(name));
        vec_push(&out->rows, row_need(kind->code, kind->severity, found[i], name, text));
    }
}

/* ---- what the server says ---- */

/* What is found here as well, and sooner. */
static bool is_found_here(const char *code)
{
    return needs_place(code) || str_eq(code, "router-unhealthy");
}

static const struct row *object_of(const struct model *m, const struct api_health_reason *r)
{
    const struct m_node *node = r->object_id ? model_node(m, r->object_id) : NULL;

    if (node)
        return &node->row;
    return str_eq(r->object, "prefix") ? model_find(m, ROW_PREFIX, r->object_name) : NULL;
}

static void add_reason(const struct model *m, const struct api_health_reason *r, struct model_delta *out)
{
    const struct row *of = object_of(m, r);
    int severity = r->severity >= WEIGHT_INFO && r->severity <= WEIGHT_ALARM ? r->severity : WEIGHT_WARN;
    struct row *row = row_need(r->code, severity, of, *r->object_name ? r->object_name : r->object, r->text);

    if (!of) {
        char *key = mem_format("%s %s", r->code, r->object_name);

        mem_replace(&row->key, key);
        free(key);
    }
    vec_push(&out->rows, row);
}

void needs_find(const struct model *m, const struct api_list *reasons, int64_t now_ns, struct model_delta *out)
{
    const struct row_table *was = model_table(m, ROW_NEED);
    struct map now = {0};

    *out = (struct model_delta){0};
    for (size_t i = 0; i < ARRAY_LEN(need_kinds); i++)
        if (reasons || MODEL_PAST & 1U << need_kinds[i].of)
            find_kind(&need_kinds[i], m, now_ns, out);
    for (size_t i = 0; reasons && i < reasons->len; i++)
        if (!is_found_here(api_at(reasons, struct api_health_reason, i)->code))
            add_reason(m, api_at(reasons, struct api_health_reason, i), out);
    for (size_t i = 0; i < out->rows.len; i++)
        map_puts(&now, out->rows.items[i]->key, out->rows.items[i]);
    for (size_t i = 0; i < was->rows.len; i++)
        if (!was->rows.items[i]->gone_ms && !map_gets(&now, was->rows.items[i]->key))
            vec_push(&out->gone, ((struct gone){.kind = ROW_NEED, .key = mem_strdup(was->rows.items[i]->key)}));
    map_release(&now);
}
