/* SPDX-License-Identifier: BSD-3-Clause */
/* Tailscale SSH: the rules that each node is sent, and the same decision for a pair of nodes. Check rules come before
 * all rules that accept, because clients use the first rule that matches. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/view/view.h"
#include "json/json.h"

static bool in_source(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t slot)
{
    return bit_has(v->lists[r->sources].members, slot);
}

static bool in_destination(const struct policy_view *v, const struct policy_ssh_rule *r, const struct vnode *n)
{
    const struct vclass *c = &v->classes.items[n->class_id];

    for (size_t i = 0; i < r->dst.len; i++)
        if (v->p->principals.items[r->dst.items[i].principal].kind != PRINCIPAL_SELF &&
            bit_has(c->addr, r->dst.items[i].principal))
            return true;
    return false;
}

static bool to_self(const struct policy_view *v, const struct policy_ssh_rule *r)
{
    for (size_t i = 0; i < r->dst.len; i++)
        if (v->p->principals.items[r->dst.items[i].principal].kind == PRINCIPAL_SELF)
            return true;
    return false;
}

/* The local part of a user's mail address in one of the rule's domains, of length *len; NULL if there is none. */
static const char *localpart(const struct policy_ssh_rule *r, const struct vuser *u, size_t *len)
{
    const char *at = strrchr(u->email, '@');

    for (size_t i = 0; at && i < r->localparts.len; i++)
        if (strcasecmp(at + 1, r->localparts.items[i]) == 0 && at > u->email) {
            *len = (size_t)(at - u->email);
            return u->email;
        }
    return NULL;
}

/* ---- writing ---- */

static void write_action(const struct policy_ssh_rule *r, const char *base, struct json_out *o)
{
    json_key(o, "action");
    json_open(o, '{');
    if (r->check) {
        struct buf url = BUF_INIT(4096);
        buf_adds(&url, base);
        buf_adds(&url, "/machine/ssh/action/$SRC_NODE_ID/to/$DST_NODE_ID?local_user=$LOCAL_USER");
        json_put_str(o, "holdAndDelegate", buf_text(&url));
        buf_release(&url);
    } else {
        json_put_bool(o, "accept", true);
        json_put_bool(o, "allowAgentForwarding", true);
        json_put_bool(o, "allowLocalPortForwarding", true);
        json_put_bool(o, "allowRemotePortForwarding", true);
    }
    json_close(o, '}');
}

static void write_users(const struct policy_ssh_rule *r, struct json_out *o)
{
    const char *root = "";
    struct strs seen = {0};

    for (size_t i = 0; i < r->users.len; i++)
        if (str_eq(r->users.items[i], "root"))
            root = "root";
    json_put_str(o, "root", root);
    for (size_t i = 0; i < r->users.len; i++)
        if (!str_eq(r->users.items[i], "root"))
            strs_push(&seen, r->users.items[i]);
    strs_sort(&seen);
    for (size_t i = 0; i < seen.len; i++)
        if (str_eq(seen.items[i], "autogroup:nonroot"))
            json_put_str(o, "*", "=");
        else
            json_put_str(o, seen.items[i], seen.items[i]);
    strs_release(&seen);
}

/* Writes one rule for these devices; local: only for that login; NULL: for the rule's users. */
static void write_rule(const struct policy_view *v, const struct policy_ssh_rule *r, const struct id_list *from,
                       const char *local, size_t local_len, const char *base, struct json_out *o)
{
    char text[PREFIX_TEXT_MAX];

    if (!from->len)
        return;
    json_open(o, '{');
    json_key(o, "principals");
    json_open(o, '[');
    for (size_t i = 0; i < from->len; i++) {
        const struct vnode *n = &v->nodes[from->items[i]];
        const struct addr *own[2] = {&n->ipv4, &n->ipv6};
        for (size_t k = 0; k < 2; k++) {
            if (!own[k]->bits)
                continue;
            json_open(o, '{');
            json_put_str(o, "nodeIP", addr_format(own[k], text));
            json_close(o, '}');
        }
    }
    json_close(o, ']');
    json_key(o, "sshUsers");
    json_open(o, '{');
    if (local) {
        struct buf name = BUF_INIT(4096);
        buf_add(&name, local, local_len);
        json_put_str(o, buf_text(&name), buf_text(&name));
        buf_release(&name);
    } else {
        write_users(r, o);
    }
    json_close(o, '}');
    write_action(r, base, o);
    if (r->env.len) {
        json_key(o, "acceptEnv");
        json_open(o, '[');
        for (size_t i = 0; i < r->env.len; i++)
            json_str(o, r->env.items[i]);
        json_close(o, ']');
    }
    json_close(o, '}');
}

/* Writes the base rule, followed by the one for the user's own login name. */
static void write_for_user(const struct policy_view *v, const struct policy_ssh_rule *r, const struct id_list *from,
                           uint32_t user, const char *base, struct json_out *o)
{
    size_t len = 0;
    const char *local = user == NONE ? NULL : localpart(r, &v->users[user], &len);

    write_rule(v, r, from, NULL, 0, base, o);
    if (local)
        write_rule(v, r, from, local, len, base, o);
}

