/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON in both directions. Reading uses jansson behind a few functions whose errors name what was wrong; only this
 * header includes it. Writing appends to a buffer and places the commas: most output goes to thousands of receivers and
 * never needs a tree. */
#ifndef COMMON_JSON_JSON_H
#define COMMON_JSON_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* The most values in one document from an untrusted source: a value takes about 100 bytes of memory, but possibly only
 * 2 bytes of text. */
#define JSON_VALUES_MAX 65536

/* Parses text, which must be exactly one JSON value. what names the document in messages ("map request"). The depth is
 * limited. ERR_TOOBIG beyond max bytes or JSON_VALUES_MAX values, otherwise ERR_INVALID with line and column. The
 * caller owns *out (json_decref). */
int json_read(const char *text, size_t len, size_t max, const char *what, json_t **out, struct err *e) WARN_UNUSED;
/* The same without a limit on values, for documents that this program, its server or its administrator wrote. */
int json_read_large(const char *text, size_t len, size_t max, const char *what, json_t **out,
                    struct err *e) WARN_UNUSED;

/* Members of an object. If a member is missing or null, *out is unchanged and the result is 0; the wrong type is
 * ERR_INVALID with the name of the field. The text is borrowed from the object. */
int json_get_str(const json_t *object, const char *key, const char **out, struct err *e) WARN_UNUSED;
int json_get_bool(const json_t *object, const char *key, bool *out, struct err *e) WARN_UNUSED;
int json_get_u64(const json_t *object, const char *key, uint64_t *out, struct err *e) WARN_UNUSED; /* also "123" */
int json_get_array(const json_t *object, const char *key, json_t **out, struct err *e) WARN_UNUSED;
int json_get_object(const json_t *object, const char *key, json_t **out, struct err *e) WARN_UNUSED;

/* The text of a member, borrowed; fallback if it is missing or not a string. */
const char *json_text(const json_t *object, const char *key, const char *fallback);

/* The value as compact text with sorted keys; caller frees. */
char *json_compact(const json_t *value);

/* ---- a large object, taken apart while it arrives ---- */

/* Delivers the members of an object, and the elements of members that are arrays, one by one. The reader needs memory
 * for one piece only, and gets the first piece before the last one was sent. */

/* Receives the value of a member, or an element of it if it is an array (an empty array has none). The JSON text is
 * borrowed and unchecked, except that its brackets and quotes match. A result other than 0 stops the reading and
 * becomes its result. */
typedef int json_piece(void *arg, const char *member, const char *text, size_t len);

struct json_pieces {
    json_piece *piece;
    void *arg;
    int state; /* see pieces.c */
    int depth; /* of brackets within the piece */
    bool quoted, escaped;
    struct buf member, text;
};

/* max: the most bytes of one piece. */
void json_pieces_init(struct json_pieces *p, size_t max, json_piece *piece, void *arg);
void json_pieces_release(struct json_pieces *p);
/* Takes bytes in portions of any size. ERR_INVALID if they are not an object, ERR_TOOBIG, or the result of piece; after
 * an error nothing more may be fed. */
int json_pieces_feed(struct json_pieces *p, const char *bytes, size_t len, struct err *e) WARN_UNUSED;
/* ERR_INVALID if the object is incomplete. */
int json_pieces_end(const struct json_pieces *p, struct err *e) WARN_UNUSED;

/* ---- writing ---- */

struct json_out {
    struct buf *b;
    bool comma; /* the next member or element needs a comma before it */
};

#define JSON_OUT(buffer)                                                                                               \
    {                                                                                                                  \
        .b = (buffer)                                                                                                  \
    }

void json_open(struct json_out *o, char bracket);  /* '{' or '[', as an element or a member's value */
void json_close(struct json_out *o, char bracket); /* '}' or ']' */
void json_key(struct json_out *o, const char *key);
void json_str(struct json_out *o, const char *text); /* invalid UTF-8 becomes U+FFFD */
void json_strn(struct json_out *o, const char *text, size_t len);
void json_u64(struct json_out *o, uint64_t value);
void json_i64(struct json_out *o, int64_t value);
void json_bool(struct json_out *o, bool value);
void json_nil(struct json_out *o);
void json_raw(struct json_out *o, const char *json, size_t len); /* text that is already JSON */
void json_time(struct json_out *o, int64_t wall_ns);             /* 0 becomes null */

/* A member and its value in one call. */
void json_put_str(struct json_out *o, const char *key, const char *text);
void json_put_u64(struct json_out *o, const char *key, uint64_t value);
void json_put_id(struct json_out *o, const char *key, uint64_t value); /* an id, as a decimal string */
void json_put_i64(struct json_out *o, const char *key, int64_t value);
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_time(struct json_out *o, const char *key, int64_t wall_ns);

#endif
