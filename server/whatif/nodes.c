/* SPDX-License-Identifier: BSD-3-Clause */
/* The nodes of a trial. */
#include <ctype.h>

#include "whatif/trial.h"

#define NAME_MAX_LEN 64

static void lower(const char *name, char out[NAME_MAX_LEN])
{
    size_t i = 0;

    for (; name[i] && i < NAME_MAX_LEN - 1; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[i] = '\0';
}

void trial_add(struct trial *t, const struct trial_node *n)
{
    char name[NAME_MAX_LEN];

    vec_push(&t->nodes, *n);
    if (!n->record)
        return;
    lower(n->record->given_name, name);
    map_puts(&t->by_name, name, (void *)(uintptr_t)t->nodes.len);
    map_putu(&t->by_id, n->record->r.id, (void *)(uintptr_t)t->nodes.len);
    t->next_id = n->record->r.id >= t->next_id ? n->record->r.id + 1 : t->next_id;
}

struct trial_node *trial_by_name(const struct trial *t, const char *name)
{
    char key[NAME_MAX_LEN];

    lower(name, key);
    uintptr_t at = (uintptr_t)map_gets(&t->by_name, key);
    return at ? &t->nodes.items[at - 1] : NULL;
}

struct trial_node *trial_by_id(const struct trial *t, uint64_t id)
{
    uintptr_t at = id ? (uintptr_t)map_getu(&t->by_id, id) : 0;

    return at ? &t->nodes.items[at - 1] : NULL;
}

uint32_t trial_slot(const struct trial *t, uint64_t id)
{
    const struct trial_node *n = trial_by_id(t, id);

    return n ? (uint32_t)(n - t->nodes.items) : POLICY_SLOT_NONE;
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
