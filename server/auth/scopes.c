/* SPDX-License-Identifier: BSD-3-Clause */
/* What scopes allow. Unknown scopes are kept as received and allow nothing. */
#include <stdio.h>

#include "auth/auth.h"

#define READ ":read"

static const char *const names[SCOPES] = {
    [SCOPE_NONE] = "none",
    [SCOPE_ALL] = "all",
    [SCOPE_AUTH_KEYS] = "auth_keys",
    [SCOPE_OAUTH_KEYS] = "oauth_keys",
    [SCOPE_KEYS] = "auth_keys or oauth_keys",
    [SCOPE_DEVICES_CORE] = "devices:core",
    [SCOPE_DEVICES_ROUTES] = "devices:routes",
    [SCOPE_POLICY_FILE] = "policy_file",
    [SCOPE_FEATURE_SETTINGS] = "feature_settings",
    [SCOPE_USERS] = "users",
    [SCOPE_DNS] = "dns",
    [SCOPE_WEBHOOKS] = "webhooks",
    [SCOPE_ANY] = "any",
    [SCOPE_NEVER] = "none that a token can have",
};

const char *auth_scope_name(enum auth_scope scope, char text[64], bool read)
{
    bool plain = scope == SCOPE_KEYS || scope == SCOPE_ANY || scope == SCOPE_NEVER || scope == SCOPE_NONE;

    snprintf(text, 64, "%s%s", names[scope], read && !plain ? READ : "");
    return text;
}

/* Whether a held scope grants the wanted one: itself, its ":read", everything, or everything that reads. */
static bool gives(const char *held, const char *wanted)
{
    size_t len = strlen(held), wanted_len = strlen(wanted), read_len = strlen(READ);
    bool reads = wanted_len > read_len && str_eq(wanted + wanted_len - read_len, READ);

    if (str_eq(held, wanted) || str_eq(held, "all"))
        return true;
    if (str_eq(held, "all" READ))
        return reads;
    return reads && wanted_len == len + read_len && str_starts(wanted, held);
}

static bool any_gives(const struct strs *granted, const char *wanted)
{
    for (size_t i = 0; i < granted->len; i++)
        if (gives(granted->items[i], wanted))
            return true;
    return false;
}

bool auth_scope_granted(const struct strs *granted, enum auth_scope scope, bool read)
{
    char name[64];

    switch (scope) {
    case SCOPE_NONE:
    case SCOPE_NEVER:
    case SCOPES:
        return false;
    case SCOPE_ANY:
        return true;
    case SCOPE_KEYS:
        return auth_scope_granted(granted, SCOPE_AUTH_KEYS, read) ||
               auth_scope_granted(granted, SCOPE_OAUTH_KEYS, read);
    default:
        return any_gives(granted, auth_scope_name(scope, name, read));
    }
}

bool auth_scopes_within(const struct strs *granted, const struct strs *wanted, const char **missing)
{
    for (size_t i = 0; i < wanted->len; i++)
        if (!any_gives(granted, wanted->items[i])) {
            *missing = wanted->items[i];
            return false;
        }
    return true;
}
