// What the log says of a failed attempt, and that a field is of one JSON type in all lines.
import assert from 'node:assert/strict';

import { bullmq, Redis } from '../peer/peer.mjs';
import { ended, PUPPET, redis, stage } from './exec_rig.mjs';
import { Daemon, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, test, until } from './rig.mjs';

const error = (message, name = 'Error') => ({ type: 'error', name, message });
const failures = ({ daemon }, id) => daemon.lines.filter(({ job, message }) => job === id &&
    /^(job|attempt) failed$/.test(message));
const brief = ({ level, message, attempt, name, reason }) => ({ level, message, attempt, name, reason });

test('one line an attempt: warning for the last one, info for others', async (cleanup) => {
    const it = await stage(cleanup);
    const { id } = await it.producer.add('n', { say: [error('boom')] }, { attempts: 3 });
    await ended(it, id);
    const { id: final } = await it.producer.add('n', { say: [error('boom', 'UnrecoverableError')] }, { attempts: 3 });
    await ended(it, final);
    const { id: long } = await it.producer.add('n', { say: [error('ü'.repeat(100000))] });
    await ended(it, long);
    await until(() => failures(it, long).length, 'its line');
    const line = (level, message, attempt) => ({ level, message, attempt, name: 'n', reason: 'boom' });
    assert.deepEqual(failures(it, id).map(brief), [line('info', 'attempt failed', 1),
        line('info', 'attempt failed', 2), line('warning', 'job failed', 3)]);
    assert.deepEqual(failures(it, final).map(brief), [line('warning', 'job failed', 1)]);
    assert.ok(failures(it, id).every(({ queue }) => queue === it.name));
    const [{ reason }] = failures(it, long);
    assert.match(reason, /^ü+…?$/);
    assert.ok(Buffer.byteLength(reason) <= 2048, `${Buffer.byteLength(reason)} bytes`);
});

test('so too where the worker itself decides', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'polite', timeout: 300, maxStartedAttempts: 1, stalledInterval: 300,
        maxStalledCount: 0 });
    const client = new Redis(redis.port, '127.0.0.1');
    cleanup(() => client.disconnect());
    const key = (suffix) => `bull:${it.name}:${suffix}`;
    const later = { delay: 3600000, attempts: 3 };
    await it.producer.add('n', { say: [] }, { jobId: 'lost', ...later });
    await it.producer.add('n', { say: [] }, { jobId: 'again', ...later });
    await client.multi().zrem(key('delayed'), 'lost').lpush(key('active'), 'lost').exec();
    await client.hset(key('again'), 'ats', 1);
    await (await it.producer.getJob('again')).promote();
    await it.producer.add('n', { hang: true }, { jobId: 'slow' });
    const { FlowProducer } = await bullmq('6');
    const flows = new FlowProducer({ connection: redis.connection });
    cleanup(() => flows.close());
    await flows.add({ name: 'n', queueName: it.name, opts: { jobId: 'parent' }, data: {},
        children: [{ name: 'n', queueName: it.name, data: { say: [error('boom')] },
            opts: { jobId: 'child', failParentOnFailure: true } }] });
    for (const [id, reason] of [['lost', /stalled/], ['again', /started/], ['slow', /./], ['child', /boom/],
        ['parent', /child/]]) {
        await ended(it, id);
        await until(() => failures(it, id).length, `the line of ${id}`, 10000 * PATIENCE);
        assert.equal(failures(it, id).length, 1, id);
        assert.equal(failures(it, id)[0].level, 'warning', id);
        assert.equal(failures(it, id)[0].name, 'n', id);
        assert.equal(typeof failures(it, id)[0].attempt, 'number', id);
        assert.match(failures(it, id)[0].reason, reason, id);
    }
});

test('a field is of one type in all lines', async (cleanup) => {
    const own = await PersistentRedis.create();
    cleanup(() => own.stop());
    const queue = await openQueue(own);
    cleanup(() => queue.close());
    const config = oneQueue(own, { handler: { exec: ['node', PUPPET] } }, { log: { level: 'debug' } });
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    const settled = async (data, opts) => ended({ producer: queue }, (await queue.add('n', data, opts)).id);
    await settled({ say: [error('boom')] }, { attempts: 2 });
    await settled({ exit: 1 });
    await settled({ say: ['no JSON\n'] });
    assert.equal((await daemon.http('GET', '/status')).status, 200);
    assert.equal((await daemon.http('POST', '/nix')).status, 404);
    await own.stop();
    await until(() => daemon.lines.some(({ retryMs }) => retryMs !== undefined), 'an attempt to connect');
    await own.start();
    await settled({ say: [{ type: 'result', value: 1 }] });
    daemon.signal('SIGUSR1');
    await daemon.logged('state: queue');
    daemon.rewrite({ ...config, shutdownTimeout: 2000 });
    daemon.signal('SIGHUP');
    await until(() => daemon.lines.some(({ message }) => /configuration/.test(message)), 'SIGHUP to be heard');
    await queue.add('n', { hang: true });
    await until(async () => (await queue.getActiveCount()) === 1, 'the last job');
    daemon.signal('SIGTERM');
    daemon.signal('SIGTERM');
    await daemon.ended(20000 * PATIENCE);
    const types = new Map();
    for (const line of daemon.lines)
        for (const [key, value] of Object.entries(line))
            types.set(key, (types.get(key) ?? new Set()).add(typeof value));
    assert.deepEqual([...types].filter(([, found]) => found.size > 1), []);
    assert.deepEqual([...types.get('pid')], ['number']);
    assert.ok(daemon.lines.filter(({ pid }) => pid !== undefined).length > 2);
    assert.ok(!types.has('raw'));
});

await runAll(() => redis.stop());
