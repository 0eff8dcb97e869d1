/* SPDX-License-Identifier: BSD-3-Clause */
/* The public listener: who gets which connection, what is refused, TLS and its certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "shared/control_rig.h"
#include "shared/tls_files.h"

static char dir[] = "/tmp/test_front.XXXXXX", *cert, *key;

/* ---- The one who serves the rest: an echo of what it reads, then the end ---- */

static atomic_bool other_was_reserved;
static atomic_uint other_port;
static sem_t gave_up; /* before a large answer was taken */

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char bytes[65536];
    ssize_t n;

    fcntl(fd, F_SETFL, 0);
    n = read(fd, bytes, sizeof(bytes));
    if (n > 0 && (memcmp(bytes, "GET /big ", 9) == 0 || memcmp(bytes, "GET /huge ", 10) == 0)) {
        unsigned pieces = bytes[5] == 'b' ? 64 : 4096; /* the huge one is more than all buffers between take */
        memset(bytes, 'b', sizeof(bytes));
        for (unsigned i = 0; i < pieces && n > 0; i++)
            n = write(fd, bytes, sizeof(bytes));
        if (n <= 0)
            sem_post(&gave_up);
    } else if (n > 0) {
        assert_int_equal(write(fd, bytes, (size_t)n), n);
    }
    close(fd);
    return NULL;
}

static void to_thread(void *arg, int fd, const struct addr_port *peer, bool reserved)
{
    pthread_t thread;

    (void)arg;
    other_was_reserved = reserved;
    other_port = peer->port;
    pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
    pthread_detach(thread);
}

/* ---- A plain socket to the door ---- */

