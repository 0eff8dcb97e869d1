/* SPDX-License-Identifier: BSD-3-Clause */
/* headwayd: reads the command line and the configuration, starts the rooms from the innermost outwards, waits for
 * signals and stops the rooms in reverse order. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "acme/acme.h"
#include "api/api.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/control.h"
#include "core/core.h"
#include "database/database.h"
#include "front/front.h"
#include "health/health.h"
#include "import/import.h"
#include "login/login.h"
#include "model/version.h"
#include "netmap/netmap.h"
#include "readback/readback.h"
#include "relay/relay.h"
#include "usage/flags.h"

#define TRIM_SECONDS 2   /* also the interval of checks that the database is still this daemon's */
#define TRIM_HEAP_IN 10  /* the heap is trimmed every so many times, */
#define STORM        100 /* or after this many new streams */

struct daemon {
    struct config *config;
    char *config_path;
    struct loops *loops;
    struct tailnet *tailnet;
    struct store *store;
    struct core *core;
    struct netmap *netmap;
    struct control *control;
    struct health *health;
    struct readback *readback;
    struct api *api;
    struct relay *relay;
    struct acme *acme; /* NULL: no certificate is ordered */
    struct front *front;
    struct loop_tls *_Atomic tls; /* the public listener's: other threads read its expiry */
    uint8_t private_key[CRYPTO_KEY_LEN], public_key[CRYPTO_KEY_LEN];
    unsigned trims;      /* since the heap was last trimmed */
    uint64_t trimmed_at; /* full maps made by that time */
};

static const struct flag options[] = {
    {.name = "config", .letter = 'c', .kind = FLAG_TEXT, .value = "FILE", .help = "the configuration to read"},
    {.name = "help", .letter = 'h', .kind = FLAG_SWITCH, .help = "print this and exit"},
    {.name = "version", .kind = FLAG_SWITCH, .help = "print the version and exit"},
    FLAGS_END,
};

/* For migrate. */
static const struct flag migrate_options[] = {
    {.name = "from",
     .kind = FLAG_TEXT,
     .value = "DATABASE",
     .help = "sqlite:FILE or postgres; --to names the other, an empty one"},
    FLAGS_END,
};

static void print_help(void)
{
    struct buf text = BUF_INIT(0);

    buf_adds(&text, "headwayd: a control plane for Tailscale clients\n\n"
                    "  headwayd [-c FILE]             run until SIGTERM\n"
                    "  headwayd [-c FILE] configtest  check the configuration and exit\n"
                    "  headwayd import -c FILE        take over the tailnet of headscale, whose configuration that is\n"
                    "  headwayd [-c FILE] migrate     move the tailnet from SQLite into PostgreSQL, or back\n\n");
    flags_help(options, &text);
    buf_adds(&text, "\nOptions of import:\n");
    flags_help(import_options, &text);
    buf_adds(&text, "\nOptions of migrate:\n");
    flags_help(migrate_options, &text);
    fputs(buf_text(&text), stdout);
    buf_release(&text);
}

static int say(int code, const struct err *e)
{
    file_say(stderr, "headwayd", e->message);
    return code;
}

static void say_problems(const struct strs *problems, const struct err *e)
{
    for (size_t i = 0; i < problems->len; i++)
        file_say(stderr, "headwayd", problems->items[i]);
    if (!problems->len)
        file_say(stderr, "headwayd", e->message);
}

static void set_log(const struct config *c)
{
    enum log_level level = LOG_LEVEL_INFO;

    (void)log_level_parse(c->log.level, &level);
    log_setup(level, str_eq(c->log.format, "json") ? LOG_JSON : LOG_TEXT);
}

static void to_control(void *arg, struct stream *stream, const struct head *head)
{
    control_accept(((struct daemon *)arg)->control, stream, head);
}

static void to_relay(void *arg, struct stream *stream, const struct head *head)
{
    relay_accept(((struct daemon *)arg)->relay, stream, head);
}

static void to_http(void *arg, int fd, const struct addr_port *peer, bool reserved)
{
    api_take_socket(((struct daemon *)arg)->api, fd, peer, reserved);
}

static bool is_reserved(void *arg, const struct head *head)
{
    return api_is_reserved(((struct daemon *)arg)->api, head->method, head->path);
}

