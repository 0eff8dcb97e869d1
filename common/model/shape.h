/* SPDX-License-Identifier: BSD-3-Clause */
/* How shapes are described; private to this room. */
#ifndef COMMON_MODEL_SHAPE_H
#define COMMON_MODEL_SHAPE_H

#include "model/api.h"

enum api_kind {
    KIND_ID,           /* uint64_t as a decimal string; 0 is null */
    KIND_U64,          /* uint64_t as a number */
    KIND_BOOL,         /* bool */
    KIND_TEXT,         /* const char * */
    KIND_TEXT_OR_NULL, /* const char * */
    KIND_TIME,         /* int64_t */
    KIND_CREATED,      /* int64_t; 0 is the year 1, because headscale's clients always expect a time here */
    KIND_WORD,         /* int, index into words */
    KIND_PREFIX,       /* struct prefix */
    KIND_PREFIXES,     /* struct prefixes */
    KIND_TEXTS,        /* struct strs, order preserved */
    KIND_ADDRS,        /* struct api_addrs */
    KIND_ENDPOINTS,    /* struct api_endpoints */
    KIND_EVENT_ID,     /* struct api_event_id; run 0 is null */
    KIND_JSON,         /* const char * with a JSON value, NULL is null */
    KIND_ONE,          /* pointer to a struct of shape, NULL is null */
    KIND_PART,         /* a struct of shape, in place */
    KIND_MANY,         /* struct api_list of shape */
};

struct api_words {
    const char *(*name)(int value);
    int count; /* values are 0 to count - 1 */
};

struct api_field {
    const char *name;
    const char *old; /* name in the command line of headscale 0.29; NULL: absent there */
    size_t offset;
    enum api_kind kind;
    enum api_scope scope; /* the narrowest scope that includes it */
    const struct api_shape *shape;
    const struct api_words *words;
    bool optional; /* omitted if it is empty */
};

struct api_shape {
    const char *what; /* for messages: "node" */
    size_t size;
    const struct api_field *fields;
    size_t count;
};

#endif
