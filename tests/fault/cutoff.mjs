// A worker is cut off from Redis and consumes again within 2 s of the cause's end.
//
//   node tests/fault/cutoff.mjs [--seconds 1,6] [--repeat 2] [--causes stop,kill,…] [--side-by-side 8]
//
// Causes: the server is stopped; clients are killed over and over; the server pauses its clients; packets
// are dropped without a word (needs root: a network namespace); a replica takes over behind an address
// that moves, the old master refusing writes meanwhile. Exit code 77 when one was not permitted and all
// others passed.
import { execFileSync } from 'node:child_process';
import { createServer, connect } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Redis } from '../peer/peer.mjs';
import { freePort, startProcess } from '../peer/server.mjs';
import { addJobs, Daemon, oneQueue, openQueue, PersistentRedis, PROMISE, sleep, until }
    from './rig.mjs';

const BACK_MS = 2000 * PROMISE;
const { values: opts } = parseArgs({ options: {
    seconds: { type: 'string', default: '1,6' },
    repeat: { type: 'string', default: '2' },
    causes: { type: 'string', default: 'stop,kill,pause,drop,failover' },
    'side-by-side': { type: 'string', default: '8' },
} });

/** What a cause needs: where the worker connects, how it is cut off and let back. */
async function plain(cleanup) {
    const redis = await PersistentRedis.create();
    // Not stop(): a fresh replica refuses to end while it writes its first AOF.
    cleanup(() => (redis.signal('SIGKILL'), redis.child.exited));
    return { redis, url: redis.url };
}

const control = (cleanup, redis) => {
    const client = new Redis(redis.port, '127.0.0.1', { retryStrategy: () => 50 });
    client.on('error', () => {});
    cleanup(() => client.disconnect());
    return client;
};

async function stop(cleanup) {
    const { redis, url } = await plain(cleanup);
    return { redis, url, away: async (ms) => {
        await redis.stop();
        await sleep(ms);
        await redis.start();
    } };
}

async function kill(cleanup) {
    const { redis, url } = await plain(cleanup);
    const client = control(cleanup, redis);
    return { redis, url, away: async (ms) => {
        const end = Date.now() + ms;
        do {
            await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
            await sleep(50);
        } while (Date.now() < end);
    } };
}

async function pause(cleanup) {
    const { redis, url } = await plain(cleanup);
    const client = control(cleanup, redis);
    return { redis, url, away: async (ms) => {
        await client.call('CLIENT', 'PAUSE', ms, 'ALL');
        await sleep(ms);
    } };
}

const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: 'pipe', encoding: 'utf8' });

class NotPermitted extends Error {}

let networks = 0;
/** A namespace with one address, joined to ours; its packets can be dropped from inside. */
function makeNetwork(cleanup) {
    const n = networks++;
    const name = `bw${process.pid}-${n}`;
    const [outer, inner] = [`bwo${process.pid % 10000}-${n}`, `bwi${process.pid % 10000}-${n}`];
    const net = `10.${200 + (process.pid % 50)}.${n % 250}`;
    try {
        run('ip', 'netns', 'add', name);
        cleanup(() => run('ip', 'netns', 'del', name));
        run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name);
        run('ip', 'addr', 'add', `${net}.1/24`, 'dev', outer);
        run('ip', 'link', 'set', outer, 'up');
        run('ip', '-n', name, 'addr', 'add', `${net}.2/24`, 'dev', inner);
        run('ip', '-n', name, 'link', 'set', inner, 'up');
        run('ip', '-n', name, 'link', 'set', 'lo', 'up');
        run('ip', 'netns', 'exec', name, 'iptables', '-L', '-n');
    } catch (error) {
        throw new NotPermitted(String(error.stderr || error.message).trim());
    }
    return { name, address: `${net}.2` };
}

async function drop(cleanup) {
    const { name, address } = makeNetwork(cleanup);
    const redis = { port: await freePort() };
    const child = startProcess('ip', ['netns', 'exec', name, 'redis-server', '--port',
        String(redis.port), '--bind', address, '--protected-mode', 'no', '--save', '', '--dir', '/tmp',
        '--appendonly', 'no'], { stdio: 'ignore' });
    cleanup(() => child.kill('SIGTERM'));
    await until(() => new Promise((resolve) => {
        const socket = connect(redis.port, address, () => resolve(true));
        socket.once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
    }), 'Redis in its namespace');
    redis.connection = { host: address, port: redis.port };
    const iptables = (...words) => run('ip', 'netns', 'exec', name, 'iptables', ...words);
    return { redis, url: `redis://${address}:${redis.port}/0`, away: async (ms) => {
        ['INPUT', 'OUTPUT'].forEach((chain) => iptables('-I', chain, '-j', 'DROP'));
        await sleep(ms);
        ['INPUT', 'OUTPUT'].forEach((chain) => iptables('-D', chain, '-j', 'DROP'));
    } };
}

