/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes: their keys and addresses let clients continue as if nothing had happened. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "import/node_host.h"
#include "import/read.h"
#include "import/row.h"
#include "model/label.h"

#define NODES_MAX     1000000
#define ENDPOINTS_MAX 64 /* kept, as for clients */

enum {
    ID,
    MACHINE_KEY,
    NODE_KEY,
    DISCO_KEY,
    ENDPOINTS,
    HOST_INFO,
    IPV4,
    IPV6,
    HOSTNAME,
    GIVEN_NAME,
    USER,
    METHOD,
    EPHEMERAL,
    TAGS,
    FORCED_TAGS,
    AUTH_KEY,
    LAST_SEEN,
    EXPIRY,
    APPROVED,
    CREATED,
    DELETED
};
static const char *const columns[] = {
    [ID] = "id",
    [MACHINE_KEY] = "machine_key",
    [NODE_KEY] = "node_key",
    [DISCO_KEY] = "disco_key",
    [ENDPOINTS] = "endpoints",
    [HOST_INFO] = "host_info",
    [IPV4] = "ipv4",
    [IPV6] = "ipv6",
    [HOSTNAME] = "hostname",
    [GIVEN_NAME] = "given_name",
    [USER] = "user_id",
    [METHOD] = "register_method",
    [EPHEMERAL] = "ephemeral",
    [TAGS] = "tags",
    [FORCED_TAGS] = "forced_tags",
    [AUTH_KEY] = "auth_key_id",
    [LAST_SEEN] = "last_seen",
    [EXPIRY] = "expiry",
    [APPROVED] = "approved_routes",
    [CREATED] = "created_at",
    [DELETED] = "deleted_at",
};
static const struct source_table table = {"nodes", columns, ARRAY_LEN(columns), NODES_MAX};

/* A node being read. */
struct taken {
    struct reading *r;
    struct import_row row;
    struct node *n;
    struct node_live live;
    char object[128]; /* "17 (laptop)" */
    bool deleted;
};

static void said(struct taken *t, const char *format, ...) PRINTF_LIKE(2, 3);
static void said(struct taken *t, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report_add(&t->r->report, REPORT_CHANGED, REPORT_NODE, t->object, "%s", text);
}

/* ---- identity ---- */

/* Checks that no other node has it: the fault names the one that does. */
static void claim(struct taken *t, size_t column, struct map *map, const void *key, size_t len)
{
    const struct node *holder = map_put(map, key, len, t->n);

    if (holder)
        row_fault(&t->row, column, "belongs to node %llu too", (unsigned long long)holder->r.id);
}

static void take_keys(struct taken *t)
{
    struct node *n = t->n;

    row_key(&t->row, MACHINE_KEY, "mkey:", n->machine_key);
    row_key(&t->row, NODE_KEY, "nodekey:", n->node_key);
    row_key(&t->row, DISCO_KEY, "discokey:", n->disco_key);
    if (!t->row.bad && key_is_zero(n->machine_key))
        row_fault(&t->row, MACHINE_KEY, "is no key: no client could ever be this node");
    if (!t->row.bad && !key_is_zero(n->node_key) && !t->deleted)
        claim(t, NODE_KEY, &t->r->node_keys, n->node_key, KEY_LEN);
}

static void take_addresses(struct taken *t)
{
    const struct {
        size_t column;
        struct addr *addr;
        uint8_t bits;
    } families[] = {{IPV4, &t->n->ipv4, 32}, {IPV6, &t->n->ipv6, 128}};

    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        row_addr(&t->row, families[i].column, families[i].bits, families[i].addr);
        if (families[i].addr->bits && !t->row.bad && !t->deleted)
            claim(t, families[i].column, &t->r->addresses, families[i].addr, sizeof(struct addr));
    }
}

static void take_method(struct taken *t)
{
    static const char *const words[] = {
        [REGISTER_UNSPECIFIED] = "", [REGISTER_AUTH_KEY] = "authkey", [REGISTER_CLI] = "cli", [REGISTER_OIDC] = "oidc"};
    char *text = row_text(&t->row, METHOD, ROW_TEXT_MAX);

    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(words) && !known; i++)
        if ((known = str_eq(text, words[i])))
            t->n->method = (enum register_method)i;
    if (!known && !t->row.bad && !t->deleted)
        said(t, "how it registered, '%.40s', is not known", text);
    free(text);
}

/* ---- names ---- */

