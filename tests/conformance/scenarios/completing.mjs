// Completed jobs: values, side effects, events, metrics, deduplication at the end.
import { drainOf, gate, NEWEST, nothing, ret, scenario } from './scenario.mjs';

const VALUES = [
    null,
    true,
    false,
    0,
    -1.5,
    1e21,
    '',
    'text',
    [],
    {},
    [1, [2, [3]]],
    { a: { b: [null, 'x'] } },
    'Ключ 🔑 "q" \\ / \u0001',
    '</script>',
    9007199254740991,
];

const big = { rows: Array.from({ length: 2000 }, (_, i) => ({ i, text: `row ${i} `.repeat(5) })) };

export const completing = [
    scenario(
        'complete: values of all kinds',
        ['069', '070', '005'],
        drainOf(VALUES.map((value, i) => [`v${i}`, [ret(value)]])),
    ),
    scenario('complete: nothing returned', ['071'], drainOf([['n', [nothing]]])),
    scenario('complete: a big value', ['069'], drainOf([['n', [ret(big)]]])),
    scenario(
        'complete: with a name',
        ['054', '069'],
        drainOf([['n', [ret(1)]]], { name: 'клерк-1' }),
    ),
    scenario(
        'complete: next job by the same call',
        ['074', '076'],
        drainOf(Array.from({ length: 6 }, (_, i) => [`n${i}`, [ret(i)]])),
    ),
    scenario('complete: drained, once a backlog', ['076'], async (stage) => {
        await stage.add('a', [ret(1)]);
        await stage.start();
        await stage.seen('drained');
        await stage.settle();
        await stage.add('b', [ret(2)]);
        await stage.seen('drained', 2);
    }),
    scenario('complete: progress, log and data', ['114', '115', '116'], async (stage) => {
        await stage.add('n', [
            [
                ['progress', '42'],
                ['log', 'first row'],
                ['progress', '{"step":"Шаг"}'],
                ['log', 'zweite Zeile'],
                ['data', '{"do":[],"now":"other"}'],
                ...ret('done'),
            ],
        ]);
        await stage.start();
        await stage.finished(1);
    }),
    scenario(
        'complete: metrics',
        ['081'],
        drainOf(
            [
                ['a', [ret(1)]],
                ['b', [ret(2)]],
                ['c', [ret(3)]],
            ],
            { metrics: { maxDataPoints: 10 } },
        ),
    ),
    scenario('complete: metrics over minutes', ['082'], async (stage) => {
        await stage.redis.hset(
            stage.key('metrics:completed'),
            'count',
            7,
            'prevCount',
            4,
            'prevTS',
            Date.now() - 3 * 60000,
        );
        await stage.redis.rpush(stage.key('metrics:completed:data'), 9, 8, 7);
        await drainOf(
            [
                ['a', [ret(1)]],
                ['b', [ret(2)]],
            ],
            { metrics: { maxDataPoints: 5 } },
        )(stage);
    }),
    scenario('complete: deduplication key released', ['038'], async (stage) => {
        await stage.add('n', [ret(1)], { deduplication: { id: 'd' } });
        await stage.add('n', [ret(2)], { deduplication: { id: 'kept', ttl: 600000 } });
        await stage.start();
        await stage.finished(2);
    }),
    scenario('complete: a parked next job', ['043', '044', '045'], async (stage) => {
        const opts = { deduplication: { id: 'd', keepLastIfActive: true } };
        await stage.add('first', [gate('g')], opts);
        await stage.start();
        await stage.seen('active');
        await stage.add('second', [ret(2)], opts);
        await stage.add('third', [ret(3)], opts);
        stage.open('g');
        await stage.finished(2);
    }),
    scenario('complete: parked with delay and priority', ['043', '044'], async (stage) => {
        const deduplication = { id: 'd', keepLastIfActive: true };
        await stage.add('first', [gate('g')], { deduplication });
        await stage.add('other', [gate('h')], { deduplication: { ...deduplication, id: 'e' } });
        await stage.start({ concurrency: 2 });
        await stage.seen('active', 2);
        await stage.add('second', [ret(2)], { deduplication, priority: 3 });
        await stage.add('third', [ret(3)], {
            deduplication: { ...deduplication, id: 'e' },
            delay: 3600000,
        });
        stage.open('g');
        await stage.finished(2);
        stage.open('h');
        await stage.finished(3);
    }),
    scenario(
        'complete: lock gone',
        ['072'],
        async (stage) => {
            stage.ignored.push('1:lock');
            await stage.add('n', [gate('g')]);
            await stage.add('n', [ret(2)]);
            await stage.start({ lockDuration: 600000 });
            await stage.seen('active');
            await stage.redis.del(stage.key('1:lock'));
            stage.open('g');
            await stage.finished(1);
        },
        NEWEST,
    ),
    scenario(
        'complete: job removed meanwhile',
        ['072'],
        async (stage) => {
            await stage.add('n', [gate('g')]);
            await stage.add('n', [ret(2)]);
            await stage.start({ lockDuration: 600000 });
            await stage.seen('active');
            await stage.redis.del(stage.key('1'), stage.key('1:lock'));
            stage.open('g');
            await stage.finished(1);
        },
        NEWEST,
    ),
];
