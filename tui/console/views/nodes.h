/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_NODES_H
#define TUI_CONSOLE_VIEWS_NODES_H

#include "console/app/view.h"

extern const struct console_view nodes_view;

struct api_node_round_trips;
/* The last known round trips of the node; NULL: none yet. */
const struct api_node_round_trips *nodes_trips(const struct app *app, const struct m_node *n);

#endif
