// Programs that never get ready: what the operator is told, and when `run` ends for it.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { PUPPET, redis } from './exec_rig.mjs';
import { addJobs, Daemon, freePort, openQueue, PATIENCE, runAll, sleep, test, until } from './rig.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-start-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

function file(name, text, mode = 0o755) {
    const place = path.join(folder, name);
    writeFileSync(place, text);
    chmodSync(place, mode);
    return place;
}

const PROCESSOR = file('processor.cjs', 'module.exports = async (job) => job.data;\n', 0o644);
let names = 0;

function start(cleanup, handlers, url = redis.url) {
    const queues = handlers.map((handler) => ({ name: `start${names++}`, handler }));
    const daemon = Daemon.start({ redis: { url }, http: { listen: '127.0.0.1:0' }, queues });
    cleanup(() => daemon.signal('SIGKILL'));
    return { daemon, queues };
}

const complaints = ({ lines }) => lines.filter(({ message }) => message === 'a processor ended before it was ready');

test('an error with what is likely, and the end', async (cleanup) => {
    await Promise.all([
        ['a BullMQ processor file', ['node', PROCESSOR], /bulwark-processor/],
        ['a program that is not there', ['no-such-program-here'], /no such program/],
        ['a script that is not executable', [file('closed', '#!/bin/sh\n', 0o644)], /not executable/],
        ['a script without its interpreter', [file('lost', '#!/no/such/interpreter\n')],
            /interpreter in its first line/],
        ['a program that prints', ['echo', 'hello'], /standard output belongs to the protocol/],
        ['a program that knows no protocol', ['true'], /must first write \{"type":"ready"\}/],
    ].map(async ([what, exec, likely]) => {
        const { daemon } = start(cleanup, [{ exec }]);
        assert.equal(await daemon.ended(30000 * PATIENCE), 1, what);
        const said = complaints(daemon);
        assert.ok(said.length >= 6, `${what}: six tries, not counting those before Redis was there`);
        for (const { level, likely: text } of said) {
            assert.equal(level, 'error', what);
            assert.match(text, likely, what);
        }
        assert.ok(daemon.lines.some(({ level, message }) =>
            level === 'error' && message === 'no processor of any queue has ever been ready'), what);
    }));
});

test('queues beside it go on, and /readyz names the one', async (cleanup) => {
    const { daemon, queues: [bad, plain, good] } = start(cleanup,
        [{ exec: ['node', PROCESSOR] }, 'noop', { exec: ['node', PUPPET] }]);
    await until(() => complaints(daemon).length >= 6, 'six tries', 30000 * PATIENCE);
    for (const { name } of [plain, good]) {
        const queue = await openQueue(redis, name);
        cleanup(() => queue.close());
        await queue.add('job', { say: [{ type: 'result', value: 1 }] });
        await until(async () => (await queue.getCompletedCount()) === 1, `the job of ${name}`);
    }
    const ready = await daemon.http('GET', '/readyz');
    assert.equal(ready.status, 503);
    assert.equal(ready.json.reasons.length, 1);
    assert.match(ready.json.reasons[0], new RegExp(`^queue ${bad.name}: no processor is ready: .*bulwark-processor`));
    const waits = await openQueue(redis, bad.name);
    cleanup(() => waits.close());
    const [job] = await addJobs(waits, 1);
    await sleep(200);
    assert.equal(await job.getState(), 'waiting');
});

test('one that was ready once never ends the worker', async (cleanup) => {
    const flag = path.join(folder, 'first');
    const program = file('once', `#!/bin/sh\nif [ -e ${flag} ]; then exit 3; fi\n: > ${flag}\n` +
        'read hello; echo \'{"type":"ready"}\'; exit 4\n');
    const { daemon } = start(cleanup, [{ exec: [program] }]);
    await until(() => complaints(daemon).length >= 6, 'six tries', 30000 * PATIENCE);
    await sleep(300);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
});

test('while Redis is away it never ends the worker', async (cleanup) => {
    const { daemon } = start(cleanup, [{ exec: ['true'] }], `redis://127.0.0.1:${await freePort()}/0`);
    await until(() => complaints(daemon).length >= 7, 'seven tries', 30000 * PATIENCE);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200);
});

await runAll();
