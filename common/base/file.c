/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"

#define STEP (64u << 10)

static int cannot(struct err *e, const char *what, const char *path)
{
    int why = errno;

    return err_set(e,
                   why == ENOENT                   ? ERR_MISSING
                   : why == EACCES || why == EPERM ? ERR_DENIED
                                                   : ERR_IO,
                   "cannot %s %.160s: %s", what, path, strerrordesc_np(why));
}

static ssize_t read_some(int fd, void *out, size_t len)
{
    ssize_t n;

    do
        n = read(fd, out, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* The size of the next read, within the ceiling; 0 if the ceiling is reached. */
static size_t room(const struct buf *out)
{
    size_t left = out->max ? out->max - out->len : STEP;

    return left < STEP ? left : STEP;
}

int file_read_fd(int fd, const char *name, struct buf *out, struct err *e)
{
    ssize_t n;
    char more;

    for (;;) {
        size_t step = room(out);
        if (step && !buf_reserve(out, step))
            return err_set(e, ERR_TOOBIG, "%.160s is too large", name);
        n = step ? read_some(fd, out->data + out->len, step) : read_some(fd, &more, 1);
        if (n < 0)
            return cannot(e, "read", name);
        if (n > 0 && !step)
            return err_set(e, ERR_TOOBIG, "%.160s has more than %zu bytes", name, out->max);
        if (n == 0)
            return 0;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
    }
}

/* Is there a folder above the file that belongs to this user or root and that nobody else can traverse? */
static bool is_below_private(const char *path)
{
    char *real = realpath(path, NULL);
    struct stat st;
    bool is_private = false;

    for (char *slash = real ? strrchr(real, '/') : NULL; slash && slash > real && !is_private;
         slash = strrchr(real, '/')) {
        *slash = '\0';
        is_private = stat(real, &st) == 0 && !(st.st_mode & 011) && (st.st_uid == 0 || st.st_uid == geteuid());
    }
    free(real);
    return is_private;
}

/* Is a secret protected by its location although its mode lets others read it? */
static bool is_shielded(int fd, const struct stat *st, const char *path)
{
    struct statfs fs;

    if (st->st_mode & 022)
        return false;
    return (fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC && (fs.f_flags & ST_RDONLY)) || is_below_private(path);
}

bool file_secret_is_open(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & 077);
}

static int look(int fd, const char *path, enum file_check check, struct buf *out, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return cannot(e, "read", path);
    if (S_ISDIR(st.st_mode))
        return err_set(e, ERR_IO, "cannot read %.160s: it is a directory", path);
    if (check == FILE_SECRET && (st.st_mode & 077) && !is_shielded(fd, &st, path))
        return err_set(e, ERR_DENIED, "%.160s can be read by others (mode %03o): chmod 600 it, or its folder 700", path,
                       (unsigned)st.st_mode & 0777U);
    if (check == FILE_REGULAR && !S_ISREG(st.st_mode))
        return err_set(e, ERR_INVALID, "%.160s is not a regular file", path);
    if (check == FILE_PRIVATE && (!S_ISREG(st.st_mode) || st.st_uid != geteuid()))
        return err_set(e, ERR_DENIED, "%.160s is not a file of this user", path);
    /* Allocated at once: growing would leave copies of a secret behind. */
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (!out->max || (size_t)st.st_size <= out->max - out->len))
        (void)buf_reserve(out, (size_t)st.st_size);
    return 0;
}

int file_read(const char *path, enum file_check check, struct buf *out, struct err *e)
{
    int careful = check == FILE_PRIVATE ? O_NOFOLLOW | O_NONBLOCK : check == FILE_REGULAR ? O_NONBLOCK : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | careful);
    int rc = fd < 0 ? cannot(e, "read", path) : look(fd, path, check, out, e);

    if (rc == 0)
        rc = file_read_fd(fd, path, out, e);
    if (fd >= 0)
        close(fd);
    return rc;
}

int file_write_fd(int fd, const void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const char *)bytes + at, len - at);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : mem_strdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), why = errno;

    free(folder);
    errno = why;
    return fd;
}

void file_say(FILE *stream, const char *prefix, const char *text)
{
    struct buf safe = BUF_INIT(0);

    str_safe_lines(&safe, text);
    fprintf(stream, "%s: %s\n", prefix, buf_text(&safe));
    buf_release(&safe);
}

void file_hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", O_RDONLY); /* takes the lowest free number: this one */
}

int file_end_output(FILE *stream, struct err *e)
{
    errno = 0;
    if (fflush(stream) == 0 && !ferror(stream))
        return 0;
    return err_set(e, ERR_IO, "cannot write the output: %s", errno ? strerror(errno) : "a write failed");
}

int file_sync_folder(const char *path, struct err *e)
{
    int fd = folder_of(path);
    int rc = fd < 0 || fsync(fd) < 0 ? cannot(e, "sync the folder of", path) : 0;

    if (fd >= 0)
        close(fd);
    return rc;
}

static int put(const char *path, const void *bytes, size_t len, mode_t mode, bool replace, struct err *e)
{
    char unique[17];
    int rc = 0;

    snprintf(unique, sizeof(unique), "%08llx", (unsigned long long)random_below(UINT64_C(1) << 32));
    char *fresh = mem_format("%s.%s", path, unique);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    bool made = fd >= 0;
    if (fd < 0 || fchmod(fd, mode) < 0 || file_write_fd(fd, bytes, len) < 0 || fsync(fd) < 0)
        rc = cannot(e, "write", path);
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = cannot(e, "write", path);
    if (rc == 0 && (replace ? rename(fresh, path) : link(fresh, path)) < 0)
        rc = errno == EEXIST ? err_set(e, ERR_CONFLICT, "%.160s exists already", path) : cannot(e, "write", path);
    if (made && (rc < 0 || !replace))
        unlink(fresh);
    free(fresh);
    return rc == 0 ? file_sync_folder(path, e) : rc;
}

int file_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
    return put(path, bytes, len, mode, true, e);
}

int file_create(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
    return put(path, bytes, len, mode, false, e);
}

int file_make_parents(const char *path, mode_t mode, struct err *e)
{
    char *copy = mem_strdup(path);
    int rc = 0;

    for (char *slash = *copy ? strchr(copy + 1, '/') : NULL; slash && rc == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            rc = err_set(e, errno == EACCES ? ERR_DENIED : ERR_IO, "cannot make the directory %.160s: %s", copy,
                         strerrordesc_np(errno));
        *slash = '/';
    }
    free(copy);
    return rc;
}

unsigned file_share(unsigned most, unsigned part)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / part > most)
        return most;
    return (unsigned)(limit.rlim_cur / part);
}
