/* SPDX-License-Identifier: BSD-3-Clause */
/* For a start with headscale's configuration, or under its name. */
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/import.h"
#include "import/source.h"
#include "store/store.h"

#define HEADSCALE_FILE "/etc/headscale/config.yaml"

/* headway's own configuration whose database was imported from that of c; caller frees, NULL: there is none. */
static char *successor(const struct config *c)
{
    char *usual = config_default_file(), *found = NULL, *database = source_name(c);
    const char *files[] = {usual, CONFIG_SYSTEM_FILE};

    for (size_t i = 0; i < ARRAY_LEN(files) && !found && database; i++) {
        struct config *mine = NULL;
        char *origin = NULL;
        int64_t when;
        if (access(files[i], F_OK) == 0 && config_load(files[i], &mine, NULL, NULL) == 0 &&
            store_imported(mine->database.sqlite_path, &origin, &when) && str_eq(origin, database))
            found = mem_strdup(files[i]);
        config_unref(mine);
        free(origin);
    }
    free(database);
    free(usual);
    return found;
}

char *import_advice(const struct config *c)
{
    if (!store_is_headscale(c->database.sqlite_path))
        return NULL;
    char *now = successor(c);
    char *text = now ? mem_format("%s is headscale's database, which was imported: the configuration is %s now",
                                  c->database.sqlite_path, now)
                     : mem_format("%s is a database of headscale: 'headwayd import --config %s' takes it over, and "
                                  "leaves it as it is",
                                  c->database.sqlite_path, *c->file ? c->file : "FILE");
    free(now);
    return text;
}

/* Whether there is nothing of headway's: no configuration with settings, and no database. */
static bool is_fresh(const struct config *c)
{
    return c->given.len == 0 && access(c->database.sqlite_path, F_OK) < 0;
}

char *import_find_config(const char *named, FILE *notes)
{
    struct config *c = NULL;
    char *found = NULL;

    (void)!config_load_for_client(named, &c, NULL);
    if (c && (config_is_postgres(c) || store_is_headscale(c->database.sqlite_path))) {
        found = successor(c);
        char *note =
            found ? mem_format("the tailnet of %s was imported, and %s is used instead", c->file, found) : NULL;
        if (note)
            file_say(notes, "Note", note);
        free(note);
    } else if (c && !named && is_fresh(c) && access(HEADSCALE_FILE, F_OK) == 0) {
        found = mem_strdup(HEADSCALE_FILE);
    }
    config_unref(c);
    return found;
}
