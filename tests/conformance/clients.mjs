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
        const ctx = { library, line, stage, name: queue, queue: stage.queueNamed(queue) };
        Object.defineProperty(ctx, 'flows', { get: () => stage.flows });
        try {
            return { ok: plain(await OPS[op](ctx, args)) };
        } catch (error) {
            if (error instanceof TypeError || error instanceof ReferenceError) throw error;
            return refused(error);
        }
    }

    async end() {}
}

/** Our side: one peer_client for a database, whatever the scenario. */
export class ProgramClient {
    constructor(command) {
        this.child = startProcess(command, [], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.child.stdin.on('error', () => {}); // it died: `exited` tells
        this.lines = readline.createInterface({ input: this.child.stdout });
        this.early = this.child.exited.then((code) => {
            throw new Error(`the client program ended early: ${code}`);
        });
        this.early.catch(() => {});
    }

    async ask(request) {
        const answer = new Promise((resolve) => this.lines.once('line', resolve));
        this.child.stdin.write(`${JSON.stringify(request)}\n`);
        return JSON.parse(await Promise.race([answer, this.early]));
    }

    async run(stage, op, queue, args) {
        this.ready ??= this.ask({ redis: stage.url, line: Number(stage.line) });
        await this.ready;
        return this.ask({ op, queue, prefix: stage.prefix, args });
    }

    async end() {
        this.child.stdin.end();
        await this.child.exited;
    }
}
