/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_EVENT_DETAIL_H
#define TUI_CONSOLE_VIEWS_EVENT_DETAIL_H

#include <stdint.h>

#include "base/buf.h"

/* Adds an event's detail, a JSON object, as people read it: "tags: tag:web, tag:db; by: policy". NULL adds nothing. */
void event_detail(const char *json, struct buf *out);

/* Of a change that followed from something: what, and how soon it was seen; "" where the detail says nothing of it. */
void event_because(const char *json, struct buf *out);
/* What the detail says besides. */
void event_effect(const char *json, struct buf *out);

/* Adds what an event is about, as people call it: "node gw-ber-1". A key goes by its number, not by its prefix. */
void event_object(const char *object, uint64_t id, const char *name, struct buf *out);

#endif
