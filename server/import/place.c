/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/place.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/control.h"
#include "crypto/crypto.h"
#include "relay/relay.h"
#include "json/json.h"

#define CACHED_MAX ((size_t)64 * 1024) /* for a certificate with its chain */

/* ---- where ---- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return str_eq(a, b) || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static void use_directory(struct import_place *p, const char *dir)
{
    p->database = mem_format("%s/db.sqlite", dir);
    p->noise_key = mem_format("%s/noise_private.key", dir);
    p->derp_key = mem_format("%s/derp_server_private.key", dir);
    p->cache = mem_format("%s/cache", dir);
}

/* A configuration without settings (the one that is installed) counts as none. */
static int look_at_config(struct import_place *p, struct err *e)
{
    struct config *c = NULL;
    struct err why = {0};

    if (access(p->config, F_OK) < 0)
        return 0;
    if (config_load_for_client(p->config, &c, &why) < 0 && c->given.len == 0) {
        config_unref(c);
        return err_set(e, ERR_INVALID, "%s", why.message);
    }
    if (c->given.len == 0) {
        config_unref(c);
        return 0;
    }
    p->kept = c;
    return 0;
}

static bool is_below(const char *path, const char *dir)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
    bool below = is_same_file(folder, dir);

    free(folder);
    return below;
}

/* Paths in a configuration are relative to that file, not to the working directory of this program. */
static char *from_here(const char *path)
{
    char here[PATH_MAX];

    return *path == '/' || !getcwd(here, sizeof(here)) ? mem_strdup(path) : mem_format("%s/%s", here, path);
}

int place_find(const struct config *headscale, const char *to, const char *state_dir, struct import_place *out,
               struct err *e)
{
    char *dir = state_dir ? from_here(state_dir) : config_default_state_dir();
    int rc;

    *out = (struct import_place){.config = to ? from_here(to) : config_default_file()};
    if (headscale && is_same_file(out->config, headscale->file))
        rc = err_set(e, ERR_CONFLICT, "%s is headscale's configuration and stays as it is: name headway's with --to",
                     out->config);
    else if (access(out->config, F_OK) < 0 && (str_ends(out->config, ".toml") || str_ends(out->config, ".json")))
        rc = err_set(e, ERR_UNSUPPORTED, "%s: the configuration is written as YAML: name a file that ends in .yaml",
                     out->config);
    else
        rc = look_at_config(out, e);
    if (rc == 0 && out->kept && state_dir && !is_below(out->kept->database.sqlite_path, state_dir))
        rc = err_set(e, ERR_CONFLICT, "%s says where the database is to be, and it is elsewhere: leave --state out",
                     out->config);
    if (rc == 0 && out->kept) {
        out->database = mem_strdup(out->kept->database.sqlite_path);
        out->noise_key = mem_strdup(out->kept->noise.private_key_path);
        out->derp_key = mem_strdup(out->kept->derp.server.private_key_path);
        out->cache = mem_strdup(out->kept->acme.cache_dir);
    } else {
        use_directory(out, dir);
    }
    out->write_config = headscale && !out->kept;
    free(dir);
    return rc;
}

void place_release(struct import_place *p)
{
    config_unref(p->kept);
    free(p->config);
    free(p->database);
    free(p->noise_key);
    free(p->derp_key);
    free(p->cache);
    *p = (struct import_place){0};
}

/* ---- the configuration ---- */

struct overrides {
    struct config_override items[16];
    char *texts[16];
    size_t len;
};

/* value NULL: the key is left out; otherwise a text. */
static void override(struct overrides *o, const char *key, const char *value)
{
    struct buf quoted = BUF_INIT(0);
    struct json_out json = JSON_OUT(&quoted);

    if (value)
        json_str(&json, value);
    char *text = value ? buf_take(&quoted) : NULL;
    o->texts[o->len] = text;
    o->items[o->len++] = (struct config_override){key, text};
}

static void changed(struct report *r, const char *key, const char *why)
{
    report_add(r, REPORT_CHANGED, REPORT_CONFIGURATION, key, "%s", why);
}

/* headscale's relay is at the port of server_url, which firewalls let in; headway's own listener uses another one.
 * Behind a proxy the relay is at that port anyway. */
