// Workers that die with a job in hand.
import { fail, gate, ret, scenario } from './scenario.mjs';

const QUICK = { lockDuration: 250, stalledInterval: 200 };
const KEYS = ['stalled-check', 'stalled']; // the moment of the dump decides

/** `deaths` workers die with the job, the next one finishes. */
const dying =
    (deaths, opts, options = {}, last = ret('survived')) =>
    async (stage) => {
        stage.ignored.push(...KEYS);
        const steps = Array.from({ length: deaths }, () => gate('never'));
        await stage.add('n', [...steps, last], opts);
        for (let i = 1; i <= deaths; i++) {
            const worker = await stage.start({ ...QUICK, ...options });
            await stage.seen('active', i);
            await worker.kill();
        }
        await stage.start({ ...QUICK, ...options });
        await stage.finished(1);
    };

export const stalling = [
    scenario('stalled: recovered', ['108', '109'], dying(1)),
    scenario('stalled: recovered by priority', ['109'], dying(1, { priority: 3 })),
    scenario('stalled: over the limit', ['099', '110'], dying(2, { attempts: 3 })),
    scenario('stalled: a limit of 0', ['110'], dying(1, {}, { maxStalledCount: 0 })),
    scenario('stalled: recovered, then failed', ['084', '109'], dying(1, {}, {}, fail('boom'))),
    scenario('stalled: first in line again', ['109'], async (stage) => {
        stage.ignored.push(...KEYS);
        await stage.add('a', [gate('never'), ret(1)]);
        await stage.add('b', [gate('b')]);
        const worker = await stage.start(QUICK);
        await stage.seen('active');
        await worker.kill();
        await stage.start(QUICK);
        await stage.seen('stalled');
        stage.open('b');
        await stage.finished(2);
    }),
    scenario('stalled: a living job is not', ['105', '106', '113'], async (stage) => {
        stage.ignored.push(...KEYS);
        await stage.add('n', [gate('g')]);
        await stage.start(QUICK);
        await stage.seen('active');
        const check = stage.key('stalled-check');
        for (let i = 0; i < 3; i++) {
            const before = await stage.redis.get(check);
            await stage.until(
                async () => ![null, before].includes(await stage.redis.get(check)),
                'the next stalled check',
            );
        }
        stage.open('g');
        await stage.finished(1);
    }),
    scenario('stalled: the check and its key', ['107', '112', '160'], async (stage) => {
        await stage.start();
        await stage.until(() => stage.redis.exists(stage.key('stalled-check')), 'the first check');
    }),
];
