// Failures, retries, backoff, and jobs that put themselves back.
import { backoff, drainOf, fail, ret, scenario, unrecoverable } from './scenario.mjs';

const blank = [['blank']];

export const failing = [
    scenario('fail: once and for good', ['084', '086', '094'], drainOf([['n', [fail('boom')]]])),
    scenario('fail: attempts 1', ['086'], drainOf([['n', [fail('boom')], { attempts: 1 }]])),
    scenario(
        'fail: unicode and long reasons',
        ['084'],
        drainOf([
            ['n', [fail('Ошибка: «нет связи» 🚫\nвторая строка')]],
            ['n', [fail('x'.repeat(5000))]],
            ['n', [fail('')]],
        ]),
    ),
    scenario('fail: no message', ['104'], drainOf([['n', [blank]]])),
    scenario(
        'fail: retried at once, then completed',
        ['087', '102'],
        drainOf([['n', [fail('one'), fail('two'), ret('fine')], { attempts: 3 }]]),
    ),
    scenario(
        'fail: retried behind the others',
        ['087'],
        drainOf([
            ['a', [fail('one'), ret('fine')], { attempts: 2 }],
            ['b', [ret(1)]],
            ['c', [ret(2)]],
        ]),
    ),
    scenario(
        'fail: retried LIFO',
        ['087'],
        drainOf([
            ['b', [ret(1)]],
            ['c', [ret(2)]],
            ['a', [fail('one'), ret('fine')], { attempts: 2, lifo: true }],
        ]),
    ),
    scenario(
        'fail: retried by priority',
        ['088'],
        drainOf([
            ['a', [fail('one'), ret('fine')], { attempts: 2, priority: 2 }],
            ['b', [ret(1)], { priority: 2 }],
            ['c', [ret(2)], { priority: 9 }],
        ]),
    ),
    scenario(
        'fail: attempts exhausted',
        ['084', '094'],
        drainOf([['n', [fail('one'), fail('two'), fail('three')], { attempts: 3 }]]),
    ),
    scenario(
        'fail: fixed backoff',
        ['089'],
        drainOf([['n', [fail('one'), fail('two'), ret('fine')], { attempts: 3, backoff: 60 }]]),
    ),
    scenario(
        'fail: exponential backoff',
        ['089', '090'],
        drainOf([
            [
                'n',
                [fail('one'), fail('two'), fail('three'), ret('fine')],
                { attempts: 4, backoff: { type: 'exponential', delay: 25 } },
            ],
        ]),
    ),
    scenario(
        'fail: backoff while others wait',
        ['089', '103'],
        drainOf([
            ['a', [fail('one'), ret('fine')], { attempts: 2, backoff: 300 }],
            ['b', [ret(1)]],
            ['c', [ret(2)]],
        ]),
    ),
    scenario(
        'fail: backoff with priority',
        ['058', '089'],
        drainOf([['a', [fail('one'), ret('fine')], { attempts: 2, backoff: 100, priority: 7 }]]),
    ),
    scenario('fail: waits out a long backoff', ['089'], async (stage) => {
        await stage.add('n', [fail('one'), ret('never')], { attempts: 2, backoff: 3600000 });
        await stage.start();
        await stage.seen('delayed');
    }),
    scenario(
        'fail: custom backoff',
        ['092'],
        drainOf([
            [
                'a',
                [backoff('none', 0), backoff('some', 50), backoff('stop', -1)],
                { attempts: 9, backoff: { type: 'own' } },
            ],
        ]),
    ),
    scenario('fail: a backoff that nobody knows', ['093'], async (stage) => {
        const opts = { attempts: 3, backoff: { type: 'unheard of', delay: 10 } };
        await stage.add('a', [fail('one')], opts);
        await stage.add('b', [ret(1)]);
        await stage.start({ settings: {} }); // no strategy of the worker's own
        await stage.finished(1);
    }),
    scenario('fail: telemetry stays with its job', ['010', '087'], async (stage) => {
        const telemetry = { metadata: '00-trace-span-01', omitContext: true };
        await stage.op('add', {
            name: 'n',
            data: { do: [fail('one'), ret('fine')] },
            opts: { attempts: 2, telemetry },
        });
        await stage.start();
        await stage.finished(1);
    }),
    scenario('fail: few logs are kept', ['115'], async (stage) => {
        const logs = ['one', 'two', 'three'].map((row) => ['log', row]);
        const steps = [
            [...logs, ...fail('one')],
            [...logs, ...ret('fine')],
        ];
        await stage.add('n', steps, { attempts: 2, keepLogs: 4 });
        await stage.start();
        await stage.finished(1);
    }),
    scenario(
        'fail: jitter 0 of backoff',
        ['091'],
        drainOf([
            [
                'n',
                [fail('one'), ret('fine')],
                { attempts: 2, backoff: { type: 'fixed', delay: 40, jitter: 0 } },
            ],
        ]),
    ),
    scenario(
        'fail: unrecoverable',
        ['095'],
        drainOf([
            ['n', [unrecoverable('never again')], { attempts: 5 }],
            ['n', [unrecoverable('')], { attempts: 5 }],
        ]),
    ),
    scenario(
        'fail: stack traces',
        ['085'],
        drainOf(
            [0, 1, 2, undefined].map((stackTraceLimit) => [
                'n',
                [fail('one'), fail('two'), fail('three')],
                { attempts: 3, stackTraceLimit },
            ]),
        ),
    ),
    scenario(
        'fail: metrics',
        ['081'],
        drainOf(
            [
                ['a', [fail('one'), fail('two')], { attempts: 2 }],
                ['b', [fail('x')]],
            ],
            { metrics: { maxDataPoints: 10 } },
        ),
    ),
    scenario(
        'fail: deduplication released at the end',
        ['038'],
        drainOf([['n', [fail('one'), fail('two')], { attempts: 2, deduplication: { id: 'd' } }]]),
    ),
    scenario('fail: deferred failure', ['099'], async (stage) => {
        const job = await stage.add('n', [ret('never')], { attempts: 3 });
        await stage.redis.hset(stage.key(job.id), 'defa', 'told so before');
        await stage.start();
        await stage.finished(1);
    }),
    scenario('fail: started too often', ['100'], async (stage) => {
        const job = await stage.add('n', [ret('never')], { attempts: 3 });
        await stage.redis.hset(stage.key(job.id), 'ats', 3);
        await stage.start({ maxStartedAttempts: 3 });
        await stage.finished(1);
    }),
    scenario(
        'fail: may not be started again',
        ['101'],
        async (stage) => {
            await stage.add('n', [fail('one'), fail('two'), ret('x')], { attempts: 5 });
            await stage.start({ maxStartedAttempts: 2 });
            await stage.finished(1);
        },
        ['6'],
    ),
    scenario('fail: reprocessed by hand', ['120'], async (stage) => {
        const job = await stage.add('n', [fail('one'), ret('fine')]);
        await stage.start();
        await stage.finished(1);
        await stage.settle();
        await job.retry('failed');
        await stage.finished(2);
    }),
    scenario(
        'put back: delayed',
        ['096'],
        drainOf([
            [
                'n',
                [
                    [['delay', 80]],
                    [
                        ['progress', '1'],
                        ['delay', 60],
                    ],
                    ret('fine'),
                ],
                { attempts: 2 },
            ],
        ]),
    ),
    scenario(
        'put back: waiting',
        ['097'],
        drainOf([
            ['a', [[['wait']], ret('fine')]],
            ['b', [ret(1)]],
        ]),
    ),
    scenario(
        'put back: waiting by priority',
        ['097'],
        drainOf([
            ['a', [[['wait']], ret('fine')], { priority: 3 }],
            ['b', [ret(1)], { priority: 3 }],
        ]),
    ),
];
