/* SPDX-License-Identifier: BSD-3-Clause */
/* The console without a terminal, in one thread: each step is followed until the console is idle, that is, every
 * request is answered and the view wants nothing soon. A recording has its own clock, which advances only on request,
 * so the same recording gives the same screens. */
#include "console/headless.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/app/command_line.h"
#include "console/app/dispatch.h"
#include "console/application.h"
#include "console/net/net.h"
#include "console/screen/screen_text.h"
#include "console/script/recording.h"
#include "console/script/script.h"

#define ANSWER_MS   30000 /* a daemon that takes longer is reported */
#define WAIT_MS     10000 /* how long a script waits for a text */
#define SETTLE_MS   500   /* what a view wants to do within this time belongs to the previous step */
#define SETTLES_MAX 20

struct recorded_reply {
    uint64_t id;
    struct reply reply;
};

struct headless {
    struct app app;
    struct net *net; /* NULL: playing a recording */
    struct recording recording;
    VEC(struct recorded_reply) replies; /* answers of the recording, not yet delivered */
    size_t asked;                       /* unanswered requests */
    int64_t wall_ns, mono_ms;           /* the recording's clock */
    int64_t ahead_ms;                   /* how far the screen is ahead of the clock because of skipped waits */
    int rows, cols;
    const struct console_options *options;
};

static void now(struct headless *h)
{
    if (h->net)
        app_time(&h->app, clock_wall_ns(), clock_mono_ms() + h->ahead_ms);
    else
        app_time(&h->app, h->wall_ns, h->mono_ms);
}

static void pass(struct headless *h, int64_t ms)
{
    h->ahead_ms += ms;
    h->mono_ms += ms;
    h->wall_ns += ms * NS_PER_MS;
    now(h);
}

static void draw(struct headless *h)
{
    now(h);
    if (!h->net)
        app_heard(&h->app, h->mono_ms);
    app_draw(&h->app, h->rows, h->cols);
}

/* ---- what is asked and answered ---- */

static void send_to_daemon(void *context, const struct app_request *request)
{
    struct headless *h = context;

    h->asked++;
    net_send(h->net, request);
}

static void retry_daemon(void *context)
{
    net_retry(((struct headless *)context)->net);
}

static void answer_recorded(void *context, const struct app_request *request)
{
    struct headless *h = context;
    struct recorded_reply r = {.id = request->id};
    struct err why = {0};
    int status = 0;
    const json_t *answer = recording_answer(&h->recording, request->method, request->path, &status);

    h->asked++;
    if (!answer)
        err_set(&why, ERR_UNAVAILABLE, "the recording has no answer to %s %.100s", request->method, request->path);
    else if (status < 200 || status > 299)
        err_set(&why, ERR_UNAVAILABLE, "%.200s", json_text(json_object_get(answer, "error"), "message", "refused"));
    struct model_delta read = {0};
    if (answer && request->decode && status >= 200 && status <= 299 && request->decode(answer, &read, &why) < 0)
        status = 0;
    decode_reply(status, request->decode ? NULL : answer, &why, request->result, &r.reply);
    r.reply.read = read;
    r.reply.json = answer && request->whole ? json_incref((json_t *)(uintptr_t)answer) : NULL;
    vec_push(&h->replies, r);
}

static void take_message(struct headless *h, struct net_message *m)
{
    switch (m->kind) {
    case MESSAGE_DELTA:
        app_delta(&h->app, &m->delta);
        break;
    case MESSAGE_CONN:
        app_connection(&h->app, m->state, m->text, m->delay_ms);
        break;
    case MESSAGE_REPLY:
        h->asked--;
        app_reply(&h->app, m->id, &m->reply);
        break;
    case MESSAGE_WHOAMI:
        app_whoami(&h->app, m->text, m->read_only);
        break;
    }
    message_release(m);
}

static void take_all(struct headless *h)
{
    struct net_messages messages = {0};

    if (h->net)
        net_take(h->net, &messages);
    now(h);
    for (size_t i = 0; i < messages.len; i++)
        take_message(h, &messages.items[i]);
    free(messages.items);
    while (h->replies.len) {
        struct recorded_reply r = h->replies.items[0];

        vec_remove(&h->replies, 0);
        h->asked--;
        app_reply(&h->app, r.id, &r.reply);
    }
}

