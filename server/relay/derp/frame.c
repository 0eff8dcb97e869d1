/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/derp/frame.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "json/json.h"

#define NONCE_LEN     24
#define INFO_MAX      4096 /* of a login's JSON; a real one has about 100 bytes */
#define FRAME_LEN_MAX (1U << 20)

static const uint8_t magic[8] = {0x44, 0x45, 0x52, 0x50, 0xf0, 0x9f, 0x94, 0x91};

/* Frames that clients may send. Others are skipped unless they are too long. */
static const struct frame_rule {
    uint8_t type;
    uint32_t min, max;
    const char *name;
} rules[] = {
    {FRAME_CLIENT_INFO, RELAY_KEY_LEN + NONCE_LEN + 16, RELAY_KEY_LEN + NONCE_LEN + 16 + INFO_MAX, "ClientInfo"},
    {FRAME_SEND, RELAY_KEY_LEN, RELAY_KEY_LEN + FRAME_PACKET_MAX, "SendPacket"},
    {FRAME_NOTE_PREFERRED, 1, 1, "NotePreferred"},
    {FRAME_PING, 8, 1000, "Ping"},
};

int frame_read(const uint8_t *in, size_t len, struct derp_frame *out, struct err *e)
{
    if (len < FRAME_HEADER)
        return 0;
    *out = (struct derp_frame){.type = in[0],
                               .len = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 8 | in[4]};
    if (out->type == FRAME_FORWARD || out->type == FRAME_WATCH || out->type == FRAME_CLOSE_PEER)
        return err_set(e, ERR_INVALID, "a frame of type %02x, which only a relay of the same mesh may send", out->type);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].type == out->type) {
            if (out->len < rules[i].min || out->len > rules[i].max)
                return err_set(e, ERR_INVALID, "a %s frame of %u bytes", rules[i].name, out->len);
            return 1;
        }
    if (out->len > FRAME_LEN_MAX)
        return err_set(e, ERR_INVALID, "a frame of type %02x of %u bytes", out->type, out->len);
    out->discard = true;
    return 1;
}

void frame_put(struct buf *out, enum frame_type type, const void *payload, size_t len)
{
    const uint8_t head[FRAME_HEADER] = {(uint8_t)type, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                                        (uint8_t)len};

    buf_add(out, head, sizeof(head));
    if (len)
        buf_add(out, payload, len);
}

bool frame_is_disco(const uint8_t *packet, size_t len)
{
    static const uint8_t start[6] = {0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac};

    return len >= 62 && memcmp(packet, start, sizeof(start)) == 0;
}

/* ---- Login ---- */

const uint8_t *login_key(const uint8_t *payload, size_t len)
{
    return len >= RELAY_KEY_LEN && !sodium_is_zero(payload, RELAY_KEY_LEN) ? payload : NULL;
}

/* Go accepts member names in any case. */
static const json_t *member(const json_t *object, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return value;
    }
    return NULL;
}

static int read_info(const char *text, size_t len, struct derp_login *out, struct err *e)
{
    uint8_t mesh_key[32];
    json_t *info;

    int rc = json_read(text, len, INFO_MAX, "login at the relay", &info, e);
    if (rc < 0)
        return rc;
    const char *mesh = json_string_value(member(info, "meshKey"));
    if (!json_is_object(info))
        rc = err_set(e, ERR_INVALID, "login at the relay: not an object");
    else if (mesh && *mesh && !crypto_unhex(mesh, strlen(mesh), mesh_key, sizeof(mesh_key)))
        rc = err_set(e, ERR_INVALID, "login at the relay: meshKey is no key");
    out->version = json_integer_value(member(info, "version"));
    out->can_ack_pings = json_is_true(member(info, "CanAckPings"));
    out->is_prober = json_is_true(member(info, "IsProber"));
    json_decref(info);
    return rc;
}

int login_open(const struct relay_keys *keys, const uint8_t *payload, size_t len, struct derp_login *out, struct err *e)
{
    uint8_t text[INFO_MAX];
    size_t sealed = len - RELAY_KEY_LEN - NONCE_LEN;

    *out = (struct derp_login){0};
    if (len < RELAY_KEY_LEN + NONCE_LEN + 16 || sealed - 16 > sizeof(text) || !login_key(payload, len))
        return err_set(e, ERR_INVALID, "a login of %zu bytes, or without a key", len);
    memcpy(out->key, payload, RELAY_KEY_LEN);
    if (crypto_box_open_easy(text, payload + RELAY_KEY_LEN + NONCE_LEN, sealed, payload + RELAY_KEY_LEN, payload,
                             keys->private_key) != 0)
        return err_set(e, ERR_INVALID, "a login that was not sealed with the key it names");
    return read_info((const char *)text, sealed - 16, out, e);
}

void frame_put_server_key(struct buf *out, const struct relay_keys *keys)
{
    uint8_t payload[sizeof(magic) + RELAY_KEY_LEN];

    memcpy(payload, magic, sizeof(magic));
    memcpy(payload + sizeof(magic), keys->public_key, RELAY_KEY_LEN);
    frame_put(out, FRAME_SERVER_KEY, payload, sizeof(payload));
}

int frame_put_server_info(struct buf *out, const struct relay_keys *keys, const uint8_t client[RELAY_KEY_LEN],
                          int64_t rate, int64_t burst, struct err *e)
{
    char info[128] = "{\"version\":2}";
    uint8_t payload[NONCE_LEN + 16 + sizeof(info)];

    if (rate > 0)
        snprintf(info, sizeof(info),
                 "{\"version\":2,\"TokenBucketBytesPerSecond\":%lld,\"TokenBucketBytesBurst\":%lld}", (long long)rate,
                 (long long)burst);
    size_t len = strlen(info);
    randombytes_buf(payload, NONCE_LEN);
    if (crypto_box_easy(payload + NONCE_LEN, (const uint8_t *)info, len, payload, client, keys->private_key) != 0)
        return err_set(e, ERR_INVALID, "a client key of small order");
    frame_put(out, FRAME_SERVER_INFO, payload, NONCE_LEN + 16 + len);
    return 0;
}
