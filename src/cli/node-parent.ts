/** The shim of a node's coordinator, as it is found from outside: it may be there while there is no coordinator. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {isErrorCode, TallyError} from '../kernel/errors.ts'
import {toLockFile, toNodeSocket} from '../kernel/lock-file.ts'
import type {ProcessIdentity} from '../linux/process-table.ts'
import type {ShimStatus} from '../shim/client/control.ts'
import type {NodeOptions} from './node-options.ts'

type Directories = Pick<NodeOptions, 'stateDir' | 'runDir'>

/** A shim answers within a millisecond, unless somebody has stopped it. */
const answerMs = 1_000

/** What it says of its coordinator; undefined when there is no shim, or it does not answer. */
export async function readParentStatus({runDir}: Directories): Promise<ShimStatus | undefined> {
  const {connectShimControl} = await import('../shim/client/control.ts')
  try {
    using control = await connectShimControl(toNodeSocket(runDir))
    return await Promise.race([control.status(), new Promise<undefined>((resolve) => setTimeout(resolve, answerMs, undefined).unref())])
  } catch {
    return undefined
  }
}

/** By its lock of the run directory or, if that was wiped, as the parent of the coordinator. */
export async function findShim({stateDir, runDir}: Directories): Promise<ProcessIdentity | undefined> {
  const {findLockHolder} = await import('../linux/lock-holder.ts')
  const {readProcessIdentity, readProcessStat} = await import('../linux/process-table.ts')
  const coordinator = findLockHolder(toLockFile(stateDir))
  const pid = findLockHolder(runDir) ?? (coordinator === undefined ? undefined : readProcessStat(coordinator)?.parentPid)
  return pid !== undefined && isShim(pid) ? readProcessIdentity(pid) : undefined
}

function isShim(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('tally-shim')
  } catch {
    return false
  }
}

export function toCoordinatorLog(stateDir: string): string {
  return join(stateDir, 'coordinator.log')
}

/** The error that a coordinator has logged last before it ended, if there is one after `begin`. */
export function readLastError(logFile: string, begin = 0): TallyError | undefined {
  const text = readLog(logFile).subarray(begin).toString('utf8')
  // A message may have several lines.
  const [, found, code] = [...text.matchAll(/^tally: ([\s\S]*?) \[([A-Z_]+)\]$/gm)].at(-1) ?? []
  const message = found?.split('\ntally: ').at(-1)
  return message !== undefined && isErrorCode(code) ? new TallyError(code, message) : undefined
}

function readLog(logFile: string): Buffer {
  try {
    return readFileSync(logFile)
  } catch {
    return Buffer.alloc(0)
  }
}

/** For a coordinator that was given up: how often it has died, and what it said last. */
export function describeGivenUp({deaths}: ShimStatus, {stateDir}: Directories): string {
  const logFile = toCoordinatorLog(stateDir)
  const last = readLastError(logFile)
  const why = last ? `its last error: ${last.message} [${last.code}]` : `${logFile} may say why`
  return `the coordinator of ${stateDir} has died ${deaths} times and was given up; ${why}`
}
