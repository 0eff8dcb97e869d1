/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of headwayd import. */
#include <unistd.h>

#include "base/log.h"
#include "import/import.h"

/* Options of import; -c names headscale's configuration. */
const struct flag import_options[] = {
    {.name = "database", .kind = FLAG_TEXT, .value = "FILE", .help = "headscale's database, a SQLite file"},
    {.name = "noise-key", .kind = FLAG_TEXT, .value = "FILE", .help = "its private key, by which clients know it"},
    {.name = "derp-key", .kind = FLAG_TEXT, .value = "FILE", .help = "the private key of its relay"},
    {.name = "to", .kind = FLAG_TEXT, .value = "FILE", .help = "headway's configuration"},
    {.name = "state", .kind = FLAG_TEXT, .value = "DIRECTORY", .help = "where headway's database and keys are to be"},
    {.name = "dry-run", .kind = FLAG_SWITCH, .help = "tell what would be done, and write nothing"},
    {.name = "all", .kind = FLAG_SWITCH, .help = "name also each object that is taken as it is"},
    FLAGS_END,
};

static const char *given_text(const struct flags *flags, const char *name)
{
    return flags_given(flags, name) ? flags_text(flags, name) : NULL;
}

int import_command(const struct flags *flags)
{
    static const char usual[] = "/etc/headscale/config.yaml";
    struct import_options o = {.config = given_text(flags, "config"),
                               .database = given_text(flags, "database"),
                               .noise_key = given_text(flags, "noise-key"),
                               .derp_key = given_text(flags, "derp-key"),
                               .to = given_text(flags, "to"),
                               .state_dir = given_text(flags, "state"),
                               .dry_run = flags_switch(flags, "dry-run"),
                               .all = flags_switch(flags, "all")};

    if (!o.config && !o.database && access(usual, F_OK) == 0)
        o.config = usual;
    log_setup(LOG_LEVEL_WARN, LOG_TEXT);
    return import_run(&o, stdout, stderr);
}

bool import_flag_given(const struct flags *flags)
{
    for (const struct flag *f = import_options; f->kind != FLAG_NONE; f++)
        if (flags_given(flags, f->name))
            return true;
    return false;
}
