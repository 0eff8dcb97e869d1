/* SPDX-License-Identifier: BSD-3-Clause */
/* The Noise private key's file. Losing the key strands every client, so it is never overwritten. */
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "control/control.h"
#include "crypto/crypto.h"

static const char start[] = "privkey:";
#define START_LEN (sizeof(start) - 1)
#define TEXT_MAX  (START_LEN + 2 * CRYPTO_KEY_LEN + 16)

static bool parse(struct buf *text, uint8_t private_key[CRYPTO_KEY_LEN])
{
    while (text->len && strchr("\r\n ", text->data[text->len - 1]))
        text->data[--text->len] = '\0';
    return text->len > START_LEN && str_starts(text->data, start) &&
           crypto_unhex(text->data + START_LEN, text->len - START_LEN, private_key, CRYPTO_KEY_LEN);
}

static int read_key(const char *path, enum file_check check, uint8_t private_key[CRYPTO_KEY_LEN], struct err *e)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    int rc = file_read(path, check, &text, e);

    if (rc == 0 && !parse(&text, private_key))
        rc = err_set(e, ERR_INVALID, "%s does not hold \"privkey:\" and 64 hexadecimal digits", path);
    if (text.data)
        crypto_wipe(text.data, text.cap);
    buf_release(&text);
    return rc;
}

static int write_key(const char *path, const uint8_t private_key[CRYPTO_KEY_LEN], struct err *e)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    int rc;

    (void)buf_reserve(&text, START_LEN + 2 * CRYPTO_KEY_LEN); /* so that no copy is left behind in freed memory */
    buf_adds(&text, start);
    crypto_hex(&text, private_key, CRYPTO_KEY_LEN);
    rc = file_create(path, text.data, text.len, 0600, e);
    crypto_wipe(text.data, text.len);
    buf_release(&text);
    return rc;
}

int control_key_check(const char *path, struct err *e)
{
    uint8_t key[CRYPTO_KEY_LEN];
    int rc = read_key(path, FILE_SECRET, key, e);

    crypto_wipe(key, sizeof(key));
    return rc == ERR_MISSING ? 0 : rc;
}

int control_key_copy(const char *from, const char *to, bool try, struct err *e)
{
    uint8_t key[CRYPTO_KEY_LEN], there[CRYPTO_KEY_LEN];
    int rc = read_key(from, FILE_ANY, key, e);

    if (rc == 0) {
        rc = read_key(to, FILE_SECRET, there, e);
        if (rc == ERR_MISSING)
            rc = try ? 0 : write_key(to, key, e);
        else if (rc == 0 && !crypto_equal(key, there, sizeof(key)))
            rc = err_set(e, ERR_CONFLICT, "%s holds another key: move it away", to);
    }
    crypto_wipe(key, sizeof(key));
    crypto_wipe(there, sizeof(there));
    return rc;
}

int control_key_public(const char *path, uint8_t public_key[CRYPTO_KEY_LEN], struct err *e)
{
    uint8_t private_key[CRYPTO_KEY_LEN];
    int rc = read_key(path, FILE_SECRET, private_key, e);

    if (rc == 0)
        crypto_x25519_public(private_key, public_key);
    crypto_wipe(private_key, sizeof(private_key));
    return rc;
}

int control_key_load(const char *path, uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN],
                     struct err *e)
{
    int rc = read_key(path, FILE_SECRET, private_key, e);

    if (rc == 0) {
        crypto_x25519_public(private_key, public_key);
    } else if (rc == ERR_MISSING) {
        crypto_x25519_generate(private_key, public_key);
        rc = write_key(path, private_key, e);
    }
    return rc;
}
