// Rate limits, pause, global concurrency.
import { fail, gate, NEWEST, ret, scenario } from './scenario.mjs';

async function addMany(stage, n, opts) {
    for (let i = 0; i < n; i++) await stage.add('n', [ret(i)], opts);
}

export const limits = [
    scenario('limit: so many a window', ['062', '162'], async (stage) => {
        stage.settles = false;
        await addMany(stage, 5);
        await stage.start({ limiter: { max: 2, duration: 600000 } });
        await stage.finished(2);
    }),
    scenario('limit: goes on with the next window', ['062', '162'], async (stage) => {
        stage.ignored.push('limiter');
        await addMany(stage, 5);
        await stage.start({ limiter: { max: 2, duration: 200 } });
        await stage.finished(5);
    }),
    scenario('limit: of the queue', ['163'], async (stage) => {
        stage.settles = false;
        await stage.queue.setGlobalRateLimit(1, 600000);
        await addMany(stage, 3);
        await stage.start();
        await stage.finished(1);
    }),
    scenario("limit: of the queue over the worker's", ['163'], async (stage) => {
        stage.settles = false;
        await stage.queue.setGlobalRateLimit(1, 50);
        await addMany(stage, 3);
        await stage.start({ limiter: { max: 2, duration: 600000 } });
        await stage.finished(1);
    }),
    scenario('limit: told by the job', ['098'], async (stage) => {
        stage.ignored.push('limiter');
        await stage.add('n', [[['limit', 150]], ret('fine')]);
        await stage.add('n', [ret(2)]);
        await stage.start({ limiter: { max: 100, duration: 100 } });
        await stage.finished(2);
    }),
    scenario(
        'limit: deferred failures are free',
        ['166'],
        async (stage) => {
            stage.settles = false;
            await addMany(stage, 3);
            await stage.redis.hset(stage.key('1'), 'defa', 'told so before');
            await stage.start({ limiter: { max: 2, duration: 600000 } });
            await stage.finished(3);
        },
        NEWEST,
    ),
    scenario('limit: delayed jobs become due meanwhile', ['059'], async (stage) => {
        stage.settles = false;
        await addMany(stage, 1);
        await stage.start({ limiter: { max: 1, duration: 600000 }, maximumRateLimitDelay: 150 });
        await stage.finished(1);
        await stage.add('later', [ret(1)], { delay: 50 });
        await stage.seen('waiting', 2);
    }),
    scenario('pause: nothing is taken', ['061', '125'], async (stage) => {
        await addMany(stage, 2);
        await stage.queue.pause();
        await stage.start();
        await stage.until(() => stage.redis.exists(stage.key('stalled-check')), 'a worker');
    }),
    scenario('pause: amid work', ['125', '126'], async (stage) => {
        await stage.add('n', [gate('g')]);
        await addMany(stage, 2);
        await stage.start();
        await stage.seen('active');
        await stage.queue.pause();
        stage.open('g');
        await stage.finished(1);
    }),
    scenario('pause: and resumed', ['126'], async (stage) => {
        await stage.queue.pause();
        await addMany(stage, 2);
        await stage.start();
        await stage.queue.resume();
        await stage.finished(2);
    }),
    scenario(
        'pause: a retry meanwhile',
        ['087', '125'],
        async (stage) => {
            await stage.add('n', [gate('g', fail('one')), ret('fine')], { attempts: 2 });
            await stage.start();
            await stage.seen('active');
            await stage.queue.pause();
            stage.open('g');
            await stage.until(() => stage.redis.llen(stage.key('wait')), 'the retry');
            await stage.queue.resume();
            await stage.finished(1);
        },
        NEWEST,
    ),
    scenario(
        'pause: delayed jobs become due meanwhile',
        ['059', '061'],
        async (stage) => {
            await stage.queue.pause();
            await stage.add('n', [ret(1)], { delay: 60 });
            await stage.start();
            await stage.seen('waiting');
        },
        NEWEST,
    ),
    scenario(
        'pause: a 5.x list is merged',
        ['127'],
        async (stage) => {
            await addMany(stage, 1);
            await stage.queue.pause();
            await addMany(stage, 2);
            await stage.redis.rename(stage.key('wait'), stage.key('paused'));
            await addMany(stage, 1);
            await stage.queue.resume();
            await stage.start();
            await stage.finished(4);
        },
        NEWEST,
    ),
    scenario('concurrency of the queue', ['164'], async (stage) => {
        await stage.queue.setGlobalConcurrency(1);
        await stage.add('n', [gate('g')]);
        await addMany(stage, 2);
        await stage.start({ concurrency: 3, drainDelay: 1 });
        await stage.seen('active');
        stage.open('g');
        await stage.finished(3);
    }),
];
