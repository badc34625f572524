// What Telegram refuses, puts off or answers strangely loses no message and doubles none: a token that is
// wrong for a time, a chat that moved, a pause, an answer that is not the Bot API's, the limits of notices.
import assert from 'node:assert/strict';

import { bullmq, Redis } from '../peer/peer.mjs';
import { installWorkflow, Postgres, startBotApi } from './postgres.mjs';
import { bulwark, Daemon, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until } from './rig.mjs';

const QUEUE = 'workflow-processing';
const SOON = 15000 * PATIENCE;

const node = (id, type, config) => ({ id, type, data: { label: id, config: { [type]: config } } });
const chain = (...nodes) => ({ nodes,
    edges: nodes.slice(1).map(({ id }, i) => ({ source: nodes[i].id, target: id })) });
const trigger = node('t', 'trigger.command', { command: '/hi' });
const HI = chain(trigger, node('m', 'message', { text: 'hi' }));

// One of each server for all tests; a test empties them.
const redis = await PersistentRedis.create();
const pg = await Postgres.create();
const bot = await startBotApi();
const client = new Redis(redis.port, '127.0.0.1');

const control = async (what) => (await fetch(`${bot.url}/__control/${what}`)).json();
const rule = (...rules) => fetch(`${bot.url}/__control/rules`, { method: 'POST', body: JSON.stringify(rules) });
const mend = () => fetch(`${bot.url}/__control/rules`, { method: 'DELETE' });
const sends = async (query = '') => (await control(`calls?${query}`)).calls.filter(({ method }) =>
    /^(send|edit|delete)/.test(method));

async function up(cleanup, workflow, { config = {}, token = null, url = redis.url, queues = [] } = {}) {
    await fetch(`${bot.url}/__control/reset`, { method: 'POST' });
    await client.flushall();
    pg.sql('truncate projects, workflows, workflow_versions, workflow_executions, bot_settings cascade');
    installWorkflow(pg, workflow);
    if (token !== null)
        pg.sql(`update bot_settings set bot_token = '${token}'`);
    const jobs = await openQueue(redis, QUEUE);
    cleanup(() => jobs.close());
    const start = () => {
        const daemon = Daemon.start({ redis: { url }, database: { url: pg.url },
            telegram: { apiUrl: bot.url }, http: { listen: '127.0.0.1:0' },
            workflow: { 'ratelimit.bot': 1000, ...config },
            queues: [{ name: QUEUE, handler: 'workflow', concurrency: 32 }, ...queues] });
        cleanup(() => daemon.signal('SIGKILL'));
        return daemon;
    };
    let updates = 0;
    const job = (chat, message = {}, projectId = 'P') => ({ name: 'heavy_workflow_execution', data: { projectId,
        executionId: `exec-${projectId}-${++updates}`, context: { update: { update_id: updates, message: {
            message_id: updates, date: 1, text: '/hi', from: { id: Math.abs(chat), first_name: 'Ann' },
            chat: { id: chat, type: chat < 0 ? 'group' : 'private' }, ...message } } } } });
    const add = (chat, { message, opts, projectId } = {}) => {
        const made = job(chat, message, projectId);
        return jobs.add(made.name, made.data, opts);
    };
    return { jobs, start, daemon: start(), job, add };
}


const state = (jobs, { id }) => jobs.getJob(id).then((job) => job.getState());
const ended = (jobs, job) => until(async () => ['completed', 'failed'].includes(await state(jobs, job)),
    `the end of job ${job.id}`, SOON);
const value = async (jobs, { id }) => (await jobs.getJob(id)).returnvalue;
const score = async (id) => Math.floor(Number(await client.zscore(`bull:${QUEUE}:delayed`, id)) / 4096);
const figures = async (daemon) => (await daemon.http('GET', '/status')).json.queues[0].figures;
const warnings = (daemon, message) => daemon.lines.filter((line) =>
    line.level === 'warning' && line.message === message);

