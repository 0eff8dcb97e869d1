/* SPDX-License-Identifier: BSD-3-Clause */
/* Elections as stories. A story is a line of acts: "R1 adv P" advertises, "R1 app P" replaces what is approved, on,
 * off, sick, well, expired, renewed, drain, undrain, gone, "prefer R1 P", "keep P", "oldest P", "priority P", "slow P"
 * (priority, hold-down 30 s, failback delay 300 s), "held P" (priority, hold-down 30 s), "pass 30" (seconds), "R1 prio
 * 5", "restore R1 P", "chosen R1 P" (restored as an administrator's choice), "once R1 P", "settled". ';' goes on
 * without an election, '|' elects in between, and the end elects. Then come the states as "available/approved/serving",
 * and, where it is given, the last election's moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "routes/routes.h"

/* By creation. The ids run the other way: age comes first. */
static const char *const names[] = {"R1", "R2", "R3", "X1", "X2", "C1"};
#define NODES (ARRAY_LEN(names))

static const struct {
    char letter;
    const char *prefix;
} letters[] = {
    {'P', "10.0.0.0/24"},
    {'Q', "10.0.0.0/16"},
    {'A', "10.0.1.0/24"},
    {'B', "10.9.0.0/16"},
    {'S', "fd7a:115c:a1e0:b1a:0:7:a00:0/120"},
    {'T', "fd7a:115c:a1e0:b1a:0:8:a00:0/120"},
    {'E', "0.0.0.0/0"},
    {'E', "::/0"},
};
#define LETTERS (ARRAY_LEN(letters))

struct election {
    struct routes *routes;
    struct node *nodes[NODES];
    struct routes_flags flags[NODES];
    struct route_moves moves;
    int64_t now;
};

static struct prefix prefix_at(size_t i)
{
    struct prefix p;

    if (prefix_parse(letters[i].prefix, &p, NULL, NULL) < 0)
        fail_msg("%s", letters[i].prefix);
    return p;
}

static struct prefix prefix_of(char letter)
{
    for (size_t i = 0; i < LETTERS; i++)
        if (letters[i].letter == letter)
            return prefix_at(i);
    fail_msg("no prefix %c", letter);
    return (struct prefix){0};
}

static void set_of(const char *text, struct prefixes *out)
{
    prefixes_release(out);
    for (const char *c = text; *c; c++)
        for (size_t i = 0; i < LETTERS; i++)
            if (letters[i].letter == *c) {
                struct prefix p = prefix_at(i);
                prefixes_add(out, &p);
            }
}

static void text_of(const struct prefixes *set, char *out)
{
    char *start = out;

    for (size_t i = 0; i < LETTERS; i++) {
        struct prefix p = prefix_at(i);
        if (prefixes_has(set, &p) && strcmp(letters[i].prefix, "::/0") != 0) {
            if (out != start)
                *out++ = ',';
            *out++ = letters[i].letter;
        }
    }
    if (out == start)
        *out++ = '-';
    *out = '\0';
}

