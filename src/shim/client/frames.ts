/** The one table of frames: numbers, fields, replies. A test holds it to src/shim/frames.h, and docs/shim.md to it. */
import type {Fields, Shape} from './codec.ts'

export const protocolVersion = 1

const counts = {position: 'u64', stdout: 'u64', stderr: 'u64'} as const satisfies Shape
const status = {
  protocol: 'u16',
  phase: 'u8',
  leaving: 'u8',
  pid: 'u32',
  starts: 'u64',
  deaths: 'u64',
  lastStatus: 'u32',
  wakes: 'u32',
  startAtMs: 'time',
  deadlineMs: 'time',
  watched: 'u32',
  ended: 'u32',
  stdios: 'u32',
} as const satisfies Shape

interface RequestFrame {
  readonly type: number
  readonly fields: Shape
  readonly reply: Shape
}

/** What a supervisor asks for. Each has one reply: OK with these fields, or ERROR. */
export const requests = {
  watch: {type: 1, fields: {pid: 'u32', isStranger: 'flag'}, reply: {startTicks: 'u64'}},
  reap: {type: 2, fields: {pid: 'u32'}, reply: {}},
  orphans: {type: 3, fields: {mode: 'u8'}, reply: {}},
  open: {
    type: 4,
    fields: {
      stdio: 'u32',
      flags: 'u32',
      name: 'text',
      directory: 'text',
      log: 'text',
      uid: 'u32',
      gid: 'u32',
      maxBytes: 'u64',
      maxFiles: 'u32',
      columns: 'u16',
      rows: 'u16',
    },
    reply: {consoleSocket: 'text', ...counts},
  },
  handOver: {type: 5, fields: {stdio: 'u32'}, reply: {}},
  input: {type: 6, fields: {stdio: 'u32', cookie: 'bytes', bytes: 'bytes'}, reply: {taken: 'u64'}},
  closeInput: {type: 7, fields: {stdio: 'u32'}, reply: {}},
  resize: {type: 8, fields: {stdio: 'u32', columns: 'u16', rows: 'u16'}, reply: {}},
  follow: {type: 9, fields: {stdio: 'u32', position: 'u64'}, reply: counts},
  holdOutput: {type: 10, fields: {stdio: 'u32', untilMs: 'time', stdout: 'u64', stderr: 'u64'}, reply: {}},
  drain: {type: 11, fields: {stdio: 'u32'}, reply: counts},
  discard: {type: 12, fields: {stdio: 'u32'}, reply: {}},
  close: {type: 13, fields: {stdio: 'u32'}, reply: {...counts, lostStdout: 'u64', lostStderr: 'u64'}},
  deadline: {type: 14, fields: {atMs: 'time'}, reply: {}},
  sleep: {type: 15, fields: {wakes: 'u32'}, reply: {}},
  end: {type: 16, fields: {wakes: 'u32'}, reply: {}},
  command: {type: 17, fields: {argv: 'texts'}, reply: {}},
  upgrade: {type: 18, fields: {image: 'text'}, reply: {}},
  listen: {type: 19, fields: {path: 'text'}, reply: {}},
  status: {type: 20, fields: {follow: 'flag'}, reply: status},
  wake: {type: 21, fields: {force: 'flag'}, reply: status},
  title: {type: 22, fields: {text: 'text'}, reply: {}},
} as const satisfies Readonly<Record<string, RequestFrame>>

/** What the shim says. */
export const messages = {
  ok: {type: 64, fields: {}},
  error: {type: 65, fields: {errno: 'u32', message: 'text'}},
  hello: {
    type: 66,
    fields: {
      protocol: 'u16',
      state: 'u16',
      features: 'u64',
      reasons: 'u32',
      pid: 'u32',
      startTicks: 'u64',
      wakes: 'u32',
      starts: 'u64',
      deaths: 'u64',
      lastStatus: 'u32',
      orphans: 'u8',
      deadlineMs: 'time',
      socket: 'text',
    },
  },
  child: {type: 67, fields: {pid: 'u32', startTicks: 'u64', hasEnded: 'flag'}},
  stdio: {
    type: 68,
    fields: {
      stdio: 'u32',
      flags: 'u32',
      name: 'text',
      directory: 'text',
      log: 'text',
      ...counts,
      hasTerminal: 'flag',
      isInputOpen: 'flag',
      inputAccepted: 'u64',
      inputTaken: 'u64',
      cookie: 'bytes',
      isDrained: 'flag',
      stdoutErrno: 'u32',
      stderrErrno: 'u32',
    },
  },
  ready: {type: 69, fields: {}},
  exit: {
    type: 70,
    fields: {
      pid: 'u32',
      startTicks: 'u64',
      status: 'u32',
      userUs: 'u64',
      systemUs: 'u64',
      maxRssBytes: 'u64',
      seenAtMs: 'time',
      seenBootMs: 'time',
    },
  },
  woken: {type: 71, fields: {wakes: 'u32'}},
  due: {type: 72, fields: {}},
  grew: {type: 73, fields: {stdio: 'u32', ...counts}},
} as const satisfies Readonly<Record<string, {readonly type: number; readonly fields: Shape}>>

export type RequestName = keyof typeof requests
export type RequestFields<N extends RequestName> = Fields<(typeof requests)[N]['fields']>
export type Reply<N extends RequestName> = Fields<(typeof requests)[N]['reply']>
export type MessageName = keyof typeof messages
export type MessageFields<N extends MessageName> = Fields<(typeof messages)[N]['fields']>

/** Bits of `features` in hello: what a shim can do beyond version 1. */
export const features = {title: 1} as const
/** Bits of `flags` of open and stdio. */
export const stdioFlags = {terminal: 1, input: 2, again: 4} as const
/** What becomes of a child that nobody watches, when it has ended: it is reaped, kept, or told of and kept. */
export const orphanModes = {reap: 0, hold: 1, tell: 2} as const
/** Bits of `reasons`: why the supervisor was started. */
export const startReasons = {first: 1, died: 2, exit: 4, woken: 8, due: 16} as const
export const phases = ['asleep', 'waiting', 'up', 'gave-up'] as const
export type Phase = (typeof phases)[number]
export const leavings = ['stays', 'to-sleep', 'for-good', 'by-signal'] as const
/** `uid` and `gid` of whom the FIFOs are given to: nobody. */
export const nobody = 0xffff_ffff
/** `lastStatus` before a supervisor has ended, and `status` of a stranger. */
export const noStatus = 0xffff_ffff
/** What an input frame carries beside its cookie. */
export const mostInputBytes = 16 * 1024
export const mostCookieBytes = 1024
