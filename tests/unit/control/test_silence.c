/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration keys that turn off requests to clients, one case each. Next to an instance with the key off runs one
 * with the key on: it has the same reasons at the same times, so once it has asked, the other one would have too. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "control/control.h"
#include "health/health.h"
#include "readback/moves.h"
#include "readback/readback.h"
#include "shared/daemon_fixture.h"

#define LAN "10.7.0.0/16"

static struct config *config_with(bool enabled, bool read_back)
{
    static const char text[] = "server_url: http://127.0.0.1:8080\nlisten_addr: 127.0.0.1:8080\n"
                               "dns:\n  base_domain: tn.example.com\n  override_local_dns: false\n";
    struct strs problems = {0};
    struct config *c = NULL;
    struct err e = {0};

    if (config_parse(text, sizeof(text) - 1, "/tmp/test.yaml", &c, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    c->node.probe.enabled = enabled;
    c->node.probe.read_back = read_back;
    c->node.ha.probe_interval = 0;
    return c;
}

/* Questions whose text has what, of those that the client heard from a place in its messages on. */
static size_t heard(struct test_client *c, size_t from, const char *what)
{
    size_t count = 0;

    pthread_mutex_lock(&test_daemon_lock);
    for (size_t i = from; i < c->messages.len; i++)
        count += strstr(c->messages.items[i], "PingRequest") && strstr(c->messages.items[i], what);
    pthread_mutex_unlock(&test_daemon_lock);
    return count;
}

static size_t messages(struct test_client *c)
{
    pthread_mutex_lock(&test_daemon_lock);
    size_t len = c->messages.len;
    pthread_mutex_unlock(&test_daemon_lock);
    return len;
}

static void await_questions(struct test_client *c, const char *what, size_t count)
{
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; heard(c, 0, what) < count; sched_yield())
        if (clock_mono_ms() > stop)
            fail_msg("%zu of %zu questions", heard(c, 0, what), count);
}

/* Refuses what was asked since the place. */
static void refuse_questions(struct test_client *c, size_t *from)
{
    for (size_t len = messages(c); *from < len; ++*from) {
        char path[128] = "";
        pthread_mutex_lock(&test_daemon_lock);
        const char *at = strstr(c->messages.items[*from], "/machine/c2n/");
        if (at)
            snprintf(path, sizeof(path), "%.*s", (int)strcspn(at, "\""), at);
        pthread_mutex_unlock(&test_daemon_lock);
        if (*path)
            (void)test_client_call(c, "POST", path, mem_strdup("HTTP/1.1 400 Bad Request\r\n\r\n"));
    }
}

static void approve(const struct test_client *c, bool on)
{
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT, .id = test_client_id(c)};
    struct prefix p;

    assert_int_equal(prefix_parse(LAN, &p, NULL, NULL), 0);
    prefixes_add(on ? &a.prefixes : &a.revoke, &p);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

static void start(struct test_client *c, const char *name, bool router)
{
    test_client_start(c, name);
    c->version = 130;
    test_client_join(c);
    test_client_poll(c, router ? ",\"RoutableIPs\":[\"" LAN "\"]" : "");
    json_decref(test_client_hear(c));
    if (router)
        approve(c, true);
}

/* ---- node.routes.probe.enabled: health ---- */

static struct health *health_with(const struct config *config)
{
    return health_start(&(struct health_options){.loops = test_daemon.loops,
                                                 .core = test_daemon.core,
                                                 .control = test_daemon.control,
                                                 .tailnet = test_daemon.tailnet,
                                                 .config = config});
}

static bool has_asked(struct health *h, const char *line)
{
    struct buf text = BUF_INIT(0);

    health_metrics(h, &text);
    bool has = strstr(buf_text(&text), line) != NULL;
    buf_release(&text);
    return has;
}

static void nobody_is_asked_for_health(void **state)
{
    static struct test_client r;
    struct config *off = config_with(false, false), *on = config_with(true, false);

    (void)state;
    struct health *silent = health_with(off), *asking = health_with(on);
    start(&r, "r", true);
    await_questions(&r, "/machine/c2n/", 1);
    approve(&r, false); /* a reason to ask soon */
    await_questions(&r, "/machine/c2n/", 2);
    assert_true(has_asked(silent, "headway_health_questions_total 0\n"));
    assert_true(has_asked(asking, "headway_health_questions_total 2\n"));
    assert_int_equal(heard(&r, 0, "/machine/c2n/"), 2);
    health_stop(asking);
    health_stop(silent);
    size_t from = 0;
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000;
         !has_asked(asking, "headway_health_questions_failed_total 2\n"); sched_yield()) {
        refuse_questions(&r, &from);
        assert_true(clock_mono_ms() < stop);
    }
    health_free(silent);
    health_free(asking); /* nothing that it asked is open */
    test_client_leave(&r);
    config_unref(off);
    config_unref(on);
}

