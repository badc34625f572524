// PostgreSQL goes away amid workflows, stopped or frozen: no job is lost, no message is sent twice,
// and work goes on within 2 s of its return.
import assert from 'node:assert/strict';

import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, eventCounts, openQueue, PersistentRedis, PROMISE, runAll, sleep, test, until }
    from './rig.mjs';

const QUEUE = 'workflow-processing';
const JOBS = 300;
const TRICKLE_MS = 25;
const AWAY_MS = 5000;
const BACK_MS = 2000 * PROMISE;

const WORKFLOW = {
    nodes: [
        { id: 't', type: 'trigger.command', data: { config: { command: '/start' } } },
        { id: 'a', type: 'message', data: { config: { text: 'One for {telegram.id}' } } },
        { id: 'b', type: 'message', data: { config: { text: 'Two for {telegram.id}' } } },
    ],
    edges: [{ source: 't', target: 'a' }, { source: 'a', target: 'b' }],
};

function job(i) {
    const chat = 1000 + i;
    const update = { update_id: i + 1, message: { message_id: 1, text: '/start',
        from: { id: chat, first_name: 'Ann' }, chat: { id: chat, type: 'private' } } };
    return { name: 'heavy_workflow_execution', data: { type: 'heavy_workflow_execution',
        projectId: 'P', executionId: `e-${i}`, context: { update } },
    opts: { attempts: 10, backoff: { type: 'fixed', delay: 500 } } };
}

/** Adds the jobs one by one, also while PostgreSQL is away. */
async function trickle(queue) {
    for (let i = 0; i < JOBS; i++) {
        const { name, data, opts } = job(i);
        await queue.add(name, data, opts);
        await sleep(TRICKLE_MS);
    }
}

async function amidWork(cleanup, leave, comeBack, knows) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, WORKFLOW);
    const queue = await openQueue(redis, QUEUE);
    cleanup(() => queue.close());
    const daemon = Daemon.start({ redis: { url: redis.url }, database: { url: pg.url },
        telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: QUEUE, handler: 'workflow', concurrency: 16 }],
        workflow: { 'ratelimit.bot': 100000 } });
    cleanup(() => daemon.signal('SIGKILL'));

    const added = trickle(queue);
    await until(async () => (await queue.getCompletedCount()) >= 40, 'the first jobs');
    await leave(pg);
    await sleep(AWAY_MS);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200, 'it lives');
    if (knows)
        assert.equal((await daemon.http('GET', '/readyz')).status, 503, 'it knows');
    assert.equal((await queue.getFailedCount()), 0, 'nothing has failed for good');

    const before = await queue.getCompletedCount();
    await comeBack(pg);
    const back = await pg.ready();
    await until(async () => (await queue.getCompletedCount()) > before, 'work after the return',
        BACK_MS);
    console.log(`        worked again after ${Date.now() - back} ms`);
    await until(async () => (await daemon.http('GET', '/readyz')).status === 200, 'readiness',
        back + BACK_MS - Date.now());

    await added;
    await until(async () => (await queue.getCompletedCount()) === JOBS, 'every job', 60000);
    const completed = await eventCounts(redis, 'completed', QUEUE);
    assert.equal(completed.size, JOBS);
    assert.deepEqual([...completed.values()].filter((n) => n !== 1), [], 'completed once each');
    const sent = new Map();
    for (const { chat, params } of bot.sent())
        sent.set(`${chat} ${params.text}`, (sent.get(`${chat} ${params.text}`) ?? 0) + 1);
    assert.deepEqual([...sent].filter(([, n]) => n !== 1), [], 'sent once each');
    assert.equal(sent.size, 2 * JOBS);
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(30000), 0);
}

test('PostgreSQL is stopped and started', (cleanup) => amidWork(cleanup,
    (pg) => pg.stop(), (pg) => pg.start(), true));

// A frozen server keeps its connections: it is known to be away once statements time out.
test('PostgreSQL is frozen and goes on', (cleanup) => amidWork(cleanup,
    (pg) => pg.signal('SIGSTOP'), (pg) => pg.signal('SIGCONT'), false));

await runAll();
