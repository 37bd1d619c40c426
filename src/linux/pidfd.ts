/**
 * A descriptor of a process (pidfd_open(2), Linux ≥ 5.3): it never refers to another process, and from Linux 6.15 on it tells how the
 * process has ended, whichever process has reaped it.
 *
 * There is no event for its end: Node.js cannot watch such a descriptor, and a thread that blocks in poll(2) would keep the process from
 * exiting. A process that is not the parent has to ask now and then.
 */
import {closeSync} from 'node:fs'
import {lastErrno, libc, SystemCallError} from './libc.ts'
import {POLLIN, pollNow} from './poll.ts'
import {isSameProcess, type ProcessIdentity} from './process-table.ts'
import {type ChildExit, toChildExit} from './wait.ts'

/** The same numbers on every architecture (asm-generic/unistd.h). */
const SYS_pidfd_send_signal = 424
const SYS_pidfd_open = 434
const ESRCH = 3
/** From kernels before 6.13, which do not have the ioctl. */
const ENOTTY = 25
const EINVAL = 22

/** _IOWR(0xff, 11, struct pidfd_info), with the first size of the struct, 64 bytes (linux/pidfd.h). */
const PIDFD_GET_INFO = 0xc040ff0b
const PIDFD_INFO_EXIT = 1n << 3n
/** struct pidfd_info: mask (64 bits) first, exit_code, as wait(2) encodes it, last. */
const pidfdInfo = {bytes: 64, mask: 0, exitCode: 60} as const

/**
 * Close it with `closeSync`. Close-on-exec.
 * @returns undefined when there is no such process
 */
export function openPidfd(pid: number): number | undefined {
  const fd = libc.syscall(SYS_pidfd_open, pid, 0, 0, 0)
  if (fd >= 0) return fd
  const errno = lastErrno()
  if (errno === ESRCH) return undefined
  throw new SystemCallError('pidfd_open', errno)
}

/** A descriptor of that very process. Undefined where the kernel has no pidfds (before Linux 5.3), and when the process is gone. */
export function openPidfdOf(identity: ProcessIdentity): number | undefined {
  try {
    const fd = openPidfd(identity.pid)
    if (fd === undefined || isSameProcess(identity)) return fd
    closeSync(fd)
  } catch {}
  return undefined
}

/** Whether the process has ended, reaped or not. */
export function hasPidfdEnded(fd: number): boolean {
  return (pollNow(fd, POLLIN) & POLLIN) !== 0
}

/** @returns undefined when the process runs, is not reaped yet, or the kernel keeps no record (before Linux 6.15) */
export function readPidfdExit(fd: number): ChildExit | undefined {
  const info = Buffer.alloc(pidfdInfo.bytes)
  info.writeBigUInt64LE(PIDFD_INFO_EXIT, pidfdInfo.mask)
  if (libc.ioctl(fd, PIDFD_GET_INFO, info) < 0) {
    const errno = lastErrno()
    if (errno === ESRCH || errno === ENOTTY || errno === EINVAL) return undefined
    throw new SystemCallError('PIDFD_GET_INFO', errno)
  }
  if ((info.readBigUInt64LE(pidfdInfo.mask) & PIDFD_INFO_EXIT) === 0n) return undefined
  return toChildExit(info.readInt32LE(pidfdInfo.exitCode))
}

/** @returns false when the process has been reaped; a zombie takes signals, without effect */
export function sendPidfdSignal(fd: number, signalNumber: number): boolean {
  if (libc.syscall(SYS_pidfd_send_signal, fd, signalNumber, 0, 0) >= 0) return true
  const errno = lastErrno()
  if (errno === ESRCH) return false
  throw new SystemCallError('pidfd_send_signal', errno)
}
