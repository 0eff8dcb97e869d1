/* SPDX-License-Identifier: BSD-3-Clause */
/* libmicrohttpd: three daemons, one for each listener, move bytes between sockets and requests. A connection is
 * suspended while its request is served. A request as a whole has a deadline, even if bytes keep trickling in. */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "http/answer.h"
#include "http/conns.h"
#include "http/encoding.h"
#include "http/endless.h"
#include "http/origin.h"
#include "http/server.h"
#include "net/forwarded.h"
#include "net/sockaddr.h"

#define IDLE_SECONDS    30
#define CONNECTION_POOL 32768                     /* bytes: the request's head and buffers */
#define DISCARD_MAX     ((size_t)8 * 1024 * 1024) /* of a body that is too large */
#define REFUSED_MAX     ((size_t)64 * 1024)       /* of the body of a refused request */
#define DRAIN_SECONDS   2
#define PUBLIC_MAX      1024 /* connections, three files each: the client and a local socket pair */
#define PUBLIC_PART     16   /* part of the files that may be open */
#define UNIX_MAX        256
#define METRICS_MAX     64
#define LISTENED_PART   8    /* likewise, for each of these two */
#define LOOK_MS         1000 /* between looks for overdue connections; trickling ones are not urgent */
/* libmicrohttpd must never reach its own limit: a thread of its pool that does locks itself out for good. */
#define BOUND_FACTOR 8

struct http_daemon { /* the argument of a daemon's callbacks */
    struct http *h;
    enum http_listener listener;
    struct MHD_Daemon *_Atomic daemon;
    struct http_conns *conns;
};

struct http_server {
    struct http_daemon daemons[3]; /* public, unix, metrics */
    struct http_endless *endless;
    struct thread ender; /* closes overdue connections while no new ones arrive, and answers that lost their client */
    char *unix_path;
    atomic_bool refusing;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t quiet;
    bool stopping;
    size_t open; /* requests whose answer has not been sent yet */
};
enum { PUBLIC, UNIX, METRICS };

/* libmicrohttpd's context of a request. */
struct http_exchange {
    struct http_request *request; /* NULL: it was answered at once */
    struct MHD_Connection *connection;
    struct http_conns *conns;
    struct http_conn *conn;
    struct http_endless *endless;
    char *target;
    size_t received;
    enum { HEAD, ADMISSION, BODY, SERVICE, REFUSED } stage;
    bool admitted; /* libmicrohttpd will report the head once more before it reads the body */
    bool drops; /* a small announced body is read even if the head is refused: a client that is still writing when its
                   connection is closed never sees the answer */
};

static void count_open(struct http_server *s, bool more)
{
    pthread_mutex_lock(&s->lock);
    s->open = more ? s->open + 1 : s->open - 1;
    if (!s->open)
        pthread_cond_broadcast(&s->quiet);
    pthread_mutex_unlock(&s->lock);
}

static struct http_conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* The address at the other end; for the unix socket, an address of this machine. */
static struct addr address_of(const struct http_daemon *d, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct addr_port from = {.addr = {.bits = 32, .bytes = {127, 0, 0, 1}}};
    union address at = {0};

    if (peer && d->listener != HTTP_UNIX) {
        memcpy(&at, peer->client_addr, peer->client_addr->sa_family == AF_INET6 ? sizeof(at.in6) : sizeof(at.in));
        from_sockaddr(&at, &from);
    }
    return from.addr;
}

/* Called when connections open and close. */
static void note_connection(void *arg, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode what)
{
    struct http_daemon *d = arg;
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            http_conns_remove(d->conns, *context);
    } else if (d->listener == HTTP_PUBLIC) {
        *context = http_conns_started(d->conns, fd);
    } else {
        struct addr from = address_of(d, connection);
        *context = http_conns_accepted(d->conns, fd, &from);
    }
}

static void *note_target(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct http_daemon *d = arg;
    struct http_exchange *x = mem_alloc(sizeof(*x));

    x->connection = connection;
    x->target = mem_strndup(uri, HTTP_TARGET_MAX + 1);
    x->conns = d->conns;
    x->endless = d->h->server->endless;
    x->conn = conn_of(connection);
    if (x->conn)
        http_conns_wait(x->conns, x->conn);
    count_open(d->h->server, true);
    return x;
}

