/* SPDX-License-Identifier: BSD-3-Clause */
/* From the state to what readers see. */
#ifndef SERVER_CORE_PUBLISH_H
#define SERVER_CORE_PUBLISH_H

struct core_state;

void publish(struct core_state *s);

#endif
