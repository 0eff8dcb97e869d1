/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/client/ts_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "crypto/crypto.h"
#include "net/head.h"

void cut_front(struct buf *b, size_t front)
{
    if (front >= b->len) {
        buf_clear(b);
        return;
    }
    memmove(b->data, b->data + front, b->len - front + 1);
    b->len -= front;
}

#define EARLY_HEAD 9

enum stage { STAGE_UPGRADE, STAGE_RESPONSE, STAGE_EARLY, STAGE_OPEN };

struct ts_call {
    struct ts_call *next, **back;
    struct ts_client *client;
    const uint8_t *body; /* owned */
    size_t body_len, body_at;
    int status;
    ts_reply *reply;
    struct buf answer;
    struct ts_stream_handler stream;
    bool streaming;
    uint8_t length[4]; /* of the message being received */
    size_t length_got, total, at;
    void *arg;
};

struct ts_client {
    struct ts_client_options o;
    struct stream *stream;
    enum stage stage;
    struct ts_noise noise;
    uint8_t machine_public[NOISE_KEY_LEN];
    struct noise_reader in;
    struct noise_writer out;
    nghttp2_session *h2;
    struct buf held;   /* read but not parsed */
    struct buf unsent; /* for the socket */
    struct buf plain;  /* injected */
    size_t early_left;
    uint64_t bytes_in;
    struct ts_call *calls;
    struct loop_task flush;
    const char *dead; /* why it is closed at the next flush */
};

static void touch(struct ts_client *c)
{
    loop_defer(c->o.loop, &c->flush);
}

static void die(struct ts_client *c, const char *why)
{
    if (!c->dead)
        c->dead = why;
    touch(c);
}

/* ---- Calls ---- */

static void call_free(struct ts_call *call)
{
    *call->back = call->next;
    if (call->next)
        call->next->back = call->back;
    free((void *)(uintptr_t)call->body);
    buf_release(&call->answer);
    free(call);
}

static void call_end(struct ts_call *call, uint32_t error)
{
    if (call->streaming)
        call->stream.end(call->arg, call->status, error);
    else
        call->reply(call->arg, error ? 0 : call->status, (const uint8_t *)buf_text(&call->answer), call->answer.len);
    call_free(call);
}

static void stream_bytes(struct ts_call *call, const uint8_t *bytes, size_t len)
{
    while (len) {
        if (call->length_got < 4) {
            call->length[call->length_got++] = *bytes++;
            len--;
            if (call->length_got < 4)
                continue;
            call->total = (size_t)call->length[0] | (size_t)call->length[1] << 8 | (size_t)call->length[2] << 16 |
                          (size_t)call->length[3] << 24;
            call->at = 0;
        }
        size_t n = call->total - call->at < len ? call->total - call->at : len;
        if (n)
            call->stream.part(call->arg, bytes, n, call->at, call->total);
        call->at += n;
        bytes += n;
        len -= n;
        if (call->at == call->total)
            call->length_got = 0;
    }
}

