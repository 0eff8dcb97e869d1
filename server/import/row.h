/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to import: converts the values of one row to the types of records. An invalid value is a fault in the report,
 * with table, id and column, and becomes zero; the row then counts as bad. */
#ifndef SERVER_IMPORT_ROW_H
#define SERVER_IMPORT_ROW_H

#include "import/report.h"
#include "import/source.h"
#include "model/record.h"
#include "json/json.h"

#define ROW_TEXT_MAX 1024 /* bytes of a name, an address, a URL */
#define ROW_LIST_MAX 4096 /* of a JSON list */

struct import_row {
    const struct source_table *table;
    const struct source_value *values;
    struct report *report;
    enum report_kind kind; /* under which its faults are reported */
    uint64_t id;
    bool bad;
};

/* Reads the id, the first column: false, and a fault, if it is not one. */
bool row_begin(struct import_row *row, const struct source_table *table, const struct source_value *values,
               struct report *report, enum report_kind kind);
void row_fault(struct import_row *row, size_t column, const char *format, ...) PRINTF_LIKE(3, 4);
bool row_is_null(const struct import_row *row, size_t column);

/* Caller frees; "" for NULL. Valid UTF-8 without control characters. */
char *row_text(struct import_row *row, size_t column, size_t most);
/* The same for text that is only shown: what is invalid or too long is removed, and *changed becomes true. */
char *row_clean_text(struct import_row *row, size_t column, size_t most, bool *changed);
/* A whole document, with line ends. */
char *row_document(struct import_row *row, size_t column, size_t most);
uint64_t row_id(struct import_row *row, size_t column); /* of another row; 0 for NULL and 0 */
bool row_bool(struct import_row *row, size_t column);
/* 0 for NULL; 1 for times before 1970. *year may be NULL. */
int64_t row_time(struct import_row *row, size_t column, int *year);
/* 64 hexadecimal digits after prefix; zero for NULL, "" and, where allowed, the prefix alone. */
void row_key(struct import_row *row, size_t column, const char *prefix, uint8_t out[KEY_LEN]);
void row_addr(struct import_row *row, size_t column, uint8_t bits, struct addr *out);
/* JSON lists of texts; NULL, "" and null are empty. */
/* Sorted, each "tag:..."; bad becomes a sentence about invalid ones (headscale accepts any), or "". */
#define ROW_BAD_TAG_MAX 96
void row_tags(struct import_row *row, size_t column, struct strs *out, char bad[ROW_BAD_TAG_MAX]);
void row_strs(struct import_row *row, size_t column, struct strs *out);
void row_prefixes(struct import_row *row, size_t column, struct prefixes *out);
/* An object, a new reference; NULL for NULL, "" and null. Anything else is NULL with *broken set, and no fault. */
json_t *row_object(struct import_row *row, size_t column, size_t most, bool *broken);

#endif
