/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_EVENT_DETAIL_H
#define TUI_CONSOLE_VIEWS_EVENT_DETAIL_H

#include "base/buf.h"

/* Adds an event's detail, a JSON object, as people read it: "tags: tag:web, tag:db; by: policy". NULL adds nothing. */
void event_detail(const char *json, struct buf *out);

#endif