static ssize_t read_body(nghttp2_session *h2, int32_t id, uint8_t *to, size_t len, uint32_t *flags,
                         nghttp2_data_source *source, void *arg)
{
    struct ts_call *call = source->ptr;
    size_t n = call->body_len - call->body_at < len ? call->body_len - call->body_at : len;

    (void)h2;
    (void)id;
    (void)arg;
    memcpy(to, call->body + call->body_at, n);
    call->body_at += n;
    if (call->body_at == call->body_len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int32_t submit(struct ts_client *c, struct ts_call *call, const char *method, const char *path, const void *body,
                      size_t len)
{
    const char *texts[][2] = {{":method", method}, {":scheme", "https"},        {":authority", "unused"},
                              {":path", path},     {"accept-encoding", "gzip"}, {"user-agent", "Go-http-client/2.0"}};
    nghttp2_nv heads[ARRAY_LEN(texts)];
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        heads[i] = (nghttp2_nv){(uint8_t *)(uintptr_t)texts[i][0], (uint8_t *)(uintptr_t)texts[i][1],
                                strlen(texts[i][0]), strlen(texts[i][1]), NGHTTP2_NV_FLAG_NONE};
    call->client = c;
    call->body = mem_dup(len ? body : "", len);
    call->body_len = len;
    call->next = c->calls;
    if (call->next)
        call->next->back = &call->next;
    call->back = &c->calls;
    c->calls = call;
    int32_t id = nghttp2_submit_request(c->h2, NULL, heads, ARRAY_LEN(heads), len ? &provider : NULL, call);
    if (id < 0)
        die(c, "a request cannot be sent");
    touch(c);
    return id;
}

int32_t ts_client_call(struct ts_client *c, const char *method, const char *path, const void *body, size_t len,
                       ts_reply *reply, void *arg)
{
    struct ts_call *call = mem_alloc(sizeof(*call));

    call->reply = reply;
    call->arg = arg;
    return submit(c, call, method, path, body, len);
}

int32_t ts_client_stream(struct ts_client *c, const char *path, const void *body, size_t len,
                         const struct ts_stream_handler *handler, void *arg)
{
    struct ts_call *call = mem_alloc(sizeof(*call));

    call->streaming = true;
    call->stream = *handler;
    call->arg = arg;
    return submit(c, call, "POST", path, body, len);
}

void ts_client_reset(struct ts_client *c, int32_t stream_id)
{
    nghttp2_submit_rst_stream(c->h2, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_CANCEL);
    touch(c);
}

/* ---- HTTP/2 ---- */

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
    struct ts_call *call = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);

    (void)flags;
    (void)arg;
    if (call && name_len == 7 && memcmp(name, ":status", 7) == 0)
        for (size_t i = 0; i < value_len; i++)
            call->status = call->status * 10 + (value[i] - '0');
    return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *arg)
{
    struct ts_call *call = nghttp2_session_get_stream_user_data(h2, id);

    (void)flags;
    (void)arg;
    if (call && call->streaming && call->status == 200)
        stream_bytes(call, bytes, len);
    else if (call)
        buf_add(&call->answer, bytes, len);
    return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t id, uint32_t error, void *arg)
{
    struct ts_call *call = nghttp2_session_get_stream_user_data(h2, id);

    (void)arg;
    if (call)
        call_end(call, error);
    return 0;
}

static nghttp2_session_callbacks *callbacks(void)
{
    static nghttp2_session_callbacks *shared;
    nghttp2_session_callbacks *made;

    if (shared)
        return shared;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    return shared = made;
}

static void start_h2(struct ts_client *c)
{
    /* As set by Go's client. */
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4194304},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 16384},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 10485760},
    };
    nghttp2_option *option;

    nghttp2_option_new(&option);
    if (c->o.answer_no_ping)
        nghttp2_option_set_no_auto_ping_ack(option, 1);
    nghttp2_session_client_new2(&c->h2, callbacks(), c, option);
    nghttp2_option_del(option);
    nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings));
    nghttp2_session_set_local_window_size(c->h2, NGHTTP2_FLAG_NONE, 0, 1 << 30);
    touch(c);
}

/* ---- In ---- */

/* Each stage consumes bytes from the front of held; false: it needs more. */
static bool take_upgrade(struct ts_client *c)
{
    const char *end = memmem(buf_text(&c->held), c->held.len, "\r\n\r\n", 4);

    if (!end)
        return false;
    if (!str_starts(c->held.data, "HTTP/1.1 101 ")) {
        die(c, "the upgrade was refused");
        return false;
    }
    cut_front(&c->held, (size_t)(end - c->held.data) + 4);
    c->stage = STAGE_RESPONSE;
    return true;
}

static bool take_response(struct ts_client *c)
{
    struct noise_keys keys;

    if (c->held.len && c->held.data[0] == NOISE_ERROR) {
        die(c, "the server refused the handshake");
        return false;
    }
    if (c->held.len < NOISE_RESPONSE_LEN)
        return false;
    if (ts_noise_finish(&c->noise, (const uint8_t *)c->held.data, &keys) < 0) {
        die(c, "the handshake failed");
        return false;
    }
    cut_front(&c->held, NOISE_RESPONSE_LEN);
    noise_writer_init(&c->out, keys.to_server);
    noise_reader_init(&c->in, keys.to_client);
    c->stage = STAGE_EARLY;
    start_h2(c);
    if (c->o.on_open)
        c->o.on_open(c, c->o.arg);
    return true;
}