// WF-169
for (const [what, answer] of [['a page', { body: '<html>busy</html>' }], ['nothing', { body: '' }],
    ['no result', { body: '{"ok":true}' }], ['an id out of range',
        { body: '{"ok":true,"result":{"message_id":12345678901234567890}}' }],
    ['an answer cut short', { action: 'half' }], ['chunks cut short', { action: 'chunk' }]])
    for (const policy of ['resend', 'drop'])
        test(`${what} with a 200, ${policy}`, async (cleanup) => {
            const rig = await up(cleanup, chain(trigger, node('m', 'message', { text: 'one' }),
                node('p', 'message.photo', { photo: 'https://shop.example/a.jpg', caption: 'two' }),
                node('n', 'message', { text: 'three' })), { config: { 'telegram.unknown_sends': policy } });
            await rule({ match: { nth: 1 }, action: 'raw', ...answer }, { match: { method: 'sendPhoto' },
                action: 'raw', ...answer });
            const job = await rig.add(42, { opts: { attempts: 3 } });
            await ended(rig.jobs, job);
            assert.equal(await value(rig.jobs, job), true);
            assert.deepEqual((await sends()).map(({ method, params }) => [method, params.text ?? params.caption]),
                [['sendMessage', 'one'], ['sendPhoto', 'two'], ['sendMessage', 'three']]);
            assert.equal(warnings(rig.daemon,
                "an answer of success is not the Bot API's; it counts as one").length, 2);
            assert.equal((await figures(rig.daemon)).workflow_unclear_answers, 2);
        });

// WF-168
test('a group that became a supergroup', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('m', 'message', { text: 'one' }),
        node('p', 'message.photo', { photo: 'https://shop.example/a.jpg' }),
        node('n', 'message', { text: 'Name?', waitForInput: true }),
        node('o', 'message', { text: 'Hello {{telegram.message.text}} {chat_id}' })));
    await rule({ match: { chat: '-42' }, action: 'migrate', to: -1001234567890 });
    const job = await rig.add(-42);
    await ended(rig.jobs, job);
    assert.equal(await value(rig.jobs, job), true);
    assert.deepEqual((await sends()).map(({ chat, status }) => [chat, status]),
        [['-42', 400], ...Array(3).fill(['-1001234567890', 200])], 'asked once, remembered for the run');
    assert.equal(pg.sql('select telegram_chat_id, status from workflow_executions'), '-1001234567890|waiting');
    const answer = await rig.add(-1001234567890, { message: { text: 'Bob', from: { id: 42, first_name: 'Ann' } } });
    await ended(rig.jobs, answer);
    assert.equal((await sends()).at(-1).params.text, 'Hello Bob -1001234567890', 'the execution follows');
});

// WF-168: an attempt after a pause still knows it, and an execution that was there before is moved.
test('a group that moves while its execution waits', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('m', 'message', { text: 'Name?', waitForInput: true }),
        node('n', 'message', { text: 'one' }), node('o', 'message', { text: 'two' })));
    await ended(rig.jobs, await rig.add(-42));
    await rule({ match: { chat: '-42' }, action: 'migrate', to: -1001234567890 },
        { match: { text: 'two' }, count: 1, action: 'limit', retry_after: 6 });
    const job = await rig.add(-42, { message: { text: 'Bob' } });
    await until(async () => (await state(rig.jobs, job)) === 'delayed', 'the pause', SOON);
    await mend();
    await ended(rig.jobs, job);
    assert.deepEqual((await sends()).map(({ chat, status }) => [chat, status]).slice(1),
        [['-42', 400], ['-1001234567890', 200], ['-1001234567890', 429], ['-1001234567890', 200]]);
    assert.equal(pg.sql('select telegram_chat_id, status from workflow_executions'), '-1001234567890|completed');
});

