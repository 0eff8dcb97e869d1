/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/console_rig.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/screen/screen_text.h"

static void keep(void *context, const struct app_request *q)
{
    struct rig *r = context;

    struct rig_request kept = {.id = q->id,
                               .method = mem_strdup(q->method),
                               .path = mem_strdup(q->path),
                               .body = mem_strdup(q->body),
                               .version = q->version,
                               .match = q->match,
                               .whole = q->whole,
                               .result = q->result,
                               .decode = q->decode};
    if (q->background)
        vec_push(&r->asked, kept);
    else
        vec_push(&r->sent, kept);
}

static void add_route(struct buf *b, const char *prefix, const char *state, const char *primary, const char *name)
{
    bool exit = str_ends(prefix, "/0");

    buf_addf(b,
             "%s{\"prefix\":\"%s\",\"state\":\"%s\",\"exit\":%s,\"primary\":%s%s%s,\"primaryName\":\"%s\","
             "\"reason\":\"%s\",\"approvedBy\":%s}",
             b->data[b->len - 1] == '[' ? "" : ",", prefix, state, exit ? "true" : "false", *primary ? "\"" : "",
             *primary ? primary : "null", *primary ? "\"" : "", name,
             str_eq(state, "available") ? "waits for an administrator's approval" : "the oldest healthy router",
             str_eq(state, "available") ? "null" : "\"alice\"");
}

struct made_up {
    const char *name, *user, *tag;
    bool online, expired;
    const char *routes[3][4];
};

static const struct made_up people[] = {
    {"build-01", NULL, "tag:ci", true, false, {{0}}},
    {"cam-garage", NULL, "tag:iot", false, false, {{0}}},
    {"gw-ber-1",
     NULL,
     "tag:router",
     true,
     false,
     {{"10.20.0.0/16", "serving", "3", "gw-ber-1"}, {"192.168.7.0/24", "standby", "4", "gw-ber-2"}}},
    {"gw-ber-2",
     NULL,
     "tag:router",
     true,
     false,
     {{"10.20.0.0/16", "standby", "3", "gw-ber-1"}, {"192.168.7.0/24", "serving", "4", "gw-ber-2"}}},
    {"gw-fra-1",
     NULL,
     "tag:router",
     true,
     false,
     {{"172.16.0.0/12", "available", "", ""}, {"192.168.7.0/24", "unhealthy", "4", "gw-ber-2"}}},
    {"laptop-alice", "alice", NULL, true, false, {{0}}},
    {"laptop-bob", "bob", NULL, false, true, {{0}}},
    {"nas", "alice", NULL, true, false, {{"192.168.1.0/24", "available", "", ""}}},
    {"office-exit", "bob", NULL, true, false, {{"0.0.0.0/0", "serving", "", ""}, {"::/0", "serving", "", ""}}},
    {"old-router", NULL, "tag:router", false, false, {{"192.168.50.0/24", "approved", "", ""}}},
    {"\xe6\x9d\xb1\xe4\xba\xac", "carol", NULL, true, false, {{0}}},
    {"evil\\u001b[31m\\u202ename", "carol", NULL, true, false, {{0}}},
};
#define PEOPLE (ARRAY_LEN(people))

