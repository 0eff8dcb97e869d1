/* SPDX-License-Identifier: BSD-3-Clause */
/* The import of headscale's databases, from each release and with all peculiarities of their values: nothing is lost or
 * invented, what cannot be imported is named with table, id and column, and headscale's files remain unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/import.h"
#include "shared/import/headscale_db.h"
#include "shared/import/import_rig.h"
#include "shared/store_fixture.h"
#include "store/store.h"

#define ARGON2 "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
#define HASH   "$2a$10$abcdefghijklmnopqrstuuKp1jJ1jJ1jJ1jJ1jJ1jJ1jJ1jJ1jJ1j"
#define POLICY "{\"tagOwners\": {\"tag:asked\": [\"alice@\"], \"tag:router\": [\"alice@\"]}, \"acls\": []}"

static void load(struct import_rig *v, struct store_image *image)
{
    struct err e = {0};

    if (store_check(v->taken, image, &e) < 0)
        fail_msg("%s", e.message);
}

static const struct node *node_of(const struct store_image *image, uint64_t id)
{
    const struct node *n = record_find(image->nodes, image->node_count, id, NULL);

    if (!n)
        fail_msg("there is no node %llu", (unsigned long long)id);
    return n;
}

static bool has_prefix(const struct prefixes *set, const char *text)
{
    struct prefix p = sample_prefix(text);

    return prefixes_has(set, &p);
}

static void put_node(struct import_rig *v, int id, const char *name, const char *user, const char *columns,
                     const char *values)
{
    headscale_db_sql(v->database,
                     "INSERT INTO nodes(id,machine_key,node_key,disco_key,hostname,given_name,user_id,ipv4,ipv6,"
                     "register_method,created_at%s%s) VALUES(%d,'mkey:%064x','nodekey:%064x','discokey:%064x','%s',"
                     "'%s',%s,'100.64.0.%d','fd7a:115c:a1e0::%d','authkey','2025-02-03 04:05:06.789+00:00'%s%s)",
                     *columns ? "," : "", columns, id, id + 256, id + 512, id + 768, name, name, user, id, id,
                     *values ? "," : "", values);
}

/* What every release can hold, each in its own columns. */
static void fill(struct import_rig *v, int minor)
{
    const char *tags = minor < 28 ? "forced_tags" : "tags";
    char *tag_column = mem_format("auth_key_id,%s", tags);

    headscale_db_sql(v->database, "INSERT INTO users(id,name,created_at) VALUES(1,'alice','2025-01-02 03:04:05+02:00');"
                                  "INSERT INTO users(id,name,created_at,deleted_at) VALUES"
                                  "(9,'gone','2025-01-02 03:04:05+02:00','2025-01-03')");
    if (minor >= 24)
        headscale_db_sql(v->database, "INSERT INTO users(id,name,display_name,email,provider_identifier,provider,"
                                      "profile_pic_url) VALUES(2,'carol','Carol B.','carol@example.com',"
                                      "'https://id.example.com/42','oidc','https://id.example.com/a.png');"
                                      "INSERT INTO users(id,name) VALUES(3,'carol')");
    headscale_db_sql(
        v->database,
        "INSERT INTO pre_auth_keys(id,key,user_id,reusable,ephemeral,used,expiration) VALUES"
        "(1,'000102030405060708090a0b0c0d0e0f1011121314151617',1,1,0,1,NULL),"
        "(2,'100102030405060708090a0b0c0d0e0f1011121314151617',1,0,'true','true','0001-01-01 00:00:00+00:00')");
    if (minor == 23)
        headscale_db_sql(v->database, "INSERT INTO pre_auth_key_acl_tags VALUES(1,1,'tag:key'),(2,77,'tag:none')");
    else
        headscale_db_sql(v->database, "UPDATE pre_auth_keys SET tags='[\"tag:key\"]' WHERE id=1");
    if (minor >= 28)
        headscale_db_sql(v->database, "INSERT INTO pre_auth_keys(id,prefix,hash,user_id,tags) VALUES"
                                      "(3,'abcdef012345',CAST('" HASH "' AS BLOB),1,NULL)");
    if (minor == 30)
        headscale_db_sql(v->database, "UPDATE pre_auth_keys SET revoked='2026-01-01',description='for ci' WHERE id=3;"
                                      "INSERT INTO oauth_clients(id,client_id,secret_hash,scopes,tags,description) "
                                      "VALUES(5,'c0ffee012345',CAST('" ARGON2 "' AS BLOB),"
                                      "'[\"devices:core\",\"auth_keys\"]','[\"tag:ci\"]','terraform'),"
                                      "(6,'c0ffee012346','" ARGON2 "',NULL,'null',NULL);"
                                      "UPDATE oauth_clients SET revoked='2026-01-01' WHERE id=6");
    headscale_db_sql(v->database, "INSERT INTO api_keys(id,prefix,hash,expiration) VALUES"
                                  "(4,'abcdefg',CAST('" HASH "' AS BLOB),'2099-01-01 00:00:00+00:00')");
    headscale_db_sql(v->database,
                     "INSERT INTO policies(id,data,deleted_at) VALUES(1,'broken',NULL),(2,'%s',NULL),"
                     "(3,'deleted','2025-01-01')",
                     POLICY);
    put_node(
        v, 1, "laptop", "1", "auth_key_id,host_info,endpoints,expiry,last_seen",
        "2,'{\"OS\":\"linux\",\"IPNVersion\":\"1.80.3\",\"Hostname\":\"laptop\",\"NetInfo\":{\"PreferredDERP\":7}}',"
        "CAST('[\"203.0.113.7:41641\",\"[2001:db8::1]:41641\"]' AS BLOB),'2031-01-01 00:00:00+00:00',"
        "'2025-05-05 05:05:05Z'");
    put_node(v, 2, "router", "1", tag_column, "NULL,'[\"tag:router\"]'");
    put_node(v, 3, "renamed", "1", "expiry,auth_key_id", "'0001-01-01 00:00:00+00:00',NULL");
    headscale_db_sql(v->database, "UPDATE nodes SET hostname='other' WHERE id=3");
    put_node(v, 4, "nulls", "1", tag_column, "NULL,'null'");
    put_node(v, 5, "lost", "NULL", "auth_key_id", "2");
    put_node(v, 6, "orphan", "NULL", "auth_key_id", "NULL");
    put_node(v, 7, "deleted", "1", "deleted_at", "'2025-01-01 00:00:00+00:00'");
    put_node(v, 8, "asking", "1", "auth_key_id,host_info",
             "NULL,'{\"RequestTags\":[\"tag:asked\",\"tag:foreign\"],\"RoutableIPs\":[\"10.9.0.0/16\"]}'");
    if (minor < 26)
        headscale_db_sql(v->database, "INSERT INTO routes(id,node_id,prefix,advertised,enabled,is_primary) VALUES"
                                      "(1,2,'10.0.0.0/8',1,1,1),(2,2,'0.0.0.0/0',1,1,0),(3,2,'192.168.0.0/16',1,0,0),"
                                      "(4,3,'10.0.0.0/8',1,1,0)");
    else
        headscale_db_sql(v->database, "UPDATE nodes SET approved_routes=CAST('[\"0.0.0.0/0\",\"10.0.0.0/8\"]' AS BLOB) "
                                      "WHERE id=2; UPDATE nodes SET approved_routes='null' WHERE id=1");
    headscale_db_sql(v->database, "UPDATE sqlite_sequence SET seq=40 WHERE name='nodes'");
    free(tag_column);
}