static bool is_known(void *arg, const struct addr *from)
{
    return control_knows(((struct daemon *)arg)->control, from);
}

static void add_metrics(void *arg, struct buf *out)
{
    struct daemon *d = arg;

    netmap_metrics(d->netmap, out);
    control_metrics(d->control, out);
    health_metrics(d->health, out);
    readback_metrics(d->readback, out);
    relay_metrics(d->relay, out);
    if (d->acme)
        acme_metrics(d->acme, out);
}

static void tell_relay(void *arg, struct json_out *o)
{
    relay_status(((struct daemon *)arg)->relay, o);
}

static void tell_certificate(struct daemon *d, struct acme_status *out)
{
    struct loop_tls *tls = d->tls;

    if (d->acme) {
        acme_status(d->acme, out);
    } else if (tls) {
        loop_tls_validity(tls, &out->begins_ns, &out->ends_ns);
        out->begins_ns *= NS_PER_SECOND;
        out->ends_ns *= NS_PER_SECOND;
    }
}

static void tell_facts(void *arg, struct server_facts *out)
{
    struct daemon *d = arg;
    if (!relay_trouble(d->relay, out->relay_trouble, sizeof(out->relay_trouble)))
        out->relay_trouble[0] = '\0';
    tell_certificate(d, &out->certificate);
}

static void check_key(const struct config *c, const char *name, const char *path, struct strs *problems,
                      struct strs *notes)
{
    struct err e = {0};

    if (control_key_check(path, &e) < 0) {
        config_problem(c, problems, name, e.message);
    } else if (file_secret_is_open(path)) {
        char *text = mem_format("%s can be read by others by its own mode: only where it is keeps them from it", path);
        config_problem(c, notes, name, text);
        free(text);
    }
}

/* Finds all that a start would fail on, before it creates anything. ports: also check whether the ports are in use;
 * test: a check only, without a start. */
static int check(const struct config *c, bool ports, bool test, struct strs *problems, struct strs *notes)
{
    struct store_image image;
    struct loop_tls *tls = NULL;
    struct err e = {0};

    int rc = config_check(c, ports, problems, NULL);

    check_key(c, "noise.private_key_path", c->noise.private_key_path, problems, notes);
    check_key(c, "derp.server.private_key_path", c->derp.server.private_key_path, problems, notes);
    database_check(c, test, &image, problems);
    if (*c->tls_cert_path && access(c->tls_cert_path, R_OK) == 0 && access(c->tls_key_path, R_OK) == 0) {
        tls = loop_tls_new(c->tls_cert_path, c->tls_key_path, &e);
        if (!tls)
            config_problem(c, problems, *e.field ? e.field : "tls_cert_path", e.message);
        loop_tls_free(tls);
    }
    database_check_policy(c, &image, problems, notes);
    store_image_release(&image);
    login_check(c, test, problems, notes);
    acme_check(c, test ? problems : notes, notes);
    core_check_files(c, notes);
    relay_check_files(c, notes);
    return problems->len ? ERR_INVALID : rc;
}

static int start_inside(struct daemon *d, struct err *e)
{
    const struct config *c = d->config;
    int rc;

    if ((rc = file_make_parents(c->noise.private_key_path, 0750, e)) < 0 ||
        (rc = control_key_load(c->noise.private_key_path, d->private_key, d->public_key, e)) < 0 ||
        (rc = database_open(c, d->public_key, &d->store, e)) < 0)
        return rc;
    d->tailnet = tailnet_new();
    if ((rc = core_start(c, d->tailnet, d->store, &d->core, e)) < 0)
        return rc;
    d->netmap = netmap_new(d->tailnet);
    d->loops = loops_new((unsigned)c->tuning.session_threads, e);
    return d->loops ? loops_start(d->loops, e) : (int)e->code;
}

static int start_relay(struct daemon *d, struct relay_options *with, struct err *e)
{
    int rc = relay_start(with, &d->relay, e);

    crypto_wipe(with->private_key, sizeof(with->private_key));
    return rc;
}

