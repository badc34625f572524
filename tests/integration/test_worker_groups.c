/* Ordered groups: one job of a group at a time, in order, whatever happens to workers and
 * jobs. Answers for lib/jobs/groups.c, lua/settle_grouped.lua, lua/check_groups.lua. */
#include "integration/worker_rig.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OWN "bull::bulwark:q:groups:"

/* --- jobs whose data are {"chat":{"id":G},"n":N} */

/* As lib/spec/bullmq.md §3.3 has it. `id` NULL: the queue's next number. */
static void add(struct rig *rig, const char *id, const char *group, unsigned n)
{
    static const char script[] =
        "local p = KEYS[1] "
        "local id = redis.call('INCR', p .. 'id') "
        "if ARGV[1] ~= '' then id = ARGV[1] end "
        "redis.call('HSET', p .. id, 'name', 'test', 'data', "
        "           '{\"chat\":{\"id\":' .. ARGV[2] .. '},\"n\":' .. ARGV[3] .. '}', "
        "           'opts', '{\"attempts\":3}', 'timestamp', 1, 'delay', 0, "
        "           'priority', 0) "
        "redis.call('LPUSH', p .. 'wait', id) "
        "if redis.call('HEXISTS', p .. 'meta', 'paused') == 0 then "
        "  redis.call('ZADD', p .. 'marker', 0, '0') end "
        "return 1";

    (void)rig_int(rig, "EVAL %s 1 bull:q: %s %s %u", script, id != NULL ? id : "", group,
                  n);
}

static struct bw_queue_options grouped(unsigned concurrency)
{
    struct bw_queue_options options = rig_options(QUEUE, concurrency);

    options.group_key = "nothing.here|n+nobody|chat.id";
    return options;
}

static void read_data(struct bw_job *job, long long *group, unsigned *n)
{
    assert_int_equal(
        sscanf(bw_job_data(job, NULL), "{\"chat\":{\"id\":%lld},\"n\":%u}", group, n), 2);
}

/* rig_keep on the reactor, so that jobs come in the order in which they were taken. */
static void keep(struct bw_job *job, void *arg)
{
    rig_keep.process(job, arg);
}

static const struct bw_handler keeping = { .process = keep, .inline_ = true };

/* --- a second worker on the same Redis */

static struct rig partner_of(const struct rig *rig)
{
    return (struct rig){ .server = rig->server, .redis = rig->redis };
}

/* --- a handler that writes down who ran when. Groups are numbers below GROUPS, jobs of a
 * group are numbered from 0. */

enum { GROUPS = 50, JOBS = 40 };

struct diary {
    struct bw_mutex mutex;
    unsigned running[GROUPS], most[GROUPS], next[GROUPS], out_of_order, done;
    int64_t last_start[GROUPS];
    unsigned work_us;
};

static void diary_begin(struct diary *diary, long long group, unsigned n)
{
    bw_mutex_lock(&diary->mutex);
    if (++diary->running[group] > diary->most[group])
        diary->most[group] = diary->running[group];
    if (n != diary->next[group])
        diary->out_of_order++;
    diary->next[group] = n + 1;
    diary->last_start[group] = rig_wall_ms();
    bw_mutex_unlock(&diary->mutex);
}

static void diary_end(struct diary *diary, long long group)
{
    bw_mutex_lock(&diary->mutex);
    diary->running[group]--;
    diary->done++;
    bw_mutex_unlock(&diary->mutex);
}

static void work(struct bw_job *job, void *arg)
{
    struct diary *diary = arg;
    struct timespec some = { .tv_nsec = diary->work_us * 1000L };
    long long group;
    unsigned n;

    read_data(job, &group, &n);
    diary_begin(diary, group, n);
    (void)nanosleep(&some, NULL); /* the work */
    diary_end(diary, group);
    bw_job_complete(job, "1", 1);
}

static const struct bw_handler working = { .process = work };

#define completed_count(rig) rig_int(rig, "ZCARD bull:q:completed")

