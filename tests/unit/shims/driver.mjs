// The worker's side of the line protocol (for one program), spoken by hand.
import { spawn } from 'node:child_process';
import readline from 'node:readline';

const PATIENCE_MS = 30000;

function late(what) {
    let timer;
    const promise = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS);
    });
    promise.catch(() => {});
    return { promise, stop: () => clearTimeout(timer) };
}

export class Program {
    constructor(command, options = {}) {
        this.child = spawn(command[0], command.slice(1), { stdio: 'pipe', ...options });
        this.child.stdin.on('error', () => {}); // it ended: `exited` tells
        this.stderr = '';
        this.child.stderr.on('data', (data) => (this.stderr += data));
        this.exited = new Promise((resolve) =>
            this.child.once('close', (code, signal) => resolve(code ?? signal)));
        this.messages = [];
        this.wake = () => {};
        readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
            this.messages.push(JSON.parse(line));
            this.wake();
        });
        this.exited.then(() => this.wake());
    }

    raw(text) {
        this.child.stdin.write(text);
    }

    send(message) {
        this.raw(`${JSON.stringify(message)}\n`);
    }

    /** Waits until stderr, which comes by a way of its own, fulfils `condition`. */
    async printed(condition) {
        const deadline = Date.now() + PATIENCE_MS;
        while (!condition(this.stderr)) {
            if (Date.now() > deadline) throw new Error(`stderr: ${this.stderr}`);
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
    }

    /** The next message that `fits`, taken out; the others stay. */
    async next(fits, what) {
        const limit = late(`${what}; stderr: ${this.stderr}`);
        try {
            for (;;) {
                const at = this.messages.findIndex(fits);
                if (at >= 0) return this.messages.splice(at, 1)[0];
                await Promise.race([new Promise((resolve) => (this.wake = resolve)), limit.promise]);
            }
        } finally {
            limit.stop();
        }
    }

    async start(protocol = 1, queue = 'q') {
        this.send({ type: 'hello', protocol, version: '0.1.0', queue, prefix: 'bull', worker: 'w' });
        return this.next(({ type }) => type === 'ready', 'ready');
    }

    /** Sends a job with these steps. */
    job(seq, steps, more = {}) {
        this.send({ type: 'job', seq, id: String(seq), name: 'job', data: { do: steps }, opts: {},
            token: `token-${seq}`, timestamp: 1, attemptsMade: 0, attemptsStarted: 1, parent: null,
            ...more });
    }

    request(seq) {
        return this.next((m) => m.type === 'request' && m.seq === seq, `a request of ${seq}`);
    }

    answer(seq) {
        return this.next((m) => ['result', 'error'].includes(m.type) && m.seq === seq,
            `the answer to ${seq}`);
    }

    async ended() {
        const limit = late('the end');
        try {
            return await Promise.race([this.exited, limit.promise]);
        } finally {
            limit.stop();
            this.child.kill('SIGKILL');
        }
    }

    close() {
        this.send({ type: 'close', deadlineMs: 1000 });
        return this.ended();
    }
}
