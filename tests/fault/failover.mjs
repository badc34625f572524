// Redis fails over, refuses, is closed and opened: whatever the wait for markers was answered with, it begins
// again, and a job added to an idle queue is completed in milliseconds (BMQ-175). Polls come once a minute
// here, so only a marker can tell of the job.
// failover.mjs [a part of a test's name]; --rounds N: how often the server's role changes there and back [10]
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';

import { Redis } from '../peer/peer.mjs';
import { addJobs, Daemon, eventCounts, openQueue, PATIENCE, PersistentRedis, PROMISE, runAll, sleep, test, until }
    from './rig.mjs';

const at = process.argv.indexOf('--rounds');
const others = process.argv.indexOf('--without-load');
const measures = others < 0 || !process.argv.splice(others, 1);
const ROUNDS = at > 0 ? Number(process.argv.splice(at, 2)[1]) : 10;
const POLL_S = 60;
const USER = ['worker', 'reset', 'on', '>pw', '~*', '&*', '+@all'];

async function begin(cleanup, queues = [{ name: 'idle' }]) {
    const redis = await PersistentRedis.create(['--enable-debug-command', 'yes']);
    cleanup(() => redis.stop());
    const admin = new Redis(redis.port, '127.0.0.1', { retryStrategy: () => 20 });
    admin.on('error', () => {}); // Redis is taken away on purpose
    cleanup(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', ...USER);
    const daemon = Daemon.start({ redis: { url: `redis://worker:pw@127.0.0.1:${redis.port}` },
        http: { listen: '127.0.0.1:0' },
        queues: queues.map((queue) => ({ handler: 'noop', concurrency: 5, drainDelay: POLL_S, ...queue })) });
    cleanup(() => daemon.signal('SIGKILL'));
    const idle = await openQueue(redis, 'idle');
    cleanup(() => idle.close());
    await addJobs(idle, 1);
    await until(async () => (await idle.getCompletedCount()) === 1, 'the first job');
    return { redis, admin, daemon, idle };
}

/** Adds a job; the milliseconds until it was completed. */
async function latency(idle, what) {
    const job = await idle.add('job', {});
    await until(async () => (await job.getState()) === 'completed', `a job ${what}`, 8000 * PATIENCE);
    return (await idle.getJob(job.id)).finishedOn - job.timestamp;
}

const clientId = async (admin, command) =>
    (await admin.client('LIST')).split('\n').filter((line) => line.includes(`cmd=${command}`))
        .map((line) => /id=(\d+)/.exec(line)[1]);

/** Until the worker waits on `key` again. */
const waits = (admin) => until(async () => (await clientId(admin, 'bzpopmin')).length > 0, 'the wait for markers',
    15000 * PATIENCE);

/** The disturbance is over, the worker has come to rest: does a marker reach it? */
async function stillHears({ admin, daemon, idle }, what) {
    await waits(admin);
    await sleep(100); // what was fetched on the way back is over
    assert.ok(await latency(idle, `after ${what}`) < 1000 * PATIENCE, what);
    assert.equal((await daemon.http('GET', '/healthz')).json.status, 'ok');
}

const there = (admin) => admin.call('REPLICAOF', '127.0.0.1', '1');
const back = (admin) => admin.call('REPLICAOF', 'NO', 'ONE');

// BMQ-175
if (measures) test('the role changes there and back, under load', async (cleanup) => {
    const it = await begin(cleanup, [{ name: 'idle' }, { name: 'busy', handler: { noop: { delayMs: 5 } } }]);
    const busy = await openQueue(it.redis, 'busy');
    cleanup(() => busy.close());
    await addJobs(busy, 100 * ROUNDS, { attempts: 3 });
    const took = [];
    for (let round = 0; round < ROUNDS; round++) {
        await there(it.admin);
        await sleep(100 + 137 * (round % 7));
        await back(it.admin);
        took.push(await latency(it.idle, `after change ${round}`));
        await addJobs(busy, 100);
        await sleep(50);
    }
    took.sort((a, b) => a - b);
    console.log(`        milliseconds: ${took.join(' ')}`);
    assert.ok(took[ROUNDS >> 1] <= 50 * PROMISE, `median ${took[ROUNDS >> 1]} ms`);
    await until(async () => (await busy.getCompletedCount()) === 200 * ROUNDS, 'the busy queue', 60000 * PATIENCE);
    const completed = await eventCounts(it.redis, 'completed', 'busy');
    assert.deepEqual([...completed.values()].filter((n) => n !== 1), []);
});

// BMQ-175: the error comes first, the link is lost in the pause after it
test('an error, and then a lost link', async (cleanup) => {
    const it = await begin(cleanup);
    for (let round = 0; round < 3; round++) {
        await waits(it.admin);
        const [id] = await clientId(it.admin, 'bzpopmin');
        await it.admin.client('UNBLOCK', id, 'ERROR'); // a command of its own: the answer leaves before the kill
        await it.admin.multi().call('CLIENT', 'KILL', 'ID', id)
            .call('ACL', 'SETUSER', 'worker', 'resetpass', '>other').exec();
        await sleep(400); // longer than the pause
        await it.admin.call('ACL', 'SETUSER', ...USER);
        await stillHears(it, `round ${round}`);
    }
});

const disturbances = {
    'unblocked with an error': async ({ admin }) =>
        admin.client('UNBLOCK', (await clientId(admin, 'bzpopmin'))[0], 'ERROR'),
    'unblocked as after the time': async ({ admin }) =>
        admin.client('UNBLOCK', (await clientId(admin, 'bzpopmin'))[0]),
    'its link killed': async ({ admin }) => admin.client('KILL', 'ID', (await clientId(admin, 'bzpopmin'))[0]),
    'all links killed': ({ admin }) => admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    'a short change of role': async ({ admin }) => (await there(admin), back(admin)),
    'a long change of role': async ({ admin }) => (await there(admin), await sleep(2500), back(admin)),
    'a restart': async ({ redis, admin }) => {
        await redis.stop();
        await redis.start();
        await admin.call('ACL', 'SETUSER', ...USER);
    },
    'a reload of the data': ({ admin }) => admin.call('DEBUG', 'RELOAD'),
    'a sleep': ({ admin }) => admin.call('DEBUG', 'SLEEP', '1'),
    'a pause of all clients': async ({ admin }) => (await admin.client('PAUSE', '700', 'ALL'), sleep(800)),
    'a pause of writes': async ({ admin }) => (await admin.client('PAUSE', '700', 'WRITE'), sleep(800)),
    'a marker of the wrong type': async ({ admin }) => {
        await admin.set('bull:idle:marker', 'x');
        await admin.client('KILL', 'ID', (await clientId(admin, 'bzpopmin'))[0]);
        await sleep(500);
        await admin.del('bull:idle:marker');
    },
    'rights taken and given back': async ({ admin }) => {
        await admin.call('ACL', 'SETUSER', 'worker', '-bzpopmin');
        await admin.client('UNBLOCK', (await clientId(admin, 'bzpopmin'))[0]);
        await sleep(500);
        await admin.call('ACL', 'SETUSER', 'worker', '+@all');
    },
    'all rights taken and given back': async ({ admin }) => {
        await admin.call('ACL', 'SETUSER', 'worker', '-@all');
        await admin.client('UNBLOCK', (await clientId(admin, 'bzpopmin'))[0]);
        await sleep(500);
        await admin.call('ACL', 'SETUSER', 'worker', '+@all');
    },
    'the password changed and changed back': async ({ admin }) => {
        await admin.call('ACL', 'SETUSER', 'worker', 'resetpass', '>other');
        await admin.client('KILL', 'USER', 'worker');
        await sleep(500);
        await admin.call('ACL', 'SETUSER', 'worker', 'resetpass', '>pw');
    },
    'the user deleted and made again': async ({ admin }) => {
        await admin.call('ACL', 'DELUSER', 'worker');
        await sleep(300);
        await admin.call('ACL', 'SETUSER', ...USER);
    },
};

test('each of the others', async (cleanup) => {
    await Promise.all(Object.entries(disturbances).map(async ([what, disturb]) => {
        const it = await begin(cleanup);
        await waits(it.admin);
        await disturb(it);
        await stillHears(it, what);
    }));
});

// A wait that lacks a queue is broken; where CLIENT is refused, waits of several queues are short.
test('queues that join the wait', async (cleanup) => {
    const it = await begin(cleanup, [{ name: 'idle' }, { name: 'other' }, { name: 'third' }]);
    const other = await openQueue(it.redis, 'other');
    cleanup(() => other.close());
    const inTurn = async (what) => {
        for (let i = 0; i < 4; i++) {
            assert.ok(await latency(it.idle, what) < 2000 * PATIENCE, what);
            assert.ok(await latency(other, what) < 2000 * PATIENCE, what);
        }
    };
    await inTurn('of either queue');
    await it.admin.call('ACL', 'SETUSER', 'worker', '-client');
    await inTurn('without CLIENT');
    await it.admin.client('KILL', 'USER', 'worker');
    await inTurn('on links made without CLIENT');
});

// A wait that is never answered is no life: new links first, then the health says so.
test('waits that nobody answers are noticed', async (cleanup) => {
    const it = await begin(cleanup, [{ name: 'idle', drainDelay: 0.2 }]);
    await waits(it.admin);
    assert.equal((await it.daemon.http('GET', '/status')).json.redis.waitsRefused, false);
    await it.admin.call('ACL', 'SETUSER', 'worker', '-bzpopmin');
    await until(async () => (await it.daemon.http('GET', '/healthz')).json.status.startsWith('slow'), 'the health',
        20000 * PATIENCE);
    assert.equal((await it.daemon.http('GET', '/status')).json.redis.waitsRefused, true);
    assert.match((await it.daemon.http('GET', '/metrics')).text, /bulwark_waits_refused 1/);
    it.daemon.signal('SIGUSR1');
    assert.equal((await it.daemon.logged('state: reactor')).waitsRefused, 1);
    assert.ok(await latency(it.idle, 'by polls') < 2000 * PATIENCE, 'polls find jobs');
    const told = it.daemon.lines.filter((line) => line.message === 'waiting for markers failed' && line.level === 'warning');
    assert.equal(told.length, 1, 'told once');
    await it.admin.call('ACL', 'SETUSER', 'worker', '+@all');
    await until(async () => (await it.daemon.http('GET', '/healthz')).json.status === 'ok', 'the health', 20000 * PATIENCE);
});

/** Passes all on but the waits for markers: they stay unanswered, and so do later ones. */
async function silentAddress(cleanup, port) {
    const sockets = new Set();
    const server = createServer((near) => {
        const far = connect(port, '127.0.0.1');
        let mute = false;
        near.on('data', (data) => {
            mute ||= data.includes('BZPOPMIN');
            if (!mute)
                far.write(data);
        });
        far.on('data', (data) => near.write(data));
        for (const [socket, other] of [[near, far], [far, near]]) {
            sockets.add(socket);
            socket.on('error', () => other.destroy());
            socket.on('close', () => (sockets.delete(socket), other.destroy()));
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup(() => (server.close(), sockets.forEach((socket) => socket.destroy())));
    return `redis://127.0.0.1:${server.address().port}`;
}

test('waits that vanish are noticed', async (cleanup) => {
    const redis = await PersistentRedis.create(['--enable-debug-command', 'yes']);
    cleanup(() => redis.stop());
    const daemon = Daemon.start({ redis: { url: await silentAddress(cleanup, redis.port) },
        http: { listen: '127.0.0.1:0' }, queues: [{ name: 'idle', handler: 'noop', drainDelay: 0.001 }] });
    cleanup(() => daemon.signal('SIGKILL'));
    await daemon.logged('no wait for new jobs was answered for too long: connecting anew');
    const health = await until(async () => {
        const answer = await daemon.http('GET', '/healthz');
        return answer.status === 503 && answer;
    }, 'a bad health', 30000 * PATIENCE);
    assert.match(health.json.status, /deaf: no wait/);
    assert.match((await daemon.http('GET', '/metrics')).text, /bulwark_deaf 1/);
    assert.equal(await daemon.ended(30000 * PATIENCE), 1);
});

await runAll();
