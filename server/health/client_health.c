/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/client_health.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "json/json.h"

/* A message from control comes back as one of the client's warnings: the client found nothing itself. */
#define OF_CONTROL "control-health"

static bool is_of_control(const char *code)
{
    return str_eq(code, OF_CONTROL) || str_starts(code, OF_CONTROL ".");
}

static int read_one(const char *code, const json_t *w, struct node_warnings *out, struct err *e)
{
    const char *severity = "", *title = "", *text = "", *since = NULL;
    int64_t since_ns = 0;

    if (!json_is_object(w) || json_get_str(w, "Severity", &severity, e) < 0 ||
        json_get_str(w, "Title", &title, e) < 0 || json_get_str(w, "Text", &text, e) < 0 ||
        json_get_str(w, "BrokenSince", &since, e) < 0)
        return err_set(e, ERR_INVALID, "the health of a client holds a warning of another form");
    if (str_eq(severity, "low") || is_of_control(code))
        return 0;
    if (since && time_parse(since, &since_ns, "BrokenSince", NULL) < 0)
        since_ns = 0;
    if (since_ns < 0 || since_ns > clock_wall_ns()) /* its clock is wrong */
        since_ns = 0;
    node_warnings_add(out, WARNING_CLIENT, code, *text ? text : title, since_ns);
    return 0;
}

int client_health_read(const char *text, size_t len, struct node_warnings *out, struct err *e)
{
    json_t *root = NULL, *warnings = NULL, *w;
    const char *code;
    int rc = json_read(text, len, CLIENT_HEALTH_MAX, "client health", &root, e);

    if (rc == 0 && !json_is_object(root))
        rc = err_set(e, ERR_INVALID, "the health of a client must be an object");
    if (rc == 0)
        rc = json_get_object(root, "Warnings", &warnings, e);
    json_object_foreach(warnings, code, w)
    {
        if ((rc = read_one(code, w, out, e)) < 0)
            break;
    }
    json_decref(root);
    return rc < 0 ? ERR_INVALID : 0;
}