static size_t who(const char *name)
{
    for (size_t i = 0; i < NODES; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    fail_msg("nobody is called %s", name);
    return 0;
}

static const char *name_of(const struct election *w, uint64_t id)
{
    for (size_t i = 0; i < NODES; i++)
        if (w->nodes[i] && w->nodes[i]->r.id == id)
            return names[i];
    return id ? "gone" : "none";
}

static uint64_t id_of(size_t i)
{
    return 100 - i;
}

static void begin(struct election *w)
{
    static const struct prefix_rule sticky = {FAILBACK_STICKY, PREFIX_WITHDRAW, 0, 0, {0}, PREFIX_ONE_FOR_ALL};

    *w = (struct election){.routes = routes_new(&sticky), .now = 1000};
    for (size_t i = 0; i < NODES; i++) {
        w->nodes[i] = node_new();
        w->nodes[i]->r.id = id_of(i);
        w->nodes[i]->created_ns = 1 + (int64_t)i;
        mem_replace(&w->nodes[i]->given_name, names[i]);
        w->flags[i] = (struct routes_flags){.online = true, .healthy = true};
        routes_set_node(w->routes, w->nodes[i], &w->flags[i]);
    }
}

static void end(struct election *w)
{
    for (size_t i = 0; i < NODES; i++)
        record_unref(w->nodes[i]);
    route_moves_release(&w->moves);
    routes_free(w->routes);
}

static void elect(struct election *w)
{
    w->moves.len = 0;
    w->now++;
    routes_elect(w->routes, &(struct routes_time){w->now, w->now}, &w->moves);
}

static bool set_flag(struct routes_flags *f, const char *verb)
{
    const struct {
        const char *verb;
        bool *flag, value;
    } flags[] = {
        {"on", &f->online, true},       {"off", &f->online, false},       {"well", &f->healthy, true},
        {"sick", &f->healthy, false},   {"expired", &f->expired, true},   {"renewed", &f->expired, false},
        {"drain", &f->draining, true},  {"undrain", &f->draining, false}, {"flaps", &f->flapping, true},
        {"calms", &f->flapping, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(flags[i].verb, verb) == 0) {
            *flags[i].flag = flags[i].value;
            return true;
        }
    return false;
}

static void node_act(struct election *w, size_t i, const char *verb, const char *what)
{
    if (strcmp(verb, "gone") == 0) {
        routes_remove_node(w->routes, id_of(i));
        record_unref(w->nodes[i]);
        w->nodes[i] = NULL;
        return;
    }
    if (strcmp(verb, "carries") == 0) {
        struct prefixes carried = {0};
        set_of(what, &carried);
        routes_set_evidence(w->routes, id_of(i), &(struct prefixes){0}, &carried);
        prefixes_release(&carried);
        return;
    }
    if (strcmp(verb, "prio") == 0) {
        w->flags[i].priority = *what - '0';
    } else if (strcmp(verb, "adv") == 0 || strcmp(verb, "app") == 0) {
        struct node *next = node_edit(w->nodes[i]);
        set_of(what, verb[1] == 'd' ? &next->available : &next->approved);
        record_unref(w->nodes[i]);
        w->nodes[i] = next;
    } else if (!set_flag(&w->flags[i], verb)) {
        fail_msg("nobody can %s", verb);
    }
    routes_set_node(w->routes, w->nodes[i], &w->flags[i]);
}

static void act(struct election *w, char *text)
{
    static const struct {
        const char *word;
        struct prefix_rule rule;
    } rules[] = {
        {"keep", {FAILBACK_STICKY, PREFIX_KEEP, 0, 0, {0}, PREFIX_ONE_FOR_ALL}},
        {"oldest", {FAILBACK_OLDEST, PREFIX_WITHDRAW, 0, 0, {0}, PREFIX_ONE_FOR_ALL}},
        {"priority", {FAILBACK_PRIORITY, PREFIX_WITHDRAW, 0, 0, {0}, PREFIX_ONE_FOR_ALL}},
        {"slow",
         {FAILBACK_PRIORITY, PREFIX_WITHDRAW, 30 * NS_PER_SECOND, 300 * NS_PER_SECOND, {0}, PREFIX_ONE_FOR_ALL}},
        {"held", {FAILBACK_PRIORITY, PREFIX_WITHDRAW, 30 * NS_PER_SECOND, 0, {0}, PREFIX_ONE_FOR_ALL}}};
    char *word[3] = {text, (char[]){""}, (char[]){""}};
    struct prefix p;

    for (int i = 1; i < 3 && (text = strchr(text, ' ')); i++) {
        *text++ = '\0';
        word[i] = text;
    }
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (strcmp(word[0], rules[i].word) == 0) {
            p = prefix_of(*word[1]);
            routes_set_rule(w->routes, &p, &rules[i].rule);
            return;
        }
    if (strcmp(word[0], "pass") == 0) {
        w->now += strtol(word[1], NULL, 10) * 1000;
    } else if (strcmp(word[0], "settled") == 0) {
        routes_settled(w->routes);
    } else if (strcmp(word[0], "restore") == 0 || strcmp(word[0], "chosen") == 0) {
        p = prefix_of(*word[2]);
        routes_restore(w->routes, &p, &(struct route_served){id_of(who(word[1])), 5, *word[0] == 'c'});
    } else if (strcmp(word[0], "prefer") == 0 || strcmp(word[0], "once") == 0) {
        p = prefix_of(*word[2]);
        assert_int_equal(routes_prefer(w->routes, &(struct route_place){.prefix = &p}, id_of(who(word[1])),
                                       *word[0] == 'p' ? PRIMARY_HOLDS : PRIMARY_ONCE, NULL),
                         0);
    } else {
        node_act(w, who(word[0]), word[1], word[2]);
    }
}

static void play(struct election *w, const char *story)
{
    char *copy = mem_strdup(story), *at = copy, *next;

    for (; *at; at = next) {
        char sign;
        next = at + strcspn(at, ";|");
        sign = *next;
        *next = '\0';
        if (sign)
            next++;
        while (*at == ' ')
            at++;
        for (size_t n = strlen(at); n > 0 && at[n - 1] == ' '; n--)
            at[n - 1] = '\0';
        act(w, at);
        if (sign == '|')
            elect(w);
    }
    elect(w);
    free(copy);
}

static void describe(struct election *w, size_t i, char *out)
{
    char available[32], approved[32], serving[32];
    struct prefixes served = {0};
    struct prefix exits[] = {prefix_at(6), prefix_at(7)};

    if (!w->nodes[i]) {
        snprintf(out, 100, "%s gone", names[i]);
        return;
    }
    routes_serving(w->routes, id_of(i), &served);
    for (size_t x = 0; x < 2; x++)
        if (node_is_exit(w->nodes[i]))
            prefixes_add(&served, &exits[x]);
    text_of(&w->nodes[i]->available, available);
    text_of(&w->nodes[i]->approved, approved);
    text_of(&served, serving);
    snprintf(out, 100, "%s %s/%s/%s", names[i], available, approved, serving);
    prefixes_release(&served);
}

static void check_states(struct election *w, const char *story, const char *states)
{
    char *copy = mem_strdup(states), *at = copy;

    while (*at) {
        char *next = at + strcspn(at, ";"), is[100], name[3] = {at[0], at[1], '\0'};
        if (*next)
            *next++ = '\0';
        describe(w, who(name), is);
        if (strcmp(is, at) != 0)
            fail_msg("%s: wanted '%s', is '%s'", story, at, is);
        for (at = next; *at == ' '; at++)
            ;
    }
    free(copy);
}

static void check_moves(struct election *w, const char *story, const char *moves)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < w->moves.len; i++) {
        const struct route_move *m = &w->moves.items[i];
        size_t l = 0;
        struct prefix p = prefix_at(0);
        for (; prefix_cmp(&p, &m->prefix) != 0; p = prefix_at(l))
            l++;
        buf_addf(&b, "%s%c %s>%s %s", i ? "; " : "", letters[l].letter, name_of(w, m->from), name_of(w, m->to),
                 m->cause);
    }
    if (strcmp(buf_text(&b), moves) != 0)
        fail_msg("%s: wanted moves '%s', are '%s'", story, moves, buf_text(&b));
    buf_release(&b);
}

