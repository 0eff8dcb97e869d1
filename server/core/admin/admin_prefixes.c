/* SPDX-License-Identifier: BSD-3-Clause */
/* How single prefixes are served, where that differs from the configuration for all. */
#include "base/array.h"
#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/admin/reset.h"
#include "core/state/journal.h"
#include "core/state/prefixes.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

#define HOLD_DOWN_MAX      (INT64_C(3600) * NS_PER_SECOND) /* as in the configuration */
#define FAILBACK_DELAY_MAX (INT64_C(86400) * NS_PER_SECOND)

static const struct {
    const char *name; /* in /api/headway */
    enum rule_member member;
} members[] = {
    {"failback", RULE_FAILBACK},  {"keep", RULE_KEEP},
    {"holdDown", RULE_HOLD_DOWN}, {"failbackDelay", RULE_FAILBACK_DELAY},
    {"probe", RULE_PROBE},        {"nearest", RULE_NEAREST},
};

/* ---- as JSON ---- */

void core_rule_write(struct json_out *o, const struct core_admin *a)
{
    char text[TIME_TEXT_MAX], address[ADDR_TEXT_MAX];

    if (a->given & RULE_FAILBACK)
        json_put_str(o, "failback", route_failback_name((int)a->rule.failback));
    if (a->given & RULE_KEEP)
        json_put_bool(o, "keep", a->rule.keep == PREFIX_KEEP);
    if (a->given & RULE_HOLD_DOWN)
        json_put_str(o, "holdDown", duration_format(a->rule.hold_down_ns, text));
    if (a->given & RULE_FAILBACK_DELAY)
        json_put_str(o, "failbackDelay", duration_format(a->rule.failback_delay_ns, text));
    if (a->given & RULE_PROBE)
        json_put_str(o, "probe", addr_format(&a->rule.probe, address));
    if (a->given & RULE_NEAREST)
        json_put_bool(o, "nearest", a->rule.nearest == PREFIX_NEAREST);
    if (!a->reset)
        return;
    json_key(o, "reset");
    json_open(o, '[');
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (a->reset & (unsigned)members[i].member)
            json_str(o, members[i].name);
    json_close(o, ']');
}

static int get_failback(const json_t *object, struct core_admin *out, struct err *e)
{
    const char *text = NULL;

    if (json_get_str(object, "failback", &text, e) < 0)
        return ERR_INVALID;
    for (int i = 0; text && i < FAILBACKS; i++)
        if (str_eq(text, route_failback_name(i))) {
            out->rule.failback = (enum route_failback)i;
            out->given |= RULE_FAILBACK;
            return 0;
        }
    return text ? err_field(e, ERR_INVALID, "failback", "'%.60s' is no failback: sticky, oldest or priority", text) : 0;
}

static int get_keep(const json_t *object, struct core_admin *out, struct err *e)
{
    const json_t *given = json_object_get(object, "keep");
    bool keep = false;

    if (json_get_bool(object, "keep", &keep, e) < 0)
        return ERR_INVALID;
    if (json_is_boolean(given)) {
        out->rule.keep = keep ? PREFIX_KEEP : PREFIX_WITHDRAW;
        out->given |= RULE_KEEP;
    }
    return 0;
}

static int get_nearest(const json_t *object, struct core_admin *out, struct err *e)
{
    const json_t *given = json_object_get(object, "nearest");
    bool nearest = false;

    if (json_get_bool(object, "nearest", &nearest, e) < 0)
        return ERR_INVALID;
    if (json_is_boolean(given)) {
        out->rule.nearest = nearest ? PREFIX_NEAREST : PREFIX_ONE_FOR_ALL;
        out->given |= RULE_NEAREST;
    }
    return 0;
}

static int get_duration(const json_t *object, const char *name, enum rule_member member, int64_t max, int64_t *ns,
                        struct core_admin *out, struct err *e)
{
    const char *text = NULL;
    char most[TIME_TEXT_MAX];

    if (json_get_str(object, name, &text, e) < 0)
        return ERR_INVALID;
    if (!text)
        return 0;
    if (duration_parse(text, ns, name, e) < 0)
        return ERR_INVALID;
    if (*ns < 0 || *ns > max)
        return err_field(e, ERR_INVALID, name, "%s must be between 0 and %s, not %.40s", name,
                         duration_format(max, most), text);
    out->given |= (unsigned)member;
    return 0;
}

static int get_probe(const json_t *object, struct core_admin *out, struct err *e)
{
    const char *text = NULL;

    if (json_get_str(object, "probe", &text, e) < 0)
        return ERR_INVALID;
    if (!text)
        return 0;
    if (addr_parse(text, &out->rule.probe, NULL) < 0)
        return err_field(e, ERR_INVALID, "probe", "'%.60s' is no address of a host behind the prefix", text);
    out->given |= RULE_PROBE;
    return 0;
}

