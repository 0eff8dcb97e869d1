/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of nodes, unique in the tailnet. */
#include <ctype.h>
#include <stdio.h>

#include "core/state/names.h"
#include "core/state/state.h"
#include "model/label.h"

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

int name_check(struct core_state *s, const char *name, const struct slot *self, char out[64], struct err *e)
{
    size_t len = strlen(name);

    if (len > LABEL_MAX)
        return err_field(e, ERR_INVALID, "name", "\"%.80s\" is too long, max length is %d bytes", name, LABEL_MAX);
    if (!label_is_valid(name))
        return err_field(e, ERR_INVALID, "name",
                         "given name is not a valid DNS label: '%.63s' (letters, digits and '-' inside)", name);
    const struct slot *holder = owner_of(s, name);
    if (holder && holder != self)
        return err_field(e, ERR_CONFLICT, "name", "node name is not unique: %.63s is the name of node %llu", name,
                         (unsigned long long)holder->id);
    for (size_t i = 0; i <= len; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    return 0;
}