/* ---- until nothing is to be done ---- */

/* Time until a view wants to do something by itself; -1: nothing soon. */
static int64_t wished_ms(const struct headless *h)
{
    int64_t best = -1;

    for (size_t i = 0; i < h->app.tables->view_count; i++) {
        const struct console_view *v = h->app.tables->views[i];
        int64_t at = v->next_ms ? v->next_ms(&h->app) : 0, left = at - h->app.at.now_ms;

        if (at && left <= SETTLE_MS && (best < 0 || left < best))
            best = left > 0 ? left : 0;
    }
    return best;
}

static int connection_error(const struct headless *h, struct err *e)
{
    const struct connection *c = &h->app.conn;

    if (c->state != CONN_DOWN && c->state != CONN_AUTH)
        return 0;
    return err_set(e, ERR_UNAVAILABLE, "%s", c->why && *c->why ? c->why : "no connection to the daemon");
}

/* Waits for input, at most until then. */
static void wait_until(const struct headless *h, int64_t until_ms)
{
    struct pollfd fd = {.fd = h->net ? net_fd(h->net) : -1, .events = POLLIN};
    int64_t left = until_ms - clock_mono_ms();

    if (poll(&fd, 1, left > 0 ? (int)left : 0) < 0)
        return; /* a signal: the caller checks again */
}

/* A script may want to see a connection lost: only failing to connect at the start ends it. */
static int settle(struct headless *h, struct err *e)
{
    int64_t until = clock_mono_ms() + ANSWER_MS;

    for (int settled = 0; settled < SETTLES_MAX;) {
        take_all(h);
        draw(h);
        int64_t wished = wished_ms(h);
        if (!h->asked && !h->replies.len && wished < 0)
            return 0;
        if (!h->asked) {
            pass(h, wished > 0 ? wished : 1);
            settled++;
        } else if (h->net) {
            if (clock_mono_ms() >= until)
                return err_set(e, ERR_TIMEOUT, "the daemon does not answer");
            wait_until(h, until);
        }
    }
    return 0;
}

static int connect_daemon(struct headless *h, struct err *e)
{
    int64_t until = clock_mono_ms() + ANSWER_MS;
    int r = net_start(h->options->client, &h->net, e);

    if (r < 0)
        return r;
    h->app.net = (struct app_net){.send = send_to_daemon, .retry = retry_daemon, .context = h};
    for (;;) {
        take_all(h);
        if (h->app.conn.state == CONN_LIVE)
            return 0;
        if (connection_error(h, e) < 0)
            return ERR_UNAVAILABLE;
        if (clock_mono_ms() >= until)
            return err_set(e, ERR_TIMEOUT, "the daemon does not answer");
        wait_until(h, until);
    }
}

/* ---- a recording ---- */

static int play_one(struct headless *h, struct err *e)
{
    struct recording_step step;
    int r = recording_play(&h->recording, &step, e);

    if (r < 0 || step.kind == PLAYED_NOTHING)
        return r;
    if (step.time_ns > h->wall_ns) {
        /* No time can pass before the first line. */
        h->mono_ms += h->wall_ns ? (step.time_ns - h->wall_ns) / NS_PER_MS : 0;
        h->wall_ns = step.time_ns;
    }
    now(h);
    if (step.kind == PLAYED_IDENTITY)
        app_whoami(&h->app, step.actor, step.read_only);
    else
        app_delta(&h->app, &step.delta);
    delta_release(&step.delta);
    free(step.actor);
    return 1;
}

/* count 0: all. Returns how many were played. */
static int64_t play(struct headless *h, int64_t count, struct err *e)
{
    int64_t played = 0;
    int r = 1;

    while (r > 0 && (!count || played < count)) {
        r = play_one(h, e);
        played += r > 0;
    }
    return r < 0 ? r : played;
}

static int begin_recording(struct headless *h, bool whole, struct err *e)
{
    int r = recording_read(h->options->replay, &h->recording, e);

    h->app.net = (struct app_net){.send = answer_recorded, .context = h};
    h->mono_ms = 1000000;
    app_whoami(&h->app, "", true);
    while (r >= 0 && (whole || !recording_has_event(&h->recording)))
        if ((r = play_one(h, e)) == 0)
            break;
    if (r >= 0)
        app_connection(&h->app, CONN_LIVE, "", 0);
    if (r < 0)
        err_prefix(e, "%s", h->options->replay);
    return r < 0 ? r : 0;
}

