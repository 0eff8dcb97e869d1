/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration while it is read. Private to this room. */
#ifndef COMMON_CONFIG_LOADER_H
#define COMMON_CONFIG_LOADER_H

#include "config/keys.h"

struct old_value { /* of a key by its old name */
    char *text;
    char variable[160]; /* of the environment, "" if it is the file's */
    unsigned line;
    bool given;
};

struct loader {
    struct yaml_sink sink;    /* the reader's calls and */
    struct value_skips skips; /* those of values find the rest by these */
    struct config *c;
    struct strs *problems;
    struct err *e;
    const char *file; /* "" without one */
    char *dir;
    struct old_value *old; /* in the order of config_olds */
    const char *variable;  /* of the environment, that is being read */
    unsigned count;        /* of problems */
    bool keep;             /* what could be read is given out also where something was wrong */
};

/* line: 0 where the file does not say it. What is wrong while l->variable is set is the variable's. */
void loader_problem(struct loader *l, unsigned line, const char *key, const char *text);
/* A value by an old name. */
void loader_set_old(struct loader *l, const struct config_old *old, const struct raw_value *v, unsigned line);

/* What the environment says takes the place of what the file says. */
void environment_read(struct loader *l);
/* The value of HEADWAY_DNS_BASE_DOMAIN or else HEADSCALE_DNS_BASE_DOMAIN, whose name is left in name; NULL: neither is
 * set to something. */
const char *environment_value(const char *key, char *name, size_t size);

#endif
