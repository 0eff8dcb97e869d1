/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/label.h"

#include <ctype.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void label_of_host(const char *hostname, char out[LABEL_MAX + 1])
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

bool label_is_valid(const char *text)
{
    size_t len = strnlen(text, LABEL_MAX + 1);
    bool valid = len > 0 && len <= LABEL_MAX && alphanumeric(text[0]) && alphanumeric(text[len - 1]);

    for (size_t i = 0; valid && i < len; i++)
        valid = alphanumeric(text[i]) || text[i] == '-';
    return valid;
}

bool label_is_derived(const char *name, const char *hostname)
{
    char base[LABEL_MAX + 1];

    label_of_host(hostname, base);
    size_t n = strlen(base);
    if (str_eq(name, base))
        return true;
    const char *dash = strrchr(name, '-');
    if (!dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
        return false;
    size_t front = (size_t)(dash - name);
    return front <= n && memcmp(name, base, front) == 0 && (front == n || strlen(name) == LABEL_MAX);
}
