#include "redis/refusal.h"

#include <string.h>

/* In the order in which they are tried; what starts so. */
static const struct {
    const char *start, *meaning;
} known[] = {
    { "WRONGPASS", "wrong user name or password, or the user is off (WRONGPASS)" },
    { "ERR invalid password", "wrong password" },
    { "NOAUTH", "Redis wants a password (NOAUTH)" },
    { "ERR Client sent AUTH", "a password is given, but Redis has none" },
    { "ERR AUTH <password> called without", "a password is given, but Redis has none" },
    { "DENIED", "Redis is in protected mode: it has no password and serves its own "
                "machine only" },
    { "ERR max number of clients", "Redis has too many clients (maxclients)" },
    { "ERR DB index is out of range",
      "Redis has no database of this number (ERR DB index is out of range)" },
    { "ERR invalid DB index",
      "Redis has no database of this number (ERR invalid DB index)" },
    { "ERR SELECT is not allowed in cluster mode",
      "a node of a cluster has database 0 only" },
    { "MASTERDOWN", "this Redis is a replica without its master (MASTERDOWN)" },
    { "LOADING", "Redis is still loading its data (LOADING)" },
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool bw_refusal_is_for_good(const char *text)
{
    return starts_with(text, "NOPERM") ||
           (starts_with(text, "ERR") && !starts_with(text, "ERR max number of clients"));
}

bool bw_refusal_is_needless_password(const char *text)
{
    return starts_with(text, "ERR Client sent AUTH, but no password is set") ||
           starts_with(text, "ERR AUTH <password> called without any password");
}

bool bw_refusal_is_away(const char *text)
{
    return starts_with(text, "READONLY") || strstr(text, "-READONLY ") != NULL ||
           starts_with(text, "LOADING") || starts_with(text, "MASTERDOWN") ||
           starts_with(text, "UNBLOCKED force"); /* the role has changed */
}

/* What the server as a whole says: a failover, a full disk or memory, a slot on its way,
 * a script that holds it up. */
static const char *const passing[] = {
    "OOM ",        "MISCONF ",    "READONLY ", "NOREPLICAS ", "MASTERDOWN ",
    "BUSY ",       "LOADING ",    "MOVED ",    "ASK ",        "TRYAGAIN ",
    "CLUSTERDOWN", "UNKILLABLE ", "NOAUTH ",
};

bool bw_refusal_passes(const char *text)
{
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        const char *code = strstr(text, passing[i]);

        /* Before Redis 7 the code stands within a script's own error: "…: -OOM …". */
        if (code == text || (code != NULL && code[-1] == '-'))
            return true;
    }
    /* What the user may not do at all says nothing about one job. */
    if (starts_with(text, "NOPERM ") && strstr(text, "'eval") != NULL)
        return true;
    return strstr(text, "Script killed by user") != NULL;
}

static const char *meaning_of(const char *text)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (starts_with(text, known[i].start))
            return known[i].meaning;
    }
    return NULL;
}

void bw_refusal_explain(struct bw_error *err, const char *text)
{
    const char *meaning = meaning_of(text);

    (void)bw_error_set(err, BW_EREDIS, "%s", meaning != NULL ? meaning : text);
}

void bw_refusal_explain_secret(struct bw_error *err, const char *text)
{
    const char *meaning = meaning_of(text);

    if (starts_with(text, "ERR unknown command"))
        meaning = "Redis does not know the command";
    else if (starts_with(text, "ERR wrong number of arguments"))
        meaning = "Redis does not know user names: it is older than 6.0";
    else if (starts_with(text, "NOPERM"))
        meaning = "not permitted (NOPERM)";
    if (meaning != NULL)
        (void)bw_error_set(err, BW_EREDIS, "%s", meaning);
    else
        (void)bw_error_set(err, BW_EREDIS,
                           "refused; the answer is not shown, for it may repeat the "
                           "password");
}
