/* SPDX-License-Identifier: BSD-3-Clause */
/* The store: records are read back as they were stored, a refused group leaves nothing, ids are never reused, and
 * damage is reported with its row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/store_fixture.h"

#define NOW 1750000000123456789

static void assert_prefixes(const struct prefixes *a, const struct prefixes *b)
{
    assert_true(prefixes_eq(a, b));
}

static struct node *full_node(uint64_t id)
{
    struct node *n = sample_node(id, 0);
    struct prefix p = sample_prefix("10.0.0.0/8"), q = sample_prefix("fd00::/64"), x = sample_prefix("0.0.0.0/0");

    memset(n->disco_key, 0xee, KEY_LEN);
    mem_replace(&n->hostname, "Büro \"7\" 'x'");
    strs_push(&n->tags, "tag:edge");
    strs_push(&n->tags, "tag:router");
    strs_push(&n->request_tags, "tag:a");
    n->ipv6 = (struct addr){0};
    n->method = REGISTER_OIDC;
    n->ephemeral = n->logged_out = true;
    n->expiry_ns = NOW;
    prefixes_add(&n->available, &p);
    prefixes_add(&n->available, &q);
    node_approve(n, &p, "alice");
    n->draining = true;
    n->priority = 7;
    prefixes_add(&n->removed, &x);
    n->cap_version = 142;
    n->exit_node_id = 77;
    n->unseen_login = 78;
    mem_replace(&n->os, "linux");
    mem_replace(&n->os_version, "12");
    mem_replace(&n->client_version, "1.102.0");
    mem_replace(&n->hostinfo, "{\"OS\":\"linux\"}");
    mem_replace(&n->peer_hostinfo, "{\"A\":1}");
    n->r.version = 7;
    return n;
}

static void assert_node(const struct node *a, const struct node *b)
{
    assert_int_equal(a->r.id, b->r.id);
    assert_int_equal(a->r.version, b->r.version);
    assert_memory_equal(a->machine_key, b->machine_key, KEY_LEN);
    assert_memory_equal(a->node_key, b->node_key, KEY_LEN);
    assert_memory_equal(a->disco_key, b->disco_key, KEY_LEN);
    assert_string_equal(a->hostname, b->hostname);
    assert_string_equal(a->given_name, b->given_name);
    assert_int_equal(a->user_id, b->user_id);
    assert_true(strs_eq(&a->tags, &b->tags));
    assert_true(strs_eq(&a->request_tags, &b->request_tags));
    assert_memory_equal(&a->ipv4, &b->ipv4, sizeof(a->ipv4));
    assert_memory_equal(&a->ipv6, &b->ipv6, sizeof(a->ipv6));
    assert_int_equal(a->method, b->method);
    assert_int_equal(a->preauth_key_id, b->preauth_key_id);
    assert_int_equal(a->ephemeral, b->ephemeral);
    assert_int_equal(a->logged_out, b->logged_out);
    assert_true(a->created_ns == b->created_ns && a->expiry_ns == b->expiry_ns);
    assert_prefixes(&a->available, &b->available);
    assert_prefixes(&a->approved, &b->approved);
    assert_prefixes(&a->removed, &b->removed);
    assert_true(strs_eq(&a->approved_by, &b->approved_by));
    assert_int_equal(a->draining, b->draining);
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->cap_version, b->cap_version);
    assert_int_equal(a->exit_node_id, b->exit_node_id);
    assert_int_equal(a->unseen_login, b->unseen_login);
    assert_string_equal(a->os, b->os);
    assert_string_equal(a->os_version, b->os_version);
    assert_string_equal(a->client_version, b->client_version);
    assert_string_equal(a->hostinfo, b->hostinfo);
    assert_string_equal(a->peer_hostinfo, b->peer_hostinfo);
}

static void a_node_comes_back_as_it_was(void **state)
{
    struct fixture f;
    struct store_image image;
    struct node *n = full_node(3), *plain;

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    plain = sample_node(4, 1);
    assert_int_equal(fixture_put(f.store, n, NULL), 0);
    assert_int_equal(fixture_put(f.store, plain, NULL), 0);
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.node_count, 2);
    assert_node(image.nodes[0], n);
    assert_node(image.nodes[1], plain);
    assert_true(image.lives[0].healthy && !image.lives[0].online);
    assert_string_equal(image.lives[0].net_info, "");
    record_unref(n);
    record_unref(plain);
    store_image_release(&image);
    fixture_end(&f);
}

static struct preauth_key *sample_preauth_key(uint64_t id, uint64_t user_id, const char *prefix)
{
    struct preauth_key *k = preauth_key_new();

    k->r.id = id;
    k->user_id = user_id;
    mem_replace(&k->prefix, prefix);
    mem_replace(&k->secret_hash, "sha256:00");
    strs_push(&k->tags, "tag:x");
    k->reusable = k->used = true;
    k->expiration_ns = NOW;
    k->created_ns = NOW - 1;
    k->revoked_ns = NOW + 2;
    mem_replace(&k->description, "ci");
    return k;
}

static struct api_key *sample_api_key(uint64_t id, const char *prefix)
{
    struct api_key *k = api_key_new();

    k->r.id = id;
    mem_replace(&k->prefix, prefix);
    mem_replace(&k->description, "terraform");
    k->read_only = true;
    k->last_seen_ns = NOW;
    k->user_id = 9;
    return k;
}

/* What outlives a restart and no more. */
static void put_short_lived(struct store *s)
{
    const struct prefix routed = sample_prefix("10.0.0.0/8");
    struct pending *waiting = pending_new();
    struct ssh_approval *approval = ssh_approval_new();
    struct deleted_node *gone = deleted_node_new();
    struct admin_call *call = admin_call_new();

    mem_replace(&waiting->auth_id, "hskey-authreq-0123456789abcdef01234567");
    mem_replace(&waiting->source, "192.0.2.1:5");
    strs_push(&waiting->request_tags, "tag:x");
    prefixes_add(&waiting->routes, &routed);
    memset(waiting->node_key, 0xab, KEY_LEN);
    waiting->expires_ns = NOW;
    waiting->decided = waiting->accepted = true;
    waiting->node_id = 7;
    fixture_put_only(s, waiting);
    approval->r.id = 7;
    approval->target_id = 8;
    approval->until_ns = NOW;
    mem_replace(&approval->user, "root");
    fixture_put_only(s, approval);
    gone->r.id = 3;
    gone->ipv4 = sample_prefix("100.64.0.3/32").addr;
    gone->time_ns = NOW;
    fixture_put_only(s, gone);
    memset(call->token, 0xcd, KEY_LEN);
    strs_push(&call->events, "1.2");
    mem_replace(&call->text, "done");
    fixture_put_only(s, call);
}