// WF-170
test('a pause that Telegram asks for', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('m', 'message', { text: 'hi {{telegram.message.message_id}}' })));
    const twin = rig.start();
    await twin.logged('status server listens');
    await rule({ match: { chat: '301' }, count: 1, action: 'limit', retry_after: 8 });
    const asked = Date.now();
    const first = await rig.add(301);
    await until(async () => (await state(rig.jobs, first)) === 'delayed', 'the pause', SOON);
    const later = [];
    for (let i = 0; i < 4; i++)
        later.push(await rig.add(301));
    const other = await rig.add(302);
    await ended(rig.jobs, other);
    for (const job of later)
        await until(async () => (await state(rig.jobs, job)) === 'delayed', 'the delay', SOON);
    const scores = await Promise.all([first, ...later].map(({ id }) => score(id)));
    assert.deepEqual(new Set(scores).size, 1, `the same time: ${scores}`);
    assert.ok(scores[0] >= asked + 8000 && scores[0] <= Date.now() + 8000);
    const pause = JSON.parse(await client.get('bulwark:pause:P:301'));
    assert.equal(pause.until, scores[0]);
    for (const job of [first, ...later])
        await ended(rig.jobs, job);
    const texts = (await sends('chat=301')).filter(({ status }) => status === 200).map(({ params }) => params.text);
    assert.deepEqual(texts, [...texts].sort((a, b) => Number(a.slice(3)) - Number(b.slice(3))), 'in order');
    assert.equal(texts.length, 5);
    for (const [job, started] of [[first, 2], ...later.map((one) => [one, 1])]) {
        const { attemptsStarted, attemptsMade } = await rig.jobs.getJob(job.id);
        assert.deepEqual({ attemptsStarted, attemptsMade }, { attemptsStarted: started, attemptsMade: 1 });
    }
});

// WF-170: a message to another chat than the event's; and a question.
test('pauses of other calls', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('m', 'message', { text: 'one' }),
        node('c', 'action.check_channel_subscription', { channelId: '@channel', userId: '42' }),
        node('s', 'action.send_notification', { recipient: '500', template: 'told' }),
        node('n', 'message', { text: 'two' })));
    await rule({ match: { method: 'getChatMember' }, count: 1, action: 'limit', retry_after: 6 },
        { match: { chat: '500' }, count: 1, action: 'limit', retry_after: 6 });
    const job = await rig.add(42);
    await ended(rig.jobs, job);
    assert.equal(await value(rig.jobs, job), true);
    assert.deepEqual((await sends()).filter(({ status }) => status === 200).map(({ params }) => params.text),
        ['one', 'told', 'two']);
    assert.equal((await rig.jobs.getJob(job.id)).attemptsStarted, 3);
});

// WF-167
for (const [what, refusal] of [['revoked', { status: 401, description: 'Unauthorized' }],
    ['unknown', { status: 404, description: 'Not Found' }]])
    test(`a token that is ${what}`, async (cleanup) => {
        const rig = await up(cleanup, HI);
        installWorkflow(pg, HI, 'Q', '2:secret');
        const twin = rig.start();
        await twin.logged('status server listens');
        await rule({ match: { bot: '111' }, action: 'status', ...refusal });
        const jobs = [];
        for (let i = 0; i < 40; i++)
            jobs.push(await rig.add(1000 + i));
        await until(async () => (await rig.jobs.getDelayedCount()) === jobs.length, 'the jobs in delayed', SOON);
        await ended(rig.jobs, await rig.add(7, { projectId: 'Q' }));
        assert.equal((await sends('bot=2')).length, 1, 'another project goes on');
        const said = [rig.daemon, twin].flatMap((one) => warnings(one,
            "Telegram refuses the project's token; its jobs wait for a right one"));
        assert.deepEqual(said.map(({ project }) => project), ['P'], 'warned once');
        const held = await Promise.all([rig.daemon, twin].map(async (one) => (await figures(one)).workflow_held.token));
        assert.ok(held.includes(1), 'the gauge');
        assert.equal((await rig.daemon.http('GET', '/readyz')).status, 200);
        assert.ok((await rig.daemon.http('GET', '/metrics')).text.includes('bulwark_workflow_held{'));
        assert.ok(await client.exists('bulwark:held:P'));
        for (const job of await rig.jobs.getDelayed())
            assert.equal(job.attemptsMade, 0);
        assert.equal(await rig.jobs.getFailedCount(), 0);
        pg.sql("update bot_settings set bot_token = '3:fresh' where project_id = 'P'");
        for (const job of jobs) {
            await ended(rig.jobs, job);
            assert.equal(await value(rig.jobs, job), true);
        }
        const chats = (await sends('bot=3')).map(({ chat }) => Number(chat));
        assert.deepEqual(chats.sort((a, b) => a - b), jobs.map((_, i) => 1000 + i), 'each once');
        assert.equal(await client.exists('bulwark:held:P', 'bulwark:held:P:probe'), 0);
    });

