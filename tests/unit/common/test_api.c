/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's objects: the output byte by byte, that it reads back equal, and what a reader refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "model/api.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static struct api_user alice = {.id = 1,
                                .name = "alice",
                                .display_name = "Alice \"A\" <x>",
                                .email = "alice@example.com",
                                .provider_id = "",
                                .provider = "",
                                .picture_url = "",
                                .created_ns = INT64_C(1782900000123000000),
                                .role = ROLE_OWNER,
                                .version = 4,
                                .node_count = 2};

static const char user_v1[] =
    "{\"id\":\"1\",\"name\":\"alice\",\"createdAt\":\"2026-07-01T10:00:00.123Z\","
    "\"displayName\":\"Alice \\\"A\\\" <x>\",\"email\":\"alice@example.com\",\"providerId\":\"\","
    "\"provider\":\"\",\"profilePicUrl\":\"\"";

static char *written(const struct api_shape *shape, const void *object, enum api_scope scope)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    api_write(&o, shape, object, scope);
    return buf_take(&b);
}

static void add_prefix(struct prefixes *set, const char *text)
{
    struct prefix p;

    assert_int_equal(prefix_parse(text, &p, NULL, NULL), 0);
    prefixes_add(set, &p);
}

static json_t *parsed(const char *text)
{
    json_t *json;

    assert_int_equal(json_read(text, strlen(text), 1 << 20, "test", &json, NULL), 0);
    return json;
}

/* Writes, reads what was written, writes that again: equal. */
static void assert_survives(const struct api_shape *shape, const void *object, size_t size)
{
    char *first = written(shape, object, API_HEADWAY_TOP);
    json_t *json = parsed(first);
    void *copy = mem_alloc(size);
    struct err e;

    if (api_read(shape, json, copy, API_STRICT, &e) < 0)
        fail_msg("%s", e.message);
    json_decref(json);
    char *second = written(shape, copy, API_HEADWAY_TOP);
    assert_string_equal(first, second);
    api_release(shape, copy);
    free(copy);
    free(first);
    free(second);
}

static void a_user_has_more_members_in_headway_s_dialect(void **state)
{
    char *v1 = written(&api_user_shape, &alice, API_V1), *more = written(&api_user_shape, &alice, API_HEADWAY);
    char *top = written(&api_user_shape, &alice, API_HEADWAY_TOP);
    char want[512];

    (void)state;
    snprintf(want, sizeof(want), "%s}", user_v1);
    assert_string_equal(v1, want);
    snprintf(want, sizeof(want), "%s,\"role\":\"owner\",\"version\":4}", user_v1);
    assert_string_equal(more, want);
    snprintf(want, sizeof(want),
             "%s,\"role\":\"owner\",\"version\":4,\"suspendedAt\":null,\"suspendedBy\":null,\"lastLogin\":null,"
             "\"loginProvider\":null,\"providerGroups\":[],\"nodeCount\":2}",
             user_v1);
    assert_string_equal(top, want);
    free(v1);
    free(more);
    free(top);
}

static struct api_node make_node(struct api_preauth_key *key, struct api_route *route)
{
    struct api_node n = {.id = 7,
                         .machine_key = "mkey:" ZEROS,
                         .node_key = "nodekey:" ZEROS,
                         .disco_key = "discokey:" ZEROS,
                         .hostname = "Alice's router",
                         .given_name = "alices-router",
                         .user = &alice,
                         .created_ns = INT64_C(1782900000000000000),
                         .preauth_key = key,
                         .method = REGISTER_AUTH_KEY,
                         .online = true,
                         .fqdn = "alices-router.example.com.",
                         .os = "linux",
                         .os_version = "",
                         .client_version = "1.102.3",
                         .relay_name = "",
                         .source = "192.0.2.1:4711"};

    assert_int_equal(addr_parse("100.64.0.1", &n.addrs.v4, NULL), 0);
    assert_int_equal(addr_parse("fd7a:115c:a1e0::1", &n.addrs.v6, NULL), 0);
    add_prefix(&n.available, "10.0.0.0/8");
    add_prefix(&n.approved, "10.0.0.0/8");
    add_prefix(&n.approved, "fd00::/8");
    add_prefix(&n.serving, "10.0.0.0/8");
    strs_push(&n.tags, "tag:router");
    *route = (struct api_route){.prefix = n.serving.items[0],
                                .state = ROUTE_SERVING,
                                .primary = 7,
                                .primary_name = "alices-router",
                                .reason = "elected"};
    n.routes = (struct api_list){route, 1};
    return n;
}

