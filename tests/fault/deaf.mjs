// Connections that work but never answer a script call: the worker makes them anew, and when that does not
// help it says so and ends with 1.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';

import { addJobs, Daemon, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, test, until }
    from './rig.mjs';

/** Passes everything on, but while `deaf` no answer to a connection that has called a script. */
async function deafAddress(cleanup, redis) {
    const state = { deaf: false };
    const sockets = new Set();
    const server = createServer((near) => {
        const far = connect(redis.port, '127.0.0.1');
        let mute = false;
        near.on('data', (data) => {
            mute ||= state.deaf && data.includes('EVALSHA');
            far.write(data);
        });
        far.on('data', (data) => mute || near.write(data));
        for (const [socket, other] of [[near, far], [far, near]]) {
            sockets.add(socket);
            socket.on('error', () => other.destroy());
            socket.on('close', () => (sockets.delete(socket), other.destroy()));
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup(() => (server.close(), sockets.forEach((socket) => socket.destroy())));
    state.url = `redis://127.0.0.1:${server.address().port}/0`;
    return state;
}

async function begin(cleanup) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const address = await deafAddress(cleanup, redis);
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    const config = oneQueue(redis, { drainDelay: 0.2, deafTimeout: 2000 });
    config.redis.url = address.url;
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    await addJobs(queue, 3);
    await until(async () => (await queue.getCompletedCount()) === 3, 'the first jobs');
    return { address, queue, daemon };
}

test('deaf for a while: repaired', async (cleanup) => {
    const { address, queue, daemon } = await begin(cleanup);
    address.deaf = true;
    await daemon.logged('no fetch was answered for too long: connecting anew');
    address.deaf = false;
    await addJobs(queue, 1);
    await until(async () => (await queue.getCompletedCount()) === 4, 'a job', 6000 * PATIENCE);
    await until(async () => (await daemon.http('GET', '/healthz')).status === 200, 'health');
    assert.equal((await daemon.http('GET', '/status')).json.redis.deaf, false);
});

test('deaf beyond repair: says so and ends with 1', async (cleanup) => {
    const { address, daemon } = await begin(cleanup);
    address.deaf = true;
    const health = await until(async () => {
        const answer = await daemon.http('GET', '/healthz');
        return answer.status === 503 && answer;
    }, 'a bad health', 10000 * PATIENCE);
    assert.match(health.json.status, /deaf/);
    assert.equal(await daemon.ended(30000), 1);
    assert.ok(daemon.lines.some((line) => line.message === 'deaf beyond repair: the worker ends'));
});

await runAll();
