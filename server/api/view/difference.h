/* SPDX-License-Identifier: BSD-3-Clause */
/* What leads from one snapshot to another. */
#ifndef SERVER_API_VIEW_DIFFERENCE_H
#define SERVER_API_VIEW_DIFFERENCE_H

#include "api/view/view.h"

/* Members "changed" and "removed": what leads from one snapshot to another; all empty where they are the same. */
void write_difference(struct json_out *o, struct api *api, const struct tailnet_snapshot *was,
                      const struct tailnet_snapshot *is);

#endif
