/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists that are not in the snapshot: when they are requested, actions on their rows, and empty lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/console_rig.h"

#define NO_CLIENTS "{\"oauthClients\":[]}"

static size_t asked(const struct rig *r, const char *path)
{
    size_t count = 0;

    for (size_t i = 0; i < r->asked.len; i++)
        count += str_eq(r->asked.items[i].path, path);
    return count;
}

static const struct rig_request *last(const struct rig *r)
{
    return &r->sent.items[rig_last(r)];
}

static void they_are_asked_for_when_somebody_looks(void **state)
{
    static const char path[] = "/api/headway/oauth-clients";
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    assert_int_equal(asked(&r, path), 0);
    rig_keys(&r, "7<Tab><Tab>");
    assert_true(rig_shows(&r, "not read yet"));
    assert_int_equal(asked(&r, path), 1);
    rig_pass(&r, 60000);
    rig_draw(&r, 24, 80);
    assert_int_equal(asked(&r, path), 1); /* one is under way */
    assert_true(rig_tell(&r, path, 403, "{\"error\":{\"message\":\"no such right\"}}"));
    assert_true(rig_shows(&r, "the server does not tell: no such right"));
    assert_int_equal(asked(&r, path), 0);
    rig_pass(&r, 5000);
    rig_lists(&r);
    assert_true(rig_shows(&r, "k8s operator"));
    rig_json(&r,
             "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:04:00Z\",\"kind\":\"oauthclient.deleted\",\"actor\":\"bob\","
             "\"object\":\"oauthclient\",\"objectId\":\"1\",\"objectName\":\"0a1b2c3d4e5f\",\"text\":\"OAuth client "
             "0a1b2c3d4e5f was deleted\"}");
    rig_draw(&r, 24, 80);
    assert_int_equal(asked(&r, path), 1);
    assert_true(rig_tell(&r, path, 200, NO_CLIENTS));
    rig_pass(&r, 6000);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "no OAuth clients: N creates one"));
    rig_keys(&r, "1");
    rig_tell(&r, path, 200, NO_CLIENTS);
    rig_pass(&r, 600000);
    rig_draw(&r, 24, 80);
    assert_int_equal(asked(&r, path), 0);
    rig_release(&r);
}

static void a_new_snapshot_leaves_them(void **state)
{
    struct rig r;
    struct model_delta d = {.begins = true, .ends = true};

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7<Tab><Tab>");
    rig_lists(&r);
    app_delta(&r.app, &d);
    rig_pass(&r, 6000);
    assert_true(rig_shows(&r, "k8s operator"));
    rig_release(&r);
}

static void the_past_does_not_know_them(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7<Tab><Tab>");
    rig_lists(&r);
    rig_keys(&r, ":at -2h<Enter>");
    rig_answer(&r, rig_last(&r), 200, "{\"time\":\"2026-03-03T12:03:00Z\",\"since\":\"2026-01-01T00:00:00Z\"}");
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "not known of the past"));
    rig_keys(&r, "<Esc>");
    assert_true(rig_shows(&r, "k8s operator"));
    rig_release(&r);
}

static void an_oauth_client_is_made_and_its_secret_shown_once(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7<Tab><Tab>");
    rig_lists(&r);
    rig_keys(&r, "Nbackup<Tab><Tab>iot<Enter>");
    assert_true(rig_shows(&r, "needs at least one scope"));
    rig_keys(&r, "devices:core, auth_keys<Enter>");
    assert_string_equal(last(&r)->path, "/api/headway/oauth-clients");
    assert_string_equal(last(&r)->body, "{\"description\":\"backup\",\"scopes\":[\"devices:core\",\"auth_keys\"],"
                                        "\"tags\":[\"tag:iot\"]}");
    rig_answer(
        &r, rig_last(&r), 200,
        "{\"event\":\"1.41\",\"text\":\"OAuth client made\",\"inverse\":{\"method\":\"DELETE\"},\"result\":{\"id\":"
        "\"3\",\"clientId\":\"3a3a3a3a3a3a\",\"key\":\"hskey-client-3a3a3a3a3a3a-secret\"}}");
    assert_true(rig_shows(&r, "hskey-client-3a3a3a3a3a3a-secret"));
    rig_keys(&r, "<Esc>");
    assert_true(rig_shows(&r, "new OAuth client for backup"));
    rig_release(&r);
}

