import { adding } from './adding.mjs';
import { completing } from './completing.mjs';
import { failing } from './failing.mjs';
import { fetching } from './fetching.mjs';
import { flows } from './flows.mjs';
import { limits } from './limits.mjs';
import { retention } from './retention.mjs';
import { seeing } from './seeing.mjs';
import { stalling } from './stalling.mjs';

export const scenarios = [
    ...adding,
    ...fetching,
    ...completing,
    ...failing,
    ...retention,
    ...stalling,
    ...limits,
    ...flows,
    ...seeing,
];
