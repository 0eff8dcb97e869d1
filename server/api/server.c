/* SPDX-License-Identifier: BSD-3-Clause */
/* The server itself: who asks it, its relay, its version and public key, copies of its database. */
#include <stdlib.h>
#include <sys/stat.h>

#include "http/private.h"

#define KEY_MIN_VERSION 39 /* tailcfg.CapabilityVersion from which clients speak Noise */
#define VERIFY_MAX      4096

/* What /version says first, for interfaces made for headscale that switch features on by its number. */
#define AS_HEADSCALE "v0.29.2"

extern const char *const headway_version;

const char *policy_mode(const struct config *c)
{
    return config_policy_is_file(c) ? "file" : "database";
}

enum flow headway_whoami(struct request *r)
{
    const struct config *c = http_config(r->h);
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_put_str(&o, "actor", r->who.actor);
    json_put_str(&o, "scope", r->who.read_only ? "read" : "admin");
    json_put_str(&o, "version", headway_version);
    json_put_str(&o, "serverUrl", c->server_url);
    json_put_str(&o, "baseDomain", c->dns.base_domain);
    json_put_str(&o, "policyMode", policy_mode(c));
    json_put_time(&o, "time", clock_wall_ns());
    json_put_bool(&o, "readOnly", r->who.read_only);
    json_key(&o, "limits");
    json_open(&o, '{');
    json_put_u64(&o, "bodyBytes", BODY_MAX);
    json_put_u64(&o, "eventsPage", EVENTS_PAGE_MAX);
    json_close(&o, '}');
    json_close(&o, '}');
    config_unref(c);
    return DONE;
}

enum flow headway_relay(struct request *r)
{
    if (!r->h->with.relay_status) {
        struct err e;
        err_set(&e, ERR_UNAVAILABLE, "this server has no relay");
        return reply_error(r, &e);
    }
    struct json_out o = reply_json(r);
    r->h->with.relay_status(r->h->with.arg, &o);
    return DONE;
}

static enum flow run_backup(struct request *r)
{
    const char *path = r->owner_data;
    struct stat file;

    if (store_backup(r->h->with.store, path, &r->err) < 0)
        return reply_error(r, &r->err);
    log_info("http", "%s copied the database to %s", r->who.actor, path);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "result");
    json_open(&o, '{');
    json_put_str(&o, "path", path);
    json_put_u64(&o, "bytes", stat(path, &file) == 0 ? (uint64_t)file.st_size : 0);
    json_close(&o, '}');
    json_close(&o, '}');
    return DONE;
}

enum flow headway_backup(struct request *r)
{
    const char *path = "";

    if (arg_text(r, "path", &path) < 0 || str_check(path, 4000, false, "path", &r->err) < 0)
        return reply_error(r, &r->err);
    if (path[0] != '/') {
        err_field(&r->err, ERR_INVALID, "path", "path must be absolute: '%.120s'", path);
        return reply_error(r, &r->err);
    }
    r->owner_data = arena_strdup(&r->arena, path);
    return request_later(r, &r->h->disk, run_backup);
}

enum flow page_version(struct request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_put_str(&o, "version", AS_HEADSCALE);
    json_put_str(&o, "headway", headway_version);
    json_put_str(&o, "commit", headway_version);
    json_put_str(&o, "buildTime", "unknown");
    json_key(&o, "go");
    json_open(&o, '{');
    json_put_str(&o, "version", "none");
    json_put_str(&o, "os", "linux");
    json_put_str(&o, "arch", sizeof(void *) == 8 ? "64-bit" : "32-bit");
    json_close(&o, '}');
    json_put_bool(&o, "dirty", strstr(headway_version, "-dirty") != NULL);
    json_close(&o, '}');
    return DONE;
}

enum flow page_key(struct request *r)
{
    static const uint8_t zeros[KEY_LEN];
    const char *text = arg_query(r, "v");
    char key[KEY_TEXT_MAX];
    uint64_t version;

    if (!text || !*text)
        return reply_text(r, 400, "capability version must be set\n");
    if (str_u64(text, 0, INT32_MAX, &version, "v", NULL) < 0)
        return reply_text(r, 400, "invalid capability version\n");
    if (version < KEY_MIN_VERSION)
        return reply_text(r, 200, "%s", "");
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_str(&o, "legacyPublicKey", key_format("mkey:", zeros, key));
    json_put_str(&o, "publicKey", key_format("mkey:", r->h->with.public_key, key));
    json_close(&o, '}');
    return DONE;
}

enum flow page_verify(struct request *r)
{
    const char *text = NULL;
    uint8_t key[KEY_LEN];

    if (r->body.len > VERIFY_MAX)
        return reply_text(r, 413, "the body is larger than %d bytes\n", VERIFY_MAX);
    if (arg_text(r, "NodePublic", &text) < 0 || !text || key_parse("nodekey:", text, key, "NodePublic", &r->err) < 0)
        return reply_text(r, 400, "NodePublic must be a node key: nodekey: and 64 hexadecimal digits\n");
    uint32_t slot = tailnet_find_key(r->h->with.tailnet, key);
    const struct tailnet_node *n = NULL;
    if (slot != TAILNET_SLOT_NONE && slot / TAILNET_BLOCK < r->s->block_count && r->s->blocks[slot / TAILNET_BLOCK])
        n = r->s->blocks[slot / TAILNET_BLOCK]->nodes[slot % TAILNET_BLOCK];
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_bool(&o, "Allow", n && memcmp(n->record->node_key, key, KEY_LEN) == 0 && !n->expired);
    json_close(&o, '}');
    return DONE;
}

enum flow page_ping_response(struct request *r)
{
    const char *id = arg_query(r, "id");

    if (!id || !*id)
        return reply_text(r, 400, "id is missing\n");
    if (!r->h->with.ping_response || !r->h->with.ping_response(r->h->with.arg, id))
        return reply_text(r, 404, "no such ping\n");
    return reply_text(r, 200, "%s", "");
}
