/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets: the administrators' unix socket and the metrics listener. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/config.h"
#include "http/server.h"

/* Makes the socket's folder: one level, as systemd's RuntimeDirectory would make it. */
static int make_folder(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash && slash != path ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
    int code = 0;

    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        code = err_field(e, ERR_IO, "unix_socket", "unix_socket: cannot make the folder %.120s: %s", folder,
                         strerrordesc_np(errno));
    free(folder);
    return code;
}

/* If somebody answers, it is another daemon; otherwise the file is stale, and is removed. */
static int clear_path(const char *path, const struct sockaddr_un *addr, struct err *e)
{
    struct stat file;
    int fd;

    if (lstat(path, &file) < 0)
        return 0;
    if (!S_ISSOCK(file.st_mode))
        return err_field(e, ERR_CONFLICT, "unix_socket", "unix_socket: %.120s exists and is no socket", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        bool answered = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0;
        close(fd);
        if (answered)
            return err_field(e, ERR_CONFLICT, "unix_socket",
                             "unix_socket: another daemon answers at %.120s: stop it, or set another path", path);
    }
    if (unlink(path) < 0 && errno != ENOENT)
        return err_field(e, ERR_IO, "unix_socket", "unix_socket: cannot remove the old %.120s: %s", path,
                         strerrordesc_np(errno));
    return 0;
}

int listen_unix(const char *path, unsigned mode, struct err *e)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int code, fd;

    if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
        return err_field(e, ERR_INVALID, "unix_socket",
                         "unix_socket: '%.120s' is longer than the %zu bytes of a socket's name", path,
                         sizeof(addr.sun_path) - 1);
    if ((code = make_folder(path, e)) < 0 || (code = clear_path(path, &addr, e)) < 0)
        return code;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_field(e, ERR_IO, "unix_socket", "unix_socket: %s", strerrordesc_np(errno));
    /* Nobody can connect before the mode is set: the socket does not listen until then. */
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, (mode_t)mode) < 0 || listen(fd, 128) < 0) {
        err_field(e, ERR_IO, "unix_socket", "unix_socket: cannot listen at %.120s: %s", path, strerrordesc_np(errno));
        close(fd);
        return ERR_IO;
    }
    return fd;
}

static int try_listen(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, 128) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

int listen_tcp(const char *text, const char *field, struct err *e)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    struct config_listen where;
    char port[8];
    int code = config_listen_parse(text, field, &where, e), fd = -1;

    if (code < 0)
        return code;
    snprintf(port, sizeof(port), "%u", (unsigned)where.port);
    /* All addresses: one IPv6 socket takes both families, if there is IPv6. */
    code = getaddrinfo(*where.host ? where.host : NULL, port, &hints, &found);
    if (code != 0)
        return err_field(e, ERR_INVALID, field, "%s: '%.120s' has no address: %s", field, text, gai_strerror(code));
    for (int family = AF_INET6; fd < 0; family = AF_INET) {
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
            if (at->ai_family == family)
                fd = try_listen(at);
        if (family == AF_INET)
            break;
    }
    if (fd < 0)
        err_field(e, ERR_IO, field, "%s: cannot listen at %.120s: %s", field, text, strerrordesc_np(errno));
    freeaddrinfo(found);
    return fd < 0 ? ERR_IO : fd;
}