#define TWO "R1 adv P; R2 adv P | R1 app P | R2 app P | " /* R1 serves, R2 stands by */
#define ONE "R1 adv P | R1 app P | "

/* Each is a state after an event that administrators of routers know. The numbers are those of the scenarios in the
 * reference on routes. */
static const struct {
    const char *story, *states, *moves;
} stories[] = {
    /* one router */
    /* 1 */ {"R1 adv P", "R1 P/-/-", ""},
    /* 2 */ {"R1 adv P | R1 app P", "R1 P/P/P", "P none>R1 approved"},
    /* 3 */ {"R1 app P", "R1 -/P/-", ""},
    /* 4 */ {"R1 app P | R1 adv P", "R1 P/P/P", "P none>R1 advertised"},
    /* 5 */ {ONE "R1 adv -", "R1 -/P/-", "P R1>none withdrawn"},
    /* 6 */ {ONE "R1 adv - | R1 adv P", "R1 P/P/P", "P none>R1 advertised"},
    /* 7 */ {"R1 adv PQ | R1 app P", "R1 P,Q/P/P", NULL},
    /* 8 */ {"R1 adv PQ | R1 app P | R1 app Q", "R1 P,Q/Q/Q", "Q none>R1 approved; P R1>none approval revoked"},
    /* 9 */ {ONE "R1 app -", "R1 P/-/-", "P R1>none approval revoked"},
    /* 10 */ {ONE "R1 adv A", "R1 A/P/-", "P R1>none withdrawn"},
    /* 15 */ {ONE "R1 off", "R1 P/P/-", "P R1>none went offline"},
    /* 15, keep */ {"keep P;" ONE "R1 off", "R1 P/P/P", ""},
    /* 16 */ {ONE "R1 off | R1 on", "R1 P/P/P", "P none>R1 came online"},
    /* 17 */ {ONE "R1 off; R1 on", "R1 P/P/P", ""},
    /* 19 */ {ONE "R1 gone", "R1 gone", "P gone>none deleted"},
    /* 20 */ {ONE "R1 expired", "R1 P/P/-", "P R1>none expired"},
    {ONE "R1 expired | R1 renewed", "R1 P/P/P", "P none>R1 has a valid key again"},
    {"keep P;" ONE "R1 expired", "R1 P/P/-", "P R1>none expired"},
    {ONE "R1 sick", "R1 P/P/P", ""},
    /* restarts */
    /* 18 */ {"R1 adv P; R1 app P; R1 off; restore R1 P", "R1 P/P/P", ""},
    /* 18 */
    {"R1 adv P; R1 app P; R1 off; restore R1 P | settled", "R1 P/P/-", "P R1>none did not come back after the restart"},
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; R2 off; restore R1 P | R2 on", "R1 P/P/P; R2 P/P/-", ""},
    /* 62 */
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; R2 off; restore R1 P | R2 on | R1 on | settled",
     "R1 P/P/P; R2 P/P/-", ""},
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; R2 off; restore R2 P | R1 on | R2 on | settled",
     "R1 P/P/-; R2 P/P/P", ""},
    /* 62 */
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; R2 off; restore R1 P | R2 on | settled", "R1 P/P/-; R2 P/P/P",
     "P R1>R2 did not come back after the restart"},
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; restore R1 P | R1 app -", "R1 P/-/-; R2 P/P/P",
     "P R1>R2 approval revoked"},
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; restore R1 P | R1 gone", "R2 P/P/P", "P gone>R2 deleted"},
    {"R1 gone; R2 adv P; R2 app P; restore R1 P", "R2 P/P/P", "P gone>R2 deleted"},
    {"R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; restore R1 P | prefer R2 P", "R1 P/P/-; R2 P/P/P",
     "P R1>R2 by administrator"},
    {"R1 adv P; R1 app P; R1 off; R2 adv PQ; R2 app PQ; R2 off; restore R1 P | R2 on", "R1 P/P/P; R2 P,Q/P,Q/Q",
     "Q none>R2 came online"},
    /* exit nodes */
    /* 22 */ {"X1 adv E", "X1 E/-/-", ""},
    /* 23 */ {"X1 adv E | X1 app E", "X1 E/E/E", ""},
    /* 25 */ {"X1 adv E | X1 app E | X1 app -", "X1 E/-/-", ""},
    /* 26 */ {"X1 adv E; X1 app E; X2 adv E; X2 app E", "X1 E/E/E; X2 E/E/E", ""},
    /* 27 */ {"X1 adv E; X1 app E; X2 adv E; X2 app E | X1 off", "X1 E/E/E; X2 E/E/E", ""},
    /* 28 */ {"X1 adv EP | X1 app P", "X1 P,E/P/P", "P none>X1 approved"},
    /* 29 */ {"X1 adv EP; X1 app EP | X1 app P", "X1 P,E/P/P", ""},
    /* 30 */ {"X1 adv EP; X1 app EP", "X1 P,E/P,E/P,E", NULL},
    /* two routers of one prefix */
    /* 49 */ {"R1 adv P; R2 adv P | R1 app P | R2 app P", "R1 P/P/P; R2 P/P/-", ""},
    /* 50 */ {"R1 adv P; R2 adv P | R2 app P | R1 app P", "R2 P/P/P; R1 P/P/-", ""},
    /* 51 */ {TWO "R1 off", "R1 P/P/-; R2 P/P/P", "P R1>R2 went offline"},
    /* 52 */ {TWO "R1 off | R1 on", "R1 P/P/-; R2 P/P/P", ""},
    /* 53 */ {TWO "R1 off | R1 on | R2 off", "R1 P/P/P; R2 P/P/-", "P R2>R1 went offline"},
    /* 54 */ {TWO "R1 off; R2 off", "R1 P/P/-; R2 P/P/-", "P R1>none went offline"},
    /* 54, keep */ {"keep P;" TWO "R1 off | R2 off", "R1 P/P/-; R2 P/P/P", ""},
    {"keep P;" TWO "R1 off | R2 off | R1 on", "R1 P/P/P; R2 P/P/-", "P R2>R1 went offline"},
    /* 55 */ {TWO "R1 off; R2 off | R2 on", "R1 P/P/-; R2 P/P/P", "P none>R2 came online"},
    /* 56 */ {TWO "R1 off; R2 off | R2 on | R1 on", "R1 P/P/-; R2 P/P/P", ""},
    /* 57 */ {TWO "R1 app -", "R1 P/-/-; R2 P/P/P", "P R1>R2 approval revoked"},
    /* 58 */ {TWO "R1 app - | R1 app P", "R1 P/P/-; R2 P/P/P", ""},
    /* 59 */ {TWO "R1 adv -", "R1 -/P/-; R2 P/P/P", "P R1>R2 withdrawn"},
    /* 60 */ {TWO "R1 gone", "R2 P/P/P", "P gone>R2 deleted"},
    {TWO "R1 expired", "R1 P/P/-; R2 P/P/P", "P R1>R2 expired"},
    /* 61 */
    {"R1 adv P; R2 adv P; R3 adv P; R1 app P; R2 app P; R3 app P | R1 off; R2 off", "R3 P/P/P", "P R1>R3 went offline"},
    /* 63 */
    {"R1 adv PB; R2 adv PB | R1 app PB; R2 app P | R1 off", "R1 P,B/P,B/-; R2 P,B/P/P",
     "P R1>R2 went offline; B R1>none went offline"},
    /* 95 */ {"R1 adv S; R2 adv T; R1 app S; R2 app T", "R1 S/S/S; R2 T/T/T", NULL},
    /* 96 */ {"R1 adv S; R2 adv S; R1 app S; R2 app S | R1 off", "R1 S/S/-; R2 S/S/S", "S R1>R2 went offline"},
    /* 93 */ {"R1 adv Q; R1 app Q; R3 adv P; R3 app P", "R1 Q/Q/Q; R3 P/P/P", NULL},
    /* 94 */ {"R1 adv Q; R1 app Q; R3 adv P; R3 app P | R3 off", "R1 Q/Q/Q; R3 P/P/-", "P R3>none went offline"},
    /* health */
    /* 64 */ {TWO "R1 sick", "R1 P/P/-; R2 P/P/P", "P R1>R2 answers no probe"},
    /* 65 */ {TWO "R1 sick | R1 well", "R1 P/P/-; R2 P/P/P", ""},
    /* 66 */ {TWO "R1 sick | R1 well | R2 sick", "R1 P/P/P; R2 P/P/-", "P R2>R1 answers no probe"},
    /* 67 */ {TWO "R1 sick | R2 sick", "R1 P/P/-; R2 P/P/P", ""},
    /* 68 */ {TWO "R1 sick | R2 sick | R2 off", "R1 P/P/-; R2 P/P/-", "P R2>none went offline"},
    /* 68, keep */ {"keep P;" TWO "R1 sick | R2 sick | R2 off", "R1 P/P/P; R2 P/P/-", "P R2>R1 went offline"},
    /* 69 */ {TWO "R1 sick | R2 sick | R2 off | R1 well", "R1 P/P/P; R2 P/P/-", "P none>R1 answers probes again"},
    /* 70 */ {TWO "R1 sick; R2 sick", "R1 P/P/P; R2 P/P/-", ""},
    /* 73 */ {TWO "R1 sick | R1 app -", "R1 P/-/-; R2 P/P/P", ""},
    /* 77 */ {TWO "R1 sick | R2 gone", "R1 P/P/-", "P gone>none deleted"},
    /* what administrators choose */
    {TWO "prefer R2 P", "R1 P/P/-; R2 P/P/P", "P R1>R2 by administrator"},
    {TWO "prefer R2 P | R2 off | R2 on", "R1 P/P/P; R2 P/P/-", ""},
    {TWO "R1 drain", "R1 P/P/-; R2 P/P/P", "P R1>R2 drained"},
    {TWO "R1 drain | R2 off", "R1 P/P/P; R2 P/P/-", "P R2>R1 went offline"},
    {TWO "R1 drain | R2 sick", "R1 P/P/P; R2 P/P/-", "P R2>R1 answers no probe"},
    {TWO "R1 drain | R1 undrain", "R1 P/P/-; R2 P/P/P", ""},
    {ONE "R1 drain", "R1 P/P/P", ""},
    /* what comes and goes waits behind the others, and is not moved from what it serves */
    {TWO "R3 adv P; R3 app P; R3 on | R2 flaps; R1 off", "R1 P/P/-; R2 P/P/-; R3 P/P/P", "P R1>R3 went offline"},
    {TWO "R2 flaps; R1 off", "R1 P/P/-; R2 P/P/P", "P R1>R2 went offline"},
    {TWO "R1 flaps", "R1 P/P/P; R2 P/P/-", ""},
    {"oldest P;" TWO "R1 flaps; R1 off | R1 on", "R1 P/P/-; R2 P/P/P", ""},
    {"oldest P;" TWO "R1 flaps; R1 off | R1 on | R1 calms", "R1 P/P/P; R2 P/P/-", "P R2>R1 the oldest router serves"},
    {"priority P; R1 prio 5;" TWO "R1 flaps; R1 off | R1 on", "R1 P/P/-; R2 P/P/P", ""},
    {"oldest P;" TWO "R1 off | R1 on", "R1 P/P/P; R2 P/P/-", "P R2>R1 the oldest router serves"},
    {"oldest P;" TWO "prefer R2 P | R3 on", "R1 P/P/-; R2 P/P/P", ""},
    {"oldest P;" TWO "prefer R2 P | R1 off; R2 off | R2 on | R1 on", "R1 P/P/P; R2 P/P/-",
     "P R2>R1 the oldest router serves"},
    {"oldest P;" TWO "prefer R2 P | R2 sick | R2 well", "R1 P/P/P; R2 P/P/-", ""},
    {"priority P; R2 prio 5;" TWO "R3 on", "R1 P/P/-; R2 P/P/P", ""},
    {"priority P;" TWO "R2 prio 1", "R1 P/P/-; R2 P/P/P", "P R1>R2 higher priority"},
    {"priority P;" TWO "R1 off | R1 on", "R1 P/P/-; R2 P/P/P", ""},
    {TWO "R1 sick | R2 sick | R2 off | keep P", "R1 P/P/P; R2 P/P/-", "P none>R1 rule changed"},
    /* the highest priority is elected whatever the failback, and takes over only where that says so, after its waits */
    {TWO "R3 adv P; R3 app P; R3 prio 5 | R1 off", "R2 P/P/-; R3 P/P/P", "P R1>R3 went offline"},
    {"oldest P;" TWO "R3 adv P; R3 app P; R3 prio 5 | R1 off", "R2 P/P/P; R3 P/P/-", "P R1>R2 went offline"},
    {TWO "R2 prio 5 | pass 900", "R1 P/P/P; R2 P/P/-", ""},
    {"slow P; R1 prio 5;" TWO "R1 off | R1 on | pass 299", "R1 P/P/-; R2 P/P/P", ""},
    {"slow P; R1 prio 5;" TWO "R1 off | R1 on | pass 300", "R1 P/P/P; R2 P/P/-", "P R2>R1 higher priority"},
    {"slow P; R1 prio 5;" TWO "R1 off | R1 on | pass 200 | R1 off | R1 on | pass 200", "R1 P/P/-; R2 P/P/P", ""},
    {"slow P; R1 prio 5;" TWO "R1 off | R1 on | pass 10 | R2 off", "R1 P/P/P; R2 P/P/-", "P R2>R1 went offline"},
    {"slow P; R1 prio 5;" TWO "R1 drain | R1 undrain | pass 299", "R1 P/P/-; R2 P/P/P", ""},
    {"slow P; R1 prio 5;" TWO "R1 drain | R1 undrain | pass 301", "R1 P/P/P; R2 P/P/-", "P R2>R1 higher priority"},
    /* what an administrator does waits for no failback delay: the router is well for long */
    {"slow P;" TWO "pass 400 | R2 prio 5", "R1 P/P/-; R2 P/P/P", "P R1>R2 higher priority"},
    {"slow P; R3 prio 5; R3 adv P;" TWO "pass 1 | R3 app P", "R1 P/P/-; R3 P/P/P", "P R1>R3 higher priority"},
    {"slow P; R3 prio 5; R3 app P;" TWO "pass 1 | R3 adv P", "R1 P/P/P; R3 P/P/-", ""},
    {"held P; R1 prio 5;" TWO "R1 off | R1 on | pass 29", "R1 P/P/-; R2 P/P/P", ""},
    {"held P; R1 prio 5;" TWO "R1 off | R1 on | pass 30", "R1 P/P/P; R2 P/P/-", "P R2>R1 higher priority"},
    {"held P; R1 prio 5;" TWO "R1 off | R1 on | R2 sick", "R1 P/P/P; R2 P/P/-", "P R2>R1 answers no probe"},
    {"held P; R1 prio 5;" TWO "R1 off; R2 off | R2 on | R1 on", "R1 P/P/-; R2 P/P/P", ""},
    {"held P; R1 prio 5;" TWO "R1 off | prefer R2 P | R1 on | pass 40", "R1 P/P/-; R2 P/P/P", ""},
    /* 7.5: the control connection is lost, packets arrive */
    {TWO "R1 off; R1 carries P", "R1 P/P/P; R2 P/P/-", ""},
    {TWO "R1 sick; R1 carries P", "R1 P/P/P; R2 P/P/-", ""},
    {ONE "R1 off; R1 carries P", "R1 P/P/P", ""},
    {TWO "R1 off; R1 carries Q", "R1 P/P/-; R2 P/P/P", "P R1>R2 went offline"},
    {TWO "R1 off; R1 carries P | R1 carries -", "R1 P/P/-; R2 P/P/P", "P R1>R2 went offline"},
    {"priority P; R1 prio 5;" TWO "prefer R2 P | pass 1000", "R1 P/P/-; R2 P/P/P", ""},
    {"priority P; R1 prio 5; R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; R2 off; chosen R2 P | R1 on | R2 on | "
     "pass 9",
     "R1 P/P/-; R2 P/P/P", ""},
    {"priority P; R1 prio 5; R1 adv P; R1 app P; R1 off; R2 adv P; R2 app P; R2 off; restore R2 P | R1 on | R2 on | "
     "pass 9",
     "R1 P/P/P; R2 P/P/-", ""},
    {"held P; R1 prio 5;" TWO "once R2 P | pass 29", "R1 P/P/-; R2 P/P/P", ""},
    {"held P; R1 prio 5;" TWO "once R2 P | pass 31", "R1 P/P/P; R2 P/P/-", "P R2>R1 higher priority"},
    {"R1 prio 5;" TWO "prefer R2 P | held P | pass 31", "R1 P/P/P; R2 P/P/-", "P R2>R1 higher priority"},
    {TWO "R1 off; R1 carries P | prefer R2 P", "R1 P/P/-; R2 P/P/P", "P R1>R2 by administrator"},
    {TWO "R1 off; R1 carries P | R1 drain", "R1 P/P/-; R2 P/P/P", "P R1>R2 went offline"},
    {TWO "R1 off; R1 carries P | R1 expired", "R1 P/P/-; R2 P/P/P", "P R1>R2 expired"},
    {TWO "R2 off; R2 carries P", "R1 P/P/P; R2 P/P/-", ""},
};

