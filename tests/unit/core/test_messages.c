/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages: their tables are consistent, each is read as it was written, and nothing else is accepted. UPDATE=1 writes
 * the fuzzer's seeds again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "core/message/calls.h"
#include "core/message/publication.h"
#include "shared/store_fixture.h"

#define CORPUS "tests/fuzz/corpus/messages"

/* ---- tables ---- */

/* Names are numbers of 24 bits in messages: two of one struct must not share one. */
static void assert_numbers_differ(const struct member *a, const struct member *b)
{
    if (a != b && a->at != b->at && member_number(a->name) == member_number(b->name))
        fail_msg("members %s and %s have the same number in messages: rename one", a->name, b->name);
}

static void check_table(const struct members *m)
{
    for (size_t i = 0; i < m->count; i++) {
        for (size_t k = 0; k < m->count; k++)
            assert_numbers_differ(&m->items[i], &m->items[k]);
        if (m->items[i].type == MEMBER_ARRAY || m->items[i].type == MEMBER_LIST) {
            assert_non_null(m->items[i].of);
            check_table(m->items[i].of);
        }
    }
}

static void tables_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < CALL_MESSAGES; i++) {
        if (!call_messages[i].name)
            fail_msg("call %d has no row in call_messages", i);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(member_number(call_messages[k].name), member_number(call_messages[i].name));
        assert_true(call_messages[i].request.count > 0);
        check_table(&call_messages[i].request);
        check_table(&call_messages[i].answer);
    }
    check_table(&publication_table);
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        struct members columns = store_members((enum record_kind)kind);
        if (!columns.count)
            fail_msg("records of kind %d have no columns", kind);
        check_table(&columns);
    }
}

/* ---- seeds ---- */

static void keep(const char *name, uint8_t first, const struct buf *bytes)
{
    struct buf all = BUF_INIT(0);
    struct err e;

    buf_addc(&all, (char)first);
    buf_add(&all, buf_text(bytes), bytes->len);
    char *path = mem_format(CORPUS "/%s", name);
    if (getenv("UPDATE") && file_replace(path, all.data, all.len, 0644, &e) < 0)
        fail_msg("%s", e.message);
    free(path);
    buf_release(&all);
}

/* Reads what was written and writes it again: the same bytes. */
static void assert_comes_back(const struct members *m, const struct buf *bytes, void *object)
{
    struct buf again = BUF_INIT(0);
    struct err e = {0};

    if (members_decode(m, buf_text(bytes), bytes->len, object, &e) < 0)
        fail_msg("%s", e.message);
    members_encode(m, object, &again);
    assert_int_equal(again.len, bytes->len);
    assert_memory_equal(buf_text(&again), buf_text(bytes), bytes->len);
    buf_release(&again);
}

/* ---- calls ---- */

static struct core_map sample_map(void)
{
    static struct addr_port endpoints[2];
    struct core_map m = {.stream = true,
                         .has_endpoints = true,
                         .endpoints = endpoints,
                         .endpoint_count = 2,
                         .info = {.hostname = "router", .hostinfo = "{}", .home_derp = 900, .cap_version = 130}};
    struct prefix p = sample_prefix("10.0.0.0/8");

    memset(m.node_key, 7, KEY_LEN);
    assert_int_equal(addr_port_parse("192.0.2.1:41641", &endpoints[0], NULL), 0);
    assert_int_equal(addr_port_parse("[2001:db8::1]:1", &endpoints[1], NULL), 0);
    strs_push(&m.flags, "warn-ip-forwarding-off");
    prefixes_add(&m.info.routes, &p);
    return m;
}

static void a_call_comes_as_it_went(void **state)
{
    const struct members *m = &call_messages[CALL_MAP].request;
    struct core_map sent = sample_map(), came = {0};
    struct buf bytes = BUF_INIT(0);

    (void)state;
    members_encode(m, &sent, &bytes);
    assert_comes_back(m, &bytes, &came);
    assert_string_equal(came.info.hostname, "router");
    assert_null(came.info.net_info); /* not said, which is not "" */
    assert_int_equal(came.endpoint_count, 2);
    assert_true(addr_port_eq(&came.endpoints[1], &sent.endpoints[1]));
    assert_true(prefixes_eq(&came.info.routes, &sent.info.routes));
    assert_true(came.stream && !came.read_only && came.has_endpoints);
    keep("map", CALL_MAP, &bytes);
    members_release(m, &came);
    strs_release(&sent.flags);
    prefixes_release(&sent.info.routes);
    buf_release(&bytes);
}

