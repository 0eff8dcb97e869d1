/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text in the policy's editor and any keys on it: the buffer stays what a plain text would be, all of it can be
 * taken back, and it is drawn. The same bytes as a draft that was found, as two texts to compare, as three to
 * merge, and as HuJSON whose places and brackets are looked for. */
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text_diff.h"
#include "console/screen/key.h"
#include "console/text/draft.h"
#include "console/text/editor.h"
#include "console/text/merge.h"
#include "console/text/outline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int special[] = {CK_UP,        CK_DOWN, CK_LEFT,      CK_RIGHT,      CK_HOME,      CK_END,
                              CK_PGUP,      CK_PGDN, CK_WORD_LEFT, CK_WORD_RIGHT, CK_TOP,       CK_BOTTOM,
                              CK_BACKSPACE, CK_TAB,  CK_ENTER,     CK_DELETE,     CK_CTRL('w'), CK_CTRL('k')};
#define SPECIALS (ARRAY_LEN(special))

static void must(bool good)
{
    if (!good)
        abort();
}

static void check(struct editor *e)
{
    size_t len;
    char *text = textbuf_copy(&e->text, &len);

    must(e->at.line < e->text.lines.len && e->at.at <= e->text.lines.items[e->at.line].len);
    must(len == e->text.bytes && textbuf_equals(&e->text, text, len));
    free(text);
}

static void draw(struct editor *e, struct canvas *c)
{
    canvas_start(c, 6, 24);
    editor_draw(e, c, (struct rect){0, 0, 6, 24}, true, NULL, NULL);
    must(c->cursor_row < 6 && c->cursor_col >= 0 && c->cursor_col < 24);
    for (int i = 0; i < 6 * 24; i++)
        must(!c->cells[i].text[0] || (c->cells[i].text[0] >= 0x20 && c->cells[i].text[0] != 0x7f));
}

static void press(struct editor *e, const uint8_t *keys, size_t count)
{
    struct canvas c = {0};
    bool full = false;

    for (size_t i = 0; i < count; i++) {
        unsigned char key = keys[i];

        if (key == 1)
            editor_undo(e);
        else if (key == 2)
            editor_redo(e);
        else if (key == 3)
            editor_find(e, "a", i % 2);
        else if (key == 4)
            editor_paste(e, (const char *)keys, i);
        else
            editor_key(e, key >= 0xc0 ? special[key % SPECIALS] : key == 5 ? 0x6771 : key, &full);
        must(e->at.line < e->text.lines.len && e->at.at <= e->text.lines.items[e->at.line].len);
        if (i % 8 == 0)
            draw(e, &c);
    }
    check(e);
    draw(e, &c);
    canvas_release(&c);
}

static void compare(const char *text, size_t len)
{
    size_t middle = len / 2, from = 0, came = 0;
    struct diff d;

    textdiff(text, middle, text + middle, len - middle, &d);
    for (size_t i = 0; i < d.len; i++) {
        must(d.items[i].old == 0 || d.items[i].old > from);
        from = d.items[i].old ? d.items[i].old : from;
        came += d.items[i].sign == '+';
    }
    must(came == d.came);
    vec_release(&d);
}

/* Each piece of a merge is a run of its texts, and all of them are there: nothing is lost but what is not chosen. */
static void merge(const char *text, size_t len)
{
    struct merge_text base = {text, len / 3}, theirs = {text + len / 3, len / 3},
                      mine = {text + len / 3 * 2, len - len / 3 * 2};
    size_t sums[3] = {0}, out;
    struct merge m;

    merge_make(&m, base, theirs, mine);
    for (size_t i = 0; i < m.len; i++) {
        sums[0] += m.items[i].base.len;
        sums[1] += m.items[i].theirs.len;
        sums[2] += m.items[i].mine.len;
        m.items[i].choice =
            m.items[i].kind == MERGE_CONFLICT ? (enum merge_choice)((unsigned char)text[i % len] % 4) : CHOICE_NONE;
    }
    must(sums[0] == base.len && sums[1] == theirs.len && sums[2] == mine.len);
    free(merge_result(&m, &out));
    merge_release(&m);
    /* What nobody else changed is taken as it is. */
    merge_make(&m, base, base, mine);
    must(m.conflicts == 0 && m.theirs == 0);
    char *result = merge_result(&m, &out);
    must(out == mine.len && memcmp(result, mine.text, out) == 0);
    free(result);
    merge_release(&m);
}

static bool count_token(void *arg, const struct outline_token *token)
{
    const struct textbuf *t = arg;

    must(token->from.line < t->lines.len && token->from.at + token->len <= t->lines.items[token->from.line].len);
    must(strlen(token->path) < OUTLINE_PATH);
    return true;
}

/* All brackets have at most one other one, and each is the other's. */
static void outline(struct textbuf *t)
{
    outline_each(t, count_token, t);
    for (size_t line = 0; line < t->lines.len && line < 20; line++)
        for (size_t at = 0; at <= t->lines.items[line].len && at < 40; at++) {
            struct text_pos here = {line, at}, other, back;
            struct outline_token token;
            char path[OUTLINE_PATH];

            (void)outline_at(t, here, &token, path);
            if (outline_match(t, here, &other))
                must(outline_match(t, other, &back) && back.line == line && back.at == at);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct draft_parts parts;
    struct editor e;

    if (size < 2 || size > 8192)
        return 0;
    setlocale(LC_CTYPE, "C.UTF-8");
    if (draft_parse(text, size, &parts))
        must(parts.text + parts.len == text + size);
    compare(text, size);
    merge(text, size);
    size_t keys = data[0] % 200 < size - 1 ? data[0] % 200 : size - 1;
    editor_init(&e);
    editor_load(&e, text + 1 + keys, size - 1 - keys);
    size_t before;
    char *loaded = textbuf_copy(&e.text, &before);
    must(before == size - 1 - keys && memcmp(loaded, text + 1 + keys, before) == 0);
    outline(&e.text);
    press(&e, data + 1, keys);
    while (editor_undo(&e))
        check(&e);
    must(textbuf_equals(&e.text, loaded, before));
    free(loaded);
    editor_release(&e);
    return 0;
}