static void an_oauth_client_is_changed_and_deleted(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "7<Tab><Tab>");
    rig_lists(&r);
    rig_keys(&r, "Gw");
    assert_true(rig_shows(&r, "last used      1h 3m ago"));
    rig_keys(&r, "<Esc>e<Enter>");
    assert_true(rig_shows(&r, "nothing to change"));
    rig_keys(&r, "e<Tab><Ctrl-U>dns<Enter>");
    assert_true(rig_shows(&r, "auth_keys devices:core"));
    assert_true(rig_shows(&r, "its access tokens end"));
    assert_string_equal(last(&r)->path, "/api/headway/oauth-clients/1?dry_run=true");
    assert_int_equal(last(&r)->version, 5);
    rig_answer(&r, rig_last(&r), 200, "{\"text\":\"\"}");
    rig_keys(&r, "y");
    assert_string_equal(last(&r)->path, "/api/headway/oauth-clients/1");
    assert_string_equal(last(&r)->method, "PUT");
    rig_answer(&r, rig_last(&r), 200,
               "{\"event\":\"1.41\",\"text\":\"changed\",\"inverse\":{\"method\":\"PUT\"},\"result\":{\"id\":\"1\","
               "\"clientId\":"
               "\"0a1b2c3d4e5f\",\"description\":\"k8s operator\",\"scopes\":[\"dns\"]}}");
    assert_true(rig_shows(&r, "OAuth client 0a1b2c3d4e5f changed"));
    rig_keys(&r, "u");
    assert_string_equal(last(&r)->path, "/api/headway/undo/1.41?dry_run=true");
    rig_keys(&r, "<Esc>d");
    assert_true(rig_shows(&r, "deleted; its access tokens end"));
    rig_answer(&r, rig_last(&r), 200, "{\"text\":\"\"}");
    rig_keys(&r, "0a1b2c3d4e5f<Enter>");
    assert_string_equal(last(&r)->method, "DELETE");
    assert_string_equal(last(&r)->path, "/api/headway/oauth-clients/1");
    rig_release(&r);
}

static void who_may_only_read_is_told_so(void **state)
{
    static const struct {
        const char *to, *keys[8];
    } places[] = {
        {"7<Tab><Tab>", {"N", "e", "d"}},
        {":webhooks<Enter>", {"N", "e", "t", "r", "d"}},
        {":dns<Enter>jjjjj", {"N", "e", "x", "d"}},
        {"6<Tab>", {"d"}},
    };

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(places); p++) {
        struct rig r;

        rig_init(&r, 0);
        app_whoami(&r.app, "alice", true);
        rig_keys(&r, places[p].to);
        rig_lists(&r);
        size_t sent = r.sent.len;
        for (size_t i = 0; places[p].keys[i]; i++) {
            rig_keys(&r, places[p].keys[i]);
            assert_true(rig_shows(&r, "your API key is read-only"));
            rig_pass(&r, 10000);
        }
        assert_int_equal(r.sent.len, sent);
        rig_release(&r);
    }
}

static void a_webhook_is_made_and_its_secret_shown_once(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":webhooks<Enter>");
    rig_lists(&r);
    rig_keys(&r, "N<Enter>");
    assert_true(rig_shows(&r, "needs the URL"));
    rig_keys(&r, "https://new.example.com/x<Tab>s<Tab><Ctrl-U><Enter>");
    assert_true(rig_shows(&r, "needs at least one type of events"));
    rig_keys(&r, "nodeCreated, categoryRoutes<Enter>");
    assert_string_equal(last(&r)->path, "/api/headway/webhooks");
    assert_string_equal(last(&r)->body, "{\"endpointUrl\":\"https://new.example.com/x\",\"providerType\":\"slack\","
                                        "\"subscriptions\":[\"nodeCreated\",\"categoryRoutes\"]}");
    rig_answer(&r, rig_last(&r), 200,
               "{\"event\":\"1.41\",\"text\":\"\",\"inverse\":{\"method\":\"DELETE\"},\"result\":{\"id\":\"3\","
               "\"endpointUrl\":\"https://new.example.com/x\",\"secret\":\"whsec-0123\"}}");
    assert_true(rig_shows(&r, "whsec-0123"));
    rig_keys(&r, "<Esc>u");
    assert_string_equal(last(&r)->path, "/api/headway/undo/1.41?dry_run=true");
    rig_release(&r);
}

