/* SPDX-License-Identifier: BSD-3-Clause */
/* Divides a text into items. The ranges of a container's items are adjacent: each includes the blanks and comments
 * before the item, and the rest of its line. */
#include <string.h>

#include "policy/lang/hujson.h"
#include "policy/policy.h"

struct items_reader {
    const char *text;
    size_t len;
    struct arena *arena;
    struct buf plain;
};

/* The text is known to be HuJSON, so its comments end. */
static size_t comment_end(const struct items_reader *r, size_t at)
{
    bool block = r->text[at + 1] == '*';
    const char *end = memmem(r->text + at + 2, r->len - at - 2, block ? "*/" : "\n", block ? 2 : 1);

    return end ? (size_t)(end - r->text) + (block ? 2 : 0) : r->len;
}

static size_t skip(const struct items_reader *r, size_t at)
{
    while (at < r->len) {
        if (r->text[at] == '/' && at + 1 < r->len)
            at = comment_end(r, at);
        else if (strchr(" \t\r\n", r->text[at]) && r->text[at])
            at++;
        else
            break;
    }
    return at;
}

/* The position after the end of the line if only blanks and comments precede that; otherwise from. */
static size_t rest_of_line(const struct items_reader *r, size_t from)
{
    size_t at = from;

    while (at < r->len) {
        size_t end = at + 1;

        if (r->text[at] == '\n')
            return end;
        if (r->text[at] == '/' && at + 1 < r->len)
            end = comment_end(r, at);
        else if (r->text[at] != ' ' && r->text[at] != '\t' && r->text[at] != '\r')
            break;
        if (memchr(r->text + at, '\n', end - at))
            break;
        at = end;
    }
    return from;
}

#define DEPTH 3 /* sections, their members, and the members of these; anything deeper is a single value */

static size_t line_of(const struct items_reader *r, const struct hujson *v, size_t from)
{
    size_t at = v->name ? v->name_start : v->start;

    while (at > from && (r->text[at - 1] == ' ' || r->text[at - 1] == '\t'))
        at--;
    return at;
}

static struct policy_item *make(struct items_reader *r, const struct hujson *v, size_t from, unsigned depth);

static void add_children(struct items_reader *r, const struct hujson *v, struct policy_item *item, unsigned depth)
{
    const struct policy_item **last = &item->first;
    size_t from = rest_of_line(r, v->start + 1);

    item->head = from;
    for (const struct hujson *child = v->first; child; child = child->next) {
        struct policy_item *made = make(r, child, from, depth + 1);

        if (!made)
            return;
        size_t at = skip(r, child->end);
        made->comma = at < r->len && r->text[at] == ',';
        made->to = rest_of_line(r, made->comma ? at + 1 : child->end);
        from = made->to;
        *last = made;
        last = &made->next;
        item->count++;
    }
    item->foot = from;
}

static struct policy_item *make(struct items_reader *r, const struct hujson *v, size_t from, unsigned depth)
{
    struct policy_item *item = arena_alloc(r->arena, sizeof(*item));

    if (!item)
        return NULL;
    buf_clear(&r->plain);
    if (depth)
        hujson_plain(v, r->text, &r->plain);
    *item = (struct policy_item){.kind = v->kind == HUJSON_OBJECT  ? POLICY_ITEM_OBJECT
                                         : v->kind == HUJSON_ARRAY ? POLICY_ITEM_ARRAY
                                                                   : POLICY_ITEM_VALUE,
                                 .name = v->name,
                                 .plain = arena_strdup(r->arena, buf_text(&r->plain)),
                                 .from = from,
                                 .line = line_of(r, v, from),
                                 .value = v->start,
                                 .end = v->end,
                                 .to = v->end};
    if (item->kind != POLICY_ITEM_VALUE && depth < DEPTH)
        add_children(r, v, item, depth);
    return r->arena->failed ? NULL : item;
}

const struct policy_item *policy_items(const char *text, size_t len, struct arena *a)
{
    struct items_reader r = {.text = text, .len = len, .arena = a};
    struct hujson_error why;
    struct hujson *root;

    if (hujson_read(text, len, a, &root, &why) < 0 || root->kind != HUJSON_OBJECT)
        return NULL;
    const struct policy_item *item = make(&r, root, 0, 0);
    buf_release(&r.plain);
    return item;
}