static void release_node(struct api_node *n)
{
    prefixes_release(&n->available);
    prefixes_release(&n->approved);
    prefixes_release(&n->serving);
    strs_release(&n->tags);
}

static void a_node_is_written_in_headscale_s_order(void **state)
{
    struct api_preauth_key key = {.user = &alice, .id = 3, .key = "hskey-auth-0123456789ab-***", .reusable = true};
    struct api_route route;
    struct api_node n = make_node(&key, &route);
    char *text = written(&api_node_shape, &n, API_V1);
    char want[4096];

    (void)state;
    snprintf(want, sizeof(want),
             "{\"id\":\"7\",\"machineKey\":\"mkey:%s\",\"nodeKey\":\"nodekey:%s\",\"discoKey\":\"discokey:%s\","
             "\"ipAddresses\":[\"100.64.0.1\",\"fd7a:115c:a1e0::1\"],\"name\":\"Alice's router\",\"user\":%s},"
             "\"lastSeen\":null,\"expiry\":null,\"preAuthKey\":{\"user\":%s},\"id\":\"3\","
             "\"key\":\"hskey-auth-0123456789ab-***\",\"reusable\":true,\"ephemeral\":false,\"used\":false,"
             "\"expiration\":null,\"createdAt\":null,\"aclTags\":[]},\"createdAt\":\"2026-07-01T10:00:00Z\","
             "\"registerMethod\":\"REGISTER_METHOD_AUTH_KEY\",\"givenName\":\"alices-router\",\"online\":true,"
             "\"approvedRoutes\":[\"10.0.0.0/8\",\"fd00::/8\"],\"availableRoutes\":[\"10.0.0.0/8\"],"
             "\"subnetRoutes\":[\"10.0.0.0/8\"],\"tags\":[\"tag:router\"]}",
             ZEROS, ZEROS, ZEROS, user_v1, user_v1);
    assert_string_equal(text, want);
    assert_survives(&api_node_shape, &n, sizeof(n));
    n.user = NULL;
    n.preauth_key = NULL;
    assert_survives(&api_node_shape, &n, sizeof(n));
    free(text);
    release_node(&n);
}

static void the_other_objects_read_back_equal(void **state)
{
    struct api_api_key key = {
        .id = 2, .prefix = "hskey-api-0123456789ab-***", .description = "cron", .read_only = true};
    struct api_event event = {.id = {3, 127},
                              .time_ns = 1000000000,
                              .kind = "route.approved",
                              .weight = WEIGHT_CHANGE,
                              .actor = "alice",
                              .object = "node",
                              .object_id = 7,
                              .object_name = "r1",
                              .text = "10.0.0.0/8 of r1 was approved",
                              .detail = "{\"a\":[1,null]}",
                              .undone_by = {3, 128}};
    struct api_pending pending = {.auth_id = "hskey-authreq-000000000000000000000000",
                                  .kind = API_PENDING_SSH,
                                  .machine_key = "",
                                  .node_key = "",
                                  .hostname = "h",
                                  .os = "linux",
                                  .client_version = "",
                                  .source = "",
                                  .command = "headway",
                                  .ssh_source = "a",
                                  .ssh_target = "b",
                                  .ssh_user = "root"};

    (void)state;
    assert_survives(&api_api_key_shape, &key, sizeof(key));
    assert_survives(&api_event_shape, &event, sizeof(event));
    assert_survives(&api_pending_shape, &pending, sizeof(pending));
}

