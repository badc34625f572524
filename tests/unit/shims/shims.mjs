// The shims for Node and Python, and the example in POSIX shell, against a worker spoken by hand.
// What worker/handlers/exec/protocol.md lays down for a program is tested for each of them by the same table.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Program } from './driver.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const WRAPPER = here('../../../worker/shims/node/bin/bulwark-processor');
const MAIN = here('../../../worker/shims/node/lib/main.mjs');
const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-shims-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
symlinkSync(WRAPPER, path.join(folder, 'bulwark-processor')); // as npm does

const programs = {
    'node, CommonJS': [path.join(folder, 'bulwark-processor'), here('processors/steps.cjs')],
    'node, ES module, no wrapper': [process.execPath, MAIN, here('processors/steps.mjs')],
    'python, plain': ['python3', here('processors/steps.py')],
    'python, async': ['python3', here('processors/steps.py'), 'async'],
};

const tests = [];
const test = (name, run) => tests.push({ name, run });

/** A job alone: its messages, the answer last. */
async function messagesOf(program, steps, more) {
    program.job(1, steps, more);
    const answer = await program.answer(1);
    return [...program.messages.splice(0), answer].map(({ seq, ...message }) => {
        assert.equal(seq, 1);
        delete message.stack;
        return message;
    });
}

