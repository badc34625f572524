// For authors: `bulwark workflow …` from outside. What each check says is tests/unit/workflow/test_authoring.c.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

import { stateOf } from './dry_state.mjs';
import { isValid } from './json_schema.mjs';
import { installWorkflow, Postgres } from './postgres.mjs';
import { bulwark, freePort, runAll, test, writeConfig } from './rig.mjs';

const BOTS = fileURLToPath(new URL('../integration/workflow/bots', import.meta.url));

const node = (id, type, config) => ({ id, type, data: { config: { [type]: config } } });
const edge = (source, target) => ({ source, target });
const START = node('t', 'trigger.command', { command: '/start' });
const GOOD = { nodes: [START, node('m', 'message', { text: 'Hi {{user.firstName}}' })],
    connections: [edge('t', 'm')], entryNodeId: 't' };
const BAD = { nodes: [START, node('m', 'message', { text: 'Hi {{user.firstName' })],
    connections: [edge('t', 'm'), edge('m', 'n')], entryNodeId: 't' };
const LINES = 'node m, text: wrong template: "{{" without "}}"\n' +
    'node m, connections: missing target "n"\n';

const write = (value) => writeConfig(typeof value === 'string' ? value : JSON.stringify(value));
const validate = (args, env) => bulwark(['workflow', 'validate', ...args], env);

test('validate a file: problems by node and field, as text and as JSON', async () => {
    assert.deepEqual(await validate([write(GOOD)]), { code: 0, stdout: '', stderr: '' });
    assert.deepEqual(await validate([write(BAD)]), { code: 1, stdout: LINES, stderr: '' });
    const json = await validate(['--json', write(BAD)]);
    assert.equal(json.code, 1);
    assert.deepEqual(JSON.parse(json.stdout), { problems: [
        { node: 'm', field: 'text', problem: 'wrong template: "{{" without "}}"' },
        { node: 'm', field: 'connections', problem: 'missing target "n"' }] });
    const none = await validate([write(GOOD), '--json']);
    assert.deepEqual([none.code, JSON.parse(none.stdout)], [0, { problems: [] }]);
});

test('validate what is no workflow', async () => {
    const broken = await validate([write('{\n "nodes": [,]\n}')]);
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /: line 2, column \d+: /);
    const list = await validate([write([])]);
    assert.equal(list.code, 1);
    assert.match(list.stdout, /^workflow: an object .* expected\n$/);
});

test('validate a version of the database', async (cleanup) => {
    const pg = await Postgres.create();
    cleanup(() => pg.stop());
    installWorkflow(pg, { nodes: BAD.nodes, edges: BAD.connections });
    const env = { DATABASE_URL: pg.url };
    assert.deepEqual(await validate(['--version-id', 'v'], env), { code: 1, stdout: LINES, stderr: '' });
    pg.sql("update workflow_versions set nodes = nodes - 1; update workflows set connections = '[]'");
    assert.deepEqual(await validate(['--version-id=v'], env), { code: 0, stdout: '', stderr: '' });
    const gone = await validate(['--version-id', 'w'], env);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /w: no such version/);
    assert.equal((await validate(['--version-id', 'v', 'file.json'], env)).code, 2);
});

test('validate without its database', async () => {
    const url = `postgresql://u:s3cr3t@127.0.0.1:${await freePort()}/d`;
    const result = await validate(['--version-id', 'v'], { DATABASE_URL: url });
    assert.equal(result.code, 2);
    assert.match(result.stderr, /PostgreSQL: /);
    assert.ok(!result.stderr.includes('s3cr3t'), result.stderr);
});

// --- the dry run

const update = (id, message) => ({ update_id: id, message: { message_id: id, chat: { id: 77, type: 'private' },
    from: { id: 77, is_bot: false, first_name: 'Ann' }, ...message } });
const text = (id, words) => update(id, { text: words });
const run = (workflow, updates, state, extra = []) => bulwark(['workflow', 'run', write(workflow),
    ...updates.flatMap((one) => ['--update', write(one)]),
    ...(state ? ['--state', write(state)] : []), ...extra]);
