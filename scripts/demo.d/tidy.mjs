// tidy.mjs --redis URL --jobs N --run NAME --first-id N
//
// Deletes what a demo left in a Redis that is not its own: everything named after the run, and what is
// named after its jobs and chats only.
import { parseArgs } from 'node:util';

import { Redis } from '../../tests/peer/peer.mjs';
import { makePlan } from './plan.mjs';

const { values: opts } = parseArgs({
    options: {
        redis: { type: 'string' },
        jobs: { type: 'string' },
        run: { type: 'string' },
        'first-id': { type: 'string' },
    },
});
const jobs = Number(opts.jobs);
const first = Number(opts['first-id']);
const chats = new Set(
    makePlan({ jobs, run: opts.run, troubles: true }).people.map(({ chat }) => chat),
);

function ours(key) {
    if (key.includes(opts.run)) return true;
    const job = /^workflow:job:workflow-processing:(\d+)$/.exec(key)?.[1];
    const chat = /^workflow:waiting:(\d+)_/.exec(key)?.[1];
    return (Number(job) >= first && Number(job) <= first + jobs) || chats.has(Number(chat));
}

const redis = new Redis(opts.redis);
for await (const keys of redis.scanStream({ count: 1000 })) {
    const mine = keys.filter(ours);
    if (mine.length > 0) await redis.unlink(...mine);
}
redis.disconnect();