/* The public listener comes last: everything that serves it is running. */
static int start_front(struct daemon *d, struct err *e)
{
    const struct config *c = d->config;
    struct front_options front = {.loops = d->loops,
                                  .arg = d,
                                  .known = is_known,
                                  .reserved = is_reserved,
                                  .control = to_control,
                                  .other = to_http};
    int rc;

    front.relay = c->derp.server.enabled ? to_relay : NULL;
    strs_push(&front.listen, c->listen_addr);
    if (d->acme) {
        front.tls = acme_tls(d->acme);
    } else if (*c->tls_cert_path) {
        front.cert_path = c->tls_cert_path;
        front.key_path = c->tls_key_path;
    }
    front.trusted_proxies = c->trusted_proxies;
    d->front = front_new(&front, e);
    strs_release(&front.listen);
    if (!d->front)
        return (int)e->code;
    d->tls = loop_tls_ref(front_tls(d->front));
    if (d->tls && (rc = relay_add_certificate(d->relay, d->tls, e)) < 0)
        return rc;
    return d->acme ? acme_begin(d->acme, e) : 0;
}

static int start_outside(struct daemon *d, struct err *e)
{
    const struct config *c = d->config;
    struct control_options control = {
        .loops = d->loops, .core = d->core, .netmap = d->netmap, .tailnet = d->tailnet, .config = c};
    struct api_options api = {.config = c,
                              .core = d->core,
                              .tailnet = d->tailnet,
                              .store = d->store,
                              .metrics = add_metrics,
                              .relay_status = tell_relay,
                              .facts = tell_facts,
                              .arg = d};
    struct relay_options relay = {
        .config = c, .loops = d->loops, .core = d->core, .tailnet = d->tailnet, .known = is_known, .arg = d};
    int rc;

    memcpy(control.private_key, d->private_key, sizeof(control.private_key));
    memcpy(api.public_key, d->public_key, sizeof(api.public_key));
    d->control = control_new(&control, e);
    crypto_wipe(control.private_key, sizeof(control.private_key));
    crypto_wipe(d->private_key, sizeof(d->private_key));
    if (!d->control)
        return (int)e->code;
    d->health = health_start(&(struct health_options){
        .loops = d->loops, .core = d->core, .control = d->control, .tailnet = d->tailnet, .config = c});
    d->readback = readback_start(&(struct readback_options){.loops = d->loops,
                                                            .core = d->core,
                                                            .control = d->control,
                                                            .netmap = d->netmap,
                                                            .tailnet = d->tailnet,
                                                            .config = c});
    api.readback = d->readback;
    api.control = d->control;
    if (acme_is_wanted(c) && (rc = acme_start(c, d->loops, &d->acme, e)) < 0)
        return rc;
    relay.tls = d->acme ? acme_tls(d->acme) : NULL;
    if ((rc = file_make_parents(c->derp.server.private_key_path, 0750, e)) < 0 ||
        (rc = control_key_load(c->derp.server.private_key_path, relay.private_key, relay.public_key, e)) < 0 ||
        (rc = start_relay(d, &relay, e)) < 0 || (rc = file_make_parents(c->unix_socket, 0750, e)) < 0 ||
        (rc = api_start(&api, &d->api, e)) < 0)
        return rc;
    return start_front(d, e);
}

static void stop(struct daemon *d)
{
    front_stop(d->front);
    api_stop(d->api);
    front_free(d->front);
    loop_tls_free(d->tls);
    relay_stop(d->relay);
    acme_stop(d->acme);
    health_stop(d->health);
    readback_stop(d->readback);
    control_free(d->control);
    health_free(d->health);
    readback_free(d->readback);
    loops_free(d->loops);
    netmap_free(d->netmap);
    core_stop(d->core);
    store_close(d->store);
    tailnet_free(d->tailnet);
    config_unref(d->config);
}

