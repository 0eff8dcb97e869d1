/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_EVENT_DETAIL_H
#define TUI_CONSOLE_VIEWS_EVENT_DETAIL_H

#include <stdint.h>

#include "base/buf.h"

/* Appends an event's detail, a JSON object, for people: "tags: tag:web, tag:db; by: policy". NULL appends nothing. */
void event_detail(const char *json, struct buf *out);

/* The cause of a change and how soon it was detected; "" if the detail does not say. */
void event_because(const char *json, struct buf *out);
/* The rest of the detail. */
void event_effect(const char *json, struct buf *out);

/* Appends the object of an event as people call it: "node gw-ber-1". A key is called by its number, not its prefix. */
void event_object(const char *object, uint64_t id, const char *name, struct buf *out);

#endif
