/* SPDX-License-Identifier: BSD-3-Clause */
/* OAuth clients and their access tokens: how one is fetched, and that it does no more than its scopes and tags say,
 * over each call of each dialect. limit: 120 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/request/endpoint.h"
#include "base/array.h"
#include "base/mem.h"
#include "shared/api_fixture.h"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    return api_setup(&f);
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

/* The secret of a new client with these scopes and tags, each a list of JSON texts. The caller owns it. */
static char *new_client(const char *scopes, const char *tags, char id[16])
{
    char *body =
        mem_format("{\"keyType\":\"client\",\"scopes\":[%s],\"tags\":[%s],\"description\":\"test\"}", scopes, tags);
    json_t *j = api_expect(&f, 200, "POST", "/api/v2/tailnet/-/keys", body);
    char *secret = mem_strdup(json_text(j, "key", ""));

    if (id)
        str_copy(id, 16, json_text(j, "id", ""));
    assert_true(str_starts(secret, "hskey-client-"));
    json_decref(j);
    free(body);
    return secret;
}

/* What the token endpoint answers to a form. */
static int ask_token(const char *form, const char *headers, json_t **out)
{
    return api_ask(
        &f,
        &(struct api_call){
            .method = "POST", .target = "/api/v2/oauth/token", .body = form, .headers = headers, .public_door = true},
        out);
}

/* A header with a token of that client. The caller owns it. */
static char *token_header(const char *secret, const char *more)
{
    char *form = mem_format("grant_type=client_credentials&client_secret=%s%s", secret, more);
    json_t *j = NULL;

    assert_int_equal(ask_token(form, NULL, &j), 200);
    assert_int_equal(json_integer_value(json_object_get(j, "expires_in")), 3600);
    assert_string_equal(json_text(j, "token_type", ""), "Bearer");
    char *header = mem_format("Authorization: Bearer %s\r\n", json_text(j, "access_token", ""));
    assert_true(str_starts(json_text(j, "access_token", ""), "hskey-oauthtok-"));
    json_decref(j);
    free(form);
    return header;
}

static int ask_with(const char *header, const char *method, const char *target, const char *body, json_t **out)
{
    return api_ask(
        &f,
        &(struct api_call){.method = method, .target = target, .body = body, .headers = header, .public_door = true},
        out);
}

static void expect_refused(const char *header, int status, const char *words, const char *method, const char *target,
                           const char *body)
{
    json_t *j = NULL;

    assert_int_equal(ask_with(header, method, target, body, &j), status);
    char *text = json_compact(j);
    if (!strstr(text, words))
        fail_msg("%s %s: %s", method, target, text);
    free(text);
    json_decref(j);
}

/* ---- what each call wants ---- */

#define NEVER "\x01" /* no token may */

/* By the beginning of a path: the scope, for a call that changes something and for one that reads. The first that fits
 * counts. */
