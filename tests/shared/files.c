/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

#define BEGIN ".\\\" generated: begin\n"
#define END   ".\\\" generated: end\n"

static char *read_whole(const char *path)
{
    struct buf text = BUF_INIT(0);
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "re");

    if (!f)
        return NULL;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&text, piece, n);
    fclose(f);
    return buf_take(&text);
}

char *file_text(const char *path)
{
    char *text = read_whole(path);

    if (!text)
        fail_msg("cannot read %s", path);
    return text;
}

static void write_whole(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

static bool updating(void)
{
    const char *update = getenv("UPDATE");

    return update && str_eq(update, "1");
}

/* Fails with the first line in which two texts differ, as expected and as it is. */
static void must_equal(const char *path, const char *wanted, const char *is)
{
    unsigned line = 1;
    size_t start = 0, i = 0;

    if (str_eq(wanted, is))
        return;
    for (; wanted[i] && wanted[i] == is[i]; i++)
        if (wanted[i] == '\n') {
            line++;
            start = i + 1;
        }
    fail_msg("%s:%u differs (UPDATE=1 writes it anew)\n  wanted: %.*s\n  is:     %.*s", path, line,
             (int)strcspn(wanted + start, "\n"), wanted + start, (int)strcspn(is + start, "\n"), is + start);
}

void file_must_hold(const char *path, const char *text)
{
    if (updating()) {
        write_whole(path, text);
        return;
    }
    char *is = file_text(path);
    must_equal(path, text, is);
    free(is);
}

void file_must_hold_part(const char *path, const char *text)
{
    char *is = file_text(path), *begin = strstr(is, BEGIN), *end = strstr(is, END);
    struct buf wanted = BUF_INIT(0);

    if (!begin || !end || end < begin) {
        fail_msg("%s has no generated part", path);
        return;
    }
    buf_add(&wanted, is, (size_t)(begin - is) + strlen(BEGIN));
    buf_adds(&wanted, text);
    buf_adds(&wanted, end);
    if (updating())
        write_whole(path, buf_text(&wanted));
    else
        must_equal(path, buf_text(&wanted), is);
    buf_release(&wanted);
    free(is);
}
