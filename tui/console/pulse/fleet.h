/* SPDX-License-Identifier: BSD-3-Clause */
/* Which relays the nodes use, and which versions their clients have: in words. */
#ifndef TUI_CONSOLE_PULSE_FLEET_H
#define TUI_CONSOLE_PULSE_FLEET_H

#include "console/model/model.h"

/* "ber 71, fra 30; 3 without a home relay": of the nodes that are online. */
void fleet_relays(const struct model *m, struct buf *out);
/* "1.102 90, 1.100 12; older: 2: kiosk 1.82, nas 1.80": those that are two releases or more behind the newest one in
 * use are old, and are named. Returns how many they are. */
size_t fleet_versions(const struct model *m, struct buf *out);

#endif
