/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments by name. /api/v1 accepts what headscale's releases accepted (its gateway read protobuf's JSON: either case
 * style, numbers as texts; later releases any case); /api/headway accepts exactly what the table of calls lists. */
#include <stdio.h>
#include <strings.h>

#include "api/request/args.h"

static bool is_lenient(const struct rest_request *r)
{
    return r->endpoint->dialect != DIALECT_HEADWAY;
}

/* "aclTags" also matches "acl_tags", and either in any case. */
static bool same_name(const char *given, const char *name)
{
    while (*given && *name) {
        if (*given == '_' && *name >= 'A' && *name <= 'Z')
            given++;
        if ((*given | 32) != (*name | 32))
            return false;
        given++;
        name++;
    }
    return !*given && !*name;
}

const char *arg_query(const struct rest_request *r, const char *name)
{
    for (size_t i = 0; i < r->query_count; i++)
        if (str_eq(r->query[i].name, name))
            return r->query[i].value;
    for (size_t i = 0; i < r->query_count && is_lenient(r); i++)
        if (same_name(r->query[i].name, name))
            return r->query[i].value;
    return NULL;
}

json_t *arg_json(const struct rest_request *r, const char *name)
{
    json_t *v = json_object_get(r->json, name);
    const char *key;

    if (!v && is_lenient(r)) {
        json_t *at;
        json_object_foreach(r->json, key, at)
        {
            if (same_name(key, name)) {
                v = at;
                break;
            }
        }
    }
    return json_is_null(v) ? NULL : v;
}

static int wrong(struct rest_request *r, const char *name, const char *kind)
{
    return err_field(&r->err, ERR_INVALID, name, "%s must be %s", name, kind);
}

/* The argument as text: *out is unchanged if it is absent; false if it is of a kind without a text form. */
static bool as_text(struct rest_request *r, const char *name, const char **out)
{
    json_t *v = arg_json(r, name);
    char number[24];

    if (!v) {
        const char *text = arg_query(r, name);
        if (text)
            *out = text;
        return true;
    }
    if (json_is_string(v)) {
        *out = json_string_value(v);
        return strlen(*out) == json_string_length(v);
    }
    if (!json_is_integer(v))
        return false;
    snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
    *out = arena_strdup(&r->http.arena, number);
    return true;
}

int arg_text(struct rest_request *r, const char *name, const char **out)
{
    const char *text = NULL;

    if (json_is_integer(arg_json(r, name)) && !is_lenient(r))
        return wrong(r, name, "a text");
    if (!as_text(r, name, &text))
        return wrong(r, name, "a text");
    if (text)
        *out = text;
    return 0;
}

/* What Go's strconv.ParseBool accepts; "" is false. */
static const struct {
    const char *text;
    bool value;
} booleans[] = {
    {"true", true}, {"1", true},  {"t", true},  {"T", true},      {"TRUE", true},   {"True", true}, {"false", false},
    {"0", false},   {"f", false}, {"F", false}, {"FALSE", false}, {"False", false}, {"", false},
};

static bool read_bool(const char *text, bool *out)
{
    for (size_t i = 0; i < ARRAY_LEN(booleans); i++)
        if (str_eq(booleans[i].text, text)) {
            *out = booleans[i].value;
            return true;
        }
    return false;
}

int arg_bool(struct rest_request *r, const char *name, bool *out)
{
    json_t *v = arg_json(r, name);
    const char *text = json_is_string(v) && is_lenient(r) ? json_string_value(v) : v ? NULL : arg_query(r, name);

    if (json_is_boolean(v))
        *out = json_boolean_value(v);
    else if ((v || text) && !(text && read_bool(text, out)))
        return wrong(r, name, "true or false");
    return 0;
}

int arg_id(struct rest_request *r, const char *name, uint64_t *out)
{
    const char *text = NULL;

    if (!as_text(r, name, &text))
        return wrong(r, name, "an id: a decimal number as text");
    if (!text)
        return 0;
    if (!*text) {
        *out = 0;
        return 0;
    }
    return str_u64(text, 0, UINT64_MAX, out, name, &r->err);
}

int arg_number(struct rest_request *r, const char *name, uint64_t *out)
{
    json_t *v = arg_json(r, name);

    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return v ? wrong(r, name, "a number of at least 0") : 0;
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

int arg_time(struct rest_request *r, const char *name, int64_t *out)
{
    const char *text = NULL;

    if (json_is_integer(arg_json(r, name)) || !as_text(r, name, &text))
        return wrong(r, name, "a time such as 2026-01-02T03:04:05Z");
    return text ? time_parse(text, out, name, &r->err) : 0;
}

int arg_expiration(struct rest_request *r, int64_t default_ns, int64_t *out)
{
    static const char name[] = "expiration";
    const char *text = NULL;

    *out = 0;
    if (as_text(r, name, &text) && text && str_eq(text, "never"))
        return 0;
    if (!(text && !*text) && arg_time(r, name, out) < 0)
        return r->err.code;
    if (!*out)
        *out = clock_wall_ns() + default_ns;
    return 0;
}

int arg_texts_of(struct rest_request *r, const json_t *v, const char *name, struct strs *out)
{
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_array(v))
        return wrong(r, name, "a list of texts");
    for (size_t i = 0; i < json_array_size(v); i++) {
        json_t *item = json_array_get(v, i);
        const char *text = json_string_value(item);
        if (!text || strlen(text) != json_string_length(item))
            return wrong(r, name, "a list of texts");
        int code = str_check(text, 255, true, name, &r->err);
        if (code < 0)
            return code;
        strs_push(out, text);
    }
    return 0;
}

