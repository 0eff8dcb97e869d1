/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a policy text, inside lang: the state of one run, the readers of shapes and of sections. */
#ifndef COMMON_POLICY_LANG_PARSE_H
#define COMMON_POLICY_LANG_PARSE_H

#include "policy/lang/rules.h"

struct policy_parser {
    struct policy *p;
    struct policy_problems *problems;
    const char *text;
    size_t len;
    size_t errors; /* so far: reading goes on after most of them */
};

/* Adds an error; returns ERR_INVALID. */
int parse_error(struct policy_parser *x, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
/* Of the error that was added last: what is wrong, and what it may have been meant to be (NULL: that is not known). */
void parse_meant(struct policy_parser *x, const char *wrong, const char *meant);
int parse_too_big(struct policy_parser *x, size_t offset);

/* Where a selector stands, which decides what kinds are taken. */
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
/* The text names it there. */
void principal_stands_at(struct policy *p, uint32_t principal, size_t offset);
uint32_t principal_intern(struct policy *p, enum policy_principal_kind kind, const char *text,
                          const struct prefix *prefix);

/* Sections; NULL for one that is absent. All of a section is read, whatever errors are found in it. */
void parse_rules(struct policy_parser *x, const struct hujson *acls, const struct hujson *grants);
void parse_ssh(struct policy_parser *x, const struct hujson *list);
void parse_tests(struct policy_parser *x, const struct hujson *list);
void parse_ssh_tests(struct policy_parser *x, const struct hujson *list);
void parse_attrs(struct policy_parser *x, const struct hujson *list);
void parse_connectors(struct policy_parser *x, const struct hujson *apps); /* of the newest entry of attrs */
void connectors_release(struct policy *p);
void units_build(struct policy *p);

/* A member of an object of fixed shape, matched without regard to case, '-' and '_'. */
struct policy_field {
    const char *name;
    const char *refuse; /* a key of the service that is not supported: why */
};
/* found[i] is the member of field i or NULL (null counts as absent). Unknown and doubled keys are errors, after which
 * the others are filled in all the same; ERR_INVALID only where this is no object. Keys beginning with '#' are skipped
 * where hash_ok. */
int fields_read(struct policy_parser *x, const struct hujson *object, const struct policy_field *fields, size_t count,
                bool hash_ok, const struct hujson **found);
int field_kind(struct policy_parser *x, const struct hujson *v, enum hujson_kind kind, const char *what);
/* A list of strings or NULL; each string is handed to fn, the others too where one is no string or fn fails. */
int field_strings(struct policy_parser *x, const struct hujson *v, const char *what,
                  int (*fn)(struct policy_parser *x, void *arg, const char *text, size_t offset), void *arg);

bool text_trim(struct arena *a, const char *text, const char **out); /* surrounding blanks removed */

struct policy *policy_alloc(void);

#endif
