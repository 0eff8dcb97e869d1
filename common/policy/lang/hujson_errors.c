/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds all errors of a text: after each, parsing resumes in the way that gets furthest. What may have been meant is
 * tried with a copy of the reader's state: a missing comma or bracket, a superfluous one, a value to skip. After a
 * guess that may be wrong, neither the rest of its line nor the end of the text is reported as an error. */
#include <ctype.h>
#include <string.h>

#include "policy/lang/hujson_reader.h"

#define LOOK_AHEAD (32U << 10) /* bytes over which ways to resume are compared */
#define PLACES_MAX 24          /* places in the rest of the line where parsing may resume */
#define SILENT_MAX 16          /* consecutive unreported errors before giving up */

/* What a way to resume implies for what follows. */
enum trust {
    TRUST_SURE,   /* the error was confined to one value, or to the text between two */
    TRUST_VALUE,  /* part of a line was skipped */
    TRUST_BRACKET /* a different bracket was meant */
};

struct way_on {
    struct hujson_reader from, best;
    size_t offset; /* of the error */
    size_t eol;    /* the end of its line */
    size_t farthest;
    enum trust trust; /* of best */
    bool settled;     /* best needs no comparison */
};

/* The offset of the next error, or beyond the text. */
static size_t reach(const struct hujson_reader *from)
{
    struct hujson_reader r = *from;
    struct hujson_error why;

    r.why = &why;
    r.child = NULL;
    for (size_t i = 0; i < HUJSON_DEPTH; i++)
        r.frames[i].v = NULL;
    if (r.len - r.at > LOOK_AHEAD)
        r.len = r.at + LOOK_AHEAD;
    while (r.state != HUJSON_DONE)
        if (hujson_step(&r) < 0)
            return why.offset;
    return r.len + 1;
}

/* Resumes at a place in the given state, and keeps the result if it gets further than all earlier attempts. */
static void try(struct way_on *s, struct hujson_reader way, enum hujson_state state, size_t at, enum trust trust)
{
    way.state = state;
    way.at = at;
    if (s->settled || at > way.len || (way.depth == 0 && state != HUJSON_AFTER_VALUE))
        return;
    if (state != HUJSON_AFTER_NAME && state != HUJSON_WANT_VALUE)
        way.child = NULL;
    size_t far = reach(&way);
    if (far <= s->farthest)
        return;
    s->farthest = far;
    s->best = way;
    s->trust = trust;
    /* Skipping more could only get further by skipping the next error as well. */
    s->settled = trust == TRUST_SURE && far > s->eol;
}

/* Like try(), after closing the innermost containers. */
static void try_closed(struct way_on *s, size_t levels, enum hujson_state state, size_t at)
{
    struct hujson_reader way = s->from;

    if (way.depth < levels)
        return;
    way.depth -= levels;
    if (way.depth)
        way.frames[way.depth - 1].count++;
    try(s, way, state, at, TRUST_BRACKET);
}

static bool wants_value(const struct hujson_reader *r)
{
    return r->state == HUJSON_WANT_VALUE || (r->state == HUJSON_WANT_ITEM && !r->frames[r->depth - 1].object);
}

/* Like try(), after a malformed value or name; certain if what follows may follow one. */
static void try_behind(struct way_on *s, enum hujson_state state, size_t at)
{
    size_t next = at;

    while (next < s->eol && strchr(" \t\r", s->from.text[next]))
        next++;
    try(s, s->from, state, at, TRUST_SURE);
    if (s->farthest > s->offset && !s->settled)
        s->settled = next < s->eol && strchr(state == HUJSON_AFTER_NAME ? ":" : ",]}", s->from.text[next]);
}

