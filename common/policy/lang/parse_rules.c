/* SPDX-License-Identifier: BSD-3-Clause */
/* acls and grants. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "policy/lang/parse.h"

#define WHY          256
#define RULES_MAX    16384 /* views keep bits for each rule */
#define VALUES_DEPTH 32    /* of capabilities */

enum { ACL_ACTION, ACL_PROTO, ACL_SRC, ACL_DST, ACL_USERS, ACL_PORTS, ACL_POSTURE, ACL_COUNT };
static const struct policy_field acl_fields[ACL_COUNT] = {
    [ACL_ACTION] = {"action", NULL},
    [ACL_PROTO] = {"proto", NULL},
    [ACL_SRC] = {"src", NULL},
    [ACL_DST] = {"dst", NULL},
    [ACL_USERS] = {"users", NULL},
    [ACL_PORTS] = {"ports", NULL},
    [ACL_POSTURE] = {"srcPosture", "device posture is not supported by this server"},
};

enum { GRANT_SRC, GRANT_DST, GRANT_IP, GRANT_APP, GRANT_VIA, GRANT_POSTURE, GRANT_COUNT };
static const struct policy_field grant_fields[GRANT_COUNT] = {
    [GRANT_SRC] = {"src", NULL}, [GRANT_DST] = {"dst", NULL},
    [GRANT_IP] = {"ip", NULL},   [GRANT_APP] = {"app", NULL},
    [GRANT_VIA] = {"via", NULL}, [GRANT_POSTURE] = {"srcPosture", "device posture is not supported by this server"},
};

static int add_src(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_rule *r = arg;
    struct policy_selector a;

    if (selector_parse(x, r->is_grant ? PLACE_GRANT_SRC : PLACE_ACL_SRC, text, offset, &a) < 0)
        return ERR_INVALID;
    vec_push(&r->src, a);
    return 0;
}

/* The hint for a selector without ports. */
static const char *portless_hint(const struct policy *p, const char *text, struct buf *out)
{
    struct policy_principal what;

    if (!strchr(text, ':') || selector_read(p, text, &what) >= 0)
        buf_addf(out, " (a destination of acls ends in ports: \"%.100s:*\" for all)", text);
    return buf_text(out);
}

static int add_acl_dst(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_rule *r = arg;
    struct policy_destination d = {0};
    const char *host, *ports;
    char why[WHY];

    if (hostport_split(text, &x->p->arena, &host, &ports, why, sizeof(why)) < 0 ||
        ports_parse(ports, &x->p->arena, &d.ports, &d.port_count, why, sizeof(why)) < 0) {
        struct buf hint = BUF_INIT(0);
        int code = parse_error(x, offset, "dst=\"%s\": %s%s", text, why, portless_hint(x->p, text, &hint));
        buf_release(&hint);
        return code;
    }
    if (selector_parse(x, PLACE_ACL_DST, host, offset, &d.alias) < 0)
        return ERR_INVALID;
    vec_push(&r->dst, d);
    return 0;
}

static int add_grant_dst(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_rule *r = arg;
    struct policy_destination d = {0};

    if (selector_parse(x, PLACE_GRANT_DST, text, offset, &d.alias) < 0)
        return ERR_INVALID;
    const struct policy_principal *p = &x->p->principals.items[d.alias.principal];
    if (p->kind == PRINCIPAL_PREFIX && p->prefix.bits == 0)
        return parse_error(x, offset, "dst \"%s\": to allow all IP addresses, use \"*\" or \"autogroup:internet\"",
                           text);
    vec_push(&r->dst, d);
    return 0;
}

static int add_ports(struct policy_parser *x, struct policy_service *to, const struct policy_service *more,
                     size_t offset)
{
    size_t count = to->port_count + more->port_count;

    if (count > to->port_room) {
        struct port_range *joined = arena_alloc(&x->p->arena, 2 * count * sizeof(*joined));
        if (!joined)
            return parse_too_big(x, offset);
        memcpy(joined, to->ports, to->port_count * sizeof(*joined));
        to->ports = joined;
        to->port_room = 2 * count;
    }
    memcpy(to->ports + to->port_count, more->ports, more->port_count * sizeof(*more->ports));
    to->port_count = count;
    return 0;
}

