/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of a list: rebuilt entirely after many changes, updated by binary search after few. */
#include "console/model/list.h"

#include "base/mem.h"

#define TOUCHED_MAX 64

void list_init(struct list *l, const struct list_def *def)
{
    *l = (struct list){.def = def, .sort = def->sort, .reverse = def->reverse, .dirty = true};
    l->filter_text = mem_strdup("");
}

void list_release(struct list *l)
{
    vec_release(&l->order);
    vec_release(&l->touched);
    filter_release(&l->filter);
    free(l->filter_text);
    *l = (struct list){0};
}

void list_empty(struct list *l)
{
    filter_release(&l->filter);
    mem_replace(&l->filter_text, "");
    l->order.len = l->touched.len = 0;
    l->cursor = l->anchor = l->scope = NULL;
    l->index = l->top = l->total = l->waiting = 0;
    l->hold_until_ms = 0;
    l->dirty = l->forced = true;
}

void list_start_again(struct list *l, struct row *cursor)
{
    l->order.len = l->touched.len = 0;
    l->cursor = cursor;
    l->anchor = l->scope = NULL;
    l->total = l->waiting = 0;
    l->hold_until_ms = 0;
    l->dirty = l->forced = true;
}

void list_stay_at_top(struct list *l)
{
    if (l->hold_until_ms)
        return;
    l->cursor = NULL;
    l->index = l->top = 0;
    l->dirty = true;
}

bool list_matches(const struct list *l, const struct row *row)
{
    return row == l->cursor || filter_match(&l->filter, &l->def->fields, row, l->at ? l->at->now_ns : 0);
}

void list_add(struct list *l, struct row *row)
{
    l->total++;
    if (l->def->tree || list_matches(l, row))
        vec_push(&l->order, row);
}

void list_add_all(struct list *l, const struct model *m, enum row_kind kind)
{
    const struct row_table *t = model_table(m, kind);

    for (size_t i = 0; i < t->rows.len; i++)
        list_add(l, t->rows.items[i]);
}

bool list_held(const struct list *l, int64_t now_ms)
{
    return now_ms < l->hold_until_ms;
}

static int order_rows(const struct list *l, const struct row *a, const struct row *b)
{
    const struct list_column *column = &l->def->columns[l->sort];
    int order = column->compare(a, b);

    if (l->reverse)
        order = -order;
    /* Equal rows keep a fixed order, or they would trade places with each refresh. */
    if (!order && l->def->columns[l->def->sort].compare != column->compare)
        order = l->def->columns[l->def->sort].compare(a, b);
    return order ? order : strverscmp(a->key, b->key);
}

static int order_pointers(const void *a, const void *b, void *list)
{
    return order_rows(list, *(struct row *const *)a, *(struct row *const *)b);
}

static bool find(const struct list *l, const struct row *row, size_t *index)
{
    if (l->index < l->order.len && l->order.items[l->index] == row) {
        *index = l->index;
        return true;
    }
    for (size_t i = 0; i < l->order.len; i++)
        if (l->order.items[i] == row) {
            *index = i;
            return true;
        }
    return false;
}

static void settle(struct list *l)
{
    size_t line = l->index >= l->top ? l->index - l->top : 0, index;

    if (l->cursor && find(l, l->cursor, &index)) {
        l->index = index;
        l->top = index > line ? index - line : 0;
        return;
    }
    if (l->index >= l->order.len)
        l->index = l->order.len ? l->order.len - 1 : 0;
    l->cursor = l->order.len ? l->order.items[l->index] : NULL;
    l->top = l->index > line ? l->index - line : 0;
}

