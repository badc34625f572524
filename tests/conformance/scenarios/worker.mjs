// The worker from outside: names, start, foreign and old data, the end (lib/spec/bullmq.md §1, §4, §11, A.3).
import { fail, gate, NEWEST, ret, scenario } from './scenario.mjs';

const T = 1600000000000; // long ago

/** Hashes of `n` jobs that wait in `delayed` since long ago, one ms apart. */
async function overdue(stage, n) {
    const batch = stage.redis.pipeline();
    for (let i = 1; i <= n; i++) {
        batch.hset(stage.key(`j${i}`), 'name', 'n', 'data', '{}', 'opts', '{}', 'timestamp', T);
        batch.zadd(stage.key('delayed'), (T + i) * 4096, `j${i}`);
    }
    await batch.exec();
}

export const worker = [
    scenario('names: a prefix of its own', ['001'], async (stage) => {
        stage.prefix = 'app-2';
        await stage.op('add', { name: 'n', data: { do: [ret(1)] } });
        await stage.start();
        await stage.finished(1);
    }),
    scenario('names: refused queues', ['002'], async (stage) => {
        for (const name of ['', 'a:b', ':']) await stage.op('add', { name: 'n', data: 1 }, name);
    }),
    scenario('names: any other queue', ['001', '002', '005'], async (stage) => {
        for (const name of ['почта', 'with space', '{slot}-1', 'x'.repeat(100)])
            await stage.op('add', { name: 'n', data: 1 }, name);
    }),
    scenario('options: in another order and escaped', ['012'], async (stage) => {
        await stage.add('n', [fail('no'), ret(1)], { deduplication: { id: 'a/b' } });
        await stage.add('m', [fail('no'), ret(2)]);
        await stage.redis.hset(
            stage.key('1'),
            'opts',
            String.raw`{ "removeOnComplete":false , "de":{"id":"a\/b"},"attempts":1}`,
        );
        await stage.redis.hset(
            stage.key('2'),
            'opts',
            String.raw`{"note":"\u0061\/b","backoff":{"delay":3600000,"type":"fix\u0065d"},"attempts":2}`,
        );
        await stage.start();
        await stage.seen('delayed');
    }),
    scenario(
        'fetch: a thousand promotions at a time',
        ['057'],
        async (stage) => {
            const paused = { drainDelay: 60 };
            await stage.queue.pause(); // so that what one fetch has done stays
            await overdue(stage, 1003);
            const one = await stage.start(paused);
            await stage.until(async () => (await stage.count('waiting')) >= 1000, 'promotions');
            await one.stop();
            const promoted = await stage.redis.lrange(stage.key('wait'), 0, -1);
            const left = await stage.redis.zrange(stage.key('delayed'), 0, -1);
            await stage.redis.del(promoted.map((id) => stage.key(id)));
            await stage.redis.del(stage.key('wait'), stage.key('events'));
            return { promoted, left };
        },
        NEWEST,
    ),
    scenario('fetch: the next due time without a marker', ['060', '067'], async (stage) => {
        await stage.add('n', [ret(1)], { delay: 300 });
        await stage.redis.del(stage.key('marker'));
        const start = Date.now();
        await stage.start({ drainDelay: 30 });
        await stage.finished(1);
        return Date.now() - start < 5000;
    }),
    scenario('fetch: an id without a job', ['065'], async (stage) => {
        stage.ignored.push('events'); // BullMQ hands it to the handler, ours drops it (A.4)
        await stage.redis.rpush(stage.key('wait'), 'ghost');
        await stage.add('n', [ret(1)]);
        await stage.start();
        await stage.seen('completed');
        await stage.until(async () => !(await stage.redis.llen(stage.key('active'))), 'no ghost');
        await stage.redis.zrem(stage.key('failed'), 'ghost');
        await stage.redis.del(stage.key('ghost'));
    }),
    scenario('complete: with what is not JSON', ['083'], async (stage) => {
        await stage.add('n', [[['garbage']], ret('fine')], { attempts: 2 });
        await stage.add('n', [[['garbage']]], { stackTraceLimit: 0 });
        await stage.start();
        await stage.finished(2);
    }),
    scenario(
        'stalled: jobs of a scheduler do not fail',
        ['111'],
        async (stage) => {
            stage.ignored.push('stalled-check', 'stalled');
            const quick = { lockDuration: 250, stalledInterval: 200, maxStalledCount: 0 };
            await stage.add('n', [gate('never'), ret('survived')]);
            const first = await stage.start(quick);
            await stage.seen('active');
            await first.kill();
            await stage.redis.hset(stage.key('1'), 'rjk', 'daily');
            await stage.redis.zadd(stage.key('repeat'), T, 'daily');
            await stage.queue.pause(); // only the check is of interest, not the next iteration
            await stage.start(quick);
            await stage.seen('stalled');
            await stage.redis.hdel(stage.key('1'), 'rjk');
            await stage.redis.del(stage.key('repeat'));
            await stage.queue.resume();
            await stage.finished(1);
        },
        NEWEST,
    ),
    scenario('start: the stalled check goes first', ['108', '160'], async (stage) => {
        for (let i = 0; i < 3; i++) await stage.add('n', [ret(i)]);
        await stage.redis.lmove(stage.key('wait'), stage.key('active'), 'LEFT', 'LEFT');
        await stage.redis.sadd(stage.key('stalled'), '3');
        await stage.start();
        await stage.finished(3);
    }),
    scenario('start: nothing but a client name', ['160', '161'], async (stage) => {
        await stage.start();
        await stage.until(() => stage.redis.exists(stage.key('stalled-check')), 'the first check');
    }),
    scenario('limit: shared by the workers', ['162'], async (stage) => {
        stage.settles = false;
        stage.ignored.push('events'); // who is first is not said
        for (let i = 0; i < 5; i++) await stage.add('n', [ret(0)]);
        const options = { limiter: { max: 3, duration: 600000 } };
        await stage.start(options);
        await stage.start(options);
        await stage.finished(3);
    }),
    scenario('end: waits for the running job, takes no other', ['165'], async (stage) => {
        stage.settles = false;
        await stage.add('n', [gate('g')]);
        await stage.add('n', [ret(2)]);
        const one = await stage.start({ drainDelay: 1 });
        await stage.seen('active');
        const end = one.stop();
        await one.stopping;
        await stage.add('n', [ret(3)]);
        stage.open('g');
        await end;
    }),
    scenario('end: by force leaves job and lock', ['165'], async (stage) => {
        stage.settles = false;
        await stage.add('n', [gate('never')]);
        await stage.add('n', [ret(2)]);
        const one = await stage.start({ lockDuration: 600000 });
        await stage.seen('active');
        await one.leave();
    }),
    scenario(
        'pause: both lines on a queue, resumed by the newer',
        ['127', '168'],
        async (stage) => {
            for (let i = 0; i < 3; i++) await stage.add('n', [ret(i)]);
            await stage.redis.hset(stage.key('meta'), 'paused', 1); // as 5.x does
            await stage.redis.rename(stage.key('wait'), stage.key('paused'));
            await stage.op('add', { name: 'n', data: { do: [ret('late')] } });
            for (const id of ['1', '4']) await stage.op('jobState', { id });
            await stage.op('resume');
            await stage.start();
            await stage.finished(4);
        },
        NEWEST,
    ),
    scenario('pause: of 5.x with jobs that arrive', ['029', '168'], async (stage) => {
        const late = { name: 'n', data: { do: [ret('late')] } };
        await stage.add('n', [ret(1)]);
        await stage.queue.pause();
        await stage.op('add', late);
        await stage.op('add', { ...late, opts: { delay: 3600000, timestamp: T * 2 } });
        await stage.queue.resume();
        await stage.start();
        await stage.finished(2);
    }),
    scenario(
        'seen: by getWorkers, without a name',
        ['161'],
        async (stage) => {
            const all = async () => (await stage.queueNamed(own).getWorkers()).length;
            const own = `own${stage.side.database}`; // all databases share the list of clients
            const one = await stage.start({}, own);
            await stage.until(async () => (await all()) === 1, 'a worker');
            await one.stop();
            await stage.until(async () => (await all()) === 0, 'no worker');
            await stage.redis.flushdb();
        },
        NEWEST,
    ),
];