/* Nothing is left but `busy`'s like of a queue at rest: no lines, no places. */
static void expect_at_rest(struct rig *rig)
{
    assert_int_equal(rig_int(rig, "EXISTS bull:q:waiting-children " OWN "parked " OWN
                                  "running " OWN "busy"),
                     0);
    assert_int_equal(rig_int(rig, "LLEN bull:q:wait"), 0);
    assert_int_equal(rig_int(rig, "LLEN bull:q:active"), 0);
}

static void add_mixed(struct rig *rig, unsigned groups, unsigned first, unsigned end)
{
    char group[16];

    for (unsigned n = first; n < end; n++) {
        for (unsigned g = 0; g < groups; g++) {
            (void)snprintf(group, sizeof group, "%u", g);
            add(rig, NULL, group, n);
        }
    }
}

/* --- order */

static void order_with_two_workers(void **state)
{
    struct rig *rig = *state, other = partner_of(rig);
    struct bw_queue_options options = grouped(16);
    struct diary diary = { .work_us = 300 };

    bw_mutex_init(&diary.mutex);
    add_mixed(rig, GROUPS, 0, JOBS / 2);
    rig_run(rig, &options, &working, &diary);
    rig_run(&other, &options, &working, &diary);
    add_mixed(rig, GROUPS, JOBS / 2, JOBS);
    rig_wait(30000, completed_count(rig) == GROUPS * JOBS);
    assert_int_equal(rig_stop(&other, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(diary.out_of_order, 0);
    for (unsigned g = 0; g < GROUPS; g++)
        assert_int_equal(diary.most[g], 1);
    expect_at_rest(rig);
    bw_mutex_fini(&diary.mutex);
}

/* One group fills no more slots than it may; the others' jobs behind it are run. */
static void slots_are_not_held(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = grouped(2);
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);
    struct bw_job *first, *second;

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    for (unsigned n = 0; n < 2500; n++) /* more than one call parks */
        add(rig, NULL, "-1001234567890123", n);
    add(rig, NULL, "\"-1001234567890123\"", 2500); /* the same as a text */
    add(rig, "last", "-1001234567890124", 0);
    rig_run(rig, &options, &keeping, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 2);
    first = rig_keeper_take(keeper);
    second = rig_keeper_take(keeper);
    assert_string_equal(bw_job_id(first), "1");
    assert_string_equal(bw_job_id(second), "last");
    assert_int_equal(rig_int(rig, "ZCARD bull:q:waiting-children"), 2500);
    assert_int_equal(rig_int(rig, "LLEN bull:q:active"), 2);
    bw_job_complete(first, NULL, 0);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    first = rig_keeper_take(keeper);
    assert_string_equal(bw_job_id(first), "2");
    bw_job_complete(first, NULL, 0);
    bw_job_complete(second, NULL, 0);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 1);
    assert_int_equal(rig_stop(rig, 0), BW_END_HANDED_BACK);
    rig_expect(rig, "3", "LINDEX bull:q:wait -1");
    rig_keeper_fini(keeper);
    free(keeper);
}

static void jobs_without_a_group_run_freely(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = grouped(8);
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    rig_add(rig, QUEUE, 2, NULL); /* {"n":…} */
    add(rig, NULL, "{}", 0);
    add(rig, NULL, "{}", 1);
    add(rig, NULL, "null", 0);
    add(rig, NULL, "null", 1);
    add(rig, NULL, "][", 0); /* no JSON */
    add(rig, NULL, "][", 1);
    rig_run(rig, &options, &keeping, keeper);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 8);
    while (rig_keeper_count(keeper) > 0)
        bw_job_complete(rig_keeper_take(keeper), NULL, 0);
    rig_wait(PATIENCE_MS, completed_count(rig) == 8);
    expect_at_rest(rig);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(keeper);
    free(keeper);
}

