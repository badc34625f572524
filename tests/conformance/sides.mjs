// The two sides that are compared: BullMQ of a line, and our programs of $BULWARK_BUILD.
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { ProgramClient } from './clients.mjs';
import { Side } from './stage.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Numbers of BullMQ's lines, newest first, and the release that stands for each. */
export const RELEASES = new Map([
    ['6', '6.7.0'],
    ['5', '5.81.3'],
]);

export const build = process.env.BULWARK_BUILD ?? path.join(here, '../../build/debug');

const program = (name) => path.join(build, 'tests/conformance', name);

export function bullmqSide(line, database, name = 'BullMQ') {
    const command = [process.execPath, path.join(here, 'node_worker.mjs'), line];
    return new Side(name, command, database, { again: true });
}

export function ourSide(database) {
    const client = new ProgramClient(program('peer_client'));
    return new Side('bulwark', [program('peer_worker')], database, { client });
}
