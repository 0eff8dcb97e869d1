/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of publications. */
#include "core/message/calls.h"
#include "core/message/publication.h"

#define U64(type, member)  MEMBER_ROW(type, member, U64)
#define TIME(type, member) MEMBER_ROW(type, member, TIME)
#define U32(type, member)  MEMBER_ROW(type, member, U32)
#define BOOL(type, member) MEMBER_ROW(type, member, BOOL)
#define TEXT(type, member) MEMBER_ROW(type, member, TEXT)

static const struct member item_members[] = {
    U32(publication_item, from),
    U32(publication_item, kept),
    MEMBER_ROW(publication_item, record, RECORD),
};
static const struct members item_table = MEMBERS(publication_item, item_members);

static const struct member list_members[] = {
    TEXT(publication_list, name),
    MEMBER_ROW_OF(publication_list, items, LIST, item_table),
};
static const struct members list_table = MEMBERS(publication_list, list_members);

static const struct member probe_members[] = {
    MEMBER_ROW(probe_target, prefix, PREFIX),
    MEMBER_ROW(probe_target, target, ADDR),
};
static const struct members probe_table = MEMBERS(probe_target, probe_members);

_Static_assert(offsetof(struct tailnet_settings, probe_count) ==
                   offsetof(struct tailnet_settings, probes) + sizeof(void *),
               "an array has its length behind it");
static const struct member settings_members[] = {
    TEXT(tailnet_settings, server_url),
    TEXT(tailnet_settings, domain),
    TEXT(tailnet_settings, base_domain),
    TEXT(tailnet_settings, dns_json),
    MEMBER_ROW(tailnet_settings, dns_own, RECORD),
    TEXT(tailnet_settings, derp_json),
    BOOL(tailnet_settings, taildrop),
    BOOL(tailnet_settings, randomize_client_port),
    BOOL(tailnet_settings, logtail),
    BOOL(tailnet_settings, auto_update),
    MEMBER_ROW_OF(tailnet_settings, probes, ARRAY, probe_table),
    MEMBER_ROW_ENUM(tailnet_settings, routing.failback, FAILBACKS),
    MEMBER_ROW_ENUM(tailnet_settings, routing.keep, PREFIX_KEEPS),
    TIME(tailnet_settings, routing.hold_down_ns),
    TIME(tailnet_settings, routing.failback_delay_ns),
    MEMBER_ROW(tailnet_settings, routing.probe, ADDR),
    MEMBER_ROW_ENUM(tailnet_settings, routing.nearest, PREFIX_NEARESTS),
    BOOL(tailnet_settings, strict_relay),
};
static const struct members settings_table = MEMBERS(tailnet_settings, settings_members);

static const struct member viewer_members[] = {
    U64(publication_viewer, viewer),
    U64(publication_viewer, router),
    TIME(publication_viewer, moved_ms),
};
static const struct members viewer_table = MEMBERS(publication_viewer, viewer_members);

static const struct member nearest_members[] = {
    MEMBER_ROW(publication_nearest, prefix, PREFIX),
    U64(publication_nearest, primary),
    MEMBER_ROW_OF(publication_nearest, viewers, LIST, viewer_table),
    MEMBER_ROW(publication_nearest, actor, MAYBE),
    TIME(publication_nearest, acted_ms),
};
static const struct members nearest_table = MEMBERS(publication_nearest, nearest_members);

static const struct member change_members[] = {
    U64(publication_change, node_id),
    U32(publication_change, mask),
    BOOL(publication_change, route_moved),
    BOOL(publication_change, reachable),
    BOOL(publication_change, is_node),
    BOOL(publication_change, is_gone),
    MEMBER_ROW(publication_change, record, RECORD),
    BOOL(publication_change, live.online),
    BOOL(publication_change, live.healthy),
    BOOL(publication_change, live.flapping),
    TIME(publication_change, live.last_seen_ns),
    TIME(publication_change, live.since_ns),
    U32(publication_change, live.home_derp),
    MEMBER_ROW_OF(publication_change, live.endpoints, ARRAY, addr_port_table),
    TEXT(publication_change, live.net_info),
    MEMBER_ROW_OF(publication_change, live.warnings, LIST, warning_table),
    MEMBER_ROW(publication_change, live.unreachable, PREFIXES),
    MEMBER_ROW(publication_change, live.carried, PREFIXES),
    U64(publication_change, live.probe_helper),
    MEMBER_ROW(publication_change, live.probe_target, ADDR),
    TEXT(publication_change, live.source),
    MEMBER_ROW(publication_change, serving, PREFIXES),
    BOOL(publication_change, expired),
};
static const struct members change_table = MEMBERS(publication_change, change_members);

static const struct member publication_members[] = {
    TIME(publication, wall_ns),
    U64(publication, event_run),
    U64(publication, event_seq),
    MEMBER_ROW_OF(publication, lists, LIST, list_table),
    MEMBER_ROW(publication, policy, RECORD),
    MEMBER_ROW(publication, message, RECORD),
    MEMBER_ROW_OF(publication, settings, LIST, settings_table),
    BOOL(publication, is_nearest),
    MEMBER_ROW_OF(publication, nearest, LIST, nearest_table),
    MEMBER_ROW(publication, nearest_ended_by, MAYBE),
    MEMBER_ROW_OF(publication, changes, LIST, change_table),
};
const struct members publication_table = MEMBERS(publication, publication_members);
