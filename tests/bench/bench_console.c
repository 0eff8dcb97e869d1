/* SPDX-License-Identifier: BSD-3-Clause */
/* The console with many nodes: how long from a key to the finished canvas, from a snapshot to the first screen, from a
 * delta to the screen. Budgets: key 16 ms, first screen 150 ms. Printed, never failed on. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "shared/console_rig.h"

#define ROUNDS 2000

static int by_value(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;

    return (p > q) - (p < q);
}

static void report(const char *what, int64_t *us, size_t count)
{
    qsort(us, count, sizeof(*us), by_value);
    printf("%-44s p50 %6lld us   p99 %6lld us   max %6lld us\n", what, (long long)us[count / 2],
           (long long)us[count * 99 / 100], (long long)us[count - 1]);
}

static void keys(struct rig *r, const char *what, const char *const *scripts, size_t count, size_t rounds)
{
    int64_t *us = mem_alloc(rounds * sizeof(*us));

    for (size_t i = 0; i < rounds; i++) {
        int64_t start = clock_mono_us();

        rig_keys(r, scripts[i % count]);
        rig_draw(r, 60, 200);
        us[i] = clock_mono_us() - start;
        rig_pass(r, 10);
    }
    report(what, us, rounds);
    free(us);
}

static void deltas(struct rig *r, size_t nodes, int64_t step_ms, const char *what)
{
    int64_t *us = mem_alloc(ROUNDS * sizeof(*us));

    for (size_t i = 0; i < ROUNDS; i++) {
        char *text = mem_format("{\"node\":{\"id\":\"%zu\",\"givenName\":\"moved-%zu\",\"online\":%s}}",
                                i * 7919 % nodes + 20, i, i % 2 ? "true" : "false");
        rig_pass(r, step_ms);
        int64_t start = clock_mono_us();

        rig_json(r, text);
        rig_draw(r, 60, 200);
        us[i] = clock_mono_us() - start;
        free(text);
    }
    report(what, us, ROUNDS);
    free(us);
}

int main(int argc, char **argv)
{
    static const char *const moves[] = {"j", "j", "k", "<Ctrl-D>", "<PgDn>", "G", "g", "<Space>"};
    static const char *const views[] = {"2", "1", "2", "5", "1"};
    static const char *const filters[] = {"/n", "o", "d", "e", "-", "1", "<Esc>"};
    static const char *const sorts[] = {"s", "S"};
    size_t nodes = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 10000;
    struct rig r;

    printf("%zu nodes, 200x60\n", nodes);
    int64_t start = clock_mono_us();
    rig_init(&r, nodes);
    printf("%-44s %.2f ms\n", "JSON to first screen", (double)(clock_mono_us() - start) / 1000);
    keys(&r, "a key that moves", moves, 8, ROUNDS);
    keys(&r, "a key that changes the view", views, 5, ROUNDS / 10);
    keys(&r, "a letter of a filter", filters, 7, ROUNDS / 10);
    keys(&r, "sort by another column, reverse", sorts, 2, ROUNDS / 10);
    deltas(&r, nodes, 5, "a change of a node, places held or not");
    deltas(&r, nodes, 3000, "a change of a node, sorted in");
    rig_release(&r);
    return 0;
}
