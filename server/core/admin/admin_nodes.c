/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes: names, tags, expiry, deletion, addresses; and registrations decided by a person. */
#include "base/clock.h"
#include "core/admin/operations.h"
#include "core/decide/nodes.h"
#include "core/decide/policy_view.h"
#include "core/state/addresses.h"
#include "core/state/journal.h"
#include "core/state/names.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

static int find(struct core_state *s, const struct core_admin *a, struct slot **out, struct err *e)
{
    *out = slot_by_id(s, a->id);
    if (!*out)
        return err_field(e, ERR_MISSING, "id", "node not found: %llu", (unsigned long long)a->id);
    return admin_matches(a, (*out)->work->r.version, e);
}

static struct event_note note(enum event_id id, const struct node *n)
{
    return (struct event_note){.id = id, .object = "node", .object_id = n->r.id, .object_name = n->given_name};
}

int admin_node_rename(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    char name[64];
    int rc = find(s, a, &slot, e);

    if (rc < 0 || (rc = name_check(s, a->name ? a->name : "", slot, name, e)) < 0)
        return rc;
    const struct node *old = slot->work;
    if (str_eq(old->given_name, name) && old->name_given) {
        admin_result(a, old);
        return 0;
    }
    struct node *n = node_edit(old);
    mem_replace(&n->given_name, name);
    n->name_given = true;
    if (str_eq(old->given_name, name)) { /* the name is fixed from now on */
        admin_result(a, n);
        tx_put(s, n);
        return 0;
    }
    struct event_note x = note(EVENT_NODE_RENAMED, n);
    journal(s, &x, "%s is now called %s", old->given_name, n->given_name);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_NODE_RENAME, .id = n->r.id, .name = old->given_name});
    admin_result(a, n);
    tx_put(s, n);
    return 0;
}

int admin_check_tag(const char *tag, const char *field, struct err *e)
{
    int rc = str_check(tag, 128, false, field, e);

    if (rc < 0)
        return rc;
    if (!str_starts(tag, "tag:") || !tag[4])
        return err_field(e, ERR_INVALID, field, "tag must start with the string 'tag:': '%.80s'", tag);
    for (const char *c = tag; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            return err_field(e, ERR_INVALID, field, "tag should be lowercase: '%.80s'", tag);
        if (*c == ' ')
            return err_field(e, ERR_INVALID, field, "tags must not contain spaces: '%.80s'", tag);
    }
    return 0;
}

static int check_tags(struct core_state *s, const struct strs *tags, struct err *e)
{
    for (size_t i = 0; i < tags->len; i++) {
        const char *tag = tags->items[i];
        int rc = admin_check_tag(tag, "tags", e);
        if (rc < 0)
            return rc;
        if (!core_policy_knows_tag(s, tag))
            return err_field(e, ERR_INVALID, "tags",
                             "requested tags [%s] are invalid or not permitted: the policy's tagOwners do not name it",
                             tag);
    }
    return 0;
}

static char *text_of_tags(const struct strs *tags)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < tags->len; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", tags->items[i]);
    return buf_take(&b);
}

int admin_node_tags(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    if (!a->tags.len)
        return err_field(e, ERR_INVALID, "tags",
                         "cannot remove all tags from a node - tagged nodes must have at least one tag");
    if ((rc = check_tags(s, &a->tags, e)) < 0)
        return rc;
    const struct node *old = slot->work;
    struct node *n = node_edit(old);
    strs_copy(&n->tags, &a->tags);
    strs_sort(&n->tags);
    n->user_id = 0;
    if (!old->tags.len)
        n->expiry_ns = 0; /* a tagged node expires only if an administrator sets a time */
    char *list = text_of_tags(&n->tags);
    struct event_note x = note(EVENT_NODE_TAGGED, n);
    journal(s, &x, "%s now has the tags %s", n->given_name, list);
    free(list);
    if (old->tags.len)
        admin_inverse(a, &(struct core_admin){.op = ADMIN_NODE_TAGS, .id = n->r.id, .tags = old->tags});
    node_auto_approve(s, n);
    admin_result(a, n);
    tx_put(s, n);
    return 0;
}

int admin_node_expire(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);
    char when[TIME_TEXT_MAX];

    if (rc < 0)
        return rc;
    const struct node *old = slot->work;
    struct node *n = node_edit(old);
    n->expiry_ns = a->flag ? 0 : a->time_ns ? a->time_ns : clock_wall_ns();
    struct event_note x = note(EVENT_NODE_EXPIRY, n);
    admin_inverse(a, &(struct core_admin){
                         .op = ADMIN_NODE_EXPIRE, .id = n->r.id, .time_ns = old->expiry_ns, .flag = !old->expiry_ns});
    if (n->expiry_ns)
        journal(s, &x, "The key of %s expires at %s", n->given_name, time_format(n->expiry_ns, when));
    else
        journal(s, &x, "The key of %s no longer expires", n->given_name);
    admin_result(a, n);
    tx_put(s, n);
    return 0;
}

int admin_node_authorize(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    const struct node *old = slot->work;
    if (old->authorized == a->flag) {
        admin_result(a, old);
        return 0;
    }
    struct node *n = node_edit(old);
    n->authorized = a->flag;
    n->authorized_ns = clock_wall_ns();
    mem_replace(&n->authorized_by, a->actor ? a->actor : "server");
    struct event_note x = note(n->authorized ? EVENT_NODE_AUTHORIZED : EVENT_NODE_UNAUTHORIZED, n);
    journal(s, &x,
            n->authorized ? "%s was approved: it takes part in the tailnet"
                          : "%s is no longer approved: it reaches nobody and nobody reaches it",
            n->given_name);
    admin_inverse(a, &(struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = n->r.id, .flag = old->authorized});
    if (n->authorized)
        node_auto_approve(s, n);
    admin_result(a, n);
    tx_put(s, n);
    return 0;
}

int admin_node_delete(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct slot *slot;
    int rc = find(s, a, &slot, e);

    if (rc < 0)
        return rc;
    admin_result(a, slot->work);
    slot_delete(s, slot, NULL, "by an administrator");
    return 0;
}

static void assign(struct core_state *s, struct node *n, struct address_pool *al, struct addr *a, const char *family,
                   struct buf *lines)
{
    char text[PREFIX_TEXT_MAX];

    if (al->range.addr.bits && !a->bits && address_allocate(s, al, a, NULL) == 0)
        buf_addf(lines, "assigned %s \"%s\" to Node(%llu) \"%s\"\n", family, addr_format(a, text),
                 (unsigned long long)n->r.id, n->given_name);
    else if (!al->range.addr.bits && a->bits) {
        buf_addf(lines, "removing %s \"%s\" from Node(%llu) \"%s\"\n", family, addr_format(a, text),
                 (unsigned long long)n->r.id, n->given_name);
        *a = (struct addr){0};
    }
}

int admin_backfill(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct buf lines = BUF_INIT(0);

    (void)e;
    for (size_t i = 0; i < s->slots.len; i++) {
        const struct node *old = s->slots.items[i]->work;
        if (!old)
            continue;
        struct node *n = node_edit(old);
        assign(s, n, &s->v4, &n->ipv4, "IPv4", &lines);
        assign(s, n, &s->v6, &n->ipv6, "IPv6", &lines);
        if (addr_eq(&n->ipv4, &old->ipv4) && addr_eq(&n->ipv6, &old->ipv6))
            record_unref(n);
        else
            tx_put(s, n);
    }
    a->secret = buf_take(&lines);
    return 0;
}
