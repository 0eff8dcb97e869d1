/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of a request by name: a member of the body, otherwise of the query. */
#ifndef SERVER_API_REQUEST_ARGS_H
#define SERVER_API_REQUEST_ARGS_H

#include "api/request/endpoint.h"

/* Each returns 0 and leaves *out unchanged if the argument is absent or null; otherwise ERR_INVALID names the argument.
 * On /api/v1 names are also accepted in snake_case and in any case, and numbers, texts and booleans for one another. */
const char *arg_query(const struct rest_request *r, const char *name); /* NULL: absent */
json_t *arg_json(const struct rest_request *r, const char *name);      /* NULL: absent or null */
int arg_text(struct rest_request *r, const char *name, const char **out) WARN_UNUSED;
int arg_bool(struct rest_request *r, const char *name, bool *out) WARN_UNUSED;
int arg_id(struct rest_request *r, const char *name, uint64_t *out) WARN_UNUSED; /* "" is 0 */
int arg_number(struct rest_request *r, const char *name, uint64_t *out) WARN_UNUSED;
int arg_time(struct rest_request *r, const char *name, int64_t *out) WARN_UNUSED;
/* The expiry of a new key: absent, empty, null or zero means default_ns from now; "never" is 0. */
int arg_expiration(struct rest_request *r, int64_t default_ns, int64_t *out) WARN_UNUSED;
int arg_texts(struct rest_request *r, const char *name, struct strs *out, bool *given) WARN_UNUSED;
/* The same for a value from elsewhere in the body; NULL and null are an empty list. */
int arg_texts_of(struct rest_request *r, const json_t *v, const char *name, struct strs *out) WARN_UNUSED;
int arg_prefixes(struct rest_request *r, const char *name, struct prefixes *out, bool *given) WARN_UNUSED;
/* Finds a user by id or name. If there is none: ERR_MISSING, or ERR_INVALID where an id is required and the text is not
 * one. */
int arg_user(struct rest_request *r, const char *name, const struct user **out) WARN_UNUSED;
int arg_user_id(struct rest_request *r, const char *name, const struct user **out) WARN_UNUSED;
int param_id(struct rest_request *r, size_t i, uint64_t *out) WARN_UNUSED;
/* Checks that a nonempty body has at least one of the row's members; otherwise ERR_INVALID names one of the body's. */
int args_any_known(struct rest_request *r, const char *members) WARN_UNUSED;
/* Checks that the row lists every member of the body; otherwise ERR_INVALID names those it does not. */
int args_known(struct rest_request *r, const char *members) WARN_UNUSED;

#endif
