/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/reach/stun.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/random.h"
#include "config/config.h"
#include "net/sockaddr.h"

#define HEADER      20
#define BATCH       32
#define TURNS       8 /* batches per turn of the loop, which others share */
#define REQUEST_MAX 512
#define SOURCES     4096 /* addresses that collide share an entry */
#define RATE        100  /* answers per second to one address: a site behind one has many clients */
#define BURST       500

enum { ATTR_SOFTWARE = 0x8022, ATTR_FINGERPRINT = 0x8028 };

static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};

struct stun_source {
    int64_t seen; /* mono ms */
    uint32_t left;
};

struct stun {
    struct loop_watch watch; /* first */
    struct loop *loop;
    unsigned port;
    atomic_ullong answered, refused, limited;
    struct stun_source sources[SOURCES];
};

/* ---- The datagrams ---- */

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* CRC-32 of IEEE 802.3, bit by bit: 32 bytes do not justify a table. */
static uint32_t crc32_of(const uint8_t *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    }
    return ~crc;
}

static bool is_question(const uint8_t *in, size_t len)
{
    bool software = false, fingerprint = false;

    if (len < HEADER || len > REQUEST_MAX || get16(in) != 1 || memcmp(in + 4, cookie, 4) != 0)
        return false;
    for (size_t at = HEADER; at < len;) {
        if (fingerprint || len - at < 4)
            return false;
        unsigned type = get16(in + at), size = get16(in + at + 2);
        size_t padded = (size + 3U) & ~3U;
        if (padded > len - at - 4)
            return false;
        const uint8_t *value = in + at + 4;
        if (type == ATTR_SOFTWARE) {
            software = size == 8 && memcmp(value, "tailnode", 8) == 0;
        } else if (type == ATTR_FINGERPRINT) {
            uint32_t want = crc32_of(in, at) ^ 0x5354554eU;
            fingerprint = size == 4 && (get16(value) << 16 | get16(value + 2)) == want;
            if (!fingerprint)
                return false;
        }
        at += 4 + padded;
    }
    return software && fingerprint;
}

size_t stun_answer(const uint8_t *in, size_t len, const struct addr_port *from, uint8_t out[STUN_ANSWER_MAX])
{
    size_t bytes = from->addr.bits / 8;

    if (!is_question(in, len))
        return 0;
    out[0] = 1;
    out[1] = 1;
    out[2] = 0;
    out[3] = (uint8_t)(8 + bytes);
    memcpy(out + 4, in + 4, 16);
    memcpy(out + 20, (const uint8_t[]){0, 0x20, 0, (uint8_t)(4 + bytes), 0, bytes == 4 ? 1 : 2}, 6);
    out[26] = (uint8_t)(from->port >> 8 ^ 0x21);
    out[27] = (uint8_t)((from->port & 0xff) ^ 0x12);
    /* cookie and transaction id are adjacent */
    for (size_t i = 0; i < bytes; i++)
        out[28 + i] = from->addr.bytes[i] ^ in[4 + i];
    return 28 + bytes;
}

static void put32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

void stun_request(uint8_t out[STUN_REQUEST_LEN])
{
    static const uint8_t software[12] = {0x80, 0x22, 0, 8, 't', 'a', 'i', 'l', 'n', 'o', 'd', 'e'};

    memcpy(out, (const uint8_t[]){0, 1, 0, STUN_REQUEST_LEN - HEADER}, 4);
    memcpy(out + 4, cookie, sizeof(cookie));
    random_bytes(out + 8, 12);
    memcpy(out + HEADER, software, sizeof(software));
    memcpy(out + 32, (const uint8_t[]){0x80, 0x28, 0, 4}, 4);
    put32(out + 36, crc32_of(out, 32) ^ 0x5354554eU);
}

/* ---- The socket ---- */

/* A token bucket per address (for IPv6 per /64), refilled over time. */
static bool may_have_another(struct stun *s, const struct addr *from)
{
    struct stun_source *b = &s->sources[map_hash(from->bytes, addr_source_len(from)) % SOURCES];
    int64_t now = loop_now(s->loop), passed = b->seen ? now - b->seen : BURST * 1000;
    int64_t left = b->left + passed * RATE / 1000;

    if (left > BURST)
        left = BURST;
    if (left != b->left)
        b->seen = now;
    b->left = (uint32_t)left;
    if (!b->left)
        return false;
    b->left--;
    return true;
}

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    union address from[BATCH];
    /* IP_PKTINFO: a machine with several addresses must answer from the one that was asked */
    _Alignas(struct cmsghdr) uint8_t control[BATCH][64];
    uint8_t in[BATCH][REQUEST_MAX + 1];
    uint8_t out[BATCH][STUN_ANSWER_MAX];
};

/* The kernel fills in what an answer needs, the address that was asked, but also the interface, which would override
 * the routing table. */
