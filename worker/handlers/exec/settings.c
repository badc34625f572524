#include "handlers/exec/settings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS_MAX       INT64_C(31536000000)
#define GROUPS_MAX   256
#define PASSWD_BYTES 16384

/* Harmless, and most programs do not run without. Everything else is passed on by name
 * only: the daemon's environment holds passwords. */
static const char *const usual_variables[] = { "PATH",   "HOME",     "USER", "LOGNAME",
                                               "LANG",   "LC_ALL",   "TZ",   "LC_CTYPE",
                                               "TMPDIR", "NODE_ENV", NULL };

struct number_key {
    const char *key;
    size_t offset;
    int64_t def, min, max;
};

static const struct number_key number_keys[] = {
    { "processes", offsetof(struct ex_settings, processes), 1, 1, 1024 },
    { "maxLineBytes", offsetof(struct ex_settings, max_line_bytes), 16 << 20, 1024,
      1 << 30 },
    { "startTimeout", offsetof(struct ex_settings, start_timeout), 10000, 1, MS_MAX },
    { "killGrace", offsetof(struct ex_settings, kill_grace), 5000, 0, MS_MAX },
    { "healthyAfter", offsetof(struct ex_settings, healthy_after), 60000, 1, MS_MAX },
};
static const struct number_key limit_keys[] = {
    { "memory", offsetof(struct ex_settings, limit_memory), 0, 1 << 20, INT64_MAX },
    { "cpu", offsetof(struct ex_settings, limit_cpu), 0, 1, INT32_MAX },
};

static int out_of_memory(struct bw_error *err)
{
    return bw_error_set(err, BW_ENOMEM, "exec: out of memory");
}

static int read_numbers(struct ex_settings *settings, const json_t *object,
                        const char *path, const struct number_key *keys, size_t count,
                        struct bw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, keys[i].key);
        int64_t *at = (int64_t *)(void *)((char *)settings + keys[i].offset);

        *at = value != NULL ? json_integer_value(value) : keys[i].def;
        if (value != NULL &&
            (!json_is_integer(value) || *at < keys[i].min || *at > keys[i].max))
            return bw_error_set(
                err, BW_EINVAL, "%s.%s: must be a whole number from %lld to %lld", path,
                keys[i].key, (long long)keys[i].min, (long long)keys[i].max);
    }
    return BW_OK;
}

static int read_bool(const json_t *object, const char *key, bool *out,
                     struct bw_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (value != NULL && !json_is_boolean(value))
        return bw_error_set(err, BW_EINVAL, ".%s: must be true or false", key);
    *out = json_is_true(value);
    return BW_OK;
}

/* ---- unknown keys */

static bool key_in(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i], key) == 0)
            return true;
    }
    return false;
}

static int check_keys(const json_t *object, const char *path, const char *const *keys,
                      size_t count, const char *known, struct bw_error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        if (!key_in(key, keys, count))
            return bw_error_set(err, BW_EINVAL, "%s.%.64s: unknown key, known are %s",
                                path, key, known);
    }
    return BW_OK;
}

static int check_all_keys(const json_t *object, struct bw_error *err)
{
    static const char *const keys[] = { "exec",      "processes",    "events",
                                        "env",       "maxLineBytes", "startTimeout",
                                        "killGrace", "healthyAfter", "limits",
                                        "user",      "shareRedis" };
    static const char *const limits[] = { "memory", "cpu" };
    const json_t *inner = json_object_get(object, "limits");
    int rc = check_keys(object, "", keys, sizeof keys / sizeof keys[0],
                        "exec, processes, events, env, maxLineBytes, startTimeout, "
                        "killGrace, healthyAfter, limits, user, shareRedis",
                        err);

    if (rc == BW_OK && inner != NULL && !json_is_object(inner))
        rc = bw_error_set(err, BW_EINVAL, ".limits: must be an object");
    if (rc == BW_OK && inner != NULL)
        rc = check_keys(inner, ".limits", limits, 2, "memory, cpu", err);
    return rc;
}

/* ---- lists of texts */

/* A text that C can carry whole. */
static bool is_text(const json_t *value)
{
    return json_is_string(value) &&
           strlen(json_string_value(value)) == json_string_length(value);
}

static int read_argv(struct ex_settings *settings, const json_t *list,
                     struct bw_error *err)
{
    size_t count = json_array_size(list);

    if (count == 0 || json_string_length(json_array_get(list, 0)) == 0)
        return bw_error_set(err, BW_EINVAL,
                            ".exec: must be a program and its arguments, [\"node\", "
                            "\"emails.js\"]");
    settings->argv = calloc(count + 1, sizeof *settings->argv);
    if (settings->argv == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        const json_t *word = json_array_get(list, i);

        if (!is_text(word))
            return bw_error_set(err, BW_EINVAL, ".exec[%zu]: must be a text", i);
        settings->argv[i] = strdup(json_string_value(word));
        if (settings->argv[i] == NULL)
            return out_of_memory(err);
    }
    return BW_OK;
}

