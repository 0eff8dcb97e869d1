/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of a DERP relay that runs in another process, whichever it is: what a packet costs it, and a client.
 *
 *   bench_relay ADDRESS:PORT PID CLIENTS PAIRS SECONDS     CLIENTS connect, the first 2 * PAIRS of them talk
 *   bench_relay ADDRESS:PORT PID stalled SECONDS           a pair alone, then beside one to whom much is sent and who
 *                                                          reads nothing
 *
 * Prints one object of JSON. A sender keeps at most WINDOW packets under way, as many as the reference implementation
 * queues, each in a TLS record of its own as the official client writes them. */
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "front/front.h"
#include "relay/derp/frame.h"

#define PACKET          1280
#define WINDOW          32
#define SEND_LEN        (FRAME_HEADER + RELAY_KEY_LEN + PACKET)
#define CONNECT_AT_ONCE 32
#define FLOOD_PER_MS    5 /* packets to the one who reads nothing */
#define DEAF_MS         3000
#define ASKS_MAX        100000

enum state { NEW, HEAD, LOGIN, READY, GONE };

struct client {
    struct loop_task pump; /* first */
    struct stream *stream;
    enum state state;
    uint8_t key[RELAY_KEY_LEN], secret[RELAY_KEY_LEN];
    struct buf in;
    struct client *to;
    uint64_t sent, arrived; /* arrived: the number after that of the newest packet that came to the other side */
    uint64_t looked;        /* arrived at the last look for losses */
    uint8_t rest[SEND_LEN]; /* what the socket did not take */
    size_t rest_len, rest_at;
    bool deaf, one_by_one;
};

static struct loops *loops;
static struct loop *loop;
static struct loop_tls *tls;
static struct addr_port address;
static struct client *clients;
static unsigned next_to_connect;
static atomic_uint count, ready, lost_links;
static atomic_uint_fast64_t delivered, lost_packets;
static bool talking;
static struct loop_timer look_timer, flood_timer, ask_timer;

static int64_t asked_us;
static int64_t asks[ASKS_MAX];
static atomic_size_t ask_count;

static void die(const char *what, const struct err *e)
{
    fprintf(stderr, "bench_relay: %s%s%s\n", what, e ? ": " : "", e ? e->message : "");
    exit(1);
}

/* ---- On the loop's thread ---- */

static void connect_next(void);

static void leave(struct client *c)
{
    stream_close(c->stream);
    c->stream = NULL;
    loop_undefer(loop, &c->pump);
    buf_release(&c->in);
    c->state = GONE;
}

static void lose(struct client *c, const char *why)
{
    if (!c->deaf) {
        fprintf(stderr, "bench_relay: client %zu lost its connection: %s\n", (size_t)(c - clients), why);
        lost_links++;
    }
    leave(c);
}

static bool write_rest(struct client *c)
{
    while (c->rest_at < c->rest_len) {
        long n = stream_write(c->stream, c->rest + c->rest_at, c->rest_len - c->rest_at, NULL);
        if (n < 0) {
            lose(c, "it cannot be written to");
            return false;
        }
        if (n == 0)
            return false;
        c->rest_at += (size_t)n;
    }
    return true;
}

/* A packet with its number; false: the socket is full, or gone. */
static bool send_packet(struct client *c)
{
    static const uint8_t head[FRAME_HEADER] = {FRAME_SEND, 0, 0, (RELAY_KEY_LEN + PACKET) >> 8,
                                               (RELAY_KEY_LEN + PACKET) & 255};

    memcpy(c->rest, head, FRAME_HEADER);
    memcpy(c->rest + FRAME_HEADER, c->to->key, RELAY_KEY_LEN);
    memcpy(c->rest + FRAME_HEADER + RELAY_KEY_LEN, &c->sent, sizeof(c->sent));
    c->rest_len = SEND_LEN;
    c->rest_at = 0;
    c->sent++;
    return write_rest(c);
}

static void pump(struct client *c)
{
    if (!talking || !c->to || c->state != READY || c->one_by_one || !write_rest(c))
        return;
    while (c->sent - c->arrived < WINDOW && send_packet(c))
        continue;
}

