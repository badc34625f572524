#include "config/flags.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "config/override.h"

enum { OPT_CONFIG = 256, OPT_HELP, OPT_ROW };

struct option_table {
    struct option options[WK_FLAGS_MAX + 3];
    size_t count;
};

static void add_option(struct option_table *table, const char *name, int has_arg,
                       int value)
{
    table->options[table->count++] = (struct option){ name, has_arg, NULL, value };
}

static void fill_table(struct option_table *table)
{
    const struct wk_override *row;

    *table = (struct option_table){ 0 };
    add_option(table, "config", required_argument, OPT_CONFIG);
    add_option(table, "help", no_argument, OPT_HELP);
    for (int i = 0; (row = wk_override_at((size_t)i)) != NULL; i++) {
        BW_ASSERT(i < WK_FLAGS_MAX);
        if (row->flag != NULL)
            add_option(table, row->flag, required_argument, OPT_ROW + i);
    }
}

static const char *option_name_at(const void *arg, size_t index)
{
    const struct option_table *table = arg;

    return index < table->count ? table->options[index].name : NULL;
}

static int unknown_flag(const struct option_table *table, const char *word,
                        struct bw_error *err)
{
    char name[64];
    const char *near;

    if (strncmp(word, "--", 2) != 0)
        return bw_error_set(err, BW_EINVAL, "unknown option %.64s", word);
    (void)strncpy(name, word + 2, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    name[strcspn(name, "=")] = '\0';
    near = wk_nearest(name, option_name_at, table);
    if (near == NULL)
        return bw_error_set(err, BW_EINVAL, "unknown option --%s", name);
    return bw_error_set(err, BW_EINVAL, "unknown option --%s, did you mean --%s?", name,
                        near);
}

int wk_flags_parse(struct wk_flags *flags, int argc, char **argv, struct bw_error *err)
{
    struct option_table table;
    int opt;

    *flags = (struct wk_flags){ 0 };
    fill_table(&table);
    opterr = 0;
    optind = 0; /* glibc: forget what was parsed before */
    while ((opt = getopt_long(argc, argv, ":h", table.options, NULL)) != -1) {
        if (opt == OPT_CONFIG)
            flags->config = optarg;
        else if (opt == OPT_HELP || opt == 'h')
            flags->help = true;
        else if (opt == ':')
            return bw_error_set(err, BW_EINVAL, "%.64s: needs a value", argv[optind - 1]);
        else if (opt >= OPT_ROW)
            flags->values[opt - OPT_ROW] = optarg;
        else
            return unknown_flag(&table, argv[optind - 1], err);
    }
    flags->rest = argv + optind;
    flags->rest_count = argc - optind;
    return BW_OK;
}

static const char *flag_value(void *arg, const char *name)
{
    const struct wk_flags *flags = arg;
    const struct wk_override *row;

    if (strcmp(name, "config") == 0)
        return flags->config;
    for (size_t i = 0; (row = wk_override_at(i)) != NULL; i++) {
        if (row->flag != NULL && strcmp(row->flag, name) == 0)
            return flags->values[i];
    }
    return NULL;
}

struct wk_lookup wk_flags_lookup(struct wk_flags *flags)
{
    return (struct wk_lookup){ flag_value, flags };
}

static const char *env_value(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

struct wk_lookup wk_env_lookup(void)
{
    return (struct wk_lookup){ env_value, NULL };
}

static int flag_line(struct bw_buf *out, const char *flag, const char *arg,
                     const char *help)
{
    char left[48];

    (void)snprintf(left, sizeof left, "--%s %s", flag, arg);
    return bw_buf_addf(out, "  %-32s %s\n", left, help);
}

int wk_flags_help(struct bw_buf *out)
{
    const struct wk_override *row;
    int rc = bw_buf_add_str(out, "Options:\n");

    if (rc == BW_OK)
        rc = flag_line(out, "config", "FILE", "the configuration, JSON");
    for (size_t i = 0; rc == BW_OK && (row = wk_override_at(i)) != NULL; i++) {
        if (row->flag != NULL)
            rc = flag_line(out, row->flag, row->arg, row->help);
    }
    if (rc == BW_OK)
        rc = bw_buf_add_str(out,
                            "\nEnvironment (wins over the file; options win over it):\n");
    if (rc == BW_OK)
        rc = bw_buf_addf(out, "  %-32s %s\n", "BULWARK_CONFIG", "as --config");
    for (size_t i = 0; rc == BW_OK && (row = wk_override_at(i)) != NULL; i++) {
        if (row->env != NULL)
            rc = bw_buf_addf(out, "  %-32s %s\n", row->env, row->help);
    }
    return rc;
}
