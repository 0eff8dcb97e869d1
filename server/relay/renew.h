/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_RENEW_H
#define SERVER_RELAY_RENEW_H

#include "relay/state.h"

/* Called once a day, and on request: makes a new certificate when it is time, or uses a replaced one. The previous ones
 * are still answered with for their names until the daemon ends. True: the map must now name another one. */
bool relay_renew(struct relay *r);

/* Lets a listener answer for the relay's names with its certificates. */
int relay_add_names(struct relay *r, struct loop_tls *tls, struct err *e) WARN_UNUSED;

#endif
