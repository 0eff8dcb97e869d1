/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs recorded policies (every *.jsonl below a folder) through the policy room and compares by the rules of the README
 * beside the recordings. Prints, per category, how many expectations hold, and the ids that differ; -v shows both
 * sides. The exit status is 1 when one that must hold does not. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/vec.h"
#include "net/ranges.h"
#include "policy/policy.h"
#include "json/json.h"

enum key { VERDICT, ERROR, FILTER, PEERS, ALLOWED, PRIMARY, SELF, CAPS, PEER_CAPS, SSH, APPROVE, KEYS };
static const char *const key_names[KEYS] = {"verdict", "error", "filter",    "peers", "allowed_ips", "primary_routes",
                                            "self",    "caps",  "peer_caps", "ssh",   "auto_approve"};

struct tally {
    size_t held[2], all[2]; /* must, should */
};
struct category {
    char name[32];
    struct tally keys[KEYS];
};
struct run {
    VEC(struct category) categories;
    json_t *meta;
    bool verbose;
    size_t form_differs;
    struct tally total;
    struct buf differ;
};

/* ---- comparing values ---- */

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* An array's elements as compact JSON, sorted; unique: as a set. */
static char *sorted_text(const json_t *list, bool unique)
{
    size_t n = json_array_size(list), i;
    char **texts = mem_alloc((n + 1) * sizeof(*texts));
    struct buf out = BUF_INIT(0);

    for (i = 0; i < n; i++)
        texts[i] = json_compact(json_array_get(list, i));
    qsort(texts, n, sizeof(*texts), by_text);
    for (i = 0; i < n; i++) {
        if (!unique || i == 0 || !str_eq(texts[i], texts[i - 1]))
            buf_addf(&out, "%s\n", texts[i]);
    }
    for (i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
    return buf_take(&out);
}

static bool same_set(const json_t *a, const json_t *b)
{
    char *x = sorted_text(a, true), *y = sorted_text(b, true);
    bool same = str_eq(x, y);

    free(x);
    free(y);
    return same;
}

/* ---- filters ---- */

/* What a filter permits: lines "what|source range", cut at every boundary so that equal meanings give equal lines. */
struct fact {
    char *what;
    struct addr_ranges sources;
};
struct facts {
    struct fact *items;
    size_t len, cap;
};

static void fact_widen(struct fact *f, const struct addr_ranges *by)
{
    for (size_t i = 0; i < by->len; i++)
        ranges_push(&f->sources, &by->items[i]);
    ranges_normalise(&f->sources);
}

static void fact_add(struct facts *facts, const char *what, const struct addr_ranges *sources)
{
    if (!sources->len)
        return;
    for (size_t i = 0; i < facts->len; i++)
        if (str_eq(facts->items[i].what, what)) {
            fact_widen(&facts->items[i], sources);
            return;
        }
    struct fact *f = vec_add(facts);
    *f = (struct fact){.what = mem_strdup(what)};
    fact_widen(f, sources);
}

static void range_text(const char *text, char out[2 * PREFIX_TEXT_MAX])
{
    struct addr_ranges r = {0};
    char a[PREFIX_TEXT_MAX], b[PREFIX_TEXT_MAX];

    str_copy(out, 2 * PREFIX_TEXT_MAX, text);
    if (!str_eq(text, "*") && ranges_push_text(&r, text) && r.len == 1)
        snprintf(out, 2 * PREFIX_TEXT_MAX, "%s-%s", addr_format(&r.items[0].first, a),
                 addr_format(&r.items[0].last, b));
    ranges_release(&r);
}

static void rule_facts(struct facts *facts, const json_t *rule)
{
    struct addr_ranges sources = {0};
    const json_t *e, *d;
    size_t i, k;
    char dst[2 * PREFIX_TEXT_MAX], what[400];

    json_array_foreach(json_object_get(rule, "SrcIPs"), i, e)
    {
        ranges_push_text(&sources, json_string_value(e));
    }
    ranges_normalise(&sources);
    json_array_foreach(json_object_get(rule, "DstPorts"), i, e)
    {
        const json_t *ports = json_object_get(e, "Ports"), *protos = json_object_get(rule, "IPProto");
        range_text(json_text(e, "IP", ""), dst);
        for (k = 0; k == 0 || k < json_array_size(protos); k++) {
            snprintf(what, sizeof(what), "%s %lld-%lld p%lld", dst,
                     (long long)json_integer_value(json_object_get(ports, "First")),
                     (long long)json_integer_value(json_object_get(ports, "Last")),
                     json_array_size(protos) ? (long long)json_integer_value(json_array_get(protos, k)) : -1);
            fact_add(facts, what, &sources);
        }
    }
    json_array_foreach(json_object_get(rule, "CapGrant"), i, e)
    {
        json_array_foreach(json_object_get(e, "Dsts"), k, d)
        {
            const char *cap;
            json_t *values;
            range_text(json_string_value(d), dst);
            json_object_foreach((json_t *)(uintptr_t)json_object_get(e, "CapMap"), cap, values)
            {
                char *text = json_array_size(values) ? json_compact(values) : mem_strdup("[]");
                struct buf b = BUF_INIT(0);
                buf_addf(&b, "%s %s %s", dst, cap, text);
                fact_add(facts, buf_text(&b), &sources);
                buf_release(&b);
                free(text);
            }
        }
    }
    ranges_release(&sources);
}

static int by_what(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    return strcmp(x->what, y->what);
}

static struct facts filter_facts(const json_t *filter)
{
    struct facts facts = {0};
    const json_t *rule;
    size_t i;

    json_array_foreach(filter, i, rule)
    {
        rule_facts(&facts, rule);
    }
    if (facts.len)
        qsort(facts.items, facts.len, sizeof(*facts.items), by_what);
    return facts;
}

static bool same_meaning(const json_t *a, const json_t *b)
{
    struct facts x = filter_facts(a), y = filter_facts(b);
    bool same = x.len == y.len;

    for (size_t i = 0; i < x.len && same; i++)
        same = str_eq(x.items[i].what, y.items[i].what) && ranges_covers(&x.items[i].sources, &y.items[i].sources) &&
               ranges_covers(&y.items[i].sources, &x.items[i].sources);
    struct facts *both[2] = {&x, &y};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < both[k]->len; i++) {
            free(both[k]->items[i].what);
            ranges_release(&both[k]->items[i].sources);
        }
        vec_release(both[k]);
    }
    return same;
}

