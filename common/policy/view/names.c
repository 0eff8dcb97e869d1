/* SPDX-License-Identifier: BSD-3-Clause */
/* Resolves names to users, and selectors to devices. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "policy/view/view.h"

const char *mail_domain(const char *email)
{
    const char *at = strrchr(email, '@');
    return at ? at + 1 : "";
}

/* A trailing '@' means "a user without mail address" and is not part of the name. */
static bool name_is(const char *token, const char *name)
{
    size_t len = strlen(token);

    if (len && token[len - 1] == '@')
        len--;
    return *name && strlen(name) == len && memcmp(token, name, len) == 0;
}

/* "oidc:GROUP@PROVIDER": all users that the provider reports to be in the group, whatever their names. */
static bool is_provider_group(const char *token)
{
    return str_starts(token, "oidc:");
}

static bool in_provider_group(const struct vuser *u, const char *token)
{
    return strs_has(&u->groups, token + strlen("oidc:"));
}

static bool user_named(const struct policy_view *v, const char *token, uint32_t user)
{
    const struct vuser *u = &v->users[user];

    if (is_provider_group(token))
        return in_provider_group(u, token);
    if (name_is(token, u->provider_id))
        return true;
    if (!name_is(token, u->email) && !name_is(token, u->name))
        return false;
    for (size_t i = 0; i < v->user_count; i++)
        if (i != user && name_is(token, v->users[i].provider_id))
            return false;
    return true;
}

/* An ambiguous name matches no user (and a policy with it cannot be loaded). */
static void resolve_name(const struct policy_view *v, const char *token, const struct map *by_name,
                         struct vprincipal *out)
{
    size_t len = strlen(token);

    if (is_provider_group(token)) {
        for (uint32_t u = 0; u < v->user_count; u++)
            if (in_provider_group(&v->users[u], token))
                vec_push(&out->users, u);
        return;
    }
    if (len && token[len - 1] == '@')
        len--;
    struct id_list *found = map_get(by_name, token, len);
    for (size_t i = 0; found && i < found->len; i++)
        if (name_is(token, v->users[found->items[i]].provider_id)) {
            vec_push(&out->users, found->items[i]);
            return;
        }
    if (found && found->len == 1)
        vec_push(&out->users, found->items[0]);
    out->ambiguous = found && found->len > 1;
}

static void index_name(struct map *by_name, const char *name, uint32_t user)
{
    struct id_list *l;

    if (!*name)
        return;
    l = map_gets(by_name, name);
    if (!l) {
        l = mem_alloc(sizeof(*l));
        map_puts(by_name, name, l);
    }
    if (!l->len || l->items[l->len - 1] != user)
        vec_push(l, user);
}

static void resolve_groups(struct policy_view *v)
{
    const struct policy *p = v->p;

    for (size_t i = 0; i < p->principals.len; i++) {
        const struct policy_principal *q = &p->principals.items[i];
        if (q->kind != PRINCIPAL_GROUP || q->group == NONE)
            continue;
        const struct policy_selectors *members = &p->groups.items[q->group].members;
        uint64_t *seen = bits_new(v->user_count / 64 + 1);
        for (size_t j = 0; j < members->len; j++) {
            const struct id_list *users = &v->principals[members->items[j].principal].users;
            for (size_t k = 0; k < users->len; k++)
                bit_set(seen, users->items[k]);
        }
        for_bits(u, seen, v->user_count / 64 + 1) vec_push(&v->principals[i].users, u);
        free(seen);
    }
}

static bool role_fits(enum policy_principal_kind kind, const struct vuser *u)
{
    return kind == PRINCIPAL_OWNER ? u->role == POLICY_OWNER : u->role != POLICY_MEMBER;
}

void names_resolve(struct policy_view *v)
{
    const struct policy *p = v->p;
    struct map by_name = {0};

    for (size_t i = 0; i < p->principals.len; i++) {
        v->principals[i].users.len = 0;
        v->principals[i].ambiguous = false;
    }
    for (uint32_t i = 0; i < v->user_count; i++) {
        index_name(&by_name, v->users[i].provider_id, i);
        index_name(&by_name, v->users[i].email, i);
        index_name(&by_name, v->users[i].name, i);
    }
    for (size_t i = 0; i < p->principals.len; i++) {
        const struct policy_principal *q = &p->principals.items[i];
        struct vprincipal *out = &v->principals[i];

        if (q->kind == PRINCIPAL_USER)
            resolve_name(v, q->text, &by_name, out);
        for (uint32_t u = 0; u < v->user_count; u++)
            if ((q->kind == PRINCIPAL_DOMAIN && strcasecmp(mail_domain(v->users[u].email), q->text) == 0) ||
                ((q->kind == PRINCIPAL_ADMIN || q->kind == PRINCIPAL_OWNER) && role_fits(q->kind, &v->users[u])))
                vec_push(&out->users, u);
            else if (q->kind != PRINCIPAL_DOMAIN && q->kind != PRINCIPAL_ADMIN && q->kind != PRINCIPAL_OWNER)
                break;
    }
    resolve_groups(v);
    for (struct map_entry *e = map_first(&by_name); e; e = map_next(&by_name, e)) {
        struct id_list *l = e->value;
        vec_release(l);
        free(l);
    }
    map_release(&by_name);
    for (size_t i = 0; i < p->principals.len; i++)
        for (size_t j = 0; j < v->principals[i].users.len; j++)
            vec_push(&v->users[v->principals[i].users.items[j]].principals, (uint32_t)i);
}