static void take_plain(struct ts_client *c, const uint8_t *bytes, size_t len)
{
    if (c->stage == STAGE_EARLY) {
        if (!c->early_left) {
            /* The server sends EarlyNoise in one record, or not at all. */
            if (len >= EARLY_HEAD && memcmp(bytes, "\xff\xff\xffTS", 5) == 0)
                c->early_left = EARLY_HEAD + ((size_t)bytes[7] << 8 | bytes[8]);
            else
                c->stage = STAGE_OPEN;
        }
        size_t skip = c->early_left < len ? c->early_left : len;
        bytes += skip;
        len -= skip;
        c->early_left -= skip;
        if (!c->early_left)
            c->stage = STAGE_OPEN;
    }
    if (!len)
        return;
    ssize_t n = nghttp2_session_mem_recv(c->h2, bytes, len);
    if (n < 0)
        die(c, nghttp2_strerror((int)n));
}

static void take_records(struct ts_client *c, uint8_t *bytes, size_t len, size_t *taken)
{
    uint8_t *plain;
    size_t plain_len;

    for (*taken = 0; !c->dead;) {
        long n = noise_reader_open(&c->in, bytes + *taken, len - *taken, &plain, &plain_len, NULL);
        if (n < 0)
            die(c, "a record does not open");
        if (n <= 0)
            return;
        *taken += (size_t)n;
        take_plain(c, plain, plain_len);
    }
}

static void readable(struct stream *s, void *arg)
{
    struct ts_client *c = arg;
    uint8_t *in = loop_scratch_in(c->o.loop);
    size_t taken = 0;

    if (c->held.len)
        memcpy(in, c->held.data, c->held.len);
    long n = stream_read(s, in + c->held.len, LOOP_SCRATCH - c->held.len, NULL);
    if (n < 0)
        die(c, "closed by the server");
    if (n <= 0)
        return;
    c->bytes_in += (uint64_t)n;
    size_t len = c->held.len + (size_t)n;
    if (c->stage < STAGE_EARLY) {
        buf_add(&c->held, in + c->held.len, (size_t)n);
        while (c->stage < STAGE_EARLY && !c->dead)
            if (!(c->stage == STAGE_UPGRADE ? take_upgrade(c) : take_response(c)))
                return;
        len = c->held.len;
        memcpy(in, buf_text(&c->held), len);
    }
    take_records(c, in, len, &taken);
    buf_release(&c->held);
    if (len - taken)
        buf_add(&c->held, in + taken, len - taken);
    touch(c);
}

/* ---- Out ---- */

static void produce(struct ts_client *c)
{
    uint8_t *out = loop_scratch_out(c->o.loop);
    const uint8_t *bytes;
    ssize_t n = 1;

    while (n > 0 && c->h2) {
        noise_writer_begin(&c->out, out, LOOP_SCRATCH);
        while (noise_writer_room(&c->out) > 20000 && (n = nghttp2_session_mem_send(c->h2, &bytes)) > 0)
            noise_writer_add(&c->out, bytes, (size_t)n);
        if (!noise_writer_end(&c->out))
            break;
        buf_add(&c->unsent, out, c->out.len);
    }
    for (size_t at = 0; c->h2 && at < c->plain.len;) {
        size_t piece = c->plain.len - at < 65536 ? c->plain.len - at : 65536;
        noise_writer_begin(&c->out, out, LOOP_SCRATCH);
        noise_writer_add(&c->out, c->plain.data + at, piece);
        noise_writer_end(&c->out);
        buf_add(&c->unsent, out, c->out.len);
        at += piece;
    }
    buf_release(&c->plain);
}

static void end_calls(struct ts_client *c)
{
    for (struct ts_call *call = c->calls, *next; call; call = next) {
        next = call->next;
        call_end(call, NGHTTP2_CANCEL);
    }
}

static void ts_free(struct ts_client *c)
{
    end_calls(c);
    loop_undefer(c->o.loop, &c->flush);
    stream_close(c->stream);
    nghttp2_session_del(c->h2);
    ts_noise_release(&c->noise);
    noise_reader_release(&c->in);
    noise_writer_release(&c->out);
    buf_release(&c->held);
    buf_release(&c->unsent);
    buf_release(&c->plain);
    free(c);
}

static void flush(struct loop_task *task)
{
    struct ts_client *c = CONTAINER_OF(task, struct ts_client, flush);

    if (!c->dead)
        produce(c);
    if (!c->dead && c->unsent.len) {
        long n = stream_write(c->stream, c->unsent.data, c->unsent.len, NULL);
        if (n < 0)
            c->dead = "closed by the server";
        else if ((size_t)n == c->unsent.len)
            buf_release(&c->unsent);
        else
            cut_front(&c->unsent, (size_t)n);
    }
    if (!c->dead)
        return;
    end_calls(c); /* before on_close, whose owner may free everything that the calls write to */
    if (c->o.on_close)
        c->o.on_close(c, c->o.arg, c->dead);
    ts_free(c);
}

