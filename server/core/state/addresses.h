/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of nodes, from the configured prefixes. */
#ifndef SERVER_CORE_STATE_ADDRESSES_H
#define SERVER_CORE_STATE_ADDRESSES_H

#include "base/err.h"
#include "net/prefix.h"

struct address_pool;
struct core_state;

int address_allocate(struct core_state *s, struct address_pool *a, struct addr *out, struct err *e) WARN_UNUSED;
/* It was freed age_ns ago and is quarantined for some minutes; bits 0: no address. */
void address_free(struct core_state *s, const struct addr *a, int64_t age_ns);
void address_set_ranges(struct core_state *s);

#endif
