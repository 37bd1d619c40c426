/** What one test has left on the machine, as the kernel lists it. Looks only for the test's own, since others run meanwhile. */
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'vitest'
import {listProcesses, readProcessStat} from '../../src/linux/process-table.ts'
import {describeProcess, isRunning, listCgroups, listMountsBelow, readProcFile} from './proc.ts'

export interface Traces {
  /** A directory of the test: its processes name it, its mounts are below it. */
  readonly dir?: string
  /** How the names of its cgroups begin. */
  readonly cgroupPrefix?: string
  /** Processes whose unreaped children count; by default this one. */
  readonly parents?: readonly number[]
}

/** What is ending needs a moment; on a busy machine, a long one. */
const patienceMs = 30_000

/** Waits up to 30 s until nothing is left. @throws AssertionError with what is left */
export async function expectNothingLeft({dir, cgroupPrefix, parents = [process.pid]}: Traces): Promise<void> {
  const look = () => ({
    processes: dir === undefined ? [] : listProcessesThatName(dir),
    mounts: dir === undefined ? [] : listMountsBelow(dir),
    cgroups: cgroupPrefix === undefined ? [] : listCgroups(cgroupPrefix),
    zombies: listZombies(parents),
  })
  const isClean = () => Object.values(look()).every((list) => list.length === 0)
  for (const giveUpAt = Date.now() + patienceMs; !isClean() && Date.now() < giveUpAt; ) await sleep(20)
  expect(look()).toEqual({processes: [], mounts: [], cgroups: [], zombies: []})
}

/** Living processes with the text in their title, command line or environment, but for this one. */
export function listProcessesThatName(text: string): readonly string[] {
  return listProcesses()
    .filter((pid) => pid !== process.pid && isRunning(pid))
    .filter((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((file) => readProcFile(file).includes(text)))
    .map(describeProcess)
}

export function listZombies(parents: readonly number[]): readonly string[] {
  return listProcesses()
    .filter((pid) => {
      const stat = readProcessStat(pid)
      return stat?.state === 'Z' && parents.includes(stat.parentPid)
    })
    .map(describeProcess)
}
