/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client costs below the calls: processor time of a handshake, of one shared answer to everybody, of PINGs, and
 * memory while idle. The clients live in a second process, so that only the server is measured.
 *
 *   bench_transport [clients]    plain, then TLS */
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "front/front.h"
#include "rpc/rpc.h"
#include "shared/client/ts_client.h"
#include "shared/tls_files.h"

static unsigned clients = 1000;
static struct loops *loops;
static struct rpc_server *server;

/* ---- The server's side ---- */

static struct rpc **streams;
static unsigned stream_count;
static atomic_uint writes_left;
static struct chunk *shared;
static sem_t done;

static void talk_pull(struct rpc *rpc, struct rpc_bytes *out)
{
    if (!rpc->user)
        return;
    rpc->user = NULL;
    uint32_t len = shared->len;
    rpc_bytes_copy(out, &(uint8_t[]){(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16), 0}, 4);
    rpc_bytes_add(out, chunk_ref(shared));
}

static void written(struct rpc *rpc)
{
    (void)rpc;
    if (atomic_fetch_sub(&writes_left, 1) == 1)
        sem_post(&done);
}

static void talk(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc->on_written = written;
    rpc_stream_start(rpc, 200, NULL, talk_pull);
    streams[stream_count++] = rpc;
    if (stream_count == clients)
        sem_post(&done);
}

static const struct rpc_route routes[] = {{"POST", "/machine/map", false, talk}};

static bool knows(void *arg, const uint8_t key[CRYPTO_KEY_LEN])
{
    (void)arg;
    (void)key;
    return true;
}

static void to_control(void *arg, struct stream *s, const struct head *h)
{
    (void)arg;
    rpc_server_accept(server, s, h);
}

static void to_nobody(void *arg, int fd, const struct addr_port *peer, bool reserved)
{
    (void)arg;
    (void)peer;
    (void)reserved;
    close(fd);
}

static int64_t loop_cpu_us;

static void read_cpu(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    loop_cpu_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    sem_post(&done);
}

static int64_t cpu_us(void)
{
    loop_post(loops_at(loops, 0), read_cpu, NULL);
    sem_wait(&done);
    return loop_cpu_us;
}

static void tell_all(void *arg)
{
    for (unsigned i = 0; i < stream_count; i++) {
        streams[i]->user = arg;
        rpc_stream_ready(streams[i]);
    }
}

static void ping_all(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < stream_count; i++)
        rpc_conn_set_ping(streams[i]->conn, 1000, 1800);
}

static long resident_kb(void)
{
    char line[128] = "", *second = NULL;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f && fgets(line, sizeof(line), f))
        second = strchr(line, ' ');
    if (f)
        fclose(f);
    return second ? strtol(second, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

static void measure(const char *kind)
{
    struct rpc_counts before, after;
    struct err e;

    int64_t cpu = cpu_us(), start = clock_mono_us();
    long memory = resident_kb();
    sem_wait(&done); /* all streams are open */
    int64_t spent = cpu_us() - cpu;
    printf("%-6s connect, handshake, open a stream   %6.1f us each, %.2f s for all\n", kind, (double)spent / clients,
           (double)(clock_mono_us() - start) / 1e6);
    for (unsigned size = 300; size <= 30000; size *= 10) {
        chunk_unref(shared);
        shared = chunk_alloc(size);
        memset(shared->data, 'x', size);
        writes_left = clients;
        cpu = cpu_us();
        start = clock_mono_us();
        loop_post(loops_at(loops, 0), tell_all, &shared);
        sem_wait(&done);
        int64_t took = clock_mono_us() - start;
        printf("%-6s %5u shared bytes to all            %6.1f us each, %.1f ms for all\n", kind, size,
               (double)(cpu_us() - cpu) / clients, (double)took / 1e3);
    }
    sleep(1);
    printf("%-6s memory, idle                        %6.1f KiB each\n", kind,
           (double)(resident_kb() - memory) / clients);
    loop_post(loops_at(loops, 0), ping_all, NULL);
    sleep(2);
    rpc_server_counts(server, &before);
    cpu = cpu_us();
    sleep(5);
    spent = cpu_us() - cpu;
    rpc_server_counts(server, &after);
    printf("%-6s PINGs                               %6.1f us each, %.0f a second, %.2f %% of a core, %" PRIu64
           " dead\n",
           kind, (double)spent / (double)(after.pings - before.pings), (double)(after.pings - before.pings) / 5,
           (double)spent / 5e4, after.dead);
    (void)e;
}

/* ---- The clients' side ---- */

static struct ts_client_options template;
static struct loops *client_loops;

static void part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    (void)arg;
    (void)bytes;
    (void)len;
    (void)at;
    (void)total;
}

