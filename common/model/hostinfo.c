/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/hostinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

#define STORED_MAX (1u << 20)

/* Reads a string member of at most max bytes without control characters; anything else becomes "". */
static void read_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_text(object, key, "");
    char *clean = str_clean(text, size - 1);

    str_copy(out, size, clean);
    free(clean);
}

static void read_services(const json_t *h, struct peer_hostinfo *out)
{
    const json_t *list = json_object_get(h, "Services"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        struct hostinfo_service *s = &out->services[out->service_count];
        const json_t *port = json_object_get(item, "Port");
        json_int_t number = json_integer_value(port);
        const char *proto = json_text(item, "Proto", "");
        /* peerapi4, peerapi6 and peerapi-dns-proxy, which other clients use */
        if (!str_starts(proto, "peerapi") || str_check(proto, HOSTINFO_PROTO_MAX, false, "Proto", NULL) < 0 ||
            number <= 0 || number > UINT16_MAX || out->service_count == HOSTINFO_SERVICES_MAX)
            continue;
        str_copy(s->proto, sizeof(s->proto), proto);
        s->port = (uint16_t)number;
        out->service_count++;
    }
}

static void read_ssh_keys(const json_t *h, struct peer_hostinfo *out)
{
    const json_t *list = json_object_get(h, "sshHostKeys"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (i < HOSTINFO_SSH_KEYS_MAX && json_is_string(item) &&
            str_check(json_string_value(item), HOSTINFO_SSH_KEY_MAX, false, "sshHostKeys", NULL) == 0)
            strs_push(&out->ssh_keys, json_string_value(item));
    }
}

void peer_hostinfo_read(const json_t *h, struct peer_hostinfo *out)
{
    *out = (struct peer_hostinfo){0};
    read_text(h, "OS", out->os, sizeof(out->os));
    read_text(h, "Hostname", out->hostname, sizeof(out->hostname));
    read_services(h, out);
    read_ssh_keys(h, out);
    out->app_connector = json_is_true(json_object_get(h, "AppConnector"));
}

void peer_hostinfo_release(struct peer_hostinfo *h)
{
    strs_release(&h->ssh_keys);
}

static void put_said(struct json_out *o, const char *key, const char *text)
{
    if (*text)
        json_put_str(o, key, text);
}

static void put_services(struct json_out *o, const struct peer_hostinfo *h)
{
    if (!h->service_count)
        return;
    json_key(o, "Services");
    json_open(o, '[');
    for (size_t i = 0; i < h->service_count; i++) {
        json_open(o, '{');
        json_put_str(o, "Proto", h->services[i].proto);
        json_put_u64(o, "Port", h->services[i].port);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_ssh_keys(struct json_out *o, const struct peer_hostinfo *h)
{
    if (!h->ssh_keys.len)
        return;
    json_key(o, "sshHostKeys");
    json_open(o, '[');
    for (size_t i = 0; i < h->ssh_keys.len; i++)
        json_str(o, h->ssh_keys.items[i]);
    json_close(o, ']');
}

char *peer_hostinfo_text(const struct peer_hostinfo *h)
{
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);

    json_open(&o, '{');
    put_said(&o, "OS", h->os);
    put_said(&o, "Hostname", h->hostname);
    put_services(&o, h);
    put_ssh_keys(&o, h);
    if (h->app_connector)
        json_put_bool(&o, "AppConnector", true);
    json_close(&o, '}');
    return buf_take(&text);
}

/* Quotes in strings are escaped, so a string cannot be mistaken for one of these members. */
bool peer_hostinfo_is_connector(const char *text)
{
    return strstr(text, "\"AppConnector\":true") != NULL;
}

unsigned peer_hostinfo_port(const char *text, const char *proto)
{
    char member[64];

    snprintf(member, sizeof(member), "{\"Proto\":\"%s\",\"Port\":", proto);
    const char *found = strstr(text, member);
    unsigned long port = found ? strtoul(found + strlen(member), NULL, 10) : 0;
    return port <= UINT16_MAX ? (unsigned)port : 0;
}

char *peer_hostinfo_repair(const char *text)
{
    struct peer_hostinfo h;
    json_t *root = NULL;

    if (json_read(text, strlen(text), STORED_MAX, "Hostinfo", &root, NULL) < 0)
        root = NULL;
    peer_hostinfo_read(root, &h);
    char *out = peer_hostinfo_text(&h);
    peer_hostinfo_release(&h);
    json_decref(root);
    return out;
}
