// `check` and `run` judge alike: what one refuses the other refuses, with the same exit code, and says why. And
// nothing of the environment that matters is ignored in silence.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { bulwark, Daemon, freePort, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until, writeConfig }
    from './rig.mjs';

const processors = fileURLToPath(new URL('../support/processors/', import.meta.url));

/** Exit code and words of both; `run` is told to end when it has started. */
async function both(config, env = {}) {
    const file = writeConfig(config);
    const check = await bulwark(['check', '--config', file], env);
    const daemon = Daemon.start(config, [], undefined, env);
    const running = daemon.logged('running').then(() => sleep(50)).then(() => daemon.signal('SIGTERM'), () => {});
    const code = await daemon.ended(20000 * PATIENCE);
    running.catch(() => {});
    return { check, run: { code, text: daemon.lines.map((line) => JSON.stringify(line)).join('\n') } };
}

test('what cannot work is refused by both', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const taken = createServer();
    await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
    cleanup(() => taken.close());
    const port = taken.address().port;
    const base = { redis: { url: redis.url }, http: { listen: '127.0.0.1:0' }, queues: [{ name: 'q', handler: 'noop' }] };
    const withQueue = (queue) => ({ ...base, queues: [{ name: 'q', handler: 'noop', ...queue }] });
    const cases = [
        [{ ...base, workflow: { 'ratelimit.bott': 1 } }, 2, /ratelimit\.bott.*did you mean/],
        [{ ...base, workflow: { 'telegram.unknown_sends': 'maybe' } }, 2, /telegram\.unknown_sends/],
        [{ ...base, http: { listen: '9464' } }, 2, /http\.listen: must be HOST:PORT/],
        [{ ...base, http: { listen: `127.0.0.1:${port}` } }, 1, /http\.listen: .*in use/],
        [withQueue({ lockRenewTime: 60000 }), 2, /lockRenewTime/],
        [withQueue({ deafTimeout: 1000 }), 2, /deafTimeout/],
        [withQueue({ lockDuration: 31536000000 }), 2, /lockDuration/],
        [withQueue({ groupKey: '..' }), 2, /groupKey/],
        [withQueue({ handler: { plugin: './nowhere.so' } }), 2, /nowhere\.so/],
        [{ ...base, prefix: '' }, 2, /prefix/],
    ];
    for (const [config, code, pattern] of cases) {
        const { check, run } = await both(config);
        const said = check.stdout + check.stderr;
        assert.match(said, pattern);
        assert.match(run.text, pattern);
        assert.deepEqual([check.code, run.code], [code, code], `${said}\n${run.text}`);
    }
    const { check, run } = await both(base);
    assert.deepEqual([check.code, run.code], [0, 0], check.stdout + run.text);
});

test('programs are started once by check', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    await queue.add('job', {});
    const configOf = (exec, startTimeout) => ({ redis: { url: redis.url }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: 'q', handler: { exec, startTimeout } }] });
    const check = (exec, startTimeout = 1000) =>
        bulwark(['check', '--config', writeConfig(configOf(exec, startTimeout))]);
    for (const script of ['process.exit(3)', 'throw new Error("while loading")', 'setTimeout(() => {}, 100000)',
        'console.log("no JSON"); setTimeout(() => {}, 100000)']) {
        const start = Date.now();
        const { code, stdout, stderr } = await check(['node', '-e', script]);
        assert.equal(code, 2, stdout + stderr);
        assert.match(stdout, /worker +FAILED: queues\[0\] \(q\): its program/);
        assert.ok(Date.now() - start < 8000 * PATIENCE);
    }
    const good = await check(['node', `${processors}/puppet.mjs`], 30000);
    assert.equal(good.code, 0, good.stdout + good.stderr);
    assert.equal(await queue.getWaitingCount(), 1, 'nothing is fetched');
    assert.match((await check(['no-such-program'])).stdout, /is not a program/);
});

test('a reload is judged alike', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const base = { redis: { url: redis.url }, http: { listen: '127.0.0.1:0' }, queues: [{ name: 'q', handler: 'noop' }] };
    const daemon = Daemon.start(base);
    cleanup(() => daemon.signal('SIGKILL'));
    await daemon.logged('running');
    for (const broken of [{ ...base, workflow: { nonsense: 1 } }, { ...base, http: { listen: 'x' } },
        { ...base, queues: [{ name: 'q', handler: 'noop', lockRenewTime: 1e6 }] }]) {
        const from = daemon.lines.length;
        daemon.rewrite(broken);
        daemon.signal('SIGHUP');
        await daemon.logged('the configuration was not reloaded', from);
    }
    daemon.rewrite({ ...base, queues: [{ name: 'q', handler: 'noop', lockDuration: 900 }] });
    daemon.signal('SIGHUP');
    await daemon.logged('the configuration was reloaded');
    assert.match((await daemon.logged('configuration')).note, /lockDuration/);
});

test('Redis and PostgreSQL that are away end nothing', async (cleanup) => {
    const nowhere = await freePort();
    const daemon = Daemon.start({ redis: { url: `redis://127.0.0.1:${nowhere}` },
        database: { url: `postgresql://u:hunter2@127.0.0.1:${nowhere}/d` }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: 'q', handler: 'workflow' }, { name: 'p', handler: 'noop' }] });
    cleanup(() => daemon.signal('SIGKILL'));
    await daemon.logged('running');
    await sleep(3000);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
    assert.equal((await daemon.http('GET', '/readyz')).status, 503);
    assert.doesNotMatch(JSON.stringify(daemon.lines), /hunter2/);
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(20000 * PATIENCE), 0);
});

