/* SPDX-License-Identifier: BSD-3-Clause */
/* The difference between two sets of boxes. Boxes are compared by their contents, so that a network written as its two
 * halves, or ports listed one by one, make no difference; the remainder is turned into text. */
#include <stdlib.h>
#include <string.h>

#include "policy/answers/preview.h"

struct box_list {
    struct preview_box *items;
    size_t len, cap;
};

/* ---- one place and protocol ---- */

struct spans {
    struct port_range *items;
    size_t len, cap;
};

static int by_first(const void *a, const void *b)
{
    const struct port_range *x = a, *y = b;
    return x->first != y->first ? (x->first > y->first ? 1 : -1) : (x->last > y->last) - (x->last < y->last);
}

static void spans_normalise(struct spans *s)
{
    size_t kept = 0;

    if (s->len < 2)
        return;
    qsort(s->items, s->len, sizeof(*s->items), by_first);
    for (size_t i = 1; i < s->len; i++)
        if (s->items[i].first <= s->items[kept].last + 1U) {
            if (s->items[i].last > s->items[kept].last)
                s->items[kept].last = s->items[i].last;
        } else {
            s->items[++kept] = s->items[i];
        }
    s->len = kept + 1;
}

/* Adds what one has and the other does not, as boxes like the given one. */
static void push_difference(const struct spans *one, const struct spans *other, const struct preview_box *like,
                            struct box_list *out)
{
    for (size_t i = 0; i < one->len; i++) {
        uint32_t next = one->items[i].first;
        for (size_t k = 0; k <= other->len && next <= one->items[i].last; k++) {
            uint32_t first = k < other->len ? other->items[k].first : UINT16_MAX + 1U;
            uint32_t last = k < other->len ? other->items[k].last : UINT16_MAX + 1U;
            if (last < next)
                continue;
            if (first > next) {
                struct preview_box b = *like;
                b.first = (uint16_t)next;
                b.last = first > one->items[i].last ? one->items[i].last : (uint16_t)(first - 1);
                vec_push(out, b);
            }
            next = last + 1;
        }
    }
}

static bool covers(const struct preview_box *b, const struct addr *a)
{
    return b->place != BOX_RANGE || range_has(&b->range, a);
}

struct comparison {
    struct preview *p;
    const struct preview_box *boxes[2]; /* with the same place, protocol and text */
    size_t count[2];
    struct box_list *out; /* gained, lost */
};

/* Compares a range of addresses on which no box begins or ends inside. */
static void compare_at(const struct comparison *c, const struct preview_box *like)
{
    struct spans spans[2] = {0};

    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < c->count[side]; i++)
            if (covers(&c->boxes[side][i], &like->range.first)) {
                struct port_range ports = {c->boxes[side][i].first, c->boxes[side][i].last};
                vec_push(&spans[side], ports);
            }
        spans_normalise(&spans[side]);
    }
    push_difference(&spans[1], &spans[0], like, &c->out[0]);
    push_difference(&spans[0], &spans[1], like, &c->out[1]);
    vec_release(&spans[0]);
    vec_release(&spans[1]);
}

static int by_address(const void *a, const void *b)
{
    return addr_cmp(a, b);
}

/* Divides the addresses wherever a box of either side begins or ends. */
static void compare_ranges(const struct comparison *c)
{
    VEC(struct addr) cuts = {0};

    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < c->count[side]; i++) {
            struct addr after = c->boxes[side][i].range.last;
            vec_push(&cuts, c->boxes[side][i].range.first);
            if (addr_next(&after))
                vec_push(&cuts, after);
        }
    qsort(cuts.items, cuts.len, sizeof(*cuts.items), by_address);
    for (size_t i = 0; i < cuts.len && preview_spend(c->p, c->count[0] + c->count[1]); i++) {
        struct preview_box like = c->count[0] ? c->boxes[0][0] : c->boxes[1][0];
        if (i + 1 < cuts.len && addr_eq(&cuts.items[i], &cuts.items[i + 1]))
            continue;
        like.range.first = cuts.items[i];
        if (i + 1 < cuts.len) {
            like.range.last = cuts.items[i + 1];
            (void)addr_previous(&like.range.last);
        } else {
            memset(like.range.last.bytes, 0xff, like.range.first.bits / 8U);
        }
        compare_at(c, &like);
    }
    vec_release(&cuts);
}

