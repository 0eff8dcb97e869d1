/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/warning.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/str.h"
#include "base/vec.h"

static void release_one(struct node_warning *w)
{
    free(w->code);
    free(w->text);
}

void node_warnings_release(struct node_warnings *w)
{
    for (size_t i = 0; i < w->len; i++)
        release_one(&w->items[i]);
    vec_release(w);
}

void node_warnings_copy(struct node_warnings *to, const struct node_warnings *from)
{
    node_warnings_release(to);
    for (size_t i = 0; i < from->len; i++) {
        const struct node_warning *f = &from->items[i];
        vec_push(to, ((struct node_warning){f->source, mem_strdup(f->code), mem_strdup(f->text), f->since_ns}));
    }
}

bool node_warnings_has(const struct node_warnings *w, const char *code)
{
    for (size_t i = 0; i < w->len; i++)
        if (str_eq(w->items[i].code, code))
            return true;
    return false;
}

bool node_warnings_add(struct node_warnings *w, enum warning_source source, const char *code, const char *text,
                       int64_t since_ns)
{
    size_t count = 0;

    for (size_t i = 0; i < w->len; i++)
        count += w->items[i].source == source;
    if (count >= WARNINGS_MAX)
        return false;
    char *clean = str_clean(code, WARNING_CODE_MAX);
    if (!*clean || node_warnings_has(w, clean)) {
        free(clean);
        return false;
    }
    char *sentence = str_clean(text, WARNING_TEXT_MAX);
    size_t len = strlen(sentence);
    if (len && sentence[len - 1] == '.')
        sentence[len - 1] = '\0';
    vec_push(w, ((struct node_warning){source, clean, sentence, since_ns}));
    return true;
}

void node_warnings_remove(struct node_warnings *w, size_t i)
{
    release_one(&w->items[i]);
    vec_remove(w, i);
}

/* Source: tailscale control/controlclient, sendMapRequest; health.AppendWarnableDebugFlags. */
bool warning_of_flag(const char *flag, const char **code, const char **text)
{
    static const struct {
        const char *flag, *code, *text;
    } known[] = {
        {"warn-ip-forwarding-off", WARNING_FORWARDING_OFF,
         "IP forwarding is off: it advertises routes and does not forward packets"},
        {"warn-too-many-routes", "too-many-routes",
         "It advertises more routes than are taken (1,000, an app connector 4,096): the others are left out"},
        {"warn-router-unhealthy", "router-unhealthy", "Its client cannot set up the routes of its system"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_eq(flag, known[i].flag)) {
            *code = known[i].code;
            *text = known[i].text;
            return true;
        }
    }
    if (!str_starts(flag, "warnable-"))
        return false;
    *code = *text = flag + strlen("warnable-");
    return true;
}