async function trace(workflow, updates, state) {
    const result = await run(workflow, updates, state, ['--json']);
    assert.equal(result.stderr, '');
    return { code: result.code, jobs: JSON.parse(result.stdout) };
}
const steps = (job) => job.steps.map((step) => step.node_id);
const sent = (job) => job.calls.filter(({ kind }) => kind === 'telegram').map(({ params }) => params.text);

test('run: steps, variables, SQL and calls of one update', async () => {
    const { code, jobs } = await trace(GOOD, [text(1, '/start')],
        { customer: { firstName: 'Eve', telegramId: '77' } });
    assert.equal(code, 0);
    assert.equal(jobs.length, 1);
    assert.deepEqual([jobs[0].answer, jobs[0].status], [true, 'completed']);
    assert.deepEqual(steps(jobs[0]), ['t', 'm']);
    assert.deepEqual(sent(jobs[0]), ['Hi Eve']);
    const [call] = jobs[0].calls.filter(({ kind }) => kind === 'telegram');
    assert.deepEqual([call.method, call.node, call.step, call.params.chat_id], ['sendMessage', 'm', 2, '77']);
    assert.ok(jobs[0].calls.some(({ statement }) => statement === 'wf_flush'));
});

test('run: as text', async () => {
    const nobody = await run(GOOD, [text(1, '/start')]);
    assert.match(nobody.stdout, /: the message needs a customer and nobody is linked\n/);
    assert.equal(nobody.stdout.match(/telegram +sendMessage/g).length, 1);
    const result = await run(GOOD, [text(1, '/start')], { customer: { telegramId: '77', firstName: 'Ann' } });
    assert.equal(result.code, 0);
    assert.match(result.stdout, /^heavy_workflow_execution\n/);
    assert.match(result.stdout, / 2 {2}m \(message\)\n +telegram sendMessage \{.*"text":"Hi Ann"/);
    assert.match(result.stdout, / +sql +wf_flush .*\n.*\n? *completed\n$/s);
});

test('run: a wait, and the update that ends it', async () => {
    const ask = { nodes: [START, node('a', 'message', { text: 'Name?', waitForInput: true }),
        node('v', 'action.set_variable', { name: 'who', value: '{{telegram.message.text}}' }),
        node('m', 'message', { text: 'Hi {{who}}' })],
    connections: [edge('t', 'a'), edge('a', 'v'), edge('v', 'm')], entryNodeId: 't' };
    const { code, jobs } = await trace(ask, [[text(1, '/start'), text(2, 'Zoe')]]);
    assert.equal(code, 0);
    assert.deepEqual([jobs[0].status, jobs[0].wait], ['waiting', 'input']);
    assert.deepEqual([steps(jobs[1]), sent(jobs[1]), jobs[1].status], [['v', 'm'], ['Hi Zoe'], 'completed']);
    assert.equal(jobs[1].variables.who, 'Zoe');
    const separately = await trace(ask, [text(1, '/start'), text(2, 'Zoe')]);
    assert.deepEqual(separately.jobs.map(sent), jobs.map(sent));
});

test('run: loop, delay and sub-workflow, without waiting', async () => {
    const bot = JSON.parse(readFileSync(path.join(BOTS, '14.5-loop-delay-sub.json'), 'utf8'));
    const before = Date.now();
    const { code, jobs } = await trace(bot.workflows.W1, [text(1, '/start')],
        { workflows: { W2: bot.workflows.W2 }, now: 1700000000000 });
    assert.equal(code, 0);
    assert.ok(Date.now() - before < 2000);
    assert.deepEqual(jobs.map(({ job }) => job), ['heavy_workflow_execution', 'delay-task']);
    assert.deepEqual(sent(jobs[0]), ['Tick 0', 'Tick 1']);
    assert.deepEqual(jobs[0].calls.filter(({ kind }) => kind === 'telegram').map(({ step }) => step), [4, 6]);
    const [job] = jobs[0].calls.filter(({ kind }) => kind === 'job');
    assert.deepEqual([job.queue, job.delay, job.data.createdAt], ['workflow-delays', 2000, 1700000000000]);
    assert.deepEqual([sent(jobs[1]), jobs[1].status], [['Hi gold'], 'completed']);
});

// --- what is known of customers and money, and remembered

const pathOf = (job) => job.steps.filter((step, i) =>
    step.step !== job.steps[i + 1]?.step || step.execution !== job.steps[i + 1]?.execution)
    .map(({ node_id: id, branch_key: branch, status }) =>
        id + (branch ? `:${branch}` : '') + (status === 'error' ? '!' : '')).join(' ');
const texts = (calls) => calls.map(([method, { text: words, caption }]) => `${method} ${words ?? caption ?? ''}`);
/** Up to where a bot's test changes what a dry run cannot know of: rows, answers of Telegram. */
const untilChanged = (steps) => {
    const end = steps.findIndex(({ sql, rules, redis }) => sql ?? rules ?? redis);
    return end < 0 ? steps : steps.slice(0, end);
};

test('run: all bots take the path, and say the words, that they do on a real database', async () => {
    let compared = 0;
    for (const file of readdirSync(BOTS).filter((name) => name.endsWith('.json'))) {
        const bot = JSON.parse(readFileSync(path.join(BOTS, file), 'utf8'));
        const { W1, ...workflows } = bot.workflows ?? { W1: bot.workflow };
        const given = bot.steps.filter((step) => step.update);
        const { jobs } = await trace(W1, [given.map((step) => step.update)], { ...stateOf(bot.sql), workflows });
        const answered = jobs.filter(({ job }) => job === 'heavy_workflow_execution');
        assert.equal(answered.length, given.length, file);
        assert.ok(jobs.every((job) => job.error === undefined), file);
        for (const [i, step] of untilChanged(given).entries()) {
            if (step.trace === undefined) continue;
            compared++;
            assert.equal(pathOf(answered[i]), step.trace, `${file}, step ${i}`);
            if (step.calls?.some(([, params]) => params === '*' || params.text === '*')) continue;
            const calls = answered[i].calls.filter(({ kind, method }) => kind === 'telegram' && method !== 'getMe')
                .map(({ method, params }) => [method, params]);
            if (step.calls) assert.deepEqual(texts(calls).slice(0, step.calls.length), texts(step.calls), file);
        }
    }
    assert.ok(compared > 150, `only ${compared} steps were compared`);
});

test('run: a name that yields nothing is warned of, once a step', async () => {
    const bot = { nodes: [START, node('m', 'message',
        { text: '{{company}} {{company}} {{x|default:"b"}} {user.foo} {{user.firstName}}' })],
    connections: [edge('t', 'm')], entryNodeId: 't' };
    const { code, jobs } = await trace(bot, [text(1, '/start')], { customer: { telegramId: '77', firstName: 'A' } });
    assert.equal(code, 0);
    assert.deepEqual(jobs[0].calls.filter(({ kind }) => kind === 'warning').map(({ node: at, name }) => [at, name]),
        [['m', 'company'], ['m', 'user.foo']]);
    const shown = await run(bot, [text(1, '/start')], { customer: { telegramId: '77' } });
    assert.match(shown.stdout, /warning +the name "company" yields nothing\n/);
});

test('run: a state with members nobody knows', async () => {
    for (const [state, words] of [[{ custommer: {} }, /state\.custommer: .*did you mean "customer"\?/],
        [{ customer: { telegramID: '7' } }, /state\.customer\.telegramID: .*did you mean "telegramId"\?/],
        [{ customers: [{}, { orders: [{ items: [{ nam: 1 }] }] }] },
            /state\.customers\[1\]\.orders\[0\]\.items\[0\]\.nam: .*"name"\?/],
        [{ answers: { transaction: [] } }, /state\.answers\.transaction: .*"transactions"\?/],
        [{ telegram: { getChatMembr: {} } }, /state\.telegram\.getChatMembr: .*"getChatMember"\?/],
        [{ http: { 'https://a.example': { stauts: 1 } } }, /\.stauts: .*"status"\?/],
        [{ customer: { isActive: 'yes' } }, /state\.customer\.isActive: true or false expected/],
        [{ customer: { registeredAt: 'soon' } }, /state\.customer\.registeredAt: a time /],
        [[], /state: an object expected/]]) {
        const result = await run(GOOD, [text(1, '/start')], state);
        assert.equal(result.code, 2, JSON.stringify(state));
        assert.match(result.stderr, words);
    }
});

const CASES = fileURLToPath(new URL('authoring', import.meta.url));
const sample = (name) => JSON.parse(readFileSync(path.join(CASES, name), 'utf8'));
const contact = (phone) => ({ contact: { phone_number: phone, first_name: 'A', user_id: 77 } });

test('run: a customer is known by what he has given, and from then on by Telegram', async () => {
    const { code, jobs } = await trace(sample('link-by-contact.json'),
        [text(1, '/start'), update(2, contact('79001234567')), text(3, '/start')],
        { customer: { phone: '+79001234567', firstName: 'Eve' } });
    assert.equal(code, 0);
    assert.deepEqual(jobs.map(pathOf), ['t k kc:false ask', 'q c:true a ok', 't k kc:true hello']);
    assert.deepEqual(jobs.flatMap(sent), ['phone?', 'linked Eve', 'known by Telegram']);
    const known = await trace(sample('link-by-contact.json'), [text(1, '/start')],
        { customer: { telegramId: 77, firstName: 'Eve' } });
    assert.deepEqual(known.jobs.map(pathOf), ['t k kc:true hello']);
});

test("run: the manual's example of a state knows the customer", async () => {
    const manual = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
    const [example] = /^ {4}\{\n {6}"project":[^]*?^ {4}\}\n/m.exec(manual);
    const state = JSON.parse(example);
    const { code, stdout, stderr } = await bulwark(['workflow', 'run', '--json', write(sample('link-by-contact.json')),
        '--start', '--state', write(state)]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(JSON.parse(stdout).map(pathOf), ['t k kc:true hello']);
});

test('run: what was paid and spent is there with the next update', async () => {
    const query = (id, name, parameters, assignTo) =>
        node(id, 'action.database_query', { query: name, parameters, ...(assignTo ? { assignTo } : {}) });
    const shop = { nodes: [START,
        query('b', 'add_bonus', { userId: '{{user.id}}', amount: 50.5, type: 'PROMO' }),
        query('s', 'spend_bonus', { userId: '{{user.id}}', amount: 120 }, 'spent'),
        node('m', 'message', { text: '{{spent.remaining}} {user.balance} {user.transactionCount}' }),
        query('u', 'update_user', { userId: '{{user.id}}', data: { phone: '+7000' } })],
    connections: [edge('t', 'b'), edge('b', 's'), edge('s', 'm'), edge('m', 'u')], entryNodeId: 't' };
    const { code, jobs } = await trace(shop, [text(1, '/start'), text(2, '/start'), text(3, '/start')],
        { customer: { telegramId: '77', balance: 200 }, customers: [{ phone: '+7000' }] });
    assert.equal(code, 1);
    assert.deepEqual(jobs.flatMap(sent), ['130.5 130.5 2', '61 61 4']);
    assert.match(jobs[0].failure, /^Contact already belongs to another user/);
    assert.match(jobs[2].failure, /^Insufficient bonus balance. Available: 111.5, Required: 120/);
});

test('run: answers of the state, an error, and what no trigger is for', async () => {
    const api = { nodes: [START, node('a', 'action.api_request',
        { url: 'https://shop.example/price', responseMapping: { price: 'price' } }),
    node('q', 'action.database_query', { query: 'get_user_stats', assignTo: 'stats',
        parameters: { userId: 'u1' } }),
    node('m', 'message', { text: '{{price}} {{stats.orders}}' }),
    node('e', 'action.database_query', { query: 'none' })],
    connections: [edge('t', 'a'), edge('a', 'q'), edge('q', 'm'), edge('m', 'e')], entryNodeId: 't' };
    const { code, jobs } = await trace(api, [text(1, '/start')], {
        http: { 'https://shop.example/price': { status: 200, body: { price: 5 } } },
        answers: { stats: [[{ orders: 3 }]] } });
    assert.equal(code, 1);
    assert.deepEqual([sent(jobs[0])[0], jobs[0].status], ['5 3', 'failed']);
    assert.match(jobs[0].failure, /^Unauthorized query type: none/);
    const contact = { nodes: [node('t', 'trigger.schedule', { cron: '0 9 * * *' })], connections: [],
        entryNodeId: 't' };
    const lost = await run(contact, [text(1, 'hello')]);
    assert.deepEqual([lost.code, /nothing handles it\n$/.test(lost.stdout)], [0, true]);
});

// Two services' bots from first message to balance: {workflow, conversations: [{about, state, events: [[options,
// path, words that are said]]}]}.
for (const name of ['loyalty-club', 'partner-club']) {
    const { workflow, conversations } = sample(`${name}.json`);

    test(`run: ${name} has nothing wrong with it`, async () => {
        assert.deepEqual(await validate([write(workflow)]), { code: 0, stdout: '', stderr: '' });
    });
    for (const { about, state, events } of conversations) {
        test(`run: ${name}, ${about}`, async () => {
            const { code, stdout, stderr } = await bulwark(['workflow', 'run', '--json', write(workflow), '--state',
                write(state), ...events.flatMap(([options]) => options)]);
            assert.deepEqual([code, stderr], [0, '']);
            const jobs = JSON.parse(stdout);
            assert.deepEqual(jobs.map(pathOf), events.map(([, steps]) => steps));
            for (const [i, [options, , words = '']] of events.entries())
                assert.ok(sent(jobs[i]).join('\n').includes(words), `${options}: ${sent(jobs[i]).join('\n')}`);
            const wrong = jobs.flatMap(({ calls }) => calls).filter(({ kind }) => kind === 'warning');
            assert.deepEqual(wrong.map(({ node: at, name: lost }) => `${at}: ${lost}`), []);
        });
    }
}

// --- what a person does

const ASK = { nodes: [START, node('a', 'message', { text: '<b>Who</b> &lt; are you?', keyboard: { type: 'reply',
    buttons: [[{ text: 'Share', request_contact: true }, { text: 'Place', request_location: true }]] } }),
node('v', 'action.set_variable', { name: 'who',
    value: '{{contactReceived.phoneNumber|default:""}}{{locationReceived.latitude|default:""}}' }),
node('m', 'message', { text: 'You: {{who}}', keyboard: { type: 'inline', buttons: [[{ text: 'Again',
    callback_data: 'again' }, { text: 'Site', url: 'https://a.example' }]] } }),
node('c', 'trigger.callback', { callbackData: 'again' })],
connections: [edge('t', 'a'), edge('a', 'v'), edge('v', 'm'), edge('c', 'a')], entryNodeId: 't' };
const does = (options, state = {}) => bulwark(['workflow', 'run', '--json', write(ASK), '--state', write(state),
    ...options]);
const said = ({ stdout }) => JSON.parse(stdout).map((job) => sent(job).join());
const WHO = '<b>Who</b> &lt; are you?';

test('run: events in the order given, with updates between them', async () => {
    const all = await does(['--start', '--contact', '+79', '--press', 'Again', '--press=Share',
        '--update', write([text(1, '/start'), update(2, contact('+78'))]), '--start=ref7', '--location', '1.5,2'],
    { customer: { telegramId: 77, phone: '+77' } });
    assert.deepEqual([all.code, all.stderr], [0, '']);
    assert.deepEqual(said(all), [WHO, 'You: +79', `,${WHO}`, 'You: +77', WHO, 'You: +78', WHO, WHO]);
    const [first, , third] = JSON.parse(all.stdout);
    assert.equal(first.calls.find(({ kind }) => kind === 'telegram').params.chat_id, '77');
    assert.ok(third.calls.some(({ method }) => method === 'answerCallbackQuery'));
});

test('run: a button that was not sent, one that opens a link, a place that is none', async () => {
    const strange = await does(['--start', '--press', 'again']);
    assert.equal(strange.code, 0);
    assert.match(strange.stderr, /no button "again" was sent/);
    const link = await does(['--start', '--text', '+7 900 123-45-67', '--press', 'Site']);
    assert.deepEqual([link.code, link.stdout], [2, '']);
    assert.match(link.stderr, /button "Site" opens https:\/\/a\.example/);
    const place = await does(['--location', 'here']);
    assert.equal(place.code, 2);
    assert.match(place.stderr, /location "here": LATITUDE,LONGITUDE expected/);
});

// --- chat

const CHAT = `Who < are you?
(waits for the contact: /contact PHONE)
  [1] Share [2] Place
You: +79
  [1] Again [2] Site
  [3] Share [4] Place
`;
/** A conversation by lines. */
function chat(file, lines, state) {
    const args = ['workflow', 'chat', file, ...(state ? ['--state', write(state)] : [])];
    return spawnSync(process.env.BULWARK_BIN, args, { input: lines.join('\n'), encoding: 'utf8' });
}

test('chat: lines in, messages and numbered buttons out, 0 at the end', () => {
    const file = write(ASK);
    const short = chat(file, ['/start', '/contact +79']);
    assert.deepEqual([short.status, short.stderr, short.stdout], [0, '', CHAT]);
    const numbers = chat(file, ['/start', '1', '', '1', '/location 1,2', '2', '3', '/quit', '/start'],
        { customer: { phone: '+75' } });
    assert.equal(numbers.status, 0);
    assert.match(numbers.stderr, /button "Site" opens/);
    assert.equal(numbers.stdout.match(/You: \+75\n/g).length, 2);
    assert.match(chat(file, ['/start', '/say 2']).stdout, /You: \n/);
    const none = chat(file, []);
    assert.deepEqual([none.status, none.stdout, none.stderr], [0, '', '']);
    const broken = chat('/nonexistent.json', ['/start']);
    assert.equal(broken.status, 2);
});

test('chat: in a terminal, with a prompt, bold as bold', () => {
    const line = `${process.env.BULWARK_BIN} workflow chat ${write(ASK)}`;
    const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'],
        { input: '/start\n\x04', encoding: 'utf8', timeout: 20000 });
    assert.equal(status, 0);
    assert.match(stdout, /Ctrl-D ends/);
    assert.ok(stdout.includes('> '), stdout);
    assert.ok(stdout.includes('\x1b[1mWho\x1b[22m < are you?'), stdout);
});

// --- the types of nodes

test('nodes: every type with its fields, for people and as data', async () => {
    const nodes = (...args) => bulwark(['workflow', 'nodes', ...args]);
    const all = JSON.parse((await nodes('--json')).stdout);
    assert.ok(all.length > 40);
    assert.ok(all.every(({ type, meaning, fields }) => type && meaning && fields.every((field) => field.meaning)));
    const loop = all.find(({ type }) => type === 'flow.loop').fields;
    assert.deepEqual(loop.find(({ name }) => name === 'type'), { name: 'type', kind: 'one of',
        values: ['count', 'foreach', 'while'], required: false, default: 'count', meaning: 'what ends it' });
    assert.deepEqual(loop.find(({ name }) => name === 'count').aliases, ['iterations']);
    const one = await nodes('flow.delay');
    assert.match(one.stdout, /^flow\.delay: goes on later\n[^]*delayMs[^]*0 to 86400000/);
    const wrong = await nodes('flow.dealy');
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /did you mean "flow\.delay"\?/);
});

