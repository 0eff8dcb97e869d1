/* SPDX-License-Identifier: BSD-3-Clause */
/* One parser for each type of value. out is the zeroed member of struct config. Private to this room. */
#ifndef COMMON_CONFIG_READ_H
#define COMMON_CONFIG_READ_H

#include "config/keys.h"

/* Sets the message "KEY: 'TEXT' is not WANTED"; returns ERR_INVALID. */
int value_wrong(struct err *e, const struct config_key *key, const char *text, const char *wanted);

int read_bool(const struct config_key *key, const char *text, void *out, struct err *e);
int read_int(const struct config_key *key, const char *text, void *out, struct err *e);
int read_duration(const struct config_key *key, const char *text, void *out, struct err *e);
int read_mode(const struct config_key *key, const char *text, void *out, struct err *e);
int read_enum(const struct config_key *key, const char *text, void *out, struct err *e);
int read_text(const struct config_key *key, const char *text, void *out, struct err *e);
int read_word(const struct config_key *key, const char *text, void *out, struct err *e);
int read_url(const struct config_key *key, const char *text, void *out, struct err *e);
int read_listen(const struct config_key *key, const char *text, void *out, struct err *e);
int read_addr(const struct config_key *key, const char *text, void *out, struct err *e);
int read_prefix(const struct config_key *key, const char *text, void *out, struct err *e);

int read_list(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
              struct err *e);
int read_servers(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e);
int read_domains(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e);
int read_urls(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
              struct err *e);
int read_origins(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e);
int read_prefixes(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                  struct err *e);
int read_map(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
             struct err *e);
int read_split(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
               struct err *e);
int read_providers(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                   struct err *e);
int read_records(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                 struct err *e);

#endif
