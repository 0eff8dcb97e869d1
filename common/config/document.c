/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/document.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "config/json_document.h"
#include "config/toml.h"

#define BRACKETS_MAX 200

/* An error of the bytes has an offset instead of a mark. */
static unsigned problem_line(const yaml_parser_t *parser, const char *text, size_t len)
{
    unsigned line = (unsigned)parser->problem_mark.line + 1, column;

    if (parser->error == YAML_READER_ERROR)
        str_place(text, len, parser->problem_offset < len ? parser->problem_offset : len, &line, &column);
    return line;
}

/* Whether a line is indented by a tab, the most common of all mistakes and the worst explained. */
static bool is_tabbed(const char *text, size_t len, unsigned line)
{
    const char *at = text, *end = text + len;

    for (; line > 1 && at; line--)
        if ((at = memchr(at, '\n', (size_t)(end - at))))
            at++;
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static int refuse(const yaml_parser_t *parser, const char *text, size_t len, unsigned *line, struct err *e)
{
    *line = problem_line(parser, text, len);
    if (is_tabbed(text, len, *line))
        return err_set(e, ERR_INVALID, "the line is indented by a tab: YAML takes blanks only");
    return err_set(e, ERR_INVALID, "%s%s%s", parser->problem ? parser->problem : "this is not YAML",
                   parser->context ? " " : "", parser->context ? parser->context : "");
}

/* The line where something follows the document that was read, 0 at the end of the text: of two documents one would be
 * forgotten without a word. */
static unsigned next_document(yaml_parser_t *parser, const char *text, size_t len)
{
    yaml_document_t doc;

    if (!yaml_parser_load(parser, &doc))
        return problem_line(parser, text, len);
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    unsigned line = root ? (unsigned)root->start_mark.line + 1 : 0;
    yaml_document_delete(&doc);
    return line;
}

/* The line where brackets are open too deep, 0 for none: libyaml looks at all that are open for each word. Those in
 * texts and comments count too; nobody leaves so many open there. */
static unsigned deep_line(const char *text, size_t len)
{
    unsigned line = 1, depth = 0;

    for (size_t i = 0; i < len; i++) {
        line += text[i] == '\n';
        if (text[i] == '[' || text[i] == '{')
            depth++;
        else if (depth && (text[i] == ']' || text[i] == '}'))
            depth--;
        if (depth > BRACKETS_MAX)
            return line;
    }
    return 0;
}

static int read_yaml(const char *text, size_t len, yaml_document_t *doc, unsigned *line, struct err *e)
{
    yaml_parser_t parser;
    int rc = 0;

    if ((*line = deep_line(text, len)))
        return err_set(e, ERR_INVALID, "nested more than %d deep", BRACKETS_MAX);
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, doc)) {
        rc = refuse(&parser, text, len, line, e);
    } else if (yaml_document_get_root_node(doc) && (*line = next_document(&parser, text, len))) {
        rc = err_set(e, ERR_INVALID, "a second document begins here, behind '---' or '...': only one is read");
        yaml_document_delete(doc);
    }
    yaml_parser_delete(&parser);
    return rc;
}

static bool is_extension(const char *name, const char *extension)
{
    size_t n = strlen(name), m = strlen(extension);

    return n > m && strcasecmp(name + n - m, extension) == 0;
}

int document_read(const char *name, const char *text, size_t len, yaml_document_t *doc, unsigned *line, struct err *e)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of the byte order: libyaml knows it */
    size_t front = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    *line = 0;
    if (len > DOCUMENT_MAX)
        return err_set(e, ERR_TOOBIG, "the file has more than %u bytes", DOCUMENT_MAX);
    if (is_extension(name, ".json"))
        return json_document(text + front, len - front, doc, e);
    if (is_extension(name, ".toml"))
        return toml_document(text + front, len - front, doc, line, e);
    return read_yaml(text, len, doc, line, e);
}