test('nodes --schema: takes every bot, refuses what is misspelt', async () => {
    const schema = JSON.parse((await bulwark(['workflow', 'nodes', '--schema'])).stdout);
    const accepts = (workflow) => isValid(schema, workflow, schema);
    for (const file of readdirSync(BOTS).filter((name) => name.endsWith('.json'))) {
        const bot = JSON.parse(readFileSync(path.join(BOTS, file), 'utf8'));
        for (const workflow of Object.values(bot.workflows ?? { W1: bot.workflow })) {
            const { problems } = JSON.parse((await validate(['--json', write(workflow)])).stdout);
            const known = problems.every(({ problem }) => /operator|unknown/.test(problem) === false);
            if (known) assert.ok(accepts(workflow), file);
        }
    }
    for (const name of ['loyalty-club', 'partner-club']) assert.ok(accepts(sample(`${name}.json`).workflow), name);
    const around = (type, config) => ({ nodes: [START, node('x', type, config)], connections: [] });
    assert.ok(accepts(around('message', { text: 'a' })));
    assert.ok(accepts({ nodes: [{ id: 'a', type: 'message', data: { config: { text: 'flat' } } }] }));
    for (const [type, config] of [['message', { text: 'a', keybord: {} }], ['mesage', { text: 'a' }],
        ['message', {}], ['message', { text: 'a', parseMode: 'html' }], ['flow.loop', { type: 'cuont' }],
        ['action.database_query', { query: 'get_user_balnce' }], ['flow.end', { success: 'yes' }],
        ['condition', { variable: 'a', operator: 'eqals' }]])
        assert.ok(!accepts(around(type, config)), `${type} ${JSON.stringify(config)}`);
    assert.ok(!accepts({ connections: [] }));
});

