/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON in both directions. Reading is jansson behind a few functions that name what was wrong; this header is the only
 * place that includes it. Writing is a buffer with commas kept right, because most of what is written is written for
 * thousands of receivers and never needs a tree. */
#ifndef COMMON_JSON_JSON_H
#define COMMON_JSON_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Values in one document of strangers: each takes some 100 bytes of memory, and may be 2 bytes of text. */
#define JSON_VALUES_MAX 65536

/* Parses one value that fills text. what names the document in the message ("map request"). The depth is bounded.
 * ERR_TOOBIG beyond max bytes or JSON_VALUES_MAX values, ERR_INVALID with line and column otherwise. The caller owns
 * *out (json_decref). */
int json_read(const char *text, size_t len, size_t max, const char *what, json_t **out, struct err *e) WARN_UNUSED;
/* The same for what this program, its server or its administrator wrote: any number of values. */
int json_read_large(const char *text, size_t len, size_t max, const char *what, json_t **out,
                    struct err *e) WARN_UNUSED;

/* Members of an object. A missing member or null leaves *out as it was and returns 0; one of the wrong kind is
 * ERR_INVALID with the field's name. The text is borrowed from the object. */
int json_get_str(const json_t *object, const char *key, const char **out, struct err *e) WARN_UNUSED;
int json_get_bool(const json_t *object, const char *key, bool *out, struct err *e) WARN_UNUSED;
int json_get_u64(const json_t *object, const char *key, uint64_t *out, struct err *e) WARN_UNUSED; /* also "123" */
int json_get_array(const json_t *object, const char *key, json_t **out, struct err *e) WARN_UNUSED;
int json_get_object(const json_t *object, const char *key, json_t **out, struct err *e) WARN_UNUSED;

/* Borrowed text of a member, fallback when it is missing or no text. */
const char *json_text(const json_t *object, const char *key, const char *fallback);

/* The value as compact text with sorted keys; the caller owns it. */
char *json_compact(const json_t *value);

/* ---- a large object, taken apart while it arrives ---- */

/* Its members, and the elements of those that are arrays, one by one. Whoever reads it needs the memory of one piece,
 * and has the first before the last was sent. */

/* The value of a member, or an element of it where it is an array (an empty array has none): JSON text that is
 * borrowed, and of which only the brackets and quotes are known to match. A result other than 0 ends the reading with
 * it. */
typedef int json_piece(void *arg, const char *member, const char *text, size_t len);

struct json_pieces {
    json_piece *piece;
    void *arg;
    int state; /* pieces.c */
    int depth; /* of brackets within the piece */
    bool quoted, escaped;
    struct buf member, text;
};

/* max: bytes of one piece. */
void json_pieces_init(struct json_pieces *p, size_t max, json_piece *piece, void *arg);
void json_pieces_release(struct json_pieces *p);
/* Bytes in pieces of any size. ERR_INVALID where it is no object, ERR_TOOBIG, or what piece returned: nothing can be
 * fed after that. */
int json_pieces_feed(struct json_pieces *p, const char *bytes, size_t len, struct err *e) WARN_UNUSED;
/* ERR_INVALID where the object is not at its end. */
int json_pieces_end(const struct json_pieces *p, struct err *e) WARN_UNUSED;

/* ---- writing ---- */

struct json_out {
    struct buf *b;
    bool comma; /* the next member or element needs one in front */
};

#define JSON_OUT(buffer)                                                                                               \
    {                                                                                                                  \
        .b = (buffer)                                                                                                  \
    }

void json_open(struct json_out *o, char bracket);  /* '{' or '[' as an element or a member's value */
void json_close(struct json_out *o, char bracket); /* '}' or ']' */
void json_key(struct json_out *o, const char *key);
void json_str(struct json_out *o, const char *text); /* invalid UTF-8 becomes U+FFFD */
void json_strn(struct json_out *o, const char *text, size_t len);
void json_u64(struct json_out *o, uint64_t value);
void json_i64(struct json_out *o, int64_t value);
void json_bool(struct json_out *o, bool value);
void json_nil(struct json_out *o);
void json_raw(struct json_out *o, const char *json, size_t len); /* text that is JSON already */
void json_time(struct json_out *o, int64_t wall_ns);             /* 0 is null */

/* Member and value in one call. */
void json_put_str(struct json_out *o, const char *key, const char *text);
void json_put_u64(struct json_out *o, const char *key, uint64_t value);
void json_put_id(struct json_out *o, const char *key, uint64_t value); /* an id: a decimal text */
void json_put_i64(struct json_out *o, const char *key, int64_t value);
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_time(struct json_out *o, const char *key, int64_t wall_ns);

#endif
