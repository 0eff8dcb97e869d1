/* SPDX-License-Identifier: BSD-3-Clause */
/* DNS as set by an administrator: each member replaces the configuration's. */
#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/state/dns_values.h"
#include "core/state/journal.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

static void add_list(struct buf *b, const struct strs *list)
{
    if (!list->len)
        buf_adds(b, " none");
    for (size_t i = 0; i < list->len; i++)
        buf_addf(b, "%s %s", i ? "," : "", list->items[i]);
}

static void add_value(struct buf *b, const struct dns_values *v, enum dns_member member)
{
    switch (member) {
    case DNS_MAGIC:
        buf_adds(b, v->magic_dns ? " on" : " off");
        break;
    case DNS_OVERRIDE_LOCAL:
        buf_adds(b, v->override_local ? " on" : " off");
        break;
    case DNS_NAMESERVERS:
        add_list(b, &v->nameservers);
        break;
    case DNS_SPLIT:
        add_list(b, &v->split);
        break;
    case DNS_SEARCH:
        add_list(b, &v->search);
        break;
    }
}

/* The members that changed: other values, or set instead of configured, or the reverse. */
static unsigned difference(const struct dns_settings *old, const struct dns_settings *now)
{
    unsigned both = (old ? old->set : 0) & now->set;

    return ((old ? old->set : 0) ^ now->set) | (old ? dns_values_difference(&old->values, &now->values) & both : 0);
}

static void note_change(struct core_state *s, const struct dns_settings *now, const struct dns_values *effective,
                        unsigned changed)
{
    struct buf b = BUF_INIT(4096);
    unsigned member;

    for (size_t i = 0; core_dns_member(i, &member); i++) {
        if (!(changed & member))
            continue;
        buf_addf(&b, "%s%s", b.len ? "; " : "", dns_member_words(i));
        add_value(&b, now->set & member ? &now->values : effective, (enum dns_member)member);
        if (!(now->set & member))
            buf_adds(&b, " as configured");
    }
    journal(s, &(struct event_note){.id = EVENT_DNS_CHANGED, .object = "dns"}, "DNS: %s", buf_text(&b));
    buf_release(&b);
}

static void set_inverse(struct core_admin *a, const struct dns_settings *old, unsigned changed)
{
    struct core_admin back = {.op = ADMIN_DNS_SET};

    back.given = changed & (old ? old->set : 0);
    back.reset = changed & ~back.given;
    if (old)
        back.dns = old->values; /* borrowed */
    admin_inverse(a, &back);
}

/* The given members as the record will hold them: single domains of splitDNS are changes to the effective list. */
static void take_values(struct core_state *s, const struct core_admin *a, const struct dns_settings *old,
                        struct dns_values *out)
{
    struct dns_values now = {0};

    dns_values_copy(out, &a->dns);
    for (size_t i = 0; i < out->search.len; i++)
        if (config_is_domain(out->search.items[i]))
            config_domain_normal(out->search.items[i]);
    if (!a->flag)
        return;
    core_dns_values(s->config, old, &now);
    dns_split_change(&now.split, &out->split);
    strs_copy(&out->split, &now.split);
    dns_values_release(&now);
}

int admin_dns_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct dns_settings *old = s->dns_work;
    struct dns_values effective = {0}, given = {0};
    int rc = admin_matches(a, old ? old->r.version : 0, e);

    if (rc < 0)
        return rc;
    /* Check the domains as given, before they are merged: each must be valid, even one being removed. */
    if (a->flag && (rc = dns_check(s->config, &a->dns, DNS_SPLIT, &effective, e)) < 0)
        return rc;
    take_values(s, a, old, &given);
    struct dns_settings *fresh = old ? record_edit(old) : dns_settings_new();
    fresh->r.id = 1;
    fresh->set = (fresh->set | a->given) & ~a->reset;
    dns_values_apply(&fresh->values, &given, a->given);
    core_dns_values(s->config, fresh, &effective);
    rc = dns_check(s->config, &given, a->given, &effective, e);
    unsigned changed = rc == 0 ? difference(old, fresh) : 0;
    if (changed) {
        fresh->updated_ns = clock_wall_ns();
        note_change(s, fresh, &effective, changed);
        set_inverse(a, old, changed);
        admin_result(a, fresh);
        tx_put(s, record_ref(fresh));
    } else if (rc == 0) {
        admin_result(a, old ? old : fresh);
        a->version = old ? old->r.version : 0;
    }
    record_unref(fresh);
    dns_values_release(&given);
    dns_values_release(&effective);
    return rc;
}
