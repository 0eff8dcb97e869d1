/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory whose size the program itself determines. These functions never return NULL: a process that cannot get a few
 * kilobytes can only stop and be restarted. Where untrusted input determines the size, use a buf or an arena with a
 * ceiling. */
#ifndef COMMON_BASE_MEM_H
#define COMMON_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory; the caller frees it with free(). */
void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));

/* Resizes to count * size bytes, checked for overflow; the added part is not zeroed. */
void *mem_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies, owned by the caller. mem_strdup(NULL) returns an empty string. */
void *mem_dup(const void *bytes, size_t len) __attribute__((returns_nonnull));
/* A copy of an object whose first member is a reference count. The count is not read, because other threads may be
 * changing it; it is zero in the copy. */
void *mem_dup_counted(const void *object, size_t size, size_t count_size) __attribute__((malloc, returns_nonnull));
char *mem_strdup(const char *text) __attribute__((returns_nonnull));
char *mem_strndup(const char *text, size_t len) __attribute__((returns_nonnull));
char *mem_format(const char *format, ...) __attribute__((returns_nonnull, format(printf, 1, 2)));

/* Frees *text and replaces it with a copy of value. */
void mem_replace(char **text, const char *value);

#endif
