// node_sandbox.mjs REDIS_URL QUEUE CONCURRENCY
//
// What the bench measures external processors against: BullMQ's Worker with a sandboxed processor, its
// programs started and warm before it says "ready".
import { fileURLToPath } from 'node:url';

import { bullmq, Redis } from '../peer/peer.mjs';

const [url, queue, concurrency] = process.argv.slice(2);
const { Worker } = await bullmq('6');
const connection = new Redis(url, { maxRetriesPerRequest: null });
const file = fileURLToPath(new URL('noop_processor.cjs', import.meta.url));
const worker = new Worker(queue, file, { connection, concurrency: Number(concurrency) });

worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
process.once('SIGTERM', async () => {
    await worker.close();
    process.exit(0);
});
