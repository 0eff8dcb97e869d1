/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/config_pages.h"

#include <stdio.h>
#include <string.h>

#include "config/keys.h"
#include "usage/mdoc.h"

/* Wraps text to lines of at most width bytes, each preceded by start. */
static void wrap(struct buf *out, const char *start, const char *text, size_t width)
{
    size_t column = 0;

    for (const char *at = text; *at;) {
        size_t n = strcspn(at, " ");
        if (column && column + 1 + n > width) {
            buf_addc(out, '\n');
            column = 0;
        }
        if (column == 0)
            buf_adds(out, start);
        else
            buf_addc(out, ' ');
        buf_add(out, at, n);
        column += n + (column ? 1 : 0);
        at += n + (at[n] == ' ');
    }
    buf_addc(out, '\n');
}

static bool is_many(const struct config_key *key)
{
    return key->type >= TYPE_PREFIXES;
}

/* The value as YAML, as a starting point for the reader. */
static void write_value(struct buf *out, const struct config_key *key)
{
    const char *text = key->example ? key->example : key->fallback;

    if (key->type == TYPE_MAP || key->type == TYPE_SPLIT) {
        buf_adds(out, " {}");
    } else if (is_many(key)) {
        buf_adds(out, " [");
        for (const char *at = text; *at;) {
            size_t n = strcspn(at, " ");
            buf_adds(out, at == text ? "" : ", ");
            buf_add(out, at, n);
            at += n + (at[n] == ' ');
        }
        buf_addc(out, ']');
    } else if (str_starts(text, "$state/")) {
        buf_addf(out, " /var/lib/headway/%s", text + strlen("$state/"));
    } else if (!*text || key->type == TYPE_MODE || *text == ':') {
        buf_addf(out, " \"%s\"", text);
    } else {
        buf_addf(out, " %s", text);
    }
}

void config_example(struct buf *out)
{
    const char *last = "";
    char line[256];

    wrap(out, "# ",
         "Configuration of headwayd. Every key is optional; what stands behind a '#' directly before a key is an "
         "example "
         "or the default. headway.yaml(5) explains all of it, 'headwayd configtest' checks a file. Environment "
         "variables such as HEADWAY_DNS_BASE_DOMAIN override keys.",
         100);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        size_t depth = 0;
        if (key->use != KEY_USED)
            continue;
        /* the groups that this key opens */
        const char *at = key->name, *dot;
        if (!strchr(key->name, '.') || strncmp(key->name, last, strcspn(key->name, ".") + 1) != 0)
            buf_addc(out, '\n');
        for (; (dot = strchr(at, '.')); at = dot + 1, depth++) {
            size_t n = (size_t)(dot - key->name) + 1;
            if (strncmp(key->name, last, n) != 0)
                buf_addf(out, "%*s%.*s:\n", (int)(2 * depth), "", (int)(dot - at), at);
        }
        snprintf(line, sizeof(line), "%*s# ", (int)(2 * depth), "");
        wrap(out, line, key->help, 100);
        buf_addf(out, "%*s#%s:", (int)(2 * depth), "", at);
        write_value(out, key);
        buf_addc(out, '\n');
        last = key->name;
    }
}

static const char *type_word(const struct config_key *key)
{
    static const char *const words[TYPE_COUNT] = {[TYPE_BOOL] = "true or false",
                                                  [TYPE_INT] = "number",
                                                  [TYPE_DURATION] = "duration",
                                                  [TYPE_MODE] = "octal mode",
                                                  [TYPE_ENUM] = "one of",
                                                  [TYPE_WORD] = "one of",
                                                  [TYPE_TEXT] = "text",
                                                  [TYPE_PATH] = "path",
                                                  [TYPE_URL] = "URL",
                                                  [TYPE_LISTEN] = "host:port",
                                                  [TYPE_ADDR] = "address",
                                                  [TYPE_PREFIX] = "prefix",
                                                  [TYPE_PREFIXES] = "prefixes",
                                                  [TYPE_LIST] = "list",
                                                  [TYPE_SERVERS] = "list",
                                                  [TYPE_URLS] = "list",
                                                  [TYPE_DOMAINS] = "list",
                                                  [TYPE_ORIGINS] = "list",
                                                  [TYPE_MAP] = "map of texts",
                                                  [TYPE_SPLIT] = "map of lists",
                                                  [TYPE_RECORDS] = "list of objects",
                                                  [TYPE_PROVIDERS] = "list of objects"};

    return words[key->type];
}

static void write_entry(struct buf *out, const struct config_key *key)
{
    const char *value = str_eq(key->fallback, "$url")      ? "http:// and the first private address"
                        : str_eq(key->fallback, "$socket") ? "see FILES"
                                                           : key->fallback;

    buf_addf(out, ".It Cm %s\n.Pq %s", key->name, type_word(key));
    for (const char *at = key->words; at && *at; at += strcspn(at, "|"), at += *at == '|')
        buf_addf(out, "%s%.*s", at == key->words ? " " : ", ", (int)strcspn(at, "|"), at);
    if (str_starts(value, "$state/"))
        buf_addf(out, "; default: %s in the state directory", value + strlen("$state/"));
    else if (*value)
        buf_addf(out, "; default: %s", value);
    buf_addc(out, '\n');
    mdoc_text(out, key->help);
    if (key->live)
        buf_adds(out, "A reload suffices.\n");
}

void config_manual(struct buf *out)
{
    static const char *const heads[] = {
        [KEY_USED] = ".Sh KEYS\nA dot stands for one more level of the file.\n.Bl -tag -width Ds\n",
        [KEY_NO_EFFECT] = ".Sh KEYS WITHOUT EFFECT\nThey govern the inside of headscale and mean nothing here.\n.Bl "
                          "-tag -width Ds\n"};

    for (int use = KEY_USED; use <= KEY_NO_EFFECT; use++) {
        buf_adds(out, heads[use]);
        for (size_t i = 0; i < config_key_count; i++)
            if ((int)config_keys[i].use == use)
                write_entry(out, &config_keys[i]);
        buf_adds(out, ".El\n");
    }
    buf_adds(out, ".Sh EARLIER NAMES\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < config_old_count; i++) {
        const struct config_old *old = &config_olds[i];
        buf_addf(out, ".It Cm %s\n", old->name);
        if (old->kind == OLD_ALIAS)
            buf_addf(out, "Read as\n.Cm %s .\n", old->now);
        else if (old->kind == OLD_IGNORED)
            buf_addf(out, "Ignored with a note; use\n.Cm %s .\n", old->now);
        else if (old->now)
            buf_addf(out, "An error, unless its successor is given too; use\n.Cm %s .\n", old->now);
        else
            buf_adds(out, "An error: there is no such thing any more.\n");
    }
    buf_adds(out, ".El\n");
}
