/* SPDX-License-Identifier: BSD-3-Clause */
/* What registration and administration share about nodes: what the client reports, who owns the node, what it may
 * do. */
#include "core/decide/nodes.h"
#include "base/clock.h"
#include "core/decide/policy_view.h"
#include "core/state/accounts.h"
#include "core/state/deleted.h"
#include "core/state/journal.h"
#include "core/state/names.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "model/label.h"

void node_apply_info(struct core_state *s, struct node *n, const struct client_info *info)
{
    struct slot *self = map_getu(&s->by_id, n->r.id);

    if (info->hostname && !str_eq(info->hostname, n->hostname)) {
        if (!*n->given_name || (!n->name_given && label_is_derived(n->given_name, n->hostname))) {
            char base[64], name[64];
            label_of_host(info->hostname, base);
            name_unique(s, base, self, name);
            mem_replace(&n->given_name, name);
        }
        mem_replace(&n->hostname, info->hostname);
    }
    if (info->os)
        mem_replace(&n->os, info->os);
    if (info->os_version)
        mem_replace(&n->os_version, info->os_version);
    if (info->client_version)
        mem_replace(&n->client_version, info->client_version);
    if (info->hostinfo)
        mem_replace(&n->hostinfo, info->hostinfo);
    if (info->peer_hostinfo)
        mem_replace(&n->peer_hostinfo, info->peer_hostinfo);
    if (!prefixes_eq(&n->available, &info->routes))
        n->advertised_ns = clock_wall_ns();
    prefixes_copy(&n->available, &info->routes);
    strs_copy(&n->request_tags, &info->request_tags);
    n->exit_node_id = info->exit_node_id;
    if (info->cap_version)
        n->cap_version = info->cap_version;
}

static int refuse_tag(struct err *e, const char *tag, const char *why)
{
    return err_field(e, ERR_DENIED, "tags", "requested tags [%s] are invalid or not permitted: %s", tag, why);
}

/* As in the hosted service: with a tagged key a client may request the key's tags; without, those that tagOwners gives
 * the owner. One inadmissible tag refuses all. */
int node_check_tags(struct core_state *s, const struct strs *tags, const struct user *user,
                    const struct preauth_key *key, struct err *e)
{
    for (size_t i = 0; i < tags->len; i++) {
        const char *tag = tags->items[i];
        if (!str_starts(tag, "tag:") || str_check(tag, 128, false, "tag", NULL) < 0)
            return refuse_tag(e, tag, "a tag starts with 'tag:'");
        if (key && key->tags.len) {
            if (!strs_has(&key->tags, tag))
                return refuse_tag(e, tag, "the key does not carry it");
        } else if (!core_policy_may_tag(s, user, tag)) {
            return refuse_tag(e, tag,
                              user ? "the policy's tagOwners do not give it to the user" : "the key has no user");
        }
    }
    return 0;
}

void node_auto_approve(struct core_state *s, struct node *n)
{
    struct prefixes found = {0};
    struct core_admin back = {.op = ADMIN_ROUTES_EDIT, .id = n->r.id};

    if (!n->authorized)
        return; /* its tags have no effect yet; this runs again when it is approved */
    core_policy_auto_approved(s, n, &found);
    for (size_t i = 0; i < found.len; i++)
        if (node_approve(n, &found.items[i], "policy"))
            prefixes_add(&back.revoke, &found.items[i]);
    if (back.revoke.len) {
        char *names = text_of_prefixes(&back.revoke);
        journal(s,
                &(struct event_note){.id = EVENT_ROUTE_AUTO_APPROVED,
                                     .actor = "policy",
                                     .object = "node",
                                     .object_id = n->r.id,
                                     .object_name = n->given_name,
                                     .detail = detail_of_prefixes(&back.revoke),
                                     .inverse = core_operation_write(&back)},
                "autoApprovers approved %s on %s", names, n->given_name);
        free(names);
    }
    prefixes_release(&found);
    core_admin_release(&back);
}

/* waiting NULL: none await approval. */
static char *detail_of_routes(const struct prefixes *changed, const struct prefixes *waiting)
{
    char *all = detail_of_prefixes(changed);

    if (!waiting || !waiting->len)
        return all;
    char *some = detail_of_prefixes(waiting),
         *both = mem_format("%.*s,\"waiting\":%s", (int)(strlen(all) - 1), all, strchr(some, '['));
    free(all);
    free(some);
    return both;
}

static void note_routes(struct core_state *s, const struct node *n, enum event_id id, const struct prefixes *changed,
                        const struct prefixes *waiting, const char *verb, const char *consequence)
{
    char *actor = mem_format("node %s", n->given_name), *names = text_of_prefixes(changed);

    journal(s,
            &(struct event_note){.id = id,
                                 .actor = actor,
                                 .object = "node",
                                 .object_id = n->r.id,
                                 .object_name = n->given_name,
                                 .caused_by = slot_by_id(s, n->r.id),
                                 .detail = detail_of_routes(changed, waiting)},
            "%s %s %s%s", n->given_name, verb, names, consequence);
    free(actor);
    free(names);
}

/* What is in a but not in b (NULL: empty). */
static void without(const struct prefixes *a, const struct prefixes *b, struct prefixes *out)
{
    for (size_t i = 0; i < a->len; i++)
        if (!b || !prefixes_has(b, &a->items[i]))
            prefixes_add(out, &a->items[i]);
}

static const char *approval_of(const struct prefixes *fresh, size_t waiting)
{
    if (fresh->len == 1)
        return waiting ? ": it waits for approval" : ", which is approved";
    return !waiting                ? ", which are approved"
           : waiting == fresh->len ? ": they wait for approval"
                                   : ": some wait for approval";
}

void node_note_routes(struct core_state *s, const struct node *before, const struct node *after)
{
    struct prefixes fresh = {0}, gone = {0}, waiting = {0};

    without(&after->available, before ? &before->available : NULL, &fresh);
    if (before)
        without(&before->available, &after->available, &gone);
    without(&fresh, &after->approved, &waiting);
    if (fresh.len)
        note_routes(s, after, EVENT_ROUTE_ADVERTISED, &fresh, &waiting, "advertises", approval_of(&fresh, waiting.len));
    if (gone.len)
        note_routes(s, after, EVENT_ROUTE_WITHDRAWN, &gone, NULL, "no longer advertises", "");
    prefixes_release(&fresh);
    prefixes_release(&gone);
    prefixes_release(&waiting);
}

const char *owner_name(struct core_state *s, const struct node *n)
{
    const struct user *u = n->user_id ? find_user(s, n->user_id) : NULL;

    return u ? user_login(u) : n->tags.len ? n->tags.items[0] : "nobody";
}

void slot_delete(struct core_state *s, struct slot *slot, const char *actor, const char *why)
{
    const struct node *n = slot->work;

    journal(s,
            &(struct event_note){.id = EVENT_NODE_DELETED,
                                 .actor = actor,
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = n->given_name},
            "%s was deleted: %s", n->given_name, why);
    if (s->dry)
        return;
    deleted_note(s, n);
    tx_remove(s, n);
}