/* ---- sets ---- */

static int by_kind(const struct preview_box *x, const struct preview_box *y)
{
    if (x->place != y->place)
        return x->place > y->place ? 1 : -1;
    if (x->proto != y->proto)
        return x->proto > y->proto ? 1 : -1;
    if (x->text != y->text)
        return x->text > y->text ? 1 : -1;
    return (x->range.first.bits > y->range.first.bits) - (x->range.first.bits < y->range.first.bits);
}

static int by_box(const void *a, const void *b)
{
    const struct preview_box *x = a, *y = b;
    int order = by_kind(x, y);

    if (order == 0)
        order = x->first != y->first ? (x->first > y->first ? 1 : -1) : (x->last > y->last) - (x->last < y->last);
    return order ? order : addr_cmp(&x->range.first, &y->range.first);
}

/* Merges adjacent boxes that only differ in the address. */
static void boxes_join(struct box_list *l)
{
    size_t kept = 0;

    if (l->len < 2)
        return;
    qsort(l->items, l->len, sizeof(*l->items), by_box);
    for (size_t i = 1; i < l->len; i++) {
        struct preview_box *last = &l->items[kept], *b = &l->items[i];
        struct addr after = last->range.last;
        if (by_kind(last, b) == 0 && last->first == b->first && last->last == b->last && b->place == BOX_RANGE &&
            addr_next(&after) && addr_eq(&after, &b->range.first))
            last->range.last = b->range.last;
        else
            l->items[++kept] = *b;
    }
    l->len = kept + 1;
}

static void expand(const struct preview *p, const struct id_list *accesses, struct box_list *out)
{
    for (size_t i = 0; i < accesses->len; i++) {
        const struct id_list *boxes = &p->accesses.items[accesses->items[i]];
        for (size_t k = 0; k < boxes->len; k++)
            vec_push(out, p->boxes.items[boxes->items[k]]);
    }
    if (out->len)
        qsort(out->items, out->len, sizeof(*out->items), by_box);
}

static size_t same_kind(const struct box_list *l, size_t at, const struct preview_box *like)
{
    size_t n = 0;

    while (at + n < l->len && by_kind(&l->items[at + n], like) == 0)
        n++;
    return n;
}

/* The first of the remaining boxes; at least one side has some. */
static const struct preview_box *next_kind(const struct box_list side[2], const size_t at[2])
{
    if (at[0] >= side[0].len)
        return &side[1].items[at[1]];
    if (at[1] >= side[1].len)
        return &side[0].items[at[0]];
    return by_kind(&side[0].items[at[0]], &side[1].items[at[1]]) <= 0 ? &side[0].items[at[0]] : &side[1].items[at[1]];
}

static void compare_boxes(struct preview *p, const struct box_list side[2], struct box_list out[2])
{
    size_t at[2] = {0, 0};

    while (at[0] < side[0].len || at[1] < side[1].len) {
        const struct preview_box *like = next_kind(side, at);
        struct comparison c = {.p = p, .out = out};

        for (int i = 0; i < 2; i++) {
            c.boxes[i] = side[i].len ? &side[i].items[at[i]] : NULL;
            c.count[i] = same_kind(&side[i], at[i], like);
            at[i] += c.count[i];
        }
        if (like->place == BOX_RANGE)
            compare_ranges(&c);
        else
            compare_at(&c, like);
    }
    boxes_join(&out[0]);
    boxes_join(&out[1]);
}

/* ---- texts ---- */

/* Turns boxes into lines, and merges those that people read as one. */
struct preview_line {
    struct preview_box box;
    unsigned families; /* of own addresses; 0: it is a range */
    bool internet, gone;
};
struct preview_lines {
    struct preview_line *items;
    size_t len, cap;
};
#define LINES_JOINED 400 /* longer lists are shown unmerged */

