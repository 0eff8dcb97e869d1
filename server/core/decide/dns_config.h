/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_CORE_DECIDE_DNS_CONFIG_H
#define SERVER_CORE_DECIDE_DNS_CONFIG_H

#include "config/config.h"
#include "model/record.h"

/* tailcfg.DNSConfig as JSON, owned by the caller. v: the values in effect. records: a list of Name, Type and Value from
 * a file, NULL: none; the configuration's own records precede it. */
char *dns_config_json(const struct config *c, const struct dns_values *v, const char *records);

#endif