static void check_keys(const struct store_image *image, int minor)
{
    const struct preauth_key *k = image->preauth_keys[0];

    assert_int_equal(image->preauth_key_count, minor >= 28 ? 3 : 2);
    assert_string_equal(k->secret_hash, "plain:000102030405060708090a0b0c0d0e0f1011121314151617");
    assert_true(k->reusable && k->used && !k->ephemeral && k->preauthorized);
    assert_int_equal(k->tags.len, 1);
    assert_string_equal(k->tags.items[0], "tag:key");
    assert_int_equal(k->expiration_ns, 0);
    assert_true(image->preauth_keys[1]->ephemeral && image->preauth_keys[1]->expiration_ns == 1);
    if (minor >= 28) {
        assert_string_equal(image->preauth_keys[2]->prefix, "abcdef012345");
        assert_string_equal(image->preauth_keys[2]->secret_hash, HASH);
        assert_int_equal(image->preauth_keys[2]->revoked, minor == 30);
        assert_int_equal(image->preauth_keys[2]->revoked_ns, minor == 30 ? 1767225600 * NS_PER_SECOND : 0);
        assert_string_equal(image->preauth_keys[2]->description, minor == 30 ? "for ci" : "");
    }
    assert_int_equal(image->api_key_count, 1);
    assert_string_equal(image->api_keys[0]->prefix, "abcdefg");
    assert_string_equal(image->api_keys[0]->secret_hash, HASH);
    assert_true(image->api_keys[0]->expiration_ns > 4000000000 * NS_PER_SECOND);
}

