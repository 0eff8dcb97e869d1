/* SPDX-License-Identifier: BSD-3-Clause */
/* A node with routes, for the stories of the manual: registers by a key and stays connected. A line of standard input
 * is "down", "up", or the list of prefixes that it advertises from then on. Ends with the input, or when its connection
 * is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "shared/client/ts_node.h"

static struct ts_fleet fleet;
static struct ts_node node;
static const char *auth_key;
static struct buf routes = BUF_INIT(0);
static char line[1024];

static void fatal(const char *why)
{
    fprintf(stderr, "run_node: %s\n", why);
    _exit(1);
}

/* "a,b" becomes ["a","b"]. */
static void set_routes(const char *text)
{
    buf_release(&routes);
    buf_adds(&routes, *text ? "[\"" : "[");
    for (; *text; text++)
        *text == ',' ? buf_adds(&routes, "\",\"") : buf_addc(&routes, *text);
    buf_adds(&routes, routes.len > 1 ? "\"]" : "]");
    node.routes = buf_text(&routes);
}

static void on_registered(struct ts_node *n, const char *error)
{
    struct err e = {0};

    if (*error)
        fatal(error);
    if (ts_node_connect(n, &e) < 0)
        fatal(e.message);
}

static void on_message(struct ts_node *n, const char *text, size_t size)
{
    (void)text;
    (void)size;
    if (n->messages == 1) {
        puts("connected");
        fflush(stdout);
    }
}

static void on_lost(struct ts_node *n, const char *why)
{
    (void)n;
    fatal(why);
}

static void begin(void *arg)
{
    struct err e = {0};

    (void)arg;
    if (ts_node_register(&node, auth_key, &e) < 0)
        fatal(e.message);
}

static void obey(void *arg)
{
    struct err e = {0};

    if (str_eq(arg, "down")) {
        ts_node_close(&node);
    } else if (str_eq(arg, "up")) {
        node.messages = 0;
        if (ts_node_connect(&node, &e) < 0)
            fatal(e.message);
    } else {
        set_routes(arg);
        ts_node_update(&node, "192.0.2.1:41641");
    }
    free(arg);
}

int main(int argc, char **argv)
{
    struct err e = {0};

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    if (argc < 4) {
        fprintf(stderr, "usage: run_node ADDRESS:PORT KEY NAME [PREFIX,...]\n");
        return 2;
    }
    struct loops *loops = loops_new(1, &e);
    fleet = (struct ts_fleet){.registered = on_registered, .message = on_message, .lost = on_lost};
    if (!loops || addr_port_parse(argv[1], &fleet.server, &e) < 0 ||
        ts_fetch_key(&fleet.server, fleet.server_public, &e) < 0 || loops_start(loops, &e) < 0)
        fatal(e.message);
    fleet.loop = loops_at(loops, 0);
    auth_key = argv[2];
    ts_node_init(&node, &fleet, 1);
    node.name = argv[3];
    set_routes(argc > 4 ? argv[4] : "");
    loop_post(fleet.loop, begin, NULL);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        loop_post(fleet.loop, obey, strdup(line));
    }
    _exit(0);
}
