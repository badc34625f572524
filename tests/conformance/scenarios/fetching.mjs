// In which order jobs are taken, and what becomes of delayed ones.
import { drainOf, gate, NEWEST, ret, scenario } from './scenario.mjs';

const T = 1600000000000; // long ago
const simple = (opts, name = 'n') => [name, [ret(null)], opts];

export const fetching = [
    scenario(
        'fetch: oldest first',
        ['050', '053', '054', '055', '063'],
        drainOf([simple(), simple(), simple()], { name: 'w1' }),
    ),
    scenario(
        'fetch: LIFO',
        ['018', '050'],
        drainOf([simple(), simple({ lifo: true }), simple({ lifo: true }), simple()]),
    ),
    scenario(
        'fetch: by priority',
        ['051', '052', '063'],
        drainOf([
            simple({ priority: 5 }),
            simple({ priority: 1 }),
            simple({ priority: 3 }),
            simple({ priority: 1 }),
        ]),
    ),
    scenario(
        'fetch: wait beats priority',
        ['051'],
        drainOf([simple({ priority: 1 }), simple(), simple({ priority: 2 }), simple()]),
    ),
    scenario(
        'fetch: due jobs are promoted',
        ['056', '058'],
        drainOf([
            simple(),
            simple({ delay: 50, timestamp: T }),
            simple({ delay: 10, timestamp: T, priority: 2 }),
            simple({ delay: 20, timestamp: T, lifo: true }),
        ]),
    ),
    scenario(
        'fetch: waits for a delayed job',
        ['026', '056', '067'],
        drainOf([simple({ delay: 150 })]),
    ),
    scenario('fetch: several delayed jobs', ['056', '067'], async (stage) => {
        await stage.start(); // before they are due
        // At once, with one timestamp: a delay counts from it, and one add after the other takes time, too.
        const timestamp = Date.now();
        await stage.queue.addBulk(
            [1500, 300, 900].map((delay) => ({
                name: 'n',
                data: { do: [ret(delay)] },
                opts: { delay, timestamp },
            })),
        );
        await stage.finished(3);
    }),
    scenario('fetch: a delayed job stays', ['075'], async (stage) => {
        await stage.add('later', [ret(1)], { delay: 3600000 });
        await stage.add('now', [ret(2)]);
        await stage.start();
        await stage.finished(1);
    }),
    scenario('fetch: added to an idle worker', ['020', '066', '068'], async (stage) => {
        await stage.start();
        for (let i = 1; i <= 3; i++) {
            await stage.add('n', [ret(i)]);
            await stage.finished(i);
            await stage.settle();
        }
    }),
    scenario('fetch: promoted by hand', ['119'], async (stage) => {
        const job = await stage.add('later', [ret(1)], { delay: 3600000 });
        await stage.start();
        await job.promote();
        await stage.finished(1);
    }),
    scenario('fetch: several at a time', ['050', '054', '068'], async (stage) => {
        for (let i = 0; i < 5; i++) await stage.add('n', [gate(`g${i}`)]);
        await stage.start({ concurrency: 3 });
        await stage.seen('active', 3);
        for (let i = 0; i < 5; i++) {
            await stage.seen('active', Math.min(3 + i, 5));
            stage.open(`g${i}`);
            await stage.finished(i + 1);
        }
    }),
    scenario('fetch: priority changed while waiting', ['118'], async (stage) => {
        const jobs = [];
        for (let i = 0; i < 3; i++) jobs.push(await stage.add('n', [ret(i)], { priority: 5 + i }));
        await jobs[2].changePriority({ priority: 1 });
        await jobs[1].changePriority({ priority: 0 });
        await stage.start();
        await stage.finished(3);
    }),
    scenario(
        'fetch: pre-5 markers are discarded',
        ['064'],
        async (stage) => {
            await stage.add('n', [ret(1)]);
            await stage.redis.rpush(stage.key('wait'), '0:0');
            await stage.start();
            await stage.finished(1);
        },
        NEWEST,
    ),
];
