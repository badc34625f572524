/* The worker's parts that need no Redis: letters, delays, processor threads. Answers for
 * lib/jobs/base/letters.c, delays.c, processors.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <bulwark/thread.h>
#include <bulwark/worker.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/rand.h"
#include "run/delays.h"
#include "jobs/base/letters.h"
#include "run/processors.h"

/* --- letters */

struct note {
    struct bw_letter letter;
    struct bw_letterbox *box;
    unsigned sender, number;
    bool answers; /* sends another from inside its delivery, and reads */
};

static unsigned last[4];
static unsigned delivered;

static void deliver(struct bw_letter *letter, bool open)
{
    struct note *note = BW_LIST_OF(letter, struct note, letter);

    assert_true(open);
    assert_int_equal(note->number, last[note->sender] + 1);
    last[note->sender] = note->number;
    delivered++;
    if (note->answers) {
        note[1].number = note->number + 1;
        (void)bw_letterbox_put(note->box, &note[1].letter); /* nobody to wake: we read */
        bw_letterbox_read(note->box, true);
    }
}

static void letters_in_order(void **state)
{
    struct bw_letterbox box;
    struct note notes[3] = { 0 };

    (void)state;
    last[0] = delivered = 0;
    bw_letterbox_init(&box, NULL);
    bw_letterbox_read(&box, true);
    for (unsigned i = 0; i < 3; i++) {
        notes[i].letter.deliver = deliver;
        notes[i].number = i + 1;
        assert_int_equal(bw_letterbox_put(&box, &notes[i].letter), i == 0);
    }
    bw_letterbox_read(&box, true);
    assert_int_equal(delivered, 3);
    bw_letterbox_fini(&box);
}

static void letter_from_a_delivery(void **state)
{
    struct bw_letterbox box;
    struct note notes[2] = { 0 };

    (void)state;
    last[0] = delivered = 0;
    bw_letterbox_init(&box, NULL);
    for (unsigned i = 0; i < 2; i++)
        notes[i] = (struct note){ .letter.deliver = deliver, .box = &box, .number = 1 };
    notes[0].answers = true;
    assert_true(bw_letterbox_put(&box, &notes[0].letter));
    bw_letterbox_read(&box, true);
    assert_int_equal(delivered, 2);
    bw_letterbox_fini(&box);
}

enum { EACH = 20000 };

static void *send_many(void *arg)
{
    struct note *notes = arg;

    for (unsigned i = 0; i < EACH; i++)
        (void)bw_letterbox_put(notes[i].box, &notes[i].letter); /* the reader polls */
    return NULL;
}

static void letters_of_many_threads(void **state)
{
    struct bw_letterbox box;
    struct note *notes = calloc((size_t)4 * EACH, sizeof *notes);
    pthread_t threads[4];

    (void)state;
    assert_non_null(notes);
    delivered = 0;
    bw_letterbox_init(&box, NULL);
    for (unsigned i = 0; i < 4; i++) {
        last[i] = 0;
        for (unsigned n = 0; n < EACH; n++)
            notes[i * EACH + n] = (struct note){
                .letter.deliver = deliver, .box = &box, .sender = i, .number = n + 1
            };
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &notes[i * EACH]),
                         0);
    }
    while (delivered < 4 * EACH)
        bw_letterbox_read(&box, true);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    bw_letterbox_fini(&box);
    free(notes);
}

/* --- delays */

static void delays_come_in_order(void **state)
{
    enum { COUNT = 500 };
    struct bw_task tasks[COUNT] = { 0 }, *root = NULL;
    struct bw_rand rand;
    int64_t before = 0;

    (void)state;
    bw_rand_init(&rand, 7);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < COUNT; i++) {
            tasks[i].due.ns = (int64_t)(bw_rand_next(&rand) % 300);
            bw_delays_push(&root, &tasks[i]);
        }
        before = 0;
        for (int i = 0; i < COUNT; i++) {
            struct bw_task *task = bw_delays_pop(&root);

            assert_true(task->due.ns >= before);
            before = task->due.ns;
        }
        assert_null(root);
    }
}

/* --- processors */

struct work {
    struct bw_task task;
    struct bw_processors *pool;
    atomic_uint *done;
    unsigned *order; /* written by one thread */
    unsigned number, again;
};

static void count_work(struct bw_task *task)
{
    struct work *work = BW_LIST_OF(task, struct work, task);

    if (work->order != NULL)
        work->order[atomic_load(work->done)] = work->number;
    if (work->again > 0) {
        work->again--;
        if (bw_processors_post(work->pool, task, task, 1))
            return;
    }
    atomic_fetch_add(work->done, 1);
}

static void tasks_run_in_order(void **state)
{
    struct work works[50];
    unsigned order[50];
    atomic_uint done = 0;
    struct bw_processors *pool = NULL;
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_processors_start(&pool, 1, &err), BW_OK);
    for (unsigned i = 0; i < 50; i++) {
        works[i] = (struct work){
            .task = { .run = count_work }, .done = &done, .order = order, .number = i
        };
        works[i].task.next = i < 49 ? &works[i + 1].task : NULL;
    }
    assert_true(bw_processors_post(pool, &works[0].task, &works[49].task, 50));
    bw_processors_stop(&pool);
    assert_null(pool);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(order[i], i);
}