static void insert_sorted(struct list *l, struct row *row)
{
    size_t low = 0, high = l->order.len;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (order_rows(l, l->order.items[middle], row) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    (void)vec_add(&l->order);
    memmove(&l->order.items[low + 1], &l->order.items[low], (l->order.len - low - 1) * sizeof(*l->order.items));
    l->order.items[low] = row;
}

/* Other columns give way to names, so the width of the names must be known before drawing. */
static void measure_name(struct list *l, const struct row *row)
{
    static const struct canvas plain = {0};

    for (int i = 0; i < l->def->column_count; i++) {
        struct list_field f = {.glyph = -1};

        if (!l->def->columns[i].name)
            continue;
        l->def->columns[i].fill(row, l->at, &f);
        int width = canvas_width(&plain, f.text) + (f.glyph >= 0 ? 2 : 0);
        if (i == l->def->indented && l->def->indent)
            width += l->def->indent(row);
        l->name_widths[width < LIST_NAME_MOST ? width : LIST_NAME_MOST]++;
    }
}

static void touch_up(struct list *l)
{
    for (size_t i = 0; i < l->touched.len; i++) {
        struct row *row = l->touched.items[i];
        size_t at;

        if (find(l, row, &at))
            vec_remove(&l->order, at);
    }
    /* All are removed before the first is inserted again: binary search needs the rest in order. */
    for (size_t i = 0; i < l->touched.len; i++)
        if (list_matches(l, l->touched.items[i])) {
            insert_sorted(l, l->touched.items[i]);
            measure_name(l, l->touched.items[i]);
        }
}

void list_refresh(struct list *l, const struct model *m, const struct clock_reading *at)
{
    if (!l->forced && (list_held(l, at->now_ms) || (!l->dirty && !l->touched.len)))
        return;
    l->at = at;
    if (l->dirty || l->forced || l->def->tree || l->sort < 0) {
        l->order.len = 0;
        l->total = 0;
        l->def->collect(m, l);
        if (!l->def->tree && l->sort >= 0 && l->order.len > 1)
            qsort_r(l->order.items, l->order.len, sizeof(*l->order.items), order_pointers, l);
        memset(l->name_widths, 0, sizeof(l->name_widths));
        for (size_t i = 0; i < l->order.len; i++)
            measure_name(l, l->order.items[i]);
    } else {
        touch_up(l);
    }
    l->dirty = l->forced = false;
    l->touched.len = 0;
    l->waiting = 0;
    settle(l);
}

static void forget(struct list *l, const struct row *row)
{
    size_t index;

    for (size_t i = l->touched.len; i-- > 0;)
        if (l->touched.items[i] == row)
            vec_remove(&l->touched, i);
    if (l->anchor == row)
        l->anchor = NULL;
    if (l->scope == row)
        l->scope = NULL;
    bool found = find(l, row, &index), whole = l->def->tree || l->def->always_whole;
    /* Otherwise it was counted on arrival, shown or not. */
    if (whole ? found : (l->def->kinds & 1U << row->kind) != 0)
        l->total -= l->total > 0;
    if (found) {
        vec_remove(&l->order, index);
        if (index < l->index)
            l->index--;
        if (index < l->top)
            l->top--;
    }
    if (l->cursor == row) {
        l->cursor = NULL;
        settle(l);
    }
}

void list_note(struct list *l, struct row *row, enum note what)
{
    if (what == NOTE_FREED) {
        forget(l, row);
        return;
    }
    if (!(l->def->kinds & 1U << row->kind))
        return;
    if (what == NOTE_NEW) {
        l->waiting++;
        l->total += !l->def->tree && !l->def->always_whole;
    }
    if (l->def->tree || l->def->always_whole || l->touched.len >= TOUCHED_MAX)
        l->dirty = true;
    if (l->dirty)
        return;
    for (size_t i = 0; i < l->touched.len; i++)
        if (l->touched.items[i] == row)
            return;
    vec_push(&l->touched, row);
}

size_t list_position(const struct list *l)
{
    size_t index = 0;

    return l->cursor && find(l, l->cursor, &index) ? index : 0;
}

void list_to(struct list *l, size_t index, int64_t now_ms)
{
    if (!l->order.len)
        return;
    l->index = index < l->order.len ? index : l->order.len - 1;
    l->cursor = l->order.items[l->index];
    l->dirty |= l->def->shows_cursor; /* the row before may be listed for the cursor's sake only */
    l->hold_until_ms = now_ms + HOLD_MS;
}

void list_move(struct list *l, long rows, int64_t now_ms)
{
    long at = (long)list_position(l) + rows;

    list_to(l, at < 0 ? 0 : (size_t)at, now_ms);
}

bool list_opens_for_cursor(const struct list *l)
{
    return l->def->shows_cursor && !*l->filter_text;
}

bool list_focus(struct list *l, struct row *row)
{
    size_t index;

    if (find(l, row, &index)) {
        l->index = index;
        l->cursor = l->order.items[index];
        return true;
    }
    if (!list_opens_for_cursor(l))
        return false;
    l->cursor = row;
    l->forced = true;
    return true;
}

void list_sort(struct list *l, int column, bool reverse)
{
    l->sort = column;
    l->reverse = reverse;
    l->forced = true;
}

/* Whether the new filter can only narrow the old one: a letter more in plain words. */
static bool is_narrower(const char *before, const char *now)
{
    return str_starts(now, before) &&
           strspn(now, " -.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == strlen(now);
}

/* Removes rows that no longer match; the rest is in order already. */
static void narrow(struct list *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->order.len; i++)
        if (list_matches(l, l->order.items[i]))
            l->order.items[kept++] = l->order.items[i];
    l->order.len = kept;
    settle(l);
}

int list_filter(struct list *l, const char *text, size_t *at, struct err *e)
{
    int r = filter_parse(text, &l->def->fields, l->saved, &l->filter, at, e);

    if (r < 0)
        return r;
    bool current = l->at && !l->dirty && !l->forced && !l->touched.len && !l->def->tree;
    bool narrower = current && !list_opens_for_cursor(l) && is_narrower(l->filter_text, text);
    mem_replace(&l->filter_text, text);
    /* On the user's request the cursor may move if its row no longer matches. */
    static const struct clock_reading never = {0};
    const struct clock_reading *when = l->at ? l->at : &never;
    if (l->cursor && !filter_match(&l->filter, &l->def->fields, l->cursor, when->now_ns)) {
        l->cursor = NULL;
        l->index = l->top = 0;
    }
    if (narrower)
        narrow(l);
    else
        l->forced = true;
    return 0;
}

void list_mark_range(struct list *l)
{
    size_t from, to;

    if (!l->anchor || !find(l, l->anchor, &from))
        return;
    to = list_position(l);
    for (size_t i = from < to ? from : to; i <= (from < to ? to : from); i++)
        l->order.items[i]->marked = !l->order.items[i]->gone_ms;
}

void list_scroll(struct list *l, size_t height)
{
    size_t at = list_position(l), margin = height > 6 ? 2 : 0;

    l->height = height;
    if (!height)
        return;
    if (at < l->top + margin)
        l->top = at > margin ? at - margin : 0;
    if (at + margin >= l->top + height)
        l->top = at + margin + 1 - height;
    if (l->top + height > l->order.len)
        l->top = l->order.len > height ? l->order.len - height : 0;
}
