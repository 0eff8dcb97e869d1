/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/control_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "rpc/call.h"

struct rig rig;

void rig_wait(sem_t *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RIG_WAIT_SECONDS;
    if (sem_timedwait(s, &until) < 0)
        fail_msg("nothing happened for %d s", RIG_WAIT_SECONDS);
}

static void on_close(struct rpc *rpc, enum rpc_end why)
{
    rig.why = why;
    atomic_store(&rig.stream, NULL);
    free(rpc->user);
    sem_post(&rig.closed);
}

static void echo(struct rpc *rpc, void *arg)
{
    (void)arg;
    snprintf(rig.path, sizeof(rig.path), "%s", rpc->path);
    snprintf(rig.query, sizeof(rig.query), "%s", rpc->query);
    snprintf(rig.method, sizeof(rig.method), "%s", rpc->method);
    snprintf(rig.peer, sizeof(rig.peer), "%s", rpc_conn_peer_text(rpc->conn));
    assert_int_equal(rpc->body[rpc->body_len], 0);
    rpc->on_close = on_close;
    rpc_reply(rpc, 200, "application/json", rpc->body, rpc->body_len);
}

static void busy(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc_retry_after(rpc, 7);
    rpc_reply_text(rpc, 429, "later\n");
}

/* A stream sends as many messages of a given size as its query requests, one per pull. */
struct talk {
    unsigned left;
    size_t size;
    bool end;
};

static void talk_pull(struct rpc *rpc, struct rpc_bytes *out)
{
    struct talk *t = rpc->user;
    uint8_t length[4];

    rig.pulls++;
    if (!t->left) {
        if (t->end)
            rpc_stream_end(rpc);
        return;
    }
    t->left--;
    for (unsigned i = 0; i < 4; i++)
        length[i] = (uint8_t)(t->size >> 8 * i);
    struct chunk *c = chunk_alloc(t->size);
    for (size_t i = 0; i < t->size; i++)
        c->data[i] = (uint8_t)i;
    rpc_bytes_copy(out, length, 4);
    rpc_bytes_add(out, c);
}

static void on_written(struct rpc *rpc)
{
    assert_int_equal(((struct rpc_call *)rpc)->out.available, 0);
    sem_post(&rig.written);
}

static void talk(struct rpc *rpc, void *arg)
{
    struct talk *t = mem_alloc(sizeof(*t));
    char *rest;

    (void)arg;
    t->left = (unsigned)strtoul(rpc->query, &rest, 10);
    assert_int_equal(*rest, ',');
    t->size = strtoul(rest + 1, &rest, 10);
    t->end = str_eq(rest, ",e");
    rpc->user = t;
    rpc->on_close = on_close;
    rpc->on_written = on_written;
    rpc_stream_start(rpc, 200, "application/octet-stream", talk_pull);
    rpc_stream_ready(rpc);
    atomic_store(&rig.stream, rpc);
}

static const struct rpc_route routes[] = {
    {"POST", "/machine/echo", false, echo},
    {"HEAD", "/machine/echo", false, echo},
    {"POST", "/machine/talk", false, talk},
    {NULL, "/machine/busy/", true, busy},
};

static bool knows(void *arg, const uint8_t key[CRYPTO_KEY_LEN])
{
    (void)arg;
    (void)key;
    return rig.all_known;
}

/* ---- Front ---- */

static void to_control(void *arg, struct stream *s, const struct head *h)
{
    (void)arg;
    rpc_server_accept(rig.server, s, h);
}

static void to_nobody(void *arg, int fd, const struct addr_port *peer, bool reserved)
{
    (void)arg;
    (void)peer;
    (void)reserved;
    close(fd);
}

static bool is_known_here(void *arg, const struct addr *from)
{
    (void)arg;
    (void)from;
    return rig.known_here;
}

static bool is_reserved(void *arg, const struct head *h)
{
    (void)arg;
    return strcmp(h->path, "/reserved") == 0;
}

static void measured(void *arg, uint64_t owner, int64_t us)
{
    (void)arg;
    if (owner == 1 && us >= 0)
        rig.answered++;
    if (owner == 2 && us < 0)
        rig.lost++;
}