test('a wrong token keeps the order of a chat', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('m', 'message', { text: 'hi {{telegram.message.message_id}}' })));
    await rule({ action: 'status', status: 401, description: 'Unauthorized' });
    const jobs = [];
    for (let i = 0; i < 60; i++)
        jobs.push(await rig.add(500 + i % 3));
    await until(async () => (await rig.jobs.getDelayedCount()) === jobs.length, 'the jobs in delayed', SOON);
    await mend();
    for (const job of jobs)
        await ended(rig.jobs, job);
    for (const chat of [500, 501, 502]) {
        const texts = (await sends(`chat=${chat}`)).filter(({ status }) => status === 200)
            .map(({ params }) => Number(params.text.slice(3)));
        assert.equal(texts.length, 20);
        assert.deepEqual(texts, [...texts].sort((a, b) => a - b), 'in order');
    }
});

test('a wrong token when a delay is over', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('d', 'flow.delay', { delayMs: 1500 }),
        node('m', 'message', { text: 'hi' })), { queues: [{ name: 'workflow-delays', handler: 'workflow' }] });
    await ended(rig.jobs, await rig.add(1));
    await rule({ action: 'status', status: 401, description: 'Unauthorized' });
    const delays = await openQueue(redis, 'workflow-delays');
    cleanup(() => delays.close());
    await rig.daemon.logged("Telegram refuses the project's token; its jobs wait for a right one");
    await until(async () => (await delays.getDelayedCount()) === 1, 'the job in delayed', SOON);
    assert.equal(pg.sql('select status from workflow_executions'), 'running');
    await mend();
    await until(async () => (await delays.getCompletedCount()) === 1, 'its end', SOON);
    assert.equal((await sends()).filter(({ status }) => status === 200).length, 1);
    assert.equal(pg.sql('select status from workflow_executions'), 'completed');
});

test('a token that was rotated', async (cleanup) => {
    const rig = await up(cleanup, HI);
    await ended(rig.jobs, await rig.add(1));
    pg.sql("update bot_settings set bot_token = '3:fresh'");
    await rule({ match: { bot: '111' }, action: 'status', status: 401, description: 'Unauthorized' });
    const job = await rig.add(2);
    await ended(rig.jobs, job);
    assert.equal(await value(rig.jobs, job), true);
    assert.equal((await sends('bot=3')).length, 1, 'the new one is read at once');
});

test('a token that cannot be one', async (cleanup) => {
    const rig = await up(cleanup, HI, { token: 'not a token' });
    const job = await rig.add(1);
    await until(async () => (await state(rig.jobs, job)) === 'delayed', 'the hold', SOON);
    pg.sql("update bot_settings set bot_token = '3:fresh'");
    await ended(rig.jobs, job);
    assert.equal((await sends('bot=3')).length, 1);
});

test('a call that is refused by a right token', async (cleanup) => {
    const rig = await up(cleanup, HI);
    await rule({ match: { method: 'sendMessage' }, action: 'status', status: 404, description: 'Not Found' });
    const job = await rig.add(1);
    await ended(rig.jobs, job);
    assert.equal(await value(rig.jobs, job), false);
    assert.equal((await control('calls?method=getMe')).total, 3, 'looked at again before it is given up');
    assert.equal(warnings(rig.daemon, 'Telegram refuses a call')[0].chat, '1');
    assert.equal(await client.exists('bulwark:held:P'), 0);
});

