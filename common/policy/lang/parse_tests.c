/* SPDX-License-Identifier: BSD-3-Clause */
/* tests, sshTests and nodeAttrs. Tests are kept as texts: what they name is looked up when they run. */
#include <string.h>

#include "policy/lang/rules.h"

typedef VEC(const char *) texts;

static int keep(struct parse *x, void *arg, const char *text, size_t offset)
{
    texts *to = arg;

    (void)x;
    (void)offset;
    vec_push(to, text);
    return 0;
}

static int read_text(struct parse *x, const struct hujson *v, const char *what, const char **out)
{
    if (!v)
        return 0;
    if (shape_kind(x, v, HUJSON_STRING, what) < 0)
        return ERR_INVALID;
    *out = v->text;
    return 0;
}

enum { TEST_SRC, TEST_USER, TEST_PROTO, TEST_ACCEPT, TEST_ALLOW, TEST_DENY, TEST_POSTURE, TEST_COUNT };
static const struct field test_fields[TEST_COUNT] = {
    [TEST_SRC] = {"src", NULL},
    [TEST_USER] = {"user", NULL},
    [TEST_PROTO] = {"proto", NULL},
    [TEST_ACCEPT] = {"accept", NULL},
    [TEST_ALLOW] = {"allow", NULL},
    [TEST_DENY] = {"deny", NULL},
    [TEST_POSTURE] = {"srcPostureAttrs", "device posture is not supported by this server"},
};

int parse_tests(struct parse *x, const struct hujson *list)
{
    size_t index = 0;

    if (!list)
        return 0;
    if (shape_kind(x, list, HUJSON_ARRAY, "tests") < 0)
        return ERR_INVALID;
    for (const struct hujson *e = list->first; e; e = e->next, index++) {
        struct test_entry t = {.index = index, .offset = e->start, .src = "", .proto = ""};
        const struct hujson *f[TEST_COUNT];
        texts accept = {0}, deny = {0};
        int code = shape_read(x, e, test_fields, TEST_COUNT, false, f);

        if (code == 0)
            code = read_text(x, f[TEST_SRC] ? f[TEST_SRC] : f[TEST_USER], "src", &t.src);
        if (code == 0)
            code = read_text(x, f[TEST_PROTO], "proto", &t.proto);
        if (code == 0)
            code = shape_strings(x, f[TEST_ACCEPT] ? f[TEST_ACCEPT] : f[TEST_ALLOW], "accept", keep, &accept);
        if (code == 0)
            code = shape_strings(x, f[TEST_DENY], "deny", keep, &deny);
        t.accept.items = accept.items, t.accept.len = accept.len, t.accept.cap = accept.cap;
        t.deny.items = deny.items, t.deny.len = deny.len, t.deny.cap = deny.cap;
        vec_push(&x->p->tests, t);
        if (code < 0)
            return code;
    }
    return 0;
}

enum { SSH_TEST_SRC, SSH_TEST_DST, SSH_TEST_ACCEPT, SSH_TEST_DENY, SSH_TEST_CHECK, SSH_TEST_POSTURE, SSH_TEST_COUNT };
static const struct field ssh_test_fields[SSH_TEST_COUNT] = {
    [SSH_TEST_SRC] = {"src", NULL},
    [SSH_TEST_DST] = {"dst", NULL},
    [SSH_TEST_ACCEPT] = {"accept", NULL},
    [SSH_TEST_DENY] = {"deny", NULL},
    [SSH_TEST_CHECK] = {"check", NULL},
    [SSH_TEST_POSTURE] = {"srcPostureAttrs", "device posture is not supported by this server"},
};

/* A destination is one device, or devices by name: neither a network nor the internet. */
static int keep_ssh_dst(struct parse *x, void *arg, const char *text, size_t offset)
{
    texts *to = arg;
    struct principal what;

    if (!text_trim(&x->p->arena, text, &text))
        return parse_error(x, offset, "the policy needs too much memory");
    int kind = selector_read(x->p, text, &what);
    if (str_starts(text, "tag:") && kind < 0)
        return parse_error(x, offset, "SSH tests dst contains unknown tag \"%s\"", text);
    if (kind == PRINCIPAL_INTERNET || (kind == PRINCIPAL_PREFIX && what.prefix.bits != what.prefix.addr.bits))
        return parse_error(x, offset, "SSH tests dst contains disallowed element \"%s\"", text);
    vec_push(to, text);
    return 0;
}