static void writable(struct stream *s, void *arg)
{
    (void)s;
    touch(arg);
}

/* ---- Opening and closing ---- */

static socklen_t to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (a->bits == 128) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, a->bytes, 16);
        return sizeof(*in6);
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, a->bytes, 4);
    return sizeof(*in);
}

static int dial(const struct addr_port *server, const struct addr *source, int flags, struct err *e)
{
    struct sockaddr_storage to, from;
    socklen_t len = to_sockaddr(&server->addr, server->port, &to);
    int one = 1, fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0)
        return err_set(e, ERR_IO, "socket: %s", strerror(errno));
    if (source && source->bits) {
        socklen_t from_len = to_sockaddr(source, 0, &from);
        /* The port is chosen when connecting, so that a source address can have more connections than ports. */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
        if (bind(fd, (struct sockaddr *)&from, from_len) < 0)
            goto fail;
    }
    if (connect(fd, (struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS)
        return fd;
fail:
    err_set(e, ERR_IO, "connect: %s", strerror(errno));
    close(fd);
    return ERR_IO;
}

struct ts_client *ts_client_open(const struct ts_client_options *options, struct err *e)
{
    static const struct stream_handler handler = {readable, writable};
    uint8_t message[NOISE_INITIATION_LEN];
    int fd = dial(&options->server, &options->source, SOCK_NONBLOCK, e);

    if (fd < 0)
        return NULL;
    if (options->receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options->receive_buffer, sizeof(options->receive_buffer));
    struct ts_client *c = mem_alloc(sizeof(*c));
    c->o = *options;
    c->flush.run = flush;
    c->stream = stream_new(options->loop, fd, options->tls, &options->server, e);
    if (!c->stream) {
        free(c);
        return NULL;
    }
    stream_handle(c->stream, &handler, c);
    crypto_x25519_public(options->machine_private, c->machine_public);
    ts_noise_begin(&c->noise, options->version ? options->version : TS_VERSION, options->machine_private,
                   options->server_public, NULL, message);
    buf_adds(&c->unsent,
             "POST /ts2021 HTTP/1.1\r\nHost: test\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 0\r\n"
             "Connection: upgrade\r\nUpgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: ");
    crypto_base64(&c->unsent, message, sizeof(message));
    buf_adds(&c->unsent, "\r\n");
    if (options->head)
        buf_adds(&c->unsent, options->head);
    buf_adds(&c->unsent, "\r\n");
    touch(c);
    return c;
}

void ts_client_close(struct ts_client *c)
{
    if (c)
        ts_free(c);
}

void ts_client_inject(struct ts_client *c, const void *plain, size_t len)
{
    buf_add(&c->plain, plain, len);
    touch(c);
}

void ts_client_inject_raw(struct ts_client *c, const void *bytes, size_t len)
{
    buf_add(&c->unsent, bytes, len);
    touch(c);
}

void ts_client_pause(struct ts_client *c, bool paused)
{
    stream_pause(c->stream, paused);
}

const uint8_t *ts_client_machine_public(const struct ts_client *c)
{
    return c->machine_public;
}

uint64_t ts_client_bytes_in(const struct ts_client *c)
{
    return c->bytes_in;
}

int ts_fetch_key(const struct addr_port *server, uint8_t public_key[NOISE_KEY_LEN], struct err *e)
{
    static const char request[] = "GET /key?v=131 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
                      mark[] = "\"publicKey\":\"mkey:";
    struct buf answer = BUF_INIT(65536);
    char piece[4096];
    ssize_t n;
    int fd = dial(server, NULL, 0, e), rc = ERR_INVALID;

    if (fd < 0)
        return fd;
    if (write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1)
        while ((n = read(fd, piece, sizeof(piece))) > 0)
            buf_add(&answer, piece, (size_t)n);
    close(fd);
    const char *at = strstr(buf_text(&answer), mark);
    size_t rest = at ? strlen(at) - (sizeof(mark) - 1) : 0;
    if (rest >= 64 && crypto_unhex(at + sizeof(mark) - 1, 64, public_key, NOISE_KEY_LEN))
        rc = 0;
    else
        err_set(e, ERR_INVALID, "no key in \"%.100s\"", buf_text(&answer));
    buf_release(&answer);
    return rc;
}
