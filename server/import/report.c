/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/report.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"

#define FAULTS_PRINTED 100

static const struct {
    const char *one, *many;
} names[REPORT_KINDS] = {
    [REPORT_KEYS] = {"server key", "server keys"},
    [REPORT_USER] = {"user", "users"},
    [REPORT_NODE] = {"node", "nodes"},
    [REPORT_ROUTE] = {"route", "routes"},
    [REPORT_PREAUTH_KEY] = {"pre-auth key", "pre-auth keys"},
    [REPORT_API_KEY] = {"API key", "API keys"},
    [REPORT_OAUTH_CLIENT] = {"OAuth client", "OAuth clients"},
    [REPORT_POLICY] = {"policy", "policies"},
    [REPORT_TABLE] = {"table", "tables"},
    [REPORT_COLUMN] = {"column", "columns"},
    [REPORT_MIGRATION] = {"migration", "migrations"},
    [REPORT_CONFIGURATION] = {"configuration", "configuration"},
};

static const char *const words[REPORT_VERDICTS] = {
    [REPORT_TAKEN] = "taken", [REPORT_CHANGED] = "changed", [REPORT_LEFT] = "left", [REPORT_FAULT] = "error"};

void report_add(struct report *r, enum report_verdict verdict, enum report_kind kind, const char *object,
                const char *format, ...)
{
    struct buf text = BUF_INIT(0);
    char reason[512] = "";
    va_list args;

    if (format) {
        va_start(args, format);
        vsnprintf(reason, sizeof(reason), format, args);
        va_end(args);
        text_end_whole(reason);
    }
    buf_adds(&text, names[kind].one);
    if (*object)
        buf_addf(&text, " %s", object);
    if (*reason)
        buf_addf(&text, ": %s", reason);
    r->counts[kind][verdict]++;
    vec_push(r, ((struct report_line){verdict, kind, buf_take(&text)}));
}

size_t report_faults(const struct report *r)
{
    size_t count = 0;

    for (size_t i = 0; i < REPORT_KINDS; i++)
        count += r->counts[i][REPORT_FAULT];
    return count;
}

/* Names and values are untrusted: nothing in them may control the terminal. */
static void print_line(const struct report_line *line, FILE *out)
{
    struct buf safe = BUF_INIT(0);

    str_safe(&safe, line->text, strlen(line->text));
    fprintf(out, "%-8s %s\n", words[line->verdict], buf_text(&safe));
    buf_release(&safe);
}

static void print_verdict(const struct report *r, enum report_verdict verdict, size_t most, FILE *out)
{
    size_t printed = 0, count = 0;

    for (size_t i = 0; i < r->len; i++) {
        if (r->items[i].verdict != verdict)
            continue;
        count++;
        if (printed < most) {
            print_line(&r->items[i], out);
            printed++;
        }
    }
    if (count > printed)
        fprintf(out, "%-8s and %zu more\n", words[verdict], count - printed);
}

void report_print(const struct report *r, bool all, FILE *out)
{
    for (size_t i = 0; i < REPORT_KINDS; i++) {
        const size_t *n = r->counts[i];
        if (!n[REPORT_TAKEN] && !n[REPORT_LEFT])
            continue;
        fprintf(out, "%-8s %zu %s", words[REPORT_TAKEN], n[REPORT_TAKEN],
                n[REPORT_TAKEN] == 1 ? names[i].one : names[i].many);
        if (n[REPORT_LEFT])
            fprintf(out, ", %zu left", n[REPORT_LEFT]);
        fputs("\n", out);
    }
    if (all)
        print_verdict(r, REPORT_TAKEN, SIZE_MAX, out);
    print_verdict(r, REPORT_CHANGED, SIZE_MAX, out);
    print_verdict(r, REPORT_LEFT, SIZE_MAX, out);
}

void report_print_faults(const struct report *r, FILE *out)
{
    print_verdict(r, REPORT_FAULT, FAULTS_PRINTED, out);
}

void report_release(struct report *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->items[i].text);
    vec_release(r);
}
