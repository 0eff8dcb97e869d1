/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_CORE_DECIDE_DNS_CONFIG_H
#define SERVER_CORE_DECIDE_DNS_CONFIG_H

#include "config/config.h"

/* tailcfg.DNSConfig as JSON, the caller's. records: a list of Name, Type and Value that a file held, NULL: none; the
 * configuration's own records go before it. */
char *dns_config_json(const struct config *c, const char *records);

#endif
