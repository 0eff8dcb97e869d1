/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/dialogs/plan_lines.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "json/json.h"

void shell_word(const char *word, struct buf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

    if (*word && !word[strspn(word, plain)]) {
        buf_adds(out, word);
        return;
    }
    buf_addc(out, '\'');
    for (; *word; word++)
        if (*word == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *word);
    buf_addc(out, '\'');
}

struct line_writer {
    const char *id; /* of the object, as a text */
    const json_t *body;
    int64_t now_ns;
    struct buf *out;
};

static void flag(struct line_writer *w, const char *name, const char *value)
{
    buf_addf(w->out, " --%s ", name);
    shell_word(value, w->out);
}

static void text_flag(struct line_writer *w, const char *name, const char *member)
{
    const char *value = json_text(w->body, member, "");

    if (*value)
        flag(w, name, value);
}

static void switch_flag(struct line_writer *w, const char *name, const char *member, bool when)
{
    const json_t *value = json_object_get(w->body, member);

    if (value && json_is_true(value) == when)
        buf_addf(w->out, " --%s", name);
}

/* Texts of an array, joined by the sign. */
static char *joined(const json_t *array, const char *between)
{
    struct buf all = BUF_INIT(0);
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
        buf_addf(&all, "%s%s", i ? between : "", json_string_value(item) ? json_string_value(item) : "");
    return buf_take(&all);
}

static void write_routes(struct line_writer *w)
{
    const json_t *approve = json_object_get(w->body, "approve"), *item;
    size_t i;

    buf_addf(w->out, "routes %s %s", approve ? "approve" : "revoke", w->id);
    json_array_foreach(approve ? approve : json_object_get(w->body, "revoke"), i, item)
    {
        buf_addc(w->out, ' ');
        shell_word(json_string_value(item) ? json_string_value(item) : "", w->out);
    }
}

static void write_tags(struct line_writer *w)
{
    char *tags = joined(json_object_get(w->body, "tags"), ",");

    buf_addf(w->out, "nodes tag --identifier %s", w->id);
    flag(w, "tags", tags);
    free(tags);
}

static void write_drain(struct line_writer *w)
{
    buf_addf(w->out, "routes drain %s", w->id);
    switch_flag(w, "off", "drained", false);
}

static void write_authorized(struct line_writer *w)
{
    buf_addf(w->out, "nodes %s %s", json_is_true(json_object_get(w->body, "authorized")) ? "approve" : "unapprove",
             w->id);
}

static void write_priority(struct line_writer *w)
{
    buf_addf(w->out, "routes priority %s %lld", w->id,
             (long long)json_integer_value(json_object_get(w->body, "priority")));
}

static void write_expire_node(struct line_writer *w)
{
    buf_addf(w->out, "nodes expire --identifier %s", w->id);
}

static void write_rename_node(struct line_writer *w)
{
    buf_adds(w->out, "nodes rename ");
    shell_word(json_text(w->body, "name", ""), w->out);
    flag(w, "identifier", w->id);
}

static void write_delete_node(struct line_writer *w)
{
    buf_addf(w->out, "nodes delete --identifier %s --force", w->id);
}

static void write_rename_user(struct line_writer *w)
{
    buf_addf(w->out, "users rename --identifier %s", w->id);
    flag(w, "new-name", json_text(w->body, "name", ""));
}

static void write_suspend_user(struct line_writer *w)
{
    buf_addf(w->out, "users suspend %s", w->id);
    switch_flag(w, "off", "suspended", false);
}

static void write_link_user(struct line_writer *w)
{
    buf_addf(w->out, "users link %s", w->id);
    text_flag(w, "provider", "provider");
    text_flag(w, "subject", "subject");
    switch_flag(w, "off", "linked", false);
}

static void write_delete_user(struct line_writer *w)
{
    buf_addf(w->out, "users destroy --identifier %s --force", w->id);
}

