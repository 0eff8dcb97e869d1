/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients at the door of a daemon that is whole but for HTTP: they register, hold streams, and hear of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/vec.h"
#include "config/config.h"
#include "control/control.h"
#include "core/core.h"
#include "crypto/crypto.h"
#include "front/front.h"
#include "netmap/netmap.h"
#include "shared/ts_client.h"
#include "store/store.h"
#include "json/json.h"

#define WAIT_SECONDS 20

static struct {
    struct config *config;
    struct store *store;
    struct tailnet *tailnet;
    struct core *core;
    struct netmap *netmap;
    struct loops *loops;
    struct control *control;
    struct front *front;
    uint8_t public_key[32];
    char *key; /* a reusable pre-auth key of alice */
    uint64_t alice;
} d;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* ---- the daemon ---- */

static void to_control(void *arg, struct stream *s, const struct head *h)
{
    (void)arg;
    control_accept(d.control, s, h);
}

static void to_nobody(void *arg, int fd, const struct addr_port *peer, bool tls)
{
    (void)arg;
    (void)peer;
    (void)tls;
    close(fd);
}

static int admin(struct core_admin *a)
{
    a->actor = "test";
    return core_wait(d.core, core_admin, a);
}

static void make_key(void)
{
    struct core_admin user = {.op = ADMIN_USER_CREATE, .name = "alice"};
    assert_int_equal(admin(&user), 0);
    d.alice = ((const struct user *)user.record)->r.id;
    core_admin_release(&user);
    struct core_admin key = {.op = ADMIN_PREAUTHKEY_CREATE, .user_id = d.alice, .reusable = true};
    key.time_ns = INT64_C(4102444800) * 1000000000;
    assert_int_equal(admin(&key), 0);
    d.key = mem_strdup(key.secret);
    core_admin_release(&key);
}