int arg_texts(struct rest_request *r, const char *name, struct strs *out, bool *given)
{
    const json_t *v = arg_json(r, name);

    *given = v != NULL;
    return arg_texts_of(r, v, name, out);
}

int arg_prefixes(struct rest_request *r, const char *name, struct prefixes *out, bool *given)
{
    struct strs texts = {0};
    int code = arg_texts(r, name, &texts, given);

    for (size_t i = 0; i < texts.len && code == 0; i++) {
        struct prefix p;
        code = prefix_parse_route(texts.items[i], &p, &r->err);
        if (code == 0)
            prefixes_add(out, &p);
        else
            str_copy(r->err.field, sizeof(r->err.field), name);
    }
    strs_release(&texts);
    return code;
}

static int find_user(struct rest_request *r, const char *name, bool by_id, const struct user **out)
{
    const char *text = NULL;
    uint64_t id;
    size_t hits = 0;

    if (!as_text(r, name, &text))
        return wrong(r, name, "a user's id or name");
    if (!text || !*text)
        return 0;
    for (size_t i = 0; i < r->s->user_count; i++)
        if (str_eq(r->s->users[i]->name, text)) {
            *out = r->s->users[i];
            hits++;
        }
    if (hits > 1)
        return err_field(&r->err, ERR_CONFLICT, name, "looking up user: '%.80s' is not unique, found %zu: give its id",
                         text, hits);
    if (hits == 0 && str_u64(text, 0, UINT64_MAX, &id, name, NULL) == 0) {
        if (id == 0)
            return 0;
        *out = snapshot_user(r->s, id);
        hits = *out != NULL;
    }
    if (hits == 0 && by_id && str_u64(text, 0, UINT64_MAX, &id, name, NULL) < 0)
        return err_field(&r->err, ERR_INVALID, name, "invalid user id: '%.80s' is not a decimal number", text);
    if (hits == 0)
        return err_field(&r->err, ERR_MISSING, name, "looking up user: user not found: '%.80s'", text);
    return 0;
}

int arg_user(struct rest_request *r, const char *name, const struct user **out)
{
    return find_user(r, name, false, out);
}

int arg_user_id(struct rest_request *r, const char *name, const struct user **out)
{
    return find_user(r, name, true, out);
}

/* The name of the path's i-th parameter. */
static const char *param_name(struct rest_request *r, size_t i)
{
    const char *at = strchr(r->http.route->path, '{');

    while (at && i--)
        at = strchr(at + 1, '{');
    return at ? arena_strndup(&r->http.arena, at + 1, strcspn(at + 1, "}")) : "id";
}

int param_id(struct rest_request *r, size_t i, uint64_t *out)
{
    const char *name = param_name(r, i);

    if (str_u64(r->http.params[i], 0, UINT64_MAX, out, name, NULL) < 0)
        return err_field(&r->err, ERR_INVALID, name,
                         "type mismatch, parameter: %s, error: '%.60s' is not an id: a decimal number is expected",
                         name, r->http.params[i]);
    return 0;
}

/* Whether "name:kind ..." lists it. */
static bool is_member(const char *members, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = members; at && *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, ": ");
        if (n == len && memcmp(at, name, len) == 0)
            return true;
        at += strcspn(at, " ");
    }
    return false;
}

static const char *names_of(struct rest_request *r, const char *members)
{
    struct buf b = BUF_INIT(0);

    for (const char *at = members; *at; at += strspn(at, " ")) {
        if (b.len)
            buf_addc(&b, ' ');
        buf_add(&b, at, strcspn(at, ": "));
        at += strcspn(at, " ");
    }
    const char *names = arena_strdup(&r->http.arena, buf_text(&b));
    buf_release(&b);
    return names;
}

/* headscale before 0.30 ignored unknown members. A body with no known one is a mistake, and the members it lacks would
 * clear a policy or revoke routes. */
int args_any_known(struct rest_request *r, const char *members)
{
    const char *key, *first = NULL;
    json_t *v;

    if (!members || !*members)
        return 0;
    json_object_foreach(r->json, key, v)
    {
        first = first ? first : key;
        for (const char *at = members; *at; at += strspn(at, " ")) {
            const char *name = arena_strndup(&r->http.arena, at, strcspn(at, ": "));
            if (same_name(key, name))
                return 0;
            at += strcspn(at, " ");
        }
    }
    return first ? err_field(&r->err, ERR_INVALID, first, "'%.60s' is not known here, only: %s", first,
                             names_of(r, members))
                 : 0;
}

int args_known(struct rest_request *r, const char *members)
{
    const char *key;
    json_t *v;

    json_object_foreach(r->json, key, v)
    {
        if (is_member(members, key))
            continue;
        if (!members || !*members)
            return err_field(&r->err, ERR_INVALID, key, "'%.60s' is not known here: no members are", key);
        return err_field(&r->err, ERR_INVALID, key, "'%.60s' is not known here, only: %s", key, names_of(r, members));
    }
    return 0;
}
