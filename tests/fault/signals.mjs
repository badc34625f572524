// SIGTSTP, SIGCONT, SIGHUP, SIGUSR1.
import assert from 'node:assert/strict';

import { addJobs, Daemon, oneQueue, openQueue, PersistentRedis, runAll, sleep, test, until }
    from './rig.mjs';

async function idle(cleanup, queue, rest) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const producer = await openQueue(redis);
    cleanup(() => producer.close());
    const config = oneQueue(redis, queue, rest);
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    await until(async () => (await daemon.http('GET', '/readyz')).status === 200, 'readiness');
    return { redis, queue: producer, daemon, config };
}

test('SIGTSTP goes quiet, SIGCONT resumes', async (cleanup) => {
    const { queue, daemon } = await idle(cleanup);
    daemon.signal('SIGTSTP');
    await until(async () => (await daemon.http('GET', '/status')).json.queues[0].quiet, 'quiet');
    await addJobs(queue, 5);
    await sleep(700);
    assert.equal(await queue.getCompletedCount(), 0, 'nothing is taken');
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
    daemon.signal('SIGCONT');
    await until(async () => (await queue.getCompletedCount()) === 5, 'the jobs');
});

test('SIGHUP takes over the log level and names what needs a restart', async (cleanup) => {
    const { daemon, queue, config } = await idle(cleanup);
    await addJobs(queue, 1);
    await until(async () => (await queue.getCompletedCount()) === 1, 'the job');
    assert.ok(!daemon.lines.some((line) => line.level === 'debug'));
    daemon.rewrite({ ...config, log: { level: 'debug' }, prefix: 'other' });
    daemon.signal('SIGHUP');
    await daemon.logged('the configuration was reloaded');
    const restart = await daemon.logged('some changes count after a restart only');
    assert.equal(restart.keys, 'prefix');
    await addJobs(queue, 1);
    await until(() => daemon.lines.some((line) => line.level === 'debug'), 'a debug line');
});

test('SIGHUP with a bad configuration changes nothing', async (cleanup) => {
    const { daemon, queue, config } = await idle(cleanup);
    daemon.rewrite({ ...config, prefixx: 'other', log: { level: 'debug' } });
    daemon.signal('SIGHUP');
    const line = await daemon.logged('the configuration was not reloaded');
    assert.match(line.reason, /did you mean "prefix"/);
    await addJobs(queue, 3);
    await until(async () => (await queue.getCompletedCount()) === 3, 'the jobs');
    assert.ok(!daemon.lines.some((l) => l.level === 'debug'));
});

test('SIGUSR1 writes the state to the log', async (cleanup) => {
    const { daemon, queue } = await idle(cleanup);
    await addJobs(queue, 7);
    await until(async () => (await queue.getCompletedCount()) === 7, 'the jobs');
    daemon.signal('SIGUSR1');
    const line = await daemon.logged('state: queue');
    assert.equal(line.queue, 'q');
    assert.equal(line.completed, 7);
    assert.equal((await daemon.logged('state: reactor')).connected, 1);
});

test('SIGUSR2 and a closed log do no harm', async (cleanup) => {
    const { daemon, queue } = await idle(cleanup);
    daemon.signal('SIGUSR2');
    daemon.child.stderr.destroy(); // each log line now meets SIGPIPE
    daemon.signal('SIGUSR1');
    await addJobs(queue, 3);
    await until(async () => (await queue.getCompletedCount()) === 3, 'the jobs');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(5000), 0);
});

await runAll();
