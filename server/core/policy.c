/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core asks the policy, and how another one takes its place. Without a policy nobody owns a tag, nothing is
 * approved by itself and every tag may be set by an administrator.
 *
 * There are two views. One holds the users as they are being decided on, and at most the one node that is asked about:
 * it answers what a call is to do. The other is the tailnet's: all nodes as published, kept up to date in place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/private.h"
#include "json/json.h"

#define ASKED_SLOT 0

/* A stored text that is no policy (damage, or of another version) opens nothing: it is replaced over the socket. */
static const char NOTHING[] = "{\"acls\": []}";

static void log_problems(const struct policy_problems *problems, const char *whose)
{
    for (size_t i = 0; i < problems->len; i++) {
        const struct policy_problem *p = &problems->items[i];
        if (p->warning)
            log_warn("policy", "%s, line %u, column %u: %s", whose, p->line, p->column, p->text);
        else
            log_error("policy", "%s, line %u, column %u: %s", whose, p->line, p->column, p->text);
    }
}

static struct policy *parse_stored(const struct policy_text *text)
{
    struct policy_problems problems = {0};
    struct policy *p = NULL;

    if (policy_parse(text->text, strlen(text->text), &p, &problems) < 0) {
        log_problems(&problems, "the stored policy");
        log_error("policy", "the stored policy cannot be read: nothing is allowed until another one is set");
        policy_problems_release(&problems);
        if (policy_parse(NOTHING, sizeof(NOTHING) - 1, &p, &problems) < 0)
            log_error("policy", "the policy that allows nothing cannot be read");
    }
    policy_problems_release(&problems);
    return p;
}

/* What a record means, borrowed. A text is read once: the two that matter are the published one and the next. */
static struct policy *meaning(struct core_state *s, const struct policy_text *text)
{
    if (!text || !*text->text)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (s->meanings[i].text == text)
            return s->meanings[i].policy;
    int at = s->meanings[0].text && s->meanings[0].text == s->policy_published ? 1 : 0;
    struct meaning *m = &s->meanings[at];
    record_unref(m->text);
    policy_unref(m->policy);
    m->text = record_ref(text);
    m->policy = parse_stored(text);
    return m->policy;
}

/* ---- views ---- */

static struct policy_node policy_node_of(uint32_t index, const struct node *n, const struct prefixes *effective,
                                         const struct prefixes *serving)
{
    return (struct policy_node){.slot = index,
                                .id = n->r.id,
                                .user_id = n->user_id,
                                .order = n->r.id,
                                .name = n->given_name,
                                .tags = (const char *const *)n->tags.items,
                                .tag_count = n->tags.len,
                                .ipv4 = n->ipv4,
                                .ipv6 = n->ipv6,
                                .routes = effective->items,
                                .route_count = effective->len,
                                .serving = serving ? serving->items : NULL,
                                .serving_count = serving ? serving->len : 0};
}

static void view_put(struct policy_view *v, const struct slot *slot, const struct node *n)
{
    struct prefixes effective = {0};

    node_effective(n, &effective);
    struct policy_node x = policy_node_of(slot->index, n, &effective, &slot->serving);
    x.online = slot->live.online;
    x.healthy = slot->live.healthy;
    policy_view_put(v, &x);
    prefixes_release(&effective);
}

static const enum policy_role roles[] = {
    [ROLE_MEMBER] = POLICY_MEMBER, [ROLE_ADMIN] = POLICY_ADMIN, [ROLE_OWNER] = POLICY_OWNER};

static bool is_pool(const struct prefix *p)
{
    return p->addr.bits != 0;
}

/* A view of the users (as decided, or as published) without nodes. */
static struct policy_view *view_of_users(struct core_state *s, const struct policy *p, bool published,
                                         const struct policy_view *previous)
{
    struct policy_user *users = mem_alloc((s->users.len + 1) * sizeof(*users));
    struct prefix pools[2];
    struct policy_tailnet t = {.users = users, .pools = pools};

    for (struct map_entry *e = map_first(&s->users); e; e = map_next(&s->users, e)) {
        const struct cell *c = e->value;
        const struct user *u = published ? c->published : c->work;
        if (u)
            users[t.user_count++] = (struct policy_user){.id = u->r.id,
                                                         .name = u->name,
                                                         .email = u->email,
                                                         .provider_id = u->provider_id,
                                                         .role = roles[u->role]};
    }
    if (is_pool(&s->config->prefixes.v4))
        pools[t.pool_count++] = s->config->prefixes.v4;
    if (is_pool(&s->config->prefixes.v6))
        pools[t.pool_count++] = s->config->prefixes.v6;
    struct policy_view *v = policy_view_new(p, &t, previous);
    free(users);
    return v;
}

