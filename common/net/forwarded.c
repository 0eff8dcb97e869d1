/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/forwarded.h"

#include <string.h>

bool forwarded_is_trusted(const struct prefixes *trusted, const struct addr *a)
{
    struct prefix whole = {*a, a->bits};

    for (size_t i = 0; i < trusted->len; i++)
        if (prefix_covers(&trusted->items[i], &whole))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Reads an address, alone or with a port as some proxies write it, from len bytes that may include surrounding
 * blanks. */
static bool read_address(const char *text, size_t len, struct addr_port *out)
{
    char copy[ADDR_PORT_TEXT_MAX];

    while (len && is_blank(*text))
        text++, len--;
    while (len && is_blank(text[len - 1]))
        len--;
    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *out = (struct addr_port){0};
    return addr_parse(copy, &out->addr, NULL) == 0 || addr_port_parse(copy, out, NULL) == 0;
}

static void follow_list(const struct prefixes *trusted, const char *list, struct addr_port *peer)
{
    struct addr_port next;

    for (size_t end = strlen(list), start; end && forwarded_is_trusted(trusted, &peer->addr);
         end = start ? start - 1 : 0) {
        start = end;
        while (start && list[start - 1] != ',')
            start--;
        if (!read_address(list + start, end - start, &next))
            return;
        *peer = next;
    }
}

bool forwarded_client(const struct prefixes *trusted, const struct forwarded *said, struct addr_port *peer)
{
    const char *single = said->x_real_ip ? said->x_real_ip : said->true_client_ip;
    struct addr_port before = *peer, named;

    if (!forwarded_is_trusted(trusted, &peer->addr))
        return false;
    if (said->x_forwarded_for)
        follow_list(trusted, said->x_forwarded_for, peer);
    else if (single && read_address(single, strlen(single), &named))
        *peer = named;
    return !addr_port_eq(&before, peer);
}
