/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "control/control.h"
#include "crypto/crypto.h"
#include "front/front.h"
#include "netmap/netmap.h"
#include "shared/core_rig.h"
#include "shared/daemon_fixture.h"

struct house house;

pthread_mutex_t house_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t house_changed = PTHREAD_COND_INITIALIZER;

/* ---- the daemon ---- */

static void to_control(void *arg, struct stream *s, const struct head *h)
{
    (void)arg;
    control_accept(house.control, s, h);
}

static void to_nobody(void *arg, int fd, const struct addr_port *peer, bool tls)
{
    (void)arg;
    (void)peer;
    (void)tls;
    close(fd);
}

int house_admin(struct core_admin *a)
{
    a->actor = "test";
    return core_rig_change(house.core, a);
}

static void make_key(void)
{
    struct core_admin user = {.op = ADMIN_USER_CREATE, .name = "alice"};
    assert_int_equal(house_admin(&user), 0);
    house.alice = ((const struct user *)user.record)->r.id;
    core_admin_release(&user);
    struct core_admin key = {.op = ADMIN_PREAUTHKEY_CREATE, .user_id = house.alice, .reusable = true};
    key.time_ns = INT64_C(4102444800) * 1000000000;
    assert_int_equal(house_admin(&key), 0);
    house.key = mem_strdup(key.secret);
    core_admin_release(&key);
}

int house_set_up(void **state)
{
    static const char text[] = "server_url: http://127.0.0.1:8080\nlisten_addr: 127.0.0.1:8080\n"
                               "prefixes:\n  v4: 100.64.0.0/10\n  v6: fd7a:115c:a1e0::/48\n"
                               "dns:\n  magic_dns: true\n  base_domain: tn.example.com\n  override_local_dns: false\n"
                               "node:\n  offline_grace: 1ms\n  routes:\n    ha:\n      settle_time: 0s\n";
    struct strs problems = {0};
    struct err e = {0};

    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    if (config_parse(text, sizeof(text) - 1, "/tmp/test.yaml", &house.config, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    assert_int_equal(store_open(":memory:", &house.store, &e), 0);
    house.tailnet = tailnet_new();
    assert_int_equal(core_start(house.config, house.tailnet, house.store, &house.core, &e), 0);
    house.netmap = netmap_new(house.tailnet);
    house.loops = loops_new(2, &e);
    assert_int_equal(loops_start(house.loops, &e), 0);
    struct control_options options = {.loops = house.loops,
                                      .core = house.core,
                                      .netmap = house.netmap,
                                      .tailnet = house.tailnet,
                                      .config = house.config};
    crypto_x25519_generate(options.private_key, house.public_key);
    house.control = control_new(&options, &e);
    assert_non_null(house.control);
    struct front_options front = {.loops = house.loops, .control = to_control, .other = to_nobody};
    strs_push(&front.listen, "127.0.0.1:0");
    house.front = front_new(&front, &e);
    strs_release(&front.listen);
    assert_non_null(house.front);
    make_key();
    return 0;
}

int house_tear_down(void **state)
{
    (void)state;
    front_free(house.front);
    control_free(house.control);
    loops_free(house.loops);
    netmap_free(house.netmap);
    core_stop(house.core);
    store_close(house.store);
    tailnet_free(house.tailnet);
    config_unref(house.config);
    free(house.key);
    return 0;
}

/* ---- a client ---- */

void house_set(bool *flag)
{
    pthread_mutex_lock(&house_lock);
    *flag = true;
    pthread_cond_broadcast(&house_changed);
    pthread_mutex_unlock(&house_lock);
}

static void on_open(struct ts_client *ts, void *arg)
{
    (void)ts;
    house_set(&((struct guest *)arg)->open);
}

static void on_close(struct ts_client *ts, void *arg, const char *why)
{
    struct guest *c = arg;

    (void)ts;
    (void)why;
    c->ts = NULL;
    house_set(&c->closed);
}

static void dial(void *arg)
{
    struct guest *c = arg;

    c->ts = ts_client_open(&c->options, NULL);
    assert_non_null(c->ts);
}

void guest_connect(struct guest *c)
{
    c->open = c->closed = false;
    loop_post(c->options.loop, dial, c);
    HOUSE_WAIT(c->open || c->closed);
}

void guest_start(struct guest *c, const char *name)
{
    *c = (struct guest){.version = 133};
    snprintf(c->name, sizeof(c->name), "%s", name);
    random_bytes(c->node_key, KEY_LEN);
    random_bytes(c->disco_key, KEY_LEN);
    c->options = (struct ts_client_options){
        .loop = loops_at(house.loops, 1), .version = c->version, .arg = c, .on_open = on_open, .on_close = on_close};
    assert_int_equal(addr_port_parse("127.0.0.1:1", &c->options.server, NULL), 0);
    c->options.server.port = (uint16_t)front_port(house.front, 0);
    memcpy(c->options.server_public, house.public_key, 32);
    random_bytes(c->options.machine_private, 32);
    guest_connect(c);
    assert_true(c->open);
}

static void hang_up(void *arg)
{
    struct guest *c = arg;

    if (c->ts)
        ts_client_close(c->ts);
    c->ts = NULL;
    house_set(&c->closed);
}

void guest_disconnect(struct guest *c)
{
    c->closed = false;
    loop_post(c->options.loop, hang_up, c);
    HOUSE_WAIT(c->closed);
}

void guest_stop(struct guest *c)
{
    guest_disconnect(c);
    for (size_t i = 0; i < c->messages.len; i++)
        free(c->messages.items[i]);
    vec_release(&c->messages);
    buf_release(&c->part);
    buf_release(&c->answer);
    free(c->body);
}

static void on_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct guest *c = arg;

    pthread_mutex_lock(&house_lock);
    c->status = status;
    buf_clear(&c->answer);
    buf_add(&c->answer, bytes, len);
    pthread_mutex_unlock(&house_lock);
    house_set(&c->replied);
}

static void run_call(void *arg)
{
    struct guest *c = arg;

    ts_client_call(c->ts, c->method, c->path, c->body, strlen(c->body), on_reply, c);
}

void guest_begin_call(struct guest *c, const char *method, const char *path, char *body)
{
    free(c->body);
    c->body = body;
    c->method = method;
    c->path = path;
    c->replied = false;
    loop_post(c->options.loop, run_call, c);
}

int guest_call(struct guest *c, const char *method, const char *path, char *body)
{
    guest_begin_call(c, method, path, body);
    HOUSE_WAIT(c->replied);
    return c->status;
}

char *guest_request(const struct guest *c, const char *format, ...)
{
    char node[KEY_TEXT_MAX], disco[KEY_TEXT_MAX], rest[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(rest, sizeof(rest), format, args);
    va_end(args);
    return mem_format("{\"Version\":%u,\"NodeKey\":\"%s\",\"DiscoKey\":\"%s\"%s}", c->version,
                      key_format("nodekey:", c->node_key, node), key_format("discokey:", c->disco_key, disco), rest);
}

json_t *guest_answer(const struct guest *c)
{
    json_t *root = NULL;
    struct err e;

    if (json_read(buf_text(&c->answer), c->answer.len, 1 << 20, "answer", &root, &e) < 0)
        fail_msg("%s: %s", e.message, buf_text(&c->answer));
    return root;
}

void guest_assert_answer(const struct guest *c, const char *member, const char *want)
{
    json_t *root = guest_answer(c);
    char *got = json_dumps(json_object_get(root, member), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(got ? got : "(absent)", want);
    free(got);
    json_decref(root);
}

void guest_join(struct guest *c)
{
    assert_int_equal(
        guest_call(c, "POST", "/machine/register",
                   guest_request(c,
                                 ",\"Auth\":{\"AuthKey\":\"%s\"},\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"}",
                                 house.key, c->name)),
        200);
    guest_assert_answer(c, "Error", "\"\"");
    guest_assert_answer(c, "MachineAuthorized", "true");
}

/* ---- streams ---- */

static void on_part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    struct guest *c = arg;

    buf_add(&c->part, bytes, len);
    if (at + len < total)
        return;
    pthread_mutex_lock(&house_lock);
    vec_push(&c->messages, buf_take(&c->part));
    pthread_cond_broadcast(&house_changed);
    pthread_mutex_unlock(&house_lock);
}

static void on_end(void *arg, int status, uint32_t error)
{
    struct guest *c = arg;

    (void)error;
    c->status = status;
    house_set(&c->ended);
}

static void run_stream(void *arg)
{
    static const struct ts_stream_handler handler = {on_part, on_end};
    struct guest *c = arg;

    c->stream = ts_client_stream(c->ts, "/machine/map", c->body, strlen(c->body), &handler, c);
}

void guest_poll(struct guest *c, const char *hostinfo)
{
    free(c->body);
    c->body =
        guest_request(c, ",\"Stream\":true,\"KeepAlive\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"%s}",
                      c->name, hostinfo);
    c->ended = false;
    loop_post(c->options.loop, run_stream, c);
}

