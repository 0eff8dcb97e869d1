/* SPDX-License-Identifier: BSD-3-Clause */
/* Protocols, ports and "host:ports". */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "policy/lang/rules.h"

static const struct {
    const char *name;
    int number;
} protocols[] = {
    {"icmp", 1}, {"igmp", 2}, {"ipv4", 4}, {"ip-in-ip", 4}, {"tcp", 6},        {"egp", 8},    {"igp", 9},
    {"udp", 17}, {"gre", 47}, {"esp", 50}, {"ah", 51},      {"ipv6-icmp", 58}, {"sctp", 132}, {"fc", 133},
};

const char *proto_name(int proto)
{
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (protocols[i].number == proto)
            return protocols[i].name;
    return NULL;
}

bool proto_has_ports(int proto)
{
    return proto == PROTO_DEFAULT || proto == 6 || proto == 17 || proto == 132;
}

bool ports_all(const struct port_range *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ports[i].first == 0 && ports[i].last == UINT16_MAX)
            return true;
    return false;
}

int proto_parse(const char *text, bool lower, int *out, char *why, size_t size)
{
    char name[24];
    size_t n = strlen(text);

    *out = PROTO_DEFAULT;
    if (n == 0)
        return 0;
    if (strcmp(text, "*") == 0) {
        snprintf(why, size,
                 "proto name \"*\" not known; use protocol number 0-255 or protocol name (icmp, tcp, udp, "
                 "etc.)");
        return ERR_INVALID;
    }
    for (size_t i = 0; i <= n && i < sizeof(name); i++)
        name[i] = lower ? (char)tolower((unsigned char)text[i]) : text[i];
    for (size_t i = 0; n < sizeof(name) && i < ARRAY_LEN(protocols); i++)
        if (strcmp(protocols[i].name, name) == 0) {
            *out = protocols[i].number;
            return 0;
        }
    if (n == 0 || strspn(text, "0123456789") != n || n > 9) {
        snprintf(why, size,
                 "invalid protocol number: \"%.60s\" must be a known protocol name or valid protocol number 0-255",
                 text);
        return ERR_INVALID;
    }
    if (text[0] == '0') {
        snprintf(why, size, "leading 0 not permitted in protocol number: \"%.60s\"", text);
        return ERR_INVALID;
    }
    uint64_t number = 0;
    if (str_u64(text, 0, 999999999, &number, "proto", NULL) < 0 || number > 255) {
        snprintf(why, size, "protocol number out of range (0-255): %.20s", text);
        return ERR_INVALID;
    }
    *out = (int)number;
    return 0;
}

static bool port_number(const char *text, size_t len, uint32_t *out)
{
    *out = 0;
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out > 99999 ? *out : *out * 10 + (uint32_t)(text[i] - '0');
    }
    return true;
}

/* Parses one of the comma-separated pieces. */
static int piece_parse(const char *text, size_t len, struct port_range *out, char *why, size_t size)
{
    const char *dash = memchr(text, '-', len);
    uint32_t first, last;
    const char *problem = NULL;

    if (!dash) {
        if (!port_number(text, len, &first))
            problem = "invalid first integer";
        else if (first > UINT16_MAX)
            problem = "port number out of range";
        else if (first == 0)
            problem = "first port must be >0, or use '*' for wildcard";
        last = problem ? 0 : first;
    } else {
        size_t before = (size_t)(dash - text), after = len - before - 1;
        if (before == 0 || after == 0 || memchr(dash + 1, '-', after))
            problem = "invalid port range format";
        else if (!port_number(text, before, &first))
            problem = "invalid first integer";
        else if (!port_number(dash + 1, after, &last))
            problem = "invalid last integer";
        else if (first > UINT16_MAX || last > UINT16_MAX)
            problem = "port number out of range";
        else if (first > last)
            problem = "invalid port range: first port is greater than last port";
    }
    if (problem) {
        snprintf(why, size, "port range \"%.*s\": %s", (int)(len < 80 ? len : 80), text, problem);
        return ERR_INVALID;
    }
    *out = (struct port_range){(uint16_t)first, (uint16_t)last};
    return 0;
}

int ports_parse(const char *text, struct arena *a, struct port_range **out, size_t *count, char *why, size_t size)
{
    size_t commas = 0;

    for (const char *p = text; *p; p++)
        commas += *p == ',';
    *count = 0;
    *out = arena_alloc(a, (commas + 1) * sizeof(**out));
    if (!*out) {
        snprintf(why, size, "the text needs too much memory");
        return ERR_TOOBIG;
    }
    if (strcmp(text, "*") == 0) {
        (*out)[(*count)++] = (struct port_range){0, UINT16_MAX};
        return 0;
    }
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        if (piece_parse(at, len, &(*out)[*count], why, size) < 0)
            return ERR_INVALID;
        (*count)++;
        at += len;
        if (!*at)
            return 0;
    }
}

int hostport_split(const char *text, struct arena *a, const char **host, const char **ports, char *why, size_t size)
{
    const char *colon = strrchr(text, ':');
    size_t len = strlen(text);
    const char *problem = NULL;

    if (!colon)
        problem = "hostport must contain a colon";
    else if (colon == text)
        problem = "input cannot start with a colon character";
    else if (colon == text + len - 1)
        problem = "input cannot end with a colon character";
    if (problem) {
        snprintf(why, size, "%s", problem);
        return ERR_INVALID;
    }
    *ports = colon + 1;
    if (text[0] != '[') {
        *host = arena_strndup(a, text, (size_t)(colon - text));
        return *host ? 0 : ERR_TOOBIG;
    }
    const char *close = strchr(text, ']');
    struct addr address;
    char *copy = close ? arena_strndup(a, text + 1, (size_t)(close - text - 1)) : NULL;

    if (!copy || (close[1] != ':' && close[1] != '/') || addr_parse(copy, &address, NULL) < 0 || address.bits != 128) {
        snprintf(why, size, "square brackets are only valid around IPv6 addresses: \"%.120s\"", text);
        return ERR_INVALID;
    }
    char *whole = arena_alloc(a, len + 1);
    if (!whole)
        return ERR_TOOBIG;
    size_t n = strlen(copy), rest = colon > close ? (size_t)(colon - close - 1) : 0;
    memcpy(whole, copy, n);
    memcpy(whole + n, close + 1, rest);
    *host = whole;
    return 0;
}
