// What a process has used, from /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of all its threads, in ms. Threads that ended are not counted. */
export function cpuMs(pid) {
    let ns = 0n;
    for (const task of readdirSync(`/proc/${pid}/task`))
        ns += BigInt(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    return Number(ns) / 1e6;
}

/** The most memory it ever had resident, in MB. */
export function peakMb(pid) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) / 1024;
}

export function cpuModel() {
    const info = readFileSync('/proc/cpuinfo', 'utf8');
    const model = /model name\s*:\s*(.*)/.exec(info)?.[1] ?? process.arch;
    return `${info.match(/^processor/gm)?.length ?? 1} × ${model}`;
}
