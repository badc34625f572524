// Workflows that go on by themselves, on a worker that names no queue: a delay, and a wait that ends. What cannot
// be put on the queue of delays ends no job: it is put there when Redis lets it
// (worker/workflow/spec/workflow.md §1.4.1, WF-166).
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until } from './rig.mjs';

const DELAY_MS = 1500;
const WAIT_MS = 1000;

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });

const WORKFLOW = {
    nodes: [
        node('t', 'trigger.command', { command: '/start' }),
        node('a', 'message', { text: 'before' }),
        node('d', 'flow.delay', { delayMs: DELAY_MS }),
        node('q', 'message', { text: 'name?', waitForInput: true, timeoutMs: WAIT_MS }),
        node('n', 'message', { text: 'thanks' }),
        node('l', 'message', { text: 'too late' }),
    ],
    edges: [
        { source: 't', target: 'a' },
        { source: 'a', target: 'd' },
        { source: 'd', target: 'q' },
        { source: 'q', target: 'n' },
        { source: 'q', target: 'l', sourceHandle: 'timeout' },
    ],
};

const update = { update_id: 1, message: { message_id: 1, text: '/start',
    from: { id: 42, first_name: 'Ann' }, chat: { id: 42, type: 'private' } } };

test('a delay and a timeout, with the queues a worker has by itself', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, WORKFLOW);
    const queue = await openQueue(redis, 'workflow-processing');
    cleanup(() => queue.close());
    const daemon = Daemon.start({ redis: { url: redis.url }, database: { url: pg.url },
        telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' } });
    cleanup(() => daemon.signal('SIGKILL'));
    await queue.add('heavy_workflow_execution', { projectId: 'P', executionId: 'exec-time',
        context: { update } }, { attempts: 3 });

    await until(() => bot.sent().length >= 3, 'three messages', 20000);
    const sent = bot.sent();
    assert.deepEqual(sent.map(({ params }) => params.text), ['before', 'name?', 'too late']);
    assert.ok(sent[1].at - sent[0].at >= DELAY_MS - 50, 'the delay was kept');
    assert.ok(sent[2].at - sent[1].at >= WAIT_MS - 50, 'the wait lasted its time');
    await until(() => pg.sql("select status from workflow_executions where id = 'exec-time'")
        .includes('completed'), 'the end of the execution');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(30000), 0);
});

const chain = (...nodes) => ({ nodes, edges: nodes.slice(1).map(({ id }, i) => ({ source: nodes[i].id, target: id })) });
const PAUSES = {
    'a delay': chain(node('t', 'trigger.command', { command: '/start' }), node('a', 'message', { text: 'before' }),
        node('d', 'flow.delay', { delayMs: 3600000 }), node('l', 'message', { text: 'after' })),
    'a timeout': chain(node('t', 'trigger.command', { command: '/start' }),
        node('q', 'message', { text: 'before', waitForInput: true, timeoutMs: 3600000 })),
};

/** Key patterns for all keys that do not begin so. */
const allBut = (start) => [...start].flatMap((c, i) => [`~${start.slice(0, i)}[^${c}]*`, ...(i > 0 ? [`~${start.slice(0, i)}`] : [])]);
const ATTEMPT = ['completed', 1];

/** A worker for the first queue only, as a user of Redis of its own. */
async function pausing(cleanup, workflow) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, workflow);
    const admin = new Redis(redis.url);
    admin.on('error', () => {}); // it is away for a while
    cleanup(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', 'worker', 'on', '>x', '~*', '&*', '+@all');
    const [queue, delays] = [await openQueue(redis, 'workflow-processing'), await openQueue(redis, 'workflow-delays')];
    cleanup(() => Promise.all([queue.close(), delays.close()]));
    const daemon = Daemon.start({ redis: { url: redis.url.replace('://', '://worker:x@') }, database: { url: pg.url },
        telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' },
        queues: [{ name: 'workflow-processing', handler: 'workflow', concurrency: 4 }] });
    cleanup(() => daemon.signal('SIGKILL'));
    const start = (opts = {}) => queue.add('heavy_workflow_execution',
        { projectId: 'P', executionId: 'exec-pause', context: { update } }, opts);
    const waits = () => pg.sql("select status from workflow_executions where id = 'exec-pause'").includes('waiting');
    const toldOf = (pattern) => daemon.lines.filter(({ message }) => pattern.test(message));
    return { redis, bot, admin, queue, delays, daemon, start, waits, toldOf };
}