static void write_new_user(struct line_writer *w)
{
    buf_adds(w->out, "users create ");
    shell_word(json_text(w->body, "name", ""), w->out);
    text_flag(w, "display-name", "displayName");
    text_flag(w, "email", "email");
    text_flag(w, "role", "role");
}

/* Commands take how long, to the minute. */
static void write_expiration(struct line_writer *w)
{
    const char *text = json_text(w->body, "expiration", "");
    int64_t ns;

    if (!*text) {
        flag(w, "expiration", "never");
        return;
    }
    if (time_parse(text, &ns, "expiration", NULL) < 0)
        return;
    int64_t minutes = (ns - w->now_ns + 30 * NS_PER_SECOND) / (60 * NS_PER_SECOND);
    minutes = minutes > 0 ? minutes : 1;
    if (minutes % (24 * 60) == 0)
        buf_addf(w->out, " --expiration %lldd", (long long)minutes / (24 * 60));
    else if (minutes % 60 == 0)
        buf_addf(w->out, " --expiration %lldh", (long long)minutes / 60);
    else
        buf_addf(w->out, " --expiration %lldm", (long long)minutes);
}

static void write_new_preauth_key(struct line_writer *w)
{
    char *tags = joined(json_object_get(w->body, "tags"), ",");

    buf_adds(w->out, "preauthkeys create");
    text_flag(w, "user", "user");
    if (*tags)
        flag(w, "tags", tags);
    free(tags);
    switch_flag(w, "reusable", "reusable", true);
    switch_flag(w, "ephemeral", "ephemeral", true);
    switch_flag(w, "no-preauthorized", "preauthorized", false);
    write_expiration(w);
}

static void write_expire_preauth_key(struct line_writer *w)
{
    buf_addf(w->out, "preauthkeys expire --id %s --force", w->id);
}

static void write_delete_preauth_key(struct line_writer *w)
{
    buf_addf(w->out, "preauthkeys delete --id %s --force", w->id);
}

static void write_new_api_key(struct line_writer *w)
{
    buf_adds(w->out, "apikeys create");
    text_flag(w, "description", "description");
    switch_flag(w, "read-only", "readOnly", true);
    write_expiration(w);
}

static void write_expire_api_key(struct line_writer *w)
{
    buf_addf(w->out, "apikeys expire --id %s --force", w->id);
}

static void write_delete_api_key(struct line_writer *w)
{
    buf_addf(w->out, "apikeys delete --id %s --force", w->id);
}

/* A flag for each text of the array. */
static void repeated_flag(struct line_writer *w, const char *name, const char *member)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(w->body, member), i, item)
        flag(w, name, json_string_value(item) ? json_string_value(item) : "");
}

static void write_new_client(struct line_writer *w)
{
    buf_adds(w->out, "oauth-clients create");
    repeated_flag(w, "scope", "scopes");
    repeated_flag(w, "tag", "tags");
    text_flag(w, "description", "description");
}

static void write_delete_client(struct line_writer *w)
{
    buf_addf(w->out, "oauth-clients delete --id %s", w->id);
}

static void write_new_webhook(struct line_writer *w)
{
    buf_adds(w->out, "webhooks create ");
    shell_word(json_text(w->body, "endpointUrl", ""), w->out);
    repeated_flag(w, "subscription", "subscriptions");
    text_flag(w, "provider", "providerType");
}

static void write_set_webhook(struct line_writer *w)
{
    buf_addf(w->out, "webhooks set %s", w->id);
    repeated_flag(w, "subscription", "subscriptions");
}

static void write_test_webhook(struct line_writer *w)
{
    buf_addf(w->out, "webhooks test %s", w->id);
}

static void write_rotate_webhook(struct line_writer *w)
{
    buf_addf(w->out, "webhooks rotate %s", w->id);
}

static void write_delete_webhook(struct line_writer *w)
{
    buf_addf(w->out, "webhooks delete %s", w->id);
}

