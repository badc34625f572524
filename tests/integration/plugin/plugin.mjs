// Plugins in the daemon: what is refused and how, and a sound one from start to end.
import assert from 'node:assert/strict';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { addJobs, bulwark, Daemon, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, test,
    until, writeConfig } from '../../fault/rig.mjs';

const FOLDER = path.join(process.env.BULWARK_BUILD, 'tests/integration/plugin');
const object = (name) => path.join(FOLDER, `${name}.so`);
const noObject = path.join(tmpdir(), `bulwark-no-object-${process.pid}.so`);
writeFileSync(noObject, 'this is text\n');
process.once('exit', () => rmSync(noObject));

const redis = await PersistentRedis.create();
const config = (plugin, settings) => oneQueue(redis, { handler: { plugin, ...settings } });

/** [file, what the operator reads, whether `check` finds it, too] */
const refused = [
    [path.join(FOLDER, 'missing.so'), 'missing.so: cannot open shared object file', true],
    ['./nowhere/bad_abi.so', './nowhere/bad_abi.so: cannot open shared object file', true],
    [noObject, 'file too short|invalid ELF header', true],
    [object('bad_abi'), 'made for plugin ABI 99, but bulwark \\d+\\.\\d+\\.\\d+ has ABI 1: compile', true],
    [object('bad_size'), 'its table has 16 bytes, ABI 1 has at least \\d+', true],
    [object('bad_no_entry'), 'not a plugin: it does not export bulwark_plugin_entry\\(\\)', true],
    [object('bad_nothing'), 'bulwark_plugin_entry\\(\\) returned nothing', true],
    [object('bad_name'), 'its table has no name', true],
    [object('bad_process'), 'plugin "bad" has no process function', true],
    [object('bad_symbol'), 'undefined symbol: bw_from_the_future', true],
    [object('bad_init'), 'bad: config: \\{"a":\\[1,"ü"\\]\\} is not for queue q', false],
];
for (const [file, text, foundByLoading] of refused) {
    test(`refused: ${path.basename(file)}`, async () => {
        const settings = writeConfig(config(file, { config: { a: [1, 'ü'] } }));
        const run = await bulwark(['run', '--config', settings, '--log-format', 'text']);
        assert.equal(run.code, 2, run.stderr);
        assert.match(run.stderr.replaceAll('\\"', '"'), new RegExp(`queues\\[0\\] \\(q\\): plugin.*(${text})`));
        const check = await bulwark(['check', '--config', settings]);
        assert.equal(check.code, 2);
        const line = foundByLoading ? 'handler' : 'worker';
        assert.match(check.stdout.replaceAll('\\"', '"'), new RegExp(`${line} +FAILED: queues\\[0\\].*(${text})`));
    });
}

test('a relative path is one from the working directory', async () => {
    const settings = writeConfig(config('./bad_abi.so'));
    const here = process.cwd();
    process.chdir(FOLDER);
    try {
        const run = await bulwark(['run', '--config', settings]);
        assert.match(run.stderr, /\.\/bad_abi\.so: made for plugin ABI 99/);
    } finally {
        process.chdir(here);
    }
});

test('one that is linked with the library uses the daemon\'s, answers late, ends', async (cleanup) => {
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    const daemon = Daemon.start(config(object('linked')));
    const loaded = await daemon.logged('plugin loaded');
    assert.equal(loaded.plugin, 'linked');
    assert.equal(loaded.queue, 'q');
    await addJobs(queue, 200);
    await until(async () => (await queue.getCompletedCount()) === 200, 'the jobs');
    for (const job of await queue.getCompleted(0, 3))
        assert.equal(realpathSync(job.returnvalue), realpathSync(process.env.BULWARK_BIN));
    assert.ok(!daemon.lines.some(({ message }) => message === 'linked: fini'));
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(5000 * PATIENCE), 0);
    assert.ok(daemon.lines.some(({ message }) => message === 'linked: fini'));
    assert.ok(daemon.lines.some(({ message }) => message === 'linked: told of 200')); // BMQ-176
    await queue.obliterate();
});

test('one that does not stop is left behind, and its end is not called', async (cleanup) => {
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    const daemon = Daemon.start(config(object('bad_stop')));
    await addJobs(queue, 3);
    await until(async () => (await queue.getCompletedCount()) === 3, 'the jobs');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(5000 * PATIENCE), 0);
    await daemon.logged('handlers have not returned: ending without them');
    await queue.obliterate();
});

await runAll();
