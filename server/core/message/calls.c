/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of calls. Nested structs are spelled out: their members have rows here too (checked by .ci/rules). */
#include "core/message/calls.h"

#define U64(type, member)      MEMBER_ROW(type, member, U64)
#define TIME(type, member)     MEMBER_ROW(type, member, TIME)
#define U32(type, member)      MEMBER_ROW(type, member, U32)
#define BOOL(type, member)     MEMBER_ROW(type, member, BOOL)
#define KEY(type, member)      MEMBER_ROW(type, member, KEY)
#define MAYBE(type, member)    MEMBER_ROW(type, member, MAYBE)
#define STRS(type, member)     MEMBER_ROW(type, member, STRS)
#define PREFIXES(type, member) MEMBER_ROW(type, member, PREFIXES)
#define CLIENT_INFO(type)                                                                                              \
    MAYBE(type, info.hostname), MAYBE(type, info.os), MAYBE(type, info.os_version), MAYBE(type, info.client_version),  \
        MAYBE(type, info.hostinfo), MAYBE(type, info.peer_hostinfo), MAYBE(type, info.net_info),                       \
        U32(type, info.home_derp), PREFIXES(type, info.routes), STRS(type, info.request_tags),                         \
        U64(type, info.exit_node_id), U32(type, info.cap_version), MAYBE(type, info.source),                           \
        BOOL(type, info.no_hostinfo)

/* ---- calls of clients ---- */

static const struct member register_request[] = {
    KEY(core_register, machine_key), KEY(core_register, node_key),   KEY(core_register, old_node_key),
    MAYBE(core_register, auth_key),  MAYBE(core_register, followup), TIME(core_register, expiry_ns),
    BOOL(core_register, ephemeral),  CLIENT_INFO(core_register),
};
static const struct member register_answer[] = {
    MEMBER_ROW_ENUM(core_register, result, REGISTER_REFUSED),
    MEMBER_ROW_CHARS(core_register, auth_id),
    U64(core_register, node_id),
    MEMBER_ROW(core_register, user, RECORD),
};
static const struct member register_own[] = {
    U64(core_register, slow_key),
    MAYBE(core_register, slow_hash),
    BOOL(core_register, slow_fits),
};

static const struct member addr_port_members[] = {MEMBER_ROW(addr_port, addr, ADDR), MEMBER_ROW(addr_port, port, U16)};
const struct members addr_port_table = MEMBERS(addr_port, addr_port_members);

_Static_assert(offsetof(struct core_map, endpoint_count) == offsetof(struct core_map, endpoints) + sizeof(void *),
               "an array has its length behind it");
static const struct member map_request[] = {
    KEY(core_map, machine_key),
    KEY(core_map, node_key),
    KEY(core_map, disco_key),
    BOOL(core_map, stream),
    BOOL(core_map, read_only),
    BOOL(core_map, has_endpoints),
    MEMBER_ROW_OF(core_map, endpoints, ARRAY, addr_port_table),
    STRS(core_map, flags),
    CLIENT_INFO(core_map),
};
static const struct member map_answer[] = {
    U64(core_map, node_id),
    U64(core_map, session),
    U32(core_map, slot),
    U64(core_map, seq),
};

static const struct member ssh_request[] = {
    U64(core_ssh, source_id),
    U64(core_ssh, target_id),
    MAYBE(core_ssh, user),
    MAYBE(core_ssh, auth_id),
};
static const struct member ssh_answer[] = {
    BOOL(core_ssh, accepted),
    BOOL(core_ssh, undecided),
    MEMBER_ROW_CHARS(core_ssh, new_auth_id),
};

/* ---- calls of administrators ---- */

static const struct member admin_request[] = {
    MEMBER_ROW_ENUM(core_admin, op, ADMIN_OP_COUNT - 1),
    BOOL(core_admin, has_token),
    KEY(core_admin, token.id),
    KEY(core_admin, token.request),
    KEY(core_admin, token.seal),
    MAYBE(core_admin, actor),
    BOOL(core_admin, dry_run),
    BOOL(core_admin, has_match),
    U64(core_admin, match),
    MEMBER_ROW(core_admin, undoes, RECORDS),
    U64(core_admin, id),
    U64(core_admin, user_id),
    U64(core_admin, number),
    MAYBE(core_admin, name),
    MAYBE(core_admin, display_name),
    MAYBE(core_admin, email),
    MAYBE(core_admin, picture_url),
    MAYBE(core_admin, text),
    MAYBE(core_admin, prefix),
    MAYBE(core_admin, severity),
    MAYBE(core_admin, url),
    MAYBE(core_admin, note),
    MEMBER_ROW_ENUM(core_admin, role, ROLE_OWNER),
    BOOL(core_admin, has_role),
    BOOL(core_admin, reusable),
    BOOL(core_admin, ephemeral),
    BOOL(core_admin, needs_approval),
    BOOL(core_admin, read_only),
    BOOL(core_admin, flag),
    TIME(core_admin, time_ns),
    BOOL(core_admin, limited),
    STRS(core_admin, limits),
    STRS(core_admin, tags),
    STRS(core_admin, scopes),
    PREFIXES(core_admin, prefixes),
    PREFIXES(core_admin, revoke),
    STRS(core_admin, approvals),
    STRS(core_admin, revocations),
    MEMBER_ROW_ENUM(core_admin, rule.failback, FAILBACKS),
    MEMBER_ROW_ENUM(core_admin, rule.keep, PREFIX_KEEPS),
    TIME(core_admin, rule.hold_down_ns),
    TIME(core_admin, rule.failback_delay_ns),
    MEMBER_ROW(core_admin, rule.probe, ADDR),
    MEMBER_ROW_ENUM(core_admin, rule.nearest, PREFIX_NEARESTS),
    BOOL(core_admin, dns.magic_dns),
    BOOL(core_admin, dns.override_local),
    STRS(core_admin, dns.nameservers),
    STRS(core_admin, dns.split),
    STRS(core_admin, dns.search),
    U32(core_admin, given),
    U32(core_admin, reset),
};

