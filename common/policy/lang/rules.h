/* SPDX-License-Identifier: BSD-3-Clause */
/* The meaning of a policy text, private to this room. Each distinct selector is interned as a principal; rules are
 * turned into units, for each of which views keep a bit: one source list and one list of destinations. */
#ifndef COMMON_POLICY_LANG_RULES_H
#define COMMON_POLICY_LANG_RULES_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "net/ranges.h"
#include "policy/lang/hujson.h"
#include "policy/policy.h"

#define NONE UINT32_MAX

enum policy_principal_kind {
    PRINCIPAL_ANY,
    PRINCIPAL_USER,
    PRINCIPAL_GROUP,
    PRINCIPAL_TAG,
    PRINCIPAL_PREFIX, /* literals and hosts: exactly these addresses */
    PRINCIPAL_MEMBER,
    PRINCIPAL_TAGGED,
    PRINCIPAL_SELF,
    PRINCIPAL_INTERNET,
    PRINCIPAL_DANGER, /* autogroup:danger-all */
    PRINCIPAL_NONROOT,
    PRINCIPAL_DOMAIN, /* user:*@domain */
    PRINCIPAL_ADMIN,
    PRINCIPAL_OWNER,
    PRINCIPAL_NOBODY, /* a role that this server does not have */
    PRINCIPAL_HOST,   /* only while parsing: becomes PRINCIPAL_PREFIX */
};

struct policy_principal {
    enum policy_principal_kind kind;
    const char *text; /* as written; of a prefix its text in filters (without a length if it is a single address) */
    struct prefix prefix;
    uint32_t group;       /* GROUP: index into groups */
    bool inside_internet; /* PREFIX within autogroup:internet */
    size_t offset;        /* first occurrence in the text; SIZE_MAX: none, or not recorded */
};

/* An occurrence of a selector in the text. */
struct policy_selector {
    uint32_t principal;
    size_t offset;
    const char *text; /* as written (a host's name, not its address) */
};
struct policy_selectors {
    struct policy_selector *items;
    size_t len, cap;
};

struct policy_group {
    const char *name;
    struct policy_selectors members; /* users */
};

struct port_range {
    uint16_t first, last;
};

/* A protocol (PROTO_DEFAULT: the default four) and its ports. */
#define PROTO_DEFAULT (-1)
struct policy_service {
    int proto;
    struct port_range *ports;
    size_t port_count, port_room; /* room: size of the array */
};

struct policy_destination {
    struct policy_selector alias;
    struct port_range *ports; /* acls only */
    size_t port_count;
};

struct policy_app {
    const char *name;
    const char *json; /* the list of values as plain JSON */
};

struct policy_rule {
    bool is_grant;
    bool connector;       /* made for an app of nodeAttrs, of which index is the index */
    size_t index, offset; /* in its section; in the text */
    struct policy_selectors src;
    VEC(struct policy_destination) dst;
    VEC(struct policy_service) services; /* acls: one, without ports */
    VEC(struct policy_app) apps;
    VEC(const char *) via;
};

enum policy_unit_kind { UNIT_PLAIN, UNIT_SELF, UNIT_VIA };

struct policy_unit {
    enum policy_unit_kind kind;
    const struct policy_rule *rule;
    uint32_t index, base;               /* base: of a companion its unit, otherwise itself */
    const char *companion;              /* the capability of a reversed rule, or NULL */
    uint32_t sources;                   /* the list whose addresses are SrcIPs; companions: the rule's destinations */
    VEC(struct policy_destination) dst; /* companions: the rule's sources, without ports */
    bool internet;                      /* the destinations include the whole internet */
    bool full;                          /* all ports of the default protocols */
    bool ip, cap;                       /* has services, has capabilities */
};

/* A set of principals that are used as sources, interned by content. */
struct policy_source_list {
    uint32_t *principals; /* ascending */
    size_t count;
};

