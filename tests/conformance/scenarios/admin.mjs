// Operations on whole queues (§7.3, §10).
import { scenario, NEWEST } from './scenario.mjs';

export const admin = [
    scenario(
        'admin: pause and resume',
        ['125', '126'],
        async (stage) => {
            await stage.op('add', { name: 'n', data: { a: 1 } });
            await stage.op('pause');
            await stage.op('pause');
            await stage.op('add', { name: 'm', data: 7, opts: { priority: 2 } });
            await stage.op('resume');
            await stage.op('resume');
        },
        NEWEST,
    ),
];
