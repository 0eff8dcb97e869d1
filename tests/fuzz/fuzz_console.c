/* SPDX-License-Identifier: BSD-3-Clause */
/* What reaches the console from outside: the daemon's JSON, filters, keys, a list of servers, settings, scripts. The
 * first byte says which. All of it ends on a screen, which is drawn. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "console/net/servers.h"
#include "console/script/script.h"
#include "console/settings/settings.h"
#include "console/views/nodes.h"
#include "shared/console_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_json(struct rig *r, const char *text, size_t len, unsigned which)
{
    json_t *root = NULL;
    struct model_delta d = {0};
    struct reply reply;

    if (json_read(text, len, 1 << 20, "fuzz", &root, NULL) < 0)
        return;
    if (which == 0 && decode_message(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    if (which == 1 && decode_snapshot(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    if (which == 2 && decode_events(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    if (which == 3) {
        decode_reply(200, root, NULL, ROW_NODE, &reply);
        app_reply(&r->app, 1, &reply);
    }
    json_decref(root);
}

/* An answer to what the list of a view asks for: it is shown as far as it could be read. */
static void feed_list(struct rig *r, const char *text, size_t len, unsigned which)
{
    static const struct {
        const char *keys;
        int (*decode)(const json_t *root, struct model_delta *out, struct err *e);
    } lists[] = {
        {"7<Tab><Tab>", decode_oauth_clients}, {"6<Tab>", decode_logins}, {":webhooks<Enter>", decode_webhooks},
        {":dns<Enter>", decode_dns},           {"8", decode_pending},
    };
    json_t *root = NULL;
    struct model_delta d = {0};

    which %= sizeof(lists) / sizeof(*lists);
    if (json_read(text, len, 1 << 20, "fuzz", &root, NULL) < 0)
        return;
    if (lists[which].decode(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    json_decref(root);
    rig_keys(r, lists[which].keys);
    rig_draw(r, 24, 80);
    rig_keys(r, "ew<Esc>Gy<Esc>d<Esc>");
}

static void feed_keys(struct rig *r, const uint8_t *data, size_t size)
{
    static const int special[] = {CK_UP, CK_DOWN, CK_PGDN, CK_PGUP, CK_HOME, CK_END, CK_BACKTAB, CK_DELETE};

    for (size_t i = 0; i < size && i < 400 && !r->app.quit; i++) {
        app_key(&r->app, data[i] >= 0xf8 ? special[data[i] & 7] : data[i]);
        if (i % 8 == 0) {
            rig_pass(r, data[i] * 10);
            rig_draw(r, 24, 80);
            rig_lists(r);
        }
    }
}

static void feed_settings(struct rig *r, const char *text)
{
    struct settings settings = {0};

    settings_parse(text, strlen(text), "console.yaml", &settings);
    app_settings(&r->app, &settings);
    settings_release(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    struct err e;
    size_t at;

    if (size < 2 || size > 65536)
        return 0;
    rig_init(&r, 0);
    char *text = mem_strndup((const char *)data + 1, size - 1);
    struct servers servers = {0};
    struct script script = {0};
    unsigned which = data[0] % 9;
    if (data[0] >= 240)
        feed_list(&r, (const char *)data + 1, size - 1, data[0] - 240U);
    else if (which < 4)
        feed_json(&r, (const char *)data + 1, size - 1, which);
    else if (which == 4 && list_filter(app_list(&r.app), text, &at, &e) < 0)
        view_list(&r.app, &nodes_view, 0)->forced = true;
    else if (which == 5)
        feed_keys(&r, data + 1, size - 1);
    else if (which == 6 && servers_parse(text, "/", &servers, &e) < 0)
        view_list(&r.app, &nodes_view, 0)->forced = true;
    else if (which == 7)
        feed_settings(&r, text);
    else if (which == 8 && script_parse(text, &script, &e) < 0)
        view_list(&r.app, &nodes_view, 0)->forced = true;
    script_release(&script);
    servers_release(&servers);
    rig_pass(&r, 6000);
    rig_draw(&r, 24, 100);
    free(text);
    rig_release(&r);
    return 0;
}
