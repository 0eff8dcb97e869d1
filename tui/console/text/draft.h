/* SPDX-License-Identifier: BSD-3-Clause */
/* Unsaved text, kept in a private file so that neither quitting nor a crash loses it. Each console has its own file;
 * the files of consoles that have ended are found at the next start. */
#ifndef TUI_CONSOLE_TEXT_DRAFT_H
#define TUI_CONSOLE_TEXT_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct draft {
    char *path;
    char *server;     /* the server whose policy it is */
    uint64_t version; /* of the edited policy */
    int64_t time_ns;  /* time of writing */
    char *text;
    size_t len;
};
struct drafts {
    struct draft *items;
    size_t len, cap;
};

/* The path of this process's file; the caller frees it. */
char *draft_path(const char *state_dir);

/* Writes the draft atomically, readable by the user only. 0 or ERR_IO. */
int draft_write(const char *path, const char *server, uint64_t version, const char *text, size_t len,
                struct err *e) WARN_UNUSED;
void draft_remove(const char *path); /* a missing file is no error */

/* Parses such a file. Pointers are borrowed from bytes; server and text are not terminated. False if it is not a draft.
 */
struct draft_parts {
    const char *server, *text;
    size_t server_len, len;
    uint64_t version;
};
bool draft_parse(const char *bytes, size_t len, struct draft_parts *out);

/* Finds the drafts of consoles that have ended, newest last. */
void drafts_find(const char *state_dir, struct drafts *out);
void draft_release(struct draft *d);

#endif