static void check_oauth(const struct import_rig *v, const struct store_image *image)
{
    const struct oauth_client *c = image->oauth_clients[0];

    assert_int_equal(image->oauth_client_count, 1);
    assert_int_equal(image->next_id[RECORD_OAUTH_CLIENT], 7);
    assert_int_equal(c->r.id, 5);
    assert_string_equal(c->client_id, "c0ffee012345");
    assert_string_equal(c->secret_hash, ARGON2);
    assert_string_equal(c->description, "terraform");
    assert_int_equal(c->scopes.len, 2);
    assert_string_equal(c->scopes.items[0], "auth_keys");
    assert_string_equal(c->tags.items[0], "tag:ci");
    import_rig_must_say(v->out, "OAuth client 6 (c0ffee012346): revoked in headscale");
}

static void check_laptop(const struct store_image *image)
{
    const struct node *n = node_of(image, 1);
    char text[KEY_TEXT_MAX], addr[ADDR_TEXT_MAX];
    size_t at;

    assert_string_equal(key_format("mkey:", n->machine_key, text),
                        "mkey:0000000000000000000000000000000000000000000000000000000000000101");
    assert_string_equal(key_format("nodekey:", n->node_key, text),
                        "nodekey:0000000000000000000000000000000000000000000000000000000000000201");
    assert_string_equal(key_format("discokey:", n->disco_key, text),
                        "discokey:0000000000000000000000000000000000000000000000000000000000000301");
    assert_string_equal(addr_format(&n->ipv4, addr), "100.64.0.1");
    assert_string_equal(addr_format(&n->ipv6, addr), "fd7a:115c:a1e0::1");
    assert_int_equal(n->created_ns, 1738555506789000000);
    assert_int_equal(n->expiry_ns, 1924992000000000000);
    assert_int_equal(n->method, REGISTER_AUTH_KEY);
    assert_true(n->ephemeral && n->authorized && n->preauth_key_id == 2 && n->user_id == 1);
    assert_string_equal(n->given_name, "laptop");
    assert_false(n->name_given);
    assert_string_equal(n->os, "linux");
    assert_string_equal(n->client_version, "1.80.3");
    assert_null(strstr(n->hostinfo, "NetInfo"));
    assert_non_null(record_find(image->nodes, image->node_count, 1, &at));
    assert_int_equal(image->lives[at].home_derp, 7);
    assert_int_equal(image->lives[at].endpoint_count, 2);
    assert_int_equal(image->lives[at].last_seen_ns, 1746421505 * NS_PER_SECOND);
}

static void check_router(const struct store_image *image, int minor)
{
    const struct node *n = node_of(image, 2);

    assert_int_equal(n->user_id, 0);
    assert_int_equal(n->tags.len, 1);
    assert_string_equal(n->tags.items[0], "tag:router");
    assert_int_equal(n->approved.len, 2);
    assert_true(has_prefix(&n->approved, "10.0.0.0/8") && has_prefix(&n->approved, "0.0.0.0/0"));
    assert_int_equal(n->available.len, minor < 26 ? 3 : 0);
    assert_int_equal(image->primary_count, minor < 26 ? 1 : 0);
    if (minor < 26)
        assert_true(image->primaries[0]->r.id == 2);
}

