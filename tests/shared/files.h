/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that tests compare with. Paths are relative to the top of the tree, where tests run. */
#ifndef TESTS_SHARED_FILES_H
#define TESTS_SHARED_FILES_H

char *file_text(const char *path); /* the whole file; caller frees. Fails the test if it cannot be read */

/* The file must contain exactly text; with UPDATE=1 in the environment it is written instead. */
void file_must_hold(const char *path, const char *text);

/* The lines between `.\" generated: begin` and `.\" generated: end` of a manual page must be text; UPDATE=1 as
 * above. */
void file_must_hold_part(const char *path, const char *text);

#endif
