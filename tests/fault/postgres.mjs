// A PostgreSQL of the test's own, that can be stopped, frozen and come back with its data, and the
// stand-in for the Bot API.
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { freePort, startProcess, until } from '../peer/server.mjs';

const ROOT = process.getuid() === 0;
const HOME = '/usr/lib/postgresql';
const SCHEMA = fileURLToPath(new URL('../../worker/workflow/spec/schema.sql', import.meta.url));

function bin() {
    const versions = readdirSync(HOME).sort((a, b) => Number(a) - Number(b));
    return path.join(HOME, versions.at(-1), 'bin');
}

/** PostgreSQL refuses to run as root. */
const asPostgres = (words) => (ROOT ? ['runuser', '-u', 'postgres', '--', ...words] : words);

function run(words, input) {
    const [command, ...args] = words;
    return execFileSync(command, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

export class Postgres {
    static async create() {
        const pg = new Postgres();
        pg.folder = mkdtempSync(path.join(tmpdir(), 'bulwark-pg-'));
        process.once('exit', () => rmSync(pg.folder, { recursive: true, force: true }));
        if (ROOT)
            chownSync(pg.folder, ...['-u', '-g'].map((of) => Number(run(['id', of, 'postgres']))));
        pg.data = path.join(pg.folder, 'data');
        pg.port = await freePort();
        run(asPostgres([path.join(bin(), 'initdb'), '-D', pg.data, '-A', 'trust', '-U', 'bulwark',
            '-E', 'UTF8', '--locale=C', '--no-sync']));
        await pg.start();
        pg.sql(readFileSync(SCHEMA, 'utf8'));
        return pg;
    }

    get url() {
        return `postgresql://bulwark@127.0.0.1:${this.port}/postgres`;
    }

    /** Returns once it accepts connections. */
    async start() {
        const words = asPostgres([path.join(bin(), 'postgres'), '-D', this.data, '-p',
            String(this.port), '-h', '127.0.0.1', '-k', this.folder, '-c', 'fsync=off']);
        this.child = startProcess(words[0], words.slice(1), { stdio: 'ignore' });
        await until(() => this.answers(), 'PostgreSQL', 30000);
    }

    answers() {
        try {
            run([path.join(bin(), 'pg_isready'), '-q', '-h', '127.0.0.1', '-p', String(this.port)]);
            return true;
        } catch {
            return false;
        }
    }

    /** The postmaster and its processes. */
    get pids() {
        const head = Number(readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
        const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
            .filter((pid) => {
                try {
                    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
                    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === head;
                } catch {
                    return false; // gone meanwhile
                }
            });
        return [head, ...children];
    }

    /** runuser, where it stands before the postmaster, stops itself when its child is stopped. */
    signal(name) {
        for (const pid of [this.child.pid, ...this.pids])
            this.tell(pid, name);
    }

    tell(pid, name) {
        try {
            process.kill(pid, name);
        } catch (error) {
            if (error.code !== 'ESRCH') // it ended by itself
                throw error;
        }
    }

    /** At once, as a crash is: sessions are cut. */
    async stop() {
        if (this.child === undefined)
            return;
        const { pids } = this;
        for (const pid of pids)
            this.tell(pid, 'SIGQUIT');
        for (const pid of [this.child.pid, ...pids])
            this.tell(pid, 'SIGCONT'); // it may be frozen
        await this.child.exited;
        this.child = undefined;
    }

    /** Its files as a crash in this moment would leave them, as a folder beside its own. */
    async copy() {
        const copy = path.join(this.folder, `copy-${Date.now()}`);
        this.signal('SIGSTOP');
        this.signal('SIGSTOP'); // the first one stopped who begins sessions: none is missed now
        await sleep(20); // until each has left the kernel
        try {
            await promisify(execFile)('cp', ['-a', this.data, copy]);
        } finally {
            this.signal('SIGCONT');
        }
        rmSync(path.join(copy, 'postmaster.pid'));
        return copy;
    }

    /** A second server, on a port of its own, with these files. */
    async beside(data) {
        const pg = Object.assign(new Postgres(), { folder: this.folder, data, port: await freePort() });
        await pg.start();
        return pg;
    }

    sql(text) {
        return run([path.join(bin(), 'psql'), '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', this.url],
            text).trim();
    }

    /** A psql that runs this in the background; the caller kills it. */
    session(text) {
        const child = startProcess(path.join(bin(), 'psql'), ['-X', '-q', this.url],
            { stdio: ['pipe', 'ignore', 'ignore'] });
        child.stdin.end(text);
        return child;
    }

    /** When a connection was accepted and a query answered again: what "it is back" means. */
    async ready() {
        await until(() => new Promise((resolve) => {
            const socket = connect(this.port, '127.0.0.1', () => resolve(true));
            socket.once('error', () => resolve(false));
            socket.once('connect', () => socket.destroy());
        }), 'the port', 10000);
        await until(() => this.answers(), 'PostgreSQL', 10000);
        return Date.now();
    }
}

/** The stand-in for the Bot API, and what it was sent. */
export async function startBotApi() {
    const { start } = await import('../support/bot-api.mjs');
    const server = await start();
    return {
        url: `http://127.0.0.1:${server.port}`,
        sent: () => server.api.calls.filter((call) => call.method === 'sendMessage'),
        stop: () => server.close(),
    };
}

/** A project with its bot and one active workflow, old enough to be cached: {nodes, edges}. */
export function installWorkflow(pg, { nodes, edges }, project = 'P', token = '111:AAA') {
    const suffix = project === 'P' ? '' : project;
    const json = (value) => `'${JSON.stringify(value)}'`;
    pg.sql(`insert into projects (id, name, webhook_secret, updated_at)
        values ('${project}', 'Demo', 'hook-${project}', now());
        insert into bot_settings (id, project_id, bot_token, bot_username, updated_at)
        values ('bs${suffix}', '${project}', '${token}', 'DemoBot', now());
        insert into workflows (id, project_id, name, is_active, connections, updated_at)
        values ('W${suffix}', '${project}', 'W', true, ${json(edges)}, now());
        insert into workflow_versions (id, workflow_id, version, nodes, entry_node_id, variables,
            settings, is_active, created_at)
        values ('v${suffix}', 'W${suffix}', 1, ${json(nodes)}, '${nodes[0].id}', '[]', '{}', true,
            now() at time zone 'UTC' - interval '1 hour');`);
}