static void a_webhook_is_changed_tried_and_gets_another_secret(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":webhooks<Enter>");
    rig_lists(&r);
    assert_true(rig_shows(&r, "chat.example.com, for slack"));
    assert_true(rig_shows(&r, "failing 3h"));
    char *screen = rig_screen(&r, 40, 200);
    assert_null(strstr(screen, "secret-path")); /* it lets others write there */
    assert_null(strchr(screen, '\033'));
    free(screen);
    rig_keys(&r, "e<Ctrl-U>routeFailover<Enter>");
    assert_string_equal(last(&r)->method, "PUT");
    assert_string_equal(last(&r)->path, "/api/headway/webhooks/2");
    assert_string_equal(last(&r)->body, "{\"subscriptions\":[\"routeFailover\"]}");
    assert_int_equal(last(&r)->version, 1);
    rig_answer(&r, rig_last(&r), 200, "{\"event\":\"1.41\",\"text\":\"\",\"inverse\":{\"method\":\"PUT\"}}");
    assert_true(rig_shows(&r, "webhook to chat.example.com changed"));
    rig_keys(&r, "t");
    assert_string_equal(last(&r)->path, "/api/headway/webhooks/2/test");
    rig_answer(&r, rig_last(&r), 200, "{\"event\":\"1.42\",\"text\":\"\",\"inverse\":null}");
    assert_true(rig_shows(&r, "a test event goes to chat.example.com"));
    rig_keys(&r, "r");
    assert_true(rig_shows(&r, "this cannot be undone"));
    rig_answer(&r, rig_last(&r), 200, "{\"text\":\"\"}");
    rig_keys(&r, "y");
    assert_string_equal(last(&r)->path, "/api/headway/webhooks/2/rotate");
    rig_answer(
        &r, rig_last(&r), 200,
        "{\"event\":\"1.43\",\"text\":\"\",\"inverse\":null,\"result\":{\"id\":\"2\",\"secret\":\"whsec-4567\"}}");
    assert_true(rig_shows(&r, "whsec-4567"));
    rig_keys(&r, "<Esc>d");
    assert_true(rig_shows(&r, "deleted, once it was told so"));
    rig_keys(&r, "<Esc>/is:failing<Enter>");
    assert_true(rig_shows(&r, "1 of 2"));
    rig_release(&r);
}

static void dns_is_changed_with_a_plan(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":dns<Enter>");
    rig_lists(&r);
    assert_true(rig_shows(&r, "administrator"));
    char *screen = rig_screen(&r, 40, 200);
    assert_non_null(strstr(screen, "evil\\x1b[31m"));
    assert_null(strchr(screen, '\033'));
    free(screen);
    rig_keys(&r, "ge");
    rig_pass(&r, 5000);
    rig_lists(&r); /* the rows are others while the form is open */
    assert_true(rig_shows(&r, "whether nodes have names"));
    rig_keys(&r, "<Space><Enter>");
    assert_true(rig_shows(&r, "all clients are told at once"));
    assert_string_equal(last(&r)->path, "/api/headway/dns?dry_run=true");
    assert_string_equal(last(&r)->body, "{\"magicDNS\":false}");
    assert_int_equal(last(&r)->version, 4);
    rig_answer(&r, rig_last(&r), 200, "{\"text\":\"\"}");
    rig_keys(&r, "y");
    assert_string_equal(last(&r)->path, "/api/headway/dns");
    rig_answer(&r, rig_last(&r), 200, "{\"event\":\"1.41\",\"text\":\"\",\"inverse\":{\"method\":\"POST\"}}");
    assert_true(rig_shows(&r, "MagicDNS changed"));
    rig_keys(&r, "u");
    assert_string_equal(last(&r)->path, "/api/headway/undo/1.41?dry_run=true");
    rig_keys(&r, "<Esc>gjje<Ctrl-U>9.9.9.9, 8.8.8.8<Enter>");
    assert_string_equal(last(&r)->body, "{\"nameservers\":[\"9.9.9.9\",\"8.8.8.8\"]}");
    assert_true(rig_shows(&r, "9.9.9.9 1.1.1.1"));
    rig_keys(&r, "<Esc>");
    rig_release(&r);
}

