// What stands between the worker and Redis is named at once, by `check` and in the log: wrong passwords, roles,
// TLS where there is none, servers that are full or not fit. And a user with few rights will do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';

import { bullmq, Redis } from '../peer/peer.mjs';
import { addJobs, bulwark, Daemon, freePort, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until,
    writeConfig } from './rig.mjs';

const configOf = (url, queue = {}, rest = {}) => ({ redis: { url }, http: { listen: '127.0.0.1:0' },
    queues: [{ name: 'q', handler: 'noop', ...queue }], ...rest });

/** `check` and `run` both say `pattern`, soon, and never `secret`; `check` ends with `code`. */
async function named(cleanup, url, pattern, { code = 1, secret, rest } = {}) {
    const config = configOf(url, {}, rest);
    const start = Date.now();
    const check = await bulwark(['check', '--config', writeConfig(config)]);
    const took = Date.now() - start;
    assert.equal(check.code, code, check.stdout);
    assert.match(check.stdout + check.stderr, pattern);
    assert.ok(took < 3000 * PATIENCE, `${took} ms`);
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    const said = () => daemon.lines.map((line) => JSON.stringify(line)).join('\n');
    await until(() => pattern.test(said()), `${pattern} in the log`, 4000 * PATIENCE);
    await until(async () => (await daemon.http('GET', '/readyz')).status === (code === 0 ? 200 : 503), 'readiness',
        5000 * PATIENCE);
    if (secret) {
        for (const text of [check.stdout, check.stderr, said(), (await daemon.http('GET', '/status')).text])
            assert.doesNotMatch(text, secret);
    }
    daemon.signal('SIGTERM');
    await daemon.ended(10000);
    return check;
}

async function server(cleanup, args = []) {
    const redis = await PersistentRedis.create(args);
    cleanup(() => redis.stop());
    const admin = new Redis(redis.port, '127.0.0.1');
    admin.on('error', () => {});
    cleanup(() => admin.disconnect());
    return { redis, admin, at: (login = '', db = '') => `redis://${login}127.0.0.1:${redis.port}/${db}` };
}

test('passwords and users', async (cleanup) => {
    const { admin, at } = await server(cleanup);
    await named(cleanup, at(':hunter2@'), /a password is given, but Redis has none/, { code: 0, secret: /hunter2/ });
    await named(cleanup, at('nobody:hunter2@'), /AUTH: wrong user name or password/, { secret: /hunter2/ });
    await admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>pw');
    await admin.auth('pw');
    await named(cleanup, at(), /Redis wants a password/);
    await named(cleanup, at(':hunter2@'), /AUTH: wrong user name or password/, { secret: /hunter2/ });
});

test('databases', async (cleanup) => {
    const { at } = await server(cleanup);
    await named(cleanup, at('', 99), /SELECT: Redis has no database of this number/);
});

test('a replica, and data that are loading', async (cleanup) => {
    const { admin, at } = await server(cleanup, ['--enable-debug-command', 'yes', '--key-load-delay', '50',
        '--loading-process-events-interval-bytes', '1024']);
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    await named(cleanup, at(), /this Redis is a replica/);
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await admin.call('DEBUG', 'POPULATE', '100000');
    admin.call('DEBUG', 'RELOAD').catch(() => {}); // answers when it has loaded
    await until(async () => (await bulwark(['check', '--config', writeConfig(configOf(at()))])).stdout
        .includes('still loading'), 'it to load', 5000 * PATIENCE);
});

test('eviction, a cluster, a sentinel', async (cleanup) => {
    const evicting = await server(cleanup, ['--maxmemory-policy', 'allkeys-lru']);
    await named(cleanup, evicting.at(), /maxmemory-policy (is allkeys-lru|must be noeviction)/, { code: 0 });
    const cluster = await server(cleanup, ['--cluster-enabled', 'yes']);
    const check = await bulwark(['check', '--config', writeConfig(configOf(cluster.at()))]);
    assert.equal(check.code, 1);
    assert.match(check.stdout, /a node of a cluster: the prefix needs a hash tag/);
    await named(cleanup, cluster.at(), /a node of a cluster/, { code: 0, rest: { prefix: '{bull}' } });
});

test('a full server, protected mode', async (cleanup) => {
    const full = await server(cleanup, ['--maxclients', '1']);
    await named(cleanup, full.at(), /Redis has too many clients/);
    const address = Object.values(networkInterfaces()).flat().find((one) => one.family === 'IPv4' && !one.internal);
    if (!address) {
        console.log('        protected mode: skipped, no address but loopback');
        return;
    }
    const shut = await server(cleanup, ['--bind', '127.0.0.1', address.address, '--protected-mode', 'yes']);
    await named(cleanup, `redis://${address.address}:${shut.redis.port}`, /protected mode/);
});

/** A certificate for 127.0.0.1: its files. */
function certificate(cleanup) {
    const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-tls-'));
    cleanup(() => rmSync(folder, { recursive: true }));
    const files = { key: path.join(folder, 'key'), cert: path.join(folder, 'cert') };
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout',
        files.key, '-out', files.cert, '-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1']);
    assert.equal(made.status, 0, String(made.stderr));
    return files;
}

