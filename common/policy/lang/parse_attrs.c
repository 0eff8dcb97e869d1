/* SPDX-License-Identifier: BSD-3-Clause */
/* The section nodeAttrs. */
#include <string.h>

#include "policy/lang/parse.h"

enum { ATTR_TARGET, ATTR_ATTR, ATTR_POOL, ATTR_APP, ATTR_COUNT };
static const struct policy_field attr_fields[ATTR_COUNT] = {
    [ATTR_TARGET] = {"target", NULL},
    [ATTR_ATTR] = {"attr", NULL},
    [ATTR_POOL] = {"ipPool", NULL},
    [ATTR_APP] = {"app", NULL},
};

static int add_target(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_attr *a = arg;
    struct policy_selector who;

    if (selector_parse(x, PLACE_TARGET, text, offset, &who) < 0)
        return ERR_INVALID;
    vec_push(&a->target, who);
    return 0;
}

static int add_attr(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_attr *a = arg;

    if (str_eq(text, "funnel"))
        problem_at(x->problems, x->text, x->len, offset, true,
                   "the attribute funnel has no effect: this server offers no funnel");
    vec_push(&a->attrs, text);
    return 0;
}

static int add_pool(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    static const char *const reserved[] = {"100.100.100.0/24", "100.115.92.0/23"};
    struct policy_attr *a = arg;
    struct prefix p, cgnat, r;

    if (prefix_parse_route(text, &p, NULL) < 0)
        return parse_error(x, offset, "IPPool(%s): not a prefix such as 100.81.0.0/16", text);
    if (prefix_parse("100.64.0.0/10", &cgnat, NULL, NULL) < 0 || !prefix_covers(&cgnat, &p))
        return parse_error(x, offset, "IPPool(%s): nodeAttrs ipPool must be within 100.64.0.0/10: \"%s\"", text, text);
    for (size_t i = 0; i < 2; i++)
        if (prefix_parse(reserved[i], &r, NULL, NULL) == 0 && prefix_overlaps(&p, &r))
            return parse_error(x, offset, "IPPool(%s): network within reserved range %s", text, reserved[i]);
    if (!a->pools.len)
        problem_at(x->problems, x->text, x->len, offset, true,
                   "ipPool has no effect: this server does not assign addresses from it");
    vec_push(&a->pools, p);
    return 0;
}

void parse_attrs(struct policy_parser *x, const struct hujson *list)
{
    if (!list || field_kind(x, list, HUJSON_ARRAY, "nodeAttrs") < 0)
        return;
    for (const struct hujson *e = list->first; e; e = e->next) {
        struct policy_attr a = {0};
        const struct hujson *f[ATTR_COUNT];

        (void)fields_read(x, e, attr_fields, ATTR_COUNT, false, f);
        (void)field_strings(x, f[ATTR_TARGET], "target", add_target, &a);
        (void)field_strings(x, f[ATTR_ATTR], "attr", add_attr, &a);
        (void)field_strings(x, f[ATTR_POOL], "ipPool", add_pool, &a);
        vec_push(&x->p->attrs, a);
        parse_connectors(x, f[ATTR_APP]);
    }
}
