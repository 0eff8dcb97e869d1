/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/str.h"

#include <stdlib.h>

#include "base/mem.h"

bool str_starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool str_ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && memcmp(text + n - m, end, m) == 0;
}

bool str_copy(char *out, size_t size, const char *text)
{
    size_t n = strlen(text), fits = n < size ? n : size - 1;

    memcpy(out, text, fits);
    out[fits] = '\0';
    if (fits < n)
        text_end_whole(out);
    return fits == n;
}

int str_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, const char *field, struct err *e)
{
    uint64_t value = 0;
    const char *at = text;

    if (!(*at >= '0' && *at <= '9') || (*at == '0' && at[1]))
        return err_field(e, ERR_INVALID, field, "%s: '%.40s' is not a number", field, text);
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return err_field(e, ERR_INVALID, field, "%s: '%.40s' is too large", field, text);
    if (*at)
        return err_field(e, ERR_INVALID, field, "%s: '%.40s' is not a number", field, text);
    if (value < min || value > max)
        return err_field(e, ERR_INVALID, field, "%s: %.40s is not between %llu and %llu", field, text,
                         (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return 0;
}

/* The length of the UTF-8 sequence at in (at most len bytes), with its code point in *point; 0 if it is malformed. */
static size_t sequence(const uint8_t *in, size_t len, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = in[0] < 0x80             ? 1
               : (in[0] & 0xe0) == 0xc0 ? 2
               : (in[0] & 0xf0) == 0xe0 ? 3
               : (in[0] & 0xf8) == 0xf0 ? 4
                                        : 0;

    if (n == 0 || n > len)
        return 0;
    uint32_t c = n == 1 ? in[0] : in[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((in[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (in[i] & 0x3f);
    }
    if ((n > 1 && c < least[n]) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *point = c;
    return n;
}

bool str_utf8(const char *text, size_t len)
{
    uint32_t c = 0;

    for (size_t i = 0, n; i < len; i += n) {
        n = sequence((const uint8_t *)text + i, len - i, &c);
        if (n == 0 || c == 0)
            return false;
    }
    return true;
}

/* Code points that control a terminal or change the direction of text. */
static bool steers(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0x200e || c == 0x200f || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

int str_check(const char *text, size_t max, bool allow_empty, const char *field, struct err *e)
{
    size_t len = strlen(text);
    uint32_t c = 0;

    if (len == 0 && !allow_empty)
        return err_field(e, ERR_INVALID, field, "%s must not be empty", field);
    if (len > max)
        return err_field(e, ERR_INVALID, field, "%s is %zu bytes long, at most %zu are allowed", field, len, max);
    for (size_t i = 0, n; i < len; i += n) {
        n = sequence((const uint8_t *)text + i, len - i, &c);
        if (n == 0)
            return err_field(e, ERR_INVALID, field, "%s is not valid UTF-8", field);
        if (steers(c))
            return err_field(e, ERR_INVALID, field, "%s holds the control character U+%04X", field, c);
    }
    return 0;
}

void str_safe(struct buf *out, const char *text, size_t len)
{
    uint32_t c = 0;

    for (size_t i = 0, n; i < len; i += n) {
        n = sequence((const uint8_t *)text + i, len - i, &c);
        if (n && !steers(c)) {
            buf_add(out, text + i, n);
            continue;
        }
        n = n ? n : 1;
        for (size_t k = 0; k < n; k++)
            buf_addf(out, "\\x%02x", (uint8_t)text[i + k]);
    }
}

void str_safe_lines(struct buf *out, const char *text)
{
    for (; *text; text++) {
        size_t len = strcspn(text, "\n\t");

        str_safe(out, text, len);
        text += len;
        if (!*text)
            break;
        buf_addc(out, *text);
    }
}

size_t str_distance(const char *a, const char *b)
{
    size_t row[65], n = strnlen(a, 64), m = strnlen(b, 64);

    for (size_t k = 0; k <= m; k++)
        row[k] = k;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            size_t best = diagonal + (a[i - 1] != b[k - 1]);
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            diagonal = row[k];
            row[k] = best;
        }
    }
    return row[m];
}

const char *str_nearest(const char *word, const char *const *words, size_t count, size_t stride)
{
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 2;

    for (size_t i = 0; i < count; i++) {
        const char *candidate = *(const char *const *)((const char *)words + i * stride);
        size_t d = candidate ? str_distance(word, candidate) : SIZE_MAX;
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

void strs_release(struct strs *s)
{
    for (size_t i = 0; i < s->len; i++)
        free(s->items[i]);
    free(s->items);
    *s = (struct strs){0};
}

void strs_push(struct strs *s, const char *text)
{
    if (s->len == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        s->items = mem_resize(s->items, s->cap, sizeof(*s->items));
    }
    s->items[s->len++] = mem_strdup(text);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strs_sort(struct strs *s)
{
    size_t kept = 0;

    if (s->len)
        qsort(s->items, s->len, sizeof(*s->items), by_bytes);
    for (size_t i = 0; i < s->len; i++) {
        if (kept && str_eq(s->items[kept - 1], s->items[i]))
            free(s->items[i]);
        else
            s->items[kept++] = s->items[i];
    }
    s->len = kept;
}

bool strs_has(const struct strs *s, const char *text)
{
    for (size_t i = 0; i < s->len; i++)
        if (str_eq(s->items[i], text))
            return true;
    return false;
}

void strs_copy(struct strs *to, const struct strs *from)
{
    strs_release(to);
    for (size_t i = 0; i < from->len; i++)
        strs_push(to, from->items[i]);
}

bool strs_eq(const struct strs *a, const struct strs *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!str_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

char *str_clean(const char *text, size_t max)
{
    struct buf out = BUF_INIT(0);

    for (const char *p = text; *p;) {
        unsigned char c = (unsigned char)p[0];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (strnlen(p, n) < n || !str_utf8(p, n)) { /* such as text from a database that another program wrote */
            p++;
            continue;
        }
        if (out.len + n > max)
            break;
        bool c1 = n == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0;
        /* U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069 change the direction of text. */
        bool turn = n == 3 && c == 0xe2 &&
                    (((unsigned char)p[1] == 0x80 && (unsigned char)p[2] >= 0x8e &&
                      ((unsigned char)p[2] <= 0x8f || ((unsigned char)p[2] >= 0xa8 && (unsigned char)p[2] <= 0xae))) ||
                     ((unsigned char)p[1] == 0x81 && (unsigned char)p[2] >= 0xa6 && (unsigned char)p[2] <= 0xa9));
        if (c >= 0x20 && c != 0x7f && !c1 && !turn)
            buf_add(&out, p, n);
        p += n;
    }
    return buf_take(&out);
}

void str_place(const char *text, size_t len, size_t offset, unsigned *line, unsigned *column)
{
    size_t start = 0;

    *line = 1;
    for (size_t i = 0; i < offset && i < len; i++)
        if (text[i] == '\n') {
            (*line)++;
            start = i + 1;
        }
    *column = (unsigned)(offset - start) + 1;
}
