/**
 * One actor: the writer of an opening, or a client, on a thread that runs only in its turns.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { patchAll, patchLocks } from './patches.mjs';
import { begin, fail } from './schedule.mjs';

const { dist, role, isFile, withoutWebAssembly } = workerData;

patchAll(withoutWebAssembly);
if (isFile) await patchLocks(dist);
if (role === 'writer') await prepareWriter();
else {
  const { prepareClient } = await import('./client.mjs');
  run(await prepareClient());
}

/** The module of the real thread runs when it is imported; what it imports is loaded before. */
async function prepareWriter() {
  await import(`${dist}writer/service.js`);
  await import(`${dist}writer/start.js`);
  await import(`${dist}writer/answer.js`);
  parentPort.postMessage({ kind: 'ready' });
  begin();
  await import(`${dist}writer/worker.js`).catch(fail);
}

function run(work) {
  parentPort.postMessage({ kind: 'ready' });
  begin();
  try {
    work();
  } catch (error) {
    fail(error);
  }
}
