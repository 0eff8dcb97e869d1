/* SPDX-License-Identifier: BSD-3-Clause */
#include "acme/uacme.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme/cache.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define LIMIT_MS   (10 * 60 * 1000)
#define LOOK_MS    200  /* between checks whether it has ended */
#define KILL_MS    2000 /* from SIGTERM to SIGKILL */
#define OUTPUT_MAX ((size_t)64 * 1024)
#define LINE_MAX   500 /* per line in the log */
#define WORDS_MAX  20
#define HIGH_FD    16 /* above the child's own */

char *uacme_find(void)
{
    const char *path = getenv("PATH");

    for (const char *at = path && *path ? path : "/usr/local/bin:/usr/bin:/bin"; at;) {
        size_t len = strcspn(at, ":");
        char *file = mem_format("%.*s/uacme", (int)len, at);
        if (len && access(file, X_OK) == 0)
            return file;
        free(file);
        at = at[len] ? at + len + 1 : NULL;
    }
    return NULL;
}

/* ---- what it says ---- */

/* The value of the last member "detail" in its output of the authority's answers. */
static const char *last_detail(const char *output, size_t *len)
{
    static const char key[] = "\"detail\": \"";
    const char *found = NULL;

    for (const char *at = output; (at = strstr(at, key)); found = at)
        at += sizeof(key) - 1;
    if (!found)
        return NULL;
    for (*len = 0; found[*len] && found[*len] != '\n' && found[*len] != '"'; (*len)++)
        if (found[*len] == '\\' && found[*len + 1] && found[*len + 1] != '\n')
            (*len)++;
    return found;
}

/* The last line that complains, otherwise its last line. */
static const char *last_line(const char *output, size_t *len)
{
    static const char name[] = "uacme: ";
    const char *last = NULL, *failed = NULL;

    for (const char *line = output; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (str_starts(line, name)) {
            size_t whole = strcspn(line, "\n");
            const char *word = memmem(line, whole, " failed: ", 9);
            last = line + sizeof(name) - 1;
            failed = word ? last : failed;
        }
    last = failed ? failed : last;
    *len = last ? strcspn(last, "\n") : 0;
    return last;
}

void uacme_reason(const char *output, char *out, size_t size)
{
    size_t len;
    const char *text = last_detail(output, &len);

    if (!text)
        text = last_line(output, &len);
    char *raw = text ? mem_strndup(text, len) : mem_strdup("it says nothing"), *clean = str_clean(raw, size - 1);
    (void)str_copy(out, size, clean);
    free(raw);
    free(clean);
}

static void log_line(const char *line, size_t len)
{
    log_debug("acme", "%.*s", (int)(len < LINE_MAX ? len : LINE_MAX), line);
}

struct run {
    struct uacme *uacme;
    pid_t pid;
    int output, hook; /* this process's ends; -1: closed */
    struct buf text;
    size_t logged; /* bytes of it already logged */
    int64_t until_ms;
    bool stopped, late; /* it was asked to end */
    int status;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void read_output(struct run *r)
{
    char bytes[4096];
    ssize_t n = read(r->output, bytes, sizeof(bytes));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_fd(&r->output);
        return;
    }
    if (r->text.len + (size_t)n > OUTPUT_MAX) /* the end has the error */
        buf_clear(&r->text), r->logged = 0;
    buf_add(&r->text, bytes, (size_t)n);
    for (const char *end; (end = memchr(r->text.data + r->logged, '\n', r->text.len - r->logged));
         r->logged = (size_t)(end - r->text.data) + 1)
        log_line(r->text.data + r->logged, (size_t)(end - r->text.data) - r->logged);
}

static void answer_hook(struct run *r)
{
    char bytes[HOOK_MESSAGE_MAX + 1], answer = HOOK_TAKEN;
    ssize_t n = recv(r->hook, bytes, sizeof(bytes), MSG_DONTWAIT);
    struct hook_message m;
    struct err e = {0};

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_fd(&r->hook);
        return;
    }
    if (hook_read(bytes, (size_t)n, &m, &e) < 0 || challenges_hear(r->uacme->challenges, &m, &e) < 0) {
        answer = HOOK_DECLINED;
        log_write(e.code == ERR_UNSUPPORTED ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "acme", "challenge declined: %s",
                  e.message);
    }
    if (send(r->hook, &answer, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        close_fd(&r->hook);
}

/* ---- running it ---- */

/* The part of the environment that the child gets. */
static char **make_environment(void)
{
    static const char *const kept[] = {
        "PATH",        "HOME",         "TZ",           "http_proxy",        "https_proxy",
        "HTTPS_PROXY", "all_proxy",    "ALL_PROXY",    "no_proxy",          "NO_PROXY",
        "UACME_PROXY", "UACME_CAINFO", "UACME_CAPATH", "UACME_DNS_SERVERS", "UACME_INTERFACE"};
    char **all = mem_alloc((ARRAY_LEN(kept) + 3) * sizeof(*all));
    size_t n = 0;

    all[n++] = mem_format("%s=%d", HOOK_VARIABLE, HOOK_FD);
    all[n++] = mem_strdup("LC_ALL=C");
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (getenv(kept[i]))
            all[n++] = mem_format("%s=%s", kept[i], getenv(kept[i]));
    return all;
}

static int high(int fd)
{
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

    if (fd >= 0)
        close(fd);
    return moved;
}

struct ends { /* the child's */
    int null, output, hook, program;
};

static int start_child(char *program, char **words, const struct ends *to, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t with;
    sigset_t none, all;
    char **environment = make_environment();

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&with);
    int rc = posix_spawn_file_actions_adddup2(&files, to->null, STDIN_FILENO);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, to->output, STDOUT_FILENO);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, to->output, STDERR_FILENO);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, to->hook, HOOK_FD);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, to->program, HOOK_PROGRAM_FD);
    rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(&files, HOOK_PROGRAM_FD + 1);
    posix_spawnattr_setsigmask(&with, &none);
    posix_spawnattr_setsigdefault(&with, &all);
    posix_spawnattr_setpgroup(&with, 0);
    posix_spawnattr_setflags(&with, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    rc = rc ? rc : posix_spawn(pid, program, &files, &with, words, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&with);
    for (char **v = environment; *v; v++)
        free(*v);
    free(environment);
    return rc;
}