const contract = {
    'every field of a job': async (program) => {
        const parent = { id: 'p', queueKey: 'bull:q2' };
        const [answer] = await messagesOf(program, [], { id: 'a-7', name: 'n', opts: { attempts: 3 },
            data: { do: [['fields']], more: [null, 'Ключ 🔑', 1e21] }, token: 't', timestamp: 5,
            delay: 6, priority: 7, attemptsMade: 8, attemptsStarted: 9, stalledCounter: 10,
            processedOn: 11, progress: { p: 1 }, parent, repeatJobKey: 'r', deduplicationId: 'd' });
        assert.deepEqual(answer.value, ['a-7', 'n', [null, 'Ключ 🔑', 1e21], { attempts: 3 }, 't', 5,
            6, 7, 8, 9, 10, 11, { p: 1 }, parent, 'r', 'd', 'q', 'bull']);
    },
    'nothing returned': async (program) =>
        assert.deepEqual(await messagesOf(program, []), [{ type: 'result' }]),
    'progress, log and data in order, then the result': async (program) =>
        assert.deepEqual(await messagesOf(program, [['progress', 5], ['log', 'one'],
            ['progress', { at: 'two' }], ['log', 'two'], ['data', { a: [1] }], ['return', { b: 'ü' }]]), [
            { type: 'progress', value: 5 }, { type: 'log', row: 'one' },
            { type: 'progress', value: { at: 'two' } }, { type: 'log', row: 'two' },
            { type: 'data', value: { a: [1] } }, { type: 'result', value: { b: 'ü' } }]),
    'an ordinary error': async (program) =>
        assert.deepEqual(await messagesOf(program, [['throw', 'Strange', 'böse']]),
            [{ type: 'error', name: 'Strange', message: 'böse' }]),
    'errors that choose a path, with and without a delay': async (program) => {
        for (const name of ['UnrecoverableError', 'DelayedError', 'WaitingError',
            'WaitingChildrenError', 'RateLimitError'])
            assert.deepEqual(await messagesOf(program, [['throw', name, 'm']]),
                [{ type: 'error', name, message: 'm' }]);
        for (const name of ['DelayedError', 'RateLimitError'])
            assert.deepEqual(await messagesOf(program, [['throw', name, 'm', 250]]),
                [{ type: 'error', name, message: 'm', delayMs: 250 }]);
    },
    'an error has a stack': async (program) => {
        program.job(1, [['throw', 'Strange', 'm']]);
        assert.match((await program.answer(1)).stack, /steps\.(cjs|py)/);
    },
    'a value without JSON is a failure': async (program) =>
        assert.equal((await messagesOf(program, [['nojson']]))[0].type, 'error'),
    'requests and their replies': async (program) => {
        for (const [method, args, params, result] of [
            ['childrenValues', [], {}, { 'bull:c:1': 7 }],
            ['ignoredChildrenFailures', [], {}, { 'bull:c:1': 'bad' }],
            ['state', [], {}, 'active'],
            ['extendLock', [5000], { durationMs: 5000 }, true],
            ['moveToWait', [], {}, null],
            ['moveToWaitingChildren', [], {}, false],
            ['addJob', ['q2', 'n', { a: 1 }, { delay: 5 }],
                { queue: 'q2', name: 'n', data: { a: 1 }, opts: { delay: 5 } }, '17'],
        ]) {
            program.job(1, [['ask', method, ...args]]);
            const request = await program.request(1);
            assert.deepEqual([request.method, request.params], [method, params]);
            program.send({ type: 'reply', req: request.req, result });
            const { value } = await program.answer(1);
            if (method !== 'moveToWait') assert.deepEqual(value, result);
        }
    },
    'a request that is refused': async (program) => {
        program.job(1, [['ask', 'state']]);
        program.send({ type: 'reply', req: (await program.request(1)).req, error: 'not now' });
        const answer = await program.answer(1);
        assert.deepEqual([answer.type, answer.message], ['error', 'not now']);
    },
    'replies in another order': async (program) => {
        for (const seq of [1, 2, 3]) program.job(seq, [['ask', 'state']]);
        const reqs = [];
        for (const seq of [1, 2, 3]) reqs.push([seq, (await program.request(seq)).req]);
        for (const [seq, req] of reqs.reverse())
            program.send({ type: 'reply', req, result: `state ${seq}` });
        for (const seq of [1, 2, 3])
            assert.equal((await program.answer(seq)).value, `state ${seq}`);
    },
    'jobs run side by side': async (program) => {
        program.job(1, [['sleep', 1500], ['return', 'slow']]);
        program.job(2, [['return', 'fast']]);
        assert.equal((await program.answer(2)).value, 'fast');
        assert.ok(!program.messages.some(({ seq }) => seq === 1));
        assert.equal((await program.answer(1)).value, 'slow');
    },
    'cancelled': async (program) => {
        program.job(1, [['log', 'begun'], ['cancelled'], ['reason']]);
        await program.next(({ type }) => type === 'log', 'the log');
        program.send({ type: 'cancel', seq: 1, reason: 'time is up' });
        const answer = await program.answer(1);
        assert.deepEqual([answer.type, answer.message], ['error', 'time is up']);
        program.send({ type: 'cancel', seq: 1, reason: 'of a job that has ended' });
        assert.equal((await messagesOf(program, []))[0].type, 'result');
    },
    'what is printed goes to stderr': async (program) => {
        assert.deepEqual(await messagesOf(program, [['print', '{"type":"nonsense"}']]),
            [{ type: 'result' }]);
        await program.printed((text) => text.split('{"type":"nonsense"}').length > 2);
    },
    'lines in pieces and lines of megabytes': async (program) => {
        const big = 'ü'.repeat(2 << 20);
        const line = JSON.stringify({ type: 'job', seq: 1, id: '1', name: 'n', opts: {}, token: 't',
            data: { do: [['return', big]] } });
        const bytes = Buffer.from(`${line}\n`);
        program.raw(bytes.subarray(0, 50001)); // in the midst of a character
        await new Promise((resolve) => setTimeout(resolve, 20));
        program.raw(bytes.subarray(50001));
        assert.equal((await program.answer(1)).value, big);
    },
    'a thousand jobs at once': async (program) => {
        for (let seq = 1; seq <= 1000; seq++) program.job(seq, [['return', seq]]);
        for (let seq = 1; seq <= 1000; seq++) assert.equal((await program.answer(seq)).value, seq);
    },
    'events and what is not known are skipped': async (program) => {
        program.send({ type: 'event', event: 'drained' });
        program.send({ type: 'from the future' });
        assert.equal((await messagesOf(program, []))[0].type, 'result');
    },
    'close: jobs in flight are answered first': async (program) => {
        program.job(1, [['sleep', 200], ['return', 'late']]);
        assert.equal(await program.close(), 0);
        assert.equal((await program.answer(1)).value, 'late');
    },
    'close: an idle program ends': async (program) => assert.equal(await program.close(), 0),
    'the worker is gone': async (program) => {
        program.job(1, [['log', 'begun'], ['cancelled']]);
        await program.next(({ type }) => type === 'log', 'the log');
        program.child.stdin.end();
        assert.equal(await program.ended(), 1);
    },
    'an exit is one': async (program) => {
        program.job(1, [['exit', 7]]);
        assert.equal(await program.ended(), 7);
    },
};