static bool same_form(const json_t *a, const json_t *b)
{
    size_t i;
    const json_t *rule;

    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach(a, i, rule)
    {
        const json_t *other = json_array_get(b, i);
        static const char *const lists[] = {"SrcIPs", "DstPorts", "IPProto"};
        for (size_t k = 0; k < 3; k++) {
            char *x = sorted_text(json_object_get(rule, lists[k]), false);
            char *y = sorted_text(json_object_get(other, lists[k]), false);
            bool same = str_eq(x, y);
            free(x);
            free(y);
            if (!same)
                return false;
        }
        const json_t *g = json_object_get(rule, "CapGrant"), *h = json_object_get(other, "CapGrant");
        if (json_array_size(g) != json_array_size(h))
            return false;
        for (size_t k = 0; k < json_array_size(g); k++)
            if (!same_set(json_object_get(json_array_get(g, k), "Dsts"), json_object_get(json_array_get(h, k), "Dsts")))
                return false;
    }
    return true;
}

/* ---- SSH ---- */

static bool same_ssh(const json_t *a, const json_t *b)
{
    size_t i;
    const json_t *rule;

    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach(a, i, rule)
    {
        const json_t *other = json_array_get(b, i);
        const json_t *x = json_object_get(rule, "action"), *y = json_object_get(other, "action");
        const char *p = json_text(x, "holdAndDelegate", NULL), *q = json_text(y, "holdAndDelegate", NULL);
        static const char *const flags[] = {"accept", "allowAgentForwarding", "allowLocalPortForwarding",
                                            "allowRemotePortForwarding"};

        if (!same_set(json_object_get(rule, "principals"), json_object_get(other, "principals")) ||
            !json_equal(json_object_get(rule, "sshUsers"), json_object_get(other, "sshUsers")) ||
            (json_array_size(json_object_get(rule, "acceptEnv")) +
                 json_array_size(json_object_get(other, "acceptEnv")) &&
             !json_equal(json_object_get(rule, "acceptEnv"), json_object_get(other, "acceptEnv"))))
            return false;
        for (size_t k = 0; k < 4; k++)
            if (json_is_true(json_object_get(x, flags[k])) != json_is_true(json_object_get(y, flags[k])))
                return false;
        if ((p != NULL) != (q != NULL) || (p && !str_eq(strstr(p, "/machine"), strstr(q, "/machine"))))
            return false;
    }
    return true;
}

