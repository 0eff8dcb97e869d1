/* SPDX-License-Identifier: BSD-3-Clause */
/* The nodes of a trial. */
#include "whatif/trial.h"

struct trial_node *trial_by_id(const struct trial *t, uint64_t id)
{
    uintptr_t at = id ? (uintptr_t)map_getu(&t->by_id, id) : 0;

    return at ? &t->nodes.items[at - 1] : NULL;
}

struct node *trial_edit(struct trial_node *n)
{
    if (!n->edited) {
        struct node *copy = node_edit(n->record);
        record_unref(n->record);
        n->record = copy;
        n->edited = true;
    }
    return (struct node *)(uintptr_t)n->record;
}
