/* SPDX-License-Identifier: BSD-3-Clause */
/* `routes via6`: an IPv4 network of a site as an IPv6 prefix, and back. It asks no daemon. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"
#include "net/via6.h"

static int print_mapping(struct cli *c, const struct prefix *p, bool decoded)
{
    char text[PREFIX_TEXT_MAX], inner[PREFIX_TEXT_MAX];
    struct prefix v4;
    uint32_t site;

    if (!via6_decode(p, &site, &v4))
        return cli_failf(c, "%s is no 4via6 prefix: one lies within " VIA6_RANGE " and is at least a /96",
                         prefix_format(p, text));
    prefix_format(p, text);
    prefix_format(&v4, inner);
    char *line = decoded ? mem_format("site %" PRIu32 ", %s", site, inner) : mem_strdup(text);
    int r = cli_done(c, json_pack("{s:s, s:I, s:s}", "prefix", text, "site", (json_int_t)site, "ipv4", inner), line,
                     NULL, NULL);
    free(line);
    return r;
}

int cli_route_via6(struct cli *c)
{
    const char *first = c->args->items[0];
    struct prefix p, v4;
    uint64_t site;
    struct err e = {0};

    if (c->args->len == 1) {
        if (prefix_parse(first, &p, NULL, &e) < 0)
            return cli_fail(c, &e);
        return print_mapping(c, &p, true);
    }
    if (str_u64(first, 0, UINT32_MAX, &site, "SITE", &e) < 0 || prefix_parse(c->args->items[1], &v4, NULL, &e) < 0 ||
        via6_encode(site, &v4, &p, &e) < 0)
        return cli_fail(c, &e);
    return print_mapping(c, &p, false);
}