static struct policy_view *view_of_all(struct core_state *s, const struct policy *p, bool published,
                                       const struct policy_view *previous)
{
    struct policy_view *v = view_of_users(s, p, published, previous);

    for (size_t i = 0; i < s->slots.len; i++) {
        const struct slot *slot = s->slots.items[i];
        const struct node *n = published ? slot->published : slot->work;
        if (slot->id && n)
            view_put(v, slot, n);
    }
    return v;
}

/* The view for decisions; NULL: there is no policy. */
static struct policy_view *decider(struct core_state *s)
{
    struct policy *p = meaning(s, s->policy_work);

    if (s->decider && (s->decider_stale || s->decider_of != p)) {
        policy_view_free(s->decider);
        s->decider = NULL;
    }
    if (!s->decider && p) {
        s->decider = view_of_users(s, p, false, NULL);
        s->decider_of = p;
        s->decider_stale = false;
    }
    return s->decider;
}

void core_policy_publish(struct core_state *s)
{
    bool anew = s->policy_dirty || s->users_dirty;
    struct policy *p = meaning(s, s->policy_published);

    if (!anew && (!p || !s->dirty_slots.len))
        return;
    struct policy_view **at = tailnet_policy_write(s->tailnet), *old = *at;
    if (anew) {
        *at = p ? view_of_all(s, p, true, old) : NULL;
        if (*at || old)
            s->tailnet_dirty |= CHANGE_POLICY;
    }
    for (size_t i = 0; !anew && i < s->dirty_slots.len; i++) {
        const struct slot *slot = s->dirty_slots.items[i];
        if (!slot->published)
            policy_view_remove(old, slot->index);
        else if (slot->dirty != CHANGE_ENDPOINTS)
            view_put(old, slot, slot->published);
    }
    tailnet_policy_written(s->tailnet);
    if (anew)
        policy_view_free(old);
}

void core_policy_release(struct core_state *s)
{
    policy_view_free(s->decider);
    s->decider = NULL;
    for (int i = 0; i < 2; i++) {
        record_unref(s->meanings[i].text);
        policy_unref(s->meanings[i].policy);
    }
}

/* ---- questions ---- */

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag)
{
    const struct policy_view *v = decider(s);

    return v && user && policy_may_tag(v, user->r.id, tag);
}

bool core_policy_knows_tag(struct core_state *s, const char *tag)
{
    const struct policy *p = meaning(s, s->policy_work);

    return !p || policy_has_tag(p, tag);
}

bool core_policy_approves_route(struct core_state *s, const struct node *n, const struct prefix *p)
{
    struct policy_view *v = decider(s);
    struct prefixes none = {0};

    if (!v)
        return false;
    struct policy_node asked = policy_node_of(ASKED_SLOT, n, &none, NULL);
    policy_view_put(v, &asked);
    bool approves = policy_approves(v, ASKED_SLOT, p);
    policy_view_remove(v, ASKED_SLOT);
    return approves;
}

bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms)
{
    struct slot *from = slot_by_id(s, source->r.id), *to = slot_by_id(s, target->r.id);
    int64_t period_ns = 0;
    bool check = false;

    *period_ms = 0;
    const struct policy_view *v = tailnet_policy_read(s->tailnet);
    if (v && from && to)
        check =
            policy_ssh_decide(v, from->index, to->index, user && *user ? user : NULL, &period_ns) == POLICY_SSH_CHECK;
    tailnet_policy_done(s->tailnet);
    *period_ms = period_ns / 1000000;
    return check;
}

/* ---- another policy ---- */

/* What autoApprovers of a new policy approve, they approve for those that advertise already. */
static void approve_all(struct core_state *s)
{
    for (size_t i = 0; i < s->slots.len; i++) {
        const struct slot *slot = s->slots.items[i];
        const struct node *old = slot->id ? slot->work : NULL;
        if (!old || !old->available.len)
            continue;
        struct node *n = node_edit(old);
        node_auto_approve(s, n);
        if (prefixes_eq(&n->approved, &old->approved))
            record_unref(n);
        else
            tx_put(s, n);
    }
}

