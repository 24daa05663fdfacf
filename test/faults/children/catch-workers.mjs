/**
 * Lets a program take hold of threads that a package starts for itself.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

/** Every worker that is started from here on, in a list that grows. */
export function catchWorkers() {
  const workers = [];
  const { Worker: Original } = workerThreads;
  workerThreads.Worker = class extends Original {
    constructor(...parameters) {
      super(...parameters);
      workers.push(this);
    }
  };
  syncBuiltinESMExports();
  return workers;
}
