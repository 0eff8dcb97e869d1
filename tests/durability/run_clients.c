/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that register, or ask about an SSH session, and do not give up: as the official one they connect again and
 * repeat what was not answered. A line of standard input is one of them:
 *   NAME wait              registers with a person's help and waits at its link
 *   NAME key KEY           registers with a key; with another node key each time that it repeats it
 *   NAME ssh SOURCE/to/TARGET USER   of a node that registered by a key: may the session of SOURCE as USER go on?
 * Standard output tells what they hear: "NAME url URL", "NAME hold PATH", "NAME accept", "NAME reject", "NAME done",
 * "NAME error TEXT", "NAME status CODE". With --websocket they connect as clients in browsers do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "shared/client/ts_client.h"
#include "shared/client/websocket_bridge.h"
#include "json/json.h"

#define AGAIN_MS 50

struct asker {
    struct loop_timer again; /* first: its function gets it */
    char *name, *auth_key, *followup, *path;
    uint8_t machine_private[NOISE_KEY_LEN], node_public[NOISE_KEY_LEN];
    struct ts_client *client;
    bool ended, asked;
};

static struct loop *loop;
static struct addr_port server;
static uint8_t server_public[NOISE_KEY_LEN];
static struct asker askers[256];
static size_t asker_count;

static void tell(const struct asker *a, const char *what, const char *text)
{
    printf("%s %s%s%s\n", a->name, what, *text ? " " : "", text);
    fflush(stdout);
}

static void later(struct asker *a);

static void disconnect(void *arg)
{
    struct asker *a = arg;
    struct ts_client *c = a->client;

    a->client = NULL;
    ts_client_close(c);
    if (!a->ended)
        later(a);
}

static void heard_login(struct asker *a, const json_t *answer)
{
    const char *url = json_text(answer, "AuthURL", ""), *error = json_text(answer, "Error", "");

    if (*error) {
        tell(a, "error", error);
    } else if (*url) {
        if (!a->followup || !str_eq(a->followup, url))
            tell(a, "url", url);
        free(a->followup);
        a->followup = strdup(url);
    } else if (json_is_true(json_object_get(answer, "MachineAuthorized"))) {
        a->ended = true;
        tell(a, "done", "");
    } else {
        tell(a, "error", "the node key is expired");
    }
}

static void heard_verdict(struct asker *a, const json_t *answer)
{
    const char *hold = json_text(answer, "holdAndDelegate", ""), *path = strstr(hold, "/machine/");

    if (path) {
        tell(a, "hold", path);
        free(a->path);
        a->path = strdup(path);
        return;
    }
    a->ended = true;
    tell(a, json_is_true(json_object_get(answer, "accept")) ? "accept" : "reject", "");
}

static void on_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct asker *a = arg;
    json_t *answer = NULL;
    char code[16];

    if (!status || !a->client)
        return;
    snprintf(code, sizeof(code), "%d", status);
    if (status != 200 || json_read((const char *)bytes, len, 65536, "answer", &answer, NULL) < 0)
        tell(a, "status", code);
    else if (a->path)
        heard_verdict(a, answer);
    else
        heard_login(a, answer);
    json_decref(answer);
    loop_post(loop, disconnect, a);
}

static void ask_to_register(struct asker *a, struct ts_client *c)
{
    struct buf json = BUF_INIT(0);

    if (a->auth_key || !a->asked)
        random_bytes(a->node_public, sizeof(a->node_public));
    a->asked = true;
    buf_addf(&json, "{\"Version\":%d,\"NodeKey\":\"nodekey:", TS_VERSION);
    crypto_hex(&json, a->node_public, NOISE_KEY_LEN);
    buf_addf(&json, "\",\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"}", a->name);
    if (a->auth_key)
        buf_addf(&json, ",\"Auth\":{\"AuthKey\":\"%s\"}", a->auth_key);
    if (a->followup)
        buf_addf(&json, ",\"Followup\":\"%s\"", a->followup);
    buf_addc(&json, '}');
    ts_client_call(c, "POST", "/machine/register", json.data, json.len, on_reply, a);
    buf_release(&json);
}

static void on_open(struct ts_client *c, void *arg)
{
    struct asker *a = arg;

    if (a->path)
        ts_client_call(c, "GET", a->path, NULL, 0, on_reply, a);
    else
        ask_to_register(a, c);
}

static void on_close(struct ts_client *c, void *arg, const char *why)
{
    struct asker *a = arg;

    (void)c;
    (void)why;
    a->client = NULL;
    if (!a->ended)
        later(a);
}

static void connect_now(struct loop_timer *t)
{
    struct asker *a = (struct asker *)t;
    struct ts_client_options o = {.loop = loop, .server = server, .arg = a, .on_open = on_open, .on_close = on_close};
    struct err e;

    memcpy(o.server_public, server_public, sizeof(server_public));
    memcpy(o.machine_private, a->machine_private, sizeof(o.machine_private));
    a->client = ts_client_open(&o, &e);
    if (!a->client)
        later(a);
}

static void later(struct asker *a)
{
    loop_timer_set(loop, &a->again, AGAIN_MS, connect_now);
}

static struct asker *find(const char *name)
{
    for (size_t i = 0; i < asker_count; i++)
        if (str_eq(askers[i].name, name))
            return &askers[i];
    if (asker_count == sizeof(askers) / sizeof(*askers))
        _exit(3);
    struct asker *a = &askers[asker_count++];
    a->name = strdup(name);
    random_bytes(a->machine_private, sizeof(a->machine_private));
    return a;
}

static void obey(void *arg)
{
    char *save = NULL, *name = strtok_r(arg, " ", &save), *verb = strtok_r(NULL, " ", &save);
    const char *first = strtok_r(NULL, " ", &save), *second = strtok_r(NULL, " ", &save);
    struct asker *a = find(name ? name : "");

    a->ended = false;
    if (verb && first && str_eq(verb, "key")) {
        a->auth_key = strdup(first);
    } else if (verb && first && str_eq(verb, "ssh")) {
        struct buf path = BUF_INIT(0);
        buf_addf(&path, "/machine/ssh/action/%s?local_user=%s", first, second ? second : "root");
        free(a->path);
        a->path = buf_take(&path);
    }
    free(arg);
    later(a);
}

int main(int argc, char **argv)
{
    static char line[1024];
    struct err e = {0};

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    if (argc < 2) {
        fprintf(stderr, "usage: run_clients ADDRESS:PORT [--websocket]\n");
        return 2;
    }
    struct loops *loops = loops_new(1, &e);
    if (!loops || addr_port_parse(argv[1], &server, &e) < 0 || ts_fetch_key(&server, server_public, &e) < 0 ||
        loops_start(loops, &e) < 0) {
        fprintf(stderr, "run_clients: %s\n", e.message);
        return 1;
    }
    if (argc > 2 && str_eq(argv[2], "--websocket"))
        server.port = websocket_bridge_port(websocket_bridge_new(server.port));
    loop = loops_at(loops, 0);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        loop_post(loop, obey, strdup(line));
    }
    _exit(0);
}