static bool same_ports(const struct preview_box *a, const struct preview_box *b)
{
    return a->first == b->first && a->last == b->last;
}

static bool same_place(const struct preview_line *a, const struct preview_line *b)
{
    return a->box.place == b->box.place && addr_eq(&a->box.range.first, &b->box.range.first) &&
           addr_eq(&a->box.range.last, &b->box.range.last);
}

static bool is_icmp(int proto)
{
    return proto == 1 || proto == 58;
}

/* TCP and UDP together are shown as "port N", which implies that ICMP gets through as well. */
static void join_protocols(struct preview_lines *l)
{
    for (size_t i = 0; i < l->len; i++)
        for (size_t k = 0; k < l->len && l->items[i].box.proto == 6; k++)
            if (l->items[k].box.proto == 17 && !l->items[k].gone && same_place(&l->items[i], &l->items[k]) &&
                same_ports(&l->items[i].box, &l->items[k].box)) {
                l->items[i].box.proto = PROTO_DEFAULT;
                l->items[k].gone = true;
            }
    for (size_t i = 0; i < l->len; i++)
        for (size_t k = 0; k < l->len && is_icmp(l->items[i].box.proto); k++)
            if (l->items[k].box.proto == PROTO_DEFAULT && same_place(&l->items[i], &l->items[k]))
                l->items[i].gone = true;
}

static bool same_service(const struct preview_line *a, const struct preview_line *b)
{
    return (a->box.proto == b->box.proto || (is_icmp(a->box.proto) && is_icmp(b->box.proto))) &&
           same_ports(&a->box, &b->box) && a->box.text == b->box.text;
}

static void join_families(struct preview_lines *l)
{
    for (size_t i = 0; i < l->len; i++)
        for (size_t k = 0; k < l->len && l->items[i].box.place == BOX_OWN4 && !l->items[i].gone; k++)
            if (l->items[k].box.place == BOX_OWN6 && !l->items[k].gone && same_service(&l->items[i], &l->items[k])) {
                l->items[i].families = FAMILY_BOTH;
                l->items[k].gone = true;
            }
}

static void join_internet(const struct preview *p, struct preview_lines *l)
{
    for (size_t i = 0; i < l->len; i++) {
        size_t found[INTERNET_RANGES], count = 0;
        for (size_t k = i; k < l->len && l->items[i].box.place == BOX_RANGE && !l->items[i].gone; k++)
            for (size_t n = 0; n < INTERNET_RANGES; n++) {
                const struct addr_range *r = &p->v[0]->internet[n];
                if (!l->items[k].gone && same_service(&l->items[i], &l->items[k]) && count < INTERNET_RANGES &&
                    l->items[k].box.place == BOX_RANGE && addr_eq(&r->first, &l->items[k].box.range.first) &&
                    addr_eq(&r->last, &l->items[k].box.range.last))
                    found[count++] = k;
            }
        for (size_t k = 0; k < count && count == INTERNET_RANGES; k++)
            l->items[found[k]].gone = found[k] != i;
        l->items[i].internet = count == INTERNET_RANGES;
    }
}

static void add_place(const struct preview_line *l, struct buf *out)
{
    char first[ADDR_TEXT_MAX], last[PREFIX_TEXT_MAX];
    struct prefix p = {l->box.range.first, l->box.range.first.bits};

    if (l->box.place != BOX_RANGE) {
        buf_adds(out, l->families == FAMILY_BOTH ? "" : l->box.place == BOX_OWN4 ? "IPv4 " : "IPv6 ");
        return;
    }
    if (l->internet) {
        buf_adds(out, "autogroup:internet ");
        return;
    }
    for (unsigned bits = p.addr.bits + 1U; bits-- > 0;) {
        struct prefix wider = p;
        prefix_shorten(&wider, (uint8_t)bits);
        struct addr_range range = range_of(&wider);
        if (addr_eq(&range.first, &l->box.range.first) && addr_eq(&range.last, &l->box.range.last)) {
            buf_addf(out, "%s ", bits == p.addr.bits ? addr_format(&wider.addr, first) : prefix_format(&wider, last));
            return;
        }
    }
    buf_addf(out, "%s-%s ", addr_format(&l->box.range.first, first), addr_format(&l->box.range.last, last));
}

