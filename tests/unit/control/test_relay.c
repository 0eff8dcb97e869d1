/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay: login with golden vectors of Tailscale's boxes, packets between clients, what ends a connection, who is
 * notified when a client leaves, duplicates, a receiver that does not read, permissions, and the maps of other
 * relays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "relay/derp/link.h"
#include "relay/map_source.h"
#include "tailnet/tailnet.h"

#define SERVER_PRIVATE "0002030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f60"
#define SERVER_PUBLIC  "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
#define CLIENT_PUBLIC  "493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531d"
#define NONCE          "000102030405060708090a0b0c0d0e0f1011121314151617"
#define BOX            "38677171ce62ee4b1041607f7627b22e72020786a1e3a003cb7efea2638dccd71171d4b0aa75cce9087af99d55d7df00"

static struct loops *loops;
static struct relay_hub hub;
static struct tailnet *tailnet;

static void unhex(const char *hex, uint8_t *out)
{
    assert_true(crypto_unhex(hex, strlen(hex), out, strlen(hex) / 2));
}

/* ---- A client ---- */

struct client {
    int fd;
    uint8_t key[32], secret[32];
};

struct opening {
    int fd;
    unsigned loop;
    bool opened;
};

static void open_link(struct loop *l, void *arg)
{
    struct opening *o = arg;
    struct addr_port peer = {.addr = {.bits = 32, .bytes = {192, 0, 2, 7}}, .port = 1000};
    struct stream *s = stream_new(l, o->fd, NULL, &peer, NULL);

    assert_non_null(s);
    o->opened = link_open(&hub, s, "");
    if (!o->opened)
        stream_close(s);
}

static void send_bytes(const struct client *c, const void *bytes, size_t len)
{
    assert_int_equal(send(c->fd, bytes, len, MSG_NOSIGNAL), len);
}

static void send_frame(const struct client *c, enum frame_type type, const void *payload, size_t len)
{
    struct buf b = BUF_INIT(0);

    frame_put(&b, type, payload, len);
    send_bytes(c, b.data, b.len);
    buf_release(&b);
}

/* The next frame's type; its payload in out (70,000 bytes), its length in *len. 0 at the end of the connection. */
static unsigned read_frame(const struct client *c, uint8_t *out, size_t *len)
{
    uint8_t head[5];

    if (recv(c->fd, head, 5, MSG_WAITALL) != 5)
        return 0;
    *len = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
    assert_true(*len <= 70000);
    if (*len)
        assert_int_equal(recv(c->fd, out, *len, MSG_WAITALL), *len);
    return head[0];
}

static void expect_end(const struct client *c)
{
    static uint8_t bytes[70000];
    size_t len = 0;

    while (read_frame(c, bytes, &len))
        continue;
    close(c->fd);
}

/* Whether the relay takes it. */
static bool dial(struct client *c, unsigned loop)
{
    struct timeval patience = {.tv_sec = 20};
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0); /* the relay's side */
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
    struct opening o = {.fd = pair[1], .loop = loop % loops_count(loops)};
    c->fd = pair[0];
    loop_run(loops_at(loops, o.loop), open_link, &o);
    return o.opened;
}

static void begin(struct client *c, unsigned loop)
{
    uint8_t bytes[100] = {0};
    size_t len = 0;

    assert_true(dial(c, loop));
    assert_int_equal(read_frame(c, bytes, &len), FRAME_SERVER_KEY);
    assert_int_equal(len, 40);
    assert_memory_equal(bytes + 8, hub.keys.public_key, 32);
}

static void send_login(const struct client *c)
{
    static const char info[] = "{\"version\":2,\"CanAckPings\":true}";
    uint8_t payload[32 + 24 + 16 + sizeof(info) - 1];

    memcpy(payload, c->key, 32);
    randombytes_buf(payload + 32, 24);
    assert_int_equal(crypto_box_easy(payload + 56, (const uint8_t *)info, sizeof(info) - 1, payload + 32,
                                     hub.keys.public_key, c->secret),
                     0);
    send_frame(c, FRAME_CLIENT_INFO, payload, sizeof(payload));
}

static void join(struct client *c, unsigned loop)
{
    uint8_t bytes[300] = {0};
    size_t len = 0;

    begin(c, loop);
    send_login(c);
    assert_int_equal(read_frame(c, bytes, &len), FRAME_SERVER_INFO);
}

static struct client newcomer(unsigned loop)
{
    struct client c;

