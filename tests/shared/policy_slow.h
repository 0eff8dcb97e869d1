/* SPDX-License-Identifier: BSD-3-Clause */
/* A made-up policy and tailnet, and the slow, obvious answer to who may do what. It shares no code with the policy
 * room: it keeps rules as it made them and evaluates them packet by packet as the language is documented. Tests compare
 * the room with it; the benchmark times both. */
#ifndef TESTS_SHARED_POLICY_SLOW_H
#define TESTS_SHARED_POLICY_SLOW_H

#include "base/buf.h"
#include "net/prefixes.h"
#include "policy/policy.h"

enum slow_kind {
    SLOW_ANY,
    SLOW_USER,
    SLOW_GROUP,
    SLOW_TAG,
    SLOW_MEMBER,
    SLOW_TAGGED,
    SLOW_PREFIX,
    SLOW_INTERNET,
    SLOW_SELF
};

struct slow_alias {
    enum slow_kind kind;
    unsigned index; /* user, group, tag */
    struct prefix prefix;
    uint16_t first, last; /* of a destination */
};
#define SLOW_ALIASES 3
struct slow_rule {
    bool grant;
    size_t srcs, dsts;
    struct slow_alias src[SLOW_ALIASES], dst[SLOW_ALIASES];
    int proto; /* -1: the default four */
    int via;   /* tag, -1 */
    bool ip;   /* opens ports */
    int app;   /* 0, or the value of a capability */
};
struct slow_node {
    bool there;
    int user;      /* -1: tagged */
    unsigned tags; /* bits */
    struct addr ipv4, ipv6;
    struct prefix routes[4];
    size_t route_count;
    bool online, healthy;
    uint64_t order;
};
struct slow {
    unsigned users, groups, tags;
    unsigned *group_members; /* groups * users bytes of yes or no */
    struct slow_rule *rules;
    size_t rule_count;
    struct slow_node *nodes;
    size_t node_count;
    struct slow_alias without_ipv4[2]; /* targets of the attribute */
    size_t without_ipv4_count;
    char *tests; /* the section's entries, or NULL */
    bool dense;  /* few networks with many routers: every other seed */
    uint64_t seed;
};

void slow_init(struct slow *s, uint64_t seed, unsigned users, unsigned groups, unsigned tags, size_t rules,
               size_t nodes);
void slow_release(struct slow *s);
uint32_t slow_roll(struct slow *s, uint32_t below);
void slow_make_node(struct slow *s, size_t i); /* a new random one */
void slow_text(const struct slow *s, struct buf *out);

/* For the policy room. The pointers in node are valid until the next call with the same scratch. */
struct slow_scratch {
    char *tags[16];
    const char *tag_list[16];
    struct prefix serving[4];
};
void slow_node_input(const struct slow *s, size_t i, struct slow_scratch *scratch, struct policy_node *out);
void slow_scratch_release(struct slow_scratch *scratch);
void slow_users(const struct slow *s, struct policy_user *out, char (*names)[2][32]);

/* ---- answers (policy_slow_answers.c) ---- */

#define SLOW_NOBODY SIZE_MAX

/* Does node n let this packet in? */
bool slow_lets(const struct slow *s, size_t n, const struct addr *from, const struct addr *to, int proto,
               uint16_t port);
/* Are they peers? */
bool slow_sees(const struct slow *s, size_t a, size_t b);
/* Does the viewer see the peer's route? */
bool slow_shows(const struct slow *s, size_t viewer, size_t peer, const struct prefix *route);
/* Do they see each other without IPv4? */
bool slow_hides_ipv4(const struct slow *s, size_t a, size_t b);
/* Does a packet from the node's address of that family arrive, whoever receives it? */
bool slow_reaches(const struct slow *s, size_t from, const struct addr *to, int proto, uint16_t port);
/* Does any rule, wherever it is enforced, let the address reach one that the destination names? proto -1: any usual
 * one. */
bool slow_rule_lets(const struct slow *s, const struct addr *from, const struct slow_alias *to, int proto,
                    uint16_t port);
/* Does the node have the capability's value on the other, with addresses of that family? */
bool slow_holds(const struct slow *s, size_t from, size_t to, int value, bool ipv6);
bool slow_serves(const struct slow *s, size_t node, const struct prefix *p); /* is the primary */
bool slow_is_member(const struct slow *s, size_t node, const struct slow_alias *a);
void slow_alias_text(const struct slow_alias *a, struct buf *out);
struct slow_alias slow_pick_alias(struct slow *s, bool dst);
void slow_make_rule(struct slow *s, struct slow_rule *r);

#endif
