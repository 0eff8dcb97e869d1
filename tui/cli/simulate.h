/* SPDX-License-Identifier: BSD-3-Clause */
/* `routes simulate`, and what it shares with `routes set`. */
#ifndef TUI_CLI_SIMULATE_H
#define TUI_CLI_SIMULATE_H

#include "cli/command.h"

/* clang-format off */
#define PREFIX_SETTING_FLAGS \
    {"failback", 0, FLAG_TEXT, .value = "MODE", .words = "sticky|oldest|priority", .help = "what happens when a better router is well again: nothing, or the oldest or the one with the highest priority takes over"}, \
    {"nearest", 0, FLAG_SWITCH, .help = "serve each client by the router that is nearest to it; --nearest=false serves all by one"}, \
    {"keep", 0, FLAG_SWITCH, .help = "keep the prefix with its last router while no router can serve it; --keep=false withdraws it"}, \
    {"hold-down", 0, FLAG_TEXT, .value = "TIME", .help = "how long a prefix that moved stays where it is"}, \
    {"failback-delay", 0, FLAG_TEXT, .value = "TIME", .help = "how long a better router must be well before it takes over"}, \
    {"reset", 0, FLAG_SWITCH, .help = "return all other settings to what is configured"}
/* clang-format on */

bool cli_prefix_settings_given(const struct cli *c);
/* The settings given by these flags, and --probe if the command has it. The caller owns it. NULL, with an error
 * printed, on failure. */
json_t *cli_prefix_settings(struct cli *c, bool probe);

/* A change of a node, for `routes simulate`, with these prefixes (may be NULL). The caller owns it. */
json_t *cli_node_change(const char *kind, uint64_t node, json_t *prefixes);
/* A change of a prefix's settings by the flags. The caller owns it. NULL, with an error printed, on failure. */
json_t *cli_set_change(struct cli *c, const char *text);
/* Simulates the changes in body, whose reference is consumed, and prints the result. Returns the exit status. */
int cli_simulate(struct cli *c, json_t *body);

extern const struct flag simulate_flags[];
int routes_simulate(struct cli *c);

#endif
