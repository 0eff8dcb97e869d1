/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/graph.h"

#include <stdio.h>

#include "base/array.h"

#define LEVELS 8

static const char *const blocks[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const signs[LEVELS] = {".", ".", ":", ":", "|", "|", "#", "#"};

static const char *bar(uint64_t number, uint64_t most, bool ascii)
{
    if (number == GRAPH_GAP)
        return " ";
    if (!number)
        return ascii ? "." : "▁";
    size_t level = most > 1 ? (size_t)((double)number / (double)most * (LEVELS - 1) + 0.5) : LEVELS - 1;
    level = level < 1 ? 1 : level; /* any value is drawn higher than none */
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

enum role graph_role(uint32_t us)
{
    return us == GRAPH_LOST ? ROLE_BAD : us >= 300000 ? ROLE_WAIT : ROLE_STANDBY;
}

void graph_trips(struct canvas *c, int row, int col, const uint32_t *us, size_t count)
{
    static const uint32_t limits[LEVELS - 1] = {3000, 10000, 20000, 30000, 60000, 100000, 300000};

    for (size_t i = 0; i < count; i++) {
        size_t level = 0;

        while (level < ARRAY_LEN(limits) && us[i] >= limits[level])
            level++;
        canvas_text(c, row, col + (int)i, 1, graph_role(us[i]),
                    us[i] == GRAPH_LOST ? glyph_text(GLYPH_UNHEALTHY, c->ascii)
                    : c->ascii          ? signs[level]
                                        : blocks[level]);
    }
}

void graph_meter(struct canvas *c, int row, int col, uint32_t us)
{
    static const uint32_t limits[METER_COLS - 1] = {10000, 30000, 100000};
    int filled = us == GRAPH_LOST ? 0 : 1;

    for (size_t i = 0; i < ARRAY_LEN(limits) && filled; i++)
        filled += us >= limits[i];
    for (int i = 0; i < METER_COLS; i++)
        canvas_text(c, row, col + i, 1, i < filled ? graph_role(us) : ROLE_RULE,
                    i < filled ? (c->ascii ? "#" : "█") : (c->ascii ? "." : "▁"));
}

const char *trip_text(uint32_t us, char text[TRIP_TEXT_MAX])
{
    if (us == GRAPH_LOST)
        snprintf(text, TRIP_TEXT_MAX, "lost");
    else if (us < 9950)
        snprintf(text, TRIP_TEXT_MAX, "%.1f", us / 1000.0);
    else
        snprintf(text, TRIP_TEXT_MAX, "%u", (us + 500) / 1000);
    return text;
}
