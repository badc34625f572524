// The line protocol row by row (worker/handlers/exec/protocol.md): what a program is told, what it may ask
// and say, and what becomes of the job. exec.mjs and exec_programs.mjs have the rest.
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { ended, redis, run, stage } from './exec_rig.mjs';
import { PATIENCE, runAll, sleep, test, until } from './rig.mjs';

const result = (value) => ({ type: 'result', value });
const REPLIES = result('$replies');
const ask = (method, params = {}) => ({ ask: { method, params } });
const error = (name, more = {}) => ({ type: 'error', name, message: 'moved', ...more });
const seen = async (it) => (await run(it, { seen: true })).job.returnvalue;

async function withRedis(use) {
    const client = new Redis(redis.port, '127.0.0.1');
    try {
        return await use(client);
    } finally {
        client.disconnect();
    }
}

// "Worker to program"

test('hello: first, once, without the password unless it is shared', async (cleanup) => {
    await withRedis((client) => client.acl('SETUSER', 'bob', 'on', '>secret', '~*', '&*', '+@all'));
    const url = `redis://bob:secret@127.0.0.1:${redis.port}/0`;
    for (const shareRedis of [false, true]) {
        const it = await stage(cleanup, { handler: { shareRedis }, workerName: 'w-7' }, { redis: { url } });
        const all = await seen(it);
        assert.equal(all.filter(({ type }) => type === 'hello').length, 1);
        const { version, ...hello } = all[0];
        assert.match(version, /^\d+\.\d+\.\d+/);
        assert.deepEqual(hello, { type: 'hello', protocol: 1, queue: it.name, prefix: 'bull', worker: 'w-7',
            redis: shareRedis ? url : `redis://127.0.0.1:${redis.port}/0` });
    }
});

test('job: absent fields are omitted, data and opts pass unchanged', async (cleanup) => {
    const it = await stage(cleanup);
    const bare = JSON.parse((await run(it, { echo: true })).job.returnvalue.line);
    for (const key of ['parent', 'repeatJobKey', 'deduplicationId', 'progress'])
        assert.ok(!(key in bare) || bare[key] === null || bare[key] === 0, key);
    const opts = { priority: 3, attempts: 4, deduplication: { id: 'd1' }, keepLogs: 5 };
    const { job } = await run(it, { echo: true }, opts);
    const full = JSON.parse(job.returnvalue.line);
    assert.equal(full.priority, 3);
    assert.equal(full.deduplicationId, 'd1');
    assert.equal(full.attemptsMade, 0);
    assert.equal(full.attemptsStarted, 1);
    const stored = await withRedis((client) => client.hget(`bull:${it.name}:${job.id}`, 'opts'));
    assert.ok(job.returnvalue.line.includes(`"opts":${stored}`), 'to the byte');
});

