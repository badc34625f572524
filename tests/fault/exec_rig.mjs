// What the tests of external processors share: a queue of its own with the puppet as its handler.
import { fileURLToPath } from 'node:url';

import { Daemon, oneQueue, openQueue, PATIENCE, PersistentRedis, until } from './rig.mjs';

export const PUPPET = fileURLToPath(new URL('../support/processors/puppet.mjs', import.meta.url));
export const redis = await PersistentRedis.create();
let names = 0;

/** `handler` adds to the handler's settings, what else there is to the queue's; `rest` to the daemon's. */
export async function stage(cleanup, { mode = '', handler = {}, ...queue } = {}, rest = {}, env = {}) {
    const name = `q${names++}`;
    const producer = await openQueue(redis, name);
    const daemon = Daemon.start(oneQueue(redis, { name, concurrency: 8, ...queue,
        handler: { exec: ['node', PUPPET, mode], ...handler } }, rest), [], undefined, env);
    cleanup(() => producer.close());
    cleanup(() => daemon.signal('SIGKILL'));
    return { name, producer, daemon };
}

/** The job's end. */
export function ended({ producer }, id, what = id) {
    return until(async () => {
        const state = await producer.getJobState(id);
        return ['completed', 'failed'].includes(state) && { state, job: await producer.getJob(id) };
    }, `the end of ${what}`, 15000 * PATIENCE);
}

export async function run(it, data, opts = {}) {
    const { id } = await it.producer.add('job', data, opts);
    return ended(it, id, JSON.stringify(data).slice(0, 60));
}