/** The job ends by itself, in its one attempt; the row waits, one job will come, one message went. */
async function done({ queue, delays, bot, waits, daemon }, id) {
    const ended = async () => {
        const job = await queue.getJob(id);
        return [await job.getState(), job.attemptsMade];
    };
    await until(async () => ['completed', 'failed'].includes((await ended())[0]), 'the end of the job', 30000 * PATIENCE);
    assert.deepEqual(await ended(), ATTEMPT);
    assert.equal(await delays.getDelayedCount(), 1);
    assert.ok(waits());
    assert.deepEqual(bot.sent().map(({ params }) => params.text), ['before']);
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(30000), 0);
}

for (const [what, workflow] of Object.entries(PAUSES)) {
    test(`${what} that Redis does not let in`, async (cleanup) => {
        const rig = await pausing(cleanup, workflow);
        await rig.admin.call('ACL', 'SETUSER', 'worker', 'resetkeys', ...allBut('bull:workflow-delays'));
        const { id } = await rig.start();
        const failed = () => rig.queue.getFailedCount();
        await until(async () => rig.toldOf(/put on its queue/).length > 0 || await failed() > 0, 'the refusal');
        await sleep(500);
        assert.equal(await failed(), 0, 'no job ends');
        assert.ok(rig.waits());
        await rig.admin.call('ACL', 'SETUSER', 'worker', '~*');
        await done(rig, id);
    });

    test(`${what} while Redis is away`, async (cleanup) => {
        const rig = await pausing(cleanup, workflow);
        await fetch(`${rig.bot.url}/__control/rules`, { method: 'POST',
            body: JSON.stringify([{ match: { method: 'sendMessage' }, action: 'pass', delay: 2000 }]) });
        const { id } = await rig.start();
        await until(() => rig.bot.sent().length > 0, 'the message');
        await rig.redis.stop();
        await until(() => rig.waits(), 'the row', 30000 * PATIENCE);
        await until(() => rig.toldOf(/put on its queue|may be tried again/).length > 0, 'the failure', 30000 * PATIENCE);
        await rig.redis.start();
        await rig.admin.call('ACL', 'SETUSER', 'worker', 'on', '>x', '~*', '&*', '+@all');
        await done(rig, id);
    });
}

// What is done is known for as long as the next attempt takes to come (worker/workflow/spec/workflow.md
// §3.9.2).
test('the checkpoint outlives a backoff of days', async (cleanup) => {
    const BACKOFF_MS = 20 * 24 * 3600000;
    const rig = await pausing(cleanup, chain(node('t', 'trigger.command', { command: '/start' }),
        node('a', 'message', { text: 'before' }), node('l', 'message', { text: 'after' })));
    await fetch(`${rig.bot.url}/__control/rules`, { method: 'POST',
        body: JSON.stringify([{ match: { text: 'after' }, action: 'status', status: 502 }]) });
    const { id } = await rig.start({ attempts: 2, backoff: { type: 'fixed', delay: BACKOFF_MS } });
    await until(async () => (await rig.queue.getDelayedCount()) === 1, 'the failure', 30000 * PATIENCE);
    assert.equal((await rig.queue.getJob(id)).attemptsMade, 1);
    const key = `workflow:job:bull:workflow-processing:${id}`;
    await until(async () => await rig.admin.pttl(key) > BACKOFF_MS, 'a checkpoint that lasts');
});

await runAll();