static void assert_short_lived(const struct store_image *image)
{
    assert_int_equal(image->pending_count, 1);
    const struct pending *p = image->pendings[0];
    assert_string_equal(p->auth_id, "hskey-authreq-0123456789abcdef01234567");
    assert_string_equal(p->source, "192.0.2.1:5");
    assert_string_equal(p->request_tags.items[0], "tag:x");
    assert_int_equal(p->routes.len, 1);
    assert_int_equal(p->node_key[31], 0xab);
    assert_true(p->expires_ns == NOW && p->decided && p->accepted && p->node_id == 7 && !p->ssh);
    assert_int_equal(image->ssh_approval_count, 1);
    assert_string_equal(image->ssh_approvals[0]->user, "root");
    assert_true(image->ssh_approvals[0]->r.id == 7 && image->ssh_approvals[0]->target_id == 8);
    assert_int_equal(image->deleted_node_count, 1);
    assert_true(image->deleted_nodes[0]->ipv4.bits == 32 && !image->deleted_nodes[0]->ipv6.bits);
    assert_int_equal(image->admin_call_count, 1);
    assert_int_equal(image->admin_calls[0]->token[0], 0xcd);
    assert_string_equal(image->admin_calls[0]->events.items[0], "1.2");
    assert_string_equal(image->admin_calls[0]->text, "done");
}

