/* SPDX-License-Identifier: BSD-3-Clause */
#include "json/json.h"

#include <string.h>

#define NAME_MAX_BYTES 256

enum {
    AT_START,   /* expects '{' */
    AT_FIRST,   /* expects the first member, or '}' */
    AT_MEMBER,  /* expects a member's name */
    IN_MEMBER,  /* in a member's name */
    AT_COLON,   /* expects ':' */
    AT_VALUE,   /* expects a member's value */
    AT_ELEMENT, /* expects an array's first element, or ']' */
    AT_NEXT,    /* expects an array's next element */
    IN_VALUE,   /* in a member's value */
    IN_ELEMENT, /* in an element */
    AFTER_ONE,  /* after an element: expects ',' or ']' */
    AFTER,      /* after a member: expects ',' or '}' */
    AT_END
};

void json_pieces_init(struct json_pieces *p, size_t max, json_piece *piece, void *arg)
{
    *p = (struct json_pieces){.piece = piece, .arg = arg, .member = BUF_INIT(NAME_MAX_BYTES), .text = BUF_INIT(max)};
}

void json_pieces_release(struct json_pieces *p)
{
    buf_release(&p->member);
    buf_release(&p->text);
}

static bool blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int wrong(struct err *e)
{
    return err_set(e, ERR_INVALID, "the answer is no JSON object, or is cut off");
}

static int deliver(struct json_pieces *p, struct err *e)
{
    if (p->text.failed)
        return err_set(e, ERR_TOOBIG, "a part of the answer is too large");
    int r = p->piece(p->arg, buf_text(&p->member), buf_text(&p->text), p->text.len);
    buf_clear(&p->text);
    p->state = p->state == IN_ELEMENT ? AFTER_ONE : AFTER;
    return r;
}

/* Returns where the text of the piece ends in bytes, reading from at on. *whole: the end was found; *taken: the byte
 * there belongs to the piece. */
static size_t scan(struct json_pieces *p, const char *bytes, size_t at, size_t len, bool *whole, bool *taken)
{
    *whole = *taken = false;
    for (; at < len; at++) {
        char c = bytes[at];

        if (p->quoted) {
            p->quoted = p->escaped || c != '"';
            p->escaped = !p->escaped && c == '\\';
            if (!p->quoted && !p->depth) {
                *whole = *taken = true;
                return at;
            }
        } else if (c == '"') {
            p->quoted = true;
        } else if (c == '{' || c == '[') {
            p->depth++;
        } else if (!p->depth && (c == ',' || c == ']' || c == '}' || blank(c))) {
            *whole = true; /* the end of a number or of true, false or null */
            return at;
        } else if ((c == '}' || c == ']') && --p->depth == 0) {
            *whole = *taken = true;
            return at;
        }
    }
    return at;
}

static int scan_piece(struct json_pieces *p, const char *bytes, size_t *at, size_t len, struct err *e)
{
    bool whole, taken;
    size_t end = scan(p, bytes, *at, len, &whole, &taken);

    buf_add(&p->text, bytes + *at, end + taken - *at);
    *at = end + taken;
    if (p->text.failed)
        return err_set(e, ERR_TOOBIG, "a part of the answer is too large");
    return whole ? deliver(p, e) : 0;
}

static int scan_member(struct json_pieces *p, char c, struct err *e)
{
    if (c == '"' && !p->escaped) {
        p->state = AT_COLON;
        return p->member.failed ? wrong(e) : 0;
    }
    p->escaped = !p->escaped && c == '\\';
    buf_addc(&p->member, c);
    return 0;
}

/* The syntax between pieces: the next state for each state and byte. */
static const struct {
    int state;
    char byte; /* 0: any other byte that can begin a value */
    int next;
} steps[] = {
    {AT_START, '{', AT_FIRST},   {AT_FIRST, '"', IN_MEMBER},  {AT_FIRST, '}', AT_END},   {AT_MEMBER, '"', IN_MEMBER},
    {AT_COLON, ':', AT_VALUE},   {AT_VALUE, '[', AT_ELEMENT}, {AT_VALUE, 0, IN_VALUE},   {AT_ELEMENT, ']', AFTER},
    {AT_ELEMENT, 0, IN_ELEMENT}, {AT_NEXT, 0, IN_ELEMENT},    {AFTER_ONE, ',', AT_NEXT}, {AFTER_ONE, ']', AFTER},
    {AFTER, ',', AT_MEMBER},     {AFTER, '}', AT_END},
};

static int step(struct json_pieces *p, char c, struct err *e)
{
    static const char never[] = ",:]}";

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].state == p->state && (steps[i].byte == c || (!steps[i].byte && c && !strchr(never, c)))) {
            p->state = steps[i].next;
            return 0;
        }
    return wrong(e);
}

int json_pieces_feed(struct json_pieces *p, const char *bytes, size_t len, struct err *e)
{
    int r = 0;

    for (size_t at = 0; r == 0 && at < len;) {
        if (p->state == IN_VALUE || p->state == IN_ELEMENT) {
            r = scan_piece(p, bytes, &at, len, e);
        } else if (p->state == IN_MEMBER) {
            r = scan_member(p, bytes[at++], e);
        } else if (blank(bytes[at])) {
            at++;
        } else {
            r = step(p, bytes[at], e);
            if (p->state == IN_MEMBER)
                buf_clear(&p->member);
            /* The first byte of a value belongs to the value. */
            at += p->state != IN_VALUE && p->state != IN_ELEMENT;
        }
    }
    return r;
}

int json_pieces_end(const struct json_pieces *p, struct err *e)
{
    return p->state == AT_END ? 0 : wrong(e);
}
