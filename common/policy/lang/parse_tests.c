/* SPDX-License-Identifier: BSD-3-Clause */
/* The sections tests and sshTests. Tests are stored as text; their names are resolved when they run. */
#include <string.h>

#include "policy/lang/parse.h"

typedef VEC(const char *) texts;

static int keep(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    texts *to = arg;

    (void)x;
    (void)offset;
    vec_push(to, text);
    return 0;
}

static int read_text(struct policy_parser *x, const struct hujson *v, const char *what, const char **out)
{
    if (!v)
        return 0;
    if (field_kind(x, v, HUJSON_STRING, what) < 0)
        return ERR_INVALID;
    *out = v->text;
    return 0;
}

enum { TEST_SRC, TEST_USER, TEST_PROTO, TEST_ACCEPT, TEST_ALLOW, TEST_DENY, TEST_POSTURE, TEST_COUNT };
static const struct policy_field test_fields[TEST_COUNT] = {
    [TEST_SRC] = {"src", NULL},
    [TEST_USER] = {"user", NULL},
    [TEST_PROTO] = {"proto", NULL},
    [TEST_ACCEPT] = {"accept", NULL},
    [TEST_ALLOW] = {"allow", NULL},
    [TEST_DENY] = {"deny", NULL},
    [TEST_POSTURE] = {"srcPostureAttrs", "device posture is not supported by this server"},
};

void parse_tests(struct policy_parser *x, const struct hujson *list)
{
    size_t index = 0;

    if (!list || field_kind(x, list, HUJSON_ARRAY, "tests") < 0)
        return;
    for (const struct hujson *e = list->first; e; e = e->next, index++) {
        struct policy_test t = {.index = index, .offset = e->start, .src = "", .proto = ""};
        const struct hujson *f[TEST_COUNT];
        texts accept = {0}, deny = {0};

        (void)fields_read(x, e, test_fields, TEST_COUNT, false, f);
        (void)read_text(x, f[TEST_SRC] ? f[TEST_SRC] : f[TEST_USER], "src", &t.src);
        (void)read_text(x, f[TEST_PROTO], "proto", &t.proto);
        (void)field_strings(x, f[TEST_ACCEPT] ? f[TEST_ACCEPT] : f[TEST_ALLOW], "accept", keep, &accept);
        (void)field_strings(x, f[TEST_DENY], "deny", keep, &deny);
        t.accept.items = accept.items, t.accept.len = accept.len, t.accept.cap = accept.cap;
        t.deny.items = deny.items, t.deny.len = deny.len, t.deny.cap = deny.cap;
        vec_push(&x->p->tests, t);
    }
}

enum { SSH_TEST_SRC, SSH_TEST_DST, SSH_TEST_ACCEPT, SSH_TEST_DENY, SSH_TEST_CHECK, SSH_TEST_POSTURE, SSH_TEST_COUNT };
static const struct policy_field ssh_test_fields[SSH_TEST_COUNT] = {
    [SSH_TEST_SRC] = {"src", NULL},
    [SSH_TEST_DST] = {"dst", NULL},
    [SSH_TEST_ACCEPT] = {"accept", NULL},
    [SSH_TEST_DENY] = {"deny", NULL},
    [SSH_TEST_CHECK] = {"check", NULL},
    [SSH_TEST_POSTURE] = {"srcPostureAttrs", "device posture is not supported by this server"},
};

/* A destination is one device or a name for devices, not a network or the internet. */
static int keep_ssh_dst(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    texts *to = arg;
    struct policy_principal what;

    if (!text_trim(&x->p->arena, text, &text))
        return parse_too_big(x, offset);
    int kind = selector_read(x->p, text, &what);
    if (str_starts(text, "tag:") && kind < 0)
        return parse_error(x, offset, "SSH tests dst contains unknown tag \"%s\"", text);
    if (kind == PRINCIPAL_INTERNET || (kind == PRINCIPAL_PREFIX && what.prefix.bits != what.prefix.addr.bits))
        return parse_error(x, offset, "SSH tests dst contains disallowed element \"%s\"", text);
    vec_push(to, text);
    return 0;
}

void parse_ssh_tests(struct policy_parser *x, const struct hujson *list)
{
    size_t index = 0;

    if (!list || field_kind(x, list, HUJSON_ARRAY, "sshTests") < 0)
        return;
    for (const struct hujson *e = list->first; e; e = e->next, index++) {
        struct policy_ssh_test t = {.index = index, .offset = e->start, .src = ""};
        const struct hujson *f[SSH_TEST_COUNT];
        texts lists[4] = {0};
        static const int fields[4] = {SSH_TEST_DST, SSH_TEST_ACCEPT, SSH_TEST_DENY, SSH_TEST_CHECK};

        (void)fields_read(x, e, ssh_test_fields, SSH_TEST_COUNT, false, f);
        (void)read_text(x, f[SSH_TEST_SRC], "src", &t.src);
        if (!text_trim(&x->p->arena, t.src, &t.src))
            parse_too_big(x, e->start);
        for (size_t i = 0; i < 4; i++)
            (void)field_strings(x, f[fields[i]], ssh_test_fields[fields[i]].name, i ? keep : keep_ssh_dst, &lists[i]);
        t.dst.items = lists[0].items, t.dst.len = lists[0].len;
        t.accept.items = lists[1].items, t.accept.len = lists[1].len;
        t.deny.items = lists[2].items, t.deny.len = lists[2].len;
        t.check.items = lists[3].items, t.check.len = lists[3].len;
        vec_push(&x->p->ssh_tests, t);
    }
}