/* The next message; the caller owns it. */
json_t *guest_hear(struct guest *c)
{
    json_t *root = NULL;
    struct err e;

    HOUSE_WAIT(c->read < c->messages.len);
    pthread_mutex_lock(&house_lock);
    const char *text = c->messages.items[c->read++];
    pthread_mutex_unlock(&house_lock);
    if (json_read(text, strlen(text), 1 << 20, "message", &root, &e) < 0)
        fail_msg("%s: %s", e.message, text);
    return root;
}

/* One of the messages that are not read yet has the part; they stay unread. */
static bool has_part(const struct guest *c, const char *part)
{
    for (size_t i = c->read; i < c->messages.len; i++)
        if (strstr(c->messages.items[i], part))
            return true;
    return false;
}

void guest_hears(struct guest *c, const char *part)
{
    HOUSE_WAIT(has_part(c, part));
}

void guest_ignore_all(struct guest *c)
{
    pthread_mutex_lock(&house_lock);
    c->read = c->messages.len;
    pthread_mutex_unlock(&house_lock);
}

uint64_t guest_id(const struct guest *c)
{
    const struct tailnet_snapshot *s = tailnet_pin(house.tailnet);
    const struct tailnet_node *n = snapshot_node(s, tailnet_find_key(house.tailnet, c->node_key));
    uint64_t id = n ? n->record->r.id : 0;

    tailnet_unpin(s);
    assert_true(id > 0);
    return id;
}

void house_delete(uint64_t id)
{
    struct core_admin a = {.op = ADMIN_NODE_DELETE, .id = id};

    assert_int_equal(house_admin(&a), 0);
    core_admin_release(&a);
}

void guest_leave(struct guest *c)
{
    house_delete(guest_id(c));
    guest_stop(c);
}