static void every_release_is_taken_whole(void **state)
{
    struct import_rig *v = *state;

    for (int minor = 23; minor <= 30; minor++) {
        struct store_image image;
        char release[32];
        headscale_db_make(v->database, minor);
        fill(v, minor);
        fixture_remove_folder(v->state);
        import_rig_must_run(v);
        load(v, &image);
        snprintf(release, sizeof(release), "headscale 0.%d: ", minor);
        import_rig_must_say(v->out, release);
        assert_int_equal(image.user_count, minor == 23 ? 1 : 3);
        assert_int_equal(image.users[0]->created_ns, 1735779845 * NS_PER_SECOND);
        if (minor > 23) {
            assert_string_equal(image.users[1]->provider_id, "https://id.example.com/42");
            assert_string_equal(image.users[1]->display_name, "Carol B.");
            assert_string_equal(image.users[1]->picture_url, "https://id.example.com/a.png");
        }
        check_keys(&image, minor);
        check_laptop(&image);
        check_router(&image, minor);
        assert_int_equal(image.node_count, 6);
        assert_true(node_of(&image, 3)->expiry_ns == 0 && node_of(&image, 3)->name_given);
        assert_true(node_of(&image, 4)->user_id == 1 && node_of(&image, 4)->tags.len == 0);
        assert_int_equal(node_of(&image, 5)->user_id, 1);
        assert_int_equal(node_of(&image, 8)->tags.len, minor < 28 ? 1 : 0);
        assert_int_equal(node_of(&image, 8)->user_id, minor < 28 ? 0 : 1);
        assert_true(has_prefix(&node_of(&image, 8)->available, "10.9.0.0/16"));
        assert_int_equal(image.policy_count, 1);
        assert_string_equal(image.policies[0]->text, POLICY);
        assert_int_equal(image.next_id[RECORD_NODE], 41);
        import_rig_must_say(v->out, "node 6 (orphan): it has neither a user nor tags");
        import_rig_must_say(v->out, "node 7 (deleted): deleted in headscale");
        import_rig_must_say(v->out, "user 9 (gone): deleted in headscale");
        if (minor == 30)
            check_oauth(v, &image);
        store_image_release(&image);
    }
}

/* ---- headscale's files ---- */

static char *listing(const char *folder)
{
    struct buf text = BUF_INIT(0);
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        struct stat st;
        char *path = mem_format("%s/%s", folder, names[i]->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            buf_addf(&text, "%s %lld %lld.%ld\n", names[i]->d_name, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                     st.st_mtim.tv_nsec);
        free(path);
        free(names[i]);
    }
    free(names);
    return buf_take(&text);
}

/* The rows of a crashed headscale are in the log only. */
static void the_log_is_read_and_nothing_is_touched(void **state)
{
    struct import_rig *v = *state;
    struct store_image image;
    sqlite3 *db;
    char *copy = mem_format("%s/other.sqlite", v->folder), *sql;

    headscale_db_make(copy, 29);
    assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA wal_autocheckpoint=0; INSERT INTO users(id,name) VALUES(3,'late')", NULL, NULL, NULL),
        SQLITE_OK);
    sql = mem_format("cp %s %s && cp %s-wal %s-wal", copy, v->database, copy, v->database);
    assert_int_equal(system(sql), 0); /* NOLINT(cert-env33-c): paths of our own */
    sqlite3_close(db);
    remove(copy);
    char *before = listing(v->folder);
    import_rig_must_run(v);
    char *after = listing(v->folder);
    assert_string_equal(before, after);
    load(v, &image);
    assert_int_equal(image.user_count, 1);
    assert_string_equal(image.users[0]->name, "late");
    store_image_release(&image);
    free(before);
    free(after);
    free(copy);
    free(sql);
}

/* The tables of a young database are in the log too. */
static void a_database_that_is_all_log_is_known(void **state)
{
    struct import_rig *v = *state;
    char *copy = mem_format("%s/other.sqlite", v->folder), *sql;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE migrations(id);"
                                  "CREATE TABLE users(id); CREATE TABLE nodes(id)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sql = mem_format("cp %s %s && cp %s-wal %s-wal", copy, v->database, copy, v->database);
    assert_int_equal(system(sql), 0); /* NOLINT(cert-env33-c): paths of our own */
    sqlite3_close(db);
    remove(copy);
    char *before = listing(v->folder);
    assert_true(store_is_headscale(v->database));
    char *after = listing(v->folder);
    assert_string_equal(before, after);
    free(before);
    free(after);
    free(copy);
    free(sql);
}

