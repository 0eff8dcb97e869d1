/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that was typed and not saved, in a private file, so that neither the end of the console nor a crash loses it.
 * Each console has a file of its own; those that ended ones left behind are found at the next start. */
#ifndef TUI_CONSOLE_TEXT_DRAFT_H
#define TUI_CONSOLE_TEXT_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct draft {
    char *path;
    char *server;     /* whose policy it is */
    uint64_t version; /* of the policy that was edited */
    int64_t time_ns;  /* when it was written */
    char *text;
    size_t len;
};
struct drafts {
    struct draft *items;
    size_t len, cap;
};

/* The file of this process; the caller owns it. */
char *draft_path(const char *state_dir);

/* Writes it whole or not at all, readable by the user only. 0 or ERR_IO. */
int draft_write(const char *path, const char *server, uint64_t version, const char *text, size_t len,
                struct err *e) WARN_UNUSED;
void draft_remove(const char *path); /* no file is no error */

/* What is in such a file: text is borrowed from bytes, the server's name is not terminated. False where it is none. */
struct draft_parts {
    const char *server, *text;
    size_t server_len, len;
    uint64_t version;
};
bool draft_parse(const char *bytes, size_t len, struct draft_parts *out);

/* Drafts of consoles that are no more, the newest last. */
void drafts_find(const char *state_dir, struct drafts *out);
void draft_release(struct draft *d);

#endif
