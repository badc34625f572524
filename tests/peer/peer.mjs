// The real BullMQ in both lines, and what is needed around it. Everything that meets it imports it
// from here, because only this folder has node_modules.
import { Redis } from 'ioredis';

export { Redis };

const LINES = { 5: 'bullmq5', 6: 'bullmq' };

/** The library of a line, '6' or '5'. */
export function bullmq(line) {
    if (!(line in LINES)) throw new Error(`there is no BullMQ line '${line}'`);
    return import(LINES[line]);
}

/**
 * An express application with bull-board over these queues under `base`. Loaded on demand: only the
 * dashboard test and the demo need it.
 */
export async function bullBoard(queues, base = '/') {
    const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }, express] = await Promise.all(
        [
            import('@bull-board/api'),
            import('@bull-board/api/bullMQAdapter'),
            import('@bull-board/express'),
            import('express'),
        ],
    );
    const server = new ExpressAdapter();
    server.setBasePath(base === '/' ? '' : base);
    createBullBoard({ queues: queues.map((q) => new BullMQAdapter(q)), serverAdapter: server });
    const app = express.default();
    app.use(base, server.getRouter());
    return app;
}
