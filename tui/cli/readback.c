/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients have applied, as they reported to the server. */

#include <stdlib.h>
#include <time.h>

#include "base/array.h"
#include "cli/command.h"
#include "net/prefixes.h"

#define LOOK_AGAIN_NS 500000000

/* ---- routes status ---- */

static void put_behind(const struct cli *c, const struct api_list *behind)
{
    static const char *const heads[] = {"ID", "Node", "Uses"};
    struct text_table t;

    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < behind->len; i++) {
        const struct api_behind *b = api_at(behind, struct api_behind, i);
        table_number(&t, b->node);
        table_text(&t, b->name, COLOR_PLAIN);
        table_text(&t, b->silent ? "has not answered" : *b->uses ? b->uses : "no router", COLOR_WARN);
    }
    table_print(&t, &c->out);
    table_release(&t);
}

/* NULL, with an error printed, on failure. */
static json_t *get_followers(struct cli *c, const char *prefix, struct api_followers *out)
{
    char *segment = cli_segment(prefix);
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/prefixes/%s/followers", segment);
    struct err e;

    free(segment);
    if (!answer || api_read(&api_followers_shape, answer, out, API_FOR_TERMINAL, &e) == 0)
        return answer;
    json_decref(answer);
    cli_fail(c, &e);
    return NULL;
}

int routes_status(struct cli *c, const struct prefix *p)
{
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
    char prefix[PREFIX_TEXT_MAX];
    struct api_followers f;

    json_t *answer = get_followers(c, prefix_format(p, prefix), &f);
    while (answer && flags_switch(&c->flags, "wait") && !f.ended) {
        json_decref(answer);
        api_release(&api_followers_shape, &f);
        nanosleep(&pause, NULL);
        answer = get_followers(c, prefix, &f);
    }
    if (!answer)
        return 1;
    bool all = f.complete;
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, answer, &api_followers_shape);
    } else {
        fprintf(c->out.out, "%s\n", f.text);
        if (f.behind.len)
            put_behind(c, &f.behind);
    }
    api_release(&api_followers_shape, &f);
    json_decref(answer);
    return all || !flags_switch(&c->flags, "wait") ? 0 : 1;
}

/* ---- nodes diff ---- */

static void put_difference(struct text_table *t, const struct api_mismatch *d)
{
    table_number(t, d->node);
    table_text(t, d->name, COLOR_PLAIN);
    table_text(t, *d->member ? d->member : !*d->has ? "is missing" : "is not to be there", COLOR_PLAIN);
    table_text(t, d->has, COLOR_WARN);
    table_text(t, d->should, COLOR_PLAIN);
}

static void put_diff(const struct cli *c, const struct api_diff *d)
{
    static const char *const heads[] = {"ID", "Node", "What", "Has", "Should have"};
    struct text_table t;

    fprintf(c->out.out, "%s\n", d->text);
    if (!d->rows.len)
        return;
    table_init(&t, heads, ARRAY_LEN(heads));
    for (size_t i = 0; i < d->rows.len; i++)
        put_difference(&t, api_at(&d->rows, struct api_mismatch, i));
    table_print(&t, &c->out);
    table_release(&t);
}

int nodes_diff(struct cli *c)
{
    uint64_t node = cli_find_node(c, c->args->items[0]);
    json_t *answer = node ? cli_call(c, "GET", NULL, "/api/headway/nodes/%llu/diff", (unsigned long long)node) : NULL;
    struct api_diff d;
    struct err e;

    if (!answer)
        return 1;
    int rc = api_read(&api_diff_shape, answer, &d, API_FOR_TERMINAL, &e);
    if (rc == 0 && c->out.form != OUTPUT_HUMAN)
        output_value(&c->out, answer, &api_diff_shape);
    else if (rc == 0)
        put_diff(c, &d);
    else
        cli_fail(c, &e);
    bool same = rc == 0 && d.differences == 0;
    if (rc == 0)
        api_release(&api_diff_shape, &d);
    json_decref(answer);
    return same ? 0 : 1;
}

/* clang-format off */
const struct flag route_status_flags[] = {
    {"wait", 0, FLAG_SWITCH, .help = "of a prefix: wait until all nodes that are asked have switched; of a drained node: until it is safe to reboot; or until a minute is over or nobody is left to ask: the exit status is then 1"},
    FLAGS_END};
/* clang-format on */
