/** A run of the tests that is interrupted or killed leaves nothing behind: its guard removes it, or else the next run. */
import {globSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {expect, it} from 'vitest'
import {listProcesses} from '../../../src/linux/process-table.ts'
import {listProcessesThatName} from '../../support/leaks.ts'
import {listCgroups, listMembers, listMountsBelow, readProcFile} from '../../support/proc.ts'
import {sendSignal} from '../../support/send-signal.ts'
import {eventually} from '../../support/tally-node.ts'
import {makeTempDir} from '../../support/temp-dir.ts'
import {runVariable, toRun} from '../../support/test-run.ts'

const root = join(import.meta.dirname, '../../..')
const nothing = {processes: [], members: [], groups: [], mounts: [], directories: []}

it.each(['SIGKILL', 'SIGINT'] as const)('the guard of a run whose runner gets %s removes what the run left', async (signal) => {
  await using dir = makeTempDir()
  const {runner, look} = await startRun(dir.path)
  // As a terminal does, to all of the foreground. A process group of its own keeps this test out of it.
  if (signal === 'SIGINT') process.kill(-runner, signal)
  else sendSignal(runner, signal)
  await expect.poll(look).toEqual(nothing)
})

it('the next run removes it where the guard was killed as well', async () => {
  await using dir = makeTempDir()
  const {runner, look} = await startRun(dir.path)
  sendSignal(findGuard(runner), 'SIGKILL')
  sendSignal(runner, 'SIGKILL')
  await eventually('the runner has ended', () => readProcFile(`/proc/${runner}/cmdline`) === '')
  const left = look()
  expect({groups: left.groups.length, members: left.members.length, mounts: left.mounts.length}).toEqual({
    groups: expect.toSatisfy((count: number) => count >= 2),
    members: 2,
    // A disk, and the root file systems of both containers.
    mounts: 3,
  })
  expect(await vitest(dir.path, '-t', '^ends$')).toMatchObject({exitCode: 0})
  expect(look()).toMatchObject({members: [], groups: [], mounts: [], directories: []})
  // Its own guard ends a moment after it.
  await expect.poll(look).toEqual(nothing)
})

/** Resolves when its containers run. */
async function startRun(dir: string) {
  writeFileSync(join(dir, 'vitest.config.mjs'), `export default ${JSON.stringify(config)}`)
  const run = vitest(dir, '-t', 'begins')
  void run.catch(() => {})
  const find = (pattern: string) => globSync(join(dir, pattern))
  await eventually('its containers run', () => find('tally-node-*/ready').length === 1)
  const uids = find('tally-node-*/state/containers/*/*/journal.jsonl').map((path) => readFileSync(path, 'utf8').slice(0, 100))
  const groups = listCgroups('tally-').filter((group) => uids.some((line) => line.includes(`"id":"${group.slice(-8)}`)))
  const look = () => ({
    processes: listProcessesThatName(dir),
    members: [...new Set(groups.flatMap(listMembers))],
    groups: listCgroups('tally-').filter((group) => groups.includes(group)),
    mounts: listMountsBelow(dir),
    directories: find('tally-*'),
  })
  return {runner: run.pid ?? 0, look}
}

const config = {
  root,
  test: {
    include: ['test/fixtures/interrupted-run/*.test.ts'],
    pool: 'forks',
    testTimeout: 3_600_000,
    globalSetup: 'test/support/global-setup.ts',
  },
}

/** Its temporary files are in the directory. */
function vitest(dir: string, ...args: readonly string[]) {
  const program = join(root, 'node_modules/vitest/vitest.mjs')
  return execa(process.execPath, [program, 'run', '--config', join(dir, 'vitest.config.mjs'), ...args], {
    cwd: root,
    env: {TMPDIR: dir},
    detached: true,
    reject: false,
    stdio: 'ignore',
  })
}

function findGuard(runner: number): number | undefined {
  const isGuard = (pid: number) =>
    readProcFile(`/proc/${pid}/cmdline`).startsWith('tally-test-guard') &&
    readProcFile(`/proc/${pid}/environ`).includes(`${runVariable}=${toRun(runner)}\0`)
  return listProcesses().find(isGuard)
}
