/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON as a document. jansson keeps the order of members but not their lines: a second pass over the text, which is
 * valid JSON at that point, finds the lines of the keys. */
#include "config/json_document.h"

#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "config/tree.h"
#include "json/json.h"

struct json_lines {
    VEC(unsigned) keys; /* in document order */
    size_t next;
};

static void find_lines(const char *text, size_t len, struct json_lines *out)
{
    unsigned line = 1, string_line = 0; /* of the last string, if only blanks follow it */

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            line++;
        } else if (text[i] == '"') {
            for (i++; text[i] != '"'; i++)
                i += text[i] == '\\';
            string_line = line;
        } else if (text[i] == ':' && string_line) {
            vec_push(&out->keys, string_line);
            string_line = 0;
        } else if (!strchr(" \t\r", text[i])) {
            string_line = 0;
        }
    }
}

static int add_plain(yaml_document_t *doc, const json_t *value, unsigned line)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    int node = tree_scalar(doc, text, strlen(text), false, line);

    free(text);
    return node;
}

/* Adds the node of a value whose key is in that line; 0 if there are too many nodes. */
static int add(yaml_document_t *doc, const json_t *value, unsigned line, struct json_lines *lines)
{
    int node;
    const char *name;
    json_t *item;
    size_t i;

    if (json_is_string(value))
        return tree_scalar(doc, json_string_value(value), json_string_length(value), true, line);
    if (json_is_array(value)) {
        node = tree_list(doc, line);
        json_array_foreach(value, i, item)
        {
            int one = node ? add(doc, item, line, lines) : 0;
            if (!tree_append(doc, node, one))
                return 0;
        }
        return node;
    }
    if (!json_is_object(value))
        return add_plain(doc, value, line);
    node = tree_map(doc, line);
    json_object_foreach((json_t *)(uintptr_t)value, name, item)
    {
        unsigned here = lines->next < lines->keys.len ? lines->keys.items[lines->next++] : 0;
        int one = node ? add(doc, item, here, lines) : 0;
        if (!tree_put(doc, node, name, strlen(name), one, here))
            return 0;
    }
    return node;
}

int json_document(const char *text, size_t len, yaml_document_t *doc, struct err *e)
{
    struct json_lines lines = {0};
    json_t *value = NULL;
    size_t blank = 0;
    int rc;

    tree_start(doc);
    while (blank < len && memchr(" \t\r\n", text[blank], 4))
        blank++;
    if (blank == len)
        return tree_map(doc, 1) ? 0 : ERR_TOOBIG;
    rc = json_read_large(text, len, SIZE_MAX, "the file", &value, e);
    if (rc == 0) {
        find_lines(text, len, &lines);
        if (!add(doc, value, 1, &lines))
            rc = err_set(e, ERR_TOOBIG, "the file has more than %d values", TREE_NODES_MAX);
    }
    if (rc < 0)
        yaml_document_delete(doc);
    vec_release(&lines.keys);
    json_decref(value);
    return rc;
}
