/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/version.h"

#include <string.h>
#include <sys/utsname.h>

void version_write(struct json_out *o)
{
    struct utsname system = {0};

    uname(&system);
    json_open(o, '{');
    json_put_str(o, "version", VERSION_AS_HEADSCALE);
    json_put_str(o, "headway", headway_version);
    json_put_str(o, "commit", headway_version);
    json_put_str(o, "buildTime", "unknown");
    json_key(o, "go"); /* nothing here was made with Go, but programs read the member */
    json_open(o, '{');
    json_put_str(o, "version", "none");
    json_put_str(o, "os", "linux");
    json_put_str(o, "arch", system.machine);
    json_close(o, '}');
    json_put_bool(o, "dirty", strstr(headway_version, "-dirty") != NULL);
    json_close(o, '}');
}
