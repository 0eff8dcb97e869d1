/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "model/events.h"

/* The members that each kind owns, for copying and freeing. */
#define AT(type, member) offsetof(struct type, member)
#define OWNED_MAX        12

static const struct record_shape {
    size_t size;
    size_t texts[OWNED_MAX]; /* offsets of char *, ended by 0 */
    size_t lists[OWNED_MAX]; /* offsets of struct strs */
    size_t sets[OWNED_MAX];  /* offsets of struct prefixes */
} shapes[RECORD_KINDS] = {
    [RECORD_USER] = {sizeof(struct user),
                     {AT(user, name), AT(user, display_name), AT(user, email), AT(user, provider_id),
                      AT(user, provider), AT(user, picture_url), AT(user, suspended_by), AT(user, login_provider)},
                     {AT(user, groups)},
                     {0}},
    [RECORD_PREAUTH_KEY] = {sizeof(struct preauth_key),
                            {AT(preauth_key, prefix), AT(preauth_key, secret_hash), AT(preauth_key, description)},
                            {AT(preauth_key, tags)},
                            {0}},
    [RECORD_API_KEY] = {sizeof(struct api_key),
                        {AT(api_key, prefix), AT(api_key, secret_hash), AT(api_key, description)},
                        {0},
                        {0}},
    [RECORD_OAUTH_CLIENT] = {sizeof(struct oauth_client),
                             {AT(oauth_client, client_id), AT(oauth_client, secret_hash),
                              AT(oauth_client, description)},
                             {AT(oauth_client, scopes), AT(oauth_client, tags)},
                             {0}},
    [RECORD_OAUTH_TOKEN] = {sizeof(struct oauth_token),
                            {AT(oauth_token, prefix), AT(oauth_token, secret_hash)},
                            {AT(oauth_token, scopes), AT(oauth_token, tags)},
                            {0}},
    [RECORD_WEBHOOK] = {sizeof(struct webhook),
                        {AT(webhook, url), AT(webhook, provider), AT(webhook, creator), AT(webhook, secret),
                         AT(webhook, trouble)},
                        {AT(webhook, subscriptions)},
                        {0}},
    [RECORD_NODE] = {sizeof(struct node),
                     {AT(node, hostname), AT(node, given_name), AT(node, os), AT(node, os_version),
                      AT(node, client_version), AT(node, hostinfo), AT(node, peer_hostinfo), AT(node, authorized_by)},
                     {AT(node, tags), AT(node, request_tags), AT(node, approved_by)},
                     {AT(node, available), AT(node, approved), AT(node, removed)}},
    [RECORD_EVENT] = {sizeof(struct event),
                      {AT(event, kind), AT(event, actor), AT(event, object), AT(event, object_name), AT(event, text),
                       AT(event, detail), AT(event, inverse)},
                      {0},
                      {0}},
    [RECORD_POLICY] = {sizeof(struct policy_text),
                       {AT(policy_text, text), AT(policy_text, author), AT(policy_text, note)},
                       {0},
                       {0}},
    [RECORD_PRIMARY] = {sizeof(struct primary), {AT(primary, actor)}, {0}, {0}},
    [RECORD_PREFIX_SETTINGS] = {sizeof(struct prefix_settings), {0}, {0}, {0}},
    [RECORD_VIA_PRIMARY] = {sizeof(struct via_primary), {AT(via_primary, tags), AT(via_primary, actor)}, {0}, {0}},
    [RECORD_HISTORY] = {sizeof(struct history), {AT(history, key), AT(history, image)}, {0}, {0}},
    [RECORD_SERVER_MESSAGE] = {sizeof(struct server_message),
                               {AT(server_message, text), AT(server_message, url)},
                               {0},
                               {0}},
    [RECORD_PENDING] = {sizeof(struct pending),
                        {AT(pending, auth_id), AT(pending, hostname), AT(pending, os), AT(pending, client_version),
                         AT(pending, source), AT(pending, ssh_user)},
                        {AT(pending, request_tags)},
                        {AT(pending, routes)}},
    [RECORD_SSH_APPROVAL] = {sizeof(struct ssh_approval), {AT(ssh_approval, user)}, {0}, {0}},
    [RECORD_DELETED_NODE] = {sizeof(struct deleted_node), {0}, {0}, {0}},
    [RECORD_ADMIN_CALL] = {sizeof(struct admin_call),
                           {AT(admin_call, text), AT(admin_call, inverse), AT(admin_call, object),
                            AT(admin_call, secret)},
                           {AT(admin_call, events)},
                           {0}},
    [RECORD_IDENTITY] = {sizeof(struct identity),
                         {AT(identity, provider), AT(identity, issuer), AT(identity, subject),
                          AT(identity, refresh_token), AT(identity, trouble)},
                         {0},
                         {0}},
    [RECORD_DNS_SETTINGS] = {sizeof(struct dns_settings),
                             {0},
                             {AT(dns_settings, values.nameservers), AT(dns_settings, values.split),
                              AT(dns_settings, values.search)},
                             {0}},
};

