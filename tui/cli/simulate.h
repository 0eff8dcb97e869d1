/* SPDX-License-Identifier: BSD-3-Clause */
/* routes simulate: a question of the family of routes that is long enough for a file of its own. */
#ifndef TUI_CLI_SIMULATE_H
#define TUI_CLI_SIMULATE_H

#include "cli/command.h"

extern const struct flag simulate_flags[];
int routes_simulate(struct cli *c);

#endif
