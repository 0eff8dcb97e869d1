/* SPDX-License-Identifier: BSD-3-Clause */
/* Selectors: their forms, and the places where each kind is accepted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "policy/lang/parse.h"

#define BIT(kind) (1U << (kind))
#define AUTOGROUPS                                                                                                     \
    (BIT(PRINCIPAL_MEMBER) | BIT(PRINCIPAL_TAGGED) | BIT(PRINCIPAL_SELF) | BIT(PRINCIPAL_INTERNET) |                   \
     BIT(PRINCIPAL_DANGER) | BIT(PRINCIPAL_NONROOT) | BIT(PRINCIPAL_ADMIN) | BIT(PRINCIPAL_OWNER) |                    \
     BIT(PRINCIPAL_NOBODY))
#define NAMED    (BIT(PRINCIPAL_USER) | BIT(PRINCIPAL_GROUP) | BIT(PRINCIPAL_TAG) | BIT(PRINCIPAL_DOMAIN))
#define LITERALS (BIT(PRINCIPAL_PREFIX) | BIT(PRINCIPAL_HOST) | BIT(PRINCIPAL_ANY))
#define OFFICES  (BIT(PRINCIPAL_MEMBER) | BIT(PRINCIPAL_ADMIN) | BIT(PRINCIPAL_OWNER) | BIT(PRINCIPAL_NOBODY))
#define ROLES    (OFFICES | BIT(PRINCIPAL_TAGGED))

static const struct {
    const char *name;
    enum policy_principal_kind kind;
} autogroups[] = {
    {"autogroup:internet", PRINCIPAL_INTERNET}, {"autogroup:member", PRINCIPAL_MEMBER},
    {"autogroup:members", PRINCIPAL_MEMBER},    {"autogroup:nonroot", PRINCIPAL_NONROOT},
    {"autogroup:tagged", PRINCIPAL_TAGGED},     {"autogroup:self", PRINCIPAL_SELF},
    {"autogroup:danger-all", PRINCIPAL_DANGER}, {"autogroup:admin", PRINCIPAL_ADMIN},
    {"autogroup:owner", PRINCIPAL_OWNER},       {"autogroup:it-admin", PRINCIPAL_NOBODY},
    {"autogroup:auditor", PRINCIPAL_NOBODY},    {"autogroup:network-admin", PRINCIPAL_NOBODY},
    {"autogroup:shared", PRINCIPAL_NOBODY},     {"autogroup:billing-admin", PRINCIPAL_NOBODY},
};

static const struct {
    unsigned allowed;
    const char *autogroup_text; /* "autogroup not supported for ...", to which the text and the choices are appended */
    const char *choices;
} places[PLACE_COUNT] = {
    [PLACE_ACL_SRC] = {NAMED | LITERALS | ROLES | BIT(PRINCIPAL_DANGER), "autogroup not supported for ACL sources",
                       "[autogroup:member autogroup:tagged autogroup:danger-all]"},
    [PLACE_GRANT_SRC] = {NAMED | LITERALS | ROLES | BIT(PRINCIPAL_DANGER), "autogroup not supported for ACL sources",
                         "[autogroup:member autogroup:tagged autogroup:danger-all]"},
    [PLACE_ACL_DST] = {NAMED | LITERALS | ROLES | BIT(PRINCIPAL_SELF) | BIT(PRINCIPAL_INTERNET),
                       "autogroup not supported for ACL destinations",
                       "[autogroup:internet autogroup:member autogroup:tagged autogroup:self]"},
    [PLACE_GRANT_DST] = {NAMED | LITERALS | ROLES | BIT(PRINCIPAL_SELF) | BIT(PRINCIPAL_INTERNET),
                         "autogroup not supported for ACL destinations",
                         "[autogroup:internet autogroup:member autogroup:tagged autogroup:self]"},
    [PLACE_SSH_SRC] = {NAMED | ROLES, "autogroup not supported for SSH sources", "[autogroup:member autogroup:tagged]"},
    [PLACE_SSH_DST] = {BIT(PRINCIPAL_USER) | BIT(PRINCIPAL_TAG) | BIT(PRINCIPAL_MEMBER) | BIT(PRINCIPAL_TAGGED) |
                           BIT(PRINCIPAL_SELF),
                       "autogroup not supported for SSH destinations",
                       "[autogroup:member autogroup:tagged autogroup:self]"},
    [PLACE_TARGET] = {NAMED | LITERALS | ROLES, "nodeAttrs target does not support this autogroup",
                      "[autogroup:member autogroup:tagged autogroup:admin autogroup:owner]"},
    [PLACE_OWNER] = {BIT(PRINCIPAL_USER) | BIT(PRINCIPAL_GROUP) | BIT(PRINCIPAL_TAG) | OFFICES, NULL, NULL},
    [PLACE_APPROVER] = {BIT(PRINCIPAL_USER) | BIT(PRINCIPAL_GROUP) | BIT(PRINCIPAL_TAG) | ROLES, NULL, NULL},
};