static char **text_at(void *record, size_t offset)
{
    return (char **)(void *)((char *)record + offset);
}

static struct strs *list_at(void *record, size_t offset)
{
    return (struct strs *)(void *)((char *)record + offset);
}

static struct prefixes *set_at(void *record, size_t offset)
{
    return (struct prefixes *)(void *)((char *)record + offset);
}

struct record *record_new(enum record_kind kind)
{
    struct record *r = mem_alloc(shapes[kind].size);

    atomic_init(&r->refs, 1);
    r->kind = kind;
    r->version = 1;
    for (const size_t *at = shapes[kind].texts; *at; at++)
        *text_at(r, *at) = mem_strdup("");
    return r;
}

struct user *user_new(void)
{
    return (struct user *)record_new(RECORD_USER);
}

struct preauth_key *preauth_key_new(void)
{
    struct preauth_key *k = (struct preauth_key *)record_new(RECORD_PREAUTH_KEY);

    k->preauthorized = true;
    return k;
}

struct api_key *api_key_new(void)
{
    return (struct api_key *)record_new(RECORD_API_KEY);
}

struct oauth_client *oauth_client_new(void)
{
    return (struct oauth_client *)record_new(RECORD_OAUTH_CLIENT);
}

struct oauth_token *oauth_token_new(void)
{
    return (struct oauth_token *)record_new(RECORD_OAUTH_TOKEN);
}

struct webhook *webhook_new(void)
{
    return (struct webhook *)record_new(RECORD_WEBHOOK);
}

struct node *node_new(void)
{
    struct node *n = (struct node *)record_new(RECORD_NODE);

    n->priority = NODE_PRIORITY_DEFAULT;
    mem_replace(&n->hostinfo, "{}");
    mem_replace(&n->peer_hostinfo, "{}");
    n->authorized = true;
    return n;
}

struct event *event_new(void)
{
    return (struct event *)record_new(RECORD_EVENT);
}

struct policy_text *policy_text_new(void)
{
    return (struct policy_text *)record_new(RECORD_POLICY);
}

struct primary *primary_new(void)
{
    return (struct primary *)record_new(RECORD_PRIMARY);
}

struct via_primary *via_primary_new(void)
{
    return (struct via_primary *)record_new(RECORD_VIA_PRIMARY);
}

struct prefix_settings *prefix_settings_new(void)
{
    struct prefix_settings *s = (struct prefix_settings *)record_new(RECORD_PREFIX_SETTINGS);

    s->rule = (struct prefix_rule){FAILBACKS, PREFIX_KEEPS, -1, -1, {0}, PREFIX_NEARESTS};
    return s;
}

struct history *history_new(void)
{
    return (struct history *)record_new(RECORD_HISTORY);
}

struct server_message *server_message_new(void)
{
    return (struct server_message *)record_new(RECORD_SERVER_MESSAGE);
}

struct pending *pending_new(void)
{
    return (struct pending *)record_new(RECORD_PENDING);
}

struct ssh_approval *ssh_approval_new(void)
{
    return (struct ssh_approval *)record_new(RECORD_SSH_APPROVAL);
}

struct deleted_node *deleted_node_new(void)
{
    return (struct deleted_node *)record_new(RECORD_DELETED_NODE);
}

struct admin_call *admin_call_new(void)
{
    return (struct admin_call *)record_new(RECORD_ADMIN_CALL);
}

struct dns_settings *dns_settings_new(void)
{
    return (struct dns_settings *)record_new(RECORD_DNS_SETTINGS);
}

static void own_list(struct strs *s)
{
    struct strs fresh = {0};

    strs_copy(&fresh, s);
    *s = fresh;
}

static void own_set(struct prefixes *s)
{
    struct prefixes fresh = {0};

    prefixes_copy(&fresh, s);
    *s = fresh;
}

void *record_edit(const void *record)
{
    const struct record *from = record;
    const struct record_shape *shape = &shapes[from->kind];
    struct record *to = mem_dup_counted(from, shape->size, sizeof(from->refs));

    atomic_init(&to->refs, 1);
    to->version++;
    for (const size_t *at = shape->texts; *at; at++)
        *text_at(to, *at) = mem_strdup(*text_at(to, *at));
    for (const size_t *at = shape->lists; *at; at++)
        own_list(list_at(to, *at));
    for (const size_t *at = shape->sets; *at; at++)
        own_set(set_at(to, *at));
    return to;
}

