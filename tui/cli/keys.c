/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys, with which machines register; API keys, with which programs administer; OAuth clients, with which
 * programs fetch access tokens. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "cli/command.h"
#include "crypto/crypto.h"
#include "tailscale/tailscale.h"

/* ---- pre-auth keys ---- */

static void preauth_row(struct text_table *t, const void *object)
{
    const struct api_preauth_key *k = object;

    table_number(t, k->id);
    table_text(t, k->key, COLOR_PLAIN);
    table_bool(t, k->reusable);
    table_bool(t, k->ephemeral);
    table_bool(t, k->used);
    table_time(t, k->expiration_ns, "-", true);
    table_time(t, k->created_ns, "", false);
    if (k->tags.len)
        table_texts(t, &k->tags);
    else
        table_text(t, k->user && *k->user->name ? k->user->name : "-", COLOR_PLAIN);
}

/* The user of --user, an id or a name. False, with an error printed, on failure. */
static bool owner_id(struct cli *c, char id[24])
{
    struct api_user user;

    if (!cli_find_user(c, flags_text(&c->flags, "user"), &user))
        return false;
    snprintf(id, 24, "%llu", (unsigned long long)user.id);
    api_release(&api_user_shape, &user);
    return true;
}

static int preauth_list(struct cli *c)
{
    static const char *const heads[] = {"ID",   "Key/Prefix", "Reusable", "Ephemeral",
                                        "Used", "Expiration", "Created",  "Owner"};
    static const struct listing listing = {"preAuthKeys", &api_preauth_key_shape, sizeof(struct api_preauth_key),
                                           heads,         ARRAY_LEN(heads),       preauth_row};
    char id[24] = "";

    if (flags_given(&c->flags, "user") && !owner_id(c, id))
        return 1;
    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/v1/preauthkey%s%s", *id ? "?user=" : "", id), &listing);
}

static int preauth_create(struct cli *c)
{
    char id[24] = "0", *expiry = cli_expiry(c, "expiration");
    const char *user = flags_text(&c->flags, "user");
    json_t *body, *answer;

    if (!expiry)
        return 1;
    if (*user && !str_eq(user, "0") && !owner_id(c, id)) {
        free(expiry);
        return 1;
    }
    body = json_pack("{s:s, s:b, s:b, s:s, s:o}", "user", id, "reusable", flags_switch(&c->flags, "reusable"),
                     "ephemeral", flags_switch(&c->flags, "ephemeral"), "expiration", expiry, "aclTags",
                     cli_json_list(flags_list(&c->flags, "tags")));
    if (flags_switch(&c->flags, "no-preauthorized"))
        json_object_set_new(body, "preauthorized", json_false());
    free(expiry);
    answer = cli_call(c, "POST", body, "/api/v1/preauthkey");
    return cli_done(c, answer, json_text(json_object_get(answer, "preAuthKey"), "key", ""), "preAuthKey",
                    &api_preauth_key_shape);
}

static int preauth_expire(struct cli *c)
{
    bool by_id = flags_given(&c->flags, "id");
    json_t *body;

    if (!by_id && c->args->len == 0)
        return cli_failf(c, "missing --id parameter: missing parameters");
    body = by_id ? json_pack("{s:s}", "id", flags_text(&c->flags, "id")) : json_pack("{s:s}", "key", c->args->items[0]);
    if (flags_given(&c->flags, "user"))
        json_object_set_new(body, "user", json_string(flags_text(&c->flags, "user")));
    return cli_done(c, cli_call(c, "POST", body, "/api/v1/preauthkey/expire"), "Key expired", NULL, NULL);
}

static int preauth_delete(struct cli *c)
{
    if (!flags_given(&c->flags, "id"))
        return cli_failf(c, "missing --id parameter: missing parameters");
    return cli_done(c, cli_call(c, "DELETE", NULL, "/api/v1/preauthkey?id=%s", flags_text(&c->flags, "id")),
                    "Key deleted", NULL, NULL);
}

/* ---- API keys ---- */

static void api_key_row(struct text_table *t, const void *object)
{
    const struct api_api_key *k = object;

    table_number(t, k->id);
    table_text(t, k->prefix, COLOR_PLAIN);
    table_time(t, k->expiration_ns, "-", true);
    table_time(t, k->created_ns, "", false);
}

