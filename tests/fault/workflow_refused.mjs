// The database is away, or refuses what every message needs: no job ends meanwhile, also with one attempt;
// the worker says why; afterwards all are answered, once. worker/workflow/spec/workflow.md §1.4.1, WF-015,
// WF-166.
//   node workflow_refused.mjs [--jobs 100] [--seconds 1]
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { bulwark, Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until, writeConfig }
    from './rig.mjs';

const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : Number(process.argv.splice(at, 2)[1]);
};
const JOBS = option('--jobs', 100);
const MEANWHILE_MS = option('--seconds', 1) * 1000;
const QUEUE = 'workflow-processing';

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const WORKFLOW = { nodes: [node('t', 'trigger.command', { command: '/hi' }),
    node('m', 'message', { text: 'hi' })], edges: [{ source: 't', target: 'm' }] };

const redis = await PersistentRedis.create();
const pg = await Postgres.create();
const bot = await startBotApi();
installWorkflow(pg, WORKFLOW);
pg.sql(`insert into users (id, project_id, first_name, telegram_id, is_active, updated_at)
    select 'u' || n, 'P', 'Ann', n, true, now() from generate_series(1001, 4000) n`);
pg.sql(`create schema "other"; create role poor login; grant usage on schema public to poor;
    create role shopkeeper login; grant usage on schema public to shopkeeper;
    grant all on all tables in schema public to shopkeeper;
    grant all on all sequences in schema public to shopkeeper;
    create role narrow login connection limit 0; grant usage on schema public to narrow;
    grant all on all tables in schema public to narrow; grant all on all sequences in schema public to narrow`);

const as = (user, query = '') => `postgresql://${user}@127.0.0.1:${pg.port}/postgres${query}`;

function configure(url) {
    return { redis: { url: redis.url }, database: { url }, telegram: { apiUrl: bot.url },
        http: { listen: '127.0.0.1:0' }, workflow: { 'ratelimit.bot': 100000, 'database.timeout_ms': 1000 },
        queues: [{ name: QUEUE, handler: 'workflow', concurrency: 16 }] };
}

let updates = 0;
function job() {
    const id = ++updates;
    return { name: 'heavy_workflow_execution', opts: {}, data: { projectId: 'P', executionId: '', context: {
        update: { update_id: id, message: { message_id: id, date: 1, text: '/hi',
            from: { id: 1000 + id, first_name: 'Ann' }, chat: { id: 1000 + id, type: 'private' } } } } } };
}

const readiness = async (daemon) => (await daemon.http('GET', '/readyz')).json.reasons.join('; ');

/** `spoil` before the worker starts (or once it is warm), `mend` afterwards. */
async function refused(cleanup, { url = pg.url, reason, kind, spoil, mend, checks, warm = false, sent = false }) {
    const queue = await openQueue(redis, QUEUE);
    cleanup(() => queue.close());
    await queue.obliterate({ force: true });
    const before = bot.sent().length;
    const config = configure(url);
    let daemon;
    const start = () => {
        daemon = Daemon.start(config);
        cleanup(() => daemon.signal('SIGKILL'));
    };
    let warmed = 0;
    if (warm) {
        start();
        const first = job();
        const added = await queue.add(first.name, first.data);
        await until(() => added.isCompleted(), 'a job before');
        warmed = 1;
    }
    if (spoil) await spoil();
    cleanup(async () => mend && mend());
    if (!warm) start();
    const jobs = Array.from({ length: JOBS }, job);
    const added = await queue.addBulk(jobs);
    await until(async () => (await daemon.http('GET', '/readyz')).status === 503 &&
        reason.test(await readiness(daemon)), 'the reason', 20000 * PATIENCE);
    const end = Date.now() + MEANWHILE_MS;
    while (Date.now() < end) {
        assert.equal(await queue.getCompletedCount(), warmed, 'none has completed');
        assert.equal(await queue.getFailedCount(), 0, 'none has failed');
        await sleep(200);
    }
    assert.match(await readiness(daemon), reason);
    const metrics = (await daemon.http('GET', '/metrics')).text;
    assert.match(metrics, new RegExp(`bulwark_workflow_held\\{.*reason="${kind}".*\\} 1`));
    const found = await bulwark(['check', '--config', writeConfig(config)]);
    assert.equal(found.code, 1, found.stdout);
    assert.match(found.stdout, checks);
    const errors = daemon.lines.filter(({ level, message }) => level === 'error' && /no job is taken/.test(message));
    assert.equal(errors.length, 1, 'one line says it');

    await mend();
    await until(async () => (await queue.getCompletedCount()) === JOBS + warmed, 'all jobs',
        40000 * PATIENCE);
    assert.equal(await queue.getFailedCount(), 0);
    for (const { id } of added) {
        const { returnvalue, attemptsMade, attemptsStarted } = await queue.getJob(id);
        assert.deepEqual([returnvalue, attemptsMade], [true, 1]);
        assert.ok(sent ? attemptsStarted <= 2 : attemptsStarted === 1, `started ${attemptsStarted} times`);
    }
    assert.equal(bot.sent().length - before, JOBS + warmed, 'each is answered once');
    await until(async () => (await daemon.http('GET', '/readyz')).status === 200, 'readiness');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(30000), 0);
}

const sql = (text) => () => pg.sql(text);

test('a table is missing', (cleanup) => refused(cleanup, { kind: 'schema',
    reason: /schema: relation "projects" does not exist/, checks: /table projects/,
    spoil: sql('alter table projects rename to projects_old'),
    mend: sql('alter table if exists projects_old rename to projects') }));

