// A processor file as BullMQ takes it: CommonJS or an ES module, plain or compiled from TypeScript.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * {process, backoffStrategy} of a file. `backoffStrategy` is BullMQ's worker setting of that name,
 * which has no other place here than the processor's own file; undefined: none is exported.
 */
export async function loadProcessor(file) {
  const module = await import(pathToFileURL(path.resolve(file)).href);
  const exported = module.default?.default ?? module.default;
  if (typeof exported !== 'function')
    throw new Error(`${file}: neither module.exports nor the default export is a function`);
  return { process: exported, backoffStrategy: module.backoffStrategy ?? exported.backoffStrategy };
}
