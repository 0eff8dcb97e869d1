/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of loading a configuration. Private to this room. */
#ifndef COMMON_CONFIG_LOADER_H
#define COMMON_CONFIG_LOADER_H

#include "config/keys.h"

struct old_value { /* the value of a key by its old name */
    char *text;
    char variable[160]; /* the environment variable, "" if it comes from the file */
    unsigned line;
    bool given;
};

struct loader {
    struct yaml_sink sink;    /* callbacks of the reader and */
    struct value_skips skips; /* of values reach the rest through these two */
    struct config *c;
    struct strs *problems;
    struct err *e;
    const char *file; /* "" if none */
    char *dir;
    struct old_value *old; /* in the order of config_olds */
    const char *variable;  /* the environment variable being read */
    unsigned count;        /* number of problems */
    bool keep;             /* return the configuration even after errors */
};

/* Reports a problem. line is 0 if the file has none for it. While l->variable is set, the problem is attributed to that
 * variable. */
void loader_problem(struct loader *l, unsigned line, const char *key, const char *text);
/* Stores a value that was given by an old name. */
void loader_set_old(struct loader *l, const struct config_old *old, const struct raw_value *v, unsigned line);

/* Values from the environment override those of the file. */
void environment_read(struct loader *l);
/* The value of HEADWAY_DNS_BASE_DOMAIN or HEADSCALE_DNS_BASE_DOMAIN for the key dns.base_domain, with the name of the
 * variable in name; NULL if neither is set or both are empty. */
const char *environment_value(const char *key, char *name, size_t size);

#endif