    crypto_box_keypair(c.key, c.secret);
    join(&c, loop);
    return c;
}

static void send_packet(const struct client *c, const uint8_t *to, const void *packet, size_t len)
{
    uint8_t *payload = mem_alloc(32 + len + 1);

    memcpy(payload, to, 32);
    memcpy(payload + 32, packet, len);
    send_frame(c, FRAME_SEND, payload, 32 + len);
    free(payload);
}

static void expect_packet(const struct client *c, const uint8_t *from, const void *packet, size_t size)
{
    static uint8_t bytes[70000];
    size_t len = 0;

    assert_int_equal(read_frame(c, bytes, &len), FRAME_RECV);
    assert_int_equal(len, 32 + size);
    assert_memory_equal(bytes, from, 32);
    assert_memory_equal(bytes + 32, packet, size);
}

/* Whatever was sent before has been read: the answer comes after it. */
static void settle(const struct client *c)
{
    static uint8_t bytes[70000];
    size_t len = 0;

    send_frame(c, FRAME_PING, "12345678", 8);
    assert_int_equal(read_frame(c, bytes, &len), FRAME_PONG);
    assert_memory_equal(bytes, "12345678", 8);
}

static void wait_links(const uint8_t *key, size_t wanted)
{
    for (size_t n = SIZE_MAX; n != wanted;) {
        pthread_rwlock_rdlock(&hub.lock);
        const struct relay_peer *p = map_get(&hub.peers, key, 32);
        n = p ? p->links.len : 0;
        pthread_rwlock_unlock(&hub.lock);
        usleep(1000);
    }
}

/* ---- Tests ---- */

static void test_vectors(void **state)
{
    struct relay_keys keys;
    struct derp_login login;
    struct buf b = BUF_INIT(0);
    uint8_t payload[104];
    struct err e;

    (void)state;
    unhex(SERVER_PRIVATE, keys.private_key);
    unhex(SERVER_PUBLIC, keys.public_key);
    unhex(CLIENT_PUBLIC NONCE BOX, payload);
    assert_int_equal(login_open(&keys, payload, sizeof(payload), &login, &e), 0);
    assert_int_equal(login.version, 2);
    assert_true(login.can_ack_pings && !login.is_prober);
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] ^= 1;
        assert_int_equal(login_open(&keys, payload, sizeof(payload), &login, &e), ERR_INVALID);
        payload[i] ^= 1;
    }
    frame_put_server_key(&b, &keys);
    assert_int_equal(b.len, 45);
    assert_memory_equal(b.data, "\x01\0\0\0\x28\x44\x45\x52\x50\xf0\x9f\x94\x91", 13);
    buf_release(&b);
}

static void test_packets(void **state)
{
    static const size_t sizes[] = {0, 1, 1312, 65535, 65536};
    struct client a = newcomer(0), b = newcomer(1);
    uint8_t *packet = mem_alloc(65536);

    (void)state;
    randombytes_buf(packet, 65536);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        send_packet(&a, b.key, packet, sizes[i]);
        expect_packet(&b, a.key, packet, sizes[i]);
        send_packet(&b, a.key, packet, sizes[i]);
        expect_packet(&a, b.key, packet, sizes[i]);
    }
    send_packet(&a, a.key, packet, 100);
    expect_packet(&a, a.key, packet, 100);
    /* byte by byte; a frame of no use in between, with a length that is a header's worth of trouble */
    struct buf all = BUF_INIT(0);
    frame_put(&all, 0x77, packet, 300);
    frame_put(&all, FRAME_NOTE_PREFERRED, "\x01", 1);
    frame_put(&all, FRAME_SEND, b.key, 32);
    for (size_t i = 0; i < all.len; i++)
        send_bytes(&a, all.data + i, 1);
    expect_packet(&b, a.key, "", 0);
    buf_release(&all);
    settle(&a);
    free(packet);
    close(a.fd);
    close(b.fd);
}

