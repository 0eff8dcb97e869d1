/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates that are ordered: what the hook says, what strangers ask at the port of challenges, what uacme prints.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acme/http_port.h"
#include "acme/uacme.h"
#include "base/mem.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing but what was set is ever answered, and nobody is sent elsewhere. */
static void ask(struct acme_challenges *c, const uint8_t *data, size_t size)
{
    char origin[] = "https://vpn.example.com";
    struct acme_port p = {c, origin};
    struct buf out = BUF_INIT(0);
    struct head h;

    if (head_parse(data, size, &h, NULL) <= 0)
        return;
    acme_port_answer(&p, &h, &out);
    const char *where = strstr(buf_text(&out), "Location: ");
    if (where && !str_starts(where, "Location: https://vpn.example.com/"))
        __builtin_trap();
    if (str_starts(buf_text(&out), "HTTP/1.1 200 ") && !c->count)
        __builtin_trap();
    buf_release(&out);
    head_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct acme_challenges c;
    struct hook_message m;
    char *text = mem_strndup((const char *)data, size), reason[240];

    challenges_init(&c, "http-01", "vpn.example.com", NULL);
    if (hook_read(data, size, &m, NULL) == 0 && challenges_hear(&c, &m, NULL) == 0 && m.method == HOOK_BEGIN &&
        !c.count)
        __builtin_trap();
    ask(&c, data, size);
    uacme_reason(text, reason, sizeof(reason));
    if (!str_utf8(reason, strlen(reason)))
        __builtin_trap();
    challenges_release(&c);
    free(text);
    return 0;
}
