/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks what the daemon needs of the machine to start: readable files, writable folders, free ports. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/keys.h"
#include "json/json.h"

struct complaints {
    const struct config *config;
    struct strs *problems;
    struct err *e;
    int count;
};

static void complain(struct complaints *to, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
static void complain(struct complaints *to, const char *key, const char *format, ...)
{
    char line[PATH_MAX + 256];
    va_list args;
    int n = snprintf(line, sizeof(line), "%s: ", key);

    va_start(args, format);
    vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    char *whole = config_place(to->config, key, line);
    if (to->problems)
        strs_push(to->problems, whole);
    if (to->count++ == 0)
        err_field(to->e, ERR_INVALID, key, "%s", whole);
    free(whole);
}

static void check_readable(struct complaints *to, const char *key, const char *path)
{
    if (*path && access(path, R_OK) < 0)
        complain(to, key, "cannot read %s: %s", path, strerror(errno));
}

/* The directory of the file, or the nearest existing one above it, must be writable, unless the file exists and is only
 * read. */
static void check_place(struct complaints *to, const char *key, const char *path, bool writes)
{
    char *dir = mem_strdup(path);
    struct stat st;

    for (;;) {
        char *slash = strrchr(dir, '/');
        if (!slash) {
            mem_replace(&dir, ".");
            break;
        }
        slash[slash == dir ? 1 : 0] = '\0';
        if (stat(dir, &st) == 0 || slash == dir)
            break;
    }
    if (str_ends(path, "/"))
        complain(to, key, "%s names a directory, a file is needed", path);
    else if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
        complain(to, key, "%s is not a directory", dir);
    else if ((writes || access(path, F_OK) < 0) && access(dir, W_OK | X_OK) < 0)
        complain(to, key, "cannot write into %s, which %s needs: %s", dir, path, strerrordesc_np(errno));
    else if (writes && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, W_OK) < 0)
        complain(to, key, "cannot write %s: %s", path, strerrordesc_np(errno));
    free(dir);
}

