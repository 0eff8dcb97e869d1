/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the file, then the environment, fills in defaults and checks the rules between keys. Errors do not stop the
 * reading, so that all of them are reported at once. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/loader.h"

#define FILE_MAX     (4u << 20)
#define PROBLEMS_MAX 100
#define SYSTEM_FILE  "/etc/headway/config"
#define USER_FILE    "%s/.config/headway/config" /* below the home directory */

static char *with_place(const char *file, unsigned line, const char *text)
{
    return !*file ? mem_strdup(text)
           : line ? mem_format("%s:%u: %s", file, line, text)
                  : mem_format("%s: %s", file, text);
}

char *config_place(const struct config *c, const char *key, const char *text)
{
    const struct config_key *which = key_find(key);

    return with_place(c->file ? c->file : "", which && c->lines ? c->lines[which - config_keys] : 0, text);
}

void config_problem(const struct config *c, struct strs *problems, const char *key, const char *text)
{
    char *named = mem_format("%s: %s", key, text), *whole = config_place(c, key, named);

    strs_push(problems, whole);
    free(whole);
    free(named);
}

void loader_problem(struct loader *l, unsigned line, const char *key, const char *text)
{
    char *whole = l->variable ? mem_format("%s: %s", l->variable, text) : with_place(l->file, line, text);

    if (l->count++ == 0)
        err_field(l->e, ERR_INVALID, key, "%s", whole);
    if (l->problems && l->count <= PROBLEMS_MAX)
        strs_push(l->problems, whole);
    free(whole);
}

static void on_skipped(struct value_skips *skips, unsigned line, const char *text)
{
    struct loader *l = CONTAINER_OF(skips, struct loader, skips);
    char *note = l->variable ? mem_format("%s: %s", l->variable, text) : with_place(l->file, line, text);

    strs_push(&l->c->notes, note);
    free(note);
}

PRINTF_LIKE(3, 4)
static void on_problem(struct yaml_sink *sink, unsigned line, const char *format, ...)
{
    struct loader *l = CONTAINER_OF(sink, struct loader, sink);
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    loader_problem(l, line, "", text);
}

PRINTF_LIKE(3, 4)
static void rule_problem(void *arg, const char *key, const char *format, ...)
{
    struct loader *l = arg;
    const struct config_key *which = key_find(key);
    char text[512], variable[160];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (which && environment_value(key, variable, sizeof(variable)))
        l->variable = variable;
    loader_problem(l, which ? l->c->lines[which - config_keys] : 0, key, text);
    l->variable = NULL;
}

void loader_set_old(struct loader *l, const struct config_old *old, const struct raw_value *v, unsigned line)
{
    struct old_value *value = &l->old[old - config_olds];

    value->given = true;
    value->line = line;
    snprintf(value->variable, sizeof(value->variable), "%s", l->variable ? l->variable : "");
    mem_replace(&value->text, v->shape == RAW_SCALAR ? v->text : v->shape == RAW_NULL ? "" : "set");
}

static void on_leaf(struct yaml_sink *sink, const char *name, const struct raw_value *v, unsigned line)
{
    struct loader *l = CONTAINER_OF(sink, struct loader, sink);
    const struct config_key *key = key_find(name);
    struct err why = {0};

    if (!key) {
        loader_set_old(l, old_find(name), v, line);
        return;
    }
    l->c->lines[key - config_keys] = line;
    if (!value_is_given(key, v))
        return;
    if (value_set(l->c, key, v, l->dir, &l->skips, &why) < 0) {
        loader_problem(l, line, key->name, why.message);
        return;
    }
    strs_push(&l->c->given, key->name);
}

static void note_old(struct loader *l, const struct old_value *old, const char *text)
{
    char *note = *old->variable ? mem_format("%s: %s", old->variable, text) : with_place(l->file, old->line, text);

    strs_push(&l->c->notes, note);
    free(note);
}

/* A removed key is not an error if its successor is also set, as in a file that serves two releases, or if its value
 * matches the present behaviour. */
static void refuse_removed(struct loader *l, const struct config_old *what, const struct old_value *old)
{
    char text[256];

    if (what->now && config_given(l->c, what->now)) {
        snprintf(text, sizeof(text), "%s is ignored, %s is given", what->name, what->now);
        note_old(l, old, text);
    } else if (what->harmless && (str_eq(what->harmless, "*") || strcasecmp(what->harmless, old->text) == 0)) {
        snprintf(text, sizeof(text), "%s is ignored and can be removed: %s", what->name, what->advice);
        note_old(l, old, text);
    } else {
        snprintf(text, sizeof(text), "The \"%s\" configuration key has been removed.%s%s%s", what->name,
                 what->now      ? " Please use \""
                 : what->advice ? " Remove it: "
                                : "",
                 what->now      ? what->now
                 : what->advice ? what->advice
                                : "",
                 what->now ? "\" instead." : "");
        l->variable = *old->variable ? old->variable : NULL;
        loader_problem(l, old->line, what->name, text);
        l->variable = NULL;
    }
}