static int set_up(void **state)
{
    static const char text[] = "server_url: http://127.0.0.1:8080\nlisten_addr: 127.0.0.1:8080\n"
                               "prefixes:\n  v4: 100.64.0.0/10\n  v6: fd7a:115c:a1e0::/48\n"
                               "dns:\n  magic_dns: true\n  base_domain: tn.example.com\n  override_local_dns: false\n"
                               "node:\n  offline_grace: 1ms\n  routes:\n    ha:\n      settle_time: 0s\n";
    struct strs problems = {0};
    struct err e = {0};

    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    if (config_parse(text, sizeof(text) - 1, "/tmp/test.yaml", &d.config, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    assert_int_equal(store_open(":memory:", &d.store, &e), 0);
    d.tailnet = tailnet_new();
    assert_int_equal(core_start(d.config, d.tailnet, d.store, &d.core, &e), 0);
    d.netmap = netmap_new(d.tailnet);
    d.loops = loops_new(2, &e);
    assert_int_equal(loops_start(d.loops, &e), 0);
    struct control_options options = {
        .loops = d.loops, .core = d.core, .netmap = d.netmap, .tailnet = d.tailnet, .config = d.config};
    crypto_x25519_generate(options.private_key, d.public_key);
    d.control = control_new(&options, &e);
    assert_non_null(d.control);
    struct front_options front = {.loops = d.loops, .control = to_control, .other = to_nobody};
    strs_push(&front.listen, "127.0.0.1:0");
    d.front = front_new(&front, &e);
    strs_release(&front.listen);
    assert_non_null(d.front);
    make_key();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    front_free(d.front);
    control_free(d.control);
    loops_free(d.loops);
    netmap_free(d.netmap);
    core_stop(d.core);
    store_close(d.store);
    tailnet_free(d.tailnet);
    config_unref(d.config);
    free(d.key);
    return 0;
}

/* ---- a client ---- */

struct client {
    struct ts_client_options options;
    struct ts_client *ts;
    uint8_t node_key[KEY_LEN], disco_key[KEY_LEN];
    char name[32];
    unsigned version;
    bool open, closed, replied, ended;
    int status; /* of the last call */
    struct buf answer;
    /* what the loop's thread is asked to do */
    const char *method, *path;
    char *body;
    int32_t stream;
    struct buf part; /* of the message that is being received */
    VEC(char *) messages;
    size_t read; /* of them */
};

/* Waits for a condition under the lock. */
#define WAIT(condition)                                                                                                \
    do {                                                                                                               \
        struct timespec until;                                                                                         \
        clock_gettime(CLOCK_REALTIME, &until);                                                                         \
        until.tv_sec += WAIT_SECONDS;                                                                                  \
        pthread_mutex_lock(&lock);                                                                                     \
        int late = 0;                                                                                                  \
        while (!(condition) && !late)                                                                                  \
            late = pthread_cond_timedwait(&changed, &lock, &until);                                                    \
        pthread_mutex_unlock(&lock);                                                                                   \
        if (late)                                                                                                      \
            fail_msg("waited %d s for %s", WAIT_SECONDS, #condition);                                                  \
    } while (0)

static void set(bool *flag)
{
    pthread_mutex_lock(&lock);
    *flag = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_open(struct ts_client *ts, void *arg)
{
    (void)ts;
    set(&((struct client *)arg)->open);
}

static void on_close(struct ts_client *ts, void *arg, const char *why)
{
    struct client *c = arg;

    (void)ts;
    (void)why;
    c->ts = NULL;
    set(&c->closed);
}

static void dial(void *arg)
{
    struct client *c = arg;

    c->ts = ts_client_open(&c->options, NULL);
    assert_non_null(c->ts);
}

static void connect_client(struct client *c)
{
    c->open = c->closed = false;
    loop_post(c->options.loop, dial, c);
    WAIT(c->open || c->closed);
}

static void client_start(struct client *c, const char *name)
{
    *c = (struct client){.version = 133};
    snprintf(c->name, sizeof(c->name), "%s", name);
    random_bytes(c->node_key, KEY_LEN);
    random_bytes(c->disco_key, KEY_LEN);
    c->options = (struct ts_client_options){
        .loop = loops_at(d.loops, 1), .version = c->version, .arg = c, .on_open = on_open, .on_close = on_close};
    assert_int_equal(addr_port_parse("127.0.0.1:1", &c->options.server, NULL), 0);
    c->options.server.port = (uint16_t)front_port(d.front, 0);
    memcpy(c->options.server_public, d.public_key, 32);
    random_bytes(c->options.machine_private, 32);
    connect_client(c);
    assert_true(c->open);
}

static void hang_up(void *arg)
{
    struct client *c = arg;

    if (c->ts)
        ts_client_close(c->ts);
    c->ts = NULL;
    set(&c->closed);
}

static void disconnect(struct client *c)
{
    c->closed = false;
    loop_post(c->options.loop, hang_up, c);
    WAIT(c->closed);
}

static void client_stop(struct client *c)
{
    disconnect(c);
    for (size_t i = 0; i < c->messages.len; i++)
        free(c->messages.items[i]);
    vec_release(&c->messages);
    buf_release(&c->part);
    buf_release(&c->answer);
    free(c->body);
}

static void on_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct client *c = arg;

    pthread_mutex_lock(&lock);
    c->status = status;
    buf_clear(&c->answer);
    buf_add(&c->answer, bytes, len);
    pthread_mutex_unlock(&lock);
    set(&c->replied);
}

static void run_call(void *arg)
{
    struct client *c = arg;

    ts_client_call(c->ts, c->method, c->path, c->body, strlen(c->body), on_reply, c);
}

static void begin_call(struct client *c, const char *method, const char *path, char *body)
{
    free(c->body);
    c->body = body;
    c->method = method;
    c->path = path;
    c->replied = false;
    loop_post(c->options.loop, run_call, c);
}

static int call(struct client *c, const char *method, const char *path, char *body)
{
    begin_call(c, method, path, body);
    WAIT(c->replied);
    return c->status;
}

static char *request(const struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *request(const struct client *c, const char *format, ...)
{
    char node[KEY_TEXT_MAX], disco[KEY_TEXT_MAX], rest[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(rest, sizeof(rest), format, args);
    va_end(args);
    return mem_format("{\"Version\":%u,\"NodeKey\":\"%s\",\"DiscoKey\":\"%s\"%s}", c->version,
                      key_format("nodekey:", c->node_key, node), key_format("discokey:", c->disco_key, disco), rest);
}

static json_t *answer_of(const struct client *c)
{
    json_t *root = NULL;
    struct err e;

    if (json_read(buf_text(&c->answer), c->answer.len, 1 << 20, "answer", &root, &e) < 0)
        fail_msg("%s: %s", e.message, buf_text(&c->answer));
    return root;
}

static void assert_answer(const struct client *c, const char *member, const char *want)
{
    json_t *root = answer_of(c);
    char *got = json_dumps(json_object_get(root, member), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(got ? got : "(absent)", want);
    free(got);
    json_decref(root);
}

static void join(struct client *c)
{
    assert_int_equal(
        call(c, "POST", "/machine/register",
             request(c, ",\"Auth\":{\"AuthKey\":\"%s\"},\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"}", d.key,
                     c->name)),
        200);
    assert_answer(c, "Error", "\"\"");
    assert_answer(c, "MachineAuthorized", "true");
}

/* ---- streams ---- */

static void on_part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    struct client *c = arg;

    buf_add(&c->part, bytes, len);
    if (at + len < total)
        return;
    pthread_mutex_lock(&lock);
    vec_push(&c->messages, buf_take(&c->part));
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_end(void *arg, int status, uint32_t error)
{
    struct client *c = arg;

    (void)error;
    c->status = status;
    set(&c->ended);
}

static void run_stream(void *arg)
{
    static const struct ts_stream_handler handler = {on_part, on_end};
    struct client *c = arg;

    c->stream = ts_client_stream(c->ts, "/machine/map", c->body, strlen(c->body), &handler, c);
}

static void poll_map(struct client *c, const char *hostinfo)
{
    free(c->body);
    c->body = request(c, ",\"Stream\":true,\"KeepAlive\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"%s}",
                      c->name, hostinfo);
    c->ended = false;
    loop_post(c->options.loop, run_stream, c);
}

/* The next message; the caller owns it. */
static json_t *hear(struct client *c)
{
    json_t *root = NULL;
    struct err e;

    WAIT(c->read < c->messages.len);
    pthread_mutex_lock(&lock);
    const char *text = c->messages.items[c->read++];
    pthread_mutex_unlock(&lock);
    if (json_read(text, strlen(text), 1 << 20, "message", &root, &e) < 0)
        fail_msg("%s: %s", e.message, text);
    return root;
}

/* One of the messages that are not read yet has the part; they stay unread. */
static bool has_part(const struct client *c, const char *part)
{
    for (size_t i = c->read; i < c->messages.len; i++)
        if (strstr(c->messages.items[i], part))
            return true;
    return false;
}

static void hears(struct client *c, const char *part)
{
    WAIT(has_part(c, part));
}

static void ignore_all(struct client *c)
{
    pthread_mutex_lock(&lock);
    c->read = c->messages.len;
    pthread_mutex_unlock(&lock);
}

static uint64_t id_of(const struct client *c)
{
    const struct tailnet_snapshot *s = tailnet_pin(d.tailnet);
    const struct tailnet_node *n = snapshot_node(s, tailnet_find_key(d.tailnet, c->node_key));
    uint64_t id = n ? n->record->r.id : 0;

    tailnet_unpin(s);
    assert_true(id > 0);
    return id;
}

static void delete_node(uint64_t id)
{
    struct core_admin a = {.op = ADMIN_NODE_DELETE, .id = id};

    assert_int_equal(admin(&a), 0);
    core_admin_release(&a);
}

static void leave(struct client *c)
{
    delete_node(id_of(c));
    client_stop(c);
}

/* ---- the stories ---- */

static void a_key_lets_in_and_a_stream_begins_with_everything(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    join(&a);
    json_t *login = answer_of(&a);
    assert_string_equal(json_text(json_object_get(login, "Login"), "LoginName", ""), "alice");
    json_decref(login);
    poll_map(&a, "");
    json_t *m = hear(&a);
    assert_string_equal(json_text(json_object_get(m, "Node"), "Name", ""), "a.tn.example.com.");
    assert_non_null(json_object_get(m, "DERPMap"));
    assert_non_null(json_object_get(m, "PacketFilters"));
    assert_null(json_object_get(m, "Peers"));
    json_decref(m);
    leave(&a);
}

static void clients_hear_of_each_other(void **state)
{
    static struct client a, b;

    (void)state;
    client_start(&a, "a");
    join(&a);
    poll_map(&a, "");
    client_start(&b, "b");
    join(&b);
    hears(&a, "\"b.tn.example.com.\"");
    poll_map(&b, "");
    hears(&b, "\"a.tn.example.com.\"");
    hears(&a, "\"Online\":true");
    ignore_all(&a);

    assert_int_equal(
        call(&b, "POST", "/machine/map",
             request(&b, ",\"OmitPeers\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"b\",\"NetInfo\":"
                         "{\"PreferredDERP\":7}},\"Endpoints\":[\"192.0.2.1:5\"],\"EndpointTypes\":[2]")),
        200);
    assert_int_equal(b.answer.len, 0);
    hears(&a, "\"DERPRegion\":7,\"Endpoints\":[\"192.0.2.1:5\"]");
    ignore_all(&a);
    disconnect(&b);
    hears(&a, "\"Online\":false");
    leave(&b);
    hears(&a, "\"PeersRemoved\":[");
    leave(&a);
}

static void a_wrong_key_is_told_in_words(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, ",\"Auth\":{\"AuthKey\":\"hskey-auth-no\"}")),
                     200);
    assert_answer(&a, "Error", "\"invalid pre auth key\"");
    assert_answer(&a, "MachineAuthorized", "false");
    client_stop(&a);
}

static void a_person_approves_and_the_waiting_client_is_in(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, ",\"Hostinfo\":{\"Hostname\":\"a\"}")), 200);
    json_t *root = answer_of(&a);
    char *url = mem_strdup(json_text(root, "AuthURL", ""));
    json_decref(root);
    assert_true(str_starts(url, "http://127.0.0.1:8080/register/hskey-authreq-"));
    begin_call(&a, "POST", "/machine/register",
               request(&a, ",\"Followup\":\"%s\",\"Hostinfo\":{\"Hostname\":\"a\"}", url));
    struct core_admin approve = {.op = ADMIN_REGISTER, .text = strrchr(url, '/') + 1, .name = "alice"};
    assert_int_equal(admin(&approve), 0);
    core_admin_release(&approve);
    WAIT(a.replied);
    assert_answer(&a, "AuthURL", "\"\"");
    assert_answer(&a, "MachineAuthorized", "true");
    free(url);
    leave(&a);
}