static void a_running_headscale_is_noticed(void **state)
{
    struct import_rig *v = *state;
    int ready[2], done[2];
    char byte;

    headscale_db_make(v->database, 29);
    assert_int_equal(pipe(ready) | pipe(done), 0);
    pid_t child = fork();
    if (child == 0) { /* SQLite's locks are those of a process */
        sqlite3 *db;
        bool open = sqlite3_open(v->database, &db) == SQLITE_OK &&
                    sqlite3_exec(db, "SELECT count(*) FROM users", NULL, NULL, NULL) == SQLITE_OK;
        close(done[1]);
        _exit(open && write(ready[1], "r", 1) == 1 && read(done[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "headscale still runs");
    assert_int_equal(access(v->taken, F_OK), -1);
    assert_int_equal(
        import_rig_run_with(
            v, &(struct import_options){.config = v->config, .to = v->to, .state_dir = v->state, .dry_run = true}),
        0);
    import_rig_must_say(v->out, "headscale runs: stop it");
    close(done[1]);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 2; i++)
        close(ready[i]);
    close(done[0]);
    import_rig_must_run(v);
}

static void a_second_run_says_that_it_was_done(void **state)
{
    struct import_rig *v = *state;

    headscale_db_make(v->database, 28);
    assert_int_equal(
        import_rig_run_with(
            v, &(struct import_options){.config = v->config, .to = v->to, .state_dir = v->state, .dry_run = true}),
        0);
    import_rig_must_say(v->out, "Nothing was written");
    assert_int_equal(access(v->state, F_OK), -1);
    import_rig_must_run(v);
    char *before = listing(v->state);
    import_rig_must_run(v);
    import_rig_must_say(v->out, "already: nothing was changed");
    char *after = listing(v->state);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void another_tailnet_is_not_replaced(void **state)
{
    struct import_rig *v = *state;
    char *key = mem_format("%s/noise_private.key", v->state);

    headscale_db_make(v->database, 28);
    assert_int_equal(mkdir(v->state, 0700), 0);
    import_rig_write(v->taken, "something", 0600);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "is another tailnet's");
    remove(v->taken);
    import_rig_write(key, "privkey:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 0600);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "holds another key");
    assert_int_equal(access(v->taken, F_OK), -1);
    assert_int_equal(access(v->to, F_OK), -1);
    import_rig_write(key, IMPORT_NOISE "\n", 0600);
    import_rig_must_run(v);
    free(key);
}

/* ---- values ---- */

static void times_are_read_in_every_form(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } times[] = {
        {"2025-02-03 04:05:06.789+00:00", 1738555506789000000},
        {"2025-02-03 04:05:06.000000001+02:00", 1738548306000000001},
        {"2025-02-03T04:05:06Z", 1738555506000000000},
        {"2025-02-03 04:05:06", 1738555506000000000},
        {"2025-02-03 04:05", 1738555500000000000},
        {"2025-02-03", 1738540800000000000},
        {"2025-02-03 04:05:06.5 -0330 NDT m=+0.5", 1738568106500000000},
        {"2025-02-03 04:05:06+00", 1738555506000000000},
        {"1969-12-31 23:59:59+00:00", 1},
        {"9999-12-31 23:59:59+00:00", INT64_MAX / NS_PER_SECOND * NS_PER_SECOND},
    };
    static const char *const wrong[] = {"yesterday", "2025-13-01", "2025-02-03 25:00", "2025-02-03 04:05:06+",
                                        "2025-1-1"};
    struct import_rig *v = *state;
    struct store_image image;

    headscale_db_make(v->database, 29);
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        headscale_db_sql(v->database, "INSERT INTO users(id,name,created_at) VALUES(%d,'u%d','%s')", (int)i + 1, (int)i,
                         times[i].text);
    import_rig_must_run(v);
    load(v, &image);
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        assert_int_equal(image.users[i]->created_ns, times[i].ns);
    store_image_release(&image);
    fixture_remove_folder(v->state);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        headscale_db_sql(v->database, "INSERT INTO users(id,name,created_at) VALUES(%d,'w%d','%s')", (int)i + 100,
                         (int)i, wrong[i]);
    assert_int_equal(import_rig_run(v), 1);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *part = mem_format("table users, id %zu, column created_at: '%s' is no time", i + 100, wrong[i]);
        import_rig_must_say(v->errors, part);
        free(part);
    }
}

static void what_cannot_be_taken_is_named(void **state)
{
    static const struct {
        const char *sql, *says;
    } faults[] = {
        {"UPDATE nodes SET machine_key='mkey:12' WHERE id=1",
         "table nodes, id 1, column machine_key: 'mkey:12' is not"},
        {"UPDATE nodes SET machine_key=NULL WHERE id=1", "table nodes, id 1, column machine_key: NULL is no key"},
        {"UPDATE nodes SET node_key=CAST(x'6e6f64656b65793a00' AS TEXT) WHERE id=1",
         "id 1, column node_key: 'nodekey:' is not"},
        {"UPDATE nodes SET node_key=(SELECT node_key FROM nodes WHERE id=1) WHERE id=2",
         "table nodes, id 2, column node_key: 'nodekey:0000000000000000000000000000000000000000000000000000'... "
         "belongs "
         "to node 1 too"},
        {"UPDATE nodes SET ipv4='100.64.0.1' WHERE id=2", "id 2, column ipv4: '100.64.0.1' belongs to node 1 too"},
        {"UPDATE nodes SET ipv4='fd7a::1' WHERE id=1", "id 1, column ipv4: 'fd7a::1' is no IPv4 address"},
        {"UPDATE nodes SET ipv6='fe80::1%eth0' WHERE id=1", "column ipv6: 'fe80::1%eth0' is no IPv6 address"},
        {"UPDATE nodes SET approved_routes='[\"10.0.0.0/33\"]' WHERE id=1",
         "id 1, column approved_routes: '[\"10.0.0.0/33\"]' holds '10.0.0.0/33', which is no prefix"},
        {"UPDATE nodes SET approved_routes='{' WHERE id=1", "column approved_routes: '{' is no JSON list"},
        {"UPDATE nodes SET tags='[[[[' WHERE id=1", "column tags: '[[[[' is no JSON list"},
        {"UPDATE nodes SET user_id='me' WHERE id=1", "column user_id: 'me' is no id"},
        {"UPDATE nodes SET id=-5 WHERE id=1", "column id: -5 is no id"},
        {"UPDATE users SET id=2147455555 WHERE id=1", "stands for tagged nodes"},
        {"UPDATE api_keys SET prefix='x' WHERE id=4",
         "table api_keys, id 4, column prefix: 'x' is no prefix of 12, 10 or 7"},
        {"UPDATE api_keys SET hash='x' WHERE id=4", "table api_keys, id 4, column hash: 'x' is no bcrypt hash"},
        {"UPDATE pre_auth_keys SET reusable='perhaps' WHERE id=1",
         "column reusable: 'perhaps' is neither true nor false"},
        {"UPDATE policies SET data='{' WHERE id=2", "policy: table policies, id 2, column data"},
        {"UPDATE nodes SET host_info='{}', created_at=17 WHERE id=1", "column created_at: 17 is no time"},
    };
    struct import_rig *v = *state;

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        headscale_db_make(v->database, 29);
        fill(v, 29);
        headscale_db_sql(v->database, "%s", faults[i].sql);
        assert_int_equal(import_rig_run(v), 1);
        import_rig_must_say(v->errors, faults[i].says);
        import_rig_must_say(v->errors, "nothing was written");
        assert_int_equal(access(v->state, F_OK), -1);
    }
}