/* A flag with all texts of an array; none where it is not there. */
static void list_flag(struct line_writer *w, const char *name, const char *member)
{
    const json_t *list = json_object_get(w->body, member);
    char *all = joined(list, ",");

    if (list)
        flag(w, name, all);
    free(all);
}

static void word_flag(struct line_writer *w, const char *name, const char *member)
{
    const json_t *value = json_object_get(w->body, member);

    if (value)
        flag(w, name, json_is_true(value) ? "on" : "off");
}

static void write_dns_domain(struct line_writer *w, const char *domain, const json_t *servers)
{
    const json_t *server;
    size_t i;

    buf_adds(w->out, "dns split ");
    shell_word(domain, w->out);
    json_array_foreach(servers, i, server)
    {
        buf_addc(w->out, ' ');
        shell_word(json_string_value(server) ? json_string_value(server) : "", w->out);
    }
}

static void write_dns_reset(struct line_writer *w, const json_t *members)
{
    static const char *const names[][2] = {{"magicDNS", "magic-dns"},
                                           {"overrideLocalDNS", "override-local-dns"},
                                           {"nameservers", "nameservers"},
                                           {"splitDNS", "split"},
                                           {"searchDomains", "search-domains"}};
    const json_t *member;
    size_t i;

    buf_adds(w->out, "dns reset");
    json_array_foreach(
        members, i,
        member) for (size_t k = 0; k < ARRAY_LEN(names);
                     k++) if (str_eq(names[k][0], json_string_value(member) ? json_string_value(member) : ""))
        buf_addf(w->out, " %s", names[k][1]);
}

static void write_dns(struct line_writer *w)
{
    json_t *split = json_object_get(w->body, "changeSplitDNS"), *reset = json_object_get(w->body, "reset"), *servers;
    const char *domain;

    if (reset)
        write_dns_reset(w, reset);
    json_object_foreach(split, domain, servers) write_dns_domain(w, domain, servers);
    if (split || reset)
        return;
    buf_adds(w->out, "dns set");
    word_flag(w, "magic-dns", "magicDNS");
    word_flag(w, "override-local-dns", "overrideLocalDNS");
    list_flag(w, "nameservers", "nameservers");
    list_flag(w, "search-domains", "searchDomains");
}

static void write_approve_pending(struct line_writer *w)
{
    buf_adds(w->out, "auth register");
    flag(w, "auth-id", w->id);
    text_flag(w, "user", "user");
}

static void write_reject_pending(struct line_writer *w)
{
    buf_adds(w->out, "auth reject");
    flag(w, "auth-id", w->id);
}

static void write_primary(struct line_writer *w)
{
    buf_addf(w->out, "routes primary %s ", w->id);
    shell_word(json_text(w->body, "node", ""), w->out);
}

/* "--reset" is for all that is not given, beyond what the console shows, too. */
static void write_settings(struct line_writer *w)
{
    const json_t *keep = json_object_get(w->body, "keep");

    buf_addf(w->out, "routes set %s", w->id);
    text_flag(w, "failback", "failback");
    if (keep)
        buf_adds(w->out, json_is_true(keep) ? " --keep" : " --keep=false");
    text_flag(w, "hold-down", "holdDown");
    text_flag(w, "failback-delay", "failbackDelay");
    if (json_array_size(json_object_get(w->body, "reset")))
        buf_adds(w->out, " --reset # --nearest and --probe, too");
}

static void write_undo(struct line_writer *w)
{
    buf_addf(w->out, "undo %s", w->id);
}