int rig_set_up(void **state)
{
    struct rpc_server_options options = {
        .routes = routes, .route_count = ARRAY_LEN(routes), .knows = knows, .measured = measured, .times = rig.times};
    struct front_options front_options = {.control = to_control,
                                          .known = is_known_here,
                                          .reserved = is_reserved,
                                          .other = rig.other ? rig.other : to_nobody,
                                          .cert_path = rig.cert_path,
                                          .key_path = rig.key_path,
                                          .head_ms = rig.head_ms,
                                          .heads_max = rig.heads_max,
                                          .stall_ms = rig.stall_ms,
                                          .trusted_proxies = rig.trusted_proxies};
    struct err e = {0};

    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    rig.loops = loops_new(2, &e);
    assert_int_equal(loops_start(rig.loops, &e), 0);
    options.loops = front_options.loops = rig.loops;
    crypto_x25519_generate(options.private_key, rig.public_key);
    rig.server = rpc_server_new(&options, &e);
    strs_push(&front_options.listen, "127.0.0.1:0");
    rig.front = front_new(&front_options, &e);
    strs_release(&front_options.listen);
    if (!rig.front)
        fail_msg("%s", e.message);
    return 0;
}

int rig_tear_down(void **state)
{
    (void)state;
    front_free(rig.front);
    rpc_server_free(rig.server);
    loops_free(rig.loops);
    return 0;
}

int rig_before(void **state)
{
    (void)state;
    sem_init(&rig.closed, 0, 0);
    sem_init(&rig.written, 0, 0);
    rig.pulls = 0;
    rig.all_known = true;
    return 0;
}

int rig_after(void **state)
{
    struct rpc_counts counts;

    (void)state;
    do {
        rpc_server_counts(rig.server, &counts);
        sched_yield();
    } while (counts.connections);
    return 0;
}

/* ---- A client ---- */

static void client_open(struct ts_client *ts, void *arg)
{
    (void)ts;
    sem_post(&((struct rig_client *)arg)->open);
}

static void client_closed(struct ts_client *ts, void *arg, const char *why)
{
    struct rig_client *c = arg;

    (void)ts;
    c->ts = NULL;
    c->why = why;
    sem_post(&c->closed);
}

static void dial(void *arg)
{
    struct rig_client *c = arg;

    c->ts = ts_client_open(&c->o, NULL);
    assert_non_null(c->ts);
}

void rig_client_init(struct rig_client *c)
{
    *c = (struct rig_client){.answer = BUF_INIT(0)};
    sem_init(&c->open, 0, 0);
    sem_init(&c->closed, 0, 0);
    sem_init(&c->replied, 0, 0);
    sem_init(&c->ended, 0, 0);
    c->o = (struct ts_client_options){
        .loop = loops_at(rig.loops, 1), .arg = c, .on_open = client_open, .on_close = client_closed};
    assert_int_equal(addr_port_parse("127.0.0.1:1", &c->o.server, NULL), 0);
    c->o.server.port = (uint16_t)front_port(rig.front, 0);
    memcpy(c->o.server_public, rig.public_key, 32);
    random_bytes(c->o.machine_private, 32);
}

void rig_client_dial(struct rig_client *c)
{
    loop_post(c->o.loop, dial, c);
}

void rig_client_connect(struct rig_client *c)
{
    rig_client_init(c);
    rig_client_dial(c);
    rig_wait(&c->open);
}

static void hang_up(void *arg)
{
    struct rig_client *c = arg;

    ts_client_close(c->ts);
    sem_post(&c->closed);
}

void rig_client_disconnect(struct rig_client *c)
{
    loop_post(c->o.loop, hang_up, c);
    rig_wait(&c->closed);
    buf_release(&c->answer);
}

static void got_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct rig_client *c = arg;

    c->status = status;
    buf_clear(&c->answer);
    buf_add(&c->answer, bytes, len);
    sem_post(&c->replied);
}

static void send_call(void *arg)
{
    struct rig_client *c = arg;

    ts_client_call(c->ts, c->method, c->path, c->body, c->body_len, got_reply, c);
}

void rig_client_call(struct rig_client *c, const char *method, const char *path, const char *body, size_t len)
{
    c->method = method;
    c->path = path;
    c->body = body;
    c->body_len = len;
    loop_post(c->o.loop, send_call, c);
    rig_wait(&c->replied);
}

static void got_part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    struct rig_client *c = arg;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] != (uint8_t)(at + i))
            fail_msg("byte %zu of a message is wrong", at + i);
    c->bytes += len;
    if (at + len == total) {
        c->messages++;
        sem_post(&c->replied);
    }
}

static void got_end(void *arg, int status, uint32_t error)
{
    struct rig_client *c = arg;

    c->status = status;
    c->error = error;
    sem_post(&c->ended);
}

static void send_stream(void *arg)
{
    static const struct ts_stream_handler handler = {got_part, got_end};
    struct rig_client *c = arg;

    c->stream = ts_client_stream(c->ts, c->path, "{}", 2, &handler, c);
}

void rig_client_stream(struct rig_client *c, const char *path)
{
    c->path = path;
    loop_post(c->o.loop, send_stream, c);
}

void rig_more(void *arg)
{
    struct rpc *rpc = arg;

    ((struct talk *)rpc->user)->left++;
    rpc_stream_ready(rpc);
}
