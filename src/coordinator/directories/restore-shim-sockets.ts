/**
 * The sockets of shims whose run directory was wiped: a shim puts its own back when it gets SIGHUP (docs/shim.md). It is found by the
 * directory that it has locked, which the kernel knows under the path that it had.
 */
import {existsSync, mkdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Clock} from '../../kernel/clock.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listDescriptors} from '../../linux/descriptors.ts'
import {listProcesses} from '../../linux/process-table.ts'
import {listContainers} from './containers.ts'

const pollMs = 10
const patienceMs = 1_000

/** Resolves when those that are missing are there, or after a second. */
export async function restoreShimSockets(directories: Directories, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const missing = listContainers(directories)
    .map((name) => toContainerLayout(directories, name, ''))
    .filter(({shimSocket}) => !existsSync(shimSocket))
  if (missing.length === 0) return
  const shims = findShims(join(directories.runDir, 'containers'))
  const awaited = missing.flatMap(({runDir, shimSocket}) => {
    const pid = shims.get(runDir)
    if (pid === undefined) return []
    mkdirSync(runDir, {recursive: true, mode: 0o700})
    return signal(pid) ? [shimSocket] : []
  })
  for (let waitedMs = 0; waitedMs < patienceMs && !awaited.every((socket) => existsSync(socket)); waitedMs += pollMs)
    await clock.sleep(pollMs)
}

/** By the directory that each has open. */
function findShims(root: string): ReadonlyMap<string, number> {
  return new Map(
    listProcesses()
      .filter(isShim)
      .flatMap((pid) =>
        listDescriptors(pid)
          .map(({target}) => target.replace(/ \(deleted\)$/, ''))
          .filter((target) => target.startsWith(`${root}/`))
          .map((target) => [target, pid] as const),
      ),
  )
}

function isShim(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'tally-shim\n'
  } catch {
    return false
  }
}

function signal(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGHUP')
  } catch {
    // It has ended meanwhile.
    return false
  }
}
