/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/c2n/answer.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "control/control.h"

#define ANSWER_HEAD_MAX (16u << 10)

struct cursor {
    const char *at, *end;
};

/* The next line without its end; false: no more. */
static bool next_line(struct cursor *c, const char **line, size_t *len)
{
    const char *lf = memchr(c->at, '\n', (size_t)(c->end - c->at));

    if (!lf)
        return false;
    *line = c->at;
    *len = (size_t)(lf - c->at);
    if (*len && lf[-1] == '\r')
        --*len;
    c->at = lf + 1;
    return true;
}

/* "HTTP/1.1 200 OK" */
static int read_status(const char *line, size_t len)
{
    int status = 0;

    if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
        return 0;
    for (size_t i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
        status = status * 10 + (line[i] - '0');
    }
    return (len == 12 || line[12] == ' ') && status >= 100 ? status : 0;
}

static bool field_is(const char *line, size_t len, const char *name, const char **value, size_t *value_len)
{
    size_t n = strlen(name);

    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    *value = line + n + 1;
    *value_len = len - n - 1;
    while (*value_len && **value == ' ') {
        ++*value;
        --*value_len;
    }
    return true;
}

/* False: the body does not match the field, or has an unsupported form. */
static bool field_fits(const char *line, size_t len, size_t body_len)
{
    const char *value;
    char text[24];
    size_t n;
    uint64_t said;

    if (field_is(line, len, "Transfer-Encoding", &value, &n))
        return n == 8 && strncasecmp(value, "identity", 8) == 0;
    if (!field_is(line, len, "Content-Length", &value, &n))
        return true;
    if (n >= sizeof(text))
        return false;
    memcpy(text, value, n);
    text[n] = '\0';
    return str_u64(text, 0, UINT64_MAX, &said, "Content-Length", NULL) == 0 && said == body_len;
}

static bool read_head(struct cursor *c, struct control_answer *out)
{
    const char *line;
    size_t len;

    if (!next_line(c, &line, &len) || (out->status = read_status(line, len)) == 0)
        return false;
    const struct cursor fields = *c;
    do {
        if (!next_line(c, &line, &len) || (size_t)(c->at - fields.at) > ANSWER_HEAD_MAX)
            return false;
    } while (len);
    out->body = c->at;
    out->len = (size_t)(c->end - c->at);
    for (struct cursor f = fields; next_line(&f, &line, &len) && len;)
        if (!field_fits(line, len, out->len))
            return false;
    return true;
}

void c2n_answer_read(const char *bytes, size_t len, struct control_answer *out)
{
    static const char unknown[] = "unknown c2n path";
    struct cursor c = {bytes, bytes + len};

    *out = (struct control_answer){.body = ""};
    if (!read_head(&c, out)) {
        *out = (struct control_answer){.code = ERR_INVALID, .body = ""};
    } else if (out->status == 400 && out->len >= sizeof(unknown) - 1 &&
               memcmp(out->body, unknown, sizeof(unknown) - 1) == 0) {
        out->code = ERR_UNSUPPORTED;
    }
}
