/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/script/script.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "console/screen/key.h"

#define SCRIPT_MAX (1U << 20)
#define EVENTS_MAX 1000000

static int side_parse(const char *text, size_t len, int *out)
{
    char piece[8] = "";
    uint64_t number;

    if (len >= sizeof(piece))
        return ERR_INVALID;
    memcpy(piece, text, len);
    if (str_u64(piece, 1, SCREEN_SIDE_MAX, &number, "size", NULL) < 0)
        return ERR_INVALID;
    *out = (int)number;
    return 0;
}

int screen_size_parse(const char *text, int *rows, int *cols, struct err *e)
{
    size_t len = strcspn(text, "x");

    if (text[len] != 'x' || side_parse(text, len, cols) < 0 ||
        side_parse(text + len + 1, strlen(text + len + 1), rows) < 0)
        return err_set(e, ERR_INVALID, "a size is COLSxROWS, such as 80x24, each from 1 to %d, not '%.40s'",
                       SCREEN_SIDE_MAX, text);
    return 0;
}

static int read_command(struct script_step *step, struct err *e)
{
    if (step->text[0] != ':' || !step->text[1])
        return err_set(e, ERR_INVALID, "a command begins with ':'");
    memmove(step->text, step->text + 1, strlen(step->text));
    return 0;
}

static int read_keys(struct script_step *step, struct err *e)
{
    struct key_script keys = {0};
    int r = keys_parse(step->text, &keys, e);

    vec_release(&keys);
    return r;
}

static int read_text(struct script_step *step, struct err *e)
{
    return *step->text ? 0 : err_set(e, ERR_INVALID, "which text?");
}

static int read_size(struct script_step *step, struct err *e)
{
    return screen_size_parse(step->text, &step->rows, &step->cols, e);
}

static int read_count(struct script_step *step, struct err *e)
{
    uint64_t count = 0;
    int r = *step->text ? str_u64(step->text, 1, EVENTS_MAX, &count, "play", e) : 0;

    step->number = (int64_t)count;
    return r;
}

static int read_duration(struct script_step *step, struct err *e)
{
    return duration_parse(step->text, &step->number, "pass", e);
}

static int read_nothing(struct script_step *step, struct err *e)
{
    return *step->text ? err_set(e, ERR_INVALID, "copied takes nothing") : 0;
}

static const struct {
    const char *word;
    enum script_verb verb;
    int (*read)(struct script_step *step, struct err *e);
} verbs[] = {
    {"try", SCRIPT_TRY, read_command},    {"keys", SCRIPT_KEYS, read_keys},     {"size", SCRIPT_SIZE, read_size},
    {"expect", SCRIPT_EXPECT, read_text}, {"refuse", SCRIPT_REFUSE, read_text}, {"wait", SCRIPT_WAIT, read_text},
    {"play", SCRIPT_PLAY, read_count},    {"pass", SCRIPT_PASS, read_duration}, {"copied", SCRIPT_COPIED, read_nothing},
};

static int parse_line(const char *text, size_t len, struct script *out, struct err *e, unsigned number)
{
    struct script_step step = {.verb = SCRIPT_COMMAND, .line = number};
    size_t word = *text == ':' ? 0 : strcspn(text, " \n");
    int (*read)(struct script_step * step, struct err * e) = *text == ':' ? read_command : NULL;

    word = word < len ? word : len;
    for (size_t i = 0; i < ARRAY_LEN(verbs) && *text != ':'; i++)
        if (strlen(verbs[i].word) == word && strncmp(verbs[i].word, text, word) == 0) {
            step.verb = verbs[i].verb;
            read = verbs[i].read;
        }
    if (!read)
        return err_set(e, ERR_INVALID,
                       "line %u: a step is :COMMAND, try, keys, size, expect, refuse, wait, play, pass or copied",
                       number);
    size_t blank = word < len && text[word] == ' ';
    step.text = mem_strndup(text + word + blank, len - word - blank);
    int r = read(&step, e);
    vec_push(out, step);
    if (r < 0)
        err_prefix(e, "line %u", number);
    return r;
}

int script_parse(const char *text, struct script *out, struct err *e)
{
    unsigned number = 0;
    int r = 0;

    while (r == 0 && *text) {
        size_t len = strcspn(text, "\n"), used = len;

        number++;
        used -= used && text[used - 1] == '\r';
        if (used && *text != '#' && strspn(text, " \t") < used)
            r = parse_line(text, used, out, e, number);
        text += len + (text[len] == '\n');
    }
    return r;
}

int script_read(const char *path, struct script *out, struct err *e)
{
    struct buf text = BUF_INIT(SCRIPT_MAX);
    int r = str_eq(path, "-") ? file_read_fd(0, "standard input", &text, e) : file_read(path, FILE_ANY, &text, e);

    if (r == 0)
        r = script_parse(buf_text(&text), out, e);
    buf_release(&text);
    return r;
}

void script_release(struct script *s)
{
    for (size_t i = 0; i < s->len; i++)
        free(s->items[i].text);
    vec_release(s);
}

bool script_plays(const struct script *s)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->items[i].verb == SCRIPT_PLAY)
            return true;
    return false;
}
