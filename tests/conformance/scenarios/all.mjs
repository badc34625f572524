import { adding } from './adding.mjs';
import { admin } from './admin.mjs';
import { completing } from './completing.mjs';
import { deduplication } from './deduplication.mjs';
import { failing } from './failing.mjs';
import { fetching } from './fetching.mjs';
import { flows } from './flows.mjs';
import { jobs } from './jobs.mjs';
import { limits } from './limits.mjs';
import { reading } from './reading.mjs';
import { retention } from './retention.mjs';
import { schedulers } from './schedulers.mjs';
import { seeing } from './seeing.mjs';
import { stalling } from './stalling.mjs';
import { worker } from './worker.mjs';

export const scenarios = [
    ...adding,
    ...deduplication,
    ...fetching,
    ...completing,
    ...failing,
    ...retention,
    ...stalling,
    ...limits,
    ...flows,
    ...jobs,
    ...admin,
    ...reading,
    ...schedulers,
    ...worker,
    ...seeing,
];
