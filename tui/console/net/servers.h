/* SPDX-License-Identifier: BSD-3-Clause */
/* The servers that the console can switch to, from a file of the user:
 *     NAME ADDRESS [key-file=FILE] [insecure]
 * One server per line; '#' begins a comment. ADDRESS is a URL, or the path of a Unix socket. The key is the first line
 * of FILE, which nobody else may read; a relative FILE is relative to the list. */
#ifndef TUI_CONSOLE_NET_SERVERS_H
#define TUI_CONSOLE_NET_SERVERS_H

#include "base/err.h"
#include "base/vec.h"
#include "client/client.h"

#define SERVERS_MAX     64
#define SERVER_NAME_MAX 40

struct server_entry {
    char *name, *address, *socket, *key_file; /* address or socket is NULL */
    bool insecure;
};

struct servers {
    struct server_entry *items;
    size_t len, cap;
};

/* Appends the servers in the file; a missing file lists none. ERR_INVALID names the line. */
int servers_load(const char *path, struct servers *out, struct err *e) WARN_UNUSED;
/* Appends the servers in the text; dir: the directory of relative files. */
int servers_parse(const char *text, const char *dir, struct servers *out, struct err *e) WARN_UNUSED;
void servers_release(struct servers *s);

/* Fills options with borrowed texts, except *key, which the caller wipes and frees (NULL: none). ERR_DENIED if others
 * may read the key file. */
int server_options(const struct server_entry *s, struct client_options *options, char **key, struct err *e) WARN_UNUSED;

#endif