// --- the environment

test('variables are honoured, trimmed, or named', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const config = writeConfig({ http: { listen: '127.0.0.1:0' }, queues: [{ name: 'q', handler: 'noop' }] });
    const check = async (env) => {
        const { code, stdout, stderr } = await bulwark(['check', '--config', config], env);
        return { code, text: stdout + stderr };
    };
    const port = String(redis.port);
    const at = `redis://127.0.0.1:${port}`;
    const good = [
        [{ REDIS_URL: ` ${at}/0\n` }, /^redis +ok$/m],
        [{ REDIS_HOST: '127.0.0.1\r\n', REDIS_PORT: `\t${port} ` }, /^redis +ok$/m],
        [{ REDIS_HOST: '127.0.0.1', REDIS_PORT: port, REDIS_DB: '3\n' }, /^redis +ok$/m],
        [{ REDIS_HOST: '127.0.0.1', REDIS_PORT: port, REDIS_URL: 'redis://elsewhere' },
            /WARNING: REDIS_URL is not used for queues/],
        [{ REDIS_URL: `${at}/2`, REDIS_DB: '99' }, /WARNING: REDIS_DB is not used/],
        [{ REDIS_URL: at, REDIS_TLS: 'true' }, /WARNING: REDIS_TLS is not used/],
        [{ REDIS_URL: `${at}?retries=3` }, /WARNING: REDIS_URL: of its query this is not known: retries/],
        [{ REDIS_URL: at, REDIS_PORT: 'tcp://10.0.0.1:6379' }, /WARNING: REDIS_PORT is ignored: .*Kubernetes/],
        [{ REDIS_URL: at, BULWARK_CONCURRENCY: 'tcp://10.0.0.1:80' }, /WARNING: BULWARK_CONCURRENCY is ignored/],
        [{ REDIS_URL: at, BULWARK_LOG_LEVLE: 'debug' }, /WARNING: BULWARK_LOG_LEVLE is not known.*BULWARK_LOG_LEVEL/],
        [{ REDIS_URL: at, BULWARK_NONSENSE: '1' }, /WARNING: BULWARK_NONSENSE is not known/],
        [{ REDIS_URL: at, REDIS_USRNAME: 'x' }, /WARNING: REDIS_USRNAME is not known.*REDIS_USERNAME/],
        [{ REDIS_URL: at, REDIS_DATABASE: '2' }, /WARNING: REDIS_DATABASE is not known.*REDIS_DB\?/],
        [{ REDIS_URL: `${at}?family=4` }, /^redis +ok$/m],
        [{ REDIS_URL: `redis://localhost:${port}?family=4` }, /^redis +ok$/m],
    ];
    for (const [env, pattern] of good) {
        const { code, text } = await check(env);
        assert.equal(code, 0, `${JSON.stringify(env)}: ${text}`);
        assert.match(text, pattern);
    }
    for (const env of [{ REDIS_URL: `${at}\n`, BULWARK_PORT: 'tcp://1.2.3.4:5', BULWARK_SERVICE_HOST: '1.2.3.4',
        REDIS_SERVICE_PORT: '6379', REDIS_PORT_6379_TCP_ADDR: '10.0.0.1', REDIS_VERSION: '7' }])
        assert.doesNotMatch((await check(env)).text, /WARNING/, 'what Kubernetes sets beside is no news');
    for (const [env, pattern] of [[{ REDIS_URL: at, REDIS_DB: 'x' }, /REDIS_DB/],
        [{ REDIS_URL: at, REDIS_TLS: 'maybe' }, /REDIS_TLS/], [{ REDIS_HOST: 'h', REDIS_PORT: '0' }, /REDIS_PORT/]]) {
        const { code, text } = await check(env);
        assert.equal(code, 2);
        assert.match(text, pattern);
    }
    // the single variables reach Redis
    const tls = await check({ REDIS_HOST: '127.0.0.1', REDIS_PORT: port, REDIS_TLS: '1' });
    assert.match(tls.text, /speaks plain Redis, not TLS/);
    const user = await check({ REDIS_URL: at, REDIS_USERNAME: 'nobody', REDIS_PASSWORD: 'hunter2\n' });
    assert.match(user.text, /AUTH: wrong user name or password/);
    assert.doesNotMatch(user.text, /hunter2/);
    assert.match((await check({ REDIS_URL: at, REDIS_DB: '4000' })).text, /no database of this number/);
    assert.match((await check({ REDIS_URL: `redis://localhost:${port}?family=6` })).text, /FAILED/);
    const daemon = Daemon.start({ http: { listen: '127.0.0.1:0' }, queues: [{ name: 'q', handler: 'noop' }] }, [],
        undefined, { REDIS_URL: ` ${at}\n`, REDIS_PORT: 'tcp://10.0.0.1:6379' });
    cleanup(() => daemon.signal('SIGKILL'));
    assert.match((await daemon.logged('configuration')).note, /REDIS_PORT is ignored/);
    await until(async () => (await daemon.http('GET', '/readyz')).status === 200, 'readiness', 5000 * PATIENCE);
});

await runAll();