struct user *user_edit(const struct user *u)
{
    return record_edit(u);
}

struct preauth_key *preauth_key_edit(const struct preauth_key *k)
{
    return record_edit(k);
}

struct api_key *api_key_edit(const struct api_key *k)
{
    return record_edit(k);
}

struct oauth_client *oauth_client_edit(const struct oauth_client *c)
{
    return record_edit(c);
}

struct event *event_edit(const struct event *e)
{
    return record_edit(e);
}

struct prefix_settings *prefix_settings_edit(const struct prefix_settings *s)
{
    return record_edit(s);
}

struct pending *pending_edit(const struct pending *p)
{
    return record_edit(p);
}

struct webhook *webhook_edit(const struct webhook *w)
{
    return record_edit(w);
}

struct node *node_edit(const struct node *n)
{
    return record_edit(n);
}

void *record_ref(const void *record)
{
    struct record *r = (struct record *)(uintptr_t)record;

    if (r)
        atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void record_unref(const void *record)
{
    struct record *r = (struct record *)(uintptr_t)record;

    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (const size_t *at = shapes[r->kind].texts; *at; at++)
        free(*text_at(r, *at));
    for (const size_t *at = shapes[r->kind].lists; *at; at++)
        strs_release(list_at(r, *at));
    for (const size_t *at = shapes[r->kind].sets; *at; at++)
        prefixes_release(set_at(r, *at));
    free(r);
}

static int compare_id(const void *key, const void *item)
{
    const struct record *r;
    uint64_t id = *(const uint64_t *)key;

    memcpy(&r, item, sizeof(r)); /* the elements are pointers to the specific record types */
    return (id > r->id) - (id < r->id);
}

void *record_find(const void *records, size_t count, uint64_t id, size_t *at)
{
    void *r = NULL;
    bool found;
    size_t i = array_search(&id, records, count, sizeof(void *), compare_id, &found);

    if (found)
        memcpy(&r, (const char *)records + i * sizeof(r), sizeof(r));
    if (at)
        *at = i;
    return r;
}

void node_live_release(struct node_live *live)
{
    free(live->endpoints);
    free(live->net_info);
    free(live->source);
    node_warnings_release(&live->warnings);
    prefixes_release(&live->unreachable);
    prefixes_release(&live->carried);
    *live = (struct node_live){0};
}

void node_live_copy(struct node_live *to, const struct node_live *from)
{
    node_live_release(to);
    *to = *from;
    to->endpoints =
        from->endpoint_count ? mem_dup(from->endpoints, from->endpoint_count * sizeof(*from->endpoints)) : NULL;
    to->net_info = mem_strdup(from->net_info);
    to->source = mem_strdup(from->source);
    to->warnings = (struct node_warnings){0};
    node_warnings_copy(&to->warnings, &from->warnings);
    to->unreachable = (struct prefixes){0};
    prefixes_copy(&to->unreachable, &from->unreachable);
    to->carried = (struct prefixes){0};
    prefixes_copy(&to->carried, &from->carried);
}

void node_effective(const struct node *n, struct prefixes *out)
{
    prefixes_release(out);
    if (n->authorized)
        prefixes_and(out, &n->available, &n->approved);
}

/* The index of p among the approved prefixes, or the one at which it belongs. */
static size_t approval_at(const struct node *n, const struct prefix *p)
{
    size_t at = 0;

    while (at < n->approved.len && prefix_cmp(&n->approved.items[at], p) < 0)
        at++;
    return at;
}

/* Older records do not name any approver. */
static void name_all_approvers(struct node *n)
{
    if (n->approved_by.len == n->approved.len)
        return;
    strs_release(&n->approved_by);
    while (n->approved_by.len < n->approved.len)
        strs_push(&n->approved_by, "");
}

bool node_approve(struct node *n, const struct prefix *p, const char *by)
{
    size_t at = approval_at(n, p);

    name_all_approvers(n);
    if (!prefixes_add(&n->approved, p))
        return false;
    strs_push(&n->approved_by, by);
    char **items = n->approved_by.items, *mine = items[n->approved_by.len - 1];
    memmove(&items[at + 1], &items[at], (n->approved_by.len - 1 - at) * sizeof(*items));
    items[at] = mine;
    return true;
}

bool node_disapprove(struct node *n, const struct prefix *p)
{
    size_t at = approval_at(n, p);

    name_all_approvers(n);
    if (!prefixes_del(&n->approved, p))
        return false;
    free(n->approved_by.items[at]);
    n->approved_by.len--;
    memmove(&n->approved_by.items[at], &n->approved_by.items[at + 1],
            (n->approved_by.len - at) * sizeof(*n->approved_by.items));
    return true;
}

const char *node_approver(const struct node *n, const struct prefix *p)
{
    size_t at = approval_at(n, p);

    if (n->approved_by.len != n->approved.len || at == n->approved.len || prefix_cmp(&n->approved.items[at], p) != 0)
        return "";
    return n->approved_by.items[at];
}

bool node_is_tagged(const struct node *n)
{
    return n->tags.len > 0;
}

static void count_effective(const struct node *n, int *exits, int *subnets)
{
    *exits = *subnets = 0;
    for (size_t i = 0; i < n->approved.len; i++) {
        const struct prefix *p = &n->approved.items[i];
        if (!prefixes_has(&n->available, p))
            continue;
        if (prefix_is_exit(p))
            ++*exits;
        else
            ++*subnets;
    }
}

bool node_is_exit(const struct node *n)
{
    int exits, subnets;

    count_effective(n, &exits, &subnets);
    return exits == 2;
}

bool node_has_subnet_route(const struct node *n)
{
    int exits, subnets;

    count_effective(n, &exits, &subnets);
    return subnets > 0;
}

bool node_is_expired(const struct node *n, int64_t now_ns)
{
    return n->logged_out || (n->expiry_ns != 0 && n->expiry_ns <= now_ns);
}

const char *user_login(const struct user *u)
{
    return *u->email ? u->email : *u->name ? u->name : u->provider_id;
}

const char *user_display(const struct user *u)
{
    return *u->display_name ? u->display_name : user_login(u);
}

const char *message_severity_name(int severity)
{
    static const char *const names[] = {[SEVERITY_LOW] = "low", [SEVERITY_MEDIUM] = "medium", [SEVERITY_HIGH] = "high"};

    return severity >= 0 && (size_t)severity < ARRAY_LEN(names) ? names[severity] : NULL;
}

const char *user_role_name(int role)
{
    static const char *const names[] = {[ROLE_MEMBER] = "member", [ROLE_ADMIN] = "admin", [ROLE_OWNER] = "owner"};

    return names[role];
}

const char *route_state_name(int state)
{
    static const char *const names[ROUTE_STATES] = {
        [ROUTE_NONE] = "none",           [ROUTE_AVAILABLE] = "available", [ROUTE_APPROVED] = "approved",
        [ROUTE_STANDBY] = "standby",     [ROUTE_SERVING] = "serving",     [ROUTE_OFFLINE] = "offline",
        [ROUTE_UNHEALTHY] = "unhealthy",
    };

    return state > ROUTE_NONE && state < ROUTE_STATES ? names[state] : names[ROUTE_NONE];
}

char *key_format(const char *prefix, const uint8_t key[KEY_LEN], char text[KEY_TEXT_MAX])
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, prefix);
    crypto_hex(&b, key, KEY_LEN);
    str_copy(text, KEY_TEXT_MAX, buf_text(&b));
    buf_release(&b);
    return text;
}

