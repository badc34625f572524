// node_noop.mjs REDIS_URL QUEUE CONCURRENCY
//
// What the bench measures bulwark against: BullMQ's Worker with a processor that does nothing.
import { bullmq, Redis } from '../peer/peer.mjs';

const [url, queue, concurrency] = process.argv.slice(2);
const { Worker } = await bullmq('6');
const connection = new Redis(url, { maxRetriesPerRequest: null });
const worker = new Worker(queue, async () => ({ ok: true }), {
    connection,
    concurrency: Number(concurrency),
});

worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
process.once('SIGTERM', async () => {
    await worker.close();
    process.exit(0);
});