static void a_waiting_client_may_go_away(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, ",\"Hostinfo\":{\"Hostname\":\"a\"}")), 200);
    json_t *root = answer_of(&a);
    const char *url = json_text(root, "AuthURL", "");
    for (int i = 0; i < 3; i++) {
        begin_call(&a, "POST", "/machine/register", request(&a, ",\"Followup\":\"%s\"", url));
        disconnect(&a);
        WAIT(a.replied);
        connect_client(&a);
    }
    struct core_admin reject = {.op = ADMIN_AUTH_REJECT, .text = strrchr(url, '/') + 1};
    assert_int_equal(admin(&reject), 0);
    core_admin_release(&reject);
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, ",\"Followup\":\"%s\"", url)), 200);
    json_decref(root);
    root = answer_of(&a); /* asked again, under a new address */
    assert_true(strstr(json_text(root, "AuthURL", ""), "/register/hskey-authreq-") != NULL);
    json_decref(root);
    client_stop(&a);
}

static void a_logout_needs_a_new_login(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    join(&a);
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, " ")), 200); /* a daemon that restarts */
    assert_answer(&a, "MachineAuthorized", "true");
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, ",\"Expiry\":\"1970-01-01T00:02:03Z\"")), 200);
    assert_answer(&a, "NodeKeyExpired", "true");
    random_bytes(a.node_key, KEY_LEN);
    join(&a);
    leave(&a);
}

