/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are read whole, up to a limit, and replaced whole: a crash leaves the old file or the new one, never a
 * part. Messages name the path; callers prepend what the file is for. */
#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"

enum file_check {
    FILE_ANY,     /* no checks */
    FILE_REGULAR, /* a regular file: reading never waits for another program */
    FILE_SECRET,  /* ERR_DENIED if anyone but the owner can read it; see file_secret_is_open */
    FILE_PRIVATE, /* a regular file of this user, not a symbolic link: for folders that others can write to */
};

/* Appends the whole file to out, whose ceiling bounds it (ERR_TOOBIG). ERR_MISSING if there is no such file, otherwise
 * ERR_IO. The bytes are copied nowhere else, so that the caller can wipe a secret. */
int file_read(const char *path, enum file_check check, struct buf *out, struct err *e) WARN_UNUSED;
/* True for a secret that FILE_SECRET accepts although its own mode lets others read it: nobody else can write it, and
 * either a folder above it denies others access or it is on a read-only file system in memory, as containers get their
 * secrets (mode 0444, where chmod does not help). Callers should warn about it. */
bool file_secret_is_open(const char *path);
/* Like file_read(), from a descriptor up to its end; messages call it by name. */
int file_read_fd(int fd, const char *name, struct buf *out, struct err *e) WARN_UNUSED;

/* Writes the bytes to a new file beside path with this mode, syncs it, renames it into place and syncs the folder. */
int file_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e) WARN_UNUSED;
/* Like file_replace(), but ERR_CONFLICT if the path exists. */
int file_create(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e) WARN_UNUSED;

/* Writes everything, continuing after interrupted and short writes. */
int file_write_fd(int fd, const void *bytes, size_t len) WARN_UNUSED; /* -1 with errno */

/* Writes "PREFIX: TEXT" and a newline to a stream that people read. Terminal control characters are escaped, except for
 * newlines and tabs. */
void file_say(FILE *stream, const char *prefix, const char *text);

/* For the start of a program. If a standard stream is closed, the next file or socket that is opened would take its
 * number, and output would end up there: opens /dev/null in its place, so that reads from such an input return end of
 * file at once and writes to such an output fail. */
void file_hold_standard(void);

/* For the end of a program: ERR_IO ("cannot write the output") if anything written to the stream did not arrive. */
int file_end_output(FILE *stream, struct err *e) WARN_UNUSED;

/* Syncs the folder that contains path, so that renames and links in it survive a crash. */
int file_sync_folder(const char *path, struct err *e) WARN_UNUSED;

/* A purpose's share of the files that this process may open (RLIMIT_NOFILE): 1/part of them, but no more than most. */
unsigned file_share(unsigned most, unsigned part);

/* Creates the missing folders above path, with this mode. */
int file_make_parents(const char *path, mode_t mode, struct err *e) WARN_UNUSED;

#endif