static const struct member problem_members[] = {
    U32(policy_problem, line),  U32(policy_problem, column), BOOL(policy_problem, warning),
    U32(policy_problem, cause), MAYBE(policy_problem, text), MAYBE(policy_problem, wrong),
    MAYBE(policy_problem, fix),
};
static const struct members problem_table = MEMBERS(policy_problem, problem_members);

static const struct member admin_answer[] = {
    MEMBER_ROW(core_admin, record, RECORD),
    MEMBER_ROW(core_admin, events, RECORDS),
    MAYBE(core_admin, inverse),
    MAYBE(core_admin, secret),
    U64(core_admin, version),
    MEMBER_ROW_OF(core_admin, problems, LIST, problem_table),
};

/* ---- logins of people ---- */

static const struct member login_request[] = {
    MEMBER_ROW_ENUM(core_login, step, LOGIN_FORGET),
    MAYBE(core_login, provider),
    MAYBE(core_login, issuer),
    MAYBE(core_login, subject),
    MAYBE(core_login, username),
    MAYBE(core_login, email),
    MAYBE(core_login, display_name),
    MAYBE(core_login, picture_url),
    BOOL(core_login, has_groups),
    STRS(core_login, groups),
    MAYBE(core_login, refresh_token),
    MAYBE(core_login, auth_id),
    MAYBE(core_login, text),
    MAYBE(core_login, asked_with),
    U64(core_login, user_id),
    U64(core_login, identity_id),
    TIME(core_login, expiry_ns),
};
static const struct member login_answer[] = {
    MEMBER_ROW(core_login, user, RECORD),
    U64(core_login, known_id),
    U64(core_login, node_id),
};

/* ---- notices ---- */

static const struct member warning_members[] = {
    MEMBER_ROW_ENUM(node_warning, source, WARNING_CLIENT),
    MEMBER_ROW(node_warning, code, TEXT),
    MEMBER_ROW(node_warning, text, TEXT),
    TIME(node_warning, since_ns),
};
const struct members warning_table = MEMBERS(node_warning, warning_members);

static const struct member notice_request[] = {
    U64(core_notice, number),
    U32(core_notice, which),
    TIME(core_notice, ms),
    MAYBE(core_notice, text),
    MAYBE(core_notice, actor),
    MAYBE(core_notice, detail),
    MEMBER_ROW_OF(core_notice, warnings, LIST, warning_table),
    U64(core_notice, reach.router),
    MEMBER_ROW(core_notice, reach.prefix, PREFIX),
    MEMBER_ROW(core_notice, reach.target, ADDR),
    BOOL(core_notice, reach.reached),
    BOOL(core_notice, reach.is_round),
    TIME(core_notice, reach.began_ms),
    U64(core_notice, webhook.id),
    U64(core_notice, webhook.run),
    U64(core_notice, webhook.seq),
    U64(core_notice, webhook.delivered),
    U64(core_notice, webhook.dropped),
    U64(core_notice, webhook.dropped_said),
    BOOL(core_notice, webhook.tried),
    TIME(core_notice, webhook.tried_ns),
    TIME(core_notice, webhook.next_ns),
    U32(core_notice, webhook.status),
    BOOL(core_notice, webhook.gone),
};

static const struct member result_members[] = {
    U32(core_call, code),
    U32(core_call, err.code),
    MEMBER_ROW_CHARS(core_call, err.field),
    MEMBER_ROW_CHARS(core_call, err.message),
};
const struct members call_result = MEMBERS(core_call, result_members);

#define NOTICE(name)                                                                                                   \
    {                                                                                                                  \
        name, MEMBERS(core_notice, notice_request), {0},                                                               \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }
const struct call_message call_messages[CALL_MESSAGES] = {
    [CALL_REGISTER] = {"register", MEMBERS(core_register, register_request), MEMBERS(core_register, register_answer),
                       MEMBERS(core_register, register_own)},
    [CALL_MAP] = {"map", MEMBERS(core_map, map_request), MEMBERS(core_map, map_answer), {0}},
    [CALL_SSH] = {"ssh", MEMBERS(core_ssh, ssh_request), MEMBERS(core_ssh, ssh_answer), {0}},
    [CALL_ADMIN] = {"admin", MEMBERS(core_admin, admin_request), MEMBERS(core_admin, admin_answer), {0}},
    [CALL_LOGIN] = {"login", MEMBERS(core_login, login_request), MEMBERS(core_login, login_answer), {0}},
    [CALL_CANCEL] = NOTICE("cancel"),
    [CALL_SESSION_END] = NOTICE("session.end"),
    [CALL_SESSION_DEAD] = NOTICE("session.dead"),
    [CALL_SESSION_HEALTH] = NOTICE("session.health"),
    [CALL_NODE_CLONED] = NOTICE("node.cloned"),
    [CALL_NODE_WARNINGS] = NOTICE("node.warnings"),
    [CALL_REACH] = NOTICE("reach"),
    [CALL_PROBE_PATH] = NOTICE("probe.path"),
    [CALL_NODE_ASKED] = NOTICE("node.asked"),
    [CALL_FOLLOWERS] = NOTICE("followers"),
    [CALL_APIKEY_SEEN] = NOTICE("apikey.seen"),
    [CALL_WEBHOOK_PROGRESS] = NOTICE("webhook.progress"),
};