static void the_newest_stream_of_a_node_wins(void **state)
{
    static struct client a, twin, b;

    (void)state;
    client_start(&b, "b");
    join(&b);
    poll_map(&b, "");
    client_start(&a, "a");
    join(&a);
    poll_map(&a, "");
    json_decref(hear(&a));
    hears(&b, "\"Online\":true");
    ignore_all(&b);
    client_start(&twin, "a");
    memcpy(twin.node_key, a.node_key, KEY_LEN);
    memcpy(twin.options.machine_private, a.options.machine_private, 32);
    disconnect(&twin);
    connect_client(&twin);
    poll_map(&twin, "");
    json_decref(hear(&twin));
    WAIT(a.ended);
    assert_int_equal(call(&a, "GET", "/machine/whoami", mem_strdup("")), 200); /* the connection stays */
    disconnect(&twin);
    /* Nothing but the end of the last stream makes the node offline. */
    hears(&b, "\"Online\":false");
    client_stop(&twin);
    leave(&a);
    leave(&b);
}

static bool cloned;

static void hear_event(void *arg, const struct event *e)
{
    (void)arg;
    if (strcmp(e->kind, "node.cloned") == 0 && strstr(e->text, "127.0.0.1") && strstr(e->text, "127.0.0.2"))
        set(&cloned);
}