/* ---- what is printed ---- */

static enum depth depth_of(const char *colour)
{
    return !colour || str_eq(colour, "auto") || str_eq(colour, "never") ? DEPTH_MONO
           : str_eq(colour, "16")                                       ? DEPTH_16
           : str_eq(colour, "256")                                      ? DEPTH_256
                                                                        : DEPTH_TRUE;
}

static char *screen_of(struct headless *h, enum depth depth)
{
    struct buf out = BUF_INIT(0);

    draw(h);
    if (depth == DEPTH_MONO)
        screen_text(&h->app.canvas, &out);
    else
        screen_ansi(&h->app.canvas, h->app.theme, depth, &out);
    return buf_take(&out);
}

/* ---- steps ---- */

/* Why a command was refused, or its answer. */
static int refusal(const struct headless *h, struct err *e)
{
    const struct flash *f = &h->app.flash;

    if (f->role != ROLE_WARN && f->role != ROLE_ERROR)
        return 0;
    char text[400];
    command_text(&h->app, f->text ? f->text : "", text, sizeof(text));
    return err_set(e, ERR_INVALID, "%s", text);
}

static int do_command(struct headless *h, const char *line, bool refused_too, struct err *e)
{
    h->app.flash.role = ROLE_INFO;
    command_run_line(&h->app, line);
    int r = settle(h, e);
    if (r == 0 && !refused_too)
        r = refusal(h, e);
    return r;
}

static int do_keys(struct headless *h, const char *text, struct err *e)
{
    struct key_script keys = {0};
    int r = keys_parse(text, &keys, e);

    for (size_t i = 0; r == 0 && i < keys.len && !h->app.quit; i++) {
        app_key(&h->app, keys.items[i]);
        r = settle(h, e);
    }
    vec_release(&keys);
    return r;
}

static bool shows(struct headless *h, const char *text)
{
    char *screen = screen_of(h, DEPTH_MONO);
    bool found = strstr(screen, text) != NULL;

    free(screen);
    return found;
}

