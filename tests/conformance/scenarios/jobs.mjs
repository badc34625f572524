// Operations on single jobs (lib/spec/bullmq.md §7.1, §7.2).
import { fail, gate, NEWEST, nothing, ret, scenario } from './scenario.mjs';

const T = 2100000000000; // far away, and exact in a score
const LONG = 3600000;
const LATER = { delay: LONG, timestamp: T };

const add = (stage, jobId, opts = {}, steps = [ret(jobId)]) =>
    stage.op('add', { name: jobId, data: { do: steps }, opts: { jobId, ...opts } });

/** P with c1 and c2 in the same queue, as BullMQ's producer puts them there. */
const family = (stage, childOpts = {}, steps = [ret(1)]) =>
    stage.flows.add({
        name: 'P',
        queueName: 'conf',
        data: { do: [ret('parent')] },
        opts: { jobId: 'P' },
        children: ['c1', 'c2'].map((jobId) => ({
            name: jobId,
            queueName: 'conf',
            data: { do: steps },
            opts: { jobId, ...childOpts },
        })),
    });

export const jobs = [
    scenario('job: another delay', ['117'], async (stage) => {
        await add(stage, 'w');
        await stage.op('changeDelay', { id: 'w', delay: 5 });
        await stage.op('changeDelay', { id: 'none', delay: 5 });
        await add(stage, 'd', LATER);
        await stage.op('changeDelay', { id: 'd', delay: LONG });
    }),
    scenario('job: another priority', ['118'], async (stage) => {
        for (const id of ['a', 'b', 'c']) await add(stage, id);
        await add(stage, 'p', { priority: 3 });
        await add(stage, 'q', { priority: 5 });
        await add(stage, 'd', LATER);
        await stage.op('changePriority', { id: 'a', priority: 4 });
        await stage.op('changePriority', { id: 'p', priority: 0 });
        await stage.op('changePriority', { id: 'b', priority: 0, lifo: true });
        await stage.op('changePriority', { id: 'q', priority: 7, lifo: true });
        await stage.op('changePriority', { id: 'd', priority: 9 });
        await stage.op('changePriority', { id: 'none', priority: 1 });
    }),
    scenario('job: promoted', ['119'], async (stage) => {
        await add(stage, 'd', LATER);
        await add(stage, 'p', { ...LATER, priority: 3 });
        await add(stage, 'w');
        for (const id of ['d', 'p', 'w', 'none']) await stage.op('promote', { id });
    }),
    scenario('job: run again', ['120', '121'], async (stage) => {
        await add(stage, 'f', { attempts: 2 }, [fail('one'), fail('two'), ret('three')]);
        await add(stage, 'c');
        await add(stage, 'r', { attempts: 1 }, [fail('once')]);
        const worker = await stage.start();
        await stage.finished(3);
        await worker.stop();
        await stage.op('reprocess', { id: 'f', state: 'failed' });
        await stage.op('reprocess', { id: 'c', state: 'completed' });
        await stage.op('reprocess', {
            id: 'r',
            state: 'failed',
            resetAttemptsMade: true,
            resetAttemptsStarted: true,
        });
        await stage.op('reprocess', { id: 'f', state: 'failed' });
        await stage.op('reprocess', { id: 'none', state: 'failed' });
    }),
    scenario(
        'job: run again by its priority',
        ['120'],
        async (stage) => {
            await add(stage, 'f', { priority: 4 }, [fail('one')]);
            await add(stage, 'l', { lifo: true }, [fail('one')]);
            const worker = await stage.start();
            await stage.finished(2);
            await worker.stop();
            await add(stage, 'w');
            await stage.op('reprocess', { id: 'f', state: 'failed' });
            await stage.op('reprocess', { id: 'l', state: 'failed' });
        },
        NEWEST,
    ),
    scenario('job: removed', ['122', '123'], async (stage) => {
        await add(stage, 'w');
        await add(stage, 'p', { priority: 1 });
        await add(stage, 'd', LATER);
        for (const id of ['w', 'p', 'd', 'd', 'none']) await stage.op('remove', { id });
    }),
    scenario('job: removed when done, not while it runs', ['122'], async (stage) => {
        await add(stage, 'c');
        await add(stage, 'f', {}, [fail('no')]);
        await stage.start();
        await stage.finished(2);
        await add(stage, 'run', {}, [gate('g')]);
        await stage.seen('active', 3);
        for (const id of ['c', 'f', 'run']) await stage.op('remove', { id });
        stage.open('g');
        await stage.finished(3);
    }),
    scenario('job: the iteration of a scheduler stays', ['122'], async (stage) => {
        await stage.op('upsertScheduler', { id: 's', repeat: { every: LONG } });
        const [id] = await stage.redis.lrange(stage.key('wait'), 0, -1);
        await stage.op('remove', { id });
    }),
    scenario('job: removed, and its deduplication freed', ['046'], async (stage) => {
        const dedup = (ttl) => ({ deduplication: { id: 'x', ...ttl } });
        await add(stage, 'a', { ...LATER, ...dedup({ ttl: LONG }) });
        await stage.op('remove', { id: 'a' });
        await add(stage, 'b', { ...LATER, ...dedup({}) });
        await stage.op('remove', { id: 'b' });
        await add(stage, 'c', dedup({}), [nothing]);
    }),
    scenario('job: children removed', ['144'], async (stage) => {
        await family(stage);
        await stage.op('remove', { id: 'c1' });
        await stage.op('remove', { id: 'c2' });
    }),
    scenario('job: removed with its children', ['144'], async (stage) => {
        await family(stage);
        await stage.op('remove', { id: 'P' });
    }),
    scenario('job: removed without its children', ['144'], async (stage) => {
        await family(stage);
        await stage.op('remove', { id: 'P', alone: true });
    }),
    scenario('job: children nobody has worked on removed', ['145'], async (stage) => {
        await stage.flows.add({
            name: 'P',
            queueName: 'conf',
            data: { do: [ret('parent')] },
            opts: { jobId: 'P' },
            children: [
                ['c1', [ret(1)]],
                ['c2', [gate('g')]],
                ['c3', [ret(3)]],
            ].map(([jobId, steps]) => ({
                name: jobId,
                queueName: 'conf',
                data: { do: steps },
                opts: { jobId },
            })),
        });
        await stage.start();
        await stage.seen('completed');
        await stage.seen('active', 2);
        await stage.op('removeUnprocessedChildren', { id: 'P' });
        stage.open('g');
        await stage.finished(3);
    }),
    ...['failParentOnFailure', 'ignoreDependencyOnFailure', undefined].map((option) =>
        scenario(`job: a failed child runs again (${option ?? 'plain'})`, ['146'], async (stage) => {
            await family(stage, option === undefined ? {} : { [option]: true }, [fail('no')]);
            const worker = await stage.start();
            await stage.finished(2);
            await worker.stop();
            await stage.op('reprocess', { id: 'c1', state: 'failed' });
        }),
    ),
];