static void a_message_of_the_stream_is_read_with_two_shapes(void **state)
{
    json_t *json =
        parsed("{\"id\":\"1.2\",\"time\":\"2026-07-01T10:00:00Z\",\"kind\":\"node.deleted\",\"weight\":\"warn\","
               "\"text\":\"gone\",\"changed\":{\"users\":[{\"id\":\"1\",\"name\":\"alice\"}]},"
               "\"removed\":{\"nodes\":[\"7\"]},\"later\":{}}");
    struct api_event event;
    struct api_changes changes;

    (void)state;
    assert_int_equal(api_read(&api_event_shape, json, &event, API_STRICT, NULL), 0);
    assert_int_equal(api_read(&api_changes_shape, json, &changes, API_STRICT, NULL), 0);
    assert_int_equal(event.id.seq, 2);
    assert_int_equal(event.weight, WEIGHT_WARN);
    assert_string_equal(event.actor, "");
    assert_null(event.inverse);
    assert_int_equal(changes.changed.users.len, 1);
    assert_string_equal(api_at(&changes.changed.users, struct api_user, 0)->name, "alice");
    assert_int_equal(changes.removed.nodes.len, 1);
    assert_string_equal(changes.removed.nodes.items[0], "7");
    api_release(&api_event_shape, &event);
    api_release(&api_changes_shape, &changes);
    json_decref(json);
}

static void a_reader_names_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"[]", ""},
        {"{\"id\":\"x\"}", "id"},
        {"{\"id\":-1}", "id"},
        {"{\"id\":\"1\",\"online\":1}", "online"},
        {"{\"id\":\"1\",\"user\":{\"id\":\"1\",\"name\":5}}", "name"},
        {"{\"id\":\"1\",\"user\":{\"id\":\"1\",\"role\":\"king\"}}", "role"},
        {"{\"id\":\"1\",\"approvedRoutes\":[\"10.0.0.0/8\",\"banana\"]}", ""},
        {"{\"id\":\"1\",\"approvedRoutes\":[1]}", "approvedRoutes"},
        {"{\"id\":\"1\",\"ipAddresses\":[\"100.64.0.1/32\"]}", ""},
        {"{\"id\":\"1\",\"endpoints\":[\"1.2.3.4:1\",\"1.2.3.4\"]}", ""},
        {"{\"id\":\"1\",\"createdAt\":\"yesterday\"}", "createdAt"},
        {"{\"id\":\"1\",\"routes\":[{\"prefix\":\"10.0.0.0/8\",\"state\":\"odd\"}]}", "state"},
        {"{\"id\":\"1\",\"tags\":\"tag:a\"}", "tags"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *json = parsed(cases[i].text);
        struct api_node n;
        struct err e = {0};

        assert_int_equal(api_read(&api_node_shape, json, &n, API_STRICT, &e), ERR_INVALID);
        if (*cases[i].field)
            assert_string_equal(e.field, cases[i].field);
        assert_true(e.message[0] != '\0');
        json_decref(json);
    }
}

static void event_ids_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "", ".", "1", "1.", ".1", "0.1", "01.2", "1.02", "1.2.3", "-1.2", "1. 2", "1.x", "99999999999999999999999.1"};
    struct api_event_id id;
    char text[API_EVENT_ID_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(api_event_id_parse(bad[i], &id, NULL), ERR_INVALID);
    assert_int_equal(api_event_id_parse("18446744073709551615.18446744073709551615", &id, NULL), 0);
    assert_string_equal(api_event_id_format(&id, text), "18446744073709551615.18446744073709551615");
    assert_int_equal(api_event_id_parse("3.0", &id, NULL), 0);
}

/* What the strict reader refuses, the lenient one reads around. */
static void a_lenient_reader_takes_what_it_can(void **state)
{
    json_t *json =
        parsed("{\"id\":\"7\",\"givenName\":5,\"name\":\"r1\",\"online\":1,\"user\":\"alice\",\"preAuthKey\":"
               "{\"id\":\"3\",\"user\":{\"name\":\"bob\",\"role\":\"king\"}},\"createdAt\":\"yesterday\","
               "\"approvedRoutes\":[\"10.0.0.0/8\",\"banana\",1],\"tags\":\"tag:a\",\"routes\":[5,"
               "{\"prefix\":\"10.0.0.0/8\",\"state\":\"odd\"}],\"endpoints\":[\"1.2.3.4:1\",\"1.2.3.4\"]}");
    struct api_node n;

    (void)state;
    assert_int_equal(api_read(&api_node_shape, json, &n, API_LENIENT, NULL), 0);
    assert_int_equal(n.id, 7);
    assert_string_equal(n.given_name, "");
    assert_string_equal(n.hostname, "r1");
    assert_false(n.online);
    assert_null(n.user);
    assert_int_equal(n.preauth_key->id, 3);
    assert_string_equal(n.preauth_key->user->name, "bob");
    assert_int_equal(n.preauth_key->user->role, API_UNKNOWN);
    assert_int_equal(n.created_ns, 0);
    assert_int_equal(n.approved.len, 1);
    assert_int_equal(n.tags.len, 0);
    assert_int_equal(n.routes.len, 1);
    assert_int_equal(api_at(&n.routes, struct api_route, 0)->state, API_UNKNOWN);
    assert_int_equal(n.endpoints.len, 1);
    char *again = written(&api_node_shape, &n, API_HEADWAY);
    assert_non_null(strstr(again, "\"role\":null"));
    free(again);
    api_release(&api_node_shape, &n);
    json_decref(json);
    json = parsed("[]");
    assert_int_equal(api_read(&api_node_shape, json, &n, API_LENIENT, NULL), ERR_INVALID);
    json_decref(json);
}

