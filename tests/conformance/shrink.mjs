// Finds a short list that still fails: delta debugging.

/**
 * `failureOf(list)` resolves with what is wrong, or null. Resolves with {steps, failure} of a list from
 * which no single step can be taken away, or null when even `steps` does not fail (again).
 */
export async function shrink(steps, failureOf) {
    let failure = await failureOf(steps);
    if (failure === null) return null;
    let list = steps;
    for (let size = Math.ceil(list.length / 2); size >= 1; ) {
        let smaller;
        for (let at = 0; at < list.length && smaller === undefined; at += size) {
            const without = [...list.slice(0, at), ...list.slice(at + size)];
            const found = await failureOf(without);
            if (found !== null) smaller = { list: without, failure: found };
        }
        if (smaller === undefined) {
            if (size === 1) break;
            size = Math.ceil(size / 2);
        } else {
            ({ list, failure } = smaller);
            size = Math.min(size, Math.max(1, Math.ceil(list.length / 2)));
        }
    }
    return { steps: list, failure };
}