/* ---- capabilities ---- */

static bool ignored_cap(const struct run *r, const char *name)
{
    const json_t *e;
    size_t i;

    json_array_foreach(json_object_get(r->meta, "ignore_caps"), i, e)
    {
        if (str_eq(json_string_value(e), name))
            return true;
    }
    json_array_foreach(json_object_get(r->meta, "ignore_cap_prefixes"), i, e)
    {
        if (str_starts(name, json_string_value(e)))
            return true;
    }
    return json_object_get(json_object_get(r->meta, "baseline_caps"), name) != NULL;
}

static bool caps_within(const struct run *r, const json_t *a, const json_t *b)
{
    const char *name;
    json_t *values;

    json_object_foreach((json_t *)(uintptr_t)a, name, values)
    {
        const json_t *other = json_object_get(b, name);
        if (ignored_cap(r, name))
            continue;
        if (!other || (json_array_size(values) + json_array_size(other) && !json_equal(values, other)))
            return false;
    }
    return true;
}

static bool same_caps(const struct run *r, const json_t *a, const json_t *b)
{
    return caps_within(r, a, b) && caps_within(r, b, a);
}

/* ---- one vector ---- */

static struct category *category_of(struct run *r, const char *name)
{
    for (size_t i = 0; i < r->categories.len; i++)
        if (str_eq(r->categories.items[i].name, name))
            return &r->categories.items[i];
    struct category *c = vec_add(&r->categories);
    *c = (struct category){0};
    str_copy(c->name, sizeof(c->name), name);
    return c;
}

static void judge(struct run *r, const json_t *vector, enum key key, bool held, const char *detail)
{
    const char *grade = json_text(json_object_get(vector, "compare"), key_names[key], "skip");
    int g = str_eq(grade, "must") ? 0 : str_eq(grade, "should") ? 1 : -1;
    struct category *c = category_of(r, json_text(vector, "category", "?"));

    if (g < 0)
        return;
    c->keys[key].all[g]++;
    r->total.all[g]++;
    if (held) {
        c->keys[key].held[g]++;
        r->total.held[g]++;
        return;
    }
    buf_addf(&r->differ, "  %s %s (%s)%s%s\n", json_text(vector, "id", "?"), key_names[key], grade, detail ? ": " : "",
             detail ? detail : "");
}

static bool same_peers(const json_t *want, const json_t *got)
{
    const char *name;
    json_t *peer;

    json_object_foreach((json_t *)(uintptr_t)want, name, peer)
    {
        if (!json_object_get(got, name))
            return false;
    }
    return json_object_size(want) == json_object_size(got);
}

static bool same_peer_field(const struct run *r, const json_t *want, const json_t *got, const char *field)
{
    const char *name;
    json_t *peer;

    json_object_foreach((json_t *)(uintptr_t)want, name, peer)
    {
        const json_t *other = json_object_get(got, name);
        if (!other)
            continue; /* counted under peers */
        if (str_eq(field, "caps") ? !same_caps(r, json_object_get(peer, field), json_object_get(other, field))
                                  : !same_set(json_object_get(peer, field), json_object_get(other, field)))
            return false;
    }
    return true;
}

