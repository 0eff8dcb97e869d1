/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions for all parts of a comparison: its texts, its budget, names of nodes. */
#include "policy/answers/preview.h"

bool preview_spend(struct preview *p, size_t steps)
{
    if (p->left < steps || view_is_cancelled(p->v[1])) {
        p->left = 0;
        return false;
    }
    p->left -= steps;
    return true;
}

uint32_t preview_text(struct preview *p, const char *text)
{
    uintptr_t known = (uintptr_t)map_gets(&p->text_index, text);

    if (!known) {
        vec_push(&p->texts, arena_strdup(&p->arena, text));
        known = p->texts.len;
        map_puts(&p->text_index, text, (void *)known);
    }
    return (uint32_t)(known - 1);
}

void preview_names(const struct preview *p, const char *key, const struct id_list *groups, size_t count,
                   struct json_out *o)
{
    size_t shown = 0;

    json_key(o, key);
    json_open(o, '{');
    json_key(o, "names");
    json_open(o, '[');
    for (size_t i = 0; i < groups->len && shown < PREVIEW_NAMES; i++) {
        const struct preview_group *g = &p->groups.items[groups->items[i]];
        for (size_t k = 0; k < g->nodes.len && shown < PREVIEW_NAMES; k++, shown++)
            json_str(o, p->v[0]->nodes[g->nodes.items[k]].name);
    }
    json_close(o, ']');
    json_put_u64(o, "count", count);
    json_close(o, '}');
}