struct policy_ssh_rule {
    size_t index, offset;
    bool check;
    int64_t period_ns; /* 0: check every time */
    struct policy_selectors src, dst;
    uint32_t sources;             /* list of src */
    VEC(const char *) users;      /* excluding localpart forms */
    VEC(const char *) localparts; /* domains */
    VEC(const char *) env;
};

struct policy_approver {
    struct prefix prefix;
    struct policy_selectors who;
};

struct policy_attr {
    struct policy_selectors target;
    VEC(const char *) attrs;
    VEC(struct prefix) pools;
};

struct policy_test {
    size_t index, offset;
    const char *src, *proto;
    VEC(const char *) accept, deny;
};

struct policy_ssh_test {
    size_t index, offset;
    const char *src;
    VEC(const char *) dst, accept, deny, check;
};

struct policy_tag_owner {
    const char *tag;
    size_t offset;
    struct policy_selectors owners;
};

struct policy_host {
    const char *name;
    struct prefix prefix;
};

struct policy_domain_use {
    const char *domain;
    size_t offset;
    bool ssh_source;
};

struct policy {
    atomic_uint refs;
    struct arena arena;
    char *text;
    size_t len;

    VEC(struct policy_principal) principals;
    struct map principal_index; /* from the kind's byte and the text to index + 1 */
    VEC(struct policy_group) groups;
    VEC(struct policy_host) hosts;
    VEC(struct policy_tag_owner) tags;
    struct map host_index, tag_index, group_index; /* from name to index + 1 */

    VEC(struct policy_rule *) rules; /* grants, then acls */
    size_t grant_count;
    bool allow_all;  /* neither acls nor grants */
    bool names_exit; /* autogroup:internet or via occurs, so an exit node's own address grants nothing more */
    VEC(struct policy_unit) units;
    VEC(struct policy_source_list) lists;
    struct map list_index;

    VEC(struct policy_ssh_rule) ssh;
    VEC(struct policy_approver) approvers;
    struct policy_selectors exit_approvers;
    VEC(struct policy_attr) attrs;
    VEC(struct policy_connector_app *) connector_apps;
    VEC(struct policy_test) tests;
    VEC(struct policy_ssh_test) ssh_tests;
    VEC(struct policy_domain_use) domain_uses;
    bool randomize_ports;
};

/* Adds a problem and returns ERR_INVALID (0 for a warning). offset SIZE_MAX: about no one place. */
/* Sorts the problems from index from on by their place in the text; those without a place go last. */
void problems_sort(struct policy_problems *problems, size_t from);
/* Completes the last problem: what is wrong, and what was probably meant (NULL: unknown). */
void problem_meant(struct policy_problems *problems, const char *wrong, const char *meant);
/* Completes the last problem: the line that causes it. */
void problem_caused(struct policy_problems *problems, unsigned line);
int problem_at(struct policy_problems *problems, const char *text, size_t len, size_t offset, bool warning,
               const char *format, ...) PRINTF_LIKE(6, 7);

uint32_t principal_find(const struct policy *p, enum policy_principal_kind kind, const char *text);
/* Reads a selector for tests and explanations: without the restrictions of a place, and without adding anything to p.
 * Returns its kind, or -1 if it is not a selector of this policy. */
int selector_read(const struct policy *p, const char *text, struct policy_principal *out);

/* Ports and protocols. On failure the message is written to why (at least 200 bytes). */
int ports_parse(const char *text, struct arena *a, struct port_range **out, size_t *count, char *why, size_t size);
int proto_parse(const char *text, bool lower, int *out, char *why, size_t size);
bool proto_has_ports(int proto);
const char *proto_name(int proto); /* NULL if it has none */
bool ports_all(const struct port_range *ports, size_t count);
/* Splits "host:ports" at the last colon and removes brackets: host is copied into the arena. */
int hostport_split(const char *text, struct arena *a, const char **host, const char **ports, char *why, size_t size);

/* The policy of a view without one: it allows everything. */
struct policy *policy_open(void);

#endif
