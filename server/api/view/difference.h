/* SPDX-License-Identifier: BSD-3-Clause */
/* The difference between two snapshots. */
#ifndef SERVER_API_VIEW_DIFFERENCE_H
#define SERVER_API_VIEW_DIFFERENCE_H

#include "api/view/view.h"

/* Writes the members "changed" and "removed", which lead from one snapshot to the other; all empty if they are
 * equal. */
void write_difference(struct json_out *o, struct api *api, const struct tailnet_snapshot *was,
                      const struct tailnet_snapshot *is);

#endif
