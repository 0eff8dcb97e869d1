/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients hold: commands of the families of routes and nodes. */
#ifndef TUI_CLI_READBACK_H
#define TUI_CLI_READBACK_H

#include "cli/command.h"

extern const struct flag route_status_flags[];
int routes_status(struct cli *c, const struct prefix *p); /* of a prefix */
int nodes_diff(struct cli *c);

#endif