/* Makes a name that no other node has, by appending a number. */
static void make_unique(struct taken *t, char name[LABEL_MAX + 1])
{
    char base[LABEL_MAX + 1];

    str_copy(base, sizeof(base), name);
    for (unsigned number = 1; map_gets(&t->r->names, name); number++) {
        char suffix[16];
        int n = snprintf(suffix, sizeof(suffix), "-%u", number);
        snprintf(name, LABEL_MAX + 1, "%.*s%s", LABEL_MAX - n, base, suffix);
    }
}

static void take_names(struct taken *t)
{
    struct node *n = t->n;
    bool cleaned = false;
    char name[LABEL_MAX + 1];
    char *given = row_clean_text(&t->row, GIVEN_NAME, ROW_TEXT_MAX, &cleaned);

    free(n->hostname);
    n->hostname = row_clean_text(&t->row, HOSTNAME, 255, &cleaned);
    if (label_is_valid(given)) {
        for (size_t i = 0; i <= strlen(given); i++)
            name[i] = (char)tolower((unsigned char)given[i]);
    } else {
        label_of_host(*given ? given : n->hostname, name);
    }
    make_unique(t, name);
    mem_replace(&n->given_name, name);
    n->name_given = *given && !label_is_derived(name, n->hostname);
    snprintf(t->object, sizeof(t->object), "%llu (%s)", (unsigned long long)n->r.id, name);
    if (!t->deleted && !str_eq(name, given))
        said(t, "its name was '%.80s', which %s", given,
             label_is_valid(given) ? "another node has too, or has capitals" : "is no DNS label");
    if (!t->deleted && cleaned)
        said(t, "bytes that cannot be shown were taken out of its names");
    free(given);
}

/* ---- owners and tags ---- */

static void add_tag(struct taken *t, const char *tag, const char *from)
{
    if (strs_has(&t->n->tags, tag))
        return;
    strs_push(&t->n->tags, tag);
    strs_sort(&t->n->tags);
    said(t, "%.80s, which it had by %s, is a tag of its own now", tag, from);
}

/* Up to 0.27 a node also had the tags of its key, and those requested by its client that its user may assign. */
static void add_indirect_tags(struct taken *t, const struct preauth_key *key)
{
    const struct node *n = t->n;

    for (size_t i = 0; key && i < key->tags.len; i++)
        add_tag(t, key->tags.items[i], "its pre-auth key");
    for (size_t i = 0; i < n->request_tags.len; i++) {
        const char *tag = n->request_tags.items[i];
        if (t->r->view && n->user_id && policy_may_tag(t->r->view, n->user_id, tag))
            add_tag(t, tag, "its client's request");
        else if (!strs_has(&n->tags, tag))
            report_add(&t->r->report, REPORT_LEFT, REPORT_NODE, t->object,
                       "its client asks for %.80s, which the policy does not give to its user", tag);
    }
}

static void take_owner(struct taken *t)
{
    struct node *n = t->n;
    char bad_tag[ROW_BAD_TAG_MAX];
    const struct preauth_key *key = map_getu(&t->r->key_by_id, row_id(&t->row, AUTH_KEY));

    n->preauth_key_id = key ? key->r.id : 0;
    n->ephemeral = (key && key->ephemeral) || row_bool(&t->row, EPHEMERAL); /* a column of its own after 0.29 */
    n->user_id = row_id(&t->row, USER);
    if (n->user_id && !map_getu(&t->r->user_by_id, n->user_id)) {
        if (!t->deleted)
            said(t, "its user %llu does not exist any more", (unsigned long long)n->user_id);
        n->user_id = 0;
    }
    row_tags(&t->row, row_is_null(&t->row, TAGS) ? FORCED_TAGS : TAGS, &n->tags, bad_tag);
    if (*bad_tag && !t->deleted)
        said(t, "%s: left out", bad_tag);
    if (t->r->tags_are_forced && !t->deleted)
        add_indirect_tags(t, key);
    if (n->tags.len) {
        n->user_id = 0;
    } else if (!n->user_id && key && key->user_id) { /* 0.29.0 lost owners */
        n->user_id = key->user_id;
        if (!t->deleted)
            said(t, "it had no user: it is user %llu's, whose key it logged in with", (unsigned long long)key->user_id);
    }
}

/* ---- routes ---- */

static void take_primaries(struct taken *t, const struct old_routes *old)
{
    for (size_t i = 0; i < old->primary.len; i++) {
        bool known = false;
        for (size_t k = 0; k < t->r->primaries.len && !known; k++)
            known = prefix_cmp(&t->r->primaries.items[k]->prefix, &old->primary.items[i]) == 0;
        if (known)
            continue;
        struct primary *p = primary_new();
        p->r.id = t->n->r.id;
        p->prefix = old->primary.items[i];
        p->since_ns = t->n->created_ns;
        vec_push(&t->r->primaries, p);
    }
}

