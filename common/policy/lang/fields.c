/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads objects of fixed shape from the tree, driven by tables of fields. */
#include <ctype.h>
#include <string.h>

#include "policy/lang/parse.h"

static const char *const kind_names[] = {
    [HUJSON_NULL] = "null",     [HUJSON_BOOL] = "boolean", [HUJSON_NUMBER] = "number",
    [HUJSON_STRING] = "string", [HUJSON_ARRAY] = "array",  [HUJSON_OBJECT] = "object",
};

/* Equal, ignoring case, '-' and '_'. */
static bool same_field(const char *a, const char *b)
{
    for (;;) {
        while (*a == '-' || *a == '_')
            a++;
        while (*b == '-' || *b == '_')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

static void unknown_field(struct policy_parser *x, const struct hujson *m, const struct policy_field *fields,
                          size_t count)
{
    const char *near = str_nearest(m->name, &fields[0].name, count, sizeof(*fields));

    if (near)
        parse_error(x, m->name_start, "unknown field: \"%s\" (did you mean \"%s\"?)", m->name, near);
    else
        parse_error(x, m->name_start, "unknown field: \"%s\"", m->name);
    parse_meant(x, m->name, near);
}

int fields_read(struct policy_parser *x, const struct hujson *object, const struct policy_field *fields, size_t count,
                bool hash_ok, const struct hujson **found)
{
    for (size_t i = 0; i < count; i++)
        found[i] = NULL;
    if (field_kind(x, object, HUJSON_OBJECT, "an entry") < 0)
        return ERR_INVALID;
    for (const struct hujson *m = object->first; m; m = m->next) {
        size_t i = 0;

        if (hash_ok && m->name[0] == '#')
            continue;
        while (i < count && !same_field(fields[i].name, m->name))
            i++;
        if (i == count)
            unknown_field(x, m, fields, count);
        else if (fields[i].refuse)
            parse_error(x, m->name_start, "unknown field: \"%s\" (%s)", m->name, fields[i].refuse);
        else if (found[i])
            parse_error(x, m->name_start, "duplicate object member name \"%s\"", m->name);
        else
            found[i] = m;
    }
    for (size_t i = 0; i < count; i++)
        if (found[i] && found[i]->kind == HUJSON_NULL)
            found[i] = NULL;
    return 0;
}

int field_kind(struct policy_parser *x, const struct hujson *v, enum hujson_kind kind, const char *what)
{
    if (v->kind == kind)
        return 0;
    return parse_error(x, v->start, "json: cannot unmarshal JSON %s: %s must be %s %s", kind_names[v->kind], what,
                       kind == HUJSON_ARRAY || kind == HUJSON_OBJECT ? "an" : "a", kind_names[kind]);
}

int field_strings(struct policy_parser *x, const struct hujson *v, const char *what,
                  int (*fn)(struct policy_parser *x, void *arg, const char *text, size_t offset), void *arg)
{
    if (!v)
        return 0;
    if (field_kind(x, v, HUJSON_ARRAY, what) < 0)
        return ERR_INVALID;
    int code = 0;
    for (const struct hujson *e = v->first; e; e = e->next)
        if (field_kind(x, e, HUJSON_STRING, what) < 0 || fn(x, arg, e->text, e->start) < 0)
            code = ERR_INVALID;
    return code;
}

bool text_trim(struct arena *a, const char *text, const char **out)
{
    static const char blanks[] = " \t\r\n\v\f";
    size_t front = strspn(text, blanks), len = strlen(text + front);

    *out = text + front;
    while (len && strchr(blanks, text[front + len - 1]))
        len--;
    if (text[front + len])
        *out = arena_strndup(a, text + front, len);
    return *out != NULL;
}