static void test_refused(void **state)
{
    static const struct {
        uint8_t type;
        size_t len;
    } bad[] = {{FRAME_SEND, 31},   {FRAME_SEND, 65569}, {FRAME_NOTE_PREFERRED, 2}, {FRAME_PING, 7},
               {FRAME_PING, 1001}, {FRAME_FORWARD, 64}, {FRAME_WATCH, 0},          {FRAME_CLOSE_PEER, 32}};
    static uint8_t zeros[70000];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct client c = newcomer((unsigned)i);
        send_frame(&c, bad[i].type, zeros, bad[i].len);
        expect_end(&c);
    }
    struct client c = {0};
    begin(&c, 0);
    send_frame(&c, FRAME_PING, zeros, 8);
    expect_end(&c);
    begin(&c, 0); /* a key of zeros */
    send_frame(&c, FRAME_CLIENT_INFO, zeros, 104);
    expect_end(&c);
    crypto_box_keypair(c.key, c.secret);
    c.key[5] ^= 1; /* somebody else's key */
    begin(&c, 0);
    send_login(&c);
    expect_end(&c);
}

static void test_gone(void **state)
{
    static const uint8_t disco[62] = {0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac};
    struct client a = newcomer(0), b = newcomer(1);
    uint8_t nobody[32] = {7}, bytes[100];
    size_t len = 0;

    (void)state;
    /* Told for peer discovery only, and three times in a row at most. */
    send_packet(&a, nobody, "data", 4);
    for (unsigned i = 0; i < 10; i++)
        send_packet(&a, nobody, disco, sizeof(disco));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(read_frame(&a, bytes, &len), FRAME_PEER_GONE);
        assert_int_equal(len, 33);
        assert_memory_equal(bytes, nobody, 32);
        assert_int_equal(bytes[32], GONE_NOT_HERE);
    }
    settle(&a);
    /* Who got something from b is told that it left. */
    send_packet(&b, a.key, "x", 1);
    expect_packet(&a, b.key, "x", 1);
    close(b.fd);
    assert_int_equal(read_frame(&a, bytes, &len), FRAME_PEER_GONE);
    assert_memory_equal(bytes, b.key, 32);
    assert_int_equal(bytes[32], GONE_DISCONNECTED);
    close(a.fd);
}

static void test_duplicates(void **state)
{
    struct client a = newcomer(0), old = newcomer(1), new = old;

    (void)state;
    join(&new, 0);
    send_packet(&a, old.key, "1", 1);
    expect_packet(&new, a.key, "1", 1);
    settle(&old); /* it speaks: packets are for it again */
    send_packet(&a, old.key, "2", 1);
    expect_packet(&old, a.key, "2", 1);
    /* The late end of one of them is not the end of the key. */
    close(old.fd);
    settle(&new);
    send_packet(&a, old.key, "3", 1);
    expect_packet(&new, a.key, "3", 1);
    settle(&a);
    close(a.fd);
    close(new.fd);
}

static void speak(const struct client *c)
{
    send_frame(c, FRAME_NOTE_PREFERRED, "\x01", 1);
    send_frame(c, FRAME_PING, "12345678", 8);
}

static void test_fight(void **state)
{
    static uint8_t bytes[1000];
    struct client one = newcomer(0), other = one;
    size_t len = 0;

    (void)state;
    /* One that dials anew, and whose old connection still brings something, is not warned. */
    join(&other, 1);
    settle(&one);
    settle(&other);
    close(other.fd);
    wait_links(one.key, 1);
    settle(&one);
    /* Two that speak in turn are, both; and told when it is over. */
    join(&other, 1);
    settle(&one);
    settle(&other);
    speak(&one);
    assert_int_equal(read_frame(&one, bytes, &len), FRAME_HEALTH);
    assert_true(len > 20 && memmem(bytes, len, "same key", 8));
    assert_int_equal(read_frame(&one, bytes, &len), FRAME_PONG);
    assert_int_equal(read_frame(&other, bytes, &len), FRAME_HEALTH);
    assert_true(len > 20);
    settle(&other);
    close(one.fd);
    assert_int_equal(read_frame(&other, bytes, &len), FRAME_HEALTH);
    assert_int_equal(len, 0);
    settle(&other);
    close(other.fd);
}

