import {defineConfig} from 'vitest/config'

const machineBound = {testTimeout: 120_000, hookTimeout: 60_000}

export default defineConfig({
  test: {
    projects: [
      {test: {name: 'unit', include: ['test/{unit,replay}/**/*.test.ts'], pool: 'forks', isolate: false, testTimeout: 30_000}},
      {test: {name: 'integration', include: ['test/integration/**/*.test.ts'], fileParallelism: false, pool: 'forks', ...machineBound}},
      {test: {name: 'e2e', include: ['test/e2e/**/*.test.ts'], fileParallelism: false, pool: 'forks', ...machineBound}},
    ],
  },
})
