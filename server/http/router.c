/* SPDX-License-Identifier: BSD-3-Clause */
/* From a target to a route. A path is cut at its slashes before it is unescaped, so that "10.0.0.0%2F8" is one segment.
 */
#include "http/private.h"

#define SEGMENTS_MAX 12

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *unescape(struct arena *arena, const char *text, size_t len, bool plus)
{
    char *out = arena_alloc(arena, len + 1);
    size_t n = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            int high = len - i >= 3 ? hex_digit(text[i + 1]) : -1, low = len - i >= 3 ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    out[n] = '\0';
    return strlen(out) == n && str_utf8(out, n) ? out : NULL;
}

struct segment {
    const char *at;
    size_t len;
};

/* "/a/b" has the segments "a" and "b", "/" none; a trailing slash is an empty segment. */
static size_t cut(const char *path, struct segment out[SEGMENTS_MAX + 1])
{
    size_t count = 0;

    if (path[0] != '/' || !path[1])
        return 0;
    for (const char *at = path; *at && count <= SEGMENTS_MAX; count++) {
        at++;
        out[count] = (struct segment){at, strcspn(at, "/")};
        at += out[count].len;
    }
    return count;
}

static bool fits(const struct route *route, const struct segment *given, size_t count)
{
    struct segment want[SEGMENTS_MAX + 1];

    if (cut(route->path, want) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        bool param = want[i].at[0] == '{';
        if (param ? given[i].len == 0
                  : want[i].len != given[i].len || memcmp(want[i].at, given[i].at, given[i].len) != 0)
            return false;
    }
    return true;
}

static bool read_params(const struct route *route, const struct segment *given, size_t count, struct arena *arena,
                        const char *params[PARAMS_MAX])
{
    struct segment want[SEGMENTS_MAX + 1];
    size_t n = 0;

    cut(route->path, want);
    for (size_t i = 0; i < count; i++)
        if (want[i].at[0] == '{' && !(params[n++] = unescape(arena, given[i].at, given[i].len, false)))
            return false;
    return true;
}

static void add_method(char allow[64], const char *method)
{
    struct buf b = BUF_INIT(64);

    if (strstr(allow, method))
        return;
    buf_addf(&b, "%s%s%s%s", allow, *allow ? ", " : "", method, str_eq(method, "GET") ? ", HEAD" : "");
    str_copy(allow, 64, buf_text(&b));
    buf_release(&b);
}

const struct route *router_find(const char *method, const char *path, enum door door, struct arena *arena,
                                const char *params[PARAMS_MAX], char allow[64], bool *malformed)
{
    struct segment given[SEGMENTS_MAX + 1];
    size_t count = cut(path, given);
    const char *as = str_eq(method, "HEAD") ? "GET" : method;

    allow[0] = '\0';
    *malformed = false;
    if (path[0] != '/' || count > SEGMENTS_MAX)
        return NULL;
    for (size_t i = 0; i < http_route_count; i++) {
        const struct route *route = &http_routes[i];
        if (!(route->doors & (unsigned)door) || !fits(route, given, count))
            continue;
        if (!str_eq(route->method, method) && !str_eq(route->method, as)) {
            add_method(allow, route->method);
            continue;
        }
        *malformed = !read_params(route, given, count, arena, params);
        return *malformed ? NULL : route;
    }
    return NULL;
}

int query_parse(struct arena *arena, const char *text, struct pair out[QUERY_MAX], size_t *count, struct err *e)
{
    *count = 0;
    while (*text) {
        size_t len = strcspn(text, "&"), name = strcspn(text, "=&");
        if (len) {
            if (*count == QUERY_MAX)
                return err_set(e, ERR_INVALID, "more than %d parameters behind '?'", QUERY_MAX);
            struct pair *p = &out[*count];
            p->name = unescape(arena, text, name, true);
            p->value = name < len ? unescape(arena, text + name + 1, len - name - 1, true) : "";
            if (!p->name || !p->value)
                return err_set(e, ERR_INVALID, "the parameters behind '?' hold a malformed escape or no UTF-8: '%.80s'",
                               text);
            for (size_t i = 0; i < *count; i++)
                if (str_eq(out[i].name, p->name))
                    return err_field(e, ERR_INVALID, p->name, "%.40s is given twice behind '?'", p->name);
            (*count)++;
        }
        text += len + (text[len] == '&');
    }
    return 0;
}