int parse_ssh_tests(struct parse *x, const struct hujson *list)
{
    size_t index = 0;

    if (!list)
        return 0;
    if (shape_kind(x, list, HUJSON_ARRAY, "sshTests") < 0)
        return ERR_INVALID;
    for (const struct hujson *e = list->first; e; e = e->next, index++) {
        struct ssh_test t = {.index = index, .offset = e->start, .src = ""};
        const struct hujson *f[SSH_TEST_COUNT];
        texts lists[4] = {0};
        static const int fields[4] = {SSH_TEST_DST, SSH_TEST_ACCEPT, SSH_TEST_DENY, SSH_TEST_CHECK};
        int code = shape_read(x, e, ssh_test_fields, SSH_TEST_COUNT, false, f);

        if (code == 0)
            code = read_text(x, f[SSH_TEST_SRC], "src", &t.src);
        if (code == 0 && !text_trim(&x->p->arena, t.src, &t.src))
            code = parse_error(x, e->start, "the policy needs too much memory");
        for (size_t i = 0; i < 4 && code == 0; i++)
            code = shape_strings(x, f[fields[i]], ssh_test_fields[fields[i]].name, i ? keep : keep_ssh_dst, &lists[i]);
        t.dst.items = lists[0].items, t.dst.len = lists[0].len;
        t.accept.items = lists[1].items, t.accept.len = lists[1].len;
        t.deny.items = lists[2].items, t.deny.len = lists[2].len;
        t.check.items = lists[3].items, t.check.len = lists[3].len;
        vec_push(&x->p->ssh_tests, t);
        if (code < 0)
            return code;
    }
    return 0;
}

enum { ATTR_TARGET, ATTR_ATTR, ATTR_POOL, ATTR_APP, ATTR_COUNT };
static const struct field attr_fields[ATTR_COUNT] = {
    [ATTR_TARGET] = {"target", NULL},
    [ATTR_ATTR] = {"attr", NULL},
    [ATTR_POOL] = {"ipPool", NULL},
    [ATTR_APP] = {"app", "app connectors are not supported by this server"},
};

static int add_target(struct parse *x, void *arg, const char *text, size_t offset)
{
    struct node_attr *a = arg;
    struct alias who;

    if (alias_parse(x, PLACE_TARGET, text, offset, &who) < 0)
        return ERR_INVALID;
    vec_push(&a->target, who);
    return 0;
}

static int add_attr(struct parse *x, void *arg, const char *text, size_t offset)
{
    struct node_attr *a = arg;

    if (str_eq(text, "funnel"))
        problem_at(x->problems, x->text, x->len, offset, true,
                   "the attribute funnel is passed on, but this server offers no funnel");
    vec_push(&a->attrs, text);
    return 0;
}

static int add_pool(struct parse *x, void *arg, const char *text, size_t offset)
{
    static const char *const reserved[] = {"100.100.100.0/24", "100.115.92.0/23"};
    struct node_attr *a = arg;
    struct prefix p, cgnat, r;

    if (!strchr(text, '/') || prefix_parse(text, &p, NULL, NULL) < 0)
        return parse_error(x, offset, "IPPool(%s): not a prefix such as 100.81.0.0/16", text);
    if (prefix_parse("100.64.0.0/10", &cgnat, NULL, NULL) < 0 || !prefix_covers(&cgnat, &p))
        return parse_error(x, offset, "IPPool(%s): nodeAttrs ipPool must be within 100.64.0.0/10: \"%s\"", text, text);
    for (size_t i = 0; i < 2; i++)
        if (prefix_parse(reserved[i], &r, NULL, NULL) == 0 && prefix_overlaps(&p, &r))
            return parse_error(x, offset, "IPPool(%s): network within reserved range %s", text, reserved[i]);
    if (!a->pools.len)
        problem_at(x->problems, x->text, x->len, offset, true,
                   "ipPool is checked, but this server does not give out addresses by it");
    vec_push(&a->pools, p);
    return 0;
}

int parse_attrs(struct parse *x, const struct hujson *list)
{
    if (!list)
        return 0;
    if (shape_kind(x, list, HUJSON_ARRAY, "nodeAttrs") < 0)
        return ERR_INVALID;
    for (const struct hujson *e = list->first; e; e = e->next) {
        struct node_attr a = {0};
        const struct hujson *f[ATTR_COUNT];
        int code = shape_read(x, e, attr_fields, ATTR_COUNT, false, f);

        if (code == 0)
            code = shape_strings(x, f[ATTR_TARGET], "target", add_target, &a);
        if (code == 0)
            code = shape_strings(x, f[ATTR_ATTR], "attr", add_attr, &a);
        if (code == 0)
            code = shape_strings(x, f[ATTR_POOL], "ipPool", add_pool, &a);
        vec_push(&x->p->attrs, a);
        if (code < 0)
            return code;
    }
    return 0;
}