static void user_sources(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t user,
                         struct id_list *out)
{
    const struct id_list *devices = &v->users[user].devices;

    for (size_t i = 0; i < devices->len; i++)
        if (in_source(v, r, devices->items[i]))
            vec_push(out, devices->items[i]);
}

static void write_destination(const struct policy_view *v, const struct policy_ssh_rule *r, const char *base,
                              struct json_out *o)
{
    struct id_list tagged = {0}, all = {0};

    for (uint32_t u = 0; u < v->user_count; u++) {
        struct id_list own = {0};
        user_sources(v, r, u, &own);
        if (r->localparts.len)
            write_for_user(v, r, &own, u, base, o);
        for (size_t i = 0; i < own.len; i++)
            vec_push(&all, own.items[i]);
        vec_release(&own);
    }
    for_bits(slot, v->lists[r->sources].members, v->slots / 64) if (v->nodes[slot].user == NONE)
    {
        vec_push(&tagged, slot);
        vec_push(&all, slot);
    }
    write_rule(v, r, r->localparts.len ? &tagged : &all, NULL, 0, base, o);
    vec_release(&tagged);
    vec_release(&all);
}

static void write_entry(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t slot, const char *base,
                        struct json_out *o)
{
    const struct vnode *n = &v->nodes[slot];
    struct id_list own = {0};
    bool self = to_self(v, r) && n->user != NONE, destination = in_destination(v, r, n);

    if (self || (r->localparts.len && !destination && in_source(v, r, slot))) {
        if (n->user != NONE)
            user_sources(v, r, n->user, &own);
        else
            vec_push(&own, slot);
        write_for_user(v, r, &own, n->user, base, o);
        vec_release(&own);
    }
    if (destination)
        write_destination(v, r, base, o);
}

void policy_ssh(const struct policy_view *v, uint32_t slot, const char *base, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '[');
    for (int check = 1; check >= 0 && view_node(v, slot); check--)
        for (size_t i = 0; i < v->p->ssh.len; i++)
            if (v->p->ssh.items[i].check == (check == 1) && v->p->ssh.items[i].dst.len)
                write_entry(v, &v->p->ssh.items[i], slot, base, &o);
    json_close(&o, ']');
}

uint64_t policy_ssh_version(const struct policy_view *v, uint32_t slot)
{
    const struct vnode *n = view_node(v, slot);
    uint64_t version = 0;

    if (!n)
        return 0;
    version = v->classes.items[n->class_id].serial * 31 + n->version;
    for (size_t i = 0; i < v->p->ssh.len; i++)
        if (in_destination(v, &v->p->ssh.items[i], n) || to_self(v, &v->p->ssh.items[i]) ||
            in_source(v, &v->p->ssh.items[i], slot))
            version = (version ^ v->lists[v->p->ssh.items[i].sources].version) * UINT64_C(0x9e3779b97f4a7c15) + i;
    return version;
}

/* ---- one pair ---- */

bool ssh_rule_is_own(const struct policy_view *v, const struct policy_ssh_rule *r)
{
    return r->localparts.len > 0 || to_self(v, r);
}

bool ssh_rule_leads_to(const struct policy_view *v, const struct policy_ssh_rule *r, const struct vnode *n)
{
    return r->dst.len && (in_destination(v, r, n) || ssh_rule_is_own(v, r));
}

bool ssh_pair_fits(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t source, uint32_t target)
{
    const struct vnode *a = &v->nodes[source], *b = &v->nodes[target];
    bool own = a->user != NONE ? a->user == b->user : source == target;

    if (!in_source(v, r, source) || !r->dst.len)
        return false;
    if (in_destination(v, r, b))
        return true;
    return (to_self(v, r) && a->user != NONE && own) || (r->localparts.len && own && in_source(v, r, target));
}

static bool login_fits(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t source, const char *login)
{
    const struct vnode *n = &v->nodes[source];
    size_t len = 0;

    if (!*login)
        return false;
    for (size_t i = 0; i < r->users.len; i++)
        if (str_eq(r->users.items[i], "autogroup:nonroot") ? !str_eq(login, "root") : str_eq(r->users.items[i], login))
            return true;
    const char *local = n->user == NONE ? NULL : localpart(r, &v->users[n->user], &len);
    return local && strlen(login) == len && memcmp(local, login, len) == 0;
}

enum policy_ssh_verdict policy_ssh_decide(const struct policy_view *v, uint32_t source, uint32_t target,
                                          const char *login, int64_t *period_ns)
{
    if (!view_node(v, source) || !view_node(v, target))
        return POLICY_SSH_DENY;
    for (int check = 1; check >= (login ? 0 : 1); check--)
        for (size_t i = 0; i < v->p->ssh.len; i++) {
            const struct policy_ssh_rule *r = &v->p->ssh.items[i];
            if (r->check != (check == 1) || !ssh_pair_fits(v, r, source, target) ||
                (login && !login_fits(v, r, source, login)))
                continue;
            if (period_ns)
                *period_ns = r->period_ns;
            return r->check ? POLICY_SSH_CHECK : POLICY_SSH_ACCEPT;
        }
    return POLICY_SSH_DENY;
}
