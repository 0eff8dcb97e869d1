/* SPDX-License-Identifier: BSD-3-Clause */
/* The basics of all rooms: files, threads, bit sets, sorted search. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bits.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"

static char folder[128];

static const char *at(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof(folder), "%s/headway-base.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static void must_hold(const char *path, const char *text)
{
    struct buf b = BUF_INIT(0);
    struct err e = {0};

    assert_int_equal(file_read(path, FILE_ANY, &b, &e), 0);
    assert_string_equal(buf_text(&b), text);
    buf_release(&b);
}

static unsigned files_in_folder(void)
{
    char command[256];
    unsigned count = 0;

    snprintf(command, sizeof(command), "ls -A '%s' | wc -l", folder);
    FILE *f = popen(command, "r");                /* NOLINT(cert-env33-c) */
    assert_int_equal(fscanf(f, "%u", &count), 1); /* NOLINT(cert-err34-c) */
    pclose(f);
    return count;
}

static void test_replaced_whole(void **state)
{
    struct err e = {0};
    struct stat st;

    (void)state;
    assert_int_equal(file_replace(at("a"), "one", 3, 0600, &e), 0);
    must_hold(at("a"), "one");
    umask(077); /* the mode is the one that was asked for */
    assert_int_equal(file_replace(at("a"), "second", 6, 0644, &e), 0);
    umask(022);
    must_hold(at("a"), "second");
    assert_int_equal(stat(at("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(file_create(at("a"), "third", 5, 0600, &e), ERR_CONFLICT);
    must_hold(at("a"), "second");
    assert_int_equal(file_create(at("b"), "third", 5, 0600, &e), 0);
    must_hold(at("b"), "third");
    assert_int_equal(file_replace(at("none/c"), "x", 1, 0600, &e), ERR_MISSING);
    assert_non_null(strstr(e.message, "none/c"));
    assert_int_equal(file_replace(folder, "x", 1, 0600, &e), ERR_IO); /* a folder is in the way */
    assert_int_equal(files_in_folder(), 2);                           /* nothing was left beside them */
}

static void test_read_within_the_bound(void **state)
{
    struct buf b = BUF_INIT(8);
    struct err e = {0};

    (void)state;
    assert_int_equal(file_replace(at("eight"), "12345678", 8, 0600, &e), 0);
    assert_int_equal(file_read(at("eight"), FILE_SECRET, &b, &e), 0);
    assert_int_equal(b.len, 8);
    buf_release(&b);
    assert_int_equal(file_replace(at("nine"), "123456789", 9, 0640, &e), 0);
    assert_int_equal(file_read(at("nine"), FILE_ANY, &b, &e), ERR_TOOBIG);
    assert_non_null(strstr(e.message, "more than 8 bytes"));
    buf_release(&b);
    assert_int_equal(chmod(folder, 0711), 0);
    assert_int_equal(file_read(at("nine"), FILE_SECRET, &b, &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "mode 640"));
    assert_int_equal(file_replace(at("eight"), "12345678", 8, 0444, &e), 0);
    assert_int_equal(file_read(at("eight"), FILE_SECRET, &b, &e), ERR_DENIED);
    assert_int_equal(chmod(folder, 0700), 0); /* which keeps others out, whatever the file's mode is */
    assert_int_equal(file_read(at("eight"), FILE_SECRET, &b, &e), 0);
    assert_true(file_secret_is_open(at("eight")));
    buf_release(&b);
    assert_int_equal(file_replace(at("eight"), "12345678", 8, 0464, &e), 0);
    assert_int_equal(file_read(at("eight"), FILE_SECRET, &b, &e), ERR_DENIED);
    assert_int_equal(file_read(at("missing"), FILE_ANY, &b, &e), ERR_MISSING);
    assert_int_equal(file_read(folder, FILE_ANY, &b, &e), ERR_IO);
    buf_release(&b);
}

static void test_links_and_pipes_are_not_private(void **state)
{
    struct buf b = BUF_INIT(64);
    struct err e = {0};
    char target[256];

    (void)state;
    snprintf(target, sizeof(target), "%s", at("target"));
    assert_int_equal(file_replace(target, "text", 4, 0600, &e), 0);
    assert_int_equal(symlink(target, at("link2")), 0);
    assert_int_equal(file_read(at("link2"), FILE_ANY, &b, &e), 0);
    buf_clear(&b);
    assert_int_not_equal(file_read(at("link2"), FILE_PRIVATE, &b, &e), 0);
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_int_equal(file_read(at("pipe"), FILE_PRIVATE, &b, &e), ERR_DENIED); /* and it does not wait for a writer */
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

static void test_parents(void **state)
{
    struct err e = {0};
    struct stat st;

    (void)state;
    assert_int_equal(file_make_parents(at("x/y/z"), 0750, &e), 0);
    assert_int_equal(file_make_parents(at("x/y/z"), 0750, &e), 0);
    assert_int_equal(stat(at("x/y"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(stat(at("x/y/z"), &st), -1);
    assert_int_equal(file_replace(at("plain"), "", 0, 0600, &e), 0);
    assert_int_equal(file_make_parents(at("plain/below"), 0750, &e), 0); /* it is there already, whatever it is */
    assert_int_not_equal(file_make_parents(at("plain/below/more"), 0750, &e), 0);
    assert_non_null(strstr(e.message, "plain/below"));
}

static int compare_ints(const void *key, const void *item)
{
    int a = *(const int *)key, b = *(const int *)item;

    return (a > b) - (a < b);
}

static void test_sorted_search(void **state)
{
    static const int items[] = {2, 4, 4, 8};
    static const struct {
        int key;
        size_t at;
        bool found;
    } cases[] = {{1, 0, false}, {2, 0, true}, {3, 1, false}, {4, 1, true}, {8, 3, true}, {9, 4, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool found = !cases[i].found;
        assert_int_equal(array_search(&cases[i].key, items, ARRAY_LEN(items), sizeof(int), compare_ints, &found),
                         cases[i].at);
        assert_int_equal(found, cases[i].found);
    }
    assert_int_equal(array_search(&cases[0].key, NULL, 0, sizeof(int), compare_ints, NULL), 0);
}

static void test_bits(void **state)
{
    uint64_t *a = bits_new(BITS_WORDS(130)), *b = bits_new(BITS_WORDS(130));
    uint32_t members[4] = {0};
    size_t n = 0;

    (void)state;
    assert_int_equal(BITS_WORDS(0), 0);
    assert_int_equal(BITS_WORDS(64), 1);
    assert_int_equal(BITS_WORDS(65), 2);
    bit_set(a, 0);
    bit_set(a, 63);
    bit_set(a, 129);
    assert_false(bits_meet(a, b, 3));
    bit_set(b, 64);
    bits_or(b, a, 3);
    bit_clear(b, 63);
    assert_true(bits_meet(a, b, 3));
    for_bits(i, b, 3) members[n++] = i;
    assert_int_equal(n, 3);
    assert_true(members[0] == 0 && members[1] == 64 && members[2] == 129);
    assert_false(bit_has(b, 63));
    assert_int_equal(bits_next(b, 3, 130), 192);
    free(a);
    free(b);
}

struct count {
    struct work work;
    int *sum, value;
};

static void add(struct work *work)
{
    struct count *c = CONTAINER_OF(work, struct count, work);
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    *c->sum = *c->sum * 10 + (sigismember(&blocked, SIGTERM) ? c->value : 9);
}

static void test_workers_do_all_of_it_in_order(void **state)
{
    struct workers w = {0};
    struct err e = {0};
    int sum = 0;
    struct count work[3];

    (void)state;
    workers_stop(&w); /* never started */
    assert_int_equal(workers_start(&w, "test", 1, &e), 0);
    for (int i = 0; i < 3; i++) {
        work[i] = (struct count){{.run = add}, &sum, i + 1};
        workers_add(&w, &work[i].work);
    }
    workers_stop(&w);
    assert_int_equal(sum, 123);
    workers_stop(&w);
}

static void test_a_condition_ends_with_its_time(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    int64_t until = clock_mono_ms() + 20;

    (void)state;
    thread_cond_init(&cond);
    pthread_mutex_lock(&lock);
    while (thread_cond_wait(&cond, &lock, until))
        ; /* a wake-up without a reason */
    pthread_mutex_unlock(&lock);
    assert_true(clock_mono_ms() >= until);
    pthread_cond_destroy(&cond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replaced_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_read_within_the_bound, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_links_and_pipes_are_not_private, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_parents, make_folder, remove_folder),
        cmocka_unit_test(test_sorted_search),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_workers_do_all_of_it_in_order),
        cmocka_unit_test(test_a_condition_ends_with_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