test('patience with a token ends', async (cleanup) => {
    const rig = await up(cleanup, HI, { config: { 'telegram.token_patience': 3 } });
    await rule({ action: 'status', status: 401, description: 'Unauthorized' });
    const jobs = [await rig.add(1), await rig.add(2), await rig.add(3)];
    for (const job of jobs) {
        await ended(rig.jobs, job);
        assert.equal(await value(rig.jobs, job), false);
    }
    assert.equal(pg.sql("select count(*) from workflow_executions where status = 'failed'"), '3');
});

// worker/workflow/spec/workflow.md §9.6
for (const description of ['Forbidden: bot was kicked from the group chat',
    'Forbidden: bot is not a member of the channel chat', "Forbidden: bot can't initiate conversation with a user"])
    test(description, async (cleanup) => {
        const rig = await up(cleanup, HI);
        await rule({ action: 'status', status: 403, description });
        const job = await rig.add(-5);
        await ended(rig.jobs, job);
        assert.equal(await value(rig.jobs, job), false);
        const [{ project, chat, reason }] = warnings(rig.daemon, 'Telegram refuses a call');
        assert.deepEqual({ project, chat, reason }, { project: 'P', chat: '-5', reason: description });
        assert.equal((await figures(rig.daemon)).workflow_telegram_refused.forbidden, 1);
    });

// WF-171
const FAMILY = '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}\u200d\u{1F466}';
const link = (i) => `<a href="https://shop.example/items?id=${1000 + i}&amp;utm_source=bot&amp;` +
    `utm_campaign=spring%20sale">item ${i}</a>`;
const LONG = {
    bold: { text: `<b>${Array.from({ length: 500 }, (_, i) => `<i>w${i}</i>`).join(' ')}</b>`, parts: 1 },
    links: { text: `<b>Catalogue</b>\n${Array.from({ length: 60 }, (_, i) => link(i)).join('\n')}`, parts: 1 },
    signs: { text: '&lt;&gt;&amp;'.repeat(400), parts: 1 },
    pre: { text: `<pre>${'line of code\n'.repeat(380)}</pre>`, parts: 2 },
    family: { text: FAMILY.repeat(400), parts: 2 },
    v2: { text: `*${'_word_ \\! '.repeat(1000)}*`, parts: 2, parseMode: 'MarkdownV2' },
    quote: { text: '>a line of a quote \\-\n'.repeat(300), parts: 2, parseMode: 'MarkdownV2' },
    old: { text: `*${'bold words '.repeat(500)}*`, parts: 2, parseMode: 'Markdown' },
    broken: { text: `<b>${'5 < 6 '.repeat(800)}`, parts: 2, raw: true },
};
for (const [what, { text, parts, parseMode, raw }] of Object.entries(LONG))
    test(`a long text: ${what}`, async (cleanup) => {
        const rig = await up(cleanup, chain(trigger, node('m', 'message', { text, ...(parseMode && { parseMode }) })));
        const job = await rig.add(42);
        await ended(rig.jobs, job);
        assert.equal(await value(rig.jobs, job), true);
        const calls = await sends();
        const taken = calls.filter(({ status }) => status === 200);
        assert.equal(taken.length, parts);
        if (raw)
            return;
        assert.equal(calls.length, parts, 'none is refused');
        for (const { params } of taken)
            assert.equal(params.parse_mode, parseMode ?? 'HTML');
        const seen = (await control('chats')).chats['42'].map((message) => message.text).join('');
        assert.ok(!seen.includes('\ufffd'));
        assert.equal(seen.split(FAMILY).join('').includes('\u200d'), false, 'no cut inside an emoji');
    });

for (const [type, member] of [['photo', 'photo'], ['video', 'video'], ['document', 'document']])
    test(`the caption of a ${type}`, async (cleanup) => {
        const rig = await up(cleanup, chain(trigger,
            node('m', `message.${type}`, { [member]: 'https://shop.example/a', parse_mode: 'HTML',
                caption: Array.from({ length: 12 }, (_, i) => link(i)).join('\n') }),
            node('n', `message.${type}`, { [member]: 'https://shop.example/a', parse_mode: 'MarkdownV2',
                caption: `*${'long words '.repeat(100)}*` })));
        await ended(rig.jobs, await rig.add(42));
        const calls = await sends();
        assert.deepEqual(calls.map(({ method, status }) => [method, status]),
            [[calls[0].method, 200], [calls[0].method, 200], ['sendMessage', 200]]);
        assert.ok(calls[0].params.caption.length > 1024, 'what is seen counts');
        assert.equal(calls[1].params.caption, undefined);
    });

