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

struct test_daemon test_daemon;

pthread_mutex_t test_daemon_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t test_daemon_changed = PTHREAD_COND_INITIALIZER;

/* ---- the daemon ---- */

static void to_control(void *arg, struct stream *s, const struct head *h)
{
    (void)arg;
    control_accept(test_daemon.control, s, h);
}

static void to_nobody(void *arg, int fd, const struct addr_port *peer, bool reserved)
{
    (void)arg;
    (void)peer;
    (void)reserved;
    close(fd);
}

int test_daemon_admin(struct core_admin *a)
{
    a->actor = "test";
    return core_rig_change(test_daemon.core, a);
}

static void make_key(void)
{
    struct core_admin user = {.op = ADMIN_USER_CREATE, .name = "alice"};
    assert_int_equal(test_daemon_admin(&user), 0);
    test_daemon.alice = ((const struct user *)user.record)->r.id;
    core_admin_release(&user);
    struct core_admin key = {.op = ADMIN_PREAUTHKEY_CREATE, .user_id = test_daemon.alice, .reusable = true};
    key.time_ns = INT64_C(4102444800) * 1000000000;
    assert_int_equal(test_daemon_admin(&key), 0);
    test_daemon.key = mem_strdup(key.secret);
    core_admin_release(&key);
}

int test_daemon_set_up(void **state)
{
    static const char text[] = "server_url: http://127.0.0.1:8080\nlisten_addr: 127.0.0.1:8080\n"
                               "prefixes:\n  v4: 100.64.0.0/10\n  v6: fd7a:115c:a1e0::/48\n"
                               "dns:\n  magic_dns: true\n  base_domain: tn.example.com\n  override_local_dns: false\n"
                               "node:\n  offline_grace: 1ms\n  routes:\n    ha:\n      settle_time: 0s\n";
    struct strs problems = {0};
    struct err e = {0};

    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    if (config_parse(text, sizeof(text) - 1, "/tmp/test.yaml", &test_daemon.config, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    assert_int_equal(store_open(":memory:", &test_daemon.store, &e), 0);
    test_daemon.tailnet = tailnet_new();
    assert_int_equal(core_start(test_daemon.config, test_daemon.tailnet, test_daemon.store, &test_daemon.core, &e), 0);
    test_daemon.netmap = netmap_new(test_daemon.tailnet);
    test_daemon.loops = loops_new(2, &e);
    assert_int_equal(loops_start(test_daemon.loops, &e), 0);
    struct control_options options = {.loops = test_daemon.loops,
                                      .core = test_daemon.core,
                                      .netmap = test_daemon.netmap,
                                      .tailnet = test_daemon.tailnet,
                                      .config = test_daemon.config};
    crypto_x25519_generate(options.private_key, test_daemon.public_key);
    test_daemon.control = control_new(&options, &e);
    assert_non_null(test_daemon.control);
    struct front_options front = {.loops = test_daemon.loops, .control = to_control, .other = to_nobody};
    strs_push(&front.listen, "127.0.0.1:0");
    test_daemon.front = front_new(&front, &e);
    strs_release(&front.listen);
    assert_non_null(test_daemon.front);
    make_key();
    return 0;
}

int test_daemon_tear_down(void **state)
{
    (void)state;
    front_free(test_daemon.front);
    control_free(test_daemon.control);
    loops_free(test_daemon.loops);
    netmap_free(test_daemon.netmap);
    core_stop(test_daemon.core);
    store_close(test_daemon.store);
    tailnet_free(test_daemon.tailnet);
    config_unref(test_daemon.config);
    free(test_daemon.key);
    return 0;
}

/* ---- a client ---- */

void test_daemon_set(bool *flag)
{
    pthread_mutex_lock(&test_daemon_lock);
    *flag = true;
    pthread_cond_broadcast(&test_daemon_changed);
    pthread_mutex_unlock(&test_daemon_lock);
}

static void on_open(struct ts_client *ts, void *arg)
{
    (void)ts;
    test_daemon_set(&((struct test_client *)arg)->open);
}

static void on_close(struct ts_client *ts, void *arg, const char *why)
{
    struct test_client *c = arg;

    (void)ts;
    (void)why;
    c->ts = NULL;
    test_daemon_set(&c->closed);
}

static void dial(void *arg)
{
    struct test_client *c = arg;

    c->ts = ts_client_open(&c->options, NULL);
    assert_non_null(c->ts);
}

void test_client_connect(struct test_client *c)
{
    c->open = c->closed = false;
    loop_post(c->options.loop, dial, c);
    DAEMON_WAIT(c->open || c->closed);
}

void test_client_start(struct test_client *c, const char *name)
{
    *c = (struct test_client){.version = 133};
    snprintf(c->name, sizeof(c->name), "%s", name);
    random_bytes(c->node_key, KEY_LEN);
    random_bytes(c->disco_key, KEY_LEN);
    c->options = (struct ts_client_options){.loop = loops_at(test_daemon.loops, 1),
                                            .version = c->version,
                                            .arg = c,
                                            .on_open = on_open,
                                            .on_close = on_close};
    assert_int_equal(addr_port_parse("127.0.0.1:1", &c->options.server, NULL), 0);
    c->options.server.port = (uint16_t)front_port(test_daemon.front, 0);
    memcpy(c->options.server_public, test_daemon.public_key, 32);
    random_bytes(c->options.machine_private, 32);
    test_client_connect(c);
    assert_true(c->open);
}

static void hang_up(void *arg)
{
    struct test_client *c = arg;

    if (c->ts)
        ts_client_close(c->ts);
    c->ts = NULL;
    test_daemon_set(&c->closed);
}

void test_client_disconnect(struct test_client *c)
{
    c->closed = false;
    loop_post(c->options.loop, hang_up, c);
    DAEMON_WAIT(c->closed);
}

void test_client_stop(struct test_client *c)
{
    test_client_disconnect(c);
    for (size_t i = 0; i < c->messages.len; i++)
        free(c->messages.items[i]);
    vec_release(&c->messages);
    buf_release(&c->part);
    buf_release(&c->answer);
    free(c->body);
}

static void on_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct test_client *c = arg;

    pthread_mutex_lock(&test_daemon_lock);
    c->status = status;
    buf_clear(&c->answer);
    buf_add(&c->answer, bytes, len);
    pthread_mutex_unlock(&test_daemon_lock);
    test_daemon_set(&c->replied);
}

static void run_call(void *arg)
{
    struct test_client *c = arg;

    ts_client_call(c->ts, c->method, c->path, c->body, strlen(c->body), on_reply, c);
}

void test_client_begin_call(struct test_client *c, const char *method, const char *path, char *body)
{
    free(c->body);
    c->body = body;
    c->method = method;
    c->path = path;
    c->replied = false;
    loop_post(c->options.loop, run_call, c);
}

int test_client_call(struct test_client *c, const char *method, const char *path, char *body)
{
    test_client_begin_call(c, method, path, body);
    DAEMON_WAIT(c->replied);
    return c->status;
}

char *test_client_request(const struct test_client *c, const char *format, ...)
{
    char node[KEY_TEXT_MAX], disco[KEY_TEXT_MAX], rest[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(rest, sizeof(rest), format, args);
    va_end(args);
    return mem_format("{\"Version\":%u,\"NodeKey\":\"%s\",\"DiscoKey\":\"%s\"%s}", c->version,
                      key_format("nodekey:", c->node_key, node), key_format("discokey:", c->disco_key, disco), rest);
}

json_t *test_client_answer(const struct test_client *c)
{
    json_t *root = NULL;
    struct err e;

    if (json_read(buf_text(&c->answer), c->answer.len, 1 << 20, "answer", &root, &e) < 0)
        fail_msg("%s: %s", e.message, buf_text(&c->answer));
    return root;
}

void test_client_assert_answer(const struct test_client *c, const char *member, const char *want)
{
    json_t *root = test_client_answer(c);
    char *got = json_dumps(json_object_get(root, member), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(got ? got : "(absent)", want);
    free(got);
    json_decref(root);
}

void test_client_join(struct test_client *c)
{
    assert_int_equal(
        test_client_call(
            c, "POST", "/machine/register",
            test_client_request(c, ",\"Auth\":{\"AuthKey\":\"%s\"},\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"}",
                                test_daemon.key, c->name)),
        200);
    test_client_assert_answer(c, "Error", "\"\"");
    test_client_assert_answer(c, "MachineAuthorized", "true");
}

/* ---- streams ---- */

static void on_part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    struct test_client *c = arg;

    buf_add(&c->part, bytes, len);
    if (at + len < total)
        return;
    pthread_mutex_lock(&test_daemon_lock);
    vec_push(&c->messages, buf_take(&c->part));
    pthread_cond_broadcast(&test_daemon_changed);
    pthread_mutex_unlock(&test_daemon_lock);
}

static void on_end(void *arg, int status, uint32_t error)
{
    struct test_client *c = arg;

    (void)error;
    c->status = status;
    test_daemon_set(&c->ended);
}

static void run_stream(void *arg)
{
    static const struct ts_stream_handler handler = {on_part, on_end};
    struct test_client *c = arg;

    c->stream = ts_client_stream(c->ts, "/machine/map", c->body, strlen(c->body), &handler, c);
}

void test_client_poll(struct test_client *c, const char *hostinfo)
{
    free(c->body);
    c->body = test_client_request(
        c, ",\"Stream\":true,\"KeepAlive\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"%s}", c->name,
        hostinfo);
    c->ended = false;
    loop_post(c->options.loop, run_stream, c);
}

