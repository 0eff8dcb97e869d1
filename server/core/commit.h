/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of changes that become durable together, and what follows when they do or cannot. */
#ifndef SERVER_CORE_COMMIT_H
#define SERVER_CORE_COMMIT_H

struct core_state;

void tx_submit(struct core_state *s); /* submits what was collected, at the end of a turn */
/* After the next publication: gives the answers that wait for nothing else. */
void tx_give_answers(struct core_state *s);

/* Writes what happened while nothing could be written: elections, and nodes going online and offline. */
void commit_write_facts(struct core_state *s);
void commit_release(struct core_state *s); /* at the end */

#endif
