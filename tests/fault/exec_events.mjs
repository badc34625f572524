// What programs are told of their queue: after it has happened, all of it, and no more than memory allows.
// And what a program's health is worth, whoever ends it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Redis } from '../peer/peer.mjs';
import { ended, redis, run, stage } from './exec_rig.mjs';
import { PATIENCE, runAll, sleep, test, until } from './rig.mjs';

const result = (value) => ({ type: 'result', value });
const error = (message) => ({ type: 'error', name: 'Error', message });

async function withRedis(use) {
    const client = new Redis(redis.port, '127.0.0.1');
    try {
        return await use(client);
    } finally {
        client.disconnect();
    }
}

/** What the programs in the modes `telling` and `late` were told, as [event, id, result or error]. */
const told = ({ daemon }, name) => daemon.lines.filter(({ message }) => message === 'processor says')
    .map(({ line }) => JSON.parse(line)).filter(([event]) => event === name);

const waitFor = (it, name, fits = () => true) =>
    until(() => told(it, name).find(fits), `the event ${name}`, 15000 * PATIENCE);

test('completed and failed are told once Redis has recorded them', async (cleanup) => { // BMQ-176
    const it = await stage(cleanup, { mode: 'telling', handler: { events: true } });
    const job = await it.producer.add('job', { slow: 1000 });
    await waitFor(it, 'active', ([, id]) => id === job.id);
    redis.signal('SIGSTOP');
    await sleep(2000); // it has answered long ago
    assert.deepEqual(told(it, 'completed'), []);
    redis.signal('SIGCONT');
    assert.deepEqual(await waitFor(it, 'completed'), ['completed', job.id, job.id]);
    const failed = await run(it, { say: [error('boom')] }, { attempts: 2 });
    await until(() => told(it, 'failed').length === 2, 'both attempts');
    assert.deepEqual(told(it, 'failed'), Array(2).fill(['failed', failed.job.id, 'boom']));
    assert.equal(told(it, 'retrying').length, 1);
});

test('an end that Redis refuses is an error, and nothing else', async (cleanup) => { // BMQ-176
    const it = await stage(cleanup, { mode: 'telling', handler: { events: true }, stalledInterval: 600000 });
    const job = await it.producer.add('job', { slow: 1500 });
    await waitFor(it, 'active', ([, id]) => id === job.id);
    await withRedis((client) => client.set(`bull:${it.name}:${job.id}:lock`, 'somebody else'));
    assert.match((await waitFor(it, 'error'))[2], /lock belongs to another worker/);
    assert.deepEqual([told(it, 'completed'), told(it, 'failed')], [[], []]);
});

test('failed is told of what the worker decides itself', async (cleanup) => { // BMQ-176
    const it = await stage(cleanup, { mode: 'telling', handler: { events: true }, maxStartedAttempts: 1,
        stalledInterval: 300, maxStalledCount: 0 });
    await withRedis(async (client) => {
        const key = (suffix) => `bull:${it.name}:${suffix}`;
        const later = { delay: 3600000, attempts: 3 };
        await it.producer.add('job', { say: [result(1)] }, { jobId: 'lost', ...later });
        await it.producer.add('job', { say: [result(1)] }, { jobId: 'again', ...later });
        await client.multi().zrem(key('delayed'), 'lost').lpush(key('active'), 'lost').exec();
        await client.hset(key('again'), 'ats', 1);
        await (await it.producer.getJob('again')).promote();
    });
    await Promise.all(['lost', 'again'].map((id) => ended(it, id)));
    assert.match((await waitFor(it, 'failed', ([, id]) => id === 'lost'))[2], /^job stalled more than/);
    assert.match((await waitFor(it, 'failed', ([, id]) => id === 'again'))[2], /^job started more than/);
    assert.deepEqual(told(it, 'active'), []);
});