/* The next message; caller frees. */
json_t *test_client_hear(struct test_client *c)
{
    json_t *root = NULL;
    struct err e;

    DAEMON_WAIT(c->read < c->messages.len);
    pthread_mutex_lock(&test_daemon_lock);
    const char *text = c->messages.items[c->read++];
    pthread_mutex_unlock(&test_daemon_lock);
    if (json_read(text, strlen(text), 1 << 20, "message", &root, &e) < 0)
        fail_msg("%s: %s", e.message, text);
    return root;
}

/* Does any unread message contain the part? They remain unread. */
static bool has_part(const struct test_client *c, const char *part)
{
    for (size_t i = c->read; i < c->messages.len; i++)
        if (strstr(c->messages.items[i], part))
            return true;
    return false;
}

void test_client_hears(struct test_client *c, const char *part)
{
    DAEMON_WAIT(has_part(c, part));
}

void test_client_ignore_all(struct test_client *c)
{
    pthread_mutex_lock(&test_daemon_lock);
    c->read = c->messages.len;
    pthread_mutex_unlock(&test_daemon_lock);
}

uint64_t test_client_id(const struct test_client *c)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    const struct tailnet_node *n = snapshot_node(s, tailnet_find_key(test_daemon.tailnet, c->node_key));
    uint64_t id = n ? n->record->r.id : 0;

    tailnet_unpin(s);
    assert_true(id > 0);
    return id;
}

void test_daemon_delete(uint64_t id)
{
    struct core_admin a = {.op = ADMIN_NODE_DELETE, .id = id};

    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

void test_client_leave(struct test_client *c)
{
    test_daemon_delete(test_client_id(c));
    test_client_stop(c);
}