/* Tries to accept a malformed string or word, or a comment with invalid text. */
static void try_as_read(struct way_on *s)
{
    const struct hujson_reader *r = &s->from;
    const char *text = r->text;
    size_t end = s->offset + 1;
    char c = text[s->offset];

    if (c == '/' && r->at > s->offset) {
        try(s, *r, r->state, r->at, TRUST_SURE);
    } else if ((c == '"' && r->state == HUJSON_WANT_ITEM) || (strchr("\"'", c) && wants_value(r))) {
        while (end < s->eol && text[end] != c)
            end += text[end] == '\\' ? 2 : 1;
        if (end < s->eol)
            try_behind(s, wants_value(r) ? HUJSON_AFTER_VALUE : HUJSON_AFTER_NAME, end + 1);
    } else if (wants_value(r) && !strchr(",:]}", c)) {
        while (ispunct((unsigned char)text[end - 1]) && end < s->eol && ispunct((unsigned char)text[end]) &&
               !strchr(",:]}[{\"/'", text[end]))
            end++;
        if (ispunct((unsigned char)c))
            try(s, *r, r->state, end, TRUST_SURE); /* stray punctuation */
        while (end < s->eol && !strchr(" \t\r,:]}[{\"/", text[end]))
            end++;
        try_behind(s, HUJSON_AFTER_VALUE, end);
    }
}

static void try_separators(struct way_on *s)
{
    const struct hujson_reader *r = &s->from;
    size_t at = s->offset;
    char c = r->text[at];

    if (r->state == HUJSON_WANT_ITEM && r->frames[r->depth - 1].object) {
        size_t colon = at;
        while (colon < s->eol && !strchr(":,[]{}", r->text[colon]))
            colon++;
        if (colon < s->eol && r->text[colon] == ':')
            try(s, *r, HUJSON_AFTER_NAME, colon, TRUST_SURE);
    }
    if (r->state == HUJSON_AFTER_NAME) {
        try(s, *r, HUJSON_WANT_VALUE, at, TRUST_SURE);
        if (c == '=')
            try(s, *r, HUJSON_WANT_VALUE, at + (at + 1 < r->len && r->text[at + 1] == '>' ? 2 : 1), TRUST_SURE);
        try(s, *r, HUJSON_AFTER_VALUE, at, TRUST_SURE);
    }
    if (r->state == HUJSON_AFTER_VALUE) {
        try(s, *r, HUJSON_WANT_ITEM, at, TRUST_SURE);
        if (c == ';')
            try(s, *r, HUJSON_WANT_ITEM, at + 1, TRUST_SURE);
    }
    try(s, *r, r->state, at + 1, c == ',' && r->depth ? TRUST_SURE : TRUST_BRACKET);
}

static void try_brackets(struct way_on *s)
{
    struct hujson_reader way = s->from;
    size_t at = s->offset;

    for (size_t levels = 1; levels <= 2; levels++) {
        try_closed(s, levels, HUJSON_AFTER_VALUE, at);
        try_closed(s, levels, HUJSON_WANT_ITEM, at);
        if (way.state == HUJSON_AFTER_VALUE && way.depth && way.last >= way.frames[way.depth - 1].item)
            try_closed(s, levels, HUJSON_WANT_ITEM, way.last);
    }
    if (way.state == HUJSON_AFTER_VALUE && way.depth && way.depth < HUJSON_DEPTH && way.text[at] == ':') {
        way.frames[way.depth++] = (struct hujson_frame){.object = true, .item = way.last};
        try(s, way, HUJSON_WANT_ITEM, way.last, TRUST_BRACKET);
    } else if (way.state == HUJSON_AFTER_VALUE && !way.depth && way.frames[0].v) {
        way.depth = 1; /* the text continues after its end */
        try(s, way, HUJSON_AFTER_VALUE, at, TRUST_BRACKET);
        try(s, way, HUJSON_WANT_ITEM, at, TRUST_BRACKET);
    }
}

/* Tries to skip the rest of the line, up to a place where a value may end. A closing bracket closes the container that
 * it matches. */