static void what_headscale_takes_and_headway_does_not_is_left(void **state)
{
    struct import_rig *v = *state;
    struct store_image image;

    headscale_db_make(v->database, 29);
    fill(v, 29);
    headscale_db_sql(v->database,
                     "UPDATE users SET name=CAST(x'610a1b5b316d62' AS TEXT) WHERE id=1;"
                     "INSERT INTO users(id,name) VALUES(20,'a[1mb');"
                     "INSERT INTO pre_auth_keys(id,prefix,hash,user_id,tags) VALUES"
                     "(30,'abcdef01234a',CAST('" HASH "' AS BLOB),1,'[\"tag:\"]'),"
                     "(31,'abcdef01234b',CAST(replace('" HASH "','$10$','$31$') AS BLOB),1,NULL),"
                     "(32,'abcdef01234c',CAST('" HASH "' AS BLOB),NULL,'[]'),"
                     "(33,'abcdef01234d',NULL,1,'[]'),(34,'short',CAST('" HASH "' AS BLOB),1,'[]');"
                     "INSERT INTO api_keys(id,prefix,hash) VALUES(5,'abcdefghij',CAST('" HASH "' AS BLOB));"
                     "UPDATE nodes SET host_info=CAST(x'7b80' AS TEXT), endpoints='[' WHERE id=3;"
                     "UPDATE nodes SET given_name='Laptop' WHERE id=4;"
                     "UPDATE nodes SET given_name='-', hostname='Pi.local' WHERE id=8;"
                     "UPDATE nodes SET register_method='weird', tags='[\"tag:a\",\"x\",7]' WHERE id=5;"
                     "ALTER TABLE nodes ADD COLUMN ephemeral numeric; UPDATE nodes SET ephemeral=1 WHERE id=3;"
                     "CREATE TABLE strange(id integer)");
    import_rig_must_run(v);
    load(v, &image);
    assert_true(node_of(&image, 3)->ephemeral);
    import_rig_must_say(v->out, "node 5 (lost): 'x' and 1 more are no tags: left out");
    import_rig_must_say(v->out, "node 5 (lost): how it registered, 'weird', is not known");
    assert_string_equal(image.users[0]->name, "a[1mb");
    assert_string_equal(image.users[3]->name, "a[1mb-20");
    assert_string_equal(node_of(&image, 4)->given_name, "laptop-1");
    assert_string_equal(node_of(&image, 8)->given_name, "node");
    import_rig_must_say(v->out, "pre-auth key 30 (abcdef01234a): 'tag:' is no tag");
    import_rig_must_say(v->out, "pre-auth key 31 (abcdef01234b): its bcrypt hash costs too much");
    import_rig_must_say(v->out, "pre-auth key 32 (abcdef01234c): it has neither a user nor tags");
    import_rig_must_say(v->out, "pre-auth key 33 (abcdef01234d): it has no hash");
    import_rig_must_say(v->out, "pre-auth key 34 (short): its prefix is none");
    assert_int_equal(image.api_key_count, 2);
    import_rig_must_say(v->out, "node 3 (renamed): its host information cannot be read");
    import_rig_must_say(v->out, "table strange");
    assert_null(strchr(v->out, '\033'));
    store_image_release(&image);
}

