// What a scenario is, and short words for the steps of its jobs (interpreter.mjs).

export const BOTH = ['6', '5'];
export const NEWEST = ['6'];

/** `run(stage)` may return a value that is compared too. */
export function scenario(name, statements, run, lines = BOTH) {
    return { name, statements: statements.map((n) => `BMQ-${n}`), run, lines };
}

export const ret = (value) => [['return', JSON.stringify(value)]];
export const nothing = [['nothing']];
export const fail = (message) => [['fail', message]];
export const unrecoverable = (message) => [['unrecoverable', message]];
export const gate = (name, end = ret(name)) => [['gate', name], ...end];
export const backoff = (message, ms) => [['backoff', message, ms]];

/** The common course: these jobs are there, one worker does them all. */
export function drainOf(adds, options = {}) {
    return async (stage) => {
        for (const [name, steps, opts] of adds) await stage.add(name, steps, opts);
        await stage.start(options);
        await stage.finished(adds.length);
    };
}
