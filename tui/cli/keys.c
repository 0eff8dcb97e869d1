/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys, by which machines register; API keys, by which programs administer. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"

static void print_line(struct cli *c, const char *line, json_t *answer)
{
    output_result(&c->out, line, answer, SHAPE_PLAIN);
    json_decref(answer);
}

/* ---- pre-auth keys ---- */

static void owner_cell(struct table *t, const json_t *key)
{
    json_t *tags = json_object_get(key, "aclTags");
    const char *user = json_text(json_object_get(key, "user"), "name", "");

    if (json_array_size(tags))
        table_list(t, tags);
    else
        table_cell(t, *user ? user : "-", CELL_PLAIN);
}

static void truth(struct table *t, const json_t *key, const char *member)
{
    table_cell(t, json_is_true(json_object_get(key, member)) ? "true" : "false", CELL_PLAIN);
}

/* The id of --user, which may be an id or a name; NULL with the error printed. */
static char *owner_id(struct cli *c)
{
    json_t *user = cli_find_user(c, flags_text(&c->flags, "user"));
    char *id = user ? mem_strdup(json_text(user, "id", "")) : NULL;

    json_decref(user);
    return id;
}

static int preauth_list(struct cli *c)
{
    static const char *const heads[] = {"ID",   "Key/Prefix", "Reusable", "Ephemeral",
                                        "Used", "Expiration", "Created",  "Owner"};
    char *id = NULL;
    json_t *answer, *key;
    struct table t;
    size_t i;

    if (flags_given(&c->flags, "user") && !(id = owner_id(c)))
        return 1;
    answer = cli_call(c, "GET", NULL, "/api/v1/preauthkey%s%s", id ? "?user=" : "", id ? id : "");
    free(id);
    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, json_object_get(answer, "preAuthKeys"), SHAPE_PREAUTHKEY);
    } else {
        table_init(&t, heads, 8);
        json_array_foreach(json_object_get(answer, "preAuthKeys"), i, key)
        {
            table_cell(&t, json_text(key, "id", ""), CELL_PLAIN);
            table_cell(&t, json_text(key, "key", ""), CELL_PLAIN);
            truth(&t, key, "reusable");
            truth(&t, key, "ephemeral");
            truth(&t, key, "used");
            table_time(&t, json_text(key, "expiration", NULL), "-", true);
            table_time(&t, json_text(key, "createdAt", NULL), "", false);
            owner_cell(&t, key);
        }
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(answer);
    return 0;
}

static int preauth_create(struct cli *c)
{
    char *id = NULL, *expiry = cli_expiry(c, "expiration");
    const char *user = flags_text(&c->flags, "user");
    json_t *body, *answer, *key;

    if (!expiry)
        return 1;
    if (*user && !str_eq(user, "0") && !(id = owner_id(c))) {
        free(expiry);
        return 1;
    }
    body = json_pack("{s:s, s:b, s:b, s:s, s:o}", "user", id ? id : "0", "reusable",
                     flags_switch(&c->flags, "reusable"), "ephemeral", flags_switch(&c->flags, "ephemeral"),
                     "expiration", expiry, "aclTags", json_list(flags_list(&c->flags, "tags")));
    free(id);
    free(expiry);
    answer = cli_call(c, "POST", body, "/api/v1/preauthkey");
    if (!answer)
        return 1;
    key = json_object_get(answer, "preAuthKey");
    output_result(&c->out, json_text(key, "key", ""), key, SHAPE_PREAUTHKEY);
    json_decref(answer);
    return 0;
}

static int preauth_expire(struct cli *c)
{
    bool by_id = flags_given(&c->flags, "id");
    json_t *answer, *body;

    if (!by_id && c->args->len == 0)
        return cli_failf(c, "missing --id parameter: missing parameters");
    if (by_id)
        body = json_pack("{s:s}", "id", flags_text(&c->flags, "id"));
    else
        body = json_pack("{s:s}", "key", c->args->items[0]);
    if (flags_given(&c->flags, "user"))
        json_object_set_new(body, "user", json_string(flags_text(&c->flags, "user")));
    answer = cli_call(c, "POST", body, "/api/v1/preauthkey/expire");
    if (!answer)
        return 1;
    print_line(c, "Key expired", answer);
    return 0;
}