static void put_oauth(struct store *s)
{
    struct oauth_client *c = oauth_client_new();
    struct oauth_token *t = oauth_token_new();

    c->r.id = 2;
    mem_replace(&c->client_id, "0123456789ab");
    mem_replace(&c->secret_hash, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA");
    mem_replace(&c->description, "operator");
    strs_push(&c->scopes, "auth_keys");
    strs_push(&c->tags, "tag:k8s");
    c->created_ns = NOW;
    fixture_put_only(s, c);
    t->r.id = 3;
    t->client = 2;
    mem_replace(&t->prefix, "ba9876543210");
    strs_push(&t->scopes, "auth_keys:read");
    t->expiration_ns = NOW + 1;
    fixture_put_only(s, t);
}

static void put_webhook(struct store *s)
{
    struct webhook *w = webhook_new();

    w->r.id = 4;
    mem_replace(&w->url, "https://hooks.example.com/x");
    mem_replace(&w->provider, "slack");
    mem_replace(&w->secret, "v1:sealed");
    strs_push(&w->subscriptions, "nodeCreated");
    w->run = 2;
    w->seq = 17;
    w->next_ns = NOW;
    w->failures = 3;
    w->status = 503;
    mem_replace(&w->trouble, "it answered with status 503");
    w->reported = true;
    w->dropped = 5;
    w->dropped_said = 4;
    fixture_put_only(s, w);
}

static void assert_webhook(const struct store_image *image)
{
    assert_int_equal(image->webhook_count, 1);
    const struct webhook *w = image->webhooks[0];
    assert_string_equal(w->url, "https://hooks.example.com/x");
    assert_string_equal(w->provider, "slack");
    assert_string_equal(w->secret, "v1:sealed");
    assert_string_equal(w->subscriptions.items[0], "nodeCreated");
    assert_true(w->r.id == 4 && w->run == 2 && w->seq == 17 && w->next_ns == NOW && w->reported && !w->deleted_ns);
    assert_true(w->failures == 3 && w->status == 503 && w->dropped == 5 && w->dropped_said == 4);
    assert_string_equal(w->trouble, "it answered with status 503");
}

static void assert_oauth(const struct store_image *image)
{
    assert_int_equal(image->oauth_client_count, 1);
    const struct oauth_client *c = image->oauth_clients[0];
    assert_string_equal(c->client_id, "0123456789ab");
    assert_true(str_starts(c->secret_hash, "$argon2id$"));
    assert_string_equal(c->description, "operator");
    assert_string_equal(c->scopes.items[0], "auth_keys");
    assert_string_equal(c->tags.items[0], "tag:k8s");
    assert_true(c->created_ns == NOW);
    assert_int_equal(image->oauth_token_count, 1);
    const struct oauth_token *t = image->oauth_tokens[0];
    assert_true(t->client == 2 && t->expiration_ns == NOW + 1 && t->tags.len == 0);
    assert_string_equal(t->prefix, "ba9876543210");
    assert_string_equal(t->scopes.items[0], "auth_keys:read");
}

static void put_one_of_each(struct store *s)
{
    struct user *u = sample_user(9, "bob");
    struct policy_text *p = policy_text_new();
    struct primary *m = primary_new();

    u->role = ROLE_OWNER;
    mem_replace(&u->email, "bob@example.com");
    mem_replace(&u->provider_id, "https://id.example.com/7");
    mem_replace(&u->provider, "oidc");
    u->suspended_ns = NOW;
    mem_replace(&u->suspended_by, "root");
    strs_push(&u->groups, "engineers@default");
    fixture_put_only(s, u);
    struct identity *known = (struct identity *)record_new(RECORD_IDENTITY);
    known->r.id = 3;
    known->user_id = 9;
    mem_replace(&known->provider, "default");
    mem_replace(&known->issuer, "https://id.example.com");
    mem_replace(&known->subject, "7");
    mem_replace(&known->refresh_token, "sealed");
    known->login_ns = known->groups_ns = NOW;
    fixture_put_only(s, known);
    fixture_put_only(s, sample_preauth_key(5, 9, "0123456789ab"));
    fixture_put_only(s, sample_api_key(6, "abcdef"));
    fixture_put_only(s, sample_node(7, 9));
    p->r.id = 1;
    p->r.version = 4;
    mem_replace(&p->text, "{}\n// end");
    p->updated_ns = NOW;
    fixture_put_only(s, p);
    struct server_message *told = server_message_new();
    told->r.id = 1;
    mem_replace(&told->text, "hello");
    told->severity = SEVERITY_HIGH;
    fixture_put_only(s, told);
    struct dns_settings *dns = dns_settings_new();
    dns->r.id = 1;
    dns->set = DNS_MAGIC | DNS_SPLIT;
    dns->values.magic_dns = true;
    strs_push(&dns->values.split, "corp.example.com 192.0.2.1 192.0.2.2");
    dns->updated_ns = NOW;
    fixture_put_only(s, dns);
    m->r.id = 7;
    m->prefix = sample_prefix("10.0.0.0/24");
    m->since_ns = NOW;
    fixture_put_only(s, m);
    put_short_lived(s);
    put_oauth(s);
    put_webhook(s);
}

static void every_kind_comes_back(void **state)
{
    struct fixture f;
    struct store_image image;

    (void)state;
    fixture_begin(&f);
    put_one_of_each(f.store);
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 1);
    assert_int_equal(image.users[0]->role, ROLE_OWNER);
    assert_string_equal(image.users[0]->email, "bob@example.com");
    assert_string_equal(image.users[0]->provider_id, "https://id.example.com/7");
    assert_true(image.users[0]->suspended_ns == NOW);
    assert_string_equal(image.users[0]->suspended_by, "root");
    assert_string_equal(image.users[0]->groups.items[0], "engineers@default");
    assert_int_equal(image.identity_count, 1);
    assert_int_equal(image.identities[0]->user_id, 9);
    assert_string_equal(image.identities[0]->subject, "7");
    assert_string_equal(image.identities[0]->refresh_token, "sealed");
    assert_true(image.identities[0]->login_ns == NOW && !image.identities[0]->refreshed_ns);
    assert_int_equal(image.preauth_key_count, 1);
    assert_true(image.preauth_keys[0]->reusable && image.preauth_keys[0]->used && !image.preauth_keys[0]->revoked);
    assert_string_equal(image.preauth_keys[0]->tags.items[0], "tag:x");
    assert_true(image.preauth_keys[0]->expiration_ns == NOW);
    assert_int_equal(image.api_key_count, 1);
    assert_true(image.api_keys[0]->read_only && image.api_keys[0]->last_seen_ns == NOW);
    assert_string_equal(image.api_keys[0]->description, "terraform");
    assert_int_equal(image.policy_count, 1);
    assert_string_equal(image.policies[0]->text, "{}\n// end");
    assert_int_equal(image.policies[0]->r.version, 4);
    assert_int_equal(image.message_count, 1);
    assert_string_equal(image.messages[0]->text, "hello");
    assert_int_equal(image.messages[0]->severity, SEVERITY_HIGH);
    assert_int_equal(image.dns_settings_count, 1);
    assert_int_equal(image.dns_settings[0]->set, DNS_MAGIC | DNS_SPLIT);
    assert_true(image.dns_settings[0]->values.magic_dns && image.dns_settings[0]->updated_ns == NOW);
    assert_string_equal(image.dns_settings[0]->values.split.items[0], "corp.example.com 192.0.2.1 192.0.2.2");
    assert_int_equal(image.primary_count, 1);
    assert_int_equal(image.primaries[0]->r.id, 7);
    assert_true(image.primaries[0]->since_ns == NOW);
    assert_string_equal(image.preauth_keys[0]->description, "ci");
    assert_true(image.preauth_keys[0]->revoked_ns == NOW + 2 && image.api_keys[0]->user_id == 9);
    assert_oauth(&image);
    assert_webhook(&image);
    assert_short_lived(&image);
    store_image_release(&image);
    fixture_end(&f);
}

