/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies, compares and writes the DNS settings of clients. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/record.h"
#include "json/json.h"

void dns_values_apply(struct dns_values *to, const struct dns_values *from, unsigned which)
{
    if (which & DNS_MAGIC)
        to->magic_dns = from->magic_dns;
    if (which & DNS_OVERRIDE_LOCAL)
        to->override_local = from->override_local;
    if (which & DNS_NAMESERVERS)
        strs_copy(&to->nameservers, &from->nameservers);
    if (which & DNS_SPLIT)
        strs_copy(&to->split, &from->split);
    if (which & DNS_SEARCH)
        strs_copy(&to->search, &from->search);
}

void dns_values_copy(struct dns_values *to, const struct dns_values *from)
{
    dns_values_apply(to, from, DNS_MEMBERS);
}

void dns_values_release(struct dns_values *v)
{
    strs_release(&v->nameservers);
    strs_release(&v->split);
    strs_release(&v->search);
}

unsigned dns_values_difference(const struct dns_values *a, const struct dns_values *b)
{
    return (a->magic_dns != b->magic_dns ? DNS_MAGIC : 0U) |
           (a->override_local != b->override_local ? DNS_OVERRIDE_LOCAL : 0U) |
           (strs_eq(&a->nameservers, &b->nameservers) ? 0U : DNS_NAMESERVERS) |
           (strs_eq(&a->split, &b->split) ? 0U : DNS_SPLIT) | (strs_eq(&a->search, &b->search) ? 0U : DNS_SEARCH);
}

char *dns_split_word(const char **entry)
{
    const char *word = *entry + strspn(*entry, " ");
    size_t len = strcspn(word, " ");

    *entry = word + len;
    return len ? mem_strndup(word, len) : NULL;
}

void dns_split_write(struct json_out *o, const struct strs *split, dns_server_write *put)
{
    json_open(o, '{');
    for (size_t i = 0; i < split->len; i++) {
        const char *rest = split->items[i];
        char *word = dns_split_word(&rest);
        json_key(o, word ? word : "");
        json_open(o, '[');
        while (free(word), (word = dns_split_word(&rest)))
            put(o, word);
        json_close(o, ']');
    }
    json_close(o, '}');
}