static void add_service(const struct preview_box *b, struct buf *out)
{
    const char *proto = proto_name(b->proto);

    if (proto)
        buf_adds(out, proto);
    else if (b->proto != PROTO_DEFAULT)
        buf_addf(out, "protocol %d", b->proto);
    if (b->proto != PROTO_DEFAULT && !proto_has_ports(b->proto))
        return;
    buf_adds(out, b->proto == PROTO_DEFAULT ? "" : " ");
    if (b->first == 0 && b->last == UINT16_MAX)
        buf_adds(out, "all ports");
    else if (b->first == b->last)
        buf_addf(out, "port %u", b->first);
    else
        buf_addf(out, "ports %u-%u", b->first, b->last);
}

static void make_texts(struct preview *p, const struct box_list *boxes, struct id_list *out)
{
    struct preview_lines lines = {0};

    for (size_t i = 0; i < boxes->len; i++) {
        struct preview_line l = {.box = boxes->items[i]};
        vec_push(&lines, l);
    }
    if (lines.len <= LINES_JOINED) {
        join_protocols(&lines);
        join_families(&lines);
        join_internet(p, &lines);
    }
    for (size_t i = 0; i < lines.len; i++) {
        struct buf text = BUF_INIT(0);
        if (lines.items[i].gone)
            continue;
        add_place(&lines.items[i], &text);
        if (lines.items[i].box.proto == BOX_CAPABILITY)
            buf_adds(&text, p->texts.items[lines.items[i].box.text]);
        else
            add_service(&lines.items[i].box, &text);
        vec_push(out, preview_text(p, buf_text(&text)));
        buf_release(&text);
    }
    vec_release(&lines);
}

/* ---- SSH ---- */

/* The first rule that matches the login; NULL if none. autogroup:nonroot also matches a literal name. */
static const struct policy_ssh_rule *login_rule(const struct policy *p, const struct id_list *rules, const char *login)
{
    bool own = str_starts(login, "localpart:");

    for (size_t i = 0; i < rules->len; i++) {
        const struct policy_ssh_rule *r = &p->ssh.items[rules->items[i]];
        for (size_t k = 0; k < r->users.len; k++)
            if (str_eq(r->users.items[k], login) ||
                (str_eq(r->users.items[k], "autogroup:nonroot") && !str_eq(login, "root")))
                return r;
        for (size_t k = 0; own && k < r->localparts.len; k++)
            if (str_eq(r->localparts.items[k], login + strlen("localpart:")))
                return r;
    }
    return NULL;
}

static void add_logins(const struct policy *p, const struct id_list *rules, struct strs *out)
{
    for (size_t i = 0; i < rules->len; i++) {
        const struct policy_ssh_rule *r = &p->ssh.items[rules->items[i]];
        for (size_t k = 0; k < r->users.len; k++)
            strs_push(out, r->users.items[k]);
        for (size_t k = 0; k < r->localparts.len; k++) {
            char *text = mem_format("localpart:%s", r->localparts.items[k]);
            strs_push(out, text);
            free(text);
        }
    }
    strs_sort(out);
}

static bool same_login(const struct policy_ssh_rule *a, const struct policy_ssh_rule *b)
{
    return a == b || (a && b && a->check == b->check && (!a->check || a->period_ns == b->period_ns));
}

static uint32_t login_text(struct preview *p, const char *login, const struct policy_ssh_rule *r)
{
    char name[300], when[80] = "";

    if (str_eq(login, "autogroup:nonroot"))
        str_copy(name, sizeof(name), "anybody but root");
    else if (str_starts(login, "localpart:"))
        snprintf(name, sizeof(name), "the name before @%s", login + strlen("localpart:"));
    else
        str_copy(name, sizeof(name), login);
    if (r->check && r->period_ns == 0)
        str_copy(when, sizeof(when), " after a check each time");
    else if (r->check)
        snprintf(when, sizeof(when), " after a check every %lld min", (long long)(r->period_ns / 1000000000 / 60));
    char *text = mem_format("ssh as %s%s", name, when);
    uint32_t id = preview_text(p, text);
    free(text);
    return id;
}