static void add_node(struct buf *b, size_t id, const struct made_up *p)
{
    char seen[TIME_TEXT_MAX], expiry[TIME_TEXT_MAX], since[TIME_TEXT_MAX];
    char *plain = p ? NULL : mem_format("node-%05zu", id);
    const char *name = p ? p->name : plain, *user = p ? p->user : "alice";
    bool online = p ? p->online : id % 4 != 0;

    time_format(RIG_NOW_NS - (online ? 0 : (int64_t)(id % 50 + 1) * 3600 * NS_PER_SECOND), seen);
    time_format(RIG_NOW_NS + (int64_t)(id % 90 + 2) * 86400 * NS_PER_SECOND, expiry);
    time_format(RIG_NOW_NS - 7200 * NS_PER_SECOND, since);
    buf_addf(b,
             "%s{\"id\":\"%zu\",\"machineKey\":\"mkey:1\",\"nodeKey\":\"nodekey:0123456789abcdef\",\"ipAddresses\":"
             "[\"100.64.%zu.%zu\",\"fd7a:115c:a1e0::%zx\"],\"name\":\"%s\",\"givenName\":\"%s\",\"lastSeen\":\"%s\","
             "\"createdAt\":\"2026-02-12T14:03:00Z\",\"online\":%s,\"expired\":%s,\"healthy\":true,\"priority\":100,"
             "\"version\":%zu,"
             "\"since\":\"%s\",\"os\":\"linux\",\"osVersion\":\"12\",\"clientVersion\":\"1.82.0-t0123\","
             "\"capVersion\":113,\"relay\":1,\"relayName\":\"ber\",\"source\":\"203.0.113.7:51000\","
             "\"endpoints\":[\"203.0.113.7:41641\"],\"fqdn\":\"%s.example.com\"",
             b->data[b->len - 1] == '[' ? "" : ",", id, id / 256, id % 256, id, name, name, seen,
             online ? "true" : "false", p && p->expired ? "true" : "false", id + 10, since, name);
    if (user)
        buf_addf(b, ",\"expiry\":\"%s\",\"user\":{\"id\":\"%d\",\"name\":\"%s\"},\"tags\":[]", expiry,
                 str_eq(user, "alice") ? 1
                 : str_eq(user, "bob") ? 2
                                       : 3,
                 user);
    else
        buf_addf(b, ",\"expiry\":null,\"user\":null,\"tags\":[\"%s\"]", p->tag);
    buf_adds(b, ",\"routes\":[");
    for (int i = 0; p && i < 3 && p->routes[i][0]; i++)
        add_route(b, p->routes[i][0], p->routes[i][1], p->routes[i][2], p->routes[i][3]);
    buf_adds(b, "]}");
    free(plain);
}

static const char rest[] =
    "],\"users\":[{\"id\":\"1\",\"name\":\"alice\",\"displayName\":\"Alice Example\",\"email\":\"alice@example.com\","
    "\"role\":\"owner\",\"version\":1,\"nodeCount\":2,\"createdAt\":\"2025-12-01T00:00:00Z\"},{\"id\":\"2\",\"name\":"
    "\"bob\",\"role\":\"member\",\"version\":1,\"nodeCount\":2,\"createdAt\":\"2026-01-01T00:00:00Z\"},{\"id\":\"3\","
    "\"name\":\"carol\",\"role\":\"member\",\"version\":1,\"nodeCount\":2,\"createdAt\":\"2026-02-01T00:00:00Z\"}],"
    "\"preAuthKeys\":[{\"id\":\"9\",\"user\":{\"id\":\"1\",\"name\":\"alice\"},\"key\":\"hskey-auth-0123456789ab-***\","
    "\"reusable\":true,\"ephemeral\":false,\"used\":true,\"expiration\":\"2026-06-01T00:00:00Z\",\"createdAt\":"
    "\"2026-02-12T00:00:00Z\",\"aclTags\":[\"tag:router\"]}],\"apiKeys\":[{\"id\":\"1\",\"prefix\":"
    "\"hskey-api-0123456789ab-***\",\"expiration\":\"2026-06-01T00:00:00Z\",\"createdAt\":\"2026-02-20T00:00:00Z\","
    "\"lastSeen\":null,\"description\":\"terraform\",\"readOnly\":true}],\"pending\":[{\"authId\":"
    "\"hskey-authreq-0123456789abcdef01234567\",\"kind\":\"register\",\"hostname\":\"kiosk\",\"os\":\"linux\","
    "\"clientVersion\":\"1.82.0\",\"source\":\"198.51.100.23:40112\",\"requestTags\":[\"tag:iot\"],\"routes\":[],"
    "\"createdAt\":\"2026-03-03T14:02:48Z\",\"expiresAt\":\"2026-03-03T14:20:00Z\",\"command\":\"headway auth register "
    "--auth-id hskey-authreq-0123456789abcdef01234567 --user NAME\"}],\"prefixes\":[{\"prefix\":\"10.20.0.0/16\","
    "\"exit\":false,\"primary\":\"3\",\"primaryName\":\"gw-ber-1\",\"since\":\"2026-03-03T12:00:00Z\",\"routers\":["
    "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"serving\",\"reason\":\"the oldest healthy router\"},{\"node\":"
    "\"4\",\"name\":\"gw-ber-2\",\"state\":\"standby\",\"reason\":\"gw-ber-1 serves it\"}],\"failback\":"
    "\"priority\",\"keep\":false,\"holdDown\":\"30s\",\"failbackDelay\":\"5m\",\"own\":[\"failback\"],\"version\":4},"
    "{\"prefix\":"
    "\"172.16.0.0/"
    "12\",\"exit\":false,\"primary\":null,\"primaryName\":null,\"since\":null,\"routers\":[{\"node\":\"5\","
    "\"name\":\"gw-fra-1\",\"state\":\"available\",\"reason\":\"waits for an administrator's approval\"}]},{\"prefix\":"
    "\"192.168.7.0/"
    "24\",\"exit\":false,\"primary\":\"4\",\"primaryName\":\"gw-ber-2\",\"since\":\"2026-03-03T11:52:07Z\","
    "\"routers\":[{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"standby\",\"reason\":\"gw-ber-2 serves it\"},"
    "{\"node\":\"4\",\"name\":\"gw-ber-2\",\"state\":\"serving\",\"reason\":\"took over at 11:52:07\"},{\"node\":\"5\","
    "\"name\":\"gw-fra-1\",\"state\":\"unhealthy\",\"reason\":\"answers no probe\"}]}]}";