static const struct {
    const char *path, *write, *read;
} wants[] = {
    {"/api/v1/user", "users", "users:read"},
    {"/api/v1/preauthkey", "auth_keys", "auth_keys:read"},
    {"/api/v1/apikey", NEVER, "all:read"},
    {"/api/v1/node/register", "all", "all:read"},
    {"/api/v1/node/backfillips", "all", "all:read"},
    {"/api/v1/node/{nodeId}/user", "all", "all:read"},
    {"/api/v1/node/{nodeId}/approve_routes", "devices:routes", "devices:routes:read"},
    {"/api/v1/node", "devices:core", "devices:core:read"},
    {"/api/v1/auth", "all", "all:read"},
    {"/api/v1/debug", "all", "all:read"},
    {"/api/v1/policy", "policy_file", "policy_file:read"},
    {"/api/v1/health", "", ""},
    {"/api/v2/tailnet/-/devices", "devices:core", "devices:core:read"},
    {"/api/v2/device/{id}/routes", "devices:routes", "devices:routes:read"},
    {"/api/v2/device", "devices:core", "devices:core:read"},
    {"/api/v2/tailnet/-/acl", "policy_file", "policy_file:read"},
    {"/api/v2/tailnet/-/settings", "feature_settings", "feature_settings:read"},
    {"/api/v2/tailnet/-/dns", "dns", "dns:read"},
    {"/api/v2/tailnet/-/users", "users", "users:read"},
    {"/api/v2/users", "users", "users:read"},
    {"/api/v2/tailnet/-/webhooks", "webhooks", "webhooks:read"},
    {"/api/v2/webhooks", "webhooks", "webhooks:read"},
    {"/api/headway/webhooks", "webhooks", "webhooks:read"},
    {"/api/headway/users/{id}/link", NEVER, "users:read"},
    {"/api/headway/users", "users", "users:read"},
    {"/api/headway/identities", "users", "users:read"},
    {"/api/headway/preauthkeys", "auth_keys", "auth_keys:read"},
    {"/api/headway/oauth-clients", "oauth_keys", "oauth_keys:read"},
    {"/api/headway/apikeys", NEVER, "all:read"},
    {"/api/headway/nodes/{id}/routes", "devices:routes", "devices:routes:read"},
    {"/api/headway/nodes/{id}/drain", "devices:routes", "devices:routes:read"},
    {"/api/headway/nodes/{id}/priority", "devices:routes", "devices:routes:read"},
    {"/api/headway/nodes/{id}/diff", "all", "all:read"},
    {"/api/headway/nodes", "devices:core", "devices:core:read"},
    {"/api/headway/routes/", "all", "all:read"},
    {"/api/headway/routes", "devices:routes", "devices:routes:read"},
    {"/api/headway/prefixes", "devices:routes", "devices:routes:read"},
    {"/api/headway/exits", "devices:routes", "devices:routes:read"},
    {"/api/headway/app-connectors", "devices:routes", "devices:routes:read"},
    {"/api/headway/policy/preview", "all", "all:read"},
    {"/api/headway/policy", "policy_file", "policy_file:read"},
    {"/api/headway/dns", "dns", "dns:read"},
    {"/api/headway/message", "feature_settings", "feature_settings:read"},
    {"/api/headway/whoami", "", ""},
    {"/api/headway/health", "", ""},
    {"/api/headway/", "all", "all:read"},
};

static const char *const scopes[] = {"all",
                                     "all:read",
                                     "auth_keys",
                                     "auth_keys:read",
                                     "oauth_keys",
                                     "oauth_keys:read",
                                     "devices:core",
                                     "devices:core:read",
                                     "devices:routes",
                                     "devices:routes:read",
                                     "policy_file",
                                     "policy_file:read",
                                     "feature_settings",
                                     "feature_settings:read",
                                     "users",
                                     "users:read",
                                     "dns",
                                     "dns:read",
                                     "webhooks",
                                     "webhooks:read",
                                     "devices",
                                     "users:",
                                     "unknown:read"};

static const char *wanted_scope(const struct api_endpoint *e)
{
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (str_starts(e->http.path, wants[i].path))
            return e->need == NEED_ADMIN ? wants[i].write : wants[i].read;
    fail_msg("%s %s: add to the table of this test which scope it wants", e->http.method, e->http.path);
    return NULL;
}

static bool gives(const char *scope, const char *want)
{
    size_t len = strlen(scope);

    if (str_eq(want, NEVER))
        return false;
    if (!*want || str_eq(scope, want) || str_eq(scope, "all"))
        return true;
    bool reads = strlen(want) > 5 && str_eq(want + strlen(want) - 5, ":read");
    if (str_eq(scope, "all:read"))
        return reads;
    return reads && strlen(want) == len + 5 && str_starts(want, scope);
}

/* The path with something for each parameter that nobody has. */
static char *path_of(const struct api_endpoint *e)
{
    struct buf b = BUF_INIT(0);

    for (const char *at = e->http.path; *at;) {
        if (*at == '{') {
            buf_adds(&b, "4000000000");
            at += strcspn(at, "}") + 1;
        } else {
            buf_addc(&b, *at++);
        }
    }
    return buf_take(&b);
}

