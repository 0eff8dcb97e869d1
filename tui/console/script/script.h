/* SPDX-License-Identifier: BSD-3-Clause */
/* A script for the console, one step per line.
 *     :COMMAND            runs a command, as at the prompt; a refusal ends the script
 *     try :COMMAND        the same, but may be refused
 *     keys KEYS           presses keys: characters, and names such as <Enter>; <lt> is '<'
 *     size COLSxROWS      sets the size of the screen
 *     expect TEXT         fails unless the screen shows the text
 *     refuse TEXT         fails if the screen shows it
 *     wait TEXT           waits up to ten seconds for the screen to show it
 *     play [COUNT]        plays the next events of a recording; all the rest without a count
 *     pass DURATION       advances the clock of a recording
 *     copied              prints the text last copied
 * Blank lines and lines that begin with '#' are skipped. Each step waits until the requests of the previous one
 * are answered and drawn. */
#ifndef TUI_CONSOLE_SCRIPT_SCRIPT_H
#define TUI_CONSOLE_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

#define SCREEN_SIDE_MAX 1000

enum script_verb {
    SCRIPT_COMMAND,
    SCRIPT_TRY,
    SCRIPT_KEYS,
    SCRIPT_SIZE,
    SCRIPT_EXPECT,
    SCRIPT_REFUSE,
    SCRIPT_WAIT,
    SCRIPT_PLAY,
    SCRIPT_PASS,
    SCRIPT_COPIED
};

struct script_step {
    enum script_verb verb;
    unsigned line;
    char *text;     /* the command, the keys, or the text to look for */
    int rows, cols; /* of SCRIPT_SIZE */
    int64_t number; /* events (0: all), or nanoseconds */
};

struct script {
    struct script_step *items;
    size_t len, cap;
};

/* Reads the file ("-": standard input). ERR_INVALID names the line. The caller releases *out, on errors too. */
int script_read(const char *path, struct script *out, struct err *e) WARN_UNUSED;
int script_parse(const char *text, struct script *out, struct err *e) WARN_UNUSED;
void script_release(struct script *s);
bool script_plays(const struct script *s); /* it has "play" steps: events are not played automatically */

/* Parses "80x24": columns and rows, 1 to SCREEN_SIDE_MAX each. */
int screen_size_parse(const char *text, int *rows, int *cols, struct err *e) WARN_UNUSED;

#endif
