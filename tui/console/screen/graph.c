/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/graph.h"

#define LEVELS 8

static const char *bar(uint64_t number, uint64_t most, bool ascii)
{
    static const char *const blocks[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, *const signs[LEVELS] = {
                                                                                            ".", ".", ":", ":",
                                                                                            "|", "|", "#", "#"};

    if (number == GRAPH_GAP)
        return " ";
    if (!number)
        return ascii ? "." : "▁";
    size_t level = most > 1 ? (size_t)((double)number / (double)most * (LEVELS - 1) + 0.5) : LEVELS - 1;
    level = level < 1 ? 1 : level; /* something is more than nothing */
    return ascii ? signs[level < 2 ? 2 : level] : blocks[level];
}

uint64_t graph_bars(struct canvas *c, int row, int col, const uint64_t *numbers, size_t count, int wide)
{
    uint64_t most = 0;

    for (size_t i = 0; i < count; i++)
        if (numbers[i] != GRAPH_GAP && numbers[i] > most)
            most = numbers[i];
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < wide; k++)
            canvas_text(c, row, col + (int)i * wide + k, 1,
                        numbers[i] == GRAPH_GAP || !numbers[i] ? ROLE_RULE : ROLE_STANDBY,
                        bar(numbers[i], most, c->ascii));
    return most;
}
