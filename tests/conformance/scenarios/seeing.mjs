// What BullMQ's other objects see of a worker at work. (What its Queue sees is compared everywhere.)
import { fail, gate, ret, scenario } from './scenario.mjs';

const EVENTS = [
    'added',
    'waiting',
    'active',
    'progress',
    'completed',
    'failed',
    'retries-exhausted',
    'delayed',
    'drained',
    'stalled',
    'removed',
    'duplicated',
    'paused',
    'resumed',
    'waiting-children',
];

/** Everything BullMQ's QueueEvents makes of the stream from its beginning. */
async function listen(stage) {
    const events = new stage.library.QueueEvents(stage.name, {
        connection: stage.redis.duplicate(),
        prefix: stage.prefix,
        lastEventId: '0-0',
    });
    const heard = [];
    for (const name of EVENTS)
        events.on(name, (args) =>
            heard.push([name, name === 'drained' ? {} : { ...args, delay: typeof args.delay }]),
        );
    stage.opened.push(events);
    await events.waitUntilReady();
    return { heard, events };
}

export const seeing = [
    scenario('seen: by QueueEvents', ['070', '087', '089', '094', '114'], async (stage) => {
        await stage.add('a', [[['progress', '{"done":1}'], ...ret({ ok: 'да' })]]);
        await stage.add('b', [fail('one'), fail('two')], { attempts: 2, backoff: 400 });
        await stage.add('c', [fail('one'), ret([1, 2])], { attempts: 2, priority: 1 });
        const { heard } = await listen(stage);
        await stage.start();
        await stage.finished(3);
        await stage.until(() => heard.some(([name]) => name === 'retries-exhausted'), 'the events');
        return heard;
    }),
    scenario('seen: by someone who waits', ['124'], async (stage) => {
        const { events } = await listen(stage);
        const good = await stage.add('a', [gate('g', ret({ n: 1 }))]);
        const bad = await stage.add('b', [fail('no way')]);
        const ends = Promise.allSettled([
            good.waitUntilFinished(events, 10000),
            bad.waitUntilFinished(events, 10000),
        ]);
        await stage.start();
        stage.open('g');
        const [first, second] = await ends;
        return [first.value, second.reason.message];
    }),
    scenario('seen: by getWorkers', ['161'], async (stage) => {
        // All databases share the server: each side looks for its own names.
        const own = `w${stage.side.database}-`;
        const mine = (list) =>
            list
                .map(({ rawname }) => rawname.split(':w:')[1])
                .filter((name) => name?.startsWith(own))
                .map((name) => name.slice(own.length));
        await stage.start({ name: `w${stage.side.database}-first` });
        const second = await stage.start({ name: `w${stage.side.database}-second` });
        const listed = async () => mine(await stage.queue.getWorkers()).sort();
        await stage.until(async () => (await listed()).length === 2, 'two workers');
        const both = await listed();
        await second.stop();
        await stage.until(async () => (await listed()).length === 1, 'one worker');
        return [both, await listed()];
    }),
];