static void hear_nothing(void *arg, uint64_t node_id)
{
    (void)arg;
    (void)node_id;
}

static void a_node_in_two_places_is_an_alarm(void **state)
{
    static struct client a, twin;
    struct client *both[] = {&a, &twin};

    (void)state;
    core_listen(d.core, &(struct core_listener){.event = hear_event, .volatile_change = hear_nothing, .arg = &cloned});
    client_start(&a, "a");
    join(&a);
    client_start(&twin, "a");
    memcpy(twin.node_key, a.node_key, KEY_LEN);
    memcpy(twin.options.machine_private, a.options.machine_private, 32);
    assert_int_equal(addr_parse("127.0.0.2", &twin.options.source, NULL), 0);
    disconnect(&twin);
    connect_client(&twin);
    poll_map(&a, "");
    json_decref(hear(&a));
    for (int i = 1; i <= 5; i++) { /* as many as may be a coincidence */
        poll_map(both[i % 2], "");
        json_decref(hear(both[i % 2]));
        WAIT(both[(i + 1) % 2]->ended);
    }
    assert_false(cloned);
    poll_map(&a, "");
    WAIT(cloned);
    core_unlisten(d.core, &cloned);
    client_stop(&twin);
    leave(&a);
}

static void a_deleted_node_hears_it_and_its_stream_ends(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    join(&a);
    poll_map(&a, "");
    json_decref(hear(&a));
    delete_node(id_of(&a));
    hears(&a, "\"KeyExpiry\":\"2020-01-01T00:00:00Z\"");
    WAIT(a.ended);
    ignore_all(&a);
    poll_map(&a, ""); /* it comes back as if nothing had been; now it is kept: it would call without end */
    hears(&a, "\"KeyExpiry\":\"2020-01-01T00:00:00Z\"");
    assert_false(a.ended);
    assert_int_equal(call(&a, "POST", "/machine/map", request(&a, ",\"OmitPeers\":true")), 404);
    client_stop(&a);
}