static void domains_of_split_dns_come_and_go(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":dns<Enter>");
    rig_lists(&r);
    rig_keys(&r, "gjjjj");
    rig_keys(&r, "e");
    assert_true(rig_shows(&r, "change its domains, or add one: N"));
    rig_keys(&r, "Ncorp.example<Tab>10.9.9.9<Enter>");
    assert_true(rig_shows(&r, "has name servers already"));
    rig_keys(&r, "<Ctrl-U>new.example<Enter>");
    assert_string_equal(last(&r)->body, "{\"changeSplitDNS\":{\"new.example\":[\"10.9.9.9\"]}}");
    rig_keys(&r, "<Esc>/corp<Enter>");
    rig_draw(&r, 24, 80);
    rig_keys(&r, "Ge<Ctrl-U>10.0.0.2<Enter>");
    assert_string_equal(last(&r)->body, "{\"changeSplitDNS\":{\"corp.example\":[\"10.0.0.2\"]}}");
    rig_keys(&r, "<Esc>d");
    assert_string_equal(last(&r)->body, "{\"changeSplitDNS\":{\"corp.example\":[]}}");
    rig_keys(&r, "<Esc>");
    rig_release(&r);
}

/* An answer replaces the row that a form was opened on; AddressSanitizer sees whether the form still reads it. */
static void a_form_outlives_its_row(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":dns<Enter>");
    rig_lists(&r);
    rig_keys(&r, "gjje");
    assert_true(rig_shows(&r, "Enter change"));
    rig_pass(&r, 6000);
    rig_lists(&r);
    char *screen = rig_screen(&r, 24, 80);
    assert_non_null(strstr(screen, "Enter change"));
    free(screen);
    rig_release(&r);
}

static void members_of_dns_are_as_configured_again(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":dns<Enter>");
    rig_lists(&r);
    rig_keys(&r, "gx");
    assert_true(rig_shows(&r, "it is as configured"));
    rig_keys(&r, "gjj<Space>/corp<Enter>");
    rig_draw(&r, 24, 80);
    rig_keys(&r, "<Space><Esc>x");
    assert_string_equal(last(&r)->body, "{\"reset\":[\"nameservers\",\"splitDNS\"]}");
    assert_true(rig_shows(&r, "192.168.1.1"));
    rig_keys(&r, "<Esc>\\/base<Enter>");
    rig_draw(&r, 24, 80);
    rig_keys(&r, "e");
    assert_true(rig_shows(&r, "only the configuration can set it"));
    rig_release(&r);
}

static void a_link_of_a_login_is_ended(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "6<Tab>");
    rig_lists(&r);
    char *screen = rig_screen(&r, 40, 200);
    assert_non_null(strstr(screen, "evil\\x1b[31m"));
    assert_null(strchr(screen, '\033'));
    assert_non_null(strstr(screen, "eng ops"));
    free(screen);
    rig_keys(&r, "gw");
    assert_true(rig_shows(&r, "248289761001 of corp is user alice"));
    rig_keys(&r, "<Esc>d");
    assert_string_equal(last(&r)->path, "/api/headway/users/1/link?dry_run=true");
    assert_string_equal(last(&r)->body, "{\"provider\":\"corp\",\"subject\":\"248289761001\",\"linked\":false}");
    rig_answer(&r, rig_last(&r), 200, "{\"text\":\"\"}");
    rig_keys(&r, "y");
    rig_answer(&r, rig_last(&r), 200, "{\"event\":\"1.41\",\"text\":\"\",\"inverse\":{\"method\":\"POST\"}}");
    assert_true(rig_shows(&r, "248289761001 of corp is no longer linked to alice"));
    rig_keys(&r, "u");
    assert_string_equal(last(&r)->path, "/api/headway/undo/1.41?dry_run=true");
    rig_keys(&r, "<Esc>/is:trouble<Enter>");
    assert_true(rig_shows(&r, "1 of 2"));
    rig_keys(&r, "6<Shift-Tab>/<Ctrl-U><Enter>gw");
    assert_true(rig_shows(&r, "248289761001 of corp, logged in 2h ago"));
    rig_release(&r);
}

