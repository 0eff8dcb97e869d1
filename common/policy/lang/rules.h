/* SPDX-License-Identifier: BSD-3-Clause */
/* What a policy text means, inside the room. Every selector that occurs is interned once as a principal; a rule is
 * turned into units, which are what views count bits of: one source list, one list of destinations. */
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

enum principal_kind {
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
    PRINCIPAL_NOBODY, /* a role that this server does not give */
    PRINCIPAL_HOST,   /* only while parsing: becomes PRINCIPAL_PREFIX */
};

struct principal {
    enum principal_kind kind;
    const char *text; /* as written; for a prefix its text in filters (bare when it is one address) */
    struct prefix prefix;
    uint32_t group;       /* GROUP: index into groups */
    bool inside_internet; /* PREFIX within autogroup:internet */
};

/* A selector where it stands in the text. */
struct alias {
    uint32_t principal;
    size_t offset;
    const char *text; /* as written (the name of a host, not its address) */
};
struct aliases {
    struct alias *items;
    size_t len, cap;
};

struct group {
    const char *name;
    struct aliases members; /* users */
};

struct ports {
    uint16_t first, last;
};

/* One protocol (NONE_PROTO: the default four) and its ports. */
#define PROTO_DEFAULT (-1)
struct service {
    int proto;
    struct ports *ports;
    size_t port_count;
};

struct destination {
    struct alias alias;
    struct ports *ports; /* acls only */
    size_t port_count;
};

struct app {
    const char *name;
    const char *json; /* the list of values, plain JSON */
};

struct rule {
    bool is_grant;
    size_t index, offset; /* within its section; in the text */
    struct aliases src;
    VEC(struct destination) dst;
    VEC(struct service) services; /* acls: one, with no ports of its own */
    VEC(struct app) apps;
    VEC(const char *) via;
};

enum unit_kind { UNIT_PLAIN, UNIT_SELF, UNIT_VIA };

struct unit {
    enum unit_kind kind;
    const struct rule *rule;
    uint32_t index, base;        /* base: of a companion the unit that it accompanies, else itself */
    const char *companion;       /* capability of a reversed rule, or NULL */
    uint32_t sources;            /* list whose addresses are SrcIPs; companions: the rule's destinations */
    VEC(struct destination) dst; /* companions: the rule's sources, without ports */
    bool internet;               /* the destinations cover the whole internet */
    bool full;                   /* every port of the default protocols */
    bool ip, cap;                /* has services, has capabilities */
};

/* A set of principals used as sources, interned by content. */
struct source_list {
    uint32_t *principals; /* ascending */
    size_t count;
};

struct ssh_rule {
    size_t index, offset;
    bool check;
    int64_t period_ns; /* 0: always */
    struct aliases src, dst;
    uint32_t sources;             /* list of src */
    VEC(const char *) users;      /* without localpart forms */
    VEC(const char *) localparts; /* domains */
    VEC(const char *) env;
};

struct approver {
    struct prefix prefix;
    struct aliases who;
};

struct node_attr {
    struct aliases target;
    VEC(const char *) attrs;
    VEC(struct prefix) pools;
};

struct test_entry {
    size_t index, offset;
    const char *src, *proto;
    VEC(const char *) accept, deny;
};

struct ssh_test {
    size_t index, offset;
    const char *src;
    VEC(const char *) dst, accept, deny, check;
};

struct tag_owner {
    const char *tag;
    size_t offset;
    struct aliases owners;
};

struct host {
    const char *name;
    struct prefix prefix;
};

struct domain_use {
    const char *domain;
    size_t offset;
    bool ssh_source;
};

struct policy {
    atomic_uint refs;
    struct arena arena;
    char *text;
    size_t len;

    VEC(struct principal) principals;
    struct map principal_index; /* kind byte and text -> index + 1 */
    VEC(struct group) groups;
    VEC(struct host) hosts;
    VEC(struct tag_owner) tags;
    struct map host_index, tag_index, group_index; /* name -> index + 1 */

