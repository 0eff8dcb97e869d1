/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop: keys first, then messages from the network, then one frame. It blocks in poll only. */
#include "console/console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "console/application.h"
#include "console/headless.h"
#include "console/history.h"
#include "console/net/net.h"
#include "console/net/servers.h"
#include "console/policy/policy_page.h"
#include "console/screen/terminal.h"
#include "console/text/external_editor.h"

#define FRAME_MS 33 /* between two frames without a key */

struct console_loop {
    struct app app;
    struct net *net;
    struct checker *checker;
    int signals, idle_fd;
    const struct console_options *options;
    struct settings settings;
    struct servers servers; /* in addition to that of the options: name 1 of the app is item 0 */
    struct thread leaving;  /* closes the connection to the previous server */
    bool ended, key_came, draw;
    int64_t drawn_ms;
    unsigned long frames, keys;
    size_t server; /* the one that net is connected to */
    unsigned colour_changes;
};

static void now(struct console_loop *l)
{
    app_time(&l->app, clock_wall_ns(), clock_mono_ms());
}

static void take_keys(struct console_loop *l)
{
    for (;;) {
        struct term_event event = term_read();

        if (event.key == CK_NONE)
            return;
        now(l);
        l->key_came = l->draw = true;
        l->keys += event.key != CK_RESIZE;
        if (event.key == CK_MOUSE && event.row >= 0 && event.wheel)
            app_wheel(&l->app, event.wheel);
        else if (event.key == CK_MOUSE && event.row >= 0 && event.menu)
            app_menu(&l->app, event.row, event.col);
        else if (event.key == CK_MOUSE && event.row >= 0)
            app_click(&l->app, event.row, event.col, event.clicks);
        else if (event.key != CK_RESIZE && event.key != CK_MOUSE)
            app_key(&l->app, event.key);
    }
}

static void take_message(struct console_loop *l, struct net_message *m)
{
    switch (m->kind) {
    case MESSAGE_DELTA:
        app_delta(&l->app, &m->delta);
        break;
    case MESSAGE_CONN:
        app_connection(&l->app, m->state, m->text, m->delay_ms);
        break;
    case MESSAGE_REPLY:
        app_reply(&l->app, m->id, &m->reply);
        break;
    case MESSAGE_WHOAMI:
        app_whoami(&l->app, m->text, m->read_only);
        break;
    }
    message_release(m);
}

static void take_messages(struct console_loop *l)
{
    struct net_messages messages;

    net_take(l->net, &messages);
    now(l);
    for (size_t i = 0; i < messages.len; i++)
        take_message(l, &messages.items[i]);
    l->draw |= messages.len > 0;
    free(messages.items);
}

static void take_check(struct console_loop *l)
{
    struct check_result result;

    now(l);
    if (checker_take(l->checker, &result))
        policy_page_checked(&l->app, &result);
    l->draw = true;
}

