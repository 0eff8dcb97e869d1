/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are told of DNS: what an administrator set, member by member in place of the configuration. */
#ifndef SERVER_CORE_STATE_DNS_VALUES_H
#define SERVER_CORE_STATE_DNS_VALUES_H

#include "core/core.h"

/* Whether the members of which (enum dns_member) may be set so, with the rest as it is in effective. */
int dns_check(const struct config *c, const struct dns_values *v, unsigned which, const struct dns_values *effective,
              struct err *e) WARN_UNUSED;

/* Replaces in split the entries of the domains that changes names; one without servers is removed. */
void dns_split_change(struct strs *split, const struct strs *changes);

/* As core_operation_write writes them. */
void core_dns_write(struct json_out *o, const struct core_admin *a);
const char *dns_member_words(size_t i); /* of the same member as core_dns_member's name, for people */

#endif
