// The installed library from outside the tree: headers, pkg-config, find_package(), the example
// plugin built both ways and run by the installed daemon for jobs of the real BullMQ.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, cpSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Daemon, freePort, openQueue, PATIENCE, PersistentRedis, runAll, test, until }
    from '../../fault/rig.mjs';

const EXAMPLE = fileURLToPath(new URL('../../../worker/examples/plugin', import.meta.url));
const sanitized = Boolean(process.env.BULWARK_SANITIZE);
const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-install-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const prefix = path.join(folder, 'prefix');

function run(command, args, options = {}) {
    const { status, stdout, stderr, error } = spawnSync(command, args,
        { encoding: 'utf8', timeout: 120000, ...options });
    assert.ok(!error, `${command}: ${error}`);
    assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
    return stdout.trim();
}

run('cmake', ['--install', process.env.BULWARK_BUILD, '--prefix', prefix]);
const lib = run('find', [prefix, '-name', 'libbulwark.a', '-printf', '%h']);
const env = { ...process.env, PKG_CONFIG_PATH: path.join(lib, 'pkgconfig') };
const pkgConfig = (...args) => run('pkg-config', args, { env }).split(/\s+/).filter(Boolean);

test('what is installed', () => {
    assert.equal(readlinkSync(path.join(lib, 'libbulwark.so')), 'libbulwark.so.0.1');
    assert.match(readlinkSync(path.join(lib, 'libbulwark.so.0.1')), /^libbulwark\.so\.0\.1\.\d+$/);
    assert.match(run(path.join(prefix, 'bin/bulwark'), ['--version']), /^bulwark 0\.1\.\d+$/);
    for (const file of ['share/man/man1/bulwark.1', 'share/bulwark/node/bin/bulwark-processor',
        'share/bulwark/python/bulwark_processor.py'])
        accessSync(path.join(prefix, file));
});

test('the installed Python example finds its shim', () => {
    const example = run('find', [prefix, '-name', 'images.py']);
    const said = run('python3', ['-B', '-I', example], { cwd: '/', input: `${JSON.stringify({ type: 'hello', protocol: 1,
        version: '0', queue: 'images', prefix: 'bull', worker: 'w' })}\n{"type":"close","deadlineMs":1}\n` });
    assert.equal(JSON.parse(said.split('\n')[0]).type, 'ready');
});

test('only the interface is visible', () => {
    const names = run('nm', ['-D', '--defined-only', '--format=posix',
        path.join(lib, 'libbulwark.so')]).split('\n').map((line) => line.split(' ')[0]);
    assert.ok(names.includes('bw_worker_create'));
    if (!sanitized)
        assert.deepEqual(names.filter((name) => !name.startsWith('bw_')), []);
});

for (const header of readdirSync(path.join(prefix, 'include/bulwark'))) {
    test(`${header} compiles alone as C11 and C++17`, () => {
        const posix = header === 'thread.h' ? ['-D_POSIX_C_SOURCE=200809L'] : [];
        for (const [compiler, language, standard] of [['cc', 'c', 'c11'], ['c++', 'c++', 'c++17']])
            run(compiler, ['-x', language, `-std=${standard}`, ...posix, '-Wall', '-Wextra', '-Werror',
                '-fsyntax-only', ...pkgConfig('--cflags', 'bulwark'), '-'],
                { input: `#include <bulwark/${header}>\n` });
    });
}

const PROGRAM = `#include <stdio.h>
#include <bulwark/bulwark.h>
int main(void)
{
    struct bw_redis_options options;
    struct bw_error err;
    if (bw_redis_options_parse(&options, "redis://h:1/2", &err) != BW_OK)
        return 1;
    bw_redis_options_fini(&options);
    return puts(bw_code_name(BW_EINVAL)) < 0;
}
`;

test('a program in C and one in C++ through pkg-config', () => {
    for (const [compiler, language] of [['cc', 'c'], ['c++', 'c++']]) {
        const program = path.join(folder, `client-${language}`);
        run(compiler, ['-x', language, '-', '-x', 'none', '-o', program,
            ...pkgConfig('--cflags', '--libs', 'bulwark'), `-Wl,-rpath,${lib}`,
            ...(sanitized ? [`-fsanitize=${process.env.BULWARK_SANITIZE}`] : [])],
            { input: PROGRAM });
        assert.equal(run(program, []), 'EINVAL');
    }
});

