/** Which run of the tests made a directory or started a process: the name of the one and the environment of the other say so. */
import {mkdtempSync, readdirSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {isAlive, readBootId, readProcessStat} from '../../src/linux/process-table.ts'

/** In the environment of everything that a run starts. */
export const runVariable = 'TALLY_TEST_RUN'

/** A run of the tests: `<pid>-<start time in ticks>` of its runner, which no later process has as well. */
export type TestRun = string

export interface RunDirectory {
  readonly path: string
  readonly run: TestRun
}

/** The run that this process belongs to; a run of its own where no runner has started it. */
export function currentRun(): TestRun {
  return process.env[runVariable] ?? toRun(process.pid)
}

/** The run whose runner is the process. */
export function toRun(pid: number): TestRun {
  return `${pid}-${readProcessStat(pid)?.startTimeTicks ?? 0}`
}

/** Whether the runner is still there. */
export function isRunAlive(run: TestRun): boolean {
  const [pid = 0, startTimeTicks = 0] = run.split('-').map(Number)
  return isAlive({pid, startTimeTicks, bootId: readBootId()})
}

/** Makes a directory below the one for temporary files. The caller removes it; a later run does when this one is killed. */
export function makeRunDirectory(kind: 'node' | 'it' | 'chaos'): string {
  return mkdtempSync(join(tmpdir(), `tally-${kind}-${currentRun()}-`))
}

/** Those of all runs, of dead ones too. */
export function listRunDirectories(): readonly RunDirectory[] {
  return readdirSync(tmpdir()).flatMap((name) => {
    const [, run] = /^tally-[a-z]+-(\d+-\d+)-/.exec(name) ?? []
    return run === undefined ? [] : [{path: join(tmpdir(), name), run}]
  })
}