static void use_alias(struct loader *l, const struct config_old *what, const struct old_value *old)
{
    const struct config_key *key = key_find(what->now);
    struct err why = {0};

    if (!*old->text || config_given(l->c, what->now))
        return;
    l->c->lines[key - config_keys] = old->line;
    l->variable = *old->variable ? old->variable : NULL;
    if (value_set_text(l->c, key, old->text, l->dir, &l->skips, &why) < 0)
        loader_problem(l, old->line, what->name, why.message);
    else
        strs_push(&l->c->given, key->name);
    l->variable = NULL;
}

static void use_old_names(struct loader *l)
{
    char text[256];

    for (size_t i = 0; i < config_old_count; i++) {
        const struct config_old *what = &config_olds[i];
        if (!l->old[i].given)
            continue;
        if (what->kind == OLD_REMOVED)
            refuse_removed(l, what, &l->old[i]);
        if (what->kind == OLD_ALIAS)
            use_alias(l, what, &l->old[i]);
        if (what->kind == OLD_IGNORED) {
            snprintf(text, sizeof(text), "%s is ignored, use %s", what->name, what->now);
            note_old(l, &l->old[i], text);
        }
    }
}

/* One note that lists the keys without effect, so that a user who migrates knows what the rest of the file does. */
static void note_without_effect(struct config *c)
{
    struct buf text = BUF_INIT(0);

    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].use == KEY_NO_EFFECT && config_given(c, config_keys[i].name))
            buf_addf(&text, "%s%s", text.len ? ", " : "without effect here, and may stay: ", config_keys[i].name);
    if (text.len)
        strs_push(&c->notes, buf_text(&text));
    buf_release(&text);
}

/* Files without a path of their own are kept next to the database. */
static void find_state_dir(struct config *c)
{
    const char *slash = config_given(c, "database.sqlite.path") ? strrchr(c->database.sqlite_path, '/') : NULL;

    if (slash && slash != c->database.sqlite_path)
        c->state_dir = mem_strndup(c->database.sqlite_path, (size_t)(slash - c->database.sqlite_path));
    else
        c->state_dir = config_default_state_dir();
}

/* server_url, the first key, is filled last: it depends on listen_addr and on the certificate. */
static void use_defaults(struct loader *l)
{
    for (size_t i = config_key_count; i-- > 0;) {
        const struct config_key *key = &config_keys[i];
        struct err why = {0};
        if (key->nowhere || config_given(l->c, key->name))
            continue;
        char *text = default_text(l->c, key);
        if (*text && value_set_text(l->c, key, text, "", NULL, &why) < 0)
            loader_problem(l, 0, key->name, why.message);
        else if (!*text && key->type >= TYPE_WORD && key->type <= TYPE_ADDR &&
                 value_set_text(l->c, key, "", "", NULL, &why) < 0)
            loader_problem(l, 0, key->name, why.message);
        free(text);
    }
}

static int finish(struct loader *l, struct config **out)
{
    environment_read(l);
    use_old_names(l);
    note_without_effect(l->c);
    find_state_dir(l->c);
    use_defaults(l);
    if (l->count == 0)
        rules_apply(l->c, rule_problem, l);
    strs_sort(&l->c->given);
    for (size_t i = 0; i < config_old_count; i++)
        free(l->old[i].text);
    free(l->old);
    free(l->dir);
    if (l->count == 0 || l->keep)
        *out = l->c;
    else
        config_unref(l->c);
    if (l->count == 0)
        return 0;
    if (l->count > 1 && l->e) {
        size_t used = strlen(l->e->message);
        snprintf(l->e->message + used, sizeof(l->e->message) - used, " (and %u more)", l->count - 1);
    }
    return ERR_INVALID;
}

static void start(struct loader *l, const char *name, struct strs *problems, struct err *e)
{
    const char *slash = strrchr(name, '/');

    *l = (struct loader){
        .sink = {on_leaf, on_problem}, .skips = {on_skipped}, .problems = problems, .e = e, .file = name};
    l->old = mem_alloc(config_old_count * sizeof(*l->old));
    l->dir = slash ? mem_strndup(name, slash == name ? 1 : (size_t)(slash - name)) : mem_strdup("");
    l->c = mem_alloc(sizeof(*l->c));
    atomic_init(&l->c->refs, 1);
    l->c->file = mem_strdup(name);
    l->c->lines = mem_alloc(config_key_count * sizeof(*l->c->lines));
}

