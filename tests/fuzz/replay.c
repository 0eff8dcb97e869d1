/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a fuzz target over the files of directories, without a fuzzer: the corpus is a regression test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files;

static int replay(const char *path)
{
    struct buf data = BUF_INIT(0);
    char piece[65536];
    size_t n;
    FILE *f = fopen(path, "re");

    if (!f) {
        perror(path);
        return 1;
    }
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&data, piece, n);
    fclose(f);
    /* a block of its own size, so that a read past its end is seen */
    uint8_t *copy = malloc(data.len ? data.len : 1);
    if (copy && data.len)
        memcpy(copy, data.data, data.len);
    if (copy)
        LLVMFuzzerTestOneInput(copy, data.len);
    free(copy);
    buf_release(&data);
    files++;
    return 0;
}

static int replay_all(const char *path)
{
    struct stat st;
    struct dirent *entry;
    DIR *dir;
    int r = 0;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return replay(path);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        char *file = mem_format("%s/%s", path, entry->d_name);
        r |= replay_all(file);
        free(file);
    }
    if (dir)
        closedir(dir);
    return r;
}

int main(int argc, char **argv)
{
    int r = 0;

    for (int i = 1; i < argc; i++)
        r |= replay_all(argv[i]);
    if (files == 0) {
        fprintf(stderr, "no inputs\n");
        return 1;
    }
    printf("%u inputs\n", files);
    return r;
}
