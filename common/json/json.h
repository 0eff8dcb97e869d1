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
