/* SPDX-License-Identifier: BSD-3-Clause */
/* Warnings about routes, printed on stderr beside a command's output. Mere remarks are left out; if the daemon cannot
 * be asked, nothing is printed. */
#ifndef TUI_CLI_ROUTE_PROBLEMS_H
#define TUI_CLI_ROUTE_PROBLEMS_H

#include "cli/command.h"

int routes_check(struct cli *c); /* the command */
void route_warnings_print(const struct cli *c,
                          const json_t *answer); /* the answer to a change of approvals; may be NULL */
/* Before routes are approved by a call whose answer has no warnings. */
void route_warnings_before(struct cli *c, uint64_t node, const struct strs *routes);
/* For the routes of the nodes in an answer shown as a table. */
void route_warnings_beside(struct cli *c, const json_t *nodes);

#endif
