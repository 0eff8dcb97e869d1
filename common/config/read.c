/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses values from the file and the environment. An error in a single value is an error; an unusable item of a list
 * that works without it is skipped and reported. */
#include "config/read.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"

#define TEXT_LIMIT 4096 /* bytes in one string */

int value_wrong(struct err *e, const struct config_key *key, const char *text, const char *wanted)
{
    return err_field(e, ERR_INVALID, key->name, "%s: '%.60s' is not %s", key->name, text, wanted);
}

/* ---- one text ---- */

int read_bool(const struct config_key *key, const char *text, void *out, struct err *e)
{
    static const char *const words[] = {"false", "no", "off", "0", "true", "yes", "on", "1"};

    for (size_t i = 0; i < 8; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *(bool *)out = i >= 4;
            return 0;
        }
    return value_wrong(e, key, text, "true or false");
}

int read_int(const struct config_key *key, const char *text, void *out, struct err *e)
{
    uint64_t number = 0;
    int r = str_u64(text, (uint64_t)key->min, (uint64_t)key->max, &number, key->name, e);

    if (r == 0)
        *(int64_t *)out = (int64_t)number;
    return r;
}

int read_duration(const struct config_key *key, const char *text, void *out, struct err *e)
{
    char low[TIME_TEXT_MAX], high[TIME_TEXT_MAX];
    int64_t ns = 0;

    if (duration_parse(text, &ns, key->name, e) < 0)
        return ERR_INVALID;
    if (ns < key->min || ns > key->max)
        return err_field(e, ERR_INVALID, key->name, "%s: %.40s is not between %s and %s", key->name, text,
                         duration_format(key->min, low), duration_format(key->max, high));
    *(int64_t *)out = ns;
    return 0;
}

int read_mode(const struct config_key *key, const char *text, void *out, struct err *e)
{
    const char *digits = text + (text[0] == '0' && (text[1] == 'o' || text[1] == 'O') ? 2 : 0);
    int64_t mode = 0;

    if (!*digits || strlen(digits) > 4 || strspn(digits, "01234567") != strlen(digits))
        return value_wrong(e, key, text, "an octal mode such as \"0770\"");
    for (; *digits; digits++)
        mode = mode * 8 + (*digits - '0');
    if (mode > 0777)
        return value_wrong(e, key, text, "an octal mode of at most \"0777\"");
    *(int64_t *)out = mode;
    return 0;
}

/* The index of text in "a|b|c", -1 if it is not in it. */
static int word_index(const char *words, const char *text)
{
    size_t len = strlen(text);
    int index = 0;

    for (const char *at = words;; index++) {
        size_t n = strcspn(at, "|");
        if (n == len && strncasecmp(at, text, n) == 0)
            return index;
        if (!at[n])
            return -1;
        at += n + 1;
    }
}

static int no_word(const struct config_key *key, const char *text, struct err *e)
{
    return err_field(e, ERR_INVALID, key->name, "%s: '%.60s' is not one of %s", key->name, text, key->words);
}

int read_enum(const struct config_key *key, const char *text, void *out, struct err *e)
{
    int index = word_index(key->words, text);

    if (index < 0)
        return no_word(key, text, e);
    *(int64_t *)out = index;
    return 0;
}

int read_text(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct err why;

    if (str_check(text, TEXT_LIMIT, true, key->name, &why) < 0) {
        if (e)
            *e = why;
        return ERR_INVALID;
    }
    mem_replace(out, text);
    return 0;
}

int read_word(const struct config_key *key, const char *text, void *out, struct err *e)
{
    if (word_index(key->words, text) < 0)
        return no_word(key, text, e);
    return read_text(key, text, out, e);
}

/* "host", "host:80" or "[::1]:80" at the beginning of the rest of a URL. */
static bool is_authority(const char *text)
{
    size_t len = strcspn(text, "/?#"), host = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":/?#");
    uint64_t port;
    struct addr addr;

    if (host > len || host == 0 || memchr(text, '@', len))
        return false;
    char *name = *text == '[' ? mem_strndup(text + 1, host - 2) : NULL, *digits = mem_strndup(text + host, len - host);
    bool good = (!name || (addr_parse(name, &addr, NULL) == 0 && addr.bits == 128)) &&
                (!*digits || (*digits == ':' && str_u64(digits + 1, 1, 65535, &port, "", NULL) == 0));
    free(name);
    free(digits);
    return good;
}

static bool is_web_url(const char *text)
{
    const char *rest = str_starts(text, "https://") ? text + 8 : str_starts(text, "http://") ? text + 7 : NULL;

    return rest && is_authority(rest) && !strpbrk(text, " \t\r\n\"<>\\^`{|}");
}

