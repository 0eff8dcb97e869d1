/* SPDX-License-Identifier: BSD-3-Clause */
/* Parsing of a policy text, private to lang: the state of the parser, and the readers of fixed shapes and of
 * sections. */
#ifndef COMMON_POLICY_LANG_PARSE_H
#define COMMON_POLICY_LANG_PARSE_H

#include "policy/lang/rules.h"

struct policy_parser {
    struct policy *p;
    struct policy_problems *problems;
    const char *text;
    size_t len;
    size_t errors; /* so far: most errors do not end the parsing */
};

/* Adds an error; returns ERR_INVALID. */
int parse_error(struct policy_parser *x, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
/* Completes the last error: what is wrong, and what was probably meant (NULL: unknown). */
void parse_meant(struct policy_parser *x, const char *wrong, const char *meant);
int parse_too_big(struct policy_parser *x, size_t offset);

/* The place of a selector, which decides what kinds are accepted. */
enum selector_place {
    PLACE_ACL_SRC,
    PLACE_ACL_DST,
    PLACE_GRANT_SRC,
    PLACE_GRANT_DST,
    PLACE_SSH_SRC,
    PLACE_SSH_DST,
    PLACE_TARGET,
    PLACE_OWNER,
    PLACE_APPROVER,
    PLACE_COUNT
};
int selector_parse(struct policy_parser *x, enum selector_place place, const char *text, size_t offset,
                   struct policy_selector *out);
/* Records that the text names the principal at offset. */
void principal_stands_at(struct policy *p, uint32_t principal, size_t offset);
uint32_t principal_intern(struct policy *p, enum policy_principal_kind kind, const char *text,
                          const struct prefix *prefix);

/* The sections; NULL if absent. A section is read to its end whatever errors it contains. */
void parse_rules(struct policy_parser *x, const struct hujson *acls, const struct hujson *grants);
void parse_ssh(struct policy_parser *x, const struct hujson *list);
void parse_tests(struct policy_parser *x, const struct hujson *list);
void parse_ssh_tests(struct policy_parser *x, const struct hujson *list);
void parse_attrs(struct policy_parser *x, const struct hujson *list);
void parse_connectors(struct policy_parser *x, const struct hujson *apps); /* of the newest entry of attrs */
void connectors_release(struct policy *p);
void units_build(struct policy *p);

/* A member of an object of fixed shape; case, '-' and '_' are ignored in its name. */
struct policy_field {
    const char *name;
    const char *refuse; /* why this key of Tailscale's service is not supported */
};
/* Sets found[i] to the member for field i, or NULL (null counts as absent). Unknown and duplicate keys are errors, but
 * the others are still filled in; ERR_INVALID is only returned if this is not an object. Keys that begin with '#' are
 * skipped if hash_ok. */
int fields_read(struct policy_parser *x, const struct hujson *object, const struct policy_field *fields, size_t count,
                bool hash_ok, const struct hujson **found);
int field_kind(struct policy_parser *x, const struct hujson *v, enum hujson_kind kind, const char *what);
/* A list of strings or NULL. fn is called for each string, even if another element is not a string or fn failed
 * before. */
int field_strings(struct policy_parser *x, const struct hujson *v, const char *what,
                  int (*fn)(struct policy_parser *x, void *arg, const char *text, size_t offset), void *arg);

bool text_trim(struct arena *a, const char *text, const char **out); /* removes surrounding blanks */

struct policy *policy_alloc(void);

#endif