static void compare_logins(struct preview *p, const struct preview_held *held, struct preview_difference *d)
{
    struct id_list *out = d->texts;
    struct strs logins = {0};
    const struct policy_ssh_rule *others[2];

    for (int side = 0; side < 2; side++) {
        others[side] = login_rule(p->v[side]->p, &held->ssh[side], "autogroup:nonroot");
        add_logins(p->v[side]->p, &held->ssh[side], &logins);
    }
    for (size_t i = 0; i < logins.len; i++) {
        const char *login = logins.items[i];
        const struct policy_ssh_rule *before = login_rule(p->v[0]->p, &held->ssh[0], login);
        const struct policy_ssh_rule *after = login_rule(p->v[1]->p, &held->ssh[1], login);
        bool like_others = !str_eq(login, "autogroup:nonroot") && !str_eq(login, "root") &&
                           same_login(before, others[0]) && same_login(after, others[1]);
        if (same_login(before, after) && before && !like_others)
            vec_push(&d->kept, login_text(p, login, before));
        if (same_login(before, after) || like_others)
            continue;
        if (after)
            vec_push(&out[0], login_text(p, login, after));
        if (before)
            vec_push(&out[1], login_text(p, login, before));
    }
    strs_release(&logins);
}

/* ---- the whole difference, remembered ---- */

/* Lists what was open and is not lost. */
static void keep(struct preview *p, const struct box_list *before, const struct box_list *lost, struct id_list *texts)
{
    struct box_list sides[2] = {{0}, *before}, out[2] = {{0}};

    if (!lost->len)
        return;
    for (size_t i = 0; i < lost->len; i++)
        vec_push(&sides[0], lost->items[i]);
    qsort(sides[0].items, sides[0].len, sizeof(*sides[0].items), by_box);
    compare_boxes(p, sides, out);
    make_texts(p, &out[0], texts);
    vec_release(&sides[0]);
    vec_release(&out[0]);
    vec_release(&out[1]);
}

static void add_key(struct buf *key, const struct id_list *ids)
{
    uint32_t count = (uint32_t)ids->len;

    buf_add(key, &count, sizeof(count));
    if (ids->len)
        buf_add(key, ids->items, ids->len * sizeof(*ids->items));
}

const struct preview_difference *preview_difference(struct preview *p, const struct preview_held *held)
{
    struct buf key = BUF_INIT(0);

    for (int side = 0; side < 2; side++) {
        add_key(&key, &held->access[side]);
        add_key(&key, &held->ssh[side]);
    }
    uintptr_t known = (uintptr_t)map_get(&p->difference_index, key.data, key.len);
    if (!known) {
        struct box_list boxes[2] = {0}, out[2] = {0};
        struct preview_difference d = {0};
        for (int side = 0; side < 2; side++)
            expand(p, &held->access[side], &boxes[side]);
        compare_boxes(p, boxes, out);
        keep(p, &boxes[0], &out[1], &d.kept);
        for (int lost = 0; lost < 2; lost++) {
            make_texts(p, &out[lost], &d.texts[lost]);
            vec_release(&boxes[lost]);
            vec_release(&out[lost]);
        }
        compare_logins(p, held, &d);
        if (!d.texts[1].len)
            d.kept.len = 0;
        vec_push(&p->differences, d);
        known = p->differences.len;
        map_put(&p->difference_index, key.data, key.len, (void *)known);
    }
    buf_release(&key);
    return &p->differences.items[known - 1];
}

void preview_release_differences(struct preview *p)
{
    for (size_t i = 0; i < p->differences.len; i++) {
        for (int lost = 0; lost < 2; lost++)
            vec_release(&p->differences.items[i].texts[lost]);
        vec_release(&p->differences.items[i].kept);
    }
    vec_release(&p->differences);
    map_release(&p->difference_index);
}