int read_url(const struct config_key *key, const char *text, void *out, struct err *e)
{
    const char *rest = str_starts(text, "https://") ? text + 8 : str_starts(text, "http://") ? text + 7 : NULL;
    size_t len = strlen(text);

    if (!*text)
        return read_text(key, text, out, e);
    if (!rest || !*rest || *rest == '/' || *rest == ':')
        return err_field(e, ERR_INVALID, key->name,
                         "%s must start with https:// or http:// and name a host, not '%.60s'", key->name, text);
    if (!is_web_url(text))
        return value_wrong(e, key, text, "a URL such as https://headway.example.com or http://[fd00::1]:8080");
    while (len > 8 && text[len - 1] == '/')
        len--;
    char *cut = mem_strndup(text, len);
    int r = read_text(key, cut, out, e);
    free(cut);
    return r;
}

int read_listen(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct config_listen parts;

    if (*text && config_listen_parse(text, key->name, &parts, e) < 0)
        return ERR_INVALID;
    return read_text(key, text, out, e);
}

int read_addr(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct addr addr;

    if (*text && addr_parse(text, &addr, NULL) < 0)
        return value_wrong(e, key, text, "an address");
    return read_text(key, text, out, e);
}

int read_prefix(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct prefix p;
    uint8_t bits = str_ends(key->name, "v4") ? 32 : 128;

    if (!*text) {
        *(struct prefix *)out = (struct prefix){0}; /* family not used */
        return 0;
    }
    if (prefix_parse_route(text, &p, NULL) < 0 || p.addr.bits != bits)
        return value_wrong(e, key, text, bits == 32 ? "an IPv4 prefix such as 100.64.0.0/10" : "an IPv6 prefix");
    *(struct prefix *)out = p;
    return 0;
}

/* ---- lists and maps ---- */

static int item_text(const struct config_key *key, size_t index, const char *text, struct err *e)
{
    struct err why = {0};

    if (str_check(text, TEXT_LIMIT, false, key->name, &why) == 0)
        return 0;
    return err_field(e, ERR_INVALID, key->name, "%s[%zu] is empty, too long or holds control characters", key->name,
                     index);
}

PRINTF_LIKE(3, 4)
static void leave_out(struct value_skips *skips, unsigned line, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (skips)
        skips->skipped(skips, line, text);
}

int read_list(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
              struct err *e)
{
    struct strs *list = out;

    for (size_t i = 0; i < v->len; i++) {
        struct err why;
        if (item_text(key, i, v->items[i].values.items[0], &why) == 0) {
            strs_push(list, v->items[i].values.items[0]);
        } else if (key->limits) {
            if (e)
                *e = why;
            return ERR_INVALID;
        } else {
            leave_out(skips, v->items[i].line, "%s: it is left out", why.message);
        }
    }
    return 0;
}

bool config_is_nameserver(const char *text)
{
    struct addr addr;

    return addr_parse(text, &addr, NULL) == 0 || (str_starts(text, "https://") && text[8] && !strpbrk(text, " \t") &&
                                                  str_check(text, TEXT_LIMIT, false, "", NULL) == 0);
}

static void keep_fit(const struct config_key *key, const struct raw_value *v, struct strs *out,
                     struct value_skips *skips, bool (*fits)(const char *text), const char *wanted)
{
    for (size_t i = 0; i < v->len; i++) {
        const char *text = v->items[i].values.items[0];
        if (fits(text) && strs_has(out, text))
            leave_out(skips, v->items[i].line, "%s[%zu]: '%.60s' is named twice: it is left out", key->name, i, text);
        else if (fits(text))
            strs_push(out, text);
        else
            leave_out(skips, v->items[i].line, "%s[%zu]: '%.60s' is not %s: it is left out", key->name, i, text,
                      wanted);
    }
}

int read_servers(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e)
{
    (void)e;
    keep_fit(key, v, out, skips, config_is_nameserver, "an address or an https URL");
    return 0;
}

int read_domains(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e)
{
    (void)e;
    for (size_t i = 0; i < v->len; i++)
        if (config_is_domain(v->items[i].values.items[0]))
            config_domain_normal(v->items[i].values.items[0]);
    keep_fit(key, v, out, skips, config_is_domain, "a domain name");
    return 0;
}

int read_urls(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
              struct err *e)
{
    (void)e;
    keep_fit(key, v, out, skips, is_web_url, "an http or https URL");
    return 0;
}