/* What this version writes every later one must read: other bytes break that. */
static void bytes_stay_what_they_are(void **state)
{
    static const uint8_t wanted[] = {
        0x04, 0x60, 0x08, 1, 0x01,                 /* source_id */
        0x7a, 0x61, 0xae, 2, 0x01, 0x2c,           /* target_id */
        0x78, 0x5e, 0x92, 4, 'r',  'o',  'o', 't', /* user */
    };
    const struct members *m = &call_messages[CALL_SSH].request;
    struct core_ssh sent = {.source_id = 1, .target_id = 300, .user = "root"};
    struct buf bytes = BUF_INIT(0);

    (void)state;
    members_encode(m, &sent, &bytes);
    if (bytes.len != sizeof(wanted) || memcmp(bytes.data, wanted, sizeof(wanted)) != 0) {
        for (size_t i = 0; i < bytes.len; i++)
            printf("0x%02x, ", (uint8_t)bytes.data[i]);
        printf("\n");
        fail();
    }
    keep("ssh", CALL_SSH, &bytes);
    buf_release(&bytes);
}

static void samples_of_other_calls(void **state)
{
    struct core_admin admin = {.op = ADMIN_NODE_RENAME, .id = 7, .name = "a", .actor = "alice"}, came = {0};
    struct core_notice notice = {.number = 3, .text = "it answers", .reach = {.router = 1, .reached = true}},
                       told = {0};
    struct buf bytes = BUF_INIT(0);

    (void)state;
    strs_push(&admin.tags, "tag:a");
    members_encode(&call_messages[CALL_ADMIN].request, &admin, &bytes);
    assert_comes_back(&call_messages[CALL_ADMIN].request, &bytes, &came);
    keep("admin", CALL_ADMIN, &bytes);
    members_release(&call_messages[CALL_ADMIN].request, &came);
    strs_release(&admin.tags);
    buf_clear(&bytes);
    admin = (struct core_admin){.record = sample_user(1, "alice"), .secret = mem_strdup("s"), .version = 2};
    vec_push(&admin.problems, ((struct policy_problem){.line = 1, .text = mem_strdup("wrong")}));
    members_encode(&call_messages[CALL_ADMIN].answer, &admin, &bytes);
    came = (struct core_admin){0};
    assert_comes_back(&call_messages[CALL_ADMIN].answer, &bytes, &came);
    assert_string_equal(((const struct user *)came.record)->name, "alice");
    keep("admin.answer", CALL_MESSAGES + CALL_ADMIN, &bytes);
    core_admin_release(&came);
    core_admin_release(&admin);
    buf_clear(&bytes);
    notice.reach.prefix = sample_prefix("10.0.0.0/8");
    members_encode(&call_messages[CALL_REACH].request, &notice, &bytes);
    assert_comes_back(&call_messages[CALL_REACH].request, &bytes, &told);
    keep("reach", CALL_REACH, &bytes);
    members_release(&call_messages[CALL_REACH].request, &told);
    buf_release(&bytes);
}

/* ---- what is none ---- */

static void put(struct buf *b, const char *name, const char *value, size_t len)
{
    buf_addc(b, (char)(member_number(name) >> 16));
    buf_addc(b, (char)(member_number(name) >> 8));
    buf_addc(b, (char)member_number(name));
    buf_addc(b, (char)len);
    buf_add(b, value, len);
}

static void a_later_version_is_understood(void **state)
{
    const struct members *m = &call_messages[CALL_SSH].request;
    struct core_ssh came = {0};
    struct buf b = BUF_INIT(0);
    struct err e;

    (void)state;
    put(&b, "of a later version", "anything", 8);
    put(&b, "user", "root", 4);
    put(&b, "user", "again", 5); /* the last word counts */
    put(&b, "target_id", "\x01\x2c", 2);
    assert_int_equal(members_decode(m, b.data, b.len, &came, &e), 0);
    assert_string_equal(came.user, "again");
    assert_int_equal(came.target_id, 300);
    assert_int_equal(came.source_id, 0);
    members_release(m, &came);
    buf_release(&b);
}