static void *principal_key(enum policy_principal_kind kind, const char *text, size_t *len, char fixed[256])
{
    size_t n = strlen(text);
    char *key = n + 1 <= 256 ? fixed : mem_alloc(n + 1);

    key[0] = (char)('A' + (int)kind);
    memcpy(key + 1, text, n);
    *len = n + 1;
    return key;
}

uint32_t principal_find(const struct policy *p, enum policy_principal_kind kind, const char *text)
{
    char fixed[257];
    size_t len;
    char *key = principal_key(kind, text, &len, fixed);
    uintptr_t found = (uintptr_t)map_get(&p->principal_index, key, len);

    if (key != fixed)
        free(key);
    return found ? (uint32_t)(found - 1) : NONE;
}

uint32_t principal_intern(struct policy *p, enum policy_principal_kind kind, const char *text,
                          const struct prefix *prefix)
{
    char fixed[257], shown[PREFIX_TEXT_MAX];
    size_t len;

    if (kind == PRINCIPAL_PREFIX)
        text = prefix->bits == prefix->addr.bits ? addr_format(&prefix->addr, shown) : prefix_format(prefix, shown);
    uint32_t known = principal_find(p, kind, text);
    if (known != NONE)
        return known;

    struct policy_principal *q = vec_add(&p->principals);
    uint32_t index = (uint32_t)(p->principals.len - 1);
    *q = (struct policy_principal){
        .kind = kind, .text = arena_strdup(&p->arena, text), .group = NONE, .offset = SIZE_MAX};
    if (!q->text)
        q->text = "";
    if (kind == PRINCIPAL_PREFIX) {
        struct addr_range internet[INTERNET_RANGES], own = range_of(prefix);
        q->prefix = *prefix;
        ranges_internet(internet);
        for (size_t i = 0; i < INTERNET_RANGES; i++)
            q->inside_internet |= range_has(&internet[i], &own.first) && range_has(&internet[i], &own.last);
    }
    if (kind == PRINCIPAL_GROUP)
        q->group = (uint32_t)((uintptr_t)map_gets(&p->group_index, text) - 1);
    char *key = principal_key(kind, text, &len, fixed);
    map_put(&p->principal_index, key, len, (void *)(uintptr_t)(index + 1));
    if (key != fixed)
        free(key);
    return index;
}

void principal_stands_at(struct policy *p, uint32_t principal, size_t offset)
{
    struct policy_principal *q = &p->principals.items[principal];

    q->offset = offset < q->offset ? offset : q->offset;
}