/* An origin as browsers send it: RFC 6454, section 6.2. */
static bool is_origin(const char *text)
{
    const char *host = str_starts(text, "https://") ? text + 8 : str_starts(text, "http://") ? text + 7 : "";

    return str_eq(text, "*") ||
           (*host &&
            strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:[]") == strlen(host));
}

int read_origins(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e)
{
    (void)e;
    keep_fit(key, v, out, skips, is_origin, "an origin such as https://ui.example.com, without a path, or *");
    return 0;
}

int read_prefixes(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                  struct err *e)
{
    (void)skips;
    for (size_t i = 0; i < v->len; i++) {
        const char *text = v->items[i].values.items[0];
        struct prefix p;
        if (prefix_parse_route(text, &p, NULL) < 0)
            return err_field(e, ERR_INVALID, key->name, "%s[%zu] \"%.60s\" is not a prefix such as 10.0.0.0/8",
                             key->name, i, text);
        if (prefix_is_exit(&p))
            return err_field(e, ERR_INVALID, key->name, "%s[%zu] \"%.60s\": 0.0.0.0/0 and ::/0 are not allowed",
                             key->name, i, text);
        prefixes_add(out, &p);
    }
    return 0;
}

int read_map(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
             struct err *e)
{
    struct config_pairs *pairs = out;

    (void)skips;
    for (size_t i = 0; i < v->len; i++) {
        const struct strs *texts = &v->items[i].values;
        if (texts->len > 1)
            return err_field(e, ERR_INVALID, key->name, "%s.%.60s must be one text", key->name, v->items[i].name);
        struct config_pair pair = {mem_strdup(v->items[i].name), mem_strdup(texts->len ? texts->items[0] : "")};
        vec_push(pairs, pair);
    }
    return 0;
}

static bool has_split(const struct config_splits *splits, const char *domain)
{
    for (size_t i = 0; i < splits->len; i++)
        if (str_eq(splits->items[i].domain, domain))
            return true;
    return false;
}

int read_split(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
               struct err *e)
{
    struct config_splits *splits = out;

    (void)e;
    for (size_t i = 0; i < v->len; i++) {
        const struct raw_item *item = &v->items[i];
        struct config_split split = {0};
        if (!config_is_domain(item->name)) {
            leave_out(skips, item->line, "%s: '%.60s' is not a domain name: it is left out", key->name, item->name);
            continue;
        }
        for (size_t j = 0; j < item->values.len; j++) {
            if (config_is_nameserver(item->values.items[j]) && strs_has(&split.servers, item->values.items[j]))
                leave_out(skips, item->line, "%s.%.60s[%zu]: '%.60s' is named twice: it is left out", key->name,
                          item->name, j, item->values.items[j]);
            else if (config_is_nameserver(item->values.items[j]))
                strs_push(&split.servers, item->values.items[j]);
            else
                leave_out(skips, item->line, "%s.%.60s[%zu]: '%.60s' is not an address or an https URL: it is left out",
                          key->name, item->name, j, item->values.items[j]);
        }
        /* Without a server the names of the domain would be resolved in the tailnet instead. */
        if (item->values.len && !split.servers.len)
            continue;
        split.domain = mem_strdup(item->name);
        config_domain_normal(split.domain);
        if (!has_split(splits, split.domain)) {
            vec_push(splits, split);
            continue;
        }
        leave_out(skips, item->line, "%s: '%.60s' is named twice: it is left out", key->name, item->name);
        free(split.domain);
        strs_release(&split.servers);
    }
    return 0;
}

const char *config_record_fault(const struct config_record *r)
{
    struct addr addr;

    if (!*r->name || !config_is_domain(r->name))
        return "its name is no domain name";
    if (!str_eq(r->type, "A") && !str_eq(r->type, "AAAA"))
        return "clients know A and AAAA only";
    if (addr_parse(r->value, &addr, NULL) < 0 || addr.bits != (r->type[1] ? 128 : 32))
        return "its value is no address of its type";
    return NULL;
}

int read_records(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e)
{
    static const char *const names[] = {"name", "type", "value"};

    for (size_t i = 0; i < v->len; i++) {
        const struct config_pairs *fields = &v->items[i].fields;
        struct config_record record = {mem_strdup(""), mem_strdup("A"), mem_strdup("")};
        char **members[] = {&record.name, &record.type, &record.value};
        const char *fault = NULL;

        for (size_t j = 0; j < fields->len && !fault; j++) {
            size_t k = 0;
            while (k < ARRAY_LEN(names) && strcasecmp(names[k], fields->items[j].name) != 0)
                k++;
            if (k == ARRAY_LEN(names))
                fault = "a record has a name, a type and a value only";
            else if (*fields->items[j].value)
                mem_replace(members[k], fields->items[j].value);
        }
        (void)e;
        fault = fault ? fault : config_record_fault(&record);
        if (!fault) {
            config_domain_normal(record.name);
            vec_push((struct config_records *)out, record);
            continue;
        }
        leave_out(skips, v->items[i].line, "%s[%zu]: %.60s %.20s %.60s is left out: %s", key->name, i, record.name,
                  record.type, record.value, fault);
        for (size_t k = 0; k < ARRAY_LEN(members); k++)
            free(*members[k]);
    }
    return 0;
}