test('a program that is ready later hears what was before, and that the queue is paused', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'late', handler: { events: true }, stalledInterval: 200 });
    await it.daemon.logged('processor started');
    await it.producer.add('job', { say: [result(1)] }, { jobId: 'stuck', delay: 3600000 });
    await withRedis((client) => client.multi().zrem(`bull:${it.name}:delayed`, 'stuck')
        .lpush(`bull:${it.name}:active`, 'stuck').exec());
    await it.daemon.logged('stalled job put back to wait');
    assert.equal((await it.daemon.http('POST', `/queues/${it.name}/pause`)).status, 200);
    assert.ok(!it.daemon.lines.some(({ message }) => message === 'processor is ready'), 'the test was too slow');
    assert.deepEqual(await waitFor(it, 'stalled'), ['stalled', 'stuck']);
    await waitFor(it, 'paused');
    process.kill((await it.daemon.logged('processor is ready')).pid, 'SIGKILL');
    await until(() => told(it, 'paused').length === 2, 'the next program to be told so', 15000 * PATIENCE);
    assert.equal((await it.daemon.http('POST', `/queues/${it.name}/resume`)).status, 200);
    await waitFor(it, 'resumed');
    await ended(it, 'stuck');
});

test('a program that does not read costs bounded memory: the oldest events are dropped', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'single', handler: { events: true, processes: 2 }, concurrency: 2 });
    const size = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${it.daemon.child.pid}/status`, 'utf8'))[1]);
    const work = async (count) => {
        await it.producer.addBulk(Array.from({ length: count }, () => ({ name: 'job',
            data: { say: [result('x'.repeat(6000))] }, opts: { removeOnComplete: true } })));
        await until(async () => await it.producer.getJobCountByTypes('waiting', 'active') === 1, 'all but one',
            60000 * PATIENCE);
    };
    const deaf = await it.producer.add('job', { deaf: true, hang: true });
    await until(async () => (await deaf.getState()) === 'active', 'the deaf one');
    await sleep(200);
    await work(500); // its buffers are full
    const before = size();
    for (let round = 0; round < 2; round++)
        await work(1000);
    const grown = size() - before;
    assert.ok(grown < 8192 * (process.env.BULWARK_SANITIZE ? 4 : 1), `grown by ${grown} KiB`);
    const { text } = await it.daemon.http('GET', '/metrics');
    const dropped = Number(/^bulwark_exec_events_dropped_total\{.*\} (\d+)$/m.exec(text)[1]);
    assert.ok(dropped > 2000, `${dropped} dropped`);
    assert.ok((await it.daemon.http('GET', '/status')).text.includes('exec_events_dropped'));
    assert.equal(it.daemon.lines.filter(({ message }) => message.startsWith('events are dropped')).length, 1);
});

test('health counts whoever ended the program', async (cleanup) => {
    for (const [data, queue, message] of [
        [{ say: ['garbage\n'] }, {}, 'processor killed by signal 9'],
        [{ hang: true }, { timeout: 100 }, 'processor killed by signal 9'],
        [{ kill: 'SIGKILL' }, {}, 'processor killed by signal 9'],
        [{ exit: 5 }, {}, 'processor exited with code 5']]) {
        const it = await stage(cleanup, { handler: { healthyAfter: 2000, killGrace: 50 }, ...queue });
        const lines = (text) => it.daemon.lines.filter((line) => line.message === text);
        for (const [before, pause] of [0, 0, 2100].entries()) {
            await until(() => lines(message).length === before && lines('processor is ready').length === before + 1,
                'a processor after the end of the last');
            await sleep(pause);
            await run(it, data);
        }
        await until(() => lines(message).length === 3, 'three ends');
        assert.deepEqual(lines(message).map(({ restartMs }) => restartMs), [100, 200, 100]);
    }
});

test('empty lines and byte order marks are skipped', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'padded' });
    const { job } = await run(it, { say: ['\n', '\r\n', ' \t\n', '\ufeff\n',
        '\ufeff{"type":"result","seq":1,"value":5}\r\n'] });
    assert.equal(job.returnvalue, 5);
    assert.equal((await run(it, { say: [result(6)] })).job.returnvalue, 6);
});

await runAll();
