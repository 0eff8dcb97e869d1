/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/encoding.h"

#include <string.h>

#include "crypto/crypto.h"

void encode_base64url(struct buf *out, const void *bytes, size_t len)
{
    struct buf text = BUF_INIT(0);

    crypto_base64(&text, bytes, len);
    for (const char *c = buf_text(&text); *c && *c != '='; c++)
        buf_addc(out, *c == '+' ? '-' : *c == '/' ? '_' : *c);
    buf_release(&text);
}

void encode_form(struct buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++)
        if (strchr(plain, *text))
            buf_addc(out, *text);
        else
            buf_addf(out, "%%%02X", (unsigned char)*text);
}

void encode_pair(struct buf *form, const char *name, const char *value)
{
    if (form->len)
        buf_addc(form, '&');
    encode_form(form, name);
    buf_addc(form, '=');
    encode_form(form, value);
}
