// Parents and children, as far as finishing a child reaches.
import { fail, ret, scenario } from './scenario.mjs';

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
];
