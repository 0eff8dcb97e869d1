/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "shared/api_fixture.h"
#include "shared/core_rig.h"

void api_prepare(struct api_fixture *f, const char *extra)
{
    struct strs problems = {0};
    struct err e;
    char *text;

    *f = (struct api_fixture){0};
    fixture_begin(&f->store);
    snprintf(f->socket, sizeof(f->socket), "%s/h.sock", f->store.folder);
    text = mem_format("server_url: http://127.0.0.1:1\nlisten_addr: 127.0.0.1:1\nmetrics_listen_addr: \"\"\n"
                      "unix_socket: %s\nunix_socket_permission: \"0770\"\nnoise:\n  private_key_path: %s/n.key\n"
                      "dns:\n  base_domain: tail.example.com\n  override_local_dns: false\n%s",
                      f->socket, f->store.folder, extra);
    if (config_parse(text, strlen(text), "test.yaml", &f->config, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    free(text);
    f->tailnet = tailnet_new();
    if (core_start(f->config, f->tailnet, f->store.store, &f->core, &e) < 0)
        fail_msg("%s", e.message);
}

void api_go(struct api_fixture *f)
{
    struct err e;
    struct api_options options = {
        .config = f->config, .core = f->core, .tailnet = f->tailnet, .store = f->store.store, .public_key = {1, 2, 3}};
    if (api_start(&options, &f->api, &e) < 0)
        fail_msg("%s", e.message);
}

void api_begin(struct api_fixture *f, const char *extra)
{
    api_prepare(f, extra);
    api_go(f);
}

void api_end(struct api_fixture *f)
{
    api_stop(f->api);
    core_stop(f->core);
    tailnet_free(f->tailnet);
    config_unref(f->config);
    fixture_end(&f->store);
}

int api_connect(struct api_fixture *f, bool public_door)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 10};
    int fd, pair[2];

    if (public_door) {
        struct addr_port peer = {.port = 4711};
        assert_int_equal(addr_parse("192.0.2.7", &peer.addr, NULL), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        api_take_socket(f->api, pair[1], &peer, false);
        fd = pair[0];
    } else {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(str_copy(addr.sun_path, sizeof(addr.sun_path), f->socket));
        assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

void api_send(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* refused before the end: the answer says why */
        text += n;
        len -= (size_t)n;
    }
}

static size_t content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");

    return at ? (size_t)strtoul(at + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

int api_answer(int fd, struct buf *head, struct buf *body)
{
    struct buf all = BUF_INIT(0);
    const char *end = NULL;
    char block[4096];
    int status = 0;

    while (!(end = strstr(buf_text(&all), "\r\n\r\n")) ||
           all.len < (size_t)(end + 4 - all.data) + content_length(all.data)) {
        ssize_t n = recv(fd, block, sizeof(block), 0);
        if (n <= 0)
            break;
        buf_add(&all, block, (size_t)n);
    }
    if (end) {
        assert_true(str_starts(all.data, "HTTP/1.1 "));
        status = (int)strtol(all.data + 9, NULL, 10);
        assert_in_range(status, 100, 599);
        if (head)
            buf_add(head, all.data, (size_t)(end + 2 - all.data));
        buf_add(body, end + 4, all.len - (size_t)(end + 4 - all.data));
    }
    buf_release(&all);
    return status;
}

int api_ask(struct api_fixture *f, const struct api_call *call, json_t **json)
{
    int fd = api_connect(f, call->public_door), status;
    struct buf request = BUF_INIT(0), body = BUF_INIT(0);

    buf_addf(&request, "%s %s HTTP/1.1\r\nHost: headway\r\n%s", call->method, call->target,
             call->headers ? call->headers : "");
    if (call->body)
        buf_addf(&request, "Content-Length: %zu\r\n", strlen(call->body));
    buf_adds(&request, "\r\n");
    if (call->body)
        buf_adds(&request, call->body);
    api_send(fd, request.data, request.len);
    status = api_answer(fd, NULL, &body);
    close(fd);
    if (json && json_read(buf_text(&body), body.len, 64 << 20, "answer", json, NULL) < 0)
        *json = NULL;
    buf_release(&request);
    buf_release(&body);
    return status;
}

json_t *api_expect(struct api_fixture *f, int status, const char *method, const char *target, const char *body)
{
    json_t *json = NULL;
    int got = api_ask(f, &(struct api_call){.method = method, .target = target, .body = body}, &json);

    if (got != status) {
        char *text = json_compact(json);
        fail_msg("%s %s %s: %d instead of %d: %s", method, target, body ? body : "", got, status, text);
    }
    return json;
}

/* ---- nodes ---- */

static void fill_info(struct client_info *info, const char *name, const char *const *routes)
{
    *info = (struct client_info){.hostname = name,
                                 .os = "linux",
                                 .os_version = "12",
                                 .client_version = "1.102.3",
                                 .hostinfo = "{}",
                                 .peer_hostinfo = "{}",
                                 .cap_version = 142,
                                 .source = "192.0.2.9:1"};
    for (; routes && *routes; routes++) {
        struct prefix p;
        assert_int_equal(prefix_parse(*routes, &p, NULL, NULL), 0);
        prefixes_add(&info->routes, &p);
    }
}

uint64_t api_node(struct api_fixture *f, const char *user, const char *name, const char *const *routes,
                  uint64_t *session)
{
    struct core_register reg = {0};
    struct core_map map = {0};
    char *body = mem_format("{\"user\":\"%s\",\"reusable\":true}", user);
    json_t *key = api_expect(f, 200, "POST", "/api/v1/preauthkey", body);

    reg.auth_key = json_text(json_object_get(key, "preAuthKey"), "key", "");
    random_bytes(reg.machine_key, KEY_LEN);
    random_bytes(reg.node_key, KEY_LEN);
    fill_info(&reg.info, name, routes);
    if (core_rig_register(f->core, &reg) < 0)
        fail_msg("%s", reg.call.err.message);
    assert_int_equal(reg.result, REGISTER_DONE);
    json_decref(key);
    free(body);
    prefixes_release(&reg.info.routes);
    record_unref(reg.user);
    if (session) {
        memcpy(map.machine_key, reg.machine_key, KEY_LEN);
        memcpy(map.node_key, reg.node_key, KEY_LEN);
        random_bytes(map.disco_key, KEY_LEN);
        map.stream = true;
        fill_info(&map.info, name, routes);
        if (core_rig_map(f->core, &map) < 0)
            fail_msg("%s", map.call.err.message);
        *session = map.session;
        prefixes_release(&map.info.routes);
    }
    return reg.node_id;
}

int api_setup(struct api_fixture *f)
{
    api_begin(f, "");
    json_decref(api_expect(f, 200, "POST", "/api/v1/user", "{\"name\":\"alice\"}"));
    return 0;
}

int api_teardown(struct api_fixture *f)
{
    api_end(f);
    return 0;
}

const char *api_text_in(const json_t *json, const char *object, const char *key)
{
    return json_text(json_object_get(json, object), key, "");
}