for (const [language, command] of Object.entries(programs)) {
    for (const [name, run] of Object.entries(contract)) {
        test(`${language}: ${name}`, async () => {
            const program = new Program(command);
            try {
                await program.start();
                await run(program);
            } finally {
                program.child.kill('SIGKILL');
            }
        });
    }
    test(`${language}: a protocol from the future`, async () => {
        const program = new Program(command);
        program.start(2).catch(() => {}); // it never is ready
        assert.notEqual(await program.ended(), 0);
        assert.match(program.stderr, /protocol 2 is not known here/);
    });
}

// ---- Node's own

function processorFile(name, text) {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
}

/** The messages of `times` jobs, one after the other, by a processor of this text. */
async function runNode(name, text, more = {}, args = [], times = 1) {
    const program = new Program([WRAPPER, ...args, processorFile(name, text)]);
    try {
        program.ready = await program.start();
        const messages = [];
        for (let i = 0; i < times; i++)
            messages.push(...(await messagesOf(program, [], { data: {}, ...more })));
        await program.close();
        return { messages, ready: program.ready, stderr: program.stderr };
    } finally {
        program.child.kill('SIGKILL');
    }
}

for (const [name, text] of [
    ['plain.cjs', 'module.exports = (job) => "not a promise";'],
    ['default.mjs', 'export default async () => "not a promise";'],
    ['typescript.cjs', 'exports.__esModule = true; exports.default = () => "not a promise";'],
])
    test(`node: exports of ${name}`, async () =>
        assert.deepEqual((await runNode(name, text)).messages,
            [{ type: 'result', value: 'not a promise' }]));

test('node: a class that extends a path error takes its path', async () => {
    const { messages } = await runNode('sub.cjs', `class UnrecoverableError extends Error {}
        class Mine extends UnrecoverableError { constructor(m) { super(m); this.name = 'Mine'; } }
        module.exports = () => { throw new Mine('m'); };`);
    assert.deepEqual(messages, [{ type: 'error', name: 'UnrecoverableError', message: 'm' }]);
});

test('node: an error by its standard text, names lost', async () => {
    const { messages } = await runNode('min.cjs',
        `module.exports = () => { throw new (class t extends Error {})('bullmq:rateLimitExceeded'); };`);
    assert.equal(messages[0].name, 'RateLimitError');
});

test('node: thrown text and thrown nothing', async () => {
    const text = await runNode('text.cjs', 'module.exports = () => { throw "plain"; };');
    assert.deepEqual(text.messages, [{ type: 'error', name: 'Error', message: 'plain' }]);
    const nothing = await runNode('nothing.cjs', 'module.exports = () => { throw undefined; };');
    assert.equal(nothing.messages[0].type, 'error');
});

test('node: moveToDelayed() takes effect at the end, after what is stored', async () => {
    for (const end of ['throw new (class DelayedError extends Error {})()', 'return 1',
        'throw new Error("whatever")']) {
        const { messages } = await runNode('delayed.cjs', `module.exports = async (job, token) => {
            await job.moveToDelayed(Date.now() + 5000, token);
            await job.updateData({ step: 2 });
            ${end}; };`);
        assert.deepEqual(messages[0], { type: 'data', value: { step: 2 } });
        const { type, name, delayMs } = messages[1];
        assert.deepEqual([type, name], ['error', 'DelayedError']);
        assert.ok(delayMs > 3000 && delayMs <= 5000, String(delayMs));
    }
});