static void keep_relay_port(struct overrides *o, const struct config *headscale, struct report *report)
{
    if (!headscale->derp.server.enabled || !config_serves_tls(headscale) ||
        strs_has(&headscale->given, "derp.server.advertise_port"))
        return;
    char *port = mem_format("%u", relay_url_port(headscale));
    o->texts[o->len] = port;
    o->items[o->len++] = (struct config_override){"derp.server.advertise_port", port};
    changed(report, "derp.server.advertise_port", "clients reach the relay at the port of server_url, as before");
}

void place_config_text(const struct import_place *p, const struct config *headscale, struct report *report,
                       struct buf *out)
{
    struct overrides o = {0};

    override(&o, "database.type", NULL);
    override(&o, "database.sqlite.path", p->database);
    override(&o, "database.postgres.host", NULL);
    override(&o, "noise.private_key_path", p->noise_key);
    override(&o, "derp.server.private_key_path", p->derp_key);
    if (strs_has(&headscale->given, "unix_socket")) {
        override(&o, "unix_socket", NULL);
        changed(report, "unix_socket", "the socket is headway's own");
    }
    if (!strs_has(&headscale->given, "derp.server.enabled")) {
        o.items[o.len] = (struct config_override){"derp.server.enabled", "false"};
        o.texts[o.len++] = NULL;
    }
    keep_relay_port(&o, headscale, report);
    if (*headscale->acme.hostname) {
        override(&o, "tls_letsencrypt_cache_dir", p->cache);
        changed(report, "tls_letsencrypt_cache_dir",
                "headway keeps certificates of its own; headscale's and its account are copied");
    }
    buf_addf(out, "# %s as headway's, written by 'headwayd import'. headway.yaml(5) explains the keys.\n",
             headscale->file);
    config_write(headscale, o.items, o.len, out);
    for (size_t i = 0; i < o.len; i++)
        free(o.texts[i]);
}

/* ---- putting ---- */

