/** What one test has left on the machine, as the kernel lists it. Looks only for the test's own, since others run meanwhile. */
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'vitest'
import {parseMounts} from '../../src/linux/cgroup.ts'
import {isAlive, listProcesses, readProcessIdentity, readProcessStat} from '../../src/linux/process-table.ts'

export interface Traces {
  /** A directory of the test: its processes name it, its mounts are below it. */
  readonly dir?: string
  /** How the names of its cgroups begin; `tally-` for those of any container. */
  readonly cgroupPrefix?: string
  /** Processes whose unreaped children count; this one unless told. */
  readonly parents?: readonly number[]
}

const patienceMs = 2_000

/** Waits up to 2 s for the last of it to go. @throws AssertionError with what is left */
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
    .filter((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((file) => read(file).includes(text)))
    .map(describe)
}

/** Lines of mountinfo whose mount point is the directory or below it. */
export function listMountsBelow(dir: string): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return lines.filter((line) => {
    const mountPoint = line.split(' ')[4] ?? ''
    return mountPoint === dir || mountPoint.startsWith(`${dir}/`)
  })
}

/** In every mounted hierarchy, at its top: where containers have their groups. */
export function listCgroups(prefix: string): readonly string[] {
  return cgroupHierarchies().flatMap((dir) =>
    readdirSync(dir)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(dir, name)),
  )
}

/** Where each hierarchy is mounted. */
export function cgroupHierarchies(): readonly string[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({directory}) => directory)
    .filter((directory) => existsSync(directory))
}

export function listZombies(parents: readonly number[]): readonly string[] {
  return listProcesses()
    .filter((pid) => {
      const stat = readProcessStat(pid)
      return stat?.state === 'Z' && parents.includes(stat.parentPid)
    })
    .map(describe)
}

function isRunning(pid: number): boolean {
  const identity = readProcessIdentity(pid)
  return identity !== undefined && isAlive(identity)
}

function describe(pid: number): string {
  return `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || read(`/proc/${pid}/comm`).trim()}`
}

/** It may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