// WF-175
test("notices keep the bot's limits", async (cleanup) => {
    const rig = await up(cleanup, HI, { config: { 'ratelimit.bot': 10, 'ratelimit.user': 1 } });
    for (let i = 0; i < 25; i++)
        await ended(rig.jobs, await rig.add(2000 + i));
    await sleep(1100);
    const from = (await control('calls')).calls.at(-1).n;
    await rig.jobs.addBulk(Array.from({ length: 25 }, (_, i) => rig.job(2000 + i)));
    await until(async () => (await rig.jobs.getCompletedCount()) === 50, 'the jobs', SOON);
    const calls = await sends(`since=${from}`);
    assert.equal(calls.length, 25, 'none is lost');
    for (const { at } of calls)
        assert.ok(calls.filter((one) => one.at >= at && one.at < at + 1000).length <= 10, 'ten a second');
});

test('a prompt in a pause', async (cleanup) => {
    const rig = await up(cleanup, chain(trigger, node('m', 'action.request_contact', { text: 'Phone?' }),
        node('n', 'message', { text: 'thanks' })));
    await ended(rig.jobs, await rig.add(42));
    await rule({ match: { text: 'email' }, count: 1, action: 'limit', retry_after: 6 });
    const job = await rig.add(42, { message: { text: 'Ввести email' } });
    await ended(rig.jobs, job);
    const prompts = (await sends()).filter(({ params }) => params.text.includes('email'));
    assert.deepEqual(prompts.map(({ status }) => status), [429, 200], 'it comes after the pause');
    assert.equal(pg.sql('select status, wait_type from workflow_executions'), 'waiting|contact');
});

// A worker of another kind on the same queue.
for (const line of ['5', '6'])
    test(`a worker of BullMQ ${line} beside ours`, async (cleanup) => {
        const rig = await up(cleanup, HI);
        const twin = rig.start(); // one of ours, which must not be taken for one
        await twin.logged('status server listens');
        const check = () => bulwark(['check', '--config', rig.daemon.file]);
        await ended(rig.jobs, await rig.add(1));
        assert.ok(!(await check()).stdout.includes('another kind'));
        assert.equal((await figures(rig.daemon)).foreign_workers, 0);
        const { Worker } = await bullmq(line);
        const worker = new Worker(QUEUE, async () => true, { connection: redis.connection, name: 'other' });
        cleanup(() => worker.close(true));
        await worker.waitUntilReady();
        const message = 'workers of another kind take jobs from this queue; they run workflows as they see fit';
        await until(() => [rig.daemon, twin].every((one) => warnings(one, message).length === 1), 'the warning',
            30000 * PATIENCE);
        assert.equal((await figures(rig.daemon)).foreign_workers, 1);
        assert.ok(/^bulwark_foreign_workers\{.*\} 1$/m.test((await rig.daemon.http('GET', '/metrics')).text));
        const { code, stdout } = await check();
        assert.equal(code, 0);
        assert.ok(/WARNING: queue workflow-processing: 1 worker of another kind/.test(stdout), stdout);
    });

test('without the right to list clients', async (cleanup) => {
    await client.call('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-client|list');
    cleanup(() => client.call('ACL', 'DELUSER', 'plain'));
    const rig = await up(cleanup, HI, { url: redis.url.replace('//', '//plain:secret@') });
    await ended(rig.jobs, await rig.add(1));
    await sleep(1500);
    assert.equal((await figures(rig.daemon)).foreign_workers, 0);
    assert.deepEqual(rig.daemon.lines.filter(({ level }) => level === 'error'), []);
    assert.equal((await bulwark(['check', '--config', rig.daemon.file])).code, 0);
});

await runAll(async () => {
    client.disconnect();
    await bot.stop();
    await pg.stop();
    await redis.stop();
});