static const char *const api_key_heads[] = {"ID", "Prefix", "Expiration", "Created"};
static const struct listing api_key_listing = {"apiKeys",     &api_api_key_shape,       sizeof(struct api_api_key),
                                               api_key_heads, ARRAY_LEN(api_key_heads), api_key_row};

static int api_list(struct cli *c)
{
    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/v1/apikey"), &api_key_listing);
}

/* Descriptions and read-only keys are headway's; the plain form is headscale's. Only this answer contains the whole
 * key. */
static int api_create(struct cli *c)
{
    char *expiry = cli_expiry(c, "expiration");
    bool more =
        flags_given(&c->flags, "description") || flags_given(&c->flags, "read-only") || flags_given(&c->flags, "user");
    json_t *body, *answer, *key;

    if (!expiry)
        return 1;
    body = json_pack("{s:s}", "expiration", expiry);
    free(expiry);
    if (more) {
        json_object_set_new(body, "description", json_string(flags_text(&c->flags, "description")));
        json_object_set_new(body, "readOnly", json_boolean(flags_switch(&c->flags, "read-only")));
        json_object_set_new(body, "user", json_string(flags_text(&c->flags, "user")));
    }
    answer = cli_call(c, "POST", body, more ? "/api/headway/apikeys" : "/api/v1/apikey");
    if (!answer)
        return 1;
    key = more ? json_object_get(json_object_get(answer, "result"), "key") : json_object_get(answer, "apiKey");
    output_result(&c->out, json_is_string(key) ? json_string_value(key) : "", key, NULL);
    json_decref(answer);
    return 0;
}

/* Checks that exactly one of --id and --prefix is given. */
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
    const char *by = flags_given(&c->flags, "id") ? "id" : "prefix";

    if (!one_selector(c))
        return 1;
    return cli_done(c, cli_call(c, "POST", json_pack("{s:s}", by, flags_text(&c->flags, by)), "/api/v1/apikey/expire"),
                    "Key expired", NULL, NULL);
}

/* The prefix of the key given by --id; the caller frees it. NULL, with an error printed, on failure. */
static char *prefix_of_id(struct cli *c)
{
    uint64_t id = flags_number(&c->flags, "id");
    json_t *answer = cli_call(c, "GET", NULL, "/api/v1/apikey");
    struct api_list list = {0};
    char *prefix = NULL;

    if (answer && cli_read_list(c, answer, &api_key_listing, true, &list)) {
        for (size_t i = 0; i < list.len && !prefix; i++)
            if (api_at(&list, struct api_api_key, i)->id == id)
                prefix = mem_strdup(api_at(&list, struct api_api_key, i)->prefix);
        if (!prefix)
            cli_failf(c, "missing parameters: api key %llu not found", (unsigned long long)id);
    }
    api_release_list(&api_api_key_shape, &list);
    json_decref(answer);
    return prefix;
}

/* The API deletes keys by prefix, so an id is looked up first. */
static int api_delete(struct cli *c)
{
    char *prefix;

    if (!one_selector(c))
        return 1;
    prefix = flags_given(&c->flags, "prefix") ? mem_strdup(flags_text(&c->flags, "prefix")) : prefix_of_id(c);
    if (!prefix)
        return 1;
    char *segment = cli_segment(prefix);
    json_t *answer = cli_call(c, "DELETE", NULL, "/api/v1/apikey/%s", segment);
    free(segment);
    free(prefix);
    return cli_done(c, answer, "Key deleted", NULL, NULL);
}

/* ---- OAuth clients ---- */

/* On one line, as in headscale, in this table only. */
static void table_joined(struct text_table *t, const struct strs *texts)
{
    struct buf joined = BUF_INIT(0);

    for (size_t i = 0; i < texts->len; i++)
        buf_addf(&joined, "%s%s", i ? ", " : "", texts->items[i]);
    table_text(t, buf_text(&joined), COLOR_PLAIN);
    buf_release(&joined);
}