/* Interrupts from the terminal were meant for the editor. */
static void forget_interrupts(struct console_loop *l)
{
    struct signalfd_siginfo info;

    while (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        l->ended |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP;
}

/* The screen belongs to the editor until it exits. Messages from the network wait in their queue. */
static void edit_outside(struct console_loop *l)
{
    size_t len, fresh_len = 0;
    char *text = textbuf_copy(&policy_page_of(&l->app)->editor.text, &len), *fresh = NULL;
    struct err e;

    l->app.want_editor = false;
    term_leave();
    int r = outside_edit(text, len, &fresh, &fresh_len, &e);
    term_enter();
    forget_interrupts(l);
    now(l);
    if (r == 0)
        policy_page_edited(&l->app, fresh, fresh_len);
    else
        app_flash(&l->app, ROLE_ERROR, "%s", e.message);
    free(text);
    l->draw = l->key_came = true;
}

static void take_signal(struct console_loop *l)
{
    struct signalfd_siginfo info;

    if (read(l->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo == SIGTSTP)
        l->app.want_suspend = true;
    else if (info.ssi_signo != SIGCONT)
        l->ended = true;
    l->draw = true;
}

static void *leave(void *net)
{
    net_stop(net);
    return NULL;
}

/* Connects to the server that the app selected. */
static int connect_server(struct console_loop *l, struct err *e)
{
    struct client_options options = *l->options->client;
    char *key = NULL;
    int r = 0;

    if (l->app.server)
        r = server_options(&l->servers.items[l->app.server - 1], &options, &key, e);
    if (r == 0)
        r = net_start(&options, &l->net, e);
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
    if (r == 0)
        mem_replace(&l->app.address, options.address && *options.address ? options.address : options.socket);
    if (r == 0)
        l->app.net = (struct app_net){.send = net_send, .retry = net_retry, .context = l->net};
    return r;
}

/* Switches servers without waiting until the old connection is closed. */
static void change_server(struct console_loop *l)
{
    struct net *old = l->net;
    size_t from = l->server;
    struct err e = {0};

    l->app.want_server = false;
    if (l->options->state_dir)
        history_save(&l->app, l->options->state_dir);
    if (connect_server(l, &e) < 0) {
        app_flash(&l->app, ROLE_ERROR, "%s: %s", l->app.servers.items[l->app.server], e.message);
        l->app.server = from;
        return;
    }
    l->server = l->app.server;
    thread_join(&l->leaving);
    if (thread_start(&l->leaving, "leaving", leave, old, NULL) < 0)
        net_stop(old);
    policy_page_keep(&l->app);
    app_reset(&l->app);
    if (l->options->state_dir) {
        history_load(&l->app, l->options->state_dir);
        policy_page_drafts(&l->app, l->options->state_dir);
    }
    l->draw = l->key_came = true;
}

static void draw(struct console_loop *l)
{
    int rows, cols;

    now(l);
    app_heard(&l->app, net_heard_ms(l->net));
    if (l->colour_changes != l->app.colour_changes) {
        l->colour_changes = l->app.colour_changes;
        term_redraw();
    }
    term_mouse(l->app.mouse);
    if (l->app.want_repaint)
        term_redraw();
    l->app.want_repaint = false;
    term_size(&rows, &cols);
    app_draw(&l->app, rows, cols);
    if (l->app.clipboard) {
        term_copy(l->app.clipboard);
        explicit_bzero(l->app.clipboard, strlen(l->app.clipboard));
        free(l->app.clipboard);
        l->app.clipboard = NULL;
    }
    term_show(&l->app.canvas, l->app.theme);
    l->drawn_ms = l->app.at.now_ms;
    l->draw = l->key_came = false;
    /* Tells a test how many of its keys are answered on the screen. */
    if (l->idle_fd >= 0 && dprintf(l->idle_fd, "frame %lu keys %lu\n", ++l->frames, l->keys) < 0)
        l->idle_fd = -1;
}

static int wait_ms(const struct console_loop *l)
{
    int64_t left = app_next_ms(&l->app) - clock_mono_ms();

    if (l->draw)
        left = l->drawn_ms + FRAME_MS - clock_mono_ms();
    return left < 0 ? 0 : left > 1000 ? 1000 : (int)left;
}

static void run(struct console_loop *l)
{
    struct pollfd fds[4] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = net_fd(l->net), .events = POLLIN},
                            {.fd = l->signals, .events = POLLIN},
                            {.fd = checker_fd(l->checker), .events = POLLIN}};

    draw(l);
    while (!l->app.quit && !l->ended) {
        int r = poll(fds, 4, wait_ms(l));

        if (r < 0 && errno != EINTR)
            break;
        if (r < 0)
            fds[0].revents = fds[1].revents = fds[2].revents = fds[3].revents = 0;
        /* A resize arrives as a signal that interrupts poll, and then as a key. */
        take_keys(l);
        if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
            break;
        if (fds[1].revents)
            take_messages(l);
        if (fds[2].revents)
            take_signal(l);
        if (fds[3].revents)
            take_check(l);
        if (l->app.want_editor)
            edit_outside(l);
        if (l->app.want_server) {
            change_server(l);
            fds[1].fd = net_fd(l->net);
        }
        if (l->app.want_suspend) {
            l->app.want_suspend = false;
            term_suspend();
            l->draw = l->key_came = true;
        }
        int64_t at = clock_mono_ms();
        if (l->key_came || (l->draw && at - l->drawn_ms >= FRAME_MS) || at >= app_next_ms(&l->app))
            draw(l);
    }
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Returns the initial theme. */
static int check_options(const struct console_options *options, const struct settings *settings, struct err *e)
{
    const char *name = options->theme ? options->theme : settings->theme;
    struct err unknown = {0};
    int theme = name ? theme_choose(name, &unknown) : THEME_DEFAULT;

    if (options->replay)
        return err_set(e, ERR_INVALID, "--replay needs --snapshot or --run");
    if (theme < 0)
        return err_set(e, ERR_INVALID, "--theme: %s", unknown.message);
    return theme;
}

static int load_servers(struct console_loop *l, struct err *e)
{
    int r = l->options->servers ? servers_load(l->options->servers, &l->servers, e) : 0;

    strs_push(&l->app.servers, "local");
    for (size_t i = 0; i < l->servers.len; i++)
        strs_push(&l->app.servers, l->servers.items[i].name);
    for (size_t i = 1; i < l->app.servers.len && l->options->server; i++)
        if (str_eq(l->app.servers.items[i], l->options->server))
            l->app.server = l->server = i;
    if (r == 0 && l->options->server && !l->server)
        r = err_set(e, ERR_INVALID, "--server: '%.40s' is not in %s", l->options->server, l->options->servers);
    return r;
}

int console_main(const struct console_options *options)
{
    struct console_loop *l = mem_alloc(sizeof(*l));
    const char *idle = getenv("HEADWAY_IDLE_FD");
    struct err e = {0};
    uint64_t fd;
    int status = 1, theme;

    if (options->snapshot || options->run) {
        free(l);
        return headless_main(options);
    }
    if (options->settings)
        settings_load(options->settings, &l->settings);
    theme = check_options(options, &l->settings, &e);
    if (theme < 0)
        goto out;
    l->idle_fd = idle && str_u64(idle, 3, 1023, &fd, "HEADWAY_IDLE_FD", NULL) == 0 ? (int)fd : -1;
    l->signals = open_signals();
    l->app.theme = theme;
    l->app.mouse = !options->no_mouse && l->settings.mouse != SETTING_OFF;
    l->options = options;
    if (load_servers(l, &e) < 0 || connect_server(l, &e) < 0)
        goto out;
    if (term_open(options->color ? options->color : l->settings.color, &e) < 0) {
        net_stop(l->net);
        goto out;
    }
    l->app.canvas.plain = options->plain || l->settings.plain == SETTING_ON;
    l->app.canvas.ascii = options->ascii || l->settings.ascii == SETTING_ON || !term_utf8();
    app_init(&l->app);
    now(l);
    app_settings(&l->app, &l->settings);
    l->checker = checker_start();
    policy_page_set_checker(&l->app, l->checker);
    if (options->state_dir) {
        history_load(&l->app, options->state_dir);
        policy_page_drafts(&l->app, options->state_dir);
    }
    run(l);
    checker_stop(l->checker);
    bool kept = policy_page_keep(&l->app);
    if (options->state_dir)
        history_save(&l->app, options->state_dir);
    term_close();
    if (kept)
        fprintf(stderr, "headway: the unsaved policy is kept; the next console offers it\n");
    net_stop(l->net);
    thread_join(&l->leaving);
    app_release(&l->app);
    status = 0;
out:
    if (status) {
        file_say(stderr, "headway", e.message);
        strs_release(&l->app.servers);
    }
    servers_release(&l->servers);
    settings_release(&l->settings);
    free(l);
    return status;
}
