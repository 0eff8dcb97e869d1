/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/framing.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define SIZE_DIGITS_MAX   15
#define CHUNK_LINE_MAX    256
#define TRAILER_LINES_MAX HEAD_MAX

/* ---- Heads ---- */

/* How many lines of a field there are; *value: that of the last. */
static size_t count_field(const struct head *h, const char *name, const char **value)
{
    size_t count = 0;

    for (size_t i = 0; i < h->field_count; i++)
        if (strcasecmp(h->fields[i].name, name) == 0) {
            *value = h->fields[i].value;
            count++;
        }
    return count;
}

int framing_begin(struct framing *f, const struct head *h, struct err *e)
{
    const char *length = NULL, *coding = NULL, *host = NULL;
    size_t lengths = count_field(h, "Content-Length", &length);
    size_t codings = count_field(h, "Transfer-Encoding", &coding);

    *f = (struct framing){.state = FRAMING_BAD};
    if (count_field(h, "Host", &host) > 1)
        return err_set(e, ERR_INVALID, "more than one Host");
    if (lengths + codings > 1)
        return err_set(e, ERR_INVALID, "more than one Content-Length or Transfer-Encoding");
    if (codings && !h->minor)
        return err_set(e, ERR_INVALID, "Transfer-Encoding in a request of HTTP/1.0");
    if (codings && strcasecmp(coding, "chunked") != 0)
        return err_set(e, ERR_UNSUPPORTED, "a Transfer-Encoding that is not \"chunked\"");
    if (lengths && (!*length || strspn(length, "0123456789") != strlen(length) ||
                    str_u64(length, 0, INT64_MAX, &f->left, "Content-Length", NULL) < 0))
        return err_set(e, ERR_INVALID, "Content-Length is no number of bytes");
    f->state = codings ? FRAMING_SIZE : f->left ? FRAMING_BODY : FRAMING_HEAD;
    return 0;
}

/* ---- Chunks ---- */

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_text(uint8_t c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static void begin_line(struct framing *f)
{
    f->line = 0;
    f->cr = false;
}

static void size_ended(struct framing *f)
{
    f->state = f->left ? FRAMING_CHUNK : FRAMING_TRAILER;
    begin_line(f);
}

static void size_byte(struct framing *f, uint8_t c)
{
    int digit = digit_of(c);

    if (digit >= 0 && f->line < SIZE_DIGITS_MAX) {
        f->left = f->left * 16 + (uint64_t)digit;
        f->line++;
    } else if (f->line && c == ';') {
        f->state = FRAMING_EXTENSION;
    } else if (f->line && c == '\r') {
        f->cr = true;
    } else {
        f->state = FRAMING_BAD;
    }
}

static void extension_byte(struct framing *f, uint8_t c)
{
    if (c == '\r')
        f->cr = true;
    else if (!is_text(c) || ++f->line > CHUNK_LINE_MAX)
        f->state = FRAMING_BAD;
}

static void chunk_ended(struct framing *f)
{
    f->state = FRAMING_SIZE;
    begin_line(f);
}

static void chunk_end_byte(struct framing *f, uint8_t c)
{
    f->cr = c == '\r';
    if (!f->cr)
        f->state = FRAMING_BAD;
}

static void trailer_ended(struct framing *f)
{
    if (!f->line)
        f->state = FRAMING_HEAD;
    begin_line(f);
}

static void trailer_byte(struct framing *f, uint8_t c)
{
    bool folded = !f->line && (c == ' ' || c == '\t');

    if (c == '\r')
        f->cr = true;
    else if (folded || !is_text(c) || ++f->lines > TRAILER_LINES_MAX)
        f->state = FRAMING_BAD;
    else
        f->line++;
}

static const struct {
    void (*byte)(struct framing *f, uint8_t c);
    void (*ended)(struct framing *f); /* by CR LF */
} lines[] = {
    [FRAMING_SIZE] = {size_byte, size_ended},
    [FRAMING_EXTENSION] = {extension_byte, size_ended},
    [FRAMING_CHUNK_END] = {chunk_end_byte, chunk_ended},
    [FRAMING_TRAILER] = {trailer_byte, trailer_ended},
};

/* false: it does not belong to the request. */
static bool take_byte(struct framing *f, uint8_t c)
{
    if (!f->cr)
        lines[f->state].byte(f, c);
    else if (c == '\n')
        lines[f->state].ended(f);
    else
        f->state = FRAMING_BAD;
    return f->state != FRAMING_BAD;
}

size_t framing_take(struct framing *f, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && f->state != FRAMING_HEAD && f->state != FRAMING_BAD) {
        if (f->state == FRAMING_BODY || f->state == FRAMING_CHUNK) {
            size_t part = f->left < len - at ? (size_t)f->left : len - at;
            f->left -= part;
            at += part;
            if (!f->left)
                f->state = f->state == FRAMING_BODY ? FRAMING_HEAD : FRAMING_CHUNK_END;
        } else if (take_byte(f, bytes[at])) {
            at++;
        }
    }
    return at;
}
