/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

#include "shared/client/netmap_receiver.h"
#include "shared/client/ts_client.h"

int netmap_receiver_start(void **state)
{
    struct netmap_receiver *f = calloc(1, sizeof(*f));

    test_tailnet_start(&f->w);
    f->nm = netmap_new(f->w.tailnet);
    *state = f;
    return 0;
}

void netmap_receiver_forget(struct netmap_receiver *f)
{
    json_decref(f->last);
    f->last = NULL;
    chunk_unref(f->bytes);
    f->bytes = NULL;
}

int netmap_receiver_stop(void **state)
{
    struct netmap_receiver *f = *state;

    netmap_receiver_forget(f);
    netmap_free(f->nm);
    test_tailnet_stop(&f->w);
    free(f);
    return 0;
}

void netmap_receiver_unzip(struct buf *b)
{
    struct buf out = BUF_INIT(0);
    size_t at = 0;

    while (at < b->len) {
        size_t frame = ZSTD_findFrameCompressedSize(b->data + at, b->len - at);
        assert_false(ZSTD_isError(frame));
        unsigned long long size = ZSTD_getFrameContentSize(b->data + at, frame);
        assert_true(size < 1 << 26);
        assert_true(buf_reserve(&out, size));
        assert_int_equal(ZSTD_decompress(out.data + out.len, size, b->data + at, frame), size);
        out.len += size;
        at += frame;
    }
    buf_release(b);
    *b = out;
}

void netmap_receiver_read(struct netmap_receiver *f, struct netmap_message *m, bool zstd)
{
    struct buf all = BUF_INIT(0);
    struct err e;

    for (size_t i = 0; i < m->len; i++)
        buf_add(&all, m->items[i]->data, m->items[i]->len);
    assert_true(all.len > 4);
    size_t len = 0;
    for (unsigned i = 0; i < 4; i++)
        len |= (size_t)(uint8_t)all.data[i] << 8 * i;
    cut_front(&all, 4);
    assert_int_equal(all.len, len);
    if (zstd)
        netmap_receiver_unzip(&all);
    if (m->len == 2)
        f->bytes = chunk_ref(m->items[1]);
    if (json_read(all.data, all.len, all.len, "message", &f->last, &e) < 0)
        fail_msg("%s: %.300s", e.message, all.data);
    buf_release(&all);
    netmap_message_release(m);
}

const json_t *next_message_form(struct netmap_receiver *f, struct netmap_session *s, bool zstd)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct netmap_message m = {0};

    netmap_receiver_forget(f);
    f->next = netmap_session_next(s, now, &m);
    if (f->next != NETMAP_NOTHING)
        netmap_receiver_read(f, &m, zstd);
    else
        assert_int_equal(m.len, 0);
    tailnet_unpin(now);
    return f->last;
}

const json_t *next_message(struct netmap_receiver *f, struct netmap_session *s)
{
    return next_message_form(f, s, false);
}

struct netmap_session *client(struct netmap_receiver *f, uint32_t slot)
{
    return netmap_session_new(f->nm, &(struct netmap_client){slot + 1, slot, 133, false, false, false});
}

void expect(const json_t *value, const char *want)
{
    char *got = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(got ? got : "(absent)", want);
    free(got);
}

const json_t *at(const json_t *o, const char *key)
{
    return json_object_get(o, key);
}

const json_t *peer(const json_t *message, const char *list, size_t i)
{
    return json_array_get(json_object_get(message, list), i);
}

void put_again(struct netmap_receiver *f, uint32_t slot, void (*change)(struct node *n, struct node_live *live),
               const char *const *serving, uint32_t mask)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    const struct tailnet_node *n = snapshot_node(now, slot);
    struct node *record = node_edit(n->record);
    struct node_live live = {0};

    node_live_copy(&live, &n->live);
    if (change)
        change(record, &live);
    test_tailnet_put(&f->w, slot, record, &live, serving, mask);
    node_live_release(&live);
    tailnet_unpin(now);
}

void go_offline(struct node *n, struct node_live *live)
{
    (void)n;
    live->online = false;
    live->last_seen_ns = INT64_C(1767225600000000000);
}

void move(struct node *n, struct node_live *live)
{
    (void)n;
    live->endpoints[0].port = 5000;
    live->home_derp = 901;
}

void rotate(struct node *n, struct node_live *live)
{
    (void)live;
    memset(n->node_key, 7, KEY_LEN);
    memset(n->disco_key, 8, KEY_LEN);
}

void rename_it(struct node *n, struct node_live *live)
{
    (void)live;
    mem_replace(&n->given_name, "renamed");
}

void advertise(struct node *n, struct node_live *live)
{
    static const char *const routes[] = {"192.168.50.0/24", "0.0.0.0/0", "::/0"};

    (void)live;
    for (size_t i = 0; i < 3; i++) {
        struct prefix p = test_tailnet_prefix(routes[i]);
        prefixes_add(&n->available, &p);
        prefixes_add(&n->approved, &p);
    }
}