static void earlier_delay_comes_first(void **state)
{
    struct work works[3];
    unsigned order[3];
    /* so far apart that it does not matter when each of them is posted */
    const int64_t delays[] = { 900, 100, 400 };
    atomic_uint done = 0;
    struct bw_processors *pool = NULL;
    struct bw_error err;
    struct bw_mono begun = bw_mono_now(NULL);

    (void)state;
    assert_int_equal(bw_processors_start(&pool, 1, &err), BW_OK);
    for (unsigned i = 0; i < 3; i++) {
        works[i] = (struct work){
            .task = { .run = count_work }, .done = &done, .order = order, .number = i
        };
        assert_true(bw_processors_post_after(pool, &works[i].task, delays[i]));
    }
    while (atomic_load(&done) < 3)
        assert_true(bw_mono_ms_until(begun, bw_mono_now(NULL)) < 20000);
    assert_true(bw_mono_ms_until(begun, bw_mono_now(NULL)) >= 900);
    bw_processors_stop(&pool);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 0);
}

/* Each of a heap's places, and a task that is not there. */
static void hurried_task_runs_at_once(void **state)
{
    struct work works[20], stranger = { .task = { .run = count_work } };
    unsigned order[20] = { 0 };
    atomic_uint done = 0;
    struct bw_processors *pool = NULL;
    struct bw_error err;
    struct bw_mono begun = bw_mono_now(NULL);

    (void)state;
    assert_int_equal(bw_processors_start(&pool, 1, &err), BW_OK);
    for (unsigned i = 0; i < 20; i++) {
        works[i] = (struct work){
            .task = { .run = count_work }, .done = &done, .order = order, .number = i
        };
        assert_true(bw_processors_post_after(pool, &works[i].task,
                                             3600000 - (int64_t)(i * 7 % 20)));
    }
    for (unsigned i = 0; i < 20; i++) {
        bw_processors_hurry(pool, &stranger.task);
        bw_processors_hurry(pool, &works[i].task);
        bw_processors_hurry(pool, &works[i].task); /* no matter if it waits no more */
        while (atomic_load(&done) < i + 1)
            assert_true(bw_mono_ms_until(begun, bw_mono_now(NULL)) < 60000);
        assert_int_equal(order[i], i);
    }
    bw_processors_stop(&pool);
    assert_int_equal(atomic_load(&done), 20);
}

/* What is left at the end is run, at once; what it posts then is refused. */
static void end_runs_what_is_left(void **state)
{
    struct work works[2];
    atomic_uint done = 0;
    struct bw_processors *pool = NULL;
    struct bw_error err;

    (void)state;
    assert_int_equal(bw_processors_start(&pool, 2, &err), BW_OK);
    for (unsigned i = 0; i < 2; i++) {
        works[i] = (struct work){
            .task = { .run = count_work }, .pool = pool, .done = &done, .again = 1
        };
        assert_true(bw_processors_post_after(pool, &works[i].task, 3600000));
    }
    bw_processors_stop(&pool);
    assert_int_equal(atomic_load(&done), 2);
}

/* --- memory: every allocation of a worker's beginning gets its turn to fail */

static void ignore(struct bw_job *job, void *arg)
{
    (void)arg;
    bw_job_complete(job, NULL, 0);
}

static int begin_worker(struct bw_worker **workerp, const struct bw_redis_options *redis)
{
    struct bw_worker_options options = { .redis = redis, .processors = 1 };
    struct bw_handler handler = { .process = ignore };
    struct bw_queue_options queues[2];
    struct bw_redis *own;
    struct bw_error err;
    int result = bw_worker_create(workerp, &options, &err);

    for (int i = 0; i < 2 && result == BW_OK; i++) {
        bw_queue_options_init(&queues[i]);
        queues[i].name = i == 0 ? "a" : "b";
        queues[i].worker_name = "w";
        result = bw_worker_add_queue(*workerp, &queues[i], &handler, NULL, &err);
    }
    if (result == BW_OK)
        result = bw_worker_redis(*workerp, NULL, &own, &err);
    if (result == BW_OK)
        result = bw_worker_start(*workerp, &err);
    return result;
}

static void out_of_memory(void **state)
{
    struct bw_redis_options redis;
    struct bw_worker *worker = NULL;
    struct bw_error err;
    size_t failures = 0;

    (void)state;
    /* Nobody listens there: the worker is not expected to get anywhere. */
    assert_int_equal(bw_redis_options_parse(&redis, "redis://127.0.0.1:1", &err), BW_OK);
    for (;; failures++) {
        int result;

        bw_alloc_fail_at(failures);
        result = begin_worker(&worker, &redis);
        bw_alloc_fail_never();
        if (result == BW_OK)
            break;
        assert_int_equal(result, BW_ENOMEM);
        bw_worker_destroy(&worker);
    }
    assert_true(failures > 20);
    bw_worker_drain(worker, 0);
    assert_int_equal(bw_worker_wait(worker, &err), BW_END_DRAINED);
    bw_worker_destroy(&worker);
    bw_redis_options_fini(&redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_in_order),
        cmocka_unit_test(letter_from_a_delivery),
        cmocka_unit_test(letters_of_many_threads),
        cmocka_unit_test(delays_come_in_order),
        cmocka_unit_test(tasks_run_in_order),
        cmocka_unit_test(earlier_delay_comes_first),
        cmocka_unit_test(hurried_task_runs_at_once),
        cmocka_unit_test(end_runs_what_is_left),
        cmocka_unit_test(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