static int dial(unsigned *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)front_port(rig.front, 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
    if (port && getsockname(fd, (struct sockaddr *)&to, &len) == 0)
        *port = ntohs(to.sin_port);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything until the end; an aborted connection ends too. */
static struct buf hear(int fd)
{
    struct buf all = BUF_INIT(0);
    char piece[4096];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(&all, piece, (size_t)n);
    close(fd);
    return all;
}

static void expect(int fd, const char *start)
{
    struct buf got = hear(fd);

    if (strncmp(buf_text(&got), start, strlen(start)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", buf_text(&got), start);
    buf_release(&got);
}

/* ---- Plain ---- */

static void what_is_not_for_clients_is_handed_on_untouched(void **state)
{
    unsigned port = 0;
    int fd = dial(&port);

    (void)state;
    say(fd, "GET /key?v=131 HTTP/1.1\r\nHo");
    say(fd, "st: x\r\n\r\n");
    expect(fd, "GET /key?v=131 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(other_port, port);
}

static void bad_heads_are_answered(void **state)
{
    char *large = mem_alloc(HEAD_MAX + 2);
    int fd = dial(NULL);

    (void)state;
    say(fd, "GET / HTTP/1.1\nHost: x\n\n");
    expect(fd, "HTTP/1.1 400 ");
    memset(large, 'a', HEAD_MAX + 1);
    fd = dial(NULL);
    say(fd, large);
    expect(fd, "HTTP/1.1 431 ");
    free(large);
    fd = dial(NULL);
    say(fd, "GET /ts2021 HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(fd, "HTTP/1.1 400 ");
    fd = dial(NULL);
    say(fd, "POST /ts2021 HTTP/1.1\r\nConnection: upgrade\r\n\r\n");
    expect(fd, "HTTP/1.1 400 ");
    fd = dial(NULL);
    say(fd, "POST /ts2021 HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\n"
            "X-Tailscale-Handshake: ???\r\n\r\n");
    expect(fd, "HTTP/1.1 400 ");
    fd = dial(NULL);
    say(fd, "POST /ts2021 HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\n"
            "X-Tailscale-Handshake: AAAA\r\n\r\n");
    expect(fd, "HTTP/1.1 101 "); /* and an error message inside */
    fd = dial(NULL);
    say(fd, "DELETE /ts2021 HTTP/1.1\r\n\r\n");
    expect(fd, "HTTP/1.1 405 ");
}

static void who_never_finishes_its_head_is_closed_and_holds_up_nobody(void **state)
{
    enum { LORIS = 100 };
    int slow[LORIS], fd;

    (void)state;
    for (unsigned i = 0; i < LORIS; i++) {
        slow[i] = dial(NULL);
        say(slow[i], "GET /x HTTP/1.1\r\nX-A");
    }
    fd = dial(NULL);
    say(fd, "GET /fast HTTP/1.1\r\n\r\n");
    expect(fd, "GET /fast ");
    for (unsigned i = 0; i < LORIS; i++) {
        struct buf got = hear(slow[i]);
        assert_int_equal(got.len, 0);
        buf_release(&got);
    }
}

/* Who says nothing makes room for who speaks, however many they are. */
static void where_all_places_are_taken_the_oldest_goes(void **state)
{
    enum { SILENT = 200 };
    int silent[SILENT], fd;

    (void)state;
    for (unsigned i = 0; i < SILENT; i++)
        silent[i] = dial(NULL);
    for (unsigned i = 0; i < 20; i++) {
        fd = dial(NULL);
        say(fd, "GET /now HTTP/1.1\r\n\r\n");
        expect(fd, "GET /now ");
    }
    for (unsigned i = 0; i < SILENT; i++)
        close(silent[i]);
}

/* Who has a place is given a moment to speak, however fast others come; they are served later. */
static void a_place_is_kept_for_a_moment(void **state)
{
    enum { PLACES = 60, SILENT = 2 * PLACES }; /* set_up_plain */
    int silent[SILENT], fd;

    (void)state;
    for (unsigned i = 0; i < PLACES; i++)
        silent[i] = dial(NULL);
    fd = dial(NULL);
    int64_t from = clock_mono_ms();
    for (unsigned i = PLACES; i < SILENT; i++)
        silent[i] = dial(NULL);
    struct buf got = hear(fd);
    assert_int_equal(got.len, 0);
    assert_true(clock_mono_ms() - from >= 50);
    buf_release(&got);
    fd = dial(NULL);
    say(fd, "GET /late HTTP/1.1\r\n\r\n");
    expect(fd, "GET /late ");
    for (unsigned i = 0; i < SILENT; i++)
        close(silent[i]);
}

static void without_descriptors_it_waits_and_goes_on(void **state)
{
    struct rlimit old, tight;
    int fd, taken[512] = {0}, count = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    tight = old;
    tight.rlim_cur = 400;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    while (count < 512 && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        taken[count++] = fd;
    close(taken[--count]);
    fd = dial(NULL); /* takes the last descriptor: the door has none for its end */
    /* It is taken with the spare descriptor and closed, so that it learns of it. */
    struct buf got = hear(fd);
    assert_int_equal(got.len, 0);
    buf_release(&got);
    while (count)
        close(taken[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    fd = dial(NULL);
    say(fd, "GET /after HTTP/1.1\r\n\r\n");
    expect(fd, "GET /after ");
}

/* ---- Where few files are left ---- */

#define FEW_FILES 400 /* that may be open: the last 25 are the daemon's own, the 50 before them for some clients */

static struct rlimit files_before;
static int taken[FEW_FILES], taken_count;

/* Until the next file has this number. */
static void take_files(int until)
{
    while (taken_count == 0 || taken[taken_count - 1] < until - 1)
        taken[taken_count++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void what_is_left_of_files_is_for_clients_and_what_is_reserved(void **state)
{
    int fd;

    (void)state;
    take_files(FEW_FILES - 60);
    fd = dial(NULL);
    say(fd, "GET /any HTTP/1.1\r\n\r\n");
    expect(fd, "HTTP/1.1 503 ");
    fd = dial(NULL);
    say(fd, "POST /ts2021 HTTP/1.1\r\nUpgrade: tailscale-control-protocol\r\n\r\n");
    expect(fd, "HTTP/1.1 503 ");
    fd = dial(NULL);
    say(fd, "GET /reserved HTTP/1.1\r\n\r\n");
    expect(fd, "GET /reserved ");
    assert_true(other_was_reserved);
    rig.known_here = true;
    fd = dial(NULL);
    say(fd, "GET /any HTTP/1.1\r\n\r\n");
    expect(fd, "GET /any ");
    assert_false(other_was_reserved);
    /* The last ones are for nobody who dials, known or not. */
    take_files(FEW_FILES - 11);
    fd = dial(NULL);
    struct buf got = hear(fd);
    assert_int_equal(got.len, 0);
    buf_release(&got);
}

static int set_up_few_files(void **state)
{
    struct rlimit few;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files_before), 0);
    few = files_before;
    few.rlim_cur = FEW_FILES;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    return rig_set_up(state);
}

static int tear_down_few_files(void **state)
{
    rig.known_here = false;
    while (taken_count)
        close(taken[--taken_count]);
    rig_tear_down(state);
    return setrlimit(RLIMIT_NOFILE, &files_before);
}

static void only_a_trusted_proxy_is_believed(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_connect(&c);
    rig_client_call(&c, "POST", "/machine/echo", "x", 1);
    assert_true(str_starts(rig.peer, "127.0.0.1:"));
    rig_client_disconnect(&c);
    rig_client_init(&c);
    c.o.head = "X-Forwarded-For: 198.51.100.9, 203.0.113.7, 127.0.0.5\r\n";
    rig_client_dial(&c);
    rig_wait(&c.open);
    rig_client_call(&c, "POST", "/machine/echo", "x", 1);
    assert_string_equal(rig.peer, "203.0.113.7:0");
    rig_client_disconnect(&c);
    rig_client_init(&c);
    c.o.head = "X-Forwarded-For: 198.51.100.9\r\nX-Real-IP: 192.0.2.1\r\nX-Forwarded-For: 203.0.113.8\r\n";
    rig_client_dial(&c);
    rig_wait(&c.open);
    rig_client_call(&c, "POST", "/machine/echo", "x", 1);
    assert_string_equal(rig.peer, "203.0.113.8:0");
    rig_client_disconnect(&c);
}

/* ---- TLS ---- */

static struct loop_tls *client_tls;

struct get {
    const char *request;
    struct stream *stream;
    struct buf answer;
    sem_t done;
};

static void get_readable(struct stream *s, void *arg)
{
    struct get *g = arg;
    uint8_t piece[16384];
    long n;

    while ((n = stream_read(s, piece, sizeof(piece), NULL)) > 0)
        buf_add(&g->answer, piece, (size_t)n);
    if (n < 0) {
        stream_close(s);
        sem_post(&g->done);
    }
}

static void get_writable(struct stream *s, void *arg)
{
    struct get *g = arg;

    stream_write(s, g->request, strlen(g->request), NULL);
}

static void get_start(void *arg)
{
    static const struct stream_handler handler = {get_readable, get_writable};
    struct get *g = arg;
    int fd = dial(NULL);

    fcntl(fd, F_SETFL, O_NONBLOCK);
    g->stream = stream_new(loops_at(rig.loops, 1), fd, client_tls, &(struct addr_port){0}, NULL);
    stream_handle(g->stream, &handler, g);
    get_writable(g->stream, g);
}

static struct buf get(const char *request)
{
    struct get g = {.request = request, .answer = BUF_INIT(0)};

    sem_init(&g.done, 0, 0);
    loop_post(loops_at(rig.loops, 1), get_start, &g);
    rig_wait(&g.done);
    return g.answer;
}

static void behind_tls_requests_are_handed_on_in_the_clear(void **state)
{
    struct buf got = get("GET /key HTTP/1.1\r\nHost: x\r\n\r\n");

    (void)state;
    assert_string_equal(buf_text(&got), "GET /key HTTP/1.1\r\nHost: x\r\n\r\n");
    buf_release(&got);
    got = get("GET /big HTTP/1.1\r\n\r\n");
    assert_int_equal(got.len, 64 * 65536);
    buf_release(&got);
    got = get("nonsense\n\n");
    assert_true(str_starts(buf_text(&got), "HTTP/1.1 400 "));
    buf_release(&got);
}

static void stop_reading(struct stream *s, void *arg)
{
    (void)arg;
    stream_pause(s, true);
}

static void get_and_stop_reading(void *arg)
{
    static const struct stream_handler deaf = {stop_reading, get_writable};
    struct get *g = arg;

    get_start(g);
    stream_handle(g->stream, &deaf, g);
}

static void hang_up(void *arg)
{
    struct get *g = arg;

    stream_close(g->stream);
    sem_post(&g->done);
}

static void a_client_that_stops_reading_is_not_waited_for(void **state)
{
    struct get g = {.request = "GET /huge HTTP/1.1\r\n\r\n", .answer = BUF_INIT(0)};

    (void)state;
    sem_init(&g.done, 0, 0);
    loop_post(loops_at(rig.loops, 1), get_and_stop_reading, &g);
    rig_wait(&gave_up);
    loop_post(loops_at(rig.loops, 1), hang_up, &g);
    rig_wait(&g.done);
}

static void a_client_lives_inside_tls(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_init(&c);
    c.o.tls = client_tls;
    rig_client_dial(&c);
    rig_wait(&c.open);
    rig_client_call(&c, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(c.status, 200);
    rig_client_stream(&c, "/machine/talk?2,3000000,e");
    rig_wait(&c.ended);
    assert_int_equal(c.bytes, 6000000);
    rig_client_disconnect(&c);
}

static void a_plain_request_on_a_tls_port_is_closed(void **state)
{
    int fd = dial(NULL);

    (void)state;
    say(fd, "GET / HTTP/1.1\r\n\r\n");
    struct buf got = hear(fd);
    assert_null(strstr(buf_text(&got), "HTTP/1.1"));
    buf_release(&got);
}

static void a_changed_certificate_is_taken_and_a_broken_one_is_not(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(front_reload(rig.front, &e), 0);
    assert_int_equal(tls_files_write("second.example.com", cert, key), 0);
    assert_int_equal(front_reload(rig.front, &e), 0);
    struct buf got = get("GET /key HTTP/1.1\r\n\r\n");
    assert_true(str_starts(buf_text(&got), "GET /key"));
    buf_release(&got);
    FILE *f = fopen(cert, "we");
    fputs("no certificate", f);
    fclose(f);
    assert_true(front_reload(rig.front, &e) < 0);
    assert_non_null(strstr(e.message, cert));
    assert_int_equal(front_reload(rig.front, &e), 0); /* said once */
    got = get("GET /key HTTP/1.1\r\n\r\n");
    assert_true(str_starts(buf_text(&got), "GET /key"));
    buf_release(&got);
}

/* ---- Starting ---- */

/* As the configuration may name them. */
static void a_listener_may_have_a_name(void **state)
{
    struct front_options o = {.loops = rig.loops, .arg = NULL};
    struct err e;

    (void)state;
    strs_push(&o.listen, "localhost:0");
    struct front *f = front_new(&o, &e);
    strs_release(&o.listen);
    assert_non_null(f);
    assert_true(front_port(f, 0) > 0);
    front_free(f);
}

static void addresses_that_cannot_be_listened_on_are_named(void **state)
{
    static const char *const bad[] = {"nonsense", "127.0.0.1",      "127.0.0.1:99999",
                                      ":x",       "192.0.2.1:8080", "no.such.name.invalid:80"};
    struct front_options o = {.loops = rig.loops};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        strs_push(&o.listen, bad[i]);
        assert_null(front_new(&o, &e));
        assert_non_null(strstr(e.message, bad[i][0] == ':'                       ? "x"
                                          : bad[i][0] == 'n' && bad[i][2] == '.' ? "no.such"
                                                                                 : bad[i]));
        strs_release(&o.listen);
    }
}

static int set_up_plain(void **state)
{
    struct prefix proxy;

    assert_int_equal(prefix_parse("127.0.0.0/8", &proxy, NULL, NULL), 0);
    prefixes_add(&rig.trusted_proxies, &proxy);
    rig.other = to_thread;
    rig.head_ms = 300;
    rig.heads_max = 60;
    rig.stall_ms = 500;
    return rig_set_up(state);
}

static int set_up_tls(void **state)
{
    prefixes_release(&rig.trusted_proxies);
    if (!mkdtemp(dir))
        return -1;
    rig.cert_path = cert = mem_format("%s/cert.pem", dir);
    rig.key_path = key = mem_format("%s/key.pem", dir);
    client_tls = loop_tls_new_client(NULL);
    if (tls_files_write("first.example.com", cert, key) < 0)
        return -1;
    return rig_set_up(state);
}

static int tear_down_tls(void **state)
{
    rig_tear_down(state);
    loop_tls_free(client_tls);
    unlink(cert);
    unlink(key);
    rmdir(dir);
    free(cert);
    free(key);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test_setup_teardown(what_is_not_for_clients_is_handed_on_untouched, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(bad_heads_are_answered, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(who_never_finishes_its_head_is_closed_and_holds_up_nobody, rig_before,
                                        rig_after),
        cmocka_unit_test_setup_teardown(where_all_places_are_taken_the_oldest_goes, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_place_is_kept_for_a_moment, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(without_descriptors_it_waits_and_goes_on, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(only_a_trusted_proxy_is_believed, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_listener_may_have_a_name, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(addresses_that_cannot_be_listened_on_are_named, rig_before, rig_after),
    };
    static const struct CMUnitTest few_files[] = {
        cmocka_unit_test_setup_teardown(what_is_left_of_files_is_for_clients_and_what_is_reserved, rig_before,
                                        rig_after),
    };
    static const struct CMUnitTest tls[] = {
        cmocka_unit_test_setup_teardown(behind_tls_requests_are_handed_on_in_the_clear, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_client_that_stops_reading_is_not_waited_for, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_client_lives_inside_tls, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_plain_request_on_a_tls_port_is_closed, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_changed_certificate_is_taken_and_a_broken_one_is_not, rig_before, rig_after),
    };

    sem_init(&gave_up, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    int failed = cmocka_run_group_tests(plain, set_up_plain, rig_tear_down);
    failed += cmocka_run_group_tests(few_files, set_up_few_files, tear_down_few_files);
    return failed + cmocka_run_group_tests(tls, set_up_tls, tear_down_tls);
}
