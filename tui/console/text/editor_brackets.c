/* SPDX-License-Identifier: BSD-3-Clause */
/* The bracket at the editor's cursor and the one matching it. */
#include <string.h>

#include "console/text/editor.h"
#include "console/text/outline.h"

static bool bracket_at(const struct editor *e, struct text_pos at)
{
    const struct edit_line *l = &e->text.lines.items[at.line];

    return at.at < l->len && l->bytes[at.at] && strchr("{}[]", l->bytes[at.at]);
}

/* Finds the bracket at or before the cursor and the one matching it, when the text or the cursor changed. Brackets in
 * strings and comments do not count. */
static const struct bracket_pair *pair_of(struct editor *e)
{
    struct bracket_pair *p = &e->pair;
    struct text_pos at = e->at;

    if (p->serial == e->text.serial && p->at.line == at.line && p->at.at == at.at)
        return p;
    *p = (struct bracket_pair){.serial = e->text.serial, .at = at};
    if (!bracket_at(e, at) && at.at)
        at.at--;
    if (!bracket_at(e, at))
        return p;
    p->ends[0] = at;
    p->found = outline_match(&e->text, at, &p->ends[1]) ? PAIR_WHOLE : PAIR_HALF;
    return p;
}

bool editor_to_match(struct editor *e)
{
    const struct bracket_pair *p = pair_of(e);

    if (p->found != PAIR_WHOLE)
        return false;
    editor_go(e, p->ends[1].line + 1, p->ends[1].at + 1);
    return true;
}

void editor_mark_pair(struct editor *e, size_t line, unsigned char *roles, size_t count)
{
    const struct bracket_pair *p = pair_of(e);

    for (int i = 0; i < 2 && p->found == PAIR_WHOLE; i++)
        if (p->ends[i].line == line && p->ends[i].at < count)
            roles[p->ends[i].at] = ROLE_MATCH;
    if (p->found == PAIR_HALF && p->ends[0].line == line && p->ends[0].at < count && roles[p->ends[0].at] == ROLE_TEXT)
        roles[p->ends[0].at] = ROLE_CODE_ERROR;
}
