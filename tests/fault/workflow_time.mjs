// Workflows that go on by themselves, on a worker that names no queue: a delay, and a wait that ends.
import assert from 'node:assert/strict';

import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PersistentRedis, runAll, test, until } from './rig.mjs';

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

await runAll();
