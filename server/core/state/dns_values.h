/* SPDX-License-Identifier: BSD-3-Clause */
/* The DNS settings that clients are sent: what an administrator set replaces the configuration, member by member. */
#ifndef SERVER_CORE_STATE_DNS_VALUES_H
#define SERVER_CORE_STATE_DNS_VALUES_H

#include "core/core.h"

/* Whether the members in which (enum dns_member) may be set to these values, with the rest as in effective. */
int dns_check(const struct config *c, const struct dns_values *v, unsigned which, const struct dns_values *effective,
              struct err *e) WARN_UNUSED;

/* Replaces the entries in split of the domains in changes; one without servers is removed. */
void dns_split_change(struct strs *split, const struct strs *changes);

/* In the form of core_operation_write. */
void core_dns_write(struct json_out *o, const struct core_admin *a);
const char *dns_member_words(size_t i); /* for people; i as for core_dns_member */

#endif