static int do_wait(struct headless *h, const char *text, struct err *e)
{
    int64_t until = clock_mono_ms() + WAIT_MS;

    while (!shows(h, text)) {
        int64_t left = until - clock_mono_ms();

        if (left <= 0 || !h->net)
            return err_set(e, ERR_TIMEOUT, "'%.200s' did not appear", text);
        /* The screen changes by itself once a second. */
        wait_until(h, left > 1000 ? clock_mono_ms() + 1000 : until);
        int r = settle(h, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int do_play(struct headless *h, int64_t count, struct err *e)
{
    if (h->net)
        return err_set(e, ERR_INVALID, "play needs a recording (--replay)");
    int64_t played = play(h, count, e);
    if (played >= 0 && played < count)
        return err_set(e, ERR_INVALID, "the recording has %lld events left, not %lld", (long long)played,
                       (long long)count);
    return played < 0 ? (int)played : settle(h, e);
}

static int do_pass(struct headless *h, int64_t ns, struct err *e)
{
    if (h->net)
        return err_set(e, ERR_INVALID, "pass needs a recording (--replay): a daemon's time cannot be advanced");
    pass(h, ns / NS_PER_MS);
    return settle(h, e);
}

static int do_copied(struct headless *h, struct err *e)
{
    if (!h->app.clipboard)
        return err_set(e, ERR_INVALID, "nothing was copied");
    if (puts(h->app.clipboard) < 0 || fflush(stdout) != 0)
        return err_set(e, ERR_IO, "cannot write the output");
    return 0;
}

static int do_step(struct headless *h, const struct script_step *step, struct err *e)
{
    switch (step->verb) {
    case SCRIPT_COMMAND:
    case SCRIPT_TRY:
        return do_command(h, step->text, step->verb == SCRIPT_TRY, e);
    case SCRIPT_KEYS:
        return do_keys(h, step->text, e);
    case SCRIPT_SIZE:
        h->rows = step->rows;
        h->cols = step->cols;
        return settle(h, e);
    case SCRIPT_EXPECT:
        return shows(h, step->text) ? 0 : err_set(e, ERR_INVALID, "'%.200s' is not on the screen", step->text);
    case SCRIPT_REFUSE:
        return shows(h, step->text) ? err_set(e, ERR_INVALID, "'%.200s' is on the screen", step->text) : 0;
    case SCRIPT_WAIT:
        return do_wait(h, step->text, e);
    case SCRIPT_PLAY:
        return do_play(h, step->number, e);
    case SCRIPT_PASS:
        return do_pass(h, step->number, e);
    case SCRIPT_COPIED:
        return do_copied(h, e);
    }
    return 0;
}

/* Prints the screen on which a step failed. */
static int run_script(struct headless *h, const struct script *script, struct err *e)
{
    for (size_t i = 0; i < script->len && !h->app.quit; i++) {
        int r = do_step(h, &script->items[i], e);

        if (r < 0) {
            char *screen = screen_of(h, DEPTH_MONO);

            fputs(screen, stderr);
            free(screen);
            err_prefix(e, "%s, line %u", h->options->run, script->items[i].line);
            return r;
        }
    }
    return 0;
}

static int take_snapshot(struct headless *h, struct err *e)
{
    int r = do_command(h, h->options->snapshot, false, e);

    if (r < 0)
        return r;
    char *screen = screen_of(h, depth_of(h->options->color));
    if (fputs(screen, stdout) < 0 || fflush(stdout) != 0)
        r = err_set(e, ERR_IO, "cannot write the output");
    free(screen);
    return r;
}

static int run(struct headless *h, struct err *e)
{
    struct script script = {0};
    int r = h->options->size ? screen_size_parse(h->options->size, &h->rows, &h->cols, e) : 0;

    if (r < 0)
        err_prefix(e, "--size");
    if (r == 0 && h->options->run && (r = script_read(h->options->run, &script, e)) < 0)
        err_prefix(e, "%s", h->options->run);
    if (r == 0)
        r = h->options->replay ? begin_recording(h, !script_plays(&script), e) : connect_daemon(h, e);
    if (r == 0)
        r = settle(h, e);
    if (r == 0 && h->options->run)
        r = run_script(h, &script, e);
    if (r == 0 && h->options->snapshot)
        r = take_snapshot(h, e);
    script_release(&script);
    return r;
}

/* Problems in the user's settings are errors here: a script must be exact. */
static int set_up(struct headless *h, struct err *e)
{
    struct settings settings = {0};
    struct err unknown = {0};
    int r = 0;

    if (h->options->settings)
        settings_load(h->options->settings, &settings);
    const char *theme = h->options->theme ? h->options->theme : settings.theme;
    app_settings(&h->app, &settings);
    h->app.theme = theme ? theme_choose(theme, &unknown) : THEME_DEFAULT;
    h->app.canvas.plain = h->options->plain || settings.plain == SETTING_ON;
    h->app.canvas.ascii |= settings.ascii == SETTING_ON;
    if (h->app.flash.role == ROLE_ERROR)
        r = err_set(e, ERR_INVALID, "%s", h->app.flash.text);
    else if (h->app.theme < 0)
        r = err_set(e, ERR_INVALID, "--theme: %s", unknown.message);
    settings_release(&settings);
    return r;
}

int headless_main(const struct console_options *options)
{
    struct headless *h = mem_alloc(sizeof(*h));
    struct err e = {0};

    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_CTYPE, "");
    h->options = options;
    h->rows = 24;
    h->cols = 80;
    h->app.canvas.ascii = options->ascii || !str_eq(nl_langinfo(CODESET), "UTF-8") || !glyph_fits_locale();
    app_init(&h->app);
    now(h);
    int r = set_up(h, &e);
    if (r == 0)
        r = run(h, &e);
    if (r < 0)
        file_say(stderr, "headway", e.message);
    net_stop(h->net);
    for (size_t i = 0; i < h->replies.len; i++)
        reply_release(&h->replies.items[i].reply);
    vec_release(&h->replies);
    recording_release(&h->recording);
    app_release(&h->app);
    free(h);
    return r < 0;
}