static char *put_body(const char *text)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_put_str(&o, "policy", text);
    json_close(&o, '}');
    return buf_take(&b);
}

/* The new record, with one reference that is the caller's beside the store's. */
static const struct policy_text *replace(struct core_state *s, const char *text, const char *actor, const char *how)
{
    const struct policy_text *old = s->policy_work;
    struct policy_text *p = policy_text_new();

    p->r.id = s->dry ? 0 : tx_new_id(s, RECORD_POLICY);
    p->r.version = old ? old->r.version + 1 : 1;
    mem_replace(&p->text, text);
    p->updated_ns = clock_wall_ns();
    journal(s,
            &(struct event_note){.id = EVENT_POLICY_CHANGED,
                                 .actor = actor,
                                 .object = "policy",
                                 .object_name = "policy",
                                 .inverse = inverse("PUT", put_body(old ? old->text : ""), "/api/headway/policy")},
            "%s", how);
    const struct policy_text *kept = record_ref(p);
    tx_put(s, p);
    if (!s->dry)
        approve_all(s);
    return kept;
}

/* Reads and checks a text as it would apply to the nodes as they are. */
static int examine(struct core_state *s, const char *text, bool run_tests, struct policy_problems *problems)
{
    struct policy *p = NULL;
    int rc = policy_parse(text, strlen(text), &p, problems);

    if (rc == 0 && p) {
        struct policy_view *v = view_of_all(s, p, false, NULL);
        rc = policy_view_check(v, run_tests, problems);
        policy_view_free(v);
    }
    policy_unref(p);
    return rc;
}

int admin_policy_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    const struct policy_text *old = s->policy_work;
    int rc = admin_matches(a, old ? old->r.version : 0, e);
    struct buf errors = BUF_INIT(0);

    if (rc < 0)
        return rc;
    if (!a->dry_run && config_policy_is_file(s->config))
        return err_set(e, ERR_INVALID, "update is disabled for modes other than 'database'");
    rc = examine(s, a->text, true, &a->problems);
    if (rc < 0) {
        policy_problems_text(&a->problems, &errors);
        err_field(e, (enum err_code)rc, "policy", "%.200s", buf_text(&errors));
        buf_release(&errors);
        return rc;
    }
    if (old ? str_eq(old->text, a->text) : !*a->text) {
        admin_result(a, old);
        return 0;
    }
    const struct policy_text *fresh = replace(
        s, a->text, NULL, *a->text ? "The policy was changed" : "The policy was removed: everything is allowed");
    admin_result(a, fresh);
    record_unref(fresh);
    return 0;
}

/* ---- the policy of a file ---- */

int core_policy_read_file(const struct config *config, char **out, struct err *e)
{
    const char *path = config->policy.path;
    struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    char block[8192];
    size_t n;

    *out = NULL;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_field(e, ERR_IO, "policy.path", "%.160s cannot be read: %s", path, strerrordesc_np(errno));
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(&text, block, n);
    bool failed = ferror(f) || text.failed || memchr(buf_text(&text), 0, text.len);
    fclose(f);
    if (failed) {
        buf_release(&text);
        return err_field(e, ERR_IO, "policy.path", "%.160s cannot be read, is no text or is larger than %u MiB", path,
                         POLICY_TEXT_MAX >> 20);
    }
    *out = buf_take(&text);
    if (!*out)
        *out = mem_strdup("");
    return 0;
}

int core_policy_follow_file(struct core_state *s, const char *text, bool run_tests)
{
    struct policy_problems problems = {0};

    if (s->policy_work && str_eq(s->policy_work->text, text))
        return 0;
    int rc = examine(s, text, run_tests, &problems);
    log_problems(&problems, s->config->policy.path);
    policy_problems_release(&problems);
    if (rc < 0) {
        log_error("policy", "%s is not used%s", s->config->policy.path,
                  s->policy_work ? ": the policy before stays in force" : "");
        return rc;
    }
    record_unref(replace(s, text, "server", "The policy was read from its file"));
    return 0;
}