static void stories_end_as_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        struct election w;

        begin(&w);
        play(&w, stories[i].story);
        check_states(&w, stories[i].story, stories[i].states);
        if (stories[i].moves)
            check_moves(&w, stories[i].story, stories[i].moves);
        end(&w);
    }
}

/* A link that goes every ten seconds and is back five seconds later. */
static unsigned moves_of_a_flapping_link(const struct prefix_rule *rule, bool best)
{
    struct prefix p = prefix_of('P');
    struct election w;
    unsigned moves = 0;
    double penalty = 0;

    begin(&w);
    routes_set_rule(w.routes, &p, rule);
    w.flags[0].priority = best ? 5 : 0;
    play(&w, "R1 adv P; R1 app P; R2 adv P; R2 app P; R3 adv P; R3 app P");
    for (int second = 0; second < 300; second++) {
        w.now += 1000 - 1;
        /* As the core damps it (core/decide/liveness.c): each end costs 1000, which halves each minute. */
        penalty *= 0.98851;
        if (second % 10 == 0) {
            w.flags[0].online = false;
            penalty += 1000;
            w.flags[0].flapping = w.flags[0].flapping || penalty > 2000;
        } else if (second % 10 == 5) {
            w.flags[0].online = true;
        }
        routes_set_node(w.routes, w.nodes[0], &w.flags[0]);
        elect(&w);
        moves += (unsigned)w.moves.len;
    }
    end(&w);
    return moves;
}

