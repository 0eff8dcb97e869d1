/* SPDX-License-Identifier: BSD-3-Clause */
/* HEADWAY_DNS_BASE_DOMAIN and HEADSCALE_DNS_BASE_DOMAIN set dns.base_domain. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "config/loader.h"

static const char *const programs[] = {"HEADWAY", "HEADSCALE"};

static void env_name(char *name, size_t size, const char *program, const char *key)
{
    snprintf(name, size, "%s_%s", program, key);
    for (char *c = name; *c; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

const char *environment_value(const char *key, char *name, size_t size)
{
    for (size_t p = 0; p < ARRAY_LEN(programs); p++) {
        env_name(name, size, programs[p], key);
        const char *value = getenv(name);
        if (value && *value)
            return value;
    }
    return NULL;
}

static void read_key(struct loader *l, const struct config_key *key, const char *value)
{
    struct err why = {0};

    if (value_set_text(l->c, key, value, l->dir, &l->skips, &why) < 0) {
        loader_problem(l, 0, key->name, why.message);
        return;
    }
    if (!config_given(l->c, key->name))
        strs_push(&l->c->given, key->name);
    l->c->lines[key - config_keys] = 0; /* errors of rules must not name a line of the file */
}

/* Containers get variables for each service in their network, and a service may be called headway. */
static bool is_service_link(const char *rest, size_t n)
{
    static const char *const starts[] = {"PORT_", "SERVICE_HOST", "SERVICE_PORT", "ENV_", "NAME"};

    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts(rest, starts[i]))
            return true;
    return n == strlen("PORT") && strncmp(rest, "PORT", n) == 0;
}

/* Variables that are not keys. */
static bool is_other(const char *rest, size_t n)
{
    static const char *const words[] = {"CONFIG", "OUTPUT", "IDLE_FD", "POLICY_V1"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i]) == n && strncmp(rest, words[i], n) == 0)
            return true;
    return str_starts(rest, "DEBUG_");
}

/* The variable of the nearest key; distance 0 if it matches exactly. */
static size_t nearest(const char *program, const char *name, char *near, size_t size)
{
    size_t least = strlen(name) / 5 + 1;
    char one[160];

    *near = '\0';
    for (size_t i = 0; i < config_key_count + config_old_count; i++) {
        env_name(one, sizeof(one), program,
                 i < config_key_count ? config_keys[i].name : config_olds[i - config_key_count].name);
        size_t d = str_eq(one, name) ? 0 : 1 + str_distance(one + strlen(program), name + strlen(program));
        if (d < least) {
            least = d;
            str_copy(near, size, one);
        }
    }
    return *near ? least : SIZE_MAX;
}

/* A variable of headway's that matches no key is probably a mistake, which would otherwise go unnoticed. One of
 * headscale's is only reported if it resembles a key. */
static void note_unknown(struct config *c)
{
    char name[160], near[160];

    for (char **at = environ; at && *at; at++)
        for (size_t p = 0; p < ARRAY_LEN(programs); p++) {
            size_t n = strcspn(*at, "="), front = strlen(programs[p]) + 1;
            if (n < front || n >= sizeof(name) || !str_starts(*at, programs[p]) || (*at)[front - 1] != '_' ||
                is_service_link(*at + front, n - front) || is_other(*at + front, n - front))
                continue;
            snprintf(name, sizeof(name), "%.*s", (int)n, *at);
            size_t d = nearest(programs[p], name, near, sizeof(near));
            if (d == 0 || (d == SIZE_MAX && p > 0))
                continue;
            char *note = mem_format("%s in the environment names no key%s%s%s", name, *near ? ", did you mean " : "",
                                    near, *near ? "?" : "");
            strs_push(&c->notes, note);
            free(note);
        }
}

void environment_read(struct loader *l)
{
    char name[160];
    const char *value;

    for (size_t i = 0; i < config_key_count; i++)
        if ((value = environment_value(config_keys[i].name, name, sizeof(name)))) {
            l->variable = name;
            read_key(l, &config_keys[i], value);
        }
    for (size_t i = 0; i < config_old_count; i++)
        if ((value = environment_value(config_olds[i].name, name, sizeof(name)))) {
            struct raw_value v = {.shape = RAW_SCALAR, .text = mem_strdup(value)};
            l->variable = name;
            loader_set_old(l, &config_olds[i], &v, 0);
            raw_release(&v);
        }
    l->variable = NULL;
    note_unknown(l->c);
}