/** An address whose connections go wherever `target` says when they are made. */
async function movingAddress(cleanup, target) {
    const sockets = new Set();
    const server = createServer((near) => {
        const far = connect(target.port, '127.0.0.1');
        for (const [socket, other] of [[near, far], [far, near]]) {
            sockets.add(socket);
            socket.on('error', () => other.destroy());
            socket.on('close', () => (sockets.delete(socket), other.destroy()));
            socket.pipe(other);
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup(() => (server.close(), sockets.forEach((socket) => socket.destroy())));
    return server.address().port;
}

async function failover(cleanup) {
    const [old, next] = [(await plain(cleanup)).redis, (await plain(cleanup)).redis];
    const [atOld, atNext] = [control(cleanup, old), control(cleanup, next)];
    const target = { port: old.port };
    const port = await movingAddress(cleanup, target);
    await atNext.call('REPLICAOF', '127.0.0.1', old.port);
    await until(async () => (await atNext.info('replication')).includes('master_link_status:up'),
        'the replica');
    const redis = { port, connection: { host: '127.0.0.1', port } };
    return { redis, url: `redis://127.0.0.1:${port}/0`, away: async (ms) => {
        await atNext.call('REPLICAOF', 'NO', 'ONE');
        await atOld.call('REPLICAOF', '127.0.0.1', next.port); // refuses writes from now on
        await sleep(ms);
        target.port = next.port;
    } };
}

const CAUSES = { stop, kill, pause, drop, failover };

async function once(cause, seconds, cleanup) {
    const { redis, url, away } = await CAUSES[cause](cleanup);
    const config = oneQueue(redis, { handler: 'noop' });
    config.redis.url = url;
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    let queue = await openQueue(redis);
    await addJobs(queue, 5);
    await until(async () => (await queue.getCompletedCount()) === 5, 'the first jobs');
    await queue.close();

    await away(seconds * 1000);
    const back = Date.now();
    queue = await openQueue(redis);
    cleanup(() => queue.close());
    const job = await queue.add('after', {});
    const added = Date.now(); // the test's own client has to find its way back, too
    await until(async () => (await job.getState()) === 'completed', 'a job after the return',
        Math.max(BACK_MS - (added - back), 1000));
    const took = Date.now() - back;
    if ((await daemon.http('GET', '/healthz')).status !== 200)
        throw new Error('/healthz is not 200');
    return took;
}

async function tried(cause, seconds) {
    const cleanups = [];
    try {
        return { cause, seconds, took: await once(cause, seconds, (f) => cleanups.push(f)) };
    } catch (error) {
        return { cause, seconds, error };
    } finally {
        for (const cleanup of cleanups.reverse())
            await Promise.resolve().then(cleanup).catch(() => {});
    }
}

const todo = [];
for (let i = 0; i < Number(opts.repeat); i++)
    for (const seconds of opts.seconds.split(',').map(Number).reverse())
        for (const cause of opts.causes.split(','))
            todo.push([cause, seconds]);

const results = [];
await Promise.all(Array.from({ length: Number(opts['side-by-side']) }, async () => {
    for (let next; (next = todo.shift()) !== undefined;)
        results.push(await tried(...next));
}));

let failed = 0;
let skipped = 0;
for (const cause of opts.causes.split(','))
    for (const seconds of opts.seconds.split(',').map(Number)) {
        const rows = results.filter((row) => row.cause === cause && row.seconds === seconds);
        const bad = rows.filter((row) => row.error);
        const barred = bad.filter((row) => row.error instanceof NotPermitted);
        const took = rows.filter((row) => !row.error).map((row) => row.took);
        const figures = took.length ? `longest ${Math.max(...took)} ms` : '';
        console.log(`${path.basename(cause)} ${seconds} s: ${took.length} of ${rows.length} ${figures}`);
        for (const { error } of bad.slice(0, 3))
            console.log(`    ${error instanceof NotPermitted ? 'skipped: ' : ''}${error.message}`);
        failed += bad.length - barred.length;
        skipped += barred.length;
    }
process.exit(failed ? 1 : skipped ? 77 : 0);
