/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of calls: what each points to, what runs it, what answers. */
#include <string.h>

#include "core/admin/login.h"
#include "core/admin/operations.h"
#include "core/decide/map_request.h"
#include "core/decide/register.h"
#include "core/decide/ssh.h"
#include "core/state/message.h"
#include "core/state/queue.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "core/thread.h"

#define TEXT(type, member)                                                                                             \
    {                                                                                                                  \
        PART_TEXT, offsetof(struct type, member), 0, 0                                                                 \
    }
#define TEXTS(type, member)                                                                                            \
    {                                                                                                                  \
        PART_TEXTS, offsetof(struct type, member), 0, 0                                                                \
    }
#define PREFIXES(type, member)                                                                                         \
    {                                                                                                                  \
        PART_PREFIXES, offsetof(struct type, member), 0, 0                                                             \
    }
#define EVENTS(type, member)                                                                                           \
    {                                                                                                                  \
        PART_EVENTS, offsetof(struct type, member), 0, 0                                                               \
    }
#define ARRAY(type, member, n)                                                                                         \
    {                                                                                                                  \
        PART_ARRAY, offsetof(struct type, member), offsetof(struct type, n), sizeof(*((struct type *)0)->member)       \
    }
#define CLIENT_INFO(type)                                                                                              \
    TEXT(type, info.hostname), TEXT(type, info.os), TEXT(type, info.os_version), TEXT(type, info.client_version),      \
        TEXT(type, info.hostinfo), TEXT(type, info.peer_hostinfo), TEXT(type, info.net_info), TEXT(type, info.source), \
        PREFIXES(type, info.routes), TEXTS(type, info.request_tags)

static const struct call_part register_parts[] = {CLIENT_INFO(core_register), TEXT(core_register, auth_key),
                                                  TEXT(core_register, followup), TEXT(core_register, slow_hash)};
static const struct call_part map_parts[] = {CLIENT_INFO(core_map), ARRAY(core_map, endpoints, endpoint_count),
                                             TEXTS(core_map, flags)};
static const struct call_part ssh_parts[] = {TEXT(core_ssh, user), TEXT(core_ssh, auth_id)};
static const struct call_part admin_parts[] = {
    TEXT(core_admin, actor),      TEXT(core_admin, name),        TEXT(core_admin, display_name),
    TEXT(core_admin, email),      TEXT(core_admin, picture_url), TEXT(core_admin, text),
    TEXT(core_admin, prefix),     TEXTS(core_admin, tags),       PREFIXES(core_admin, prefixes),
    PREFIXES(core_admin, revoke), TEXT(core_admin, severity),    TEXT(core_admin, url),
    EVENTS(core_admin, undoes)};

static const struct call_part login_parts[] = {
    TEXT(core_login, provider),    TEXT(core_login, issuer),        TEXT(core_login, subject),
    TEXT(core_login, username),    TEXT(core_login, email),         TEXT(core_login, display_name),
    TEXT(core_login, picture_url), TEXT(core_login, refresh_token), TEXT(core_login, auth_id),
    TEXT(core_login, text),        TEXTS(core_login, groups)};

static void answer_register(struct core_call *to, struct core_call *from)
{
    struct core_register *r = (struct core_register *)to;
    const struct core_register *m = (const struct core_register *)from;

    r->result = m->result;
    memcpy(r->auth_id, m->auth_id, sizeof(r->auth_id));
    r->node_id = m->node_id;
    r->user = m->user;
}

static void answer_map(struct core_call *to, struct core_call *from)
{
    struct core_map *r = (struct core_map *)to;
    const struct core_map *m = (const struct core_map *)from;

    r->node_id = m->node_id;
    r->session = m->session;
    r->slot = m->slot;
    r->seq = m->seq;
}

static void answer_ssh(struct core_call *to, struct core_call *from)
{
    struct core_ssh *r = (struct core_ssh *)to;
    const struct core_ssh *m = (const struct core_ssh *)from;

    r->accepted = m->accepted;
    r->undecided = m->undecided;
    memcpy(r->new_auth_id, m->new_auth_id, sizeof(r->new_auth_id));
}

