/* SPDX-License-Identifier: BSD-3-Clause */
/* policy reach: a question of the family of policy that is long enough for a file of its own. */
#ifndef TUI_CLI_POLICY_REACH_H
#define TUI_CLI_POLICY_REACH_H

#include "cli/command.h"

extern const struct flag policy_reach_flags[];
int policy_reach_table(struct cli *c);

#endif
