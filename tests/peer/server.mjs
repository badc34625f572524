// A private redis-server (or $REDIS_SERVER, say a valkey-server) on a free loopback port, in a folder of
// its own under the system's temporary folder. It ends with the program that started it.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from './peer.mjs';

process.setMaxListeners(0); // one a child

// An end by signal runs the exit handlers too: nothing is left behind.
for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
])
    process.once(signal, () => process.exit(128 + number));

/** Listens at `where`; null when that is taken. */
function tryListen(...where) {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
        server.listen(...where, () => resolve(server));
    });
}

/**
 * A loopback port that is free, below those that the kernel gives to whoever connects. For as long as this program
 * lives it holds a place of another loopback address, where all tests (support/redis_server.c) look, so that no
 * other takes the port while its server is still to start, or is away.
 */
export async function freePort() {
    for (let tries = 0; tries < 1000; tries++) {
        const port = randomInt(10000, 30000);
        const held = await tryListen(port + 30000, '127.0.77.77');
        if (held === null) continue;
        const probe = await tryListen(port, '127.0.0.1');
        if (probe !== null) {
            held.unref();
            await new Promise((resolve) => probe.close(resolve));
            return port;
        }
        held.close();
    }
    throw new Error('no free port');
}

/** Waits until `condition` holds; throws naming `what` when it does not within `ms`. */
export async function until(condition, what, ms = 15000) {
    const deadline = Date.now() + ms;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 4));
    }
}

/** A child process that does not outlive this one; `exited` resolves with its code or signal. */
export function startProcess(command, args, options) {
    const child = spawn(command, args, options);
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.exited = new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('close', (code, signal) => resolve(code ?? signal));
    });
    child.exited.then(() => process.off('exit', kill));
    return child;
}

async function tryStart(folder, extra) {
    const port = await freePort();
    const args = [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
        '--save',
        '',
        '--appendonly',
        'no',
        '--maxmemory-policy',
        'noeviction',
        ...extra,
    ];
    const program = process.env.REDIS_SERVER ?? 'redis-server';
    const child = startProcess(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on('error', () => {}); // refused until it listens
    const pid = async () => /process_id:(\d+)/.exec(await redis.info('server'))?.[1];
    const gone = child.exited.then((code) => ({ code }));
    const answer = await Promise.race([pid(), gone]);
    redis.disconnect();
    // A server that is not ours may have taken the port in between.
    if (answer !== String(child.pid)) {
        child.kill('SIGKILL');
        return null;
    }
    return { child, port };
}

/** `extra` are further arguments of redis-server. Returns {port, pid, url(db), stop()}. */
export async function startRedis(extra = []) {
    const folder = mkdtempSync(path.join(tmpdir(), 'bulwark-redis-'));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove);
    for (let i = 0; i < 5; i++) {
        const server = await tryStart(folder, extra);
        if (server === null) continue;
        return {
            port: server.port,
            pid: server.child.pid,
            url: (db = 0) => `redis://127.0.0.1:${server.port}/${db}`,
            async stop() {
                server.child.kill('SIGTERM');
                await server.child.exited;
                remove();
                process.off('exit', remove);
            },
        };
    }
    throw new Error('redis-server does not start');
}