/* Keeps escapes: the router cuts the path first. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static void exchange_over(void *arg, struct MHD_Connection *connection, void **req_cls,
                          enum MHD_RequestTerminationCode why)
{
    struct http_exchange *x = *req_cls;

    (void)connection;
    (void)why;
    if (!x)
        return;
    if (x->request)
        http_request_free(x->request);
    if (x->conn)
        http_conns_answered(x->conns, x->conn);
    free(x->target);
    free(x);
    *req_cls = NULL;
    count_open(arg, false);
}

/* ---- in ---- */

static char *header(struct MHD_Connection *c, const char *name)
{
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

    return value ? mem_strndup(value, 1024) : NULL;
}

/* Joins all lines of a list with commas; NULL: there are none. */
static enum MHD_Result join_line(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct buf *all = arg;

    (void)kind;
    if (value && strcasecmp(name, "X-Forwarded-For") == 0)
        buf_addf(all, "%s%s", all->len ? "," : "", value);
    return MHD_YES;
}

/* The client: the other end of the socket, or the address that a trusted proxy reports. */
static void note_peer(struct http_request *r, struct MHD_Connection *c, const struct sockaddr *addr)
{
    struct buf list = BUF_INIT(HTTP_TARGET_MAX);
    union address from = {0};
    struct addr_port peer = {0};
    struct forwarded said = {.x_real_ip = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Real-IP"),
                             .true_client_ip = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "True-Client-IP")};

    memcpy(&from, addr, addr->sa_family == AF_INET6 ? sizeof(from.in6) : sizeof(from.in));
    from_sockaddr(&from, &peer);
    MHD_get_connection_values(c, MHD_HEADER_KIND, join_line, &list);
    said.x_forwarded_for = list.len ? buf_text(&list) : NULL;
    r->peer_is_local = addr_is_loopback(&peer.addr) && !said.x_forwarded_for && !said.x_real_ip && !said.true_client_ip;
    forwarded_client(&r->http->with.trusted_proxies, &said, &peer);
    addr_format(&peer.addr, r->peer);
    buf_release(&list);
}

static void read_length(struct http_request *r, struct MHD_Connection *c)
{
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    uint64_t announced = 0;

    if (length && str_u64(length, 0, UINT64_MAX, &announced, "Content-Length", NULL) < 0)
        announced = UINT64_MAX;
    bool chunked = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Transfer-Encoding") != NULL;
    r->body_follows = announced > 0 || chunked;
    r->exchange->drops = announced <= REFUSED_MAX && !chunked;
    r->too_large = announced > r->body.max;
}

