/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when a timer fires. */
#ifndef SERVER_CORE_DUE_H
#define SERVER_CORE_DUE_H

struct core_state;

void due_run(struct core_state *s);

#endif
