// Usage and configuration from outside: exit codes and what the operator reads.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';

import { addJobs, bulwark, Daemon, freePort, keys, openQueue, oneQueue, PATIENCE, PersistentRedis,
    runAll, test, until, writeConfig } from './rig.mjs';

test('--version and --help', async () => {
    const version = await bulwark(['--version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /^bulwark \d+\.\d+\.\d+\n$/);
    const help = await bulwark(['--help']);
    assert.equal(help.code, 0);
    for (const word of ['run', 'check', 'queue', 'workflow', '--config', 'REDIS_URL', 'DATABASE_URL',
        'TELEGRAM_API_URL', 'BULWARK_CONCURRENCY', 'lockDuration', 'removeOnComplete'])
        assert.ok(help.stdout.includes(word), word);
    assert.equal((await bulwark(['run', '--help'])).code, 0);
});

for (const [args, text] of [
    [[], 'See bulwark --help'],
    [['fly'], 'unknown command "fly"'],
    [['run', '--confg', 'x'], 'unknown option --confg, did you mean --config?'],
    [['run', '--config'], 'needs a value'],
    [['run', 'extra'], ''],
    [['run'], 'set REDIS_URL and DATABASE_URL'],
    [['run', '--config', '/nonexistent.json'], '/nonexistent.json: No such file'],
    [['workflow'], 'expected validate, run, chat or nodes'],
    [['workflow', 'validate'], 'FILE or --version-id ID expected'],
    [['workflow', 'validate', 'x.json'], 'x.json: '],
    [['workflow', 'validate', '--version-id'], '--version-id: needs a value'],
    [['workflow', 'validate', '--version-id', 'v'], 'set database.url or DATABASE_URL'],
    [['queue'], 'expected counts, pause, resume, add or cancel'],
    [['queue', 'counts'], 'wrong number of arguments'],
]) {
    test(`bulwark ${args.join(' ')}: wrong usage`, async () => {
        const result = await bulwark(args);
        assert.equal(result.code, 2);
        assert.ok(result.stderr.includes(text), result.stderr);
        assert.equal(result.stdout, '');
    });
}

for (const [config, text] of [
    ['{"queues":[{"name":"a","handler":"noop"},{"name":"b","handler":"noop"},' +
        '{"name":"c","handler":"noop","concurrency":0}]}', 'queues[2].concurrency: must be from 1'],
    ['{"queues":[{"name":"a","handler":"noop","concurency":1}]}', 'did you mean "concurrency"?'],
    ['{\n "queues": [,]\n}', 'line 2, column '],
    ['{"redis":{"url":"redis://:s3cr3t-pw@h:port/0"},"queues":[{"name":"a","handler":"noop"}]}',
        'redis.url'],
    ['{"redis":{"url":redis://:s3cr3t-pw@h}}', 'line 1, column '],
]) {
    test(`wrong configuration: ${text}`, async () => {
        for (const command of ['run', 'check']) {
            const result = await bulwark([command, '--config', writeConfig(config)]);
            assert.equal(result.code, 2);
            assert.ok(result.stderr.includes(text), result.stderr);
            assert.ok(!result.stderr.includes('s3cr3t'), result.stderr);
        }
    });
}

test('a listen address that is taken is an error where it was asked for', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const result = await bulwark(['run', '--config', writeConfig(oneQueue(redis)), '--http-listen',
        `127.0.0.1:${redis.port}`]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /http\.listen: cannot listen/);
});

test('the default address may be taken', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const holder = createServer();
    cleanup(() => holder.close());
    await new Promise((resolve) => holder.once('error', resolve) // taken by somebody: as well
        .listen(9464, '127.0.0.1', resolve));
    const daemon = Daemon.start({ ...oneQueue(redis), http: {} });
    await daemon.logged('no status server');
    await daemon.logged('running');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(5000), 0);
    assert.deepEqual(daemon.lines.filter((line) => line.level === 'error'), []);
});

test('check reaches Redis, or says that it cannot', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const good = await bulwark(['check', '--config', writeConfig(oneQueue(redis))]);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /^redis +ok$/m);
    const nowhere = { url: `redis://:s3cr3t@127.0.0.1:${await freePort()}` };
    const bad = await bulwark(['check', '--config', writeConfig(oneQueue(nowhere))]);
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^redis +FAILED: .*Connection refused/m);
    assert.ok(!(bad.stdout + bad.stderr).includes('s3cr3t'));
});

