/* SPDX-License-Identifier: BSD-3-Clause */
/* The import from PostgreSQL, with a server for the test on a Unix socket in a temporary folder. Skipped if no server
 * is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/import.h"
#include "shared/import/headscale_db.h"
#include "shared/postgres/pg_server.h"
#include "shared/store_fixture.h"
#include "store/store.h"

#define HASH "$2a$10$abcdefghijklmnopqrstuuKp1jJ1jJ1jJ1jJ1jJ1jJ1jJ1jJ1jJ1j"

static bool there;
static const char *folder;

static int start_server(void **state)
{
    (void)state;
    there = pg_server_start();
    folder = pg_server_folder();
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    if (there)
        pg_server_stop();
    return 0;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    struct err e;

    assert_int_equal(file_replace(path, text, strlen(text), mode, &e), 0);
}

/* A database of that name with the tables of that release, and these rows. */
static void make_database(const char *name, int minor, const char *rows)
{
    char *schema = headscale_db_postgres(minor), *sql = mem_format("%s%s", schema, rows);
    char *create = mem_format("CREATE DATABASE %s", name);

    pg_server_sql("postgres", create);
    pg_server_sql(name, sql);
    free(create);
    free(schema);
    free(sql);
}

struct result {
    char to[96], state[96], database[128], *out, *errors;
    int status;
};

