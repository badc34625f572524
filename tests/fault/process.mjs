// The process itself: started without some of its descriptors, as the one that orphans come to, and from a
// terminal that goes away.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { startProcess } from '../peer/server.mjs';
import { addJobs, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until, writeConfig }
    from './rig.mjs';

const BIN = process.env.BULWARK_BIN;
const redis = await PersistentRedis.create();
let names = 0;

// Each job leaves an orphan behind that soon ends.
const ORPHANS = `read -r hello; echo '{"type":"ready"}'
while read -r line; do
    case $line in *'"type":"job"'*)
        (sleep 0.05 </dev/null >/dev/null 2>&1 &)
        seq=\${line#*'"seq":'}
        echo '{"type":"result","value":1,"seq":'"\${seq%%[!0-9]*}}";;
    esac
done`;

/** A daemon with an exec queue, started by `words` with the arguments behind them. */
async function start(cleanup, words, { handler = { exec: ['sh', '-c', ORPHANS] }, rest = {} } = {}) {
    const name = `p${names++}`;
    const queue = await openQueue(redis, name);
    cleanup(() => queue.close());
    const file = writeConfig(oneQueue(redis, { name, concurrency: 4, handler }, rest));
    const log = [];
    const child = startProcess(words[0], [...words.slice(1), BIN, 'run', '--config', file, '--log-format', 'json'],
        { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (data) => log.push(...String(data).split('\n').filter(Boolean)));
    cleanup(() => child.kill('SIGKILL'));
    const logged = (text) => until(() => log.find((line) => line.includes(text)), text, 10000 * PATIENCE);
    return { queue, child, log, logged, file };
}

async function ended({ child, log }) {
    const late = Symbol('late');
    const code = await Promise.race([child.exited, sleep(10000 * PATIENCE).then(() => late)]);
    assert.notEqual(code, late, `did not end: ${log.join('\n')}`);
    return code;
}

const completed = (queue, count) => until(async () => (await queue.getCompletedCount()) === count,
    `${count} jobs`, 10000 * PATIENCE);

for (let closed = 1; closed < 8; closed++) {
    const which = [0, 1, 2].filter((fd) => closed & (1 << fd));
    test(`started without descriptor ${which.join(', ')}`, async (cleanup) => {
        const close = which.map((fd) => `exec ${fd}>&-`).join('; ');
        const it = await start(cleanup, ['sh', '-c', `${close}; exec "$@"`, 'sh'],
            { rest: { http: { listen: '127.0.0.1:0' } } });
        await addJobs(it.queue, 5);
        await completed(it.queue, 5);
        it.child.kill('SIGTERM');
        assert.equal(await ended(it), 0);
    });
}

function parentOf(pid) {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return { state, parent: Number(parent), pid };
    } catch {
        return { pid }; // gone meanwhile
    }
}

const processes = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).map(parentOf);

/** All that descend from a process. */
function family(pid) {
    const all = processes();
    const found = [];
    for (let wave = [pid]; wave.length > 0;) {
        wave = all.filter(({ parent }) => wave.includes(parent)).map((child) => child.pid);
        found.push(...wave);
    }
    return found;
}

const SUBREAPER = ['python3', '-c', `import ctypes, os, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])`];

/** Jobs whose orphans must be waited for, beside ends of programs that must not be taken away. */
async function reaps(it, head) {
    await addJobs(it.queue, 20);
    await completed(it.queue, 20);
    await sleep(300);
    await until(() => !processes().some(({ pid, state }) => state === 'Z' && family(head()).includes(pid)),
        'the orphans to be gone', 5000 * PATIENCE);
    assert.equal((await it.queue.getFailedCount()), 0);
}

test('orphans that come to it are waited for', async (cleanup) => {
    const it = await start(cleanup, SUBREAPER);
    await reaps(it, () => it.child.pid);
    it.child.kill('SIGTERM');
    assert.equal(await ended(it), 0);
});

test('the ends of its own programs are still its own', async (cleanup) => {
    const it = await start(cleanup, SUBREAPER,
        { handler: { exec: ['sh', '-c', `read -r hello; echo '{"type":"ready"}'; read -r line; exit 7`] } });
    const { id } = await it.queue.add('job', {});
    await until(async () => (await it.queue.getJob(id)).failedReason === 'processor exited with code 7',
        'the reason', 10000 * PATIENCE);
    it.child.kill('SIGTERM');
    assert.equal(await ended(it), 0);
});

test('signals are passed on, the code comes back', async (cleanup) => {
    const it = await start(cleanup, SUBREAPER, { handler: { noop: { delayMs: 60000 } } });
    await addJobs(it.queue, 1);
    await until(async () => (await it.queue.getActiveCount()) === 1, 'the job in flight', 10000 * PATIENCE);
    it.child.kill('SIGUSR1');
    await it.logged('state: queue');
    it.child.kill('SIGTERM');
    await it.logged('asked to end');
    it.child.kill('SIGINT');
    assert.equal(await ended(it), 75);
    assert.equal(await it.queue.getWaitingCount(), 1);
});

test('as PID 1', async (cleanup) => {
    const it = await start(cleanup, ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']);
    if (await Promise.race([it.child.exited, it.logged('running')]).then((end) => typeof end !== 'string')) {
        console.log('        not permitted here: no namespaces');
        return;
    }
    await reaps(it, () => it.child.pid);
    const [{ pid: init }] = processes().filter(({ parent }) => parent === it.child.pid);
    process.kill(init, 'SIGTERM');
    assert.equal(await ended(it), 0);
});

/** In a session of its own, whose terminal is gone once its keeper is. Its log goes to a file. */
const TERMINAL = ['python3', '-c', `import os, pty, sys, signal
pid, master = pty.fork()
if pid == 0:
    os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 2)
    os.execv(sys.argv[2], sys.argv[2:])
print(pid, file=sys.stderr, flush=True)
sys.stdin.close()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
signal.sigwait([signal.SIGUSR2])
os.close(master)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))`];

test('SIGHUP reloads while the terminal is there, and drains when it has gone', async (cleanup) => {
    const log = `${writeConfig({})}.log`;
    const it = await start(cleanup, [...TERMINAL, log]);
    const read = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    const logged = (text) => until(() => read().includes(text), text, 10000 * PATIENCE);
    await until(() => it.log.length > 0, 'the pid');
    await logged('"running"');
    const daemon = Number(it.log[0]);
    cleanup(async () => process.kill(daemon, 'SIGKILL')); // it may have ended
    process.kill(daemon, 'SIGHUP');
    await logged('the configuration was reloaded');
    it.child.kill('SIGUSR2');
    assert.equal(await ended(it), 0);
    assert.match(read(), /SIGHUP: the terminal has gone/);
});

test('without a terminal SIGHUP reloads', async (cleanup) => {
    const it = await start(cleanup, ['env']);
    await it.logged('"running"');
    it.child.kill('SIGHUP');
    await it.logged('the configuration was reloaded');
    it.child.kill('SIGTERM');
    assert.equal(await ended(it), 0);
});

await runAll();
