#include "redis/handshake.h"

#include <string.h>

#include "codec/num.h"
#include "redis/conn.h"
#include "redis/script.h"

struct step {
    const char *name;
    bool (*is_needed)(const struct bw_handshake *handshake);
    void (*build)(const struct bw_handshake *handshake, struct bw_cmd *cmd);
    /* NULL: any answer that is no error will do. */
    int (*judge)(struct bw_handshake *handshake, const struct bw_reply *reply,
                 struct bw_error *err);
    bool optional; /* Redis may refuse it (an ACL, an older server): we do without */
};

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

static int judge_info(struct bw_handshake *handshake, const struct bw_reply *reply,
                      struct bw_error *err)
{
    const char *info = bw_reply_text(reply, NULL);
    size_t len;
    const char *version = info_value(info, "redis_version", &len);

    if (version != NULL)
        handshake->server_version = parse_version(version, len);
    if (info_is(info, "loading", "1"))
        return bw_error_set(err, BW_EREDIS, "Redis is still loading its data");
    if (info_is(info, "role", "slave"))
        return bw_error_set(err, BW_EREDIS, "this Redis is a replica");
    return BW_OK;
}

/* --- the steps */

static const struct step fixed[] = {
    { "AUTH", has_password, build_auth, NULL, false },
    { "SELECT", has_database, build_select, NULL, false },
    { "CLIENT SETNAME", has_name, build_name, NULL, true },
    { "INFO", always, build_info, judge_info, true },
    { "CLIENT ID", always, build_id, judge_id, true },
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

/* Redis refuses a command for good, as opposed to: not now. */
static bool is_refusal(const char *text)
{
    return strncmp(text, "ERR", 3) == 0 || strncmp(text, "NOPERM", 6) == 0;
}

static int judge_fixed(struct bw_handshake *handshake, const struct step *step,
                       const struct bw_reply *reply, const struct bw_error *failed,
                       struct bw_error *err)
{
    if (failed == NULL)
        return step->judge != NULL ? step->judge(handshake, reply, err) : BW_OK;
    if (step->optional && failed->code == BW_EREDIS && is_refusal(failed->text)) {
        bw_log(handshake->log, BW_LOG_WARNING, "Redis refuses a command of the handshake",
               bw_text("command", step->name), bw_text("error", failed->text));
        return BW_OK;
    }
    *err = *failed;
    return bw_error_prefix(err, "%s", step->name);
}

/* EVALSHA would never find a script whose SHA-1 differs from the one built in. */
static int judge_script(const struct bw_script *script, const struct bw_reply *reply,
                        const struct bw_error *failed, struct bw_error *err)
{
    if (failed != NULL) {
        *err = *failed;
        return bw_error_prefix(err, "SCRIPT LOAD of %s", script->name);
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
        rc = judge_fixed(handshake, &fixed[i], reply, failed, err);
    else
        rc = judge_script(bw_scripts[i - FIXED_COUNT], reply, failed, err);
    *done = rc == BW_OK && skip(handshake, i + 1) >= step_count(handshake);
    return rc;
}