/* An unreadable configuration changes nothing. */
static void reload(struct daemon *d)
{
    struct config *fresh;
    struct strs problems = {0}, live = {0}, restart = {0};
    struct err e = {0};

    sd_notify(0, "RELOADING=1");
    if (config_load(d->config_path, &fresh, &problems, &e) < 0) {
        for (size_t i = 0; i < problems.len; i++)
            log_error("config", "%s", problems.items[i]);
        log_error("config", "the configuration was not reloaded: the one before stays in force");
    } else {
        for (size_t i = 0; i < fresh->notes.len; i++)
            log_warn("config", "%s", fresh->notes.items[i]);
        config_diff(d->config, fresh, &live, &restart);
        config_keep_until_restart(d->config, fresh);
        for (size_t i = 0; i < live.len; i++)
            log_info("config", "%s changed", live.items[i]);
        for (size_t i = 0; i < restart.len; i++)
            log_warn("config", "%s changed: it takes effect after a restart", restart.items[i]);
        set_log(fresh);
        core_reload(d->core, fresh);
        control_reload(d->control, fresh);
        health_reload(d->health, fresh);
        readback_reload(d->readback, fresh);
        relay_reload(d->relay, fresh);
        api_reload(d->api, fresh);
        if (front_reload(d->front, &e) < 0)
            log_error("front", "%s", e.message);
        config_unref(d->config);
        d->config = fresh;
    }
    strs_release(&problems);
    strs_release(&live);
    strs_release(&restart);
    sd_notify(0, "READY=1");
}

/* A storm of connections leaves holes in the heap that are worth a third of an idle client's memory, and shared bytes
 * that no client will request again. */
static void trim(struct daemon *d)
{
    struct netmap_counters n;

    netmap_trim(d->netmap);
    netmap_counters(d->netmap, &n);
    if (++d->trims < TRIM_HEAP_IN && n.full_maps - d->trimmed_at < STORM)
        return;
    malloc_trim(0);
    d->trims = 0;
    d->trimmed_at = n.full_maps;
}

/* What must be open besides the address that the configuration names: printed for a test, else logged. */
static void say_requirements(const struct config *c, bool test)
{
    struct strs needs = {0};

    relay_requirements(c, &needs);
    for (size_t i = 0; i < needs.len; i++)
        if (test)
            file_say(stderr, "Note", needs.items[i]);
        else
            log_info("relay", "%s", needs.items[i]);
    strs_release(&needs);
}

/* On the core's thread: the other threads cannot hide that the core hangs. */
static void beat(void)
{
    sd_notify(0, "WATCHDOG=1");
}

/* Waits for the signal that ends the daemon, or until its database is no longer its own. The service manager is
 * notified from the core twice per interval that it requires. */
static int wait_for_end(struct daemon *d, const sigset_t *signals)
{
    uint64_t watchdog_us = 0, us = TRIM_SECONDS * 1000000;
    bool watched = sd_watchdog_enabled(0, &watchdog_us) > 0;
    int number = 0;

    if (watched && watchdog_us / 2 < us)
        us = watchdog_us / 2;
    while (number != SIGTERM && number != SIGINT && !store_is_lost(d->store, NULL)) {
        if (watched)
            core_beat(d->core, beat);
        number = sigtimedwait(signals, NULL, &(struct timespec){(time_t)(us / 1000000), (long)(us % 1000000) * 1000});
        if (number < 0)
            trim(d);
        else if (number == SIGHUP)
            reload(d);
    }
    return number;
}

static int serve(struct daemon *d)
{
    sigset_t signals;
    struct err e = {0};
    struct strs problems = {0}, notes = {0};

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    set_log(d->config);
    if (log_start(&e) < 0)
        log_warn("start", "%s", e.message);
    for (size_t i = 0; i < d->config->notes.len; i++)
        log_info("config", "%s", d->config->notes.items[i]);
    /* Sockets that the service manager kept from the previous run occupy its ports. */
    bool kept = getenv("LISTEN_FDS") != NULL;
    bool bad = check(d->config, !kept, false, &problems, &notes) < 0;
    for (size_t i = 0; i < notes.len; i++)
        log_warn("config", "%s", notes.items[i]);
    for (size_t i = 0; i < problems.len; i++)
        log_error("start", "%s", problems.items[i]);
    strs_release(&problems);
    strs_release(&notes);
    if (bad) {
        stop(d);
        log_end();
        return 1;
    }
    unsigned long files = front_raise_files();
    front_kept_begin();
    if (start_inside(d, &e) < 0 || start_outside(d, &e) < 0) {
        log_error("start", "%s", e.message);
        stop(d);
        log_end();
        return 1;
    }
    front_kept_end();
    log_info("start", "headwayd %s serves %s on %s, administration on %s, at most %lu connections", headway_version,
             d->config->server_url, d->config->listen_addr, d->config->unix_socket, files > 64 ? files - 64 : 0);
    say_requirements(d->config, false);
    sd_notify(0, "READY=1");
    int signal_number = wait_for_end(d, &signals), status = store_is_lost(d->store, &e);
    log_write(status ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "stop", "stopping on %s",
              status ? e.message : strsignal(signal_number));
    /* Writing what is left may take as long as the unit's TimeoutStopSec. */
    sd_notify(0, "STOPPING=1\nWATCHDOG_USEC=60000000");
    stop(d);
    log_end();
    return status;
}

