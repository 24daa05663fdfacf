/**
 * How `npm test` runs: against the built package, as its users have it, with the costly checks on.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { CountsReporter } from './.ci/counts-reporter.js';

const built = (name: string): string => fileURLToPath(new URL(`./dist/${name}`, import.meta.url));

/** Generous, as the machines are small and shared; a soak runs as long as it was asked to. */
const timeoutMs = process.env['MNEME_SOAK'] === undefined ? 120_000 : 24 * 3_600_000;

export default defineConfig({
  resolve: {
    // Vite does not resolve a package that imports itself by name.
    alias: [
      { find: /^mneme$/, replacement: built('index.js') },
      { find: /^mneme\/crypto$/, replacement: built('crypto.js') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'property-tests/**/*.test.ts'],
    // Left to Node as it is: its workers start from their own URLs and must meet the same modules.
    server: { deps: { external: [/\/dist\//] } },
    env: { MNEME_VERIFY: process.env['MNEME_VERIFY'] ?? '1' },
    // A process per test file: locks and exit handlers belong to a process.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    teardownTimeout: 30_000,
    reporters: ['default', new CountsReporter()],
  },
});
