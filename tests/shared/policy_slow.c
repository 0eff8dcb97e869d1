/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/policy_slow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "net/ranges.h"

uint32_t slow_roll(struct slow *s, uint32_t below)
{
    s->seed = s->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(s->seed >> 33) % below;
}

static struct prefix pick_prefix(struct slow *s)
{
    struct prefix p = {{.bits = 32, .bytes = {10, (uint8_t)slow_roll(s, 3), (uint8_t)slow_roll(s, 3), 0}}, 0};
    static const uint8_t lengths[] = {8, 16, 24, 24};

    if (s->dense && slow_roll(s, 4)) {
        p.addr.bytes[1] = 0;
        p.addr.bytes[2] = (uint8_t)slow_roll(s, 2);
    }
    p.bits = lengths[slow_roll(s, 4)];
    for (unsigned i = p.bits / 8U; i < 4; i++)
        p.addr.bytes[i] = 0;
    switch (s->dense && slow_roll(s, 4) ? 9 : slow_roll(s, 10)) {
    case 0: /* public */
        return (struct prefix){{.bits = 32, .bytes = {8, 8, 8, 0}}, 24};
    case 1: /* IPv6 */
        return (struct prefix){{.bits = 128, .bytes = {0xfd, 1, 0, (uint8_t)slow_roll(s, 2)}}, 32};
    case 2: /* across the tailnet's addresses */
        return (struct prefix){{.bits = 32, .bytes = {100, 64, (uint8_t)slow_roll(s, 2), 0}}, 24};
    case 3: /* half of the internet */
        return (struct prefix){{.bits = 32, .bytes = {(uint8_t)(128 * slow_roll(s, 2))}}, 1};
    default:
        return p;
    }
}

struct slow_alias slow_pick_alias(struct slow *s, bool dst)
{
    struct slow_alias a = {0};
    uint32_t ports = slow_roll(s, 3);

    a.kind = (enum slow_kind)slow_roll(s, dst ? SLOW_SELF + 1 : SLOW_PREFIX + 1);
    if (s->dense && dst && slow_roll(s, 2))
        a.kind = slow_roll(s, 4) ? SLOW_PREFIX : SLOW_ANY;
    if (a.kind == SLOW_USER)
        a.index = slow_roll(s, s->users);
    if (a.kind == SLOW_GROUP)
        a.index = slow_roll(s, s->groups);
    if (a.kind == SLOW_TAG)
        a.index = slow_roll(s, s->tags);
    if (a.kind == SLOW_PREFIX) {
        a.prefix = pick_prefix(s);
        if (s->node_count && slow_roll(s, 3) == 0) { /* the address of a node */
            a.prefix.addr = s->nodes[slow_roll(s, (uint32_t)s->node_count)].ipv4;
            a.prefix.bits = 32;
        }
    }
    a.first = ports == 0 ? 0 : (uint16_t)(20 + slow_roll(s, 5));
    a.last = ports == 0 ? UINT16_MAX : (uint16_t)(a.first + (ports == 1 ? 0 : slow_roll(s, 4)));
    return a;
}

void slow_make_rule(struct slow *s, struct slow_rule *r)
{
    static const int protos[] = {-1, -1, 6, 17};
    bool self = false;

    *r = (struct slow_rule){.grant = slow_roll(s, 2) == 0, .proto = protos[slow_roll(s, 4)], .via = -1, .ip = true};
    r->srcs = 1 + slow_roll(s, SLOW_ALIASES);
    r->dsts = 1 + slow_roll(s, SLOW_ALIASES);
    if (r->grant && slow_roll(s, s->dense ? 2 : 3) == 0)
        r->via = (int)slow_roll(s, s->tags);
    if (r->grant && slow_roll(s, 4) == 0) {
        r->app = 1 + (int)slow_roll(s, 2);
        r->ip = slow_roll(s, 2) == 0;
    }
    for (size_t i = 0; i < r->dsts; i++) {
        do
            r->dst[i] = slow_pick_alias(s, true);
        while ((r->via >= 0 && r->dst[i].kind == SLOW_SELF) || (r->app && r->dst[i].kind == SLOW_INTERNET));
        self |= r->dst[i].kind == SLOW_SELF;
        if (r->grant && i) { /* grants have their ports elsewhere */
            r->dst[i].first = r->dst[0].first;
            r->dst[i].last = r->dst[0].last;
        }
    }
    for (size_t i = 0; i < r->srcs; i++)
        do
            r->src[i] = slow_pick_alias(s, false);
        while (self && (r->src[i].kind == SLOW_TAG || r->src[i].kind == SLOW_TAGGED || r->src[i].kind == SLOW_PREFIX ||
                        (r->grant && r->src[i].kind == SLOW_ANY)));
}