static const char history[] =
    "{\"events\":[{\"id\":\"1.38\",\"time\":\"2026-03-03T11:52:07Z\",\"kind\":\"route.failover\",\"actor\":\"server\","
    "\"object\":\"prefix\",\"objectId\":null,\"objectName\":\"192.168.7.0/24\",\"text\":\"192.168.7.0/24 went from "
    "gw-fra-1 to gw-ber-2: no answer\",\"inverse\":null},{\"id\":\"1.39\",\"time\":\"2026-03-03T13:58:30Z\",\"kind\":"
    "\"route.advertised\",\"actor\":\"node "
    "gw-fra-1\",\"object\":\"node\",\"objectId\":\"5\",\"objectName\":\"gw-fra-1\","
    "\"text\":\"gw-fra-1 advertises "
    "172.16.0.0/12\",\"inverse\":null},{\"id\":\"1.40\",\"time\":\"2026-03-03T14:01:55Z\","
    "\"kind\":\"route.approved\",\"actor\":\"alice\",\"object\":\"node\",\"objectId\":\"4\",\"objectName\":\"gw-ber-"
    "2\","
    "\"text\":\"10.20.0.0/16 was approved on gw-ber-2\",\"detail\":{\"approve\":[\"10.20.0.0/16\"]},\"inverse\":{"
    "\"method\":\"POST\",\"path\":\"/api/headway/nodes/4/routes\",\"body\":{\"revoke\":[\"10.20.0.0/16\"]}}}]}";

static json_t *parse(const char *text)
{
    json_t *root = NULL;
    struct err e = {0};

    if (json_read_large(text, strlen(text), 1 << 28, "test", &root, &e) < 0) {
        fprintf(stderr, "the test's own JSON: %s\n", e.message);
        abort();
    }
    return root;
}