/* An entry of "ip": "*", ports, or "proto:ports". Entries with the same protocol are merged. */
static int add_ip(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_rule *r = arg;
    const char *colon = strchr(text, ':'), *port_text = text;
    struct policy_service s = {.proto = PROTO_DEFAULT};
    char why[WHY];

    if (colon && strchr(colon + 1, ':')) {
        struct buf parts = BUF_INIT(4096);
        size_t count = 1;
        for (const char *c = text; *c; c++) {
            count += *c == ':';
            buf_addc(&parts, *c == ':' ? ' ' : *c);
        }
        (void)parse_error(x, offset, "expected only one colon in Internet protocol and port type, got: [%s](%zu)",
                          buf_text(&parts), count);
        buf_release(&parts);
        return ERR_INVALID;
    }
    if (colon) {
        char *name = arena_strndup(&x->p->arena, text, (size_t)(colon - text));
        if (!name)
            return parse_too_big(x, offset);
        if (proto_parse(name, true, &s.proto, why, sizeof(why)) < 0)
            return parse_error(x, offset, "%s", why);
        port_text = colon + 1;
    }
    if (ports_parse(port_text, &x->p->arena, &s.ports, &s.port_count, why, sizeof(why)) < 0) {
        int number;
        char unused[WHY];
        bool proto = !colon && *text && proto_parse(text, true, &number, unused, sizeof(unused)) == 0;
        return proto ? parse_error(x, offset, "%s (all of the protocol is \"%s:*\")", why, text)
                     : parse_error(x, offset, "%s", why);
    }
    for (size_t i = 0; i < r->services.len; i++)
        if (r->services.items[i].proto == s.proto)
            return add_ports(x, &r->services.items[i], &s, offset);
    s.port_room = s.port_count;
    vec_push(&r->services, s);
    return 0;
}

static int add_via(struct policy_parser *x, void *arg, const char *text, size_t offset)
{
    struct policy_rule *r = arg;

    if (!str_starts(text, "tag:"))
        return parse_error(x, offset, "via can only be a tag");
    if (!map_gets(&x->p->tag_index, text))
        return parse_error(x, offset, "tag \"%s\" not found", text);
    principal_intern(x->p, PRINCIPAL_TAG, text, NULL);
    vec_push(&r->via, text);
    return 0;
}

/* A destination autogroup:self requires that the sources are users. */
static int check_self(struct policy_parser *x, const struct policy_rule *r)
{
    const struct policy *p = x->p;
    unsigned people = 1U << PRINCIPAL_USER | 1U << PRINCIPAL_GROUP | 1U << PRINCIPAL_MEMBER | 1U << PRINCIPAL_DOMAIN |
                      1U << PRINCIPAL_ADMIN | 1U << PRINCIPAL_OWNER | 1U << PRINCIPAL_NOBODY |
                      (r->is_grant ? 0U : 1U << PRINCIPAL_ANY);
    bool self = false;

    for (size_t i = 0; i < r->dst.len; i++)
        self |= p->principals.items[r->dst.items[i].alias.principal].kind == PRINCIPAL_SELF;
    for (size_t i = 0; self && i < r->src.len; i++)
        if (!(people & 1U << p->principals.items[r->src.items[i].principal].kind))
            return parse_error(x, r->src.items[i].offset,
                               "autogroup:self can only be used with users, groups, or supported autogroups");
    return 0;
}

static int parse_action(struct policy_parser *x, const struct hujson *v)
{
    if (!v)
        return 0;
    if (field_kind(x, v, HUJSON_STRING, "action") < 0)
        return ERR_INVALID;
    if (strcmp(v->text, "accept") != 0)
        return parse_error(x, v->start,
                           "action=\"%s\" is not supported: invalid ACL action (rules only allow, by \"accept\")",
                           v->text);
    return 0;
}

static void parse_acl(struct policy_parser *x, const struct hujson *v, struct policy_rule *r)
{
    const struct hujson *f[ACL_COUNT];
    struct policy_service s = {.proto = PROTO_DEFAULT};
    const char *proto = "";
    char why[WHY];

    if (fields_read(x, v, acl_fields, ACL_COUNT, true, f) < 0)
        return;
    (void)parse_action(x, f[ACL_ACTION]);
    if (f[ACL_PROTO] && field_kind(x, f[ACL_PROTO], f[ACL_PROTO]->kind == HUJSON_NUMBER ? HUJSON_NUMBER : HUJSON_STRING,
                                   "proto") == 0) {
        proto = f[ACL_PROTO]->text;
        if (proto_parse(proto, true, &s.proto, why, sizeof(why)) < 0)
            parse_error(x, f[ACL_PROTO]->start, "%s", why);
    }
    vec_push(&r->services, s);
    (void)field_strings(x, f[ACL_SRC] ? f[ACL_SRC] : f[ACL_USERS], "src", add_src, r);
    (void)field_strings(x, f[ACL_DST] ? f[ACL_DST] : f[ACL_PORTS], "dst", add_acl_dst, r);
    (void)check_self(x, r);
    for (size_t i = 0; i < r->dst.len && !proto_has_ports(s.proto); i++)
        if (!ports_all(r->dst.items[i].ports, r->dst.items[i].port_count) || r->dst.items[i].port_count > 1)
            parse_error(x, r->dst.items[i].alias.offset,
                        "protocol does not support specific ports: \"%s\", only \"*\" is allowed",
                        proto_name(s.proto) ? proto_name(s.proto) : proto);
}

