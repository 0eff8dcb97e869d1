/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/client/ts_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/random.h"
#include "base/str.h"
#include "crypto/crypto.h"

void ts_node_init(struct ts_node *n, const struct ts_fleet *fleet, unsigned index)
{
    *n = (struct ts_node){.fleet = fleet, .index = index};
    random_bytes(n->machine_private, sizeof(n->machine_private));
    random_bytes(n->node_public, sizeof(n->node_public));
    random_bytes(n->disco_public, sizeof(n->disco_public));
}

void ts_node_release(struct ts_node *n)
{
    ts_node_close(n);
    buf_release(&n->message);
}

void ts_node_close(struct ts_node *n)
{
    struct ts_client *c = n->client;

    n->client = NULL;
    ts_client_close(c);
}

static void add_hostinfo(const struct ts_node *n, struct buf *json)
{
    char made[32];

    snprintf(made, sizeof(made), "node-%u", n->index);
    buf_addf(json,
             "\"Hostinfo\":{\"IPNVersion\":\"1.98.9-t\",\"BackendLogID\":\"\",\"OS\":\"linux\",\"OSVersion\":\"6.1\","
             "\"Hostname\":\"%s\",\"GoArch\":\"amd64\",\"Services\":[{\"Proto\":\"peerapi4\",\"Port\":40000}],"
             "\"NetInfo\":{\"MappingVariesByDestIP\":false,\"WorkingUDP\":true,\"PreferredDERP\":999}%s%s}",
             n->name ? n->name : made, n->routes ? ",\"RoutableIPs\":" : "", n->routes ? n->routes : "");
}

static void add_key(struct buf *json, const char *name, const char *kind, const uint8_t key[NOISE_KEY_LEN])
{
    buf_addf(json, "\"%s\":\"%s:", name, kind);
    crypto_hex(json, key, NOISE_KEY_LEN);
    buf_adds(json, "\",");
}

static int dial(struct ts_node *n, void (*opened)(struct ts_client *c, void *arg),
                void (*closed)(struct ts_client *c, void *arg, const char *why), struct err *e)
{
    struct ts_client_options o = {
        .loop = n->fleet->loop,
        .server = n->fleet->server,
        .source = n->source,
        .tls = n->fleet->tls,
        .arg = n,
        .on_open = opened,
        .on_close = closed,
    };

    memcpy(o.server_public, n->fleet->server_public, sizeof(o.server_public));
    memcpy(o.machine_private, n->machine_private, sizeof(o.machine_private));
    n->client = ts_client_open(&o, e);
    return n->client ? 0 : ERR_IO;
}

/* ---- Registering ---- */

/* The result is reported after the connection is closed, which is not allowed in its own callback. */
static void register_end(void *arg)
{
    struct ts_node *n = arg;

    ts_node_close(n);
    n->fleet->registered(n, buf_text(&n->message));
    buf_release(&n->message);
}

static void register_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    static const char mark[] = "\"Error\":\"";
    struct ts_node *n = arg;

    (void)len;
    if (!n->auth_key)
        return;
    n->auth_key = NULL;
    const char *error = strstr((const char *)bytes, mark);
    if (status != 200 || !strstr((const char *)bytes, "\"MachineAuthorized\":true"))
        buf_addf(&n->message, "status %d: %.200s", status, (const char *)bytes);
    else if (error && error[sizeof(mark) - 1] != '"')
        buf_addf(&n->message, "%.200s", error);
    loop_post(n->fleet->loop, register_end, n);
}

static void register_opened(struct ts_client *c, void *arg)
{
    struct ts_node *n = arg;
    struct buf json = BUF_INIT(0);

    buf_addf(&json, "{\"Version\":%d,", TS_VERSION);
    add_key(&json, "NodeKey", "nodekey", n->node_public);
    buf_addf(&json, "\"Auth\":{\"AuthKey\":\"%s\"},", n->auth_key);
    add_hostinfo(n, &json);
    buf_addc(&json, '}');
    ts_client_call(c, "POST", "/machine/register", json.data, json.len, register_reply, n);
    buf_release(&json);
}

