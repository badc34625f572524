#include "redis/handshake.h"

#include <string.h>

#include "codec/num.h"
#include "redis/conn.h"
#include "redis/refusal.h"
#include "redis/script.h"

#define OLDEST_VERSION 0x060200u

/* Bits of `told`; below them, one for each fixed step. */
enum { TOLD_SCRIPT = 16, TOLD_EVICTION, TOLD_CLUSTER, TOLD_VERSION };

struct step {
    const char *name;
    bool (*is_needed)(const struct bw_handshake *handshake);
    void (*build)(const struct bw_handshake *handshake, struct bw_cmd *cmd);
    /* NULL: any answer that is no error will do. */
    int (*judge)(struct bw_handshake *handshake, const struct bw_reply *reply,
                 struct bw_error *err);
    bool secret;   /* a reply may repeat what we sent */
    bool optional; /* Redis may refuse it (an ACL, an older server): we do without */
};

/* Each thing once in a connection's life, by the connection that tells. */
static bool is_news(const struct bw_handshake *handshake, unsigned bit)
{
    bool news = handshake->told != NULL && (*handshake->told & 1u << bit) == 0;

    if (news)
        *handshake->told |= 1u << bit;
    return news;
}

static bool always(const struct bw_handshake *handshake)
{
    (void)handshake;
    return true;
}

/* --- AUTH, SELECT, CLIENT */

static bool has_password(const struct bw_handshake *handshake)
{
    return handshake->redis->password != NULL;
}

static void build_auth(const struct bw_handshake *handshake, struct bw_cmd *cmd)
{
    bw_cmd_str(cmd, "AUTH");
    if (handshake->redis->username != NULL)
        bw_cmd_str(cmd, handshake->redis->username);
    bw_cmd_str(cmd, handshake->redis->password);
}

static bool has_name(const struct bw_handshake *handshake)
{
    return handshake->name != NULL;
}

static void build_name(const struct bw_handshake *handshake, struct bw_cmd *cmd)
{
    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "SETNAME");
    bw_cmd_str(cmd, handshake->name);
}

static bool has_database(const struct bw_handshake *handshake)
{
    return handshake->redis->db != 0;
}

static void build_select(const struct bw_handshake *handshake, struct bw_cmd *cmd)
{
    bw_cmd_str(cmd, "SELECT");
    bw_cmd_int(cmd, handshake->redis->db);
}

static void build_id(const struct bw_handshake *handshake, struct bw_cmd *cmd)
{
    (void)handshake;
    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "ID");
}

static int judge_id(struct bw_handshake *handshake, const struct bw_reply *reply,
                    struct bw_error *err)
{
    (void)err;
    handshake->client_id = bw_reply_integer(reply);
    return BW_OK;
}

/* --- INFO */

static void build_info(const struct bw_handshake *handshake, struct bw_cmd *cmd)
{
    (void)handshake;
    bw_cmd_str(cmd, "INFO");
}