static void an_unopened_folder_is_named(void **state)
{
    struct store *s;
    struct err e;

    (void)state;
    assert_int_equal(store_open("/nonexistent/folder/db", &s, &e), ERR_UNAVAILABLE);
    assert_null(s);
    assert_non_null(strstr(e.message, "/nonexistent/folder/db"));
    assert_non_null(strstr(e.message, "No such file"));
}

static void the_file_is_for_its_owner_only(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    fixture_close(&f);
    chmod(f.path, 0644);
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof(path), "%s%s", f.path, ends[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    fixture_end(&f);
}

static void a_second_daemon_is_refused(void **state)
{
    struct fixture f;
    struct store *s;
    struct err e;

    (void)state;
    fixture_begin(&f);
    assert_int_equal(fixture_try_open(&f, &s, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "another headwayd"));
    assert_non_null(strstr(e.message, "process"));
    fixture_end(&f);
}

static void each_start_has_its_number(void **state)
{
    struct fixture f;
    struct store_image image;

    (void)state;
    fixture_begin(&f);
    for (uint64_t run = 1; run < 4; run++) {
        fixture_load(f.store, &image);
        assert_int_equal(image.run, run);
        store_image_release(&image);
        fixture_close(&f);
        fixture_open(&f);
    }
    fixture_end(&f);
}

static void an_id_is_never_used_twice(void **state)
{
    struct fixture f;
    struct store_image image;

    (void)state;
    fixture_begin(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.next_id[RECORD_NODE], 1);
    store_image_release(&image);
    fixture_put_only(f.store, sample_user(1, "alice"));
    fixture_put_only(f.store, sample_node(12, 1));
    fixture_remove(f.store, sample_node(12, 1));
    fixture_load(f.store, &image);
    assert_int_equal(image.node_count, 0);
    assert_int_equal(image.next_id[RECORD_NODE], 13);
    store_image_release(&image);
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.next_id[RECORD_NODE], 13);
    assert_int_equal(image.next_id[RECORD_USER], 2);
    store_image_release(&image);
    fixture_end(&f);
}

