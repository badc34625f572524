// External processors from outside: what the protocol's rows do to real jobs, and what broken, slow
// and dying programs do to them.
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { redis, run, stage } from './exec_rig.mjs';
import { addJobs, eventCounts, PATIENCE, runAll, sleep, test, until } from './rig.mjs';

test('a job reaches the program to the byte, its value comes back', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { echo: true, text: 'Grüße 🔑 \u2028', number: 1e21, a: [1, { b: null }] });
    const sent = JSON.parse(job.returnvalue.line);
    assert.equal(sent.type, 'job');
    assert.equal(sent.id, job.id);
    assert.ok(job.returnvalue.line.includes(`"data":${JSON.stringify(job.data)}`));
    for (const key of ['seq', 'name', 'opts', 'token', 'timestamp', 'attemptsMade', 'attemptsStarted', 'processedOn'])
        assert.ok(key in sent, key);
    assert.equal((await run(it, { say: [{ type: 'result' }] })).job.returnvalue, null);
});

test('progress, log and data come before the end', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { say: [
        { type: 'progress', value: { part: 1 } }, { type: 'log', row: 'one' }, { type: 'log', row: 'two' },
        { type: 'data', value: { next: true } }, { type: 'result', value: 7 }] });
    assert.deepEqual([job.progress, job.data, job.returnvalue], [{ part: 1 }, { next: true }, 7]);
    assert.deepEqual((await it.producer.getJobLogs(job.id)).logs, ['one', 'two']);
});

test('errors choose their path by name', async (cleanup) => {
    const it = await stage(cleanup);
    const fail = (name, more = {}) => ({ say: [{ type: 'error', name, message: 'no', stack: 'Error: no\n at x', ...more }] });
    const plain = await run(it, fail('Error'), { attempts: 2 });
    assert.equal(plain.state, 'failed');
    assert.equal(plain.job.failedReason, 'no');
    assert.equal(plain.job.attemptsMade, 2);
    assert.equal((await run(it, fail('UnrecoverableError'), { attempts: 5 })).job.attemptsMade, 1);
    const custom = { attempts: 3, backoff: { type: 'mine' } };
    assert.equal((await run(it, fail('Error', { delayMs: -1 }), custom)).job.attemptsMade, 1);
    const delayed = await it.producer.add('job', fail('DelayedError', { delayMs: 60000 }));
    await until(async () => (await delayed.getState()) === 'delayed', 'a delayed job');
    const later = await it.producer.add('job', fail('Error', { delayMs: 60000 }), custom);
    await until(async () => (await later.getState()) === 'delayed', 'a job delayed by its backoff');
    await it.producer.add('job', fail('RateLimitError', { delayMs: 700 }));
    await until(async () => (await it.producer.getRateLimitTtl()) > 0, 'a limited queue');
});

test('requests are answered', async (cleanup) => {
    const it = await stage(cleanup);
    const ask = async (method, params) => (await run(it, { request: { method, params } })).job.returnvalue;
    assert.equal((await ask('state', {})).result, 'active');
    assert.deepEqual((await ask('childrenValues', {})).result, {});
    assert.deepEqual((await ask('ignoredChildrenFailures', {})).result, {});
    assert.equal((await ask('moveToWaitingChildren', {})).result, false);
    assert.equal((await ask('extendLock', { durationMs: 40000 })).result, 1);
    const { result } = await ask('addJob', { queue: it.name, name: 'x', data: { say: [{ type: 'result', value: 5 }] } });
    await until(async () => (await it.producer.getJob(result.id))?.returnvalue === 5, 'the added job');
    assert.match((await ask('nonsense', {})).error, /unknown method/);
});

test('garbage, unknown types and long lines restart the program', async (cleanup) => {
    const it = await stage(cleanup, { handler: { maxLineBytes: 65536 } });
    for (const data of [{ say: ['garbage\n'] }, { say: [{ type: 'dance' }] }, { long: 100000 }, { say: ['[1]\n'] }]) {
        const { state, job } = await run(it, data);
        assert.deepEqual([state, job.failedReason], ['failed', 'processor protocol error']);
    }
    assert.equal((await run(it, { say: [{ type: 'result', value: 1 }] })).state, 'completed');
});

