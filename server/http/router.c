/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the route of a target. A path is cut at its slashes before it is unescaped, so that "10.0.0.0%2F8" is one
 * segment. The whole table is searched, so the order of rows does not matter. */
#include "http/server.h"
#include "net/url.h"

#define SEGMENTS_MAX 12

struct segment {
    const char *at;
    size_t len;
};

/* "/a/b" has the segments "a" and "b", "/" has none; a trailing slash makes an empty segment. */
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

const struct http_route *http_table_at(const struct http_table *table, size_t i)
{
    return (const struct http_route *)(const void *)((const char *)table->routes + i * table->stride);
}

static bool fits(const struct http_route *route, const struct segment *given, size_t count)
{
    struct segment want[SEGMENTS_MAX + 1];

    if (cut(route->path, want) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        bool parameter = want[i].at[0] == '{';
        if (parameter ? !given[i].len
                      : want[i].len != given[i].len || memcmp(want[i].at, given[i].at, given[i].len) != 0)
            return false;
    }
    return true;
}

static bool read_params(struct http_request *r, const struct http_route *route, const struct segment *given,
                        size_t count)
{
    struct segment want[SEGMENTS_MAX + 1];
    size_t n = 0;

    cut(route->path, want);
    for (size_t i = 0; i < count; i++)
        if (want[i].at[0] == '{' && !(r->params[n++] = url_unescape(&r->arena, given[i].at, given[i].len, false)))
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

/* The number of literal segments at the start of a path: "/node/register" precedes "/node/{id}", whatever table it is
 * in. */
static size_t literal_len(const char *path)
{
    return strcspn(path, "{");
}

void http_find(struct http_request *r, const char *method, const char *path)
{
    struct segment given[SEGMENTS_MAX + 1];
    size_t count = cut(path, given);
    const char *as = str_eq(method, "HEAD") ? "GET" : method;

    r->route = NULL;
    r->allow[0] = '\0';
    r->malformed = false;
    if (path[0] != '/' || count > SEGMENTS_MAX)
        return;
    for (size_t t = 0; t < r->http->with.table_count; t++)
        for (size_t i = 0; i < r->http->with.tables[t]->count; i++) {
            const struct http_route *route = http_table_at(r->http->with.tables[t], i);
            if (!(route->listeners & (unsigned)r->listener) || !fits(route, given, count))
                continue;
            if (!str_eq(route->method, method) && !str_eq(route->method, as))
                add_method(r->allow, route->method);
            else if (!r->route || literal_len(route->path) > literal_len(r->route->path))
                r->route = route;
        }
    if (r->route && !read_params(r, r->route, given, count)) {
        r->malformed = true;
        r->route = NULL;
    }
    if (r->route || r->malformed)
        r->allow[0] = '\0';
}

bool http_is_reserved(const struct http *h, const char *method, const char *path)
{
    for (size_t t = 0; t < h->with.table_count; t++)
        for (size_t i = 0; i < h->with.tables[t]->count; i++) {
            const struct http_route *route = http_table_at(h->with.tables[t], i);
            if (route->reserved && (route->listeners & HTTP_PUBLIC) && str_eq(route->method, method) &&
                str_eq(route->path, path))
                return true;
        }
    return false;
}

int http_query(struct arena *arena, const char *text, struct http_pair out[HTTP_QUERY_MAX], size_t *count,
               struct err *e)
{
    *count = 0;
    while (*text) {
        size_t len = strcspn(text, "&"), name = strcspn(text, "=&");
        if (len) {
            if (*count == HTTP_QUERY_MAX)
                return err_set(e, ERR_INVALID, "more than %d parameters behind '?'", HTTP_QUERY_MAX);
            struct http_pair *p = &out[*count];
            p->name = url_unescape(arena, text, name, true);
            p->value = name < len ? url_unescape(arena, text + name + 1, len - name - 1, true) : "";
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