    VEC(struct rule *) rules; /* grants, then acls */
    size_t grant_count;
    bool allow_all;  /* neither acls nor grants */
    bool names_exit; /* autogroup:internet or via occurs: an exit node's own address grants nothing more */
    VEC(struct unit) units;
    VEC(struct source_list) lists;
    struct map list_index;

    VEC(struct ssh_rule) ssh;
    VEC(struct approver) approvers;
    struct aliases exit_approvers;
    VEC(struct node_attr) attrs;
    VEC(struct test_entry) tests;
    VEC(struct ssh_test) ssh_tests;
    VEC(struct domain_use) domain_uses;
    bool randomize_ports;
};

/* While parsing. */
struct parse {
    struct policy *p;
    struct policy_problems *problems;
    const char *text;
    size_t len;
    bool bad; /* the parse stage stops at its first error */
};

/* Adds a problem and returns ERR_INVALID (0 for a warning). */
int problem_at(struct policy_problems *problems, const char *text, size_t len, size_t offset, bool warning,
               const char *format, ...) PRINTF_LIKE(6, 7);
int parse_error(struct parse *x, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);

/* Selectors (alias.c). */
enum selector_place {
    PLACE_ACL_SRC,
    PLACE_ACL_DST,
    PLACE_GRANT_SRC,
    PLACE_GRANT_DST,
    PLACE_SSH_SRC,
    PLACE_SSH_DST,
    PLACE_TARGET,
    PLACE_OWNER,
    PLACE_APPROVER,
    PLACE_COUNT
};
int alias_parse(struct parse *x, enum selector_place place, const char *text, size_t offset, struct alias *out);
uint32_t principal_intern(struct policy *p, enum principal_kind kind, const char *text, const struct prefix *prefix);
uint32_t principal_find(const struct policy *p, enum principal_kind kind, const char *text);
/* Reads a selector without a place's rules and without adding anything: tests and explanations. Returns its kind, or -1
 * when it is no selector of this policy; *principal is NONE where the policy does not use it elsewhere. */
int selector_read(const struct policy *p, const char *text, struct principal *out);

/* Ports and protocols (service.c). Messages are written to out (at least 200 bytes) on failure. */
int ports_parse(const char *text, struct arena *a, struct ports **out, size_t *count, char *why, size_t size);
int proto_parse(const char *text, bool lower, int *out, char *why, size_t size);
bool proto_has_ports(int proto);
const char *proto_name(int proto);
bool ports_all(const struct ports *ports, size_t count);
/* "host:ports" split at the last colon, brackets removed: host is copied into the arena. */
int hostport_split(const char *text, struct arena *a, const char **host, const char **ports, char *why, size_t size);

/* Sections (parse_*.c). */
int parse_rules(struct parse *x, const struct hujson *acls, const struct hujson *grants);
int parse_ssh(struct parse *x, const struct hujson *list);
int parse_tests(struct parse *x, const struct hujson *list);
int parse_ssh_tests(struct parse *x, const struct hujson *list);
int parse_attrs(struct parse *x, const struct hujson *list);
void units_build(struct policy *p);

/* Readers of fixed shapes (shape.c): a table of fields, matched without regard to case, '-' and '_'. */
struct field {
    const char *name;
    const char *refuse; /* a key of the service that is not supported: why */
};
/* found[i] is the member of field i or NULL (null counts as absent). Unknown and doubled keys are errors; keys
 * beginning with '#' are skipped where hash_ok. */
int shape_read(struct parse *x, const struct hujson *object, const struct field *fields, size_t count, bool hash_ok,
               const struct hujson **found);
int shape_kind(struct parse *x, const struct hujson *v, enum hujson_kind kind, const char *what);
/* A list of strings or NULL; each string is handed to fn. */
int shape_strings(struct parse *x, const struct hujson *v, const char *what,
                  int (*fn)(struct parse *x, void *arg, const char *text, size_t offset), void *arg);

bool text_trim(struct arena *a, const char *text, const char **out); /* surrounding blanks removed */

/* The internal policy that allows everything, for a view without a policy. */
struct policy *policy_open(void);
struct policy *policy_alloc(void);

#endif