/* The kind by its form alone; -1 if it is not a selector. */
static int form(const char *text, struct prefix *prefix)
{
    size_t n = ARRAY_LEN(autogroups);

    if ((strchr(text, '/') || strchr(text, '.') || strchr(text, ':')) && prefix_parse(text, prefix, NULL, NULL) == 0)
        return PRINCIPAL_PREFIX;
    if (str_eq(text, "*"))
        return PRINCIPAL_ANY;
    if (str_starts(text, "user:*@"))
        return PRINCIPAL_DOMAIN;
    if (strchr(text, '@'))
        return PRINCIPAL_USER;
    if (str_starts(text, "group:"))
        return PRINCIPAL_GROUP;
    if (str_starts(text, "tag:"))
        return PRINCIPAL_TAG;
    for (size_t i = 0; i < n; i++)
        if (str_eq(text, autogroups[i].name))
            return (int)autogroups[i].kind;
    if (str_starts(text, "autogroup:"))
        return -2;
    return strchr(text, ':') || !*text ? -1 : PRINCIPAL_HOST;
}

int selector_read(const struct policy *p, const char *text, struct policy_principal *out)
{
    int kind = form(text, &out->prefix);

    out->text = text;
    out->group = NONE;
    if (kind == PRINCIPAL_HOST) {
        uintptr_t host = (uintptr_t)map_gets(&p->host_index, text);
        if (!host)
            return -1;
        out->prefix = p->hosts.items[host - 1].prefix;
        kind = PRINCIPAL_PREFIX;
    } else if (kind == PRINCIPAL_GROUP) {
        uintptr_t group = (uintptr_t)map_gets(&p->group_index, text);
        if (!group)
            return -1;
        out->group = (uint32_t)(group - 1);
    } else if (kind == PRINCIPAL_TAG && !map_gets(&p->tag_index, text)) {
        return -1;
    }
    out->kind = kind < 0 ? PRINCIPAL_HOST : (enum policy_principal_kind)kind;
    return kind < 0 ? -1 : kind;
}

/* Is it "what:80" where ports are not allowed? */
static bool ends_in_ports(const struct policy *p, const char *text, char *front, size_t size)
{
    const char *colon = strrchr(text, ':');
    struct policy_principal what;

    if (!colon || !colon[1] || strspn(colon + 1, "0123456789,-*") != strlen(colon + 1) ||
        (size_t)(colon - text) >= size)
        return false;
    memcpy(front, text, (size_t)(colon - text));
    front[colon - text] = '\0';
    return selector_read(p, front, &what) >= 0;
}

/* A defined name that resembles the text. */
static const char *near_name(const struct policy *p, const char *text)
{
    if (str_starts(text, "autogroup:"))
        return str_nearest(text, &autogroups[0].name, ARRAY_LEN(autogroups), sizeof(autogroups[0]));
    if (str_starts(text, "tag:"))
        return p->tags.len ? str_nearest(text, &p->tags.items[0].tag, p->tags.len, sizeof(p->tags.items[0])) : NULL;
    if (str_starts(text, "group:"))
        return p->groups.len ? str_nearest(text, &p->groups.items[0].name, p->groups.len, sizeof(p->groups.items[0]))
                             : NULL;
    return p->hosts.len ? str_nearest(text, &p->hosts.items[0].name, p->hosts.len, sizeof(p->hosts.items[0])) : NULL;
}

/* What an invalid selector was probably meant to be: " (...)", or "". */
static const char *selector_hint(const struct policy *p, enum selector_place place, const char *text, struct buf *out)
{
    char front[200];
    const char *near = near_name(p, text);

    if (ends_in_ports(p, text, front, sizeof(front))) {
        const char *ports = text + strlen(front) + 1;
        if (place == PLACE_GRANT_DST)
            buf_addf(out, " (ports of grants go into \"ip\": \"dst\": [\"%s\"], \"ip\": [\"%.40s\"])", front, ports);
        else
            buf_addf(out, " (no ports stand here: \"%s\")", front);
    } else if (near) {
        buf_addf(out, " (did you mean \"%.100s\"?)", near);
    } else if (*text && !strpbrk(text, ":*/. ")) {
        buf_addf(out, " (a user without an email address is \"%.100s@\")", text);
    }
    return buf_text(out);
}