static void client_row(struct text_table *t, const struct api_v2_key *k)
{
    table_text(t, k->id, COLOR_PLAIN);
    table_joined(t, &k->scopes);
    table_joined(t, &k->tags);
    table_text(t, *k->description ? k->description : "-", COLOR_PLAIN);
    table_time(t, k->created_ns, "", false);
}

/* The keys that are OAuth clients. */
static json_t *only_clients(const json_t *keys)
{
    json_t *clients = json_array(), *key;
    size_t i;

    json_array_foreach(keys, i, key)
    {
        if (str_eq(json_text(key, "keyType", ""), "client"))
            json_array_append(clients, key);
    }
    return clients;
}

static int client_list(struct cli *c)
{
    static const char *const heads[] = {"ID", "Scopes", "Tags", "Description", "Created"};
    json_t *answer = cli_call(c, "GET", NULL, "/api/v2/tailnet/-/keys");
    struct api_list clients = {0};
    struct text_table t;

    if (!answer)
        return 1;
    json_t *found = only_clients(json_object_get(answer, "keys"));
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, found, NULL);
    } else if (api_read_list(&api_v2_key_shape, found, &clients, API_FOR_TERMINAL, NULL) == 0) {
        table_init(&t, heads, ARRAY_LEN(heads));
        for (size_t i = 0; i < clients.len; i++)
            client_row(&t, api_at(&clients, struct api_v2_key, i));
        table_print(&t, &c->out);
        table_release(&t);
    }
    api_release_list(&api_v2_key_shape, &clients);
    json_decref(found);
    json_decref(answer);
    return 0;
}

static int client_create(struct cli *c)
{
    const struct strs *scopes = flags_list(&c->flags, "scope");

    if (!scopes || !scopes->len)
        return cli_failf(c, "at least one --scope is required: missing parameters");
    json_t *body =
        json_pack("{s:s, s:o, s:o, s:s}", "keyType", "client", "scopes", cli_json_list(scopes), "tags",
                  cli_json_list(flags_list(&c->flags, "tag")), "description", flags_text(&c->flags, "description"));
    json_t *answer = cli_call(c, "POST", body, "/api/v2/tailnet/-/keys");
    if (!answer)
        return 1;
    char *made = mem_format("OAuth client %s created.", json_text(answer, "id", ""));
    char *secret = mem_format("Secret (shown once, store it now): %s", json_text(answer, "key", ""));
    output_result(&c->out, made, answer, NULL);
    if (c->out.form == OUTPUT_HUMAN)
        output_result(&c->out, secret, NULL, NULL);
    crypto_wipe(secret, strlen(secret));
    free(secret);
    free(made);
    json_decref(answer);
    return 0;
}

static int client_delete(struct cli *c)
{
    const char *id = flags_text(&c->flags, "id");

    if (!*id)
        return cli_failf(c, "--id is required: missing parameters");
    char *segment = cli_segment(id), *line = mem_format("OAuth client %s deleted", id);
    json_t *answer = cli_call(c, "DELETE", NULL, "/api/headway/oauth-clients/%s", segment);
    if (answer) {
        json_decref(answer);
        answer = json_pack("{s:s}", "id", id);
    }
    int status = cli_done(c, answer, line, NULL, NULL);
    free(segment);
    free(line);
    return status;
}

/* clang-format off */
#define OLD_USER {"user", 'u', FLAG_TEXT, FLAG_HIDDEN, .value = "ID", .help = "owner of the key; ignored"}
#define NAMESPACE {"namespace", 'n', FLAG_TEXT, FLAG_HIDDEN, .same_as = "user", .help = "older spelling of --user"}

static const struct flag preauth_list_flags[] = {
    {"user", 'u', FLAG_TEXT, .value = "USER", .help = "list only the keys of this user (id or name)"}, NAMESPACE, FLAGS_END};
static const struct flag preauth_create_flags[] = {
    {"user", 'u', FLAG_TEXT, .value = "USER", .fallback = "0", .help = "owner of the nodes that register with the key (id or name); 0 for none, which requires --tags"},
    {"reusable", 0, FLAG_SWITCH, .help = "allow the key to be used more than once"},
    {"no-preauthorized", 0, FLAG_SWITCH, .help = "the machines that it registers wait for approval where node.approval is on"},
    {"ephemeral", 0, FLAG_SWITCH, .help = "delete its nodes soon after they go offline"},
    {"expiration", 'e', FLAG_TEXT, .value = "DURATION", .fallback = "1h", .help = "validity of the key: a duration such as 30m, 24h or 90d, or never"},
    {"tags", 0, FLAG_LIST, .value = "TAGS", .help = "tags of its nodes, such as tag:a,tag:b"}, NAMESPACE, FLAGS_END};
