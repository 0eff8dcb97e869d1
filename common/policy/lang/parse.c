/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses a text into a struct policy: the top level, groups, hosts, tag owners, approvers. Names are defined before
 * rules use them, whatever their order in the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "policy/lang/parse.h"

#define MEMORY_MAX (64U << 20) /* bytes for one policy, during parsing and afterwards */
#define ERRORS_MAX 50          /* syntax errors in a text */

struct policy *policy_alloc(void)
{
    struct policy *p = mem_alloc(sizeof(*p));

    atomic_init(&p->refs, 1);
    p->arena.max = MEMORY_MAX;
    return p;
}

struct policy *policy_ref(const struct policy *p)
{
    struct policy *counted = (struct policy *)(uintptr_t)p;

    if (counted)
        atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
    return counted;
}

static void aliases_release(struct policy_selectors *a)
{
    vec_release(a);
}

static void rule_free(struct policy_rule *r)
{
    aliases_release(&r->src);
    vec_release(&r->dst);
    vec_release(&r->services);
    vec_release(&r->apps);
    vec_release(&r->via);
    free(r);
}

static void rules_release(struct policy *p)
{
    for (size_t i = 0; i < p->rules.len; i++)
        rule_free(p->rules.items[i]);
    vec_release(&p->rules);
    for (size_t i = 0; i < p->units.len; i++)
        vec_release(&p->units.items[i].dst);
    vec_release(&p->units);
    for (size_t i = 0; i < p->lists.len; i++)
        free(p->lists.items[i].principals);
    vec_release(&p->lists);
    map_release(&p->list_index);
}

static void sections_release(struct policy *p)
{
    for (size_t i = 0; i < p->ssh.len; i++) {
        struct policy_ssh_rule *r = &p->ssh.items[i];
        aliases_release(&r->src);
        aliases_release(&r->dst);
        vec_release(&r->users);
        vec_release(&r->localparts);
        vec_release(&r->env);
    }
    vec_release(&p->ssh);
    for (size_t i = 0; i < p->attrs.len; i++) {
        aliases_release(&p->attrs.items[i].target);
        vec_release(&p->attrs.items[i].attrs);
        vec_release(&p->attrs.items[i].pools);
    }
    vec_release(&p->attrs);
    connectors_release(p);
    for (size_t i = 0; i < p->tests.len; i++) {
        vec_release(&p->tests.items[i].accept);
        vec_release(&p->tests.items[i].deny);
    }
    vec_release(&p->tests);
    for (size_t i = 0; i < p->ssh_tests.len; i++) {
        struct policy_ssh_test *t = &p->ssh_tests.items[i];
        vec_release(&t->dst);
        vec_release(&t->accept);
        vec_release(&t->deny);
        vec_release(&t->check);
    }
    vec_release(&p->ssh_tests);
}

void policy_unref(struct policy *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    rules_release(p);
    sections_release(p);
    for (size_t i = 0; i < p->groups.len; i++)
        aliases_release(&p->groups.items[i].members);
    vec_release(&p->groups);
    for (size_t i = 0; i < p->tags.len; i++)
        aliases_release(&p->tags.items[i].owners);
    vec_release(&p->tags);
    for (size_t i = 0; i < p->approvers.len; i++)
        aliases_release(&p->approvers.items[i].who);
    vec_release(&p->approvers);
    aliases_release(&p->exit_approvers);
    vec_release(&p->principals);
    vec_release(&p->hosts);
    vec_release(&p->domain_uses);
    map_release(&p->principal_index);
    map_release(&p->host_index);
    map_release(&p->tag_index);
    map_release(&p->group_index);
    arena_release(&p->arena);
    free(p->text);
    free(p);
}

/* ---- groups ---- */

/* "oidc:GROUP" is a group of the provider named default; another provider follows an '@'. A name with a dot is not a
 * provider but part of the group: "oidc:eng@idm.example.com". */
