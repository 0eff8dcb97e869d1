/* SPDX-License-Identifier: BSD-3-Clause */
/* A script for the console: a step a line.
 *     :COMMAND            a command, as at the prompt; a refusal ends the script
 *     try :COMMAND        the same, but it may be refused
 *     keys KEYS           keys: characters, and names such as <Enter>; <lt> is '<'
 *     size COLSxROWS      the screen's size from here on
 *     expect TEXT         the screen shows the text
 *     refuse TEXT         the screen does not show it
 *     wait TEXT           the screen shows it within ten seconds
 *     play [COUNT]        the next events of a recording, all that are left without a count
 *     pass DURATION       time goes by, in a recording
 *     copied              what was copied last is printed
 * Blank lines and lines that begin with '#' are skipped. Each step waits until what the one before it asked for is
 * answered and drawn. */
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
    char *text;     /* the command, the keys, the text that is looked for */
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
bool script_plays(const struct script *s); /* it says itself when the events of a recording come */

/* "80x24": columns and rows, from 1 to SCREEN_SIDE_MAX each. */
int screen_size_parse(const char *text, int *rows, int *cols, struct err *e) WARN_UNUSED;

#endif
