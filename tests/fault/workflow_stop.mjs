// A cancelled or timed-out workflow job ends at once, whatever its run waits for: a query, the Bot API,
// a request of a node, a pause. What was under way ends on the other side too.
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, SLOWNESS, test, until } from './rig.mjs';

const SOON_MS = 1500 * PATIENCE; // every wait below would last much longer
const QUEUE = 'workflow-processing';

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const chain = (...nodes) => ({ nodes,
    edges: nodes.slice(1).map(({ id }, i) => ({ source: nodes[i].id, target: id })) });
const trigger = node('t', 'trigger.command', { command: '/start' });

async function up(cleanup, workflow, { queue = {}, workflowConfig = {} } = {}) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    const bot = await startBotApi();
    cleanup(() => bot.stop());
    installWorkflow(pg, workflow(bot));
    const jobs = await openQueue(redis, QUEUE);
    cleanup(() => jobs.close());
    const daemon = Daemon.start({ redis: { url: redis.url }, database: { url: pg.url },
        telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' },
        workflow: { 'http.allow_private': true, ...workflowConfig },
        queues: [{ name: QUEUE, handler: 'workflow', concurrency: 10, ...queue }] });
    cleanup(() => daemon.signal('SIGKILL'));
    const add = (opts = {}) => jobs.add('heavy_workflow_execution', { projectId: 'P',
        executionId: 'exec-stop',
        context: { update: { update_id: 1, message: { message_id: 1,
            text: '/start', from: { id: 42, first_name: 'Ann' },
            chat: { id: 42, type: 'private' } } } } }, { attempts: 3, ...opts });
    return { redis, pg, bot, jobs, daemon, add };
}

const status = (pg) => pg.sql("select status from workflow_executions where id = 'exec-stop'");

/** Cancels the job and sees it fail for good, soon, with its execution. */
async function cancelled({ daemon, pg, jobs }, job) {
    const before = Date.now();
    const answer = await daemon.http('POST', `/queues/${QUEUE}/jobs/${job.id}/cancel`);
    assert.equal(answer.status, 200);
    await until(async () => (await job.getState()) === 'failed', 'the end of the job');
    assert.ok(Date.now() - before < SOON_MS, `took ${Date.now() - before} ms`);
    const { failedReason, attemptsMade } = await jobs.getJob(job.id);
    assert.deepEqual({ failedReason, attemptsMade },
        { failedReason: 'job cancelled: by an operator', attemptsMade: 1 });
    assert.equal(status(pg), 'failed', 'the execution');
    await until(async () => (await daemon.http('GET', '/status')).json.queues
        .find(({ name }) => name === QUEUE).inFlight === 0, 'an empty slot', SOON_MS);
}

/** Rules of the stand-in. */
const rule = (bot, rules) => fetch(`${bot.url}/__control/rules`,
    { method: 'POST', body: JSON.stringify(rules) });

const control = async (bot, what) => (await fetch(`${bot.url}/__control/${what}`)).json();

const LOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";

/** Holds all rows of what a bonus is spent from, so that the next one waits. */
async function holdBonuses(pg, cleanup) {
    pg.sql("insert into users (id, project_id, telegram_id, first_name, is_active, updated_at) " +
        "values ('u1', 'P', 42, 'Ann', true, now())");
    const holder = pg.session('begin; lock table bonuses in access exclusive mode; ' +
        "select 'held'; select pg_sleep(60);");
    cleanup(() => holder.kill());
    await until(() => pg.sql("select count(*) from pg_locks where relation = 'bonuses'::regclass " +
        "and mode = 'AccessExclusiveLock' and granted") === '1', 'the lock of the test');
}

const SPEND = node('q', 'action.database_query', { query: 'add_bonus',
    parameters: { userId: 'u1', amount: 10, type: 'MANUAL' } });

test('a query', async (cleanup) => {
    const rig = await up(cleanup, () => chain(trigger, node('m', 'message', { text: 'hi' }), SPEND));
    await holdBonuses(rig.pg, cleanup);
    const job = await rig.add();
    await until(() => rig.pg.sql(LOCKED) === '1', 'a query that waits');
    await cancelled(rig, job);
    assert.equal(rig.pg.sql(LOCKED), '0', 'the server was told too');
});

test('the Bot API', async (cleanup) => {
    const rig = await up(cleanup, () => chain(trigger, node('m', 'message', { text: 'hi' })));
    await rule(rig.bot, [{ action: 'never' }]);
    const job = await rig.add();
    await until(() => rig.bot.sent().length === 1, 'the call');
    await cancelled(rig, job);
    await until(async () => (await control(rig.bot, 'calls')).calls.every((call) => call.status === 0),
        'the cut connection');
});

