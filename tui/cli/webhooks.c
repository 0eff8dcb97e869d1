/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks: receivers notified of events. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "cli/command.h"
#include "crypto/crypto.h"
#include "tailscale/tailscale.h"

static void webhook_row(struct text_table *t, const void *object)
{
    const struct api_webhook *w = object;

    table_number(t, w->id);
    table_text(t, w->url, COLOR_PLAIN);
    table_text(t, *w->provider ? w->provider : "-", COLOR_PLAIN);
    table_texts(t, &w->subscriptions);
    table_number(t, w->delivered);
    table_time(t, w->delivered_ns, "-", false);
    table_time(t, w->next_ns, "-", false);
    table_text(t, w->failing ? w->trouble : "-", w->failing ? COLOR_BAD : COLOR_PLAIN);
}

static int webhook_list(struct cli *c)
{
    static const char *const heads[] = {"ID",        "URL",           "Provider", "Subscriptions",
                                        "Delivered", "Last delivery", "Next try", "Error"};
    static const struct listing listing = {"webhooks", &api_webhook_shape, sizeof(struct api_webhook),
                                           heads,      ARRAY_LEN(heads),   webhook_row};

    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/webhooks"), &listing);
}

/* Prints the secret in an answer, which is consumed. */
static int show_secret(struct cli *c, json_t *answer, const char *what)
{
    const json_t *w = json_object_get(answer, "result");

    if (!answer)
        return 1;
    char *done = mem_format("Webhook %s %s.", json_text(w, "id", ""), what);
    char *secret = mem_format("Secret (shown once, store it now): %s", json_text(w, "secret", ""));
    output_result(&c->out, done, w, NULL);
    if (c->out.form == OUTPUT_HUMAN)
        output_result(&c->out, secret, NULL, NULL);
    crypto_wipe(secret, strlen(secret));
    free(secret);
    free(done);
    json_decref(answer);
    return 0;
}

/* Checks the required flags. */
static json_t *subscriptions(struct cli *c)
{
    const struct strs *given = flags_list(&c->flags, "subscription");

    if (given && given->len)
        return cli_json_list(given);
    cli_failf(c, "at least one --subscription is required, such as categoryTailnetManagement or routeFailover: see "
                 "headway-api(7)");
    return NULL;
}

/* The URL may be "-" to read it from standard input: URLs of chat services are secrets and must not appear in process
 * lists. */
static char *read_url(struct cli *c)
{
    const char *given = c->args->items[0];
    char *url = str_eq(given, "-") ? cli_read_file(c, "-", "the URL") : mem_strdup(given);

    if (url)
        url[strcspn(url, "\r\n")] = '\0';
    return url;
}

static int webhook_create(struct cli *c)
{
    json_t *to = subscriptions(c);
    char *url = to ? read_url(c) : NULL;

    if (!url) {
        json_decref(to);
        return 1;
    }
    json_t *body = json_pack("{s:s, s:s, s:o}", "endpointUrl", url, "providerType", flags_text(&c->flags, "provider"),
                             "subscriptions", to);
    free(url);
    return show_secret(c, cli_call(c, "POST", body, "/api/headway/webhooks"), "created");
}

/* Calls METHOD /api/headway/webhooks/ID followed by a suffix; consumes body. */
static json_t *ask(struct cli *c, const char *method, json_t *body, const char *rest)
{
    char *segment = cli_segment(c->args->items[0]);
    json_t *answer = cli_call(c, method, body, "/api/headway/webhooks/%s%s", segment, rest);

    free(segment);
    return answer;
}

/* Prints the result of a change; consumes it. */
static int done(struct cli *c, json_t *answer)
{
    char *line = mem_strdup(json_text(answer, "text", ""));
    int status = cli_done(c, answer, line, "result", NULL);

    free(line);
    return status;
}

static int webhook_set(struct cli *c)
{
    json_t *to = subscriptions(c);

    return to ? done(c, ask(c, "PUT", json_pack("{s:o}", "subscriptions", to), "")) : 1;
}

static int webhook_rotate(struct cli *c)
{
    return show_secret(c, ask(c, "POST", json_object(), "/rotate"), "has a new secret");
}

static int webhook_test(struct cli *c)
{
    return done(c, ask(c, "POST", json_object(), "/test"));
}

static int webhook_delete(struct cli *c)
{
    return done(c, ask(c, "DELETE", NULL, ""));
}

/* clang-format off */
#define SUBSCRIPTION \
    {"subscription", 's', FLAG_LIST, .value = "TYPE", .help = "type of events, or category of types, that it is told of; may be repeated"}
static const struct flag create_flags[] = {
    SUBSCRIPTION,
    {"provider", 0, FLAG_TEXT, .value = "SERVICE", .words = "slack|mattermost|googlechat|discord", .fallback = "", .help = "chat service that it is of: slack, mattermost, googlechat or discord"}, FLAGS_END};
static const struct flag set_flags[] = {SUBSCRIPTION, FLAGS_END};

const struct command webhook_commands[] = {
    {"webhooks", "webhook|hooks", .bits = CMD_GROUP, .brief = "Manage webhooks, which tell other servers what happens"},
    {"webhooks list", "ls|show", NULL, NULL, "List webhooks, and how their deliveries go", .run = webhook_list},
    {"webhooks create", "c|new", "URL", create_flags, "Create a webhook and print its secret; it is not shown again",
     "Deliveries are signed with the secret: see headway-api(7), which also lists the types. URL - is read from standard input: those of chat services are secrets, and arguments are visible in process lists", .run = webhook_create},
    {"webhooks set", NULL, "ID", set_flags, "Change what a webhook is told of", .run = webhook_set},
    {"webhooks rotate", NULL, "ID", NULL, "Give a webhook a new secret and print it", .run = webhook_rotate},
    {"webhooks test", NULL, "ID", NULL, "Send a webhook a test event", "It is sent within seconds; 'headway webhooks list' shows how that went", .run = webhook_test},
    {"webhooks delete", "remove|del|rm", "ID", NULL, "Delete a webhook, once it was told so", .run = webhook_delete},
    {0}};
/* clang-format on */
