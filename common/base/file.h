/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are read whole, up to a bound, and replaced whole: a crash leaves the old one or the new one, never a
 * part. Messages name the path; callers put in front what the file is for. */
#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"

enum file_check {
    FILE_ANY,     /* whatever the path leads to */
    FILE_SECRET,  /* ERR_DENIED where others than the owner may read it, see file_secret_is_open */
    FILE_PRIVATE, /* a regular file of this user and no symbolic link: for folders that others may write to */
};

/* Appends the whole file to out, whose ceiling bounds it (ERR_TOOBIG). ERR_MISSING: there is none; else ERR_IO. The
 * bytes go nowhere but into out, so that a secret can be wiped there. */
int file_read(const char *path, enum file_check check, struct buf *out, struct err *e) WARN_UNUSED;
/* A secret whose own mode lets others read it, and that is taken all the same: nobody else can write it, and a folder
 * above it keeps others out, or it is on a file system in memory that cannot be written, as containers get their
 * secrets (0444, and no chmod helps). People should be told. */
bool file_secret_is_open(const char *path);
/* The same from a descriptor, up to its end; name is what messages call it. */
int file_read_fd(int fd, const char *name, struct buf *out, struct err *e) WARN_UNUSED;

/* Writes the bytes beside the path, with this mode, syncs them, renames them into place and syncs the folder. */
int file_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e) WARN_UNUSED;
/* The same, but ERR_CONFLICT where something has that path already. */
int file_create(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e) WARN_UNUSED;

/* All of it, through interrupted and short writes. */
int file_write_fd(int fd, const void *bytes, size_t len) WARN_UNUSED; /* -1 with errno */

/* "PREFIX: TEXT" and the end of a line to a stream that people read: what would steer a terminal is escaped, but for
 * ends of lines and tabs. */
void file_say(FILE *stream, const char *prefix, const char *text);

/* At the start of a program: a standard stream that was closed would be the next file or socket that is opened, and
 * what is printed would end there. Reads from such an input end at once, writes to such an output fail. */
void file_hold_standard(void);

/* At the end of a program: what was written to the stream and did not arrive is ERR_IO ("cannot write the output"). */
int file_end_output(FILE *stream, struct err *e) WARN_UNUSED;

/* Syncs the folder that holds path: what was renamed or linked there lasts. */
int file_sync_folder(const char *path, struct err *e) WARN_UNUSED;

/* How many of the files that this process may open (RLIMIT_NOFILE) are one purpose's: one in part of them, at most
 * most.
 */
unsigned file_share(unsigned most, unsigned part);

/* Makes the folders above path that are missing, with this mode. */
int file_make_parents(const char *path, mode_t mode, struct err *e) WARN_UNUSED;

#endif