/* The value of a line "field:value\r\n"; NULL when there is none. */
static const char *info_value(const char *info, const char *field, size_t *len)
{
    size_t field_len = strlen(field);
    const char *line = info;

    while (line != NULL) {
        if (strncmp(line, field, field_len) == 0 && line[field_len] == ':') {
            *len = strcspn(line + field_len + 1, "\r\n");
            return line + field_len + 1;
        }
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return NULL;
}

static bool info_is(const char *info, const char *field, const char *value)
{
    size_t len;
    const char *found = info_value(info, field, &len);

    return found != NULL && len == strlen(value) && memcmp(found, value, len) == 0;
}

/* "7.0.21" is 0x070015; what does not look like it is 0. */
static unsigned parse_version(const char *text, size_t len)
{
    unsigned version = 0;

    for (int part = 0; part < 3; part++) {
        const char *dot = memchr(text, '.', len);
        size_t part_len = dot != NULL ? (size_t)(dot - text) : len;
        int64_t number;

        if (!bw_num_parse(text, part_len, 0, 255, &number))
            return 0;
        version = version << 8 | (unsigned)number;
        if (dot == NULL && part < 2)
            return 0;
        text += part_len + 1;
        len -= part < 2 ? part_len + 1 : part_len;
    }
    return version;
}

int bw_handshake_judge_role(const char *info, enum bw_not_yet *not_yet,
                            struct bw_error *err)
{
    *not_yet = BW_NOT_YET_NOTHING;
    if (info_is(info, "loading", "1")) {
        *not_yet = BW_NOT_YET_LOADING;
        return bw_error_set(err, BW_EREDIS, "Redis is still loading its data");
    }
    if (info_is(info, "role", "slave")) {
        *not_yet = BW_NOT_YET_REPLICA;
        return bw_error_set(err, BW_EREDIS, "this Redis is a replica");
    }
    return BW_OK;
}

static void warn_of_server(struct bw_handshake *handshake, const char *version)
{
    if (handshake->server_version != 0 && handshake->server_version < OLDEST_VERSION &&
        is_news(handshake, TOLD_VERSION))
        bw_log(handshake->log, BW_LOG_WARNING, "Redis is older than 6.2",
               bw_text("version", version));
    if (handshake->cluster && is_news(handshake, TOLD_CLUSTER))
        bw_log(handshake->log, BW_LOG_WARNING,
               "this Redis is a node of a cluster: queues need a prefix with a hash tag, "
               "such as {bull}, whose slot this node owns");
    if (handshake->eviction[0] != '\0' &&
        strcmp(handshake->eviction, "noeviction") != 0 &&
        is_news(handshake, TOLD_EVICTION))
        bw_log(handshake->log, BW_LOG_WARNING,
               "Redis may evict jobs: maxmemory-policy must be noeviction",
               bw_text("policy", handshake->eviction));
}

static void copy_value(char *to, size_t size, const char *info, const char *field)
{
    size_t len;
    const char *value = info_value(info, field, &len);

    if (value == NULL || len >= size)
        len = 0;
    else
        memcpy(to, value, len);
    to[len] = '\0';
}

static int judge_info(struct bw_handshake *handshake, const struct bw_reply *reply,
                      struct bw_error *err)
{
    const char *info = bw_reply_text(reply, NULL);
    char version[32];

    handshake->knows_role = true;
    copy_value(version, sizeof version, info, "redis_version");
    handshake->server_version = parse_version(version, strlen(version));
    handshake->cluster = info_is(info, "cluster_enabled", "1");
    copy_value(handshake->eviction, sizeof handshake->eviction, info, "maxmemory_policy");
    if (info_is(info, "redis_mode", "sentinel"))
        return bw_error_set(err, BW_EREDIS, "this is a Sentinel, not a Redis with data");
    warn_of_server(handshake, version);
    return bw_handshake_judge_role(info, &handshake->not_yet, err);
}

/* --- the steps */

static const struct step fixed[] = {
    { "AUTH", has_password, build_auth, NULL, true, false },
    { "SELECT", has_database, build_select, NULL, false, false },
    { "CLIENT SETNAME", has_name, build_name, NULL, false, true },
    { "INFO", always, build_info, judge_info, false, true },
    { "CLIENT ID", always, build_id, judge_id, false, true },
};

#define FIXED_COUNT (sizeof fixed / sizeof fixed[0])

static size_t step_count(const struct bw_handshake *handshake)
{
    return FIXED_COUNT + (handshake->scripts ? bw_script_count : 0);
}

/* The first step that is needed, from the i-th on. */
static size_t skip(const struct bw_handshake *handshake, size_t i)
{
    while (i < FIXED_COUNT && !fixed[i].is_needed(handshake))
        i++;
    return i;
}

bool bw_handshake_next(struct bw_handshake *handshake, struct bw_cmd *cmd)
{
    size_t i = skip(handshake, handshake->sent);

    if (i >= step_count(handshake))
        return false;
    if (i < FIXED_COUNT) {
        fixed[i].build(handshake, cmd);
    } else {
        bw_cmd_str(cmd, "SCRIPT");
        bw_cmd_str(cmd, "LOAD");
        bw_cmd_arg(cmd, bw_scripts[i - FIXED_COUNT]->text,
                   bw_scripts[i - FIXED_COUNT]->len);
    }
    handshake->sent = i + 1;
    return true;
}

static void tell_refusal(const struct bw_handshake *handshake, unsigned bit,
                         const char *command, const char *text)
{
    if (is_news(handshake, bit))
        bw_log(handshake->log, BW_LOG_WARNING,
               "Redis refuses a command that can be done without",
               bw_text("command", command), bw_text("error", text));
}

/* A failure of the link stays what it is. */
static int explain(struct bw_error *err, const struct bw_error *failed, bool secret,
                   const char *what)
{
    *err = *failed;
    if (failed->code == BW_EREDIS && secret)
        bw_refusal_explain_secret(err, failed->text);
    else if (failed->code == BW_EREDIS)
        bw_refusal_explain(err, failed->text);
    return bw_error_prefix(err, "%s", what);
}

static int judge_fixed(struct bw_handshake *handshake, size_t i,
                       const struct bw_reply *reply, const struct bw_error *failed,
                       struct bw_error *err)
{
    const struct step *step = &fixed[i];

    if (failed == NULL)
        return step->judge != NULL ? step->judge(handshake, reply, err) : BW_OK;
    if (step->secret && bw_refusal_is_needless_password(failed->text)) {
        if (is_news(handshake, (unsigned)i))
            bw_log(handshake->log, BW_LOG_WARNING,
                   "a password is given, but Redis has none");
        return BW_OK;
    }
    if (step->optional && failed->code == BW_EREDIS &&
        bw_refusal_is_for_good(failed->text)) {
        tell_refusal(handshake, (unsigned)i, step->name, failed->text);
        return BW_OK;
    }
    return explain(err, failed, step->secret, step->name);
}

/* EVALSHA would never find a script whose SHA-1 differs from the one built in. */
static int judge_script(struct bw_handshake *handshake, const struct bw_script *script,
                        const struct bw_reply *reply, const struct bw_error *failed,
                        struct bw_error *err)
{
    if (failed != NULL && failed->code == BW_EREDIS &&
        bw_refusal_is_for_good(failed->text)) {
        handshake->no_script_load = true;
        tell_refusal(handshake, TOLD_SCRIPT, "SCRIPT LOAD", failed->text);
        return BW_OK;
    }
    if (failed != NULL) {
        (void)explain(err, failed, false, script->name);
        return bw_error_prefix(err, "SCRIPT LOAD");
    }
    if (strcmp(bw_reply_text(reply, NULL), script->sha1) != 0)
        return bw_error_set(err, BW_EPROTO, "SCRIPT LOAD of %s: Redis names it %.40s",
                            script->name, bw_reply_text(reply, NULL));
    return BW_OK;
}

int bw_handshake_answer(struct bw_handshake *handshake, const struct bw_reply *reply,
                        const struct bw_error *failed, bool *done, struct bw_error *err)
{
    size_t i = skip(handshake, handshake->answered);
    int rc;

    handshake->answered = i + 1;
    if (i < FIXED_COUNT)
        rc = judge_fixed(handshake, i, reply, failed, err);
    else
        rc = judge_script(handshake, bw_scripts[i - FIXED_COUNT], reply, failed, err);
    *done = rc == BW_OK && skip(handshake, i + 1) >= step_count(handshake);
    return rc;
}
