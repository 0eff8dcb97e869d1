/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_CORE_DECIDE_DNS_CONFIG_H
#define SERVER_CORE_DECIDE_DNS_CONFIG_H

#include "config/config.h"
#include "model/record.h"

/* tailcfg.DNSConfig as JSON, the caller's. v: what holds of what can be set. records: a list of Name, Type and Value
 * that a file held, NULL: none; the configuration's own records go before it. */
char *dns_config_json(const struct config *c, const struct dns_values *v, const char *records);

#endif