static const char *member_of_rule(size_t i, unsigned *bit)
{
    if (i >= ARRAY_LEN(members))
        return NULL;
    *bit = (unsigned)members[i].member;
    return members[i].name;
}

int core_rule_read(const json_t *object, struct core_admin *out, struct err *e)
{
    struct prefix_rule *rule = &out->rule;
    int rc = get_failback(object, out, e);

    if (rc == 0)
        rc = get_keep(object, out, e);
    if (rc == 0)
        rc = get_nearest(object, out, e);
    if (rc == 0)
        rc = get_duration(object, "holdDown", RULE_HOLD_DOWN, HOLD_DOWN_MAX, &rule->hold_down_ns, out, e);
    if (rc == 0)
        rc = get_duration(object, "failbackDelay", RULE_FAILBACK_DELAY, FAILBACK_DELAY_MAX, &rule->failback_delay_ns,
                          out, e);
    if (rc == 0)
        rc = get_probe(object, out, e);
    return rc == 0 ? admin_get_reset(object, member_of_rule, out, e) : rc;
}

/* ---- the operation ---- */

static void add_word(struct buf *b, bool own, const char *what, const char *value)
{
    buf_addf(b, "%s%s%s%s%s", b->len ? ", " : "", what, *value ? " " : "", value, own ? "" : " as configured");
}

/* "failback priority, hold-down 10s as configured": the members in which. The caller owns it. */
static char *text_of_rule(const struct prefix_rule *rule, unsigned which, unsigned own)
{
    const char *keep =
        rule->keep == PREFIX_KEEP ? "kept while nobody can serve it" : "withdrawn while nobody can serve it";
    struct buf b = BUF_INIT(0);
    char text[TIME_TEXT_MAX], address[ADDR_TEXT_MAX];

    if (which & RULE_FAILBACK)
        add_word(&b, own & RULE_FAILBACK, "failback", route_failback_name((int)rule->failback));
    if (which & RULE_KEEP)
        add_word(&b, own & RULE_KEEP, keep, "");
    if (which & RULE_HOLD_DOWN)
        add_word(&b, own & RULE_HOLD_DOWN, "hold-down", duration_format(rule->hold_down_ns, text));
    if (which & RULE_FAILBACK_DELAY)
        add_word(&b, own & RULE_FAILBACK_DELAY, "failback delay", duration_format(rule->failback_delay_ns, text));
    if (which & RULE_PROBE)
        add_word(&b, true, own & RULE_PROBE ? "probe of" : "no probe", addr_format(&rule->probe, address));
    if (which & RULE_NEAREST)
        add_word(&b, own & RULE_NEAREST,
                 rule->nearest == PREFIX_NEAREST ? "served by the nearest router" : "served by one router for all", "");
    return buf_take(&b);
}

static void note_settings(struct core_state *s, const struct prefix_settings *now, unsigned changed)
{
    struct prefix_rule configured = prefix_rule_configured(s->config), rule = prefix_rule_of(now, &configured);
    char prefix[PREFIX_TEXT_MAX];
    char *text = text_of_rule(&rule, changed, prefix_rule_own(&now->rule));

    journal(s,
            &(struct event_note){
                .id = EVENT_PREFIX_SETTINGS, .object = "prefix", .object_name = prefix_format(&now->prefix, prefix)},
            "%s: %s", prefix, text);
    free(text);
}

static void set_inverse(struct core_admin *a, const struct prefix_rule *old, unsigned changed)
{
    struct core_admin back = {.op = ADMIN_PREFIX_SET, .prefixes = a->prefixes, .rule = *old};

    back.given = changed & prefix_rule_own(old);
    back.reset = changed & ~back.given;
    admin_inverse(a, &back);
}

static void put_settings(struct core_state *s, struct prefix_settings *fresh)
{
    if (prefix_rule_own(&fresh->rule)) {
        tx_put(s, fresh);
        return;
    }
    tx_remove(s, fresh);
    record_unref(fresh);
}

int admin_prefix_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    if (a->prefixes.len != 1)
        return err_field(e, ERR_INVALID, "prefix", "one prefix must be given");
    int rc = prefix_rule_check(&a->prefixes.items[0], &a->rule, a->given, e);
    if (rc < 0)
        return rc;
    const struct prefix_settings *old = prefix_settings_find(s, &a->prefixes.items[0]);
    if ((rc = admin_matches(a, old ? old->r.version : 0, e)) < 0)
        return rc;
    struct prefix_settings *fresh = old ? prefix_settings_edit(old) : prefix_settings_new();
    const struct prefix_rule before = fresh->rule;
    fresh->prefix = a->prefixes.items[0];
    prefix_rule_apply(&fresh->rule, &a->rule, a->given, a->reset);
    admin_result(a, fresh);
    unsigned changed = prefix_rule_difference(&fresh->rule, &before);
    if (!changed) {
        record_unref(fresh);
        return 0;
    }
    note_settings(s, fresh, changed);
    set_inverse(a, &before, changed);
    put_settings(s, fresh);
    return 0;
}
