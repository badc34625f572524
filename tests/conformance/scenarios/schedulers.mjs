// Job schedulers and legacy repeatables (lib/spec/bullmq.md §9). Most times lie far ahead and are the same on
// both sides; where a first iteration is due now, dump.mjs counts iterations from it.
import { fail, NEWEST, ret, scenario } from './scenario.mjs';

const T = 2100000000000; // far away, and exact in a score
const HOUR = 3600000;

const upsert = (stage, id, repeat, template) =>
    stage.op('upsertScheduler', { id, repeat, template });

/** These schedulers, one after the other; what is read at the end is compared. */
const upserted =
    (...list) =>
    async (stage) => {
        for (const [id, repeat, template] of list) await upsert(stage, id, repeat, template);
        await stage.op('listSchedulers', { ascending: true });
        await stage.op('countSchedulers');
    };

const doing = (steps, opts) => ({ name: 'n', data: { do: steps }, opts });
const yearly = { pattern: '0 0 1 1 *', tz: 'UTC' };
const later = { every: 10000, startDate: T };

/** An iteration of `sid` that is due, and its scheduler, as a producer has left them. */
async function dueIteration(stage, sid, at, repeat, hash, more = {}) {
    const id = `repeat:${sid}:${at}`;
    const opts = { repeat: { count: 1, ...repeat }, jobId: id, delay: 0, timestamp: at, ...more };
    const job = { name: 'n', data: JSON.stringify({ do: [ret('done')] }), timestamp: at };
    Object.assign(job, { opts: JSON.stringify(opts), delay: 0, priority: 0, rjk: sid });
    await stage.redis.zadd(stage.key('repeat'), at, sid);
    if (hash) await stage.redis.hset(stage.key(`repeat:${sid}`), hash);
    await stage.redis.hset(stage.key(id), job);
    await stage.redis.lpush(stage.key('wait'), id);
    await stage.redis.zadd(stage.key('marker'), 0, '0');
}

/** A worker runs one iteration that is due, and plans the one after it, far ahead. */
const ranOnce =
    (sid, at, repeat, hash, more, options = {}) =>
    async (stage) => {
        await dueIteration(stage, sid, at, repeat, hash, more);
        await stage.start(options);
        await stage.finished(1);
    };

const strictly = (stage) => ({ strict: stage.line === '6' });

