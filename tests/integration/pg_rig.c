#include "pg_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 15000

int64_t pg_rig_now_ms(void)
{
    return bw_mono_now(NULL).ns / 1000000;
}

static void nap(void)
{
    struct timespec pause = { .tv_nsec = 5000000 };

    (void)nanosleep(&pause, NULL); /* an interrupted nap is a shorter nap */
}

/* --- the log */

static void write_line(void *arg, enum bw_log_level level, const char *message,
                       const struct bw_log_field *fields, size_t count)
{
    struct pg_rig *rig = arg;
    size_t len;

    (void)level;
    bw_mutex_lock(&rig->mtx);
    len = strlen(rig->lines);
    (void)snprintf(rig->lines + len, sizeof rig->lines - len, "%s\n", message); /* cut */
    for (size_t i = 0; i < count; i++) {
        len = strlen(rig->lines);
        (void)snprintf(rig->lines + len, sizeof rig->lines - len, " %s=%s", fields[i].key,
                       fields[i].text != NULL ? fields[i].text : "#"); /* cut */
    }
    bw_mutex_unlock(&rig->mtx);
}

/* --- the rig */

struct pg_rig *pg_rig_create(void)
{
    struct pg_rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    bw_mutex_init(&rig->mtx);
    rig->sink = (struct bw_log_sink){ BW_LOG_INFO, write_line, rig };
    bw_log_init(&rig->log, &rig->sink);
    pg_server_start(&rig->server, NULL);
    return rig;
}

void pg_rig_destroy(struct pg_rig **rigp)
{
    struct pg_rig *rig = *rigp;

    if (rig == NULL)
        return;
    *rigp = NULL;
    pg_server_stop(&rig->server);
    assert_null(strstr(rig->lines, PG_SERVER_PASSWORD));
    bw_mutex_fini(&rig->mtx);
    free(rig);
}

struct pg_pool *pg_rig_pool(struct pg_rig *rig, const char *parameters,
                            unsigned connections)
{
    char url[512];
    struct pg_options options = { .url = url,
                                  .connections = connections,
                                  .log = &rig->log };
    struct bw_error err = { 0 };
    struct pg_pool *pool;

    (void)snprintf(url, sizeof url, "%s%s", rig->server.url,
                   parameters != NULL ? parameters : ""); /* fits */
    if (pg_pool_create(&pool, &options, &err) != BW_OK)
        fail_msg("%s", err.text);
    return pool;
}

/* --- waiting */

void pg_rig_wait_sql(const struct pg_rig *rig, const char *sql)
{
    int64_t deadline = pg_rig_now_ms() + PATIENCE_MS;

    for (;;) {
        char *text = pg_server_text(&rig->server, sql);
        bool yes = strcmp(text, "t") == 0;

        free(text);
        if (yes)
            return;
        if (pg_rig_now_ms() > deadline)
            fail_msg("never: %s", sql);
        nap();
    }
}

void pg_rig_wait_trips(struct pg_pool *pool, uint64_t round_trips)
{
    int64_t deadline = pg_rig_now_ms() + PATIENCE_MS;
    struct pg_stats stats;

    for (pg_pool_stats(pool, &stats); stats.round_trips < round_trips;
         pg_pool_stats(pool, &stats)) {
        if (pg_rig_now_ms() > deadline)
            fail_msg("never %llu round trips", (unsigned long long)round_trips);
        nap();
    }
}

void pg_rig_wait_reachable(struct pg_pool *pool, bool reachable)
{
    int64_t deadline = pg_rig_now_ms() + PATIENCE_MS;
    struct pg_stats stats;

    for (pg_pool_stats(pool, &stats); stats.reachable != reachable;
         pg_pool_stats(pool, &stats)) {
        if (pg_rig_now_ms() > deadline)
            fail_msg("never %s", reachable ? "reachable" : "unreachable");
        nap();
    }
}