void rig_init(struct rig *r, size_t nodes)
{
    struct buf b = BUF_INIT(0);
    struct model_delta d = {0};

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    tzset();
    *r = (struct rig){.now_ms = 1000000};
    app_init(&r->app);
    r->app.net = (struct app_net){.send = keep, .context = r};
    app_time(&r->app, RIG_NOW_NS, r->now_ms);
    buf_adds(&b, "{\"event\":\"1.40\",\"time\":\"2026-03-03T14:03:00Z\",\"server\":{\"url\":\"http://127.0.0.1\","
                 "\"version\":\"1\",\"baseDomain\":\"example.com\",\"policyMode\":\"database\"},\"nodes\":[");
    for (size_t id = 1; id <= (nodes > PEOPLE ? nodes : PEOPLE); id++)
        add_node(&b, id, id <= PEOPLE ? &people[id - 1] : NULL);
    buf_adds(&b, rest);
    json_t *root = parse(b.data);
    if (decode_snapshot(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    json_decref(root);
    root = parse(history);
    if (decode_events(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    json_decref(root);
    buf_release(&b);
    app_connection(&r->app, CONN_LIVE, "", 0);
    app_whoami(&r->app, "alice", false);
    rig_draw(r, 24, 80);
}

static void request_free(struct rig_request *q)
{
    free(q->method);
    free(q->path);
    free(q->body);
}

void rig_release(struct rig *r)
{
    for (size_t i = 0; i < r->sent.len; i++)
        request_free(&r->sent.items[i]);
    for (size_t i = 0; i < r->asked.len; i++)
        request_free(&r->asked.items[i]);
    vec_release(&r->sent);
    vec_release(&r->asked);
    app_release(&r->app);
}

void rig_json(struct rig *r, const char *message)
{
    json_t *root = parse(message);
    struct model_delta d = {0};

    if (decode_message(root, &d, NULL) == 0)
        app_delta(&r->app, &d);
    json_decref(root);
}

void rig_keys(struct rig *r, const char *script)
{
    struct key_script keys = {0};

    if (keys_parse(script, &keys, NULL) < 0)
        abort();
    for (size_t i = 0; i < keys.len; i++)
        app_key(&r->app, keys.items[i]);
    vec_release(&keys);
}

static void answer(struct rig *r, const struct rig_request *q, int status, const char *json)
{
    json_t *root = parse(json);
    struct err why = {0};
    struct reply reply;

    err_set(&why, status == 412 ? ERR_PRECONDITION : ERR_CONFLICT, "%s",
            json_text(json_object_get(root, "error"), "message", ""));
    struct model_delta read = {0};
    if (q->decode && status < 300 && q->decode(root, &read, &why) < 0)
        status = 0;
    decode_reply(status, root, &why, q->result, &reply);
    reply.read = read;
    reply.json = q->whole ? json_incref(root) : NULL;
    app_reply(&r->app, q->id, &reply);
    json_decref(root);
}

void rig_answer(struct rig *r, size_t request, int status, const char *json)
{
    answer(r, &r->sent.items[request], status, json);
}

bool rig_tell(struct rig *r, const char *what, int status, const char *json)
{
    bool found = false;

    for (size_t i = 0; i < r->asked.len;) {
        struct rig_request q = r->asked.items[i];
        char *text = mem_format("%s %s %s", q.method, q.path, q.body);
        bool meant = strstr(text, what) != NULL;

        free(text);
        found |= meant;
        i += !meant;
        if (!meant)
            continue;
        vec_remove(&r->asked, i);
        answer(r, &q, status, json);
        request_free(&q);
    }
    return found;
}

/* The requests of lists that are not in the snapshot. */
static const struct {
    const char *path, *json;
} asked_lists[] = {
    {"/api/headway/oauth-clients",
     "{\"oauthClients\":[{\"id\":\"1\",\"clientId\":\"0a1b2c3d4e5f\",\"description\":\"k8s operator\",\"scopes\":["
     "\"auth_keys\",\"devices:core\"],\"tags\":[\"tag:k8s\"],\"createdAt\":\"2026-02-01T00:00:00Z\",\"lastSeen\":"
     "\"2026-03-03T13:00:00Z\",\"version\":5,\"key\":null},{\"id\":\"2\",\"clientId\":\"ffee00112233\",\"description\":"
     "\"evil\\u001b[31m\\u202ename\",\"scopes\":[\"all:read\"],\"tags\":[],\"createdAt\":\"2026-03-02T14:03:00Z\","
     "\"lastSeen\":null,\"version\":1,\"key\":null}]}"},
    {"/api/headway/identities",
     "{\"identities\":[{\"userId\":\"1\",\"user\":\"alice\",\"provider\":\"corp\",\"issuer\":\"https://"
     "id.example.com\","
     "\"subject\":\"248289761001\",\"createdAt\":\"2026-01-01T00:00:00Z\",\"lastLogin\":\"2026-03-03T12:03:00Z\","
     "\"groupsSeen\":\"2026-03-03T13:03:00Z\",\"refreshes\":true,\"lastRefresh\":\"2026-03-03T13:03:00Z\",\"trouble\":"
     "\"\","
     "\"groups\":[\"eng\",\"ops\"]},{\"userId\":\"3\",\"user\":\"carol\",\"provider\":\"corp\",\"issuer\":"
     "\"https://id.example.com\",\"subject\":\"evil\\u001b[31m\\u202ename\",\"createdAt\":\"2026-02-01T00:00:00Z\","
     "\"lastLogin\":null,\"refreshes\":true,\"lastRefresh\":\"2026-03-01T13:03:00Z\",\"trouble\":\"id.example.com did "
     "not "
     "answer\",\"groups\":[]}]}"},
    {"/api/headway/dns",
     "{\"magicDNS\":true,\"overrideLocalDNS\":false,\"nameservers\":[\"9.9.9.9\",\"1.1.1.1\"],\"splitDNS\":{\"corp."
     "example\":["
     "\"10.0.0.53\"],\"evil\\u001b[31m\\u202e.example\":[\"10.0.0.54\"],\"lan.example\":[]},\"searchDomains\":[],"
     "\"set\":["
     "\"nameservers\",\"splitDNS\"],\"configured\":{\"magicDNS\":true,\"overrideLocalDNS\":false,\"nameservers\":["
     "\"192.168.1.1\"],\"splitDNS\":{\"corp.example\":[\"10.0.0.1\"]},\"searchDomains\":[]},\"baseDomain\":\"example."
     "com\","
     "\"extraRecords\":3,\"extraRecordsPath\":\"\",\"updatedAt\":\"2026-03-03T13:03:00Z\",\"version\":4}"},
    {"/api/headway/webhooks",
     "{\"webhooks\":[{\"id\":\"1\",\"endpointUrl\":\"https://hooks.example.com/"
     "headway\",\"providerType\":\"\",\"creator\":"
     "\"alice\",\"createdAt\":\"2026-02-01T00:00:00Z\",\"subscriptions\":[\"categoryRoutes\",\"nodeCreated\"],"
     "\"version\":7,"
     "\"failing\":false,\"lastTry\":\"2026-03-03T13:00:00Z\",\"lastDelivery\":\"2026-03-03T13:00:00Z\",\"lastStatus\":"
     "200,"
     "\"delivered\":41,\"dropped\":0},{\"id\":\"2\",\"endpointUrl\":\"https://chat.example.com/secret-path\","
     "\"providerType\":\"slack\",\"creator\":\"bob\",\"createdAt\":\"2026-02-01T00:00:00Z\",\"subscriptions\":["
     "\"categoryTailnetManagement\"],\"version\":1,\"failing\":true,\"lastTry\":\"2026-03-03T14:02:00Z\","
     "\"failingSince\":"
     "\"2026-03-03T11:03:00Z\",\"nextTry\":\"2026-03-03T14:10:00Z\",\"lastStatus\":500,\"failures\":9,\"dropped\":12,"
     "\"lastError\":\"evil\\u001b[31m\\u202etext\"}]}"},
};

void rig_lists(struct rig *r)
{
    if (!app_part(&r->app)->asked)
        return;
    rig_draw(r, 24, 80);
    for (size_t i = 0; i < ARRAY_LEN(asked_lists); i++)
        rig_tell(r, asked_lists[i].path, 200, asked_lists[i].json);
}

size_t rig_last(const struct rig *r)
{
    if (!r->sent.len)
        abort();
    return r->sent.len - 1;
}

void rig_pass(struct rig *r, int64_t ms)
{
    r->now_ms += ms;
    app_time(&r->app, RIG_NOW_NS + (r->now_ms - 1000000) * 1000000, r->now_ms);
}

void rig_draw(struct rig *r, int rows, int cols)
{
    app_draw(&r->app, rows, cols);
}

char *rig_screen(struct rig *r, int rows, int cols)
{
    struct buf out = BUF_INIT(0);

    rig_draw(r, rows, cols);
    screen_text(&r->app.canvas, &out);
    return buf_take(&out);
}

bool rig_shows(struct rig *r, const char *text)
{
    char *screen = rig_screen(r, 24, 80);
    bool found = strstr(screen, text) != NULL;

    if (!found)
        fprintf(stderr, "'%s' is not on this screen:\n%s", text, screen);
    free(screen);
    return found;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    struct buf b = BUF_INIT(0);
    char piece[4096];
    size_t n;

    while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&b, piece, n);
    if (f)
        fclose(f);
    return buf_take(&b);
}

bool rig_golden(struct rig *r, const char *name, int rows, int cols)
{
    char *path = mem_format("tests/console/golden/%s.screen", name);
    char *now = rig_screen(r, rows, cols), *was = read_file(path);
    bool same = str_eq(now, was);
    FILE *f = getenv("UPDATE") ? fopen(path, "we") : NULL;

    if (f) {
        same = fputs(now, f) >= 0;
        fclose(f);
    } else if (!same) {
        fprintf(stderr, "%s was:\n%s\nand is:\n%s\n", path, was, now);
    }
    free(now);
    free(was);
    free(path);
    return same;
}

const char *rig_cursor(struct rig *r)
{
    const struct row *row = app_list(&r->app)->cursor;

    return row ? row->key : "";
}