static void ask_each(const char *scope, const char *header)
{
    size_t asked = 0;

    for (size_t i = 0; i < endpoint_count(f.api); i++) {
        const struct api_endpoint *e = endpoint_at(f.api, i);
        if (e->need == NEED_NOTHING || !(e->http.listeners & HTTP_PUBLIC) ||
            str_starts(e->http.path, "/api/v2/tailnet/-/keys"))
            continue;
        assert_int_not_equal(e->scope, SCOPE_NONE);
        bool may = gives(scope, wanted_scope(e));
        char *path = path_of(e);
        json_t *j = NULL;
        int status = ask_with(header, e->http.method, path, str_eq(e->http.method, "GET") ? NULL : "{\"none\":1}", &j);
        char *text = json_compact(j);
        bool refused = status == 403 && strstr(text, "required scope");
        if (refused == may || status == 401)
            fail_msg("%s with the scope %s: %s %s is answered %d %s", may ? "allowed" : "not allowed", scope,
                     e->http.method, e->http.path, status, text);
        asked++;
        free(text);
        json_decref(j);
        free(path);
    }
    assert_true(asked > 80);
}

static void a_token_does_no_more_than_its_scopes_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        char *quoted = mem_format("\"%s\"", scopes[i]), *secret = new_client(quoted, "\"tag:a\"", NULL);
        char *header = token_header(secret, "");
        ask_each(scopes[i], header);
        free(header);
        free(secret);
        free(quoted);
    }
}

/* A row that forgets its scope is closed to all tokens, and is found here. */
static void no_call_is_without_a_scope(void **state)
{
    (void)state;
    for (size_t i = 0; i < endpoint_count(f.api); i++) {
        const struct api_endpoint *e = endpoint_at(f.api, i);
        if ((e->need == NEED_NOTHING) != (e->scope == SCOPE_NONE))
            fail_msg("%s %s: its row has no scope", e->http.method, e->http.path);
    }
    assert_false(auth_scope_granted(&(const struct strs){.items = (char *[]){(char *)(uintptr_t) "all"}, .len = 1},
                                    SCOPE_NONE, true));
}

/* ---- keys of API v2: by their kind ---- */

static void keys_are_seen_and_made_by_kind(void **state)
{
    (void)state;
    static const char auth[] = "{\"capabilities\":{\"devices\":{\"create\":{\"tags\":[\"tag:a\"]}}}}";
    static const char client[] = "{\"keyType\":\"client\",\"scopes\":[\"auth_keys:read\"],\"tags\":[\"tag:a\"]}";
    char id[16], auth_id[24];
    char *secret = new_client("\"auth_keys\",\"oauth_keys:read\"", "\"tag:a\"", id), *both = token_header(secret, "");
    char *narrow = token_header(secret, "&scope=auth_keys");
    json_t *j = NULL;

    assert_int_equal(ask_with(both, "POST", "/api/v2/tailnet/-/keys", auth, &j), 200);
    str_copy(auth_id, sizeof(auth_id), json_text(j, "id", ""));
    assert_true(str_starts(json_text(j, "key", ""), "hskey-auth-"));
    json_decref(j);
    expect_refused(both, 403, "required scope oauth_keys", "POST", "/api/v2/tailnet/-/keys", client);
    assert_int_equal(ask_with(both, "GET", "/api/v2/tailnet/-/keys", NULL, &j), 200);
    assert_int_equal(json_array_size(json_object_get(j, "keys")), 2);
    json_decref(j);
    assert_int_equal(ask_with(narrow, "GET", "/api/v2/tailnet/-/keys", NULL, &j), 200);
    assert_int_equal(json_array_size(json_object_get(j, "keys")), 1);
    assert_null(json_object_get(json_array_get(json_object_get(j, "keys"), 0), "key"));
    json_decref(j);
    char *path = mem_format("/api/v2/tailnet/-/keys/%s", id),
         *auth_path = mem_format("/api/v2/tailnet/-/keys/%s", auth_id);
    assert_int_equal(ask_with(both, "GET", path, NULL, NULL), 200);
    expect_refused(narrow, 404, "auth key not found", "GET", path, NULL);
    expect_refused(both, 404, "auth key not found", "DELETE", path, NULL);
    assert_int_equal(ask_with(narrow, "DELETE", auth_path, NULL, NULL), 200);
    expect_refused(narrow, 404, "auth key not found", "DELETE", auth_path, NULL);
    assert_int_equal(ask_with(narrow, "GET", auth_path, NULL, &j), 200); /* revoked, not gone */
    assert_true(json_is_true(json_object_get(j, "invalid")));
    assert_non_null(json_object_get(j, "revoked"));
    json_decref(j);
    free(path);
    free(auth_path);
    free(both);
    free(narrow);
    free(secret);
}