static void a_reader_for_terminals_makes_texts_safe(void **state)
{
    json_t *json =
        parsed("{\"authId\":\"a\",\"hostname\":\"evil\\u001b[2J\\u202ename\",\"requestTags\":[\"tag:\\u009b1m\"],"
               "\"sshUser\":\"\\nroot\"}");
    struct api_pending p;

    (void)state;
    assert_int_equal(api_read(&api_pending_shape, json, &p, API_FOR_TERMINAL, NULL), 0);
    assert_string_equal(p.hostname, "evil\\x1b[2J\\xe2\\x80\\xaename");
    assert_string_equal(p.request_tags.items[0], "tag:\\xc2\\x9b1m");
    assert_string_equal(p.ssh_user, "\\x0aroot");
    api_release(&api_pending_shape, &p);
    assert_int_equal(api_read(&api_pending_shape, json, &p, API_LENIENT, NULL), 0);
    assert_string_equal(p.hostname, "evil\x1b[2J\u202ename");
    api_release(&api_pending_shape, &p);
    json_decref(json);
}

static char *written_029(const struct api_shape *shape, const void *object, bool keep_empty)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char *text = written(shape, object, API_V1);
    json_t *json = parsed(text);

    api_write_029(&o, shape, json, keep_empty);
    json_decref(json);
    free(text);
    return buf_take(&b);
}

static void headscale_0_29_s_names_are_a_column(void **state)
{
    struct api_preauth_key key = {
        .user = &alice, .id = 3, .key = "k", .expiration_ns = INT64_C(1782900000500000000), .reusable = true};
    char *text = written_029(&api_preauth_key_shape, &key, false);

    (void)state;
    assert_string_equal(text,
                        "{\"user\":{\"id\":1,\"name\":\"alice\",\"created_at\":{\"seconds\":1782900000,\"nanos\":"
                        "123000000},\"display_name\":\"Alice \\\"A\\\" <x>\",\"email\":\"alice@example.com\"},"
                        "\"id\":3,\"key\":\"k\",\"reusable\":true,\"expiration\":{\"seconds\":1782900000,\"nanos\":"
                        "500000000}}");
    free(text);
    key = (struct api_preauth_key){.id = 3, .key = "k"};
    text = written_029(&api_preauth_key_shape, &key, true);
    assert_string_equal(text,
                        "{\"user\":null,\"id\":3,\"key\":\"k\",\"reusable\":false,\"ephemeral\":false,\"used\":false,"
                        "\"expiration\":null,\"created_at\":null,\"acl_tags\":[]}");
    free(text);
    struct api_user tagged = {.id = TAGGED_USER_ID, .name = "", .display_name = "", .email = "", .provider_id = ""};
    text = written_029(&api_user_shape, &tagged, false);
    assert_string_equal(text, "{\"id\":2147455555,\"created_at\":{\"seconds\":-62135596800}}");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_has_more_members_in_headway_s_dialect),
        cmocka_unit_test(a_node_is_written_in_headscale_s_order),
        cmocka_unit_test(the_other_objects_read_back_equal),
        cmocka_unit_test(a_message_of_the_stream_is_read_with_two_shapes),
        cmocka_unit_test(a_reader_names_what_is_wrong),
        cmocka_unit_test(a_lenient_reader_takes_what_it_can),
        cmocka_unit_test(a_reader_for_terminals_makes_texts_safe),
        cmocka_unit_test(headscale_0_29_s_names_are_a_column),
        cmocka_unit_test(event_ids_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
