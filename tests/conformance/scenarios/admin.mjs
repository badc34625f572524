// Operations on whole queues (lib/spec/bullmq.md §7.3, §10).
import { fail, gate, NEWEST, ret, scenario } from './scenario.mjs';

const T = 2100000000000; // far away, and exact in a score
const LONG = 3600000;
const LATER = { delay: LONG, timestamp: T };

const add = (stage, jobId, opts = {}, steps = [ret(jobId)]) =>
    stage.op('add', { name: jobId, data: { do: steps }, opts: { jobId, ...opts } });

/** Two of each kind that waits. */
async function fill(stage) {
    for (const n of [1, 2]) {
        await add(stage, `w${n}`);
        await add(stage, `p${n}`, { priority: n });
        await add(stage, `d${n}`, LATER);
    }
}

/** Jobs c1 … completed and f1 … failed; the worker is gone. */
async function finish(stage, completed, failed, opts = {}) {
    for (let n = 1; n <= completed; n++) await add(stage, `c${n}`, opts);
    for (let n = 1; n <= failed; n++) await add(stage, `f${n}`, opts, [fail('no'), ret(n)]);
    const worker = await stage.start();
    await stage.finished(completed + failed);
    await worker.stop();
}

const cleaned = (state, grace, limit) => (stage) => stage.op('clean', { grace, limit, state });

export const admin = [
    scenario(
        'admin: pause and resume',
        ['125', '126'],
        async (stage) => {
            await stage.op('add', { name: 'n', data: { a: 1 } });
            await stage.op('pause');
            await stage.op('pause');
            await stage.op('add', { name: 'm', data: 7, opts: { priority: 2 } });
            await stage.op('resume');
            await stage.op('resume');
        },
        NEWEST,
    ),
    scenario('admin: drain', ['128'], async (stage) => {
        await fill(stage);
        await stage.op('drain', { delayed: false });
        await stage.op('drain', { delayed: true });
        await stage.op('drain', { delayed: true });
    }),
    scenario('admin: drain a family', ['128'], async (stage) => {
        await stage.flows.add({
            name: 'P',
            queueName: 'conf',
            opts: { jobId: 'P' },
            children: [
                { name: 'c1', queueName: 'conf', opts: { jobId: 'c1' } },
                { name: 'c2', queueName: 'conf', opts: { jobId: 'c2' } },
            ],
        });
        await stage.op('drain', { delayed: false });
    }),
    scenario('admin: drain keeps the iteration of a scheduler', ['128'], async (stage) => {
        await stage.op('upsertScheduler', { id: 's', repeat: { every: LONG } });
        await stage.op('drain', { delayed: true });
    }),
    ...['wait', 'delayed', 'prioritized'].flatMap((state) => [
        scenario(`admin: clean ${state}`, ['129'], async (stage) => {
            await fill(stage);
            await cleaned(state, LONG, 0)(stage);
            await cleaned(state, -LONG - T, 1)(stage);
            await cleaned(state, -LONG - T, 0)(stage);
            await cleaned(state, 0, 0)(stage);
        }),
    ]),
    ...['completed', 'failed'].map((state) =>
        scenario(`admin: clean ${state}`, ['129'], async (stage) => {
            await finish(stage, 3, 3);
            await cleaned(state, LONG, 0)(stage);
            await cleaned(state, -LONG, 2)(stage);
            await cleaned(state, -LONG, 0)(stage);
        }),
    ),
    scenario('admin: clean active', ['130'], async (stage) => {
        await add(stage, 'run', {}, [gate('g')]);
        await stage.start();
        await stage.seen('active');
        await cleaned('active', -LONG, 0)(stage);
        stage.open('g');
        await stage.finished(1);
    }),
    scenario('admin: clean active jobs without a lock', ['130'], async (stage) => {
        await add(stage, 'lost', {}, [gate('g')]);
        const worker = await stage.start();
        await stage.seen('active');
        await worker.kill();
        await stage.redis.del(stage.key('lost:lock'));
        await cleaned('active', -LONG, 0)(stage);
    }),
    scenario('admin: failed jobs run again', ['131'], async (stage) => {
        await finish(stage, 1, 3, { priority: 2 });
        await stage.op('retryJobs', { state: 'failed', count: 2, timestamp: T });
        await stage.op('retryJobs', { state: 'failed', timestamp: 1 });
    }),
    scenario('admin: completed jobs run again', ['131'], async (stage) => {
        await finish(stage, 2, 1);
        await stage.op('retryJobs', { state: 'completed', count: 10, timestamp: T });
    }),
    scenario('admin: promote jobs', ['131'], async (stage) => {
        await fill(stage);
        await add(stage, 'dp', { ...LATER, priority: 4 });
        await stage.op('promoteJobs', { count: 2 });
    }),
    scenario('admin: obliterate', ['132'], async (stage) => {
        await finish(stage, 2, 2);
        await fill(stage);
        await stage.op('obliterate', { count: 3 });
        await stage.op('obliterate', {});
    }),
    scenario('admin: obliterate what runs', ['132'], async (stage) => {
        await add(stage, 'lost', {}, [gate('g')]);
        const worker = await stage.start();
        await stage.seen('active');
        await worker.kill();
        await stage.op('obliterate', {});
        await stage.op('obliterate', { force: true });
    }),
];
