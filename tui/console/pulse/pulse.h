/* SPDX-License-Identifier: BSD-3-Clause */
/* The pulse: what needs somebody, how much there is of everything, and how the last hour was. */
#ifndef TUI_CONSOLE_PULSE_PULSE_H
#define TUI_CONSOLE_PULSE_PULSE_H

#include "console/app/view.h"

extern const struct console_view pulse_view;
/* Goes where something can be done about it. */
void pulse_open(struct app *app, const struct m_need *need);

#endif
