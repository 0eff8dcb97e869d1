/* SPDX-License-Identifier: BSD-3-Clause */
/* Host names as DNS labels, the way the official client makes them (tailscale util/dnsname: SanitizeHostname). */
#ifndef COMMON_MODEL_LABEL_H
#define COMMON_MODEL_LABEL_H

#include <stdbool.h>

#define LABEL_MAX 63 /* bytes */

/* A label in lower case, "node" when nothing is left. */
void label_of_host(const char *hostname, char out[LABEL_MAX + 1]);
/* Letters, digits and, inside, '-'. */
bool label_is_valid(const char *text);
/* The name may be what was made of the host's: its label, or that with a number behind it ("-1"). */
bool label_is_derived(const char *name, const char *hostname);

#endif