static void run_pump(struct loop_task *task)
{
    pump((struct client *)task);
}

static void take_packet(struct client *c, const uint8_t *payload)
{
    uint64_t number = 0;
    struct client *from = c->to;

    memcpy(&number, payload + RELAY_KEY_LEN, sizeof(number));
    if (!from || number < from->arrived || number >= from->sent)
        return; /* counted as lost already */
    lost_packets += number - from->arrived;
    from->arrived = number + 1;
    delivered++;
    if (from->one_by_one && ask_count < ASKS_MAX)
        asks[ask_count++] = clock_mono_us() - asked_us;
    else
        loop_defer(loop, &from->pump);
}

static void send_login(struct client *c, const uint8_t *server_key)
{
    static const char info[] = "{\"version\":2,\"CanAckPings\":true}";
    uint8_t payload[RELAY_KEY_LEN + 24 + 16 + sizeof(info) - 1];
    struct buf b = BUF_INIT(0);

    memcpy(payload, c->key, RELAY_KEY_LEN);
    randombytes_buf(payload + RELAY_KEY_LEN, 24);
    if (crypto_box_easy(payload + RELAY_KEY_LEN + 24, (const uint8_t *)info, sizeof(info) - 1, payload + RELAY_KEY_LEN,
                        server_key, c->secret) != 0)
        die("the relay's key is no key", NULL);
    frame_put(&b, FRAME_CLIENT_INFO, payload, sizeof(payload));
    stream_write(c->stream, b.data, b.len, NULL);
    buf_release(&b);
}

static void take_frame(struct client *c, uint8_t type, const uint8_t *payload, size_t len)
{
    if (type == FRAME_RECV && len == RELAY_KEY_LEN + PACKET) {
        take_packet(c, payload);
    } else if (type == FRAME_SERVER_KEY && len >= 40) {
        send_login(c, payload + 8);
    } else if (type == FRAME_SERVER_INFO) {
        c->state = READY;
        ready++;
        stream_pause(c->stream, c->deaf);
        connect_next();
    }
}

static size_t take_head(const uint8_t *in, size_t len)
{
    const uint8_t *end = memmem(in, len, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (len < 12 || memcmp(in, "HTTP/1.1 101", 12) != 0)
        die("the relay did not upgrade", NULL);
    return (size_t)(end - in) + 4;
}

/* Returns how much was taken. */
static size_t take(struct client *c, const uint8_t *in, size_t len)
{
    size_t at = 0;

    if (c->state == HEAD) {
        at = take_head(in, len);
        if (!at)
            return 0;
        c->state = LOGIN;
    }
    while (len - at >= FRAME_HEADER && c->state != GONE) {
        size_t n = (size_t)in[at + 1] << 24 | (size_t)in[at + 2] << 16 | (size_t)in[at + 3] << 8 | in[at + 4];
        if (len - at < FRAME_HEADER + n)
            break;
        take_frame(c, in[at], in + at + FRAME_HEADER, n);
        at += FRAME_HEADER + n;
    }
    return at;
}

static void readable(struct stream *s, void *arg)
{
    struct client *c = arg;
    uint8_t *in = loop_scratch_in(loop);
    size_t old = c->in.len;
    struct err e = {0};
    long n = stream_read(s, in + old, LOOP_SCRATCH - old, &e);

    if (n < 0)
        lose(c, e.message);
    if (n <= 0)
        return;
    if (old)
        memcpy(in, c->in.data, old);
    buf_clear(&c->in);
    size_t len = old + (size_t)n, done = take(c, in, len);
    if (c->state != GONE && done < len)
        buf_add(&c->in, in + done, len - done);
}

static void writable(struct stream *s, void *arg)
{
    (void)s;
    if (write_rest(arg))
        pump(arg);
}

static void open_client(struct client *c)
{
    static const struct stream_handler handler = {readable, writable};
    static const char request[] = "GET /derp HTTP/1.1\r\nHost: relay\r\nUser-Agent: bench\r\nConnection: Upgrade\r\n"
                                  "Upgrade: DERP\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(address.port)};
    struct err e;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(&to.sin_addr, address.addr.bytes, 4);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("cannot connect", NULL);
    c->pump.run = run_pump;
    c->state = HEAD;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || !(c->stream = stream_new(loop, fd, tls, &address, &e)))
        die("no stream", &e);
    stream_handle(c->stream, &handler, c);
    memcpy(c->rest, request, sizeof(request) - 1);
    c->rest_len = sizeof(request) - 1;
    c->rest_at = 0;
    write_rest(c); /* which begins the handshake; the rest goes when it is through */
}