/* The same suggestion alone, for programs that correct the text. */
static const char *selector_meant(const struct policy *p, const char *text)
{
    char front[200];

    return ends_in_ports(p, text, front, sizeof(front)) ? NULL : near_name(p, text);
}

static int unknown_text(struct policy_parser *x, enum selector_place place, const char *text, size_t offset)
{
    struct buf b = BUF_INIT(0);
    const char *hint = selector_hint(x->p, place, text, &b);

    if (place == PLACE_TARGET)
        parse_error(x, offset, "\"%s\": invalid address%s", text, hint);
    else if (place == PLACE_OWNER)
        parse_error(x, offset, "invalid owner format: \"%s\"%s", text, hint);
    else if (place == PLACE_APPROVER)
        parse_error(x, offset, "invalid auto approver format: \"%s\"%s", text, hint);
    else
        parse_error(x, offset, "invalid alias format: \"%s\"%s", text, hint);
    parse_meant(x, text, selector_meant(x->p, text));
    buf_release(&b);
    return ERR_INVALID;
}

/* The first words of the messages are headscale's. */
static int not_for_ssh(struct policy_parser *x, bool src, int kind, const char *text, size_t offset)
{
    static const char *const kinds[] = {
        [PRINCIPAL_ANY] = "a wildcard",  [PRINCIPAL_USER] = "a user",      [PRINCIPAL_GROUP] = "a group",
        [PRINCIPAL_TAG] = "a tag",       [PRINCIPAL_HOST] = "a host name", [PRINCIPAL_PREFIX] = "an address",
        [PRINCIPAL_DOMAIN] = "a domain",
    };
    const char *choices = src ? "users, groups, tags, or an autogroup such as autogroup:member"
                              : "tags, autogroup:self, autogroup:member, autogroup:tagged, or the user who is the only "
                                "source";
    struct buf b = BUF_INIT(0);
    bool unknown = kind == PRINCIPAL_HOST && !map_gets(&x->p->host_index, text);
    const char *hint = unknown ? selector_hint(x->p, src ? PLACE_SSH_SRC : PLACE_SSH_DST, text, &b) : "";

    if (!src && kind == PRINCIPAL_HOST)
        parse_error(x, offset, "invalid dst \"%s\"%s: use %s", text, hint, choices);
    else
        parse_error(x, offset, "alias not supported for SSH %s: %s (\"%s\")%s: use %s", src ? "source" : "destination",
                    kinds[kind], text, hint, choices);
    if (unknown)
        parse_meant(x, text, selector_meant(x->p, text));
    buf_release(&b);
    return ERR_INVALID;
}

static int not_allowed(struct policy_parser *x, enum selector_place place, int kind, const char *text, size_t offset)
{
    bool src = place == PLACE_ACL_SRC || place == PLACE_GRANT_SRC || place == PLACE_SSH_SRC;

    if (place == PLACE_OWNER || place == PLACE_APPROVER)
        return unknown_text(x, place, text, offset);
    if (src && kind == PRINCIPAL_SELF)
        return parse_error(x, offset, "\"autogroup:self\" not valid on the src side of a rule");
    if ((src || place == PLACE_SSH_DST) && kind == PRINCIPAL_INTERNET)
        return parse_error(x, offset, "autogroup:internet can only be used in ACL destinations");
    if ((place == PLACE_ACL_DST || place == PLACE_GRANT_DST) && kind == PRINCIPAL_DANGER)
        return parse_error(x, offset, "cannot use autogroup:danger-all as a dst");
    if (BIT(kind) & AUTOGROUPS)
        return parse_error(x, offset, "%s: \"%s\", can be %s", places[place].autogroup_text, text,
                           places[place].choices);
    if (place == PLACE_SSH_DST && kind == PRINCIPAL_ANY)
        return parse_error(x, offset,
                           "wildcard (*) is not supported as SSH destination; use 'autogroup:member' for user-owned "
                           "devices, 'autogroup:tagged' for tagged devices, or specific tags/users");
    return not_for_ssh(x, src, kind, text, offset);
}