static bool same_self(const json_t *want, const json_t *got)
{
    static const char *const fields[] = {"addresses", "allowed_ips", "primary_routes"};

    for (size_t i = 0; i < 3; i++)
        if (!same_set(json_object_get(want, fields[i]), json_object_get(got, fields[i])))
            return false;
    return true;
}

static const json_t *node_named(const json_t *vector, const char *name)
{
    const json_t *n;
    size_t i;

    json_array_foreach(json_object_get(vector, "nodes"), i, n)
    {
        if (str_eq(json_text(n, "name", ""), name))
            return n;
    }
    return NULL;
}

static void show(const struct run *r, const char *what, const char *name, const json_t *want, const json_t *got)
{
    char *a = json_compact(want), *b = json_compact(got);

    if (r->verbose)
        printf("    %s %s\n      want %s\n      got  %s\n", what, name, a, b);
    free(a);
    free(b);
}

static void compare_nodes(struct run *r, const json_t *vector, const json_t *want, const json_t *got)
{
    bool ok[KEYS], via = str_starts(json_text(vector, "family", ""), "via-grant");
    char first[KEYS][80] = {""};
    const char *name;
    json_t *w;

    for (size_t k = 0; k < KEYS; k++)
        ok[k] = true;
    json_object_foreach((json_t *)(uintptr_t)want, name, w)
    {
        const json_t *g = json_object_get(got, name), *node = node_named(vector, name);
        const json_t *wp = json_object_get(w, "peers"), *gp = json_object_get(g, "peers");
        const json_t *ws = json_object_get(w, "self"), *gs = json_object_get(g, "self");
        const char *grade = json_text(json_object_get(vector, "compare"), "peers", "");
        bool skip = via && str_eq(grade, "must") && json_array_size(json_object_get(node, "tags")) == 0;
        bool here[KEYS] = {[VERDICT] = true,
                           [ERROR] = true,
                           [FILTER] = same_meaning(json_object_get(w, "filter"), json_object_get(g, "filter")),
                           [PEERS] = skip || same_peers(wp, gp),
                           [ALLOWED] = skip || same_peer_field(r, wp, gp, "allowed_ips"),
                           [PRIMARY] = skip || same_peer_field(r, wp, gp, "primary_routes"),
                           [SELF] = same_self(ws, gs),
                           [CAPS] = same_caps(r, json_object_get(ws, "caps"), json_object_get(gs, "caps")),
                           [PEER_CAPS] = same_peer_field(r, wp, gp, "caps"),
                           [SSH] = same_ssh(json_object_get(w, "ssh"), json_object_get(g, "ssh")),
                           [APPROVE] = same_set(json_object_get(node, "approved"), json_object_get(g, "auto_approve"))};
        if (here[FILTER] && !same_form(json_object_get(w, "filter"), json_object_get(g, "filter"))) {
            r->form_differs++;
            show(r, "form", name, json_object_get(w, "filter"), json_object_get(g, "filter"));
        }
        for (size_t k = 0; k < KEYS; k++)
            if (!here[k] && ok[k]) {
                ok[k] = false;
                str_copy(first[k], sizeof(first[k]), name);
                show(r, key_names[k], name,
                     k == FILTER || k == SSH ? json_object_get(w, key_names[k])
                     : k == SELF             ? ws
                                             : wp,
                     k == FILTER || k == SSH     ? json_object_get(g, key_names[k])
                     : k == SELF || k == APPROVE ? gs
                                                 : gp);
            }
    }
    for (enum key k = FILTER; k < KEYS; k++)
        judge(r, vector, k, ok[k], first[k]);
}

