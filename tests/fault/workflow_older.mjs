// One conversation each, in the moment in which it matters: a Redis or a database that comes back older, a lock
// that is lost, a purchase that its database cuts off. workflow_outage.mjs does it at random.
// worker/workflow/spec/workflow.md §3.9.2, WF-163.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';

import { Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until } from './rig.mjs';

const QUEUE = 'workflow-processing';
const LOCK_MS = 2000;
const SPACE_MS = 1500; // between two messages of a chat: a run waits there, everything recorded
const LONG = 30000 * PATIENCE;

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const message = (id, text, more = {}) => node(id, 'message', { text, ...more });
const BUY = [node('t', 'trigger.command', { command: '/buy' }), message('a', 'one'),
    node('q', 'action.database_query', { query: 'spend_bonus', assignTo: 'spend',
        parameters: { userId: '{{userId}}', amount: '50', description: 'Coffee' } }),
    message('b', 'Left {{spend.remaining}}')];
const ASK = [node('t', 'trigger.command', { command: '/ask' }), message('w', 'Name?', { waitForInput: true }),
    message('c', 'two'), message('d', 'three')];

async function begin(cleanup, nodes, spaceMs) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, { nodes, edges: nodes.slice(1).map(({ id }, i) => ({ source: nodes[i].id, target: id })) });
    pg.sql(`insert into users (id, project_id, first_name, telegram_id, is_active, updated_at)
        values ('u1', 'P', 'Ann', 1, true, now());
        insert into bonuses (id, user_id, amount, created_at) values ('b1', 'u1', 130, now() - interval '1 day')`);
    const queue = await openQueue(redis, QUEUE);
    cleanup(() => queue.close());
    const rig = { redis, pg, bot, queue, updates: 0 };
    const config = { redis: { url: redis.url }, database: { url: pg.url }, telegram: { apiUrl: bot.url },
        http: { listen: '127.0.0.1:0' },
        queues: [{ name: QUEUE, handler: 'workflow', lockDuration: LOCK_MS, stalledInterval: 500, maxStalledCount: 9 }],
        workflow: { 'telegram.unknown_sends': 'drop', 'ratelimit.chat_ms': spaceMs, 'database.timeout_ms': 1500 } };
    rig.start = () => { rig.daemon = Daemon.start(config, [], undefined, { REDIS_URL: redis.url }); };
    rig.start();
    cleanup(() => rig.daemon.signal('SIGKILL'));
    await rig.daemon.logged('running');
    rig.say = (text) => queue.add('heavy_workflow_execution', { projectId: 'P', executionId: '',
        context: { update: { update_id: ++rig.updates, message: { message_id: rig.updates, date: 1, text,
            from: { id: 1, first_name: 'Ann' }, chat: { id: 1, type: 'private' } } } } });
    rig.texts = () => bot.sent().map(({ params }) => params.text);
    rig.state = () => pg.sql(`select concat_ws(' ', status, wait_type) from workflow_executions`);
    rig.over = async (job) => {
        await until(async () => /completed|failed/.test(await job.getState()), 'the end of the job', LONG);
        assert.equal(await job.getState(), 'completed');
    };
    return rig;
}

test('Redis loses what it alone knew of a run', async (cleanup) => {
    const { redis, pg, queue, say, texts, over } = await begin(cleanup, BUY, SPACE_MS);
    const aof = path.join(redis.folder, 'appendonlydir');
    await queue.pause();
    const job = await say('/buy');
    cpSync(aof, `${aof}.old`, { recursive: true });
    await queue.resume();
    await until(() => pg.sql('select count(*) from transactions') === '1', 'the purchase', LONG);
    await sleep(200); // now it waits with "Left 80"
    assert.deepEqual(texts(), ['one']);
    redis.signal('SIGKILL');
    await redis.child.exited;
    await sleep(LOCK_MS + 1000);
    rmSync(aof, { recursive: true });
    cpSync(`${aof}.old`, aof, { recursive: true });
    await redis.start();
    await queue.resume();
    await over(job);
    assert.deepEqual(texts(), ['one', 'Left 80']);
    assert.equal(pg.sql('select count(*), sum(amount) from transactions'), '1|50.00');
});

test('a lock is over for the worker before it is for Redis', async (cleanup) => {
    const { redis, pg, say, texts, over } = await begin(cleanup, BUY, SPACE_MS);
    const client = new Redis(redis.port, '127.0.0.1');
    cleanup(() => client.disconnect());
    const job = await say('/buy');
    await until(() => pg.sql('select count(*) from transactions') === '1', 'the purchase', LONG);
    await sleep(200); // now it waits with "Left 80"
    await client.pexpire(`bull:${QUEUE}:${job.id}:lock`, 600000);
    redis.signal('SIGSTOP');
    await sleep(LOCK_MS + 1000);
    redis.signal('SIGCONT');
    await over(job);
    assert.deepEqual(texts(), ['one', 'Left 80']);
    assert.equal(pg.sql('select count(*), sum(amount) from transactions'), '1|50.00');
});

for (const [what, killed] of [['claim on a wait', false], ['claim on a wait', true], ['execution', false], ['execution', true]])
    test(`the database loses the ${what}${killed ? ', and the worker is killed' : ''}`, async (cleanup) => {
        const rig = await begin(cleanup, ASK, SPACE_MS);
        const { pg, say, texts, state, over } = rig;
        let older = await pg.copy();
        await over(await say('/ask'));
        assert.equal(state(), 'waiting input');
        if (what !== 'execution') older = await pg.copy();
        const job = await say('Ann');
        await until(() => texts().includes('two'), 'the answer', LONG);
        await sleep(200); // now it waits with "three"
        if (killed) rig.daemon.signal('SIGKILL');
        await pg.stop();
        pg.data = older;
        await pg.start();
        assert.deepEqual(texts(), ['Name?', 'two']);
        if (killed) rig.start();
        await over(job);
        assert.deepEqual(texts(), ['Name?', 'two', 'three']);
        assert.equal(state(), 'completed');
    });

test('a purchase is cut off by its database', async (cleanup) => {
    const { pg, say, texts, over } = await begin(cleanup, BUY, 0);
    const sessions = (which) => pg.sql(`select count(*) from pg_stat_activity where ${which}`) !== '0';
    const holder = pg.session('begin; select from users for update; select pg_sleep(600);');
    cleanup(() => holder.kill('SIGKILL'));
    await until(() => sessions(`wait_event = 'PgSleep'`), 'the row to be held', LONG);
    const job = await say('/buy');
    await until(() => sessions(`wait_event_type = 'Lock'`), 'the purchase', LONG);
    await until(() => !sessions(`wait_event_type = 'Lock'`), 'its deadline', LONG);
    pg.sql(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`);
    await over(job);
    assert.deepEqual(texts(), ['one', 'Left 80']);
    assert.equal(pg.sql('select count(*), sum(amount) from transactions'), '1|50.00');
});

await runAll();
