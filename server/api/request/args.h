/* SPDX-License-Identifier: BSD-3-Clause */
/* What was asked, by name: the body's member, else the query's. */
#ifndef SERVER_API_REQUEST_ARGS_H
#define SERVER_API_REQUEST_ARGS_H

#include "api/request/endpoint.h"

/* Each leaves *out as it was when the argument is absent or null, and returns 0; else ERR_INVALID with the name. On
 * /api/v1 names are taken in snake_case and any case too, and numbers, texts and booleans for each other. */
const char *arg_query(const struct rest_request *r, const char *name); /* NULL: absent */
json_t *arg_json(const struct rest_request *r, const char *name);      /* NULL: absent or null */
int arg_text(struct rest_request *r, const char *name, const char **out) WARN_UNUSED;
int arg_bool(struct rest_request *r, const char *name, bool *out) WARN_UNUSED;
int arg_id(struct rest_request *r, const char *name, uint64_t *out) WARN_UNUSED; /* "" is 0 */
int arg_number(struct rest_request *r, const char *name, uint64_t *out) WARN_UNUSED;
int arg_time(struct rest_request *r, const char *name, int64_t *out) WARN_UNUSED;
/* The end of a new key: absent, empty, null or zero is in default_ns from now, "never" is 0. */
int arg_expiration(struct rest_request *r, int64_t default_ns, int64_t *out) WARN_UNUSED;
int arg_texts(struct rest_request *r, const char *name, struct strs *out, bool *given) WARN_UNUSED;
/* The same of a value that stands elsewhere in the body; NULL and null are an empty list. */
int arg_texts_of(struct rest_request *r, const json_t *v, const char *name, struct strs *out) WARN_UNUSED;
int arg_prefixes(struct rest_request *r, const char *name, struct prefixes *out, bool *given) WARN_UNUSED;
/* By id or by name. Nobody has it: ERR_MISSING, or ERR_INVALID where an id is meant and the text is none. */
int arg_user(struct rest_request *r, const char *name, const struct user **out) WARN_UNUSED;
int arg_user_id(struct rest_request *r, const char *name, const struct user **out) WARN_UNUSED;
int param_id(struct rest_request *r, size_t i, uint64_t *out) WARN_UNUSED;
/* A body that is not empty has at least one of the row's members; else ERR_INVALID that names one it has. */
int args_any_known(struct rest_request *r, const char *members) WARN_UNUSED;
/* The members of the body are among those of the row; else ERR_INVALID that names them. */
int args_known(struct rest_request *r, const char *members) WARN_UNUSED;

#endif