/* As root: gives the file to the owner of the directory. */
static int give_to_owner(const char *path, mode_t mode, bool group_only, struct err *e)
{
    char *folder = mem_strdup(path), *slash = strrchr(folder, '/');
    struct stat st;
    int rc = 0;

    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    if (geteuid() == 0 && (stat(slash ? folder : ".", &st) < 0 ||
                           lchown(path, group_only ? 0 : st.st_uid, st.st_gid) < 0 || chmod(path, mode) < 0))
        rc = err_set(e, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    free(folder);
    return rc;
}

static int put_key(const char *from, const char *to, struct strs *written, struct err *e)
{
    int rc = file_make_parents(to, 0750, e);
    bool made = access(to, F_OK) < 0;

    if (rc == 0)
        rc = control_key_copy(from, to, false, e);
    if (rc == 0 && made) {
        strs_push(written, to);
        rc = give_to_owner(to, 0600, false, e);
    }
    return rc;
}

/* Copies one file of the certificate cache, which may be missing, and leaves an existing one alone. */
static int put_cached(const char *from_dir, const char *to_dir, const char *name, struct strs *written, struct err *e)
{
    char *from = mem_format("%s/%s", from_dir, name), *to = mem_format("%s/%s", to_dir, name);
    struct buf pem = BUF_INIT(CACHED_MAX);
    int rc = 0;

    if (access(from, F_OK) == 0 && access(to, F_OK) < 0) {
        rc = file_read(from, FILE_ANY, &pem, e);
        if (rc == 0)
            rc = file_create(to, pem.data, pem.len, 0600, e);
        if (rc == 0) {
            strs_push(written, to);
            rc = give_to_owner(to, 0600, false, e);
        }
    }
    if (pem.data)
        crypto_wipe(pem.data, pem.len);
    buf_release(&pem);
    free(from);
    free(to);
    return rc;
}

/* The certificate from headscale's authority (server/acme/cache.h): without it only another order is needed. */
static int put_cache(const char *from, const char *to, const char *host, struct strs *written, struct err *e)
{
    char *rsa = mem_format("%s+rsa", host);
    const char *names[] = {host, rsa, "acme_account+key", "acme_account.key"};
    bool made = access(to, F_OK) < 0;
    int rc = 0;

    if (!is_same_file(from, to)) {
        rc = made && mkdir(to, 0700) < 0 ? err_set(e, ERR_UNAVAILABLE, "%s: %s", to, strerror(errno)) : 0;
        if (rc == 0 && made)
            rc = give_to_owner(to, 0700, false, e);
        for (size_t i = 0; rc == 0 && i < ARRAY_LEN(names); i++)
            rc = put_cached(from, to, names[i], written, e);
    }
    free(rsa);
    return rc;
}

static bool is_same_text(const char *path, const struct buf *text)
{
    struct buf there = BUF_INIT(4u << 20);
    bool same = file_read(path, FILE_ANY, &there, NULL) == 0 && there.len == text->len &&
                memcmp(buf_text(&there), buf_text(text), text->len) == 0;

    buf_release(&there);
    return same;
}

static int put_config(const struct import_place *p, const struct buf *text, struct strs *written, struct err *e)
{
    int rc = file_make_parents(p->config, 0755, e);
    bool made = access(p->config, F_OK) < 0;
    struct stat st;

    if (rc < 0 || is_same_text(p->config, text))
        return rc;
    rc = file_replace(p->config, buf_text(text), text->len, 0640, e);
    if (rc == 0 && made)
        strs_push(written, p->config);
    /* It may hold secrets: readable for root, and for the daemon's group. */
    if (rc == 0 && geteuid() == 0 && stat(p->noise_key, &st) == 0 && lchown(p->config, 0, st.st_gid) < 0)
        rc = err_set(e, ERR_UNAVAILABLE, "%s: %s", p->config, strerror(errno));
    return rc;
}

static int put_database(const struct import_place *p, const char *part, struct strs *written, struct err *e)
{
    int rc = give_to_owner(part, 0600, false, e);

    if (rc == 0 && link(part, p->database) < 0)
        rc = errno == EEXIST ? err_set(e, ERR_CONFLICT, "%s: this file exists", p->database)
                             : err_set(e, ERR_UNAVAILABLE, "%s: %s", p->database, strerror(errno));
    if (rc == 0) {
        strs_push(written, p->database);
        unlink(part);
        rc = file_sync_folder(p->database, e);
    }
    return rc;
}

/* Removes what was made, and restores what was replaced. */
static void undo(const struct import_place *p, const struct strs *written, const struct buf *before)
{
    struct err e;

    for (size_t i = 0; i < written->len; i++)
        unlink(written->items[i]);
    if (before->len && file_replace(p->config, before->data, before->len, 0644, &e) < 0)
        log_error("import", "%s", e.message);
}

int place_put(const struct import_place *p, const struct place_files *files, struct strs *written, struct err *e)
{
    struct buf before = BUF_INIT(4u << 20);
    int rc = put_key(files->noise_key, p->noise_key, written, e);

    if (rc == 0 && files->derp_key)
        rc = put_key(files->derp_key, p->derp_key, written, e);
    if (rc == 0 && files->cache)
        rc = put_cache(files->cache, p->cache, files->host, written, e);
    if (rc == 0 && files->config && file_read(p->config, FILE_ANY, &before, NULL) < 0)
        buf_release(&before);
    if (rc == 0 && files->config)
        rc = put_config(p, files->config, written, e);
    if (rc == 0)
        rc = put_database(p, files->part, written, e);
    if (rc < 0)
        undo(p, written, &before);
    buf_release(&before);
    return rc;
}

static int try_place(const char *path, struct err *e)
{
    char *dir = mem_strdup(path);
    int rc = 0;

    for (char *slash; rc == 0 && (slash = strrchr(dir, '/'));) {
        slash[slash == dir ? 1 : 0] = '\0';
        if (access(dir, F_OK) < 0 && slash != dir)
            continue;
        if (access(dir, W_OK | X_OK) < 0)
            rc = err_set(e, ERR_UNAVAILABLE, "no right to write into %s, which %s needs: %s", dir, path,
                         strerror(errno));
        break;
    }
    free(dir);
    return rc;
}

static int try_key(const char *from, const char *to, struct err *e)
{
    int rc = try_place(to, e);

    return rc == 0 ? control_key_copy(from, to, true, e) : rc;
}

int place_try(const struct import_place *p, const struct place_files *files, struct err *e)
{
    int rc = try_key(files->noise_key, p->noise_key, e);

    if (rc == 0 && files->derp_key)
        rc = try_key(files->derp_key, p->derp_key, e);
    if (rc == 0 && files->config)
        rc = try_place(p->config, e);
    return rc == 0 ? try_place(p->database, e) : rc;
}
