// Programs that do wrong or are kept short, as external processors: what they may cost, and whom.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { PUPPET, redis, run, stage } from './exec_rig.mjs';
import { bulwark, Daemon, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until,
    writeConfig } from './rig.mjs';

const result = (value) => ({ type: 'result', value });

function isAlive(pid) {
    try {
        return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
        return false;
    }
}

const readyPid = async ({ daemon }) => Number((await daemon.logged('processor is ready')).pid);

test('a program that leaves a child behind: its end counts, and the child goes with it', async (cleanup) => {
    const it = await stage(cleanup);
    for (const [end, reason] of [[{ exit: 4 }, 'processor exited with code 4'],
        [{ kill: 'SIGKILL' }, 'processor killed by signal 9']]) {
        const begun = Date.now();
        const { job } = await run(it, { fork: true, ...end });
        assert.equal(job.failedReason, reason);
        assert.ok(Date.now() - begun < 3000 * PATIENCE, 'the pipe that the child holds is not waited for');
        await until(() => !isAlive(job.progress), 'the end of the child');
    }
});

test('a bad program stalls no other queue', async (cleanup) => {
    const bad = ['deaf', 'floods', 'dies'].map((mode) => ({ mode, name: `bad-${mode}-${Date.now()}` }));
    const good = `good-${Date.now()}`;
    const producers = new Map();
    for (const name of [good, ...bad.map((queue) => queue.name)]) {
        producers.set(name, await openQueue(redis, name));
        cleanup(() => producers.get(name).close());
    }
    const daemon = Daemon.start({ redis: { url: redis.url }, http: { listen: '127.0.0.1:0' }, queues: [
        { name: good, handler: { exec: ['node', PUPPET] }, concurrency: 4 },
        ...bad.map(({ name, mode }) => ({ name, handler: { exec: ['node', PUPPET, mode] }, concurrency: 50 }))] });
    cleanup(() => daemon.signal('SIGKILL'));
    const text = 'x'.repeat(100000); // more than the pipe holds
    await producers.get(bad[0].name).addBulk(Array.from({ length: 50 },
        () => ({ name: 'job', data: { deaf: true, hang: true, text } })));
    await producers.get(bad[1].name).addBulk(Array.from({ length: 10 },
        () => ({ name: 'job', data: { flood: 20000 }, opts: { keepLogs: 1 } })));
    await until(async () => (await producers.get(bad[0].name).getActiveCount()) === 50, 'the deaf one to be full');
    const begun = Date.now();
    await producers.get(good).addBulk(Array.from({ length: 50 }, () => ({ name: 'job', data: { say: [result(1)] } })));
    await until(async () => (await producers.get(good).getCompletedCount()) === 50, 'the good ones');
    assert.ok(Date.now() - begun < 3000 * PATIENCE, `took ${Date.now() - begun} ms`);
});

test('a program that stops reading is killed when a job is over its time', async (cleanup) => {
    const it = await stage(cleanup, { timeout: 500, concurrency: 20, handler: { killGrace: 300 } });
    const text = 'x'.repeat(100000);
    const jobs = await it.producer.addBulk(Array.from({ length: 20 },
        () => ({ name: 'job', data: { deaf: true, hang: true, text } })));
    await until(async () => (await it.producer.getFailedCount()) === jobs.length, 'all to fail', 15000 * PATIENCE);
    assert.ok(it.daemon.lines.some(({ message }) => message === 'processor killed by signal 9'));
    assert.equal((await run(it, { say: [result(1)] })).state, 'completed');
});