static void a_refused_group_leaves_nothing_and_its_neighbours_stay(void **state)
{
    struct fixture f;
    struct store_image image;
    struct err e;
    struct user *carol = sample_user(2, "carol"), *again = sample_user(3, "alice"), *dora = sample_user(4, "dora");
    struct store_write bad[] = {{.record = carol}, {.record = again}}, good[] = {{.record = dora}};

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    store_submit(f.store, 0, bad, 2, NULL, NULL);
    store_submit(f.store, 0, good, 1, NULL, NULL);
    assert_int_equal(fixture_write(f.store, bad, 2, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "user 3"));
    assert_non_null(strstr(e.message, "name"));
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 2);
    assert_string_equal(image.users[0]->name, "alice");
    assert_string_equal(image.users[1]->name, "dora");
    store_image_release(&image);
    record_unref(carol);
    record_unref(again);
    record_unref(dora);
    fixture_end(&f);
}

/* Each case: a second record that must not stand beside the first. */
static void what_must_be_unique_is(void **state)
{
    struct fixture f;
    struct err e;
    struct node *n[5];
    struct user *u = sample_user(3, "bob");
    void *keys[2];

    (void)state;
    fixture_begin(&f);
    put_one_of_each(f.store);
    for (size_t i = 0; i < 5; i++)
        n[i] = sample_node(100 + i, 9);
    for (size_t i = 0; i < KEY_LEN; i++)
        n[0]->node_key[i] = i % 8 == 0 ? 7 : 0;
    mem_replace(&n[1]->given_name, "HOST-7");
    n[2]->ipv4.bytes[2] = 0, n[2]->ipv4.bytes[3] = 7;
    n[3]->ipv6.bytes[15] = 7;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fixture_put(f.store, n[i], &e), ERR_CONFLICT);
    assert_int_equal(fixture_put(f.store, n[4], &e), 0);
    /* The owner of the name has a provider, so a local user may have it; the provider's id may not come twice. */
    assert_int_equal(fixture_put(f.store, u, &e), 0);
    mem_replace(&u->name, "other");
    mem_replace(&u->provider_id, "https://id.example.com/7");
    assert_int_equal(fixture_put(f.store, u, &e), ERR_CONFLICT);
    keys[0] = sample_preauth_key(50, 9, "0123456789ab");
    keys[1] = sample_api_key(51, "abcdef");
    assert_int_equal(fixture_put(f.store, keys[0], &e), ERR_CONFLICT);
    assert_int_equal(fixture_put(f.store, keys[1], &e), ERR_CONFLICT);
    for (size_t i = 0; i < 5; i++)
        record_unref(n[i]);
    record_unref(u);
    record_unref(keys[0]);
    record_unref(keys[1]);
    fixture_end(&f);
}