static struct http_request *read_head(struct http_daemon *d, struct http_exchange *x, const char *method)
{
    struct http_request *r = http_request_new(d->h);
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    r->exchange = x;
    r->listener = d->listener;
    r->began_us = clock_mono_us();
    str_copy(r->method, sizeof(r->method), method);
    r->target = mem_strdup(x->target);
    r->authorization = header(x->connection, "Authorization");
    r->if_match = header(x->connection, "If-Match");
    r->idempotency_key = header(x->connection, "Idempotency-Key");
    r->last_event_id = header(x->connection, "Last-Event-ID");
    r->accept = header(x->connection, "Accept");
    r->content_type = header(x->connection, "Content-Type");
    r->cookie = header(x->connection, "Cookie");
    r->takes_zstd = encoding_takes_zstd(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Accept-Encoding"));
    r->origin_counts = d->listener == HTTP_PUBLIC && d->h->with.cors_origins.len;
    if (r->origin_counts)
        r->origin = origin_find(&d->h->with.cors_origins,
                                MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Origin"));
    if (d->listener == HTTP_UNIX && fd)
        r->peer_fd = fd->connect_fd;
    r->peer_is_local = d->listener == HTTP_UNIX;
    if (peer && d->listener != HTTP_UNIX)
        note_peer(r, x->connection, peer->client_addr);
    r->path = arena_strndup(&r->arena, r->target, strcspn(r->target, "?"));
    http_find(r, r->method, r->path);
    r->body.max = r->route && r->route->body_max ? r->route->body_max : HTTP_BODY_MAX;
    read_length(r, x->connection);
    return r;
}

void http_exchange_resume(struct http_request *r)
{
    struct http_exchange *x = r->exchange;

    if (x->stage == ADMISSION) {
        x->stage = r->status ? REFUSED : BODY;
        x->admitted = !r->status || x->drops;
    }
    MHD_resume_connection(x->connection);
}

static enum MHD_Result answer(struct http_exchange *x)
{
    if (x->conn && !x->request->source)
        http_conns_answer(x->conns, x->conn);
    return answer_request(x->connection, x->request, x->endless);
}

/* ---- the callback ---- */

static enum MHD_Result begin(struct http_daemon *d, struct http_exchange *x, const char *method)
{
    if (strlen(x->target) > HTTP_TARGET_MAX)
        return answer_plain(x->connection, MHD_HTTP_URI_TOO_LONG, "the target is too long\n");
    if (strlen(method) >= sizeof(x->request->method))
        return answer_plain(x->connection, MHD_HTTP_NOT_IMPLEMENTED, "unknown method\n");
    x->request = read_head(d, x, method);
    if (origin_is_preflight(x->connection, x->request)) {
        x->stage = SERVICE;
        origin_answer_preflight(x->request);
        return answer(x);
    }
    x->stage = x->request->body_follows ? ADMISSION : BODY;
    if (x->stage == ADMISSION) {
        MHD_suspend_connection(x->connection);
        http_request_admit(x->request);
    }
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_exchange *x, const char *bytes, size_t *len)
{
    struct http_request *r = x->request;

    x->received += *len;
    if (x->received > DISCARD_MAX + r->body.max)
        return MHD_NO;
    r->too_large = r->too_large || x->received > r->body.max;
    if (r->too_large)
        buf_release(
            &r->body); /* the rest is read and dropped: many clients send everything before they read the answer */
    else
        buf_add(&r->body, bytes, *len);
    *len = 0;
    return MHD_YES;
}

/* Reads the body, if any, of a refused head; then answers. */
static enum MHD_Result refuse(struct http_exchange *x, size_t *len)
{
    x->received += *len;
    if (*len && (!x->drops || x->received > REFUSED_MAX))
        return MHD_NO;
    if (!*len && !x->admitted)
        return answer(x);
    x->admitted = false;
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result serve(struct http_exchange *x)
{
    x->stage = SERVICE;
    if (x->conn)
        http_conns_work(x->conns, x->conn);
    MHD_suspend_connection(x->connection);
    http_request_serve(x->request);
    return MHD_YES;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *bytes, size_t *len, void **req_cls)
{
    struct http_daemon *d = arg;
    struct http_exchange *x = *req_cls;

    (void)url;
    (void)version;
    if (!x)
        return MHD_NO;
    if (x->stage == SERVICE)
        return *len ? MHD_NO : answer(x);
    if (x->stage == REFUSED)
        return refuse(x, len);
    if (atomic_load(&d->h->server->refusing))
        return *len ? MHD_NO : answer_plain(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping\n");
    if (x->stage == HEAD)
        return begin(d, x, method);
    if (*len)
        return x->request ? take_body(x, bytes, len) : MHD_NO;
    if (x->admitted) {
        x->admitted = false;
        return MHD_YES;
    }
    return serve(x);
}

/* ---- start and stop ---- */

static struct log_limit noise;

static void mhd_log(void *arg, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void mhd_log(void *arg, const char *format, va_list args)
{
    char text[256];

    (void)arg;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_limited(&noise, 5, LOG_LEVEL_DEBUG, "http", "libmicrohttpd: %s", text);
}

static struct MHD_Daemon *start_daemon(struct http_daemon *d, int fd, unsigned threads, unsigned max)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (fd < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0);
    struct MHD_OptionItem more[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem listener[] = {
        {fd >= 0 ? MHD_OPTION_LISTEN_SOCKET : MHD_OPTION_END, (intptr_t)fd, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(flags, 0, NULL, NULL, handle, d, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL,
                            MHD_OPTION_CONNECTION_LIMIT, BOUND_FACTOR * max, MHD_OPTION_CONNECTION_TIMEOUT,
                            IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_POOL,
                            MHD_OPTION_URI_LOG_CALLBACK, note_target, d, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
                            NULL, MHD_OPTION_NOTIFY_COMPLETED, exchange_over, d->h->server,
                            MHD_OPTION_NOTIFY_CONNECTION, note_connection, d, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_ARRAY, listener, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static int open_daemon(struct http *h, struct http_daemon *d, enum http_listener listener, int fd, unsigned threads,
                       unsigned max, struct err *e)
{
    d->h = h;
    d->listener = listener;
    d->conns = http_conns_new(max, &h->with.trusted_proxies);
    d->daemon = start_daemon(d, fd, threads, max);
    if (d->daemon)
        return 0;
    if (fd >= 0)
        close(fd);
    return err_set(e, ERR_UNAVAILABLE, "libmicrohttpd does not start: %s", strerrordesc_np(errno));
}

static void *end_overdue(void *arg)
{
    struct http_server *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; i < ARRAY_LEN(s->daemons); i++)
            if (s->daemons[i].conns)
                http_conns_end_overdue(s->daemons[i].conns);
        http_endless_look(s->endless, LOOK_MS);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int server_start(struct http *h, struct http_server **out, struct err *e)
{
    struct http_server *s = mem_alloc(sizeof(*s));
    const struct http_options *o = &h->with;
    int unix_fd, metrics_fd = -1, code;

    pthread_mutex_init(&s->lock, NULL);
    thread_cond_init(&s->quiet);
    *out = s;
    if ((code = http_endless_new(&s->endless, e)) < 0)
        return code;
    if ((unix_fd = code = listen_unix(o->unix_socket, o->unix_mode, e)) < 0)
        return code;
    s->unix_path = mem_strdup(o->unix_socket);
    if (*o->metrics_addr && (metrics_fd = code = listen_tcp(o->metrics_addr, "metrics_listen_addr", e)) < 0) {
        close(unix_fd);
        return code;
    }
    if ((code = open_daemon(h, &s->daemons[UNIX], HTTP_UNIX, unix_fd, 1, file_share(UNIX_MAX, LISTENED_PART), e)) < 0) {
        if (metrics_fd >= 0)
            close(metrics_fd);
        return code;
    }
    if (metrics_fd >= 0 && (code = open_daemon(h, &s->daemons[METRICS], HTTP_METRICS, metrics_fd, 1,
                                               file_share(METRICS_MAX, LISTENED_PART), e)) < 0)
        return code;
    code = open_daemon(h, &s->daemons[PUBLIC], HTTP_PUBLIC, -1, 2, file_share(PUBLIC_MAX, PUBLIC_PART), e);
    return code < 0 ? code : thread_start(&s->ender, "http-deadline", end_overdue, s, e);
}

const atomic_bool *http_stopping(const struct http *h)
{
    return &h->server->refusing;
}

void server_refuse(struct http_server *s)
{
    atomic_store(&s->refusing, true);
}

/* Gives finished answers a moment to be sent; clients that do not read are not waited for. */
static void drain(struct http_server *s)
{
    int64_t until = clock_mono_ms() + 1000 * DRAIN_SECONDS;

    pthread_mutex_lock(&s->lock);
    while (s->open && thread_cond_wait(&s->quiet, &s->lock, until))
        ;
    pthread_mutex_unlock(&s->lock);
}

void server_stop(struct http_server *s)
{
    if (!s)
        return;
    drain(s);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    if (s->endless)
        http_endless_wake(s->endless);
    thread_join(&s->ender);
    for (size_t i = 0; i < ARRAY_LEN(s->daemons); i++) {
        if (s->daemons[i].daemon)
            MHD_stop_daemon(s->daemons[i].daemon);
        http_conns_free(s->daemons[i].conns);
    }
    http_endless_free(s->endless);
    if (s->unix_path)
        unlink(s->unix_path);
    free(s->unix_path);
    pthread_cond_destroy(&s->quiet);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static socklen_t to_sockaddr(const struct addr_port *peer, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (peer->addr.bits == 32) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(peer->port);
        memcpy(&in->sin_addr, peer->addr.bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(peer->port);
    memcpy(&in6->sin6_addr, peer->addr.bytes, 16);
    return sizeof(*in6);
}

void http_take_socket(struct http *h, int fd, const struct addr_port *peer, bool reserved)
{
    struct http_server *s = h->server;
    struct sockaddr_storage addr;
    socklen_t len = to_sockaddr(peer, &addr);

    if (atomic_load(&s->refusing) || !http_conns_enter(s->daemons[PUBLIC].conns, fd, &peer->addr, reserved)) {
        close(fd);
        return;
    }
    if (MHD_add_connection(s->daemons[PUBLIC].daemon, fd, (const struct sockaddr *)&addr, len) != MHD_YES)
        http_conns_failed(s->daemons[PUBLIC].conns, fd);
}

static unsigned connections(const struct http_daemon *d)
{
    const union MHD_DaemonInfo *info =
        d->daemon ? MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS) : NULL;

    return info ? info->num_connections : 0;
}

void http_counts(struct http *h, struct http_counts *out)
{
    pthread_mutex_lock(&h->lock);
    out->active = h->active;
    pthread_mutex_unlock(&h->lock);
    out->public_connections = connections(&h->server->daemons[PUBLIC]);
    out->unix_connections = connections(&h->server->daemons[UNIX]);
}
