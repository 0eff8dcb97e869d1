/* SPDX-License-Identifier: BSD-3-Clause */
/* Encodes members as bytes, and decodes them. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/message/members.h"
#include "core/message/values.h"
#include "store/store.h"

#define NUMBER_BYTES 3
#define ROOM_FACTOR  64   /* bytes of memory per byte of a message */
#define ROOM_LEAST   4096 /* plus this many */

/* What a message of any record has besides the columns of its table. */
static const struct member record_members[] = {MEMBER_ROW(record, version, U64)};
static const struct member primary_members[] = {MEMBER_ROW(primary, actor, TEXT), MEMBER_ROW(primary, moves, U64),
                                                MEMBER_ROW_ENUM(primary, choice, PRIMARY_ONCE)};
static const struct member via_primary_members[] = {MEMBER_ROW(via_primary, actor, TEXT),
                                                    MEMBER_ROW_ENUM(via_primary, choice, PRIMARY_ONCE)};
static const struct members record_table = MEMBERS(record, record_members),
                            primary_table = MEMBERS(primary, primary_members),
                            via_primary_table = MEMBERS(via_primary, via_primary_members);

#define RECORD_TABLES 3

/* The tables that together describe a record. */
static size_t tables_of(enum record_kind kind, struct members tables[RECORD_TABLES])
{
    size_t count = 0;

    tables[count++] = store_members(kind);
    tables[count++] = record_table;
    if (kind == RECORD_PRIMARY)
        tables[count++] = primary_table;
    else if (kind == RECORD_VIA_PRIMARY)
        tables[count++] = via_primary_table;
    return count;
}

uint32_t member_number(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return (hash >> 24 ^ hash) & 0xffffff;
}

/* ---- writing ---- */

static void put_part(struct buf *out, const struct buf *part)
{
    put_length(out, part->len);
    buf_add(out, buf_text(part), part->len);
}

static void put_texts(struct buf *out, const struct strs *texts)
{
    for (size_t i = 0; i < texts->len; i++) {
        put_length(out, strlen(texts->items[i]));
        buf_adds(out, texts->items[i]);
    }
}

static void put_prefixes(struct buf *out, const struct prefixes *prefixes)
{
    for (size_t i = 0; i < prefixes->len; i++) {
        struct buf one = BUF_INIT(0);
        put_prefix(&one, &prefixes->items[i]);
        put_part(out, &one);
        buf_release(&one);
    }
}

static void put_items(struct buf *out, const struct members *of, const char *items, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        struct buf one = BUF_INIT(0);
        members_encode(of, items + i * of->size, &one);
        put_part(out, &one);
        buf_release(&one);
    }
}

static void put_records(struct buf *out, const void *const *records, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        struct buf one = BUF_INIT(0);
        record_encode(records[i], &one);
        put_part(out, &one);
        buf_release(&one);
    }
}

/* False: there is no value to write. */
static bool put_value(struct buf *out, const struct member *m, const void *at)
{
    const struct item_list *list = at;
    unsigned number;

    switch (m->type) {
    case MEMBER_U64:
    case MEMBER_TIME:
        put_number(out, *(const uint64_t *)at);
        return true;
    case MEMBER_U32:
        put_number(out, *(const uint32_t *)at);
        return true;
    case MEMBER_U16:
        put_number(out, *(const uint16_t *)at);
        return true;
    case MEMBER_BOOL:
        put_number(out, *(const bool *)at);
        return true;
    case MEMBER_ENUM:
        memcpy(&number, at, sizeof(number));
        put_number(out, number);
        return true;
    case MEMBER_TEXT:
    case MEMBER_MAYBE:
        if (*(const char *const *)at)
            buf_adds(out, *(const char *const *)at);
        return *(const char *const *)at != NULL;
    case MEMBER_CHARS:
        buf_adds(out, at);
        return true;
    case MEMBER_KEY:
        buf_add(out, at, KEY_LEN);
        return true;
    case MEMBER_ADDR:
        put_addr(out, at);
        return true;
    case MEMBER_PREFIX:
        put_prefix(out, at);
        return true;
    case MEMBER_STRS:
        put_texts(out, at);
        return true;
    case MEMBER_PREFIXES:
        put_prefixes(out, at);
        return true;
    case MEMBER_ARRAY:
    case MEMBER_LIST:
        put_items(out, m->of, list->items, list->len);
        return true;
    case MEMBER_RECORDS:
        put_records(out, (const void *const *)(const void *)list->items, list->len);
        return true;
    case MEMBER_RECORD:
        if (*(const void *const *)at)
            record_encode(*(const void *const *)at, out);
        return *(const void *const *)at != NULL;
    case MEMBER_ENDPOINTS:
        break;
    }
    return false;
}

