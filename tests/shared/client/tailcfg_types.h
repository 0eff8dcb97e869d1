/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that a client can decode what it is sent: the members of tailcfg.Node and its parts, with the types that Go
 * decodes them into. Members that tailcfg does not have are errors here, although Go ignores them. */
#ifndef TESTS_SHARED_CLIENT_TAILCFG_TYPES_H
#define TESTS_SHARED_CLIENT_TAILCFG_TYPES_H

#include "json/json.h"

/* NULL, or the name of the first member that a client could not decode. */
const char *tailcfg_check_node(const json_t *node);
const char *tailcfg_check_hostinfo(const json_t *hostinfo);

#endif
