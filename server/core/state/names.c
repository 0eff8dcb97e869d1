/* SPDX-License-Identifier: BSD-3-Clause */
/* Host names become DNS labels the way the official client does it (tailscale util/dnsname: SanitizeHostname). */
#include <ctype.h>
#include <stdio.h>

#include "base/array.h"
#include "core/state/names.h"
#include "core/state/state.h"

#define LABEL_MAX 63

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void name_sanitise(const char *hostname, char out[64])
{
    static const char *const suffixes[] = {".local", ".localdomain", ".lan"};
    size_t len = strlen(hostname), n = 0;

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t m = strlen(suffixes[i]);
        if (len >= m && memcmp(hostname + len - m, suffixes[i], m) == 0)
            len -= m;
    }
    len = len > LABEL_MAX ? LABEL_MAX : len;
    while (len && !alphanumeric(hostname[len - 1]))
        len--;
    size_t start = 0;
    while (start < len && !alphanumeric(hostname[start]))
        start++;
    for (size_t i = start; i < len; i++) {
        char c = hostname[i];
        if (alphanumeric(c) || c == '-')
            out[n++] = (char)tolower((unsigned char)c);
        else if (c == ' ' || c == '.' || c == '@' || c == '_')
            out[n++] = '-';
    }
    out[n] = '\0';
    if (n == 0)
        memcpy(out, "node", 5);
}

static struct slot *owner_of(struct core_state *s, const char *name)
{
    char lower[64];
    size_t i = 0;

    for (; name[i] && i < LABEL_MAX; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    lower[i] = '\0';
    return map_gets(&s->by_name, lower);
}

void name_unique(struct core_state *s, const char *base, const struct slot *self, char out[64])
{
    const struct slot *holder = owner_of(s, base);

    str_copy(out, 64, base);
    for (unsigned number = 1; holder && holder != self; number++) {
        char suffix[16];
        int n = snprintf(suffix, sizeof(suffix), "-%u", number);
        snprintf(out, 64, "%.*s%s", LABEL_MAX - n, base, suffix);
        holder = owner_of(s, out);
    }
}

int name_check(struct core_state *s, const char *name, const struct slot *self, struct err *e)
{
    size_t len = strlen(name);

    if (len > LABEL_MAX)
        return err_field(e, ERR_INVALID, "name", "\"%.80s\" is too long, max length is %d bytes", name, LABEL_MAX);
    bool valid = len > 0 && alphanumeric(name[0]) && alphanumeric(name[len - 1]);
    for (size_t i = 0; valid && i < len; i++)
        valid = alphanumeric(name[i]) || name[i] == '-';
    if (!valid)
        return err_field(e, ERR_INVALID, "name",
                         "given name is not a valid DNS label: '%.63s' (letters, digits and '-' inside)", name);
    const struct slot *holder = owner_of(s, name);
    if (holder && holder != self)
        return err_field(e, ERR_CONFLICT, "name", "node name is not unique: %.63s is the name of node %llu", name,
                         (unsigned long long)holder->id);
    return 0;
}

bool name_is_derived(const char *given_name, const char *hostname)
{
    char base[64];

    name_sanitise(hostname, base);
    size_t n = strlen(base);
    if (str_eq(given_name, base))
        return true;
    const char *dash = strrchr(given_name, '-');
    if (!dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
        return false;
    size_t front = (size_t)(dash - given_name);
    return front <= n && memcmp(given_name, base, front) == 0 && (front == n || strlen(given_name) == LABEL_MAX);
}
