// What is kept of finished jobs.
import { drainOf, fail, ret, scenario } from './scenario.mjs';

const completed = (n, opts) => Array.from({ length: n }, (_, i) => [`n${i}`, [ret(i)], opts]);
const failed = (n, opts) => Array.from({ length: n }, (_, i) => [`n${i}`, [fail(`e${i}`)], opts]);

/** A job of `ms` ago in `state`. */
async function old(stage, state, id, ms) {
    const then = Date.now() - ms;
    await stage.redis.hset(
        stage.key(id),
        'name',
        'old',
        'data',
        '{}',
        'opts',
        '{}',
        'timestamp',
        then,
        'finishedOn',
        then,
    );
    await stage.redis.zadd(stage.key(state), then, id);
}

const withOld =
    (state, jobs, options, count = 4) =>
    async (stage) => {
        for (let i = 0; i < count; i++) await old(stage, state, `old${i}`, 100000 + i * 1000);
        await old(stage, state, 'young', 5000);
        await drainOf(jobs, options)(stage);
    };

// Jobs finished within one ms are removed in the order of their ids; each takes its turn.
const pace = [['n', [[['progress', '1'], ['progress', '2'], ...ret(1)]]]];

export const retention = [
    scenario('keep: nothing completed', ['077'], drainOf(completed(3, { removeOnComplete: true }))),
    scenario('keep: count 0', ['077'], drainOf(completed(2, { removeOnComplete: { count: 0 } }))),
    scenario(
        'keep: logs go with their job',
        ['077'],
        drainOf([['n', [[['log', 'row'], ...ret(1)]], { removeOnComplete: true }]]),
    ),
    scenario('keep: the newest n', ['078'], drainOf(completed(5, { removeOnComplete: 2 }))),
    scenario('keep: the newest n failed', ['078'], drainOf(failed(5, { removeOnFail: 2 }))),
    scenario('keep: nothing failed', ['077'], drainOf(failed(2, { removeOnFail: true }))),
    scenario(
        'keep: by the worker',
        ['079'],
        drainOf(completed(4), { removeOnComplete: { count: 2 }, removeOnFail: { count: 1 } }),
    ),
    scenario(
        'keep: failed, by the worker',
        ['079'],
        drainOf(failed(4), { removeOnComplete: { count: 2 }, removeOnFail: { count: 1 } }),
    ),
    scenario(
        'keep: the job beats the worker',
        ['078', '079'],
        drainOf(completed(3, { removeOnComplete: false }), { removeOnComplete: { count: 1 } }),
    ),
    scenario(
        'keep: by age',
        ['080'],
        withOld('completed', completed(1, { removeOnComplete: { age: 60 } })),
    ),
    scenario(
        'keep: by age, so many a finish',
        ['080'],
        withOld('completed', completed(1, { removeOnComplete: { age: 60, limit: 2 } })),
    ),
    scenario(
        'keep: by age and count',
        ['078', '080'],
        withOld('completed', completed(3, { removeOnComplete: { age: 600, count: 4 } })),
    ),
    scenario(
        'keep: failed, by age, by the worker',
        ['079', '080'],
        withOld('failed', failed(1), { removeOnFail: { age: 60 } }),
    ),
    scenario(
        'keep: retries do not count',
        ['078'],
        drainOf([...pace, ['n', [fail('one'), ret(2)], { attempts: 2, removeOnComplete: 1 }]]),
    ),
];