/* ---- tags ---- */

static void a_token_gives_no_tags_but_its_own(void **state)
{
    static const struct {
        const char *tag;
        bool may;
    } tags[] = {{"tag:a", true}, {"tag:owned", true}, {"tag:deep", true}, {"tag:b", false}, {"tag:unknown", false}};
    static const struct {
        const char *method, *target, *body;
    } calls[] = {
        {"POST", "/api/v1/preauthkey", "{\"aclTags\":[\"%s\"]}"},
        {"POST", "/api/headway/preauthkeys", "{\"tags\":[\"%s\"]}"},
        {"POST", "/api/v2/tailnet/-/keys", "{\"capabilities\":{\"devices\":{\"create\":{\"tags\":[\"%s\"]}}}}"},
        {"POST", "/api/v1/node/1/tags", "{\"tags\":[\"%s\"]}"},
        {"POST", "/api/headway/nodes/1/tags", "{\"tags\":[\"%s\"]}"},
        {"POST", "/api/v2/device/1/tags", "{\"tags\":[\"%s\"]}"},
        {"POST", "/api/headway/oauth-clients", "{\"scopes\":[\"users\"],\"tags\":[\"%s\"]}"},
        {"POST", "/api/v2/tailnet/-/keys", "{\"keyType\":\"client\",\"scopes\":[\"users\"],\"tags\":[\"%s\"]}"},
    };

    (void)state;
    assert_int_equal(api_node(&f, "alice", "one", NULL, NULL), 1);
    char *text =
        mem_format("{\"policy\":%s}", "\"{\\\"tagOwners\\\":{\\\"tag:a\\\":[],\\\"tag:owned\\\":[\\\"tag:a\\\"],"
                                      "\\\"tag:deep\\\":[\\\"tag:owned\\\"],\\\"tag:b\\\":[]}}\"");
    json_decref(api_expect(&f, 200, "PUT", "/api/v1/policy", text));
    free(text);
    char *secret = new_client("\"all\"", "\"tag:a\"", NULL), *header = token_header(secret, "");
    for (size_t c = 0; c < ARRAY_LEN(calls); c++)
        for (size_t t = 0; t < ARRAY_LEN(tags); t++) {
            struct buf body = BUF_INIT(0);
            const char *hole = strstr(calls[c].body, "%s");
            json_t *j = NULL;
            buf_addf(&body, "%.*s%s%s", (int)(hole - calls[c].body), calls[c].body, tags[t].tag, hole + 2);
            int status = ask_with(header, calls[c].method, calls[c].target, buf_text(&body), &j);
            char *answer = json_compact(j);
            if (status != (tags[t].may ? 200 : 403))
                fail_msg("%s %s is answered %d %s", calls[c].target, buf_text(&body), status, answer);
            free(answer);
            json_decref(j);
            buf_release(&body);
        }
    expect_refused(header, 403, "must create tagged auth keys", "POST", "/api/v1/preauthkey", "{\"user\":\"1\"}");
    expect_refused(header, 403, "must create tagged auth keys", "POST", "/api/headway/preauthkeys", "{\"user\":\"1\"}");
    expect_refused(header, 403, "must create tagged auth keys", "POST", "/api/v2/tailnet/-/keys", "{}");
    free(header);
    free(secret);
}

/* No client gets more than the token that makes it has. */
static void a_token_makes_no_stronger_client(void **state)
{
    (void)state;
    char *secret = new_client("\"oauth_keys\",\"users:read\"", "\"tag:a\"", NULL), *header = token_header(secret, "");

    expect_refused(header, 403, "scope users beyond", "POST", "/api/v2/tailnet/-/keys",
                   "{\"keyType\":\"client\",\"scopes\":[\"users\"]}");
    expect_refused(header, 403, "scope all beyond", "POST", "/api/headway/oauth-clients", "{\"scopes\":[\"all\"]}");
    assert_int_equal(ask_with(header, "POST", "/api/headway/oauth-clients", "{\"scopes\":[\"users:read\"]}", NULL),
                     200);
    free(header);
    free(secret);
}