static void an_approval_reaches_everybody(void **state)
{
    static struct client a, r;
    struct prefix p = {{32, {10, 0, 0, 0}}, 24};

    (void)state;
    client_start(&a, "a");
    join(&a);
    poll_map(&a, "");
    client_start(&r, "r");
    join(&r);
    poll_map(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(hear(&r));
    struct core_admin approve = {.op = ADMIN_NODE_ROUTES, .id = id_of(&r)};
    prefixes_add(&approve.prefixes, &p);
    assert_int_equal(admin(&approve), 0);
    prefixes_release(&approve.prefixes);
    core_admin_release(&approve);
    hears(&a, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    hears(&r, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    ignore_all(&a);
    disconnect(&r);
    hears(&a, "\"Online\":false"); /* withdrawn: nobody serves it */
    leave(&r);
    leave(&a);
}

static void one_map_is_one_answer(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    join(&a);
    assert_int_equal(call(&a, "POST", "/machine/map", request(&a, " ")), 200);
    assert_true(a.answer.len > 4);
    buf_cut(&a.answer, 4);
    assert_answer(&a, "Domain", "\"127.0.0.1\"");
    leave(&a);
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } cases[] = {
        {"POST", "/machine/map", "{}", 400},
        {"POST", "/machine/map", "not json", 400},
        {"POST", "/machine/register", "not json", 200}, /* the user reads Error */
        {"GET", "/machine/map", "", 405},
        {"GET", "/machine/whoami", "", 200},
        {"POST", "/machine/set-dns", "{}", 501},
        {"PATCH", "/machine/set-device-attr", "{}", 501},
        {"POST", "/machine/id-token", "{}", 501},
        {"POST", "/machine/feature/query", "{}", 200},
        {"POST", "/machine/update-health", "{\"Subsys\":\"x\",\"Error\":\"y\"}", 204},
        {"POST", "/machine/audit-log", "{}", 200},
        {"POST", "/machine/webclient/init/1/to/2", "", 501},
        {"GET", "/machine/tka/init/begin", "{}", 501},
        {"GET", "/machine/ssh/action/1/to/999", "", 404},
        {"GET", "/machine/ssh/action/x", "", 400},
        {"GET", "/metrics", "", 404},
        {"GET", "/api/v1/node", "", 404},
    };
    static struct client a;

    (void)state;
    client_start(&a, "a");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int status = call(&a, cases[i].method, cases[i].path, mem_strdup(cases[i].body));
        if (status != cases[i].status)
            fail_msg("%s %s: %d, not %d", cases[i].method, cases[i].path, status, cases[i].status);
    }
    assert_int_equal(call(&a, "POST", "/machine/map", request(&a, ",\"Stream\":true")), 404); /* nobody's key */
    client_stop(&a);
}

static void somebody_elses_node_key_opens_nothing(void **state)
{
    static struct client a, thief;

    (void)state;
    client_start(&a, "a");
    join(&a);
    client_start(&thief, "thief");
    memcpy(thief.node_key, a.node_key, KEY_LEN);
    assert_int_equal(call(&thief, "POST", "/machine/map", request(&thief, ",\"OmitPeers\":true")), 404);
    call(&thief, "POST", "/machine/register", request(&thief, " "));
    assert_answer(&thief, "MachineAuthorized", "false");
    char *path = mem_format("/machine/ssh/action/1/to/%llu", (unsigned long long)id_of(&a));
    assert_int_equal(call(&thief, "GET", path, mem_strdup("")), 401);
    free(path);
    client_stop(&thief);
    leave(&a);
}

static void too_old_clients_are_told_what_to_do(void **state)
{
    static struct client a;

    (void)state;
    client_start(&a, "a");
    a.version = 109;
    assert_int_equal(call(&a, "POST", "/machine/register", request(&a, " ")), 200);
    assert_answer(&a, "Error", "\"Tailscale 1.78 is too old for this server: update to 1.80 or later\"");
    assert_int_equal(call(&a, "POST", "/machine/map", request(&a, " ")), 400);
    client_stop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_lets_in_and_a_stream_begins_with_everything),
        cmocka_unit_test(clients_hear_of_each_other),
        cmocka_unit_test(a_wrong_key_is_told_in_words),
        cmocka_unit_test(a_person_approves_and_the_waiting_client_is_in),
        cmocka_unit_test(a_waiting_client_may_go_away),
        cmocka_unit_test(a_logout_needs_a_new_login),
        cmocka_unit_test(the_newest_stream_of_a_node_wins),
        cmocka_unit_test(a_node_in_two_places_is_an_alarm),
        cmocka_unit_test(a_deleted_node_hears_it_and_its_stream_ends),
        cmocka_unit_test(an_approval_reaches_everybody),
        cmocka_unit_test(one_map_is_one_answer),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(somebody_elses_node_key_opens_nothing),
        cmocka_unit_test(too_old_clients_are_told_what_to_do),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
