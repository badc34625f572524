// Reading a queue (lib/spec/bullmq.md §7.4, §10.9).
import { BOTH, fail, ret, scenario } from './scenario.mjs';

const T = 2100000000000; // far away, and exact in a score
const LONG = 3600000;
const LATER = { delay: LONG, timestamp: T };
const TYPES = ['active', 'completed', 'delayed', 'failed', 'prioritized', 'waiting', 'waiting-children'];

const add = (stage, jobId, opts = {}, steps = [ret(jobId)]) =>
    stage.op('add', { name: jobId, data: { do: steps }, opts: { jobId, ...opts } });

/** Two completed, two failed, and some that wait in each way. */
async function fill(stage) {
    for (const id of ['c1', 'c2']) await add(stage, id);
    for (const id of ['f1', 'f2']) await add(stage, id, {}, [fail('no')]);
    const worker = await stage.start({ metrics: { maxDataPoints: 10 } });
    await stage.finished(4);
    await worker.stop();
    for (const n of [1, 2, 3]) {
        await add(stage, `w${n}`);
        await add(stage, `p${n}`, { priority: n });
        await add(stage, `d${n}`, { ...LATER, delay: LONG + n });
    }
}

export const reading = [
    scenario('reading: counts', ['133'], async (stage) => {
        await stage.op('counts', { types: TYPES });
        await fill(stage);
        await stage.op('counts', { types: TYPES });
        await stage.op('counts', { types: ['wait', 'delayed'] });
        await stage.op('countsPerPriority', { priorities: [0, 1, 2, 3, 9] });
    }),
    scenario('reading: ranges', ['133'], async (stage) => {
        await fill(stage);
        for (const type of ['wait', 'prioritized', 'delayed', 'completed']) {
            for (const ascending of [true, false]) {
                await stage.op('ranges', { types: [type], start: 0, end: -1, ascending });
                await stage.op('ranges', { types: [type], start: 1, end: 1, ascending });
            }
        }
    }),
    scenario('reading: how long the limit lasts', ['134'], async (stage) => {
        await add(stage, 'a');
        await stage.op('rateLimitTtl', {});
        await stage.op('rateLimitTtl', { max: 2 });
        await stage.redis.set(stage.key('limiter'), '2', 'PX', LONG);
        await stage.op('rateLimitTtl', {});
        await stage.op('rateLimitTtl', { max: 2 });
        await stage.op('rateLimitTtl', { max: 3 });
        await stage.redis.hset(stage.key('meta'), 'max', '5');
        await stage.op('rateLimitTtl', {});
        await stage.redis.hset(stage.key('meta'), 'max', '1');
        await stage.op('rateLimitTtl', {});
    }),
    scenario(
        'reading: Prometheus',
        ['167'],
        async (stage) => {
            await fill(stage);
            await stage.op('prometheus', {});
            await stage.op('prometheus', { labels: { env: 'a"b\\c\nd', host: 'h' } });
            await stage.op('metrics', { of: 'completed', start: 0, end: -1 });
        },
        BOTH,
    ),
];
