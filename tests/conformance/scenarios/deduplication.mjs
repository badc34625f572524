// Deduplication in all its modes (lib/spec/bullmq.md §3.6, §5.3).
import { BOTH, fail, gate, NEWEST, ret, scenario } from './scenario.mjs';

const T = 2100000000000; // far away, and exact in a score
const LONG = 3600000;

/** A job that has deduplication `mode` with the id d. */
const job = (name, mode, { steps = [ret(name)], ...opts } = {}) => ({
    name,
    data: { do: steps, name },
    opts: { ...opts, deduplication: { id: 'd', ...mode } },
});

/** These are added one after the other; each answer is compared. */
const added =
    (...jobs) =>
    async (stage) => {
        for (const item of jobs) await stage.op('add', item);
    };

/** The first job is running while `jobs` are added; then all that is left is done. */
const whileActive =
    (mode, jobs, finishes, first = gate('g')) =>
    async (stage) => {
        await stage.op('add', job('owner', mode, { steps: [first] }));
        await stage.start();
        await stage.seen('active');
        for (const item of jobs) await stage.op('add', item);
        stage.open('g');
        await stage.finished(finishes);
    };

const DELAYED = { delay: LONG, timestamp: T };

export const deduplication = [
    ...['a', 'prioritized', 'delayed'].map((kind, i) =>
        scenario(
            `deduplication: of a ${kind} job`,
            ['035', '036', '049'],
            added(
                job('first', {}, [{}, { priority: 2 }, DELAYED][i]),
                job('second', {}),
                job('third', {}, DELAYED),
                job('named', {}, { jobId: 'own-id' }),
                { name: 'other', data: {}, opts: { deduplication: { id: 'e' } } },
            ),
        ),
    ),
    scenario(
        'deduplication: lifetimes',
        ['037', '039', '049'],
        added(
            job('first', { ttl: 50000 }),
            job('second', { ttl: 60000 }),
            job('third', { ttl: 70000, extend: true }),
            job('fourth', { ttl: 0 }),
            job('fifth', { extend: true }),
        ),
    ),
    scenario('deduplication: a lifetime outlasts the job', ['037', '038'], async (stage) => {
        await stage.op('add', job('first', { ttl: LONG }));
        await stage.start();
        await stage.finished(1);
        await stage.settle();
        await stage.op('add', job('second', { ttl: LONG }));
        await stage.op('add', job('third', {}));
    }),
    scenario('deduplication: a lifetime that is over', ['037'], async (stage) => {
        await stage.op('add', job('first', { ttl: 40 }, DELAYED));
        await stage.until(
            async () => (await stage.redis.exists(stage.key('de:d'))) === 0,
            'the end of the lifetime',
        );
        await stage.op('add', job('second', { ttl: LONG }, DELAYED));
    }),
    scenario('deduplication: freed when done', ['038'], async (stage) => {
        await stage.op('add', job('first', {}));
        await stage.op('add', job('second', {}));
        await stage.start();
        await stage.finished(1);
        await stage.settle();
        await stage.op('add', job('third', {}, DELAYED));
        await stage.op('add', job('fourth', {}));
    }),
    scenario('deduplication: freed when failed for good', ['038'], async (stage) => {
        await stage.op(
            'add',
            job(
                'first',
                {},
                { steps: [fail('one'), [['gate', 'g'], ...fail('two')]], attempts: 2 },
            ),
        );
        await stage.start();
        await stage.seen('active', 2);
        await stage.op('add', job('between', {}));
        stage.open('g');
        await stage.finished(1);
        await stage.settle();
        await stage.op('add', job('after', {}, DELAYED));
    }),
    scenario('deduplication: of another owner by now', ['038'], async (stage) => {
        await stage.op('add', job('first', {}, { steps: [gate('g')] }));
        await stage.start();
        await stage.seen('active');
        await stage.redis.set(stage.key('de:d'), 'somebody');
        stage.open('g');
        await stage.finished(1);
    }),
    scenario(
        'deduplication: replaces a delayed job',
        ['040', '049'],
        added(job('first', { replace: true }, DELAYED), job('second', { replace: true }, DELAYED)),
    ),
    scenario(
        'deduplication: replaces a delayed job by another kind',
        ['040'],
        added(
            job('first', { replace: true }, DELAYED),
            job('second', { replace: true }, { priority: 3 }),
            job('third', { replace: true }, DELAYED),
        ),
    ),
    ...[{ ttl: 50000 }, { ttl: 50000, extend: true }, { extend: true }].map((mode) =>
        scenario(
            `deduplication: replaces with ${Object.keys(mode).join(' and ')}`,
            ['041'],
            async (stage) => {
                await stage.op('add', job('first', { ...mode, replace: true }, DELAYED));
                if (mode.ttl) await stage.redis.pexpire(stage.key('de:d'), 20000);
                await stage.op('add', job('second', { ...mode, replace: true }, DELAYED));
            },
        ),
    ),
    scenario(
        'deduplication: does not replace what is not delayed',
        ['042'],
        added(
            job('first', { replace: true }),
            job('second', { replace: true }),
            job('third', { replace: true }, DELAYED),
        ),
    ),
    scenario(
        'deduplication: does not replace a running job',
        ['042'],
        whileActive({ replace: true }, [job('second', { replace: true })], 1),
    ),
    scenario(
        'deduplication: keeps the last while one is active',
        ['043', '044', '045'],
        whileActive(
            { keepLastIfActive: true },
            [
                job('second', { keepLastIfActive: true }),
                job('third', { keepLastIfActive: true }, { attempts: 2 }),
            ],
            2,
        ),
    ),
    scenario(
        'deduplication: keeps the last, with a lifetime',
        ['043', '044', '045'],
        whileActive(
            { keepLastIfActive: true, ttl: LONG },
            [job('second', { keepLastIfActive: true, ttl: LONG })],
            2,
        ),
    ),
    scenario(
        'deduplication: keeps the last of a job that fails',
        ['043', '044'],
        whileActive({ keepLastIfActive: true }, [job('second', { keepLastIfActive: true })], 2, [
            ['gate', 'g'],
            ...fail('boom'),
        ]),
    ),
    scenario(
        'deduplication: keeps the last until the last attempt',
        ['043', '044'],
        async (stage) => {
            const mode = { keepLastIfActive: true };
            const steps = [[['gate', 'g'], ...fail('one')], ret('two')];
            await stage.op('add', job('owner', mode, { steps, attempts: 2 }));
            await stage.start();
            await stage.seen('active');
            await stage.op('add', job('second', mode));
            stage.open('g');
            await stage.finished(2);
        },
    ),
    ...[
        ['with priority', { priority: 3 }],
        ['delayed', { delay: LONG }],
        ['LIFO', { lifo: true }],
        ['with an id', { jobId: 'own-id' }],
    ].map(([kind, opts]) =>
        scenario(
            `deduplication: keeps the last, ${kind}`,
            ['043', '044'],
            whileActive(
                { keepLastIfActive: true },
                [job('second', { keepLastIfActive: true }, opts)],
                opts.delay ? 1 : 2,
            ),
        ),
    ),
    scenario(
        'deduplication: keeps the last, though waiting ones are dropped',
        ['036', '043', '045'],
        added(
            job('first', { keepLastIfActive: true, ttl: 5000 }),
            job('second', { keepLastIfActive: true, ttl: 5000 }),
            job('third', { keepLastIfActive: true, ttl: 5000, extend: true }),
        ),
    ),
    scenario(
        'deduplication: keeps the last and replaces',
        ['040', '043', '044', '045'],
        async (stage) => {
            const mode = { keepLastIfActive: true, replace: true, ttl: LONG };
            await stage.op('add', job('first', mode, DELAYED));
            await stage.op('add', job('owner', mode, { steps: [gate('g')] }));
            await stage.start();
            await stage.seen('active');
            await stage.op('add', job('next', mode));
            stage.open('g');
            await stage.finished(2);
        },
    ),
    scenario(
        'deduplication: a stale key is taken over',
        ['047'],
        async (stage) => {
            await stage.op('add', job('first', {}));
            await stage.redis.del(stage.key('1'));
            await stage.op('add', job('second', {}));
            await stage.op('add', job('third', { replace: true }));
        },
        NEWEST,
    ),
    scenario('deduplication: a stale key with a lifetime', ['047'], async (stage) => {
        await stage.op('add', job('first', { ttl: LONG }));
        await stage.redis.del(stage.key('1'));
        await stage.op('add', job('second', { ttl: LONG }));
        await stage.op('add', job('third', { ttl: LONG, extend: true }));
    }),
    ...['extend', 'replace'].map((mode) =>
        scenario(
            `deduplication: a stale key, ${mode}`,
            ['047'],
            async (stage) => {
                await stage.redis.set(stage.key('de:d'), 'gone');
                await stage.op('add', job('first', { ttl: 50000, [mode]: true }));
                await stage.op('add', job('second', { ttl: 50000, [mode]: true }));
            },
            NEWEST,
        ),
    ),
    scenario(
        'deduplication: reschedules',
        ['048'],
        added(
            job('first', { reschedule: true }, DELAYED),
            job('later', { reschedule: true }, { delay: 2 * LONG, timestamp: T }),
            job('now', { reschedule: true }, { timestamp: T }),
            job('by priority', { reschedule: true }, { timestamp: T, priority: 1 }),
        ),
        NEWEST,
    ),
    scenario(
        'deduplication: does not reschedule what waits',
        ['048'],
        added(job('first', { reschedule: true }), job('second', { reschedule: true }, DELAYED)),
        NEWEST,
    ),
    scenario(
        'deduplication: refused',
        ['017'],
        added(
            { name: 'n', data: {}, opts: { deduplication: {} } },
            { name: 'n', data: {}, opts: { deduplication: { id: '' } } },
            {
                name: 'n',
                data: {},
                opts: { deduplication: { id: 'd' }, parent: { id: '1', queue: 'bull:conf' } },
            },
            { name: 'n', data: {} },
        ),
        BOTH,
    ),
];
