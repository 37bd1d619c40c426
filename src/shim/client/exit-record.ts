import {type MessageFields, noStatus} from './frames.ts'

export type WaitStatus =
  | {readonly type: 'code'; readonly code: number}
  | {readonly type: 'signal'; readonly signalNumber: number; readonly coreDumped: boolean}

/** How a process has ended, as the shim has seen it. */
export interface ExitRecord {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat. */
  readonly startTicks: number
  /** Undefined of a stranger, which is another's child: the kernel tells his parent. */
  readonly status: WaitStatus | undefined
  readonly usage: {readonly userMs: number; readonly systemMs: number; readonly maxRssBytes: number}
  /** When it was seen: epoch milliseconds, and milliseconds since boot. */
  readonly seenAtMs: number
  readonly seenBootMs: number
}

export function toExitRecord({
  pid,
  startTicks,
  status,
  userUs,
  systemUs,
  maxRssBytes,
  seenAtMs = 0,
  seenBootMs = 0,
}: MessageFields<'exit'>): ExitRecord {
  const usage = {userMs: userUs / 1000, systemMs: systemUs / 1000, maxRssBytes}
  return {pid, startTicks, status: status === noStatus ? undefined : toWaitStatus(status), usage, seenAtMs, seenBootMs}
}

/** The status word of wait(2): the signal in the low 7 bits, the core flag above it, the exit code in the second byte. */
export function toWaitStatus(status: number): WaitStatus {
  const signalNumber = status & 0x7f
  if (signalNumber === 0) return {type: 'code', code: (status >> 8) & 0xff}
  return {type: 'signal', signalNumber, coreDumped: (status & 0x80) !== 0}
}
