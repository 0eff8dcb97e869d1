/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "shared/postgres/pg_server.h"

static char folder[64], programs[128];
static pid_t server;

/* PostgreSQL refuses to run as root. */
static const char *as_user(void)
{
    return geteuid() == 0 ? "setpriv --reuid=nobody --regid=nogroup --clear-groups " : "";
}

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return system(command); /* NOLINT(cert-env33-c): paths of our own */
}

/* Ends with this program, however that ends. */
static void run_server(void)
{
    char *command = mem_format(
        "cd %s && exec setpriv --pdeathsig SIGQUIT %s%s/postgres -D %s/data -k %s -h '' >>%s/server.log 2>&1", folder,
        *as_user() ? as_user() + strlen("setpriv ") : "", programs, folder, folder, folder);

    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* until setpriv takes over */
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_true(server > 0);
    free(command);
}

void pg_server_again(void)
{
    run_server();
    while (shell("%s/pg_isready -q -h %s", programs, folder) != 0) {
        if (waitpid(server, NULL, WNOHANG) == 0) {
            usleep(10000);
            continue;
        }
        (void)shell("cat %s/log %s/server.log", folder, folder);
        fail_msg("the server does not start");
    }
}

bool pg_server_start(void)
{
    const char *tmp = getenv("TMPDIR");
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0 && found.gl_pathc)
        snprintf(programs, sizeof(programs), "%.*s", (int)(strrchr(found.gl_pathv[0], '/') - found.gl_pathv[0]),
                 found.gl_pathv[0]);
    globfree(&found);
    if (!*programs) {
        print_message("no PostgreSQL server is installed: what needs one is skipped\n");
        return false;
    }
    snprintf(folder, sizeof(folder), "%.30s/pg.XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    if (geteuid() == 0)
        assert_int_equal(shell("chown nobody %s", folder), 0);
    assert_int_equal(shell("cd %s && %s%s/initdb -D %s/data -U " PG_SERVER_USER " -A trust --no-sync >%s/log 2>&1",
                           folder, as_user(), programs, folder, folder),
                     0);
    pg_server_again();
    return true;
}

void pg_server_stop(void)
{
    int rc = kill(server, SIGQUIT);

    (void)waitpid(server, NULL, 0);
    assert_int_equal(shell("rm -rf %s", folder), 0);
    assert_int_equal(rc, 0);
}

void pg_server_crash(void)
{
    assert_int_equal(kill(server, SIGQUIT), 0);
    (void)waitpid(server, NULL, 0);
}

/* The main process is stopped first and continued last: in between it starts no children, and one that ends remains a
 * zombie, which accepts any signal. */
void pg_server_hang(bool hang)
{
    char *path = mem_format("/proc/%d/task/%d/children", (int)server, (int)server);
    int status, child;

    if (hang) {
        assert_int_equal(kill(server, SIGSTOP), 0);
        assert_int_equal(waitpid(server, &status, WUNTRACED), server);
        assert_true(WIFSTOPPED(status));
    }
    FILE *children = fopen(path, "re");
    assert_non_null(children);
    while (fscanf(children, "%d", &child) == 1) /* NOLINT(cert-err34-c): the kernel wrote it */
        assert_int_equal(kill(child, hang ? SIGSTOP : SIGCONT), 0);
    (void)fclose(children);
    if (!hang)
        assert_int_equal(kill(server, SIGCONT), 0);
    free(path);
}

const char *pg_server_folder(void)
{
    return folder;
}

void pg_server_sql(const char *database, const char *sql)
{
    char *path = mem_format("%s/sql", folder);
    struct err e;

    assert_int_equal(file_replace(path, sql, strlen(sql), 0644, &e), 0);
    assert_int_equal(shell("psql -q -v ON_ERROR_STOP=1 -h %s -U " PG_SERVER_USER " -d %s -f %s >>%s/log", folder,
                           database, path, folder),
                     0);
    free(path);
}

const char *pg_server_value(const char *database, const char *sql)
{
    static char value[256];
    char *command = mem_format("psql -q -A -t -v ON_ERROR_STOP=1 -h %s -U " PG_SERVER_USER " -d %s -c \"%s\"", folder,
                               database, sql);
    FILE *out = popen(command, "re"); /* NOLINT(cert-env33-c): a text of our own */

    assert_non_null(out);
    value[0] = '\0';
    if (fgets(value, sizeof(value), out))
        value[strcspn(value, "\n")] = '\0';
    assert_int_equal(pclose(out), 0);
    free(command);
    return value;
}
