// The status server from outside.
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

import { addJobs, Daemon, keys, oneQueue, openQueue, PersistentRedis, runAll, sleep, test,
    until } from './rig.mjs';

async function up(cleanup, queue, rest) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const producer = await openQueue(redis);
    cleanup(() => producer.close());
    const daemon = Daemon.start(oneQueue(redis, queue, rest));
    cleanup(() => daemon.signal('SIGKILL'));
    await until(async () => (await daemon.http('GET', '/readyz')).status === 200, 'readiness');
    return { redis, queue: producer, daemon };
}

test('health, readiness, status, metrics', async (cleanup) => {
    const { queue, daemon } = await up(cleanup);
    await addJobs(queue, 25);
    await until(async () => (await queue.getCompletedCount()) === 25, 'the jobs');
    const health = await daemon.http('GET', '/healthz');
    assert.equal(health.status, 200);
    assert.equal(health.json.status, 'ok');
    assert.deepEqual((await daemon.http('GET', '/readyz')).json, { status: 'ready', reasons: [] });
    const status = (await daemon.http('GET', '/status')).json;
    assert.equal(status.pid, daemon.child.pid);
    assert.equal(status.redis.connected, true);
    assert.equal(status.queues[0].name, 'q');
    assert.equal(status.queues[0].concurrency, 50);
    assert.equal(status.queues[0].inFlight, 0);
    assert.equal(status.queues[0].completed, 25);
    const metrics = await daemon.http('GET', '/metrics');
    assert.match(metrics.type, /^text\/plain; version=0\.0\.4/);
    assert.match(metrics.text, /^bulwark_jobs_completed_total\{queue="q"\} 25$/m);
    assert.match(metrics.text, /^bulwark_redis_connected 1$/m);
    for (const line of metrics.text.trimEnd().split('\n'))
        assert.match(line, /^(# (HELP|TYPE) bulwark_|bulwark_[a-z_]+(\{[^}]*\})? [-0-9.e+]+$)/);
    assert.equal((await daemon.http('HEAD', '/healthz')).status, 200);
});

test('what is wrong is told as JSON', async (cleanup) => {
    const { daemon } = await up(cleanup);
    for (const [method, path, status] of [['GET', '/', 404], ['GET', '/nix', 404],
        ['GET', '/queues/q/pause', 405], ['POST', '/healthz', 405], ['PUT', '/status', 405],
        ['POST', '/queues/other/pause', 404], ['POST', '/queues/q/jobs/1/cancel', 404],
        ['POST', '/queues//pause', 404], ['POST', '/queues/%zz/pause', 400],
        ['POST', '/queues/a%00b/pause', 400], ['POST', '/a/b/c/d/e/f/g/h', 400]]) {
        const answer = await daemon.http(method, path);
        assert.equal(answer.status, status, `${method} ${path}`);
        assert.equal(typeof answer.json.error, 'string');
    }
    assert.equal((await daemon.http('POST', '/healthz')).headers.allow, 'GET, HEAD');
});

test('pause and resume', async (cleanup) => {
    const { queue, daemon } = await up(cleanup);
    assert.equal((await daemon.http('POST', '/queues/q/pause')).status, 200);
    await addJobs(queue, 5);
    await sleep(500);
    assert.equal(await queue.getCompletedCount(), 0);
    assert.equal(await queue.isPaused(), false, 'this worker only');
    assert.equal((await daemon.http('POST', '/queues/q/resume')).status, 200);
    await until(async () => (await queue.getCompletedCount()) === 5, 'the jobs');
});

test('a queue paused for all is seen', async (cleanup) => {
    const { queue, daemon } = await up(cleanup, { drainDelay: 0.2 });
    const seen = async () => [(await daemon.http('GET', '/status')).json.queues[0].paused,
        / 1$/m.test((await daemon.http('GET', '/metrics')).text.match(/^bulwark_queue_paused\{queue="q"\} \d$/m)[0])];
    assert.deepEqual(await seen(), [false, false]);
    await queue.pause();
    await until(async () => (await seen()).every((value) => value), 'the pause to show');
    await daemon.logged('the queue is paused for all workers');
    await queue.resume();
    await until(async () => (await seen()).every((value) => !value), 'the end of it');
    await daemon.logged('the queue goes on');
});

test('a job in flight can be cancelled', async (cleanup) => {
    const { queue, daemon } = await up(cleanup, { handler: { noop: { delayMs: 30000 } } });
    const [job] = await addJobs(queue, 1);
    await until(async () => (await daemon.http('GET', '/status')).json.queues[0].inFlight === 1,
        'the job in flight');
    assert.equal((await daemon.http('POST', `/queues/q/jobs/${job.id}/cancel`)).status, 200);
});

test('a job in flight on another replica is cancelled by asking', async (cleanup) => {
    const { redis, queue, daemon } = await up(cleanup, { remoteCancel: true,
        handler: { noop: { delayMs: 30000 } } });
    const [job] = await addJobs(queue, 1, { attempts: 3 });
    await until(async () => (await queue.getActiveCount()) === 1, 'the job to run');
    const other = Daemon.start(oneQueue(redis, { remoteCancel: true }));
    cleanup(() => other.signal('SIGKILL'));
    await until(async () => (await other.http('GET', '/readyz')).status === 200, 'readiness');
    const answer = await other.http('POST', `/queues/q/jobs/${job.id}/cancel`);
    assert.equal(answer.status, 202);
    assert.deepEqual(answer.json, { asked: true });
    await until(async () => (await job.getState()) === 'failed', 'its end', 10000);
    const { failedReason, attemptsMade } = await queue.getJob(job.id);
    assert.deepEqual({ failedReason, attemptsMade },
        { failedReason: 'job cancelled: by an operator', attemptsMade: 1 });
    await until(async () => (await daemon.http('GET', '/status')).json.queues[0].inFlight === 0, 'an empty slot');
});

test('a job that runs nowhere, and a queue that asks nobody', async (cleanup) => {
    const { redis, daemon } = await up(cleanup);
    const alone = await daemon.http('POST', '/queues/q/jobs/nix/cancel');
    assert.equal(alone.status, 404);
    assert.match(alone.json.error, /not in flight on this worker.*remoteCancel/);
    const unknown = await daemon.http('POST', '/queues/other/jobs/1/cancel');
    assert.equal(unknown.status, 404);
    assert.match(unknown.json.error, /no such queue/);
    const asking = Daemon.start(oneQueue(redis, { remoteCancel: true }));
    cleanup(() => asking.signal('SIGKILL'));
    await until(async () => (await asking.http('GET', '/readyz')).status === 200, 'readiness');
    assert.equal((await asking.http('POST', '/queues/q/jobs/nix/cancel')).status, 202);
    await until(async () => (await keys(redis, '*::bulwark:*')).length === 0,
        'the request to expire');
});

test('a browser page on the machine cannot steer', async (cleanup) => {
    const { daemon } = await up(cleanup);
    const answer = await daemon.http('POST', '/queues/q/pause', { Origin: 'http://example.com' });
    assert.equal(answer.status, 403);
    assert.equal((await daemon.http('GET', '/status')).json.queues[0].quiet, false);
});

const outside = Object.values(networkInterfaces()).flat()
    .find((i) => i.family === 'IPv4' && !i.internal)?.address;

test('other addresses need the token for POSTs', async (cleanup) => {
    if (!outside)
        return console.log('        no other address on this machine: not tried');
    const { daemon } = await up(cleanup, {}, { http: { listen: `${outside}:0`, token: 'Open-5esame' } });
    const post = async (authorization) => (await daemon.http('POST', '/queues/q/pause',
        authorization ? { Authorization: authorization } : {})).status;
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
    assert.equal(await post(), 401);
    const seen = async (authorization) => (await daemon.http('GET', '/status',
        authorization ? { Authorization: authorization } : {})).status;
    assert.deepEqual([await seen(), await seen('Bearer Open-5esame')], [401, 200]);
    // Whole: neither less nor more of it, at neither end.
    for (const wrong of ['Open-5esam', 'pen-5esame', 'Open-5esam\u00e9', 'Open-5esamf', 'Qpen-5esame', 'Open-5esame ',
        'Open-5esameO'])
        assert.equal(await post(`Bearer ${encodeURI(wrong)}`), 401, wrong);
    assert.equal(await post('Bearer open-5esame'), 401);
    assert.equal(await post('Bearer Open-5esameOpen-5esame'), 401);
    assert.equal(await post('Bearer '), 401);
    assert.equal(await post('Basic Open-5esame'), 401);
    assert.equal(await post('Bearer Open-5esame'), 200);
    assert.ok(!JSON.stringify(daemon.lines).includes('Open-5esame'));
});

test('without a token other addresses refuse POSTs', async (cleanup) => {
    if (!outside)
        return console.log('        no other address on this machine: not tried');
    const { daemon } = await up(cleanup, {}, { http: { listen: `${outside}:0` } });
    assert.equal((await daemon.http('POST', '/queues/q/pause')).status, 403);
    assert.equal((await daemon.http('GET', '/status')).status, 403);
    for (const page of ['/healthz', '/readyz', '/metrics'])
        assert.equal((await daemon.http('GET', page)).status, 200, page);
});

test('a page whose name points here sees nothing', async (cleanup) => {
    const { daemon } = await up(cleanup);
    const as = async (Host, method = 'GET', page = '/status') => (await daemon.http(method, page, { Host })).status;
    for (const host of ['evil.example', 'evil.example:9464', '127.0.0.1.evil.example', 'localhost.evil.example:1', '10.0.0.1',
        '[2001:db8::1]:80', '[::1', 'x'.repeat(500)])
        assert.deepEqual([await as(host), await as(host, 'POST', '/queues/q/pause')], [403, 403], host);
    for (const host of ['localhost', 'LOCALHOST:9464', '127.0.0.1', '127.0.0.1:80', '127.1.2.3:9464', '[::1]', '[::1]:9464'])
        assert.equal(await as(host), 200, host);
    for (const page of ['/healthz', '/readyz', '/metrics'])
        assert.equal(await as('evil.example', 'GET', page), 200, page);
    assert.equal((await daemon.http('GET', '/status', { Origin: 'http://evil.example' })).status, 403);
});

test('other names can be given', async (cleanup) => {
    const { daemon } = await up(cleanup, {}, { http: { listen: '127.0.0.1:0', hosts: ['worker.internal', '::1'] } });
    const as = async (Host) => (await daemon.http('GET', '/status', { Host })).status;
    assert.deepEqual(await Promise.all(['worker.internal:9464', 'Worker.Internal', '[::1]:80', 'localhost', 'internal'].map(as)),
        [200, 200, 200, 403, 403]);
});

/** Connections that send a byte of a request now and then; `ended` counts those the server has closed. */
function drip(port, count, everyMs, text) {
    const state = { ended: 0 };
    const sockets = Array.from({ length: count }, () => {
        const socket = connect(port, '127.0.0.1');
        let at = 0;
        const timer = setInterval(() => socket.write(text[at++ % text.length]), everyMs);
        socket.on('error', () => {});
        socket.on('close', () => {
            clearInterval(timer);
            state.ended++;
        });
        return socket;
    });
    state.stop = () => sockets.forEach((socket) => socket.destroy());
    return state;
}

test('who drips keeps nobody out, and not for ever', async (cleanup) => {
    const { daemon } = await up(cleanup);
    const { listen } = await daemon.logged('status server listens');
    const port = Number(listen.split(':').pop());
    const heads = drip(port, 200, 300, 'GET /healthz HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
    cleanup(() => heads.stop());
    for (let i = 0; i < 50; i++)
        assert.equal((await daemon.http('GET', '/healthz')).status, 200);
    // Those that may stay have a deadline for the whole of it.
    await until(() => heads.ended === 200, 'the deadline of all', 20000);
    const bodies = drip(port, 10, 300, `POST /queues/q/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n${'a'.repeat(60000)}`);
    cleanup(() => bodies.stop());
    await until(() => bodies.ended === 10, 'the deadline of a body', 20000);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
});

test('a connection that is kept serves many requests', async (cleanup) => {
    const { daemon } = await up(cleanup);
    const { listen } = await daemon.logged('status server listens');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => agent.destroy());
    const get = () => new Promise((resolve, reject) => {
        const asked = request(`http://${listen}/healthz`, { agent }, (answer) => answer.resume().on('end', () =>
            resolve([answer.statusCode, asked.reusedSocket])));
        asked.on('error', reject).end();
    });
    assert.deepEqual(await get(), [200, false]);
    for (let i = 0; i < 20; i++) assert.deepEqual(await get(), [200, true]);
});

test('readiness follows the drain', async (cleanup) => {
    const { queue, daemon } = await up(cleanup, { handler: { noop: { delayMs: 4000 } } });
    await addJobs(queue, 1);
    await until(async () => (await queue.getActiveCount()) === 1, 'the job in flight');
    daemon.signal('SIGTERM');
    await daemon.logged('asked to end');
    const ready = await daemon.http('GET', '/readyz');
    assert.equal(ready.status, 503);
    assert.deepEqual(ready.json.reasons, ['draining']);
    assert.equal(await daemon.ended(40000), 0);
});

test('garbage and idle connections do no harm', async (cleanup) => {
    const { daemon } = await up(cleanup);
    const { listen } = await daemon.logged('status server listens');
    const port = Number(listen.split(':').pop());
    const sockets = [];
    for (const text of ['\0\0\0\r\n\r\n', 'GET', `GET /${'a'.repeat(100000)} HTTP/1.1\r\n\r\n`,
        'POST /queues/q/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\nx',
        'POST /queues/q/pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {}); // the server may cut it
        socket.write(text);
        sockets.push(socket);
    }
    await sleep(200);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
    sockets.forEach((socket) => socket.destroy());
});

await runAll();
