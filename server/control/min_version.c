/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/min_version.h"

#include <stdio.h>

#include "base/array.h"
#include "control/control.h"

const char *too_old(const struct rpc *rpc, unsigned version, char text[TOO_OLD_TEXT_MAX])
{
    /* tailcfg.CapabilityVersion of each release that introduced one; earlier releases no longer matter. */
    static const struct {
        unsigned from;
        const char *release;
    } releases[] = {{109, "1.78"}, {106, "1.74"}, {104, "1.72"}, {97, "1.68"},
                    {90, "1.64"},  {82, "1.58"},  {68, "1.48"}};
    unsigned oldest = rpc_conn_version(rpc->conn);
    const char *release = NULL;

    if (version && version < oldest)
        oldest = version;
    if (oldest >= CONTROL_MIN_VERSION)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(releases) && !release; i++)
        if (oldest >= releases[i].from)
            release = releases[i].release;
    snprintf(text, TOO_OLD_TEXT_MAX, "%s%s is too old for this server: update to 1.80 or later",
             release ? "Tailscale " : "This version of Tailscale", release ? release : "");
    return text;
}