static int add_provider_group(struct policy_parser *x, struct policy_group *g, struct policy_selector *a)
{
    const char *at = strrchr(a->text, '@');
    bool named = at && at[1] &&
                 strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(at + 1);
    char *whole = mem_format("%s%s", a->text, named ? "" : "@default");

    if (!a->text[strlen("oidc:")] || at == a->text + strlen("oidc:")) {
        free(whole);
        return parse_error(x, a->offset,
                           "\"%s\" names no group of a provider: \"oidc:GROUP\" or \"oidc:GROUP@PROVIDER\"", a->text);
    }
    a->principal = principal_intern(x->p, PRINCIPAL_USER, whole, NULL);
    vec_push(&g->members, *a);
    free(whole);
    return 0;
}

static int add_member(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_group *g = arg;
    struct policy_selector a = {.offset = offset, .text = text};

    if (str_starts(text, "oidc:"))
        return add_provider_group(x, g, &a);
    if (str_starts(text, "group:") && !strchr(text, '@'))
        return ERR_INVALID; /* reported once for all groups */
    if (!strchr(text, '@'))
        return parse_error(
            x, offset, "username must contain @, got: \"%s\" (a user without an email address is \"%s@\")", text, text);
    a.principal = principal_intern(x->p, PRINCIPAL_USER, text, NULL);
    principal_stands_at(x->p, a.principal, offset);
    vec_push(&g->members, a);
    return 0;
}

static void members_read(struct policy_parser *x, const struct hujson *m, struct policy_group *g)
{
    if (field_kind(x, m, HUJSON_ARRAY, "group value must be an array of users: a group") < 0)
        return;
    for (const struct hujson *e = m->first; e; e = e->next)
        if (e->kind == HUJSON_STRING)
            (void)add_member(x, g, e->text, e->start);
        else
            parse_error(x, e->start, "invalid group member type: group \"%s\" expected string", m->name);
}

/* A group with invalid members is still defined, so that its uses are not errors as well. */
static void parse_group(struct policy_parser *x, const struct hujson *m)
{
    struct policy_group g = {.name = m->name};

    if (m->kind == HUJSON_STRING)
        parse_error(x, m->start, "group value must be an array of users: group \"%s\" got string: \"%s\"", m->name,
                    m->text);
    else if (m->kind != HUJSON_NULL)
        members_read(x, m, &g);
    vec_push(&x->p->groups, g);
    map_puts(&x->p->group_index, m->name, (void *)(uintptr_t)x->p->groups.len);
}

static void parse_groups(struct policy_parser *x, const struct hujson *v)
{
    const struct hujson *nested = NULL, *worst = NULL;

    if (!v || field_kind(x, v, HUJSON_OBJECT, "groups") < 0)
        return;
    for (const struct hujson *m = v->first; m; m = m->next)
        if (!str_starts(m->name, "group:"))
            parse_error(x, m->name_start, "group must start with 'group:', got: \"%s\"", m->name);
    /* If several groups contain groups, the one whose name sorts last is reported, with its first such member. */
    for (const struct hujson *m = v->first; m; m = m->next)
        for (const struct hujson *e = m->kind == HUJSON_ARRAY ? m->first : NULL; e; e = e->next)
            if (e->kind == HUJSON_STRING && str_starts(e->text, "group:") && !strchr(e->text, '@') &&
                (!worst || strcmp(m->name, worst->name) > 0)) {
                worst = m;
                nested = e;
            }
    if (nested)
        parse_error(x, nested->start, "groups[\"%s\"]: \"%s\": group members cannot be recursive", worst->name,
                    nested->text);
    for (const struct hujson *m = v->first; m; m = m->next)
        parse_group(x, m);
}

/* ---- hosts ---- */

static void parse_hosts(struct policy_parser *x, const struct hujson *v)
{
    if (!v || field_kind(x, v, HUJSON_OBJECT, "hosts") < 0)
        return;
    for (const struct hujson *m = v->first; m; m = m->next) {
        struct policy_host h = {.name = m->name};

        if (!*m->name || strpbrk(m->name, ":@"))
            parse_error(x, m->name_start, "invalid hostname: \"%s\"", m->name);
        if (field_kind(x, m, HUJSON_STRING, "a host's address") == 0 &&
            prefix_parse(m->text, &h.prefix, NULL, NULL) < 0)
            parse_error(x, m->start, "hostname contains invalid IP address: hostname \"%s\" address \"%s\"", m->name,
                        m->text);
        vec_push(&x->p->hosts, h);
        map_puts(&x->p->host_index, m->name, (void *)(uintptr_t)x->p->hosts.len);
    }
}