/* Events add and remove what waits; how far its login is only shows on the way. */
static void what_waits_tells_how_far_its_login_is(void **state)
{
    static const char path[] = "GET /api/headway/pending";
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "8");
    rig_draw(&r, 24, 80);
    assert_true(rig_tell(
        &r, path, 200,
        "{\"pending\":[{\"authId\":\"hskey-authreq-0123456789abcdef01234567\",\"kind\":\"register\","
        "\"hostname\":\"kiosk\",\"createdAt\":\"2026-03-03T14:02:48Z\",\"loginProvider\":\"corp\",\"loginUser\":"
        "null,\"loginSince\":\"2026-03-03T14:02:50Z\"},{\"authId\":\"hskey-authreq-00\",\"kind\":"
        "\"register\",\"hostname\":\"unknown\"}]}"));
    assert_true(rig_shows(&r, "login"));
    assert_true(rig_shows(&r, "a browser went to corp 10s ago; nobody has logged in yet"));
    assert_true(rig_shows(&r, "1 waiting"));
    rig_pass(&r, 5000);
    rig_draw(&r, 24, 80);
    assert_true(rig_tell(
        &r, path, 200,
        "{\"pending\":[{\"authId\":\"hskey-authreq-0123456789abcdef01234567\",\"kind\":\"register\","
        "\"hostname\":\"kiosk\",\"createdAt\":\"2026-03-03T14:02:48Z\",\"loginProvider\":\"corp\",\"loginUser\":"
        "\"alice\",\"loginSince\":\"2026-03-03T14:03:01Z\"}]}"));
    assert_true(rig_shows(&r, "confirm"));
    rig_keys(&r, "w");
    assert_true(rig_shows(&r, "alice logged in with corp 4s ago and is asked to confirm"));
    rig_release(&r);
}

static void pulse_leads_to_a_webhook_that_fails(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "0");
    rig_draw(&r, 24, 80);
    assert_true(rig_tell(&r, "/api/headway/health", 200,
                         "{\"status\":\"degraded\",\"reasons\":[{\"code\":\"webhook-failing\",\"severity\":\"alarm\","
                         "\"object\":\"webhook\",\"objectName\":\"webhook 2\",\"text\":\"takes no events\"}]}"));
    rig_pass(&r, 2000);
    rig_draw(&r, 24, 80);
    rig_keys(&r, "/webhook<Enter><Enter>");
    rig_lists(&r);
    assert_true(rig_shows(&r, "/is:failing"));
    assert_true(rig_shows(&r, "chat.example.com"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_asked_for_when_somebody_looks),
        cmocka_unit_test(a_new_snapshot_leaves_them),
        cmocka_unit_test(the_past_does_not_know_them),
        cmocka_unit_test(an_oauth_client_is_made_and_its_secret_shown_once),
        cmocka_unit_test(an_oauth_client_is_changed_and_deleted),
        cmocka_unit_test(a_webhook_is_made_and_its_secret_shown_once),
        cmocka_unit_test(a_webhook_is_changed_tried_and_gets_another_secret),
        cmocka_unit_test(dns_is_changed_with_a_plan),
        cmocka_unit_test(domains_of_split_dns_come_and_go),
        cmocka_unit_test(a_form_outlives_its_row),
        cmocka_unit_test(members_of_dns_are_as_configured_again),
        cmocka_unit_test(a_link_of_a_login_is_ended),
        cmocka_unit_test(what_waits_tells_how_far_its_login_is),
        cmocka_unit_test(pulse_leads_to_a_webhook_that_fails),
        cmocka_unit_test(who_may_only_read_is_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