/* A client with the scope all takes what tags it likes. */
static void a_token_with_tags_makes_no_client_without_limits(void **state)
{
    char id[16];
    char *secret = new_client("\"all\"", "", id), *narrow = token_header(secret, "&tags=tag:a");
    char *wide = token_header(secret, ""), *path = mem_format("/api/headway/oauth-clients/%s", id);

    (void)state;
    expect_refused(narrow, 403, "token with tags", "POST", "/api/headway/oauth-clients", "{\"scopes\":[\"all\"]}");
    expect_refused(narrow, 403, "token with tags", "POST", "/api/v2/tailnet/-/keys",
                   "{\"keyType\":\"client\",\"scopes\":[\"all\"],\"tags\":[\"tag:a\"]}");
    expect_refused(narrow, 403, "token with tags", "PUT", path, "{\"scopes\":[\"all\"],\"tags\":[]}");
    assert_int_equal(ask_with(wide, "POST", "/api/headway/oauth-clients", "{\"scopes\":[\"all\"]}", NULL), 200);
    free(path);
    free(wide);
    free(narrow);
    free(secret);
}

/* By undoing neither what its calls refuse. */
static void a_token_undoes_nothing_of_api_keys(void **state)
{
    char *secret = new_client("\"all\"", "", NULL), *header = token_header(secret, "");
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/apikeys", "{}");
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));

    (void)state;
    json_decref(j);
    expect_refused(header, 403, "takes an API key", "POST", undo, "{}");
    json_decref(api_expect(&f, 200, "POST", undo, "{}"));
    free(undo);
    free(header);
    free(secret);
}

/* ---- the token endpoint ---- */

static void expect_error(int status, const char *word, const char *form, const char *headers)
{
    json_t *j = NULL;

    assert_int_equal(ask_token(form, headers, &j), status);
    assert_string_equal(json_text(j, "error", ""), word);
    assert_true(*json_text(j, "error_description", ""));
    json_decref(j);
}