/* ---- tagOwners ---- */

struct selector_sink {
    enum selector_place place;
    struct policy_selectors *to;
};

static int add_selector(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct selector_sink *p = arg;
    struct policy_selector a;

    if (selector_parse(x, p->place, text, offset, &a) < 0)
        return ERR_INVALID;
    vec_push(p->to, a);
    return 0;
}

static void parse_owners(struct policy_parser *x, const struct hujson *v)
{
    size_t i = 0;

    if (!v || field_kind(x, v, HUJSON_OBJECT, "tagOwners") < 0)
        return;
    for (const struct hujson *m = v->first; m; m = m->next) {
        struct policy_tag_owner t = {.tag = m->name, .offset = m->name_start};

        char c = str_starts(m->name, "tag:") ? m->name[4] : 'a';
        if (!str_starts(m->name, "tag:"))
            parse_error(x, m->name_start, "tag must start with 'tag:', got: \"%s\"", m->name);
        else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            parse_error(x, m->name_start, "tagOwners[\"%s\"]: tag names must start with a letter, after 'tag:'",
                        m->name);
        vec_push(&x->p->tags, t);
        map_puts(&x->p->tag_index, m->name, (void *)(uintptr_t)x->p->tags.len);
    }
    for (const struct hujson *m = v->first; m; m = m->next, i++) {
        struct selector_sink at = {PLACE_OWNER, &x->p->tags.items[i].owners};

        if (m->kind != HUJSON_NULL)
            (void)field_strings(x, m, "tag owners", add_selector, &at);
    }
}

/* ---- autoApprovers ---- */

static void parse_approvers(struct policy_parser *x, const struct hujson *v)
{
    static const struct policy_field fields[] = {
        {"routes", NULL},
        {"exitNode", NULL},
        {"services", "services are not supported by this server"},
    };
    const struct hujson *found[3];

    if (!v || fields_read(x, v, fields, 3, false, found) < 0)
        return;
    if (found[0] && field_kind(x, found[0], HUJSON_OBJECT, "autoApprovers.routes") < 0)
        found[0] = NULL;
    for (const struct hujson *m = found[0] ? found[0]->first : NULL; m; m = m->next) {
        struct policy_approver a = {0};

        if (!strchr(m->name, '/') || prefix_parse(m->name, &a.prefix, NULL, NULL) < 0)
            parse_error(x, m->name_start, "autoApprovers.routes: \"%s\" is not a prefix such as 10.0.0.0/8", m->name);
        struct selector_sink at = {PLACE_APPROVER, &a.who};
        if (m->kind != HUJSON_NULL)
            (void)field_strings(x, m, "approvers", add_selector, &at);
        vec_push(&x->p->approvers, a);
    }
    struct selector_sink at = {PLACE_APPROVER, &x->p->exit_approvers};
    (void)field_strings(x, found[1], "autoApprovers.exitNode", add_selector, &at);
}

/* ---- the whole ---- */

enum {
    TOP_GROUPS,
    TOP_HOSTS,
    TOP_OWNERS,
    TOP_ACLS,
    TOP_GRANTS,
    TOP_SSH,
    TOP_APPROVERS,
    TOP_ATTRS,
    TOP_TESTS,
    TOP_SSH_TESTS,
    TOP_RANDOM,
    TOP_REFUSED
};

static const struct policy_field top_fields[] = {
    [TOP_GROUPS] = {"groups", NULL},
    [TOP_HOSTS] = {"hosts", NULL},
    [TOP_OWNERS] = {"tagOwners", NULL},
    [TOP_ACLS] = {"acls", NULL},
    [TOP_GRANTS] = {"grants", NULL},
    [TOP_SSH] = {"ssh", NULL},
    [TOP_APPROVERS] = {"autoApprovers", NULL},
    [TOP_ATTRS] = {"nodeAttrs", NULL},
    [TOP_TESTS] = {"tests", NULL},
    [TOP_SSH_TESTS] = {"sshTests", NULL},
    [TOP_RANDOM] = {"randomizeClientPort", NULL},
    [TOP_REFUSED] = {"ipsets", "sets of addresses are not supported by this server: use hosts"},
    {"postures", "device posture is not supported by this server"},
    {"defaultSrcPosture", "device posture is not supported by this server"},
    {"attrConfig", "not supported by this server"},
    {"derpMap", "relays are set in the server's configuration"},
    {"disableIPv4", "use the node attribute disable-ipv4"},
    {"oneCGNATRoute", "not supported by this server"},
};
#define TOP_COUNT (ARRAY_LEN(top_fields))

