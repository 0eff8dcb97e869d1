/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/draft.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "console/text/text_buffer.h"

#define MAGIC     "headway policy draft 1 "
#define NAME      "policy-%lld.draft"
#define HEAD_MAX  4096
#define FOUND_MAX 16

char *draft_path(const char *state_dir)
{
    return mem_format("%s/" NAME, state_dir, (long long)getpid());
}

int draft_write(const char *path, const char *server, uint64_t version, const char *text, size_t len, struct err *e)
{
    struct buf whole = BUF_INIT(0);
    int r = file_make_parents(path, 0700, e); /* before the first draft the directory may be missing */

    buf_addf(&whole, MAGIC "%llu %s\n", (unsigned long long)version, server);
    buf_add(&whole, text, len);
    if (r == 0)
        r = file_replace(path, whole.data, whole.len, 0600, e);
    if (r < 0)
        err_prefix(e, "unsaved text could not be kept");
    buf_release(&whole);
    return r;
}

void draft_remove(const char *path)
{
    unlink(path);
}

bool draft_parse(const char *bytes, size_t len, struct draft_parts *out)
{
    size_t magic = strlen(MAGIC);
    const char *newline = len > magic ? memchr(bytes, '\n', len < HEAD_MAX ? len : HEAD_MAX) : NULL;
    char number[24] = "";

    if (!newline || memcmp(bytes, MAGIC, magic) != 0)
        return false;
    const char *blank = memchr(bytes + magic, ' ', (size_t)(newline - bytes) - magic);
    if (!blank || (size_t)(blank - bytes) - magic >= sizeof(number))
        return false;
    memcpy(number, bytes + magic, (size_t)(blank - bytes) - magic);
    *out = (struct draft_parts){.server = blank + 1,
                                .server_len = (size_t)(newline - blank) - 1,
                                .text = newline + 1,
                                .len = len - (size_t)(newline + 1 - bytes)};
    return str_u64(number, 0, UINT64_MAX, &out->version, "version", NULL) == 0 && out->len <= TEXTBUF_MAX &&
           str_utf8(out->text, out->len);
}

void draft_release(struct draft *d)
{
    free(d->path);
    free(d->server);
    free(d->text);
    *d = (struct draft){0};
}

/* Whether a console with this process id is running, or something with its name. */
static bool lives(long long pid)
{
    char path[64], name[32] = "";

    if (kill((pid_t)pid, 0) < 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%lld/comm", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return true;
    if (!fgets(name, sizeof(name), f))
        name[0] = '\0';
    fclose(f);
    return str_starts(name, "headway");
}

static bool read_draft(const char *path, struct draft *out)
{
    struct buf b = BUF_INIT(TEXTBUF_MAX + HEAD_MAX);
    struct draft_parts parts;
    struct stat s;
    bool good =
        file_read(path, FILE_PRIVATE, &b, NULL) == 0 && stat(path, &s) == 0 && draft_parse(buf_text(&b), b.len, &parts);

    if (good)
        *out = (struct draft){.path = mem_strdup(path),
                              .server = mem_strndup(parts.server, parts.server_len),
                              .version = parts.version,
                              .time_ns = (int64_t)s.st_mtim.tv_sec * NS_PER_SECOND,
                              .text = mem_strndup(parts.text, parts.len),
                              .len = parts.len};
    buf_release(&b);
    return good;
}

static int by_time(const void *a, const void *b)
{
    const struct draft *p = a, *q = b;

    return (p->time_ns > q->time_ns) - (p->time_ns < q->time_ns);
}

void drafts_find(const char *state_dir, struct drafts *out)
{
    DIR *dir = opendir(state_dir);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) && out->len < FOUND_MAX) {
        char number[24] = "";
        size_t len = strlen(entry->d_name), ends = strlen("policy-") + strlen(".draft");
        uint64_t pid;
        struct draft d;

        if (!str_starts(entry->d_name, "policy-") || !str_ends(entry->d_name, ".draft") || len <= ends ||
            len - ends >= sizeof(number))
            continue;
        memcpy(number, entry->d_name + strlen("policy-"), len - ends);
        if (str_u64(number, 1, INT32_MAX, &pid, "pid", NULL) < 0 || (pid_t)pid == getpid() || lives((long long)pid))
            continue;
        char *path = mem_format("%s/%s", state_dir, entry->d_name);
        if (read_draft(path, &d))
            vec_push(out, d);
        free(path);
    }
    if (dir)
        closedir(dir);
    if (out->len)
        qsort(out->items, out->len, sizeof(*out->items), by_time);
}
