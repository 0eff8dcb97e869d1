/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/refusal.h"

#include <string.h>

#include "base/log.h"

void refusal_put(struct buf *out, const char *status, const char *why)
{
    buf_addf(out, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
             status, strlen(why) + 1, why);
}

const char *refusal_status(const struct err *e)
{
    return e->code == ERR_TOOBIG        ? "431 Request Header Fields Too Large"
           : e->code == ERR_UNSUPPORTED ? "501 Not Implemented"
                                        : "400 Bad Request";
}

void refusal_log(const struct addr_port *peer, const char *why)
{
    static struct log_sources sources;
    char text[ADDR_PORT_TEXT_MAX];

    log_from(&sources, peer->addr.bytes, addr_source_len(&peer->addr), 10, LOG_LEVEL_INFO, "front",
             "request from %s refused: %s", addr_port_format(peer, text), why);
}