static int undefined(struct policy_parser *x, enum selector_place place, const char *text, size_t offset)
{
    struct buf b = BUF_INIT(0);
    const char *hint = selector_hint(x->p, place, text, &b);

    if (!str_starts(text, "tag:"))
        parse_error(x, offset, "%s not defined in policy: \"%s\"%s", str_starts(text, "group:") ? "group" : "host",
                    text, hint);
    else if (place == PLACE_ACL_SRC || place == PLACE_GRANT_SRC || place == PLACE_SSH_SRC)
        parse_error(x, offset, "src=tag not found: \"%s\"%s", text, hint);
    else if (place == PLACE_ACL_DST || place == PLACE_GRANT_DST || place == PLACE_SSH_DST)
        parse_error(x, offset, "dst=\"%s\": tag not found: \"%s\"%s", text, text, hint);
    else
        parse_error(x, offset, "tag not found: \"%s\"%s", text, hint);
    parse_meant(x, text, selector_meant(x->p, text));
    buf_release(&b);
    return ERR_INVALID;
}

int selector_parse(struct policy_parser *x, enum selector_place place, const char *text, size_t offset,
                   struct policy_selector *out)
{
    struct policy *p = x->p;
    struct prefix prefix = {0};

    if (place != PLACE_ACL_DST && place != PLACE_OWNER && place != PLACE_APPROVER && !text_trim(&p->arena, text, &text))
        return parse_too_big(x, offset);
    int kind = form(text, &prefix);
    if (kind == -2) {
        struct buf b = BUF_INIT(0);
        parse_error(x, offset,
                    "invalid autogroup: got \"%s\", must be one of [autogroup:internet autogroup:member "
                    "autogroup:nonroot autogroup:tagged autogroup:self autogroup:danger-all]%s",
                    text, selector_hint(x->p, place, text, &b));
        parse_meant(x, text, selector_meant(x->p, text));
        buf_release(&b);
        return ERR_INVALID;
    }
    if (kind == -1)
        return unknown_text(x, place, text, offset);
    if (!(places[place].allowed & BIT(kind)))
        return not_allowed(x, place, kind, text, offset);
    *out = (struct policy_selector){.offset = offset, .text = text};
    if (kind == PRINCIPAL_HOST) {
        uintptr_t host = (uintptr_t)map_gets(&p->host_index, text);
        if (!host)
            return place == PLACE_TARGET ? unknown_text(x, place, text, offset) : undefined(x, place, text, offset);
        prefix = p->hosts.items[host - 1].prefix;
        kind = PRINCIPAL_PREFIX;
    }
    if ((kind == PRINCIPAL_GROUP && !map_gets(&p->group_index, text)) ||
        (kind == PRINCIPAL_TAG && !map_gets(&p->tag_index, text)))
        return undefined(x, place, text, offset);
    if (kind == PRINCIPAL_DOMAIN) {
        struct policy_domain_use use = {text + strlen("user:*@"), offset, place == PLACE_SSH_SRC};
        vec_push(&p->domain_uses, use);
        text = use.domain;
    }
    if (kind == PRINCIPAL_NOBODY)
        (void)problem_at(x->problems, x->text, x->len, offset, true,
                         "%s matches nobody: the roles of this server are owner, admin and member", text);
    bool unique =
        kind == PRINCIPAL_USER || kind == PRINCIPAL_GROUP || kind == PRINCIPAL_TAG || kind == PRINCIPAL_DOMAIN;
    out->principal = principal_intern(p, (enum policy_principal_kind)kind, unique ? text : "", &prefix);
    principal_stands_at(p, out->principal, offset);
    return 0;
}
