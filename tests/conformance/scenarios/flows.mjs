// Parents and children: added, finished, waited for (lib/spec/bullmq.md §8).
import { fail, NEWEST, ret, scenario } from './scenario.mjs';

const KID = 'kid';

const node = (id, steps, opts, children) => ({
    name: id,
    queueName: 'conf',
    data: { do: steps },
    opts: { jobId: id, ...opts },
    children,
});

/** Parent P in the main queue with children c1, c2 …; a worker on it finishes `finishes` jobs. */
const tree =
    (children, finishes, opts = {}) =>
    async (stage) => {
        await stage.flows.add(
            node(
                'P',
                [ret('parent')],
                opts,
                children.map(([steps, childOpts], i) => node(`c${i + 1}`, steps, childOpts)),
            ),
        );
        await stage.start();
        await stage.finished(finishes);
    };

const child = (name, steps, opts = {}, queue = 'conf') => [
    'child',
    queue,
    name,
    JSON.stringify({ do: steps }),
    JSON.stringify(opts),
];

/** One job runs these steps, with the children it adds. */
const dynamic =
    (steps, finishes, options = { concurrency: 1 }) =>
    async (stage) => {
        await stage.op('add', { name: 'p', data: { do: steps } });
        await stage.start(options);
        await stage.finished(finishes);
    };

/** Trees added by the library under test, one after the other; each answer is compared. */
const added =
    (...trees) =>
    async (stage) => {
        for (const item of trees) await stage.op('addFlow', item);
    };

/** Job `id` is there and completed before anything else. */
async function completed(stage, id) {
    await stage.op('add', { name: id, data: { do: [ret(id)] }, opts: { jobId: id } });
    const worker = await stage.start();
    await stage.finished(1);
    await stage.settle();
    await worker.stop();
}

const failing = (option) => [[fail('cf')], option];