test('queue add, counts, pause, resume', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    const env = { REDIS_URL: redis.url };
    const added = await bulwark(['queue', 'add', 'q', 'greet', '{"to":"x"}', '{"attempts":3}'], env);
    assert.equal(added.code, 0, added.stderr);
    const job = await queue.getJob(added.stdout.trim());
    assert.equal(job.name, 'greet');
    assert.deepEqual(job.data, { to: 'x' });
    assert.equal(job.opts.attempts, 3);
    assert.equal((await bulwark(['queue', 'add', 'q', 'greet', '{bad'], env)).code, 2);
    const counts = await bulwark(['queue', 'counts', 'q'], env);
    assert.match(counts.stdout, /^waiting +1$/m);
    assert.match(counts.stdout, /^failed +0$/m);
    assert.doesNotMatch(counts.stdout, /paused for all/);
    const said = async (...words) => (await bulwark(['queue', ...words], env)).stdout;
    assert.equal(await said('pause', 'q'), 'q: paused for all workers\n');
    assert.equal(await queue.isPaused(), true);
    assert.match(await said('counts', 'q'), /^the queue is paused for all workers$/m);
    assert.equal(await said('pause', 'q'), 'q: already paused for all workers\n');
    assert.equal(await said('resume', 'q'), 'q: running\n');
    assert.equal(await queue.isPaused(), false);
    assert.equal(await said('resume', 'q'), 'q: already running\n');
});

test('a queue that is not there is not made', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const env = { REDIS_URL: redis.url };
    for (const words of [['counts', 'nosuch'], ['pause', 'nosuch'], ['resume', 'nosuch'], ['cancel', 'nosuch', '1']]) {
        const answer = await bulwark(['queue', ...words], env);
        assert.deepEqual([answer.code, answer.stdout], [1, ''], words[0]);
        assert.match(answer.stderr, /there is no queue "nosuch" with the prefix "bull"/);
    }
    assert.deepEqual(await keys(redis, '*'), []);
    const queue = await openQueue(redis); // its first key is enough
    cleanup(() => queue.close());
    await queue.waitUntilReady();
    assert.equal((await bulwark(['queue', 'counts', 'q'], env)).code, 0);
});

test('options that BullMQ does not know are refused', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const env = { REDIS_URL: redis.url };
    for (const [options, error] of [['{"atempts":3}', 'unknown option "atempts"; did you mean "attempts"?'],
        ['{"Delay":3}', 'did you mean "delay"?'], ['{"removeOnCompleet":true}', 'did you mean "removeOnComplete"?'],
        ['{"backoff":{"tpye":"fixed"}}', 'unknown option "backoff.tpye"; did you mean "type"?'],
        ['{"zzz":1}', 'unknown option "zzz"\n'], ['[1]', 'OPTIONS: must be an object'], ['{bad', 'OPTIONS: not JSON: line 1']]) {
        const answer = await bulwark(['queue', 'add', 'q', 'n', '{}', options], env);
        assert.equal(answer.code, 2, options);
        assert.ok(answer.stderr.includes(error), answer.stderr);
    }
    assert.deepEqual(await keys(redis, '*'), []);
    const all = { attempts: 2, backoff: { type: 'fixed', delay: 5, jitter: 0.5 }, delay: 5, keepLogs: 1, lifo: true, priority: 0,
        removeOnComplete: { age: 5, count: 2, limit: 1 }, removeOnFail: true, sizeLimit: 100, stackTraceLimit: 3, jobId: 'own',
        timestamp: 1700000000000, telemetry: { metadata: 'x', omitContext: true }, deduplication: { id: 'd', ttl: 9, extend: true,
            replace: true } };
    assert.equal((await bulwark(['queue', 'add', 'q', 'n', '{}', JSON.stringify(all)], env)).stdout, 'own\n');
});

test('a job is cancelled from elsewhere', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    const [job] = await addJobs(queue, 1, { attempts: 3 });
    const daemons = [0, 1].map(() => Daemon.start(oneQueue(redis, { remoteCancel: true,
        handler: { noop: { delayMs: 30000 } } })));
    cleanup(() => daemons.forEach((daemon) => daemon.signal('SIGKILL')));
    await until(async () => (await queue.getActiveCount()) === 1, 'the job to run');
    const env = { REDIS_URL: redis.url };
    assert.deepEqual(await bulwark(['queue', 'cancel', 'q', job.id, 'not wanted'], env),
        { code: 0, stdout: '', stderr: '' });
    await until(async () => (await job.getState()) === 'failed', 'its end', 8000 * PATIENCE);
    const { failedReason, attemptsMade } = await queue.getJob(job.id);
    assert.deepEqual({ failedReason, attemptsMade },
        { failedReason: 'job cancelled: not wanted', attemptsMade: 1 });
    const second = await bulwark(['queue', 'cancel', 'q', job.id], env);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /no worker with remoteCancel is running it/);
    assert.deepEqual(await keys(redis, '*::bulwark:*'), []);
});

await runAll();
