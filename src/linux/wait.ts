import {arch} from 'node:process'
import {lastErrno, libc, SystemCallError} from './libc.ts'

/** How a child ended, as waitid(2) reports it. */
export type ChildExit =
  | {readonly type: 'code'; readonly code: number}
  | {readonly type: 'signal'; readonly signalNumber: number; readonly coreDumped: boolean}

/** What the child has used, together with the children that it has reaped itself (getrusage(2)). */
export interface ResourceUsage {
  readonly userMs: number
  readonly systemMs: number
  /** The largest resident set of any of these processes. */
  readonly maxRssBytes: number
}

/** `not-a-child`: it never was one, or has been reaped. */
export type ChildStatus =
  | {readonly type: 'running'}
  | {readonly type: 'exited'; readonly exit: ChildExit; readonly usage: ResourceUsage}
  | {readonly type: 'not-a-child'}

const P_PID = 1
const WNOHANG = 0x1
const WEXITED = 0x4
const WNOWAIT = 0x1000000
export const ECHILD = 10
const CLD_EXITED = 1
const CLD_DUMPED = 3

/** siginfo_t of a 64-bit kernel: si_code at 8, si_pid at 16, si_status at 24; 128 bytes in all (asm-generic/siginfo.h). */
const siginfo = {bytes: 128, code: 8, pid: 16, status: 24} as const
/** struct rusage of a 64-bit kernel: two timevals (seconds, microseconds), then ru_maxrss in KiB; 144 bytes in all. */
const rusage = {bytes: 144, user: 0, system: 16, maxRss: 32} as const
/** asm/unistd_64.h; asm-generic/unistd.h, which arm64 and riscv64 share. */
const waitidNumber = arch === 'x64' ? 247 : 95

/** Reads the status of a child without reaping it. */
export function peekChild(pid: number): ChildStatus {
  return waitChild(pid, WNOWAIT)
}

/** Reads the status of a child and reaps it, which frees the pid. */
export function reapChild(pid: number): ChildStatus {
  return waitChild(pid, 0)
}

function waitChild(pid: number, flags: number): ChildStatus {
  const info = Buffer.alloc(siginfo.bytes)
  const usage = Buffer.alloc(rusage.bytes)
  if (libc.waitid(waitidNumber, P_PID, pid, info, WEXITED | WNOHANG | flags, usage) < 0) {
    const errno = lastErrno()
    if (errno === ECHILD) return {type: 'not-a-child'}
    throw new SystemCallError('waitid', errno)
  }
  // WNOHANG with nothing to report succeeds and leaves si_pid 0.
  if (info.readInt32LE(siginfo.pid) === 0) return {type: 'running'}
  return {type: 'exited', exit: toExit(info.readInt32LE(siginfo.code), info.readInt32LE(siginfo.status)), usage: toUsage(usage)}
}

function toExit(code: number, status: number): ChildExit {
  if (code === CLD_EXITED) return {type: 'code', code: status}
  return {type: 'signal', signalNumber: status, coreDumped: code === CLD_DUMPED}
}

function toUsage(bytes: Buffer): ResourceUsage {
  const toMs = (offset: number) => Number(bytes.readBigInt64LE(offset)) * 1000 + Number(bytes.readBigInt64LE(offset + 8)) / 1000
  return {
    userMs: toMs(rusage.user),
    systemMs: toMs(rusage.system),
    maxRssBytes: Number(bytes.readBigInt64LE(rusage.maxRss)) * 1024,
  }
}

/** From the status word of wait(2): the signal in the low 7 bits, the core flag above it, the exit code in the second byte. */
export function toChildExit(status: number): ChildExit {
  const signalNumber = status & 0x7f
  if (signalNumber === 0) return {type: 'code', code: (status >> 8) & 0xff}
  return {type: 'signal', signalNumber, coreDumped: (status & 0x80) !== 0}
}