/* The daemon replaces a socket left by an earlier run; anything else at that path belongs to somebody else. */
static void check_socket(struct complaints *to, const char *path)
{
    struct stat st;

    check_place(to, "unix_socket", path, true);
    if (!str_ends(path, "/") && lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        complain(to, "unix_socket", "%s exists and is no socket", path);
}

/* ---- the daemon that runs ---- */

#define ASK_SECONDS 2
#define ANSWER_MAX  65536u

static int connect_unix(const char *path)
{
    static const struct timeval patience = {.tv_sec = ASK_SECONDS};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || !str_copy(at.sun_path, sizeof(at.sun_path), path) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* The answer to whoami; NULL if it is not what headwayd answers. */
static json_t *ask_whoami(int fd)
{
    static const char question[] = "GET /api/headway/whoami HTTP/1.0\r\nHost: headway\r\n\r\n";
    struct buf answer = BUF_INIT(ANSWER_MAX);
    int64_t end = clock_mono_ms() + 1000 * ASK_SECONDS;
    json_t *root = NULL;
    char piece[4096];
    ssize_t n = send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL);

    while (n > 0 && !answer.failed && clock_mono_ms() < end && (n = recv(fd, piece, sizeof(piece), 0)) > 0)
        buf_add(&answer, piece, (size_t)n);
    const char *body = n == 0 ? strstr(buf_text(&answer), "\r\n\r\n") : NULL;
    if (body && json_read(body + 4, strlen(body + 4), ANSWER_MAX, "whoami", &root, NULL) < 0)
        root = NULL;
    buf_release(&answer);
    if (!json_is_array(json_object_get(root, "listens"))) {
        json_decref(root);
        root = NULL;
    }
    return root;
}

/* Lists the ports of the daemon that listens on the configured socket; none if no daemon is running. */
static void find_own(struct complaints *to, const char *socket_path, struct strs *own)
{
    int fd = connect_unix(socket_path);
    json_t *root = fd >= 0 ? ask_whoami(fd) : NULL, *item;
    size_t i;

    if (fd >= 0 && !root)
        complain(to, "unix_socket", "a program that does not answer as headwayd does listens at %s", socket_path);
    json_array_foreach(json_object_get(root, "listens"), i, item)
    {
        if (json_is_string(item))
            strs_push(own, json_string_value(item));
    }
    json_decref(root);
    if (fd >= 0)
        close(fd);
}

/* ---- ports ---- */

static bool has_relay(const struct config *c)
{
    return c->derp.server.enabled;
}

static const struct {
    const char *key, *kind;
    size_t text; /* offset in struct config */
    int type;
    bool (*used)(const struct config *c); /* NULL: always */
} ports_needed[] = {
    {"listen_addr", "tcp", offsetof(struct config, listen_addr), SOCK_STREAM, NULL},
    {"metrics_listen_addr", "tcp", offsetof(struct config, metrics_listen_addr), SOCK_STREAM, NULL},
    {"tls_letsencrypt_listen", "tcp", offsetof(struct config, acme.listen), SOCK_STREAM, config_acme_listens},
    {"derp.server.listen_addr", "tcp", offsetof(struct config, derp.server.listen_addr), SOCK_STREAM, has_relay},
    {"derp.server.stun_listen_addr", "udp", offsetof(struct config, derp.server.stun_listen_addr), SOCK_DGRAM,
     has_relay},
};

/* "tcp 0.0.0.0:8080" for the i-th port; NULL if it is not used. */
static char *port_needed(const struct config *c, size_t i)
{
    const char *text = *(char *const *)((const char *)c + ports_needed[i].text);

    return !*text || (ports_needed[i].used && !ports_needed[i].used(c))
               ? NULL
               : mem_format("%s %s", ports_needed[i].kind, text);
}

void config_listens(const struct config *c, struct strs *out)
{
    for (size_t i = 0; i < ARRAY_LEN(ports_needed); i++) {
        char *needed = port_needed(c, i);
        if (needed)
            strs_push(out, needed);
        free(needed);
    }
}

/* Does the running daemon listen on that port, at any address? */
static bool is_own(const struct strs *own, const char *kind, uint16_t port)
{
    struct config_listen where;

    for (size_t i = 0; i < own->len; i++) {
        const char *blank = strchr(own->items[i], ' ');
        if (blank && str_starts(own->items[i], kind) && config_listen_parse(blank + 1, "", &where, NULL) == 0 &&
            where.port == port)
            return true;
    }
    return false;
}

static int bind_once(const struct config_listen *where, int type)
{
    struct addr a = {.bits = 128};
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } at = {0};
    static const int on = 1, off = 0;
    socklen_t len = sizeof(at.in6);

    if (*where->host && addr_parse(where->host, &a, NULL) < 0)
        return 0; /* a host name: resolved at the start */
    int fd = socket(a.bits == 128 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 && !*where->host) { /* no IPv6 on this machine */
        a = (struct addr){.bits = 32};
        fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return -1;
    if (a.bits == 128) {
        at.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(where->port)};
        memcpy(&at.in6.sin6_addr, a.bytes, 16);
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, *where->host ? &on : &off, sizeof(on));
    } else {
        at.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(where->port)};
        memcpy(&at.in.sin_addr, a.bytes, 4);
        len = sizeof(at.in);
    }
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int r = bind(fd, &at.any, len) < 0 || (type == SOCK_STREAM && listen(fd, 1) < 0) ? -1 : 0, why = errno;
    close(fd);
    errno = why;
    return r;
}

static void check_ports(struct complaints *to, const struct config *c)
{
    struct config_listen where;
    struct strs own = {0};

    find_own(to, c->unix_socket, &own);
    for (size_t i = 0; i < ARRAY_LEN(ports_needed); i++) {
        char *needed = port_needed(c, i);
        const char *text = needed ? strchr(needed, ' ') + 1 : "";
        if (needed && config_listen_parse(text, ports_needed[i].key, &where, NULL) == 0 &&
            !is_own(&own, ports_needed[i].kind, where.port) && bind_once(&where, ports_needed[i].type) < 0)
            complain(to, ports_needed[i].key, "cannot listen on %s port %u (%s): %s%s",
                     ports_needed[i].type == SOCK_DGRAM ? "UDP" : "TCP", (unsigned)where.port, text,
                     strerrordesc_np(errno),
                     errno == EACCES ? "; a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE" : "");
        free(needed);
    }
    strs_release(&own);
}

int config_check(const struct config *c, bool ports, struct strs *problems, struct err *e)
{
    struct complaints to = {c, problems, e, 0};

    check_readable(&to, "tls_cert_path", c->tls_cert_path);
    check_readable(&to, "tls_key_path", c->tls_key_path);
    if (*c->acme.hostname) {
        char *file = mem_format("%s/%s", c->acme.cache_dir, c->acme.hostname);
        check_place(&to, "tls_letsencrypt_cache_dir", file, true);
        free(file);
    }
    check_place(&to, "noise.private_key_path", c->noise.private_key_path, false);
    check_place(&to, "database.sqlite.path", c->database.sqlite_path, true);
    check_place(&to, "derp.server.private_key_path", c->derp.server.private_key_path, false);
    check_socket(&to, c->unix_socket);
    if (ports)
        check_ports(&to, c);
    return to.count ? ERR_INVALID : 0;
}