/* Two bots meet the same person: two groups. A list's element is a step of a path. */
static void group_of_two_values(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = grouped(8);
    struct rig_keeper *keeper = calloc(1, sizeof *keeper);

    assert_non_null(keeper);
    rig_keeper_init(keeper);
    options.group_key = "chat.id.0+chat.id.1";
    add(rig, NULL, "[\"bot\",1]", 0);
    add(rig, NULL, "[\"bot\",1]", 1); /* waits */
    add(rig, NULL, "[\"bot\",2]", 0);
    add(rig, NULL, "[\"other\",1]", 0);
    rig_run(rig, &options, &keeping, keeper);
    rig_wait(PATIENCE_MS, rig_int(rig, "ZCARD bull:q:waiting-children") == 1);
    rig_wait(PATIENCE_MS, rig_keeper_count(keeper) == 3);
    rig_expect(rig, "other+1", "HGET " OWN "running 4");
    rig_expect(rig, "2", "ZRANGE " OWN "line:bot+1 0 -1");
    while (completed_count(rig) < 4) {
        struct bw_job *job = rig_keeper_take(keeper);

        if (job != NULL)
            bw_job_complete(job, NULL, 0);
    }
    expect_at_rest(rig);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(keeper);
    free(keeper);
}

static void more_than_one_at_once(void **state)
{
    struct rig *rig = *state, other = partner_of(rig);
    struct bw_queue_options options = grouped(16);
    struct diary diary = { .work_us = 20000 };

    bw_mutex_init(&diary.mutex);
    options.group_concurrency = 3;
    add_mixed(rig, 2, 0, 30);
    rig->processors = other.processors = 8;
    rig_run(rig, &options, &working, &diary);
    rig_run(&other, &options, &working, &diary);
    rig_wait(PATIENCE_MS, completed_count(rig) == 60);
    assert_int_equal(rig_stop(&other, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    assert_int_equal(diary.most[0], 3);
    assert_int_equal(diary.most[1], 3);
    expect_at_rest(rig);
    bw_mutex_fini(&diary.mutex);
}

/* 2 in 300 ms: the seventh comes in the fourth window. */
static void rate_of_a_group(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = grouped(16);
    struct diary diary = { .work_us = 100 };
    int64_t begun;

    bw_mutex_init(&diary.mutex);
    options.group_concurrency = 4;
    options.group_rate_max = 2;
    options.group_rate_duration = 300;
    options.drain_delay = 60000; /* it is not polling that finds them */
    add_mixed(rig, 2, 0, 7);
    begun = rig_wall_ms();
    rig_run(rig, &options, &working, &diary);
    rig_wait(PATIENCE_MS, completed_count(rig) == 14);
    assert_int_equal(rig_stop(rig, PATIENCE_MS), BW_END_DRAINED);
    for (unsigned g = 0; g < 2; g++)
        assert_true(diary.last_start[g] - begun >= 3 * 300 - EARLY_MS);
    expect_at_rest(rig);
    bw_mutex_fini(&diary.mutex);
}

/* --- what becomes of jobs */

/* Two workers without jobs, a keeper each; jobs a1 … a3 of one group, b1 of another. */
struct scene {
    struct rig *rig;
    struct rig_keeper *keeper;
    struct bw_queue_options options;
};

static struct scene scene_of(void **state)
{
    struct scene scene = { .rig = *state,
                           .keeper = calloc(1, sizeof *scene.keeper),
                           .options = grouped(4) };

    assert_non_null(scene.keeper);
    rig_keeper_init(scene.keeper);
    add(scene.rig, "a1", "1", 1);
    add(scene.rig, "a2", "1", 2);
    add(scene.rig, "a3", "1", 3);
    add(scene.rig, "b1", "2", 1);
    return scene;
}

static void scene_run(struct scene *scene)
{
    rig_run(scene->rig, &scene->options, &keeping, scene->keeper);
}

static struct bw_job *expect_job(struct scene *scene, const char *id)
{
    struct bw_job *job;

    rig_wait(PATIENCE_MS, rig_keeper_count(scene->keeper) > 0);
    job = rig_keeper_take(scene->keeper);
    assert_string_equal(bw_job_id(job), id);
    return job;
}

static void finish(struct scene *scene, const char *id)
{
    bw_job_complete(expect_job(scene, id), NULL, 0);
}

static void scene_end(struct scene *scene)
{
    rig_wait(PATIENCE_MS, rig_stats(scene->rig, QUEUE).in_flight == 0);
    expect_at_rest(scene->rig);
    assert_int_equal(rig_stop(scene->rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(scene->keeper);
    free(scene->keeper);
}

static const struct bw_job_failure failure = { .message = "no" };
static const struct bw_job_failure later = { .message = "no",
                                             .has_delay = true,
                                             .delay_ms = 200 };

/* The group goes on; the job comes again behind those that were in the line. */
static void retry_lets_the_group_go_on(void **state)
{
    struct scene scene = scene_of(state);

    scene_run(&scene);
    bw_job_fail(expect_job(&scene, "a1"), &failure);
    finish(&scene, "b1");
    finish(&scene, "a2");
    finish(&scene, "a3");
    finish(&scene, "a1");
    scene_end(&scene);
}

static void delayed_retry_lets_the_group_go_on(void **state)
{
    struct scene scene = scene_of(state);

    scene_run(&scene);
    bw_job_fail(expect_job(&scene, "a1"), &later);
    finish(&scene, "b1");
    finish(&scene, "a2");
    bw_job_fail(expect_job(&scene, "a3"),
                &(struct bw_job_failure){ .unrecoverable = true });
    finish(&scene, "a1");
    scene_end(&scene);
    assert_int_equal(rig_int(scene.rig, "ZCARD bull:q:failed"), 1);
}

static void strict_group_waits_for_a_retry(void **state)
{
    struct scene scene = scene_of(state);

    scene.options.group_strict = true;
    scene_run(&scene);
    bw_job_fail(expect_job(&scene, "a1"), &later);
    finish(&scene, "b1");
    bw_job_fail(expect_job(&scene, "a1"), &failure);
    finish(&scene, "a1");
    finish(&scene, "a2");
    finish(&scene, "a3");
    scene_end(&scene);
}

/* A job that is put back is the next of its group. */
static void put_back_keeps_its_place(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    bw_job_move_to_wait(first);
    finish(&scene, "a1");
    finish(&scene, "a2");
    finish(&scene, "a3");
    scene_end(&scene);
}

/* The same for one that is handed back. BMQ-170 */
static void handed_back_keeps_its_place(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    bw_job_hand_back(first, true);
    finish(&scene, "a1");
    finish(&scene, "a2");
    finish(&scene, "a3");
    scene_end(&scene);
}

/* One that is put off gives its place up. */
static void put_off_gives_its_place_up(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    bw_job_put_off(first, (struct bw_wall){ rig_wall_ms() + 300 }, true);
    finish(&scene, "a2");
    finish(&scene, "a3");
    finish(&scene, "a1");
    scene_end(&scene);
}

static void delayed_jobs_join_when_they_are_due(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    (void)rig_int(scene.rig,
                  "HSET bull:q:a9 name test data {\"chat\":{\"id\":1}} opts {}");
    (void)rig_int(scene.rig, "ZADD bull:q:delayed %lld a9",
                  (long long)(rig_wall_ms() + 200) * 4096);
    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    rig_wait(PATIENCE_MS, rig_int(scene.rig, "ZCARD bull:q:waiting-children") == 3);
    bw_job_complete(first, NULL, 0);
    finish(&scene, "a2");
    finish(&scene, "a3");
    finish(&scene, "a9");
    scene_end(&scene);
}

/* A parent that waits for its children does not keep its group from going on. */
static void on_moved(bool moved, const struct bw_error *err, void *arg)
{
    assert_null(err);
    assert_true(moved);
    atomic_store((atomic_bool *)arg, true);
}

static void waiting_for_children_gives_the_place_up(void **state)
{
    struct scene scene = scene_of(state);
    atomic_bool moved = false;

    scene_run(&scene);
    (void)rig_int(scene.rig, "SADD bull:q:a1:dependencies bull:q:b1");
    assert_int_equal(
        bw_job_move_to_waiting_children(expect_job(&scene, "a1"), NULL, on_moved, &moved),
        BW_OK);
    rig_wait(PATIENCE_MS, atomic_load(&moved));
    (void)rig_int(scene.rig, "HSET bull:q:b1 parentKey bull:q:a1 parent %s",
                  "{\"id\":\"a1\",\"queueKey\":\"bull:q\"}");
    finish(&scene, "b1");
    finish(&scene, "a2"); /* and not a1 beside it */
    finish(&scene, "a3");
    finish(&scene, "a1");
    scene_end(&scene);
}

/* --- what others do */

/* As a dashboard's remove does: the hash and the id, §7.2. */
static void parked_job_is_removed(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    assert_int_equal(rig_int(scene.rig, "ZREM bull:q:waiting-children a2"), 1);
    (void)rig_int(scene.rig, "DEL bull:q:a2");
    bw_job_complete(first, NULL, 0);
    finish(&scene, "a3");
    scene_end(&scene);
}

static void running_job_is_removed(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    (void)rig_int(scene.rig, "LREM bull:q:active 1 a1");
    (void)rig_int(scene.rig, "DEL bull:q:a1 bull:q:a1:lock");
    bw_job_complete(first, NULL, 0);
    finish(&scene, "a2");
    finish(&scene, "a3");
    scene_end(&scene);
}

/* Ended by a worker that knows of no groups: the check of the books notices. */
static void running_job_is_ended_by_others(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene.options.stalled_interval = 200;
    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    (void)rig_int(scene.rig, "DEL bull:q:a1:lock");
    (void)rig_int(scene.rig, "LREM bull:q:active 1 a1");
    (void)rig_int(scene.rig, "ZADD bull:q:completed 1 a1");
    finish(&scene, "a2");
    finish(&scene, "a3");
    bw_job_complete(first, NULL, 0); /* too late: refused */
    scene_end(&scene);
}

static void paused_queue(void **state)
{
    struct scene scene = scene_of(state);
    struct bw_job *first;

    scene_run(&scene);
    first = expect_job(&scene, "a1");
    finish(&scene, "b1");
    (void)rig_int(scene.rig, "HSET bull:q:meta paused 1");
    bw_job_complete(first, NULL, 0);
    rig_wait(PATIENCE_MS, rig_int(scene.rig, "LLEN bull:q:wait") == 1);
    rig_expect(scene.rig, "a2", "LINDEX bull:q:wait 0");
    assert_int_equal(rig_keeper_count(scene.keeper), 0);
    (void)rig_int(scene.rig, "HDEL bull:q:meta paused");
    (void)rig_int(scene.rig, "ZADD bull:q:marker 0 0");
    finish(&scene, "a2");
    finish(&scene, "a3");
    scene_end(&scene);
}

/* --- the worker's end */

static void handed_back_in_order(void **state)
{
    struct scene scene = scene_of(state);

    scene_run(&scene);
    rig_wait(PATIENCE_MS, rig_keeper_count(scene.keeper) == 2);
    assert_int_equal(rig_stop(scene.rig, 0), BW_END_HANDED_BACK);
    scene.keeper->count = 0;
    scene_run(&scene);
    rig_wait(PATIENCE_MS, rig_keeper_count(scene.keeper) == 2);
    for (int i = 0; i < 2; i++) {
        struct bw_job *job = rig_keeper_take(scene.keeper);

        assert_true(bw_job_id(job)[1] == '1');
        bw_job_complete(job, NULL, 0);
    }
    finish(&scene, "a2");
    finish(&scene, "a3");
    scene_end(&scene);
}

/* In a process of its own: takes a1 and b1 and keeps them until it is killed. */
static pid_t start_victim(struct scene *scene)
{
    pid_t pid = fork();

    if (pid == 0) {
        scene_run(scene);
        for (;;)
            (void)pause();
    }
    assert_true(pid > 0);
    return pid;
}

static void killed_worker(void **state)
{
    struct scene scene = scene_of(state);
    pid_t victim;

    scene.options.lock_duration = 300;
    scene.options.stalled_interval = 300;
    scene.options.max_stalled_count = 5;
    victim = start_victim(&scene);
    rig_wait(PATIENCE_MS, rig_int(scene.rig, "LLEN bull:q:active") == 2 &&
                              rig_int(scene.rig, "ZCARD bull:q:waiting-children") == 2);
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, NULL, 0), victim);
    scene.options.lock_duration = 30000;
    scene_run(&scene);
    for (int done = 0, next_of_a = 1; done < 4; done++) {
        struct bw_job *job;

        rig_wait(PATIENCE_MS, rig_keeper_count(scene.keeper) > 0);
        job = rig_keeper_take(scene.keeper);
        if (bw_job_id(job)[0] == 'a')
            assert_int_equal(bw_job_id(job)[1], '0' + next_of_a++);
        bw_job_complete(job, NULL, 0);
    }
    scene_end(&scene);
}

/* Without groupKey what stands in lines is put back, in its order, ahead of the rest. */
static void groups_are_turned_off(void **state)
{
    struct scene scene = scene_of(state);
    char id[16];

    for (unsigned n = 4; n < 2500; n++) {
        (void)snprintf(id, sizeof id, "a%u", n);
        add(scene.rig, id, "1", n);
    }
    scene.options.stalled_interval = 200;
    scene_run(&scene);
    rig_wait(PATIENCE_MS, rig_int(scene.rig, "ZCARD bull:q:waiting-children") == 2498);
    assert_int_equal(rig_stop(scene.rig, 0), BW_END_HANDED_BACK);
    scene.keeper->count = 0;
    rig_wait(PATIENCE_MS, rig_int(scene.rig, "EXISTS " OWN "check") == 0);
    add(scene.rig, "z", "1", 0);
    (void)rig_int(scene.rig, "HSET bull:q:meta paused 1");
    scene.options.group_key = NULL;
    scene_run(&scene);
    rig_wait(PATIENCE_MS, rig_int(scene.rig, "LLEN bull:q:wait") == 2501);
    rig_wait(PATIENCE_MS,
             rig_int(scene.rig, "EXISTS bull:q:waiting-children " OWN "parked " OWN
                                "running " OWN "busy " OWN "seq") == 0);
    for (int i = 2; i < 2500; i++) {
        (void)snprintf(id, sizeof id, "a%d", i);
        rig_expect(scene.rig, id, "LINDEX bull:q:wait %d", -(i - 1));
    }
    assert_int_equal(rig_stop(scene.rig, PATIENCE_MS), BW_END_DRAINED);
    rig_keeper_fini(scene.keeper);
    free(scene.keeper);
}

/* --- options */

static void refused_options(void **state)
{
    struct rig *rig = *state;
    struct bw_queue_options options = grouped(1);
    struct bw_error err;

    rig_worker(rig, NULL, &rig_noop, NULL);
    options.name = "other";
    options.group_key = " | .";
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL);
    assert_non_null(strstr(err.text, "groupKey"));
    options.group_key = "a";
    options.group_concurrency = 0;
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL);
    assert_non_null(strstr(err.text, "groupConcurrency"));
    options.group_concurrency = 1;
    options.group_rate_max = 1;
    assert_int_equal(bw_worker_add_queue(rig->worker, &options, &rig_noop, NULL, &err),
                     BW_EINVAL);
    assert_non_null(strstr(err.text, "groupRate.duration"));
    rig_start(rig);
}

#define WORKER_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(order_with_two_workers),
        WORKER_TEST(slots_are_not_held),
        WORKER_TEST(jobs_without_a_group_run_freely),
        WORKER_TEST(group_of_two_values),
        WORKER_TEST(more_than_one_at_once),
        WORKER_TEST(rate_of_a_group),
        WORKER_TEST(retry_lets_the_group_go_on),
        WORKER_TEST(delayed_retry_lets_the_group_go_on),
        WORKER_TEST(strict_group_waits_for_a_retry),
        WORKER_TEST(put_back_keeps_its_place),
        WORKER_TEST(handed_back_keeps_its_place),
        WORKER_TEST(put_off_gives_its_place_up),
        WORKER_TEST(delayed_jobs_join_when_they_are_due),
        WORKER_TEST(waiting_for_children_gives_the_place_up),
        WORKER_TEST(parked_job_is_removed),
        WORKER_TEST(running_job_is_removed),
        WORKER_TEST(running_job_is_ended_by_others),
        WORKER_TEST(paused_queue),
        WORKER_TEST(handed_back_in_order),
        WORKER_TEST(killed_worker),
        WORKER_TEST(groups_are_turned_off),
        WORKER_TEST(refused_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
