#include "handlers/plugin/load.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"

/* What ABI 1 began with; a table may end here. */
#define LEAST_SIZE offsetof(struct bw_plugin, event)

typedef const struct bw_plugin *entry_fn(void);

/* dlerror() mostly begins with the path, and sometimes not. */
static int system_error(const char *path, struct bw_error *err)
{
    const char *text = dlerror();

    if (text == NULL)
        text = "cannot be loaded";
    if (strncmp(text, path, strlen(path)) == 0)
        return bw_error_set(err, BW_EINVAL, "%.400s", text);
    return bw_error_set(err, BW_EINVAL, "%.200s: %.250s", path, text);
}

static int find_entry(void *object, const char *path, entry_fn **out,
                      struct bw_error *err)
{
    void *symbol = dlsym(object, "bulwark_plugin_entry");

    if (symbol == NULL)
        return bw_error_set(err, BW_EINVAL,
                            "%.200s: not a plugin: it does not export "
                            "bulwark_plugin_entry()",
                            path);
    /* ISO C has no conversion from an object's pointer to a function's; POSIX does. */
    memcpy(out, &symbol, sizeof symbol);
    return BW_OK;
}

static int check_table(const struct bw_plugin *table, const char *path,
                       struct bw_error *err)
{
    if (table == NULL)
        return bw_error_set(err, BW_EINVAL,
                            "%.200s: bulwark_plugin_entry() returned nothing", path);
    if (table->abi != BW_PLUGIN_ABI)
        return bw_error_set(err, BW_EINVAL,
                            "%.200s: made for plugin ABI %u, but bulwark " WK_VERSION
                            " has ABI %u: compile it against this version's headers",
                            path, (unsigned)table->abi, BW_PLUGIN_ABI);
    if (table->size < LEAST_SIZE)
        return bw_error_set(err, BW_EINVAL,
                            "%.200s: its table has %u bytes, ABI %u has at least %zu",
                            path, (unsigned)table->size, BW_PLUGIN_ABI, LEAST_SIZE);
    if (table->name == NULL || table->name[0] == '\0')
        return bw_error_set(err, BW_EINVAL, "%.200s: its table has no name", path);
    if (table->process == NULL)
        return bw_error_set(err, BW_EINVAL,
                            "%.200s: plugin \"%.64s\" has no process function", path,
                            table->name);
    return BW_OK;
}

static bool knows_events(const struct bw_plugin *table)
{
    return table->size >= offsetof(struct bw_plugin, event) + sizeof table->event;
}

int wk_plugin_load(const char *path, struct wk_plugin *out, struct bw_error *err)
{
    /* RTLD_NOW: a function that is missing shows here and not in mid-job. RTLD_LOCAL:
     * plugins do not see each other's names. The daemon's come first in either case. */
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct bw_plugin *table = NULL;
    entry_fn *entry = NULL;
    int rc;

    if (object == NULL)
        return system_error(path, err);
    rc = find_entry(object, path, &entry, err);
    if (rc == BW_OK) {
        table = entry();
        rc = check_table(table, path, err);
    }
    if (rc == BW_OK)
        *out = (struct wk_plugin){ .name = table->name,
                                   .version = table->version,
                                   .init = table->init,
                                   .process = table->process,
                                   .cancel = table->cancel,
                                   .stop = table->stop,
                                   .fini = table->fini,
                                   .event = knows_events(table) ? table->event : NULL };
    (void)dlclose(object); /* it stays: RTLD_NODELETE */
    return rc;
}