export const schedulers = [
    scenario(
        'scheduler: every, from a start on',
        ['148', '149'],
        upserted(
            ['plain', later],
            ['full', { ...later, limit: 9, endDate: T + HOUR }, doing([], { attempts: 2 })],
            ['options', later, { opts: { backoff: 5, priority: 3, lifo: true, keepLogs: 4 } }],
            ['empty', later, { data: {}, opts: {} }],
            ['past', { ...later, startDate: T - 3 * HOUR }, { name: 'other', data: [1, 'ü'] }],
        ),
    ),
    scenario('scheduler: every, now', ['148'], async (stage) => {
        await upsert(stage, 's', { every: HOUR }, doing([ret('done')], { attempts: 2 }));
        await stage.op('countSchedulers');
    }),
    scenario('scheduler: every with an offset', ['149'], async (stage) => {
        await upsert(stage, 's', { every: 50 * HOUR, offset: 45 * HOUR }, { data: { a: 1 } });
    }),
    scenario(
        'scheduler: changed',
        ['150'],
        upserted(
            ['s', later, { name: 'a', data: { a: 1 } }],
            ['s', later, { name: 'b', data: { b: 1 } }],
            ['s', { ...later, every: 20000 }, { name: 'c' }],
            ['s', { ...later, every: 20000, limit: 3 }, { name: 'd', opts: { priority: 2 } }],
            ['s', yearly, { name: 'e' }],
            ['s', yearly, { name: 'f', opts: { lifo: true } }],
            ['s', later, { name: 'g' }],
        ),
    ),
    scenario('scheduler: changed while it waits', ['150'], async (stage) => {
        await upsert(stage, 's', { every: HOUR }, { name: 'a' });
        await stage.redis.hset(stage.key('repeat:s'), 'ic', 7);
        await upsert(stage, 's', { every: HOUR }, { name: 'b', opts: { priority: 4 } });
        await upsert(stage, 's', { every: HOUR }, { name: 'c' });
    }),
    scenario('scheduler: changed while the queue is paused', ['150'], async (stage) => {
        await stage.queue.pause();
        await upsert(stage, 's', later, { name: 'a' });
        await upsert(stage, 's', later, { name: 'b' });
    }),
    scenario(
        'scheduler: patterns',
        ['155'],
        upserted(
            ['utc', yearly],
            ['zone', { pattern: '0 30 2 1 jan *', tz: 'Europe/Madrid', limit: 5 }, { data: { a: 1 } }],
            ['from', { ...yearly, startDate: T, endDate: T + 9000 * HOUR }],
            ['none', { ...yearly, endDate: Date.now() + 1000 }],
            ['last', { pattern: '0 0 L 2 *', tz: 'America/New_York', startDate: T }],
        ),
    ),
    scenario(
        'scheduler: zones in any case',
        ['155', '172'],
        upserted(
            ['lower', { pattern: '0 30 2 1 jan *', tz: 'europe/madrid' }],
            ['mixed', { pattern: '0 30 2 1 jan *', tz: 'aMERICA/nEW_yORK' }],
            ['ahead', { pattern: '0 30 2 1 jan *', tz: 'utc+5:30' }],
        ),
    ),
    // The line 5 knows no H. What is drawn here is the same number on both sides: there is only one.
    scenario(
        'scheduler: hashed fields',
        ['172'],
        upserted(
            ['minute', { pattern: '0 H(7-7) H(3-3) 1 1 *' }],
            ['stepped', { pattern: 'H(30-30)/5 0 0 1 H(1-1) *', tz: 'Europe/London' }],
        ),
        NEWEST,
    ),
    scenario('scheduler: a pattern at once', ['155'], async (stage) => {
        await upsert(stage, 's', { ...yearly, immediately: true }, doing([ret('done')]));
        await stage.start();
        await stage.finished(1);
    }),
    scenario('scheduler: refused', ['148', '155'], async (stage) => {
        const wrong = [
            {},
            { every: 10, pattern: '* * * * *' },
            { ...yearly, immediately: true, startDate: T },
            { every: 10, endDate: 5 },
            { pattern: '61 * * * *' },
            { pattern: '0 0 31 2 *' },
            { pattern: '* * * * *', tz: 'No/Where' },
        ];
        await stage.queue.waitUntilReady(); // the queue's own settings are no part of this
        await stage.redis.hset(stage.key('meta'), 'opts.maxLenEvents', '10000');
        for (const repeat of wrong) await upsert(stage, 's', repeat);
    }),
    scenario(
        'scheduler: the next iteration',
        ['151'],
        async (stage) => {
            await upsert(stage, 's', { every: HOUR }, doing([[['gate', 'g'], ...ret('done')]]));
            await stage.start();
            await stage.seen('delayed');
            stage.open('g');
            await stage.finished(1);
        },
    ),
    scenario(
        'scheduler: retried iterations plan nothing',
        ['152'],
        async (stage) => {
            const template = doing([fail('one'), ret('two')], { attempts: 3, backoff: 5 });
            await upsert(stage, 's', { every: HOUR }, template);
            await stage.start();
            await stage.finished(1);
        },
    ),
    scenario('scheduler: the last iteration', ['153'], async (stage) => {
        await upsert(stage, 's', { every: HOUR, limit: 1 }, doing([ret('done')]));
        await stage.start();
        await stage.finished(1);
        await stage.op('countSchedulers');
    }),
    scenario(
        'scheduler: an iteration whose time is over',
        ['153'],
        ranOnce('s', T - 20 * HOUR, { every: HOUR, endDate: 1700000000000 }, {
            name: 'n',
            every: HOUR,
            ic: 1,
        }),
    ),
    scenario(
        'scheduler: missed iterations',
        ['154'],
        async (stage) => {
            const at = Date.now() - 7 * HOUR;
            const hash = { name: 'n', data: '[]', every: 48 * HOUR, offset: 0, ic: 1 };
            await dueIteration(stage, 's', at - (at % (48 * HOUR)), { every: 48 * HOUR }, hash);
            await stage.start();
            await stage.finished(1);
        },
    ),
    scenario(
        'scheduler: its hash decides',
        ['151'],
        ranOnce(
            's',
            T,
            { every: 5 },
            { name: 'new', data: '{"x":1}', every: HOUR, ic: 4, offset: 0 },
            { attempts: 3, backoff: 7, priority: 2, kl: 4 },
        ),
    ),
    scenario(
        'scheduler: the next time of a pattern',
        ['151', '155'],
        ranOnce(
            's',
            T,
            { pattern: '0 30 2 * * *', tz: 'Europe/Madrid', limit: 9 },
            { name: 'n', data: '1', pattern: '0 30 2 * * *', tz: 'Europe/Madrid', ic: 1, offset: 0 },
            { prevMillis: T },
        ),
    ),
    scenario(
        'scheduler: the next time in a zone in lower case',
        ['151', '172'],
        ranOnce(
            's',
            T,
            { pattern: '0 30 2 * * *', tz: 'europe/madrid', limit: 9 },
            { name: 'n', data: '1', pattern: '0 30 2 * * *', tz: 'europe/madrid', ic: 1, offset: 0 },
            { prevMillis: T },
        ),
    ),
    scenario('scheduler: taken slots', ['156'], async (stage) => {
        const taken = (id, at) => stage.redis.hset(stage.key(`repeat:${id}:${at}`), 'name', 'x');
        await taken('p', Date.UTC(2040, 0, 1));
        await upsert(stage, 'p', { ...yearly, startDate: Date.UTC(2039, 6, 1) });
        for (let i = 0; i < 32; i++) await taken('s', T + 10000 * i);
        await upsert(stage, 's', later);
        for (let i = 0; i < 33; i++) await taken('t', T + 10000 * i);
        await upsert(stage, 't', later);
    }),
    scenario(
        'scheduler: the next slot is taken',
        ['156'],
        async (stage) => {
            await stage.redis.hset(stage.key(`repeat:s:${T + HOUR}`), { name: 'x', data: '{}', opts: '{}' });
            await ranOnce('s', T, { every: HOUR }, { name: 'n', every: HOUR, offset: 0, ic: 1 })(stage);
        },
    ),
    scenario('scheduler: removed', ['157'], async (stage) => {
        await upsert(stage, 'a', later);
        await upsert(stage, 'b', { every: HOUR });
        await upsert(stage, 'c', yearly);
        for (const id of ['a', 'b', 'x', 'a']) await stage.op('removeScheduler', { id });
        await stage.op('getScheduler', { id: 'a' });
        await stage.op('getScheduler', { id: 'c' });
        await stage.op('listSchedulers');
    }),
    scenario(
        'scheduler: removed while it runs',
        ['157'],
        async (stage) => {
            await upsert(stage, 's', { every: HOUR }, doing([[['gate', 'g'], ...ret('done')]]));
            await stage.start();
            await stage.seen('delayed');
            await stage.op('removeScheduler', { id: 's' });
            stage.open('g');
            await stage.finished(1);
        },
    ),
    scenario('scheduler: removed before it runs', ['157'], async (stage) => {
        await upsert(stage, 's', { every: HOUR }, doing([ret('done')]));
        await stage.op('removeScheduler', { id: 's' });
        await stage.start();
        await stage.finished(1);
    }),
    // The reference's own behaviour is asked for where the 6.x line loses data or work (A.4, 8); what ours
    // does otherwise is what the 5.x line does.
    scenario('legacy repeatable: by its hash or a key', ['158'], async (stage) => {
        const repeat = { every: HOUR, key: 'a1b2c3' };
        await ranOnce('a1b2c3', T, repeat, { name: 'n', every: HOUR }, {}, strictly(stage))(stage);
    }),
    scenario('legacy repeatable: by its parts', ['159'], async (stage) => {
        const more = { prevMillis: T };
        const sid = 'n:id:::3600000';
        const repeat = { every: HOUR, key: sid };
        await ranOnce(sid, T, repeat, undefined, more, strictly(stage))(stage);
    }),
    scenario('legacy repeatable: a pattern by its parts', ['159'], async (stage) => {
        const sid = 'n:id::Asia/Tokyo:0 3 * * *';
        const repeat = { pattern: '0 3 * * *', tz: 'Asia/Tokyo', key: sid };
        const more = { prevMillis: T };
        await ranOnce(sid, T, repeat, undefined, more, strictly(stage))(stage);
    }),
];