static int preauth_delete(struct cli *c)
{
    json_t *answer;

    if (!flags_given(&c->flags, "id"))
        return cli_failf(c, "missing --id parameter: missing parameters");
    answer = cli_call(c, "DELETE", NULL, "/api/v1/preauthkey?id=%s", flags_text(&c->flags, "id"));
    if (!answer)
        return 1;
    print_line(c, "Key deleted", answer);
    return 0;
}

/* ---- API keys ---- */

static int api_list(struct cli *c)
{
    static const char *const heads[] = {"ID", "Prefix", "Expiration", "Created"};
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/apikey"), *key;
    struct table t;
    size_t i;

    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, json_object_get(answer, "apiKeys"), SHAPE_APIKEY);
    } else {
        table_init(&t, heads, 4);
        json_array_foreach(json_object_get(answer, "apiKeys"), i, key)
        {
            table_cell(&t, json_text(key, "id", ""), CELL_PLAIN);
            table_cell(&t, json_text(key, "prefix", ""), CELL_PLAIN);
            table_time(&t, json_text(key, "expiration", NULL), "-", true);
            table_time(&t, json_text(key, "createdAt", NULL), "", false);
        }
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(answer);
    return 0;
}

/* A description or a read-only key is ours; the plain form is headscale's. The whole key is in the answer only here. */
static int api_create(struct cli *c)
{
    char *expiry = cli_expiry(c, "expiration");
    bool ours = flags_given(&c->flags, "description") || flags_given(&c->flags, "read-only");
    json_t *body, *answer, *key;

    if (!expiry)
        return 1;
    body = json_pack("{s:s}", "expiration", expiry);
    free(expiry);
    if (ours) {
        json_object_set_new(body, "description", json_string(flags_text(&c->flags, "description")));
        json_object_set_new(body, "readOnly", json_boolean(flags_switch(&c->flags, "read-only")));
    }
    answer = cli_call(c, "POST", body, ours ? "/api/headway/apikeys" : "/api/v1/apikey");
    if (!answer)
        return 1;
    key = ours ? json_object_get(json_object_get(answer, "result"), "key") : json_object_get(answer, "apiKey");
    output_result(&c->out, json_is_string(key) ? json_string_value(key) : "", key, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* Exactly one of --id and --prefix. */
static bool one_selector(struct cli *c)
{
    bool id = flags_given(&c->flags, "id"), prefix = flags_given(&c->flags, "prefix");

    if (!id && !prefix)
        cli_failf(c, "either --id or --prefix must be provided: missing parameters");
    if (id && prefix)
        cli_failf(c, "only one of --id or --prefix can be provided: missing parameters");
    return id != prefix;
}

static int api_expire(struct cli *c)
{
    json_t *answer;
    const char *by = flags_given(&c->flags, "id") ? "id" : "prefix";

    if (!one_selector(c))
        return 1;
    answer = cli_call(c, "POST", json_pack("{s:s}", by, flags_text(&c->flags, by)), "/api/v1/apikey/expire");
    if (!answer)
        return 1;
    print_line(c, "Key expired", answer);
    return 0;
}

/* The API deletes by prefix; an id is looked up first. */
static int api_delete(struct cli *c)
{
    json_t *answer, *key;
    char *prefix = NULL;
    size_t i;

    if (!one_selector(c))
        return 1;
    if (flags_given(&c->flags, "prefix")) {
        prefix = cli_segment(flags_text(&c->flags, "prefix"));
    } else {
        answer = cli_call(c, "GET", NULL, "/api/v1/apikey");
        if (!answer)
            return 1;
        json_array_foreach(json_object_get(answer, "apiKeys"), i,
                           key) if (!prefix && str_eq(json_text(key, "id", ""), flags_text(&c->flags, "id"))) prefix =
            cli_segment(json_text(key, "prefix", ""));
        json_decref(answer);
    }
    if (!prefix)
        return cli_failf(c, "missing parameters: api key %s not found", flags_text(&c->flags, "id"));
    answer = cli_call(c, "DELETE", NULL, "/api/v1/apikey/%s", prefix);
    free(prefix);
    if (!answer)
        return 1;
    print_line(c, "Key deleted", answer);
    return 0;
}

/* clang-format off */
#define OLD_USER {"user", 'u', FLAG_TEXT, FLAG_HIDDEN, .value = "ID", .help = "owner of the key, of older releases"}
#define NAMESPACE {"namespace", 'n', FLAG_TEXT, FLAG_HIDDEN, .same_as = "user", .help = "older spelling of --user"}

static const struct flag preauth_list_flags[] = {
    {"user", 'u', FLAG_TEXT, .value = "USER", .help = "only keys of this user (id or name)"}, NAMESPACE, FLAGS_END};
static const struct flag preauth_create_flags[] = {
    {"user", 'u', FLAG_TEXT, .value = "USER", .fallback = "0", .help = "owner of the nodes that use the key (id or name); 0: none, then tags are needed"},
    {"reusable", 0, FLAG_SWITCH, .help = "more than one node may use it"},
    {"ephemeral", 0, FLAG_SWITCH, .help = "its nodes are removed soon after they go offline"},
    {"expiration", 'e', FLAG_TEXT, .value = "DURATION", .fallback = "1h", .help = "how long it can be used, as 30m, 24h or 90d"},
    {"tags", 0, FLAG_LIST, .value = "TAGS", .help = "tags of its nodes, as tag:a,tag:b"}, NAMESPACE, FLAGS_END};
static const struct flag preauth_id_flags[] = {
    {"id", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the key"}, OLD_USER, NAMESPACE, FLAGS_END};
static const struct flag api_create_flags[] = {
    {"expiration", 'e', FLAG_TEXT, .value = "DURATION", .fallback = "90d", .help = "how long it can be used, as 24h or 90d"},
    {"description", 'd', FLAG_TEXT, .value = "TEXT", .help = "what it is for; the journal names it"},
    {"read-only", 0, FLAG_SWITCH, .help = "it may read and try, and change nothing"}, FLAGS_END};
static const struct flag api_select_flags[] = {
    {"prefix", 'p', FLAG_TEXT, .value = "PREFIX", .help = "prefix of the key"},
    {"id", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the key"}, FLAGS_END};

const struct command preauthkey_commands[] = {
    {"preauthkeys", "preauthkey|authkey|pre", .bits = CMD_GROUP, .brief = "Pre-auth keys: by them machines register without a question"},
    {"preauthkeys list", "ls|show", NULL, preauth_list_flags, "List pre-auth keys", .run = preauth_list},
    {"preauthkeys create", "c|new", NULL, preauth_create_flags, "Create a pre-auth key and print it, this once", .run = preauth_create},
    {"preauthkeys expire", "revoke|exp|e", "[KEY]", preauth_id_flags, "Make a pre-auth key useless", .run = preauth_expire},
    {"preauthkeys delete", "del|rm|d", NULL, preauth_id_flags, "Delete a pre-auth key; its nodes stay", .run = preauth_delete},
    {0}};

const struct command apikey_commands[] = {
    {"apikeys", "apikey|api", .bits = CMD_GROUP, .brief = "API keys: by them programs and other machines administer"},
    {"apikeys list", "ls|show", NULL, NULL, "List API keys", .run = api_list},
    {"apikeys create", "c|new", NULL, api_create_flags, "Create an API key and print it, this once", .run = api_create},
    {"apikeys expire", "revoke|exp|e", NULL, api_select_flags, "Make an API key useless", .run = api_expire},
    {"apikeys delete", "remove|del", NULL, api_select_flags, "Delete an API key", .run = api_delete},
    {0}};
/* clang-format on */