static void what_could_not_be_read_again_is_refused(void **state)
{
    struct fixture f;
    struct err e;
    struct user *u = sample_user(2, "bad \xff name");

    (void)state;
    fixture_begin(&f);
    assert_int_equal(fixture_put(f.store, u, &e), ERR_INTERNAL);
    assert_string_equal(e.field, "name");
    mem_replace(&u->name, "fine");
    u->r.id = UINT64_MAX;
    assert_int_equal(fixture_put(f.store, u, &e), ERR_INTERNAL);
    assert_string_equal(e.field, "id");
    record_unref(u);
    fixture_end(&f);
}

static void soft_state_is_kept_and_goes_with_its_node(void **state)
{
    struct fixture f;
    struct store_image image;
    struct addr_port ports[2] = {{{32, {192, 0, 2, 1}}, 41641}, {{128, {0x20, 1, 0xd, 0xb8}}, 1}};
    struct node_live live = {.last_seen_ns = NOW,
                             .home_derp = 9,
                             .endpoints = ports,
                             .endpoint_count = 2,
                             .net_info = (char[]){"{\"a\":1}"},
                             .source = (char[]){""},
                             .online = true};

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    fixture_put_only(f.store, sample_node(1, 1));
    fixture_put_only(f.store, sample_node(2, 1));
    store_live(f.store, 1, &live);
    live.home_derp = 10;
    store_live(f.store, 1, &live);
    store_live(f.store, 2, &live);
    store_live(f.store, 77, &live);
    fixture_remove(f.store, sample_node(2, 1));
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.node_count, 1);
    assert_true(image.lives[0].last_seen_ns == NOW && !image.lives[0].online);
    assert_int_equal(image.lives[0].home_derp, 10);
    assert_int_equal(image.lives[0].endpoint_count, 2);
    assert_true(addr_port_eq(&image.lives[0].endpoints[0], &ports[0]));
    assert_true(addr_port_eq(&image.lives[0].endpoints[1], &ports[1]));
    assert_string_equal(image.lives[0].net_info, "{\"a\":1}");
    store_image_release(&image);
    /* Nothing of node 2 or 77 is there for a later node of that number. */
    fixture_put_only(f.store, sample_node(77, 1));
    fixture_load(f.store, &image);
    assert_int_equal(image.lives[1].endpoint_count, 0);
    store_image_release(&image);
    fixture_end(&f);
}