void members_encode(const struct members *m, const void *object, struct buf *out)
{
    struct buf value = BUF_INIT(0);

    for (size_t i = 0; i < m->count; i++) {
        const struct member *v = &m->items[i];
        uint32_t number = member_number(v->name);
        buf_clear(&value);
        if (!put_value(&value, v, (const char *)object + v->at))
            continue;
        buf_addc(out, (char)(number >> 16));
        buf_addc(out, (char)(number >> 8));
        buf_addc(out, (char)number);
        put_part(out, &value);
    }
    buf_release(&value);
}

void record_encode(const void *record, struct buf *out)
{
    struct members tables[RECORD_TABLES];
    size_t count = tables_of(((const struct record *)record)->kind, tables);

    buf_addc(out, (char)((const struct record *)record)->kind);
    for (size_t i = 0; i < count; i++)
        members_encode(&tables[i], record, out);
}

/* ---- reading ---- */

static bool read_members(const struct members *tables, size_t count, struct reader all, void *object, struct err *e);
static bool read_record(struct reader all, void *at, struct err *e);

static bool read_text(const struct reader *all, char **out)
{
    size_t len = (size_t)(all->end - all->at);

    if (memchr(all->at, '\0', len) || !take_room(all, len + 1))
        return false;
    free(*out);
    *out = mem_strndup((const char *)all->at, len);
    return true;
}

static bool read_texts(struct reader all, struct strs *out)
{
    struct reader one;

    strs_release(out);
    while (all.at < all.end) {
        char *text = NULL;
        if (!get_part(&all, &one) || !take_room(&one, sizeof(char *)) || !read_text(&one, &text))
            return false;
        strs_push(out, text);
        free(text);
    }
    return true;
}

/* They must be in order, as in a set. */
static bool read_prefixes(struct reader all, struct prefixes *out)
{
    struct reader one;

    prefixes_release(out);
    while (all.at < all.end) {
        struct prefix p;
        if (!get_part(&all, &one) || !take_room(&one, sizeof(p)) || !get_prefix(&one, &p) || !p.addr.bits ||
            (out->len && prefix_cmp(&out->items[out->len - 1], &p) >= 0))
            return false;
        vec_push(out, p);
    }
    return true;
}

/* A text that was not sent becomes "", unless it may be NULL. */
static void fill_texts(const struct members *m, void *object)
{
    for (size_t i = 0; i < m->count; i++) {
        char **text = (char **)(void *)((char *)object + m->items[i].at);
        if (m->items[i].type == MEMBER_TEXT && !*text)
            *text = mem_strdup("");
    }
}

static bool read_items(const struct member *m, struct reader all, void *at, struct err *e)
{
    struct item_list list = {0};
    struct reader one;
    size_t size = m->of ? m->of->size : sizeof(void *), room = 0;
    bool good = true;

    while (good && all.at < all.end) {
        if (!get_part(&all, &one) || !take_room(&one, size)) {
            good = false;
            break;
        }
        if (list.len == room) {
            room = room ? room * 2 : 4;
            list.items = mem_resize(list.items, room, size);
        }
        char *item = list.items + list.len++ * size;
        memset(item, 0, size);
        good = m->type == MEMBER_RECORDS ? read_record(one, item, e) : read_members(m->of, 1, one, item, e);
        if (m->of)
            fill_texts(m->of, item);
    }
    list.cap = room;
    /* The list is released with everything read so far, whatever happens next. */
    memcpy(at, &list, m->type == MEMBER_ARRAY ? offsetof(struct item_list, cap) : sizeof(list));
    return good;
}

static bool read_number(const struct member *m, const struct reader *all, void *at)
{
    static const uint64_t most[] = {[MEMBER_U64] = UINT64_MAX,
                                    [MEMBER_TIME] = UINT64_MAX,
                                    [MEMBER_U32] = UINT32_MAX,
                                    [MEMBER_U16] = UINT16_MAX,
                                    [MEMBER_BOOL] = 1};
    uint64_t number;

    if (!get_number(all, m->type == MEMBER_ENUM ? m->max : most[m->type], &number))
        return false;
    uint32_t middle = (uint32_t)number;
    uint16_t small = (uint16_t)number;
    if (m->type == MEMBER_U64 || m->type == MEMBER_TIME)
        memcpy(at, &number, sizeof(number));
    else if (m->type == MEMBER_U16)
        memcpy(at, &small, sizeof(small));
    else if (m->type == MEMBER_BOOL)
        *(bool *)at = number == 1;
    else
        memcpy(at, &middle, sizeof(middle));
    return true;
}

