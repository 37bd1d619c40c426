import {lastErrno, libc, SystemCallError} from './libc.ts'

/** How a child ended, as waitid(2) tells it. */
export type ChildExit =
  | {readonly type: 'code'; readonly code: number}
  | {readonly type: 'signal'; readonly signalNumber: number; readonly coreDumped: boolean}

/** What waitid(2) knows of a child. `not-a-child`: never was, or has been reaped. */
export type ChildStatus = {readonly type: 'running'} | {readonly type: 'exited'; readonly exit: ChildExit} | {readonly type: 'not-a-child'}

const P_PID = 1
const WNOHANG = 0x1
const WEXITED = 0x4
const WNOWAIT = 0x1000000
const ECHILD = 10
const CLD_EXITED = 1
const CLD_DUMPED = 3

/** siginfo_t of a 64-bit kernel: si_code at 8, si_pid at 16, si_status at 24; 128 bytes in all (asm-generic/siginfo.h). */
const siginfo = {bytes: 128, code: 8, pid: 16, status: 24} as const

/** Looks at a child without reaping it: its status stays in the kernel. */
export function peekChild(pid: number): ChildStatus {
  return waitChild(pid, WNOWAIT)
}

/** Takes the child's status from the kernel, which frees the pid. */
export function reapChild(pid: number): ChildStatus {
  return waitChild(pid, 0)
}

function waitChild(pid: number, flags: number): ChildStatus {
  const info = Buffer.alloc(siginfo.bytes)
  if (libc.waitid(P_PID, pid, info, WEXITED | WNOHANG | flags) < 0) {
    const errno = lastErrno()
    if (errno === ECHILD) return {type: 'not-a-child'}
    throw new SystemCallError('waitid', errno)
  }
  // WNOHANG with nothing to report succeeds and leaves si_pid 0.
  if (info.readInt32LE(siginfo.pid) === 0) return {type: 'running'}
  return {type: 'exited', exit: toExit(info.readInt32LE(siginfo.code), info.readInt32LE(siginfo.status))}
}

function toExit(code: number, status: number): ChildExit {
  if (code === CLD_EXITED) return {type: 'code', code: status}
  return {type: 'signal', signalNumber: status, coreDumped: code === CLD_DUMPED}
}