test('a table is taken away amid work', (cleanup) => refused(cleanup, { kind: 'schema', warm: true,
    reason: /schema: relation "workflow_executions" does not exist/, checks: /table workflow_executions/,
    spoil: sql('alter table workflow_executions rename to executions_old'),
    mend: sql('alter table if exists executions_old rename to workflow_executions') }));

test('a column is missing', (cleanup) => refused(cleanup, { kind: 'schema', sent: true, reason: /schema: column .*error/,
    checks: /column workflow_executions\.error/,
    spoil: sql('alter table workflow_executions rename column error to error_old'),
    mend: sql(`do $$ begin alter table workflow_executions rename column error_old to error;
        exception when undefined_column then null; end $$`) }));

test('no schema of that name', (cleanup) => refused(cleanup, { kind: 'schema', url: as('bulwark', '?schema=shop'),
    reason: /schema: relation "projects" does not exist/, checks: /schema "shop"/,
    mend: sql('create schema if not exists shop; ' + ['projects', 'bot_settings', 'users', 'workflows',
        'workflow_versions', 'workflow_executions', 'workflow_variables', 'workflow_logs', 'referral_programs',
        'project_variables', 'bonus_levels'].map((table) =>
        `create or replace view shop.${table} as select * from public.${table}`).join('; ')) }));

test('no right to the tables', (cleanup) => refused(cleanup, { kind: 'right', url: as('poor'),
    reason: /right: permission denied for table projects/, checks: /right to select from projects/,
    mend: sql(`grant all on all tables in schema public to poor;
        grant all on all sequences in schema public to poor`) }));

test('a server that only reads', (cleanup) => refused(cleanup, { kind: 'readonly', reason: /readonly: /, sent: true,
    checks: /read-only/,
    spoil: sql('alter role bulwark set default_transaction_read_only = on'),
    mend: sql('set default_transaction_read_only = off; alter role bulwark reset default_transaction_read_only; ' +
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = current_user') }));

test('too many connections', (cleanup) => refused(cleanup, { kind: 'database', url: as('narrow'),
    reason: /database: .*too many connections/, checks: /too many connections/, mend: sql('alter role narrow connection limit -1') }));

test('no such user', (cleanup) => refused(cleanup, { kind: 'database', url: as('stranger'),
    reason: /database: .*"stranger" does not exist/, checks: /"stranger" does not exist/,
    mend: sql(`do $$ begin create role stranger login superuser; exception when duplicate_object then null;
        end $$`) }));

test('the server is stopped', (cleanup) => refused(cleanup, { kind: 'database', warm: true, sent: true,
    reason: /database: |postgresql is not reachable/, checks: /postgresql +FAILED/, spoil: () => pg.stop(),
    mend: () => pg.child ?? pg.start() }));

test('the server is frozen', (cleanup) => refused(cleanup, { kind: 'database', warm: true, sent: true,
    reason: /database: /, checks: /postgresql +FAILED/, spoil: () => pg.signal('SIGSTOP'),
    mend: () => pg.signal('SIGCONT') }));

// What only some nodes need stops nobody else.
test('tables of one page are missing', async (cleanup) => {
    pg.sql(`alter table bonuses rename to bonuses_old; alter table notifications rename to notifications_old;
        alter table users rename column utm_term to utm_old;
        update workflow_versions set nodes = '${JSON.stringify([...WORKFLOW.nodes,
        node('c', 'trigger.command', { command: '/left' }),
        node('o', 'message', { text: 'left: {user.balance}' })])}',
        created_at = created_at + interval '1 second';
        update workflows set connections = '${JSON.stringify([...WORKFLOW.edges, { source: 'c', target: 'o' }])}'`);
    cleanup(() => pg.sql(`alter table bonuses_old rename to bonuses;
        alter table notifications_old rename to notifications; alter table users rename column utm_old to utm_term`));
    const raw = new Redis(redis.url);
    cleanup(() => raw.disconnect());
    await raw.del('project:P:workflow:active-version'); // as the service does when a workflow is saved
    const queue = await openQueue(redis, QUEUE);
    cleanup(() => queue.close());
    await queue.obliterate({ force: true });
    const config = configure(pg.url);
    const found = await bulwark(['check', '--config', writeConfig(config)]);
    assert.equal(found.code, 1);
    for (const what of [/table bonuses/, /table notifications/, /column users\.utm_term/])
        assert.match(found.stdout, what);
    const before = bot.sent().length;
    const daemon = Daemon.start(config);
    cleanup(() => daemon.signal('SIGKILL'));
    const other = () => {
        const made = job();
        made.data.context.update.message.text = '/left';
        return made;
    };
    await queue.addBulk([job(), other(), job(), other(), job()]);
    await until(async () => (await queue.getCompletedCount()) === 5, 'all jobs', 20000 * PATIENCE);
    assert.equal((await daemon.http('GET', '/readyz')).status, 200);
    const texts = bot.sent().slice(before).map(({ params }) => params.text);
    assert.deepEqual(texts, ['hi', 'hi', 'hi'], 'who needs it gets no answer, all others do');
    const told = daemon.lines.filter(({ message }) => /that some workflows need/.test(message));
    assert.equal(told.length, 1, 'said once a statement and minute');
    assert.match(told[0].reason, /"bonuses" does not exist/);
    assert.match((await daemon.http('GET', '/metrics')).text, /bulwark_workflow_statements_refused_total\{.*\} [1-9]/);
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(30000), 0);
});

await runAll();