static bool read_bytes(const struct member *m, const struct reader *all, void *at)
{
    size_t len = (size_t)(all->end - all->at);

    if (m->type == MEMBER_KEY ? len != KEY_LEN : len >= m->max || memchr(all->at, '\0', len) != NULL)
        return false;
    if (m->type == MEMBER_CHARS)
        memset(at, 0, m->max);
    memcpy(at, all->at, len);
    return true;
}

static bool read_value(const struct member *m, struct reader all, void *object, struct err *e)
{
    void *at = (char *)object + m->at;

    switch (m->type) {
    case MEMBER_U64:
    case MEMBER_TIME:
    case MEMBER_U32:
    case MEMBER_U16:
    case MEMBER_BOOL:
    case MEMBER_ENUM:
        return read_number(m, &all, at);
    case MEMBER_TEXT:
    case MEMBER_MAYBE:
        return read_text(&all, at);
    case MEMBER_CHARS:
    case MEMBER_KEY:
        return read_bytes(m, &all, at);
    case MEMBER_ADDR:
        return get_addr(&all, at);
    case MEMBER_PREFIX:
        return get_prefix(&all, at);
    case MEMBER_STRS:
        return read_texts(all, at);
    case MEMBER_PREFIXES:
        return read_prefixes(all, at);
    case MEMBER_ARRAY:
    case MEMBER_LIST:
    case MEMBER_RECORDS:
        members_release(&(struct members){m, 1, 0}, object); /* the member may occur twice */
        return read_items(m, all, at, e);
    case MEMBER_RECORD:
        members_release(&(struct members){m, 1, 0}, object);
        return read_record(all, at, e);
    case MEMBER_ENDPOINTS:
        break;
    }
    return false;
}

static const struct member *find_member(const struct members *tables, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < tables[i].count; k++)
            if (member_number(tables[i].items[k].name) == number)
                return &tables[i].items[k];
    return NULL;
}

static bool read_members(const struct members *tables, size_t count, struct reader all, void *object, struct err *e)
{
    struct reader value;

    while (all.at < all.end) {
        if (all.end - all.at < NUMBER_BYTES) {
            err_set(e, ERR_INVALID, "a message ends within a member");
            return false;
        }
        uint32_t number = (uint32_t)all.at[0] << 16 | (uint32_t)all.at[1] << 8 | all.at[2];
        const struct member *m = find_member(tables, count, number);
        all.at += NUMBER_BYTES;
        if (!get_part(&all, &value)) {
            err_set(e, ERR_INVALID, "a message ends within its member %s", m ? m->name : "of a later version");
            return false;
        }
        if (!m || read_value(m, value, object, e))
            continue;
        if (e->code && !*e->field)
            str_copy(e->field, sizeof(e->field), m->name);
        if (!e->code)
            err_field(e, !*all.room ? ERR_TOOBIG : ERR_INVALID, m->name, "a message's member %s is none", m->name);
        return false;
    }
    return true;
}

static bool read_record(struct reader all, void *at, struct err *e)
{
    struct members tables[RECORD_TABLES];

    if (all.at == all.end || *all.at >= RECORD_KINDS) {
        err_set(e, ERR_INVALID, "a message holds a record of an unknown kind");
        return false;
    }
    enum record_kind kind = (enum record_kind) * all.at++;
    size_t count = tables_of(kind, tables);
    if (!take_room(&all, sizeof(struct node)))
        return false;
    struct record *r = record_new(kind);
    memcpy(at, &r, sizeof(r));
    return read_members(tables, count, all, r, e);
}

static size_t room_for(size_t len)
{
    return ROOM_LEAST + len * ROOM_FACTOR;
}

int members_decode(const struct members *m, const void *bytes, size_t len, void *object, struct err *e)
{
    size_t room = room_for(len);
    struct err why = {0};
    struct reader all = {bytes, (const uint8_t *)bytes + len, &room};

    if (read_members(m, 1, all, object, &why))
        return 0;
    return err_field(e, why.code, why.field, "%s", why.message);
}

int record_decode(const void *bytes, size_t len, const void **out, struct err *e)
{
    size_t room = room_for(len);
    struct err why = {0};
    struct reader all = {bytes, (const uint8_t *)bytes + len, &room};

    *out = NULL;
    if (read_record(all, out, &why))
        return 0;
    record_unref(*out);
    *out = NULL;
    return err_field(e, why.code ? why.code : ERR_TOOBIG, why.field, "%s", why.code ? why.message : "it is too large");
}