test('python: move_to_delayed() asks', async () => {
    const program = new Program(programs['python, plain']);
    await program.start();
    program.job(1, [['ask', 'moveToDelayed', 1785000000000], ['throw', 'DelayedError', 'm']]);
    const { req, method, params } = await program.request(1);
    assert.deepEqual([method, params], ['moveToDelayed', { timestamp: 1785000000000 }]);
    program.send({ type: 'reply', req, result: null });
    assert.equal((await program.answer(1)).delayMs, undefined);
    assert.equal(await program.close(), 0);
});

test('node: discard() makes a failure the last', async () => {
    const { messages } = await runNode('discard.cjs',
        'module.exports = (job) => { job.discard(); throw new TypeError("m"); };');
    assert.deepEqual(messages, [{ type: 'error', name: 'UnrecoverableError', message: 'm' }]);
});

test('node: a backoff strategy beside the processor', async () => {
    const text = `exports.default = () => { throw new Error('m'); }; exports.__esModule = true;
        exports.default.backoffStrategy = (made, type, error) =>
            type === 'never' ? -1 : made * 100 + error.message.length;`;
    const delay = async (opts) => (await runNode('backoff.cjs', text,
        { attemptsMade: 2, opts })).messages[0].delayMs;
    assert.equal(await delay({ backoff: { type: 'mine' } }), 301);
    assert.equal(await delay({ backoff: { type: 'never' } }), -1);
    assert.equal(await delay({ backoff: { type: 'fixed', delay: 5 } }), undefined);
    assert.equal(await delay({}), undefined);
});

test('node: options under the names that processors know', async () => {
    const { messages } = await runNode('opts.cjs', 'module.exports = (job) => job.opts;',
        { opts: { kl: 5, fpof: true, attempts: 2, de: { id: 'd' } } });
    assert.deepEqual(messages[0].value, { keepLogs: 5, failParentOnFailure: true, attempts: 2,
        deduplication: { id: 'd' } });
});

test('node: what comes after the answer is dropped', async () => {
    const program = new Program([WRAPPER, processorFile('late.cjs', `module.exports = (job) => {
        setTimeout(() => { job.log('late'); job.getState().catch((e) => console.log(e.message)); }, 0);
        return 1; };`)]);
    try {
        await program.start();
        for (let i = 1; i <= 2; i++) {
            assert.deepEqual(await messagesOf(program, [], { data: {} }), [{ type: 'result', value: 1 }]);
            await program.printed((text) => text.split('log after the job\'s end').length > i &&
                text.split('state: the job has ended').length > i);
        }
        await program.close();
        assert.deepEqual(program.messages, [], 'nothing more was said');
    } finally {
        program.child.kill('SIGKILL');
    }
});

test('node: a refusal that is final takes the path of one', async () => { // BMQ-174
    const program = new Program([WRAPPER, processorFile('refused.cjs',
        'module.exports = (job, token) => job.moveToWaitingChildren(token);')]);
    try {
        await program.start();
        program.job(1, []);
        const { req } = await program.request(1);
        program.send({ type: 'reply', req, error: 'a child failed', name: 'UnrecoverableError' });
        const { name, message } = await program.answer(1);
        assert.deepEqual([name, message], ['UnrecoverableError', 'a child failed']);
        await program.close();
    } finally {
        program.child.kill('SIGKILL');
    }
});

test('node: --concurrency', async () => {
    const text = 'module.exports = () => 1;';
    assert.equal((await runNode('one.cjs', text)).ready.concurrency, undefined);
    assert.equal((await runNode('one.cjs', text, {}, ['--concurrency', '3'])).ready.concurrency, 3);
});