test('a request of a node', async (cleanup) => {
    const rig = await up(cleanup, (bot) => chain(trigger, node('a', 'action.api_request',
        { url: `${bot.url}/bot9:x/getMe`, timeout: 60000 }), node('m', 'message', { text: 'hi' })));
    await rule(rig.bot, [{ match: { bot: '9' }, action: 'never' }]);
    const job = await rig.add();
    await until(async () => (await control(rig.bot, 'calls?bot=9')).total === 1, 'the request');
    await cancelled(rig, job);
    assert.deepEqual(rig.bot.sent(), []);
});

test('a pause before a message', async (cleanup) => {
    const rig = await up(cleanup, () => chain(trigger, node('m', 'message', { text: 'one' }),
        node('n', 'message', { text: 'two' })),
    { workflowConfig: { 'ratelimit.chat_ms': 20000, 'telegram.throttle_wait_ms': 60000 } });
    const job = await rig.add();
    await until(() => rig.bot.sent().length === 1, 'the first message');
    const client = new Redis(rig.redis.url);
    const intended = async () =>
        JSON.parse(await client.get(`workflow:job:bull:${QUEUE}:${job.id}`) ?? '{"intended":"unknown"}').intended;
    await until(async () => await intended() === undefined, 'what was sent to be over');
    await sleep(300);
    assert.equal(await intended(), undefined, 'what waits is not about to go out');
    client.disconnect();
    await cancelled(rig, job);
    assert.equal(rig.bot.sent().length, 1);
});

test('at any moment', async (cleanup) => {
    const rig = await up(cleanup, (bot) => chain(trigger, node('m', 'message', { text: 'one' }),
        node('q', 'action.database_query', { query: 'check_user_by_telegram',
            parameters: { telegramId: '{{telegram.userId}}' }, assignTo: 'found' }),
        node('a', 'action.api_request', { url: `${bot.url}/bot9:x/getMe` }),
        node('d', 'flow.delay', { delayMs: 20 }), node('n', 'message', { text: 'two' })),
    { workflowConfig: { 'ratelimit.bot': 100000, 'ratelimit.api': 100000 } });
    const jobs = await rig.jobs.addBulk(Array.from({ length: 150 }, (_, i) => ({
        name: 'heavy_workflow_execution', data: { projectId: 'P', executionId: `exec-stop-${i}`,
            context: { update: { update_id: i, message: { message_id: i, text: '/start',
                from: { id: 100 + i, first_name: 'Ann' }, chat: { id: 100 + i, type: 'private' } } } } },
        opts: { attempts: 1 } })));
    const count = (...states) => rig.jobs.getJobCountByTypes(...states);
    let stopped = 0;
    while (await count('completed', 'failed') < jobs.length) {
        for (const { id } of await rig.jobs.getActive()) {
            if (Math.random() < 0.5)
                continue;
            const { status } = await rig.daemon.http('POST', `/queues/${QUEUE}/jobs/${id}/cancel`);
            stopped += status === 200 ? 1 : 0;
        }
    }
    assert.ok(stopped > 5, `stopped ${stopped}`);
    const failed = await rig.jobs.getFailed();
    assert.deepEqual([...new Set(failed.map(({ failedReason }) => failedReason))],
        ['job cancelled: by an operator']);
    assert.ok(failed.length <= stopped, 'what was not told completed');
    assert.equal(rig.pg.sql("select count(*) from workflow_executions where status = 'running'"), '0');
    const completed = (await rig.jobs.getCompleted()).map(({ data }) => `'${data.executionId}'`);
    assert.equal(rig.pg.sql(`select j.id, e.status, e.error from
        (select unnest(array[${completed}]::text[]) as id) j left join workflow_executions e using (id)
        where e.status is distinct from 'completed'`), '', 'jobs that completed');
});

test('a time limit reaches the query, and the retry succeeds', async (cleanup) => {
    const rig = await up(cleanup, () => chain(trigger, SPEND, node('m', 'message', { text: 'done' })),
        { queue: { timeout: 2000 * SLOWNESS } });
    await holdBonuses(rig.pg, cleanup);
    const job = await rig.add({ backoff: 1500 });
    await until(() => rig.pg.sql(LOCKED) === '1', 'a query that waits');
    await until(async () => (await job.getState()) === 'delayed', 'its retry', 10000 * PATIENCE);
    await until(() => rig.pg.sql(LOCKED) === '0', 'the server, told too', SOON_MS);
    rig.pg.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' " +
        'and pid <> pg_backend_pid()');
    await until(async () => (await job.getState()) === 'completed', 'the end', 10000 * PATIENCE);
    assert.equal(status(rig.pg), 'completed');
    assert.equal(rig.pg.sql('select count(*) from bonuses'), '1');
    assert.deepEqual(rig.bot.sent().map(({ params }) => params.text), ['done']);
    const { stacktrace } = await rig.jobs.getJob(job.id);
    assert.match(stacktrace.join('\n'), /timed out after/);
});

await runAll();