static void take_routes(struct taken *t)
{
    const struct old_routes *old = map_getu(&t->r->old_routes, t->row.id);
    struct prefixes approved = {0};

    row_prefixes(&t->row, APPROVED, &approved);
    for (size_t i = 0; i < approved.len; i++)
        node_approve(t->n, &approved.items[i], "headscale");
    for (size_t i = 0; old && i < old->enabled.len; i++)
        node_approve(t->n, &old->enabled.items[i], "headscale");
    for (size_t i = 0; old && i < old->advertised.len; i++)
        prefixes_add(&t->n->available, &old->advertised.items[i]);
    prefixes_release(&approved);
}

/* ---- what the client said ---- */

/* Errors are ignored: the client reports its endpoints again when it connects. */
static void take_endpoints(struct taken *t)
{
    const struct source_value *v = &t->row.values[ENDPOINTS];
    json_t *list = NULL, *item;
    size_t i;

    if (v->kind != SOURCE_TEXT || json_read(v->text, v->len, HOST_INFO_MAX, "endpoints", &list, NULL) < 0)
        return;
    t->live.endpoints = mem_alloc(ENDPOINTS_MAX * sizeof(struct addr_port));
    json_array_foreach(list, i, item)
    {
        struct addr_port *at = &t->live.endpoints[t->live.endpoint_count];
        if (json_is_string(item) && addr_port_parse(json_string_value(item), at, NULL) == 0 &&
            ++t->live.endpoint_count == ENDPOINTS_MAX)
            break;
    }
    json_decref(list);
}

static void take_host_info(struct taken *t)
{
    bool broken;
    json_t *h = row_object(&t->row, HOST_INFO, HOST_INFO_MAX, &broken);

    if (h)
        node_host_read(h, t->n, &t->live);
    if (broken && !t->deleted)
        said(t, "its host information cannot be read: the client says it again when it connects");
    json_decref(h);
}

static void take_times(struct taken *t)
{
    int year = 0;

    t->n->created_ns = row_time(&t->row, CREATED, NULL);
    t->live.last_seen_ns = row_time(&t->row, LAST_SEEN, NULL);
    t->n->expiry_ns = row_time(&t->row, EXPIRY, &year);
    if (year && year < 1900)
        t->n->expiry_ns = 0; /* an earlier form of "never" */
}

static void keep(struct taken *t)
{
    struct reading *r = t->r;
    const struct old_routes *old = map_getu(&r->old_routes, t->row.id);

    report_add(&r->report, REPORT_TAKEN, REPORT_NODE, t->object, NULL);
    for (size_t i = 0; i < t->n->approved.len; i++)
        r->report.counts[REPORT_ROUTE][REPORT_TAKEN]++;
    map_puts(&r->names, t->n->given_name, t->n);
    if (old)
        take_primaries(t, old);
    vec_push(&r->nodes, t->n);
    vec_push(&r->lives, t->live);
}

static int take_node(void *arg, const struct source_value *values, struct err *e)
{
    struct taken t = {.r = arg, .live = {.healthy = true, .net_info = mem_strdup(""), .source = mem_strdup("")}};

    (void)e;
    if (!row_begin(&t.row, &table, values, &t.r->report, REPORT_NODE)) {
        node_live_release(&t.live);
        return 0;
    }
    t.n = node_new();
    t.n->r.id = t.row.id;
    t.n->authorized = true;
    t.deleted = row_time(&t.row, DELETED, NULL) != 0;
    take_names(&t);
    take_keys(&t);
    take_addresses(&t);
    take_method(&t);
    take_host_info(&t);
    take_owner(&t);
    take_routes(&t);
    take_endpoints(&t);
    take_times(&t);
    const char *why = t.deleted                         ? "deleted in headscale"
                      : !t.n->user_id && !t.n->tags.len ? "it has neither a user nor tags: let it log in again"
                                                        : NULL;
    if (!t.row.bad && !why) {
        keep(&t);
        return 0;
    }
    if (!t.row.bad)
        report_add(&t.r->report, REPORT_LEFT, REPORT_NODE, t.object, "%s", why);
    vec_push(&t.r->nodes_left, t.n); /* a node that claims its address needs it for the message */
    node_live_release(&t.live);
    return 0;
}

int read_nodes(struct reading *r, struct err *e)
{
    return source_read(r->source, &table, take_node, r, e);
}