static void a_link_that_flaps_moves_a_prefix_at_most_twice_in_five_minutes(void **state)
{
    const int64_t second = NS_PER_SECOND;

    (void)state;
    for (int failback = 0; failback < FAILBACKS; failback++) {
        struct prefix_rule rule = {
            (enum route_failback)failback, PREFIX_WITHDRAW, 30 * second, 300 * second, {0}, PREFIX_ONE_FOR_ALL};
        assert_int_equal(moves_of_a_flapping_link(&rule, true), 1);
        rule.failback_delay_ns = 0; /* the hold-down alone */
        assert_in_range(moves_of_a_flapping_link(&rule, true), 1, 2);
    }
}

static void what_waits_is_due_at_a_time(void **state)
{
    struct election w;

    (void)state;
    begin(&w);
    play(&w, "slow P; R1 prio 5;" TWO "R1 off | pass 10 | R1 on");
    assert_int_equal(routes_due(w.routes), w.now + 300000);
    play(&w, "R1 off | pass 300");
    assert_int_equal(routes_due(w.routes), INT64_MAX);
    end(&w);
}

static void a_choice_that_cannot_be_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *story, *who;
        char prefix;
        int code;
        const char *why;
    } cases[] = {
        {TWO "R3 on", "R3", 'P', ERR_PRECONDITION, "R3 does not advertise 10.0.0.0/24"},
        {TWO "R3 adv P", "R3", 'P', ERR_PRECONDITION, "R3 is not approved for 10.0.0.0/24"},
        {TWO "R2 off", "R2", 'P', ERR_PRECONDITION, "R2 is offline"},
        {TWO "R2 sick", "R2", 'P', ERR_PRECONDITION, "R2 answers no probe"},
        {TWO "R2 expired", "R2", 'P', ERR_PRECONDITION, "R2 has an expired key"},
        {TWO "R2 drain", "R2", 'P', ERR_PRECONDITION, "R2 is being drained"},
        {TWO "R2 gone", "R2", 'P', ERR_MISSING, "does not exist"},
        {TWO "R1 on", "R1", 'Q', ERR_MISSING, "no node has this route"},
        {"X1 adv E; X1 app E", "X1", 'E', ERR_INVALID, "every approved exit node offers it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct prefix p = prefix_of(cases[i].prefix);
        struct election w;
        struct err e;

        begin(&w);
        play(&w, cases[i].story);
        assert_int_equal(
            routes_prefer(w.routes, &(struct route_place){.prefix = &p}, id_of(who(cases[i].who)), PRIMARY_HOLDS, &e),
            cases[i].code);
        if (!strstr(e.message, cases[i].why))
            fail_msg("%s: %s", cases[i].story, e.message);
        elect(&w);
        assert_int_equal(w.moves.len, 0);
        end(&w);
    }
}

