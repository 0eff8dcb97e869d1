/* SPDX-License-Identifier: BSD-3-Clause */
/* How a shape is described; private to the model. */
#ifndef COMMON_MODEL_SHAPE_H
#define COMMON_MODEL_SHAPE_H

#include "model/api.h"

enum api_kind {
    KIND_ID,           /* uint64_t as decimal text; 0 is null */
    KIND_U64,          /* uint64_t as a number */
    KIND_BOOL,         /* bool */
    KIND_TEXT,         /* const char * */
    KIND_TEXT_OR_NULL, /* const char * */
    KIND_TIME,         /* int64_t */
    KIND_CREATED,      /* int64_t; 0 is the year 1: clients of headscale expect a time here always */
    KIND_WORD,         /* int, index into words */
    KIND_PREFIX,       /* struct prefix */
    KIND_PREFIXES,     /* struct prefixes */
    KIND_TEXTS,        /* struct strs, in the order given */
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
    const char *old; /* in headscale 0.29's command line; NULL: not there */
    size_t offset;
    enum api_kind kind;
    enum api_scope scope; /* the least one that it is written in */
    const struct api_shape *shape;
    const struct api_words *words;
    bool optional; /* absent where it is empty */
};

struct api_shape {
    const char *what; /* for messages: "node" */
    size_t size;
    const struct api_field *fields;
    size_t count;
};

#endif