static int parse_top(struct policy_parser *x, const struct hujson *top)
{
    const struct hujson *f[TOP_COUNT];

    if (field_kind(x, top, HUJSON_OBJECT, "a policy") < 0)
        return ERR_INVALID;
    (void)fields_read(x, top, top_fields, TOP_COUNT, false, f);
    if (f[TOP_RANDOM] && field_kind(x, f[TOP_RANDOM], HUJSON_BOOL, "randomizeClientPort") == 0)
        x->p->randomize_ports = f[TOP_RANDOM]->truth;
    parse_groups(x, f[TOP_GROUPS]);
    parse_hosts(x, f[TOP_HOSTS]);
    parse_owners(x, f[TOP_OWNERS]);
    parse_approvers(x, f[TOP_APPROVERS]);
    parse_rules(x, f[TOP_ACLS], f[TOP_GRANTS]);
    parse_ssh(x, f[TOP_SSH]);
    parse_attrs(x, f[TOP_ATTRS]);
    parse_tests(x, f[TOP_TESTS]);
    parse_ssh_tests(x, f[TOP_SSH_TESTS]);
    if (x->p->arena.failed)
        parse_too_big(x, 0);
    if (x->errors)
        return ERR_INVALID;
    units_build(x->p);
    return 0;
}

static void unreadable(struct policy_problems *problems, const char *text, size_t len, const struct hujson_error *why)
{
    unsigned line, column;

    str_place(text, len, why->offset, &line, &column);
    if (why->syntax)
        problem_at(problems, text, len, SIZE_MAX, false, "parsing policy: parsing HuJSON: line %u, column %u: %s", line,
                   column, why->message);
    else
        problem_at(problems, text, len, why->offset, false, "parsing policy from bytes: %s", why->message);
    problems->items[problems->len - 1].line = line;
    problems->items[problems->len - 1].column = column;
}

void policy_further_errors(const char *text, size_t len, struct policy_problems *problems)
{
    struct hujson_error found[ERRORS_MAX];
    struct arena a = ARENA_INIT(MEMORY_MAX);
    size_t before = problems->len;

    size_t n = len && len <= POLICY_TEXT_MAX ? hujson_errors(text, len, &a, found, ERRORS_MAX) : 0;
    for (size_t i = 1; i < n; i++)
        unreadable(problems, text, len, &found[i]);
    problems_sort(problems, before);
    arena_release(&a);
}

int policy_parse(const char *text, size_t len, struct policy **out, struct policy_problems *problems)
{
    struct hujson_error why;
    struct hujson *top;

    *out = NULL;
    if (len == 0)
        return 0;
    if (len > POLICY_TEXT_MAX) {
        problem_at(problems, text, 0, SIZE_MAX, false, "the policy has %zu bytes; at most %u are allowed", len,
                   POLICY_TEXT_MAX);
        return ERR_TOOBIG;
    }
    struct policy *p = policy_alloc();
    size_t before = problems->len;
    struct policy_parser x = {.p = p, .problems = problems, .text = text, .len = len};
    p->text = mem_strndup(text, len);
    p->len = len;
    int code = hujson_read(text, len, &p->arena, &top, &why);
    if (code < 0) {
        unreadable(problems, text, len, &why);
    } else {
        code = parse_top(&x, top);
        problems_sort(problems, before);
    }
    if (code < 0) {
        policy_unref(p);
        return code;
    }
    *out = p;
    return 0;
}

bool policy_has_tag(const struct policy *p, const char *tag)
{
    return p && map_gets(&p->tag_index, tag);
}

bool policy_text_plain(const char *text, struct buf *out)
{
    struct arena a = ARENA_INIT((size_t)64 << 20);
    struct hujson_error why;
    struct hujson *v;
    bool read = hujson_read(text, strlen(text), &a, &v, &why) == 0;

    if (read)
        hujson_plain(v, text, out);
    arena_release(&a);
    return read;
}