static void refuse(const struct members *m, size_t size, const char *name, const char *value, size_t len)
{
    struct buf b = BUF_INIT(0);
    struct err e = {0};
    void *object = mem_alloc(size);

    put(&b, name, value, len);
    assert_int_equal(members_decode(m, b.data, b.len, object, &e), ERR_INVALID);
    assert_string_equal(e.field, name);
    members_release(m, object);
    buf_release(&b);
    free(object);
}

static void what_is_no_value_is_refused(void **state)
{
    const struct members *admin = &call_messages[CALL_ADMIN].request, *map = &call_messages[CALL_MAP].request;

    (void)state;
    refuse(admin, sizeof(struct core_admin), "op", "\xff", 1);                   /* no operation */
    refuse(admin, sizeof(struct core_admin), "dry_run", "\x02", 1);              /* neither */
    refuse(admin, sizeof(struct core_admin), "id", "\1\1\1\1\1\1\1\1\1", 9);     /* 65 bits and more */
    refuse(admin, sizeof(struct core_admin), "name", "a\0b", 3);                 /* ends within */
    refuse(admin, sizeof(struct core_admin), "token.id", "short", 5);            /* no key */
    refuse(admin, sizeof(struct core_admin), "prefixes", "\5\x08\x0a\1\0\0", 6); /* 10.1.0.0/8 */
    refuse(admin, sizeof(struct core_admin), "prefixes", "\5\x21\x0a\0\0\0", 6); /* /33 */
    refuse(admin, sizeof(struct core_admin), "rule.probe", "\1\2\3", 3);         /* no family */
    refuse(admin, sizeof(struct core_admin), "tags", "\7tag", 4);                /* longer than there is */
    refuse(admin, sizeof(struct core_admin), "undoes", "\1\xff", 2);             /* no kind of record */
    refuse(map, sizeof(struct core_map), "info.home_derp", "\1\0\0\0\0", 5);     /* 33 bits */
}

/* Cut anywhere it is no message, or a shorter one; nothing of it is read past its end. */
static void a_message_may_end_anywhere(void **state)
{
    const struct members *m = &call_messages[CALL_MAP].request;
    struct core_map sent = sample_map();
    struct buf bytes = BUF_INIT(0);

    (void)state;
    members_encode(m, &sent, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        struct core_map came = {0};
        struct err e;
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, bytes.data, len);
        int code = members_decode(m, exact, len, &came, &e);
        assert_true(code == 0 || code == ERR_INVALID);
        members_release(m, &came);
        free(exact);
    }
    strs_release(&sent.flags);
    prefixes_release(&sent.info.routes);
    buf_release(&bytes);
}

static void few_bytes_take_little_memory(void **state)
{
    struct core_admin came = {0};
    struct buf items = BUF_INIT(0), b = BUF_INIT(0);
    struct err e = {0};

    (void)state;
    for (int i = 0; i < 100000; i++) /* records of one byte each, which are large in memory */
        buf_add(&items, "\1\3", 2);
    buf_addc(&b, (char)(member_number("undoes") >> 16));
    buf_addc(&b, (char)(member_number("undoes") >> 8));
    buf_addc(&b, (char)member_number("undoes"));
    for (size_t len = items.len; len; len >>= 7)
        buf_addc(&b, (char)((len & 0x7f) | (len > 0x7f ? 0x80 : 0)));
    buf_add(&b, items.data, items.len);
    assert_int_equal(members_decode(&call_messages[CALL_ADMIN].request, b.data, b.len, &came, &e), ERR_TOOBIG);
    core_admin_release(&came);
    buf_release(&items);
    buf_release(&b);
}

/* ---- records ---- */

static void every_kind_of_record_comes_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        struct record *r = record_new((enum record_kind)kind);
        struct buf bytes = BUF_INIT(0), again = BUF_INIT(0);
        const void *came = NULL;
        struct err e = {0};

        r->id = 77;
        r->version = 5;
        record_encode(r, &bytes);
        if (record_decode(bytes.data, bytes.len, &came, &e) < 0)
            fail_msg("kind %d: %s", kind, e.message);
        assert_int_equal(((const struct record *)came)->version, 5);
        record_encode(came, &again);
        assert_int_equal(again.len, bytes.len);
        assert_memory_equal(again.data, bytes.data, bytes.len);
        char *name = mem_format("record.%d", kind);
        keep(name, 2 * CALL_MESSAGES, &bytes);
        free(name);
        record_unref(r);
        record_unref(came);
        buf_release(&bytes);
        buf_release(&again);
    }
}