test('a program through find_package(), shared and static', () => {
    if (sanitized)
        return; // it would have to be compiled as the library was
    const source = mkdtempSync(path.join(folder, 'client-'));
    writeFileSync(path.join(source, 'client.c'), PROGRAM);
    writeFileSync(path.join(source, 'CMakeLists.txt'), `cmake_minimum_required(VERSION 3.16)
project(client LANGUAGES C)
find_package(bulwark 0.1 REQUIRED COMPONENTS static)
add_executable(shared client.c)
target_link_libraries(shared PRIVATE bulwark::bulwark)
add_executable(static client.c)
target_link_libraries(static PRIVATE bulwark::bulwark_static)
`);
    const build = path.join(source, 'build');
    run('cmake', ['-S', source, '-B', build, `-DCMAKE_PREFIX_PATH=${prefix}`]);
    run('cmake', ['--build', build]);
    for (const program of ['shared', 'static'])
        assert.equal(run(path.join(build, program), []), 'EINVAL');
    const needed = run('readelf', ['-d', path.join(build, 'static')]);
    assert.ok(!needed.includes('libbulwark'), needed);
});

test('another minor version is not taken for ours', () => {
    const source = mkdtempSync(path.join(folder, 'newer-'));
    writeFileSync(path.join(source, 'CMakeLists.txt'),
        'cmake_minimum_required(VERSION 3.16)\nproject(newer LANGUAGES C)\n' +
        'find_package(bulwark 0.2 REQUIRED)\n');
    const { status, stderr } = spawnSync('cmake', ['-S', source, '-B', `${source}/build`,
        `-DCMAKE_PREFIX_PATH=${prefix}`], { encoding: 'utf8', timeout: 60000 });
    assert.notEqual(status, 0);
    assert.match(stderr, /requested version "0.2"/);
});

/** The example outside the tree, built by `build`; resolves with the folder of libwords.so. */
const builds = {
    'find_package()': (source) => {
        run('cmake', ['-S', source, '-B', `${source}/build`, `-DCMAKE_PREFIX_PATH=${prefix}`]);
        run('cmake', ['--build', `${source}/build`]);
        return `${source}/build`;
    },
    'pkg-config': (source) => {
        run('make', ['-C', source], { env });
        return source;
    },
};
for (const [way, build] of Object.entries(builds)) {
    test(`the example built with ${way} runs in the installed daemon`, async (cleanup) => {
        const source = mkdtempSync(path.join(folder, 'words-'));
        cpSync(EXAMPLE, source, { recursive: true });
        const plugin = path.join(build(source), 'libwords.so');
        assert.ok(!run('readelf', ['-d', plugin]).includes('libbulwark'));
        const redis = await PersistentRedis.create();
        cleanup(() => redis.stop());
        const queue = await openQueue(redis, 'words');
        cleanup(() => queue.close());
        const daemon = Daemon.start({ redis: { url: redis.url },
            http: { listen: `127.0.0.1:${await freePort()}` },
            queues: [{ name: 'words', concurrency: 8,
                handler: { plugin, config: { least: 1 } } }] }, [], path.join(prefix, 'bin/bulwark'));
        assert.equal((await daemon.logged('counting words')).least, 1);
        const job = await queue.add('count', { text: 'der längste Satz ist  kurz' });
        const empty = await queue.add('count', { text: ' ' }, { attempts: 3 });
        const wrong = await queue.add('count', { txt: 'x' }, { attempts: 3 });
        await until(async () => (await queue.getFailedCount()) === 2 &&
            (await queue.getCompletedCount()) === 1, 'the jobs');
        const done = await queue.getJob(job.id);
        assert.deepEqual(done.returnvalue, { words: 5, longest: 'längste' });
        assert.equal(done.progress, 50);
        assert.deepEqual((await queue.getJobLogs(job.id)).logs, ['counting']);
        assert.equal((await queue.getJob(empty.id)).failedReason, 'too few words');
        assert.equal((await queue.getJob(empty.id)).attemptsMade, 1);
        assert.equal((await queue.getJob(wrong.id)).failedReason, 'data: must be {"text": "…"}');
        daemon.signal('SIGTERM');
        assert.equal(await daemon.ended(5000 * PATIENCE), 0);
    });
}

await runAll();