/* What is not known is said: it may matter. */
/* Rows of which only the id is there, and as little as makes a node. */
static void nothing_in_every_column_stops_nothing(void **state)
{
    struct import_rig *v = *state;
    struct store_image image;

    for (int minor = 23; minor <= 30; minor++) {
        headscale_db_make(v->database, minor);
        fixture_remove_folder(v->state);
        headscale_db_sql(v->database,
                         "INSERT INTO users(id) VALUES(1);"
                         "INSERT INTO pre_auth_keys(id) VALUES(1); INSERT INTO api_keys(id) VALUES(1);"
                         "INSERT INTO policies(id) VALUES(1);"
                         "INSERT INTO nodes(id,machine_key,user_id) VALUES(1,'mkey:%064x',1);",
                         1);
        if (minor == 30)
            headscale_db_sql(v->database, "INSERT INTO oauth_clients(id) VALUES(1)");
        import_rig_must_run(v);
        load(v, &image);
        assert_int_equal(image.user_count, 1);
        assert_int_equal(image.node_count, 1);
        assert_string_equal(image.nodes[0]->given_name, "node");
        assert_true(image.nodes[0]->ipv4.bits == 0 && image.nodes[0]->expiry_ns == 0);
        import_rig_must_say(v->out, "pre-auth key 1: it has neither a prefix nor a key");
        import_rig_must_say(v->out, "API key 1: it has no prefix or no hash");
        if (minor == 30)
            import_rig_must_say(v->out, "OAuth client 1: it has no id or no hash");
        store_image_release(&image);
    }
}

