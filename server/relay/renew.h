/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_RENEW_H
#define SERVER_RELAY_RENEW_H

#include "relay/state.h"

/* Once a day, and when told to: makes a new certificate if it is time, or takes the one that was put into its place.
 * Those before are answered with by their names until the daemon ends. True: the map must name another one now. */
bool relay_renew(struct relay *r);

/* Lets a listener answer by the relay's names with its certificates. */
int relay_add_names(struct relay *r, struct loop_tls *tls, struct err *e) WARN_UNUSED;

#endif
