// Who performs the operations of Stage.op(): BullMQ's objects in this process, or our program.
import readline from 'node:readline';

import { startProcess } from '../peer/server.mjs';
import { flowOps } from './ops_flow.mjs';
import { queueOps } from './ops_queue.mjs';
import { schedulerOps } from './ops_scheduler.mjs';

const OPS = { ...queueOps, ...flowOps, ...schedulerOps };

/** An error of BullMQ as our side shows it: the number of its script's result, or just refused. */
const refused = (error) => ({
    refused: Number.isInteger(error.code) && error.code < 0 ? error.code : true,
});

const plain = (value) => (value === undefined ? null : JSON.parse(JSON.stringify(value)));

/** BullMQ's side. Errors of the operation's own making (a TypeError …) are not refusals. */
export class LibraryClient {
    async run(stage, op, queue, args) {
        if (!(op in OPS)) throw new Error(`unknown operation '${op}'`);
        const { library, line } = stage;
        try {
            const ctx = { library, line, stage, name: queue, queue: stage.queueNamed(queue) };
            Object.defineProperty(ctx, 'flows', { get: () => stage.flows });
            return { ok: plain(await OPS[op](ctx, args)) };
        } catch (error) {
            if (error instanceof TypeError || error instanceof ReferenceError) throw error;
            return refused(error);
        }
    }

    async end() {}
}

/** Names of BullMQ's operations. */
export const operations = Object.keys(OPS);

/** Our side: one peer_client for a database, whatever the scenario. */
export class ProgramClient {
    constructor(command) {
        this.command = command;
        this.begin();
    }

    begin() {
        this.ready = undefined;
        this.child = startProcess(this.command, [], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.child.stdin.on('error', () => {}); // it died: `exited` tells
        this.lines = readline.createInterface({ input: this.child.stdout });
        this.early = this.child.exited.then((code) => {
            this.begin();
            throw new Error(`the client program ended early: ${code}`);
        });
        this.early.catch(() => {});
    }

    async ask(request) {
        const { early } = this;
        const answer = new Promise((resolve) => this.lines.once('line', resolve));
        this.child.stdin.write(`${JSON.stringify(request)}\n`);
        return JSON.parse(await Promise.race([answer, early]));
    }

    /** The names of our operations. */
    async operations(stage) {
        this.ready ??= this.ask({ redis: stage.url, line: Number(stage.line) });
        return (await this.ready).ops;
    }

    async run(stage, op, queue, args) {
        await this.operations(stage);
        const answer = await this.ask({ op, queue, prefix: stage.prefix, args });
        if ('unknown' in answer) throw new Error(`unknown operation '${op}'`);
        return answer;
    }

    async end() {
        this.begin = () => {}; // no next one
        this.child.stdin.end();
        await this.child.exited;
    }
}
