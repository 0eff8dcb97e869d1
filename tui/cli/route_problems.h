/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with routes, on stderr beside what is asked for. Only what is wrong is printed, not what is merely good
 * to know; where it cannot be asked for, nothing is. */
#ifndef TUI_CLI_ROUTE_PROBLEMS_H
#define TUI_CLI_ROUTE_PROBLEMS_H

#include "cli/command.h"

int routes_check(struct cli *c); /* the command */
void route_warnings_print(const struct cli *c,
                          const json_t *answer); /* of a change of what is approved; NULL is allowed */
/* Of what is to be approved by a call whose answer does not tell. */
void route_warnings_before(struct cli *c, uint64_t node, const struct strs *routes);
/* Of the routes of the nodes in an answer that is shown as a table. */
void route_warnings_beside(struct cli *c, const json_t *nodes);

#endif