void slow_make_node(struct slow *s, size_t i)
{
    struct slow_node *n = &s->nodes[i];
    size_t routes = slow_roll(s, s->dense ? 2 : 4) == 0 ? 1 + slow_roll(s, 2) : 0;

    *n = (struct slow_node){.there = true, .user = -1, .online = slow_roll(s, 8) != 0};
    n->healthy = n->online && slow_roll(s, 8) != 0;
    n->order = (uint64_t)slow_roll(s, 1000) * 100000 + i;
    n->ipv4 = (struct addr){.bits = 32, .bytes = {100, 64, (uint8_t)(i / 250), (uint8_t)(1 + i % 250)}};
    n->ipv6 = (struct addr){.bits = 128,
                            .bytes = {0xfd, 0x7a, 0x11, 0x5c, 0xa1,
                                      0xe0, [13] = (uint8_t)(i >> 16), [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}};
    if (slow_roll(s, 3) == 0)
        n->tags = 1U << slow_roll(s, s->tags) | 1U << slow_roll(s, s->tags);
    else
        n->user = (int)slow_roll(s, s->users);
    for (size_t k = 0; k < routes; k++) {
        struct prefix p = pick_prefix(s);
        bool twice = k && prefix_cmp(&n->routes[0], &p) == 0;
        if (p.bits > 1 && p.addr.bytes[0] != 100 && !twice)
            n->routes[n->route_count++] = p;
    }
    if (slow_roll(s, 8) == 0) {
        n->routes[n->route_count++] = (struct prefix){{.bits = 32}, 0};
        n->routes[n->route_count++] = (struct prefix){{.bits = 128}, 0};
    }
}

void slow_init(struct slow *s, uint64_t seed, unsigned users, unsigned groups, unsigned tags, size_t rules,
               size_t nodes)
{
    *s = (struct slow){.users = users,
                       .groups = groups,
                       .tags = tags,
                       .rule_count = rules,
                       .node_count = nodes,
                       .dense = seed % 2 == 0,
                       .seed = seed};
    s->group_members = mem_alloc((size_t)groups * users * sizeof(unsigned) + 1);
    s->rules = mem_alloc((rules + 1) * sizeof(*s->rules));
    s->nodes = mem_alloc((nodes + 1) * sizeof(*s->nodes));
    for (size_t i = 0; i < (size_t)groups * users; i++)
        s->group_members[i] = slow_roll(s, users > 20 ? 40 : 3) == 0;
    for (size_t i = 0; i < nodes; i++)
        slow_make_node(s, i);
    s->without_ipv4_count = nodes < 100 && slow_roll(s, 3) == 0 ? 1 + slow_roll(s, 2) : 0;
    for (size_t i = 0; i < s->without_ipv4_count; i++)
        do
            s->without_ipv4[i] = slow_pick_alias(s, false);
        while (s->without_ipv4[i].kind == SLOW_ANY && slow_roll(s, 4));
    for (size_t i = 0; i < rules; i++)
        slow_make_rule(s, &s->rules[i]);
}

void slow_release(struct slow *s)
{
    free(s->group_members);
    free(s->rules);
    free(s->nodes);
    free(s->tests);
    *s = (struct slow){0};
}

/* ---- as text ---- */

void slow_alias_text(const struct slow_alias *a, struct buf *out)
{
    static const char *const fixed[] = {[SLOW_ANY] = "*",
                                        [SLOW_MEMBER] = "autogroup:member",
                                        [SLOW_TAGGED] = "autogroup:tagged",
                                        [SLOW_INTERNET] = "autogroup:internet",
                                        [SLOW_SELF] = "autogroup:self"};
    char text[PREFIX_TEXT_MAX];

    if (a->kind == SLOW_USER)
        buf_addf(out, "u%u@example.com", a->index);
    else if (a->kind == SLOW_GROUP)
        buf_addf(out, "group:g%u", a->index);
    else if (a->kind == SLOW_TAG)
        buf_addf(out, "tag:t%u", a->index);
    else if (a->kind == SLOW_PREFIX)
        buf_adds(out, prefix_format(&a->prefix, text));
    else
        buf_adds(out, fixed[a->kind]);
}

static void ports_text(const struct slow_alias *a, struct buf *out)
{
    if (a->first == 0)
        buf_adds(out, "*");
    else if (a->first == a->last)
        buf_addf(out, "%u", a->first);
    else
        buf_addf(out, "%u-%u", a->first, a->last);
}

static void rule_text(const struct slow_rule *r, struct buf *out)
{
    static const char *const names[] = {[6] = "tcp", [17] = "udp"};

    buf_adds(out, r->grant ? "{\"src\":[" : "{\"action\":\"accept\",\"src\":[");
    for (size_t i = 0; i < r->srcs; i++) {
        buf_adds(out, i ? ",\"" : "\"");
        slow_alias_text(&r->src[i], out);
        buf_adds(out, "\"");
    }
    buf_adds(out, "],\"dst\":[");
    for (size_t i = 0; i < r->dsts; i++) {
        buf_adds(out, i ? ",\"" : "\"");
        slow_alias_text(&r->dst[i], out);
        if (!r->grant) {
            buf_adds(out, ":");
            ports_text(&r->dst[i], out);
        }
        buf_adds(out, "\"");
    }
    buf_adds(out, "]");
    if (!r->grant && r->proto >= 0)
        buf_addf(out, ",\"proto\":\"%s\"", names[r->proto]);
    if (r->grant && r->ip) {
        buf_adds(out, ",\"ip\":[\"");
        if (r->proto >= 0)
            buf_addf(out, "%s:", names[r->proto]);
        ports_text(&r->dst[0], out);
        buf_adds(out, "\"]");
    }
    if (r->app)
        buf_addf(out, ",\"app\":{\"example.com/cap/x\":[%d]}", r->app);
    if (r->via >= 0)
        buf_addf(out, ",\"via\":[\"tag:t%d\"]", r->via);
    buf_adds(out, "}");
}

void slow_text(const struct slow *s, struct buf *out)
{
    buf_adds(out, "{\"groups\":{");
    for (unsigned g = 0; g < s->groups; g++) {
        bool comma = false;
        buf_addf(out, "%s\"group:g%u\":[", g ? "," : "", g);
        for (unsigned u = 0; u < s->users; u++)
            if (s->group_members[g * s->users + u]) {
                buf_addf(out, "%s\"u%u@example.com\"", comma ? "," : "", u);
                comma = true;
            }
        buf_adds(out, "]");
    }
    buf_adds(out, "},\"tagOwners\":{");
    for (unsigned t = 0; t < s->tags; t++)
        buf_addf(out, "%s\"tag:t%u\":[]", t ? "," : "", t);
    for (int grants = 1; grants >= 0; grants--) {
        bool comma = false;
        buf_adds(out, grants ? "},\"grants\":[" : "],\"acls\":[");
        for (size_t i = 0; i < s->rule_count; i++) {
            if (s->rules[i].grant != (grants == 1))
                continue;
            buf_adds(out, comma ? ",\n" : "\n");
            rule_text(&s->rules[i], out);
            comma = true;
        }
    }
    buf_adds(out, "]");
    for (size_t i = 0; i < s->without_ipv4_count; i++) {
        buf_adds(out, i ? ",\"" : ",\"nodeAttrs\":[{\"attr\":[\"disable-ipv4\"],\"target\":[\"");
        slow_alias_text(&s->without_ipv4[i], out);
        buf_adds(out, "\"");
    }
    if (s->without_ipv4_count)
        buf_adds(out, "]}]");
    if (s->tests)
        buf_addf(out, ",\"tests\":[%s]", s->tests);
    buf_adds(out, "}");
}

/* ---- for the room ---- */

void slow_scratch_release(struct slow_scratch *scratch)
{
    for (size_t i = 0; i < 16; i++)
        free(scratch->tags[i]);
    *scratch = (struct slow_scratch){0};
}

void slow_node_input(const struct slow *s, size_t i, struct slow_scratch *scratch, struct policy_node *out)
{
    static const char *const names[] = {"n0", "n1", "n2", "n3",  "n4",  "n5",  "n6",
                                        "n7", "n8", "n9", "n10", "n11", "n12", "n13"};
    const struct slow_node *n = &s->nodes[i];

    slow_scratch_release(scratch);
    *out = (struct policy_node){.slot = (uint32_t)i,
                                .id = i + 1,
                                .order = n->order,
                                .name = i < ARRAY_LEN(names) ? names[i] : "node",
                                .ipv4 = n->ipv4,
                                .ipv6 = n->ipv6,
                                .online = n->online,
                                .healthy = n->healthy,
                                .user_id = n->user >= 0 ? (uint64_t)n->user + 1 : 0,
                                .tags = scratch->tag_list,
                                .routes = n->routes,
                                .route_count = n->route_count,
                                .serving = scratch->serving};
    for (unsigned t = 0; t < s->tags && t < 16; t++)
        if (n->tags >> t & 1) {
            scratch->tags[out->tag_count] = mem_format("tag:t%u", t);
            scratch->tag_list[out->tag_count] = scratch->tags[out->tag_count];
            out->tag_count++;
        }
    for (size_t k = 0; k < n->route_count; k++) {
        if (slow_serves(s, i, &n->routes[k]))
            scratch->serving[out->serving_count++] = n->routes[k];
    }
}

void slow_users(const struct slow *s, struct policy_user *out, char (*names)[2][32])
{
    for (unsigned i = 0; i < s->users; i++) {
        snprintf(names[i][0], 32, "u%u", i);
        snprintf(names[i][1], 32, "u%u@example.com", i);
        out[i] = (struct policy_user){i + 1, names[i][0], names[i][1], "", POLICY_MEMBER, NULL, 0};
    }
}
