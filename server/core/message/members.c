/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/message/members.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/message/values.h"

static struct item_list *list_at(void *object, const struct member *m)
{
    return (struct item_list *)(void *)((char *)object + m->at);
}

static size_t size_of(const struct member *m)
{
    static const size_t sizes[] = {
        [MEMBER_U64] = sizeof(uint64_t),
        [MEMBER_TIME] = sizeof(int64_t),
        [MEMBER_U32] = sizeof(uint32_t),
        [MEMBER_BOOL] = sizeof(bool),
        [MEMBER_ENUM] = sizeof(unsigned),
        [MEMBER_TEXT] = sizeof(char *),
        [MEMBER_KEY] = KEY_LEN,
        [MEMBER_ADDR] = sizeof(struct addr),
        [MEMBER_PREFIX] = sizeof(struct prefix),
        [MEMBER_STRS] = sizeof(struct strs),
        [MEMBER_PREFIXES] = sizeof(struct prefixes),
        [MEMBER_U16] = sizeof(uint16_t),
        [MEMBER_MAYBE] = sizeof(char *),
        [MEMBER_ARRAY] = offsetof(struct item_list, cap),
        [MEMBER_LIST] = sizeof(struct item_list),
        [MEMBER_RECORD] = sizeof(void *),
        [MEMBER_RECORDS] = sizeof(struct item_list),
    };

    return m->type == MEMBER_CHARS ? m->max : sizes[m->type];
}

static void copy_items(const struct member *m, struct item_list *to)
{
    const char *from = to->items;
    size_t size = m->of->size;

    to->items = to->len ? mem_alloc(to->len * size) : NULL;
    if (m->type == MEMBER_LIST)
        to->cap = to->len;
    for (size_t i = 0; i < to->len; i++)
        members_copy(m->of, to->items + i * size, from + i * size);
}

static void copy_records(struct item_list *to)
{
    const char *from = to->items;

    to->items = to->len ? mem_dup(from, to->len * sizeof(void *)) : NULL;
    to->cap = to->len;
    for (size_t i = 0; i < to->len; i++)
        (void)record_ref(((void **)(void *)to->items)[i]);
}

/* Makes the member, a plain copy of the bytes, own what it points to. */
static void own_value(const struct member *m, void *object)
{
    void *at = (char *)object + m->at;
    struct strs texts = {0};
    struct prefixes prefixes = {0};

    switch (m->type) {
    case MEMBER_TEXT:
    case MEMBER_MAYBE:
        if (*(char **)at)
            *(char **)at = mem_strdup(*(char **)at);
        break;
    case MEMBER_STRS:
        strs_copy(&texts, at);
        *(struct strs *)at = texts;
        break;
    case MEMBER_PREFIXES:
        prefixes_copy(&prefixes, at);
        *(struct prefixes *)at = prefixes;
        break;
    case MEMBER_ARRAY:
    case MEMBER_LIST:
        copy_items(m, list_at(object, m));
        break;
    case MEMBER_RECORD:
        (void)record_ref(*(void **)at);
        break;
    case MEMBER_RECORDS:
        copy_records(list_at(object, m));
        break;
    default: /* no pointers */
        break;
    }
}

void members_copy(const struct members *m, void *to, const void *from)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct member *v = &m->items[i];
        memcpy((char *)to + v->at, (const char *)from + v->at, size_of(v));
        own_value(v, to);
    }
}

void members_move(const struct members *m, void *to, void *from)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct member *v = &m->items[i];
        memcpy((char *)to + v->at, (char *)from + v->at, size_of(v));
        memset((char *)from + v->at, 0, size_of(v));
    }
}

static void release_items(const struct member *m, struct item_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        if (m->type == MEMBER_RECORDS)
            record_unref(((void **)(void *)list->items)[i]);
        else
            members_release(m->of, list->items + i * m->of->size);
    free(list->items);
}

static void release_value(const struct member *m, void *object)
{
    void *at = (char *)object + m->at;

    switch (m->type) {
    case MEMBER_TEXT:
    case MEMBER_MAYBE:
        free(*(void **)at);
        break;
    case MEMBER_STRS:
        strs_release(at);
        break;
    case MEMBER_PREFIXES:
        prefixes_release(at);
        break;
    case MEMBER_ARRAY:
    case MEMBER_LIST:
    case MEMBER_RECORDS:
        release_items(m, list_at(object, m));
        break;
    case MEMBER_RECORD:
        record_unref(*(void **)at);
        break;
    default: /* no pointers */
        break;
    }
    memset(at, 0, size_of(m));
}

void members_release(const struct members *m, void *object)
{
    for (size_t i = 0; i < m->count; i++)
        release_value(&m->items[i], object);
}