test('a program that exits or is killed fails its jobs', async (cleanup) => {
    const it = await stage(cleanup);
    assert.equal((await run(it, { exit: 3 })).job.failedReason, 'processor exited with code 3');
    assert.equal((await run(it, { kill: 'SIGKILL' })).job.failedReason, 'processor killed by signal 9');
});

test('restarts wait longer and longer, the queue is not ready meanwhile', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'dies' });
    const ends = () => it.daemon.lines.filter(({ message }) => message === 'processor exited with code 3');
    await until(() => ends().length >= 3, 'three ends');
    assert.deepEqual(ends().slice(0, 3).map(({ restartMs }) => restartMs), [100, 200, 400]);
    const [job] = await addJobs(it.producer, 1);
    assert.equal((await it.daemon.http('GET', '/readyz')).status, 503);
    assert.equal(await job.getState(), 'waiting');
});

test('a program has startTimeout to get ready', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'mute', handler: { startTimeout: 300 } });
    await it.daemon.logged('processor did not get ready in time');
    await it.daemon.logged('processor killed by signal 9');
});

test('a flood of logs costs its own program only', async (cleanup) => {
    const it = await stage(cleanup, { handler: { processes: 2 } });
    const flood = run(it, { flood: 20000 }, { keepLogs: 10 });
    const start = Date.now();
    await run(it, { say: [{ type: 'result', value: 1 }] });
    assert.ok(Date.now() - start < 3000 * PATIENCE);
    assert.equal((await flood).job.returnvalue, 20000);
});

test('a job over its time limit is cancelled, its program killed unless it answers', async (cleanup) => {
    for (const mode of ['polite', '']) {
        const it = await stage(cleanup, { mode, timeout: 300, handler: { killGrace: mode ? 10000 : 300 } });
        const { job } = await run(it, { hang: true });
        assert.equal(job.failedReason, 'job timed out after 300 ms');
        const killed = it.daemon.lines.some(({ message }) => message === 'processor killed by signal 9');
        assert.equal(killed, mode === '');
    }
});

test('at the end jobs in flight are answered, the program exits', async (cleanup) => {
    const it = await stage(cleanup);
    const job = await it.producer.add('job', { say: [{ type: 'progress', value: 1 }], slow: 500 });
    await until(async () => (await it.producer.getJob(job.id)).progress === 1, 'the program to have it');
    it.daemon.signal('SIGTERM');
    assert.equal(await it.daemon.ended(10000 * PATIENCE), 0);
    assert.equal(await job.getState(), 'completed');
});

test('200 kills lose no job and complete none twice', async (cleanup) => {
    const it = await stage(cleanup, { handler: { processes: 40 }, concurrency: 80 });
    const alive = () => {
        const pids = new Set();
        for (const { message, pid } of it.daemon.lines) {
            if (message === 'processor is ready') pids.add(Number(pid));
            else if (message.startsWith('processor killed')) pids.delete(Number(pid));
        }
        return [...pids].filter((pid) => !dead.has(pid));
    };
    const dead = new Set();
    let added = 0;
    // all events are counted: none may be trimmed
    const client = new Redis(redis.port, '127.0.0.1');
    await client.hset(`bull:${it.name}:meta`, 'opts.maxLenEvents', '1000000');
    client.disconnect();
    while (dead.size < 200) {
        if (added < 1600) {
            await it.producer.addBulk(Array.from({ length: 20 },
                () => ({ name: 'job', data: { slow: 150 }, opts: { attempts: 1000 } })));
            added += 20;
        }
        const pids = await until(() => alive().length > 0 && alive(), 'a program to kill', 30000);
        const pid = pids[Math.floor(Math.random() * pids.length)];
        dead.add(pid);
        process.kill(pid, 'SIGKILL'); // none has ended by itself
        await sleep(Math.random() * 20);
    }
    await until(async () => (await it.producer.getJobCountByTypes('completed')) === added, 'all jobs',
        30000 * PATIENCE);
    const counts = await eventCounts(redis, 'completed', it.name);
    assert.equal(counts.size, added);
    for (const [id, count] of counts) assert.equal(count, 1, `job ${id}`);
});

await runAll();