static void connect_next(void)
{
    if (next_to_connect < count)
        open_client(&clients[next_to_connect++]);
}

static void connect_some(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < CONNECT_AT_ONCE; i++)
        connect_next();
}

/* Who waits for packets that are lost, waits for ever. */
static void look(struct loop_timer *timer)
{
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &clients[i];
        if (c->to && c->looked == c->arrived && c->arrived < c->sent && !c->one_by_one && c->rest_at == c->rest_len) {
            lost_packets += c->sent - c->arrived;
            c->arrived = c->sent;
            pump(c);
        }
        c->looked = c->arrived;
    }
    loop_timer_set(loop, timer, 500, look);
}

static void start_talking(void *arg)
{
    talking = true;
    for (unsigned i = 0; i < count; i++)
        pump(&clients[i]);
    look(arg);
}

/* ---- One who reads nothing ---- */

enum { ASKING, ASKED, FLOODING, DEAF };

static int64_t deaf_since;

static void ask(struct loop_timer *timer)
{
    struct client *c = &clients[ASKING];

    if (c->arrived == c->sent || clock_mono_us() - asked_us > 1000000) {
        lost_packets += c->sent - c->arrived;
        c->arrived = c->sent;
        asked_us = clock_mono_us();
        send_packet(c);
    }
    loop_timer_set(loop, timer, 2, ask);
}

static void start_asking(void *arg)
{
    clients[ASKING].one_by_one = clients[FLOODING].one_by_one = true;
    ask(arg);
}

static void flood(struct loop_timer *timer)
{
    struct client *c = &clients[FLOODING];

    /* The relay may have closed it, which it does not read either. */
    if (loop_now(loop) - deaf_since > DEAF_MS) {
        deaf_since = loop_now(loop);
        leave(&clients[DEAF]);
        open_client(&clients[DEAF]);
    }
    for (unsigned i = 0; i < FLOOD_PER_MS && write_rest(c); i++)
        send_packet(c);
    loop_timer_set(loop, timer, 1, flood);
}

static void start_flood(void *arg)
{
    flood(arg);
}

/* ---- On the main thread ---- */

static int read_proc(int pid, const char *name, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    FILE *f = fopen(path, "r");
    if (!f)
        die("there is no such process", NULL);
    size_t n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    fclose(f);
    return 0;
}

