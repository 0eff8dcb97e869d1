/* SPDX-License-Identifier: BSD-3-Clause */
/* The Noise private key's file. Losing it strands every running client, so it is never overwritten. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/str.h"
#include "control/control.h"
#include "crypto/crypto.h"

static const char start[] = "privkey:";
#define START_LEN (sizeof(start) - 1)

static int read_key(int fd, const char *path, uint8_t private_key[CRYPTO_KEY_LEN], struct err *e)
{
    char text[START_LEN + 2 * CRYPTO_KEY_LEN + 16];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    if (st.st_mode & 077)
        return err_set(e, ERR_DENIED, "%s can be read by others (mode %03o): chmod 600 it", path,
                       (unsigned)st.st_mode & 0777U);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
        n--;
    text[n] = '\0';
    bool good = str_starts(text, start) &&
                crypto_unhex(text + START_LEN, strlen(text + START_LEN), private_key, CRYPTO_KEY_LEN);
    crypto_wipe(text, sizeof(text));
    return good ? 0 : err_set(e, ERR_INVALID, "%s does not hold \"privkey:\" and 64 hexadecimal digits", path);
}

static int write_key(const char *path, const uint8_t private_key[CRYPTO_KEY_LEN], struct err *e)
{
    struct buf text = BUF_INIT(0), fresh = BUF_INIT(0);
    char nonce[17];
    int rc = 0, fd;

    /* Written aside and linked into place: a crash leaves either no key or a whole one. */
    crypto_random_hex(nonce, 8);
    buf_addf(&fresh, "%s.%s", path, nonce);
    buf_adds(&text, start);
    crypto_hex(&text, private_key, CRYPTO_KEY_LEN);
    fd = open(buf_text(&fresh), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len || fsync(fd) < 0 ||
        link(buf_text(&fresh), path) < 0)
        rc = err_set(e, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(buf_text(&fresh));
    }
    crypto_wipe(text.data, text.len);
    buf_release(&text);
    buf_release(&fresh);
    return rc;
}

int control_key_load(const char *path, uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN],
                     struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd >= 0) {
        rc = read_key(fd, path, private_key, e);
        close(fd);
        if (rc == 0)
            crypto_x25519_public(private_key, public_key);
        return rc;
    }
    if (errno != ENOENT)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    crypto_x25519_generate(private_key, public_key);
    return write_key(path, private_key, e);
}