static void answer_admin(struct core_call *to, struct core_call *from)
{
    struct core_admin *r = (struct core_admin *)to, *m = (struct core_admin *)from;

    r->problems = m->problems;
    m->problems = (struct policy_problems){0};
    if (m->call.code < 0) { /* nothing of it came true */
        core_admin_release_answer(m);
        m->version = 0;
    }
    r->record = m->record;
    r->events = m->events;
    r->inverse = m->inverse;
    r->secret = m->secret;
    r->version = m->version;
}

static void answer_login(struct core_call *to, struct core_call *from)
{
    struct core_login *r = (struct core_login *)to, *m = (struct core_login *)from;

    if (m->call.code < 0) { /* nothing of it came true */
        record_unref(m->user);
        m->user = NULL;
        m->node_id = 0;
    }
    r->user = m->user;
    r->node_id = m->node_id;
}

static void reset_login(struct core_call *call)
{
    struct core_login *c = (struct core_login *)call;

    record_unref(c->user);
    c->user = NULL;
    c->node_id = 0;
}

static void run_elections(struct core_state *s, struct core_call *call)
{
    ((struct core_elections *)call)->routes = routes_copy(s->routes);
    tx_answer_soon(s, call, 0);
}

static void answer_elections(struct core_call *to, struct core_call *from)
{
    ((struct core_elections *)to)->routes = ((struct core_elections *)from)->routes;
}

static void reset_register(struct core_call *call)
{
    struct core_register *r = (struct core_register *)call;

    record_unref(r->user);
    r->user = NULL;
}

static void reset_admin(struct core_call *call)
{
    struct core_admin *a = (struct core_admin *)call;

    core_admin_release_answer(a);
    a->version = 0;
}

#define KIND(type, run, answer, reset, parts)                                                                          \
    {                                                                                                                  \
        sizeof(struct type), run, answer, reset, parts, sizeof(parts) / sizeof(*(parts))                               \
    }
enum call_kind_id { CALL_REGISTER, CALL_MAP, CALL_SSH, CALL_ADMIN, CALL_ELECTIONS, CALL_LOGIN };

static const struct call_kind kinds[] = {
    [CALL_REGISTER] = KIND(core_register, register_run, answer_register, reset_register, register_parts),
    [CALL_MAP] = KIND(core_map, map_request_run, answer_map, NULL, map_parts),
    [CALL_SSH] = KIND(core_ssh, ssh_run, answer_ssh, NULL, ssh_parts),
    [CALL_ADMIN] = KIND(core_admin, admin_run, answer_admin, reset_admin, admin_parts),
    [CALL_LOGIN] = KIND(core_login, login_run, answer_login, reset_login, login_parts),
    [CALL_ELECTIONS] = {sizeof(struct core_elections), run_elections, answer_elections, NULL, NULL, 0},
};

static uint64_t send_call(struct core *core, enum call_kind_id kind, struct core_call *sender)
{
    return queue_send(&core->state.queue, call_copy(&kinds[kind], sender));
}

uint64_t core_register(struct core *core, struct core_register *call)
{
    return send_call(core, CALL_REGISTER, &call->call);
}

void core_map(struct core *core, struct core_map *call)
{
    (void)send_call(core, CALL_MAP, &call->call);
}

void core_admin(struct core *core, struct core_admin *call)
{
    (void)send_call(core, CALL_ADMIN, &call->call);
}

void core_elections(struct core *core, struct core_elections *call)
{
    (void)send_call(core, CALL_ELECTIONS, &call->call);
}

void core_login(struct core *core, struct core_login *call)
{
    (void)send_call(core, CALL_LOGIN, &call->call);
}

uint64_t core_ssh(struct core *core, struct core_ssh *call)
{
    return send_call(core, CALL_SSH, &call->call);
}
