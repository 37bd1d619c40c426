import {defineConfig} from 'vitest/config'

/** What concerns a test that starts processes. Patience costs nothing: a condition that holds ends the wait for it at once. */
const onThisMachine = {
  pool: 'forks',
  testTimeout: 300_000,
  hookTimeout: 180_000,
  expect: {poll: {timeout: 60_000}},
  globalSetup: 'test/support/global-setup.ts',
} as const

/** They measure time or memory, and another test at the same time would change what they measure. */
const measurements = [
  'test/e2e/web/{frames,weight}.test.ts',
  'test/e2e/flood.test.ts',
  'test/e2e/coordinator-parent.test.ts',
  'test/integration/shim/output.test.ts',
  'test/integration/supervisor/processes/oom-watch.test.ts',
  'test/integration/web/slow-reader.test.ts',
]

/** Unit tests run first; then two files at a time, of which one mostly waits; then one at a time what needs the machine for itself. */
export default defineConfig({
  test: {
    projects: [
      {test: {name: 'unit', include: ['test/{unit,replay}/**/*.test.ts'], pool: 'forks', isolate: false, testTimeout: 120_000}},
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: measurements,
          maxWorkers: 2,
          sequence: {groupOrder: 1},
          ...onThisMachine,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: measurements,
          maxWorkers: 2,
          sequence: {groupOrder: 1},
          ...onThisMachine,
          // The report names a test that needed it; each such name is a fault to be found, in the product or in the test.
          retry: 1,
        },
      },
      {test: {name: 'alone', include: measurements, maxWorkers: 1, sequence: {groupOrder: 2}, ...onThisMachine, retry: 1}},
    ],
  },
})
