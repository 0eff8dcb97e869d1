/* SPDX-License-Identifier: BSD-3-Clause */
/* Shapes as JSON schemas, for the description of the API. */
#include "model/shape.h"

static json_t *word_schema(const struct api_words *words)
{
    json_t *names = json_array();

    for (int i = 0; i < words->count; i++)
        json_array_append_new(names, json_string(words->name(i)));
    return json_pack("{s:s, s:o}", "type", "string", "enum", names);
}

static json_t *list_of(json_t *item)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", item);
}

static json_t *inner(const struct api_shape *shape, enum api_scope scope, api_schema_ref *ref)
{
    const char *target = ref(shape, scope);

    return target ? json_pack("{s:s}", "$ref", target) : api_schema(shape, scope, ref);
}

static json_t *nullable(json_t *schema)
{
    json_object_set_new(schema, "nullable", json_true());
    return schema;
}

static json_t *text(const char *format)
{
    json_t *schema = json_pack("{s:s}", "type", "string");

    if (format)
        json_object_set_new(schema, "format", json_string(format));
    return schema;
}

static json_t *field_schema(const struct api_field *f, enum api_scope scope, api_schema_ref *ref)
{
    switch (f->kind) {
    case KIND_ID:
    case KIND_EVENT_ID:
    case KIND_TEXT_OR_NULL:
        return nullable(text(NULL));
    case KIND_U64:
        return json_pack("{s:s}", "type", "integer");
    case KIND_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case KIND_TEXT:
    case KIND_PREFIX:
        return text(NULL);
    case KIND_TIME:
        return nullable(text("date-time"));
    case KIND_CREATED:
        return text("date-time");
    case KIND_WORD:
        return word_schema(f->words);
    case KIND_PREFIXES:
    case KIND_TEXTS:
    case KIND_ADDRS:
    case KIND_ENDPOINTS:
        return list_of(text(NULL));
    case KIND_JSON:
        return nullable(json_object()); /* any value */
    case KIND_ONE: {
        json_t *one = inner(f->shape, scope, ref);
        return json_object_get(one, "$ref") ? json_pack("{s:[o], s:b}", "allOf", one, "nullable", 1) : nullable(one);
    }
    case KIND_PART:
        return inner(f->shape, scope, ref);
    case KIND_MANY:
        return list_of(inner(f->shape, scope, ref));
    }
    return json_object();
}

json_t *api_schema(const struct api_shape *shape, enum api_scope scope, api_schema_ref *ref)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < shape->count; i++)
        if (shape->fields[i].scope <= scope)
            json_object_set_new(properties, shape->fields[i].name, field_schema(&shape->fields[i], scope, ref));
    return json_pack("{s:s, s:o}", "type", "object", "properties", properties);
}