static int pass_variable(struct ex_settings *settings, size_t *count, const char *name,
                         struct bw_error *err)
{
    const char *value = getenv(name);
    size_t size;

    if (value == NULL)
        return BW_OK;
    size = strlen(name) + strlen(value) + 2;
    settings->envp[*count] = malloc(size);
    if (settings->envp[*count] == NULL)
        return out_of_memory(err);
    (void)stpcpy(stpcpy(stpcpy(settings->envp[*count], name), "="), value);
    (*count)++;
    return BW_OK;
}

static int read_env(struct ex_settings *settings, const json_t *list,
                    struct bw_error *err)
{
    size_t count = 0;
    int rc = BW_OK;

    if (list != NULL && !json_is_array(list))
        return bw_error_set(err, BW_EINVAL, ".env: must be an array of names");
    settings->envp =
        calloc(json_array_size(list) + sizeof usual_variables / sizeof usual_variables[0],
               sizeof *settings->envp);
    if (settings->envp == NULL)
        return out_of_memory(err);
    for (size_t i = 0; rc == BW_OK && usual_variables[i] != NULL; i++)
        rc = pass_variable(settings, &count, usual_variables[i], err);
    for (size_t i = 0; rc == BW_OK && i < json_array_size(list); i++) {
        const json_t *name = json_array_get(list, i);

        if (!is_text(name) || json_string_length(name) == 0 ||
            strchr(json_string_value(name), '=') != NULL)
            return bw_error_set(err, BW_EINVAL, ".env[%zu]: must be a variable's name",
                                i);
        if (!key_in(json_string_value(name), usual_variables,
                    sizeof usual_variables / sizeof usual_variables[0] - 1))
            rc = pass_variable(settings, &count, json_string_value(name), err);
    }
    return rc;
}

/* ---- another user */

static int read_groups(struct ex_settings *settings, const char *name,
                       struct bw_error *err)
{
    int count = GROUPS_MAX;

    settings->groups = calloc(GROUPS_MAX, sizeof *settings->groups);
    if (settings->groups == NULL)
        return out_of_memory(err);
    if (getgrouplist(name, settings->gid, settings->groups, &count) < 0)
        return bw_error_set(err, BW_EINVAL, ".user: is in more than %d groups",
                            GROUPS_MAX);
    settings->group_count = (size_t)count;
    return BW_OK;
}

static int read_user(struct ex_settings *settings, const json_t *value,
                     struct bw_error *err)
{
    char bytes[PASSWD_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;
    int rc;

    if (value == NULL)
        return BW_OK;
    if (!is_text(value) || json_string_length(value) == 0)
        return bw_error_set(err, BW_EINVAL, ".user: must be a user's name");
    rc = getpwnam_r(json_string_value(value), &entry, bytes, sizeof bytes, &found);
    if (rc != 0 || found == NULL)
        return bw_error_set(err, BW_EINVAL, ".user: there is no user \"%.64s\"",
                            json_string_value(value));
    settings->uid = entry.pw_uid;
    settings->gid = entry.pw_gid;
    /* As the very same user nothing needs to be changed, nor may be. */
    settings->has_user = entry.pw_uid != geteuid();
    if (!settings->has_user)
        return BW_OK;
    if (geteuid() != 0)
        return bw_error_set(err, BW_EINVAL,
                            ".user: only root can run programs as another user");
    return read_groups(settings, json_string_value(value), err);
}

/* ---- */

static int read_all(struct ex_settings *settings, const json_t *object,
                    struct bw_error *err)
{
    int rc = check_all_keys(object, err);

    if (rc == BW_OK)
        rc = read_argv(settings, json_object_get(object, "exec"), err);
    if (rc == BW_OK)
        rc = read_numbers(settings, object, "", number_keys,
                          sizeof number_keys / sizeof number_keys[0], err);
    if (rc == BW_OK)
        rc = read_numbers(settings, json_object_get(object, "limits"), ".limits",
                          limit_keys, sizeof limit_keys / sizeof limit_keys[0], err);
    if (rc == BW_OK)
        rc = read_bool(object, "events", &settings->events, err);
    if (rc == BW_OK)
        rc = read_bool(object, "shareRedis", &settings->share_redis, err);
    if (rc == BW_OK)
        rc = read_env(settings, json_object_get(object, "env"), err);
    if (rc == BW_OK)
        rc = read_user(settings, json_object_get(object, "user"), err);
    return rc;
}

int ex_settings_read(struct ex_settings *settings, const json_t *object,
                     struct bw_error *err)
{
    int rc;

    *settings = (struct ex_settings){ 0 };
    if (object == NULL)
        return bw_error_set(err, BW_EINVAL,
                            ": a program is needed: {\"exec\": [\"node\", "
                            "\"emails.js\"]}");
    rc = read_all(settings, object, err);
    if (rc != BW_OK)
        ex_settings_fini(settings);
    return rc;
}

static void free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

void ex_settings_fini(struct ex_settings *settings)
{
    free_list(settings->argv);
    free_list(settings->envp);
    free(settings->groups);
    *settings = (struct ex_settings){ 0 };
}