export const flows = [
    scenario(
        'flow: children, then the parent',
        ['135', '136', '137'],
        tree([[[ret(1)]], [[ret({ two: 'Два' })]]], 3),
    ),
    scenario('flow: a parent with priority', ['136'], tree([[[ret(1)]]], 2, { priority: 2 })),
    scenario('flow: a parent with delay', ['136'], tree([[[ret(1)]]], 2, { delay: 80 })),
    scenario('flow: in two queues', ['136', '137'], async (stage) => {
        const child = { ...node('c1', [ret(1)]), queueName: KID };
        await stage.flows.add(node('P', [ret('parent')], {}, [child]));
        await stage.start({}, KID);
        await stage.finished(1, KID);
        await stage.start();
        await stage.finished(1);
    }),
    scenario(
        'flow: a failed child fails its parent',
        ['138'],
        tree([failing({ failParentOnFailure: true }), [[ret(2)]]], 3),
    ),
    scenario('flow: a failed child lets its parent go', ['139'], async (stage) => {
        await stage.flows.add(
            node('P', [fail('too early'), ret('x')], {}, [
                node('c1', ...failing({ continueParentOnFailure: true })),
            ]),
        );
        await stage.start();
        await stage.finished(2);
    }),
    scenario(
        'flow: a failed child is ignored',
        ['140'],
        tree([failing({ ignoreDependencyOnFailure: true }), [[ret(2)]]], 3),
    ),
    scenario(
        'flow: a failed child is forgotten',
        ['140'],
        tree([failing({ removeDependencyOnFailure: true }), [[ret(2)]]], 3),
    ),
    scenario('flow: a failed child blocks its parent', ['141'], tree([failing({}), [[ret(2)]]], 2)),
    scenario(
        'flow: a failed and removed child',
        ['142'],
        tree([failing({ removeOnFail: true })], 2),
    ),
    scenario(
        'flow: a completed and removed child',
        ['077', '137'],
        tree([[[ret(1)], { removeOnComplete: true }]], 2),
    ),
    scenario('flow: three levels fail upwards', ['138'], async (stage) => {
        const leaf = node('leaf', ...failing({ failParentOnFailure: true }));
        await stage.flows.add(
            node('P', [ret('never')], {}, [
                node('mid', [ret('never')], { failParentOnFailure: true }, [leaf]),
            ]),
        );
        await stage.start();
        await stage.finished(3);
    }),
    scenario('flow: a parent that completes too early', ['073'], async (stage) => {
        const parent = await stage.add('p', [ret('early')]);
        await stage.add('c', [ret(1)], {
            delay: 3600000,
            parent: { id: parent.id, queue: stage.queue.qualifiedName },
        });
        await stage.start();
        await stage.finished(1);
    }),
    scenario('flow: a child fails an active parent', ['073', '138'], async (stage) => {
        const parent = await stage.add('p', [[['gate', 'g'], ...ret('early')]]);
        await stage.start({ concurrency: 2 });
        await stage.seen('active');
        await stage.add('c', [fail('cf')], {
            failParentOnFailure: true,
            parent: { id: parent.id, queue: stage.queue.qualifiedName },
        });
        await stage.finished(1);
        stage.open('g');
        await stage.finished(2);
    }),
    scenario(
        'flow: added level by level',
        ['135'],
        added(
            node('P', [], { delay: 5000, priority: 3 }, [
                node('a', [], {}, [
                    node('a1', [], { lifo: true }),
                    node('a2', [], { priority: 1 }),
                ]),
                node('b', [], { delay: 9000, timestamp: 1785000000000 }),
                { ...node('c', [], {}, [{ ...node('c1', []), queueName: KID }]), queueName: KID },
            ]),
        ),
    ),
    scenario(
        'flow: added with made-up ids',
        ['135'],
        added(
            {
                name: 'root', // in a queue whose jobs are not listed by id
                queueName: KID,
                data: { do: [] },
                children: [
                    { name: 'leaf', queueName: KID, data: null, opts: { attempts: 3, backoff: 5 } },
                ],
            },
            node('fine', []),
        ),
    ),
    scenario(
        'flow: added alone',
        ['135'],
        added(node('P', []), node('Q', [], { deduplication: { id: 'd' } })),
    ),
    scenario(
        'flow: dependency options',
        ['010', '135'],
        added(
            node('P', [], {}, [
                node('a', [], { failParentOnFailure: true }),
                node('b', [], { continueParentOnFailure: true }),
                node('c', [], { ignoreDependencyOnFailure: true }),
                node('d', [], { removeDependencyOnFailure: true, keepLogs: 3 }),
            ]),
        ),
    ),
    scenario(
        'flow: refused',
        ['013', '014', '017', '023'],
        added(
            node('P', [], { parent: { id: 'none', queue: 'bull:conf' } }, [node('a', [])]),
            node('Q', [], {}, [node('b', [], { priority: 1.5 })]),
            node('R', [], {}, [
                node('c', [], { failParentOnFailure: true, removeDependencyOnFailure: true }),
            ]),
            node('S', [], {}, [node('d', [], { deduplication: { id: 'd' } })]),
            node('12', [], {}, [node('e', [])]),
            node('fine', []),
        ),
    ),
    scenario(
        'flow: no deduplication of a parent',
        ['017'],
        added(node('P', [], { deduplication: { id: 'd' } }, [node('a', [])])),
        NEWEST,
    ),
    scenario(
        'flow: under another job',
        ['135'],
        added(
            node('P', [], {}, [node('a', [])]),
            node('Q', [], { parent: { id: 'P', queue: 'bull:conf' } }, [node('b', [])]),
        ),
    ),
    scenario(
        'flow: a child of another living parent',
        ['032'],
        added(
            node('P', [], {}, [node('a', [])]),
            node('Q', [], {}, [node('a', []), node('b', [])]),
            node('a', [], { parent: { id: 'Q', queue: 'bull:conf' } }),
        ),
    ),
    scenario('flow: a child whose parent is gone', ['032'], async (stage) => {
        await stage.op('addFlow', node('P', [], {}, [node('a', [])]));
        await stage.redis.del(stage.key('P'), stage.key('P:dependencies'));
        await stage.redis.zrem(stage.key('waiting-children'), 'P');
        await stage.op('addFlow', node('Q', [], {}, [node('a', []), node('b', [])]));
    }),
    scenario('flow: all children are completed already', ['031', '147'], async (stage) => {
        await completed(stage, 'a');
        await stage.op('addFlow', node('P', [ret('p')], {}, [node('a', [])]));
    }),
    scenario('flow: one child is completed already', ['031', '147'], async (stage) => {
        await completed(stage, 'a');
        await stage.op(
            'addFlow',
            node('P', [ret('p')], {}, [node('a', []), node('b', [], {}, [node('a', [])])]),
        );
        await stage.op('dependencies', { id: 'P' });
    }),
    scenario('flow: a child that failed before', ['031', '138'], async (stage) => {
        await stage.op('add', { name: 'a', data: { do: [fail('x')] }, opts: { jobId: 'a' } });
        await stage.start();
        await stage.finished(1);
        await stage.settle();
        await stage.op('addFlow', node('P', [ret('p')], {}, [node('a', [])]));
    }),
    scenario('add: duplicates that get a parent', ['031', '032'], async (stage) => {
        const parent = (id) => ({ parent: { id, queue: 'bull:conf' } });
        await completed(stage, 'done');
        await stage.op('add', { name: 'w', data: {}, opts: { jobId: 'waits', delay: 700000 } });
        await stage.op('addFlow', node('P', [], {}, [node('k', [], { delay: 800000 })]));
        await stage.op('addFlow', node('Q', [], {}, [node('l', [], { delay: 900000 })]));
        await stage.op('add', { name: 'w', opts: { jobId: 'waits', ...parent('P') } });
        await stage.op('add', { name: 'w', opts: { jobId: 'done', ...parent('P') } });
        await stage.op('add', { name: 'w', opts: { jobId: 'waits', ...parent('Q') } });
        await stage.op('add', { name: 'w', opts: { jobId: 'waits', ...parent('P') } });
        await stage.op('add', { name: 'w', opts: { jobId: 'new', ...parent('none') } });
    }),
    scenario('flow: the last child is done already', ['031', '136'], async (stage) => {
        await completed(stage, 'done');
        await stage.op('add', {
            name: 'p',
            data: { do: [[['children'], ...ret('x')]] },
            opts: { jobId: 'P' },
        });
        await stage.op('add', {
            name: 'w',
            opts: { jobId: 'done', parent: { id: 'P', queue: 'bull:conf' } },
        });
    }),
    scenario(
        'handler: waits for the children it adds',
        ['136', '137', '143'],
        dynamic(
            [
                [
                    child('c1', [ret(1)]),
                    child('c2', [ret({ b: 'Б' })], { priority: 1 }, 'conf'),
                    ['children'],
                    ...ret('not yet'),
                ],
                [['values']],
            ],
            3,
        ),
    ),
    scenario(
        'handler: has nothing to wait for',
        ['143'],
        dynamic([[['children'], ...ret('on')]], 1),
    ),
    scenario(
        'handler: waits for one child',
        ['143'],
        dynamic(
            [
                [child('c', [ret(1)], { jobId: 'c' }), ['children', 'bull:conf:c'], ...ret('no')],
                [['children', 'bull:conf:c'], ['children', 'bull:conf:else'], ['counts']],
            ],
            2,
        ),
    ),
    scenario('handler: the refusal to wait for a failed child is final', ['174'], async (stage) => {
        const failed = child('c', [fail('cf')], { failParentOnFailure: true });
        const steps = [[failed, ['gate', 'g'], ['awaitChildren'], ...ret('no')]];
        await stage.op('add', { name: 'p', data: { do: steps }, opts: { attempts: 3, backoff: 10 } });
        await stage.start({ concurrency: 2 });
        await stage.finished(1);
        stage.open('g');
        await stage.finished(2);
    }),
    scenario('handler: a failure after that refusal in other words is not', ['174'], async (stage) => {
        const failed = child('c', [fail('cf')], { failParentOnFailure: true });
        const steps = [[failed, ['gate', 'g'], ['children']], [['children']]];
        await stage.op('add', { name: 'p', data: { do: steps }, opts: { attempts: 2 } });
        await stage.start({ concurrency: 2 });
        await stage.finished(1);
        stage.open('g');
        await stage.finished(2);
    }),
    scenario('handler: a child has failed', ['138', '143'], async (stage) => {
        const steps = [
            [child('c', [fail('cf')], { failParentOnFailure: true }), ['gate', 'g'], ['children']],
        ];
        await stage.op('add', { name: 'p', data: { do: steps } });
        await stage.start({ concurrency: 2 });
        await stage.finished(1);
        stage.open('g');
        await stage.finished(2);
    }),
    scenario(
        'handler: reads ignored failures',
        ['139', '140'],
        dynamic(
            [
                [
                    child('c', [fail('so what')], { jobId: 'c', ignoreDependencyOnFailure: true }),
                    ['children'],
                ],
                [['ignored']],
            ],
            2,
        ),
    ),
    scenario(
        'handler: reads its state and extends its lock',
        ['105', '124'],
        dynamic([[['extend', 60000], ['state']]], 1),
    ),
    scenario('flow: what a parent has', ['137', '138', '139', '140'], async (stage) => {
        await stage.op(
            'addFlow',
            node('P', [ret('p')], {}, [
                node('a', [ret({ v: 1 })]),
                node('b', [fail('bf')], { ignoreDependencyOnFailure: true }),
                node('c', [fail('cf')], { failParentOnFailure: true, priority: 5 }),
                node('d', [ret('later')], { delay: 900000 }),
            ]),
        );
        await stage.start();
        await stage.finished(4);
        for (const op of [
            'dependencyCounts',
            'dependencies',
            'childrenValues',
            'ignoredFailures',
            'jobState',
        ])
            await stage.op(op, { id: 'P' });
        await stage.op('jobState', { id: 'd' });
        await stage.op('jobState', { id: 'none' });
    }),
    scenario('flow: read as a tree', ['135', '137'], async (stage) => {
        await stage.op(
            'addFlow',
            node('P', [], {}, [
                node('a', [], {}, [
                    { ...node('a1', [fail('x')], { ignoreDependencyOnFailure: true }) },
                    node('a2', [ret(2)]),
                    node('a3', [fail('y')], { failParentOnFailure: true, priority: 1 }),
                    node('a4', [ret(1)], { delay: 900000 }),
                ]),
                { ...node('b', []), queueName: KID },
                node('c', [], { delay: 800000 }),
            ]),
        );
        await stage.start();
        await stage.finished(3);
        await stage.redis.del(stage.key('c'));
        await stage.op('getFlow', { id: 'P' });
        await stage.op('getFlow', { id: 'P', depth: 1 });
        await stage.op('getFlow', { id: 'P', depth: 2 });
        await stage.op('getFlow', { id: 'a', depth: 2 });
        await stage.op('getFlow', { id: 'none' });
    }),
];
