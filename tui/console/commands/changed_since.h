/* SPDX-License-Identifier: BSD-3-Clause */
/* What was changed again after an entry of the journal: undoing the entry would overwrite it. */
#ifndef TUI_CONSOLE_COMMANDS_CHANGED_SINCE_H
#define TUI_CONSOLE_COMMANDS_CHANGED_SINCE_H

#include "base/str.h"
#include "console/model/model.h"

/* Returns the newest later entry still in force that changed what the named entries changed; NULL if none is known. */
const struct m_event *changed_since(const struct model *m, const struct strs *events);

#endif