/* ---- node.routes.probe.read_back ---- */

static struct readback *readback_with(const struct config *config)
{
    return readback_start(&(struct readback_options){.loops = test_daemon.loops,
                                                     .core = test_daemon.core,
                                                     .control = test_daemon.control,
                                                     .netmap = test_daemon.netmap,
                                                     .tailnet = test_daemon.tailnet,
                                                     .config = config});
}

static uint64_t asked_by(struct readback *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t asked = r->questions + r->asking + r->preferences_asked + r->preferences.len;
    pthread_mutex_unlock(&r->lock);
    return asked;
}

static void end_readback(struct readback *r, struct test_client *const clients[3])
{
    size_t from[3] = {0};
    bool open = true;

    readback_stop(r);
    for (; open; sched_yield()) {
        for (size_t i = 0; i < 3; i++)
            refuse_questions(clients[i], &from[i]);
        pthread_mutex_lock(&r->lock);
        open = r->asking || r->preferences_asked;
        pthread_mutex_unlock(&r->lock);
    }
    readback_free(r);
}

static void move_to(const struct test_client *c)
{
    struct core_admin a = {.op = ADMIN_PRIMARY, .id = test_client_id(c)};
    struct prefix p;

    assert_int_equal(prefix_parse(LAN, &p, NULL, NULL), 0);
    prefixes_add(&a.prefixes, &p);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

/* Neither which router they use after a move, nor whether they accept routes. */
static void nobody_is_asked_what_it_follows(void **state)
{
    static struct test_client r1, r2, viewer;
    struct config *off = config_with(true, false), *on = config_with(true, true);

    (void)state;
    start(&r1, "r1", true);
    start(&r2, "r2", true);
    start(&viewer, "viewer", false);
    struct readback *silent = readback_with(off), *asking = readback_with(on);
    move_to(&r2);
    await_questions(&viewer, "/machine/c2n/", 2); /* of the move, and whether it accepts routes */
    assert_int_equal(asked_by(silent), 0);
    assert_true(asked_by(asking) >= 2);
    assert_int_equal(heard(&viewer, 0, "/machine/c2n/"), 2);
    end_readback(silent, (struct test_client *const[]){&r1, &r2, &viewer});
    end_readback(asking, (struct test_client *const[]){&r1, &r2, &viewer});
    test_client_leave(&viewer);
    test_client_leave(&r2);
    test_client_leave(&r1);
    config_unref(off);
    config_unref(on);
}

/* ---- node.routes.ha.probe_interval: 0 ---- */

static void set_probes(int64_t interval_ns)
{
    struct config *c = config_with(true, false);

    c->node.ha.probe_interval = interval_ns;
    c->node.ha.probe_timeout = NS_PER_SECOND;
    control_reload(test_daemon.control, c);
    config_unref(c);
}

/* As a client does; the next question comes soon after. */
static void answer_probe(struct test_client *c)
{
    static char path[160];

    for (bool found = false; !found;) {
        json_t *m = test_client_hear(c);
        const char *url = json_text(json_object_get(m, "PingRequest"), "URL", ""), *at = strstr(url, "/machine/ping");
        found = at != NULL;
        if (found)
            snprintf(path, sizeof(path), "%s", at);
        json_decref(m);
    }
    assert_int_equal(test_client_call(c, "HEAD", path, mem_strdup("")), 200);
}

static void no_client_is_probed(void **state)
{
    static struct test_client r;

    (void)state;
    set_probes(0);
    start(&r, "r", true);
    set_probes(NS_PER_MS); /* less than an administrator may say */
    for (int i = 0; i < 5; i++)
        answer_probe(&r);
    set_probes(0);
    approve(&r, false); /* what the stream says of it comes after what was on its way */
    test_client_hears(&r, "\"Node\":");
    size_t from = messages(&r);
    for (int i = 0; i < 51; i++) { /* each takes longer than an interval */
        approve(&r, i % 2 == 0);
        assert_int_equal(test_client_call(&r, "POST", "/machine/map", test_client_request(&r, ",\"OmitPeers\":true")),
                         200);
    }
    assert_int_equal(heard(&r, from, "/machine/ping-response"), 0);
    set_probes(NS_PER_MS);
    test_client_ignore_all(&r);
    answer_probe(&r);
    control_reload(test_daemon.control, test_daemon.config);
    test_client_leave(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_asked_for_health),
        cmocka_unit_test(nobody_is_asked_what_it_follows),
        cmocka_unit_test(no_client_is_probed),
    };

    return cmocka_run_group_tests(tests, test_daemon_set_up, test_daemon_tear_down);
}