static void test_packet_queue(void **state)
{
    struct packet_queue queue = {0};
    struct buf frame = BUF_INIT(0);
    unsigned dropped = 0, left = 0;
    static uint8_t body[FRAME_PACKET_MAX];

    (void)state;
    /* More than fit: the oldest go one by one, across pieces, and what is left is whole and in order. */
    for (unsigned i = 0; i < QUEUE_PACKETS + 40; i++) {
        uint8_t number = (uint8_t)i;
        buf_clear(&frame);
        frame_put(&frame, FRAME_RECV, body, 500 + i);
        frame.data[FRAME_HEADER] = (char)number;
        packets_push(&queue, (const uint8_t *)frame.data, frame.len, &dropped);
    }
    assert_int_equal(dropped, 40);
    assert_int_equal(queue.count, QUEUE_PACKETS);
    for (struct packet_block *p = packets_take(&queue); p; p = packets_take(&queue)) {
        assert_true(p->end - p->start <= BLOCK_BYTES);
        while (p->start < p->end) {
            assert_int_equal(p->bytes[p->start + FRAME_HEADER], (uint8_t)(40 + left));
            p->start += (uint32_t)frame_len(p->bytes + p->start);
            left++;
        }
        free(p);
    }
    assert_int_equal(left, QUEUE_PACKETS);
    assert_int_equal(queue.count + queue.bytes, 0);
    /* Bytes are bounded too. */
    buf_clear(&frame);
    frame_put(&frame, FRAME_RECV, body, sizeof(body));
    for (unsigned i = 0; i < 10; i++)
        packets_push(&queue, (const uint8_t *)frame.data, frame.len, &dropped);
    assert_true(queue.bytes <= QUEUE_BYTES && queue.count == QUEUE_BYTES / frame.len);
    packets_clear(&queue);
    buf_release(&frame);
}

static int64_t ms_to_pass(const struct client *a, const struct client *b, unsigned packets)
{
    static uint8_t packet[10000];
    int64_t start = clock_mono_ms();

    for (unsigned i = 0; i < packets; i++) {
        send_packet(a, b->key, packet, sizeof(packet));
        expect_packet(b, a->key, packet, sizeof(packet));
    }
    return clock_mono_ms() - start;
}

static void test_rate(void **state)
{
    static const char wanted[] = "{\"version\":2,\"TokenBucketBytesPerSecond\":200000,\"TokenBucketBytesBurst\":65573}";
    uint8_t info[200] = {0}, text[200] = {0};
    struct client a = {0};
    size_t len = 0;

    (void)state;
    hub_set_rate(&hub, 200000, 0);
    crypto_box_keypair(a.key, a.secret);
    begin(&a, 0);
    send_login(&a);
    assert_int_equal(read_frame(&a, info, &len), FRAME_SERVER_INFO);
    assert_int_equal(crypto_box_open_easy(text, info + 24, len - 24, info, hub.keys.public_key, a.secret), 0);
    assert_string_equal((char *)text, wanted);
    struct client b = newcomer(1);
    /* 60,000 bytes are within what may come at once; 100,000 more than that take half a second, and none is lost. */
    unsigned long long before = hub.counters.slowed;
    ms_to_pass(&a, &b, 6);
    assert_int_equal(hub.counters.slowed, before);
    assert_true(ms_to_pass(&a, &b, 10) >= 300);
    assert_true(hub.counters.slowed > before);
    hub_set_rate(&hub, 0, 0);
    settle(&a);
    close(a.fd);
    close(b.fd);
}

static void test_stalled(void **state)
{
    static uint8_t packet[1312];
    struct client a = newcomer(0), slow = newcomer(1), quick = newcomer(1);
    unsigned long long before = hub.counters.dropped[DROP_QUEUE][0];

    (void)state;
    for (unsigned i = 0; i < 2000; i++)
        send_packet(&a, slow.key, packet, sizeof(packet));
    settle(&a);
    assert_true(hub.counters.dropped[DROP_QUEUE][0] > before);
    /* Nobody else waits for it. */
    send_packet(&a, quick.key, "x", 1);
    expect_packet(&quick, a.key, "x", 1);
    /* It is closed: nobody is told, so the books are watched. */
    for (;;) {
        pthread_rwlock_rdlock(&hub.lock);
        bool here = map_has(&hub.peers, slow.key, 32);
        pthread_rwlock_unlock(&hub.lock);
        if (!here)
            break;
        settle(&a);
        usleep(20000);
    }
    close(slow.fd);
    close(a.fd);
    close(quick.fd);
}

static void test_verified(void **state)
{
    struct client c;

    (void)state;
    struct client before = newcomer(0);
    atomic_store(&hub.verify, true);
    crypto_box_keypair(c.key, c.secret);
    begin(&c, 1);
    send_login(&c);
    expect_end(&c);
    assert_true(hub.counters.refused > 0);
    settle(&before);
    close(before.fd);
    atomic_store(&hub.verify, false);
}

static void test_end(void **state)
{
    struct client a = newcomer(0), b = newcomer(1);
    uint8_t bytes[100] = {0};
    size_t len = 0;

    (void)state;
    hub_end(&hub);
    assert_int_equal(read_frame(&a, bytes, &len), FRAME_RESTARTING);
    assert_int_equal(len, 8);
    expect_end(&a);
    expect_end(&b);
}

