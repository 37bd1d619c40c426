/** Limits of setrlimit(2), of this process and so of all that it starts. */
import {libc} from './libc.ts'

/** By number, from RLIMIT_CPU to RLIMIT_RTTIME: the same on every architecture that Node.js runs on. */
const all = Array.from({length: 16}, (_, resource) => resource)
const RLIMIT_NOFILE = 7

export interface ResourceLimit {
  /** `2n ** 64n - 1n` is no limit. */
  readonly soft: bigint
  readonly hard: bigint
}

/** For programs that do not raise it: a higher one breaks those that use select(2), or close every descriptor that they may have. */
export const usualOpenFiles = 1024
/** The kernel's default maximum (fs.nr_open). */
const mostOpenFiles = 1_048_576n

/**
 * Sets the soft limits to those of process 1, as far as the hard limits allow. Raises the hard limits to those of process 1 where that is
 * allowed, and never lowers them.
 */
export function settleLimits(): void {
  for (const resource of all) {
    const [own, first] = [readLimit(0, resource), readLimit(1, resource)]
    if (!own || !first || resource === RLIMIT_NOFILE) continue
    const soft = (hard: bigint) => (first.soft < hard ? first.soft : hard)
    if (first.hard > own.hard && writeLimit(resource, {soft: soft(first.hard), hard: first.hard})) continue
    writeLimit(resource, {soft: soft(own.hard), hard: own.hard})
  }
}

/** How many files a container may have open: as many as this process, up to the kernel's maximum. */
export function readOpenFiles(): {readonly soft: number; readonly hard: number} {
  const hard = readLimit(0, RLIMIT_NOFILE)?.hard ?? mostOpenFiles
  const most = Number(hard < mostOpenFiles ? hard : mostOpenFiles)
  return {soft: Math.min(usualOpenFiles, most), hard: most}
}

/** @param pid 0 for this process. @returns undefined when it may not be read */
function readLimit(pid: number, resource: number): ResourceLimit | undefined {
  const found = new BigUint64Array(2)
  if (libc.prlimit(pid, resource, null, found) < 0) return undefined
  const [soft = 0n, hard = 0n] = found
  return {soft, hard}
}

/** Sets the limit of any process. Does nothing when the process has ended, or it is not allowed. */
export function writeOpenFiles(pid: number, {soft, hard}: {readonly soft: number; readonly hard: number}): void {
  writeLimit(RLIMIT_NOFILE, {soft: BigInt(soft), hard: BigInt(hard)}, pid)
}

/** @returns whether it was allowed */
function writeLimit(resource: number, {soft, hard}: ResourceLimit, pid = 0): boolean {
  return libc.prlimit(pid, resource, new BigUint64Array([soft, hard]), null) === 0
}
