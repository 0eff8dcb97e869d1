/* SPDX-License-Identifier: BSD-3-Clause */
/* Converts operations of the core to calls of /api/headway and back. */
#ifndef SERVER_API_VIEW_OPERATIONS_H
#define SERVER_API_VIEW_OPERATIONS_H

#include "base/arena.h"
#include "core/core.h"
#include "json/json.h"

#define STORED_MAX (16U << 20) /* bytes of an entry's inverse: a policy of 4 MiB with its escapes */

/* Writes a stored operation of the journal as {"method","path","body"}; false: there is no such call. */
bool operation_as_call(const char *stored, struct buf *out);
/* Fills op and fields of *out; its texts are borrowed from *fields, which the caller frees (json_decref). */
int operation_read(struct arena *arena, const char *stored, json_t **fields, struct core_admin *out,
                   struct err *e) WARN_UNUSED;

#endif