/* What is asked of the API, and the command that asks the same. '*' is the object's id. */
static const struct {
    const char *method, *path;
    void (*write)(struct line_writer *w);
} lines[] = {
    {"POST", "nodes/*/routes", write_routes},
    {"POST", "nodes/*/tags", write_tags},
    {"POST", "nodes/*/drain", write_drain},
    {"POST", "nodes/*/authorized", write_authorized},
    {"POST", "nodes/*/priority", write_priority},
    {"POST", "nodes/*/expire", write_expire_node},
    {"POST", "nodes/*/rename", write_rename_node},
    {"DELETE", "nodes/*", write_delete_node},
    {"POST", "users/*/rename", write_rename_user},
    {"POST", "users/*/suspended", write_suspend_user},
    {"POST", "users/*/link", write_link_user},
    {"DELETE", "users/*", write_delete_user},
    {"POST", "users", write_new_user},
    {"POST", "preauthkeys", write_new_preauth_key},
    {"POST", "preauthkeys/*/expire", write_expire_preauth_key},
    {"DELETE", "preauthkeys/*", write_delete_preauth_key},
    {"POST", "apikeys", write_new_api_key},
    {"POST", "apikeys/*/expire", write_expire_api_key},
    {"DELETE", "apikeys/*", write_delete_api_key},
    {"POST", "oauth-clients", write_new_client},
    {"DELETE", "oauth-clients/*", write_delete_client},
    {"POST", "webhooks", write_new_webhook},
    {"PUT", "webhooks/*", write_set_webhook},
    {"POST", "webhooks/*/test", write_test_webhook},
    {"POST", "webhooks/*/rotate", write_rotate_webhook},
    {"DELETE", "webhooks/*", write_delete_webhook},
    {"POST", "dns", write_dns},
    {"POST", "pending/*/approve", write_approve_pending},
    {"POST", "pending/*/reject", write_reject_pending},
    {"POST", "prefixes/*/primary", write_primary},
    {"POST", "prefixes/*", write_settings},
    {"POST", "undo/*", write_undo},
};

/* The id where the path is like the pattern, the caller's; NULL where it is not. */
static char *id_in(const char *path, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    size_t head = star ? (size_t)(star - pattern) : strlen(pattern);

    if (strncmp(path, pattern, head) != 0)
        return NULL;
    path += head;
    size_t len = star ? strcspn(path, "/") : 0;
    if (!str_eq(path + len, star ? star + 1 : "") || (star && !len))
        return NULL;
    /* Prefixes are escaped in paths. */
    struct buf id = BUF_INIT(0);
    for (size_t i = 0; i < len; i++)
        if (strncmp(path + i, "%2F", 3) == 0 || strncmp(path + i, "%3A", 3) == 0) {
            buf_addc(&id, path[i + 1] == '2' ? '/' : ':');
            i += 2;
        } else {
            buf_addc(&id, path[i]);
        }
    return buf_take(&id);
}

static void write_line(const struct plan_request *q, int64_t now_ns, struct buf *out)
{
    static const char root[] = "/api/headway/";
    json_t *body = NULL;

    if (q->body && *q->body && json_read_large(q->body, strlen(q->body), 16U << 20, "request", &body, NULL) < 0)
        body = NULL;
    for (size_t i = 0; i < ARRAY_LEN(lines) && str_starts(q->path, root); i++) {
        char *id = str_eq(lines[i].method, q->method) ? id_in(q->path + strlen(root), lines[i].path) : NULL;

        if (!id)
            continue;
        struct line_writer w = {.id = id, .body = body, .now_ns = now_ns, .out = out};
        buf_adds(out, "headway ");
        lines[i].write(&w);
        free(id);
        json_decref(body);
        return;
    }
    buf_addf(out, "# no command: %s %s", q->method, q->path);
    json_decref(body);
}

void plan_lines(const struct plan *p, int64_t now_ns, struct buf *out)
{
    for (size_t i = 0; i < p->calls.len; i++) {
        const struct plan_request *q = &p->calls.items[i];

        if (q->left_out || q->state == REQUEST_REFUSED)
            continue;
        if (out->len)
            buf_addc(out, '\n');
        write_line(q, now_ns, out);
    }
}