test('events: each of them, where they are wanted', async (cleanup) => {
    const it = await stage(cleanup, { handler: { events: true }, stalledInterval: 200, lockDuration: 1000,
        concurrency: 2 });
    const events = async (name) => ((await seen(it)) ?? [])
        .filter(({ type, event }) => type === 'event' && event === name);
    const told = (name, fits = () => true) =>
        until(async () => (await events(name)).find(fits), `the event ${name}`, 15000 * PATIENCE);
    const done = await run(it, { say: [result({ a: 1 })] });
    await told('active', ({ id }) => id === done.job.id);
    assert.deepEqual((await told('completed', ({ id }) => id === done.job.id)).result, { a: 1 });
    const failed = await run(it, { say: [{ type: 'error', name: 'Error', message: 'boom' }] }, { attempts: 2 });
    const last = await told('failed', ({ id, attemptsMade }) => id === failed.job.id && attemptsMade === 2);
    assert.equal(last.error, 'boom');
    await told('retrying', ({ id }) => id === failed.job.id);
    await told('drained');
    assert.equal((await it.daemon.http('POST', `/queues/${it.name}/pause`)).status, 200);
    assert.equal((await it.daemon.http('POST', `/queues/${it.name}/resume`)).status, 200);
    await told('paused');
    await told('resumed');
    // a worker that died with this job
    await it.producer.add('job', { say: [result('late')] }, { jobId: 'stuck', delay: 3600000 });
    await withRedis(async (client) => {
        const key = (suffix) => `bull:${it.name}:${suffix}`;
        await client.multi().zrem(key('delayed'), 'stuck').lpush(key('active'), 'stuck').exec();
    });
    await told('stalled', ({ id }) => id === 'stuck');
    await ended(it, 'stuck');
    // its lock is taken away
    const robbed = await it.producer.add('job', { hang: true });
    await until(async () => (await robbed.getState()) === 'active', 'the job to run');
    await withRedis((client) => client.set(`bull:${it.name}:${robbed.id}:lock`, 'somebody else'));
    await told('lockRenewalFailed', ({ id }) => id === robbed.id);
    await withRedis((client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    assert.match((await told('error')).error, /./);
});

test('events: none where they are not', async (cleanup) => {
    const it = await stage(cleanup);
    await run(it, { say: [result(1)] });
    assert.deepEqual((await seen(it)).map(({ type }) => type), ['hello']);
});

test('cancel: with its reason; the program still answers', async (cleanup) => {
    const it = await stage(cleanup, { concurrency: 2, timeout: 300 });
    const { job } = await run(it, { slow: 900 });
    assert.equal(job.returnvalue, job.id, 'what it completes within killGrace counts');
    const cancels = (await seen(it)).filter(({ type }) => type === 'cancel');
    assert.equal(cancels.length, 1);
    assert.equal(typeof cancels[0].seq, 'number');
    assert.equal(cancels[0].reason, 'cancelled');
});

test('cancel: an answer after the lock was lost is ignored', async (cleanup) => {
    const it = await stage(cleanup, { lockDuration: 800, stalledInterval: 600000 });
    const job = await it.producer.add('job', { slow: 2500 });
    await until(async () => (await job.getState()) === 'active', 'the job to run');
    await withRedis((client) => client.set(`bull:${it.name}:${job.id}:lock`, 'somebody else'));
    await until(async () => (await seen(it)).some(({ type, reason }) => type === 'cancel' &&
        reason === "the job's lock is lost"), 'the cancellation');
    await sleep(3000);
    assert.equal(await job.getState(), 'active', "it is somebody else's");
});

// "Program to worker"

test('ready: lowers the share of its program', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'single', concurrency: 6, handler: { processes: 2 } });
    const jobs = await it.producer.addBulk(Array.from({ length: 6 },
        () => ({ name: 'job', data: { slow: 700 } })));
    for (const { id } of jobs) await ended(it, id);
    // each has one at a time, so six jobs of 0.7 s take three rounds
    const active = await Promise.all(jobs.map(({ id }) => it.producer.getJob(id)));
    const first = Math.min(...active.map(({ finishedOn }) => finishedOn));
    const late = Math.max(...active.map(({ finishedOn }) => finishedOn));
    assert.ok(late - first >= 1300, `${late - first} ms`);
});

test('result: a missing value is stored as BullMQ stores undefined', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { say: [{ type: 'result' }] });
    assert.equal(await withRedis((client) => client.hget(`bull:${it.name}:${job.id}`, 'returnvalue')), 'null');
});

test('DelayedError: by its delay, and where the program has moved the job itself', async (cleanup) => {
    const it = await stage(cleanup);
    const at = Date.now() + 3600000;
    const moved = await it.producer.add('job',
        { script: [ask('moveToDelayed', { timestamp: at }), error('DelayedError')] });
    await until(async () => (await moved.getState()) === 'delayed', 'the delayed job');
    const score = await withRedis((client) => client.zscore(`bull:${it.name}:delayed`, moved.id));
    assert.ok(Math.abs(Math.floor(Number(score) / 4096) - at) <= 1000);
    assert.equal((await it.producer.getJob(moved.id)).attemptsMade, 0, 'without an attempt made');
    const soon = await run(it, { turns: [{ script: [error('DelayedError', { delayMs: 100 })] },
        { say: [result('again')] }] });
    assert.deepEqual([soon.job.returnvalue, soon.job.attemptsMade, soon.job.attemptsStarted], ['again', 1, 2]);
});

test('WaitingError: the program has put the job back itself', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { turns: [{ script: [ask('moveToWait'), error('WaitingError')] },
        { say: [result('again')] }] });
    assert.deepEqual([job.returnvalue, job.attemptsMade, job.attemptsStarted], ['again', 1, 2]);
});

test('RateLimitError: the queue is limited, the job waits without an attempt made', async (cleanup) => {
    const it = await stage(cleanup);
    const begun = Date.now();
    const { job } = await run(it, { turns: [{ script: [error('RateLimitError', { delayMs: 800 })] },
        { say: [result('again')] }] }, { attempts: 1 });
    assert.deepEqual([job.returnvalue, job.attemptsMade], ['again', 1]);
    assert.ok(Date.now() - begun >= 790);
});