test('TLS here and plain there', async (cleanup) => {
    const { key, cert } = certificate(cleanup);
    const port = await freePort();
    const { redis } = await server(cleanup, ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file',
        key, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no']);
    const login = 'user:hunter2@';
    await named(cleanup, `rediss://${login}127.0.0.1:${redis.port}`, /speaks plain Redis, not TLS/,
        { secret: /hunter2/ });
    await named(cleanup, `redis://${login}127.0.0.1:${port}`, /TLS \(rediss:\/\/\)|speaks TLS/, { secret: /hunter2/ });
    await named(cleanup, `rediss://127.0.0.1:${port}`, /certificate/);
    const closed = await freePort();
    await named(cleanup, `redis://${login}127.0.0.1:${closed}`, /refused/, { secret: /hunter2/ });
    await named(cleanup, `redis://${login}no-such-host.invalid`, /looking up the name/, { secret: /hunter2/ });
});

/** A server that says `answer` to each chunk. */
async function talker(cleanup, answer) {
    const sockets = new Set();
    const listener = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('data', (data) => socket.write(answer(String(data))));
    });
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    cleanup(() => (listener.close(), sockets.forEach((socket) => socket.destroy())));
    return listener.address().port;
}

test('servers that repeat what they are told', async (cleanup) => {
    const quote = (data) => `-ERR unknown command 'AUTH', with args beginning with: ${JSON.stringify(data)}\r\n`
        .repeat(3);
    const port = await talker(cleanup, quote);
    await named(cleanup, `redis://user:hunter2@127.0.0.1:${port}`, /AUTH: Redis does not know the command/,
        { secret: /hunter2/ });
    const parrot = await talker(cleanup, (data) => `-${data.replaceAll('\r\n', ' ')}\r\n`);
    await named(cleanup, `redis://user:hunter2@127.0.0.1:${parrot}`, /AUTH: refused/, { secret: /hunter2/ });
});

// --- rights

/** Jobs of several kinds through a worker of `user`, and the commands; returns its log. */
async function workAs(cleanup, it, user, check = 0) {
    const url = it.at(`${user}:pw@`);
    const queue = await openQueue(it.redis);
    cleanup(() => queue.close());
    await queue.obliterate({ force: true });
    const { FlowProducer } = await bullmq('6');
    const flows = new FlowProducer({ connection: it.redis.connection });
    cleanup(() => flows.close());
    const config = configOf(url, { concurrency: 2, remoteCancel: true, limiter: { max: 1000, duration: 1000 },
        removeOnComplete: { count: 100 }, metrics: { maxDataPoints: 10 } });
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    await addJobs(queue, 3);
    await queue.add('later', {}, { delay: 50 });
    await queue.add('first', {}, { priority: 3 });
    await flows.add({ name: 'parent', queueName: 'q', children: [{ name: 'child', queueName: 'q' }] });
    await queue.upsertJobScheduler('s', { every: 200 }, { name: 'tick' });
    await until(async () => (await queue.getCompletedCount()) >= 9, `the jobs of ${user}`, 20000 * PATIENCE);
    await queue.removeJobScheduler('s');
    const file = writeConfig(config);
    assert.equal((await bulwark(['check', '--config', file])).code, check);
    for (const args of [['counts', 'q'], ['pause', 'q'], ['resume', 'q'], ['add', 'q', 'n', '{}', '{"attempts":2}'],
        ['add', 'q', 'n', '{}', '{"delay":1}']]) {
        const done = await bulwark(['queue', ...args, '--config', file]);
        assert.equal(done.code, 0, `${user}: queue ${args.join(' ')}: ${done.stderr}`);
    }
    await until(async () => (await queue.getJobCounts('wait', 'active', 'delayed')).active === 0
        && (await queue.getWaitingCount()) === 0 && (await queue.getDelayedCount()) === 0, 'the rest', 20000 * PATIENCE);
    await it.admin.client('KILL', 'USER', user); // the links come back, with no more to tell
    await sleep(1500);
    await addJobs(queue, 1);
    await until(async () => (await queue.getWaitingCount()) + (await queue.getActiveCount()) === 0, 'a job after it');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(10000 * PATIENCE), 0);
    return daemon.lines;
}

test('the rights of the manual are enough', async (cleanup) => {
    const it = await server(cleanup);
    const rights = /ACL SETUSER bulwark ([\s\S]*?)\n```/.exec(
        readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))[1].replaceAll('\\\n', ' ').split(/\s+/)
        .map((word) => (word.startsWith('>') ? '>pw' : word));
    await it.admin.call('ACL', 'SETUSER', 'bulwark', ...rights);
    await it.admin.call('ACL', 'LOG', 'RESET');
    const lines = await workAs(cleanup, it, 'bulwark');
    assert.deepEqual((await it.admin.call('ACL', 'LOG')).map((entry) => entry.join(' ')), []);
    assert.deepEqual(lines.filter((line) => line.message.includes('refuse')), []);
});

test('each command that can be done without', async (cleanup) => {
    const denied = ['script', 'script|load', 'ping', 'info', 'client', 'client|id', 'client|list', 'client|kill',
        'client|unblock', 'client|setname', 'config', 'hello', 'select', 'role', 'command', 'publish', 'type',
        'cluster', 'acl', 'multi', 'exec', 'watch', 'time', 'subscribe', 'keys', 'scan', 'wait'];
    const quarter = (from) => denied.filter((_, i) => i % 4 === from);
    await Promise.all([0, 1, 2, 3].map(async (from) => {
        for (const command of quarter(from)) {
            const it = await server(cleanup);
            await it.admin.call('ACL', 'SETUSER', 'u', 'reset', 'on', '>pw', '~*', '&*', '+@all', `-${command}`);
            const lines = await workAs(cleanup, it, 'u');
            const told = lines.filter((line) => line.message.startsWith('Redis refuses a command'));
            const texts = told.map((line) => line.command);
            assert.deepEqual(texts, [...new Set(texts)], `${command}: each is told once`);
            assert.ok(!['script', 'info', 'client'].includes(command) || told.length > 0, `${command} is told`);
            await it.redis.stop();
        }
    }));
});

await runAll();