static int configtest(const struct config *c)
{
    struct strs problems = {0}, notes = {0};
    int status = 0;

    if (check(c, true, true, &problems, &notes) < 0) {
        say_problems(&problems, NULL);
        status = 1;
    }
    for (size_t i = 0; i < c->notes.len; i++)
        file_say(stderr, "Note", c->notes.items[i]);
    for (size_t i = 0; i < notes.len; i++)
        file_say(stderr, "Note", notes.items[i]);
    if (status == 0)
        say_requirements(c, true);
    if (status == 0 && isatty(STDOUT_FILENO))
        puts("The configuration is valid.");
    strs_release(&problems);
    strs_release(&notes);
    return status;
}

static const char *given_text(const struct flags *flags, const char *name)
{
    return flags_given(flags, name) ? flags_text(flags, name) : NULL;
}

static int migrate(const struct config *c, const struct flags *flags)
{
    struct err e;

    log_setup(LOG_LEVEL_WARN, LOG_TEXT);
    return database_migrate(c, given_text(flags, "from"), given_text(flags, "to"), stdout, &e) < 0 ? say(1, &e) : 0;
}

/* ---- called as headscale ---- */

static bool is_headscale(void)
{
    return str_eq(program_invocation_short_name, "headscale");
}

/* Owned by the caller. */
static char *find_config(const char *named)
{
    char *found = is_headscale() ? import_find_config(named, stderr) : NULL;

    return found || !named ? found : mem_strdup(named);
}

static bool is_command(const char *word)
{
    return str_eq(word, "serve") || str_eq(word, "configtest") || str_eq(word, "import") || str_eq(word, "migrate");
}

int main(int argc, char **argv)
{
    struct flags flags = {0};
    struct daemon d = {0};
    struct strs problems = {0};
    struct err e = {0};
    int status = 0;

    file_hold_standard();
    if (acme_is_hook())
        return acme_hook(argc, argv);
    if (is_headscale())
        prctl(PR_SET_NAME, "headscale"); /* tools look for the name of the program's file */
    flags_add_table(&flags, options);
    flags_add_table(&flags, import_options); /* which share the word "to" */
    flags_add_table(&flags, migrate_options);
    if (flags_parse(&flags, argc - 1, argv + 1, &e) < 0)
        return say(1, &e);
    const char *command = flags.args.len ? flags.args.items[0] : "serve";
    d.config_path = find_config(given_text(&flags, "config"));
    if (flags_switch(&flags, "help")) {
        print_help();
    } else if (flags_switch(&flags, "version") || str_eq(command, "version")) {
        printf("headwayd %s\n", headway_version);
    } else if (flags.args.len > 1 || !is_command(command)) {
        err_set(&e, ERR_INVALID, "unknown command '%s': see headwayd --help", flags.args.items[flags.args.len - 1]);
        status = say(1, &e);
    } else if (str_eq(command, "import")) {
        status = import_command(&flags);
    } else if (!str_eq(command, "migrate") && (import_flag_given(&flags) || flags_given(&flags, "from"))) {
        err_set(&e, ERR_INVALID, "these options are those of 'headwayd %s'",
                flags_given(&flags, "from") ? "migrate" : "import");
        status = say(1, &e);
    } else if (config_load(d.config_path, &d.config, &problems, &e) < 0) {
        say_problems(&problems, &e);
        status = 1;
    } else if (str_eq(command, "serve")) {
        status = serve(&d);
        d.config = NULL;
    } else if (str_eq(command, "migrate")) {
        status = migrate(d.config, &flags);
    } else {
        status = configtest(d.config);
    }
    config_unref(d.config);
    free(d.config_path);
    strs_release(&problems);
    flags_release(&flags);
    if (file_end_output(stdout, &e) < 0)
        status = say(1, &e);
    return status;
}