for (const [args, code, text] of [
    [[], 2, /which file\?/],
    [['--concurrency', '0', 'x.cjs'], 2, /from 1 on/],
    [['--fast', 'x.cjs'], 2, /--fast/],
    [['/nonexistent.cjs'], 1, /nonexistent\.cjs/],
    [[processorFile('object.cjs', 'module.exports = {};')], 1, /is a function/],
    [[processorFile('syntax.cjs', 'module.exports = (')], 1, /SyntaxError/],
])
    test(`node: bulwark-processor ${args.map((arg) => path.basename(arg)).join(' ')}`, async () => {
        const program = new Program([WRAPPER, ...args]);
        assert.equal(await program.ended(), code);
        assert.match(program.stderr, text);
        assert.deepEqual(program.messages, []);
    });

// ---- the examples

test('node: the example, and the errors of the package from both kinds of modules', async () => {
    const modules = path.join(folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(path.dirname(path.dirname(MAIN)), path.join(modules, 'bulwark-processor'));
    const example = readFileSync(here('../../../worker/examples/node/emails.js'), 'utf8');
    const sent = await runNode('emails.cjs', example, { data: { to: 'a@b' }, attemptsMade: 1 });
    assert.deepEqual(sent.messages, [{ type: 'progress', value: 10 },
        { type: 'log', row: 'writing to a@b, attempt 2' },
        { type: 'result', value: { sent: 'a@b' } }]);
    const refused = await runNode('emails.cjs', example);
    assert.deepEqual(refused.messages,
        [{ type: 'error', name: 'UnrecoverableError', message: 'nobody to write to' }]);
    const limited = await runNode('limited.mjs', `import { RateLimitError } from 'bulwark-processor';
        export default () => { throw new RateLimitError('slowly', 250.4); };`);
    assert.deepEqual(limited.messages,
        [{ type: 'error', name: 'RateLimitError', message: 'slowly', delayMs: 250 }]);
});

test('python: the example', async () => {
    const program = new Program(['python3', here('../../../worker/examples/python/images.py')]);
    await program.start();
    const data = { file: 'a.png', width: 10 };
    assert.deepEqual(await messagesOf(program, [], { data }), [{ type: 'progress', value: 50 },
        { type: 'log', row: 'resizing a.png' }, { type: 'result', value: data }]);
    assert.deepEqual(await messagesOf(program, [], { data: { ...data, busy: true } }), [
        { type: 'data', value: { ...data, busy: false } },
        { type: 'error', name: 'DelayedError', message: 'moved to delayed', delayMs: 100 }]);
    assert.equal((await messagesOf(program, [], { data: {} }))[0].name, 'UnrecoverableError');
    assert.equal(await program.close(), 0);
});

test('shell: the example', async () => {
    const program = new Program([here('../../../worker/examples/sh/greet.sh')]);
    assert.equal((await program.start()).concurrency, 1);
    assert.deepEqual(await messagesOf(program, [], { data: { name: 'Ján "x" $HOME' } }), [
        { type: 'progress', value: 50 }, { type: 'log', row: 'greeting Ján "x" $HOME' },
        { type: 'result', value: { text: 'Hello, Ján "x" $HOME!' } }]);
    assert.deepEqual(await messagesOf(program, [], { data: {} }),
        [{ type: 'error', name: 'UnrecoverableError', message: 'no name' }]);
    assert.equal(await program.close(), 0);
});

let failed = 0;
const picked = tests.filter(({ name }) => name.includes(process.argv[2] ?? ''));
const queue = [...picked];

/** Starting programs is most of the time: a few at once. */
async function lane() {
    for (let next; (next = queue.shift()) !== undefined; ) {
        const { name, run } = next;
        const start = Date.now();
        try {
            await run();
            console.log(`ok      ${name} (${Date.now() - start} ms)`);
        } catch (error) {
            failed++;
            console.log(`FAILED  ${name}: ${error.stack}`);
        }
    }
}
await Promise.all([lane(), lane(), lane()]);
console.log(`${picked.length - failed} of ${picked.length} passed`);
process.exit(failed || picked.length === 0 ? 1 : 0);