static void test_maps(void **state)
{
    static const char yaml[] =
        "regions:\n  901:\n    regionid: 1\n    regioncode: 901\n    nodes:\n"
        "      - {name: 901a, regionid: 7, hostname: derp.example.com, stunport: -1}\n  902: null\n";
    static const char json[] = "{\"Regions\":{\"902\":{\"RegionCode\":\"y\",\"Other\":1,\"Nodes\":null}}}";
    json_t *regions = json_object();
    struct err e = {0};

    (void)state;
    assert_int_equal(source_merge(regions, json, strlen(json), "json", &e), 0);
    assert_int_equal(json_object_size(regions), 1);
    assert_int_equal(source_merge(regions, yaml, strlen(yaml), "yaml", &e), 0);
    char *text = json_compact(regions);
    assert_string_equal(text,
                        "{\"901\":{\"Nodes\":[{\"HostName\":\"derp.example.com\",\"Name\":\"901a\",\"RegionID\":901,"
                        "\"STUNPort\":-1}],\"RegionCode\":\"901\",\"RegionID\":901}}");
    free(text);
    static const char *const bad[] = {"[]",
                                      "{}",
                                      "{\"Regions\":{\"0\":{}}}",
                                      "{\"Regions\":{\"1\":[]}}",
                                      "{\"Regions\":{\"1\":{\"Nodes\":[{}]}}}",
                                      "{\"Regions\":{\"1\":{\"RegionCode\":true}}}",
                                      "{\"Regions\":{\"70000\":{}}}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(source_merge(regions, bad[i], strlen(bad[i]), "bad", &e), ERR_INVALID);
        assert_int_equal(json_object_size(regions), 1);
    }
    json_decref(regions);
}

static atomic_bool near_node;

static bool is_near_node(void *arg, const struct addr *from)
{
    (void)arg;
    (void)from;
    return near_node;
}

static int set_up(void **state)
{
    struct relay_keys keys;
    struct err e;

    (void)state;
    if (sodium_init() < 0 || !(loops = loops_new(2, &e)) || loops_start(loops, &e) < 0)
        return -1;
    tailnet = tailnet_new();
    crypto_box_keypair(keys.public_key, keys.private_key);
    hub_init(&hub, &keys, tailnet, loops_at(loops, 0), false);
    hub.known = is_near_node;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loops_stop(loops);
    hub_release(&hub);
    loops_free(loops);
    tailnet_free(tailnet);
    return 0;
}

static void wait_for_logins(unsigned n)
{
    int64_t until = clock_mono_ms() + 20000;
    unsigned now;

    do {
        pthread_rwlock_rdlock(&hub.lock);
        now = 0;
        for (unsigned i = 0; i < LOGIN_POOLS; i++)
            now += hub.logins[i];
        pthread_rwlock_unlock(&hub.lock);
        if (clock_mono_ms() > until)
            fail_msg("%u clients have not logged in, not %u", now, n);
    } while (now != n);
}

/* Who says nothing takes a place of its own address only, and gives it back. What strangers took is no place of those
 * who come from where a node is. */
static void test_silent(void **state)
{
    struct client c[LOGINS_PER_SOURCE], more;

    (void)state;
    wait_for_logins(0);
    for (unsigned i = 0; i < LOGINS_PER_SOURCE; i++)
        begin(&c[i], i);
    assert_false(dial(&more, 0));
    close(more.fd);
    near_node = true;
    begin(&more, 0);
    close(more.fd);
    wait_for_logins(LOGINS_PER_SOURCE);
    near_node = false;
    close(c[0].fd);
    wait_for_logins(LOGINS_PER_SOURCE - 1);
    begin(&c[0], 0);
    assert_false(dial(&more, 0));
    close(more.fd);
    for (unsigned i = 0; i < LOGINS_PER_SOURCE; i++)
        close(c[i].fd);
    wait_for_logins(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_packets),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_gone),     cmocka_unit_test(test_duplicates),   cmocka_unit_test(test_stalled),
        cmocka_unit_test(test_fight),    cmocka_unit_test(test_packet_queue), cmocka_unit_test(test_rate),
        cmocka_unit_test(test_verified), cmocka_unit_test(test_silent),       cmocka_unit_test(test_end),
        cmocka_unit_test(test_maps),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
