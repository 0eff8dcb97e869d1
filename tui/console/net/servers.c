/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/net/servers.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define FILE_MAX (64 << 10)
#define KEY_MAX  512

static void release_entry(struct server_entry *s)
{
    free(s->name);
    free(s->address);
    free(s->socket);
    free(s->key_file);
}

static int set_option(struct server_entry *s, const char *word, size_t len, const char *dir)
{
    static const char key[] = "key-file=";

    if (len == 8 && strncmp(word, "insecure", len) == 0) {
        s->insecure = true;
        return 0;
    }
    if (len <= sizeof(key) - 1 || strncmp(word, key, sizeof(key) - 1) != 0)
        return -1;
    word += sizeof(key) - 1;
    len -= sizeof(key) - 1;
    free(s->key_file);
    s->key_file = *word == '/' ? mem_format("%.*s", (int)len, word) : mem_format("%s/%.*s", dir, (int)len, word);
    return 0;
}

static int parse_line(const char *line, size_t line_len, unsigned number, const char *dir, struct server_entry *out,
                      struct err *e)
{
    char text[1024];
    size_t len;

    if (line_len >= sizeof(text))
        return err_set(e, ERR_INVALID, "line %u is too long", number);
    memcpy(text, line, line_len);
    text[line_len] = '\0';
    if (str_check(text, sizeof(text), false, "line", NULL) < 0)
        return err_set(e, ERR_INVALID, "line %u holds characters that are not text", number);
    len = strcspn(text, " ");
    if (len > SERVER_NAME_MAX)
        return err_set(e, ERR_INVALID, "line %u: a name has at most %d bytes", number, SERVER_NAME_MAX);
    out->name = mem_format("%.*s", (int)len, text);
    const char *at = text + len + strspn(text + len, " ");
    len = strcspn(at, " ");
    if (!len)
        return err_set(e, ERR_INVALID, "line %u: '%s' has no address", number, out->name);
    *(*at == '/' ? &out->socket : &out->address) = mem_format("%.*s", (int)len, at);
    while (*(at += len + strspn(at + len, " "))) {
        len = strcspn(at, " ");
        if (set_option(out, at, len, dir) < 0)
            return err_set(e, ERR_INVALID, "line %u: '%.*s' is not known: key-file=FILE or insecure", number,
                           (int)(len < 60 ? len : 60), at);
    }
    if (out->address && !out->key_file)
        return err_set(e, ERR_INVALID, "line %u: '%s' needs a key: key-file=FILE", number, out->name);
    return 0;
}

int servers_parse(const char *text, const char *dir, struct servers *out, struct err *e)
{
    for (unsigned number = 1; *text; number++) {
        size_t whole = strcspn(text, "\n"), skip = strspn(text, " "), len = 0;
        struct server_entry s = {0};

        if (skip < whole)
            len = strcspn(text + skip, "#\n");
        while (len && text[skip + len - 1] == ' ')
            len--;
        if (len) {
            if (out->len >= SERVERS_MAX)
                return err_set(e, ERR_TOOBIG, "line %u: there are more than %d servers", number, SERVERS_MAX);
            if (parse_line(text + skip, len, number, dir, &s, e) < 0) {
                release_entry(&s);
                return e ? e->code : ERR_INVALID;
            }
            for (size_t i = 0; i < out->len; i++)
                if (str_eq(out->items[i].name, s.name)) {
                    int r = err_set(e, ERR_INVALID, "line %u: '%s' is listed twice", number, s.name);

                    release_entry(&s);
                    return r;
                }
            vec_push(out, s);
        }
        text += whole + (text[whole] == '\n');
    }
    return 0;
}

int servers_load(const char *path, struct servers *out, struct err *e)
{
    struct buf text = BUF_INIT(FILE_MAX);
    const char *slash = strrchr(path, '/');
    char *dir = mem_format("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int r = file_read(path, FILE_ANY, &text, e);

    if (r == ERR_MISSING) {
        r = 0;
    } else if (r == 0) {
        r = servers_parse(buf_text(&text), dir, out, e);
        if (r < 0)
            err_prefix(e, "%s", path);
    }
    free(dir);
    buf_release(&text);
    return r;
}

void servers_release(struct servers *s)
{
    for (size_t i = 0; i < s->len; i++)
        release_entry(&s->items[i]);
    vec_release(s);
}

int server_options(const struct server_entry *s, struct client_options *options, char **key, struct err *e)
{
    struct buf text = BUF_INIT(KEY_MAX);
    int r = 0;

    *key = NULL;
    *options = (struct client_options){.socket = s->socket, .address = s->address, .insecure = s->insecure};
    if (s->key_file && (r = file_read(s->key_file, FILE_SECRET, &text, e)) == 0) {
        *key = mem_format("%.*s", (int)strcspn(buf_text(&text), "\r\n"), buf_text(&text));
        options->api_key = *key;
    }
    if (text.len)
        explicit_bzero(text.data, text.len);
    buf_release(&text);
    return r;
}
