/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy and a tailnet that were made up, and the slow, obvious answer to who may do what. It shares nothing with the
 * policy room: it keeps rules as it made them, and reads their meaning off the language's description one packet at a
 * time. Tests compare the room with it; the bench times both. */
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
};
struct slow_node {
    bool there;
    int user;      /* -1: tagged */
    unsigned tags; /* bits */
    struct addr ipv4, ipv6;
    struct prefix routes[4];
    size_t route_count;
    bool online;
};
struct slow {
    unsigned users, groups, tags;
    unsigned *group_members; /* groups * users bytes of yes or no */
    struct slow_rule *rules;
    size_t rule_count;
    struct slow_node *nodes;
    size_t node_count;
    uint64_t seed;
};

void slow_init(struct slow *s, uint64_t seed, unsigned users, unsigned groups, unsigned tags, size_t rules,
               size_t nodes);
void slow_release(struct slow *s);
uint32_t slow_roll(struct slow *s, uint32_t below);
void slow_make_node(struct slow *s, size_t i); /* anew, at random */
void slow_text(const struct slow *s, struct buf *out);

/* For the room. What node points at is valid until the next call with the same scratch. */
struct slow_scratch {
    char *tags[16];
    const char *tag_list[16];
    struct prefix serving[4];
};
void slow_node_input(const struct slow *s, size_t i, struct slow_scratch *scratch, struct policy_node *out);
void slow_scratch_release(struct slow_scratch *scratch);
void slow_users(const struct slow *s, struct policy_user *out, char (*names)[2][32]);

/* Does node n let this packet in? */
bool slow_lets(const struct slow *s, size_t n, const struct addr *from, const struct addr *to, int proto,
               uint16_t port);
/* Are they peers? */
bool slow_sees(const struct slow *s, size_t a, size_t b);

#endif