static const struct flag preauth_id_flags[] = {
    {"id", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the key"}, OLD_USER, NAMESPACE, FLAGS_END};
static const struct flag api_create_flags[] = {
    {"expiration", 'e', FLAG_TEXT, .value = "DURATION", .fallback = "90d", .help = "validity of the key: a duration such as 24h or 90d, or never"},
    {"description", 'd', FLAG_TEXT, .value = "TEXT", .help = "purpose of the key; shown in the journal"},
    {"read-only", 0, FLAG_SWITCH, .help = "allow reading and dry runs only"},
    {"user", 'u', FLAG_TEXT, .value = "USER", .help = "owner (id or name) of the pre-auth keys without tags that are created with it by API v2"}, FLAGS_END};
static const struct flag api_select_flags[] = {
    {"prefix", 'p', FLAG_TEXT, .value = "PREFIX", .help = "prefix of the key"},
    {"id", 'i', FLAG_NUMBER, .value = "ID", .help = "id of the key"}, FLAGS_END};

const struct command preauthkey_commands[] = {
    {"preauthkeys", "preauthkey|authkey|pre", .bits = CMD_GROUP, .brief = "Manage pre-auth keys, which let machines join without approval"},
    {"preauthkeys list", "ls|show", NULL, preauth_list_flags, "List pre-auth keys", .run = preauth_list},
    {"preauthkeys create", "c|new", NULL, preauth_create_flags, "Create a pre-auth key and print it; it is not shown again", .run = preauth_create},
    {"preauthkeys expire", "revoke|exp|e", "[KEY]", preauth_id_flags, "Expire a pre-auth key", .run = preauth_expire},
    {"preauthkeys delete", "del|rm|d", NULL, preauth_id_flags, "Delete a pre-auth key, but not its nodes", .run = preauth_delete},
    {0}};

const struct command apikey_commands[] = {
    {"apikeys", "apikey|api", .bits = CMD_GROUP, .brief = "Manage API keys, which give programs and remote consoles access"},
    {"apikeys list", "ls|show", NULL, NULL, "List API keys", .run = api_list},
    {"apikeys create", "c|new", NULL, api_create_flags, "Create an API key and print it; it is not shown again", .run = api_create},
    {"apikeys expire", "revoke|exp|e", NULL, api_select_flags, "Expire an API key", .run = api_expire},
    {"apikeys delete", "remove|del", NULL, api_select_flags, "Delete an API key", .run = api_delete},
    {0}};

static const struct flag client_create_flags[] = {
    {"scope", 's', FLAG_LIST, .value = "SCOPE", .help = "what its tokens may do, such as devices:core, auth_keys or all:read; may be repeated"},
    {"tag", 't', FLAG_LIST, .value = "TAG", .help = "tag that its tokens may give, such as tag:k8s; may be repeated"},
    {"description", 'd', FLAG_TEXT, .value = "TEXT", .help = "purpose of the client; shown in the journal"}, FLAGS_END};
static const struct flag client_delete_flags[] = {
    {"id", 'i', FLAG_TEXT, .value = "ID", .help = "id of the client"}, FLAGS_END};

const struct command oauth_commands[] = {
    {"oauth-clients", "oauth-client|oauthclients|oauthclient|oauth", .bits = CMD_GROUP, .brief = "Manage OAuth clients, with which programs fetch access tokens of limited scope"},
    {"oauth-clients list", "ls|show", NULL, NULL, "List OAuth clients", .run = client_list},
    {"oauth-clients create", "c|new", NULL, client_create_flags, "Create an OAuth client and print its secret; it is not shown again", .run = client_create},
    {"oauth-clients delete", "remove|del", NULL, client_delete_flags, "Delete an OAuth client, and its access tokens with it", .run = client_delete},
    {0}};
/* clang-format on */