static int check_capability(struct policy_parser *x, const struct hujson *m)
{
    static const char *const known[] = {"cap/drive",      "cap/relay", "cap/webui",
                                        "cap/kubernetes", "cap/tsidp", "cap/secrets"};

    if (strstr(m->name, "://"))
        return parse_error(x, m->name_start, "capability name must have the form {domain}/{path}");
    if (!str_starts(m->name, "tailscale.com/"))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(m->name + strlen("tailscale.com/"), known[i]))
            return 0;
    return parse_error(x, m->name_start, "capability name must not be in the tailscale.com domain");
}

/* Clients and libraries must be able to read the values. */
static void check_values(struct policy_parser *x, const struct hujson *v, int depth)
{
    if (depth > VALUES_DEPTH) {
        parse_error(x, v->start, "the values of a capability are nested more than %d levels deep", VALUES_DEPTH);
        return;
    }
    if (v->kind == HUJSON_NUMBER && !hujson_number_fits(v))
        parse_error(x, v->start, "the number %.40s is out of range", v->text);
    for (const struct hujson *m = v->first; m; m = m->next)
        check_values(x, m, depth + 1);
}

static void parse_apps(struct policy_parser *x, const struct hujson *v, struct policy_rule *r)
{
    if (!v || field_kind(x, v, HUJSON_OBJECT, "app") < 0)
        return;
    for (const struct hujson *m = v->first; m; m = m->next) {
        struct buf b = BUF_INIT(POLICY_TEXT_MAX);

        (void)check_capability(x, m);
        if (m->kind != HUJSON_NULL)
            (void)field_kind(x, m, HUJSON_ARRAY, "the values of a capability");
        check_values(x, m, 1);
        hujson_plain(m, x->text, &b);
        struct policy_app a = {m->name, arena_strndup(&x->p->arena, buf_text(&b), b.len)};
        buf_release(&b);
        if (a.json)
            vec_push(&r->apps, a);
        else
            parse_too_big(x, m->start);
    }
}

static void parse_grant(struct policy_parser *x, const struct hujson *v, struct policy_rule *r)
{
    const struct hujson *f[GRANT_COUNT];

    size_t errors = x->errors;

    if (fields_read(x, v, grant_fields, GRANT_COUNT, false, f) < 0)
        return;
    (void)field_strings(x, f[GRANT_IP], "ip", add_ip, r);
    parse_apps(x, f[GRANT_APP], r);
    if (r->services.len == 0 && r->apps.len == 0 && errors == x->errors)
        parse_error(x, v->start, "ip and app can not both be empty");
    (void)field_strings(x, f[GRANT_SRC], "src", add_src, r);
    (void)field_strings(x, f[GRANT_DST], "dst", add_grant_dst, r);
    (void)field_strings(x, f[GRANT_VIA], "via", add_via, r);
    for (size_t i = 0; r->apps.len && i < r->dst.len; i++)
        if (x->p->principals.items[r->dst.items[i].alias.principal].kind == PRINCIPAL_INTERNET)
            parse_error(x, r->dst.items[i].alias.offset, "cannot use app grants with autogroup:internet");
    (void)check_self(x, r);
}

static void parse_list(struct policy_parser *x, const struct hujson *v, bool grants)
{
    size_t index = 0;

    if (!v || field_kind(x, v, HUJSON_ARRAY, grants ? "grants" : "acls") < 0)
        return;
    for (const struct hujson *e = v->first; e; e = e->next, index++) {
        if (x->p->rules.len == RULES_MAX) {
            parse_error(x, e->start, "a policy has at most %d rules", RULES_MAX);
            return;
        }
        struct policy_rule *r = mem_alloc(sizeof(*r));

        *r = (struct policy_rule){.is_grant = grants, .index = index, .offset = e->start};
        vec_push(&x->p->rules, r);
        if (grants)
            parse_grant(x, e, r);
        else
            parse_acl(x, e, r);
    }
}

void parse_rules(struct policy_parser *x, const struct hujson *acls, const struct hujson *grants)
{
    parse_list(x, grants, true);
    x->p->grant_count = x->p->rules.len;
    x->p->allow_all = !acls && !grants;
    parse_list(x, acls, false);
}
