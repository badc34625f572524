// demo.mjs --jobs N --run NAME --redis URL --prefix P --telegram URL --status URL --worker NAME
//     [--first-id N] [--troubles] [--keep]
//
// The part of the demo that runs against what scripts/demo has started: plays the plan, reports, and
// with --keep serves bull-board until it is ended. Exit code 0 when all is as planned.
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { bullBoard, bullmq, Redis } from '../../tests/peer/peer.mjs';
import { Control } from './control.mjs';
import { makePlan, totals } from './plan.mjs';
import { play } from './play.mjs';
import { figures, report } from './report.mjs';

const QUEUE = 'workflow-processing';
const BAR = 40;

const { values: opts } = parseArgs({
    options: {
        jobs: { type: 'string' },
        run: { type: 'string' },
        redis: { type: 'string' },
        prefix: { type: 'string' },
        telegram: { type: 'string' },
        status: { type: 'string' },
        worker: { type: 'string' },
        'first-id': { type: 'string', default: '0' },
        keep: { type: 'boolean', default: false },
        troubles: { type: 'boolean', default: false },
    },
});

let onSignal = () => process.exit(130);
['SIGINT', 'SIGTERM'].forEach((signal) => process.on(signal, () => onSignal()));

async function status() {
    return figures(await (await fetch(`${opts.status}/status`)).json());
}

/** Called after each job: a bar on a terminal, a line a quarter elsewhere. */
function progressOf(total) {
    let done = 0;
    return () => {
        done++;
        const filled = Math.round((BAR * done) / total);
        if (process.stdout.isTTY)
            process.stdout.write(
                `\r  [${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${done}/${total} jobs `,
            );
        else if (done % Math.ceil(total / 4) === 0 || done === total)
            console.log(`  ${done}/${total} jobs`);
        if (done === total && process.stdout.isTTY) process.stdout.write('\n');
    };
}

async function obeyingControl(plan) {
    const control = new Control(opts.telegram);
    if (!(await control.obeys())) return undefined;
    for (const { chat, rule } of plan.people.filter((person) => person.rule !== undefined))
        await control.rule({ ...rule, match: { method: 'sendMessage', chat: String(chat) } });
    return control;
}

// On a Redis shared with others the ids of our jobs begin where nobody else's do.
async function reserveIds(connection) {
    if (opts['first-id'] !== '0')
        await connection.set(`${opts.prefix}:${QUEUE}:id`, opts['first-id']);
}

async function keepUp(queue) {
    const app = await bullBoard([queue]);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    console.log(
        `\nbull-board: http://127.0.0.1:${server.address().port}/  status: ${opts.status}/status` +
            '\nCtrl-C ends everything.',
    );
    await new Promise((resolve) => {
        onSignal = resolve;
    });
    server.close();
}

async function main() {
    const plan = makePlan({ jobs: Number(opts.jobs), run: opts.run, troubles: opts.troubles });
    const control = await obeyingControl(plan);
    const connection = new Redis(opts.redis, { maxRetriesPerRequest: null });
    const common = { connection, prefix: opts.prefix };
    const [six, five] = [await bullmq('6'), await bullmq('5')];
    const queue = new six.Queue(QUEUE, common);
    const events = new six.QueueEvents(QUEUE, { ...common, lastEventId: '0-0' });
    const progress = progressOf(totals(plan).jobs);

    await reserveIds(connection);
    const startedAt = Date.now();
    const played = {
        startedAt,
        ...(await play(plan, { queue, events, control, progress, measure: status })),
    };
    const good = await report(plan, {
        run: opts.run,
        worker: opts.worker,
        control,
        played,
        end: await status(),
        queues: {
            '6.7.0': queue,
            '5.81.3': new five.Queue(QUEUE, { ...common, skipMetasUpdate: true }),
        },
    });
    if (opts.keep) await keepUp(queue);
    return good ? 0 : 1;
}

process.exit(await main());
