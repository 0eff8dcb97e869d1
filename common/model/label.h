/* SPDX-License-Identifier: BSD-3-Clause */
/* Host names as DNS labels, made as the official client does (tailscale util/dnsname: SanitizeHostname). */
#ifndef COMMON_MODEL_LABEL_H
#define COMMON_MODEL_LABEL_H

#include <stdbool.h>

#define LABEL_MAX 63 /* bytes */

/* The label in lower case, "node" if nothing is left. */
void label_of_host(const char *hostname, char out[LABEL_MAX + 1]);
/* Letters and digits, and '-' except at the ends. */
bool label_is_valid(const char *text);
/* May the name have been derived from the host name: as its label, or as that with a number ("-1") appended? */
bool label_is_derived(const char *name, const char *hostname);

#endif