int key_parse(const char *prefix, const char *text, uint8_t out[KEY_LEN], const char *field, struct err *e)
{
    size_t skip = strlen(prefix);

    if (!str_starts(text, prefix) || !crypto_unhex(text + skip, strlen(text + skip), out, KEY_LEN))
        return err_field(e, ERR_INVALID, field, "%s: '%.20s...' is not '%s' and 64 hexadecimal digits", field, text,
                         prefix);
    return 0;
}

bool key_is_zero(const uint8_t key[KEY_LEN])
{
    uint8_t any = 0;

    for (size_t i = 0; i < KEY_LEN; i++)
        any |= key[i];
    return any == 0;
}

static const struct {
    const char *kind, *words;
    enum event_weight weight;
} events[EVENT_ID_COUNT] = {
#define X(id, kind, words, weight, undo) [id] = {kind, words, weight},
    EVENT_KINDS(X)
#undef X
};

const char *event_kind(enum event_id id)
{
    return events[id].kind;
}

const char *event_weight_name(int weight)
{
    static const char *const names[] = {
        [WEIGHT_INFO] = "info", [WEIGHT_CHANGE] = "change", [WEIGHT_WARN] = "warn", [WEIGHT_ALARM] = "alarm"};

    return names[weight];
}

enum event_weight event_weight(const char *kind)
{
    for (size_t i = 0; i < EVENT_ID_COUNT; i++)
        if (str_eq(events[i].kind, kind))
            return events[i].weight;
    return WEIGHT_INFO;
}

const char *event_kind_words(const char *kind)
{
    for (size_t i = 0; i < EVENT_ID_COUNT; i++)
        if (str_eq(events[i].kind, kind))
            return events[i].words;
    return kind;
}