test('a flood while Redis is away costs no memory, and loses nothing', async (cleanup) => {
    const own = await PersistentRedis.create();
    cleanup(() => own.stop());
    const producer = await openQueue(own, 'q');
    cleanup(() => producer.close());
    const daemon = Daemon.start(oneQueue(own, { handler: { exec: ['node', PUPPET] }, lockDuration: 120000 }));
    cleanup(() => daemon.signal('SIGKILL'));
    const size = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.child.pid}/status`, 'utf8'))[1]);
    for (const away of ['SIGSTOP', 'stop']) {
        const job = await producer.add('job', { say: [{ type: 'progress', value: 1 }], floodAfter: 600, rows: 150000 },
            { keepLogs: 5 });
        await until(async () => (await producer.getJob(job.id)).progress === 1, 'the program to have it');
        const before = size();
        await (away === 'stop' ? own.stop() : own.signal('SIGSTOP'));
        await sleep(3000);
        const grown = size() - before;
        await (away === 'stop' ? own.start() : own.signal('SIGCONT'));
        assert.ok(grown < 16384 * (process.env.BULWARK_SANITIZE ? 8 : 1), `${away}: grown by ${grown} KiB`);
        await until(async () => (await job.getState()) === 'completed', 'its end', 30000 * PATIENCE);
        assert.deepEqual((await producer.getJobLogs(job.id)).logs,
            [149995, 149996, 149997, 149998, 149999].map((i) => `row ${i}`));
    }
});

test('the environment: what is named, and no secrets', async (cleanup) => {
    const it = await stage(cleanup, { handler: { env: ['MAIL_KEY', 'NOT_SET'] } }, {},
        { MAIL_KEY: 'k', REDIS_PASSWORD: '', DATABASE_URL: 'postgresql://app:geheim@127.0.0.1/app',
            LANG: 'C.UTF-8', HOME: '/tmp' });
    const { job } = await run(it, { env: true });
    assert.equal(job.returnvalue.MAIL_KEY, 'k');
    assert.equal(job.returnvalue.LANG, 'C.UTF-8');
    assert.ok(job.returnvalue.PATH.length > 0);
    assert.ok(!('NOT_SET' in job.returnvalue));
    const kept = readFileSync(`/proc/${await readyPid(it)}/environ`, 'utf8');
    assert.ok(!kept.includes('DATABASE_URL') && !kept.includes('geheim'), kept);
});

test('limits: address space and processor time', async (cleanup) => {
    const it = await stage(cleanup, { handler: { limits: { memory: 64 * 2 ** 30, cpu: 1 } } });
    const limits = readFileSync(`/proc/${await readyPid(it)}/limits`, 'utf8');
    assert.match(limits, /Max address space\s+68719476736\s+68719476736/);
    assert.match(limits, /Max cpu time\s+1\s+/);
    const { job } = await run(it, { spin: true });
    assert.match(job.failedReason, /^processor killed by signal (9|24)$/);
});

test('user: another one, with its groups', async (cleanup) => {
    if (process.getuid() !== 0)
        return console.log('        only root can: not tried');
    const script = 'read hello; printf \'{"type":"ready"}\\n\'; read job; ' +
        'printf \'{"type":"result","seq":1,"value":"%s"}\\n\' "$(id -un) $(id -gn)"; read rest';
    const it = await stage(cleanup, { handler: { exec: ['/bin/sh', '-c', script], user: 'nobody' } });
    assert.equal((await run(it, {})).job.returnvalue, 'nobody nogroup');
});

test('a restart after a time of health begins with 100 ms again', async (cleanup) => {
    const it = await stage(cleanup, { handler: { healthyAfter: 2500 } });
    const ends = () => it.daemon.lines.filter(({ message }) => message === 'processor exited with code 5');
    for (const pause of [0, 0, 2700]) {
        await until(() => it.daemon.lines.filter(({ message }) => message === 'processor is ready').length >
            ends().length, 'a processor');
        await sleep(pause);
        await run(it, { exit: 5 });
    }
    assert.deepEqual(ends().map(({ restartMs }) => restartMs), [100, 200, 100]);
});

test('a second SIGTERM ends a stubborn program at once', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'stubborn' }, { shutdownTimeout: 20000 });
    const job = await it.producer.add('job', { say: [{ type: 'progress', value: 1 }], hang: true });
    await until(async () => (await it.producer.getJob(job.id)).progress === 1, 'the program to have it');
    const pid = await readyPid(it);
    it.daemon.signal('SIGTERM');
    await it.daemon.logged('draining');
    it.daemon.signal('SIGTERM');
    assert.equal(await it.daemon.ended(4000 * PATIENCE), 75);
    assert.equal(isAlive(pid), false);
    assert.equal(await job.getState(), 'waiting');
});

test('check says whether a program is there', async () => {
    const check = (exec) => bulwark(['check', '--config', writeConfig(oneQueue(redis, { handler: { exec } }))]);
    assert.equal((await check(['node', PUPPET])).code, 0);
    const missing = await check(['no-such-program-here']);
    assert.notEqual(missing.code, 0);
    assert.match(missing.stdout + missing.stderr, /no-such-program-here/);
});

test('--exec: a queue without a file', async (cleanup) => {
    const name = `quick-${Date.now()}`;
    const producer = await openQueue(redis, name);
    cleanup(() => producer.close());
    const daemon = Daemon.start({ redis: { url: redis.url }, http: { listen: 'off' } },
        ['--exec', `node '${PUPPET}'`, '--queue', name, '--concurrency', '3']);
    cleanup(() => daemon.signal('SIGKILL'));
    const [{ id }] = await producer.addBulk([{ name: 'job', data: { say: [result('quick')] } }]);
    await until(async () => (await producer.getJob(id)).returnvalue === 'quick', 'the job');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(10000 * PATIENCE), 0);
});

await runAll();