// --- pictures: through graphviz where it is, else by ourselves

const WITHOUT_GRAPHVIZ = { PATH: '/nonexistent' };
const BRANCH = { nodes: [START, node('c', 'condition', { expression: '1 > 2' }),
    node('yes', 'message', { text: 'a <b' }), node('no', 'message', { text: 'n' }),
    node('s', 'flow.switch', { variable: 'user.currentLevel', cases: [{ value: 'Gold & <co>' }, { value: 5 }] })],
connections: [edge('t', 'c'), { ...edge('c', 'yes'), sourceHandle: 'true' },
    { ...edge('c', 'no'), sourceHandle: 'false' }, edge('no', 's'),
    { ...edge('s', 'yes'), sourceHandle: 'case_0' }, { ...edge('s', 'c'), sourceHandle: 'case_1' }],
entryNodeId: 't' };
/** What is drawn of the way that /start takes. */
async function draw(workflow, env, option = '--svg') {
    const file = writeConfig('');
    const result = await bulwark(['workflow', 'run', write(workflow), '--start', option, file,
        '--state', write({ customer: { telegramId: 7 } })], env);
    assert.equal(result.stderr, '');
    return readFileSync(file, 'utf8');
}

test('run: a picture without graphviz, the same each time, cases by their values', async () => {
    const svg = await draw(BRANCH, WITHOUT_GRAPHVIZ);
    assert.match(svg, /^<svg [^>]*>\n[^]*<\/svg>\n$/);
    assert.equal(svg.match(/<rect class="node taken"/g).length, 4);
    assert.equal(svg.match(/<rect class="node"/g).length, 1);
    assert.equal(svg.match(/<path class="edge taken"/g).length, 3);
    assert.equal(svg.match(/<path class="edge"/g).length, 3);
    assert.deepEqual([...svg.matchAll(/<text class="branch"[^>]*>([^<]*)</g)].map(([, label]) => label).sort(),
        ['5', 'Gold &amp; &lt;co&gt;', 'false', 'true']);
    assert.equal(await draw(BRANCH, WITHOUT_GRAPHVIZ), svg);
    const nowhere = await run(BRANCH, [text(1, '/start')], null, ['--svg', '/nonexistent/x.svg']);
    assert.deepEqual([nowhere.code, /x\.svg: No such file/.test(nowhere.stderr)], [2, true]);
});