static void tables_say_the_state_and_why(void **state)
{
    static const struct {
        const char *story, *who;
        char prefix;
        enum route_state state;
        const char *reason;
    } cases[] = {
        {TWO "R1 on", "R1", 'P', ROUTE_SERVING, "elected"},
        {TWO "R1 on", "R2", 'P', ROUTE_STANDBY, "ready to take over; R1 serves"},
        {TWO "R1 on", "R3", 'P', ROUTE_NONE, "neither"},
        {"R1 adv P", "R1", 'P', ROUTE_AVAILABLE, "waits for an administrator"},
        {"R1 app P", "R1", 'P', ROUTE_APPROVED, "does not advertise"},
        {TWO "R1 off", "R1", 'P', ROUTE_OFFLINE, "the node is offline; R2 serves"},
        {ONE "R1 off", "R1", 'P', ROUTE_OFFLINE, "the node is offline; nobody serves"},
        {TWO "R2 expired", "R2", 'P', ROUTE_OFFLINE, "key has expired; R1 serves"},
        {TWO "R1 sick", "R1", 'P', ROUTE_UNHEALTHY, "answers no probe; R2 serves"},
        {ONE "R1 sick", "R1", 'P', ROUTE_SERVING, "answers no probe, and no other"},
        {ONE "R1 drain", "R1", 'P', ROUTE_SERVING, "being drained, but no other"},
        {TWO "R1 drain", "R1", 'P', ROUTE_STANDBY, "being drained; R2 serves"},
        {TWO "R2 flaps", "R2", 'P', ROUTE_STANDBY, "after others: it comes and goes; R1 serves"},
        {"keep P;" ONE "R1 off", "R1", 'P', ROUTE_SERVING, "offline, but keeps the prefix"},
        {"X1 adv E; X1 app E", "X1", 'E', ROUTE_SERVING, "exit node"},
        {"X1 adv E; X1 app E; X1 off", "X1", 'E', ROUTE_OFFLINE, "offline"},
        {"X1 adv E; X1 app E; X1 sick", "X1", 'E', ROUTE_UNHEALTHY, "no probe"},
        {"X1 adv E", "X1", 'E', ROUTE_AVAILABLE, "waits"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct prefix p = prefix_of(cases[i].prefix);
        size_t n = who(cases[i].who);
        struct buf why = BUF_INIT(0);
        struct route_facts facts = {.prefix = &p};
        struct election w;
        uint64_t primary;

        begin(&w);
        play(&w, cases[i].story);
        primary = routes_primary(w.routes, &p, NULL);
        facts.node = w.nodes[n];
        facts.flags = w.flags[n];
        facts.primary = primary ? w.nodes[who(name_of(&w, primary))] : NULL;
        assert_string_equal(route_state_name((int)route_explain(&facts, &why)), route_state_name((int)cases[i].state));
        if (!strstr(buf_text(&why), cases[i].reason))
            fail_msg("%s: %s", cases[i].story, buf_text(&why));
        assert_int_equal(route_explain(&facts, NULL), cases[i].state);
        buf_release(&why);
        end(&w);
    }
}

static void half_an_exit_node_serves_nobody(void **state)
{
    struct prefix p = prefix_at(6);
    struct node *n = node_new();
    struct route_facts facts = {.node = n, .prefix = &p, .flags = {.online = true, .healthy = true}};
    struct buf why = BUF_INIT(0);

    (void)state;
    prefixes_add(&n->available, &p);
    prefixes_add(&n->approved, &p);
    assert_int_equal(route_explain(&facts, &why), ROUTE_APPROVED);
    assert_non_null(strstr(buf_text(&why), "both 0.0.0.0/0 and ::/0"));
    buf_release(&why);
    record_unref(n);
}

static void who_is_entitled_and_who_could_serve_is_counted(void **state)
{
    struct prefix p = prefix_of('P');
    struct election w;
    size_t entitled, candidates;
    int64_t since;

    (void)state;
    begin(&w);
    play(&w, "R3 adv PB; R3 app PB; R1 adv PE; R1 app PE; R2 adv P; R2 app P; R2 off");
    routes_count(w.routes, &p, &entitled, &candidates);
    assert_int_equal(entitled, 3);
    assert_int_equal(candidates, 2);
    assert_int_equal(routes_primary(w.routes, &p, &since), id_of(0));
    assert_int_equal(since, w.now);
    play(&w, "R1 gone; R2 gone; R3 gone");
    routes_count(w.routes, &p, &entitled, &candidates);
    assert_int_equal(entitled, 0);
    assert_int_equal(routes_primary(w.routes, &p, &since), 0);
    assert_int_equal(since, 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_end_as_told),
        cmocka_unit_test(a_link_that_flaps_moves_a_prefix_at_most_twice_in_five_minutes),
        cmocka_unit_test(what_waits_is_due_at_a_time),
        cmocka_unit_test(a_choice_that_cannot_be_is_refused_with_its_reason),
        cmocka_unit_test(tables_say_the_state_and_why),
        cmocka_unit_test(half_an_exit_node_serves_nobody),
        cmocka_unit_test(who_is_entitled_and_who_could_serve_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
