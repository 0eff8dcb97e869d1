/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/import/import_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "shared/store_fixture.h"

void import_rig_write(const char *path, const char *text, mode_t mode)
{
    struct err e;

    assert_int_equal(file_replace(path, text, strlen(text), mode, &e), 0);
}

void import_rig_config(struct import_rig *v, const char *more)
{
    char *text = mem_format("server_url: http://10.0.0.1:8080\nlisten_addr: 127.0.0.1:8080\n"
                            "noise: {private_key_path: noise.key}\n"
                            "prefixes: {v4: 100.64.0.0/10, v6: 'fd7a:115c:a1e0::/48'}\n"
                            "database: {type: sqlite, sqlite: {path: hs.sqlite}}\n"
                            "dns: {magic_dns: true, base_domain: tail.example.com, override_local_dns: false}\n%s",
                            more);

    import_rig_write(v->config, text, 0644);
    free(text);
}

int import_rig_setup(void **state)
{
    struct import_rig *v = calloc(1, sizeof(*v));
    const char *tmp = getenv("TMPDIR");

    snprintf(v->folder, sizeof(v->folder), "%.30s/import.XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(v->folder));
    snprintf(v->database, sizeof(v->database), "%s/hs.sqlite", v->folder);
    snprintf(v->noise, sizeof(v->noise), "%s/noise.key", v->folder);
    snprintf(v->config, sizeof(v->config), "%s/hs.yaml", v->folder);
    snprintf(v->to, sizeof(v->to), "%s/new/hw.yaml", v->folder);
    snprintf(v->state, sizeof(v->state), "%s/new", v->folder);
    snprintf(v->taken, sizeof(v->taken), "%s/db.sqlite", v->state);
    import_rig_write(v->noise, IMPORT_NOISE, 0600);
    import_rig_config(v, "policy: {mode: database}\n");
    *state = v;
    return 0;
}

int import_rig_teardown(void **state)
{
    struct import_rig *v = *state;

    fixture_remove_folder(v->state);
    fixture_remove_folder(v->folder);
    free(v->out);
    free(v->errors);
    free(v);
    return 0;
}

int import_rig_run_with(struct import_rig *v, const struct import_options *o)
{
    size_t n;

    free(v->out);
    free(v->errors);
    FILE *out = open_memstream(&v->out, &n), *errors = open_memstream(&v->errors, &n);
    int status = import_run(o, out, errors);
    fclose(out);
    fclose(errors);
    return status;
}

int import_rig_run(struct import_rig *v)
{
    return import_rig_run_with(v, &(struct import_options){.config = v->config, .to = v->to, .state_dir = v->state});
}

void import_rig_must_run(struct import_rig *v)
{
    int status = import_rig_run(v);

    if (status != 0)
        fail_msg("%s", v->errors);
}

void import_rig_must_say(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}