static void try_skipping(struct way_on *s)
{
    const struct hujson_reader *r = &s->from;
    size_t tried = 0;

    if (!r->depth)
        return;
    for (size_t at = s->offset; at < s->eol && tried < PLACES_MAX; at++) {
        struct hujson_reader way = *r;
        char c = r->text[at];

        if (c != ',' && c != ']' && c != '}')
            continue;
        while (c != ',' && way.depth && way.frames[way.depth - 1].object != (c == '}'))
            way.depth--;
        if (!way.depth)
            continue;
        way.frames[way.depth - 1].count++;
        try(s, way, HUJSON_AFTER_VALUE, at, way.depth == r->depth ? TRUST_VALUE : TRUST_BRACKET);
        tried++;
    }
    try(s, *r, HUJSON_AFTER_VALUE, s->offset + 1, TRUST_VALUE);
    try(s, *r, HUJSON_AFTER_VALUE, s->eol, TRUST_VALUE);
    try(s, *r, HUJSON_WANT_ITEM, s->eol, TRUST_VALUE);
}

/* Returns false if there is no way to resume. */
static bool go_on(struct hujson_reader *r, enum trust *trust)
{
    struct way_on s = {.from = *r, .offset = r->why->offset, .farthest = r->why->offset};
    const char *newline = memchr(r->text + s.offset, '\n', r->len - s.offset);
    bool deep = r->depth == HUJSON_DEPTH && wants_value(r);

    if (s.offset >= r->len || (deep && strchr("[{", r->text[s.offset])))
        return false;
    s.eol = newline ? (size_t)(newline - r->text) : r->len;
    try_as_read(&s);
    try_separators(&s);
    try_brackets(&s);
    try_skipping(&s);
    if (s.farthest == s.offset)
        return false;
    /* Names are only compared in objects that were read completely, without anything skipped or guessed. */
    for (size_t i = 0; i < s.best.depth; i++)
        s.best.frames[i].doubtful |= s.trust == TRUST_BRACKET || i + 1 == s.best.depth;
    *r = s.best;
    *trust = s.trust;
    return true;
}

/* Adds an error for each member of the last object whose name duplicates an earlier one. */
static size_t doubled_names(struct hujson_reader *r, struct hujson_error *out, size_t n, size_t max)
{
    struct hujson *object = r->frames[r->depth].v;

    do {
        struct hujson **link = &object->first;

        if (n < max)
            out[n++] = *r->why;
        while ((*link)->name_start != r->why->offset)
            link = &(*link)->next;
        *link = (*link)->next;
        object->count--;
    } while (n < max && hujson_names(r, object) < 0);
    return n;
}

/* The guesses so far. */
struct guesses {
    enum trust newest, worst;
    size_t at; /* the place of the newest one */
};

/* May the error at offset only be a consequence of a guess? */
static bool follows(const struct hujson_reader *r, size_t offset, const struct guesses *g)
{
    bool top = r->depth == 0 && r->state == HUJSON_AFTER_VALUE;

    if ((g->worst == TRUST_BRACKET && top) || (g->worst != TRUST_SURE && offset >= r->len))
        return true;
    return g->newest != TRUST_SURE && offset >= g->at && !memchr(r->text + g->at, '\n', offset - g->at);
}

size_t hujson_errors(const char *text, size_t len, struct arena *a, struct hujson_error *out, size_t max)
{
    struct hujson_error why;
    struct hujson_reader r = {.text = text, .len = len, .arena = a, .why = &why};
    struct guesses guesses = {TRUST_SURE, TRUST_SURE, 0};
    size_t n = 0, silent = 0;

    if (hujson_begin(&r) < 0) {
        out[0] = why;
        return 1;
    }
    while (r.state != HUJSON_DONE && n < max && silent < SILENT_MAX) {
        if (hujson_step(&r) == 0)
            continue;
        if (r.code == ERR_INVALID && !why.syntax && r.state == HUJSON_AFTER_VALUE) {
            n = doubled_names(&r, out, n, max);
            continue;
        }
        bool listed = !follows(&r, why.offset, &guesses);
        if (listed)
            out[n++] = why;
        silent = listed ? 0 : silent + 1;
        guesses.at = why.offset;
        if (r.code != ERR_INVALID || !go_on(&r, &guesses.newest))
            break;
        if (guesses.newest > guesses.worst)
            guesses.worst = guesses.newest;
    }
    return n;
}