/* User and system time of all its threads, in seconds: finer than the ticks in /proc. */
static double processor(int pid)
{
    clockid_t clock;
    struct timespec used;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        die("there is no such process", NULL);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double rss_kib(int pid)
{
    static char text[8192];

    read_proc(pid, "status", text, sizeof(text));
    const char *at = strstr(text, "VmRSS:");
    return at ? strtod(at + 6, NULL) : 0;
}

static void run_there(void (*run)(void *arg), void *arg)
{
    loop_post(loop, run, arg);
}

static void wait_ready(unsigned wanted)
{
    int64_t limit = clock_mono_ms() + 120000;

    while (ready < wanted) {
        if (lost_links || clock_mono_ms() > limit)
            die("not all clients could log in", NULL);
        usleep(5000);
    }
}

static void connect_to(unsigned wanted)
{
    count = wanted;
    run_there(connect_some, NULL);
    wait_ready(wanted);
}

static void run_pairs(int pid, unsigned all, unsigned pairs, unsigned seconds)
{
    /* The first few make the relay allocate what it has in any case. */
    connect_to(8);
    sleep(1);
    double empty = rss_kib(pid);
    double login = processor(pid);
    if (all > 8)
        connect_to(all);
    login = processor(pid) - login;
    sleep(2);
    double idle = rss_kib(pid);
    for (unsigned i = 0; i < pairs; i++) {
        clients[2 * i].to = &clients[2 * i + 1];
        clients[2 * i + 1].to = &clients[2 * i];
    }
    run_there(start_talking, &look_timer);
    sleep(1);
    uint64_t packets = delivered, lost = lost_packets;
    double used = processor(pid);
    int64_t start = clock_mono_us();
    sleep(seconds);
    packets = delivered - packets;
    used = processor(pid) - used;
    double wall = (double)(clock_mono_us() - start) / 1e6;
    printf("{\"packets\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"seconds\":%.3f,\"processor\":%.2f,\"per_core_second\":%.0f,"
           "\"idle_kib\":%.1f,\"busy_kib\":%.1f,\"login_ms\":%.2f,\"gone\":%u}\n",
           packets, (uint64_t)lost_packets - lost, wall, used, (double)packets / used,
           all > 8 ? (idle - empty) / (all - 8) : 0, (rss_kib(pid) - empty) / all,
           all > 8 ? login * 1000 / (all - 8) : 0, lost_links);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t at_percent(size_t first, size_t end, unsigned percent)
{
    if (first == end)
        return -1;
    qsort(asks + first, end - first, sizeof(asks[0]), compare);
    return asks[first + (end - first - 1) * percent / 100];
}

static void run_stalled(unsigned seconds)
{
    clients[DEAF].deaf = true;
    connect_to(4);
    clients[ASKING].to = &clients[ASKED];
    clients[ASKED].to = &clients[ASKING];
    clients[FLOODING].to = &clients[DEAF];
    run_there(start_asking, &ask_timer);
    sleep(seconds);
    size_t alone = ask_count;
    uint64_t lost = lost_packets;
    run_there(start_flood, &flood_timer);
    sleep(seconds);
    size_t all = ask_count;
    printf("{\"alone_p50_us\":%" PRId64 ",\"alone_p99_us\":%" PRId64 ",\"beside_p50_us\":%" PRId64
           ",\"beside_p99_us\":%" PRId64 ",\"asked\":%zu,\"lost\":%" PRIu64 ",\"gone\":%u}\n",
           at_percent(0, alone, 50), at_percent(0, alone, 99), at_percent(alone, all, 50), at_percent(alone, all, 99),
           all - alone, (uint64_t)lost_packets - lost, lost_links);
}

int main(int argc, char **argv)
{
    struct err e = {0};
    uint64_t pid, n, pairs = 0, seconds;
    bool stalled = argc == 5 && str_eq(argv[3], "stalled");

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    signal(SIGPIPE, SIG_IGN);
    if ((argc != 6 && !stalled) || addr_port_parse(argv[1], &address, &e) < 0 || address.addr.bits != 32 ||
        str_u64(argv[2], 1, INT32_MAX, &pid, "PID", &e) < 0 ||
        (!stalled &&
         (str_u64(argv[3], 8, 100000, &n, "CLIENTS", &e) < 0 || str_u64(argv[4], 1, n / 2, &pairs, "PAIRS", &e) < 0)) ||
        str_u64(argv[argc - 1], 1, 3600, &seconds, "SECONDS", &e) < 0) {
        fprintf(stderr, "usage: bench_relay IPV4:PORT PID (CLIENTS PAIRS | stalled) SECONDS\n%s\n", e.message);
        return 2;
    }
    if (stalled)
        n = 4;
    front_raise_files();
    if (sodium_init() < 0 || !(tls = loop_tls_new_client(&e)) || !(loops = loops_new(1, &e)) ||
        loops_start(loops, &e) < 0)
        die("cannot start", &e);
    loop = loops_at(loops, 0);
    clients = mem_alloc(n * sizeof(*clients));
    for (unsigned i = 0; i < n; i++)
        crypto_box_keypair(clients[i].key, clients[i].secret);
    if (stalled)
        run_stalled((unsigned)seconds);
    else
        run_pairs((int)pid, (unsigned)n, (unsigned)pairs, (unsigned)seconds);
    fflush(stdout);
    _Exit(0);
}
