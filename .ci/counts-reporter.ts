/**
 * Ends the output of a test run with one line that a machine can read: `N passed, N failed`.
 *
 * What fails outside a test counts as one failure each: a file that does not load, an error that
 * nobody caught. Otherwise a run could say "0 failed" and still fail.
 */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export class CountsReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #isListening = false;

  onTestRunEnd(
    testModules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
  ): void {
    this.#passed = 0;
    this.#failed = unhandledErrors.length;
    for (const testModule of testModules) {
      let failedInModule = 0;
      for (const testCase of testModule.children.allTests()) {
        const { state } = testCase.result();
        if (state === 'passed') this.#passed += 1;
        if (state === 'failed') failedInModule += 1;
      }
      if (failedInModule === 0 && testModule.state() === 'failed') failedInModule = 1;
      this.#failed += failedInModule;
    }
    if (this.#isListening) return;
    this.#isListening = true;
    // Other reporters still print after this call; nothing prints after the exit of the process.
    process.on('exit', () => this.#print());
  }

  #print(): void {
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed\n`);
  }
}