int config_parse(const char *text, size_t len, const char *name, struct config **out, struct strs *problems,
                 struct err *e)
{
    struct loader l;

    start(&l, name, problems, e);
    yaml_read(name, text, len, &l.sink);
    return finish(&l, out);
}

/* ---- which file ---- */

/* The path with the first of these extensions for which a file exists; NULL if none does. */
static char *with_ending(const char *path)
{
    static const char *const endings[] = {".yaml", ".yml", ".toml", ".json"};

    for (size_t i = 0; path && i < ARRAY_LEN(endings); i++) {
        char *whole = mem_format("%s%s", path, endings[i]);
        if (access(whole, F_OK) == 0)
            return whole;
        free(whole);
    }
    return NULL;
}

static char *find_file(const char *path)
{
    const char *home = getenv("HOME");
    const char *named[] = {path, getenv("HEADWAY_CONFIG"), getenv("HEADSCALE_CONFIG")};
    /* Not the working directory: a file that somebody left there would receive the administrator's key. */
    char *places[] = {home && *home ? mem_format(USER_FILE, home) : NULL, mem_strdup(SYSTEM_FILE)};
    char *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(named) && !found; i++)
        if (named[i] && *named[i])
            found = mem_strdup(named[i]);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (!found)
            found = with_ending(places[i]);
        free(places[i]);
    }
    return found;
}

char *config_default_file(void)
{
    const char *home = getenv("HOME"), *named = getenv("HEADWAY_CONFIG");
    char *mine = home && *home ? mem_format(USER_FILE, home) : NULL, *found = with_ending(mine);

    if (named && *named)
        mem_replace(&found, named);
    else if (!found)
        found = mine && geteuid() != 0 ? mem_format("%s.yaml", mine) : with_ending(SYSTEM_FILE);
    free(mine);
    return found ? found : mem_strdup(CONFIG_SYSTEM_FILE);
}

/* The name and the text of the file, owned by the caller; both are empty if there is no file. */
static int read_file(const char *path, char **name, struct buf *text, struct err *e)
{
    int r = 0;

    *text = (struct buf)BUF_INIT(FILE_MAX);
    *name = find_file(path);
    if (*name && (r = file_read(*name, FILE_ANY, text, e)) < 0)
        err_prefix(e, "the configuration");
    if (r < 0 || !*name)
        mem_replace(name, "");
    return r;
}

int config_load(const char *path, struct config **out, struct strs *problems, struct err *e)
{
    struct buf text;
    struct err why = {0};
    char *name;
    int r = read_file(path, &name, &text, &why);

    if (r == 0) {
        r = config_parse(buf_text(&text), text.len, name, out, problems, e);
    } else {
        if (problems)
            strs_push(problems, why.message);
        if (e)
            *e = why;
    }
    buf_release(&text);
    free(name);
    return r;
}

int config_load_for_client(const char *path, struct config **out, struct err *e)
{
    struct buf text;
    struct loader l;
    char *name;
    int r = read_file(path, &name, &text, e), parsed;

    start(&l, name, NULL, r < 0 ? NULL : e);
    l.keep = true;
    yaml_read(name, buf_text(&text), text.len, &l.sink);
    parsed = finish(&l, out);
    buf_release(&text);
    free(name);
    return r < 0 ? r : parsed;
}

/* ---- life and comparison ---- */

struct config *config_ref(const struct config *c)
{
    struct config *mine = (struct config *)(uintptr_t)c;

    atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void config_unref(const struct config *c)
{
    struct config *mine = (struct config *)(uintptr_t)c;

    if (!c || atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < config_key_count; i++)
        value_release(mine, &config_keys[i]);
    strs_release(&mine->notes);
    strs_release(&mine->given);
    free(mine->lines);
    free(mine->file);
    free(mine->state_dir);
    free(mine);
}

void config_diff(const struct config *was, const struct config *is, struct strs *live, struct strs *restart)
{
    strs_release(live);
    strs_release(restart);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        struct buf a = BUF_INIT(0), b = BUF_INIT(0);
        value_text(was, key, &a);
        value_text(is, key, &b);
        if (!str_eq(buf_text(&a), buf_text(&b)))
            strs_push(key->live ? live : restart, key->name);
        buf_release(&a);
        buf_release(&b);
    }
}

void config_keep_until_restart(const struct config *was, struct config *fresh)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (!config_keys[i].live)
            value_copy(fresh, was, &config_keys[i]);
    mem_replace(&fresh->state_dir, was->state_dir);
}

bool config_policy_is_file(const struct config *c)
{
    return strcasecmp(c->policy.mode, "file") == 0 && *c->policy.path;
}
