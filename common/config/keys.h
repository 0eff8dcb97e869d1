/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys, and operations on values of each type. Private to this room. */
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
    TYPE_SERVERS,   /* struct strs of addresses and https URLs; others are skipped */
    TYPE_DOMAINS,   /* struct strs; anything but a domain is skipped */
    TYPE_URLS,      /* struct strs; anything but an http or https URL is skipped */
    TYPE_ORIGINS,   /* struct strs, "https://host:port" or "*"; others are skipped */
    TYPE_MAP,       /* struct config_pairs */
    TYPE_SPLIT,     /* struct config_splits; servers as in TYPE_SERVERS */
    TYPE_RECORDS,   /* struct config_records; those that clients cannot use are skipped */
    TYPE_PROVIDERS, /* struct config_providers */
    TYPE_COUNT
};

enum key_use {
    KEY_USED,
    KEY_NO_EFFECT, /* specific to headscale: accepted without effect */
};

struct config_key {
    const char *name;
    const char *fallback; /* as in the environment; "$state/..." and the like are expanded, see defaults.c */
    const char *example;  /* for the example file, if it should show something other than the default */
    const char *words;    /* TYPE_ENUM, TYPE_WORD: "sequential|random" */
    const char *help;
    int64_t min, max; /* TYPE_INT, TYPE_DURATION */
    size_t offset;
    enum config_type type;
    enum key_use use;
    bool live;    /* a reload is enough */
    bool secret;  /* never shown */
    bool nowhere; /* has no member in struct config */
    bool limits;  /* a list that restricts access: an unusable item is an error */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* Keys of earlier headscale releases. */
enum old_kind { OLD_ALIAS, OLD_IGNORED, OLD_REMOVED };
struct config_old {
    const char *name, *now; /* now: the key that replaced it, NULL if none */
    enum old_kind kind;
    const char *harmless; /* OLD_REMOVED: the value that matches the present behaviour, "*" for any, NULL for none */
    const char *advice;   /* the present behaviour */
};
extern const struct config_old config_olds[];
extern const size_t config_old_count;

const struct config_key *key_find(const char *name); /* exact match; NULL if unknown */
const struct config_old *old_find(const char *name);
bool key_has_child(const char *prefix); /* does a key start with prefix and a dot? */
/* The key or group of keys that was probably meant; false if none is similar. */
bool key_nearest(const char *name, char *out, size_t size);

/* A value as read: a string, a list of strings, or named items. The reader owns the members; values are copied from
 * them. */
struct raw_item {
    char *name;    /* of a member of a map, otherwise "" */
    unsigned line; /* 0: from the environment */
    struct strs values;
    struct config_pairs fields; /* of an object in a list; nested lists and maps are JSON */
};
enum raw_shape { RAW_NULL, RAW_SCALAR, RAW_LIST, RAW_MAP, RAW_OBJECTS };
struct raw_value {
    enum raw_shape shape;
    char *text;
    struct raw_item *items;
    size_t len, cap;
};
void raw_release(struct raw_value *v);

/* Called for each part of a value that is unusable and therefore skipped. */
struct value_skips {
    void (*skipped)(struct value_skips *skips, unsigned line, const char *text);
};

/* Sets the member of c from v and releases the old value. dir is prepended to relative paths; "" for none. An empty
 * string counts as no value for types that cannot be empty: see value_is_given. */
int value_set(struct config *c, const struct config_key *key, const struct raw_value *v, const char *dir,
              struct value_skips *skips, struct err *e) WARN_UNUSED;
bool value_is_given(const struct config_key *key, const struct raw_value *v);
/* Like value_set(), from the text form of defaults and environment variables: lists separated by white space, maps and
 * records as JSON. */
int value_set_text(struct config *c, const struct config_key *key, const char *text, const char *dir,
                   struct value_skips *skips, struct err *e) WARN_UNUSED;
/* Copies the value of the key to c. */
void value_copy(struct config *c, const struct config *from, const struct config_key *key);
/* A text that is the same exactly if the values are equal; also shown to people. */
void value_text(const struct config *c, const struct config_key *key, struct buf *out);
void value_release(struct config *c, const struct config_key *key);
enum raw_shape value_shape(const struct config_key *key); /* of struct raw_value; RAW_SCALAR for a single value */
/* The i-th member of a provider, from 0, with its key, which is that of the flat provider; NULL after the last. */
const struct config_key *provider_key(size_t i);
const char *provider_key_name(const struct config_key *key); /* "issuer" */
void *provider_member(const struct config_provider *p, const struct config_key *key);
void value_write(const struct config_key *key, const void *value, struct buf *out); /* appends the form of value_text */
void provider_copy(struct config_provider *to, const struct config_provider *from);
void provider_free(struct config_provider *p); /* frees the members only */
/* Splits a list separated by white space, or written as JSON. */
int value_split(const struct config_key *key, const char *text, struct raw_value *v, struct err *e) WARN_UNUSED;

/* Reads YAML, or JSON or TOML if the file name ends in .json or .toml, and calls leaf for each value whose key is in
 * the table. Everything else is reported as a problem. */
struct yaml_sink {
    void (*leaf)(struct yaml_sink *sink, const char *name, const struct raw_value *v, unsigned line);
    void (*problem)(struct yaml_sink *sink, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);
};
void yaml_read(const char *file, const char *text, size_t len, struct yaml_sink *sink);

/* Expands "$state/x", "$socket" and "$url" in the default of a key for this machine; caller frees. */
char *default_text(const struct config *c, const struct config_key *key);
/* The first private IPv4 address of this machine, otherwise any that is not loopback, otherwise 127.0.0.1. */
void first_address(char *text, size_t size);

/* Checks the rules that involve several keys; problems are reported with fail. */
typedef void (*rule_fail)(void *arg, const char *key, const char *format, ...);
void rules_apply(struct config *c, rule_fail fail, void *arg);

static inline bool config_given(const struct config *c, const char *key)
{
    return strs_has(&c->given, key);
}

#endif
