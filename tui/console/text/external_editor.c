/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/external_editor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "console/text/text_buffer.h"

static const char *editor_command(void)
{
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");

    return visual && *visual ? visual : editor && *editor ? editor : "vi";
}

static int fail(struct err *e, const char *what, const char *path)
{
    return err_set(e, ERR_IO, "%s %.160s: %s", what, path, strerrordesc_np(errno));
}

/* Editors may replace the file by a new one, so it is opened again. */
static int take_back(const char *path, struct buf *out, struct err *e)
{
    int r = file_read(path, FILE_PRIVATE, out, e);

    if (r == ERR_TOOBIG)
        return err_set(e, ERR_TOOBIG, "the edited text is larger than 4 MiB; it is kept in %.160s", path);
    if (r < 0)
        return r;
    if (!str_utf8(buf_text(out), out->len))
        return err_set(e, ERR_INVALID, "the edited text is not UTF-8; it is kept in %.160s", path);
    return 0;
}

static int run(const char *path, struct err *e)
{
    const char *command = editor_command();
    char *line = mem_format("%s \"$1\"", command);
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        static const int usual[] = {SIGINT, SIGQUIT, SIGTSTP,  SIGPIPE, SIGTERM,
                                    SIGHUP, SIGCONT, SIGWINCH, SIGSEGV, SIGABRT};
        sigset_t none;

        for (size_t i = 0; i < ARRAY_LEN(usual); i++)
            signal(usual[i], SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execl("/bin/sh", "sh", "-c", line, "editor", path, (char *)NULL);
        _exit(127);
    }
    free(line);
    if (pid < 0)
        return fail(e, "cannot start", command);
    for (;;) {
        pid_t r = waitpid(pid, &status, WUNTRACED);

        if (r < 0 && errno != EINTR)
            return fail(e, "cannot wait for", command);
        if (r == pid && !WIFSTOPPED(status))
            break;
        if (r == pid) { /* Ctrl-Z in it stops both, and both are continued together */
            raise(SIGSTOP);
            kill(pid, SIGCONT);
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return err_set(e, ERR_MISSING, "the editor '%.100s' cannot be run: set VISUAL or EDITOR", command);
    return err_set(e, ERR_IO, "the editor '%.100s' ended with %s %d: the text is unchanged", command,
                   WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int outside_edit(const char *text, size_t len, char **out, size_t *out_len, struct err *e)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
    char *dir = mem_format("%s/headway-XXXXXX", runtime && *runtime ? runtime : tmp && *tmp ? tmp : "/tmp");
    struct buf read = BUF_INIT(TEXTBUF_MAX);
    char *path = NULL;
    int r;

    if (!mkdtemp(dir)) {
        r = fail(e, "cannot create a folder like", dir);
        free(dir);
        return r;
    }
    path = mem_format("%s/policy.hujson", dir);
    r = file_create(path, text, len, 0600, e);
    if (r == 0)
        r = run(path, e);
    bool ran = r == 0;
    if (r == 0)
        r = take_back(path, &read, e);
    if (r == 0) {
        *out_len = read.len;
        *out = buf_take(&read);
    }
    /* If the editor's file cannot be read it is kept, and the message names it. */
    if (r == 0 || !ran) {
        unlink(path);
        rmdir(dir);
    }
    buf_release(&read);
    free(path);
    free(dir);
    return r;
}