static void tokens_are_for_who_has_the_secret(void **state)
{
    char id[16];
    char *secret = new_client("\"devices:core\",\"users\"", "\"tag:a\",\"tag:b\"", id);
    char *wrong = mem_strdup(secret), *form;

    (void)state;
    wrong[strlen(wrong) - 1] = wrong[strlen(wrong) - 1] == '0' ? '1' : '0';
    expect_error(401, "invalid_client", "", NULL);
    expect_error(401, "invalid_client", "client_secret=x", NULL);
    expect_error(400, "unsupported_grant_type", "grant_type=password&client_secret=x", NULL);
    expect_error(400, "invalid_request", "client_secret=%zz", NULL);
    form = mem_format("client_secret=%s", wrong);
    expect_error(401, "invalid_client", form, NULL);
    free(form);
    form = mem_format("client_secret=%s&scope=users+policy_file", secret);
    expect_error(400, "invalid_scope", form, NULL);
    free(form);
    form = mem_format("client_secret=%s&tags=tag:c", secret);
    expect_error(400, "invalid_target", form, NULL);
    free(form);
    char *narrow = token_header(secret, "&scope=users:read&tags=tag:b");
    assert_int_equal(ask_with(narrow, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 200);
    expect_refused(narrow, 403, "required scope", "GET", "/api/v2/tailnet/-/devices", NULL);
    char *as_tailscale = mem_format("tskey-client-%s%%3Fephemeral=false", secret + strlen("hskey-client-"));
    char *header = token_header(as_tailscale, "");
    char *client = mem_format("/api/v2/tailnet/-/keys/%s", id);
    json_decref(api_expect(&f, 200, "DELETE", client, NULL));
    assert_int_equal(ask_with(header, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 401); /* at once */
    assert_int_equal(ask_with(narrow, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 401);
    form = mem_format("client_secret=%s", secret);
    expect_error(401, "invalid_client", form, NULL);
    free(form);
    free(client);
    free(header);
    free(as_tailscale);
    free(narrow);
    free(wrong);
    free(secret);
}

/* Nor is a token answered again to who asks with the same Idempotency-Key and another secret. */
static void no_token_is_answered_twice(void **state)
{
    static const char same[] = "Idempotency-Key: 0123456789abcdef\r\n";
    char *secret = new_client("\"users\"", "", NULL), *form = mem_format("client_secret=%s", secret);
    json_t *first = NULL, *second = NULL;

    (void)state;
    assert_int_equal(ask_token(form, same, &first), 200);
    assert_int_equal(ask_token(form, same, &second), 200);
    assert_string_not_equal(json_text(first, "access_token", ""), json_text(second, "access_token", ""));
    json_decref(first);
    json_decref(second);
    free(form);
    free(secret);
}

/* Of one client so many are kept: the one that ends first makes room. */
static void tokens_of_a_client_are_bounded(void **state)
{
    char *secret = new_client("\"users\"", "", NULL), *first = token_header(secret, ""), *last = NULL;

    (void)state;
    for (int i = 0; i < 32; i++) {
        free(last);
        last = token_header(secret, "");
    }
    assert_int_equal(ask_with(first, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 401);
    assert_int_equal(ask_with(last, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 200);
    free(first);
    free(last);
    free(secret);
}

static void a_changed_client_can_be_undone_and_its_tokens_end(void **state)
{
    char id[16];
    char *secret = new_client("\"users\"", "", id), *header = token_header(secret, "");
    char *path = mem_format("/api/headway/oauth-clients/%s", id);

    (void)state;
    json_t *j = api_expect(&f, 200, "PUT", path, "{\"description\":\"less\",\"scopes\":[\"users:read\"]}");
    assert_string_equal(api_text_in(j, "result", "description"), "less");
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    json_decref(j);
    assert_int_equal(ask_with(header, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 401);
    free(header);
    header = token_header(secret, "");
    expect_refused(header, 403, "required scope users", "POST", "/api/headway/users", "{\"name\":\"carol\"}");
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    assert_int_equal(ask_with(header, "GET", "/api/v2/tailnet/-/users", NULL, NULL), 401);
    free(header);
    header = token_header(secret, "");
    assert_int_equal(ask_with(header, "POST", "/api/headway/users", "{\"name\":\"carol\"}", NULL), 200);
    free(undo);
    free(path);
    free(header);
    free(secret);
}

/* The journal says which client it was. */
static void the_journal_names_the_client(void **state)
{
    char id[16];
    char *secret = new_client("\"users\"", "", id), *header = token_header(secret, "");
    char *want = mem_format("OAuth client %s (test)", id);
    json_t *j = NULL;

    (void)state;
    assert_int_equal(ask_with(header, "POST", "/api/headway/users", "{\"name\":\"carol\"}", &j), 200);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/events?limit=1", NULL);
    assert_string_equal(json_text(json_array_get(json_object_get(j, "events"), 0), "actor", ""), want);
    json_decref(j);
    free(want);
    free(header);
    free(secret);
}

/* ---- API keys ---- */

/* A header with a new API key. The caller owns it. */
static char *key_header(const char *body, char id[24])
{
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/apikeys", body);
    char *header = mem_format("Authorization: Bearer %s\r\n", api_text_in(j, "result", "key"));

    if (id)
        str_copy(id, 24, api_text_in(j, "result", "id"));
    json_decref(j);
    return header;
}

static void a_key_is_worth_no_more_than_its_owner(void **state)
{
    char *header = key_header("{\"user\":\"alice\"}", NULL), *of_nobody = key_header("{}", NULL);

    (void)state;
    assert_int_equal(ask_with(header, "GET", "/api/headway/users", NULL, NULL), 200);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/users/1/suspended", "{}"));
    assert_int_equal(ask_with(header, "GET", "/api/headway/users", NULL, NULL), 401);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/users/1/suspended", "{\"suspended\":false}"));
    assert_int_equal(ask_with(header, "GET", "/api/headway/users", NULL, NULL), 200);
    json_decref(api_expect(&f, 200, "DELETE", "/api/headway/users/1", NULL));
    assert_int_equal(ask_with(header, "GET", "/api/headway/users", NULL, NULL), 401);
    assert_int_equal(ask_with(of_nobody, "GET", "/api/headway/users", NULL, NULL), 200);
    free(of_nobody);
    free(header);
}

/* A dry run reads; what has none is not done instead. */
static void who_may_only_read_changes_nothing_by_dry_runs(void **state)
{
    char *header = key_header("{\"readOnly\":true}", NULL);

    (void)state;
    for (size_t i = 0; i < endpoint_count(f.api); i++) {
        const struct api_endpoint *e = endpoint_at(f.api, i);
        if (e->need != NEED_ADMIN || e->dialect != DIALECT_HEADWAY || !(e->http.listeners & HTTP_PUBLIC))
            continue;
        bool has = e->query && strstr(e->query, "dry_run:bool");
        char *path = path_of(e), *target = mem_format("%s?dry_run=true", path);
        json_t *j = NULL;
        int status = ask_with(header, e->http.method, target, "{}", &j);
        char *text = json_compact(j);
        if (has ? status == 403 : status != 400 || !strstr(text, "has no dry run"))
            fail_msg("%s %s is answered %d %s", e->http.method, target, status, text);
        free(text);
        json_decref(j);
        free(target);
        free(path);
    }
    free(header);
}

/* ---- streams ---- */

static int follow_with(const char *header)
{
    int fd = api_connect(&f, true);
    char *request = mem_format("GET /api/headway/events?follow=1 HTTP/1.1\r\nHost: x\r\n%s\r\n", header), block[4096];
    struct buf seen = BUF_INIT(0);

    api_send(fd, request, strlen(request));
    while (!strstr(buf_text(&seen), "retry: 1000")) {
        ssize_t n = recv(fd, block, sizeof(block), 0);
        assert_true(n > 0);
        buf_add(&seen, block, (size_t)n);
    }
    assert_non_null(strstr(buf_text(&seen), "200 OK"));
    buf_release(&seen);
    free(request);
    return fd;
}

/* The last chunk, while the connection stays. The receive timeout of api_connect ends this with a failure. */
static void expect_end(int fd)
{
    struct buf seen = BUF_INIT(0);
    char block[4096];

    while (!strstr(buf_text(&seen), "0\r\n\r\n")) {
        ssize_t n = recv(fd, block, sizeof(block), 0);
        if (n <= 0)
            fail_msg("the stream goes on: %s", strerror(errno));
        buf_add(&seen, block, (size_t)n);
    }
    buf_release(&seen);
    close(fd);
}

static void streams_end_with_what_opened_them(void **state)
{
    char id[24], client[16];
    char *key = key_header("{}", id), *owned = key_header("{\"user\":\"alice\"}", NULL);
    char *secret = new_client("\"all:read\"", "", client), *token = token_header(secret, "");
    int by_key = follow_with(key), by_owned = follow_with(owned), by_token = follow_with(token);
    char *path = mem_format("/api/headway/apikeys/%s/expire", id);

    (void)state;
    json_decref(api_expect(&f, 200, "POST", path, "{}"));
    expect_end(by_key);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/users/1/suspended", "{}"));
    expect_end(by_owned);
    free(path);
    path = mem_format("/api/headway/oauth-clients/%s", client);
    json_decref(api_expect(&f, 200, "DELETE", path, NULL));
    expect_end(by_token);
    free(path);
    free(token);
    free(secret);
    free(owned);
    free(key);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_does_no_more_than_its_scopes_say),
        CASE(no_call_is_without_a_scope),
        CASE(keys_are_seen_and_made_by_kind),
        CASE(a_token_gives_no_tags_but_its_own),
        CASE(a_token_makes_no_stronger_client),
        CASE(a_token_with_tags_makes_no_client_without_limits),
        CASE(a_token_undoes_nothing_of_api_keys),
        CASE(tokens_are_for_who_has_the_secret),
        CASE(no_token_is_answered_twice),
        CASE(tokens_of_a_client_are_bounded),
        CASE(a_changed_client_can_be_undone_and_its_tokens_end),
        CASE(the_journal_names_the_client),
        CASE(a_key_is_worth_no_more_than_its_owner),
        CASE(who_may_only_read_changes_nothing_by_dry_runs),
        CASE(streams_end_with_what_opened_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