/** Points along a path of M, C and L. */
function pointsOf(d) {
    const points = [];
    let at;
    for (const [, letter, list] of d.matchAll(/([MCL])([-\d. ]+)/g)) {
        const n = list.trim().split(' ').map(Number);
        const to = n.slice(-2);
        for (let t = 0; letter !== 'M' && t <= 1; t += 0.02) {
            const [p, q] = letter === 'C' ? [n.slice(0, 2), n.slice(2, 4)] : [at, to];
            points.push([0, 1].map((i) => (1 - t) ** 3 * at[i] + 3 * (1 - t) ** 2 * t * p[i] +
                3 * (1 - t) * t ** 2 * q[i] + t ** 3 * to[i]));
        }
        at = to;
    }
    return points;
}

test('run: no arrow runs behind a box, no box over another, in the pictures of all bots', async () => {
    let arrows = 0;
    for (const file of readdirSync(BOTS).filter((name) => name.endsWith('.json'))) {
        const bot = JSON.parse(readFileSync(path.join(BOTS, file), 'utf8'));
        const svg = await draw(bot.workflow ?? bot.workflows.W1, WITHOUT_GRAPHVIZ);
        const boxes = [...svg.matchAll(/<rect class="node[^"]*" x="(-?\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g)]
            .map((match) => match.slice(1).map(Number));
        const inside = ([x, y], [left, top, width, height], by) =>
            x > left + by && x < left + width - by && y > top + by && y < top + height - by;
        for (const [, d] of svg.matchAll(/<path class="(?:edge|jump)[^"]*" d="([^"]*)"/g)) {
            arrows++;
            for (const point of pointsOf(d)) {
                const box = boxes.find((one) => inside(point, one, 1));
                assert.equal(box, undefined, `${file}: ${d} at ${point}`);
            }
        }
        for (const [i, [x, y]] of boxes.entries())
            assert.ok(!boxes.slice(i + 1).some(([left, top]) => y === top && Math.abs(x - left) < 190), file);
    }
    assert.ok(arrows > 500, `only ${arrows} arrows`);
});

test('run: a picture through graphviz, and its source', async () => {
    const source = await draw(BRANCH, {}, '--dot');
    assert.match(source, /^digraph workflow \{\n/);
    assert.match(source, /n4 -> n2 \[label="Gold &amp; <co>"\]/);
    assert.match(source, /n0 \[label="t\\ntrigger\.command", tooltip="t", class="taken"/);
    const svg = await draw(BRANCH, {});
    assert.match(svg, /Generated by graphviz/);
    assert.equal(svg.match(/class="node taken"/g).length, 4);
    assert.match(svg, />Gold &amp; &lt;co&gt;</);
    const quoted = await draw({ nodes: [{ ...START, data: { label: 'a "b" \\ c\nd', config: START.data.config } }],
        connections: [], entryNodeId: 't' }, {});
    assert.match(quoted, />a &quot;b&quot; \\ c d</);
});

test('run: where graphviz fails, the picture is drawn without it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-dot-'));
    writeFileSync(path.join(folder, 'dot'), '#!/bin/sh\necho half\nexit 3\n', { mode: 0o755 });
    const file = writeConfig('');
    const result = await bulwark(['workflow', 'run', write(BRANCH), '--start', '--svg', file], { PATH: folder });
    rmSync(folder, { recursive: true });
    assert.equal(result.code, 0);
    assert.match(result.stderr, /dot: failed; drawn without it/);
    assert.match(readFileSync(file, 'utf8'), /^<svg [^]*<rect class="node taken"/);
});

test('run: wrong usage', async () => {
    for (const [args, words] of [[['run'], /FILE and events/], [['run', write(GOOD)], /FILE and events/],
        [['run', write(GOOD), '--txt', 'a'], /unknown option --txt, did you mean --text\?/],
        [['chat'], /FILE expected/], [['nodes', 'a', 'b'], /TYPE/],
        [['run', write(GOOD), '--update'], /--update: needs a value/],
        [['run', write(GOOD), '--update', '/nonexistent.json'], /nonexistent/],
        [['run', write([]), '--update', write(text(1, 'a'))], /an object .* expected/],
        [['run', write(GOOD), '--update', write(text(1, 'a')), '--state', write({ customer: 5 })],
            /state\.customer: an object expected/]]) {
        const result = await bulwark(['workflow', ...args]);
        assert.equal(result.code, 2, args.join(' '));
        assert.match(result.stderr, words);
        assert.equal(result.stdout, '');
    }
});

await runAll();
