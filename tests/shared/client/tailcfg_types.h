/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a client could decode what it is sent: the members of tailcfg.Node and what is in it, with the types that Go
 * decodes them into. A member that tailcfg does not know is an error here, although Go ignores it. */
#ifndef TESTS_SHARED_CLIENT_TAILCFG_TYPES_H
#define TESTS_SHARED_CLIENT_TAILCFG_TYPES_H

#include "json/json.h"

/* NULL, or the name of the first member that a client could not decode. */
const char *tailcfg_check_node(const json_t *node);
const char *tailcfg_check_hostinfo(const json_t *hostinfo);

#endif
