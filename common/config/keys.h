/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys and what can be done with a value of each type. Private to this room. */
#ifndef COMMON_CONFIG_KEYS_H
#define COMMON_CONFIG_KEYS_H

#include "config/config.h"

enum config_type {
    TYPE_BOOL,      /* bool */
    TYPE_INT,       /* int64_t in [min, max] */
    TYPE_DURATION,  /* int64_t, ns in [min, max] */
    TYPE_MODE,      /* int64_t, octal permission bits */
    TYPE_ENUM,      /* int64_t, index into words */
    TYPE_WORD,      /* char *, one of words */
    TYPE_TEXT,      /* char * */
    TYPE_PATH,      /* char *, relative to the file's directory */
    TYPE_URL,       /* char *, http or https, or "" */
    TYPE_LISTEN,    /* char *, host:port or "" */
    TYPE_ADDR,      /* char *, one address or "" */
    TYPE_PREFIX,    /* struct prefix */
    TYPE_PREFIXES,  /* struct prefixes */
    TYPE_LIST,      /* struct strs */
    TYPE_SERVERS,   /* struct strs of addresses and https URLs; what is neither is left out */
    TYPE_DOMAINS,   /* struct strs; what is no domain is left out */
    TYPE_URLS,      /* struct strs; what is no http or https URL is left out */
    TYPE_ORIGINS,   /* struct strs, "https://host:port" or "*"; what is neither is left out */
    TYPE_MAP,       /* struct config_pairs */
    TYPE_SPLIT,     /* struct config_splits; servers as above */
    TYPE_RECORDS,   /* struct config_records; what clients cannot use is left out */
    TYPE_PROVIDERS, /* struct config_providers */
    TYPE_COUNT
};

enum key_use {
    KEY_USED,
    KEY_NO_EFFECT, /* of headscale's inside: accepted, means nothing here */
};

struct config_key {
    const char *name;
    const char *fallback; /* as it would stand in the environment; "$state/..." and so on are replaced: defaults.c */
    const char *example;  /* for the example file, where it should show something else than the default */
    const char *words;    /* TYPE_ENUM, TYPE_WORD: "sequential|random" */
    const char *help;
    int64_t min, max; /* TYPE_INT, TYPE_DURATION */
    size_t offset;
    enum config_type type;
    enum key_use use;
    bool live;    /* a reload suffices */
    bool secret;  /* never shown */
    bool nowhere; /* has no member in struct config */
    bool limits;  /* a list that keeps others out: each of its items must be usable */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* Names of earlier headscale releases. */
enum old_kind { OLD_ALIAS, OLD_IGNORED, OLD_REMOVED };
struct config_old {
    const char *name, *now; /* now: the key that took its place, NULL when nothing did */
    enum old_kind kind;
    const char *harmless; /* OLD_REMOVED: the value that says what holds anyway, "*" for all, NULL for none */
    const char *advice;   /* what holds now */
};
extern const struct config_old config_olds[];
extern const size_t config_old_count;

const struct config_key *key_find(const char *name); /* exact; NULL when unknown */
const struct config_old *old_find(const char *name);
bool key_has_child(const char *prefix); /* some key starts with prefix and a dot */
/* The key, or group of keys, that was probably meant; false when none is near. */
bool key_nearest(const char *name, char *out, size_t size);

/* A value while it is read: texts, or names with texts. The fields are the reader's; values are copied from them. */
struct raw_item {
    char *name;    /* of a map's member, else "" */
    unsigned line; /* 0: from the environment */
    struct strs values;
    struct config_pairs fields; /* of an object in a list; a list or map in it is JSON */
};
enum raw_shape { RAW_NULL, RAW_SCALAR, RAW_LIST, RAW_MAP, RAW_OBJECTS };
struct raw_value {
    enum raw_shape shape;
    char *text;
    struct raw_item *items;
    size_t len, cap;
};
void raw_release(struct raw_value *v);

/* Told of each part of a value that cannot be used and is left out. */
struct value_skips {
    void (*skipped)(struct value_skips *skips, unsigned line, const char *text);
};

/* Sets the member of c from v (replacing what was there). dir: in front of relative paths, "" for none. An empty text
 * is no value where the type has no empty one: see value_is_given. */
int value_set(struct config *c, const struct config_key *key, const struct raw_value *v, const char *dir,
              struct value_skips *skips, struct err *e) WARN_UNUSED;
bool value_is_given(const struct config_key *key, const struct raw_value *v);
/* From the text form that defaults and environment variables have: lists by white space, maps and records as JSON. */
int value_set_text(struct config *c, const struct config_key *key, const char *text, const char *dir,
                   struct value_skips *skips, struct err *e) WARN_UNUSED;
/* Gives c the value that from has. */
void value_copy(struct config *c, const struct config *from, const struct config_key *key);
/* A text that is equal exactly when the values are; also for people. */
void value_text(const struct config *c, const struct config_key *key, struct buf *out);
void value_release(struct config *c, const struct config_key *key);
enum raw_shape
value_shape(const struct config_key *key); /* of struct raw_value; RAW_SCALAR for a value that stands alone */
/* The members of a provider with their keys, which are those of the provider that stands alone: the i-th, from 0; NULL:
 * there are no more. */
const struct config_key *provider_key(size_t i);
const char *provider_key_name(const struct config_key *key); /* "issuer" */
void *provider_member(const struct config_provider *p, const struct config_key *key);
void value_write(const struct config_key *key, const void *value, struct buf *out); /* as value_text */
void provider_copy(struct config_provider *to, const struct config_provider *from);
void provider_free(struct config_provider *p); /* its members */
/* The members of a list, separated by white space, or as JSON. */
int value_split(const struct config_key *key, const char *text, struct raw_value *v, struct err *e) WARN_UNUSED;

/* Reads YAML, or JSON or TOML where the name of the file ends in .json or .toml, and calls leaf for each value that a
 * key of the table names. Everything else is reported. */
struct yaml_sink {
    void (*leaf)(struct yaml_sink *sink, const char *name, const struct raw_value *v, unsigned line);
    void (*problem)(struct yaml_sink *sink, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);
};
void yaml_read(const char *file, const char *text, size_t len, struct yaml_sink *sink);

/* "$state/x", "$socket", "$url": the default as it is on this machine; the caller owns it. */
char *default_text(const struct config *c, const struct config_key *key);
/* The first private IPv4 address of this machine, else any that is not loopback, else 127.0.0.1. */
void first_address(char *text, size_t size);

/* Rules between keys; problems are reported through fail. */
typedef void (*rule_fail)(void *arg, const char *key, const char *format, ...);
void rules_apply(struct config *c, rule_fail fail, void *arg);

static inline bool config_given(const struct config *c, const char *key)
{
    return strs_has(&c->given, key);
}

#endif