/* ---- publications ---- */

static uint32_t slot_by_id(void *arg, uint64_t id)
{
    (void)arg;
    return id < 64 ? (uint32_t)id : TAILNET_SLOT_NONE;
}

static struct tailnet_snapshot *with_users(const struct tailnet_snapshot *base, const char *names)
{
    struct tailnet_snapshot *s = snapshot_edit(base);
    const struct user *items[16];
    size_t count = 0;

    for (; names[count]; count++) { /* those that are there stay the same records */
        const struct user *known = base ? snapshot_user(base, (uint64_t)names[count]) : NULL;
        char name[2] = {names[count], '\0'};
        items[count] = known ? record_ref(known) : sample_user((uint64_t)names[count], name);
    }
    snapshot_set_users(s, items, count);
    for (size_t i = 0; i < count; i++)
        record_unref(items[i]);
    return s;
}

/* The names of the users as the one who is told knows them. */
static void assert_users(const struct tailnet_snapshot *s, const char *names)
{
    assert_int_equal(s->user_count, strlen(names));
    for (size_t i = 0; i < s->user_count; i++)
        assert_int_equal(s->users[i]->name[0], names[i]);
}

static void lists_follow_by_what_changed(void **state)
{
    static const char *const steps[] = {"abc", "abcd", "bcd", "bd", "", "xyz", "axyz"};
    struct tailnet_snapshot *mine = snapshot_edit(NULL), *theirs = snapshot_edit(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct tailnet_snapshot *now = with_users(mine, steps[i]), *next;
        struct publication p, came = {0};
        struct buf bytes = BUF_INIT(0);
        struct change *changes;
        size_t count, records = 0;
        struct err e;

        publication_between(mine, now, NULL, 0, &p);
        for (size_t k = 0; k < p.lists.items[0].items.len; k++)
            records += p.lists.items[0].items.items[k].record != NULL;
        assert_true(i != 1 || records == 1); /* what was there is not sent again */
        members_encode(&publication_table, &p, &bytes);
        assert_comes_back(&publication_table, &bytes, &came);
        if (i == 1)
            keep("publication", 2 * CALL_MESSAGES + 1, &bytes);
        assert_int_equal(publication_apply(&came, theirs, slot_by_id, NULL, &next, &changes, &count, &e), 0);
        assert_users(next, steps[i]);
        free(changes);
        members_release(&publication_table, &p);
        members_release(&publication_table, &came);
        tailnet_unpin(mine);
        tailnet_unpin(theirs);
        mine = now;
        theirs = next;
        buf_release(&bytes);
    }
    tailnet_unpin(mine);
    tailnet_unpin(theirs);
}

static void what_does_not_fit_is_refused(void **state)
{
    static const struct publication_item cases[] = {
        {.from = 0, .kept = 2}, {.from = 2, .kept = 0}, {.from = 4000000000u}};
    struct tailnet_snapshot *base = with_users(NULL, "a"), *next;
    struct change *changes;
    size_t count;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct publication p = {0};
        struct publication_list list = {.name = mem_strdup("users")};
        vec_push(&list.items, cases[i]);
        vec_push(&p.lists, list);
        assert_int_equal(publication_apply(&p, base, slot_by_id, NULL, &next, &changes, &count, &e), ERR_INVALID);
        members_release(&publication_table, &p);
    }
    struct publication p = {0};
    vec_push(&p.changes, ((struct publication_change){.node_id = 1, .mask = CHANGE_ADDED, .is_node = true}));
    assert_int_equal(publication_apply(&p, base, slot_by_id, NULL, &next, &changes, &count, &e), ERR_INVALID);
    p.changes.items[0].node_id = 64;
    assert_int_equal(publication_apply(&p, base, slot_by_id, NULL, &next, &changes, &count, &e), ERR_INVALID);
    members_release(&publication_table, &p);
    tailnet_unpin(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(a_call_comes_as_it_went),
        cmocka_unit_test(bytes_stay_what_they_are),
        cmocka_unit_test(samples_of_other_calls),
        cmocka_unit_test(a_later_version_is_understood),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(a_message_may_end_anywhere),
        cmocka_unit_test(few_bytes_take_little_memory),
        cmocka_unit_test(every_kind_of_record_comes_back),
        cmocka_unit_test(lists_follow_by_what_changed),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
