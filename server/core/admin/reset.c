/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/admin/reset.h"

#include "base/str.h"

static int refuse_reset(const char *name, admin_member *member, struct err *e)
{
    struct buf known = BUF_INIT(0);
    const char *next, *last;
    unsigned bit;

    last = member(0, &bit);
    for (size_t i = 0; last; last = next, i++) {
        next = member(i + 1, &bit);
        buf_addf(&known, "%s%s", i == 0 ? "" : next ? ", " : " or ", last);
    }
    int rc = err_field(e, ERR_INVALID, "reset", "'%.40s' cannot be reset: name %s", name ? name : "", buf_text(&known));
    buf_release(&known);
    return rc;
}

int admin_get_reset(const json_t *object, admin_member *member, struct core_admin *out, struct err *e)
{
    json_t *list = NULL;
    int rc = json_get_array(object, "reset", &list, e);

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i)), *known;
        unsigned bit = 0;
        for (size_t at = 0; (known = member(at, &bit)) && !(name && str_eq(known, name)); at++)
            ;
        if (!known)
            return refuse_reset(name, member, e);
        if (out->given & bit)
            return err_field(e, ERR_INVALID, "reset", "%s cannot be set and reset at once", name);
        out->reset |= bit;
    }
    return rc;
}