/* ---- selectors ---- */

uint32_t user_index(const struct policy_view *v, uint64_t id)
{
    uintptr_t known = (uintptr_t)map_getu(&v->user_index, id);

    return known && !v->users[known - 1].gone ? (uint32_t)(known - 1) : NONE;
}

bool user_in(const struct policy_view *v, const struct policy_principal *q, uint32_t user)
{
    const struct vuser *u = &v->users[user];

    switch (q->kind) {
    case PRINCIPAL_USER:
        return user_named(v, q->text, user);
    case PRINCIPAL_DOMAIN:
        return strcasecmp(mail_domain(u->email), q->text + (str_starts(q->text, "user:*@") ? 7 : 0)) == 0;
    case PRINCIPAL_ADMIN:
    case PRINCIPAL_OWNER:
        return role_fits(q->kind, u);
    case PRINCIPAL_MEMBER:
        return true;
    case PRINCIPAL_GROUP:
        for (size_t i = 0; q->group != NONE && i < v->p->groups.items[q->group].members.len; i++) {
            const struct id_list *users = &v->principals[v->p->groups.items[q->group].members.items[i].principal].users;
            for (size_t j = 0; j < users->len; j++)
                if (users->items[j] == user)
                    return true;
        }
        return false;
    default:
        return false;
    }
}

bool node_matches(const struct policy_view *v, const struct vnode *n, const struct policy_principal *q)
{
    switch (q->kind) {
    case PRINCIPAL_ANY:
    case PRINCIPAL_DANGER:
        return true;
    case PRINCIPAL_TAG:
        return strs_has(&n->tags, q->text);
    case PRINCIPAL_TAGGED:
        return n->tagged;
    case PRINCIPAL_PREFIX:
        return prefix_has_addr(&q->prefix, &n->ipv4) || prefix_has_addr(&q->prefix, &n->ipv6);
    case PRINCIPAL_MEMBER:
        return !n->tagged;
    case PRINCIPAL_INTERNET:
        for (size_t i = 0; i < INTERNET_RANGES; i++)
            if (range_has(&v->internet[i], &n->ipv4) || range_has(&v->internet[i], &n->ipv6))
                return true;
        return false;
    default:
        return !n->tagged && n->user != NONE && user_in(v, q, n->user);
    }
}

/* The users of a selector that names devices by their users, as bits; NULL for other kinds of selectors. */
static uint64_t *selector_users(const struct policy_view *v, const struct policy_principal *q)
{
    size_t words = BITS_WORDS(v->user_count);
    uint64_t *users;

    switch (q->kind) {
    case PRINCIPAL_USER:
    case PRINCIPAL_DOMAIN:
    case PRINCIPAL_ADMIN:
    case PRINCIPAL_OWNER:
        users = bits_new(words);
        for (uint32_t u = 0; u < v->user_count; u++)
            if (user_in(v, q, u))
                bit_set(users, u);
        return users;
    case PRINCIPAL_GROUP:
        users = bits_new(words);
        for (size_t i = 0; q->group != NONE && i < v->p->groups.items[q->group].members.len; i++) {
            const struct id_list *some = &v->principals[v->p->groups.items[q->group].members.items[i].principal].users;
            for (size_t j = 0; j < some->len; j++)
                bit_set(users, some->items[j]);
        }
        return users;
    default:
        return NULL;
    }
}

/* The slots of the devices, ascending. */
static void selector_devices(const struct policy_view *v, const struct policy_principal *q, struct id_list *out)
{
    uint64_t *users = selector_users(v, q), *slots = bits_new(v->slots / 64);

    if (users) {
        for_bits(u, users, BITS_WORDS(v->user_count)) for (size_t i = 0; i < v->users[u].devices.len; i++)
            bit_set(slots, v->users[u].devices.items[i]);
    } else {
        for (uint32_t i = 0; i < v->slots; i++)
            if (v->nodes[i].used && node_matches(v, &v->nodes[i], q))
                bit_set(slots, i);
    }
    for_bits(slot, slots, v->slots / 64) vec_push(out, slot);
    free(users);
    free(slots);
}

void selector_resolve(const struct policy_view *v, const struct policy_principal *q, struct id_list *slots,
                      struct addr_ranges *out)
{
    struct id_list devices = {0};

    if (slots)
        selector_devices(v, q, slots);
    if (!out)
        return;
    switch (q->kind) {
    case PRINCIPAL_PREFIX:
        ranges_push_prefix(out, &q->prefix);
        break;
    case PRINCIPAL_INTERNET:
        for (size_t i = 0; i < INTERNET_RANGES; i++)
            ranges_push(out, &v->internet[i]);
        break;
    case PRINCIPAL_ANY:
        for (size_t i = 0; i < TAILNET_RANGES; i++)
            ranges_push(out, &v->tailnet[i]);
        break;
    case PRINCIPAL_DANGER:
        ranges_push_text(out, "*");
        break;
    default:
        selector_devices(v, q, &devices);
        for (size_t i = 0; i < devices.len; i++) {
            ranges_push_addr(out, &v->nodes[devices.items[i]].ipv4);
            ranges_push_addr(out, &v->nodes[devices.items[i]].ipv6);
        }
        vec_release(&devices);
    }
    ranges_normalise(out);
}