static void damage_is_named_with_its_row(void **state)
{
    static const struct {
        const char *sql, *row, *what;
        bool sqlite_only; /* a server of PostgreSQL lets nobody write it */
    } cases[] = {
        {"UPDATE node SET approved='[\"10.0.0/8\"]' WHERE id=7", "table node, row 7", "column approved holds", false},
        {"UPDATE node SET approved='nonsense' WHERE id=7", "table node, row 7", "not a list of prefixes", false},
        {"UPDATE node SET node_key=x'00' WHERE id=7", "table node, row 7", "a key of 32 bytes", true},
        {"UPDATE node SET ipv4='100.64.0.0/10' WHERE id=7", "table node, row 7", "an address", false},
        {"UPDATE node SET method=99 WHERE id=7", "table node, row 7", "column method holds '99'", false},
        {"UPDATE node SET tags='[7]' WHERE id=7", "table node, row 7", "a list of texts", false},
        {"UPDATE node SET cap_version=-1 WHERE id=7", "table node, row 7", "at least 0", false},
        {"UPDATE \"user\" SET name=CAST(x'ff' AS TEXT)", "table user, row 9", "UTF-8 text", true},
        {"UPDATE node SET user_id=33", "table node, row 7", "its user 33 does not exist", false},
        {"UPDATE preauth_key SET user_id=33", "table preauth_key, row 5", "its user 33 does not exist", false},
        {"UPDATE primary_router SET prefix='10.0.0.0/99'", "table primary_router, row 10.0.0.0/99", "a prefix", false},
        {"UPDATE api_key SET read_only=2", "table api_key, row 6", "0 or 1", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct store_image image;
        struct err e;

        if (cases[i].sqlite_only && fixture_is_postgres())
            continue;
        fixture_begin(&f);
        put_one_of_each(f.store);
        fixture_close(&f);
        fixture_sql(f.path, cases[i].sql);
        fixture_open(&f);
        assert_int_equal(store_load(f.store, &image, &e), ERR_IO);
        if (!strstr(e.message, cases[i].row) || !strstr(e.message, cases[i].what) ||
            (!fixture_is_postgres() && !strstr(e.message, f.path)))
            fail_msg("%s: %s", cases[i].sql, e.message);
        fixture_end(&f);
    }
}

/* As builds from between two releases left databases: of the present version, with another schema. */
static void what_the_schema_lacks_is_named(void **state)
{
    static const struct {
        const char *sql, *what;
    } cases[] = {
        {"ALTER TABLE node DROP COLUMN priority", "column priority of table node is missing"},
        {"ALTER TABLE node DROP COLUMN priority; DROP TABLE prefix_settings", "column priority of table node (and oth"},
        {"ALTER TABLE history RENAME COLUMN kind TO sort", "column kind of table history is missing"},
        {"DROP TABLE counter", "of table counter (and others) is missing"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct store_image image;
        struct err e, checked;

        fixture_begin(&f);
        fixture_close(&f);
        fixture_sql(f.path, cases[i].sql);
        assert_int_equal(store_open(f.path, &f.store, &e), ERR_UNSUPPORTED);
        if (!strstr(e.message, cases[i].what) || !strstr(e.message, f.path) || !strstr(e.message, "restore"))
            fail_msg("%s: %s", cases[i].sql, e.message);
        assert_int_equal(store_check(f.path, &image, &checked), ERR_UNSUPPORTED);
        assert_string_equal(checked.message, e.message);
        fixture_end(&f);
    }
}

static void what_only_dangles_is_mended(void **state)
{
    struct fixture f;
    struct store_image image;

    (void)state;
    fixture_begin(&f);
    put_one_of_each(f.store);
    fixture_close(&f);
    fixture_sql(f.path, "UPDATE node SET preauth_key_id=44; UPDATE primary_router SET node_id=99;"
                        "INSERT INTO node_live VALUES(7,5,6,'[\"x\"]','{}')");
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.nodes[0]->preauth_key_id, 0);
    assert_int_equal(image.primary_count, 0);
    assert_int_equal(image.lives[0].endpoint_count, 0);
    assert_int_equal(image.lives[0].last_seen_ns, 5);
    store_image_release(&image);
    fixture_end(&f);
}

static void memory_works_like_a_file(void **state)
{
    struct store *s;
    struct store_image image;
    struct event **events;
    size_t count;
    bool gone;
    struct err e;

    (void)state;
    assert_int_equal(store_open(":memory:", &s, &e), 0);
    put_one_of_each(s);
    fixture_put_only(s, sample_event(1, 1));
    fixture_load(s, &image);
    assert_int_equal(image.node_count, 1);
    store_image_release(&image);
    assert_int_equal(store_events(s, 0, 0, 0, 10, &events, &count, &gone, &e), 0);
    assert_int_equal(count, 1);
    record_unref(events[0]);
    free(events);
    assert_int_equal(store_ping(s, &e), 0);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest sqlite_only[] = {
        cmocka_unit_test(an_unopened_folder_is_named),
        cmocka_unit_test(the_file_is_for_its_owner_only),
        cmocka_unit_test(what_the_schema_lacks_is_named),
        cmocka_unit_test(memory_works_like_a_file),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(a_node_comes_back_as_it_was),
        cmocka_unit_test(every_kind_comes_back),
        cmocka_unit_test(a_second_daemon_is_refused),
        cmocka_unit_test(each_start_has_its_number),
        cmocka_unit_test(an_id_is_never_used_twice),
        cmocka_unit_test(a_refused_group_leaves_nothing_and_its_neighbours_stay),
        cmocka_unit_test(what_must_be_unique_is),
        cmocka_unit_test(what_could_not_be_read_again_is_refused),
        cmocka_unit_test(soft_state_is_kept_and_goes_with_its_node),
        cmocka_unit_test(damage_is_named_with_its_row),
        cmocka_unit_test(what_only_dangles_is_mended),
    };

    return fixture_run_both(sqlite_only, ARRAY_LEN(sqlite_only), both, ARRAY_LEN(both));
}