/* name: of the database; place: where its tailnet goes. */
static void run_into(const char *name, const char *place, struct result *r)
{
    char config[96], key[96];
    size_t n;

    snprintf(config, sizeof(config), "%s/%s.yaml", folder, name);
    snprintf(key, sizeof(key), "%s/noise.key", folder);
    snprintf(r->to, sizeof(r->to), "%s/new-%s.yaml", folder, place);
    snprintf(r->state, sizeof(r->state), "%s/state-%s", folder, place);
    snprintf(r->database, sizeof(r->database), "%s/db.sqlite", r->state);
    write_text(key, "privkey:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 0600);
    char *text = mem_format("server_url: http://10.0.0.1:8080\nnoise: {private_key_path: noise.key}\n"
                            "prefixes: {v4: 100.64.0.0/10}\ndns: {base_domain: tail.example.com}\n"
                            "policy: {mode: database}\ndatabase: {type: postgres, postgres: {host: %s, port: 5432, "
                            "name: %s, user: headscale, pass: secret, ssl: false}}\n",
                            folder, name);
    write_text(config, text, 0644);
    FILE *out = open_memstream(&r->out, &n), *errors = open_memstream(&r->errors, &n);
    r->status = import_run(&(struct import_options){.config = config, .to = r->to, .state_dir = r->state}, out, errors);
    fclose(out);
    fclose(errors);
    free(text);
}

static void run(const char *name, struct result *r)
{
    run_into(name, name, r);
}

/* What a start as headscale, with headscale's configuration of that database, uses instead. */
static void check_successor(const char *name, const char *wanted)
{
    char config[96], *notes = NULL;
    size_t n;
    FILE *f = open_memstream(&notes, &n);

    snprintf(config, sizeof(config), "%s/named-%s.yaml", folder, name);
    char *text = mem_format("database: {type: postgres, postgres: {host: %s, port: 5432, name: %s, user: headscale}}\n",
                            folder, name);
    write_text(config, text, 0644);
    char *found = import_find_config(config, f);
    fclose(f);
    if (wanted)
        assert_string_equal(found, wanted);
    else
        assert_null(found);
    assert_int_equal(strstr(notes, "is used instead") != NULL, wanted != NULL);
    free(found);
    free(notes);
    free(text);
}

static void end(struct result *r)
{
    free(r->out);
    free(r->errors);
}

#define NODE(id)                                                                                                       \
    "INSERT INTO nodes(id,machine_key,node_key,disco_key,hostname,given_name,user_id,ipv4,register_method,created_at," \
    "expiry,approved_routes) VALUES(" id ",'mkey:" KEY id "','nodekey:" KEY id "','','n" id "','n" id "',1,"           \
    "'100.64.0." id "','cli','2025-02-03 04:05:06.789+00','2031-01-01 00:00:00+00','[\"10.0.0.0/8\"]');"
#define KEY "000000000000000000000000000000000000000000000000000000000000000"

static void a_database_is_taken_whole(void **state)
{
    struct store_image image;
    struct result r;
    struct err e = {0};

    (void)state;
    if (!there)
        skip();
    make_database("whole", 29,
                  "INSERT INTO users(id,name,created_at) VALUES(1,'alice','2025-01-02 03:04:05+02:00');"
                  "INSERT INTO pre_auth_keys(id,prefix,hash,user_id,reusable,ephemeral,used) VALUES"
                  "(3,'abcdef012345','" HASH "',1,true,false,NULL);"
                  "INSERT INTO api_keys(id,prefix,hash) VALUES(4,'abcdefg','" HASH "');"
                  "INSERT INTO policies(id,data) VALUES(1,'{\"acls\": []}');" NODE("1")
                      NODE("2") "SELECT setval('nodes_id_seq', 70);");
    run("whole", &r);
    if (r.status != 0)
        fail_msg("%s", r.errors);
    assert_int_equal(store_check(r.database, &image, &e), 0);
    assert_int_equal(image.node_count, 2);
    assert_int_equal(image.nodes[0]->created_ns, 1738555506789000000);
    assert_int_equal(image.nodes[0]->expiry_ns, 1924992000 * NS_PER_SECOND);
    assert_int_equal(image.nodes[1]->approved.len, 1);
    assert_int_equal(image.next_id[RECORD_NODE], 71);
    assert_int_equal(image.users[0]->created_ns, 1735779845 * NS_PER_SECOND);
    assert_string_equal(image.preauth_keys[0]->secret_hash, HASH);
    assert_true(image.preauth_keys[0]->reusable && !image.preauth_keys[0]->used);
    assert_string_equal(image.api_keys[0]->secret_hash, HASH);
    assert_int_equal(image.policy_count, 1);
    assert_non_null(strstr(r.out, "headscale 0.29: postgresql://"));
    assert_null(strstr(r.out, "secret"));
    store_image_release(&image);
    end(&r);
    run("whole", &r);
    if (r.status != 0)
        fail_msg("%s", r.errors);
    assert_non_null(strstr(r.out, "already"));
    setenv("HEADWAY_CONFIG", r.to, 1);
    check_successor("whole", r.to);
    check_successor("other", NULL);
    unsetenv("HEADWAY_CONFIG");
    end(&r);
}

static void another_tailnet_is_not_taken_for_this_one(void **state)
{
    struct result r, other;

    (void)state;
    if (!there)
        skip();
    make_database("one", 29, "INSERT INTO users(id,name) VALUES(1,'alice');");
    make_database("two", 29, "INSERT INTO users(id,name) VALUES(1,'bob');");
    run("one", &r);
    assert_int_equal(r.status, 0);
    end(&r);
    run_into("two", "one", &other);
    assert_int_equal(other.status, 1);
    assert_non_null(strstr(other.errors, "is another tailnet's"));
    end(&other);
}

static void what_cannot_be_taken_is_named(void **state)
{
    struct result r;

    (void)state;
    if (!there)
        skip();
    make_database("faulty", 30,
                  "INSERT INTO users(id,name) VALUES(1,'alice');"
                  "INSERT INTO api_keys(id,prefix,hash) VALUES(4,'abcdefg','\\x24003261');" NODE("1"));
    run("faulty", &r);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.errors, "table api_keys, id 4, column hash: "));
    assert_int_equal(access(r.state, F_OK), -1);
    end(&r);
    run("nowhere", &r);
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.errors, "cannot connect: "));
    assert_non_null(strstr(r.errors, "nowhere"));
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_taken_whole),
        cmocka_unit_test(another_tailnet_is_not_taken_for_this_one),
        cmocka_unit_test(what_cannot_be_taken_is_named),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
