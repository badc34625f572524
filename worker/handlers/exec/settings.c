#include "handlers/exec/settings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bulwark/buf.h>

#include "base/schema.h"

#define MS_MAX       INT64_C(31536000000)
#define GROUPS_MAX   256
#define PASSWD_BYTES 16384

/* Harmless, and most programs do not run without. Everything else is passed on by name
 * only: the daemon's environment holds passwords. */
static const char *const usual_variables[] = { "PATH",   "HOME",     "USER", "LOGNAME",
                                               "LANG",   "LC_ALL",   "TZ",   "LC_CTYPE",
                                               "TMPDIR", "NODE_ENV", NULL };

#define NUMBER(key_, member, def_, min_, max_, unit_, help_)                             \
    {                                                                                    \
        .key = (key_), .kind = WK_INT, .offset = offsetof(struct ex_settings, member),   \
        .def = (def_), .min = (min_), .max = (max_), .unit = (unit_), .help = (help_)    \
    }
#define SWITCH(key_, member, help_)                                                      \
    {                                                                                    \
        .key = (key_), .kind = WK_BOOL, .offset = offsetof(struct ex_settings, member),  \
        .help = (help_)                                                                  \
    }
/* Read by functions of their own. */
#define OTHER(key_, help_)                                                               \
    {                                                                                    \
        .key = (key_), .kind = WK_CUSTOM, .help = (help_)                                \
    }

static const struct wk_field fields[] = {
    OTHER("exec", "the program and its arguments"),
    NUMBER("processes", processes, 1, 1, 1024, NULL,
           "programs; each gets its share of concurrency"),
    SWITCH("events", events, "tell them what happens to the jobs of this handler"),
    OTHER("env", "names of variables passed on, besides PATH, HOME, LANG and the like"),
    NUMBER("maxLineBytes", max_line_bytes, 16 << 20, 1024, 1 << 30, "bytes",
           "longest line"),
    NUMBER("startTimeout", start_timeout, 10000, 1, MS_MAX, "ms", "time to say ready"),
    NUMBER("killGrace", kill_grace, 5000, 0, MS_MAX, "ms",
           "time to answer a cancel before SIGKILL"),
    NUMBER("healthyAfter", healthy_after, 60000, 1, MS_MAX, "ms",
           "time of being ready after which the next restart waits 100 ms again, not "
           "twice as long as the last"),
    NUMBER("limits.memory", limit_memory, 0, 1 << 20, INT64_MAX, "bytes",
           "address space [no limit]"),
    NUMBER("limits.cpu", limit_cpu, 0, 1, INT32_MAX, "seconds",
           "processor time [no limit]"),
    OTHER("user", "run as this user (root only) [the daemon's]"),
    SWITCH("shareRedis", share_redis, "the Redis URL in hello has user and password"),
};

#define FIELDS (sizeof fields / sizeof fields[0])

const struct wk_schema ex_settings_schema = { fields, FIELDS };

static int out_of_memory(struct bw_error *err)
{
    return bw_error_set(err, BW_ENOMEM, "exec: out of memory");
}

/* ---- unknown keys */

/* Within an object of the keys ("" or "limits."): is it one of them? If not, they are
 * appended to `known`. */
static bool is_known(const char *inner, const char *key, struct bw_buf *known)
{
    size_t skip = strlen(inner), before = 0;
    const char *last = "";

    for (size_t i = 0; i < FIELDS; i++) {
        const char *name = fields[i].key + skip;
        size_t len;

        if (strncmp(fields[i].key, inner, skip) != 0)
            continue;
        len = strcspn(name, ".");
        if (strlen(key) == len && strncmp(name, key, len) == 0)
            return true;
        if (len == before && strncmp(name, last, len) == 0)
            continue; /* another of the same inner object */
        (void)bw_buf_addf(known, "%s%.*s", known->len > 0 ? ", " : "", (int)len, name);
        last = name;
        before = len;
    }
    return false;
}

static int check_keys(const json_t *object, const char *inner, const char *path,
                      struct bw_error *err)
{
    struct bw_buf known = BW_BUF_INIT;
    const char *key;
    json_t *value;
    int rc = BW_OK;

    json_object_foreach((json_t *)object, key, value)
    {
        bw_buf_clear(&known);
        if (is_known(inner, key, &known))
            continue;
        rc = bw_error_set(err, BW_EINVAL, "%s.%.64s: unknown key, known are %s", path,
                          key, bw_buf_text(&known));
        break;
    }
    bw_buf_fini(&known);
    return rc;
}

static int check_all_keys(const json_t *object, struct bw_error *err)
{
    const json_t *limits = json_object_get(object, "limits");
    int rc = check_keys(object, "", "", err);

    if (rc == BW_OK && limits != NULL && !json_is_object(limits))
        rc = bw_error_set(err, BW_EINVAL, ".limits: must be an object");
    return rc == BW_OK ? check_keys(limits, "limits.", ".limits", err) : rc;
}

/* ---- numbers and switches */

/* By the key's whole path. */
static const json_t *value_at(const json_t *object, const char *key)
{
    const char *dot = strchr(key, '.');

    if (dot == NULL)
        return json_object_get(object, key);
    return json_object_get(json_object_getn(object, key, (size_t)(dot - key)), dot + 1);
}

static int read_number(struct ex_settings *settings, const struct wk_field *field,
                       const json_t *value, struct bw_error *err)
{
    int64_t *at = (int64_t *)(void *)((char *)settings + field->offset);

    *at = value != NULL ? json_integer_value(value) : field->def;
    if (value != NULL &&
        (!json_is_integer(value) || *at < field->min || *at > field->max))
        return bw_error_set(err, BW_EINVAL,
                            ".%s: must be a whole number from %lld to %lld", field->key,
                            (long long)field->min, (long long)field->max);
    return BW_OK;
}

static int read_switch(struct ex_settings *settings, const struct wk_field *field,
                       const json_t *value, struct bw_error *err)
{
    bool *at = (bool *)(void *)((char *)settings + field->offset);

    if (value != NULL && !json_is_boolean(value))
        return bw_error_set(err, BW_EINVAL, ".%s: must be true or false", field->key);
    *at = json_is_true(value);
    return BW_OK;
}

static int read_plain(struct ex_settings *settings, const json_t *object,
                      struct bw_error *err)
{
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < FIELDS; i++) {
        const json_t *value = value_at(object, fields[i].key);

        if (fields[i].kind == WK_INT)
            rc = read_number(settings, &fields[i], value, err);
        else if (fields[i].kind == WK_BOOL)
            rc = read_switch(settings, &fields[i], value, err);
    }
    return rc;
}

/* ---- lists of texts */

static bool is_among(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

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
        if (!is_among(json_string_value(name), usual_variables))
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
        rc = read_plain(settings, object, err);
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