static void a_newer_release_is_taken_as_far_as_it_is_known(void **state)
{
    struct import_rig *v = *state;

    headscale_db_make(v->database, 30);
    fill(v, 30);
    headscale_db_sql(v->database, "INSERT INTO migrations VALUES('209901011200-shine');"
                                  "ALTER TABLE nodes ADD COLUMN shiny text; CREATE TABLE shinies(id integer)");
    import_rig_must_run(v);
    import_rig_must_say(v->out, "migration 209901011200-shine: of a release that is newer");
    import_rig_must_say(v->out, "column nodes.shiny: no release known here has it");
    import_rig_must_say(v->out, "table shinies: ");
    for (int minor = 23; minor <= 30; minor++) {
        headscale_db_make(v->database, minor);
        fill(v, minor);
        fixture_remove_folder(v->state);
        import_rig_must_run(v);
        if (strstr(v->out, "migration") || strstr(v->out, "column"))
            fail_msg("0.%d: %s", minor, v->out);
    }
}

/* Paths on the command line are relative to where it was typed; in the configuration that is written they are not. */
static void places_may_be_relative(void **state)
{
    struct import_rig *v = *state;
    struct import_options o = {.config = "hs.yaml", .to = "new/hw.yaml", .state_dir = "new"};
    char here[512];
    struct config *c;
    struct err e;

    assert_non_null(getcwd(here, sizeof(here)));
    headscale_db_make(v->database, 29);
    assert_int_equal(chdir(v->folder), 0);
    int first = import_rig_run_with(v, &o), second = import_rig_run_with(v, &o);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(first, 0);
    assert_int_equal(second, 0);
    import_rig_must_say(v->out, "already");
    assert_int_equal(config_load(v->to, &c, NULL, &e), 0);
    assert_string_equal(c->database.sqlite_path, v->taken);
    config_unref(c);
}

/* A damaged page, a folder that takes nothing: nothing is written. */
static void what_cannot_be_read_or_written_leaves_nothing(void **state)
{
    struct import_rig *v = *state;
    struct stat st;

    headscale_db_make(v->database, 29);
    fill(v, 29);
    assert_int_equal(stat(v->database, &st), 0);
    FILE *f = fopen(v->database, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, st.st_size / 4096 / 2 * 4096, SEEK_SET), 0);
    for (int i = 0; i < 4096; i++)
        fputc(0xff, f);
    fclose(f);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, v->database);
    assert_int_equal(access(v->state, F_OK), -1);
    headscale_db_make(v->database, 29);
    import_rig_write(v->state, "a file where the folder is to be", 0600);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, v->state);
    remove(v->state);
}

static void what_is_no_headscale_database_is_refused(void **state)
{
    struct import_rig *v = *state;

    import_rig_write(v->database, "not a database, but long enough to be read as one would be, page by page", 0644);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "file is not a database");
    remove(v->database);
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "No such file");
    headscale_db_sql(v->database, "CREATE TABLE machines(id integer); CREATE TABLE users(id integer)");
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "headscale before 0.23");
    remove(v->database);
    headscale_db_sql(v->database, "CREATE TABLE t(id integer); CREATE VIEW users AS SELECT * FROM t;"
                                  "CREATE VIEW nodes AS SELECT * FROM t");
    assert_int_equal(import_rig_run(v), 1);
    import_rig_must_say(v->errors, "is no database of headscale");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, import_rig_setup, import_rig_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(every_release_is_taken_whole),
        CASE(the_log_is_read_and_nothing_is_touched),
        CASE(a_database_that_is_all_log_is_known),
        CASE(a_running_headscale_is_noticed),
        CASE(a_second_run_says_that_it_was_done),
        CASE(another_tailnet_is_not_replaced),
        CASE(times_are_read_in_every_form),
        CASE(what_cannot_be_taken_is_named),
        CASE(what_headscale_takes_and_headway_does_not_is_left),
        CASE(nothing_in_every_column_stops_nothing),
        CASE(a_newer_release_is_taken_as_far_as_it_is_known),
        CASE(places_may_be_relative),
        CASE(what_cannot_be_read_or_written_leaves_nothing),
        CASE(what_is_no_headscale_database_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
