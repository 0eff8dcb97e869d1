/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/framing.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define CHUNK_LINE_MAX 256

void framing_begin(struct framing *f, const struct head *h)
{
    const char *length = NULL;
    size_t lengths = 0;
    bool chunked = false, strange = false;

    *f = (struct framing){.state = FRAMING_HEAD};
    for (size_t i = 0; i < h->field_count; i++) {
        const struct head_field *field = &h->fields[i];
        if (strcasecmp(field->name, "Content-Length") == 0) {
            length = field->value;
            lengths++;
        } else if (strcasecmp(field->name, "Transfer-Encoding") == 0) {
            strange |= chunked || strcasecmp(field->value, "chunked") != 0;
            chunked = true;
        }
    }
    if (strange || lengths > 1 || (lengths && chunked) ||
        (lengths && str_u64(length, 0, INT64_MAX, &f->left, "Content-Length", NULL) < 0))
        f->state = FRAMING_UNKNOWN;
    else if (chunked)
        f->state = FRAMING_SIZE;
    else if (f->left)
        f->state = FRAMING_BODY;
}

static bool add_digit(struct framing *f, uint8_t c)
{
    int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;

    if (digit < 0 || f->left >> 56)
        return false;
    f->left = f->left * 16 + (uint64_t)digit;
    return true;
}

/* One byte of the line with a chunk's size. line counts digits, and beyond SIZE_DONE what follows them. */
static void size_byte(struct framing *f, uint8_t c)
{
    if (c == '\n') {
        f->state = !f->line ? FRAMING_UNKNOWN : f->left ? FRAMING_CHUNK : FRAMING_TRAILER;
        f->left += f->left ? 2 : 0;
        f->line = 0;
    } else if (f->line < CHUNK_LINE_MAX && (c == '\r' || c == ';' || c == ' ' || c == '\t') && f->line) {
        f->line = CHUNK_LINE_MAX;
    } else if (f->line < CHUNK_LINE_MAX && add_digit(f, c)) {
        f->line++;
    } else if (f->line < CHUNK_LINE_MAX || f->line >= 2 * CHUNK_LINE_MAX) {
        f->state = FRAMING_UNKNOWN;
    } else {
        f->line++;
    }
}

static void trailer_byte(struct framing *f, uint8_t c)
{
    if (c == '\n') {
        if (!f->line)
            f->state = FRAMING_HEAD;
        f->line = 0;
    } else if (c != '\r' && ++f->line > HEAD_MAX) {
        f->state = FRAMING_UNKNOWN;
    }
}

size_t framing_take(struct framing *f, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && f->state != FRAMING_HEAD) {
        if (f->state == FRAMING_UNKNOWN)
            return len;
        if (f->state == FRAMING_SIZE) {
            size_byte(f, bytes[at++]);
        } else if (f->state == FRAMING_TRAILER) {
            trailer_byte(f, bytes[at++]);
        } else {
            size_t part = f->left < len - at ? (size_t)f->left : len - at;
            f->left -= part;
            at += part;
            if (!f->left)
                f->state = f->state == FRAMING_BODY ? FRAMING_HEAD : FRAMING_SIZE;
        }
    }
    return at;
}
