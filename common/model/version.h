/* SPDX-License-Identifier: BSD-3-Clause */
/* Which version this is, told in one way by GET /version and by "headway version". */
#ifndef COMMON_MODEL_VERSION_H
#define COMMON_MODEL_VERSION_H

#include "json/json.h"

/* The release of headscale as whose API the server answers: web interfaces made for it switch features by its number.
 */
#define VERSION_AS_HEADSCALE "v0.29.2"

extern const char *const headway_version;

/* {"version":"v0.29.2","headway":"1.0.0",...}: the members of headscale's, of which version is the one above, and ours.
 */
void version_write(struct json_out *o);

#endif