static void run_vector(struct run *r, const json_t *vector)
{
    const json_t *expect = json_object_get(vector, "expect");
    const char *policy = json_text(vector, "policy", "");
    char *tailnet = json_compact(vector);
    bool want = json_is_true(json_object_get(expect, "accepted"));
    struct policy_problems problems = {0};
    struct buf out = BUF_INIT(0), message = BUF_INIT(0);
    json_t *got = NULL;

    bool taken =
        policy_compile_texts(policy, strlen(policy), tailnet, strlen(tailnet), NULL, true, &out, &problems) == 0;
    policy_problems_text(&problems, &message);
    if (r->verbose)
        printf("%s\n", json_text(vector, "id", "?"));
    judge(r, vector, VERDICT, taken == want, buf_text(&message));
    if (!want)
        judge(r, vector, ERROR, !taken && strstr(buf_text(&message), json_text(expect, "error", "")),
              buf_text(&message));
    else if (json_read(buf_text(&out), out.len, SIZE_MAX, "result", &got, NULL) == 0 || !taken)
        compare_nodes(r, vector, json_object_get(expect, "nodes"), got);
    json_decref(got);
    free(tailnet);
    buf_release(&out);
    buf_release(&message);
    policy_problems_release(&problems);
}

/* ---- files ---- */

static void run_file(struct run *r, const char *path)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while (f && (len = getline(&line, &cap, f)) > 0) {
        struct err e;
        json_t *vector;
        if (json_read(line, (size_t)len, SIZE_MAX, "vector", &vector, &e) < 0) {
            fprintf(stderr, "%s: %s\n", path, e.message);
            exit(2);
        }
        run_vector(r, vector);
        json_decref(vector);
    }
    free(line);
    if (f)
        fclose(f);
}

static void run_folder(struct run *r, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char *inner = mem_format("%s/%s", path, entries[i]->d_name);
        struct stat st;
        if (entries[i]->d_name[0] != '.' && stat(inner, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                run_folder(r, inner);
            else if (str_ends(inner, ".jsonl"))
                run_file(r, inner);
        }
        free(inner);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* The file of names to leave out: beside the recordings, or the folder above. */
static json_t *read_meta(const char *folder)
{
    static const char *const places[] = {"meta.json", "../meta.json"};
    json_t *meta = NULL;

    for (size_t i = 0; i < 2 && !meta; i++) {
        char *path = mem_format("%s/%s", folder, places[i]);
        meta = json_load_file(path, 0, NULL);
        free(path);
    }
    return meta;
}

static void print(struct run *r)
{
    for (size_t i = 0; i < r->categories.len; i++) {
        const struct category *c = &r->categories.items[i];
        printf("%s\n", c->name);
        for (size_t k = 0; k < KEYS; k++)
            if (c->keys[k].all[0] + c->keys[k].all[1])
                printf("  %-15s must %4zu of %4zu   should %4zu of %4zu\n", key_names[k], c->keys[k].held[0],
                       c->keys[k].all[0], c->keys[k].held[1], c->keys[k].all[1]);
    }
    if (r->differ.len)
        printf("differing:\n%s", buf_text(&r->differ));
    printf("filters equal in meaning but not in form: %zu\n", r->form_differs);
    printf("must: %zu of %zu, should: %zu of %zu\n", r->total.held[0], r->total.all[0], r->total.held[1],
           r->total.all[1]);
}

int main(int argc, char **argv)
{
    struct run r = {0};
    int arg = 1;
    struct stat st;

    if (arg < argc && str_eq(argv[arg], "-v")) {
        r.verbose = true;
        arg++;
    }
    if (arg >= argc) {
        fprintf(stderr, "usage: run_vectors [-v] FOLDER...\n");
        return 2;
    }
    for (; arg < argc; arg++) {
        if (stat(argv[arg], &st) < 0) {
            printf("SKIP policy vectors: %s is not there\n", argv[arg]);
            continue;
        }
        json_decref(r.meta);
        r.meta = read_meta(argv[arg]);
        if (S_ISDIR(st.st_mode))
            run_folder(&r, argv[arg]);
        else
            run_file(&r, argv[arg]);
    }
    if (r.total.all[0] + r.total.all[1])
        print(&r);
    vec_release(&r.categories);
    buf_release(&r.differ);
    json_decref(r.meta);
    return r.total.held[0] == r.total.all[0] ? 0 : 1;
}