static void end(void *arg, int status, uint32_t error)
{
    (void)arg;
    (void)status;
    (void)error;
}

static void opened(struct ts_client *c, void *arg)
{
    static const struct ts_stream_handler handler = {part, end};

    (void)arg;
    ts_client_stream(c, "/machine/map", "{}", 2, &handler, NULL);
}

static void closed(struct ts_client *c, void *arg, const char *why)
{
    (void)c;
    (void)arg;
    fprintf(stderr, "a client was closed: %s\n", why);
}

static void connect_all(void *arg)
{
    struct err e;

    (void)arg;
    for (unsigned i = 0; i < clients; i++) {
        random_bytes(template.machine_private, 32);
        if (!ts_client_open(&template, &e)) {
            fprintf(stderr, "%s\n", e.message);
            _exit(1);
        }
    }
}

static void be_clients(const uint8_t public_key[32], unsigned port, bool tls)
{
    struct err e;

    client_loops = loops_new(1, &e);
    if (!client_loops || loops_start(client_loops, &e) < 0 || addr_port_parse("127.0.0.1:1", &template.server, &e) < 0)
        _exit(1);
    template.server.port = (uint16_t)port;
    template.loop = loops_at(client_loops, 0);
    template.on_open = opened;
    template.on_close = closed;
    template.tls = tls ? loop_tls_new_client(&e) : NULL;
    memcpy(template.server_public, public_key, 32);
    loop_post(template.loop, connect_all, NULL);
    pause();
}

static void run(const char *kind, const char *cert, const char *key)
{
    struct rpc_server_options options = {.routes = routes, .route_count = 1, .knows = knows};
    struct front_options front_options = {
        .control = to_control, .other = to_nobody, .cert_path = cert, .key_path = key};
    uint8_t public_key[32];
    int port_pipe[2];
    unsigned port;
    struct err e;

    sem_init(&done, 0, 0);
    crypto_x25519_generate(options.private_key, public_key);
    if (pipe(port_pipe) < 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        if (read(port_pipe[0], &port, sizeof(port)) == sizeof(port))
            be_clients(public_key, port, cert != NULL);
        _exit(0);
    }
    loops = loops_new(1, &e);
    options.loops = front_options.loops = loops;
    server = rpc_server_new(&options, &e);
    strs_push(&front_options.listen, "127.0.0.1:0");
    struct front *front = front_new(&front_options, &e);
    if (!server || !front || loops_start(loops, &e) < 0) {
        fprintf(stderr, "%s\n", e.message);
        exit(1);
    }
    strs_release(&front_options.listen);
    streams = mem_alloc(clients * sizeof(struct rpc *));
    stream_count = 0;
    port = front_port(front, 0);
    if (write(port_pipe[1], &port, sizeof(port)) != sizeof(port))
        exit(1);
    measure(kind);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    front_free(front);
    rpc_server_free(server);
    loops_free(loops);
    chunk_unref(shared);
    shared = NULL;
    free(streams);
    close(port_pipe[0]);
    close(port_pipe[1]);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/bench_transport.XXXXXX";

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    front_raise_files();
    if (argc > 1)
        clients = (unsigned)strtoul(argv[1], NULL, 10);
    printf("%u clients\n", clients);
    fflush(stdout);
    run("plain", NULL, NULL);
    fflush(stdout);
    if (!mkdtemp(dir))
        return 1;
    char *cert = mem_format("%s/cert.pem", dir), *key = mem_format("%s/key.pem", dir);
    int rc = tls_files_write("bench.example.com", cert, key);
    if (rc == 0)
        run("TLS", cert, key);
    unlink(cert);
    unlink(key);
    rmdir(dir);
    free(cert);
    free(key);
    return rc ? 1 : 0;
}