test('WaitingChildrenError: children are added, waited for, and read', async (cleanup) => {
    const it = await stage(cleanup);
    const child = (name, data, opts) => ask('addJob', { queue: it.name, name, data,
        opts: { parent: { id: 'mother', queue: `bull:${it.name}` }, ...opts } });
    const { job } = await run(it, { turns: [
        { script: [
            child('good', { slow: 3000 }, { jobId: 'good' }), // so that there is something to wait for
            child('bad', { say: [{ type: 'error', name: 'Error', message: 'spilt' }] },
                { jobId: 'bad', ignoreDependencyOnFailure: true }),
            ask('moveToWaitingChildren'), error('WaitingChildrenError')] },
        { script: [ask('childrenValues'), ask('ignoredChildrenFailures'), ask('moveToWaitingChildren'),
            REPLIES] }] }, { jobId: 'mother' });
    const [values, ignored, again] = job.returnvalue.map((reply) => reply.result);
    assert.deepEqual(values, { [`bull:${it.name}:good`]: 'good' });
    assert.deepEqual(ignored, { [`bull:${it.name}:bad`]: 'spilt' });
    assert.equal(again, false, 'nothing left to wait for');
    assert.equal(job.attemptsMade, 1);
});

test('the refusal to wait for a failed child is final, at once', async (cleanup) => { // BMQ-174
    const it = await stage(cleanup);
    const text = 'Cannot complete job mother because it has at least one failed child. moveToWaitingChildren';
    const script = [
        ask('addJob', { queue: it.name, name: 'bad', data: { say: [{ type: 'error', name: 'Error', message: 'no' }] },
            opts: { jobId: 'bad', failParentOnFailure: true, parent: { id: 'mother', queue: `bull:${it.name}` } } }),
        { pause: 4000 }, ask('moveToWaitingChildren'), error('Error', { message: text })];
    const { job } = await run(it, { script }, { jobId: 'mother', attempts: 3 });
    assert.deepEqual([job.failedReason, job.attemptsMade], [text, 1]);
    const { job: { returnvalue: seenAll } } = await run(it, { seen: true });
    const { error: said, name } = seenAll.filter(({ type }) => type === 'reply').at(-1);
    assert.deepEqual([said, name], [text, 'UnrecoverableError']);
});

test('requests: every method, good and bad; replies name their request', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { script: [
        ask('state'), ask('extendLock', { durationMs: 45000 }), ask('childrenValues'),
        ask('ignoredChildrenFailures'), ask('extendLock', { durationMs: 0 }), ask('extendLock'),
        ask('moveToDelayed', { timestamp: 'soon' }), ask('addJob', { queue: it.name }),
        ask('addJob', { queue: 'a:b', name: 'x', data: 1 }), ask('nonsense'),
        { ask: { method: 'state', params: 7 } },
        ask('addJob', { queue: it.name, name: 'added', data: { say: [result(9)] }, opts: { jobId: 'extra' } }),
        REPLIES] });
    const replies = job.returnvalue;
    assert.deepEqual(replies.map(({ req }) => req), replies.map((_, i) => `r${i + 1}`));
    assert.deepEqual(replies.slice(0, 4).map((reply) => reply.result), ['active', 1, {}, {}]);
    for (const [i, pattern] of [[4, /durationMs/], [5, /durationMs/], [6, /timestamp/], [7, /name/],
        [8, /queue/], [9, /unknown method/], [10, /params/]])
        assert.match(replies[i].error, pattern, `reply ${i}`);
    assert.deepEqual(replies[11].result, { id: 'extra' });
    assert.equal((await ended(it, 'extra')).job.returnvalue, 9);
    const pttl = await withRedis((client) => client.pttl(`bull:${it.name}:${job.id}:lock`));
    assert.equal(pttl, -2, 'the lock ended with the job');
});

test('messages come in pieces, at any byte', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { pieces: 'Grüße 🔑' });
    assert.equal(job.returnvalue, 'Grüße 🔑');
    assert.deepEqual((await it.producer.getJobLogs(job.id)).logs, ['ü']);
});

test('a log before its result is stored before the job is finished', async (cleanup) => {
    const it = await stage(cleanup);
    const order = await withRedis(async (client) => {
        const monitor = await client.monitor();
        const lines = [];
        monitor.on('monitor', (time, args) => lines.push(args.join(' ')));
        const { job } = await run(it, { say: [{ type: 'log', row: 'first' }, { type: 'progress', value: 3 },
            { type: 'log', row: 'second' }, { type: 'data', value: { d: 1 } }, result('value-of-it')] });
        assert.equal(job.returnvalue, 'value-of-it');
        const seen = (text) => lines.findIndex((line) => line.includes(text) && !line.includes('"say"'));
        await until(() => seen('value-of-it') >= 0, 'the last of the commands');
        monitor.disconnect();
        return ['first', 'second', '{"d":1}', 'value-of-it'].map(seen);
    });
    assert.ok(order.every((at) => at >= 0), `${order}`);
    assert.deepEqual([...order].sort((a, b) => a - b), order);
});

await runAll();