static int start(struct run *r, char *program, char **words, struct err *e)
{
    int output[2] = {-1, -1}, hook[2] = {-1, -1}, rc = 0;
    struct ends to = {-1, -1, -1, -1};

    if (pipe2(output, O_CLOEXEC) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hook) < 0)
        rc = errno;
    r->output = output[0];
    r->hook = hook[0];
    to.output = high(output[1]);
    to.hook = high(hook[1]);
    to.null = high(open("/dev/null", O_RDWR | O_CLOEXEC));
    to.program = high(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    if (!rc && (to.output < 0 || to.hook < 0 || to.null < 0 || to.program < 0))
        rc = errno;
    if (!rc && fcntl(r->output, F_SETFL, O_NONBLOCK) < 0)
        rc = errno;
    rc = rc ? rc : start_child(program, words, &to, &r->pid);
    close_fd(&to.output);
    close_fd(&to.hook);
    close_fd(&to.null);
    close_fd(&to.program);
    return rc ? err_set(e, ERR_IO, "cannot run %s: %s", program, strerror(rc)) : 0;
}

static void end_child(struct run *r)
{
    int64_t now = clock_mono_ms();

    if (!r->stopped && !r->late) {
        r->late = now >= r->until_ms;
        r->stopped = !r->late;
        r->until_ms = now + KILL_MS;
        kill(-r->pid, SIGTERM);
    } else if (now >= r->until_ms) {
        kill(-r->pid, SIGKILL);
    }
}

/* True: it has ended, and status is set. */
static bool has_ended(struct run *r)
{
    pid_t ended = waitpid(r->pid, &r->status, WNOHANG);

    if (ended < 0)
        r->status = -1;
    return ended == r->pid || (ended < 0 && errno != EINTR);
}

/* Also reads what it wrote before it ended. */
static void wait_for_child(struct run *r)
{
    for (bool ended = false;;) {
        struct pollfd at[] = {
            {r->output, POLLIN, 0}, {r->hook, POLLIN, 0}, {r->stopped ? -1 : r->uacme->wake, POLLIN, 0}};
        ended = ended || has_ended(r);
        if (poll(at, ARRAY_LEN(at), ended ? 0 : LOOK_MS) < 0)
            continue;
        if (at[0].revents)
            read_output(r);
        else if (ended)
            return;
        if (at[1].revents && !ended)
            answer_hook(r);
        if (!ended && (at[2].revents || clock_mono_ms() >= r->until_ms))
            end_child(r);
    }
}

static int result(struct run *r, const char *what, struct err *e)
{
    char why[sizeof(e->message)];

    if (r->stopped)
        return err_set(e, ERR_GONE, "%s was interrupted", what);
    if (r->late)
        return err_set(e, ERR_TIMEOUT, "uacme took more than %d minutes", LIMIT_MS / 60000);
    if (r->status != -1 && WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0)
        return 0;
    uacme_reason(buf_text(&r->text), why, sizeof(why));
    bool unknown = strstr(buf_text(&r->text), "no account associated with") != NULL,
         nonce = strstr(buf_text(&r->text), "error:badNonce") != NULL;
    return err_set(e, unknown ? ERR_MISSING : nonce ? ERR_BUSY : ERR_IO, "%s", why);
}

/* words: the arguments after the options; ends with NULL. */
static int run(struct uacme *u, const char *const *words, const char *what, struct err *e)
{
    struct run r = {.uacme = u, .output = -1, .hook = -1, .until_ms = clock_mono_ms() + LIMIT_MS};
    char *program = uacme_find(), *confdir = cache_uacme_dir(u->config->acme.cache_dir), *argv[WORDS_MAX] = {0};
    const char *options[] = {"uacme", "-v", "-a", u->config->acme.url, "-c", confdir, "-t", "EC", "-h", HOOK_PROGRAM};
    size_t n = 0;
    int rc = program ? 0 : err_set(e, ERR_UNAVAILABLE, "the program uacme is not installed (package uacme)");

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        argv[n++] = mem_strdup(options[i]);
    for (; *words && n + 1 < WORDS_MAX; words++)
        argv[n++] = mem_strdup(*words);
    if (rc == 0)
        rc = start(&r, program, argv, e);
    if (rc == 0) {
        wait_for_child(&r);
        rc = result(&r, what, e);
    }
    challenges_clear(u->challenges);
    close_fd(&r.output);
    close_fd(&r.hook);
    buf_release(&r.text);
    while (n)
        free(argv[--n]);
    free(program);
    free(confdir);
    return rc;
}

static const char *email(const struct uacme *u)
{
    return *u->config->acme.email ? u->config->acme.email : NULL;
}

int uacme_new_account(struct uacme *u, struct err *e)
{
    return run(u, (const char *[]){"-y", "new", email(u), NULL}, "the registration of an account", e);
}

int uacme_update_account(struct uacme *u, struct err *e)
{
    return run(u, (const char *[]){"update", email(u), NULL}, "the change of the account", e);
}

int uacme_issue(struct uacme *u, struct err *e)
{
    return run(u, (const char *[]){"-f", "-o", "issue", u->config->acme.hostname, NULL}, "the order", e);
}
