// Jobs added by the producer of each side: BullMQ's Queue.add against bw_queue_add.
import { scenario, NEWEST } from './scenario.mjs';

const T = 1785000000000; // a given timestamp, so that due times are exact

const produce = (list) => (stage) => stage.produce(list);

/** One after the other, because what a paused queue or a limit does is under test. */
const afterwards = (prepare, list) => async (stage) => {
    await prepare(stage);
    return stage.produce(list);
};

const plain = (n, opts) =>
    Array.from({ length: n }, (_, i) => ({ name: `job${i}`, data: { i }, opts }));

export const adding = [
    scenario('add: standard', ['001', '006', '008', '018', '019', '020', '033'], produce(plain(3))),
    scenario('add: LIFO', ['018', '019'], produce([...plain(2), ...plain(2, { lifo: true })])),
    scenario(
        'add: prioritized',
        ['024'],
        produce([5, 1, 2097151, 1].flatMap((priority) => plain(1, { priority }))),
    ),
    scenario(
        'add: prioritized ignores LIFO',
        ['024'],
        produce(plain(2, { priority: 3, lifo: true })),
    ),
    scenario(
        'add: delayed',
        ['025', '026', '028'],
        produce([
            ...plain(4, { delay: 1000, timestamp: T }),
            ...plain(1, { delay: 500, timestamp: T }),
        ]),
    ),
    scenario(
        'add: delayed with priority',
        ['027'],
        produce(plain(2, { delay: 1000, timestamp: T, priority: 4 })),
    ),
    scenario(
        'add: custom ids',
        ['003', '004', '005', '022'],
        produce(
            ['mail-1', '007', '1.5', 'a:b:c', 'пример', '12', '-5', 'a:b', '0:a:b'].map(
                (jobId) => ({ name: 'n', data: {}, opts: { jobId } }),
            ),
        ),
    ),
    scenario(
        'add: duplicate ids',
        ['022', '030'],
        produce([
            { name: 'a', data: { first: true }, opts: { jobId: 'same' } },
            { name: 'b', data: { second: true }, opts: { jobId: 'same', priority: 1 } },
            { name: 'c', data: {} },
        ]),
    ),
    scenario(
        'add: kinds of data',
        ['005', '007'],
        produce(
            [
                {},
                { a: [1, null, 'x'] },
                null,
                'text',
                17,
                true,
                [],
                'Привет "мир" / 🎉',
                { nested: { deep: { deeper: ['/', '\\', '\u0001'] } } },
            ].map((data) => ({ name: 'Имя задачи', data })),
        ),
    ),
    scenario(
        'add: all options',
        ['008', '009', '010', '011'],
        produce(
            [
                { backoff: 500, attempts: 3 },
                { backoff: { type: 'exponential', delay: 100, jitter: 0.5 }, attempts: 2 },
                { removeOnComplete: true, removeOnFail: { age: 60, count: 5 } },
                { keepLogs: 5, stackTraceLimit: 0, sizeLimit: 1000 },
                { failParentOnFailure: true },
                { continueParentOnFailure: true },
                { ignoreDependencyOnFailure: true },
                { removeDependencyOnFailure: true },
                { attempts: 1, timestamp: T, lifo: false, delay: 0, priority: 0 },
                { ours: { any: 'thing' }, n: 1.5 },
            ].map((opts) => ({ name: 'n', data: {}, opts })),
        ),
    ),
    scenario(
        'add: refused',
        ['013', '014', '015', '016', '017'],
        produce(
            [
                { priority: 2097152 },
                { priority: 1.5 },
                { priority: 2097151 },
                { failParentOnFailure: true, removeDependencyOnFailure: true },
                { sizeLimit: 5 },
                { backoff: { type: 'fixed', delay: 1, jitter: 1.5 } },
                { backoff: { type: 'fixed', delay: 1, jitter: -1 } },
                { deduplication: {} },
            ].map((opts) => ({ name: 'n', data: { long: 'enough' }, opts })),
        ),
    ),
    scenario(
        'add: while paused',
        ['021', '029'],
        afterwards(
            (stage) => stage.queue.pause(),
            [...plain(2), ...plain(1, { priority: 2 }), ...plain(1, { delay: 9000, timestamp: T })],
        ),
        NEWEST,
    ),
    scenario(
        'add: at global concurrency',
        ['021'],
        afterwards(async (stage) => {
            await stage.queue.setGlobalConcurrency(1);
            await stage.redis.lpush(stage.key('active'), 'someone');
        }, plain(2)),
    ),
    scenario(
        'add: parent is missing',
        ['023'],
        produce([
            { name: 'n', data: {}, opts: { parent: { id: 'none', queue: 'bull:elsewhere' } } },
            { name: 'n', data: {} },
        ]),
    ),
    scenario(
        'add: deduplication',
        ['035', '036'],
        produce([
            ...plain(1, { deduplication: { id: 'd' } }),
            ...plain(2, { deduplication: { id: 'd' } }),
            ...plain(1, { deduplication: { id: 'e' } }),
        ]),
        NEWEST,
    ),
    scenario(
        'add: deduplication with a lifetime',
        ['037', '039'],
        produce([
            ...plain(2, { deduplication: { id: 'd', ttl: 60000 } }),
            ...plain(2, { deduplication: { id: 'e', ttl: 60000, extend: true } }),
        ]),
        NEWEST,
    ),
    scenario(
        'add: deduplication that replaces',
        ['040', '041', '042'],
        produce([
            ...plain(2, { delay: 60000, timestamp: T, deduplication: { id: 'd', replace: true } }),
            ...plain(2, {
                delay: 60000,
                timestamp: T,
                deduplication: { id: 'e', ttl: 50000, replace: true, extend: true },
            }),
            ...plain(2, { deduplication: { id: 'f', replace: true } }),
        ]),
        NEWEST,
    ),
    scenario('add: many at once', ['006', '018', '024', '025', '030', '034'], async (stage) => {
        await stage.op('addBulk', {
            jobs: [
                { name: 'a', data: { n: 1 } },
                { name: 'b', data: { n: 2 }, opts: { lifo: true } },
                { name: 'c', data: { n: 3 }, opts: { priority: 2, jobId: 'own-id' } },
                { name: 'd', data: { n: 4 }, opts: { delay: 1000, timestamp: T } },
                { name: 'e', data: { n: 5 }, opts: { jobId: 'own-id' } },
                { name: 'f', opts: { parent: { id: 'none', queue: 'bull:conf' } } },
                { name: 'g', data: null, opts: { deduplication: { id: 'd' } } },
                { name: 'h', data: 'x', opts: { deduplication: { id: 'd' } } },
            ],
        });
    }),
    scenario('add: many at once, one refused', ['013', '034'], async (stage) => {
        const jobs = [
            { name: 'a', data: {} },
            { name: 'b', data: {}, opts: { priority: 1.5 } },
        ];
        await stage.op('addBulk', { jobs });
        await stage.op('addBulk', { jobs: [jobs[0]] });
    }),
    scenario('add: very many at once', ['022', '034'], async (stage) => {
        const jobs = Array.from({ length: 250 }, (_, i) => ({
            name: `j${i}`,
            data: { i },
            opts: i % 3 === 0 ? { priority: 1 + (i % 7) } : {},
        }));
        await stage.op('addBulk', { jobs });
    }),
];