static void register_closed(struct ts_client *c, void *arg, const char *why)
{
    struct ts_node *n = arg;

    (void)c;
    n->client = NULL;
    n->auth_key = NULL;
    n->fleet->registered(n, why);
}

int ts_node_register(struct ts_node *n, const char *auth_key, struct err *e)
{
    n->auth_key = auth_key;
    return dial(n, register_opened, register_closed, e);
}

/* ---- The map ---- */

/* One or more complete zstd frames. */
static void decode(struct buf *out, const uint8_t *bytes, size_t len)
{
    static _Thread_local ZSTD_DCtx *ctx;
    char piece[65536];
    ZSTD_inBuffer in = {bytes, len, 0};
    ZSTD_outBuffer to;

    if (!ctx)
        ctx = ZSTD_createDCtx();
    do {
        to = (ZSTD_outBuffer){piece, sizeof(piece), 0};
        if (ZSTD_isError(ZSTD_decompressStream(ctx, &to, &in))) {
            ZSTD_DCtx_reset(ctx, ZSTD_reset_session_only);
            return;
        }
        buf_add(out, piece, to.pos);
    } while (in.pos < in.size || to.pos == to.size);
}

static void part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    struct ts_node *n = arg;
    struct buf text = BUF_INIT(0);

    n->bytes += len;
    if (n->decode)
        buf_add(&n->message, bytes, len);
    if (at + len < total)
        return;
    n->messages++;
    if (n->decode)
        decode(&text, (const uint8_t *)n->message.data, n->message.len);
    n->fleet->message(n, n->decode ? buf_text(&text) : NULL, total);
    buf_release(&text);
    buf_release(&n->message);
}

static void stream_end(void *arg, int status, uint32_t error)
{
    struct ts_node *n = arg;

    (void)error;
    if (n->client)
        n->fleet->lost(n, status == 200 ? "the stream ended" : "the map was refused");
}

static void updated(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct ts_node *n = arg;

    (void)bytes;
    (void)len;
    if (n->client && status && status != 200)
        n->fleet->lost(n, "an update was refused");
}

static void send_map(struct ts_node *n, bool stream, const char *endpoint)
{
    static const struct ts_stream_handler handler = {part, stream_end};
    struct buf json = BUF_INIT(0);

    buf_addf(&json, "{\"Version\":%d,\"Compress\":\"zstd\",\"KeepAlive\":true,\"Stream\":%s,\"OmitPeers\":%s,",
             TS_VERSION, stream ? "true" : "false", stream ? "false" : "true");
    add_key(&json, "NodeKey", "nodekey", n->node_public);
    add_key(&json, "DiscoKey", "discokey", n->disco_public);
    if (endpoint)
        buf_addf(&json, "\"Endpoints\":[\"%s\"],\"EndpointTypes\":[1],", endpoint);
    add_hostinfo(n, &json);
    buf_addc(&json, '}');
    if (stream)
        ts_client_stream(n->client, "/machine/map", json.data, json.len, &handler, n);
    else
        ts_client_call(n->client, "POST", "/machine/map", json.data, json.len, updated, n);
    buf_release(&json);
}

static void map_opened(struct ts_client *c, void *arg)
{
    struct ts_node *n = arg;
    char endpoint[ADDR_PORT_TEXT_MAX];
    struct addr_port at = {.addr = {.bits = 32, .bytes = {198, 18, (uint8_t)(n->index >> 8), (uint8_t)n->index}},
                           .port = 41641};

    (void)c;
    send_map(n, true, NULL);
    send_map(n, false, addr_port_format(&at, endpoint));
}

static void map_closed(struct ts_client *c, void *arg, const char *why)
{
    struct ts_node *n = arg;

    (void)c;
    n->client = NULL;
    buf_release(&n->message);
    n->fleet->lost(n, why);
}

int ts_node_connect(struct ts_node *n, struct err *e)
{
    return dial(n, map_opened, map_closed, e);
}

void ts_node_update(struct ts_node *n, const char *endpoint)
{
    if (n->client)
        send_map(n, false, endpoint);
}
