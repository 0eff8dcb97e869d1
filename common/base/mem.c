/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        checked(NULL);
    return checked(realloc(old, total ? total : 1));
}

void *mem_dup(const void *bytes, size_t len)
{
    void *copy = mem_alloc(len + 1);

    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

void *mem_dup_counted(const void *object, size_t size, size_t count_size)
{
    char *copy = mem_alloc(size);

    memcpy(copy + count_size, (const char *)object + count_size, size - count_size);
    return copy;
}

char *mem_strdup(const char *text)
{
    return text ? mem_dup(text, strlen(text)) : mem_alloc(1);
}

char *mem_strndup(const char *text, size_t len)
{
    return mem_dup(text, strnlen(text, len));
}

char *mem_format(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return checked(n < 0 ? NULL : text);
}

void mem_replace(char **text, const char *value)
{
    char *copy = mem_strdup(value);

    free(*text);
    *text = copy;
}
