/* SPDX-License-Identifier: BSD-3-Clause */
/* What a start needs of the machine: files that can be read, folders that can be written, ports that are free. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/keys.h"

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

/* The file's directory can be written, or the nearest directory that exists can; where the file is there and is only
 * read, it need not. */
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

/* A socket that an earlier run left is removed; anything else is somebody's. */
static void check_socket(struct complaints *to, const char *path)
{
    struct stat st;

    check_place(to, "unix_socket", path, true);
    if (!str_ends(path, "/") && lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        complain(to, "unix_socket", "%s exists and is no socket", path);
}

/* A daemon answers where this configuration has its socket: the ports are its own. */
static bool is_running(const struct config *c)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool runs = fd >= 0 && str_copy(at.sun_path, sizeof(at.sun_path), c->unix_socket) &&
                connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

    if (fd >= 0)
        close(fd);
    return runs;
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
        return 0; /* a name: the start looks it up */
    int fd = socket(a.bits == 128 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 && !*where->host) { /* a machine without IPv6 */
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

static void check_port(struct complaints *to, const char *key, const char *text, int type)
{
    struct config_listen where;

    if (*text && config_listen_parse(text, key, &where, NULL) == 0 && bind_once(&where, type) < 0)
        complain(to, key, "cannot listen on %s port %u (%s): %s%s", type == SOCK_DGRAM ? "UDP" : "TCP",
                 (unsigned)where.port, text, strerrordesc_np(errno),
                 errno == EACCES ? "; a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE" : "");
}

static void check_ports(struct complaints *to, const struct config *c)
{
    check_port(to, "listen_addr", c->listen_addr, SOCK_STREAM);
    check_port(to, "metrics_listen_addr", c->metrics_listen_addr, SOCK_STREAM);
    if (config_acme_listens(c))
        check_port(to, "tls_letsencrypt_listen", c->acme.listen, SOCK_STREAM);
    if (!c->derp.server.enabled)
        return;
    check_port(to, "derp.server.listen_addr", c->derp.server.listen_addr, SOCK_STREAM);
    check_port(to, "derp.server.stun_listen_addr", c->derp.server.stun_listen_addr, SOCK_DGRAM);
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
    if (ports && !is_running(c))
        check_ports(&to, c);
    return to.count ? ERR_INVALID : 0;
}
