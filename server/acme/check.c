/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "acme/acme.h"
#include "acme/uacme.h"
#include "base/mem.h"

static void note_port(const struct config *c, const char *key, const char *text, unsigned wanted, struct strs *notes)
{
    struct config_listen at;

    if (config_listen_parse(text, key, &at, NULL) < 0 || at.port == wanted)
        return;
    char *said = mem_format("the authority connects to port %u of %s: something must pass that on to port %u here",
                            wanted, c->acme.hostname, (unsigned)at.port);
    config_problem(c, notes, key, said);
    free(said);
}

void acme_check(const struct config *c, struct strs *problems, struct strs *notes)
{
    char *program = uacme_find();

    if (!acme_is_wanted(c)) {
        free(program);
        return;
    }
    if (!program)
        config_problem(
            c, problems, "tls_letsencrypt_hostname",
            "the program uacme, which orders certificates, is not installed: on Debian it is the package uacme");
    if (config_acme_listens(c))
        note_port(c, "tls_letsencrypt_listen", c->acme.listen, 80, notes);
    else
        note_port(c, "listen_addr", c->listen_addr, 443, notes);
    free(program);
}