static void forget_interface(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            info.ipi_ifindex = 0;
            memcpy(CMSG_DATA(c), &info, sizeof(info));
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
                info.ipi6_ifindex = 0;
            memcpy(CMSG_DATA(c), &info, sizeof(info));
        }
    }
}

static int take_batch(struct stun *s, struct batch *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        b->parts[i] = (struct iovec){b->in[i], sizeof(b->in[i])};
        b->messages[i].msg_hdr = (struct msghdr){.msg_name = &b->from[i],
                                                 .msg_namelen = sizeof(b->from[i]),
                                                 .msg_iov = &b->parts[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = b->control[i],
                                                 .msg_controllen = sizeof(b->control[i])};
    }
    return recvmmsg(s->watch.fd, b->messages, BATCH, MSG_DONTWAIT, NULL);
}

static void answer_batch(struct stun *s, struct batch *b, unsigned count)
{
    unsigned ready = 0, sent = 0;

    for (unsigned i = 0; i < count; i++) {
        struct addr_port from;
        from_sockaddr(&b->from[i], &from);
        size_t len = stun_answer(b->in[i], b->messages[i].msg_len, &from, b->out[i]);
        if (!len) {
            atomic_fetch_add(&s->refused, 1);
        } else if (!may_have_another(s, &from.addr)) {
            atomic_fetch_add(&s->limited, 1);
        } else {
            b->parts[i] = (struct iovec){b->out[i], len};
            forget_interface(&b->messages[i].msg_hdr);
            b->messages[ready++] = b->messages[i];
        }
    }
    while (sent < ready) {
        int n = sendmmsg(s->watch.fd, b->messages + sent, ready - sent, MSG_DONTWAIT);
        /* one that cannot be sent (no route back) must not block the others */
        sent += n > 0 ? (unsigned)n : 1;
        if (n > 0)
            atomic_fetch_add(&s->answered, (unsigned)n);
    }
}

static void ready(struct loop_watch *w, uint32_t events)
{
    struct stun *s = (struct stun *)w;
    struct batch b;
    int n = BATCH;

    (void)events;
    for (unsigned i = 0; i < TURNS && n == BATCH; i++) {
        n = take_batch(s, &b);
        if (n > 0)
            answer_batch(s, &b, (unsigned)n);
    }
}

static int open_socket(const char *text, struct err *e)
{
    static const int on = 1, off = 0;
    struct config_listen at;
    union address bound = {0};
    socklen_t len = sizeof(bound.in6);
    struct addr a = {.bits = 128};

    if (config_listen_parse(text, "derp.server.stun_listen_addr", &at, e) < 0 ||
        (at.host[0] && addr_parse(at.host, &a, e) < 0))
        return ERR_INVALID;
    int fd = socket(a.bits == 128 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 && !at.host[0]) { /* a machine without IPv6 */
        a.bits = 32;
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot listen on %s (derp.server.stun_listen_addr): %s", text, strerror(errno));
    if (a.bits == 128) {
        bound.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(at.port)};
        memcpy(&bound.in6.sin6_addr, a.bytes, 16);
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, at.host[0] ? &on : &off, sizeof(on));
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
    } else {
        bound.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(at.port)};
        memcpy(&bound.in.sin_addr, a.bytes, 4);
        len = sizeof(bound.in);
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    }
    if (bind(fd, &bound.any, len) == 0)
        return fd;
    int rc = err_set(e, ERR_IO, "cannot listen on %s (derp.server.stun_listen_addr): %s", text, strerror(errno));
    close(fd);
    return rc;
}

struct stun_start {
    struct stun *stun;
    struct err *e;
    int rc;
};

static void start(struct loop *l, void *arg)
{
    struct stun_start *a = arg;

    a->rc = loop_watch(l, &a->stun->watch, EPOLLIN, a->e);
}

static void end(struct loop *l, void *arg)
{
    struct stun *s = arg;

    loop_unwatch(l, &s->watch);
}

struct stun *stun_new(struct loop *l, const char *listen, struct err *e)
{
    union address at = {0};
    socklen_t len = sizeof(at);
    struct addr_port bound;
    int fd = open_socket(listen, e);

    if (fd < 0)
        return NULL;
    struct stun *s = mem_alloc(sizeof(*s));
    s->watch = (struct loop_watch){.fd = fd, .ready = ready};
    s->loop = l;
    getsockname(fd, &at.any, &len);
    from_sockaddr(&at, &bound);
    s->port = bound.port;
    struct stun_start a = {.stun = s, .e = e};
    loop_run(l, start, &a);
    if (a.rc == 0)
        return s;
    close(fd);
    free(s);
    return NULL;
}

unsigned stun_port(const struct stun *s)
{
    return s->port;
}

void stun_count(const struct stun *s, struct stun_counters *out)
{
    *out = (struct stun_counters){.answered = s->answered, .refused = s->refused, .limited = s->limited};
}

void stun_free(struct stun *s)
{
    if (!s)
        return;
    loop_run(s->loop, end, s);
    close(s->watch.fd);
    free(s);
}
